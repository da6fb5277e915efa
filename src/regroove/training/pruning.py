"""A network without the channels that hardly do anything: what training leaves unused costs as much as the rest.

Of what a residual block's second convolution adds, a channel between the convolutions has a part of energy v |w|^2,
with the variance v of what it holds and the weights w that leave it. The channels with the least of it go, and what
they hold on average goes into the bias. Molchanov et al., "Pruning convolutional neural networks for resource efficient
inference", ICLR 2017, compare such measures.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from regroove.dsp.noise_map import NoiseMap
from regroove.errors import ModelError, SettingsError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import load_model, save_model
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, ResidualBlock
from regroove.networks.watching import InputWatcher
from regroove.training.export import size_of

# Processors compute so many channels at once.
MULTIPLE = 16


class Moments(InputWatcher):
    """Mean and variance of each channel inside the residual blocks of a network, by their names, while it is a context.

    >>> network = nn.Sequential(ResidualBlock(2, 3))
    >>> with Moments(network) as moments:
    ...     _ = network(torch.zeros(1, 2, 8, 8))
    >>> [x.shape for x in moments.of("0")]
    [torch.Size([3]), torch.Size([3])]
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__({name: m.second for name, m in blocks_of(network).items()})
        self._sums: dict[str, Tensor] = {}

    def of(self, block: str) -> tuple[Tensor, Tensor]:
        """Mean and variance in a block, ``(inner channels,)`` each, in double precision."""
        count, total, squares = self._sums[block]
        mean = total / count
        return mean, (squares / count - mean.square()).clamp_min(0)

    def saw(self, name: str, x: Tensor) -> None:
        x = x.movedim(1, -1).flatten(0, -2).double()
        sums = torch.stack([torch.full(x.shape[1:], float(len(x))), x.sum(dim=0), x.square().sum(dim=0)])
        self._sums[name] = self._sums.get(name, 0) + sums


def blocks_of(network: nn.Module) -> dict[str, ResidualBlock]:
    """The residual blocks of a network by their names, in the order in which they are made."""
    return {name: m for name, m in network.named_modules() if isinstance(m, ResidualBlock)}


def pruned(network: MatchedUNet, mixtures: Iterable[tuple[Tensor, NoiseMap]], *, keep_db: float) -> MatchedUNet:
    """The network without the channels that together are ``keep_db`` below all that their block adds.

    Args:
        mixtures: noisy recordings ``(B, time)`` with their noise maps, on which that is measured.

    Each block keeps a multiple of 16 channels, or all of them.
    """
    denoiser = MatchedDenoiser(network).eval()
    with Moments(network) as moments, torch.inference_mode():
        for noisy, noise in mixtures:
            denoiser(noisy, noise)
    kept = {name: _kept(block, moments.of(name)[1], keep_db) for name, block in blocks_of(network).items()}
    smaller = MatchedUNet(replace(network.settings, inner=tuple(map(len, kept.values()))))
    smaller.load_state_dict(_weights(network, kept, moments))
    return smaller.eval()


def _kept(block: ResidualBlock, variance: Tensor, keep_db: float) -> Tensor:
    """The channels that stay, in their order."""
    energy = variance * block.second.weight.detach().double().square().sum(dim=(0, 2, 3))
    ordered, channels = energy.sort(descending=True)
    left = 1 - ordered.cumsum(0) / ordered.sum().clamp_min(1e-300)
    wanted = 1 + int((left > 10 ** (-keep_db / 10)).sum())
    return channels[: -(-wanted // MULTIPLE) * MULTIPLE].sort().values


def _weights(network: MatchedUNet, kept: dict[str, Tensor], moments: Moments) -> dict[str, Tensor]:
    weights = dict(network.state_dict())
    for name, stay in kept.items():
        mean = moments.of(name)[0].clone()
        mean[stay] = 0
        leaving = weights[f"{name}.second.weight"].double().sum(dim=(2, 3)) @ mean
        weights[f"{name}.first.weight"] = weights[f"{name}.first.weight"][stay]
        weights[f"{name}.first.bias"] = weights[f"{name}.first.bias"][stay]
        weights[f"{name}.second.weight"] = weights[f"{name}.second.weight"][:, stay]
        weights[f"{name}.second.bias"] = (weights[f"{name}.second.bias"].double() + leaving).float()
    return weights


def prune_model(
    model: str | Path, target: Path, mixtures: Iterable[tuple[Tensor, NoiseMap]], *, keep_db: float
) -> ModelCard:
    """Write a model without the channels that hardly do anything; its card says from which it was made.

    Raises:
        SettingsError: ``keep_db`` is not above 0.
        ModelError: the model is no matched-unet, or one cannot be read or written.
    """
    if not keep_db > 0:
        raise SettingsError(f"What is left out is so many dB below the rest, more than 0, not {keep_db:g}.")
    loaded = load_model(model)
    if not isinstance(loaded.network, MatchedUNet):
        raise ModelError(f"The model {loaded.name} is no matched-unet, and only those are pruned.")
    network = pruned(loaded.network, mixtures, keep_db=keep_db)
    training = {**loaded.card.training, "pruned": {"from": loaded.name, "keep_db": keep_db}}
    settings = {**loaded.card.settings, "inner": list(network.settings.inner or ())}
    card = replace(loaded.card, settings=settings, size=size_of(network), training=training, scores={})
    return save_model(target, network, card)
