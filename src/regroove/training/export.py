"""From a training state to a model that can be shipped: averaged weights and a card."""

import json
from pathlib import Path
from typing import Any

import torch

from regroove.errors import ModelError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import save_model
from regroove.networks.matched import MatchedUNet, MatchedUNetSettings

SAMPLE_RATE = 44_100
# At most, on a card.
CURVE_POINTS = 40


def export_state(state: str | Path, model: str | Path, fields: str | Path | None) -> ModelCard:
    """Write the averaged weights of ``state`` to ``model`` with a card; ``fields`` is JSON with fields of the card.

    Raises:
        ModelError: the state or the fields cannot be read.
    """
    try:
        content = torch.load(state, map_location="cpu", weights_only=True)
        extra: dict[str, Any] = json.loads(Path(fields).read_text(encoding="utf-8")) if fields else {}
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{state} or {fields} cannot be read ({error}).") from error
    settings = content["network_settings"]
    network = MatchedUNet(MatchedUNetSettings(**settings))
    network.load_state_dict(content["average"])
    points = content["history"]
    points = points[:: -(-len(points) // CURVE_POINTS) or 1]
    training = {
        "steps": content["step"],
        "hours": round(content["seconds"] / 3600, 2),
        "curve": [{k: round(v, 3) for k, v in point.items()} for point in points],
    }
    extra["training"] = {**extra.get("training", {}), **training}
    extra["size"] = {"parameters": sum(p.numel() for p in network.parameters()), **_cost(network)}
    card = ModelCard(architecture="matched-unet", settings=dict(settings), sample_rate=SAMPLE_RATE, **extra)
    return save_model(model, network, card)


def _cost(network: MatchedUNet) -> dict[str, float]:
    """Floating-point operations of the network for a second of audio, counted by running it."""
    from torch.utils.flop_counter import FlopCounterMode

    from regroove.dsp.stft import LONG
    from regroove.networks.matched import FEATURES

    frames = 8 * network.stride
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, FEATURES, frames, network.settings.patches))
    seconds = frames * LONG.hop / SAMPLE_RATE
    return {"gflop_per_second_of_audio": round(counter.get_total_flops() / 1e9 / seconds, 2)}
