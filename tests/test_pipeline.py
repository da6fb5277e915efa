"""The streaming pipeline with an engine whose result is known: a short symmetric filter."""

import threading
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
import torch

from regroove import Restorer
from regroove.audio.resample import resampled_length
from regroove.errors import AudioError
from regroove.restoration.array_source import ArraySource
from regroove.restoration.engines.engine import BlockId, BlockLayout, EngineRun, block_seed
from regroove.restoration.engines.noise_map_engine import GRID, LAYOUT, SAMPLE_RATE
from regroove.restoration.engines.wiener import WienerSettings, wiener_engine
from regroove.restoration.stages.cut_and_join import block_count
from regroove.restoration.stream import observe, restore_stream

CUT = BlockLayout(block=20_000, context=1_000, fade=0)
FADED = BlockLayout(block=30_011, context=777, fade=500)
UNIFORM = torch.full((1, 1, 33), 1 / 33)


class Smoother:
    """Replaces every sample by the average of the 33 around it."""

    name = "smoother"
    sample_rate = 44_100
    batch_size = 3
    workers = 1
    mix = found = None

    def __init__(self, layout: BlockLayout) -> None:
        self.layout = layout
        self.observed = 0
        self.sizes: list[int] = []
        self.ids: list[BlockId] = []

    def observe(self, chunks: Iterable[torch.Tensor]) -> "Smoother":
        self.observed = sum(chunk.shape[-1] for chunk in chunks)
        return self

    def restore(self, blocks: torch.Tensor, ids: Sequence[BlockId]) -> torch.Tensor:
        self.sizes.append(len(blocks))
        self.ids += ids
        # One by one: the rounding of a convolution depends on the size of the batch.
        return torch.cat([torch.nn.functional.conv1d(block[None], UNIFORM, padding=16) for block in blocks])

    def describe(self) -> dict[str, object]:
        return {"engine": self.name}


def run(x: np.ndarray, engine: Smoother, *, rate: int = 44_100, strength: float = 1.0, **more) -> np.ndarray:
    source = ArraySource(x, sample_rate=rate)
    observed = observe(source, engine, progress=more.get("progress"))
    pairs = restore_stream(source, engine, observed, strength=strength, seed=0, **more)
    originals, restored = zip(*pairs, strict=True)
    np.testing.assert_array_equal(np.concatenate(originals, axis=1), x)
    return np.concatenate(restored, axis=1)


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (channels, frames))


@pytest.mark.parametrize("layout", [CUT, FADED])
@pytest.mark.parametrize("frames", [1, 441, 18_000, 18_001, 100_003])
def test_blocks_join_to_what_the_filter_does_to_the_whole(layout: BlockLayout, frames: int) -> None:
    x = noise(frames)
    expected = np.stack([np.convolve(channel, np.full(33, 1 / 33), mode="full")[16:-16] for channel in x])
    np.testing.assert_allclose(run(x, Smoother(layout)), expected, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_any_rate_gives_the_same_length_and_the_engine_hears_all_of_it(rate: int) -> None:
    x = noise(rate // 3 + 1)
    engine = Smoother(FADED)
    assert run(x, engine, rate=rate).shape == x.shape
    assert engine.observed == resampled_length(x.shape[1], rate_in=rate, rate_out=44_100)


def test_above_the_engines_band_nothing_changes() -> None:
    x = noise(96_000, channels=1)
    removed = x - run(x, Smoother(CUT), rate=96_000)
    spectrum = np.abs(np.fft.rfft(removed[0] * np.hanning(96_000)))
    assert spectrum[23_000:].max() < 1e-5 * spectrum[:20_000].max()


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_restored_and_residual_add_up_exactly_for_integer_formats(rate: int) -> None:
    x = np.rint(noise(50_000) * 2**23) / 2**23
    y = run(x, Smoother(FADED), rate=rate, strength=0.7)
    assert not np.array_equal(x, y)
    np.testing.assert_array_equal(y + (x - y), x)


def test_strength_scales_the_removal_and_zero_is_the_input_bit_for_bit() -> None:
    x = noise(30_000)
    whole, half = run(x, Smoother(CUT)), run(x, Smoother(CUT), strength=0.5)
    np.testing.assert_allclose(x - half, (x - whole) / 2, atol=1e-12)
    x[0, :2] = [-0.0, 1e-300]
    assert Restorer(engine="wiener", strength=0.0)(x, sample_rate=44_100).tobytes() == x.tobytes()


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_batches_change_nothing(size: int) -> None:
    x = noise(100_000)
    alone, together = Smoother(CUT), Smoother(CUT)
    expected = run(x, alone, batch_size=1)
    np.testing.assert_array_equal(run(x, together, batch_size=size), expected)
    assert together.ids == alone.ids
    assert max(together.sizes) == min(size, len(alone.ids))


def test_every_block_of_every_channel_has_its_own_seed() -> None:
    engine = Smoother(CUT)
    run(noise(100_000), engine)
    assert {(i.channel, i.index) for i in engine.ids} == {(c, k) for c in range(2) for k in range(6)}
    assert len({i.seed for i in engine.ids}) == len(engine.ids)
    assert all(i.seed == block_seed(0, channel=i.channel, index=i.index) for i in engine.ids)
    assert block_seed(1, channel=0, index=0) != block_seed(0, channel=0, index=0)
    assert 0 <= block_seed(2**70, channel=1, index=9) < 2**63


def test_silent_blocks_are_not_worked_on() -> None:
    x = noise(100_000)
    x[:, 17_000:] = 0
    engine = Smoother(CUT)
    y = run(x, engine)
    assert [i.index for i in engine.ids] == [0, 0]
    assert not y[:, 18_000:].any()


def test_progress_goes_through_both_stages_to_the_end() -> None:
    seen: list[float] = []
    run(noise(200_000), Smoother(CUT), progress=seen.append)
    assert seen.count(1.0) == 2, "at the end of listening and of restoring"
    both = seen.index(1.0) + 1
    for part in (seen[:both], seen[both:]):
        assert part == sorted(part) and part[0] < 0.5


def test_several_workers_change_nothing_and_end_with_the_stream() -> None:
    x = noise(100_000)
    several = Smoother(CUT)
    several.workers = 3
    np.testing.assert_array_equal(run(x, several, batch_size=1), run(x, Smoother(CUT), batch_size=1))
    before, threads = threading.active_count(), torch.get_num_threads()
    stream = restore_stream(ArraySource(x, sample_rate=44_100), several, several, seed=0, batch_size=1)
    next(stream)
    assert threading.active_count() > before
    stream.close()
    assert threading.active_count() == before
    assert torch.get_num_threads() == threads


def test_an_engine_that_fails_silently_is_an_error() -> None:
    engine = Smoother(CUT)
    engine.restore = lambda blocks, ids: blocks * float("nan")  # type: ignore[method-assign]
    with pytest.raises(AudioError, match="not finite"):
        run(noise(1000), engine)


@pytest.mark.parametrize("seconds", [0.1, 30.0, 31.0, 200.0, 3600.0])
def test_a_recording_is_cut_into_equal_blocks_that_it_fills(seconds: float) -> None:
    length = round(seconds * SAMPLE_RATE)
    engine = wiener_engine(WienerSettings(), EngineRun(device="cpu"))
    layout = engine.observe(torch.zeros(1, n) for n in (length // 2, length - length // 2)).layout
    count = block_count(layout, length)
    assert layout.block <= LAYOUT.block
    few = max(1, -(-length // LAYOUT.hop))
    # Two at a time.
    assert count == (few + few % 2 if few > 1 else 1)
    assert 0 <= count * layout.hop - length < count * GRID
