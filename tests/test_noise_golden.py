"""Blocks, noise powers, loops and mixing, equal to the reference's numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from golden_numbers import golden, thin
from regroove.compat.overlapping_blocks import fade_in, padding, restore_in_blocks
from regroove.errors import AudioError, SettingsError
from regroove.noise.make.banks import NoiseBank, loop_by_revolution, unit_power
from regroove.noise.powers import PowerRange, moving_power, power_range, xi_for_snr
from regroove.restoration.array_source import ArraySource
from regroove.restoration.engines.engine import BlockId, BlockLayout
from regroove.restoration.engines.guided_engine import CqtDiffEngine, GuidedSettings

LAYOUT = BlockLayout(block=44_100, context=0, fade=11_025)


def assert_close(a: torch.Tensor, b: np.ndarray, tolerance: float = 1e-5) -> None:
    reference = torch.from_numpy(np.asarray(b, dtype=np.float64))
    assert float((a.double() - reference).abs().max()) <= tolerance * float(reference.abs().max())


def test_powers_and_estimates() -> None:
    g = golden("blocks")
    signal = torch.from_numpy(g["signal"][0])
    assert_close(moving_power(signal)[::1013], g["powers_every_1013"], 1e-4)
    measured = power_range(signal)
    assert measured.floor == pytest.approx(float(g["floor"]), rel=1e-5)
    assert measured.ceil == pytest.approx(float(g["ceil"]), rel=1e-5)
    assert measured.gain == pytest.approx(float(g["gain"]), rel=1e-5)
    assert measured.snr_width == pytest.approx(float(g["snr_range_width"]), rel=1e-5)
    assert measured.snr_range(signal[-44_100:])[0] == pytest.approx(float(g["snr_range_min_of_last_44100"]), rel=1e-5)
    assert measured.xi == pytest.approx(float(g["xi"]))


class Untouched:
    """A recording of which nothing is restored, and whose blocks are kept."""

    name, sample_rate, layout, batch_size, workers, mix, found = "untouched", 44_100, LAYOUT, 2, 1, None, None

    def __init__(self) -> None:
        self.blocks: list[torch.Tensor] = []

    def restore(self, blocks: torch.Tensor, ids: Sequence[BlockId]) -> torch.Tensor:
        """The blocks themselves."""
        self.blocks.append(blocks)
        return blocks

    def notes(self) -> list[str]:
        """None."""
        return []

    def describe(self) -> dict[str, object]:
        """Nothing."""
        return {}


def rejoined(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A recording ``(time,)`` cut into the original's blocks, and joined again."""
    engine = Untouched()
    source = ArraySource(x[None].numpy(), sample_rate=44_100)
    parts = list(restore_in_blocks(source, engine, batch_size=engine.batch_size, seed=0))
    return torch.cat(engine.blocks), torch.from_numpy(np.concatenate(parts, axis=1))[0]


def test_blocks() -> None:
    g = golden("blocks")
    signal = torch.from_numpy(g["signal"])
    blocks, joined = rejoined(signal[0])
    assert len(blocks) == int(g["n_blocks"])
    assert padding(signal.shape[-1], LAYOUT)[0] == int(g["left_pad"])
    assert_close(thin("fade_in", torch.from_numpy(fade_in(11_025))), g["fade_in"])
    assert_close(blocks[:, ::97], g["blocks_every_97"])
    assert_close(joined, signal[0].numpy(), 1e-6)


def test_the_engine_measures_what_the_reference_does() -> None:
    g = golden("blocks")
    bank = NoiseBank([torch.ones(1_000)], sample_rate=44_100)
    engine = CqtDiffEngine(lambda x, sigma: x, bank, GuidedSettings(compat=True), block=44_100)
    found = engine.observe(torch.from_numpy(g["signal"]).split(30_000, dim=-1)).describe()
    assert found["estimated_gain"] == [pytest.approx(float(g["gain"]), rel=1e-5)]
    assert found["xi"] == [pytest.approx(float(g["xi"]))]


def test_loops() -> None:
    g = golden("samplers")
    noise = torch.from_numpy(g["noise_wav"])
    short = loop_by_revolution(noise, length=2048, sample_rate=44_100, crossfade=0.01)
    assert_close(short, g["noise_looped_2048"])
    long = loop_by_revolution(noise, length=300_000, sample_rate=44_100)
    assert_close(long[::997], g["noise_looped_300000_every_997"])


@pytest.mark.parametrize("length", [1, 5_000, 33_075, 44_100, 100_001])
def test_blocks_reconstruct(length: int) -> None:
    x = torch.randn(length, generator=torch.Generator().manual_seed(length))
    assert torch.allclose(rejoined(x)[1], x.double(), atol=1e-6)


def test_one_revolution_less_when_the_rest_is_too_short() -> None:
    turn = int(60 / 78 * 44_100)
    noise = torch.arange(2 * turn + 100, dtype=torch.float64)
    looped = loop_by_revolution(noise, length=3 * turn, sample_rate=44_100)
    assert torch.equal(looped[:turn], noise[:turn])
    assert looped[turn + 4410] == noise[4410]


def test_excerpt_shorter_than_a_revolution_is_looped() -> None:
    noise = torch.randn(9_000)
    assert torch.equal(loop_by_revolution(noise, length=20_000, sample_rate=44_100)[:4_000], noise[:4_000])


def test_silence_does_not_hide_the_floor() -> None:
    noise = 0.01 * torch.randn(60_000, generator=torch.Generator().manual_seed(0))
    silent = torch.cat([torch.zeros(20_000), noise])
    assert power_range(silent).gain == pytest.approx(0.01, rel=0.1)
    assert power_range(silent, ignore_silence=False).gain < 1e-6


def test_quieter_noise_gets_more_guidance() -> None:
    loud = power_range(0.1 * torch.randn(20_000))
    quiet = power_range(1e-4 * torch.randn(20_000))
    assert loud.xi == 0.35 < quiet.xi


@pytest.mark.parametrize(("floor", "xi"), [(1e-6, 2.0590066), (1e-5, 1.0344300), (10**-4.5, 0.5221416), (1e-4, 0.35)])
def test_xi_rises_by_1_02_for_each_10_db_of_quieter_noise(floor: float, xi: float) -> None:
    """Points on the original's line -1.0245766 lg(floor) - 4.0884532; a slope of 1.0346 is 0.06 off at 1e-6."""
    assert PowerRange(floor=floor, ceil=1.0).xi == pytest.approx(xi, abs=1e-6)


@pytest.mark.parametrize(("snr", "xi"), [(0, 0.15), (3, 0.20), (8, 0.35), (14.9, 0.35), (20, 1.4), (44, 3.5)])
def test_xi_ladder(snr: float, xi: float) -> None:
    assert xi_for_snr(snr) == xi


@pytest.mark.parametrize("snr", [-1, 45, 100])
def test_xi_ladder_ends(snr: float) -> None:
    with pytest.raises(SettingsError, match="no xi"):
        xi_for_snr(snr)


def test_bank_draws_are_seeded_and_at_unit_power() -> None:
    bank = NoiseBank.synthetic("shellac", sample_rate=44_100, excerpts=3, seconds=1.0)
    first = bank.draw(60_000, generator=torch.Generator().manual_seed(1))
    again = bank.draw(60_000, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, again)
    assert float(first.square().mean()) == pytest.approx(1.0, rel=1e-4)


def test_empty_bank_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no recordings"):
        NoiseBank.from_folder(tmp_path, sample_rate=44_100)
    with pytest.raises(AudioError, match="not silent"):
        NoiseBank([torch.zeros(10)], sample_rate=44_100)


def test_unit_power_keeps_silence() -> None:
    assert not unit_power(torch.zeros(2, 100)).any()
