"""What a training sounds like so far: the averaged network restores an excerpt, and generates one."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.diffusion.schedules import KarrasSettings, karras_sigmas
from regroove.diffusion.solvers import sample
from regroove.training.corpus.music_files import Music
from regroove.training.loggers import Sound
from regroove.training.reference.edm_objective import item_seed
from regroove.training.reference.training_settings import ReferenceSettings

# Standard deviations of the noise that is taken away in one step: 14 dB above the published sigma_data of the music,
# and 6 and 26 dB below it.
RESTORED = (0.3, 0.03, 0.003)
# The published schedule of generation: 35 steps from 1 to 1e-4.
GENERATED = KarrasSettings(steps=35, sigma_min=1e-4, sigma_max=1.0)


@dataclass(frozen=True)
class _Averaged:
    """The network ``(x, c_noise) -> y`` with the averaged weights in place of its own."""

    network: nn.Module
    average: Mapping[str, Tensor]

    def __call__(self, x: Tensor, c_noise: Tensor) -> Tensor:
        return functional_call(self.network, dict(self.average), (x, c_noise))


@torch.no_grad()
def training_sounds(
    network: nn.Module, average: Mapping[str, Tensor], settings: ReferenceSettings, music: Music
) -> list[Sound]:
    """An excerpt, the excerpt with noise and restored at three levels, and one that is generated.

    They are drawn from the training's seed alone, so those of two steps can be compared.

    Raises:
        AudioError: a recording is damaged.
    """
    device = next(iter(average.values())).device
    denoiser = EdmDenoiser(_Averaged(network, average), sigma_data=settings.sigma_data)
    # No step's excerpt has this number.
    generator = torch.Generator().manual_seed(item_seed(settings.seed, step=0, item=settings.batch))
    excerpt = music.excerpt(generator)[None].to(device)
    noise = torch.randn(excerpt.shape, generator=generator).to(device)
    found = {"excerpt": excerpt}
    for sigma in RESTORED:
        noisy = excerpt + sigma * noise
        found[f"noisy {sigma:g}"] = noisy
        found[f"restored {sigma:g}"] = denoiser(noisy, torch.full((1,), sigma, device=device))
    sigmas = karras_sigmas(GENERATED)
    found["generated"] = sample(denoiser, GENERATED.sigma_max * noise, sigmas=sigmas)
    rate = settings.network.sample_rate
    return [Sound(name=name, samples=x[0].float().cpu(), sample_rate=rate) for name, x in found.items()]
