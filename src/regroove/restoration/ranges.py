"""Checks of two numbers that are the ends of a range."""

import math

from regroove.errors import SettingsError


def check_range(values: tuple[float, float] | None, what: str, *, lowest: float, may_be_equal: bool = False) -> None:
    """Whether a range, if there is one, is two finite numbers in order, the first of which is not below ``lowest``.

    Raises:
        SettingsError: it is not.

    >>> check_range((0.0, 1.5), "noise region", lowest=0.0)
    """
    if values is None:
        return
    if len(values) != 2 or not all(math.isfinite(v) for v in values):
        raise SettingsError(f"The {what} is two finite numbers.")
    start, end = values
    if start < lowest:
        raise SettingsError(f"The {what} starts at {lowest:g} or later, not at {start:g}.")
    if not (start <= end if may_be_equal else start < end):
        raise SettingsError(f"The {what} ends at {end:g}, which is not after its start at {start:g}.")
