"""Finds the noise map of a recording by itself, from lead-in, run-out and pauses, for all its channels at once.

Noise is what stays as it was in time, whatever its spectrum, and below which the recording never goes. Where it is
never alone, a network that estimates it through the music is asked, if there is one. Too little noise in the map
leaves noise behind, too much takes music away.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.noise.find.choice import THUMP, Choice, ChoiceSettings, choose, extent, playing
from regroove.noise.find.confidence import FAR_DB, confidence_of
from regroove.noise.find.drift import STEADY, DriftSettings, NoiseDrift, Track, follow, follow_places
from regroove.noise.find.evidence import NoiseSettings, is_noise, most_tonal, shape_against
from regroove.noise.find.excerpts import Excerpts
from regroove.noise.find.found import FoundNoise, Place, State
from regroove.noise.find.moments import EDGES, HOP, Levels, Moment, MomentCutter, levels_of
from regroove.noise.find.region import Region
from regroove.noise.find.segments import Segment, Segmenter
from regroove.noise.find.states import PLAYING, StateSettings, Timeline, spans_of, states_of
from regroove.noise.measure import EULER, map_of_noise
from regroove.parallel import parallel

# Seconds of an excerpt for the noise estimator, at least and at most, and how many excerpts.
SHORTEST_EXCERPT, LONGEST_EXCERPT, EXCERPTS = 1.0, 12.0, 8
# Steady parts whose spectra are remembered: at either end all of them, in between the quietest.
ENDS, MOST_PARTS = 32, 256
# Below 100 Hz even loud noise is hardly audible.
LOWEST_HEARD = 100.0

# From ``(excerpts, time)`` samples to the noise map of each, ``(excerpts, F, 1)``.
HearNoise = Callable[[Tensor], NoiseMap]


@dataclass(frozen=True, kw_only=True)
class FinderSettings:
    """When a part of a recording is taken for noise, which part is chosen, and how its drift is followed.

    Noise more than ``inaudible_db`` below the music (both above 100 Hz) is that of a clean recording: it is left alone.
    A recording that is steady throughout is noise unless neighbouring bins differ by more than ``tones`` (nepers) in a
    band where music is.
    """

    noise: NoiseSettings = field(default_factory=NoiseSettings)
    choice: ChoiceSettings = field(default_factory=ChoiceSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    states: StateSettings = field(default_factory=StateSettings)
    inaudible_db: float = 50.0
    tones: float = 0.5


class NoiseFinder:
    """Sees a recording in chunks of any size and then says what its noise is.

    Args:
        sample_rate: in hertz.
        channels: how many there are.
        region: start and end in seconds of noise alone, if a person marked it.
        hear: estimates noise through music, where it is never alone; without it such a recording has no map.
        workers: threads that listen.

    Raises:
        AudioError: the region is too short, or ends after the recording (in :meth:`finish`).

    >>> finder = NoiseFinder(sample_rate=44_100, channels=1)
    >>> finder.add(0.01 * torch.randn(1, 88_200, generator=torch.Generator().manual_seed(1)))
    >>> round(float(finder.finish().map.mean.mean()) / 1e-4, 1)
    1.0
    """

    def __init__(
        self,
        *,
        sample_rate: int,
        channels: int,
        region: tuple[float, float] | None = None,
        hear: HearNoise | None = None,
        settings: FinderSettings | None = None,
        workers: int = 1,
    ) -> None:
        self.settings = settings or FinderSettings()
        self._rate, self._channels, self._workers = sample_rate, channels, workers
        self._bands = bins_of_bands(EDGES, sample_rate)
        self._cutter = MomentCutter(sample_rate=sample_rate, channels=channels, workers=workers)
        self._segmenter = Segmenter(sample_rate=sample_rate)
        self._region = None if region is None else Region(*region, sample_rate=sample_rate)
        self._hear = None if region is not None else hear
        length = round(LONGEST_EXCERPT * sample_rate)
        self._excerpts = [Excerpts(length=length, most=EXCERPTS) for _ in range(channels)]
        self._at: list[int] = []
        self._levels: list[Levels] = []
        self._tonality: list[Levels] = []
        self._power = torch.zeros(channels, LONG.bins)
        self._parts: list[Segment] = []
        self._samples = 0

    def add(self, chunk: Tensor) -> None:
        """Look at the next samples, ``(channels, time)``."""
        self._samples += chunk.shape[-1]
        self._remember(self._cutter.add(chunk))
        if self._region is not None:
            self._region.add(chunk)
        if self._hear is not None:
            for excerpts, channel in zip(self._excerpts, chunk, strict=True):
                excerpts.feed(channel)

    def _remember(self, moments: list[Moment]) -> None:
        for moment in moments:
            self._at.append(moment.index)
            self._levels.append(moment.levels)
            self._tonality.append(moment.tonality)
            self._power += moment.mean
            self._keep(self._segmenter.add(moment))

    def _keep(self, parts: list[Segment]) -> None:
        """Remember parts that may be noise."""
        for part in parts:
            if shape_against(part, self.settings.noise) < self.settings.noise.most:
                self._parts.append(part)
        if len(self._parts) > MOST_PARTS:
            inner = self._parts[ENDS:-ENDS]
            self._parts.remove(max(inner, key=lambda p: float(p.levels.mean())))

    def finish(self, channels: slice = slice(None)) -> FoundNoise:
        """The noise of some channels; all of them decide where it is alone.

        The map is zero when the recording is clean, or silent throughout.
        """
        self._remember(self._cutter.finish())
        self._keep(self._segmenter.finish())
        at = np.array(self._at, dtype=np.int64)
        shape = (0, self._channels, len(self._bands))
        levels = np.stack(self._levels) if len(at) else np.zeros(shape)
        timeline = Timeline(at, levels, -(-self._samples // HOP))
        parts = [p for p in self._parts if is_noise(p, levels, at, self.settings.noise)]
        if self._region is not None:
            return self._marked(self._region, timeline, parts).of_channels(channels)
        found = self._alone(timeline, parts)
        return self._through_music(timeline, channels) if found is None else found.of_channels(channels)

    def _alone(self, timeline: Timeline, parts: list[Segment]) -> FoundNoise | None:
        """The noise where it is alone, or that there is none; None where only the music can say."""
        choice = choose(parts, timeline.levels, timeline.at, self.settings.choice)
        if choice is None or self._is_music_alone(choice, timeline, parts):
            return None
        mean, log_mean = (torch.from_numpy(choice.average(k)).float() for k in ("mean", "log_mean"))
        noise = NoiseMap(mean[..., None], (log_mean + EULER).exp()[..., None])
        if self._is_inaudible(noise, self._power):
            # So far below the music it may be that of the player, or the end of a fade.
            return None if choice.lift_db > FAR_DB else self._nothing(timeline)
        measured = [(p.start, p.end) for p in choice.parts]
        return self._found(noise, choice.place, timeline, parts, measured, choice.average("levels"), choice.lift_db)

    def _marked(self, region: Region, timeline: Timeline, parts: list[Segment]) -> FoundNoise:
        samples = region.finish()
        noise = map_of_noise(samples - samples.mean(dim=-1, keepdim=True))
        first, last = region.first // HOP, max(-(-region.last // HOP), region.first // HOP + 1)
        levels = levels_of(noise.typical[..., 0], self._bands)
        found = self._found(noise, Place.MARKED, timeline, parts, [(first, last)], levels, 0.0)
        return replace(found, measured=((region.start, region.end),), confidence=1.0, reasons=())

    def _found(
        self,
        noise: NoiseMap,
        place: Place,
        timeline: Timeline,
        parts: list[Segment],
        measured: list[tuple[int, int]],
        levels: Levels,
        lift_db: float,
    ) -> FoundNoise:
        """The result where noise alone was measured in moments ``measured``."""
        music = extent(timeline.at[playing(parts, timeline.at, timeline.levels)])
        states = states_of(timeline, parts, levels, music, self.settings.states)
        drift = self._drift(timeline, states, noise, measured)
        seconds = tuple((a * HOP / self._rate, min((b + 1) * HOP, self._samples) / self._rate) for a, b in measured)
        trust = confidence_of(
            place, seconds=sum(b - a for a, b in seconds), lift_db=lift_db,
            drift_db=max(float(d.db.max()) for d in drift), limit_db=self.settings.drift.most_db,
        )  # fmt: skip
        return FoundNoise(
            map=noise, drift=drift, place=place, measured=seconds, confidence=trust.confidence, reasons=trust.reasons,
            states=spans_of(states, sample_rate=self._rate, seconds=self._samples / self._rate),
        )  # fmt: skip

    def _drift(
        self, timeline: Timeline, states: list[State], noise: NoiseMap, measured: list[tuple[int, int]]
    ) -> tuple[NoiseDrift, ...]:
        """Of each channel, by the moments in which the record plays."""
        plays = np.array([states[i] in PLAYING for i in timeline.at], dtype=bool)
        at = timeline.at[plays]
        inside = np.zeros(len(at), dtype=bool)
        for first, last in measured:
            inside |= (at >= first) & (at < last)
        typical = levels_of(noise.typical[..., 0], self._bands)
        tonality = np.stack(self._tonality)[plays] if len(self._tonality) else np.zeros((0, self._channels, 1))
        return tuple(
            follow(
                Track(at, timeline.levels[plays][:, c], tonality[:, c]), typical[c],
                measured=inside, settings=self.settings.drift,
            )
            for c in range(self._channels)
        )  # fmt: skip

    def _is_music_alone(self, choice: Choice, timeline: Timeline, parts: list[Segment]) -> bool:
        """Whether nothing but the chosen parts was recorded, and they are music that is held.

        They are tones, or the recording goes below them for longer than a thump, which it does not with noise.
        """
        if playing(parts, timeline.at, timeline.levels).any():
            return False
        if most_tonal(choice.average("tonality")) > self.settings.tones:
            return True
        rest = np.ones(len(timeline.at), dtype=bool)
        for part in choice.parts:
            rest &= (timeline.at < part.start) | (timeline.at >= part.end)
        below = choice.average("levels") - timeline.levels[rest]
        return int(rest.sum()) > THUMP and float(np.median(below.mean(axis=(1, 2)))) > self.settings.choice.alike_db

    def _is_inaudible(self, noise: NoiseMap, power: Tensor) -> bool:
        """Whether it is, beside sound of so much power, both of the same channels."""
        first = round(LOWEST_HEARD * LONG.n_fft / self._rate)
        music = float(power[:, first:].sum()) / max(len(self._at), 1)
        return float(noise.mean[:, first:].sum()) < music * 10 ** (-self.settings.inaudible_db / 10)

    def _through_music(self, timeline: Timeline, channels: slice) -> FoundNoise:
        """What is estimated of some channels through the music, if it can be: the median over excerpts."""
        nothing = self._nothing(timeline).of_channels(channels)
        if self._hear is None:
            return nothing
        heard = [self._heard(e) for e in self._excerpts[channels]]
        if not any(noise.mean.any() for noise, _ in heard):
            return nothing
        noise = NoiseMap(*(torch.cat([getattr(n, k) for n, _ in heard]) for k in ("mean", "typical")))
        if self._is_inaudible(noise, self._power[channels]):
            return nothing
        trust = confidence_of(Place.THROUGH_MUSIC, seconds=0.0, lift_db=0.0, drift_db=0.0, limit_db=1.0)
        return replace(
            nothing, map=noise, drift=tuple(d for _, d in heard), place=Place.THROUGH_MUSIC,
            confidence=trust.confidence, reasons=trust.reasons,
        )  # fmt: skip

    def _heard(self, excerpts: Excerpts) -> tuple[NoiseMap, NoiseDrift]:
        """What is estimated of one channel, ``(1, F, 1)``, and how it drifts; zero where there is nothing."""
        assert self._hear is not None
        kept = excerpts.kept(shortest=round(SHORTEST_EXCERPT * self._rate))
        centred = [(excerpt - excerpt.mean())[None] for _, excerpt in kept]
        maps = parallel(self._hear, centred, workers=self._workers)
        # An excerpt of digital silence is no evidence.
        heard = [(at + len(e) / 2, m) for (at, e), m in zip(kept, maps, strict=True) if m.mean.any()]
        if not heard:
            nothing = torch.zeros(1, LONG.bins, 1)
            return NoiseMap(nothing, nothing), STEADY
        means, typicals = (torch.cat([getattr(m, k) for _, m in heard])[..., 0] for k in ("mean", "typical"))
        mean, typical = (x.median(dim=0).values for x in (means, typicals))
        drift = follow_places(
            levels_of(typicals, self._bands), levels_of(typical, self._bands),
            at=[middle for middle, _ in heard], settings=self.settings.drift,
        )  # fmt: skip
        return NoiseMap(mean[None, :, None], typical[None, :, None]), drift

    def _nothing(self, timeline: Timeline) -> FoundNoise:
        nothing = torch.zeros(self._channels, LONG.bins, 1)
        states = states_of(timeline, [], np.zeros(0), (0, timeline.count), self.settings.states)
        return FoundNoise(
            map=NoiseMap(nothing, nothing), drift=(STEADY,) * self._channels, place=Place.NOWHERE, measured=(),
            confidence=0.0,
            states=spans_of(states, sample_rate=self._rate, seconds=self._samples / self._rate),
        )  # fmt: skip
