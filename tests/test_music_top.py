"""Up to where there is music: noise alone is cut off, music never is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt

from regroove.dsp.band_limit import EVERYTHING, BandLimit
from regroove.dsp.noise_map import NoiseMap
from regroove.noise.find.drift import STEADY
from regroove.noise.find.found import FoundNoise, Place
from regroove.noise.measure import map_of_noise
from regroove.noise.music_top import EDGES, MusicTops, MusicTopSettings, TopHistory, music_tops

RATE = 44_100
SECONDS, LEAD = 12.0, 2.0
HIGH = butter(4, 9000, "highpass", fs=RATE, output="sos")
TIMES = np.arange(round(SECONDS * RATE)) / RATE


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return 0.02 * np.random.default_rng(1).standard_normal(TIMES.size)


def known(noise: np.ndarray) -> FoundNoise:
    told = map_of_noise(torch.from_numpy(noise[: round(LEAD * RATE)]).float()[None])
    return FoundNoise(map=told, drift=(STEADY,), place=Place.MARKED, measured=((0.0, LEAD),), confidence=1.0)


def tops(music: np.ndarray, noise: np.ndarray, found: FoundNoise | None = None, **settings: float) -> MusicTops | None:
    history = TopHistory(sample_rate=RATE)
    history.add((noise + music).astype(np.float32)[None])
    chosen = MusicTopSettings(**settings)  # type: ignore[arg-type]
    return music_tops(history.finish(), found or known(noise), sample_rate=RATE, settings=chosen)


def level(music: np.ndarray, noise: np.ndarray, db: float) -> np.ndarray:
    """Music at so many dB over what the noise has above 9 kHz, while it sounds."""
    ratio = np.mean(sosfilt(HIGH, noise) ** 2) / np.mean(music[music != 0] ** 2)
    return music * np.sqrt(ratio * 10 ** (db / 10))


def everything(found: MusicTops | None) -> bool:
    """Whether nothing is cut off after the noise at the beginning."""
    return found is None or bool((found.bins[round((LEAD + 1) * RATE / 8192) :] >= EVERYTHING).all())


def hits(noise: np.ndarray, *, decay: float, every: float, db: float) -> np.ndarray:
    """Bursts of noise above 9 kHz: cymbals."""
    since = np.where(TIMES > LEAD, (TIMES - LEAD) % every, np.inf)
    burst = np.random.default_rng(2).standard_normal(TIMES.size)
    return level(sosfilt(HIGH, burst) * (TIMES > LEAD), noise, db) * np.exp(-since / decay)


def test_noise_alone_is_cut_off_an_octave_above_the_first_band(noise: np.ndarray) -> None:
    found = tops(np.zeros_like(noise), noise)
    assert found is not None
    np.testing.assert_allclose(found.bins, EDGES[4] * 4096 / RATE, rtol=1e-6)
    assert found.hertz(sample_rate=RATE) == [[11314, 11314]]


@pytest.mark.parametrize(("decay", "every", "db"), [(0.03, 0.25, 12), (0.1, 0.5, 8), (0.4, 3.0, 6), (1.0, 5.0, 5)])
def test_cymbals_are_kept(noise: np.ndarray, decay: float, every: float, db: float) -> None:
    assert everything(tops(hits(noise, decay=decay, every=every, db=db), noise))


def test_steady_bright_music_is_kept_as_faint_as_the_noise(noise: np.ndarray) -> None:
    steady = sosfilt(HIGH, np.random.default_rng(3).standard_normal(TIMES.size)) * (TIMES > LEAD)
    assert everything(tops(level(steady, noise, 3.0), noise))
    assert not everything(tops(level(steady, noise, -8.0), noise))


@pytest.mark.parametrize(("db", "kept"), [(14.0, True), (0.0, False)])
def test_faint_partials_are_kept(noise: np.ndarray, db: float, kept: bool) -> None:
    """A tone at 12.3 kHz that is so far over the noise of its bin, 20 dB less over that of its band."""
    amplitude = 0.02 * np.sqrt(10 ** (db / 10) * 4 * 1.5 / 4096)
    found = tops(amplitude * np.sin(2 * np.pi * 12_345 * TIMES) * (TIMES > LEAD), noise)
    assert everything(found) == kept


def test_a_map_that_is_too_high_hides_no_cymbals(noise: np.ndarray) -> None:
    high = known(noise)
    high = replace(high, map=high.map.scaled(10.0), measured=())
    assert everything(tops(hits(noise, decay=0.4, every=3.0, db=14.0), noise, high, moment_db=99.0))


def test_clicks_are_no_music(noise: np.ndarray) -> None:
    clicks = np.zeros_like(noise)
    clicks[:: RATE // 3] = 0.5
    found = tops(np.zeros_like(noise), noise + clicks)
    assert found is not None and found.bins.max() < 1052


def test_where_music_is_for_a_while_it_is_kept_with_seconds_around_it(noise: np.ndarray) -> None:
    long = np.concatenate([noise] * 3)
    music = np.zeros_like(long)
    music[15 * RATE : 17 * RATE] = level(sosfilt(HIGH, noise[: 2 * RATE]), noise, 10.0)
    found = tops(music, long, known(noise))
    assert found is not None
    at = found.at(0, channel=0, hop=RATE, frames=36)
    assert (at[11:21] >= EVERYTHING).all()
    assert (at[:8] < 1052).all() and (at[25:] < 1052).all()
    # Within a second, and never at once.
    assert np.abs(np.diff(found.bins[:, 0])).max() < 500


@pytest.mark.parametrize("doubt", [{"confidence": 0.5}, {"place": Place.THROUGH_MUSIC}, {"place": Place.NOWHERE}])
def test_where_the_map_is_doubtful_everything_is_kept(noise: np.ndarray, doubt: dict) -> None:
    assert tops(np.zeros_like(noise), noise, replace(known(noise), **doubt)) is None


def test_silence_and_short_recordings(noise: np.ndarray) -> None:
    empty = NoiseMap(torch.zeros(1, 2049, 1), torch.zeros(1, 2049, 1))
    silent = replace(known(noise), map=empty)
    assert tops(np.zeros_like(noise), np.zeros_like(noise), silent) is not None
    assert tops(np.zeros(100), np.zeros(100), silent) is None


def test_gain_has_no_edge() -> None:
    gain = BandLimit(torch.tensor([[500.0]])).gain(2049)[0, :, 0]
    assert float(gain.diff().abs().max()) < 0.06
    assert float(gain[500]) == 1.0 and float(gain[532:].max()) < 1e-6
