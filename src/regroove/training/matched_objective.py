"""How the default network is trained: its losses, and what it may start from."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.errors import ModelError
from regroove.networks.checkpoints import load_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
from regroove.training.losses import band_level_distance, log_spectral_distance, noise_reduction_db
from regroove.training.mixtures import Mixer
from regroove.training.run import RunSettings, TrainingRun

RESIDUAL_BLOCK = re.compile(r"((down|up)\.\d+|middle)\.\d+\.(first|second)\.")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(RunSettings):
    """A run of the default network; ``spectral_weight`` and ``band_weight`` are those of the distances of log spectra
    and of bands' levels."""

    network: MatchedUNetSettings = field(default_factory=MatchedUNetSettings)
    learning_rate: float = 1.5e-3
    warmup: int = 200
    steps: int = 4000
    cooldown: float = 0.5
    spectral_weight: float = 0.2
    band_weight: float = 0.3
    ema: float = 0.998
    clip: float = 1.0


class Trainer(TrainingRun):
    """Trains a :class:`MatchedDenoiser`; everything that the next step depends on is in :meth:`state`."""

    def __init__(self, mixer: Mixer, settings: TrainingSettings, *, seed: int, device: str = "cpu") -> None:
        torch.manual_seed(seed)
        network = MatchedUNet(settings.network)
        super().__init__("matched-unet", network, settings.network, settings, mixer, device=device)
        self.settings = settings
        self.denoiser = MatchedDenoiser(network)

    def losses(self) -> dict[str, tuple[float, Tensor]]:
        batch = self.mixer.batch(self.step)
        clean, noisy = batch.clean.to(self.device), batch.noisy.to(self.device)
        estimate = self._estimate(noisy, batch.map)
        bands = band_level_distance(estimate, clean, sample_rate=self.mixer.settings.sample_rate)
        return {
            "residual_db": (1.0, noise_reduction_db(estimate, clean, noisy).mean()),
            "spectral_db": (self.settings.spectral_weight, log_spectral_distance(estimate, clean).mean()),
            "band_db": (self.settings.band_weight, bands.mean()),
        }

    def _estimate(self, noisy: Tensor, told: NoiseMap) -> Tensor:
        noise = NoiseMap(told.mean.to(self.device), told.typical.to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bfloat16):
            return self.denoiser(noisy, noise)

    def start_from(self, model: str | Path) -> None:
        """Take the weights of a model, bundled or a file, as the first ones; everything else starts anew.

        The network may have more residual blocks than the model. They start as the identity, so it begins as good. It
        may also do without some of the model's, and has to learn to.

        Raises:
            ModelError: the model is unknown, damaged or of another size.
        """
        weights = load_model(model).network.state_dict()
        sentence = f"The model {model} is of another kind or size than the one to be trained."
        try:
            missing, unexpected = self.network.load_state_dict(weights, strict=False)
        except RuntimeError as error:
            raise ModelError(sentence) from error
        if not all(RESIDUAL_BLOCK.match(name) for name in (*missing, *unexpected)):
            raise ModelError(sentence)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
