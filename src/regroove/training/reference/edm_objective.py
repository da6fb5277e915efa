"""The objective of the reference's training: its noise levels and its loss."""

from collections.abc import Callable

from torch import Tensor

from regroove.diffusion.preconditioning import edm_coefficients


def training_sigmas(u: Tensor, *, sigma_min: float, sigma_max: float, rho: float) -> Tensor:
    """Noise levels for ``u`` in [0, 1]: the sampler's schedule made continuous, with a rho of its own.

    >>> import torch
    >>> training_sigmas(torch.tensor([0.0, 1.0]), sigma_min=0.1, sigma_max=1.0, rho=10.0)
    tensor([1.0000, 0.1000])
    """
    start, end = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return (start + u * (end - start)) ** rho


def edm_loss(
    network: Callable[[Tensor, Tensor], Tensor], x: Tensor, noise: Tensor, sigma: Tensor, *, sigma_data: float
) -> Tensor:
    """Mean square error of the network's own output, for ``(B, L)`` music and noise and ``(B,)`` levels.

    The target is (x - c_skip (x + sigma n)) / c_out. Karras et al. 2022, equation 8.

    >>> import torch
    >>> x = torch.zeros(1, 4)
    >>> edm_loss(lambda x, c_noise: 0 * x, x, x, torch.ones(1), sigma_data=0.1)
    tensor(0.)
    """
    c = edm_coefficients(sigma, sigma_data=sigma_data)
    noisy = x + sigma[:, None] * noise
    target = (x - c.c_skip[:, None] * noisy) / c.c_out[:, None]
    return (network(c.c_in[:, None] * noisy, c.c_noise) - target).square().mean()
