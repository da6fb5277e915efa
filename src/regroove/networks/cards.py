"""Model cards: what a model is, what it was trained on, what it may be used for and how good it is, as JSON."""

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from types import NoneType
from typing import Any

from regroove.errors import ModelError

CARD_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The card beside a model's weights; every field is JSON-ready.

    ``architecture`` and ``settings`` say how to build the network, ``sample_rate`` is in hertz, ``sha256`` is that of
    the weights file, ``weights`` which weights of a training these are (``raw`` or ``ema``), ``sigma_data`` the
    standard deviation of the training data where EDM preconditioning needs it. The rest is for people: training data
    with licences, cost, scores.
    """

    architecture: str
    settings: dict[str, Any]
    sample_rate: int
    sha256: str = ""
    version: int = CARD_VERSION
    description: str = ""
    licence: str = ""
    weights: str = ""
    sigma_data: float | None = None
    data: list[dict[str, str]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    size: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The card as indented JSON.

        Raises:
            ModelError: a field holds something that JSON has no word for.
        """
        try:
            return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise ModelError(f"A model card holds JSON values only ({error}).") from error


def read_card(path: str | Path) -> ModelCard:
    """Read a card.

    Raises:
        ModelError: it is missing, not JSON, of a version that this release does not know, or lacks a field.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"The model card {path} is missing.") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"The model card {path} is not readable as JSON.") from error
    return card_from(content, path)


def card_from(content: object, where: str | Path) -> ModelCard:
    """Make a card of decoded JSON, checking it; ``where`` is named in errors.

    >>> card_from({"version": 1, "architecture": "a", "settings": {}, "sample_rate": 44100}, "x.json").architecture
    'a'
    """
    if not isinstance(content, dict) or content.get("version") != CARD_VERSION:
        found = content.get("version") if isinstance(content, dict) else None
        raise ModelError(f"The model card {where} has version {found}; this release reads version {CARD_VERSION}.")
    unknown = sorted(set(content) - {f.name for f in fields(ModelCard)})
    if unknown:
        raise ModelError(f"The model card {where} has an unknown field {unknown[0]!r}.")
    for name, kind in _KINDS.items():
        value = content.get(name, _OPTIONAL.get(name))
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ModelError(f"The model card {where} lacks a valid {name}.")
    if content["sample_rate"] < 1:
        raise ModelError(f"The model card {where} lacks a valid sample_rate.")
    return ModelCard(**content)


_OPTIONAL = {
    f.name: f.default_factory() if f.default_factory is not MISSING else f.default
    for f in fields(ModelCard)
    if f.default is not MISSING or f.default_factory is not MISSING
}
_KINDS: dict[str, type | tuple[type, ...]] = {
    "architecture": str,
    "settings": dict,
    "sample_rate": int,
    "sha256": str,
    "description": str,
    "licence": str,
    "weights": str,
    "sigma_data": (int, float, NoneType),
    "data": list,
    "training": dict,
    "size": dict,
    "scores": dict,
    "limits": list,
}
