"""The network of a configuration as a denoiser of white noise."""

from dataclasses import asdict, dataclass

from regroove.compat.settings import NetworkConfig, PriorConfig
from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.errors import ModelError
from regroove.networks.checkpoints import LoadedModel, find_model, load_model
from regroove.networks.cqtdiff import CqtUNet, CqtUNetSettings
from regroove.networks.reference_checkpoints import read_reference_checkpoint
from regroove.restoration.engines.table import resolve_device
from regroove.restoration.priors import white_noise_prior


@dataclass(frozen=True, kw_only=True)
class Prior:
    """A denoiser of ``(items, block)`` samples at ``sample_rate``, on ``device``."""

    denoiser: Denoiser
    sample_rate: int
    block: int
    device: str


def load_prior(config: PriorConfig, checkpoint: str) -> Prior:
    """Load ``checkpoint``: a ``.pt`` file of the original, or one of this package's models.

    No weight of the original's network depends on the sample rate or the block length, so both are the configuration's.

    Raises:
        ModelError: the checkpoint is missing, damaged, of another size, or works at another rate.
        SettingsError: the device is not there, or sizes of the network are not usable.
    """
    device = resolve_device(config.device)
    path = find_model(checkpoint)
    if path.suffix == ".pt":
        network = _reference_network(config, path.read_bytes(), source=str(path))
        placed = network.to(device).eval().requires_grad_(False)
        denoiser: Denoiser = EdmDenoiser(placed, sigma_data=config.diffusion_parameters.sigma_data)
    else:
        denoiser = _own_model(load_model(path, device=device), config)
    return Prior(denoiser=denoiser, sample_rate=config.sample_rate, block=config.audio_len, device=device)


def network_settings(network: NetworkConfig, *, sample_rate: int, length: int) -> CqtUNetSettings:
    """The network's settings for a block of ``length`` samples.

    >>> network_settings(NetworkConfig(), sample_rate=22_050, length=65_536).octaves
    7
    """
    return CqtUNetSettings(sample_rate=sample_rate, length=length, **asdict(network))


def _reference_network(config: PriorConfig, data: bytes, *, source: str) -> CqtUNet:
    settings = network_settings(config.network, sample_rate=config.sample_rate, length=config.audio_len)
    return read_reference_checkpoint(data, settings=settings, weights=config.weights, source=source)[0]


def _own_model(loaded: LoadedModel, config: PriorConfig) -> Denoiser:
    if loaded.card.sample_rate != config.sample_rate:
        raise ModelError(
            f"The model {loaded.name} works at {loaded.card.sample_rate} Hz, and sample_rate is {config.sample_rate}."
        )
    sigma_data = config.diffusion_parameters.sigma_data
    return white_noise_prior(loaded, length=config.audio_len, sigma_data=sigma_data).denoiser
