"""Every file that a restoration leaves: sound, residual, pictures, numbers and receipt, complete or not at all."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from regroove.audio.reader import AudioInfo
from regroove.noise.find.found import FoundNoise
from regroove.pending import PendingFile
from regroove.restoration.results.levels import LevelMeter
from regroove.restoration.results.pictures import Drawn, draw_pictures
from regroove.restoration.results.receipts import input_part, receipt_text, run_part, versions
from regroove.restoration.results.removed_tones import RemovedTones, known_lines
from regroove.restoration.results.report import SpectrogramReport
from regroove.restoration.results.sink import Samples
from regroove.restoration.results.sound import SoundFiles
from regroove.restoration.results.transfer import TransferMeter
from regroove.restoration.results.uncertainty import Uncertainty

PENDING = ("report", "uncertainty", "cells", "receipt")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a recording was made of: files by role, what a ``receipt`` says of them, and ``notes`` for the user."""

    paths: dict[str, Path]
    receipt: dict[str, object]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when the sound is complete.

    Args:
        receipt: what the receipt says of how it was made: settings, device, engine and clicks.
        notes: sentences for the user.
        found: the noise, for the picture.
        walls: what was made of two channels and why, for the picture; empty where there are not two.
        uncertainty: where the result is invented.
    """

    receipt: dict[str, object]
    notes: list[str]
    found: FoundNoise | None = None
    walls: str = ""
    uncertainty: Uncertainty | None = None


class FileResults:
    """The files in ``paths``, by role, of the restoration of a recording; as a context they get their names at the end.

    Args:
        gain: that everything is turned down by.
        began: when the work did, as ``time.perf_counter`` has it.
        mono: whether the output has one channel.
        origin: what the recording was made of, if it was made for this.

    Raises:
        AudioError: a name, a folder or the disk does not allow it.
    """

    def __init__(
        self,
        info: AudioInfo,
        paths: dict[str, Path],
        *,
        overwrite: bool,
        began: float,
        gain: float = 1.0,
        mono: bool = False,
        origin: Origin | None = None,
    ) -> None:
        self._info, self._paths, self._overwrite, self._began, self._gain = info, paths, overwrite, began, gain
        self._origin = origin or Origin(paths={"input": info.path}, receipt={})
        self._sound = SoundFiles(info, paths, overwrite=overwrite, gain=gain, mono=mono)
        self._meter = LevelMeter()
        self._transfer = TransferMeter(channels=info.channels)
        self._tones = RemovedTones(sample_rate=info.sample_rate)
        self._report = SpectrogramReport(info) if "report" in paths else None
        self._pending: dict[str, PendingFile] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._sound)
            for role in PENDING:
                if role in self._paths:
                    file = PendingFile(self._paths[role], overwrite=self._overwrite)
                    self._pending[role] = stack.enter_context(file)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def bits(self) -> int | None:
        """Of the finest integers among the sound files; None where none of them can clip."""
        return self._sound.bits

    def add(self, original: Samples, restored: Samples) -> None:
        """Take the next ``(channels, n)`` samples."""
        written = self._sound.add(original, restored)
        for sink in (self._report, self._meter, self._transfer, self._tones):
            if sink is not None:
                sink.add(written)

    def refuse_clipping(self) -> None:
        """Give up where integers clip.

        Raises:
            TooLoudError: some do.
        """
        self._sound.refuse_clipping()

    def finish(self, facts: Facts) -> Drawn:
        """Complete all files; returns every note, and the roles of pictures that could not be made."""
        notes = [*self._origin.notes, *self._sound.notes, *facts.notes, *self._sound.finish()]
        drawn = draw_pictures(self._pending, self._drawings(facts))
        notes += drawn.notes
        if "receipt" in self._pending:
            result = {
                **self._origin.receipt,
                "input": input_part(self._info),
                **self._sound.describe(),
                **facts.receipt,
                "levels_dbfs": self._meter.finish(),
                "removed_tones": self._tones.finish(lines_hz=known_lines(facts.receipt)),
                "transfer": self._transfer.finish(),
                "gain": self._gain,
                "notes": notes,
                "versions": versions(),
            }
            run = run_part(
                paths={**self._origin.paths, **self._paths},
                seconds=time.perf_counter() - self._began,
                audio_seconds=self._info.seconds,
            )
            self._pending["receipt"].write_text(receipt_text(result=result, run=run))
        return Drawn(notes=notes, failed=drawn.failed)

    def _drawings(self, facts: Facts) -> dict[str, Callable[[Path], object]]:
        drawings: dict[str, Callable[[Path], object]] = {}
        if self._report:
            drawings["report"] = partial(
                self._report.finish().draw, found=facts.found, said=(facts.walls,) if facts.walls else ()
            )
        if facts.uncertainty:
            title = f"{self._info.path.name}: where it is invented"
            drawings["uncertainty"] = partial(facts.uncertainty.draw, title=title)
            drawings["cells"] = facts.uncertainty.save
        return drawings
