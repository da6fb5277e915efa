"""Restoring files and arrays."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from regroove.audio.headroom import check_headroom
from regroove.audio.reader import AudioReader
from regroove.audio.resample import resampled_length
from regroove.audio.source import Samples, Source
from regroove.devices import resolve_device
from regroove.errors import AudioError, SettingsError
from regroove.noise.clicks.detect import ClickSettings
from regroove.restoration.array_source import ArraySource
from regroove.restoration.costs import StreamCosts, stream_costs, work_costs
from regroove.restoration.delivery import Made, deliver
from regroove.restoration.engines.engine import Engine, EngineRun, LosesBlocks, Observed
from regroove.restoration.engines.flow_denoiser import DRAW_STEPS
from regroove.restoration.engines.posterior_spread import DRAWS, UncertaintyEngine
from regroove.restoration.engines.table import find_engine
from regroove.restoration.progress import Callback, Tell, Work
from regroove.restoration.results.array import ArrayResult
from regroove.restoration.results.file_results import Facts, FileResults, Origin
from regroove.restoration.results.outputs import check_outputs, planned_outputs
from regroove.restoration.results.receipts import plain_settings
from regroove.restoration.results.uncertainty import Spread, Uncertainty
from regroove.restoration.settings import RestoreSettings, check_region
from regroove.restoration.stages.keep_silence import KeepSilence
from regroove.restoration.stages.offset import add_offset, offset_note, offsets_of
from regroove.restoration.stages.originals import take_away
from regroove.restoration.stages.stage import through
from regroove.restoration.stages.tally import Tally
from regroove.restoration.stream import Stages, restore_stream, untouched
from regroove.restoration.wall_choice import SEPARATE, WallChoice, observe_walls

Audio = TypeVar("Audio", np.ndarray, torch.Tensor)
# The stage of listening to both walls combined.
COMBINED = "listening, walls combined"


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


def build_engine(settings: RestoreSettings) -> Engine:
    """The engine that restores with such settings.

    Raises:
        SettingsError: its device is not there.
        ModelError: the model is unknown, damaged or of the wrong kind.
    """
    common = settings.common
    run = EngineRun(device=resolve_device(common.device), seed=common.seed, batch_size=common.batch_size)
    return find_engine(common.engine).build(settings.own, run)


class Restorer:
    """Restores recordings with one engine, which is built once.

    Args:
        settings: or the fields of :class:`~regroove.restoration.settings.RestoreSettings` as keywords.
        built: an engine that :func:`build_engine` made of such settings, or one that restores as it does.

    Raises:
        SettingsError: a setting is unknown, out of range or of no use to the engine.
        ModelError: the model is unknown, damaged or of the wrong kind.

    >>> restorer = Restorer(engine="wiener", strength=0.0)
    >>> restorer(np.ones((2, 441)), sample_rate=44_100).shape
    (2, 441)
    """

    def __init__(
        self, settings: RestoreSettings | None = None, *, built: Engine | None = None, **options: object
    ) -> None:
        if settings is not None and options:
            raise SettingsError("Settings are given either as an object or as keywords, not both.")
        self.settings = settings or RestoreSettings(**options)
        self.device = resolve_device(self.settings.common.device)
        self._built = built

    @cached_property
    def engine(self) -> Engine:
        """The engine, built when it is first needed."""
        return build_engine(self.settings) if self._built is None else self._built

    @property
    def _region(self) -> tuple[float, float] | None:
        return getattr(self.settings.own, "noise_region", None)

    @property
    def _clicks(self) -> ClickSettings | None:
        """How clicks are found that are repaired before the engine restores the recording; None if none are."""
        passes = getattr(self.settings.own, "click_passes", 0)
        return ClickSettings(passes=passes) if passes else None

    def __call__(self, audio: Audio, *, sample_rate: int, progress: Callback | None = None) -> Audio:
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

    def _restore_array(self, audio: np.ndarray, sample_rate: int, progress: Callback | None) -> np.ndarray:
        if not audio.size:
            raise AudioError("The recording holds no samples.")
        channels = audio.shape[-2] if audio.ndim > 1 else 1
        recordings = audio.reshape(-1, channels, audio.shape[-1])
        restored = np.empty(recordings.shape)
        for samples, result in zip(recordings, restored, strict=True):
            source = ArraySource(samples, sample_rate=sample_rate)
            check_region(self._region, seconds=source.frames / sample_rate)
            sink = ArrayResult(channels=channels, frames=source.frames)
            costs = stream_costs(self.settings.own)
            work = self._work(source, costs, progress)
            observed, walls = self._observed(source, self.engine, work)
            told = work.teller("restoring")
            for _, block in self._pairs(source, self.engine, observed, walls, Tally(), told, costs):
                sink.add(block)
            work.at("finishing", 1.0)
            result[:] = sink.finish()
        return restored.reshape(audio.shape)

    def _work(self, source: Source, costs: StreamCosts, progress: Callback | None, *, report: bool = False) -> Work:
        seconds, listens = source.frames / source.sample_rate, self.settings.common.strength > 0
        return Work(work_costs(costs, seconds=seconds, report=report, listens=listens), progress)

    def _observed(self, source: Source, engine: Engine, work: Work) -> tuple[Observed | None, WallChoice]:
        """What the engine observes of a recording, and what is made of its channels; None where nothing is restored."""
        common = self.settings.common
        if not common.strength:
            return None, SEPARATE
        again = partial(work.insert, COMBINED, work.cost("listening"), before="restoring")
        return observe_walls(source, engine, asked=common.walls, progress=work.teller("listening"), again=again)

    def _pairs(
        self,
        source: Source,
        engine: Engine,
        observed: Observed | None,
        walls: WallChoice,
        tally: Tally,
        progress: Tell | None,
        costs: StreamCosts,
    ) -> Iterator[tuple[Samples, Samples]]:
        """The recording, as it was and restored."""
        if observed is None:
            return untouched(source, progress=progress)
        common = self.settings.common
        return restore_stream(
            source,
            engine,
            observed,
            strength=common.strength,
            seed=common.seed,
            batch_size=common.batch_size,
            clicks=self._clicks,
            tally=tally,
            one=walls.one,
            progress=progress,
            costs=costs,
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
        mono: bool = False,
        receipt: bool = True,
        overwrite: bool = False,
        origin: Origin | None = None,
        progress: Callback | None = None,
    ) -> Restoration:
        """Restore a recording to a file of the same rate, channels, length and sample format.

        Nothing appears under its final name before everything is complete.

        Args:
            source: a path, or a reader of it.
            output: ``.wav``, ``.flac``, ``.aif``, ``.aiff``, ``.ogg`` or ``.mp3``.
            residual: where what was removed is written: output + residual = input, within one step of the format.
            report: where a picture (``.png``) of the spectrograms before, after and of what was removed is drawn.
            uncertainty: where a picture (``.png``) of what is invented is drawn; its numbers go beside it (``.npz``).
            headroom: what happens to a result beyond the full scale of an integer format: ``auto`` turns all of
                it down by what is needed, ``off`` clips and counts. ``auto`` keeps what is restored in a temporary
                file beside the output until then: 4 bytes a sample, 8 where there are more than 24 bits.
            remove_offset: whether each channel's mean is removed as well; the residual has it then.
            mono: whether the output has one channel, the mean of those that were restored; the residual keeps them.
            receipt: whether a receipt is written beside the output.
            overwrite: whether existing files are replaced.
            origin: what the recording was made of, if it was made for this and is not kept.
            progress: gets the :class:`~regroove.restoration.progress.Progress`, whenever there is some, of the stages
                ``listening``, ``restoring`` and ``finishing``; where they are needed, of ``listening, walls
                combined`` and ``turning down``.

        Raises:
            AudioError: the input cannot be read, or an output not be written.
            SettingsError: the noise region lies beyond the end of the recording, or an uncertainty is asked for where
                the engine draws no samples or the strength is 0.
        """
        began = time.perf_counter()
        paths = planned_outputs(output, residual=residual, report=report, uncertainty=uncertainty, receipt=receipt)
        check_headroom(headroom)
        if uncertainty is not None and self.settings.common.strength == 0:
            raise SettingsError("With a strength of 0 nothing is restored, so there is no uncertainty to draw.")
        reader = source if isinstance(source, AudioReader) else AudioReader(source)
        check_outputs(reader.path, paths, overwrite=overwrite)
        check_region(self._region, seconds=reader.info.seconds)
        offsets = offsets_of(reader.blocks(), channels=reader.channels) if remove_offset else None
        times = 1 + DRAWS * DRAW_STEPS * ("uncertainty" in paths)
        costs = stream_costs(self.settings.own, times=times, report="report" in paths)
        told = self._work(reader, costs, progress, report="report" in paths)
        work = _FileWork(reader, paths, mono, headroom, offsets, told, costs)
        drawn = deliver(
            partial(self._make, work),
            partial(FileResults, reader.info, paths, overwrite=overwrite, mono=mono, began=began, origin=origin),
            reader,
            folder=paths["output"].absolute().parent,
            headroom=headroom,
            turning_down=partial(told.insert, "turning down", costs.writing * reader.info.seconds, before="finishing"),
        )
        told.at("finishing", 1.0)
        return Restoration(
            paths={role: path for role, path in paths.items() if role not in drawn.failed},
            notes=drawn.notes,
            failed=drawn.failed,
            seconds=time.perf_counter() - began,
            audio_seconds=reader.info.seconds,
        )

    def _make(self, work: "_FileWork") -> Made:
        """Observe a recording; it is restored as the result is taken."""
        reader, offsets = work.reader, work.offsets
        spread = Spread(sample_rate=self.engine.sample_rate) if "uncertainty" in work.paths else None
        engine = UncertaintyEngine(self.engine, spread) if spread else self.engine
        tally = Tally()
        observed, walls = self._observed(reader, engine, work.told)
        pairs = self._pairs(reader, engine, observed, walls, tally, work.told.teller("restoring"), work.costs)
        last: Stages = []
        if offsets is not None:
            last = [add_offset(offsets), KeepSilence(channels=len(offsets)), take_away()]
        notes = [*([] if offsets is None else [offset_note(offsets)]), *walls.notes()]
        facts = partial(self._facts, work, engine, observed, walls, tally, notes, spread)
        return Made(pairs=through(pairs, last), facts=facts)

    def _facts(
        self,
        work: "_FileWork",
        engine: Engine,
        observed: Observed | None,
        walls: WallChoice,
        tally: Tally,
        notes: list[str],
        spread: Spread | None,
    ) -> Facts:
        counts = tally.finish()
        uncertainty: Uncertainty | None = None
        if observed is not None:
            notes = notes + observed.notes()
            if counts.lost and isinstance(observed, LosesBlocks):
                notes.append(observed.lost_note(counts.lost))
            if spread:
                info = work.reader.info
                frames = resampled_length(info.frames, rate_in=info.sample_rate, rate_out=engine.sample_rate)
                uncertainty = spread.finish(observed.layout, frames=frames)
        receipt: dict[str, object] = {
            "settings": plain_settings(self.settings.as_dict()),
            "headroom": work.headroom,
            "remove_offset": work.offsets is not None,
            "mono": work.mono,
            "device": self.device,
            **({} if work.reader.channels != 2 else {"walls": walls.describe()}),
            "engine": engine.describe() if observed is None else observed.describe(),
            "clicks": {"repaired": counts.repaired, "left": counts.left} if self._clicks else None,
        }
        return Facts(
            receipt=receipt,
            notes=notes,
            found=None if observed is None else observed.found,
            walls="" if observed is None or work.reader.channels != 2 else walls.in_words(),
            uncertainty=uncertainty,
        )


@dataclass(frozen=True)
class _FileWork:
    """A recording, where its results go, the ``offsets``, ``(channels, 1)``, that are removed, if any, and who is told
    how far it is."""

    reader: AudioReader
    paths: dict[str, Path]
    mono: bool
    headroom: str
    offsets: np.ndarray | None
    told: Work
    costs: StreamCosts


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
    return Restorer(RestoreSettings(**settings))(audio, sample_rate=sample_rate)
