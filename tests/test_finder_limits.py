"""Where the limits of the noise finder lie: each case stops passing when its constant is moved by half."""

import numpy as np
import pytest
import torch
from scipy import signal

from regroove.dsp.noise_map import NoiseMap
from regroove.noise.find.chance import chance
from regroove.noise.find.finder import NoiseFinder
from regroove.noise.find.found import Place
from test_find_segments import noise, parts_of

RATE = 44_100


def place(audio: np.ndarray, *, rate: int = RATE, asked: list[int] | None = None) -> Place:
    """Where the noise of ``(time,)`` is found; ``asked`` gets the lengths of the excerpts that a listener was given."""

    def hear(samples: torch.Tensor) -> NoiseMap:
        assert asked is not None
        asked.append(samples.shape[-1])
        power = samples.square().mean().expand(1, 2049, 1)
        return NoiseMap(power, power)

    finder = NoiseFinder(sample_rate=rate, channels=1, hear=None if asked is None else hear)
    for chunk in torch.from_numpy(audio[None]).float().split(100_000, dim=-1):
        finder.add(chunk)
    return finder.finish().place


def notes(seconds: float, rate: int) -> np.ndarray:
    """Strings that are plucked three times a second and never end."""
    t = np.arange(round(seconds * rate)) / rate
    pitch = 220 * 2 ** (np.floor(3 * t) % 5 / 6)
    return 0.1 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) * np.exp(-3 * (t % (1 / 3)))


@pytest.mark.parametrize(("hiss", "found"), [(0.09, Place.NOWHERE), (0.15, Place.LEAD_IN)])
def test_a_tone_in_steady_noise_is_music_where_it_stands_out(hiss: float, found: Place) -> None:
    """``tones``: neighbouring bins of the two differ by 0.66 and 0.41 nepers."""
    t = np.arange(5 * RATE) / RATE
    tone = 0.05 * sum(np.sin(2 * np.pi * 440 * k * t + k * k) / k for k in range(1, 40))
    assert place(tone + hiss * np.random.default_rng(2).standard_normal(t.size)) is found


@pytest.mark.parametrize(("band", "found"), [((72, 88), Place.NOWHERE), ((105, 140), Place.LEAD_IN)])
def test_what_lies_below_100_hz_is_hardly_heard(band: tuple[float, float], found: Place) -> None:
    """``LOWEST_HEARD``: rumble 38 dB below the music counts, unless it lies lower than that."""
    music = np.concatenate([np.zeros(2 * RATE), notes(6, RATE)])
    white = np.random.default_rng(3).standard_normal(len(music))
    rumble = signal.sosfiltfilt(signal.butter(8, band, "bandpass", fs=RATE, output="sos"), white)
    level = music.std()
    audio = music + level * (10 ** (-38 / 20) * rumble / rumble.std() + 10 ** (-75 / 20) * white)
    assert place(audio) is found


@pytest.mark.parametrize(("seconds", "excerpts"), [(0.8, 0), (1.2, 1), (97.0, 8), (109.0, 5)])
def test_how_much_is_listened_to(seconds: float, excerpts: int) -> None:
    """``SHORTEST_EXCERPT``, ``LONGEST_EXCERPT``, ``EXCERPTS``: eight of 12 s; of nine every second one."""
    rate, asked = 8_000, []
    music = notes(seconds, rate)
    place(music + 1e-3 * np.random.default_rng(0).standard_normal(len(music)), rate=rate, asked=asked)
    assert len(asked) == excerpts and max(asked, default=0) <= 12 * rate


def test_the_spread_of_a_band_is_its_own_where_there_are_many_moments() -> None:
    """``FEW``: eight moments are believed by half; the rest is what is usual in all bands, here that of white noise."""
    white = chance(RATE).spread[15]
    levels = np.full_like(noise(24), -60.0)
    levels[:, 15] += np.resize([2.7, -2.7, 2.7, -2.7, 0.0], 24)
    (part,) = parts_of(levels)
    own = 1.4826 * 2.7
    expected = np.sqrt(24 / 32 * own**2 + 8 / 32 * white**2)
    assert part.spread[0, 15] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("seconds", "louder_db", "noise"), [(1.4, 6.0, False), (1.4, 2.0, True), (0.5, 6.0, True)])
def test_what_stays_to_the_end_is_music_where_the_recording_goes_below_it(
    seconds: float, louder_db: float, noise: bool
) -> None:
    generator = torch.Generator().manual_seed(3)
    samples = 0.01 * torch.randn(1, 8 * 44_100, generator=generator)
    samples[:, round(seconds * 44_100) :] *= 10 ** (louder_db / 20)
    finder = NoiseFinder(sample_rate=44_100, channels=1)
    finder.add(samples)
    found = finder.finish()
    assert bool(found.map.mean.any()) == noise
