"""Checks that all tasks share."""

from collections.abc import Sequence

from regroove.errors import SettingsError
from regroove.solve.prior import PriorSettings


def check_method(method: str, known: Sequence[str], prior: PriorSettings) -> None:
    """Refuse a method that the task does not know, and settings of the prior that the method has no use for.

    Raises:
        SettingsError: one of these.

    >>> check_method("spline", ("ar", "diffusion"), PriorSettings())
    Traceback (most recent call last):
    regroove.errors.SettingsError: There is no method spline for this task; choose ar or diffusion.
    """
    if method not in known:
        raise SettingsError(f"There is no method {method} for this task; choose {' or '.join(known)}.")
    defaults = PriorSettings()
    changed = [name for name in ("model", "steps", "level", "xi") if getattr(prior, name) != getattr(defaults, name)]
    if changed and method not in ("auto", "diffusion"):
        raise SettingsError(f"The method {method} has no use for the setting {changed[0]}.")
