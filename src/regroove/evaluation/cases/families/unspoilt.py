"""Clean music, of which nothing may be removed, with what could be taken for noise in front of it."""

from dataclasses import replace

import numpy as np

from regroove.evaluation.cases.added_noise import MUSIC_PEAK
from regroove.evaluation.cases.families.family_case import Take
from regroove.evaluation.cases.families.material import LEAD, Material
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.metrics.signals import Samples

CHORD = (130.81, 164.81, 196.0, 261.63)


def clean(m: Material) -> Take:
    """Music alone: in turn as it is, growing from 40 dB less in 3 s, after a held chord, after digital silence."""
    as_it_is, soft, chord, silence = (m.number % 4 == kind for kind in range(4))
    before = 0.0 if as_it_is or soft else LEAD
    take = m.placed(np.zeros((1, round(before * SUITE_RATE) + m.length)), before=before, lead=0.0)
    if soft:
        seconds = np.arange(m.length) / SUITE_RATE
        take = replace(take, clean=take.clean * 10 ** (np.interp(seconds, [0, 3], [-40, 0]) / 20))
    if chord:
        take.clean[:, : round(before * SUITE_RATE)] = held_chord(round(before * SUITE_RATE))
    return replace(take, music=(0.0, take.clean.shape[-1] / SUITE_RATE)) if not silence else take


def held_chord(length: int) -> Samples:
    """A chord of C major as an organ or strings hold it: six partials a note, as steady as hum, ``(length,)``."""
    times = np.arange(length) / SUITE_RATE
    notes = sum(np.sin(2 * np.pi * k * tone * times) / k**1.5 for tone in CHORD for k in range(1, 7))
    return 0.5 * MUSIC_PEAK * np.asarray(notes) / np.abs(notes).max()
