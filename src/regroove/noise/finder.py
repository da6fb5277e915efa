"""Finds the noise map of a recording by itself, from lead-in, run-out and quiet passages.

Band by band, a stretch is taken for noise when its spectrum is: between neighbouring bins of a Gaussian noise, the
logarithm of the mean power exceeds the mean logarithm by Euler's constant, for clicks as well; for music, with
partials and gaps between them, by much more. Where no stretch of a band is noise, the floor between the partials is
used, cautiously (compare Martin, "Noise power spectral density estimation based on optimal smoothing and minimum
statistics", IEEE Trans. SAP 9(5), 2001).
"""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, stft
from regroove.noise.map import EULER

SEGMENT_FRAMES = 16
SEGMENT = SEGMENT_FRAMES * LONG.hop
SILENCE = 1e-13
BAND_EDGES = (300.0, 900.0, 2200.0, 5000.0, 10_000.0)
WIDTH = 17


@dataclass(frozen=True, kw_only=True)
class FinderSettings:
    """When a stretch is taken for noise.

    ``tonality`` is how far (nepers) a band's spectrum may be from a noise's; ``spread_db`` how much louder than the
    quietest a noise stretch may be; ``keep`` how many quiet stretches (of 0.37 s) are remembered for each band.
    Noise more than ``inaudible_db`` below the music (both above 100 Hz) is that of a clean recording: it is left alone.
    """

    tonality: float = 0.12
    spread_db: float = 3.0
    keep: int = 24
    inaudible_db: float = 50.0


@dataclass(eq=False)
class _Stretch:
    """A third of a second: level in dB and distance from noise of each band, mean power and mean log of each bin."""

    loudness: list[float]
    tonality: list[float]
    mean: Tensor
    log_mean: Tensor


class NoiseFinder:
    """Sees one channel in chunks of any size and then says how strong its noise is.

    After :meth:`result`, ``found`` says for each band whether noise was found or only bounded.

    >>> finder = NoiseFinder(sample_rate=44100)
    >>> finder.feed(0.01 * torch.randn(88200, generator=torch.Generator().manual_seed(1)))
    >>> round(float(finder.result().mean.mean()) / 1e-4, 1)
    1.0
    """

    def __init__(self, *, sample_rate: int, settings: FinderSettings | None = None) -> None:
        self.settings = settings or FinderSettings()
        edges = [round(e * LONG.n_fft / sample_rate) for e in BAND_EDGES if e < 0.4 * sample_rate]
        # Below the first edge bins are too few to tell noise from tones; they follow the band above.
        self._measured = list(zip(edges, [*edges[1:], LONG.bins], strict=True))
        self._bands = [(0, self._measured[0][1]), *self._measured[1:]]
        self._stretches: list[_Stretch] = []
        self._pending = torch.zeros(0)
        self._audible = round(100 * LONG.n_fft / sample_rate)
        self._music, self._looked = 0.0, 0
        self.found = [False] * len(self._bands)

    def feed(self, chunk: Tensor) -> None:
        """Look at the next samples, ``(time,)``."""
        samples = torch.cat([self._pending, chunk])
        position = 0
        while position + SEGMENT + LONG.n_fft <= len(samples):
            self._look_at(samples[position : position + SEGMENT + LONG.n_fft])
            position += SEGMENT
        self._pending = samples[position:]

    def _look_at(self, samples: Tensor) -> None:
        if float(samples.square().mean()) < SILENCE or float((samples == 0).float().mean()) > 0.05:
            return
        half = LONG.n_fft // LONG.hop // 2
        power = stft(samples, LONG).abs().square()[:, half : max(samples.shape[-1] // LONG.hop - half, half) + 1]
        power = power.clamp_min(1e-20)
        mean = power.mean(dim=-1)
        self._music += float(mean[self._audible :].sum())
        self._looked += 1
        self._stretches.append(
            _Stretch(
                loudness=[float(mean[low:high].log10().mean()) * 10 for low, high in self._measured],
                tonality=[_tonality(power[low:high]) for low, high in self._measured],
                mean=mean,
                log_mean=power.log().mean(dim=-1),
            )
        )
        if len(self._stretches) > 16 * self.settings.keep:
            self._forget()

    def _forget(self) -> None:
        """Remember, for each band, the quietest stretches and the quietest of those that look like noise."""
        kept: set[_Stretch] = set()
        for band in range(len(self._bands)):
            ordered = self._by_loudness(band)
            noise = [s for s in ordered if s.tonality[band] < self.settings.tonality]
            kept.update(ordered[: self.settings.keep], noise[: self.settings.keep])
        self._stretches = [s for s in self._stretches if s in kept]

    def _by_loudness(self, band: int) -> list[_Stretch]:
        return sorted(self._stretches, key=lambda s: s.loudness[band])

    def result(self) -> NoiseMap:
        """The map, each part of shape ``(1, F, 1)``; all zero when the recording is clean, or silent throughout."""
        nothing = torch.zeros(1, LONG.bins, 1)
        if not self._stretches and len(self._pending) >= 2 * LONG.n_fft:
            self._look_at(self._pending)
        if not self._stretches:
            return NoiseMap(nothing, nothing)
        noise = [self._noise_in(band) for band in range(len(self._bands))]
        parts = [self._band_map(band, noise) for band in range(len(self._bands))]
        mean, typical = (torch.cat(p)[None, :, None] for p in zip(*parts, strict=True))
        audible = float(mean[0, self._audible :].sum()) * self._looked
        if audible < self._music * 10 ** (-self.settings.inaudible_db / 10):
            return NoiseMap(nothing, nothing)
        return NoiseMap(mean, typical)

    def _noise_in(self, band: int) -> list[_Stretch]:
        """The stretches that hold noise alone in a band, or none."""
        quiet = self._about_as_quiet(band, self.settings.spread_db)
        noise = [s for s in quiet if s.tonality[band] < self.settings.tonality]
        # A single one among many is chance: dense music looks like noise now and then.
        return noise if 2 * len(noise) >= len(quiet) else []

    def _band_map(self, band: int, noise: list[list[_Stretch]]) -> tuple[Tensor, Tensor]:
        low, high = self._bands[band]
        chosen = noise[band] or self._vouched_for(band, noise)
        self.found[band] = bool(chosen)
        if not chosen:
            floor = torch.stack([s.mean[low:high] for s in self._stretches]).amin(dim=0)
            cautious = _between_partials(floor)
            return cautious, cautious
        mean = torch.stack([s.mean[low:high] for s in chosen]).mean(dim=0)
        typical = torch.stack([s.log_mean[low:high] for s in chosen]).mean(dim=0).add(EULER).exp()
        return mean, typical

    def _vouched_for(self, band: int, noise: list[list[_Stretch]]) -> list[_Stretch]:
        """Quiet stretches that hold noise alone in two other bands: thumps and hum look tonal, but are noise too."""
        votes = Counter(s for other in noise for s in other)
        vouched = [s for s in self._about_as_quiet(band, 2 * self.settings.spread_db) if votes[s] >= 2]
        limit = min((s.loudness[band] for s in vouched), default=0.0) + self.settings.spread_db
        return [s for s in vouched if s.loudness[band] <= limit]

    def _about_as_quiet(self, band: int, spread_db: float) -> list[_Stretch]:
        """Stretches about as loud as the quietest: what was added to all of them cannot be louder than that.

        The end of a fade does not count as the quietest when others follow closely.
        """
        ordered = self._by_loudness(band)
        quietest = ordered[0].loudness[band]
        third = ordered[min(2, len(ordered) - 1)].loudness[band]
        limit = (third if third - quietest < 2 * self.settings.spread_db else quietest) + spread_db
        return [s for s in ordered if s.loudness[band] <= limit]


def _tonality(power: Tensor) -> float:
    """How much the log of the mean over neighbouring bins exceeds the mean log, less what noise gives."""
    groups = power[: len(power) // WIDTH * WIDTH].reshape(-1, WIDTH, power.shape[-1])
    gap = groups.mean(dim=1).log() - groups.log().mean(dim=1)
    return float(gap.mean()) - (EULER - 1 / (2 * WIDTH))


def _between_partials(mean: Tensor, width: int = 33) -> Tensor:
    """The lower decile over neighbouring bins, less 10 dB: what lies between the partials may still be music."""
    padded = torch.nn.functional.pad(mean[None], (width // 2, width // 2), mode="reflect")[0]
    return 0.1 * padded.unfold(0, width, 1).quantile(0.1, dim=-1)
