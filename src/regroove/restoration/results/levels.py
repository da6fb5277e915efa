"""How loud a recording, its restoration and what was removed are."""

import math

import numpy as np

from regroove.restoration.results.sink import Written

ROLES = {"input": "original", "output": "kept", "removed": "removed"}


class LevelMeter:
    """Measures the RMS of the streams in ``roles``.

    >>> meter = LevelMeter(roles=("input", "output"))
    >>> tone, silence = np.full((1, 10), 0.1), np.zeros((1, 10))
    >>> meter.add(Written(original=tone, given=tone, kept=silence, removed=tone))
    >>> meter.finish()
    {'input': -20.0, 'output': None}
    """

    def __init__(self, *, roles: tuple[str, ...] = tuple(ROLES)) -> None:
        self._energy = dict.fromkeys(roles, 0.0)
        self._count = 0

    def add(self, written: Written) -> None:
        """Add the next samples."""
        for role in self._energy:
            self._energy[role] += float(np.square(getattr(written, ROLES[role])).sum())
        self._count += written.original.size

    def finish(self) -> dict[str, float | None]:
        """RMS in dB relative to full scale (a constant 1.0), None for silence."""
        powers = {role: energy / self._count for role, energy in self._energy.items()}
        return {role: round(10 * math.log10(p), 2) if p > 0 else None for role, p in powers.items()}
