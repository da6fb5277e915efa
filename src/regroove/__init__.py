"""Restores historical music recordings with a diffusion prior.

>>> import numpy as np
>>> import regroove
>>> regroove.restore(np.zeros((2, 1000)), sample_rate=44_100, engine="wiener").shape
(2, 1000)
>>> scratched = np.sin(np.arange(9000) * 0.1)
>>> scratched[4000:4100] = 0
>>> bool(regroove.inpaint(scratched, sample_rate=44_100)[4000:4100].any())
True
"""

from typing import TYPE_CHECKING

from regroove.version import __version__

if TYPE_CHECKING:
    from regroove.restoration.restorer import Restoration, Restorer, restore
    from regroove.restoration.settings import RestoreSettings
    from regroove.solve.arrays import declip, extend, generate, inpaint, retrieve, sense

__all__ = [
    "Restoration",
    "RestoreSettings",
    "Restorer",
    "__version__",
    "declip",
    "extend",
    "generate",
    "inpaint",
    "restore",
    "retrieve",
    "sense",
]

_HOMES = {
    "Restoration": "regroove.restoration.restorer",
    "RestoreSettings": "regroove.restoration.settings",
    "Restorer": "regroove.restoration.restorer",
    "declip": "regroove.solve.arrays",
    "extend": "regroove.solve.arrays",
    "generate": "regroove.solve.arrays",
    "inpaint": "regroove.solve.arrays",
    "restore": "regroove.restoration.restorer",
    "retrieve": "regroove.solve.arrays",
    "sense": "regroove.solve.arrays",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: torch takes seconds to load."""
    if name not in _HOMES:
        raise AttributeError(f"module 'regroove' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
