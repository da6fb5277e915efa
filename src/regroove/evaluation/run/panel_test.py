"""The reference's panel test: its folders restored with one of our engines, and scored."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from regroove.errors import SettingsError
from regroove.evaluation.cases.mono_files import SUITE_RATE, read_mono
from regroove.evaluation.cases.panel_folders import PanelItem, load_panels
from regroove.evaluation.cases.recording_lists import quietest
from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.methods.own_engines import Regroove
from regroove.evaluation.metrics.blind import BLIND, Blind
from regroove.evaluation.metrics.metric_table import choose_metrics
from regroove.evaluation.metrics.signals import Samples, Signals
from regroove.noise.powers import xi_for_snr

_SCORES = ("si-sdr", "snr", "lsd", "mrstft")


def run_panels(
    folder: Path,
    spec: str,
    *,
    name: str,
    panels: Sequence[int] = (),
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Restore all panels, or some, with one of our engines, and score them.

    Files that a ``clean`` folder (in the panel or beside it) holds are scored against it, the others without reference.

    Args:
        folder: the parent folder of the panels.
        spec: the engine and its settings, as :func:`~regroove.evaluation.methods.method_table.build_method` reads them.
        name: of the output folder in each panel.
        panels: numbers of the panels; all if empty.
        progress: called with the name of each file.

    Returns:
        The CSV of each panel.

    Raises:
        SettingsError: the layout or the method is not usable.
        AudioError: a file cannot be read or written.
    """
    method = build_method(spec)
    if not isinstance(method, Regroove):
        raise SettingsError(f"Panels are restored by this package's engines, not by {spec}.")
    items = [item for item in load_panels(folder) if not panels or item.panel in panels]
    if not items:
        raise SettingsError(f"{folder} has no panel {panels[0]}.")
    numbers = sorted({item.panel for item in items})
    return [_run_panel(folder, number, items, method, name, progress) for number in numbers]


def _run_panel(
    folder: Path,
    number: int,
    items: Sequence[PanelItem],
    method: Regroove,
    name: str,
    progress: Callable[[str], None] | None,
) -> Path:
    home = folder / f"panel-{number}"
    (home / name).mkdir(exist_ok=True)
    lines = []
    for item in (i for i in items if i.panel == number):
        if progress:
            progress(f"panel {number}: {item.file}")
        lines.append(_restored(home, item, method, name))
    table = home / f"{name}.csv"
    write_bytes(table, _csv(lines).encode())
    return table


def settings_for(item: PanelItem, method: Regroove) -> dict[str, Any]:
    """The method's settings with the item's xi and gain where the engine has a use for them.

    Raises:
        SettingsError: the ladder has no xi for the SNR.
    """
    settings: dict[str, Any] = {"engine": method.engine, **method.settings}
    if method.engine == "cqtdiff":
        settings.setdefault("xi", xi_for_snr(item.snr_db))
        settings.setdefault("noise_mode", "fixed-gain")
        if settings["noise_mode"] == "fixed-gain":
            settings.setdefault("noise_gain", item.gain)
    return settings


def _restored(home: Path, item: PanelItem, method: Regroove, name: str) -> dict[str, object]:
    from regroove.restoration.restorer import Restorer

    settings = settings_for(item, method)
    noisy, target = home / "noisy" / item.file, home / name / item.file
    done = Restorer(**settings).restore_file(noisy, target, overwrite=True)
    clean = next((p for p in (home / "clean" / item.file, home.parent / "clean" / item.file) if p.is_file()), None)
    scores = _against(clean, noisy, target) if clean else _blind(noisy, target)
    known = {"file": item.file, "snr_db": item.snr_db, "noise_gain": item.gain, "xi": settings.get("xi", "")}
    return {**known, "method": method.spec, "seconds": round(done.seconds, 2), **scores}


def _against(clean: Path, noisy: Path, restored: Path) -> dict[str, str]:
    truth, before, after = (read_mono(str(p), sample_rate=SUITE_RATE) for p in (clean, noisy, restored))
    signals = Signals(truth, before, after, SUITE_RATE)
    return {metric.name: f"{metric.score(signals):.6f}" for metric in choose_metrics(_SCORES)}


def _blind(noisy: Path, restored: Path) -> dict[str, str]:
    before, after = (read_mono(str(p), sample_rate=SUITE_RATE) for p in (noisy, restored))
    start, end = (round(t * SUITE_RATE) for t in quietest(before, sample_rate=SUITE_RATE))
    shuffled = [_noise_first(audio, start, end) for audio in (before, after)]
    item = Blind(shuffled[0], shuffled[1], end - start, SUITE_RATE)
    return {name: f"{metric.score(item):.6f}" for name, metric in BLIND.items()}


def _noise_first(audio: Samples, start: int, end: int) -> Samples:
    return np.concatenate([audio[start:end], audio])


def _csv(lines: Sequence[dict[str, object]]) -> str:
    buffer = io.StringIO()
    columns = list(dict.fromkeys(key for line in lines for key in line))
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return buffer.getvalue()
