"""Finds the noise map of a recording by itself, from lead-in, run-out and pauses.

A stretch holds noise alone when its spectrum does and when nothing in the recording is quieter. Between neighbouring
bins of a Gaussian noise, the logarithm of the mean power exceeds the mean logarithm by Euler's constant, for clicks
as well; for music, with partials and gaps between them, by much more. Where music never pauses, a listener that hears
noise through it is asked, if there is one. Too little noise in the map leaves noise behind, too much takes music away.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG
from regroove.noise.find.drift import STEADY, DriftTracker
from regroove.noise.find.excerpts import Excerpts
from regroove.noise.map import EULER
from regroove.noise.find.stretches import HOP, Stretch, band_levels, bins_of_bands
from regroove.parallel import parallel

# Stretches in a second; and the tonality bands (below 5 kHz) where music is hardest to take for noise.
SECOND = 6
MUSICAL = 3
# Seconds of an excerpt for the listener, at least and at most, and how many excerpts.
SHORTEST_EXCERPT, LONGEST_EXCERPT, EXCERPTS = 1.0, 12.0, 8
# A third of an octave each: where a single soft note is seen.
NARROW_EDGES = tuple(60 * 2 ** (i / 3) for i in range(22))


@dataclass(frozen=True, kw_only=True)
class FinderSettings:
    """When a stretch is taken for noise.

    ``tonality`` is how far (nepers) its spectrum may be from a noise's on average, the most tonal band left out, and
    ``most_tonal`` how far in any band where music is. ``onset_db`` is how far all bands must rise on average for music
    to have begun. It must then stand out by ``contrast_db`` in one band (half of it from a lead-in of a second) and by
    ``rise_db`` on average over the recording, or the loudest tenth of it by ``gaps_db`` in one band, or begin with a
    step of ``begin_db`` on average. ``floor_db`` is how much quieter than a pause the quietest tenth of the recording
    may be in a band, and ``stroke_db`` how far the mean power of a single stretch may rise above that of the others, in
    all bands on average. ``soft_db`` is how far a third of an octave must rise over all that was before, and stay, for
    a soft note to have begun. ``ends`` and ``keep`` are how many stretches at either end, and how many of the
    quietest, are remembered. Noise more than ``inaudible_db`` below the music (both above 100 Hz) is that of a clean
    recording: it is left alone. Noise more than ``idle_db`` below the music that is followed by a second of louder
    noise is that of the electronics while the record does not play.
    """

    tonality: float = 0.24
    most_tonal: float = 0.3
    onset_db: float = 2.5
    contrast_db: float = 9.0
    gaps_db: float = 14.0
    begin_db: float = 6.0
    rise_db: float = 1.2
    floor_db: float = 6.0
    stroke_db: float = 10.0
    soft_db: float = 5.0
    ends: int = 100
    keep: int = 64
    inaudible_db: float = 50.0
    idle_db: float = 30.0


# Where the noise was found when a listener was asked.
HEARD = "heard through the music"
# From ``(excerpts, time)`` samples to the noise map of each, ``(excerpts, F, 1)``.
HearNoise = Callable[[Tensor], NoiseMap]


class NoiseFinder:
    """Sees one channel in chunks of any size and then says how strong its noise is; ``workers`` threads look at it.

    After :meth:`result`, ``source`` says in words where the noise was found, ``seconds`` how much of it by itself, and
    ``drift`` how its level changes along the recording.

    >>> finder = NoiseFinder(sample_rate=44100)
    >>> finder.feed(0.01 * torch.randn(88200, generator=torch.Generator().manual_seed(1)))
    >>> round(float(finder.result().mean.mean()) / 1e-4, 1)
    1.0
    """

    def __init__(
        self,
        *,
        sample_rate: int,
        settings: FinderSettings | None = None,
        hear: HearNoise | None = None,
        workers: int = 1,
    ) -> None:
        self.settings = settings or FinderSettings()
        self._hear, self._workers = hear, workers
        self._excerpts = Excerpts(length=round(LONGEST_EXCERPT * sample_rate), most=EXCERPTS)
        self.source, self.seconds, self.drift = "nowhere", 0.0, STEADY
        self._rate = sample_rate
        self._narrow = bins_of_bands(NARROW_EDGES, sample_rate)
        self.tracker = DriftTracker(sample_rate=sample_rate, workers=workers)
        self._start: list[Stretch] = []
        self._end: deque[Stretch] = deque(maxlen=self.settings.ends)
        self._quiet: list[tuple[float, int, Stretch]] = []
        self._sum = torch.zeros(LONG.bins)

    def feed(self, chunk: Tensor) -> None:
        """Look at the next samples, ``(time,)``."""
        for stretch in self.tracker.feed(chunk):
            self._remember(stretch)
        if self._hear is not None:
            self._excerpts.feed(chunk)

    def _remember(self, stretch: Stretch) -> None:
        if len(self._start) < self.settings.ends:
            self._start.append(stretch)
        self._end.append(stretch)
        if self._sounds_like_noise(stretch):
            heapq.heappush(self._quiet, (-stretch.loudness, stretch.index, stretch.copy()))
            if len(self._quiet) > self.settings.keep:
                heapq.heappop(self._quiet)
        self._sum += stretch.mean

    def _sounds_like_noise(self, stretch: Stretch) -> bool:
        tonality = stretch.tonality
        usual = float(tonality.sort().values[:-1].mean()) < self.settings.tonality
        return usual and float(tonality[:MUSICAL].max()) < 1.5 * self.settings.most_tonal

    def result(self) -> NoiseMap:
        """The map, each part of shape ``(1, F, 1)``; all zero when the recording is clean, or silent throughout."""
        for stretch in self.tracker.rest():
            self._remember(stretch)
        count = len(self.tracker.levels)
        if not count:
            return self._nothing()
        first = round(100 * LONG.n_fft / self._rate)
        music = float((self._sum[first:] / count).sum())
        self._leave_out_idling(music * 10 ** (-self.settings.idle_db / 10), first)
        levels = self.tracker.levels
        chosen = self._without_strokes(self._at_the_ends(levels) or self._pauses(levels))
        if chosen:
            self.seconds = len(chosen) * HOP / self._rate
            mean = torch.stack([s.mean for s in chosen]).mean(dim=0)
            typical = torch.stack([s.log_mean for s in chosen]).mean(dim=0).add(EULER).exp()
        elif heard := self._through_music():
            mean, typical = heard
        else:
            return self._nothing()
        if float(mean[first:].sum()) < music * 10 ** (-self.settings.inaudible_db / 10):
            return self._nothing()
        found = NoiseMap(mean[None, :, None], typical[None, :, None])
        if chosen:
            self.drift = self.tracker.follow(found, measured=[s.index for s in chosen])
        return found

    def _nothing(self) -> NoiseMap:
        self.source, self.seconds, self.drift = "nowhere", 0.0, STEADY
        nothing = torch.zeros(1, LONG.bins, 1)
        return NoiseMap(nothing, nothing)

    def _leave_out_idling(self, limit: float, first: int) -> None:
        """Forget the hum of the electronics before the needle is down and after it is up."""
        start, end = self._start, [*self._end][::-1]
        for _ in range(2):
            # What is louder at one end tells that the other end idles, so that is seen the second time at the latest.
            start = start[self._idling(start, end, limit, first) :]
            end = end[self._idling(end, start, limit, first) :]
        if not start or not end or start[0].index >= end[0].index:
            return
        inside = range(start[0].index, end[0].index + 1)
        self._start, self._end = (
            [s for s in start if s.index in inside],
            deque(s for s in end[::-1] if s.index in inside),
        )
        self._quiet = [entry for entry in self._quiet if entry[2].index in inside]
        self.tracker.keep(inside)

    def _idling(self, end: list[Stretch], other: list[Stretch], limit: float, first: int) -> int:
        """How many stretches at that end are far below the music, and below a second of noise next to them or there."""
        run = self._before_music(end)
        if not run or float(torch.stack([s.mean for s in run]).mean(dim=0)[first:].sum()) > limit:
            return 0
        # The needle comes down with a thump.
        for start in range(len(run), min(len(run) + SECOND, len(end))):
            if self._is_louder_noise(end[start:], run):
                return start
        # The last two may hold both.
        return len(run) + 2 if self._is_louder_noise(other, run) else 0

    def _is_louder_noise(self, stretches: list[Stretch], run: list[Stretch]) -> bool:
        noise = self._before_music(stretches)
        if len(noise) < SECOND or not self._is_noise(noise):
            return False
        return float((_median_levels(noise) - _median_levels(run)).mean()) > self.settings.begin_db

    def _at_the_ends(self, levels: Tensor) -> list[Stretch]:
        """Lead-in and run-out: the noise before music begins and after it ends."""
        ends = {"lead-in": self._start, "run-out": [*self._end][::-1]}
        runs = {name: self._before_music(end) for name, end in ends.items()}
        held = {
            name: run
            for name, run in runs.items()
            if self._is_end(run, ends[name][len(run) :], levels)
            # A recording that ends in words or drums may be cut off in them.
            or (name == "lead-in" and self._comes_before_gaps(run, levels))
        }
        if len(held) == 2:
            quiet = min(float(_median_levels(run).mean()) for run in held.values())
            near = quiet + self.settings.onset_db
            held = {name: run for name, run in held.items() if float(_median_levels(run).mean()) < near}
        self.source = " and ".join(held)
        return list(dict.fromkeys(s for run in held.values() for s in run))

    def _before_music(self, run: list[Stretch]) -> list[Stretch]:
        """The stretches from the start of ``run`` to where music begins, less the last, which may hold its onset."""
        noise = list(takewhile(self._sounds_like_noise, run))
        count = min(2, len(noise))
        while count < len(noise):
            usual = _median_levels(noise[:count])
            rises = [float((s.levels - usual).clamp(-3, 12).mean()) for s in noise[count : count + 2]]
            # A second tells how loud the noise itself gets.
            if min(rises) > self.settings.onset_db or (
                count >= SECOND and self._is_stroke(noise[count], noise[:count])
            ):
                break
            count += 1
        return self._without_soft_music(noise[: max(count - 1, min(count, 2))]) if count < len(run) else noise

    def _without_soft_music(self, run: list[Stretch]) -> list[Stretch]:
        """``run`` as far as no band rises for good: a soft note, or the tail of one, hardly changes the others."""
        if not run:
            return run
        # Typical powers, so that bursts do not count; and noise that rises does so in many bands.
        levels = band_levels(torch.stack([s.log_mean for s in run]).exp(), self._narrow)
        levels = levels - levels.median(dim=1, keepdim=True).values
        for first in range(max(len(run) // 3, 2), len(run) - 1):
            # The stretch between may hold the onset.
            rise = levels[first + 1 :].amin(dim=0) - levels[:first].amax(dim=0)
            if float(rise.max()) > self.settings.soft_db:
                return run[:first]
        return run

    def _is_end(self, run: list[Stretch], following: list[Stretch], levels: Tensor) -> bool:
        """Whether it is noise, nothing is quieter, and the music stands out from it; or whether there is no music."""
        if not self._is_noisy_floor(run, levels):
            return False
        # The first two that follow may still be noise in part.
        begun = following[2:5] if len(run) > 2 else []
        step = float((_median_levels(begun) - _median_levels(run)).mean()) if begun else 0.0
        # A second that keeps its level is evidence too.
        contrast = self.settings.contrast_db / (1 if len(run) < SECOND else 2)
        return step > self.settings.begin_db or self._stands_out(run, levels, contrast) or len(run) == len(levels)

    def _is_noisy_floor(self, run: list[Stretch], levels: Tensor) -> bool:
        return len(run) >= 2 and self._is_noise(run) and self._is_floor(run, levels)

    def _comes_before_gaps(self, run: list[Stretch], levels: Tensor) -> bool:
        """Whether it is noise and only the loudest tenth stands out, as of words and drums, but by far."""
        return self._is_noisy_floor(run, levels) and self._stands_out(run, levels, self.settings.gaps_db, quantile=0.9)

    def _stands_out(self, run: list[Stretch], levels: Tensor, contrast_db: float, quantile: float = 0.5) -> bool:
        """Whether that quantile of the recording is louder than ``run``: by far in one band, and clearly in all."""
        rise = levels.quantile(quantile, dim=0) - _median_levels(run)
        return float(rise.max()) > contrast_db and float(rise.mean()) > self.settings.rise_db

    def _is_noise(self, run: list[Stretch]) -> bool:
        tonality = torch.stack([s.tonality for s in run]).median(dim=0).values
        return float(tonality[:MUSICAL].max()) < self.settings.most_tonal

    def _is_floor(self, chosen: list[Stretch], levels: Tensor) -> bool:
        """Whether nothing is quieter, in nearly all bands: what was added everywhere cannot be louder than that."""
        lowest = levels.quantile(0.1, dim=0)
        return float((lowest > _median_levels(chosen) - self.settings.floor_db).float().mean()) > 0.75

    def _pauses(self, levels: Tensor) -> list[Stretch]:
        """Stretches of noise between the music, about as loud as the quietest."""
        quiet = [s for _, _, s in sorted(self._quiet, reverse=True) if self._is_noise([s])]
        if len(quiet) < SECOND:
            return []
        limit = quiet[len(quiet) // 10].loudness + self.settings.onset_db
        chosen = [s for s in quiet if s.loudness < limit]
        if len(chosen) < SECOND or not self._is_floor(chosen, levels):
            return []
        if not self._stands_out(chosen, levels, self.settings.contrast_db):
            return []
        self.source = "pauses"
        return chosen

    def _without_strokes(self, chosen: list[Stretch]) -> list[Stretch]:
        return [s for s in chosen if not self._is_stroke(s, chosen)]

    def _is_stroke(self, stretch: Stretch, others: list[Stretch]) -> bool:
        """Whether it is far louder than the others: a drum hardly changes the typical power of a fifth of a second."""
        usual = torch.stack([s.mean_levels for s in others]).median(dim=0).values
        return float((stretch.mean_levels - usual).clamp(-3, 20).mean()) > self.settings.stroke_db

    def _through_music(self) -> tuple[Tensor, Tensor] | None:
        """What the listener hears, if there is one and the recording is long enough: the median over excerpts."""
        if self._hear is None:
            return None
        excerpts = self._excerpts.kept(shortest=round(SHORTEST_EXCERPT * self._rate))
        maps = parallel(self._hear, [excerpt[None] for _, excerpt in excerpts], workers=self._workers)
        # An excerpt of digital silence is no evidence.
        heard = [
            (start + len(excerpt) / 2, noise)
            for (start, excerpt), noise in zip(excerpts, maps, strict=True)
            if noise.mean.any()
        ]
        if not heard:
            return None
        self.source = HEARD
        means, typicals = (torch.cat([getattr(m, k) for _, m in heard])[..., 0] for k in ("mean", "typical"))
        mean, typical = (x.median(dim=0).values for x in (means, typicals))
        self.drift = self.tracker.follow_places(typicals, typical, at=[middle for middle, _ in heard])
        return mean, typical


def _median_levels(stretches: list[Stretch]) -> Tensor:
    return torch.stack([s.levels for s in stretches]).median(dim=0).values
