"""Clicks: what is found, what is left alone, and that chunks do not matter."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from regroove.dsp.autoregression import Interpolation, autocorrelation, models_from
from regroove.noise.clicks.detect import ClickSettings
from regroove.noise.clicks.repair import BLOCK, ClickRepairer, repair_clicks
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesis_settings import OFF, RecordNoise
from regroove.noise.make.synthesise import synthesise
from regroove.training.corpus.percussion import drum_beat, pick

RATE = 44_100
DATA = Path(__file__).parents[2] / "shared" / "data" / "validation"

# Found by a search in double precision that examined each sample anew in every pass: first samples and lengths.
FOUND = [
    (
        "shellac",
        44100,
        0.137616,
        "4553+8 6007+21 7182+6 9408+7 15899+37 18542+16 18648+4 20158+8 22489+9 25498+6 25774+51 26568+7 "
        "31915+18 32314+19 33931+37 36700+7 37429+12 39708+3 43442+17 50723+100 52903+4 59685+6 64619+36 "
        "71684+10 74836+11 75697+9 76009+7 79177+7 81051+5 81871+12 87204+13",
    ),
    (
        "shellac-worn",
        44100,
        1.245047,
        "4832+17 5382+3 7747+22 7830+2 19064+3 19486+3 22596+7 25302+7 25774+5 35093+22 35635+35 35923+7 "
        "44975+19 50813+16 53748+31 54289+11 59685+6 60339+4 61889+11 63406+15 66090+15 66749+8 67358+25 "
        "67952+2 70021+64 72399+3 75608+2 79098+6 79817+11 84298+4 85146+3 87904+4",
    ),
    (
        "shellac",
        96000,
        0.212373,
        "9911+22 13076+41 15634+29 20487+18 29054+64 34612+27 35941+64 40363+10 40596+6 48951+14 55506+8 "
        "56075+64 57836+9 64243+12 79899+6 81492+56 84154+6 86440+8 110385+64 115132+64 128449+48 129928+8 "
        "139706+6 140669+78 156048+20 158330+14 160308+6 162909+24 164781+8 172363+6 176439+11 178236+6",
    ),
]


def tones(seconds: float, *, floor: float = 1e-3, rate: int = RATE) -> np.ndarray:
    """A chord with a little noise under it."""
    times = np.arange(round(seconds * rate)) / rate
    chord = sum(0.1 * np.sin(2 * np.pi * f * times + f) for f in (220, 277.2, 329.6, 1760))
    return chord + floor * np.random.default_rng(0).standard_normal(len(times))


def sdr(truth: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(truth**2) / np.sum((found - truth) ** 2)))


def test_model_of_a_known_process_is_found() -> None:
    coefficients = np.array([1.0, -1.6, 0.9])
    signal = lfilter([1.0], coefficients, np.random.default_rng(0).standard_normal(40_000))
    np.testing.assert_allclose(models_from(autocorrelation(signal, order=2)), coefficients, atol=0.02)


def test_interpolation_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(120)
    model = models_from(autocorrelation(rng.standard_normal(64), order=6))
    unknown = np.array([40, 41, 43, 44, 45, 60])
    rows = np.stack([np.roll(np.pad(model[::-1], (0, 113)), k) for k in range(114)])
    known = np.setdiff1d(np.arange(120), unknown)
    expected = np.linalg.lstsq(rows[:, unknown], -rows[:, known] @ signal[known], rcond=None)[0]
    np.testing.assert_allclose(Interpolation(signal, unknown, model=model).values(), expected, atol=1e-6)


def test_full_trust_keeps_the_samples() -> None:
    signal = np.random.default_rng(0).standard_normal(100)
    unknown = np.arange(50, 55)
    found = Interpolation(signal, unknown, model=np.array([1.0, -0.5])).values(1e9)
    np.testing.assert_allclose(found, signal[unknown], atol=1e-6)


@pytest.mark.parametrize("length", [1, 10, 60, 150])
def test_clicks_of_up_to_five_milliseconds_are_repaired(length: int) -> None:
    music = tones(1.0)
    clicked = music.copy()
    at = [9_000, 20_000, 33_300]
    for start in at:
        clicked[start : start + length] += 0.6 * np.random.default_rng(start).uniform(0.5, 1, length)
    done = repair_clicks(clicked, sample_rate=RATE)
    for start in at:
        assert done.interpolated[start : start + length].mean() > 0.9
    assert done.interpolated.sum() < 3 * (length + 60)
    assert sdr(music, done.samples) > sdr(music, clicked) + (15 if length < 100 else 6)
    np.testing.assert_array_equal(done.samples[~done.interpolated], clicked[~done.interpolated])


def test_what_is_too_long_is_left_alone_and_said() -> None:
    clicked = tones(1.0)
    clicked[20_000:20_600] += np.random.default_rng(1).uniform(-0.8, 0.8, 600)
    done = repair_clicks(clicked, sample_rate=RATE)
    assert done.long[20_100:20_500].mean() > 0.9
    np.testing.assert_array_equal(done.samples, clicked)


@pytest.mark.parametrize("decay", [0.008, 0.02, 0.2])
def test_onsets_are_left_alone(decay: float) -> None:
    """Castanets, a plucked string and a hammer: a sharp attack, then a decay of broadband sound."""
    times = np.arange(RATE) / RATE
    rng = np.random.default_rng(0)
    struck = np.zeros(RATE)
    for start in (8_000, 19_000, 30_000):
        after = times[: RATE - start]
        struck[start:] += np.exp(-after / decay) * (
            0.3 * np.sin(2 * np.pi * 2300 * after) + 0.1 * rng.standard_normal(len(after))
        )
    music = struck + 1e-4 * rng.standard_normal(RATE)
    done = repair_clicks(music, sample_rate=RATE)
    np.testing.assert_array_equal(done.samples, music)


def test_pulses_of_a_reed_are_left_alone() -> None:
    pulses = np.zeros(RATE)
    pulses[:: RATE // 90] = 1.0
    reed = 0.2 * lfilter([1.0], [1, -1.2, 0.5], pulses) + 1e-4 * np.random.default_rng(0).standard_normal(RATE)
    np.testing.assert_array_equal(repair_clicks(reed, sample_rate=RATE).samples, reed)


def test_a_recording_cut_short_has_no_click_at_its_ends() -> None:
    music = np.pad(tones(0.5), 5_000)
    assert not repair_clicks(music, sample_rate=RATE).interpolated.any()


def test_silence_is_silence() -> None:
    assert not repair_clicks(np.zeros(5_000), sample_rate=RATE).samples.any()


def test_clean_recordings_are_unharmed() -> None:
    if not DATA.is_dir():
        pytest.skip("shared/ with the validation music is not here")
    from regroove.audio.load import read_audio

    for name in ("cello-phrase", "orchestra", "sax-phrase"):
        samples, rate = read_audio(DATA / "other" / f"{name}.flac", dtype="float64")
        done = repair_clicks(samples[0], sample_rate=rate)
        assert np.sum((done.samples - samples[0]) ** 2) < 1e-6 * np.sum(samples[0] ** 2), name


@pytest.mark.parametrize("seed", range(8))
def test_picked_strings_and_drums_are_left_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tune = np.array([[0.3 * k, 1.0, 52.0 + 5 * (k % 4), 100.0] for k in range(8)])
    strings = pick(tune, rng, seconds=2.4, sample_rate=RATE).astype(np.float64)
    air = 1e-3 * rng.standard_normal(len(strings))
    drums = drum_beat(rng, seconds=2.4, sample_rate=RATE).astype(np.float64)
    assert not repair_clicks(0.1 * (strings + air), sample_rate=RATE).interpolated.any()
    # A stroke of a millisecond cannot be told from a click.
    assert sdr(drums, repair_clicks(0.1 * (drums + air), sample_rate=RATE).samples / 0.1 - air) > 20


def test_loud_crackle_of_a_record_is_reduced() -> None:
    settings = RecordNoise(hiss=-50, clicks=-36, click_rate=8)
    noisy = synthesise(settings, length=2 * RATE, sample_rate=RATE, seed=1).astype(np.float64)
    hiss = synthesise(replace(settings, clicks=OFF), length=2 * RATE, sample_rate=RATE, seed=1).astype(np.float64)
    done = repair_clicks(hiss + tones(2.0) + (noisy - hiss), sample_rate=RATE)
    assert sdr(hiss + tones(2.0), done.samples) > sdr(hiss + tones(2.0), noisy + tones(2.0)) + 10


@pytest.mark.parametrize(("size", "workers"), [(777, 1), (10**7, 1), (100_000, 2)])
def test_chunks_and_workers_do_not_matter(size: int, workers: int) -> None:
    length = 2 * BLOCK + 12_345
    noise = RecordNoise(hiss=-50, clicks=-36, click_rate=8)
    music = synthesise(noise, length=length, sample_rate=RATE, seed=2).astype(np.float64)

    def streamed(step: int, workers: int) -> tuple[np.ndarray, int]:
        repairer = ClickRepairer(sample_rate=RATE, workers=workers)
        parts = [repairer.process(music[i : i + step]) for i in range(0, length, step)]
        return np.concatenate([*parts, repairer.flush()]), repairer.repaired

    found, count = streamed(size, workers)
    expected, expected_count = streamed(100_000, 1)
    np.testing.assert_array_equal(found, expected)
    assert count == expected_count > 10
    whole = repair_clicks(music, sample_rate=RATE).samples
    assert sdr(whole, found) > 50


def test_settings_say_what_a_click_is() -> None:
    clicked = tones(0.5)
    clicked[10_000] += 0.3
    assert repair_clicks(clicked, sample_rate=RATE).interpolated.any()
    strict = ClickSettings(threshold=1e6)
    assert not repair_clicks(clicked, sample_rate=RATE, settings=strict).interpolated.any()


@pytest.mark.parametrize(("noise", "rate", "energy", "spans"), FOUND)
def test_speed_changes_no_result(noise: str, rate: int, energy: float, spans: str) -> None:
    crackle = synthesise(preset(noise), length=2 * rate, sample_rate=rate, seed=5).astype(np.float64)
    signal = tones(2.0, floor=0.0, rate=rate) + 0.3 * crackle
    done = repair_clicks(signal, sample_rate=rate)
    edges = np.flatnonzero(np.diff(np.pad(done.interpolated, 1).astype(np.int8))).reshape(-1, 2)
    assert " ".join(f"{start}+{end - start}" for start, end in edges) == spans
    assert np.sum((done.samples - signal) ** 2) == pytest.approx(energy, abs=2e-6)


def test_many_groups_are_interpolated_as_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    signal = rng.standard_normal(400)
    models = np.stack([models_from(autocorrelation(rng.standard_normal(64), order=6)) for _ in range(3)])
    groups = [np.array([40, 41, 43, 50]), np.array([90]), np.arange(200, 240)]
    trust = np.array([0.0, 0.5, 1e-3])
    each = zip(groups, models, trust, strict=True)
    alone = [Interpolation(signal, at, model=model).values(float(share)) for at, model, share in each]
    which = np.repeat(np.arange(3), [len(at) for at in groups])
    together = Interpolation(signal, np.concatenate(groups), model=models, group=which).values(trust)
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-12)
