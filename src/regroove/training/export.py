"""From a training state to a model that can be shipped: averaged weights and a card."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from regroove.dsp.stft import LONG
from regroove.errors import ModelError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import build_network, save_model
from regroove.training.state_file import read_state

SAMPLE_RATE = 44_100
# At most, on a card.
CURVE_POINTS = 40


def export_state(state: str | Path, model: str | Path, fields: str | Path | None) -> ModelCard:
    """Write the averaged weights of ``state`` to ``model`` with a card; ``fields`` is JSON with fields of the card.

    Raises:
        ModelError: the state or the fields cannot be read.
    """
    content = read_state(state)
    try:
        extra: dict[str, Any] = json.loads(Path(fields).read_text(encoding="utf-8")) if fields else {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{fields} cannot be read ({error}).") from error
    card = ModelCard(
        architecture=content["architecture"], settings=dict(content["network_settings"]), sample_rate=SAMPLE_RATE
    )
    network = build_network(card)
    network.load_state_dict(content["average"])
    points = content["history"]
    points = points[:: -(-len(points) // CURVE_POINTS) or 1]
    training = {
        "steps": content["step"],
        "hours": round(content["seconds"] / 3600, 2),
        "curve": [{k: round(v, 3) for k, v in point.items()} for point in points],
    }
    extra["training"] = {**extra.get("training", {}), **training}
    extra["size"] = size_of(network)
    return save_model(model, network, replace(card, **extra))


def size_of(network: Any) -> dict[str, float]:
    """How many parameters a network has, and its floating-point operations for a second of audio, counted by running
    it."""
    from torch.utils.flop_counter import FlopCounterMode

    example, hops = network.example()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(example)
    seconds = hops * LONG.hop / SAMPLE_RATE
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "gflop_per_second_of_audio": round(counter.get_total_flops() / 1e9 / seconds, 2),
    }
