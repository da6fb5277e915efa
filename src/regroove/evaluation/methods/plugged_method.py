"""A method that somebody else wrote: a class of theirs, with as much of the interface as it cares for."""

import inspect
from typing import Any

import numpy as np

from regroove.errors import SettingsError
from regroove.evaluation.fingerprints import code_hash
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.specs import Spec


class PluggedMethod:
    """Anything with ``restore(noisy, *, sample_rate, lead)`` as a :class:`~regroove.evaluation.methods.method.Method`.

    What else it may have: ``description`` (otherwise the first line of its docstring), ``max_seconds``, ``find``,
    ``missing()`` and ``fingerprint()``. Its results are made again when its module changes, or a module of the same
    package that it imports.
    """

    def __init__(self, text: str, theirs: Any) -> None:
        self._theirs = theirs
        self.spec = text
        documented = (inspect.getdoc(type(theirs)) or text).splitlines()[0]
        self.description = str(getattr(theirs, "description", documented))
        self.max_seconds: float | None = getattr(theirs, "max_seconds", None)
        self.find = bool(getattr(theirs, "find", False))

    def missing(self) -> str | None:
        reason: str | None = self._theirs.missing() if hasattr(self._theirs, "missing") else None
        return reason

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        return np.asarray(self._theirs.restore(noisy, sample_rate=sample_rate, lead=lead), dtype=np.float64)

    def fingerprint(self) -> str:
        own = self._theirs.fingerprint() if hasattr(self._theirs, "fingerprint") else ""
        return f"{self.spec} {own} {code_hash(type(self._theirs).__module__)}"


def plugged_method(spec: Spec, theirs: object) -> PluggedMethod:
    """Make an object of their class from the options, numbers where they read as numbers, and wrap it.

    Raises:
        SettingsError: it is no class with ``restore``, or it does not take the options.
    """
    if not (inspect.isclass(theirs) and callable(getattr(theirs, "restore", None))):
        raise SettingsError(f"{spec.name} is no class with a method restore(noisy, *, sample_rate, lead).")
    options = {key: _value(text) for key, text in spec.options.items()}
    try:
        inspect.signature(theirs).bind(**options)
    except TypeError as error:
        raise SettingsError(f"Method {spec.name} does not take the options of {spec.text!r}: {error}.") from None
    return PluggedMethod(spec.text, theirs(**options))


def _value(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
