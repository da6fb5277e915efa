"""How sure a noise map is, and what speaks against it."""

from dataclasses import dataclass

from regroove.noise.find.found import Place

# A map of half a second differs from a longer one by 1 dB in a low band (benchmarks/noise_map.py).
ENOUGH_SECONDS = 0.7
# Noise this far below the quietest moments of the music is rarely the music's own (benchmarks/noise_map.py).
FAR_DB = 8.0


@dataclass(frozen=True)
class Trust:
    """A confidence from 0 to 1 and sentences that say what lowers it."""

    confidence: float
    reasons: tuple[str, ...]


def confidence_of(place: Place, *, seconds: float, lift_db: float, drift_db: float, limit_db: float) -> Trust:
    """How sure a map is.

    Args:
        place: where it was measured.
        seconds: in how much noise alone.
        lift_db: how far the floor of the music is above it.
        drift_db: how far the noise grows along the recording.
        limit_db: how far that is followed.

    >>> confidence_of(Place.LEAD_IN, seconds=1.5, lift_db=0.5, drift_db=0.0, limit_db=15.0)
    Trust(confidence=1.0, reasons=())
    """
    confidence, reasons = 1.0, []
    if place is Place.THROUGH_MUSIC:
        confidence *= 0.4
        reasons.append("Noise is nowhere alone, so it was estimated through the music.")
    elif seconds < ENOUGH_SECONDS:
        confidence *= 0.8
        reasons.append(f"Only {seconds:.1f} s of noise alone were found.")
    if place is Place.PAUSES:
        confidence *= 0.8
        reasons.append("The noise was measured in pauses, which may hold the end of a note.")
    if lift_db > FAR_DB:
        confidence *= 0.5
        reasons.append(f"The music never comes nearer than {lift_db:.0f} dB to the noise that was found.")
    if drift_db >= limit_db:
        confidence *= 0.5
        reasons.append(f"The noise seems to grow by {limit_db:.0f} dB or more, which is as far as that is followed.")
    return Trust(round(confidence, 2), tuple(reasons))
