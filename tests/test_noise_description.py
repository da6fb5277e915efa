"""What is said of a recording's noise: levels, bandwidths, channels, quiet places, warnings and JSON."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfilt

from regroove.dsp.noise_map import NoiseMap
from regroove.noise.describe.bandwidth import music_bandwidth, noise_bandwidth
from regroove.noise.describe.description import NoiseDescription, bandwidths, describe_channels, describe_noise
from regroove.noise.describe.history import ROW, BandHistory
from regroove.noise.describe.likeness import ONE_IMAGE_DB, Alike, LikenessMeter
from regroove.noise.describe.octaves import OCTAVE_EDGES, OCTAVES, THIRD_EDGES, band_powers
from regroove.noise.describe.quiet import SHORTEST_SECONDS, QuietMeter, QuietStretch, power_of_difference
from regroove.noise.describe.text import clock, describe_in_words
from regroove.noise.describe.warnings import WORTH_DB, removal_db, warnings_of
from regroove.noise.find.drift import DriftSettings, NoiseDrift
from regroove.noise.find.found import FoundNoise, Place, Span, State
from regroove.noise.measure import map_of_noise

RATE = 44_100
RNG_SEED = 1


def found_noise(
    level_db: float = -60.0,
    *,
    channels: int = 1,
    place: Place = Place.LEAD_IN,
    measured: tuple[tuple[float, float], ...] = ((0.0, 1.5),),
    confidence: float = 1.0,
    reasons: tuple[str, ...] = (),
    states: tuple[Span, ...] = (),
    drift_db: float = 0.0,
) -> FoundNoise:
    """White noise of a level in dBFS."""
    power = torch.full((channels, 2049, 1), 0.0 if level_db == -math.inf else 10 ** (level_db / 10))
    drift = NoiseDrift(np.array([0.0, 10.0 * RATE]), np.array([0.0, drift_db]))
    return FoundNoise(
        map=NoiseMap(power, power), drift=(drift,) * channels, place=place, measured=measured, confidence=confidence,
        reasons=reasons, states=states,
    )  # fmt: skip


def quiet(level_db: float, start: float = 3.0, end: float = 3.6) -> QuietStretch:
    """A stretch of white noise of a level in dBFS."""
    return QuietStretch(start=start, end=end, power=np.array([2 * 10 ** (level_db / 10)]))


def test_octaves_of_white_noise_are_exact() -> None:
    (channel,) = describe_channels(found_noise(-60.0), sample_rate=RATE)
    assert channel.level_dbfs == pytest.approx(-60.0)
    for centre, low, high in zip(OCTAVES, OCTAVE_EDGES, OCTAVE_EDGES[1:], strict=False):
        share = (min(high, RATE / 2) - low) / (RATE / 2)
        assert channel.octaves_dbfs[centre] == pytest.approx(-60 + 10 * math.log10(share), abs=0.01)


def test_bands_add_up_to_the_whole() -> None:
    power = np.random.default_rng(RNG_SEED).gamma(1, 1, (2, 2049))
    edges = [0.0, 100.0, 1234.5, 7000.0, RATE / 2]
    parts = band_powers(power, edges, sample_rate=RATE)
    # Half a bin at either end is outside the spectrum.
    whole = (power.sum(axis=-1) - (power[:, 0] + power[:, -1]) / 2) / 2048
    assert parts.sum(axis=-1) == pytest.approx(whole)


def test_the_history_of_white_noise_is_its_level_whatever_the_chunks() -> None:
    noise = 0.01 * np.random.default_rng(2).standard_normal((2, 20 * RATE)).astype(np.float32)
    histories = []
    for size in (1000, 77_777, noise.shape[1]):
        history = BandHistory(sample_rate=RATE)
        for start in range(0, noise.shape[1], size):
            history.add(noise[:, start : start + size])
        histories.append(history.finish())
    assert histories[0].shape == (20 * RATE // ROW, 2, len(THIRD_EDGES) - 1)
    assert all(np.allclose(other, histories[0], rtol=1e-3) for other in histories)
    levels = 10 * np.log10(histories[0] / (1e-4 * np.diff(THIRD_EDGES) / (RATE / 2)))
    assert np.abs(levels.mean(axis=(0, 1))).max() < 0.5


@pytest.mark.parametrize("edges", [(100.0, 3500.0), (200.0, 8000.0)])
def test_the_bandwidth_of_music_is_where_it_rises_over_the_noise(edges: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    noise = 0.003 * rng.standard_normal(12 * RATE)
    # Bursts for a third of the time.
    music = sosfilt(butter(10, edges, "band", fs=RATE, output="sos"), 0.1 * rng.standard_normal(len(noise)))
    music *= (np.arange(len(noise)) % RATE) < RATE / 3
    found = found_noise(10 * math.log10(0.003**2))
    history = BandHistory(sample_rate=RATE)
    history.add((noise + music)[None].astype(np.float32))
    rows = history.finish()
    music_hz, noise_hz = bandwidths(rows, np.arange(len(rows)) * float(ROW), found, sample_rate=RATE)
    assert music_hz is not None
    assert [math.log2(a / b) for a, b in zip(music_hz, edges, strict=True)] == pytest.approx([0, 0], abs=0.67)
    assert noise_hz == pytest.approx((THIRD_EDGES[0], THIRD_EDGES[-1]))


def test_noise_alone_has_no_music() -> None:
    noise = 0.01 * np.random.default_rng(4).standard_normal((1, 30 * RATE)).astype(np.float32)
    told = map_of_noise(torch.from_numpy(noise[:, :RATE]))
    found = FoundNoise(map=told, drift=found_noise().drift, place=Place.LEAD_IN, measured=((0, 1),), confidence=1.0)
    history = BandHistory(sample_rate=RATE)
    history.add(noise)
    rows = history.finish()
    assert bandwidths(rows, np.arange(len(rows)) * float(ROW), found, sample_rate=RATE)[0] is None


def test_music_is_a_tenth_of_the_time_and_over_the_limit() -> None:
    def found(share: float, excess_db: float) -> bool:
        excess = np.zeros((200, len(THIRD_EDGES) - 1))
        excess[: round(share * 200), 20] = excess_db
        return music_bandwidth(excess, sample_rate=RATE) is not None

    # The chance that is added is 0.2 dB in this band.
    assert (found(0.15, 9.0), found(0.15, 10.0)) == (False, True)
    assert (found(0.08, 20.0), found(0.12, 20.0)) == (False, True)


@pytest.mark.parametrize(
    ("right", "alike"),
    [
        (lambda x, other: x, Alike.IDENTICAL),
        (lambda x, other: 0.7 * x + 0.2, Alike.NEAR_EQUAL),
        (lambda x, other: x + 0.04 * other, Alike.NEAR_EQUAL),
        (lambda x, other: x + 0.1 * other, Alike.DIFFERENT),
        (lambda x, other: -x, Alike.DIFFERENT),
        (lambda x, other: 0 * x, Alike.DIFFERENT),
    ],
)
def test_channels(right, alike: Alike) -> None:
    x, other = np.random.default_rng(5).standard_normal((2, RATE))
    meter = LikenessMeter()
    for block in np.array_split(np.stack([x, right(x, other)]), 7, axis=1):
        meter.add(block)
    assert meter.finish().alike is alike


def test_numbers_of_channels() -> None:
    x, other = np.random.default_rng(6).standard_normal((2, RATE))
    meter = LikenessMeter()
    meter.add(np.stack([x + 0.1 * other, x - 0.1 * other]))
    like = meter.finish()
    assert like.difference_db == pytest.approx(-20.0, abs=0.2)
    assert like.correlation == pytest.approx(0.99 / 1.01, abs=0.002)
    assert like.gain_db == pytest.approx(0.0, abs=0.1)
    assert ONE_IMAGE_DB == 30.0


def test_the_quietest_stretch_is_where_the_record_plays() -> None:
    levels = np.repeat([0.0, 1e-3, 0.1, 0.02, 0.1], RATE)
    samples = levels * np.random.default_rng(7).standard_normal(len(levels))
    meter = QuietMeter(sample_rate=RATE)
    for start in range(0, len(samples), 33_333):
        meter.add(samples[None, start : start + 33_333] + 0.3)
    electronics = (Span(start=0.0, end=2.0, state=State.ELECTRONICS), Span(start=2.0, end=5.0, state=State.MUSIC))
    anywhere, playing = meter.quietest(), meter.quietest(states=electronics)
    assert anywhere is not None
    assert (anywhere.start, anywhere.end) == pytest.approx((1.0, 2.0), abs=0.1)
    assert playing is not None
    assert 3.0 <= playing.start < playing.start + SHORTEST_SECONDS <= playing.end <= 4.01
    assert playing.power == pytest.approx([2 * 0.02**2], rel=0.05)


def test_the_quietest_stretch_of_some_channels() -> None:
    rng = np.random.default_rng(10)
    meter = QuietMeter(sample_rate=RATE)
    meter.add(np.stack([np.repeat(pair, RATE) * rng.standard_normal(2 * RATE) for pair in ((0.1, 0.2), (0.02, 0.01))]))
    first, second = meter.quietest(channels=slice(0, 1)), meter.quietest(channels=slice(1, 2))
    assert first is not None
    assert second is not None
    assert (first.end, second.start) == pytest.approx((1.0, 1.0), abs=0.05)
    assert first.power == pytest.approx([2 * 0.1**2], rel=0.05)


def test_a_quiet_stretch_goes_on_while_it_is_as_quiet() -> None:
    # An alternation has the same power everywhere.
    levels_db = np.repeat([0.0, -20 + 1.3, -20, -20 + 0.8, 0.0], RATE)
    meter = QuietMeter(sample_rate=RATE)
    meter.add(0.1 * (10 ** (levels_db / 20) * (-1.0) ** np.arange(len(levels_db)))[None])
    found = meter.quietest()
    assert found is not None
    assert (found.start, found.end) == pytest.approx((2.0, 4.0), abs=0.05)


def test_recordings_without_half_a_second_have_no_quiet_stretch() -> None:
    short, silent = QuietMeter(sample_rate=RATE), QuietMeter(sample_rate=RATE)
    short.add(np.ones((1, RATE // 3)))
    silent.add(np.zeros((1, 3 * RATE)))
    assert (QuietMeter(sample_rate=RATE).quietest(), short.quietest(), silent.quietest()) == (None, None, None)


def test_power_of_the_difference_of_coloured_noise() -> None:
    noise = sosfilt(butter(2, 3000, fs=RATE, output="sos"), np.random.default_rng(8).standard_normal(20 * RATE))
    told = map_of_noise(torch.from_numpy(noise).float()[None]).mean[0, :, 0].numpy()
    assert power_of_difference(told) == pytest.approx(np.square(np.diff(noise)).mean(), rel=0.03)


def test_nothing_is_said_of_noise_that_is_sure() -> None:
    assert warnings_of(found_noise(-60.0), quiet=quiet(-60.0)) == []
    assert warnings_of(found_noise(-60.0, place=Place.MARKED), quiet=quiet(-20.0)) == []


def test_warnings_name_the_quietest_stretch() -> None:
    command = (
        "if there is only noise from 0:03.00 to 0:03.60, mark it: "
        "regroove restore IN OUT --noise-region 0:03.00-0:03.60"
    )
    (nothing,) = warnings_of(
        found_noise(-math.inf, place=Place.NOWHERE, measured=(), confidence=0.0), quiet=quiet(-50.0)
    )
    assert nothing == f"No noise was found, so nothing is removed; {command}"
    (little,) = warnings_of(found_noise(-60.0), quiet=quiet(-50.0))
    assert little.startswith("Of the quietest half second only 0.5 dB are taken for noise")
    assert little.endswith(command)


def test_when_too_little_is_removed() -> None:
    # Of noise that is 10 lg(1 - 10^(-1/10)) = -6.9 dB below what is there, 1 dB is removed.
    assert removal_db(found_noise(-60.0), quiet(-53.13)) == pytest.approx(WORTH_DB, abs=0.01)
    assert warnings_of(found_noise(-60.0), quiet=quiet(-53.0)) != []
    assert warnings_of(found_noise(-60.0), quiet=quiet(-53.2)) == []


def test_warnings_give_the_reasons() -> None:
    reasons = ("Only 0.3 s of noise alone were found.", "The noise was measured in pauses.")
    unsure = found_noise(confidence=0.5, reasons=reasons, place=Place.PAUSES)
    (sentence,) = warnings_of(unsure)
    assert sentence.startswith(
        "Only 0.3 s of noise alone were found; the noise was measured in pauses; mark half a second"
    )
    assert sentence.endswith("regroove restore IN OUT --noise-region A-B")
    assert warnings_of(found_noise(confidence=0.51, reasons=reasons)) == []


def test_a_drift_at_its_limit_is_a_warning() -> None:
    limit = DriftSettings().most_db
    assert "as far as that is followed" in warnings_of(found_noise(drift_db=-limit))[0]
    assert warnings_of(found_noise(drift_db=-limit + 0.1)) == []


def test_a_region_that_was_used_already_is_not_advised() -> None:
    states = (
        Span(start=0.0, end=1.6, state=State.LEAD_IN),
        Span(start=1.6, end=60.0, state=State.MUSIC),
        Span(start=60.0, end=60.4, state=State.PAUSE),
        Span(start=60.4, end=61.123, state=State.RUN_OUT),
    )
    (elsewhere,) = warnings_of(found_noise(confidence=0.4, reasons=("Unsure.",), states=states))
    assert elsewhere.endswith("--noise-region 1:00.40-1:01.12")
    (first,) = warnings_of(found_noise(confidence=0.4, reasons=("Unsure.",), states=states, measured=()))
    assert first.endswith("--noise-region 0:00.00-0:01.60")
    (none,) = warnings_of(found_noise(confidence=0.4, reasons=("Unsure.",), states=states[:3]))
    assert none.endswith("--noise-region A-B")


def description(found: FoundNoise) -> NoiseDescription:
    meter = LikenessMeter()
    meter.add(np.ones((2, 10)))
    return NoiseDescription(
        found=found, channels=describe_channels(found, sample_rate=RATE), music_hz=(111.4, 3563.6), noise_hz=None,
        clicks_per_minute=12.34, likeness=meter.finish(), quiet=None,
    )  # fmt: skip


def test_json() -> None:
    states = (Span(start=0.0, end=1.504, state=State.LEAD_IN), Span(start=1.504, end=9.0, state=State.MUSIC))
    told = json.loads(json.dumps(description(found_noise(channels=2, states=states, drift_db=3.21)).as_json()))
    assert told["place"] == "lead-in"
    assert (told["confidence"], told["reasons"], told["seconds"], told["measured"]) == (1.0, [], 1.5, [[0.0, 1.5]])
    assert told["states"][0] == {"start": 0.0, "end": 1.5, "state": "recorded groove before music"}
    assert told["bandwidth_hz"] == {"music": [111.0, 3564.0], "noise": None}
    assert told["clicks_per_minute"] == 12.3
    assert told["channels_alike"] == {"alike": "identical", "difference_db": None, "correlation": None, "gain_db": None}
    assert told["warnings"] == []
    left, right = told["channels"]
    assert left == right
    assert (left["level_dbfs"], left["drift_db"], left["lines"]) == (-60.0, [0.0, 3.2], [])
    assert list(left["octaves_dbfs"]) == ["31.5", "63", "125", "250", "500", "1000", "2000", "4000", "8000", "16000"]


def test_json_where_nothing_was_found() -> None:
    nothing = found_noise(-math.inf, place=Place.NOWHERE, measured=(), confidence=0.0)
    told = json.loads(json.dumps(describe_noise(nothing, sample_rate=RATE)))
    assert (told["place"], told["measured"], told["seconds"]) == ("nowhere", [], 0)
    assert told["channels"][0]["level_dbfs"] is None
    assert set(told["channels"][0]["octaves_dbfs"].values()) == {None}


def test_lines_in_json_say_which_harmonic_they_are() -> None:
    times = torch.arange(3 * RATE, dtype=torch.float64) / RATE
    hum = 0.01 * (torch.sin(2 * torch.pi * 50 * times) + torch.sin(2 * torch.pi * 150 * times)).float()
    noise = 1e-3 * torch.randn(3 * RATE, generator=torch.Generator().manual_seed(9))
    hummed = FoundNoise(
        map=map_of_noise((hum + noise)[None]), drift=found_noise().drift, place=Place.LEAD_IN, measured=((0, 3),),
        confidence=1.0,
    )  # fmt: skip
    lines = json.loads(json.dumps(describe_noise(hummed, sample_rate=RATE)))["channels"][0]["lines"]
    assert [line["harmonic"] for line in lines] == [1, 3]
    assert [line["level_dbfs"] for line in lines] == pytest.approx([-43.0, -43.0], abs=0.3)
    text = describe_in_words(description(hummed))
    assert "mains hum of 50.0 Hz, harmonics 1, 3" in text


def test_words() -> None:
    states = (Span(start=0.0, end=61.0, state=State.MUSIC),)
    measured = tuple((float(n), n + 0.5) for n in range(6))
    text = describe_in_words(description(found_noise(channels=2, measured=measured, states=states)))
    lines = text.splitlines()
    assert (
        lines[0] == "Noise from  lead-in, 3.0 s: 0:00.0-0:00.5, 0:01.0-0:01.5, 0:02.0-0:02.5, 0:03.0-0:03.5 and 2 more"
    )
    assert "Music band  111 Hz to 3.6 kHz" in lines
    assert "Clicks      12 a minute" in lines
    assert lines[-1] == "States       0:00.0 -  1:01.0  music"
    assert max(map(len, lines)) < 120


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "0:00.0"), (59.96, "1:00.0"), (600.04, "10:00.0")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_bandwidth_of_noise_is_that_of_20_db() -> None:
    frequencies = np.arange(2049) * RATE / 4096

    def highest(step_db: float) -> float:
        band = noise_bandwidth(np.where(frequencies < 8950, 1.0, 10 ** (-step_db / 10)), sample_rate=RATE)
        assert band is not None
        return band[1]

    assert (round(highest(17)), round(highest(23))) == (17_959, 8980)
