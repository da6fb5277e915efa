"""One checkpoint format, safetensors weights with a JSON card, and one way to load a model.

The reference's ``weights-*.pt`` files are read too, as pickles restricted to tensors, and can be converted.
"""

import hashlib
import importlib
import logging
import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from regroove.errors import ModelError
from regroove.networks.cards import ModelCard, read_card

log = logging.getLogger(__name__)
BUNDLED = Path(__file__).parents[1] / "models"
# Architecture: module, network class, settings class.
ARCHITECTURES = {
    "matched-unet": ("regroove.networks.matched", "MatchedUNet", "MatchedUNetSettings"),
    "cqtdiff-unet": ("regroove.networks.cqtdiff", "CqtUNet", "CqtUNetSettings"),
}
REFERENCE_LENGTHS = {22_050: 65_536, 44_100: 44_100}


@dataclass(frozen=True)
class LoadedModel:
    """A network in evaluation mode, its card, its name and the SHA-256 of its weights file."""

    network: nn.Module
    card: ModelCard
    name: str
    sha256: str


def build_network(card: ModelCard) -> nn.Module:
    """Build the untrained network that a card describes.

    Raises:
        ModelError: the architecture is unknown or the settings do not fit it.
    """
    if card.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(f"There is no architecture {card.architecture!r}; this release knows {known}.")
    module, network, settings = ARCHITECTURES[card.architecture]
    home = importlib.import_module(module)
    try:
        return getattr(home, network)(getattr(home, settings)(**card.settings))
    except (TypeError, ValueError) as error:
        raise ModelError(f"The settings of a {card.architecture} do not fit it ({error}).") from error


def list_models() -> list[str]:
    """Names of the bundled models.

    >>> "default" in list_models()
    False
    """
    return sorted(path.stem for path in BUNDLED.glob("*.safetensors"))


def default_model() -> str:
    """Name of the bundled model that is used when none is asked for."""
    return (BUNDLED / "default.txt").read_text(encoding="utf-8").strip()


def load_model(
    name_or_path: str | Path, *, device: str = "cpu", weights: str = "raw", sample_rate: int = 44_100
) -> LoadedModel:
    """Load a bundled model by name (``"default"`` for the default one), a ``.safetensors`` file or a reference ``.pt``.

    Args:
        device: where the network goes.
        weights: which of the weights of a ``.pt`` file to take: ``raw``, as the published results did, or ``ema``.
        sample_rate: of the ``.pt`` file's network, in hertz, which the file does not say.

    Raises:
        ModelError: there is no such model, or its file is damaged, of another kind, or holds code.
    """
    path = _find(str(name_or_path))
    data = _read(path)
    if path.suffix == ".pt":
        network, card = _from_reference(path, weights=weights, sample_rate=sample_rate)
    else:
        card = read_card(path.with_suffix(".json"))
        network = build_network(card)
        _load_weights(network, data, path)
    sha256 = hashlib.sha256(data).hexdigest()
    if card.sha256 and card.sha256 != sha256:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the one on its card.")
    network = network.to(device).eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return LoadedModel(network, card, path.stem, sha256)


def _find(name: str) -> Path:
    if name == "default":
        name = default_model()
    path = Path(name)
    if path.suffix in (".safetensors", ".pt"):
        return path
    bundled = BUNDLED / f"{name}.safetensors"
    if path.name != name or not bundled.is_file():
        known = ", ".join(list_models())
        raise ModelError(f"There is no model {name!r}; bundled are {known}, others end in .safetensors or .pt.")
    return bundled


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read ({error.strerror}).") from error


def _load_weights(network: nn.Module, data: bytes, path: Path) -> None:
    try:
        tensors = load_tensors(data)
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path} is not a safetensors file, or damaged.") from error
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ModelError(f"The weights in {path} do not fit the network on its card.") from error


def _from_reference(path: Path, *, weights: str, sample_rate: int) -> tuple[nn.Module, ModelCard]:
    content = _unpickle(path)
    if sample_rate not in REFERENCE_LENGTHS:
        raise ModelError(f"The reference has no network for {sample_rate} Hz, only for 22050 and 44100.")
    settings = {"sample_rate": sample_rate, "length": REFERENCE_LENGTHS[sample_rate]}
    card = ModelCard(
        architecture="cqtdiff-unet",
        settings=settings,
        sample_rate=sample_rate,
        description=f"Converted from {path.name}, {weights} weights, step {content.get('step', 'unknown')}.",
    )
    network = build_network(card)
    chosen = _choose(content, network, weights, path)
    log.info("%s: using the %s weights", path, "averaged (EMA)" if weights == "ema" else "raw")
    try:
        network.load_state_dict(chosen)
    except RuntimeError as error:
        raise ModelError(f"{path} is not a checkpoint of the reference network.") from error
    return network, card


def _unpickle(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(f"{path} holds more than weights (perhaps code) or is damaged; it is not loaded.") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is not a checkpoint, or damaged.") from error
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise ModelError(f"{path} is not a checkpoint of the reference: it has no entry 'model'.")
    return content


def _choose(content: dict[str, Any], network: nn.Module, weights: str, path: Path) -> dict[str, Tensor]:
    state = dict(content["model"])
    if weights == "raw":
        return state
    if weights != "ema":
        raise ModelError(f"There are no {weights!r} weights; choose raw or ema.")
    average = content.get("ema_weights")
    names = [name for name, _ in network.named_parameters()]
    if not isinstance(average, list) or len(average) != len(names):
        raise ModelError(f"{path} has no averaged weights for each of the {len(names)} parameters.")
    return {**state, **dict(zip(names, average, strict=True))}


def save_model(path: str | Path, network: nn.Module, card: ModelCard) -> ModelCard:
    """Write weights and card beside their final names and move both into place; returns the card with its SHA-256.

    Raises:
        ModelError: the name does not end in .safetensors, or the folder cannot be written to.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ModelError(f"A model's name ends in .safetensors, and {path} does not.")
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    data = save_tensors(tensors)
    card = replace(card, sha256=hashlib.sha256(data).hexdigest())
    parts = {path: data, path.with_suffix(".json"): card.to_json().encode()}
    try:
        _write_all(parts)
    except OSError as error:
        raise ModelError(f"{path} cannot be written ({error.strerror}).") from error
    return card


def _write_all(parts: dict[Path, bytes]) -> None:
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in parts}
    try:
        for path, data in parts.items():
            partial[path].write_bytes(data)
        for path, temporary in partial.items():
            temporary.replace(path)
    finally:
        for temporary in partial.values():
            temporary.unlink(missing_ok=True)


def convert_checkpoint(
    source: str | Path, target: str | Path, *, weights: str = "raw", sample_rate: int = 44_100
) -> ModelCard:
    """Convert a reference ``.pt`` file to our format; returns the card.

    Raises:
        ModelError: the source cannot be read or the target not be written.
    """
    loaded = load_model(source, weights=weights, sample_rate=sample_rate)
    return save_model(target, loaded.network, loaded.card)
