"""Two walls of one record: evidence, alignment, clicks and combination, on made-up music with known answers."""

from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy.signal import butter, fftconvolve, lfilter, sosfiltfilt

from regroove.walls.bursts import momentary_share
from regroove.walls.clicks import fill_clicks
from regroove.walls.combiner import CONTEXT, CORE, WallCombiner
from regroove.walls.delay_between_walls import DelayFollower, Sighting
from regroove.walls.one import OneRecord
from regroove.walls.one_record_test import MOST_LEAK, weigh
from regroove.walls.statistics import WallMeter, WallStatistics
from regroove.walls.wall_plan import WallPlan, plan_of

RATE = 44_100
SECONDS = 16


def decibels(ratio: float) -> float:
    return float(10 * np.log10(ratio))


@lru_cache
def notes(seed: int) -> np.ndarray:
    """Tones with overtones that begin and fade, a few at a time: ``(time,)``."""
    rng = np.random.default_rng(seed)
    music = np.zeros(SECONDS * RATE)
    times = np.arange(RATE) / RATE
    fade = np.exp(-times * 3) * np.minimum(times * 200, 1)
    for start in rng.integers(0, (SECONDS - 1) * RATE, 5 * SECONDS):
        pitch = 110 * 2 ** (rng.integers(0, 36) / 12)
        for overtone in range(1, 11):
            wave = np.sin(2 * np.pi * pitch * overtone * times + rng.uniform(0, 6)) / overtone
            music[start : start + RATE] += wave * fade
    return 0.1 * music / music.std()


def shifted(x: np.ndarray, samples: float) -> np.ndarray:
    """``x`` later by a constant delay."""
    turns = np.exp(-1j * np.pi * np.arange(len(x) // 2 + 1) / (len(x) // 2) * samples)
    return np.fft.irfft(np.fft.rfft(x) * turns, len(x))


def hiss(seed: int) -> np.ndarray:
    """Independent, pinkish noise of two walls at 20 dB below the music."""
    noise = lfilter([1.0], [1.0, -0.9], np.random.default_rng(seed).standard_normal((2, SECONDS * RATE)), axis=-1)
    return 0.01 * noise / noise.std(axis=-1, keepdims=True)


def heard(walls: np.ndarray) -> WallStatistics:
    meter = WallMeter(sample_rate=RATE)
    for chunk in torch.from_numpy(walls).float().split(50_000, dim=-1):
        meter.add(chunk)
    return meter.finish()


def combined(walls: np.ndarray, plan: WallPlan, size: int = 50_000) -> np.ndarray:
    combiner = WallCombiner(plan, sample_rate=RATE)
    parts = [combiner.push(chunk) for chunk in torch.from_numpy(walls).float().split(size, dim=-1)]
    return torch.cat([*parts, combiner.finish()], dim=-1).double().numpy()


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    return notes(1)


@pytest.fixture(scope="module")
def clean(music: np.ndarray) -> np.ndarray:
    """The right wall 3 dB louder and 2.5 samples later, both about the music."""
    return np.stack([shifted(music, -1.25) * 10 ** (-1.5 / 20), shifted(music, 1.25) * 10 ** (1.5 / 20)])


@pytest.fixture(scope="module")
def noisy(clean: np.ndarray) -> np.ndarray:
    return clean + hiss(2) * np.array([[1.0], [2.0]])


@pytest.fixture(scope="module")
def plan(noisy: np.ndarray) -> WallPlan:
    return plan_of(heard(noisy), sample_rate=RATE)


def test_a_mono_record_is_one(plan: WallPlan) -> None:
    assert plan.evidence.one_record
    assert plan.evidence.bound < MOST_LEAK
    assert "at most" in plan.evidence.reason


def test_alignment(plan: WallPlan) -> None:
    # The last segment is hardly music.
    assert np.abs(plan.delay.delay - 2.5)[:-1].max() < 0.01
    assert plan.polarity == 1
    inside = slice(20, 400)
    assert np.abs(plan.gains_db[inside] - 3.0).max() < 0.3


def test_a_vertical_cut_is_turned_over(noisy: np.ndarray) -> None:
    turned = plan_of(heard(noisy * np.array([[1.0], [-1.0]])), sample_rate=RATE)
    assert turned.polarity == -1
    assert turned.evidence.one_record


def test_delay_that_wanders(music: np.ndarray) -> None:
    at = np.arange(len(music))
    delay = 1.0 + 0.5 * np.sin(2 * np.pi * at / len(music))
    walls = np.stack([music, np.interp(at - delay, at, music)]) + hiss(3)
    track = heard(walls).delay
    error = track.delay - np.interp(track.samples, at, delay)
    assert np.sqrt(np.mean(error[1:-1] ** 2)) < 0.03


def test_noise_that_both_walls_share_does_not_move_the_delay(clean: np.ndarray) -> None:
    rng = np.random.default_rng(10)
    shared = hiss(2)[0]
    # Hum's harmonics up to 15 kHz, as pulses, and crackle; after a second and a half of both alone.
    shared[:: RATE // 100] += 0.05
    shared[rng.integers(0, len(shared), 300)] += 0.3
    lead = slice(round(1.5 * RATE))
    walls = np.concatenate([hiss(3)[:, lead] + shared[lead], clean + hiss(3) + shared], axis=1)
    track = heard(walls).delay
    heard_music = (track.samples > 2 * RATE) & (track.samples < SECONDS * RATE)
    assert np.abs(track.delay - 2.5)[heard_music].max() < 0.03


@pytest.mark.parametrize("width", [1.0, 0.3])
def test_stereo_is_not_one_record(music: np.ndarray, width: float) -> None:
    sides = notes(5) * width
    evidence = weigh(heard(np.stack([music + sides, music - sides]) + hiss(4)))
    assert not evidence.one_record


def test_the_bands_that_are_known_best_do_not_speak_for_others(music: np.ndarray) -> None:
    # An echo up to 2 kHz, 24 dB below the music there; above, known best, there is one image.
    sides = 0.066 * sosfiltfilt(butter(4, (100, 2000), "bandpass", fs=RATE, output="sos"), np.roll(music, 900))
    assert not weigh(heard(np.stack([music + sides, music - sides]) + 0.1 * hiss(4))).one_record


def test_a_solo_in_the_middle_of_its_room_is_stereo(music: np.ndarray) -> None:
    rng = np.random.default_rng(6)
    decay = np.exp(-np.arange(RATE // 2) / (0.15 * RATE))
    rooms = [fftconvolve(music, 0.006 * rng.standard_normal(len(decay)) * decay)[: len(music)] for _ in range(2)]
    assert decibels(np.mean((rooms[0] - rooms[1]) ** 2) / np.mean((2 * music) ** 2)) < -10
    assert not weigh(heard(np.stack([music + room for room in rooms]) + hiss(7))).one_record


def test_what_is_too_short_stays_separate(noisy: np.ndarray) -> None:
    assert weigh(heard(noisy[:, : 5 * RATE])).reason == "The recording is too short to tell."


def test_a_channel_without_music_stays_separate(noisy: np.ndarray) -> None:
    lonely = noisy.copy()
    lonely[1] = hiss(8)[1]
    assert not weigh(heard(lonely)).one_record


def test_statistics_do_not_grow(monkeypatch: pytest.MonkeyPatch, noisy: np.ndarray) -> None:
    whole = heard(noisy).products
    monkeypatch.setattr("regroove.walls.statistics.MOST_GROUPS", 6)
    few = heard(noisy).products
    assert len(whole) > 6 >= len(few)
    np.testing.assert_allclose(few.sum(axis=0), whole.sum(axis=0))


def test_the_combination_is_better_than_either_wall(
    music: np.ndarray, clean: np.ndarray, noisy: np.ndarray, plan: WallPlan
) -> None:
    error = combined(noisy, plan)[0] - music
    inside = slice(RATE, -RATE)
    gain = decibels(np.mean((noisy[0] - clean[0])[inside] ** 2) / np.mean(error[inside] ** 2))
    # In terms of the music the walls' noise is +1.5 and +4.5 dB of a hundredth: together -0.3 dB.
    assert gain > 0.0
    mean = decibels(np.mean((noisy.mean(axis=0) - music)[inside] ** 2) / np.mean(error[inside] ** 2))
    assert mean > 1.0


def test_music_passes_as_it_is(music: np.ndarray, clean: np.ndarray, plan: WallPlan) -> None:
    error = combined(clean, plan)[0] - music
    inside = slice(RATE, -RATE)
    assert decibels(np.mean(music[inside] ** 2) / np.mean(error[inside] ** 2)) > 40


def test_chunks_do_not_matter(noisy: np.ndarray, plan: WallPlan) -> None:
    short = noisy[:, : CORE + CONTEXT + 777]
    once = combined(short, plan, size=short.shape[1])
    assert once.shape == (1, short.shape[1])
    assert np.array_equal(once, combined(short, plan, size=9_999))


def test_clicks_of_one_wall_are_filled_from_the_other(music: np.ndarray) -> None:
    length = 65_536
    walls = np.stack([music[:length]] * 2) + 0.1 * hiss(9)[:, :length]
    clicked = walls.copy()
    for at in range(5_000, length - 5_000, 5_000):
        clicked[at // 5_000 % 2, at : at + 15] += 0.3 * np.hanning(15)
    where = clicked != walls
    filled = fill_clicks(clicked, sample_rate=RATE)
    floor = np.mean((0.1 * hiss(9)) ** 2)
    assert decibels(np.mean((clicked - walls)[where] ** 2) / floor) > 30
    assert decibels(np.mean((filled - walls)[where] ** 2) / floor) < 6


def test_clicks_of_both_walls_are_left_to_the_repair(music: np.ndarray) -> None:
    walls = np.stack([music[:32_768]] * 2) + 0.1 * hiss(9)[:, :32_768]
    walls[:, 16_000:16_015] += 0.3 * np.hanning(15)
    assert np.array_equal(fill_clicks(walls, sample_rate=RATE), walls)


def test_bursts_are_left_to_the_other_wall() -> None:
    g = torch.Generator().manual_seed(1)
    music, first, second = (torch.randn(513, 60, generator=g, dtype=torch.complex64) for _ in range(3))
    first[:, 25:35] *= 10
    share = momentary_share(music + (first + second) / 2, first - second)
    assert share[10:, 27:33].mean() > 0.35
    assert share[10:, 5:15].abs().mean() < 0.2


def test_one_false_sighting_does_not_move_the_delay() -> None:
    follower = DelayFollower()
    for i in range(20):
        follower.add(Sighting(-8.0 if i == 9 else 1.0, 1e-4, 5.0))
    assert np.abs(follower.course() - 1.0).max() < 0.01


def test_plain_mixes() -> None:
    maker = OneRecord((0.5, -0.5), None).maker(sample_rate=RATE)
    assert torch.equal(maker.push(torch.tensor([[1.0], [0.5]])), torch.tensor([[0.25]]))
    assert maker.finish().shape == (1, 0)
