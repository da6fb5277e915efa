"""Numbers from outside are finite: one check for settings, command lines and configuration files."""

import math
from collections.abc import Mapping

from regroove.errors import SettingsError


def refuse_odd_numbers(named: Mapping[str, object]) -> None:
    """Refuse floats that are not finite, also inside of lists and tuples.

    Raises:
        SettingsError: one is infinite or no number at all.

    >>> refuse_odd_numbers({"noise_snr": (float("nan"), 1.0)})
    Traceback (most recent call last):
    regroove.errors.SettingsError: The noise snr is a finite number, not nan.
    """
    for name, value in named.items():
        for each in value if isinstance(value, list | tuple) else (value,):
            if isinstance(each, float) and not math.isfinite(each):
                raise SettingsError(f"The {name.replace('_', ' ')} is a finite number, not {each}.")
