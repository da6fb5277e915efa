"""Receipts: what is needed to reproduce a restoration, and to check that it was."""

import hashlib
import json
import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from regroove.audio.reader import AudioInfo
from regroove.version import __version__

FORMAT = 1
_LIBRARIES = ("torch", "numpy", "scipy", "soxr", "soundfile")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     sha256_of(Path(file.name))[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def input_part(info: AudioInfo) -> dict[str, object]:
    """What a receipt says of a recording."""
    return {
        "name": info.path.name,
        "sample_rate": info.sample_rate,
        "channels": info.channels,
        "frames": info.frames,
        "container": info.container,
        "subtype": info.subtype,
        "sha256": sha256_of(info.path),
    }


def plain_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """Settings as JSON has them.

    >>> plain_settings({"noise_set": Path("noise"), "seed": 0})
    {'noise_set': 'noise', 'seed': 0}
    """
    return {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that numbers depend on."""
    found = {name: version(name) for name in _LIBRARIES}
    return {"regroove": __version__, "python": platform.python_version(), **found}


def run_part(*, paths: dict[str, Path], seconds: float, audio_seconds: float) -> dict[str, object]:
    """What differs from run to run: when, where, how long."""
    return {
        "paths": {role: str(path.resolve()) for role, path in paths.items()},
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds, 3),
        "seconds_per_second_of_audio": round(seconds / audio_seconds, 4),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
    }


def receipt_text(*, result: dict[str, object], run: dict[str, object]) -> str:
    """The receipt as indented JSON: compare ``result`` of two receipts, expect ``run`` to differ."""
    receipt = {"receipt": FORMAT, "result": result, "run": run}
    return json.dumps(receipt, indent=2, ensure_ascii=False) + "\n"
