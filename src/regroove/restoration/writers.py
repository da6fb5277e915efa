"""The files that a restoration's sound goes to, and what is to be said about them."""

from contextlib import ExitStack
from pathlib import Path

from regroove.audio.formats import output_format
from regroove.audio.headroom import gain_for
from regroove.audio.reader import AudioInfo
from regroove.audio.writer import AudioWriter


class TooLoudError(Exception):
    """The outputs would clip without ``gain``."""

    def __init__(self, gain: float) -> None:
        super().__init__(gain)
        self.gain = gain


def refuse_clipping(writers: dict[str, AudioWriter]) -> None:
    """Give up where integers would clip: all is made once more, with a gain.

    Raises:
        TooLoudError: some would.
    """
    gain = min(gain_for(writer.peak, writer.sample_format) for writer in writers.values())
    if gain < 1:
        raise TooLoudError(gain)


def finish(writers: dict[str, AudioWriter]) -> list[str]:
    """Complete the files; returns what is to be said about them."""
    notes: list[str] = []
    for role, writer in writers.items():
        writer.finish()
        if writer.clipped:
            notes.append(f"{writer.clipped} samples of the {role} were beyond full scale and are clipped.")
        said = writers["output"].notes if role != "output" else ()
        notes += [f"{role.capitalize()}: {note}" for note in writer.notes if note not in said]
    return notes


def open_writers(
    stack: ExitStack, info: AudioInfo, paths: dict[str, Path], overwrite: bool
) -> tuple[dict[str, AudioWriter], list[str]]:
    """Writers by role, and notes about the recording and about formats that differ from its own."""
    writers: dict[str, AudioWriter] = {}
    notes = [*info.notes]
    for role in ("output", "residual"):
        if role not in paths:
            continue
        sample_format, note = output_format(paths[role], subtype=info.subtype)
        if note:
            notes.append(f"{role.capitalize()}: {note}")
        writers[role] = stack.enter_context(
            AudioWriter(
                paths[role],
                sample_rate=info.sample_rate,
                channels=info.channels,
                frames=info.frames,
                sample_format=sample_format,
                metadata=info.metadata,
                overwrite=overwrite,
            )
        )
    return writers, notes
