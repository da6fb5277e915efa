"""What the default network is trained for: the music of a mixture, given the noise map."""

from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from regroove.dsp.noise_map import NoiseMap
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
from regroove.training.cosine_run import RunSettings, adamw
from regroove.training.losses import band_level_distance, log_spectral_distance, noise_reduction_db
from regroove.training.mixtures import Mixer
from regroove.training.processes import OneProcess
from regroove.training.run import Trainer, made_with


@dataclass(frozen=True, kw_only=True)
class MatchedTraining:
    """A training of the default network.

    ``spectral_weight`` and ``band_weight`` are those of the distances of log spectra and of bands' levels, beside the
    noise that is left, whose weight is 1; with ``bfloat16`` convolutions are computed in that precision.
    """

    network: MatchedUNetSettings = field(default_factory=MatchedUNetSettings)
    run: RunSettings = field(default_factory=RunSettings)
    spectral_weight: float = 0.2
    band_weight: float = 0.3
    bfloat16: bool = True


class MatchedObjective:
    """The losses of a :class:`MatchedDenoiser` on the batches of ``mixer``; the first weights come from ``seed``."""

    architecture = "matched-unet"

    def __init__(self, mixer: Mixer, settings: MatchedTraining, *, seed: int, device: torch.device) -> None:
        self.network = made_with(seed, lambda: MatchedUNet(settings.network)).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network_settings = asdict(settings.network)
        self.denoiser = MatchedDenoiser(self.network)
        self._mixer, self._settings, self._device = mixer, settings, device

    def losses(self, step: int) -> dict[str, tuple[float, Tensor]]:
        """Of batch number ``step``."""
        s, batch = self._settings, self._mixer.batch(step)
        clean, noisy = batch.clean.to(self._device), batch.noisy.to(self._device)
        estimate = self._estimate(noisy, batch.map)
        bands = band_level_distance(estimate, clean, sample_rate=self._mixer.settings.sample_rate)
        return {
            "residual_db": (1.0, noise_reduction_db(estimate, clean, noisy).mean()),
            "spectral_db": (s.spectral_weight, log_spectral_distance(estimate, clean).mean()),
            "band_db": (s.band_weight, bands.mean()),
        }

    def _estimate(self, noisy: Tensor, given: NoiseMap) -> Tensor:
        noise = NoiseMap(given.mean.to(self._device), given.typical.to(self._device))
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.bfloat16):
            return self.denoiser(noisy, noise)


def matched_trainer(mixer: Mixer, settings: MatchedTraining, *, seed: int, device: str = "cpu") -> Trainer:
    """Train the default network on the batches of ``mixer``."""
    processes = OneProcess(device)
    objective = MatchedObjective(mixer, settings, seed=seed, device=processes.device)
    return Trainer(objective, adamw(settings.run), processes=processes)
