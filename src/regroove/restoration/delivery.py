"""Restored sound goes to its files, and once more, turned down, where integers would clip."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regroove.audio.reader import AudioReader
from regroove.restoration.progress import Tell
from regroove.restoration.results.file_results import Facts, FileResults
from regroove.restoration.results.kept_sound import KeptSound
from regroove.restoration.results.pictures import Drawn
from regroove.restoration.results.sink import Samples
from regroove.restoration.results.sound import TooLoudError
from regroove.restoration.stages.stage import through
from regroove.restoration.stages.tell_progress import TellProgress

Pair = tuple[Samples, Samples]


@dataclass(frozen=True, kw_only=True)
class Made:
    """The recording as it was and restored, block after block, and what is known when all of it has been taken."""

    pairs: Iterator[Pair]
    facts: Callable[[], Facts]


def deliver(
    make: Callable[[], Made],
    files: Callable[..., FileResults],
    reader: AudioReader,
    *,
    folder: Path,
    headroom: str,
    turning_down: Callable[[], Tell],
) -> Drawn:
    """Write what is made of a recording; what would clip is written once more, from what was kept of it.

    Args:
        make: is called when the files are there, so that nothing is made for a disk that takes none.
        files: gives the files for a ``gain``.
        folder: where what is restored is kept meanwhile.
        headroom: ``auto`` or ``off``, as :meth:`~regroove.restoration.restorer.Restorer.restore_file` has it.
        turning_down: called when all is to be turned down; gives what is told how much of that is done.

    Raises:
        AudioError: the recording cannot be read, or a file not be written.
    """
    first = files(gain=1.0)
    if headroom == "off" or first.bits is None:
        with first as results:
            made = make()
            return _written(results, made.pairs, made)
    with KeptSound(folder, bits=first.bits) as kept:
        try:
            with first as results:
                made = make()
                for original, restored in made.pairs:
                    results.add(original, restored)
                    kept.add(restored)
                results.refuse_clipping()
                return results.finish(made.facts())
        except TooLoudError as error:
            gain = error.gain
        tell = TellProgress(turning_down(), frames=reader.frames)
        with files(gain=gain) as results:
            return _written(results, through(beside(reader, kept), [tell]), made)


def _written(results: FileResults, pairs: Iterable[Pair], made: Made) -> Drawn:
    for original, restored in pairs:
        results.add(original, restored)
    return results.finish(made.facts())


def beside(reader: AudioReader, kept: KeptSound) -> Iterable[Pair]:
    """The recording beside what is kept, as long as it."""
    kept.rewind()
    for original in reader.blocks():
        yield original, kept.take(channels=reader.channels, frames=original.shape[1])
