"""Training batches: clean crops, record noise, and the noise map as an estimator would find it.

The map of each item is measured on another stretch of the same noise, as short as a lead-in may be, and often bent at
random; or it is heard through the music, as where there is no lead-in. So the network learns how far a map can be
trusted.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.errors import SettingsError
from regroove.noise.find.finder import HearNoise
from regroove.noise.make.draws import log_uniform
from regroove.noise.measure import map_of_noise
from regroove.training.acoustics.codecs import CodecSettings, coded, random_codec
from regroove.training.acoustics.colouring import ColourSettings, coloured, random_colour
from regroove.training.acoustics.ensembles import EnsembleSettings, as_ensemble
from regroove.training.acoustics.own_noise import (
    AirSettings,
    BreathSettings,
    RumbleSettings,
    with_air,
    with_breath,
    with_rumble,
)
from regroove.training.acoustics.pauses import PauseSettings, pause_gains
from regroove.training.acoustics.recording_chain import ChainSettings, through_chain
from regroove.training.corpus.shards import Shards
from regroove.training.map_errors import MapErrorSettings, map_error


@dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """The distribution that mixtures are drawn from: ``batch`` items of ``seconds`` at ``sample_rate`` hertz.

    Pairs are ranges; what is drawn is spread evenly over them: decibels as they are, seconds and hertz over their
    logarithm. Everything named by a share is a share of all items, but for ``bent_maps``, of those whose map is not
    heard. Each part has settings of its own, with units.

    Args:
        snr_db: the SNR of any item; ``usual`` of them have one of most records, from ``usual_snr_db``.
        lead_seconds: how much noise the map is measured on.
        heard_maps: the share of items whose map is heard through the music, if something hears.
        bent_maps: of the others, those whose map has an error, from ``map_error``.
        massed: the share with several excerpts and sections of players at once, from ``ensemble``.
        breath, rumble, air: the shares with such noise of the music's own, from ``own_breath`` and so on.
        band_limited: the share whose music ends at a frequency from ``band_limit_hz``.
        chain: through what the music was recorded, and the noise of ``noise_chain``, a share.
        white_noise: the share of noises that are white.
        two_noises: the share of items with two noises, the second at ``second_noise_db`` against the first.
        coloured: the share where music and noise come from one horn, from ``colour``.
        pauses: the share with a pause, from ``pause``.
        coded: the share of lossy copies, from ``codec``.
    """

    sample_rate: int = 44_100
    seconds: float = 4.0
    batch: int = 12
    snr_db: tuple[float, float] = (-5.0, 38.0)
    usual: float = 0.7
    usual_snr_db: tuple[float, float] = (2.0, 20.0)
    lead_seconds: tuple[float, float] = (0.6, 6.0)
    heard_maps: float = 0.25
    bent_maps: float = 0.4
    map_error: MapErrorSettings = MapErrorSettings()
    massed: float = 0.15
    ensemble: EnsembleSettings = EnsembleSettings()
    breath: float = 0.3
    own_breath: BreathSettings = BreathSettings()
    rumble: float = 0.5
    own_rumble: RumbleSettings = RumbleSettings()
    air: float = 0.6
    own_air: AirSettings = AirSettings()
    band_limited: float = 0.4
    band_limit_hz: tuple[float, float] = (3000.0, 14000.0)
    chain: ChainSettings = ChainSettings()
    noise_chain: float = 0.7
    white_noise: float = 0.12
    two_noises: float = 0.25
    second_noise_db: tuple[float, float] = (-12.0, 12.0)
    coloured: float = 0.2
    colour: ColourSettings = ColourSettings()
    pauses: float = 0.125
    pause: PauseSettings = PauseSettings()
    coded: float = 0.12
    codec: CodecSettings = CodecSettings()


@dataclass(frozen=True)
class Batch:
    """Clean and noisy audio ``(B, time)`` and the noise map that the network is given."""

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

    @classmethod
    def of_folder(cls, folder: Path, settings: MixtureSettings, *, seed: int, hear: HearNoise | None = None) -> "Mixer":
        """Mixes what `regroove train render` put into a folder."""
        music, noise = (Shards(folder, f"{kind}-*.npy") for kind in ("music", "noise"))
        return cls(music, noise, settings, seed=seed, hear=hear)

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

    def pair(self, rng: np.random.Generator, seconds: float, snr_db: float | None = None) -> tuple[Tensor, Tensor]:
        """Draw a mixture of any length and its noise alone, ``(time,)`` each, for training what is given no map.

        Of a lossy copy, the noise is a lossy copy of it alone, as a lead-in is. Without ``snr_db`` it is drawn as for a
        batch.
        """
        ratio = self._snr(rng) if snr_db is None else snr_db
        clean, noise = self._mixed(rng, int(seconds * self.settings.sample_rate), ratio)
        noisy, noise = self._copied(rng, clean + noise, noise)
        return noisy, noise

    def _item(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, NoiseMap]:
        s = self.settings
        length = int(s.seconds * s.sample_rate)
        lead = int(log_uniform(rng, *s.lead_seconds) * s.sample_rate)
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
        measured = map_of_noise(noisy[None, :lead])
        if rng.random() < s.bent_maps:
            measured = measured.scaled(map_error(rng, s.map_error, bins=measured.mean.shape[-2]))
        return clean, noisy[lead:], measured

    def _snr(self, rng: np.random.Generator) -> float:
        s = self.settings
        return float(rng.uniform(*(s.usual_snr_db if rng.random() < s.usual else s.snr_db)))

    def _copied(self, rng: np.random.Generator, *parts: Tensor) -> list[Tensor]:
        """Now and then lossy copies of ``(time,)`` each, by one codec."""
        s = self.settings
        if rng.random() > s.coded:
            return list(parts)
        codec = random_codec(rng, s.codec)
        return [torch.from_numpy(coded(part.numpy(), codec, sample_rate=s.sample_rate)) for part in parts]

    def _mixed(self, rng: np.random.Generator, length: int, snr_db: float, lead: int = 0) -> tuple[Tensor, Tensor]:
        """Music, ``(length,)``, and noise, of which the first ``lead`` samples are before it."""
        s = self.settings
        clean = self._music(rng, length)
        noise = self._noise(rng, lead + length)
        if rng.random() < s.coloured:
            colour = random_colour(rng, s.colour, sample_rate=s.sample_rate)
            clean, noise = (
                torch.from_numpy(coloured(p.numpy(), colour, sample_rate=s.sample_rate)) for p in (clean, noise)
            )
        gains = torch.ones(length)
        if rng.random() <= s.pauses:
            gains = pause_gains(rng, s.pause, length=length, sample_rate=s.sample_rate)
        return clean * gains, _at_snr(noise, clean, snr_db, lead)

    def _music(self, rng: np.random.Generator, length: int) -> Tensor:
        s = self.settings
        played = self._played(rng, length)
        if rng.random() < s.breath:
            played = with_breath(played, rng, s.own_breath, sample_rate=s.sample_rate)
        if rng.random() < s.rumble:
            played = with_rumble(played, rng, s.own_rumble, sample_rate=s.sample_rate)
        crop = torch.from_numpy(played)
        if rng.random() < s.air:
            crop = with_air(crop, rng, s.own_air)
        cutoff = log_uniform(rng, *s.band_limit_hz) if rng.random() < s.band_limited else 0.0
        return through_chain(crop, rng, s.chain, sample_rate=s.sample_rate, cutoff=cutoff)

    def _played(self, rng: np.random.Generator, length: int) -> NDArray[np.float32]:
        """One excerpt; or, for the density of an orchestra, sections and two or three excerpts at once."""
        s = self.settings
        crop = self.music.crop(rng, length)
        if rng.random() > s.massed:
            return crop
        fewest, most = s.ensemble.more_excerpts
        more = [self.music.crop(rng, length) for _ in range(rng.integers(fewest, most + 1))]
        return as_ensemble([crop, *more], rng, s.ensemble, sample_rate=s.sample_rate)

    def _noise(self, rng: np.random.Generator, length: int) -> Tensor:
        s = self.settings
        noise = self._one_noise(rng, length)
        if rng.random() > s.two_noises:
            return noise
        other = self._one_noise(rng, length)
        ratio = float(noise.square().mean() / (other.square().mean() + 1e-12))
        return noise + other * (ratio * 10 ** (rng.uniform(*s.second_noise_db) / 10)) ** 0.5

    def _one_noise(self, rng: np.random.Generator, length: int) -> Tensor:
        s = self.settings
        if rng.random() < s.white_noise:
            noise = torch.from_numpy(rng.standard_normal(length, dtype=np.float32))
        else:
            noise = torch.from_numpy(self.noise.crop(rng, length))
        if len(noise) < length:
            noise = noise.repeat(-(-length // len(noise)))[:length]
        if rng.random() < s.noise_chain:
            return through_chain(noise, rng, s.chain, sample_rate=s.sample_rate, cutoff=0.0)
        return noise


def _at_snr(noise: Tensor, clean: Tensor, snr_db: float, lead: int = 0) -> Tensor:
    """Scale noise, whose first ``lead`` samples are before the music."""
    level = 10 ** (-snr_db / 20) * (float(clean.square().mean()) or 1e-4) ** 0.5
    return noise * (level / float(noise[lead:].square().mean().sqrt() + 1e-12))
