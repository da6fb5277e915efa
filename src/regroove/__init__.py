"""Restores historical music recordings with a diffusion prior.

>>> import numpy as np
>>> import regroove
>>> regroove.restore(np.zeros((2, 1000)), sample_rate=44_100, engine="wiener").shape
(2, 1000)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regroove.restoration.restorer import Restoration, Restorer, restore
    from regroove.restoration.settings import RestoreSettings

__version__ = "0.1.0"
__all__ = ["Restoration", "RestoreSettings", "Restorer", "__version__", "restore"]

_HOMES = {
    "Restoration": "regroove.restoration.restorer",
    "RestoreSettings": "regroove.restoration.settings",
    "Restorer": "regroove.restoration.restorer",
    "restore": "regroove.restoration.restorer",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: torch takes seconds to load."""
    if name not in _HOMES:
        raise AttributeError(f"module 'regroove' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
