"""What the reference network is trained for: its own objective, noise levels and loss.

Every excerpt of a step has its own random source, seeded by the training's seed, the step and the excerpt's number. So
a run that was cut off goes on with the losses that it would have had, and the number of devices changes only rounding.
"""

from collections.abc import Callable
from dataclasses import asdict

import torch
from torch import Tensor

from regroove.diffusion.preconditioning import edm_coefficients
from regroove.diffusion.randomness import seed_of
from regroove.errors import SettingsError
from regroove.networks.cqt_unet import CqtUNet
from regroove.training.corpus.music_files import Music
from regroove.training.processes import Processes
from regroove.training.reference.training_settings import ReferenceSettings
from regroove.training.run import Optimisation, Trainer, made_with


class EdmObjective:
    """The loss of the reference network on excerpts of music; the processes share the excerpts of a step.

    Raises:
        SettingsError: the excerpts of a step cannot be shared equally, or the network's sizes contradict each other.
    """

    architecture = "cqt-unet"

    def __init__(self, settings: ReferenceSettings, music: Music, *, processes: Processes) -> None:
        if settings.batch % processes.world_size:
            raise SettingsError(
                f"A batch of {settings.batch} cannot be shared by {processes.world_size} devices equally."
            )
        self.settings, self.music = settings, music
        self.network = made_with(settings.seed, lambda: CqtUNet(settings.network)).train()
        self.network.checkpointing = settings.checkpointing
        self.network_settings = asdict(settings.network)
        self._processes = processes

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """This process's share of a step: excerpts and noise ``(B, L)``, noise levels ``(B,)``."""
        s, share = self.settings, self.settings.batch // self._processes.world_size
        music, noise, u = [], [], []
        for item in range(self._processes.global_rank * share, (self._processes.global_rank + 1) * share):
            generator = torch.Generator().manual_seed(item_seed(s.seed, step=step, item=item))
            music.append(self.music.excerpt(generator))
            noise.append(torch.randn(s.network.length, generator=generator))
            u.append(torch.rand((), generator=generator))
        sigma = training_sigmas(torch.stack(u), sigma_min=s.sigma_min, sigma_max=s.sigma_max, rho=s.rho)
        x, n, sigma = (each.to(self._processes.device) for each in (torch.stack(music), torch.stack(noise), sigma))
        return x, n, sigma

    def losses(self, step: int) -> dict[str, tuple[float, Tensor]]:
        """Of the excerpts of step number ``step``.

        Raises:
            AudioError: a recording is damaged.
        """
        x, noise, sigma = self.batch(step)
        return {"loss": (1.0, edm_loss(self.network, x, noise, sigma, sigma_data=self.settings.sigma_data))}


def reference_trainer(settings: ReferenceSettings, music: Music, *, processes: Processes) -> Trainer:
    """Train as the reference does: Adam, steps of decay, clipped gradients, averaged weights."""
    s = settings
    optimisation = Optimisation(
        optimiser=torch.optim.Adam,
        learning_rate=lambda step: s.lr * s.lr_decay ** (step // s.lr_decay_steps),
        decay=lambda step: s.ema,
        clip=s.max_gradient_norm,
    )
    return Trainer(EdmObjective(settings, music, processes=processes), optimisation, processes=processes)


def item_seed(seed: int, *, step: int, item: int) -> int:
    """The random seed of one excerpt of one step.

    >>> item_seed(0, step=0, item=1) == item_seed(0, step=1, item=0)
    False
    """
    return seed_of(seed, step, item)


def training_sigmas(u: Tensor, *, sigma_min: float, sigma_max: float, rho: float) -> Tensor:
    """Noise levels for ``u`` in [0, 1]: the sampler's schedule made continuous, with a rho of its own.

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

    >>> x = torch.zeros(1, 4)
    >>> edm_loss(lambda x, c_noise: 0 * x, x, x, torch.ones(1), sigma_data=0.1)
    tensor(0.)
    """
    c = edm_coefficients(sigma, sigma_data=sigma_data)
    noisy = x + sigma[:, None] * noise
    target = (x - c.c_skip[:, None] * noisy) / c.c_out[:, None]
    return (network(c.c_in[:, None] * noisy, c.c_noise) - target).square().mean()
