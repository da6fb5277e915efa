"""Workers in a Ray cluster, on several machines.

Ray ends the process that uses it when the head of its cluster is gone. So a process of its own talks to Ray, and the
batch goes on to say what happened and to close its journal.
"""

import multiprocessing
import os
import pickle
import secrets
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from regroove.archive.journal.database import FOLDER
from regroove.archive.sources.output_names import shown
from regroove.archive.workers.ray_bridge import serve
from regroove.archive.workers.ray_messages import Bridge, Connected, Finish, Lost, Over, Ready, Said, Told
from regroove.archive.workers.tasks import Died, Finished, Message, Progressed, Task
from regroove.errors import ArchiveError, MissingDependencyError

LOG = "ray.log"
_TIME_TO_END_SECONDS = 10.0


class RayBackend:
    """Actors of a Ray cluster, each with processors, or a GPU, of its own.

    Args:
        address: of the cluster's head; None: the one that ``RAY_ADDRESS`` names, or else one made for this run, on this
            machine alone.
        workers: how many; None: one for two processors, or one for each GPU.
        tasks: more workers are not of use.
        folder: the output folder, which every worker must see; None where there is none yet.
        nice: by how much workers give way to other programs, 0 to 19.
        gpu: whether each has a GPU.

    Raises:
        MissingDependencyError: Ray is not installed.
        ArchiveError: there is no cluster at the address.
    """

    def __init__(
        self, *, address: str | None, workers: int | None, tasks: int, folder: Path | None, nice: int = 0,
        gpu: bool = False,
    ) -> None:  # fmt: skip
        if find_spec("ray") is None:
            raise MissingDependencyError("A batch on a cluster needs Ray: pip install 'regroove[ray]'.")
        address = address or os.environ.get("RAY_ADDRESS")
        self._where = f"The Ray cluster at {address}" if address else "Ray on this machine"
        self._log = folder / FOLDER / LOG if folder else None
        self._probe = _probe(folder) if folder else None
        bridge = Bridge(
            address=address, workers=workers, tasks=tasks, nice=nice, gpu=gpu, probe=self._probe, log=self._log
        )
        context = multiprocessing.get_context("spawn")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=serve, args=(there, bridge), daemon=True)
        self._process.start()
        there.close()
        self._tasks: dict[int, Task] = {}
        self._given, self._ready = 0, 0
        try:
            said = self._receive(f"{self._where} cannot be reached")
        except ArchiveError:
            self.close()
            raise
        self.workers = said.workers if isinstance(said, Connected) else 0

    @property
    def free(self) -> int:
        """How many more tasks can be taken now: workers that have started and have none."""
        return max(self._ready - len(self._tasks), 0)

    def submit(self, task: Task) -> None:
        """Give a task to a free worker."""
        self._given += 1
        self._tasks[self._given] = task
        # That the other process is gone is found out while waiting.
        with suppress(OSError):
            self._connection.send((self._given, pickle.dumps(task)))

    def wait(self, seconds: float) -> list[Message]:
        """What a worker said, waiting at most so long for it; one message at a time.

        Raises:
            ArchiveError: the cluster is gone, cannot start workers, or a worker does not see the output folder.
        """
        if not self._connection.poll(seconds):
            return []
        message = self._message(self._receive(f"{self._where} is gone"))
        return [] if message is None else [message]

    def close(self) -> None:
        """End all workers; what they had not finished has left no trace."""
        self._connection.close()
        self._process.join(_TIME_TO_END_SECONDS)
        self._process.kill()
        self._process.join()
        if self._probe:
            self._probe.unlink(missing_ok=True)

    def _receive(self, why: str) -> Said:
        try:
            said = self._connection.recv()
        except (EOFError, OSError) as error:
            log = f" (see {shown(self._log)})" if self._log else ""
            raise ArchiveError(f"{why}{log}; the same command goes on from what is done when it is back.") from error
        if isinstance(said, Over):
            raise ArchiveError(said.sentence)
        return said

    def _message(self, said: Said) -> Message | None:
        if isinstance(said, Told):
            task = self._tasks.get(said.number)
            return Progressed(task=task, stage=said.stage, done=said.done) if task else None
        if isinstance(said, Finish):
            return Finished(task=self._tasks.pop(said.number), result=pickle.loads(said.result))
        if isinstance(said, Lost):
            return Died(task=self._tasks.pop(said.number), reason=said.reason)
        if isinstance(said, Ready):
            self._ready = said.workers
        return None


def _probe(folder: Path) -> Path:
    """A file by which workers know the output folder."""
    path = folder / FOLDER / f"seen-{secrets.token_hex(6)}"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path
