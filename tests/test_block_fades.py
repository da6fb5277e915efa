"""The cross-fade of neighbouring blocks: raised cosines that add up to one."""

import numpy as np
import pytest

from regroove.restoration.engines.engine import BlockId, BlockLayout
from regroove.restoration.stages.cut_and_join import JoinCores

LAYOUT = BlockLayout(block=40, context=4, fade=8)


def joined(first: float, second: float) -> np.ndarray:
    """Two blocks of one value each: ``(time,)``, with the fade from 24 to 32."""
    join = JoinCores(LAYOUT, channels=1, count=2, frames=56)
    blocks = [(BlockId(channel=0, index=i, seed=0), np.full(LAYOUT.block, v)) for i, v in enumerate((first, second))]
    return np.concatenate([*join.push(blocks), *join.finish()], axis=1)[0]


@pytest.mark.parametrize(("first", "second"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_fade_is_a_raised_cosine(first: float, second: float) -> None:
    # sin^2 of multiples of pi / 32, where a line would have 1/16, 3/16, 5/16 and 7/16.
    rise = [0.0096074, 0.0842652, 0.2222149, 0.4024549]
    rise += [1 - value for value in reversed(rise)]
    faded = np.array(rise) if second else 1 - np.array(rise)
    np.testing.assert_allclose(joined(first, second)[24:32], faded, atol=1e-6)
    assert (joined(first, second)[:24] == first).all() and (joined(first, second)[32:] == second).all()


def test_fades_add_up_to_one() -> None:
    np.testing.assert_allclose(joined(1.0, 1.0), 1.0, rtol=1e-15)
