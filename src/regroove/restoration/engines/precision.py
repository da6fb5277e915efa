"""In which precision the matched-noise network computes."""

from regroove.devices import has_bfloat16
from regroove.errors import SettingsError
from regroove.networks.checkpoints import LoadedModel
from regroove.networks.eight_bit import can_run, eight_bit_card, good_enough, load_eight_bit
from regroove.networks.matched_denoiser import Corrector

# GFLOP for a second of audio. OpenVINO takes half a second to start, which the fast model's 1.0 win back in four
# minutes of audio, the default's 6.7 in half a minute.
WORTH_STARTING = 3.0


def in_precision(asked: str, loaded: LoadedModel, *, device: str, threads: int) -> tuple[Corrector, str]:
    """The network that computes in the precision that was asked for, and the name of that precision.

    ``threads`` is how many compute eight bits.

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
    return load_eight_bit(loaded, threads=threads), chosen


def _automatic(loaded: LoadedModel, device: str) -> str:
    if has_bfloat16(device):
        return "bfloat16"
    if device != "cpu" or not can_run():
        return "float32"
    card = eight_bit_card(loaded)
    if card is None or loaded.card.size.get("gflop_per_second_of_audio", WORTH_STARTING) < WORTH_STARTING:
        return "float32"
    return "int8" if good_enough(card.scores.get("lost", {})) else "float32"
