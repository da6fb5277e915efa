"""What speaks against a steady part being noise: four kinds of evidence, each by itself."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from regroove.audio.load import read_audio
from regroove.noise.find.evidence import NoiseSettings, against, floor_of, is_noise, over_floor
from regroove.noise.find.moments import MomentCutter
from regroove.noise.find.segments import Segment, Segmenter
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
NOISE = Path(__file__).parents[2] / "shared" / "data" / "noise"
SETTINGS = NoiseSettings()
Make = Callable[..., Segment]


def levels_around(count: int = 200) -> np.ndarray:
    """Moments of one channel whose floor is where a part of -60 dB has it."""
    return np.tile(-60 + 0.5 * np.random.default_rng(1).standard_normal((count, 1, 1)), (1, 1, 23)) + 0.0


def score(part: Segment, levels: np.ndarray | None = None) -> float:
    return against(part, levels_around() if levels is None else levels, SETTINGS)


def parts_of(samples: np.ndarray) -> tuple[list[Segment], np.ndarray]:
    """The steady parts of ``(time,)`` samples, and the levels of all moments."""
    cutter, segmenter = MomentCutter(sample_rate=RATE, channels=1), Segmenter(sample_rate=RATE)
    audio = torch.from_numpy(samples).float()[None]
    moments = cutter.add(audio) + cutter.finish()
    parts = [p for m in moments for p in segmenter.add(m)] + segmenter.finish()
    return parts, np.stack([m.levels for m in moments])


def worst(samples: np.ndarray) -> float:
    """The mean score of the parts, by how long they are."""
    parts, levels = parts_of(samples)
    return float(np.average([score(p, levels) for p in parts], weights=[p.count for p in parts]))


@pytest.mark.parametrize("name", ["shellac", "shellac-worn", "shellac-rough", "acetate", "vinyl", "tape"])
def test_little_speaks_against_noise(name: str) -> None:
    assert worst(synthesise(preset(name), length=6 * RATE, sample_rate=RATE, seed=1)) < 0.9


@pytest.mark.parametrize("name", ["film_static", "vinyl_crackle_dense", "vinyl_crackle_light", "vinyl_dust"])
def test_little_speaks_against_recorded_noise(name: str) -> None:
    path = NOISE / f"{name}.flac"
    if not path.exists():
        pytest.skip(f"{path} is absent: it is not in the repository")
    samples, rate = read_audio(path)
    middle = samples.shape[-1] // 2
    assert rate == RATE
    assert worst(samples.reshape(-1, samples.shape[-1])[0, middle : middle + 8 * RATE]) < 0.9


def test_much_speaks_against_a_chord_that_is_held() -> None:
    t = np.arange(8 * RATE) / RATE
    hiss = 1e-3 * np.random.default_rng(1).standard_normal(t.size)
    chord = [0.05 * np.sin(2 * np.pi * f * t * k) / k for f in (220, 277, 330) for k in (1, 2, 3, 4)]
    parts, levels = parts_of(hiss + (t >= 3) * (t < 6) * np.sum(chord, axis=0))
    (held,) = [p for p in parts if p.start > 30 and p.end < 66]
    assert score(held, levels) > 2.1
    assert score(parts[0], levels) < 0.9


# What is just not too much, and just too much, of each kind of evidence alone: 1.3 units of 0.35, 1 dB, 5 dB and 0.6.
@pytest.mark.parametrize(("share", "is_too_much"), [(0.38, False), (0.55, True)])
def test_a_spectrum_that_changes_its_shape(steady_part: Make, share: float, is_too_much: bool) -> None:
    part = steady_part(0, 20, unrest=np.full((1, 6), 1 + share))
    assert is_noise(part, levels_around(), np.arange(200), SETTINGS, most=SETTINGS.most) is not is_too_much


@pytest.mark.parametrize(("db", "is_too_much"), [(4.2, False), (5.0, True)])
def test_a_part_above_the_floor(steady_part: Make, db: float, is_too_much: bool) -> None:
    """A fifth of the bands, none alone too much: were they more, it would be the same noise at another level."""
    level = np.where(np.arange(23) % 5 == 2, -60 + db, -60)
    part = steady_part(40, 60, level, spread=np.zeros((1, 23)))
    assert (score(part, np.full((200, 1, 23), -60.0)) > SETTINGS.most) is is_too_much


@pytest.mark.parametrize(("db", "is_too_much"), [(7.0, False), (9.3, True)])
def test_one_band_above_the_floor(steady_part: Make, db: float, is_too_much: bool) -> None:
    level = np.full(23, -60.0)
    level[12] += db
    part = steady_part(40, 60, level, spread=np.zeros((1, 23)))
    assert (score(part, np.full((200, 1, 23), -60.0)) > SETTINGS.most) is is_too_much


def test_how_much_of_one_band_is_free(steady_part: Make) -> None:
    """Together with a little unrest 4 dB in one band are too much, and 2.5 dB are not."""
    scores = []
    for db in (2.5, 6.0):
        level = np.full(23, -60.0)
        level[12] += db
        part = steady_part(40, 60, level, spread=np.zeros((1, 23)), unrest=np.full((1, 6), 1.35))
        scores.append(score(part, np.full((200, 1, 23), -60.0)) - 1.0 - db / 23)
    assert scores[0] == pytest.approx(0.0, abs=1e-9) and 0.45 < scores[1] < 0.75


@pytest.mark.parametrize(("nepers", "is_too_much"), [(0.95, False), (1.25, True)])
def test_bins_that_differ(steady_part: Make, nepers: float, is_too_much: bool) -> None:
    part = steady_part(0, 20, tonality=np.array([[0, nepers, 0, 9, 9]]))
    assert is_noise(part, levels_around(), np.arange(200), SETTINGS, most=SETTINGS.most) is not is_too_much


def test_how_tonal_noise_may_be(steady_part: Make) -> None:
    """A horn's resonance is free, twice as much is not."""
    scores = [score(steady_part(0, 20, tonality=np.full((1, 5), n))) - score(steady_part(0, 20)) for n in (0.28, 0.44)]
    assert scores[0] == 0.0 and 0.15 < scores[1] < 0.35


def test_the_four_kinds_add_up(steady_part: Make) -> None:
    part = steady_part(0, 20, unrest=np.full((1, 6), 1.2), tonality=np.full((1, 5), 0.9))
    one = replace(part, unrest=np.ones((1, 6)))
    other = replace(part, tonality=np.zeros((1, 5)))
    noise = [is_noise(p, levels_around(), np.arange(200), SETTINGS, most=SETTINGS.most) for p in (one, other, part)]
    assert noise == [True, True, False]


def test_the_same_noise_at_another_level_is_no_floor(steady_part: Make) -> None:
    levels = levels_around()
    levels[100:] -= 20
    assert over_floor(steady_part(0, 50), levels)[0] < 0.1
    levels[100:, :, 3:9] += 20
    # Most bands are lower by 20 dB: now those are the level, and the others say nothing.
    assert over_floor(steady_part(0, 50), levels)[0] < 0.1
    levels[100:, :, :19] = -60
    # A sixth of the bands: music that has ended there.
    assert over_floor(steady_part(0, 50), levels)[0] > 2


@pytest.mark.parametrize(("share", "common"), [(0.2, False), (0.33, True)])
def test_what_all_bands_have_in_common(steady_part: Make, share: float, common: bool) -> None:
    """Noise turned down by 20 dB, in which music fills all bands but a share."""
    levels = np.full((200, 1, 23), -60.0)
    levels[100:] = -40
    levels[100:, :, : round(23 * share)] = -80
    assert (over_floor(steady_part(0, 50), levels)[0] < 0.1) is common


@pytest.mark.parametrize(("count", "share"), [(60, 0.05), (600, 0.02), (6000, 0.01)])
def test_the_floor_is_a_twentieth_or_a_second(count: int, share: float) -> None:
    levels = np.linspace(0, 100, count)[:, None, None]
    assert floor_of(levels)[0].item() == pytest.approx(100 * share, rel=0.2, abs=0.02)


@pytest.mark.parametrize(("rise_db", "says_nothing"), [(2.4, True), (3.9, False)])
def test_what_is_quieter_before_a_lead_in_is_no_floor(steady_part: Make, rise_db: float, says_nothing: bool) -> None:
    """A motor lacks the lowest bands; with more than a little above the groove's noise it would be music."""
    levels = np.full((200, 1, 23), -30.0)
    levels[:60] = -60
    levels[:30, :, :3] = -68
    levels[:30, :, -4:] = -60 + rise_db
    assert is_noise(steady_part(30, 60), levels, np.arange(200), SETTINGS, most=SETTINGS.most) is says_nothing


@pytest.mark.parametrize(("below_db", "says_nothing"), [(9.5, False), (15.0, True)])
def test_what_is_idle_at_an_end_is_no_floor(steady_part: Make, below_db: float, says_nothing: bool) -> None:
    """Nearly all bands fall by so much, and a few of them more: the needle is up, or a chord has ended."""
    levels = np.full((200, 1, 23), -60.0)
    levels[40:160] = -40
    levels[160:] = -60 - below_db
    levels[160:, :, ::5] = -90
    # Before the part, something louder than it, or what is quiet would be left out for that.
    levels[:10] = -40
    assert is_noise(steady_part(10, 40), levels, np.arange(200), SETTINGS, most=SETTINGS.most) is says_nothing


@pytest.mark.parametrize(("share", "is_hum"), [(0.35, True), (0.5, False)])
def test_tones_that_are_steadier_than_noise_are_hum(steady_part: Make, share: float, is_hum: bool) -> None:
    part = steady_part(0, 20, unrest=np.full((1, 6), share), tonality=np.full((1, 5), 9.0))
    assert is_noise(part, levels_around(), np.arange(200), SETTINGS, most=SETTINGS.most) is is_hum
