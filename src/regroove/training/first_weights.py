"""What a network may start from: the weights of a model that is there."""

import re
from pathlib import Path

from regroove.errors import ModelError
from regroove.networks.checkpoints import load_model
from regroove.training.run import Trainer

RESIDUAL_BLOCK = re.compile(r"((down|up)\.\d+|middle)\.\d+\.(first|second)\.")


def start_from(trainer: Trainer, model: str | Path, *, spare: re.Pattern[str] | None = None) -> None:
    """Take the weights of a model, bundled or a file, as the first ones; everything else starts anew.

    Args:
        spare: names of weights that only one of the two may have. With :data:`RESIDUAL_BLOCK` the network may have more
            residual blocks than the model: they start as the identity, so it begins as good. It may also do without
            some of the model's, and has to learn to.

    Raises:
        ModelError: the model is unknown, damaged, or of another kind or size.
    """
    weights = load_model(model).network.state_dict()
    sentence = f"The model {model} is of another kind or size than the one to be trained."
    try:
        missing, unexpected = trainer.start_with(weights)
    except RuntimeError as error:
        raise ModelError(sentence) from error
    if not all(spare and spare.match(name) for name in (*missing, *unexpected)):
        raise ModelError(sentence)
