"""Parts of combining transfers: reading along a curve, smoothing, coarse match, responses, weights."""

import numpy as np
import pytest

from regroove.errors import AudioError
from regroove.restoration.array_source import ArraySource
from regroove.walls.transfers.coarse import match
from regroove.walls.transfers.curve_reading import BEST, Window, along
from regroove.walls.transfers.features import BANDS, FEATURE_RATE
from regroove.walls.transfers.features import RATE as LOW_RATE
from regroove.walls.transfers.fine import CENTRES, EDGES, FineSettings, N, Track, agreement, shifts
from regroove.walls.transfers.response import response_of
from regroove.walls.transfers.smooth import fitted
from regroove.walls.transfers.turning import rotation_of, turning
from regroove.walls.transfers.warp import Piece, Warp
from regroove.walls.transfers.weights import WeightSettings, weights_of

RATE = 44_100


def wowing(t: np.ndarray) -> np.ndarray:
    return 0.1 + 1.005 * t + 0.002 / (2 * np.pi * 1.3) * np.sin(2 * np.pi * 1.3 * t)


@pytest.mark.parametrize("hertz", [1_000, 10_000, 19_000])
def test_reading_along_a_curve_is_as_exact_as_24_bits(hertz: int) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)[None]
    source = ArraySource(tone, sample_rate=RATE)
    parts = along(source, wowing, speed=1.005, sample_rate=RATE, start=0, stop=RATE // 2, quality=BEST)
    found = np.concatenate(list(parts), axis=1)[0]
    true = np.sin(2 * np.pi * hertz * wowing(np.arange(RATE // 2) / RATE))
    error = (found - true)[2000:-2000]
    assert 20 * np.log10(np.std(error) / np.std(true)) < -140


def test_a_transfer_at_another_rate_and_a_mistaken_speed_is_not_folded_back() -> None:
    t = np.arange(2 * 48_000) / 48_000
    source = ArraySource(np.sin(2 * np.pi * 16_500 * t)[None], sample_rate=48_000)
    # Played 1.36 times as fast the tone is at 22.4 kHz, which 44.1 kHz cannot hold.
    read = along(source, lambda s: 1.36 * s, speed=1.36, sample_rate=RATE, start=2000, stop=RATE, quality=BEST)
    assert np.abs(np.concatenate(list(read), axis=1)).max() < 1e-3


def test_a_window_gives_silence_beyond_both_ends_and_the_samples_between() -> None:
    samples = np.arange(1.0, 101.0)[None]
    window = Window(iter(np.split(samples, 10, axis=1)), 1)
    for first, last in ((-5, 7), (3, 40), (38, 39), (90, 120), (130, 140)):
        true = [k + 1 if 0 <= k < 100 else 0 for k in range(first, last)]
        assert window.part(first, last)[0].tolist() == true


def test_a_piece_goes_on_straight_beyond_its_knots() -> None:
    at = np.arange(0, 10, 0.05)
    warp = Warp((Piece(0, 10, at, wowing(at)),))
    assert warp.speed == pytest.approx(1.005, abs=2e-4)
    assert warp.pieces[0](np.array([20.0]))[0] == pytest.approx(wowing(np.array([20.0]))[0], abs=5e-3)


def test_what_turns_with_the_record_is_kept_and_errors_are_not() -> None:
    rng = np.random.default_rng(3)
    at = 1024 / 22_050 * np.arange(900)
    true = 10 * np.sin(2 * np.pi * 1.304 * at) + 3 * np.sin(2 * np.pi * 2.608 * at + 1) + 20 * np.sin(at / 1.1)
    sigma = np.where(np.sin(at) > 0.5, 3.0, 0.5)
    noisy = true + sigma * rng.standard_normal(len(at))
    noisy[::97] += 200
    start = fitted(noisy, sigma**-2, stiffness=2.0)
    assert rotation_of(at, start, sigma**-2) == pytest.approx(1.304, abs=0.02)
    found = turning(at, noisy, sigma**-2, start=start)
    assert np.std((found - true)[20:-20]) < 0.35
    assert np.std((start - true)[20:-20]) > 2 * np.std((found - true)[20:-20])


def test_the_rotation_is_not_half_of_it_nor_what_hardly_anything_is_known_of() -> None:
    at = 0.046 * np.arange(900)
    wow = np.sin(2 * np.pi * 1.304 * at) + 0.1 * np.sin(2 * np.pi * 0.652 * at)
    unknown = np.where(at < 12, 30 * np.sin(2 * np.pi * 0.9 * at), 0.0)
    weights = np.where(at < 12, 1e-3, 1.0)
    assert rotation_of(at, wow + unknown, weights) == pytest.approx(1.304, abs=0.02)


def test_a_delay_is_as_uncertain_as_it_says_and_noise_alone_says_none() -> None:
    rng = np.random.default_rng(4)
    counts = np.diff(np.unique(np.rint(np.array(EDGES) * N / LOW_RATE).astype(int)))
    omega, late = 2 * np.pi * CENTRES, 3e-6
    parts = np.zeros((3, 400, len(counts)), complex)
    for band, count in enumerate(counts):
        shape = (400, count)
        music, a, b = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(3))
        # The second half has no music.
        music[200:] = 0
        x, y = music + 0.5 * a, music * np.exp(-1j * omega[band] * late) + 0.5 * b
        parts[:, :, band] = [(abs(x) ** 2).sum(1), (abs(y) ** 2).sum(1), (x * y.conj()).sum(1)]
    x, y, c = parts
    track = Track(0.046 * np.arange(400), x.real.astype(np.float32), y.real.astype(np.float32), c.astype(np.complex64))
    heard = agreement([track], polarity=1, limit=1e4, settings=FineSettings())
    found, weights = shifts(track, heard, polarity=1)
    inside = slice(10, 190)
    off = (found[inside] - np.median(found[inside])) * np.sqrt(weights[inside])
    # Bins are independent here: two thirds of the variance that frames with a window have, and a little for music.
    assert 0.6 < np.std(off) < 1.0
    assert np.median(weights[210:]) == 0


def test_smoothing_goes_to_zero_where_nothing_is_known() -> None:
    weights = np.where(np.arange(200) < 100, 1.0, 0.0)
    assert np.abs(fitted(np.full(200, 5.0), weights, stiffness=2.0)[150:]).max() < 0.5


def struck(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Onsets as of music: few and strong."""
    hits = (rng.random((frames, 1)) < 0.1) * rng.random((frames, BANDS))
    return hits / np.sqrt(np.mean(hits**2))


@pytest.mark.parametrize("speed", [1.0, 1.004, 0.97, 45 / 78.26])
def test_a_coarse_match_finds_speed_and_start(speed: float) -> None:
    rng = np.random.default_rng(1)
    fine = np.repeat(struck(rng, 3000), 4, axis=0)
    at = np.arange(int(2500 / speed)) * speed * 4
    heard = fine[at.astype(int)] + 0.5 * rng.standard_normal((len(at), BANDS))
    found = match(fine[400::4], heard)
    (line,) = found.lines
    assert line.speed == pytest.approx(1 / speed, rel=2e-3)
    # 100 frames later, so the music is where the reference has begun 100 frames before.
    assert line.offset + line.speed * 20 == pytest.approx((20 + 100 / FEATURE_RATE) / speed, abs=0.06)


def test_a_groove_that_repeats_makes_two_lines_and_chance_makes_none() -> None:
    rng = np.random.default_rng(2)
    first = struck(rng, 2500)
    repeated = np.concatenate([first[:1200], first[1160:]])
    found = match(first, repeated)
    assert [round(line.offset * FEATURE_RATE) for line in found.lines] == [0, 40]
    with pytest.raises(AudioError, match="no stretch"):
        match(first, struck(rng, 2500))


def test_the_response_is_that_of_the_music_whatever_the_noise() -> None:
    rng = np.random.default_rng(4)
    shape, count = (400, len(CENTRES)), 400
    spectra = [rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(3)]
    gain = 10 ** (np.linspace(-6, 6, len(CENTRES)) / 20) * np.exp(0.3j)
    x, y = spectra[0] + 0.5 * spectra[1], -gain * spectra[0] + 0.8 * spectra[2]
    track = Track(np.arange(count, dtype=float), np.abs(x) ** 2, np.abs(y) ** 2, (x * y.conj()))
    noises = np.full(len(CENTRES), 2 * 0.5**2), np.full(len(CENTRES), 2 * 0.8**2)
    found = response_of([track], *noises, polarity=-1)
    assert np.abs(found.db - np.linspace(-6, 6, len(CENTRES))).max() < 1.5
    assert np.abs(found.phase - 0.3).max() < 0.2
    assert np.angle(found.at(np.array([1000.0]))[0]) == pytest.approx(0.3 - np.pi, abs=0.2)


@pytest.mark.parametrize("count", [2, 3])
def test_weights_follow_a_burst_in_one_transfer(count: int) -> None:
    rng = np.random.default_rng(5)
    shape = (256, 60)
    sound = 3 * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    noises = rng.standard_normal((count, *shape)) + 1j * rng.standard_normal((count, *shape))
    noises[0][:, 30:40] *= 10
    weights = weights_of(sound + noises, np.full((count, *shape), 2.0), WeightSettings())
    assert np.allclose(weights.sum(axis=0), 1)
    assert weights[0][:, 32:38].mean() < 0.1 / count
    assert weights[0][:, 5:25].mean() == pytest.approx(1 / count, abs=0.1)


def test_nothing_of_a_transfer_that_is_not_there() -> None:
    rng = np.random.default_rng(6)
    spectra = rng.standard_normal((2, 64, 20)) + 1j * rng.standard_normal((2, 64, 20))
    expected = np.ones((2, 64, 20))
    expected[1, :, 10:] = np.inf
    weights = weights_of(spectra, expected, WeightSettings())
    assert (weights[1, :, 10:] == 0).all()
    assert (weights[1, :, :10] > 0).all()
