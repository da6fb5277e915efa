"""Looking at recordings before they are restored: whether they can be read, and how long they are."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from regroove.archive.sources.job import Job
from regroove.archive.workers.backend import Crew
from regroove.archive.workers.tasks import Failed, Finished, Look, Looked

_BEAT_SECONDS = 1.0


def look_at(
    jobs: Sequence[Job], crew: Crew, *, beat: Callable[[], None] = lambda: None
) -> Iterator[tuple[Job, Looked | Failed]]:
    """Let workers look, because a damaged file may end the process that reads it; in the jobs' order.

    Args:
        beat: called about once a second.
    """
    waiting = deque(jobs)
    results: dict[object, Looked | Failed] = {}
    for job in jobs:
        while job.name not in results:
            while waiting and crew.free > 0:
                following = waiting.popleft()
                crew.submit(Look(key=following.name, source=following.source))
            for message in crew.wait(_BEAT_SECONDS):
                if isinstance(message, Finished) and isinstance(message.result, Looked | Failed):
                    results[message.task.key] = message.result
            beat()
        yield job, results.pop(job.name)
