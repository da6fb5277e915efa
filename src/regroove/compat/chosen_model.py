"""The network of a configuration as a denoiser of white noise."""

from dataclasses import dataclass

from regroove.compat.script_settings import PriorConfig
from regroove.compat.translate import network_settings
from regroove.devices import resolve_device
from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.diffusion.schedules import KarrasSettings, shellac_schedule
from regroove.errors import ModelError
from regroove.networks.checkpoints import find_model, load_model
from regroove.networks.reference_checkpoints import SIGMA_DATA, read_reference_checkpoint
from regroove.restoration.white_noise_prior import white_noise_prior


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A denoiser of ``(items, block)`` samples on ``device``, and the schedule that suits denoising records with it.

    ``published`` says whether the network is one of the original's.
    """

    denoiser: Denoiser
    device: str
    schedule: KarrasSettings
    published: bool


def load_prior(config: PriorConfig, checkpoint: str) -> Prior:
    """Load ``checkpoint``: a ``.pt`` file of the original, or one of this package's models.

    No weight of the original's network depends on the sample rate or the block length, so both are the configuration's.

    Raises:
        ModelError: the checkpoint is missing, damaged, of another size, or works at another rate.
        SettingsError: the device is not there, or sizes of the network are not usable.
    """
    device, path = resolve_device(config.device), find_model(checkpoint)
    sigma_data = config.diffusion_parameters.sigma_data
    if path.suffix == ".pt":
        settings = network_settings(config.network, sample_rate=config.sample_rate, length=config.audio_len)
        network, _ = read_reference_checkpoint(
            path.read_bytes(), settings=settings, weights=config.weights, source=str(path)
        )
        placed = network.to(device).eval().requires_grad_(False)
        denoiser = EdmDenoiser(placed, sigma_data=SIGMA_DATA if sigma_data is None else sigma_data)
        return Prior(denoiser=denoiser, device=device, schedule=shellac_schedule(), published=True)
    loaded = load_model(path, device=device)
    if loaded.card.sample_rate != config.sample_rate:
        raise ModelError(
            f"The model {loaded.name} works at {loaded.card.sample_rate} Hz, and sample_rate is {config.sample_rate}."
        )
    white = white_noise_prior(loaded, length=config.audio_len, sigma_data=sigma_data)
    published = white.length is not None
    return Prior(denoiser=white.denoiser, device=device, schedule=white.schedule, published=published)


def schedule_note(config: PriorConfig, prior: Prior) -> list[str]:
    """What to say where the noise levels were chosen for the network of this package."""
    d, s = config.diffusion_parameters, prior.schedule
    if prior.published or None not in (d.T, d.sigma_min, d.sigma_max):
        return []
    return [
        f"The network is not the published one: what diffusion_parameters leaves open is taken from {s.steps} steps "
        f"from noise level {s.sigma_max:g} to {s.sigma_min:g}, which suit it."
    ]
