"""The methods that are compared: one explicit table, and how a method is written on the command line.

A method is ``name`` or ``name:option=value:option=value``, for example ``matched:steps=4:model=runs/b.safetensors``.
Every method gets the noisy clip and is told that its first seconds are noise alone.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from regroove.errors import SettingsError
from regroove.evaluation.metrics.signals import Samples


class Method(Protocol):
    """One way to restore. ``max_seconds`` of music are given to methods that cost too much for a whole clip.

    With ``find`` it finds the noise by itself; the others are told where it is.
    """

    spec: str
    description: str
    max_seconds: float | None
    find: bool

    def missing(self) -> str | None:
        """Why the method cannot run here, in a few words; None if it can."""

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        """Restore ``(time,)`` samples whose first ``lead`` are noise alone; same length out."""

    def fingerprint(self) -> str:
        """Text that changes whenever the method's results may change."""


Builder = Callable[[str, Mapping[str, str]], Method]


def _untouched(spec: str, options: Mapping[str, str]) -> Method:
    from regroove.evaluation.methods.peers import Untouched

    return Untouched(spec, options)


def _sox(spec: str, options: Mapping[str, str]) -> Method:
    from regroove.evaluation.methods.peers import Sox

    return Sox(spec, options)


def _ffmpeg(spec: str, options: Mapping[str, str]) -> Method:
    from regroove.evaluation.methods.peers import Ffmpeg

    return Ffmpeg(spec, options)


def _noisereduce(spec: str, options: Mapping[str, str]) -> Method:
    from regroove.evaluation.methods.peers import NoiseReduce

    return NoiseReduce(spec, options)


def _regroove(spec: str, options: Mapping[str, str]) -> Method:
    from regroove.evaluation.methods.own_engines import Regroove

    return Regroove(spec, options)


def _broken(spec: str, options: Mapping[str, str]) -> Method:
    from regroove.evaluation.methods.broken import Broken

    return Broken(spec, options)


METHODS: dict[str, Builder] = {
    "untouched": _untouched,
    "wiener": _regroove,
    "sox": _sox,
    "ffmpeg": _ffmpeg,
    "noisereduce": _noisereduce,
    "matched": _regroove,
    "cqtdiff": _regroove,
    "broken": _broken,
}

DEFAULT_METHODS = ("untouched", "wiener", "sox", "ffmpeg", "noisereduce", "matched")


@lru_cache(maxsize=32)
def build_method(spec: str) -> Method:
    """Build a method from its text; the same text gives the same object, so models are loaded once.

    Raises:
        SettingsError: the name or an option is unknown or malformed.

    >>> build_method("untouched").description
    'the input as it is'
    """
    name, _, rest = spec.partition(":")
    if name not in METHODS:
        raise SettingsError(f"Unknown method {name!r}: choose from {', '.join(METHODS)}.")
    options: dict[str, str] = {}
    for item in filter(None, rest.split(":")):
        key, equals, value = item.partition("=")
        if not equals:
            raise SettingsError(f"Option {item!r} of method {name!r} should read option=value.")
        options[key] = value
    return METHODS[name](spec, options)


def refuse_unknown(spec: str, options: Mapping[str, str], known: set[str]) -> None:
    """Raise a :class:`SettingsError` that names the first option of a method that it does not have."""
    for key in options:
        if key not in known:
            choices = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise SettingsError(f"Method {spec!r} has no option {key!r}: {choices}.")


def number(spec: str, options: Mapping[str, str], key: str, default: float) -> float:
    """A numeric option of a method.

    Raises:
        SettingsError: it is not a number.
    """
    try:
        return float(options.get(key, default))
    except ValueError:
        raise SettingsError(f"Option {key} of method {spec!r} is not a number.") from None
