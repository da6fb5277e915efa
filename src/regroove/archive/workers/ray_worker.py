"""A worker in a Ray cluster: an actor that does what a local worker does.

Tasks and results travel as bytes, so that the process between the batch and the cluster need not know them.
"""

import os
import pickle
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regroove.archive.workers.process import OUT_OF_MEMORY, make_performer
from regroove.version import __version__

if TYPE_CHECKING:
    from regroove.restoration.progress import Progress

# A network file system shows a new file on other machines after a while.
_SEEN_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Hello:
    """What a worker says when it has started: its machine, its version, and whether it can write to the folder."""

    host: str
    version: str
    sees: bool


class RayWorker:
    """Does tasks one after the other; models are kept.

    Args:
        threads: for each task.
        nice: by how much it gives way to other programs, 0 to 19.
        gpu: whether it may use the one that Ray gave it; else none, so that equal settings give equal bytes.
    """

    def __init__(self, threads: int, nice: int, gpu: bool) -> None:
        if not gpu:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        self._performer = make_performer(threads, nice)
        self._told: tuple[str, float] | None = None

    def hello(self, probe: Path | None) -> Hello:
        """Say whether the file ``probe`` is there and its folder can be written; None asks for nothing."""
        return Hello(host=platform.node(), version=__version__, sees=probe is None or sees(probe))

    def perform(self, task: bytes) -> bytes:
        """Do a task; its result."""
        self._told = None
        try:
            return pickle.dumps(self._performer.perform(pickle.loads(task), progress=self._tell))
        except MemoryError:
            # A fresh process has what this one does not give back.
            os._exit(OUT_OF_MEMORY)

    def told(self) -> tuple[str, float] | None:
        """The stage of the present task, and how much of the whole is done, 0 to 1."""
        return self._told

    def _tell(self, progress: "Progress") -> None:
        self._told = (progress.stage, progress.share)


def sees(probe: Path, *, patience: float = _SEEN_SECONDS) -> bool:
    """Whether a file is there, ``patience`` seconds from now at the latest, in a folder that can be written."""
    until = time.monotonic() + patience
    while not probe.is_file():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return os.access(probe.parent, os.W_OK)
