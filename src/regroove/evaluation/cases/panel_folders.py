"""The reference's panel test: ``panel-N/noisy`` folders described by one ``sample-info.csv``.

The table has a column ``file`` (or ``arquivo``), and for each panel N ``snr-panel-N`` and ``noise-gain-panel-N`` (or
``painel``). Restored files go to ``panel-N/NAME`` under their own names, the results to ``panel-N/NAME.csv``. For the
``cqtdiff`` engine the SNR gives xi by the reference's ladder, and the gain is that of its fixed-gain mode.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from regroove.errors import SettingsError

_COLUMN = re.compile(r"(snr|noise-gain)-(?:panel|painel)-(\d+)")


@dataclass(frozen=True, kw_only=True)
class PanelItem:
    """One noisy file of a panel with its estimated SNR in dB and the gain of its noise."""

    panel: int
    file: str
    snr_db: float
    gain: float


def load_panels(folder: Path) -> list[PanelItem]:
    """Read ``sample-info.csv``; items of panel 1 first.

    Raises:
        SettingsError: it is missing or malformed, or a file that it names is.
    """
    table = folder / "sample-info.csv"
    if not table.is_file():
        raise SettingsError(f"{table} is missing: it names the files, SNRs and gains of the panels.")
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    items = [item for row in rows for item in _items(row, table)]
    if not items:
        raise SettingsError(f"{table} describes no panel: it needs columns like snr-panel-1 and noise-gain-panel-1.")
    for item in items:
        if not (folder / f"panel-{item.panel}" / "noisy" / item.file).is_file():
            raise SettingsError(f"{table} names {item.file}, which panel-{item.panel}/noisy does not hold.")
    return sorted(items, key=lambda item: item.panel)


def _items(row: dict[str, str], table: Path) -> list[PanelItem]:
    row = {(key or "").strip(): (value or "").strip() for key, value in row.items()}
    file = row.get("file") or row.get("arquivo")
    if not file:
        raise SettingsError(f"{table} needs a column file (or arquivo) with a name in every line.")
    found: dict[int, dict[str, float]] = {}
    for key, value in row.items():
        match = _COLUMN.fullmatch(key)
        if match and value:
            try:
                found.setdefault(int(match[2]), {})[match[1]] = float(value)
            except ValueError:
                raise SettingsError(f"{table}: {key} of {file} is not a number: {value!r}.") from None
    for panel, values in found.items():
        if len(values) < 2:
            raise SettingsError(f"{table}: {file} needs both an SNR and a noise gain for panel {panel}.")
    return [PanelItem(panel=p, file=Path(file).name, snr_db=v["snr"], gain=v["noise-gain"]) for p, v in found.items()]
