"""The checkpoints of CQTDiff (``weights-N.pt``): pickles, read without running anything in them."""

import io
import logging
import pickle
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from regroove.errors import ModelError
from regroove.networks.cards import ModelCard
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings
from regroove.networks.state import load_state

log = logging.getLogger(__name__)

# The block, in samples, that a network of each published rate restores at once.
BLOCKS = {22_050: 65_536, 44_100: 44_100}
# RMS of the MAESTRO recordings that the published networks were trained on, for Karras et al. 2022, equation 7.
SIGMA_DATA = 0.057


def published_settings(sample_rate: int) -> CqtUNetSettings:
    """The settings of the published checkpoints at 44.1 or 22.05 kHz.

    Raises:
        ModelError: nothing was published for this rate.

    >>> published_settings(22_050).length
    65536
    """
    if sample_rate not in BLOCKS:
        raise ModelError(f"The reference has no network for {sample_rate} Hz, only for 22050 and 44100.")
    return CqtUNetSettings(sample_rate=sample_rate, length=BLOCKS[sample_rate])


def read_reference_checkpoint(
    data: bytes, *, settings: CqtUNetSettings, weights: str, source: str
) -> tuple[CqtUNet, ModelCard]:
    """Read the content of a checkpoint file: the network, and a card that says what is known of it.

    Args:
        settings: what the network was trained as; :func:`published_settings` for a published checkpoint.
        weights: ``raw`` sounds like the published results, because the original's loader means to take the averaged
            weights (``ema``) and silently falls back to the raw ones.
        source: the file's name, for errors and the log.

    Raises:
        ModelError: the file is damaged, holds code, or is not a checkpoint of such a network.
    """
    if weights not in ("raw", "ema"):
        raise ModelError(f"There are no {weights!r} weights; choose raw or ema.")
    content = _unpickle(data, source)
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise ModelError(f"{source} is not a checkpoint of CQTDiff: it has no entry 'model'.")
    with torch.random.fork_rng(devices=[]):
        network = CqtUNet(settings)
    state = content["model"]
    if weights == "ema":
        state = state | _averaged(content, network, source)
    load_state(network, state, source=source)
    log.info("%s: using the %s weights", source, "averaged (EMA)" if weights == "ema" else "raw")
    return network.eval(), _card(settings, weights, content.get("step"))


def _unpickle(data: bytes, source: str) -> Any:
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # The opcode that names a function or class is GLOBAL; torch gives no other sign of what went wrong.
        if "GLOBAL" in str(error):
            raise ModelError(f"{source} holds code or objects besides weights, so it is not loaded.") from error
        raise ModelError(f"{source} is not a checkpoint, or damaged.") from error
    except Exception as error:
        # Damaged archives end in errors of many kinds, down to IndexError from inside the unpickler.
        raise ModelError(f"{source} is not a checkpoint, or damaged.") from error


def _averaged(content: dict[str, Any], network: CqtUNet, source: str) -> dict[str, Tensor]:
    """Names for the averaged weights, which are a list in the order of the parameters."""
    average = content.get("ema_weights")
    names = [name for name, _ in network.named_parameters()]
    if not isinstance(average, list) or len(average) != len(names):
        raise ModelError(f"{source} has no averaged weights for each of the {len(names)} parameters.")
    return dict(zip(names, average, strict=True))


def _card(settings: CqtUNetSettings, weights: str, step: object) -> ModelCard:
    return ModelCard(
        architecture="cqtdiff-unet",
        settings=asdict(settings),
        sample_rate=settings.sample_rate,
        description="Converted from a checkpoint of CQTDiff.",
        licence="not stated in the checkpoint",
        weights=weights,
        sigma_data=SIGMA_DATA,
        training={"step": step} if isinstance(step, int) else {},
    )
