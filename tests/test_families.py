"""Families of hard noise: what each promises of its cases, variants of a recording, and the suite of them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from regroove.errors import SettingsError
from regroove.evaluation.cases.families.coded import through_codec, without_codec_delay
from regroove.evaluation.cases.families.family_case import FamilyCase
from regroove.evaluation.cases.families.family_table import FAMILIES, family_case
from regroove.evaluation.cases.families.variants import Variant, variants
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.suites import Case, load_suite
from regroove.evaluation.cases.wild_suite import wild_suite
from regroove.evaluation.clip_files import write_audio

DATA = Path(__file__).parents[2] / "shared" / "data"
NOISY = [name for name, family in FAMILIES.items() if family.noisy]
# Coding is no sum: what it adds to the noise depends on the music.
ADDED = [name for name in NOISY if name not in ("codec", "bits")]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eight seconds of notes that begin at once."""
    t = np.arange(8 * SUITE_RATE) / SUITE_RATE
    notes = np.sin(2 * np.pi * 330 * t) * np.exp(-5 * (t % 0.5)) + np.sin(2 * np.pi * 880 * t) * np.exp(-9 * (t % 0.25))
    path = tmp_path_factory.mktemp("music") / "notes.wav"
    write_audio(path, 0.2 * notes, sample_rate=SUITE_RATE)
    return str(path)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> str:
    """White noise, half of which is longer than any case."""
    path = tmp_path_factory.mktemp("noise") / "white.wav"
    write_audio(path, 0.05 * np.random.default_rng(7).standard_normal(32 * SUITE_RATE), sample_rate=SUITE_RATE)
    return str(path)


@pytest.fixture(scope="module")
def make(music: str, noise: str):
    @cache
    def made(family: str, *, lead_in: bool = True, seed: int = 0, snr_db: float = 10.0) -> FamilyCase:
        return family_case(family, lead_in=lead_in, seed=seed, snr_db=snr_db, music=music, noise=noise)

    return made


def power_db(audio: np.ndarray) -> float:
    return 10 * float(np.log10(np.mean(np.square(audio))))


@pytest.mark.parametrize("family", FAMILIES)
def test_same_arguments_give_the_same_samples(family: str, make, music: str, noise: str) -> None:
    case = make(family)
    again = family_case(family, lead_in=True, seed=0, snr_db=10.0, music=music, noise=noise)
    assert np.array_equal(case.noisy, again.noisy) and np.array_equal(case.clean, again.clean)
    assert case.noisy.shape == case.clean.shape == case.noise.shape == (FAMILIES[family].channels, case.envelope.size)
    assert np.abs(case.noisy).max() <= 1.1


@pytest.mark.parametrize("family", ["hum", "needle", "bits"])
def test_another_seed_is_another_case(family: str, make) -> None:
    assert not np.array_equal(make(family).noise[0, :SUITE_RATE], make(family, seed=1).noise[0, :SUITE_RATE])


@pytest.mark.parametrize("lead_in", [True, False])
@pytest.mark.parametrize("family", NOISY)
def test_the_marked_region_is_noise_alone_directly_before_the_music(family: str, lead_in: bool, make) -> None:
    case = make(family, lead_in=lead_in)
    constant = case.clean[:, :1] if family == "offset" else 0.0
    music = (case.clean - constant)[:, case.within(case.music)]
    assert np.abs(music[:, : SUITE_RATE // 20]).max() > 0 and 7.0 <= case.music[1] - case.music[0] <= 20.0
    if not lead_in:
        assert case.lead is None and case.music[0] == 0
        return
    assert case.lead is not None and case.lead[1] == case.music[0] and case.lead[1] - case.lead[0] >= 0.69
    assert not (case.clean - constant)[:, : case.within(case.music).start].any()
    # Nothing but what is under the music too: within 6 dB, for record noise comes in bursts.
    region = case.within(case.lead)
    if family not in ("steps", "bits"):
        under = case.noise / np.maximum(case.envelope, 1e-3)
        assert abs(power_db(under[:, region]) - power_db(under[:, case.within(case.music)])) < 6


@pytest.mark.parametrize("family", ADDED)
def test_noise_under_the_music_has_the_wanted_ratio(family: str, make) -> None:
    snr_db = 30.0 if family in ("plain", "steps") else 10.0
    case = make(family, snr_db=snr_db)
    music = case.within(case.music)
    clean = case.clean - (case.clean[:, :1] if family == "offset" else 0.0)
    assert power_db(clean[:, music]) - power_db(case.noise[:, music]) == pytest.approx(snr_db, abs=1e-6)
    assert np.allclose(case.clean + case.noise, case.noisy, atol=1e-12)


def test_what_each_family_is_about(make) -> None:
    motor = make("motor")
    start, end = motor.lead
    assert power_db(motor.noise[0, : SUITE_RATE // 4]) < power_db(motor.noise[0, motor.within((start, end))]) - 6
    grooves = make("grooves")
    plain, recorded = grooves.noise[0, :SUITE_RATE], grooves.noise[0, grooves.within(grooves.lead)]
    assert 2 < power_db(recorded) - power_db(plain) < 16
    needle = make("needle", seed=1)
    quiet, groove = needle.noise[0, : SUITE_RATE // 2], needle.noise[0, needle.within(needle.lead)]
    assert 18 < power_db(groove) - power_db(quiet) < 37
    assert 18 < power_db(groove) - power_db(needle.noise[0, -SUITE_RATE // 2 :]) < 37
    same = make("two-channels").noisy
    assert power_db(same[0] - same[1]) < power_db(same[0] + same[1]) - 30
    left, right = make("stereo").noise
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.1 and 2 < abs(power_db(left) - power_db(right)) < 11
    assert 0.003 <= abs(np.mean(make("offset").clean)) - 0.001 <= 0.1
    assert len(np.unique(np.concatenate([make("bits", seed=s).noisy[0] for s in (0, 1)]))) <= 256
    steps = make("steps").envelope
    assert 6 <= abs(20 * np.log10(steps[0] / steps[-1])) <= 30
    assert make("fades").envelope[-1] == 0
    swish = make("revolution").noise[0, SUITE_RATE : 7 * SUITE_RATE].reshape(-1, SUITE_RATE // 20)
    assert np.ptp(10 * np.log10(np.square(swish).mean(axis=1))) > 3


def test_hum_lines_stand_out_of_the_hiss(make) -> None:
    for seed in (0, 1):
        spectrum = np.square(np.abs(np.fft.rfft(make("hum", seed=seed).noise[0, : 8 * SUITE_RATE])))
        mains = [spectrum[8 * f - 8 : 8 * f + 8].sum() / spectrum[8 * f + 40 : 8 * f + 56].sum() for f in (50, 60)]
        assert max(mains) > 10


@pytest.mark.parametrize(("vorbis", "kilobits"), [(False, 96), (False, 128), (True, 96), (True, 128)])
def test_codecs_keep_time_and_leave_holes(vorbis: bool, kilobits: int) -> None:
    rng = np.random.default_rng(3)
    audio = 0.02 * rng.standard_normal((2, 3 * SUITE_RATE))
    audio[:, SUITE_RATE:] += (
        0.3
        * np.sin(2 * np.pi * 440 * np.arange(2 * SUITE_RATE) / SUITE_RATE)
        * (np.arange(2 * SUITE_RATE) % 9000 < 3000)
    )
    coded = through_codec(audio, vorbis=vorbis, kilobits=kilobits)
    assert coded.shape == audio.shape
    lags = np.correlate(
        coded[0, SUITE_RATE : SUITE_RATE + 8192], audio[0, SUITE_RATE + 100 : SUITE_RATE + 8092], "valid"
    )
    assert lags.argmax() == 100
    top = [np.square(np.abs(np.fft.rfft(x[0])))[3 * 18_000 : 3 * 21_000].sum() for x in (coded, audio)]
    assert top[0] < 0.5 * top[1]
    assert power_db(coded - audio) < power_db(audio) - 5


def test_a_recording_that_was_cut_short_is_aligned_too() -> None:
    audio = np.random.default_rng(1).standard_normal((2, 6000))
    late = np.pad(audio, ((0, 0), (700, 0)))[:, :6000]
    assert np.array_equal(without_codec_delay(late, audio)[:, :5300], audio[:, :5300])
    assert not without_codec_delay(late, audio)[:, 5300:].any()


def test_clean_music_has_no_noise(make) -> None:
    kinds = [make("clean", seed=seed) for seed in range(4)]
    assert all(np.array_equal(case.noisy, case.clean) and case.lead is None for case in kinds)
    silent = [case for case in kinds if not case.clean[0, :SUITE_RATE].any()]
    assert len(silent) == 1
    levels = sorted(power_db(case.clean[0, : SUITE_RATE // 10] + 1e-9) - power_db(case.clean[0]) for case in kinds)
    assert levels[1] < -25 < levels[2]


def test_unknown_family_is_refused() -> None:
    with pytest.raises(SettingsError, match="resonances"):
        family_case("gramophone", lead_in=True, seed=0, music="a.wav", noise="shellac")


def all_variants(audio: np.ndarray) -> Iterator[Variant]:
    return variants(audio, sample_rate=SUITE_RATE, lead=(0.0, 1.0))


def test_variants_map_back_to_the_original() -> None:
    rng = np.random.default_rng(5)
    audio = 0.05 * np.cumsum(rng.standard_normal((2, 2 * SUITE_RATE)), axis=-1) % 0.1 * np.array([[1.0], [0.3]])
    names = []
    for variant in all_variants(audio):
        names.append(variant.name)
        levels = 10 * np.log10(np.square(variant.audio).mean(axis=-1))
        original = 10 * np.log10(np.square(audio).mean(axis=-1))
        assert np.abs(variant.mapped_back(levels) - original).max() < 0.2
        assert variant.name == "exchanged" or not np.array_equal(variant.audio, audio)
    assert len(set(names)) == 8


def test_cuts_take_what_they_say() -> None:
    audio = np.arange(2.0 * SUITE_RATE)[None] / SUITE_RATE
    start, middle, end = [v.audio[0] for v in all_variants(audio)][:3]
    assert {len(start), len(middle), len(end)} == {2 * SUITE_RATE - round(0.05 * SUITE_RATE)}
    assert start[0] == pytest.approx(0.05, abs=1e-4) and end[0] == 0
    gap = np.diff(middle).argmax()
    assert middle[gap] == pytest.approx(0.475, abs=1e-3) and middle[gap + 1] == pytest.approx(0.525, abs=1e-3)


def test_a_manifest_may_name_a_family(music: str, noise: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(f"clean,noise,snr_db,lead_in,family\n{music},{noise},10,1.5,motor\n")
    (case,) = load_suite(tmp_path).cases
    clip, made = make_clip(case), family_case("motor", lead_in=True, seed=0, snr_db=10, music=music, noise=noise)
    assert np.array_equal(clip.noisy, made.noisy[0])
    marked, lead = clip.given(noise_marked=True)
    assert len(clip.noisy) - len(marked) == clip.marked == made.within(made.lead).start
    assert np.array_equal(marked[:lead], made.noise[0, made.within(made.lead)])
    assert np.array_equal(clip.given(noise_marked=False)[0], clip.noisy)
    assert case.noise_label == "motor" and len(clip.clean) == len(marked) - lead
    at_once = make_clip(replace(case, lead_in=0.0))
    assert at_once.lead == at_once.marked == 0
    with pytest.raises(SettingsError, match="mono"):
        make_clip(replace(case, family="stereo"))


@pytest.mark.skipif(not DATA.is_dir(), reason="no folder shared/data beside the checkout")
def test_the_wild_suite_is_balanced_over_families() -> None:
    suite = wild_suite(DATA)
    families = [name for name in NOISY if FAMILIES[name].channels == 1]
    assert {case.family for case in suite.cases} == {*families, ""}
    assert all(Path(case.clean).is_file() for case in suite.cases)
    few = suite.limited(2 * len(families) + 2).cases
    assert all(sum(case.family == family for case in few) == 2 for family in families)
    assert len({(case.family, case.lead_in > 0) for case in few if case.family}) == 2 * len(families)
    trained_on = [case for case in suite.cases if case.noise_from < 0.5]
    assert not trained_on and Case(name="a", clean="b").family == ""
