"""In which precision the matched-noise network computes."""

from regroove.devices import has_bfloat16
from regroove.errors import SettingsError
from regroove.networks.checkpoints import LoadedModel
from regroove.networks.eight_bit import can_run, eight_bit_card, good_enough, load_eight_bit
from regroove.networks.matched_denoiser import Corrector


def in_precision(asked: str, loaded: LoadedModel, *, device: str, streams: int) -> tuple[Corrector, str]:
    """The network that computes in the precision that was asked for, and the name of that precision.

    ``streams`` is how many threads ask it at the same time.

    Raises:
        SettingsError: eight bits on another device than the processor, or without OpenVINO.
        ModelError: the model has no file in eight bits, or a damaged one.
    """
    network: Corrector = loaded.network  # type: ignore[assignment]
    chosen = _automatic(loaded, device) if asked == "auto" else asked
    if chosen != "int8":
        return network, chosen
    if device != "cpu":
        raise SettingsError(f"Eight bits are for the processor, not for the device {device}.")
    return load_eight_bit(loaded, streams=streams), chosen


def _automatic(loaded: LoadedModel, device: str) -> str:
    if has_bfloat16(device):
        return "bfloat16"
    if device != "cpu" or not can_run():
        return "float32"
    card = eight_bit_card(loaded)
    return "int8" if card is not None and good_enough(card.scores.get("lost", {})) else "float32"
