"""Trains :class:`~regroove.networks.noise_level.NoiseLevelNet`: to find the noise where music never pauses.

The loss is how far the map is from the true one in dB. What a filter that is told the map makes of the music would be
nearer to what counts, but a network that minimises it learns to be a filter, not a map: it says that there is endless
noise where there is no music.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.bands import bins_of_bands
from regroove.dsp.noise_map import NoiseMap
from regroove.dsp.stft import LONG, power_of, stft
from regroove.errors import ModelError
from regroove.networks.checkpoints import load_model
from regroove.networks.noise_level import STRIDE, NoiseLevelNet, NoiseLevelSettings
from regroove.noise.measure import map_of_power
from regroove.training.mixtures import Mixer
from regroove.training.run import RunSettings, TrainingRun

RATE = 44_100
# Of the power in a bin: noise this far below it (50 dB) is not worth removing.
WORTHLESS = 1e-5
# How much more too much noise costs, and less too little, where music is 40 dB above the noise and more.
MOST_RISK = 2.0
# In hertz, of third octaves and octaves, all bins in one of them.
THIRDS = (0.0, *(15 * 2 ** (i / 3) for i in range(32)), RATE / 2)
OCTAVES = THIRDS[::3]


@dataclass(frozen=True, kw_only=True)
class NoiseLevelTraining(RunSettings):
    """A run of the network that hears noise; ``clean`` is the share of items with hardly any."""

    network: NoiseLevelSettings = field(default_factory=NoiseLevelSettings)
    learning_rate: float = 2e-3
    warmup: int = 50
    steps: int = 2400
    cooldown: float = 1.0
    batch: int = 6
    seconds: tuple[float, float] = (2.5, 11.9)
    clean: float = 0.25
    clean_db: tuple[float, float] = (38.0, 80.0)
    ema: float = 0.99
    clip: float = 5.0
    burst_weight: float = 0.3
    caution: float = 0.5


class NoiseLevelTrainer(TrainingRun):
    """Trains the network that hears noise through music."""

    def __init__(self, mixer: Mixer, settings: NoiseLevelTraining, *, seed: int) -> None:
        torch.manual_seed(seed)
        network = NoiseLevelNet(settings.network)
        super().__init__("noise-level", network, settings.network, settings, mixer)
        self.settings, self.seed = settings, seed

    def start_from(self, model: str | Path) -> None:
        """Take the weights of a model, bundled or a file, as the first ones; everything else starts anew.

        Raises:
            ModelError: the model is unknown, damaged, or of another kind or size.
        """
        weights = load_model(model).network.state_dict()
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise ModelError(f"The model {model} is of another kind or size than the one to be trained.") from error
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def losses(self) -> dict[str, tuple[float, Tensor]]:
        s = self.settings
        rng = np.random.default_rng([self.seed, self.step])
        seconds = rng.uniform(*s.seconds)
        pairs = [self.mixer.pair(rng, seconds, self._snr(rng)) for _ in range(s.batch)]
        noisy, noise = (stft(torch.stack(parts), LONG)[..., ::STRIDE] for parts in zip(*pairs, strict=True))
        powers = power_of(noisy)
        with torch.autocast("cpu", torch.bfloat16, enabled=s.bfloat16):
            found = self.network(powers)
        true, power = map_of_power(power_of(noise)), powers.mean(dim=-1, keepdim=True)
        levels = level_loss(found.mean, true.mean, power, caution=s.caution).mean()
        return {"level_db": (1.0, levels), "burst_db": (s.burst_weight, burst_loss(found, true, power).mean())}

    def _snr(self, rng: np.random.Generator) -> float | None:
        """Of hardly any noise; none where the mixer is to draw it."""
        s = self.settings
        return float(rng.uniform(*s.clean_db)) if rng.random() < s.clean else None


def level_loss(found: Tensor, true: Tensor, power: Tensor, *, caution: float) -> Tensor:
    """How far a map is from the true one in dB, ``(B,)``: in each bin, and for half of it in what each octave sums to.

    All third octaves weigh the same. Too much noise costs more than too little, so that what is learnt is a quantile
    (Koenker and Bassett, "Regression quantiles", Econometrica 46(1), 1978): the one at ``1 - caution``, and a lower one
    where the music is more than 20 dB above the noise and there is more to lose. Noise that is worthless to remove may
    be anything that is.

    Args:
        found: the map's powers, ``(B, F, 1)``.
        true: those of the noise.
        power: those of music and noise, the mean over time.
    """
    found, true, power = (x[..., 0] for x in (found, true, power))
    least = WORTHLESS * power + 1e-20
    found, true = torch.maximum(found, least), torch.maximum(true, least)
    each = _over_bands(_cost(found, true, power, caution), THIRDS)
    found, true, power = (_over_bands(x, OCTAVES) for x in (found, true, power))
    sums = _cost(found, true, power, caution)
    return each.mean(dim=-1) + 0.5 * sums.mean(dim=-1)


def _cost(found: Tensor, true: Tensor, power: Tensor, caution: float) -> Tensor:
    over = 10 * (found / true).log10()
    risk = (0.5 * (power / true).log10()).clamp(1, MOST_RISK)
    return torch.where(over > 0, 2 * caution * risk * over, 2 * (caution - 1) / risk * over)


def _over_bands(values: Tensor, edges: Sequence[float]) -> Tensor:
    """Means between ``edges`` in hertz, ``(B, F)`` to ``(B, bands)``."""
    bands = bins_of_bands(edges, RATE)
    return torch.stack([values[:, a : max(b, a + 1)].mean(dim=-1) for a, b in bands], dim=-1)


def burst_loss(found: NoiseMap, true: NoiseMap, power: Tensor) -> Tensor:
    """How far the ratio of mean to typical power is from that of the noise in dB, ``(B,)``, where there is noise."""
    audible = (true.mean > WORTHLESS * power).float()

    def ratio(noise: NoiseMap) -> Tensor:
        return 10 * ((noise.mean + 1e-20) / (noise.typical + 1e-20)).log10()

    return _over_bands((audible * (ratio(found) - ratio(true)).abs())[..., 0], THIRDS).mean(dim=-1)
