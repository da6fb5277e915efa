"""Deliberately broken restorations, to check that the benchmark calls each by its name.

``broken:kind=late`` is the Wiener filter with one defect. ``kind`` is ``louder`` (6 dB), ``inverted``, ``late``
(10 ms), ``seams`` (blocks of half a second, a quarter of them inverted), ``silenced``, ``not-finite`` or ``none``.
"""

from collections.abc import Callable

import numpy as np

from regroove.errors import SettingsError
from regroove.evaluation.methods.own_engines import Regroove
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.specs import Spec, refuse_unknown

LATE_SECONDS = 0.01
BLOCK_SECONDS = 0.5


def _late(audio: Samples, sample_rate: int) -> Samples:
    lag = round(LATE_SECONDS * sample_rate)
    return np.concatenate([np.zeros(lag), audio[:-lag]])


def _seams(audio: Samples, sample_rate: int) -> Samples:
    block = np.arange(audio.size) // round(BLOCK_SECONDS * sample_rate)
    # Blocks of a sampler that disagree about the phase: a quarter of them are turned.
    return np.where(block % 4 == 3, -audio, audio)


DEFECTS: dict[str, Callable[[Samples, int], Samples]] = {
    "none": lambda audio, rate: audio,
    "louder": lambda audio, rate: audio * 10 ** (6 / 20),
    "inverted": lambda audio, rate: -audio,
    "late": _late,
    "seams": _seams,
    "silenced": lambda audio, rate: np.zeros_like(audio),
    "not-finite": lambda audio, rate: np.where(np.arange(audio.size) == audio.size // 2, np.nan, audio),
}


class Broken:
    """The Wiener filter with one defect of :data:`DEFECTS`."""

    find = False

    def __init__(self, spec: Spec) -> None:
        refuse_unknown(spec, {"kind"})
        self.kind = spec.options.get("kind", "none")
        if self.kind not in DEFECTS:
            raise SettingsError(f"There is no defect {self.kind!r}: choose from {', '.join(DEFECTS)}.")
        self._sound = Regroove(Spec("method", "wiener", "wiener"))
        self.spec, self.description = spec.text, f"the Wiener filter, deliberately broken: {self.kind}"
        self.max_seconds: float | None = None

    def missing(self) -> str | None:
        return None

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        sound = self._sound.restore(noisy, sample_rate=sample_rate, lead=lead)
        return DEFECTS[self.kind](sound, sample_rate)

    def fingerprint(self) -> str:
        return f"{self.spec} {self._sound.fingerprint()}"
