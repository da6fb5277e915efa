"""Training batches: clean crops, record noise, and the noise map as an estimator would find it.

The map of each item is measured on another stretch of the same noise, as short as a lead-in may be, and often bent at
random; or it is heard through the music, as where there is no lead-in. So the network learns how far a map can be
trusted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.errors import SettingsError
from regroove.noise.find.finder import HearNoise
from regroove.noise.make.draws import log_uniform
from regroove.noise.measure import map_of_noise
from regroove.training.acoustics.codecs import coded, random_codec
from regroove.training.acoustics.colouring import coloured, random_colour
from regroove.training.acoustics.rooms import as_section, band_gains, with_breath, with_rumble
from regroove.training.corpus.shards import Shards


@dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """How crops are mixed. Levels and ratios are drawn uniformly in dB; the shares are of all items, ``bent_maps`` of
    those whose map is not heard.

    ``usual`` items have the ratios of most records, ``usual_snr_db``, the others any of ``snr_db``. In ``coloured``
    ones music and noise come from one horn, in half of these in one room; ``coded`` ones are lossy copies.
    """

    sample_rate: int = 44_100
    seconds: float = 4.0
    batch: int = 12
    snr_db: tuple[float, float] = (-5.0, 38.0)
    usual: float = 0.7
    usual_snr_db: tuple[float, float] = (2.0, 20.0)
    band_limited: float = 0.4
    heard_maps: float = 0.25
    bent_maps: float = 0.4
    two_noises: float = 0.25
    massed: float = 0.15
    breath: float = 0.3
    rumble: float = 0.5
    coloured: float = 0.2
    coded: float = 0.12


@dataclass(frozen=True)
class Batch:
    """Clean and noisy audio ``(B, time)`` and the noise map told to the network."""

    clean: Tensor
    noisy: Tensor
    map: NoiseMap


class Mixer:
    """Draws batches; the same (seed, step) gives the same batch while the shards, and what hears noise, are the same.

    Args:
        music, noise: what is mixed.
        settings: how.
        seed: of the draws.
        hear: what hears noise through music; without it, no map is heard.

    Raises:
        SettingsError: an item is longer than the music's excerpts.
    """

    def __init__(
        self, music: Shards, noise: Shards, settings: MixtureSettings, *, seed: int, hear: HearNoise | None = None
    ) -> None:
        if int(settings.seconds * settings.sample_rate) > music.shortest:
            raise SettingsError(
                f"Items of {settings.seconds:g} s are longer than the music's shortest excerpt "
                f"({music.shortest / settings.sample_rate:g} s)."
            )
        self.music, self.noise, self.settings, self.seed = music, noise, settings, seed
        self._hear = hear

    def refresh(self) -> None:
        """Pick up shards that were rendered since."""
        self.music.refresh()
        self.noise.refresh()

    def batch(self, step: int) -> Batch:
        """Make batch number ``step``."""
        rng = np.random.default_rng([self.seed, step])
        items = [self._item(rng) for _ in range(self.settings.batch)]
        clean = torch.stack([i[0] for i in items])
        noisy = torch.stack([i[1] for i in items])
        mean = torch.cat([i[2].mean for i in items])
        typical = torch.cat([i[2].typical for i in items])
        return Batch(clean=clean, noisy=noisy, map=NoiseMap(mean, typical))

    def _item(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, NoiseMap]:
        s = self.settings
        length = int(s.seconds * s.sample_rate)
        lead = int(log_uniform(rng, 0.6, 6.0) * s.sample_rate)
        snr_db = self._snr(rng)
        if self._hear is not None and rng.random() < s.heard_maps:
            # What is before the item is music here, for an ear needs longer.
            lead = min(lead, self.music.shortest - length)
            clean, noise = self._mixed(rng, lead + length, snr_db)
            (noisy,) = self._copied(rng, clean + noise)
            return clean[lead:], noisy[lead:], self._hear(noisy[None])
        clean, noise = self._mixed(rng, length, snr_db, lead)
        noise[lead:] += clean
        (noisy,) = self._copied(rng, noise)
        told = map_of_noise(noisy[None, :lead])
        if rng.random() < s.bent_maps:
            told = told.scaled(_bend(rng, told.mean.shape[-2]))
        return clean, noisy[lead:], told

    def pair(self, rng: np.random.Generator, seconds: float, snr_db: float | None = None) -> tuple[Tensor, Tensor]:
        """Draw a mixture of any length and its noise alone, ``(time,)`` each, for training what is told no map.

        Of a lossy copy, the noise is a lossy copy of it alone, as a lead-in is. Without ``snr_db`` it is drawn as for a
        batch.
        """
        ratio = self._snr(rng) if snr_db is None else snr_db
        clean, noise = self._mixed(rng, int(seconds * self.settings.sample_rate), ratio)
        noisy, noise = self._copied(rng, clean + noise, noise)
        return noisy, noise

    def _snr(self, rng: np.random.Generator) -> float:
        s = self.settings
        return float(rng.uniform(*(s.usual_snr_db if rng.random() < s.usual else s.snr_db)))

    def _copied(self, rng: np.random.Generator, *parts: Tensor) -> list[Tensor]:
        """Now and then lossy copies of ``(time,)`` each, by one codec."""
        if rng.random() > self.settings.coded:
            return list(parts)
        codec = random_codec(rng)
        rate = self.settings.sample_rate
        return [torch.from_numpy(coded(part.numpy(), codec, sample_rate=rate)) for part in parts]

    def _mixed(self, rng: np.random.Generator, length: int, snr_db: float, lead: int = 0) -> tuple[Tensor, Tensor]:
        """Music, ``(length,)``, and noise, of which the first ``lead`` samples are before it."""
        clean = self._music(rng, length)
        noise = self._noise(rng, lead + length)
        if rng.random() < self.settings.coloured:
            rate = self.settings.sample_rate
            colour = random_colour(rng, sample_rate=rate)
            clean, noise = (torch.from_numpy(coloured(p.numpy(), colour, sample_rate=rate)) for p in (clean, noise))
        gate = _silences(rng, length, self.settings.sample_rate)
        return clean * gate, _at_snr(noise, clean, snr_db, lead)

    def _music(self, rng: np.random.Generator, length: int) -> Tensor:
        s = self.settings
        played = self._players(rng, length)
        if rng.random() < self.settings.breath:
            played = with_breath(played, rng, sample_rate=self.settings.sample_rate)
        if rng.random() < self.settings.rumble:
            played = with_rumble(played, rng, sample_rate=self.settings.sample_rate)
        crop = torch.from_numpy(played)
        if rng.random() < 0.6:
            # The recording's own air: microphones and rooms are never silent.
            crop = crop + _pink(rng, length) * (float(crop.abs().max()) * 10 ** (rng.uniform(-85, -48) / 20))
        cutoff = log_uniform(rng, 3000, 14000) if rng.random() < s.band_limited else 0.0
        return self._through_chain(crop, rng, cutoff=cutoff)

    def _players(self, rng: np.random.Generator, length: int) -> NDArray[np.float32]:
        """One excerpt; or, for the density of an orchestra, sections and two or three excerpts at once."""
        crop = self.music.crop(rng, length)
        if rng.random() > self.settings.massed:
            return crop
        crops = [crop, *(self.music.crop(rng, length) for _ in range(rng.integers(0, 3)))]
        level = float(np.linalg.norm(crop))
        parts = [c * (level / (float(np.linalg.norm(c)) + 1e-9)) * float(rng.uniform(0.3, 1)) for c in crops]
        rate = self.settings.sample_rate
        played = [as_section(p, rng, sample_rate=rate) if rng.random() < 0.8 else p for p in parts]
        return np.sum(played, axis=0, dtype=np.float32)

    def _noise(self, rng: np.random.Generator, length: int) -> Tensor:
        noise = self._one_noise(rng, length)
        if rng.random() > self.settings.two_noises:
            return noise
        other = self._one_noise(rng, length)
        ratio = float(noise.square().mean() / (other.square().mean() + 1e-12))
        return noise + other * (ratio * 10 ** (rng.uniform(-12, 12) / 10)) ** 0.5

    def _one_noise(self, rng: np.random.Generator, length: int) -> Tensor:
        if rng.random() < 0.12:
            noise = torch.from_numpy(rng.standard_normal(length, dtype=np.float32))
        else:
            noise = torch.from_numpy(self.noise.crop(rng, length))
        if len(noise) < length:
            noise = noise.repeat(-(-length // len(noise)))[:length]
        return self._through_chain(noise, rng, cutoff=0.0) if rng.random() < 0.7 else noise

    def _through_chain(self, audio: Tensor, rng: np.random.Generator, *, cutoff: float) -> Tensor:
        knots = np.geomspace(10, self.settings.sample_rate / 2, 400)
        gains = band_gains(knots, rng, cutoff=cutoff)
        size = next_fast_len(len(audio), real=True)
        frequency = np.fft.rfftfreq(size, 1 / self.settings.sample_rate)
        curve = torch.from_numpy(np.interp(frequency, knots, gains).astype(np.float32))
        return torch.fft.irfft(torch.fft.rfft(audio, n=size) * curve, n=size)[: len(audio)]


def _at_snr(noise: Tensor, clean: Tensor, snr_db: float, lead: int = 0) -> Tensor:
    """Scale noise, whose first ``lead`` samples are before the music."""
    level = 10 ** (-snr_db / 20) * (float(clean.square().mean()) or 1e-4) ** 0.5
    return noise * (level / float(noise[lead:].square().mean().sqrt() + 1e-12))


def _pink(rng: np.random.Generator, length: int) -> Tensor:
    spectrum = torch.fft.rfft(torch.from_numpy(rng.standard_normal(length, dtype=np.float32)))
    slope = rng.uniform(0, 0.6)
    noise = torch.fft.irfft(spectrum * (torch.arange(len(spectrum)) + 20.0) ** -slope, n=length)
    return noise / noise.square().mean().sqrt()


def _silences(rng: np.random.Generator, length: int, sample_rate: int) -> Tensor:
    """All ones; in an eighth of the items the music fades out and in again, or is absent altogether."""
    if rng.random() > 0.125:
        return torch.ones(length)
    if rng.random() < 0.15:
        return torch.zeros(length)
    start, fade = rng.uniform(0, 3), rng.uniform(0.005, 0.8)
    times = torch.arange(length) / sample_rate
    falls = ((start + fade - times) / fade).clamp(0, 1)
    rises = ((times - start - fade - rng.uniform(0.2, 2)) / rng.uniform(0.005, 0.3)).clamp(0, 1)
    return torch.maximum(falls, rises)


def _bend(rng: np.random.Generator, bins: int) -> Tensor:
    """A smooth random error of the map in power, ``(1, bins, 1)``: wrong level and wrong colour."""
    nodes = rng.normal(0, 2.0, 14) + rng.normal(0, 2.0)
    octaves = np.log2(1 + np.arange(bins))
    error = np.interp(octaves, np.linspace(0, octaves[-1], 14), nodes)
    return torch.from_numpy((10 ** (error / 10)).astype(np.float32))[None, :, None]
