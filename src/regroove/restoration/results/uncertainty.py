"""Where a restoration is invented: the spread of several samples of the posterior, per band and moment.

With samples x_1 ... x_K of p(x | y), the share of a time-frequency cell that the recording does not determine is
    u = V / (V + |m|^2),  m and V the samples' mean and variance of the cell's STFT coefficients,
0 where all samples agree and 1 where they have nothing in common.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.stft import LONG
from regroove.restoration.engines.engine import BlockId, BlockLayout

BANDS = 96
LOWEST_HZ = 40.0
# Frames that are pooled in time: 0.19 s.
_POOL = 8
_INAUDIBLE = 1e-10


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncertainty:
    """Cells ``(bands, columns)`` in [0, 1], NaN where every sample is silent.

    ``edges`` are the frequencies between bands in Hz, ``(bands + 1,)``; ``step`` is the width of a column in seconds.
    """

    cells: NDArray[np.float64]
    edges: NDArray[np.float64]
    step: float

    def save(self, path: Path) -> None:
        """Write ``uncertainty`` (bands, columns), ``frequencies`` (Hz) and ``times`` (s) of the cells as ``.npz``."""
        with open(path, "wb") as handle:
            np.savez_compressed(
                handle,
                uncertainty=self.cells.astype(np.float32),
                frequencies=np.sqrt(self.edges[1:] * self.edges[:-1]),
                times=(np.arange(self.cells.shape[1]) + 0.5) * self.step,
            )

    def draw(self, path: Path, *, title: str) -> None:
        """Draw it as PNG, whatever the name."""
        from regroove.restoration.results.uncertainty_picture import draw_cells

        times = np.arange(self.cells.shape[1] + 1) * self.step
        draw_cells(path, self.cells, frequencies=self.edges, times=times, title=title)


class Spread:
    """Gathers how much the samples of each block differ; blocks may come in any order, from several threads.

    >>> Spread(sample_rate=44_100).finish(BlockLayout(block=4096, context=0, fade=0), frames=4096).cells.shape
    (96, 1)
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._rate = sample_rate
        edges = np.geomspace(LOWEST_HZ, 0.98 * sample_rate / 2, BANDS + 1)
        self._edges = edges
        self._rows = [_bins_between(low, high, sample_rate) for low, high in zip(edges, edges[1:], strict=False)]
        # By channel and number of the block.
        self._spread: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._power: dict[tuple[int, int], NDArray[np.float64]] = {}

    def add(self, block_id: BlockId, *, variance: Tensor, power: Tensor, layout: BlockLayout) -> None:
        """Take the samples' variance and the power of their mean, ``(bins, frames)`` of a whole block."""
        at = block_id.channel, block_id.index
        self._spread[at], self._power[at] = (self._pooled(values, layout) for values in (variance, power))

    def finish(self, layout: BlockLayout, *, frames: int) -> Uncertainty:
        """What there is of a recording of ``frames`` samples at the engine's rate."""
        columns = math.ceil(math.ceil(frames / LONG.hop) / _POOL)
        spread, power = (self._joined(parts, columns, layout) for parts in (self._spread, self._power))
        total = spread + power
        cells = np.where(total > _INAUDIBLE, spread / np.maximum(total, _INAUDIBLE), np.nan)
        return Uncertainty(cells=cells, edges=self._edges, step=_POOL * LONG.hop / self._rate)

    def _pooled(self, values: Tensor, layout: BlockLayout) -> NDArray[np.float64]:
        """Average the frames of a block's core ``(bins, frames)`` over bands and columns."""
        first = layout.context // LONG.hop
        core = values[:, first : values.shape[1] - 1 - first].double()
        columns = core.reshape(core.shape[0], -1, _POOL).mean(dim=-1)
        return torch.stack([columns[low:high].mean(dim=0) for low, high in self._rows]).cpu().numpy()

    def _joined(
        self, parts: dict[tuple[int, int], NDArray[np.float64]], columns: int, layout: BlockLayout
    ) -> NDArray[np.float64]:
        """The sum over channels, ``(bands, columns)``."""
        width = layout.hop // LONG.hop // _POOL
        last = max((index for _, index in parts), default=0)
        whole = np.zeros((BANDS, max(columns, width * (last + 1))))
        for channel, index in sorted(parts):
            whole[:, index * width : (index + 1) * width] += parts[channel, index]
        return whole[:, :columns]


def _bins_between(low: float, high: float, sample_rate: int) -> tuple[int, int]:
    first = round(low * LONG.n_fft / sample_rate)
    return first, max(first + 1, round(high * LONG.n_fft / sample_rate))
