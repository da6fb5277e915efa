"""What the stages of a restoration are expected to cost, for saying how far it is and how long it will take.

Milliseconds of one core for a second of one channel, with crackle. Only their ratios count, because the speed of the
machine is measured on the way. From ``benchmarks/restore.py --stages``, 2026-11-28, on an x86-64 without bfloat16.
What the engines cost stands beside their settings.
"""

from dataclasses import dataclass

# Reading and resampling once; looking for noise; one search for clicks with its repairs.
READING, HEARING, CLICKS = 1.3, 17.0, 6.0
# Hearing noise through music at the end, of so many seconds at most. Half of it: until then nobody knows whether it
# is needed.
THROUGH_MUSIC, MOST_HEARD = 0.5 * 5.0, 96.0
# Writing, with everything that is measured of what is written; checksums of both files.
WRITING, HASHING = 6.5, 0.1
# Spectra for a picture, and milliseconds for drawing it.
SPECTRA, DRAWING = 6.0, 650.0
# Of an engine that does not say.
ENGINE = 100.0


@dataclass(frozen=True, kw_only=True)
class StreamCosts:
    """What reading a recording, restoring its blocks and writing the result cost, in any unit."""

    reading: float
    blocks: float
    writing: float

    @property
    def total(self) -> float:
        """All three."""
        return self.reading + self.blocks + self.writing


def stream_costs(own: object = None, *, times: int = 1, report: bool = False) -> StreamCosts:
    """What restoring costs with an engine of such settings, ``times`` as often, and with spectra for a picture.

    >>> from regroove.restoration.engines.wiener import WienerSettings
    >>> stream_costs(WienerSettings(clicks=False)).blocks
    6.0
    """
    engine, passes = getattr(own, "cost", ENGINE), getattr(own, "click_passes", 0)
    return StreamCosts(reading=READING + passes * CLICKS, blocks=times * engine, writing=WRITING + SPECTRA * report)


TYPICAL = stream_costs()


def share_of_hearing(seconds: float) -> float:
    """The share of listening that hearing noise through music is, at the end of a recording of so many seconds.

    >>> round(share_of_hearing(60.0), 2), round(share_of_hearing(600.0), 2)
    (0.12, 0.02)
    """
    last = THROUGH_MUSIC * min(seconds, MOST_HEARD)
    return last / ((READING + HEARING) * seconds + last)


def work_costs(
    restoring: StreamCosts, *, seconds: float, report: bool = False, listens: bool = True
) -> dict[str, float]:
    """The stages of a restoration, and what each costs, in milliseconds for one of its channels.

    >>> list(work_costs(TYPICAL, seconds=60.0))
    ['listening', 'restoring', 'finishing']
    """
    listening = (READING + HEARING) * seconds + THROUGH_MUSIC * min(seconds, MOST_HEARD)
    rest = {"restoring": restoring.total * seconds, "finishing": HASHING * seconds + DRAWING * report}
    return {"listening": listening, **rest} if listens else rest
