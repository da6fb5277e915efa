"""Loaded models as priors: which length they need, and what standard deviation of the music they expect."""

from pathlib import Path

import pytest
import torch
from torch import nn

from regroove.diffusion.preconditioning import EdmDenoiser
from regroove.errors import ModelError, SettingsError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import LoadedModel, build_network, load_model
from regroove.restoration.white_noise_prior import white_noise_prior

RATE, BLOCK = 44_100, 4_096
SIZES = {"octaves": 3, "bins_per_octave": 8, "channels": [4, 4, 4], "dilations": [1], "embedding": [8]}


def reference(sigma_data: float | None = None) -> LoadedModel:
    """A small network of the reference with weights that are not all zero."""
    card = ModelCard(
        architecture="cqtdiff-unet",
        settings={"sample_rate": RATE, "length": BLOCK, **SIZES},
        sample_rate=RATE,
        sigma_data=sigma_data,
    )
    network = build_network(card)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
    return LoadedModel(network.eval().requires_grad_(False), card, "small", "", Path("small.safetensors"))


@pytest.mark.parametrize(
    ("on_card", "asked", "used"), [(None, None, 0.057), (0.1, None, 0.1), (0.1, 0.2, 0.2), (None, 0.2, 0.2)]
)
def test_the_reference_network_is_preconditioned_for_its_music(
    on_card: float | None, asked: float | None, used: float
) -> None:
    loaded = reference(on_card)
    prior = white_noise_prior(loaded, sigma_data=asked)
    x, sigma = 0.1 * torch.randn(1, BLOCK, generator=torch.Generator().manual_seed(1)), torch.tensor([0.1])
    assert (prior.sample_rate, prior.length) == (RATE, BLOCK)
    assert torch.equal(prior.denoiser(x, sigma), EdmDenoiser(loaded.network, sigma_data=used)(x, sigma))


def test_the_reference_network_takes_another_length() -> None:
    prior = white_noise_prior(reference(), length=2 * BLOCK)
    x = 0.1 * torch.randn(1, 2 * BLOCK, generator=torch.Generator().manual_seed(1))
    assert prior.length == 2 * BLOCK
    assert prior.denoiser(x, torch.tensor([0.1])).shape == x.shape
    same, asked = (white_noise_prior(reference(), length=n).denoiser for n in (None, BLOCK))
    sigma = torch.tensor([0.1])
    assert torch.allclose(same(x[:, :BLOCK], sigma), asked(x[:, :BLOCK], sigma), atol=1e-6)


def test_the_matched_network_takes_any_length() -> None:
    prior = white_noise_prior(load_model("default"), length=2 * BLOCK)
    assert prior.length is None
    assert prior.denoiser(torch.zeros(1, 5_000), torch.tensor([0.1])).shape == (1, 5_000)


def test_what_is_no_prior_is_refused() -> None:
    loaded = reference()
    with pytest.raises(ModelError, match="small cannot serve"):
        white_noise_prior(LoadedModel(nn.Identity(), loaded.card, "small", "", Path("small.safetensors")))
    with pytest.raises(SettingsError, match="positive"):
        white_noise_prior(loaded, sigma_data=0.0)
