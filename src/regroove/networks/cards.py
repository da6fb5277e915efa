"""Model cards: what a model is, what it was trained on, what it may be used for and how good it is, as JSON."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from regroove.errors import ModelError

CARD_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The card beside a model's weights; every field is JSON-ready.

    ``architecture`` and ``settings`` say how to build the network, ``sample_rate`` is in hertz, ``sha256`` is that of
    the weights file. The rest is for people: training data with licences, cost, scores.
    """

    architecture: str
    settings: dict[str, Any]
    sample_rate: int
    sha256: str = ""
    version: int = CARD_VERSION
    description: str = ""
    licence: str = ""
    data: list[dict[str, str]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    size: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The card as indented JSON."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


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
    kinds = {"architecture": str, "settings": dict, "sample_rate": int}
    for name, kind in kinds.items():
        if not isinstance(content.get(name), kind):
            raise ModelError(f"The model card {where} lacks a valid {name}.")
    return ModelCard(**content)
