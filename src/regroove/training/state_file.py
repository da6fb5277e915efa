"""Training states of our networks as files: ``.pt``, replaced as a whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from regroove.errors import ModelError
from regroove.pending import PendingFile
from regroove.training.run import Trainer, TrainingState

STATE_VERSION = 2
# Version 1 also held torch's random state, which no step depends on.
READABLE = (1, STATE_VERSION)


def save_state(trainer: Trainer, path: str | Path) -> Path:
    """Write the state of a run, and of what it trains, to ``path``.

    Raises:
        AudioError: it cannot be written; a file of that name is left as it was.
    """
    state, objective = trainer.state(), trainer.objective
    content = {
        "version": STATE_VERSION,
        "architecture": objective.architecture,
        "network_settings": dict(objective.network_settings),
        "network": state.network,
        "average": state.average,
        "optimiser": state.optimiser,
        "step": state.step,
        "seconds": state.seconds,
        "history": state.history,
    }
    with PendingFile(Path(path), overwrite=True) as pending:
        torch.save(content, pending.temporary)
    return Path(path)


def resume_state(trainer: Trainer, path: str | Path) -> None:
    """Go on from a state that :func:`save_state` wrote; the next losses are what they would have been.

    Raises:
        ModelError: it is no state, or that of another version or another network.
    """
    content = read_state(path)
    if content.get("version") not in READABLE:
        raise ModelError(f"{path} is a training state of version {content.get('version')}, not {STATE_VERSION}.")
    trainer.restore(
        TrainingState(
            step=content["step"],
            seconds=content["seconds"],
            network=content["network"],
            average=content["average"],
            optimiser=content["optimiser"],
            history=content["history"],
        ),
        source=path,
    )


def read_state(path: str | Path) -> Mapping[str, Any]:
    """Read the content of a training state.

    Raises:
        ModelError: it is none.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Damaged archives end in errors of many kinds; none of them says more than this sentence.
        raise ModelError(f"{path} is no training state.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is no training state.")
    return content
