"""The noise of a whole recording, found by itself: every family, all channels, and what must change nothing."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

import regroove
from regroove.dsp.bands import bins_of_bands
from regroove.dsp.noise_map import NoiseMap
from regroove.errors import AudioError
from regroove.evaluation.cases.families.family_case import FamilyCase
from regroove.evaluation.cases.families.family_table import FAMILIES, family_case
from regroove.evaluation.cases.families.variants import variants
from regroove.evaluation.clip_files import write_audio
from regroove.noise.find.finder import HearNoise, NoiseFinder
from regroove.noise.find.found import FoundNoise, Place
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise
from regroove.noise.measure import map_of_noise

RATE = 44_100
OCTAVES = [bins_of_bands((f / 2**0.5, f * 2**0.5), RATE)[0] for f in (125.0 * 2**i for i in range(7))]
NOISY = [name for name, family in FAMILIES.items() if family.noisy]
# Where the map is known to depend on what it should not.
BURSTS = "a rough record's map is made by a few bursts, and whether they are in the part changes with its ends"
STEPS = "noise below the steps of a few bits is digital silence in the lead-in"


def families(known: dict[str, str]) -> list[object]:
    """All with noise; known failures have their reason; rounding decides about some."""
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=known[name])) if name in known else name for name in NOISY
    ]


def find(audio: np.ndarray, *, region: tuple[float, float] | None = None, hear: HearNoise | None = None) -> FoundNoise:
    """The noise of ``(channels, time)``."""
    finder = NoiseFinder(sample_rate=RATE, channels=len(audio), region=region, hear=hear)
    for chunk in torch.from_numpy(np.ascontiguousarray(audio)).float().split(100_000, dim=-1):
        finder.add(chunk)
    return finder.finish()


def octaves(noise: FoundNoise) -> np.ndarray:
    """Its level in octaves from 125 Hz to 8 kHz, ``(channels, 7)`` in dB; -120 where there is nothing."""
    power = noise.map.mean[..., 0].double().numpy()
    return 10 * np.log10(np.maximum(np.stack([power[:, a:b].mean(axis=1) for a, b in OCTAVES], axis=1), 1e-12))


def notes(seconds: float) -> np.ndarray:
    """Strings that are plucked twice a second, two at a time: they begin at once and never end."""
    t = np.arange(round(seconds * RATE)) / RATE
    low, high = (
        (330 * 2 ** (np.floor(t * 2) % 5 / 6), 5 * (t % 0.5)),
        (880 * 2 ** (np.floor(t * 4) % 3 / 6), 9 * (t % 0.25)),
    )
    return 0.1 * sum(
        np.sin(2 * np.pi * k * np.cumsum(pitch) / RATE) * np.exp(-age) / k
        for pitch, age in (low, high)
        for k in range(1, 20)
    )


@cache
def recording(name: str = "shellac", *, lead: float = 2.0, seconds: float = 10.0, snr_db: float = 15.0) -> np.ndarray:
    noise = synthesise(preset(name), length=round((lead + seconds) * RATE), sample_rate=RATE, seed=1)
    music = np.concatenate([np.zeros(round(lead * RATE)), notes(seconds)])
    return (music + noise * (music.std() / noise.std()) * 10 ** (-snr_db / 20))[None]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., FamilyCase]:
    """Cases of the families, of notes and white noise."""
    folder = tmp_path_factory.mktemp("material")
    write_audio(folder / "music.wav", notes(10), sample_rate=RATE)
    write_audio(folder / "noise.wav", 0.05 * np.random.default_rng(7).standard_normal(40 * RATE), sample_rate=RATE)
    files = {name: str(folder / f"{name}.wav") for name in ("music", "noise")}
    return cache(lambda family, snr_db: family_case(family, lead_in=True, seed=0, snr_db=snr_db, **files))


@pytest.mark.parametrize("family", families({"stereo": BURSTS}))
def test_what_is_found_is_what_a_person_marks(family: str, make: Callable[..., FamilyCase]) -> None:
    compare(make(family, 10.0))


@pytest.mark.parametrize("family", families({"stereo": BURSTS, "bits": STEPS}))
def test_what_is_found_in_little_noise(family: str, make: Callable[..., FamilyCase]) -> None:
    compare(make(family, 20.0))


def compare(case: FamilyCase) -> None:
    found, marked = find(case.noisy), find(case.noisy, region=case.lead)
    assert found.place in (Place.LEAD_IN, Place.BOTH_ENDS, Place.RUN_OUT)
    np.testing.assert_allclose(octaves(found), octaves(marked), atol=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("family", families({"stereo": BURSTS}))
def test_no_variant_moves_an_octave(family: str, make: Callable[..., FamilyCase]) -> None:
    case = make(family, 10.0)
    own = octaves(find(case.noisy))
    moves = {
        v.name: float(np.abs(v.mapped_back(octaves(find(v.audio))) - own).max())
        for v in variants(case.noisy, sample_rate=RATE, lead=case.lead)
    }
    assert max(moves.values()) < 0.5, moves


def test_clean_music_is_left_alone(make: Callable[..., FamilyCase]) -> None:
    found = find(make("clean", 10.0).noisy)
    assert found.place is Place.NOWHERE and found.confidence == 0.0 and not found.map.mean.any()
    music = notes(6)
    restored = regroove.restore(music[None], sample_rate=RATE, engine="wiener", device="cpu")
    np.testing.assert_allclose(restored[0], music, atol=1e-6)


@pytest.mark.parametrize("offset", [0.02, -0.1])
def test_an_offset_changes_nothing(offset: float) -> None:
    audio = recording()
    plain, moved = find(audio), find(audio + offset)
    assert moved.place is plain.place is Place.LEAD_IN
    np.testing.assert_allclose(octaves(moved), octaves(plain), atol=0.3)


def test_equal_channels_have_equal_maps_and_exchanged_ones_exchanged_maps() -> None:
    left, right = recording(), recording("tape")
    twice = find(np.concatenate([left, left]))
    assert torch.equal(twice.map.mean[0], twice.map.mean[1]) and torch.equal(twice.map.typical[0], twice.map.typical[1])
    one, other = find(np.concatenate([left, right])), find(np.concatenate([right, left]))
    torch.testing.assert_close(one.map.mean.flip(0), other.map.mean)
    assert one.measured == other.measured and one.states == other.states


def test_digital_silence_is_not_noise() -> None:
    audio = recording("tape")
    silent = np.pad(audio, ((0, 0), (3 * RATE, 3 * RATE)))
    np.testing.assert_allclose(octaves(find(silent)), octaves(find(audio)), atol=1.0)
    assert find(np.zeros((1, 5 * RATE))).place is Place.NOWHERE
    assert find(np.zeros((1, 100))).place is Place.NOWHERE


def test_a_drone_alone_is_music_and_hiss_alone_is_noise() -> None:
    t = np.arange(5 * RATE) / RATE
    drone = 0.05 * sum(np.sin(2 * np.pi * f * k * t) / k for f in (220, 277.2, 329.6, 415.3) for k in range(1, 40))
    hiss = 1e-3 * np.random.default_rng(2).standard_normal(t.size)
    assert find((drone + hiss)[None]).place is Place.NOWHERE
    assert find(hiss[None]).place is not Place.NOWHERE


@pytest.mark.parametrize(("below_db", "place"), [(42.0, Place.LEAD_IN), (60.0, Place.NOWHERE)])
def test_noise_that_is_not_heard_is_left_alone(below_db: float, place: Place) -> None:
    assert find(recording("tape", snr_db=below_db)).place is place


def test_a_listener_is_asked_only_where_noise_is_nowhere_alone() -> None:
    asked: list[int] = []

    def hear(samples: torch.Tensor) -> NoiseMap:
        asked.append(samples.shape[-1])
        assert abs(float(samples.mean())) < 1e-6
        power = samples.square().mean().expand(1, 2049, 1)
        return NoiseMap(power, power)

    assert find(recording(), hear=hear).place is Place.LEAD_IN and asked == []
    heard = find(recording(lead=0.0, seconds=26.0) + 0.1, hear=hear)
    assert (heard.place, asked, heard.confidence) == (Place.THROUGH_MUSIC, [12 * RATE] * 2, 0.4)
    assert list(heard.drift[0].samples / RATE) == [6, 18]


def test_a_marked_region_is_what_is_measured() -> None:
    found = find(recording(), region=(0.5, 1.5))
    assert (found.place, found.measured, found.confidence) == (Place.MARKED, ((0.5, 1.5),), 1.0)
    for region, message in (((0.0, 0.15), "shorter than 0.2 s"), ((0.0, 20.0), "after the recording")):
        with pytest.raises(AudioError, match=message):
            find(recording(), region=region)
    assert find(recording(), region=(0.0, 0.25)).place is Place.MARKED


def level(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio))))


@pytest.mark.parametrize("apart_db", [None, 36.0])
def test_one_image_stays_one(apart_db: float | None) -> None:
    audio = recording()
    apart = (
        0.0
        if apart_db is None
        else level(audio) * 10 ** (-apart_db / 20) * np.random.default_rng(3).standard_normal(audio.shape)
    )
    pair = np.concatenate([audio + apart, audio - apart]) + 0.01
    out = regroove.restore(pair, sample_rate=RATE, engine="wiener", device="cpu")
    removed = pair - out
    assert level(removed) > 0.3 * level(pair[:, :RATE] - 0.01)
    assert level(removed[0] - removed[1]) <= level(pair[0] - pair[1]) + 1e-7
    if apart_db is None:
        np.testing.assert_array_equal(out[0], out[1])
    # The offset belongs to the recording.
    np.testing.assert_allclose(out[:, RATE // 4 : RATE].mean(axis=1), 0.01, atol=2e-4)


def test_different_channels_are_restored_each_by_itself() -> None:
    left, right = recording(), recording("tape", snr_db=10)
    both = regroove.restore(
        np.concatenate([left, right]), sample_rate=RATE, engine="wiener", device="cpu", walls="separate"
    )
    assert level(both[0] - both[1]) > 0.1 * level(left - right)
    # Nearly alike, by 24 dB: two images.
    near = np.concatenate([left, left + 0.06 * right * level(left) / level(right)])
    removed = near - regroove.restore(near, sample_rate=RATE, engine="wiener", device="cpu")
    assert not np.array_equal(removed[0], removed[1])


def test_only_the_channels_that_are_asked_for_are_heard() -> None:
    asked = []

    def hear(samples: torch.Tensor) -> NoiseMap:
        asked.append(float(samples.square().mean()))
        return map_of_noise(samples)

    audio = np.concatenate([(1 + c) * recording(lead=0.0, seconds=26.0) for c in range(3)])
    finders = [NoiseFinder(sample_rate=RATE, channels=3, hear=hear) for _ in range(2)]
    for finder in finders:
        finder.add(torch.from_numpy(audio).float())
    whole, before = finders[0].finish(), len(asked)
    some = finders[1].finish(slice(1, 3))
    assert whole.place is some.place is Place.THROUGH_MUSIC and len(asked) - before == 2 * before / 3
    assert torch.equal(some.map.mean, whole.map.mean[1:]) and len(some.drift) == 2
