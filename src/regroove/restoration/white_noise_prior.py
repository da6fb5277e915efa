"""A loaded model as a prior: its network as a denoiser of white noise."""

from dataclasses import dataclass

from regroove.diffusion.denoiser import Denoiser
from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.diffusion.schedules import KarrasSettings, cqtdiff_schedule, shellac_schedule
from regroove.errors import ModelError
from regroove.networks.checkpoints import LoadedModel
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings
from regroove.networks.matched_denoiser import MatchedDenoiser, WhiteNoiseDenoiser
from regroove.networks.matched_unet import MatchedUNet
from regroove.networks.reference_checkpoints import SIGMA_DATA


@dataclass(frozen=True, kw_only=True)
class WhiteNoisePrior:
    """``denoiser(x, sigma)`` for ``(items, length)`` samples; ``length`` is None where any number will do.

    ``schedule`` is the one that suits the denoising of records with it.
    """

    denoiser: Denoiser
    sample_rate: int
    length: int | None
    schedule: KarrasSettings


def white_noise_prior(
    loaded: LoadedModel, *, length: int | None = None, sigma_data: float | None = None
) -> WhiteNoisePrior:
    """Make the prior of a model: one of the reference's, or one of the matched engine, which removes any noise.

    Args:
        loaded: the model, where it is to work.
        length: samples at once, for a network of the reference, none of whose weights depends on it; None: those that
            it was made for. A network of the matched engine takes any number.
        sigma_data: standard deviation of the music for Karras et al. 2022, equation 7; None: the one on the model's
            card, otherwise that of MAESTRO. The matched engine has no use for it.

    Raises:
        ModelError: the network is of another kind.
        SettingsError: the length is of no use to the network, or sigma_data is not positive.

    >>> from regroove.networks.checkpoints import load_model
    >>> prior = white_noise_prior(load_model("default"))
    >>> prior.sample_rate, prior.length, prior.schedule.sigma_max
    (44100, None, 1.0)
    """
    network, rate = loaded.network, loaded.card.sample_rate
    if isinstance(network, MatchedUNet):
        white = WhiteNoiseDenoiser(MatchedDenoiser(network).eval())
        # It answers noise far louder than 1 with silence, from which no block comes back.
        return WhiteNoisePrior(denoiser=white, sample_rate=rate, length=None, schedule=cqtdiff_schedule())
    if not isinstance(network, CqtUNet):
        raise ModelError(f"The model {loaded.name} cannot serve as a prior.")
    if length is not None:
        network = _of_length(network, {**loaded.card.settings, "length": length})
    if sigma_data is None:
        sigma_data = loaded.card.sigma_data or SIGMA_DATA
    edm = EdmDenoiser(network, sigma_data=sigma_data).eval()
    length = int(loaded.card.settings["length"]) if length is None else length
    return WhiteNoisePrior(denoiser=edm, sample_rate=rate, length=length, schedule=shellac_schedule())


def _of_length(network: CqtUNet, settings: dict[str, object]) -> CqtUNet:
    other = CqtUNet(CqtUNetSettings(**settings))  # type: ignore[arg-type]
    other.load_state_dict(network.state_dict())
    return other.to(next(network.parameters()).device).eval().requires_grad_(False)
