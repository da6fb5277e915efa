"""Steady tones in noise maps: hum and its harmonics are found, noise and music are not taken for them."""

import numpy as np
import pytest
import torch
from scipy.signal import iirpeak, lfilter

from regroove.noise.find.lines import Lines, find_lines
from regroove.noise.measure import map_of_noise

RATE = 44_100


def white(seconds: float, seed: int, power: float = 1e-6) -> torch.Tensor:
    return power**0.5 * torch.randn(int(seconds * RATE), generator=torch.Generator().manual_seed(seed))


def tones(seconds: float, tones: dict[float, float], drift: float = 0.0) -> torch.Tensor:
    """Tones of these levels in dBFS by frequency, whose frequency grows by a share of ``drift`` from end to end."""
    times = torch.arange(int(seconds * RATE), dtype=torch.float64) / RATE
    turns = times * (1 + drift * times / (2 * seconds))
    waves = [2**0.5 * 10 ** (db / 20) * torch.sin(2 * torch.pi * hz * turns + hz) for hz, db in tones.items()]
    return torch.stack(waves).sum(dim=0).float()


def lines_of(samples: torch.Tensor) -> Lines:
    noise = map_of_noise(samples[None])
    return find_lines(*(power[0, :, 0].double().numpy() for power in (noise.mean, noise.typical)), sample_rate=RATE)


@pytest.mark.parametrize("mains", [50.0, 60.0])
@pytest.mark.parametrize("seconds", [0.8, 4.0])
def test_hum_and_its_harmonics(mains: float, seconds: float) -> None:
    hum = {mains * n: -45.0 - 3 * n for n in (1, 2, 3, 5)}
    lines = lines_of(white(seconds, 1) + tones(seconds, hum))
    assert lines.mains_hz == pytest.approx(mains, abs=0.3)
    assert [number for number, _ in lines.hum] == [1, 2, 3, 5]
    assert lines.single == ()
    for (hz, db), (_, line) in zip(hum.items(), lines.hum, strict=True):
        assert line.frequency_hz == pytest.approx(hz, abs=1.0)
        assert line.level_dbfs == pytest.approx(db, abs=0.5)


def test_hum_that_drifts() -> None:
    hum = {60.0 * n: -50.0 for n in range(1, 9)}
    lines = lines_of(white(6, 2) + tones(6, hum, drift=0.01))
    assert [number for number, _ in lines.hum] == [1, 2, 3, 4, 5, 6, 7, 8]
    # The mean over the time.
    assert lines.mains_hz == pytest.approx(60.3, abs=0.15)


def test_tones_that_are_not_of_the_mains() -> None:
    lines = lines_of(white(2, 3) + tones(2, {437.0: -60.0, 15_625.0: -65.0}))
    assert lines.mains_hz is None
    assert lines.hum == ()
    assert [line.frequency_hz for line in lines.single] == pytest.approx([437, 15_625], abs=1.0)


def test_how_far_a_line_rises() -> None:
    # A tone's bin holds a third of the window's length times its squared RMS, on the frequency of a bin.
    hz = 100 * RATE / 4096
    (line,) = lines_of(white(20, 4) + tones(20, {hz: -60.0})).all
    assert line.over_db == pytest.approx(10 * np.log10(1 + 4096 / 3), abs=1.0)


def test_false_alarms_in_noise() -> None:
    """At Z = 6.5 none in 504 maps of 0.3 to 30 s; here 150 shorter ones, white and coloured, with no more than one."""
    found = 0
    for seed in range(75):
        noise = white(0.5, seed)
        rumble = torch.from_numpy(lfilter([1.0], [1.0, -0.99], noise.numpy())).float()
        found += len(lines_of(noise)) + len(lines_of(noise + rumble))
    assert found <= 1


def test_a_broad_resonance_is_no_line() -> None:
    noise = white(3, 5)
    ringing = torch.from_numpy(lfilter(*iirpeak(300, 10, fs=RATE), noise.numpy())).float()
    assert len(lines_of(noise + 10 * ringing)) == 0


def test_a_note_that_begins_in_the_stretch_is_no_line() -> None:
    note = tones(2, {550.0: -30.0})
    note[: int(1.6 * RATE)] = 0
    assert len(lines_of(white(2, 6) + note)) == 0


def test_silence_has_no_lines() -> None:
    assert len(find_lines(np.zeros(2049), np.zeros(2049), sample_rate=RATE)) == 0


def test_where_the_numbers_stand() -> None:
    """Just over each number a line is found, just under it is not."""
    rng = np.random.default_rng(1)
    mean = 1e-6 * rng.gamma(400, 1 / 400, 2049)
    lobe = np.array([0.03, 0.44, 1.0, 0.44, 0.03])

    def found(rise_db: float, steady: float) -> int:
        power, typical = mean.copy(), mean.copy()
        power[498:503] += 1e-6 * 10 ** (rise_db / 10) * lobe
        typical[498:503] = steady * power[498:503]
        return len(find_lines(power, typical, sample_rate=RATE))

    assert (found(4.0, 1.5), found(7.0, 1.5)) == (0, 1)
    assert (found(10.0, 1.1), found(10.0, 1.22)) == (0, 1)
    low = [len(lines_of(white(4, 7) + tones(4, {hz: -40.0}))) for hz in (12.0, 23.0)]
    assert low == [0, 1]


def hum_at(*frequencies: float) -> Lines:
    return lines_of(white(3, 8) + tones(3, dict.fromkeys(frequencies, -45.0)))


def test_how_far_the_mains_may_be_off() -> None:
    near, far = hum_at(50 * 0.979, 150 * 0.979), hum_at(50 * 0.97, 150 * 0.97)
    assert [number for number, _ in near.hum] == [1, 3]
    assert (far.mains_hz, len(far)) == (None, 2)


def test_how_near_a_harmonic_lies() -> None:
    # The highest two tell the frequency of the mains; one is not quite where its harmonic would be.
    near, far = hum_at(100, 302.6, 1000, 1500), hum_at(100, 503.9, 1000, 1500)
    assert [number for number, _ in near.hum] == [2, 6, 20, 30]
    assert [round(line.frequency_hz) for line in far.single] == [504]


def test_hum_begins_low() -> None:
    assert [number for number, _ in hum_at(250, 300).hum] == [5, 6]
    # Harmonics 7 and 8 of 60 Hz and above; a third harmonic alone.
    assert hum_at(420, 480, 540).mains_hz is None
    assert hum_at(150).mains_hz is None
    assert [number for number, _ in hum_at(100).hum] == [2]


def test_how_many_standard_deviations_a_line_stands_out() -> None:
    """In a short map, where 6 dB are less than that: 0.3 s of white noise vary by 1.7 dB from bin to bin."""
    rng = np.random.default_rng(2)
    mean = 1e-6 * 10 ** (0.15 * rng.standard_normal(2049))
    peaks = np.arange(100, 2000, 50)

    def share(rise_db: float) -> float:
        power, typical = mean.copy(), mean.copy()
        power[peaks] = 1e-6 * 10 ** (rise_db / 10)
        typical[peaks] = 1.7 * power[peaks]
        return len(find_lines(power, typical, sample_rate=RATE)) / len(peaks)

    # What is around lies a standard deviation under the mean.
    assert (share(1.5 * 4.0), share(1.5 * 8.0)) == (pytest.approx(0.0, abs=0.1), pytest.approx(1.0, abs=0.1))
