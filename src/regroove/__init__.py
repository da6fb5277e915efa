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
    from regroove.diffusion.denoiser import Denoiser
    from regroove.diffusion.guidance import GuidanceSettings, ReconstructionGuidance
    from regroove.diffusion.schedules import KarrasSettings, karras_sigmas
    from regroove.diffusion.solvers import StepRule, sample
    from regroove.evaluation.methods.method import Method
    from regroove.evaluation.methods.method_table import METHODS
    from regroove.evaluation.metrics.metric import Metric
    from regroove.evaluation.metrics.metric_table import METRICS
    from regroove.evaluation.metrics.signals import Signals
    from regroove.operators.operator import LinearOperator, Operator
    from regroove.operators.registry import OPERATORS
    from regroove.restoration.engines.engine import Engine
    from regroove.restoration.restorer import Restoration, Restorer, restore
    from regroove.restoration.settings import RestoreSettings
    from regroove.solve.arrays import declip, extend, generate, inpaint, retrieve, sense

__all__ = [
    "Denoiser",
    "Engine",
    "GuidanceSettings",
    "KarrasSettings",
    "LinearOperator",
    "METHODS",
    "METRICS",
    "Method",
    "Metric",
    "OPERATORS",
    "Operator",
    "ReconstructionGuidance",
    "Restoration",
    "RestoreSettings",
    "Restorer",
    "Signals",
    "StepRule",
    "__version__",
    "declip",
    "extend",
    "generate",
    "inpaint",
    "karras_sigmas",
    "restore",
    "retrieve",
    "sample",
    "sense",
]

_HOMES = {
    "Denoiser": "regroove.diffusion.denoiser",
    "Engine": "regroove.restoration.engines.engine",
    "GuidanceSettings": "regroove.diffusion.guidance",
    "KarrasSettings": "regroove.diffusion.schedules",
    "LinearOperator": "regroove.operators.operator",
    "METHODS": "regroove.evaluation.methods.method_table",
    "METRICS": "regroove.evaluation.metrics.metric_table",
    "Method": "regroove.evaluation.methods.method",
    "Metric": "regroove.evaluation.metrics.metric",
    "OPERATORS": "regroove.operators.registry",
    "Operator": "regroove.operators.operator",
    "ReconstructionGuidance": "regroove.diffusion.guidance",
    "Restoration": "regroove.restoration.restorer",
    "RestoreSettings": "regroove.restoration.settings",
    "Restorer": "regroove.restoration.restorer",
    "Signals": "regroove.evaluation.metrics.signals",
    "StepRule": "regroove.diffusion.solvers",
    "declip": "regroove.solve.arrays",
    "extend": "regroove.solve.arrays",
    "generate": "regroove.solve.arrays",
    "inpaint": "regroove.solve.arrays",
    "karras_sigmas": "regroove.diffusion.schedules",
    "restore": "regroove.restoration.restorer",
    "retrieve": "regroove.solve.arrays",
    "sample": "regroove.diffusion.solvers",
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
