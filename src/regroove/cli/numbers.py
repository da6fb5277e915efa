"""Every number from a command line is finite: checked for all commands in one place."""

import math
from typing import Any

from regroove.errors import SettingsError


def refuse_odd_numbers(command: Any) -> None:
    """Let a command, and all under it, refuse numbers that are not finite before it is called."""
    for inner in getattr(command, "commands", {}).values():
        refuse_odd_numbers(inner)
    given = command.callback
    if given is None:
        return

    def checked(**parameters: Any) -> Any:
        for name, value in parameters.items():
            _check(name, value)
        return given(**parameters)

    command.callback = checked


def _check(name: str, value: object) -> None:
    """
    >>> _check("noise_snr", (float("nan"), 1.0))
    Traceback (most recent call last):
    regroove.errors.SettingsError: The noise snr is a finite number, not nan.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"The {name.replace('_', ' ')} is a finite number, not {value}.")
    if isinstance(value, list | tuple):
        for each in value:
            _check(name, each)
