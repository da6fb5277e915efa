"""The mean of the weights before and after a further training: what is learnt, with less of what is forgotten.

Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
"""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from regroove.errors import ModelError, SettingsError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import LoadedModel, load_model, save_model
from regroove.training.first_weights import RESIDUAL_BLOCK


def average_models(
    before: str | Path, after: str | Path, target: str | Path, *, share: float = 0.5, grown: bool = True
) -> ModelCard:
    """Write the weights ``before + share (after - before)`` to ``target`` with the later model's card.

    Args:
        before: a model, bundled or a file.
        after: what training made of it, with as many residual blocks or more: those that are missing are the identity.
        target: a file name ending in .safetensors.
        share: from 0, the earlier model, to 1, the later one.
        grown: whether residual blocks that only the later model has stay. Without them the result is as fast as the
            earlier model.

    Raises:
        SettingsError: the share is not between 0 and 1.
        ModelError: the models are not of one kind, or one cannot be read or written.
    """
    if not 0 <= share <= 1:
        raise SettingsError(f"The later model's share is between 0 and 1, not {share:g}.")
    earlier, later = load_model(before), load_model(after)
    mean, sized = _between(earlier, later, share), later if grown else earlier
    sized.network.load_state_dict({name: mean[name] for name in sized.network.state_dict()})
    training = {**later.card.training, "averaged": {"with": earlier.name, "share": share}}
    card = replace(later.card, settings=sized.card.settings, size=sized.card.size, training=training, scores={})
    return save_model(target, sized.network, card)


def _between(earlier: LoadedModel, later: LoadedModel, share: float) -> dict[str, Tensor]:
    start, end = earlier.network.state_dict(), later.network.state_dict()
    grown = [name for name in end if name not in start]
    alike = all(name in end and end[name].shape == value.shape for name, value in start.items())
    if not alike or not all(RESIDUAL_BLOCK.match(name) for name in grown):
        raise ModelError(f"The model {later.name} was not made from {earlier.name}: they differ in kind or size.")
    # A residual block whose second convolution is zero is the identity, whatever its first one is.
    identity = {name: end[name] if ".first." in name else 0 * end[name] for name in grown}
    return {name: (start | identity)[name].lerp(value, share) for name, value in end.items()}
