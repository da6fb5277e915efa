"""Noise maps, measured and found."""

import numpy as np
import pytest
import torch

from regroove.dsp.noise_map import NoiseMap
from regroove.noise.finder import HearNoise, NoiseFinder
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise
from regroove.noise.map import map_of_noise
from regroove.noise.stretches import HOP, LENGTH, Listener, Stretch, bins_of_bands
from regroove.restoration.hearing import hear_noise

RATE = 44_100


def noise_of(name: str, seconds: float, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(synthesise(preset(name), length=int(seconds * RATE), sample_rate=RATE, seed=seed))


def music(seconds: float) -> torch.Tensor:
    """Decaying harmonic tones, one every 0.4 s."""
    rng = np.random.default_rng(3)
    times = np.arange(int(seconds * RATE)) / RATE
    out = np.zeros(len(times))
    for start in np.arange(0, seconds, 0.4):
        pitch = 220 * 2 ** (rng.integers(0, 24) / 12)
        since = times - start
        tone = sum(np.sin(2 * np.pi * pitch * k * since) / k for k in range(1, 9))
        out += np.where(since > 0, np.exp(-3 * np.maximum(since, 0)) * tone, 0)
    return torch.from_numpy(0.1 * out).float()


def found(audio: torch.Tensor, chunk: int = 50_000, hear: HearNoise = hear_noise) -> NoiseFinder:
    finder = NoiseFinder(sample_rate=RATE, hear=hear)
    for piece in audio.split(chunk):
        finder.feed(piece)
    return finder


def difference_db(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean absolute difference of two maps over third-octave-like groups of bins, in dB."""
    edges = np.unique(np.geomspace(4, 1800, 24).astype(int))
    pairs = zip(edges[:-1], edges[1:], strict=True)
    return float(np.mean([abs(float(10 * (a[0, i:j].mean() / b[0, i:j].mean()).log10())) for i, j in pairs]))


def test_typical_equals_mean_for_gaussian_noise() -> None:
    noise = map_of_noise(torch.randn(1, 20 * RATE, generator=torch.Generator().manual_seed(2)))
    assert float((noise.typical / noise.mean).mean()) == pytest.approx(1.0, abs=0.05)


def test_typical_is_below_mean_for_crackle() -> None:
    noise = map_of_noise(noise_of("vinyl", 10)[None])
    assert float((noise.typical / noise.mean)[0, 200:1000].mean()) < 0.6


def test_a_soft_low_note_is_not_taken_into_the_lead_in() -> None:
    noise = noise_of("shellac", 12)
    audio = noise.clone()
    level = float(noise.std())
    times = torch.arange(len(noise)) / RATE
    audio[2 * RATE :] += 0.7 * level * torch.sin(2 * torch.pi * 110 * times[2 * RATE :])
    audio[4 * RATE :] += music(8) * level / float(music(8).std()) * 4
    finder = found(audio)
    known = map_of_noise(noise[None, : 2 * RATE])
    around = slice(9, 12)
    error = 10 * (finder.result().mean[0, around].mean() / known.mean[0, around].mean()).log10()
    assert finder.source == "lead-in"
    assert float(error) < 2


@pytest.mark.parametrize("name", ["shellac", "shellac-worn", "acetate", "tape"])
def test_lead_in_is_found(name: str) -> None:
    noise = noise_of(name, 12)
    audio = noise.clone()
    audio[2 * RATE :] += music(10) * float(noise.std()) / float(music(10).std()) * 8
    finder = found(audio)
    result, truth = finder.result(), map_of_noise(noise[None])
    assert finder.source == "lead-in"
    assert 0.8 < finder.seconds < 2.1
    assert difference_db(result.mean, truth.mean) < 3.0


def test_chunks_do_not_matter() -> None:
    audio = noise_of("shellac", 4)
    assert torch.equal(found(audio, 1000).result().mean, found(audio, 99_999).result().mean)


def test_digital_silence_is_not_noise() -> None:
    noise = noise_of("shellac", 6)
    silent = torch.cat([torch.zeros(3 * RATE), noise, torch.zeros(3 * RATE)])
    assert difference_db(found(silent).result().mean, map_of_noise(noise[None]).mean) < 3.0
    assert not found(torch.zeros(5 * RATE)).result().mean.any()


@pytest.mark.parametrize("offset", [0.0, 0.01])
def test_silence_with_an_offset_is_not_noise(offset: float) -> None:
    noise = noise_of("shellac", 6)
    silent = torch.cat([torch.zeros(3 * RATE), noise, torch.zeros(3 * RATE)]) + offset
    found_mean = found(silent).result().mean[:, 20:]
    assert difference_db(found_mean, map_of_noise(noise[None]).mean[:, 20:]) < 3.0


def test_noise_of_few_bits_is_not_silence() -> None:
    noise = torch.randn(6 * RATE, generator=torch.Generator().manual_seed(5))
    for level in (1.0, 3.0):
        audio = (level * noise).round() / 32768
        audio[2 * RATE :] += (music(4) * 0.01 * 32768).round() / 32768
        finder = found(audio)
        assert difference_db(finder.result().mean, map_of_noise(audio[None, : 2 * RATE]).mean) < 3.0
        assert finder.source == "lead-in"


@pytest.mark.parametrize("idle_db", [-30, -50])
@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_electronics_before_and_after_the_record_are_not_its_noise(where: str, idle_db: float) -> None:
    noise = noise_of("tape", 12)
    audio = noise.clone()
    audio[2 * RATE :] += music(10) * float(noise.std()) / float(music(10).std()) * 30
    hum = torch.randn(2 * RATE, generator=torch.Generator().manual_seed(6)) * noise.std() * 10 ** (idle_db / 20)
    idle = {"before": [hum, audio], "after": [audio, hum], "both": [hum, audio, hum.flip(0)]}[where]
    assert difference_db(found(torch.cat(idle)).result().mean, map_of_noise(noise[None]).mean) < 3.0


def test_clean_music_has_hardly_any_noise() -> None:
    audio = music(10)
    finder = found(audio)
    assert float(finder.result().mean.mean()) < 1e-4 * float(audio.square().mean())
    assert finder.source == "nowhere"


@pytest.mark.parametrize("snr_db", [5, 20])
def test_music_is_never_taken_for_noise(snr_db: float) -> None:
    noise = noise_of("shellac", 10)
    noise *= float(music(10).std() / noise.std()) * 10 ** (-snr_db / 20)
    result, truth = found(music(10) + noise).result(), map_of_noise(noise[None])
    bands = np.unique(np.geomspace(20, 1800, 16).astype(int))
    ratios = [
        float(result.mean[0, i:j].mean() / truth.mean[0, i:j].mean()) for i, j in zip(bands, bands[1:], strict=False)
    ]
    assert max(ratios) < 10**0.6


def test_a_listener_is_asked_only_where_nothing_else_tells() -> None:
    heard: list[int] = []

    def hear(samples: torch.Tensor) -> NoiseMap:
        heard.append(samples.shape[-1])
        power = torch.full((1, 2049, 1), 0.5)
        return NoiseMap(power, power)

    noise = noise_of("shellac", 26)
    audio = music(26) + noise * 0.1 * float(music(26).std()) / float(noise.std())
    with_lead_in = torch.cat([0.1 * noise[: 2 * RATE], audio])
    for samples, asked in ((with_lead_in, []), (audio, [12 * RATE, 12 * RATE]), (audio[: 5 * RATE], [5 * RATE])):
        heard.clear()
        finder = NoiseFinder(sample_rate=RATE, hear=hear)
        for piece in samples.split(50_000):
            finder.feed(piece)
        result = finder.result()
        assert heard == asked
        if asked:
            assert finder.source == "heard through the music" and bool((result.mean == 0.5).all())


def test_heard_noise_moves_along_the_side() -> None:
    def hear(samples: torch.Tensor) -> NoiseMap:
        power = samples.square().mean().expand(1, 2049, 1)
        return NoiseMap(power, power)

    # From the fifth of six excerpts on, 10 dB louder; the first 2 dB are left out.
    audio = music(12).repeat(6)
    audio[48 * RATE :] *= 10**0.5
    finder = found(audio, hear=hear)
    finder.result()
    drift = finder.drift
    assert list(drift.samples / RATE) == [6, 18, 30, 42, 54, 66]
    assert np.abs(drift.db[:4]).max() < 0.5 and abs(drift.db[4] - 8) < 0.5 and abs(drift.db[5] - 8) < 0.5


def test_notes_are_not_heard_as_rumble() -> None:
    times = torch.arange(10 * RATE) / RATE
    # A low fifth, some of whose partials share the main lobe of the window of 93 ms.
    notes = sum(0.1 / k * torch.sin(2 * torch.pi * k * f * times) for f in (55.0, 82.4) for k in (1, 2, 3, 4))
    noise = noise_of("shellac", 10)
    noise *= float(notes.std() / noise.std()) * 0.1
    finder = found(notes + noise)
    [(low, high)] = bins_of_bands((25, 200), RATE)
    heard, true = (x[0, low:high].mean() for x in (finder.result().mean, map_of_noise(noise[None]).mean))
    assert finder.source == "heard through the music"
    # The notes themselves are 24 dB above the noise there.
    assert 10 * np.log10(float(heard / true)) < 6


@pytest.mark.parametrize("noise", ["shellac", "shellac-rough", "tape"])
def test_noise_is_heard_through_music(noise: str) -> None:
    added = noise_of(noise, 10)
    added *= float(music(10).std() / added.std()) * 10**-0.5
    finder = found(music(10) + added)
    assert difference_db(finder.result().mean, map_of_noise(added[None]).mean) < 3.0
    assert finder.source == "heard through the music"


def test_silent_excerpts_are_not_heard() -> None:
    added = noise_of("shellac", 26)
    added *= float(music(26).std() / added.std()) * 10**-0.5
    audio = music(26) + added
    audio[12 * RATE : 24 * RATE] = 0
    finder = found(audio)
    assert difference_db(finder.result().mean, map_of_noise(added[None]).mean) < 3.0
    assert finder.source == "heard through the music"
    assert not hear_noise(torch.zeros(1, 2 * RATE)).mean.any()


def test_run_out_is_found() -> None:
    noise = noise_of("shellac", 10)
    played = music(8) * float(noise.std()) / float(music(8).std()) * 8
    audio = noise.clone()
    audio[: 8 * RATE] += played
    finder = found(audio)
    assert difference_db(finder.result().mean, map_of_noise(noise[None]).mean) < 3.0
    assert finder.source == "run-out"


def test_noise_is_found_before_and_between_words() -> None:
    noise = noise_of("shellac", 14)
    speech = music(12) * float(noise.std()) / float(music(12).std()) * 8
    speech *= torch.arange(len(speech)) % int(1.2 * RATE) < 0.25 * RATE
    audio = noise.clone()
    audio[2 * RATE :] += speech
    finder = found(audio)
    assert difference_db(finder.result().mean, map_of_noise(noise[None]).mean) < 3.0
    assert finder.source != "nowhere"


def test_strokes_of_a_drum_are_not_noise() -> None:
    noise = noise_of("tape", 14)
    audio = noise.clone()
    audio[2 * RATE : 8 * RATE] += music(6) * float(noise.std()) / float(music(6).std()) * 8
    times = torch.arange(RATE // 5) / RATE
    stroke = torch.randn(len(times), generator=torch.Generator().manual_seed(4)) * (-100 * times).exp()
    for start in (9, 10.7, 12.3, 13.5):
        audio[int(start * RATE) :][: len(stroke)] += 50 * noise.std() * stroke
    assert difference_db(found(audio).result().mean, map_of_noise(noise[None]).mean) < 3.0


def test_chunks_do_not_matter_to_stretches() -> None:
    audio = noise_of("shellac", 4)

    def stretches(size: int) -> list[Stretch]:
        listener = Listener(sample_rate=RATE)
        return [s for chunk in audio.split(size) for s in listener.feed(chunk)] + listener.rest()

    small, large = stretches(1000), stretches(99_999)
    assert [s.index for s in small] == list(range((len(audio) - LENGTH) // HOP + 1))
    for one, other in zip(small, large, strict=True):
        assert torch.equal(one.levels, other.levels)
        assert torch.equal(one.tonality, other.tonality)
