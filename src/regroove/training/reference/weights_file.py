"""Training states of the reference network: ``weights-STEP.pt``, which the original can read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from regroove.errors import ModelError
from regroove.pending import PendingFile
from regroove.training.run import Trainer, TrainingState


def save_weights(trainer: Trainer, folder: Path, *, seed: int) -> Path:
    """Write ``weights-STEP.pt``, with the training's state beside the original's own entries.

    Raises:
        AudioError: it cannot be written; a file of that name is left as it was.
    """
    state = trainer.state()
    path = folder / f"weights-{state.step}.pt"
    content = {
        "step": state.step,
        "model": state.network,
        # The original knows them by their order alone.
        "ema_weights": list(state.average.values()),
        "optimiser": state.optimiser,
        "seconds": state.seconds,
        "history": state.history,
        "seed": seed,
        "network": _plain(trainer.objective.network_settings),
    }
    with PendingFile(path, overwrite=True) as pending:
        torch.save(content, pending.temporary)
    return path


def resume_weights(trainer: Trainer, path: Path, *, seed: int) -> None:
    """Go on from a file that :func:`save_weights` wrote; the next loss is what it would have been.

    Raises:
        ModelError: the file is damaged, of another network or seed, or holds weights only.
    """
    try:
        content = torch.load(path, map_location=trainer.processes.device, weights_only=True)
        found = content.get("seed", seed)
        state = TrainingState(
            step=int(content["step"]),
            seconds=float(content.get("seconds", 0.0)),
            network=content["model"],
            average=dict(zip(trainer.average, content["ema_weights"], strict=True)),
            optimiser=content["optimiser"],
            history=content.get("history", ()),
        )
    except Exception as error:
        # Damaged archives end in errors of many kinds; none of them says more than this sentence.
        raise ModelError(f"{path} cannot be resumed from: it is no training state of this network.") from error
    if found != seed:
        raise ModelError(f"{path} was trained with seed {found} and cannot go on with {seed}.")
    trainer.restore(state, source=path)


def latest_weights(folder: Path) -> Path | None:
    """The ``weights-STEP.pt`` of the highest step, or None.

    >>> latest_weights(Path("no-folder")) is None
    True
    """
    steps = {f: re.fullmatch(r"weights-(\d+)\.pt", f.name) for f in folder.glob("weights-*.pt")}
    named = {f: int(match[1]) for f, match in steps.items() if match}
    return max(named, key=lambda f: named[f]) if named else None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Sequences as lists, which is what a restricted reader of pickles knows for certain."""
    return {key: value if isinstance(value, int) else list(value) for key, value in values.items()}
