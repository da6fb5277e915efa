"""Reads the regions of an instrument from an SFZ file, as free sample libraries come: https://sfzformat.com."""

import re
from pathlib import Path

from regroove.errors import AudioError
from regroove.training.corpus.note_sampler import Region

# A header such as <region>, or one opcode, whose value may hold spaces: it ends before the next one, or with the line.
_TOKEN = re.compile(r"<(?P<header>\w+)>|(?P<name>\w+)=(?P<value>.*?)(?=\s+\w+=|\s*<|\s*$)", re.MULTILINE)
_COMMENT = re.compile(r"//.*")
_LEVELS = ("global", "group", "region")


def read_sfz(file: str | Path) -> list[Region]:
    """The regions of an SFZ map: keys, velocities, root, tuning, volume and offset; all other opcodes are left aside.

    Samples are looked for where the map says, and beside the map.

    Raises:
        AudioError: the map has no region with a sample.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.sfz").write_text("<group> hivel=80 <region> key=60 sample=C4.wav")
    ...     read_sfz(Path(folder, "a.sfz"))[0].velocities
    (1, 80)
    """
    file = Path(file)
    text = _COMMENT.sub("", file.read_text(encoding="utf-8", errors="replace"))
    inherited: dict[str, dict[str, str]] = {level: {} for level in _LEVELS}
    found: list[dict[str, str]] = []
    level = "global"
    for token in _TOKEN.finditer(text):
        if header := token["header"]:
            level = header
            for deeper in _LEVELS[_LEVELS.index(level) :] if level in _LEVELS else ():
                inherited[deeper] = {}
            if level == "region":
                inherited[level] = inherited["global"] | inherited["group"]
                found.append(inherited[level])
        elif level in _LEVELS:
            inherited[level][token["name"]] = token["value"]
    regions = [_region(opcodes, file.parent) for opcodes in found if "sample" in opcodes]
    if not regions:
        raise AudioError(f"{file} has no region with a sample.")
    return regions


def _region(opcodes: dict[str, str], folder: Path) -> Region:
    sample = Path(opcodes["sample"].replace("\\", "/"))
    key = opcodes.get("key", "60")
    return Region(
        velocities=(int(opcodes.get("lovel", 1)), int(opcodes.get("hivel", 127))),
        keys=(int(opcodes.get("lokey", key)), int(opcodes.get("hikey", key))),
        root=float(opcodes.get("pitch_keycenter", key)) - float(opcodes.get("tune", 0)) / 100,
        gain_db=float(opcodes.get("volume", 0)),
        offset=int(opcodes.get("offset", 0)),
        file=str(sample if (folder / sample).exists() else sample.name),
    )
