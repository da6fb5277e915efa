"""Stages of the stream: where its chunks are cut changes nothing, and what was observed is a value."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from regroove.noise.clicks.detect import ClickSettings
from regroove.restoration.engines.engine import BlockId, BlockLayout, EngineRun
from regroove.restoration.engines.image import MIDDLE, Mix
from regroove.restoration.engines.wiener import WienerSettings, wiener_engine
from regroove.restoration.stages.change_rate import Resample
from regroove.restoration.stages.cut_and_join import CutBlocks, JoinCores, block_count
from regroove.restoration.stages.keep_silence import KeepSilence
from regroove.restoration.stages.mix import mix_down, mix_up
from regroove.restoration.stages.originals import beside_originals, put_aside, subtract
from regroove.restoration.stages.queues import SampleQueue
from regroove.restoration.stages.repair_clicks import RepairClicks, add_taken
from regroove.restoration.stages.stage import Each, Stage, through
from regroove.restoration.stages.tally import Tally

FRAMES = 9_000
LAYOUT = BlockLayout(block=1_000, context=50, fade=100)
Stages = list[Stage]


def recording() -> np.ndarray:
    """Noise with clicks and digital silence, ``(2, 9000)`` float32."""
    x = np.random.default_rng(0).normal(0, 0.01, (2, FRAMES)).astype(np.float32)
    x[:, 1_000:9_000:1_371] += 0.5
    x[:, 4_000:4_500] = 0
    return x


def resampled() -> Stages:
    resample = Resample(rate_in=48_000, rate_out=44_100, channels=2, frames=8_269)
    return [Each(lambda x: x.astype(np.float64)), resample]


def without_clicks_and_with_them_again() -> Stages:
    taken = SampleQueue()
    repair = RepairClicks(channels=2, sample_rate=44_100, settings=ClickSettings(), taken=taken, tally=Tally())
    return [repair, add_taken(taken)]


def cut_and_joined() -> Stages:
    cut = CutBlocks(LAYOUT, channels=2, frames=FRAMES, seed=0, batch_size=3)
    return [cut, JoinCores(LAYOUT, channels=2, count=cut.count, frames=FRAMES)]


def mixed() -> Stages:
    mix = Mix(MIDDLE, np.ones((2, 1)), identical=False)
    return [mix_down(mix), mix_up(mix)]


def subtracted() -> Stages:
    originals = SampleQueue()
    stages = [put_aside(originals), Each(lambda x: 0.5 * x), beside_originals(originals), KeepSilence(channels=2)]
    return [*stages, subtract(strength=1.0), Each(lambda pair: pair[1])]


@pytest.mark.parametrize("make", [resampled, without_clicks_and_with_them_again, cut_and_joined, mixed, subtracted])
def test_where_chunks_are_cut_changes_nothing(make: Callable[[], Stages]) -> None:
    x = recording()
    whole = np.concatenate(list(through([x], make())), axis=1)
    pieces = np.concatenate(list(through(np.split(x, [1, 70, 4_321, 4_322, 8_000], axis=1), make())), axis=1)
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-12)
    assert np.abs(whole).max() > 0.001


def test_what_is_put_aside_and_added_again_is_the_recording() -> None:
    x = recording()
    for make in (without_clicks_and_with_them_again, cut_and_joined):
        np.testing.assert_allclose(np.concatenate(list(through([x], make())), axis=1), x, atol=1e-7)


def test_the_fade_between_cores_is_a_raised_cosine() -> None:
    ids = [BlockId(channel=0, index=i, seed=0) for i in range(2)]
    frames = LAYOUT.hop + LAYOUT.block - 2 * LAYOUT.context
    assert block_count(LAYOUT, frames) == 2
    join = JoinCores(LAYOUT, channels=1, count=2, frames=frames)
    blocks = [(ids[0], np.zeros(LAYOUT.block)), (ids[1], np.ones(LAYOUT.block))]
    joined = np.concatenate([*join.push(blocks), *join.finish()], axis=1)[0]
    rise = np.sin(np.pi / 2 * (np.arange(LAYOUT.fade) + 0.5) / LAYOUT.fade) ** 2
    np.testing.assert_allclose(joined[LAYOUT.hop : LAYOUT.hop + LAYOUT.fade], rise, atol=1e-12)
    assert not joined[: LAYOUT.hop].any() and (joined[LAYOUT.hop + LAYOUT.fade :] == 1).all()


def test_an_engine_keeps_nothing_of_a_recording() -> None:
    engine = wiener_engine(WienerSettings(), EngineRun(device="cpu"))
    before = dict(vars(engine))
    torch.manual_seed(0)
    quiet, loud = (engine.observe([level * torch.randn(1, 44_100)]) for level in (0.001, 0.1))
    assert vars(engine) == before
    assert float(loud.found.map.mean.mean()) > 100 * float(quiet.found.map.mean.mean())
    block, ids = 0.01 * torch.randn(1, quiet.layout.block), [BlockId(channel=0, index=0, seed=0)]
    assert not torch.allclose(quiet.restore(block, ids), loud.restore(block, ids), atol=1e-3)
    with pytest.raises(FrozenInstanceError):
        quiet.found = loud.found
