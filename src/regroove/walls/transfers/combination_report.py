"""What is said about a combination: speeds, stretches left out, evidence, noise and shares."""

from dataclasses import asdict, dataclass

import numpy as np

from regroove.noise.find.found import Place
from regroove.walls.transfers.chosen_channels import seconds_of
from regroove.walls.transfers.combination_plan import Known, Planned
from regroove.walls.transfers.shares import Shares
from regroove.walls.transfers.warp import Piece, Warp

# The usual speed of electrical recordings on shellac: 3600 turns of a motor at 60 Hz with a gear of 46 to 1.
NOMINAL_RPM = 78.26
# Gaps and jumps that are worth a word, in seconds.
_WORTH = 0.05


@dataclass(frozen=True, kw_only=True)
class TransferReport:
    """One transfer; the numbers of alignment are None for the reference, whose time they are in.

    Args:
        starts: second of the reference at which it begins; negative where it begins earlier.
        speed_percent: how much faster than the reference it was played.
        rpm: its speed if the reference's is the nominal one.
        wow_percent: RMS deviation of its speed from the reference's, wow and drift together.
        inverted: whether its polarity is.
        gain_db: level of its music against the reference's, the mean of the bands.
        pieces: seconds of the reference, from and to, where it takes part.
        left_out: the others, as far as the transfer goes there.
        jumps: by how many seconds it goes on later (a repeat) or earlier (a skip) between two pieces.
        evidence: its correlation with the reference, as a share of what the noise of both allows.
        constant: whether nothing but its start differs.
        noise: where its noise was measured.
        share: its mean weight, all frequencies alike, and by octave.
    """

    name: str
    seconds: float
    starts: float | None
    speed_percent: float | None
    rpm: float
    wow_percent: float | None
    inverted: bool
    gain_db: float | None
    pieces: tuple[tuple[float, float], ...]
    left_out: tuple[tuple[float, float], ...]
    jumps: tuple[float, ...]
    evidence: float | None
    constant: bool
    noise: Place
    noise_confidence: float
    share: float
    share_by_octave: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole combination; ``octaves`` are the lower ends of the bands in hertz."""

    reference: str
    seconds: float
    channels: int
    octaves: tuple[float, ...]
    transfers: tuple[TransferReport, ...]

    def as_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def report_of(planned: Planned, shares: Shares, *, rpm: float = NOMINAL_RPM) -> Report:
    """What is to be said about a combination."""
    plan = planned.plan
    seconds = plan.frames / plan.sample_rate
    means, octaves = shares.mean, shares.by_band
    told = []
    for number, known in enumerate(planned.known):
        gains = [own.response.db.mean() for group in plan.groups for own in group if own.number == number]
        told.append(
            _transfer(
                known,
                plan.warps[number],
                whole=seconds,
                own=seconds_of(plan.sources[number]),
                gain_db=float(np.mean(gains)) if gains else 0.0,
                rpm=rpm,
                share=float(means[number]),
                octaves=tuple(round(float(s), 4) for s in octaves[number]),
            )
        )
    return Report(
        reference=planned.known[plan.reference].name, seconds=seconds, channels=len(plan.groups),
        octaves=shares.edges, transfers=tuple(told),
    )  # fmt: skip


def _transfer(
    known: Known,
    warp: Warp,
    *,
    whole: float,
    own: float,
    gain_db: float,
    rpm: float,
    share: float,
    octaves: tuple[float, ...],
) -> TransferReport:
    a, pieces = known.alignment, warp.pieces
    first = pieces[0]
    return TransferReport(
        name=known.name,
        seconds=own,
        starts=None if a is None else float(first.at[0] - first.value[0] / first.speed),
        speed_percent=None if a is None else 100 * (1 / warp.speed - 1),
        rpm=rpm / warp.speed,
        wow_percent=None if a is None else 100 * wow_of(warp),
        inverted=a is not None and a.polarity < 0,
        gain_db=None if a is None else gain_db,
        pieces=tuple((piece.start, piece.end) for piece in pieces),
        left_out=_left_out(pieces, whole),
        jumps=tuple(_jump(before, after) for before, after in zip(pieces, pieces[1:], strict=False)),
        evidence=None if known.evidence is None else known.evidence.share,
        constant=a is not None and a.constant,
        noise=known.found.place,
        noise_confidence=known.found.confidence,
        share=share,
        share_by_octave=octaves,
    )


def wow_of(warp: Warp) -> float:
    """RMS deviation of the speed from its mean along the pieces."""
    deviations = []
    for piece in warp.pieces:
        seconds = np.arange(piece.start, piece.end, 0.05)
        if len(seconds) > 2:
            deviations.append(np.gradient(piece(seconds), 0.05) - piece.speed)
    return float(np.sqrt(np.mean(np.concatenate(deviations) ** 2))) if deviations else 0.0


def _jump(before: Piece, after: Piece) -> float:
    middle = np.array([0.5 * (before.end + after.start)])
    return float(after(middle)[0] - before(middle)[0])


def _left_out(pieces: tuple[Piece, ...], whole: float) -> tuple[tuple[float, float], ...]:
    ends = [0.0, *(t for piece in pieces for t in (piece.start, piece.end)), whole]
    gaps = zip(ends[::2], ends[1::2], strict=True)
    return tuple((float(start), float(end)) for start, end in gaps if end - start > _WORTH)


def in_words(report: Report) -> str:
    """The report as lines of text."""
    lines = [f"{len(report.transfers)} transfers, on the timeline of {report.reference}, {report.seconds:.1f} s:"]
    for t in report.transfers:
        lines.append(f"{t.name}: {_about(t)}; noise from {t.noise.value}; share {t.share:.0%}.")
        for (start, end), jump in zip(_between(t), t.jumps, strict=True):
            what = "repeats" if jump > 0 else "skips"
            lines.append(f"  It {what} {abs(jump):.2f} s: from {start:.1f} to {end:.1f} s it is left out.")
        for start, end in t.left_out:
            if (start, end) not in _between(t):
                lines.append(f"  It has nothing from {start:.1f} to {end:.1f} s.")
    return "\n".join(lines)


def _between(t: TransferReport) -> list[tuple[float, float]]:
    return [(a[1], b[0]) for a, b in zip(t.pieces, t.pieces[1:], strict=False)]


def _about(t: TransferReport) -> str:
    if t.speed_percent is None or t.starts is None:
        return f"the reference, {t.rpm:.2f} rpm"
    begins = f"begins {abs(t.starts):.2f} s {'later' if t.starts > 0 else 'earlier'}"
    if t.constant:
        speed = "runs with it"
    else:
        speed = f"{abs(t.speed_percent):.2f} % {'faster' if t.speed_percent > 0 else 'slower'}, {t.rpm:.2f} rpm, "
        speed += f"wow and drift {t.wow_percent:.2f} %"
    polarity = ", polarity inverted" if t.inverted else ""
    return f"{begins}, {speed}, {t.gain_db:+.1f} dB{polarity}; {t.evidence:.0%} of the correlation its noise allows"
