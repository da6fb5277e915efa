"""Random numbers as physical quantities are spread."""

import numpy as np


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number between ``low`` and ``high``, as likely to be in one octave as in the next."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
