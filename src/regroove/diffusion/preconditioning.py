"""Preconditioning: from a network with inputs and outputs of unit variance to a denoiser.

Karras et al., "Elucidating the design space of diffusion-based generative models", 2022, table 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from regroove.diffusion.denoiser import per_item
from regroove.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class EdmCoefficients:
    """D(x, sigma) = c_skip x + c_out F(c_in x, c_noise); each has the shape of sigma."""

    c_skip: Tensor
    c_out: Tensor
    c_in: Tensor
    c_noise: Tensor


def edm_coefficients(sigma: Tensor, *, sigma_data: float) -> EdmCoefficients:
    """Coefficients for noise levels ``sigma`` > 0 and a clean signal of standard deviation ``sigma_data``.

    Karras et al. 2022, table 1, row "EDM".

    >>> import torch
    >>> edm_coefficients(torch.tensor([0.5]), sigma_data=0.5).c_skip
    tensor([0.5000])
    """
    total = sigma.square() + sigma_data**2
    return EdmCoefficients(
        c_skip=sigma_data**2 / total,
        c_out=sigma * sigma_data / total.sqrt(),
        c_in=1 / total.sqrt(),
        c_noise=sigma.log() / 4,
    )


class EdmDenoiser(nn.Module):
    """Wrap a network ``(x, c_noise) -> y`` as a denoiser ``(x, sigma) -> x0``.

    ``x``, ``y`` and ``x0`` are ``(batch, ...)``, ``c_noise`` and ``sigma`` are ``(batch,)``. ``sigma_data`` is the
    clean signal's standard deviation. Raises ``SettingsError`` if it is not positive. Karras et al. 2022, equation 7.

    >>> import torch
    >>> denoise = EdmDenoiser(lambda x, c_noise: torch.zeros_like(x), sigma_data=0.5)
    >>> denoise(torch.ones(1, 3), torch.tensor([0.5]))
    tensor([[0.5000, 0.5000, 0.5000]])
    """

    def __init__(self, network: Callable[[Tensor, Tensor], Tensor], *, sigma_data: float):
        super().__init__()
        if not sigma_data > 0:
            raise SettingsError(f"sigma_data must be positive, not {sigma_data}.")
        self.network = network
        self.sigma_data = sigma_data

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        c = edm_coefficients(sigma, sigma_data=self.sigma_data)
        y = self.network(per_item(c.c_in, x) * x, c.c_noise)
        return per_item(c.c_skip, x) * x + per_item(c.c_out, x) * y
