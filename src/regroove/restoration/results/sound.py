"""The files that a restoration's sound goes to, and what is to be said about them."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from regroove.audio.formats import output_format
from regroove.audio.headroom import gain_for, headroom_note
from regroove.audio.reader import AudioInfo
from regroove.audio.writer import AudioWriter
from regroove.restoration.results.receipts import sha256_of
from regroove.restoration.results.sink import Samples, Written, mono_of


class TooLoudError(Exception):
    """The outputs would clip without ``gain``."""

    def __init__(self, gain: float) -> None:
        super().__init__(gain)
        self.gain = gain


class SoundFiles:
    """The output and, if it has a path, the residual: ``output + residual = gain * recording``.

    As a context the files get their names at the end, or are gone.

    Args:
        info: the recording, whose rate, channels, length and sample format they have.
        paths: by role, of which ``output`` and ``residual`` are written here.
        gain: that everything is turned down by.
        mono: whether the output has one channel, the mean of what was restored.
        name_roles: whether notes say which file they are about.

    Raises:
        AudioError: the name, the folder or the disk does not allow it.
    """

    def __init__(
        self,
        info: AudioInfo,
        paths: dict[str, Path],
        *,
        overwrite: bool,
        gain: float = 1.0,
        mono: bool = False,
        name_roles: bool = True,
    ) -> None:
        self._info, self._gain, self._name_roles = info, gain, name_roles
        self._channels = {"output": 1 if mono else info.channels, "residual": info.channels}
        self._overwrite, self._stack = overwrite, ExitStack()
        chosen = {role: paths[role] for role in ("output", "residual") if role in paths}
        formats = {role: output_format(path, subtype=info.subtype) for role, path in chosen.items()}
        self._files = {role: (path, formats[role][0]) for role, path in chosen.items()}
        #: About the recording, about formats that differ from its own, and the gain.
        self.notes = (
            *info.notes,
            *(self._of(role, note) for role, (_, note) in formats.items() if note),
            *([headroom_note(gain)] if gain != 1 else []),
        )
        self._writers: dict[str, AudioWriter] = {}

    @property
    def bits(self) -> int | None:
        """Of the finest integers among the files; None where all are floats or lossy, which never clip."""
        return max((form.bits for _, form in self._files.values() if form.bits is not None), default=None)

    def _of(self, role: str, note: str) -> str:
        return f"{role.capitalize()}: {note}" if self._name_roles else note

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for role, (path, sample_format) in self._files.items():
                self._writers[role] = stack.enter_context(
                    AudioWriter(
                        path,
                        sample_rate=self._info.sample_rate,
                        channels=self._channels[role],
                        frames=self._info.frames,
                        sample_format=sample_format,
                        metadata=self._info.metadata,
                        overwrite=self._overwrite,
                    )
                )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, original: Samples, restored: Samples) -> Written:
        """Write the next ``(channels, n)`` samples."""
        given, result = (original, restored) if self._gain == 1 else (self._gain * original, self._gain * restored)
        if self._channels["output"] < len(result):
            result = mono_of(result)
        kept = np.broadcast_to(self._writers["output"].write(result), given.shape)
        removed = given - kept
        if "residual" in self._writers:
            self._writers["residual"].write(removed)
        return Written(original=original, given=given, kept=kept, removed=removed)

    def refuse_clipping(self) -> None:
        """Give up where integers clip: all is written once more, with a gain.

        Raises:
            TooLoudError: some do.
        """
        gain = min(gain_for(writer.peak, writer.sample_format) for writer in self._writers.values())
        if gain < 1:
            raise TooLoudError(gain)

    def finish(self) -> list[str]:
        """Complete the files; returns what is to be said about them."""
        notes: list[str] = []
        for role, writer in self._writers.items():
            writer.finish()
            if writer.clipped:
                which = f" of the {role}" if self._name_roles else ""
                notes.append(f"{writer.clipped} samples{which} were beyond full scale and are clipped.")
            said = self._writers["output"].notes if role != "output" else ()
            notes += [self._of(role, note) for note in writer.notes if note not in said]
        return notes

    def describe(self) -> dict[str, dict[str, object]]:
        """What a receipt says of each file, by role, once all are complete."""
        return {
            role: {
                "name": writer.path.name,
                "subtype": writer.sample_format.subtype,
                "clipped_samples": writer.clipped,
                "sha256": sha256_of(writer.temporary),
            }
            for role, writer in self._writers.items()
        }
