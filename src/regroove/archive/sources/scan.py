"""Recordings in folders and behind patterns.

Names below a folder, or below the part of a pattern before its first wildcard, are kept. Hidden files and the output
folder are left out. A link to a folder is followed only where it leads out of the folder that is searched, and no
folder is searched twice, so that circles of links end.
"""

import fnmatch
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regroove.archive.sources.job import Found
from regroove.archive.sources.output_names import shown
from regroove.audio.formats import AUDIO_SUFFIXES
from regroove.errors import AudioError

_WILD = frozenset("*?[")


@dataclass
class Scan:
    """What was found, in order of names, and sentences about what was left out."""

    found: list[Found] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def scan(sources: Sequence[str], *, out: Path, pattern: str | None = None) -> Scan:
    """Find recordings.

    Args:
        sources: files, folders, or patterns (``*``, ``?``, ``[...]``, ``**`` for any folders).
        out: the output folder, which is not searched.
        pattern: names that are taken in folders; usual endings of recordings otherwise.

    Raises:
        AudioError: a source does not exist, or is the output folder.
    """
    result = Scan()
    for source in sources:
        path = Path(source)
        if path.is_dir():
            if path.resolve() == out.resolve():
                raise AudioError(f"{shown(path)} is the output folder; restored copies go to another one.")
            _folder(path, out.resolve(), pattern, result)
        elif os.path.lexists(path):
            result.found.append(Found(source=path, name=Path(path.name)))
        elif _WILD & set(source):
            _glob(source, out.resolve(), result)
        else:
            raise AudioError(f"{shown(path)} does not exist.")
    return result


def _folder(root: Path, out: Path, pattern: str | None, result: Scan) -> None:
    hidden = 0
    for path in _walk(root, out, result):
        if path.name.startswith("."):
            hidden += 1
        elif _wanted(path, pattern):
            result.found.append(Found(source=path, name=path.relative_to(root)))
    if hidden:
        result.notes.append(f"{hidden} hidden files in {shown(root)} are left out.")


def _wanted(path: Path, pattern: str | None) -> bool:
    return path.suffix.lower() in AUDIO_SUFFIXES if pattern is None else fnmatch.fnmatch(path.name, pattern)


def _walk(root: Path, out: Path, result: Scan) -> Iterator[Path]:
    """Every file below a folder, hidden ones too, in order of names."""
    seen: set[tuple[int, int]] = set()
    inside = root.resolve()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            result.notes.append(f"The folder {shown(folder)} cannot be read: {reason}.")
            continue
        if (status.st_dev, status.st_ino) in seen or folder.resolve() == out:
            continue
        seen.add((status.st_dev, status.st_ino))
        folders = []
        for entry in entries:
            path = folder / entry.name
            if not _is_folder(entry):
                yield path
            elif entry.is_symlink() and path.resolve().is_relative_to(inside):
                result.notes.append(f"{shown(path)} is a link to a folder that is searched anyway; it is left out.")
            elif not entry.name.startswith("."):
                folders.append(path)
        waiting.extend(reversed(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or leads to one; links in a circle do not, and why is said when they are opened."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _glob(pattern: str, out: Path, result: Scan) -> None:
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if _WILD & set(part))
    base = Path(*parts[:fixed])
    if "**" in parts:
        # Python's own search goes round circles of links.
        files = [path for path in _walk(base, out, result) if _matches(path.relative_to(base).parts, parts[fixed:])]
    else:
        files = [Path(name) for name in sorted(glob.iglob(pattern)) if not os.path.isdir(name)]
    files = [path for path in files if not Path(os.path.realpath(path)).is_relative_to(out)]
    if not files:
        result.notes.append(f"No file matches {shown(pattern)}.")
    result.found += [Found(source=path, name=path.relative_to(base)) for path in files]


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path matches a pattern in which ``**`` stands for any folders; hidden files match none.

    >>> _matches(("a", "b", "c.wav"), ("**", "*.wav")), _matches(("c.wav",), ("**", "b", "*"))
    (True, False)
    """
    if not pattern or not parts:
        return not pattern and not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or _matches(parts[1:], pattern)
    fits = fnmatch.fnmatchcase(parts[0], pattern[0]) and not parts[0].startswith(".")
    return fits and _matches(parts[1:], pattern[1:])
