"""When a restorer should mark a better region than what was found by itself, in a sentence with the command for it."""

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np

from regroove.noise.describe.quiet import SHORTEST_SECONDS, QuietStretch, power_of_difference
from regroove.noise.find.drift import DriftSettings
from regroove.noise.find.found import FoundNoise, Place, State

# A confidence is the finder's own estimate that its map is right: at one half it is as likely wrong.
UNSURE = 0.5
# Less than the smallest difference in level that a listener notices in noise is not worth a restoration (Miller,
# "Sensitivity to changes in the intensity of white noise", JASA 19, 1947: 0.4 dB at best, about 1 dB otherwise).
WORTH_DB = 1.0
# States of a side in which its noise is alone, the best first.
_ALONE = (State.LEAD_IN, State.RUN_OUT, State.PAUSE)


def warnings_of(found: FoundNoise, *, quiet: QuietStretch | None = None) -> list[str]:
    """One sentence, with the command that marks a better region, where what was found is not to be trusted.

    Nothing is said of a marked region, which is what its user wants, nor twice where several things are wrong.

    Args:
        quiet: the quietest half second of the recording, if it is known.

    >>> import torch
    >>> from regroove.dsp.noise_map import NoiseMap
    >>> from regroove.noise.find.drift import STEADY
    >>> nothing = NoiseMap(torch.zeros(1, 2049, 1), torch.zeros(1, 2049, 1))
    >>> found = FoundNoise(map=nothing, drift=(STEADY,), place=Place.NOWHERE, measured=(), confidence=0.0)
    >>> quiet = QuietStretch(start=1.0, end=1.61, power=np.ones(1))
    >>> print(warnings_of(found, quiet=quiet)[0])  # doctest: +ELLIPSIS
    No noise was found, so nothing is removed; if there is only noise from 0:01.00 to 0:01.61, mark it: regroove ...
    """
    if found.place is Place.MARKED:
        return []
    wrong = _what_is_wrong(found, quiet)
    return [] if wrong is None else [f"{wrong}; {_advice(found, quiet)}"]


def removal_db(found: FoundNoise, quiet: QuietStretch) -> float:
    """How much quieter the quietest half second gets where all the noise of the map is taken away, at most 60 dB.

    By the first difference, so that it is hiss that counts, not rumble; the mean of the channels.
    """
    noise = [power_of_difference(mean[:, 0].double().numpy()) for mean in found.map.mean]
    left = [1 - n / power if power > 0 else 1.0 for n, power in zip(noise, quiet.power, strict=True)]
    return float(np.mean([-10 * math.log10(min(max(share, 1e-6), 1.0)) for share in left]))


def _what_is_wrong(found: FoundNoise, quiet: QuietStretch | None) -> str | None:
    if not found.map.mean.any():
        return "No noise was found, so nothing is removed"
    if quiet is not None and (removed := removal_db(found, quiet)) < WORTH_DB:
        return f"Of the quietest half second only {removed:.1f} dB are taken for noise, so hardly anything is removed"
    limit = DriftSettings().most_db
    if min(float(drift.db.min()) for drift in found.drift) <= -limit:
        return f"The noise seems to fall by {limit:g} dB or more along the side, which is as far as that is followed"
    if found.confidence <= UNSURE:
        # A drift upwards is among the reasons.
        return _joined(found.reasons) or "The noise that was found is not sure"
    return None


def _advice(found: FoundNoise, quiet: QuietStretch | None) -> str:
    region = _better_region(found, quiet)
    command = "regroove restore IN OUT --noise-region"
    if region is None:
        return f"mark half a second or more where there is only noise, from A to B (such as 0:00-0:00.8): {command} A-B"
    start, end = _clock(math.ceil(region[0] * 100)), _clock(math.floor(region[1] * 100))
    return f"if there is only noise from {start} to {end}, mark it: {command} {start}-{end}"


def _better_region(found: FoundNoise, quiet: QuietStretch | None) -> tuple[float, float] | None:
    """Where a person would look first: the states of the side, else its quietest half second, unless used already."""
    spans = chain.from_iterable([s for s in found.states if s.state is alone] for alone in _ALONE)
    regions = [(span.start, span.end) for span in spans] + ([(quiet.start, quiet.end)] if quiet else [])
    fresh = [r for r in regions if r[1] - r[0] >= SHORTEST_SECONDS and not _used(r, found)]
    return fresh[0] if fresh else None


def _used(region: tuple[float, float], found: FoundNoise) -> bool:
    """Whether the map comes from there, by more than half: marking it again would change nothing."""
    shared = sum(max(min(end, region[1]) - max(start, region[0]), 0.0) for start, end in found.measured)
    return shared > (region[1] - region[0]) / 2


def _joined(sentences: Sequence[str]) -> str:
    """Several sentences as one, without its full stop."""
    parts = [sentence.rstrip(".") for sentence in sentences]
    return "; ".join([*parts[:1], *(part[:1].lower() + part[1:] for part in parts[1:])])


def _clock(hundredths: int) -> str:
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes}:{rest / 100:05.2f}"
