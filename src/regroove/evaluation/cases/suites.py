"""Suites: lists of cases, from a CSV manifest or from a folder.

A manifest has one case a line. Its columns, of which only ``clean`` and either ``noise`` and ``snr_db`` or ``noisy``
are needed:

    name, clean, noise, snr_db, noisy, start, seconds, low_hz, high_hz, lead_in, noise_from, seed, piece, group, family

Paths are relative to the manifest. ``noise`` is a file or the name of a noise preset. A folder is its ``manifest.csv``
if it has one, otherwise every file of ``clean/`` with every file of ``noise/`` (or a shellac preset) at four SNRs.
"""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

from regroove.audio.formats import AUDIO_SUFFIXES
from regroove.errors import SettingsError

SNRS = (5.0, 10.0, 20.0, 30.0)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One noisy clip whose truth is known.

    ``lead_in`` seconds of noise alone stand before ``seconds`` of music taken from ``start`` of ``clean`` and
    band-limited to ``low_hz`` .. ``high_hz`` (0: no limit) before the noise is added at ``snr_db``. A noise file is
    used from the share ``noise_from`` (0 to 1) of its length on. With ``noisy`` the mixture is that file instead, its
    first ``lead_in`` seconds being noise alone. With ``family`` (``regroove.evaluation.cases.families``) the clip is
    made by that family of this music, noise and seed, which chooses excerpt, length and band, with a lead-in unless it
    is 0.
    """

    name: str
    clean: str
    noise: str = ""
    snr_db: float | None = None
    noisy: str = ""
    start: float = 0.0
    seconds: float = 8.5
    low_hz: float = 0.0
    high_hz: float = 0.0
    lead_in: float = 1.5
    noise_from: float = 0.0
    seed: int = 0
    piece: str = ""
    group: str = ""
    family: str = ""

    @property
    def noise_label(self) -> str:
        if self.family:
            return self.family
        return Path(self.noise).stem if self.noise else "as recorded"

    @property
    def band_label(self) -> str:
        if not (self.low_hz or self.high_hz):
            return "full band"
        return f"{self.low_hz:g}-{self.high_hz:g} Hz"


@dataclass(frozen=True)
class Suite:
    """A named list of cases with different names."""

    name: str
    cases: tuple[Case, ...]

    def limited(self, count: int | None) -> "Suite":
        """The first ``count`` cases of an order in which noises, SNRs, bands and pieces stay in balance.

        >>> cases = tuple(Case(name=f"{n}{s}", clean="c", noise=n, snr_db=s) for n in "ab" for s in (5.0, 30.0))
        >>> [c.name for c in Suite("x", cases).limited(2).cases]
        ['a5.0', 'b30.0']
        """
        if count is None or count >= len(self.cases):
            return self
        return Suite(self.name, tuple(_balanced(list(self.cases), count)))


def load_suite(source: str | Path) -> Suite:
    """Read a suite from a manifest or a folder.

    Raises:
        SettingsError: there is no such suite, it is malformed, or it is empty.
    """
    path = Path(source)
    if path.is_dir():
        manifest = path / "manifest.csv"
        return load_suite(manifest) if manifest.is_file() else _folder_suite(path)
    if not path.is_file():
        raise SettingsError(f"There is no suite {str(source)!r}: give validation, wild, a folder or a CSV manifest.")
    with path.open(newline="", encoding="utf-8") as file:
        cases = [_case(row, path, line) for line, row in enumerate(csv.DictReader(file), start=2)]
    return _checked(path.parent.name if path.stem == "manifest" else path.stem, cases, path)


def write_manifest(path: Path, cases: list[Case]) -> None:
    """Write cases as a manifest that :func:`load_suite` reads; their paths are taken as they are."""
    names = [f.name for f in fields(Case)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for case in cases:
            writer.writerow(["" if getattr(case, n) is None else getattr(case, n) for n in names])


def _case(row: dict[str, str | None], manifest: Path, line: int) -> Case:
    known = {f.name for f in fields(Case)}
    values: dict[str, object] = {}
    for key, text in row.items():
        if key not in known:
            raise SettingsError(f"{manifest} has a column {key!r} that no suite has.")
        if text:
            values[key] = _parsed(key, text, manifest, line)
    mixed = "noise" in values and "snr_db" in values
    if "clean" not in values or not (mixed or "noisy" in values):
        raise SettingsError(f"{manifest}, line {line}: a case needs clean and either noise and snr_db or noisy.")
    values.setdefault("name", f"{line - 1:04d}")
    values.setdefault("piece", Path(str(values["clean"])).stem)
    return Case(**values)  # type: ignore[arg-type]


def _parsed(key: str, text: str, manifest: Path, line: int) -> object:
    if key in ("clean", "noisy"):
        return str(manifest.parent / text)
    if key == "noise":
        file = manifest.parent / text
        return str(file) if file.is_file() else text
    if key in ("name", "piece", "group", "family"):
        return text
    try:
        return int(text) if key == "seed" else float(text)
    except ValueError:
        raise SettingsError(f"{manifest}, line {line}: {key} is not a number: {text!r}.") from None


def _folder_suite(path: Path) -> Suite:
    clean, noise = (audio_files(path / part) for part in ("clean", "noise"))
    sources = [str(file) for file in noise] or ["shellac"]
    cases = [
        Case(
            name=f"{file.stem}-{Path(source).stem}-{snr:g}dB", clean=str(file), noise=source, snr_db=snr,
            seed=number, piece=file.stem,
        )
        for number, file in enumerate(clean) for source in sources for snr in SNRS
    ]  # fmt: skip
    return _checked(path.name, cases, path)


def audio_files(folder: Path) -> list[Path]:
    """The audio files of a folder in the order of their names; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in AUDIO_SUFFIXES)


def _checked(name: str, cases: list[Case], path: Path) -> Suite:
    if not cases:
        raise SettingsError(f"{path} holds no cases: a suite needs a manifest.csv or a folder clean/ with audio.")
    names = [case.name for case in cases]
    if len(set(names)) < len(names):
        raise SettingsError(f"{path} uses the case name {max(names, key=names.count)!r} more than once.")
    return Suite(name, tuple(cases))


def _balanced(cases: list[Case], count: int) -> list[Case]:
    seen: dict[tuple[str, object], int] = {}
    chosen: list[Case] = []
    for _ in range(count):
        best = min(
            cases,
            key=lambda case: (*(seen.get(t, 0) for t in _families(case)), sum(seen.get(t, 0) for t in _traits(case))),
        )
        cases.remove(best)
        chosen.append(best)
        for trait in (*_families(best), *_traits(best)):
            seen[trait] = seen.get(trait, 0) + 1
    return chosen


def _families(case: Case) -> list[tuple[str, object]]:
    """What comes before all other traits: families differ more than clips of one of them do."""
    return [("family", case.family), ("family and lead-in", (case.family, bool(case.family and case.lead_in)))]


def _traits(case: Case) -> list[tuple[str, object]]:
    singles: list[tuple[str, object]] = [
        ("snr", case.snr_db), ("noise", case.noise), ("band", case.band_label), ("piece", case.piece),
        ("lead-in of a family", bool(case.family and case.lead_in)),
    ]  # fmt: skip
    return [
        *singles,
        ("snr and band", (case.snr_db, case.band_label)),
        ("snr and noise", (case.snr_db, case.noise)),
    ]
