"""Where a restoration is invented: the spread of several samples of the posterior, per band and moment.

With samples x_1 ... x_K of p(x | y), the share of a time-frequency cell that the recording does not determine is
    u = V / (V + |m|^2),  m and V the samples' mean and variance of the cell's STFT coefficients,
0 where all samples agree and 1 where they have nothing in common.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from regroove.dsp.stft import LONG, power_of, stft
from regroove.errors import SettingsError
from regroove.restoration.engines.base import BlockId, Engine

DRAWS = 4
BANDS = 96
LOWEST_HZ = 40.0
# Frames that are pooled in time: 0.19 s.
_POOL = 8
_INAUDIBLE = 1e-10


@runtime_checkable
class SamplingEngine(Engine, Protocol):
    """An engine that also draws samples of the posterior."""

    def draw(self, blocks: Tensor, ids: Sequence[BlockId], *, number: int) -> Tensor:
        """Sample number ``number`` for each of ``(items, block)`` samples; same shape out."""


class UncertaintyEngine:
    """Restores as another engine does, and keeps how much its posterior samples differ.

    Raises:
        SettingsError: the engine draws no samples.
    """

    def __init__(self, engine: Engine, *, draws: int = DRAWS) -> None:
        if not isinstance(engine, SamplingEngine):
            raise SettingsError(f"The engine {engine.name} draws no samples, so it cannot tell where it is uncertain.")
        self._engine = engine
        self._draws = draws
        self.name, self.sample_rate = engine.name, engine.sample_rate
        self.batch_size, self.workers = engine.batch_size, engine.workers
        self.layout, self.mix = engine.layout, engine.mix
        edges = np.geomspace(LOWEST_HZ, 0.98 * self.sample_rate / 2, BANDS + 1)
        self._edges = edges
        self._rows = [_bins_between(low, high, self.sample_rate) for low, high in zip(edges, edges[1:], strict=False)]
        # By channel and number of the block.
        self._spread: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._power: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._frames = 0

    def observe(self, chunks: Iterable[Tensor]) -> None:
        """Let the engine observe, and count the recording's frames."""

        def counted() -> Iterable[Tensor]:
            length = 0
            for chunk in chunks:
                length += chunk.shape[-1]
                yield chunk
            self._frames = -(-length // LONG.hop)

        self._engine.observe(counted())
        self.layout, self.mix = self._engine.layout, self._engine.mix

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples, and draw from the posterior beside it."""
        spectra = torch.stack(
            [stft(self._engine.draw(blocks, ids, number=n).float(), LONG) for n in range(self._draws)]
        )
        mean = spectra.mean(dim=0)
        variance = power_of(spectra - mean).sum(dim=0) / (self._draws - 1)
        # The mean of K samples still holds a K-th of their variance.
        power = (power_of(mean) - variance / self._draws).clamp_min(0)
        for item, block_id in enumerate(ids):
            at = block_id.channel, block_id.index
            self._spread[at], self._power[at] = self._pooled(variance[item]), self._pooled(power[item])
        return self._engine.restore(blocks, ids)

    def notes(self) -> list[str]:
        """Those of the engine."""
        return self._engine.notes()

    def describe(self) -> dict[str, object]:
        """What the engine says, and how many samples were drawn."""
        return {**self._engine.describe(), "posterior_samples": self._draws}

    def result(self) -> NDArray[np.float64]:
        """The uncertainty, ``(bands, columns)`` in [0, 1]; NaN where every sample is silent."""
        columns = -(-self._frames // _POOL)
        spread, power = (self._joined(parts, columns) for parts in (self._spread, self._power))
        total = spread + power
        return np.where(total > _INAUDIBLE, spread / np.maximum(total, _INAUDIBLE), np.nan)

    def save(self, path: Path) -> None:
        """Write ``uncertainty`` (bands, columns), ``frequencies`` (Hz) and ``times`` (s) of the cells as ``.npz``."""
        uncertainty = self.result()
        step = _POOL * LONG.hop / self.sample_rate
        with open(path, "wb") as handle:
            np.savez_compressed(
                handle,
                uncertainty=uncertainty.astype(np.float32),
                frequencies=np.sqrt(self._edges[1:] * self._edges[:-1]),
                times=(np.arange(uncertainty.shape[1]) + 0.5) * step,
            )

    def draw_picture(self, path: Path, *, title: str) -> None:
        """Draw the uncertainty as PNG, whatever the name."""
        from regroove.restoration.report import draw_cells

        step = _POOL * LONG.hop / self.sample_rate
        values = self.result()
        draw_cells(path, values, frequencies=self._edges, times=np.arange(values.shape[1] + 1) * step, title=title)

    def _pooled(self, values: Tensor) -> NDArray[np.float64]:
        """Average the frames of a block's core ``(bins, frames)`` over bands and columns."""
        first = self.layout.context // LONG.hop
        core = values[:, first : values.shape[1] - 1 - first].double()
        columns = core.reshape(core.shape[0], -1, _POOL).mean(dim=-1)
        return torch.stack([columns[low:high].mean(dim=0) for low, high in self._rows]).cpu().numpy()

    def _joined(self, parts: dict[tuple[int, int], NDArray[np.float64]], columns: int) -> NDArray[np.float64]:
        """The sum over channels, ``(bands, columns)``."""
        width = self.layout.hop // LONG.hop // _POOL
        last = max((index for _, index in parts), default=0)
        whole = np.zeros((BANDS, max(columns, width * (last + 1))))
        for channel, index in sorted(parts):
            whole[:, index * width : (index + 1) * width] += parts[channel, index]
        return whole[:, :columns]


def _bins_between(low: float, high: float, sample_rate: int) -> tuple[int, int]:
    first = round(low * LONG.n_fft / sample_rate)
    return first, max(first + 1, round(high * LONG.n_fft / sample_rate))
