"""One checkpoint format, safetensors weights with a JSON card, and one way to load a model.

The reference's ``weights-*.pt`` files are read too (:mod:`regroove.networks.reference_checkpoints`), and can be
converted.
"""

import hashlib
import importlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from regroove.errors import ModelError, SettingsError
from regroove.networks.bundled import ROLES as ROLES
from regroove.networks.bundled import bundled_model as bundled_model
from regroove.networks.bundled import find_model as find_model
from regroove.networks.bundled import list_models as list_models
from regroove.networks.cards import ModelCard, read_card
from regroove.networks.state import load_state

# Architecture: module, network class, settings class.
ARCHITECTURES = {
    "matched-unet": ("regroove.networks.matched_unet", "MatchedUNet", "MatchedUNetSettings"),
    "noise-level": ("regroove.networks.noise_level", "NoiseLevelNet", "NoiseLevelSettings"),
    "cqtdiff-unet": ("regroove.networks.cqt_unet", "CqtUNet", "CqtUNetSettings"),
}


@dataclass(frozen=True)
class LoadedModel:
    """A network in evaluation mode, its card, its name, and its weights file with the SHA-256 of it."""

    network: nn.Module
    card: ModelCard
    name: str
    sha256: str
    path: Path


def build_network(card: ModelCard) -> nn.Module:
    """Build the untrained network that a card describes; the caller's random state stays as it is.

    Raises:
        ModelError: the architecture is unknown or the settings do not fit it.
    """
    if card.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ModelError(f"There is no architecture {card.architecture!r}; this release knows {known}.")
    module, network, settings = ARCHITECTURES[card.architecture]
    home = importlib.import_module(module)
    try:
        with torch.random.fork_rng(devices=[]):
            return getattr(home, network)(getattr(home, settings)(**card.settings))
    except (SettingsError, TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise ModelError(f"The settings of a {card.architecture} do not fit it ({error}).") from error


def load_model(
    name_or_path: str | Path, *, device: str = "cpu", weights: str = "raw", sample_rate: int = 44_100
) -> LoadedModel:
    """Load a bundled model by name or role (``"default"``), a ``.safetensors`` file or a ``.pt`` file of CQTDiff.

    Args:
        device: where the network goes.
        weights: which of the weights of a ``.pt`` file to take: ``raw``, as the published results did, or ``ema``.
        sample_rate: of the ``.pt`` file's network, in hertz, which the file does not say.

    Raises:
        ModelError: there is no such model, or its file is damaged, of another kind, or holds code.
    """
    path = find_model(name_or_path)
    data = _read(path)
    sha256 = hashlib.sha256(data).hexdigest()
    if path.suffix == ".pt":
        network, card = _read_reference(path, data, weights=weights, sample_rate=sample_rate)
    else:
        card = read_card(path.with_suffix(".json"))
        if card.sha256 and card.sha256 != sha256:
            raise ModelError(f"{path} is damaged: its SHA-256 is not the one on its card.")
        network = build_network(card)
        load_state(network, _read_tensors(path, data), source=str(path))
    network = network.to(device).eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return LoadedModel(network, card, path.stem, sha256, path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model {path} cannot be read ({error.strerror}).") from error


def _read_tensors(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        return load_tensors(data)
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path} is not a safetensors file, or damaged.") from error


def _read_reference(path: Path, data: bytes, *, weights: str, sample_rate: int) -> tuple[nn.Module, ModelCard]:
    from regroove.networks.reference_checkpoints import published_settings, read_reference_checkpoint

    settings = published_settings(sample_rate)
    return read_reference_checkpoint(data, settings=settings, weights=weights, source=str(path))


def save_model(path: str | Path, network: nn.Module, card: ModelCard) -> ModelCard:
    """Write weights and card beside their final names and move both into place.

    Returns the card as written, with the SHA-256 and the number of parameters filled in.

    Raises:
        ModelError: the name does not end in .safetensors, the card describes another network, or the folder cannot be
            written to.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ModelError(f"A model's name ends in .safetensors, and {path} does not.")
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    # A card that the network cannot be built from should fail now, not when somebody loads the model.
    load_state(build_network(card), tensors, source="the network to be saved")
    data = save_tensors(tensors)
    size = {"parameters": sum(p.numel() for p in network.parameters()), **card.size}
    card = replace(card, size=size, sha256=hashlib.sha256(data).hexdigest())
    write_all({path: data, path.with_suffix(".json"): card.to_json().encode()}, what=path)
    return card


def write_all(parts: dict[Path, bytes], *, what: Path) -> None:
    """Write files beside their final names and move all into place.

    Raises:
        ModelError: the folder cannot be written to; ``what`` is named then.
    """
    partial = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in parts}
    try:
        for path, data in parts.items():
            partial[path].write_bytes(data)
        for path, temporary in partial.items():
            temporary.replace(path)
    except OSError as error:
        raise ModelError(f"{what} cannot be written ({error.strerror}).") from error
    finally:
        for temporary in partial.values():
            temporary.unlink(missing_ok=True)


def convert_checkpoint(
    source: str | Path, target: str | Path, *, weights: str = "raw", sample_rate: int = 44_100
) -> ModelCard:
    """Convert a ``.pt`` file of CQTDiff to our format; returns the card.

    Raises:
        ModelError: the source cannot be read or the target not be written.
    """
    if Path(source).suffix != ".pt":
        raise ModelError(f"A checkpoint of CQTDiff ends in .pt, and {source} does not.")
    loaded = load_model(source, weights=weights, sample_rate=sample_rate)
    return save_model(target, loaded.network, loaded.card)
