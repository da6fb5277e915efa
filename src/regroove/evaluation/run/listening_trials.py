"""A listening test to be run from one file: trials of a suite's clips with hidden reference and anchor.

After ITU-R BS.1534-3 (MUSHRA): each trial has the reference in the open, and, unnamed and in random order, the same
reference, an anchor (the reference under 3.5 kHz) and what each method made of the noisy clip.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from regroove.errors import SettingsError
from regroove.evaluation.cases.noisy_clips import make_clip
from regroove.evaluation.cases.suites import Suite
from regroove.evaluation.methods.method_table import build_method
from regroove.evaluation.metrics.signals import Samples

ANCHOR_HZ = 3500.0
MOST_CONDITIONS = 12
REFERENCE, ANCHOR = "reference", "anchor 3.5 kHz"


@dataclass(frozen=True)
class Trial:
    """A clip's name and its conditions, ``{name: (time,)}``, the reference first."""

    name: str
    conditions: dict[str, Samples]
    sample_rate: int


def make_trials(suite: Suite, methods: Sequence[str], *, progress: Callable[[str], None] | None = None) -> list[Trial]:
    """Restore every case of a suite with every method and add the hidden conditions.

    Args:
        suite: the clips, few enough to be listened to.
        methods: what is compared; ``untouched`` is the noisy clip.
        progress: called with the name of each clip.

    Raises:
        SettingsError: a method is missing, or there are more conditions than a listener can rank.
    """
    if len(methods) + 2 > MOST_CONDITIONS:
        raise SettingsError(f"A listener ranks {MOST_CONDITIONS} conditions at most, so {MOST_CONDITIONS - 2} methods.")
    built = {spec: build_method(spec) for spec in methods}
    for spec, method in built.items():
        if reason := method.missing():
            raise SettingsError(f"Method {spec} cannot be listened to: {reason}.")
    trials = []
    for case in suite.cases:
        if progress:
            progress(case.name)
        clip = make_clip(case)
        conditions = {REFERENCE: clip.clean, ANCHOR: low_passed(clip.clean, sample_rate=clip.sample_rate)}
        for spec, method in built.items():
            noisy, lead = clip.given(noise_marked=not method.find)
            conditions[spec] = method.restore(noisy, sample_rate=clip.sample_rate, lead=lead)[lead:]
        trials.append(Trial(case.name, conditions, clip.sample_rate))
    return trials


def low_passed(audio: Samples, *, sample_rate: int) -> Samples:
    """The anchor: ``(time,)`` audio under 3.5 kHz, without delay.

    >>> x = np.random.default_rng(0).normal(size=44100)
    >>> spectrum = np.abs(np.fft.rfft(low_passed(x, sample_rate=44100))) ** 2
    >>> bool(spectrum[4500:].sum() < 1e-4 * spectrum.sum())
    True
    """
    return np.asarray(sosfiltfilt(butter(12, ANCHOR_HZ, fs=sample_rate, output="sos"), audio))
