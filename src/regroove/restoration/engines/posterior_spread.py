"""An observed recording that also measures the uncertainty of its restoration, while it is restored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from regroove.dsp.stft import LONG, power_of, stft
from regroove.errors import SettingsError
from regroove.noise.find.found import FoundNoise
from regroove.restoration.engines.engine import BlockId, BlockLayout, Engine, Observed, Sampling, SamplingEngine
from regroove.restoration.engines.image import Mix

DRAWS = 4


class SpreadSink(Protocol):
    """Gathers how much samples differ, from several threads."""

    def add(self, block_id: BlockId, *, variance: Tensor, power: Tensor, layout: BlockLayout) -> None:
        """Take the samples' variance and the power of their mean, ``(bins, frames)`` of a whole block."""


class UncertaintyEngine:
    """Restores as another engine does; how much its posterior samples differ goes into ``spread``.

    Raises:
        SettingsError: the engine draws no samples.
    """

    def __init__(self, engine: Engine, spread: SpreadSink, *, draws: int = DRAWS) -> None:
        if not (isinstance(engine, SamplingEngine) and engine.draws_samples):
            raise SettingsError(f"The engine {engine.name} draws no samples, so it cannot tell where it is uncertain.")
        self.name, self.sample_rate = engine.name, engine.sample_rate
        self.batch_size, self.workers = engine.batch_size, engine.workers
        self._engine, self._spread, self._draws = engine, spread, draws

    def observe(self, chunks: Iterable[Tensor]) -> "ObservedSpread":
        """Observe as the engine does."""
        observed: Observed = self._engine.observe(chunks)
        if not isinstance(observed, Sampling):
            raise TypeError(f"What the engine {self.name} observed cannot be sampled.")
        return ObservedSpread(observed=observed, sampling=observed, spread=self._spread, draws=self._draws)

    def describe(self) -> dict[str, object]:
        """What the engine says, and how many samples are drawn."""
        return {**self._engine.describe(), "posterior_samples": self._draws}


@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedSpread:
    """A recording that ``observed`` restores, and ``sampling`` draws samples of, which is the same object."""

    observed: Observed
    sampling: Sampling
    spread: SpreadSink
    draws: int

    @property
    def layout(self) -> BlockLayout:
        return self.observed.layout

    @property
    def mix(self) -> Mix | None:
        return self.observed.mix

    @property
    def found(self) -> FoundNoise | None:
        return self.observed.found

    def restore(self, blocks: Tensor, ids: Sequence[BlockId]) -> Tensor:
        """Restore ``(items, block)`` samples, and draw from the posterior beside it."""
        spectra = torch.stack(
            [stft(self.sampling.draw(blocks, ids, number=n).float(), LONG) for n in range(self.draws)]
        )
        mean = spectra.mean(dim=0)
        variance = power_of(spectra - mean).sum(dim=0) / (self.draws - 1)
        # The mean of K samples still holds a K-th of their variance.
        power = (power_of(mean) - variance / self.draws).clamp_min(0)
        for item, block_id in enumerate(ids):
            self.spread.add(block_id, variance=variance[item], power=power[item], layout=self.layout)
        return self.observed.restore(blocks, ids)

    def notes(self) -> list[str]:
        """Those of the engine."""
        return self.observed.notes()

    def describe(self) -> dict[str, object]:
        """What the engine says, and how many samples were drawn."""
        return {**self.observed.describe(), "posterior_samples": self.draws}
