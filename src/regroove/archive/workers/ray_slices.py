"""How a cluster is shared among workers."""

from collections.abc import Sequence
from dataclasses import dataclass

# An engine works on two blocks at a time, a thread each.
CPUS_EACH = 2


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine of the cluster, with the processors and GPUs that Ray may give away."""

    cpus: int
    gpus: int = 0


@dataclass(frozen=True, kw_only=True)
class Slices:
    """So many workers, each with so many processors."""

    workers: int
    cpus: int


def share(nodes: Sequence[Node], *, workers: int | None, tasks: int, gpu: bool) -> Slices:
    """Workers for a cluster: one for two processors, or for each GPU where they are used.

    More ``workers`` than that take one processor each. There is one at least: a cluster may grow when it is asked to.

    >>> share([Node(cpus=8), Node(cpus=3)], workers=None, tasks=100, gpu=False)
    Slices(workers=5, cpus=2)
    >>> share([Node(cpus=8), Node(cpus=3)], workers=10, tasks=100, gpu=False)
    Slices(workers=10, cpus=1)
    """
    room = _room(nodes, CPUS_EACH, gpu)
    each = CPUS_EACH if room and (workers or 0) <= room else 1
    count = workers or room or _room(nodes, 1, gpu)
    return Slices(workers=max(min(count, tasks), 1), cpus=each)


def _room(nodes: Sequence[Node], cpus: int, gpu: bool) -> int:
    return sum(min(node.cpus // cpus, node.gpus) if gpu else node.cpus // cpus for node in nodes)
