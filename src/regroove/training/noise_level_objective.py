"""What the network that hears noise is trained for: to find the noise where music never pauses.

The loss is how far the map is from the true one in dB. What a filter that is given the map makes of the music would be
nearer to what counts, but a network that minimises it learns to be a filter, not a map: it says that there is endless
noise where there is no music.
"""

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.stft import LONG, power_of, stft
from regroove.networks.noise_level import STRIDE, NoiseLevelNet, NoiseLevelSettings
from regroove.noise.measure import map_of_power
from regroove.training.cosine_run import RunSettings, adamw
from regroove.training.map_losses import burst_loss, level_loss
from regroove.training.mixtures import Mixer
from regroove.training.processes import OneProcess
from regroove.training.run import Trainer, made_with


@dataclass(frozen=True, kw_only=True)
class NoiseLevelTraining:
    """A training of the network that hears noise.

    A step has ``batch`` items of one length, drawn from ``seconds``; ``clean`` is the share of items with hardly any
    noise, whose SNR is drawn from ``clean_db``. ``burst_weight`` is that of the error of how bursty the noise is;
    ``caution`` from 0 to 1 says how much more too much noise costs than too little, alike at 0.5. With ``bfloat16``
    convolutions are computed in that precision.
    """

    network: NoiseLevelSettings = field(default_factory=NoiseLevelSettings)
    run: RunSettings = RunSettings(learning_rate=2e-3, warmup=50, steps=2400, cooldown=1.0, ema=0.99, clip=5.0)
    batch: int = 6
    seconds: tuple[float, float] = (2.5, 11.9)
    clean: float = 0.25
    clean_db: tuple[float, float] = (38.0, 80.0)
    burst_weight: float = 0.3
    caution: float = 0.5
    bfloat16: bool = True


class NoiseLevelObjective:
    """The losses of the network on mixtures of ``mixer``; ``seed`` is that of the draws and of the first weights."""

    architecture = "noise-level"

    def __init__(self, mixer: Mixer, settings: NoiseLevelTraining, *, seed: int) -> None:
        self.network = made_with(seed, lambda: NoiseLevelNet(settings.network))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network_settings = asdict(settings.network)
        self._mixer, self._settings, self._seed = mixer, settings, seed

    def losses(self, step: int) -> dict[str, tuple[float, Tensor]]:
        """Of the mixtures of step number ``step``."""
        s = self._settings
        rng = np.random.default_rng([self._seed, step])
        seconds = rng.uniform(*s.seconds)
        pairs = [self._mixer.pair(rng, seconds, self._snr(rng)) for _ in range(s.batch)]
        noisy, noise = (stft(torch.stack(parts), LONG)[..., ::STRIDE] for parts in zip(*pairs, strict=True))
        powers = power_of(noisy)
        with torch.autocast("cpu", torch.bfloat16, enabled=s.bfloat16):
            found = self.network(powers)
        true, power = map_of_power(power_of(noise)), powers.mean(dim=-1, keepdim=True)
        levels = level_loss(found.mean, true.mean, power, caution=s.caution).mean()
        return {"level_db": (1.0, levels), "burst_db": (s.burst_weight, burst_loss(found, true, power).mean())}

    def _snr(self, rng: np.random.Generator) -> float | None:
        """Of hardly any noise; none where the mixer is to draw it."""
        s = self._settings
        return float(rng.uniform(*s.clean_db)) if rng.random() < s.clean else None


def noise_level_trainer(mixer: Mixer, settings: NoiseLevelTraining, *, seed: int) -> Trainer:
    """Train the network that hears noise on the mixtures of ``mixer``."""
    objective = NoiseLevelObjective(mixer, settings, seed=seed)
    return Trainer(objective, adamw(settings.run), processes=OneProcess("cpu"))
