"""The process between a batch and a Ray cluster: it starts workers, gives them tasks, and replaces those that die.

It ends when the batch does, and is ended by Ray when the cluster's head is gone.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from regroove.archive.workers.ray_messages import Bridge, Connected, Finish, Lost, Over, Ready, Told
from regroove.archive.workers.ray_slices import Node, Slices, share
from regroove.archive.workers.ray_worker import Hello, RayWorker
from regroove.version import __version__

# Workers that fail before any is ready, one after the other: something is wrong with the installation. Those that were
# killed meanwhile, or lost with their machine, count for less: 12 random kills of 100 recordings' workers made three.
_MOST_FALSE_STARTS, _MOST_LOST_STARTS = 3, 10
_IN_START = "creation task"
# A cluster that grows when it is asked to takes minutes for a machine.
_PATIENCE_SECONDS = 600.0
_ANSWER_SECONDS = 10.0
_TELL_SECONDS = 1.0
# The least that Ray takes is 75 MiB; tasks and results are a few kB.
_STORE_BYTES = 80 * 2**20


def serve(connection: Connection, bridge: Bridge) -> None:
    """Do what the batch wants until it closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _write_to(bridge.log)
    # Nobody asked for telling the makers of Ray.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    try:
        _connect(ray, bridge.address)
    except Exception as error:
        connection.send(Over(sentence=f"There is no Ray cluster at {bridge.address}: {_words(error)}."))
        return
    slices = share(_nodes(ray), workers=bridge.workers, tasks=bridge.tasks, gpu=bridge.gpu)
    with suppress(BrokenPipeError):
        connection.send(Connected(workers=slices.workers))
        _Crew(ray, connection, bridge, slices).run()
    ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        host, colon, port = address.rpartition(":")
        if colon and port.isdigit():
            # Ray itself waits for many minutes.
            socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS).close()
        ray.init(address=address, **quiet)
    else:
        ray.init(address="local", include_dashboard=False, object_store_memory=_STORE_BYTES, **quiet)


def _write_to(log: Path | None) -> None:
    """What Ray says goes to a file: in the batch's own output it would be taken for the batch's."""
    handle = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


@dataclass(eq=False)
class _Worker:
    actor: Any
    number: int | None = None
    ready: bool = False
    asked: bool = False


@dataclass(frozen=True)
class _Event:
    """Something that came: ``what`` it is, from which worker, and its outcome."""

    what: str
    worker: _Worker | None = None
    future: "Future[Any] | None" = None
    task: tuple[int, bytes] | None = None


@dataclass
class _Crew:
    """The workers, and the tasks that wait for one."""

    ray: Any
    connection: Connection
    bridge: Bridge
    slices: Slices
    _workers: list[_Worker] = field(default_factory=list)
    _waiting: deque[tuple[int, bytes]] = field(default_factory=deque)
    _events: "SimpleQueue[_Event]" = field(default_factory=SimpleQueue)
    _false_starts: int = 0
    _asked: float = 0.0
    _over: bool = False

    def run(self) -> None:
        """Work until the batch wants no more."""
        self._workers += [self._start() for _ in range(self.slices.workers)]
        threading.Thread(target=self._listen, daemon=True).start()
        patience = time.monotonic() + _PATIENCE_SECONDS
        while not self._over:
            with suppress(Empty):
                self._take(self._events.get(timeout=_TELL_SECONDS))
            self._ask()
            if any(worker.ready for worker in self._workers):
                patience = time.monotonic() + _PATIENCE_SECONDS
            elif time.monotonic() > patience:
                gpu = " and a GPU" if self.bridge.gpu else ""
                needs = f"{self.slices.cpus} processors{gpu}"
                self._end(f"For ten minutes the Ray cluster had no room for a worker, which needs {needs}.")
        for worker in self._workers:
            self.ray.kill(worker.actor)

    def _start(self) -> _Worker:
        # One call does the work while another says how far it is. Machines are filled evenly.
        options = {"num_cpus": self.slices.cpus, "num_gpus": int(self.bridge.gpu), "max_concurrency": 2}
        kind = self.ray.remote(**options, scheduling_strategy="SPREAD")(RayWorker)
        worker = _Worker(kind.remote(self.slices.cpus, self.bridge.nice, self.bridge.gpu))
        self._await("hello", worker, worker.actor.hello.remote(self.bridge.probe))
        return worker

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._events.put(_Event("task", task=self.connection.recv()))
        self._events.put(_Event("closed"))

    def _await(self, what: str, worker: _Worker, reference: Any) -> None:
        reference.future().add_done_callback(lambda future: self._events.put(_Event(what, worker, future)))

    def _take(self, event: _Event) -> None:
        worker, future = event.worker, event.future
        if event.what == "closed":
            self._over = True
        elif event.task is not None:
            self._waiting.append(event.task)
        elif worker not in self._workers or worker is None or future is None:
            # What a worker said that has been replaced.
            return
        elif event.what == "told":
            self._hear(worker, future)
        elif (error := future.exception()) is not None:
            self._replace(worker, error)
        elif event.what == "hello":
            self._welcome(worker, future.result())
        elif worker.number is not None:
            self.connection.send(Finish(number=worker.number, result=future.result()))
            worker.number = None
        self._give_out()

    def _welcome(self, worker: _Worker, hello: Hello) -> None:
        if hello.version != __version__:
            self._end(f"The worker on {hello.host} has regroove {hello.version}, and this machine {__version__}.")
        elif not hello.sees:
            self._end(
                f"The worker on {hello.host} does not see the output folder or cannot write there; with Ray, "
                "recordings and outputs are on a file system that every machine reaches under the same path."
            )
        else:
            worker.ready, self._false_starts = True, 0
            self._say_ready()

    def _give_out(self) -> None:
        for worker in self._workers:
            if self._waiting and worker.ready and worker.number is None:
                worker.number, task = self._waiting.popleft()
                self._await("done", worker, worker.actor.perform.remote(task))

    def _ask(self) -> None:
        """Let workers say how far they are, now and then."""
        if time.monotonic() - self._asked < _TELL_SECONDS:
            return
        self._asked = time.monotonic()
        for worker in self._workers:
            if worker.number is not None and not worker.asked:
                worker.asked = True
                self._await("told", worker, worker.actor.told.remote())

    def _hear(self, worker: _Worker, future: "Future[Any]") -> None:
        worker.asked = False
        # That it is dead is said by the future of its work.
        told = None if future.exception() else future.result()
        if told is not None and worker.number is not None:
            self.connection.send(Told(number=worker.number, stage=told[0], done=told[1]))

    def _replace(self, worker: _Worker, error: BaseException) -> None:
        with suppress(Exception):
            self.ray.kill(worker.actor)
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= (_MOST_FALSE_STARTS if _IN_START in str(error) else _MOST_LOST_STARTS):
                self._end(f"Workers cannot be started in the Ray cluster: {_words(error)}.")
                return
        self._workers[self._workers.index(worker)] = self._start()
        self._say_ready()
        if worker.number is not None:
            self.connection.send(Lost(number=worker.number, reason=f"lost ({_words(error)})"))

    def _say_ready(self) -> None:
        self.connection.send(Ready(workers=sum(worker.ready for worker in self._workers)))

    def _end(self, sentence: str) -> None:
        self.connection.send(Over(sentence=sentence))
        self._over = True


def _nodes(ray: Any) -> list[Node]:
    resources = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [Node(cpus=int(each.get("CPU", 0)), gpus=int(each.get("GPU", 0))) for each in resources]


def _words(error: BaseException) -> str:
    """What Ray says, in one line: the first, or the last where the first only leads to it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1 if _IN_START in lines[0] else 0].rstrip(".:")
