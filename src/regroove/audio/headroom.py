"""What no longer fits an integer format: turned down as a whole, or clipped and counted."""

import math

from regroove.audio.formats import SampleFormat
from regroove.errors import SettingsError

MODES = ("auto", "off")


def check_headroom(mode: str) -> None:
    """Refuse what is no mode.

    Raises:
        SettingsError: it is neither ``auto`` nor ``off``.
    """
    if mode not in MODES:
        raise SettingsError(f"The headroom {mode} is none of {', '.join(MODES)}.")


def gain_for(peak: float, sample_format: SampleFormat) -> float:
    """The gain that brings ``peak`` to the largest integer; 1 for what fits, and for floats.

    A peak of exactly 1 lies one step beyond the largest integer: clipped recordings touch it, and it is left.

    >>> gain_for(2.0, SampleFormat(subtype="PCM_16")), gain_for(2.0, SampleFormat(subtype="FLOAT"))
    (0.4999847412109375, 1.0)
    """
    if sample_format.bits is None or peak <= 1.0:
        return 1.0
    return (1.0 - 2.0 ** (1 - sample_format.bits)) / peak


def headroom_note(gain: float) -> str:
    """The sentence for the user.

    >>> headroom_note(0.5)
    'The result exceeds full scale and is turned down by 6.02 dB.'
    """
    return f"The result exceeds full scale and is turned down by {-20 * math.log10(gain):.2f} dB."
