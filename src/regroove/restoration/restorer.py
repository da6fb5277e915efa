"""Restoring files and arrays."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from regroove.audio.headroom import check_headroom, headroom_note
from regroove.audio.reader import AudioReader
from regroove.errors import AudioError, SettingsError
from regroove.pending import PendingFile
from regroove.restoration.clicks import ClickTally
from regroove.restoration.engines.base import Engine, NoiseFindingEngine
from regroove.restoration.engines.table import build_engine, click_settings, resolve_device
from regroove.restoration.levels import LevelMeter
from regroove.restoration.offset import offset_note, offsets_of, without_offset
from regroove.restoration.outputs import check_outputs, planned_outputs
from regroove.restoration.pictures import Pictures
from regroove.restoration.pipeline import Progress, Samples, Source, restore_stream
from regroove.restoration.receipts import receipt_text, result_part, run_part
from regroove.restoration.settings import RestoreSettings, check_region, make_settings
from regroove.restoration.sources import ArraySource
from regroove.restoration.uncertainty import UncertaintyEngine
from regroove.restoration.writers import TooLoudError, finish, open_writers, refuse_clipping

Audio = TypeVar("Audio", np.ndarray, torch.Tensor)


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """What :meth:`Restorer.restore_file` made: where things went, by role, and what the user should know.

    ``failed`` are the roles of pictures that could not be made; the notes say why.
    """

    paths: dict[str, Path]
    notes: list[str]
    failed: tuple[str, ...]
    seconds: float
    audio_seconds: float


class Restorer:
    """Restores recordings with one engine, which is built once.

    Args:
        settings: or the fields of :class:`~regroove.restoration.settings.RestoreSettings` as keywords.

    Raises:
        SettingsError: a setting is unknown, out of range or of no use to the engine.
        ModelError: the model is unknown, damaged or of the wrong kind.

    >>> restorer = Restorer(engine="wiener", strength=0.0)
    >>> restorer(np.ones((2, 441)), sample_rate=44_100).shape
    (2, 441)
    """

    def __init__(self, settings: RestoreSettings | None = None, **options: object) -> None:
        if settings is not None and options:
            raise SettingsError("Settings are given either as an object or as keywords, not both.")
        self.settings = settings or make_settings(**options)
        self.device = resolve_device(self.settings.device)

    @cached_property
    def engine(self) -> Engine:
        """The engine, built when it is first needed."""
        return build_engine(self.settings, device=self.device)

    def __call__(self, audio: Audio, *, sample_rate: int, progress: Progress | None = None) -> Audio:
        """Restore ``(..., channels, time)`` or ``(time,)`` floats in [-1, 1]: same type, dtype and shape out.

        The last two axes are one recording. The noise of each channel is learnt by itself.

        Raises:
            AudioError: no samples, not floats, not finite, or a rate outside 8 to 768 kHz.
        """
        if isinstance(audio, torch.Tensor):
            if not audio.is_floating_point():
                raise AudioError("Samples are floating point numbers in [-1, 1], not integers.")
            done = self._restore_array(audio.detach().double().cpu().numpy(), sample_rate, progress)
            return torch.from_numpy(done).to(audio)
        if not np.issubdtype(audio.dtype, np.floating):
            raise AudioError("Samples are floating point numbers in [-1, 1], not integers.")
        return self._restore_array(audio, sample_rate, progress).astype(audio.dtype)

    def _restore_array(self, audio: np.ndarray, sample_rate: int, progress: Progress | None) -> np.ndarray:
        if not audio.size:
            raise AudioError("The recording holds no samples.")
        channels = audio.shape[-2] if audio.ndim > 1 else 1
        restored = np.empty((audio.size // (channels * audio.shape[-1]), channels, audio.shape[-1]))
        for samples, result in zip(audio.reshape(restored.shape), restored, strict=True):
            source = ArraySource(samples, sample_rate=sample_rate)
            check_region(self.settings.noise_region, seconds=source.frames / sample_rate)
            position = 0
            for _, block in self._stream(source, self.engine, progress, self._tally()):
                result[:, position : position + block.shape[1]] = block
                position += block.shape[1]
        return restored.reshape(audio.shape)

    def _tally(self) -> ClickTally | None:
        settings = click_settings(self.settings)
        return ClickTally(settings=settings) if settings else None

    def _stream(
        self, source: Source, engine: Engine, progress: Progress | None, clicks: ClickTally | None
    ) -> Iterator[tuple[Samples, Samples]]:
        return restore_stream(
            source,
            engine,
            strength=self.settings.strength,
            seed=self.settings.seed,
            batch_size=self.settings.batch_size,
            clicks=clicks,
            progress=progress,
        )

    def restore_file(
        self,
        source: str | Path | AudioReader,
        output: str | Path,
        *,
        residual: str | Path | None = None,
        report: str | Path | None = None,
        uncertainty: str | Path | None = None,
        headroom: str = "auto",
        remove_offset: bool = False,
        receipt: bool = True,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Restoration:
        """Restore a recording to a file of the same rate, channels, length and sample format.

        Nothing appears under its final name before everything is complete.

        Args:
            source: a path, or a reader of it.
            output: ``.wav``, ``.flac``, ``.aif``, ``.aiff``, ``.ogg`` or ``.mp3``.
            residual: where what was removed is written: output + residual = input, within one step of the format.
            report: where a picture (``.png``) of the spectrograms before, after and of what was removed is drawn.
            uncertainty: where a picture (``.png``) of what is invented is drawn; its numbers go beside it (``.npz``).
            headroom: what happens to a result beyond the full scale of an integer format: ``auto`` restores once more
                and turns all of it down by what is needed, ``off`` clips and counts.
            remove_offset: whether each channel's mean is removed as well; the residual has it then.
            receipt: whether a receipt is written beside the output.
            overwrite: whether existing files are replaced.
            progress: called with the stage and how much of it is done, 0 to 1.

        Raises:
            AudioError: the input cannot be read, or an output not be written.
            SettingsError: the noise region lies beyond the end of the recording, or an uncertainty is asked for where
                the engine draws no samples or the strength is 0.
        """
        began = time.perf_counter()
        paths = planned_outputs(output, residual=residual, report=report, uncertainty=uncertainty, receipt=receipt)
        check_headroom(headroom)
        if uncertainty is not None and self.settings.strength == 0:
            raise SettingsError("With a strength of 0 nothing is restored, so there is no uncertainty to draw.")
        reader = source if isinstance(source, AudioReader) else AudioReader(source)
        check_outputs(reader.path, paths, overwrite=overwrite)
        check_region(self.settings.noise_region, seconds=reader.info.seconds)
        offsets = offsets_of(reader) if remove_offset else None
        try:
            notes, failed = self._write(reader, paths, overwrite, progress, began, offsets, loudest=headroom == "auto")
        except TooLoudError as error:
            notes, failed = self._write(reader, paths, overwrite, progress, began, offsets, gain=error.gain)
        made = {role: path for role, path in paths.items() if role not in failed}
        seconds = time.perf_counter() - began
        return Restoration(paths=made, notes=notes, failed=failed, seconds=seconds, audio_seconds=reader.info.seconds)

    def _write(
        self,
        reader: AudioReader,
        paths: dict[str, Path],
        overwrite: bool,
        progress: Progress | None,
        began: float,
        offsets: np.ndarray | None,
        gain: float = 1.0,
        loudest: bool = False,
    ) -> tuple[list[str], tuple[str, ...]]:
        """Write everything; returns notes, and the pictures that failed.

        Raises:
            TooLoudError: it is the ``loudest`` that is allowed, and the outputs would clip.
        """
        info = reader.info
        spread = UncertaintyEngine(self.engine) if "uncertainty" in paths else None
        engine = spread or self.engine
        clicks = self._tally()
        with ExitStack() as stack:
            writers, notes = open_writers(stack, info, paths, overwrite)
            pending: dict[str, PendingFile] = {
                role: stack.enter_context(PendingFile(paths[role], overwrite=overwrite))
                for role in ("report", "uncertainty", "cells", "receipt")
                if role in paths
            }
            pictures = Pictures(info, pending, spread)
            meter = LevelMeter()
            pairs = self._stream(reader, engine, progress, clicks)
            for original, restored in pairs if offsets is None else without_offset(pairs, offsets):
                given = original if gain == 1 else gain * original
                kept = writers["output"].write(restored if gain == 1 else gain * restored)
                removed = given - kept
                if "residual" in writers:
                    writers["residual"].write(removed)
                pictures.add(given, kept, removed)
                meter.add(input=original, output=kept, removed=removed)
            if loudest:
                refuse_clipping(writers)
            if offsets is not None:
                notes.append(offset_note(offsets))
            if gain != 1:
                notes.append(headroom_note(gain))
            if self.settings.strength:
                notes += engine.notes()
            found = self.engine.found if isinstance(self.engine, NoiseFindingEngine) else None
            notes += finish(writers) + pictures.draw(found)
            if "receipt" in pending:
                result = result_part(
                    source=info,
                    outputs=writers,
                    settings=self.settings,
                    engine=engine.describe(),
                    clicks=None if clicks is None else {"repaired": clicks.repaired, "left": clicks.left},
                    device=self.device,
                    levels=meter.levels(),
                    gain=gain,
                    notes=notes,
                )
                seconds = time.perf_counter() - began
                run = run_part(paths={"input": info.path, **paths}, seconds=seconds, audio_seconds=info.seconds)
                pending["receipt"].write_text(receipt_text(result=result, run=run))
        return notes, pictures.failed


def restore(audio: Audio, *, sample_rate: int, **settings: object) -> Audio:
    """Restore ``(..., channels, time)`` or ``(time,)`` floats in [-1, 1]; same type, dtype and shape out.

    Args:
        sample_rate: 8 000 to 768 000 Hz.
        settings: the fields of :class:`~regroove.restoration.settings.RestoreSettings`.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> restore(np.zeros(1000, dtype=np.float32), sample_rate=48_000, engine="wiener").dtype
    dtype('float32')
    """
    return Restorer(make_settings(**settings))(audio, sample_rate=sample_rate)
