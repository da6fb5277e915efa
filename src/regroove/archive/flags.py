"""What a person should look at in a restored recording, from what its receipt and its texts say.

Each flag has a code, the number it comes from and one sentence. Nothing is measured for it alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from regroove.audio.metadata.metadata_values import Metadata
from regroove.noise.describe.likeness import Alike
from regroove.noise.describe.warnings import UNSURE
from regroove.noise.find.drift import DriftSettings
from regroove.noise.find.found import Place, State

# From clean music, which has nothing to lose, up to 40 dB less than its own power is removed (the promise "no harm").
LITTLE_DB = -40.0
# Below -80 dBFS a 16-bit recording has four steps left (2^-13.3): nothing on a record is so quiet.
SILENT_DBFS = -80.0
# EN 50160: the mains are 1 % off at most by themselves.
MAINS_OFF = 0.01
# One side of a record that is twice as loud as the other, 6 dB, is no longer a difference of adjustment.
UNEQUAL_DB = 6.0

# So much of the power of what was removed is tones. Where a stretch of music was marked as noise 17 of 18 restorations
# had more, one 0.37; of 54 good ones, 18 of them with a map of noise 10 dB too loud, none had more than 0.21
# (``benchmarks/removed_tones.py --every 25``). Hum does not count, but that of a loose connection, which comes and
# goes, is flagged, too (0.9).
TONES = 0.5

# A peak may be flat by chance, and a click may reach full scale; what is cut is cut again and again.
CUT_CRESTS = 3

Result = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A code, one sentence, and the number that it comes from, if it comes from one."""

    code: str
    sentence: str
    value: float | None = None

    def as_json(self) -> dict[str, object]:
        """The flag in values that JSON knows."""
        return asdict(self)


def flags_of(receipt: Mapping[str, Any]) -> list[Flag]:
    """The flags of a restoration; none where the receipt is empty.

    >>> silent = {"result": {"levels_dbfs": {"input": None, "output": None, "removed": None}}}
    >>> [flag.code for flag in flags_of(silent)]
    ['silence']
    """
    result = receipt.get("result", {})
    return [flag for rule in RULES for flag in rule(result)]


def flags_of_texts(metadata: Metadata) -> list[Flag]:
    """The flags of what a recording says of itself: that it is no transfer, but a result of this program.

    >>> history = "A=ANALOGUE\\r\\nA=PCM,F=96000,W=24,M=stereo,T=regroove 0.1.0; restored"
    >>> [flag.code for flag in flags_of_texts(Metadata(texts=(("CODING_HISTORY", history),)))]
    ['restored-before']
    """
    history = metadata.text("CODING_HISTORY") or ""
    if "T=regroove" not in history:
        return []
    return [Flag(code="restored-before", sentence="By its coding history it was restored by regroove before.")]


def _silence(result: Result) -> Iterator[Flag]:
    levels = result.get("levels_dbfs", {})
    level = levels.get("input")
    if "input" in levels and (level is None or level < SILENT_DBFS):
        heard = "digital silence" if level is None else f"{level:.0f} dBFS"
        yield Flag(code="silence", sentence=f"There is nothing on it: its level is {heard}.", value=level)


def _little_removed(result: Result) -> Iterator[Flag]:
    levels = result.get("levels_dbfs", {})
    given, removed = levels.get("input"), levels.get("removed")
    if given is None or "removed" not in levels:
        return
    if removed is None:
        yield Flag(code="little-removed", sentence="Nothing was removed.")
    elif removed - given < LITTLE_DB:
        below = given - removed
        yield Flag(
            code="little-removed",
            sentence=f"Almost nothing was removed: {below:.0f} dB less than the recording holds.",
            value=-below,
        )


def _tonal(result: Result) -> Iterator[Flag]:
    """Where next to nothing was removed, no music was, either."""
    levels, share = result.get("levels_dbfs", {}), result.get("removed_tones")
    given, removed = levels.get("input"), levels.get("removed")
    if share is None or given is None or removed is None or removed - given < LITTLE_DB:
        return
    if share > TONES:
        yield Flag(
            code="tonal-residual",
            sentence=f"{share:.0%} of what was removed are tones: music may be lost.",
            value=share,
        )


def _noise(result: Result) -> Iterator[Flag]:
    noise = result.get("engine", {}).get("noise")
    if noise is None or noise["place"] == Place.MARKED:
        return
    if noise["place"] == Place.NOWHERE:
        yield Flag(code="no-noise", sentence="No noise was found.", value=0.0)
        return
    if noise["place"] == Place.THROUGH_MUSIC:
        yield Flag(
            code="noise-through-music",
            sentence="Noise is nowhere alone; it was estimated through the music.",
            value=noise["confidence"],
        )
    if noise["confidence"] <= UNSURE:
        yield Flag(
            code="noise-unsure",
            sentence=f"The noise was found with a confidence of {noise['confidence']:.0%} only ({noise['place']}).",
            value=noise["confidence"],
        )


def _drift(result: Result) -> Iterator[Flag]:
    limit = DriftSettings().most_db
    ranges = [channel["drift_db"] for channel in _channels(result)]
    if not ranges:
        return
    furthest = max((value for pair in ranges for value in pair), key=abs)
    if abs(furthest) >= limit:
        way = "grows" if furthest > 0 else "falls"
        yield Flag(
            code="drift-limit",
            sentence=f"The noise {way} by {limit:.0f} dB or more along the recording, as far as that is followed.",
            value=furthest,
        )


def _unequal_channels(result: Result) -> Iterator[Flag]:
    levels = [channel["level_dbfs"] for channel in _channels(result)]
    if len(levels) != 2 or None in levels:
        return
    difference = levels[1] - levels[0]
    if abs(difference) >= UNEQUAL_DB:
        louder = "right" if difference > 0 else "left"
        yield Flag(
            code="channels-unequal",
            sentence=f"The noise of the {louder} channel is {abs(difference):.0f} dB louder than the other's.",
            value=difference,
        )


def _speed(result: Result) -> Iterator[Flag]:
    """The mains' hum in the recording as a clock: of the transfer's speed where the hum is of the recording session."""
    mains = [line["mains_hz"] for c in _channels(result) for line in c["lines"] if line.get("mains_hz") is not None]
    if not mains:
        return
    off = min((hz / nominal - 1 for hz in mains for nominal in (50.0, 60.0)), key=abs)
    if abs(off) > MAINS_OFF:
        yield Flag(
            code="speed",
            sentence=f"Its hum is {off:+.1%} off the mains' frequency; the speed of the transfer may be so, too.",
            value=off,
        )


def _cut_short(result: Result) -> Iterator[Flag]:
    for note in result.get("notes", []):
        if "cut short" in note:
            yield Flag(code="cut-short", sentence=note)


def _metadata_dropped(result: Result) -> Iterator[Flag]:
    for note in result.get("notes", []):
        if "has no place for" in note or note.endswith(" is left out."):
            yield Flag(code="metadata-dropped", sentence=note)


def _clipped_transfer(result: Result) -> Iterator[Flag]:
    cut = result.get("transfer", {}).get("cut_crests", 0)
    if cut >= CUT_CRESTS:
        yield Flag(
            code="clipped-transfer", sentence=f"The transfer is clipped: {cut} of its crests are cut.", value=cut
        )


def _one_image(result: Result) -> Iterator[Flag]:
    alike = result.get("transfer", {}).get("channels_alike")
    if alike is not None and alike["alike"] != Alike.DIFFERENT:
        yield Flag(
            code="mono-in-two-channels",
            sentence=f"Its two channels hold one image; they are {alike['alike']}.",
            value=alike["difference_db"],
        )


def _clipped(result: Result) -> Iterator[Flag]:
    clipped = result.get("output", {}).get("clipped_samples", 0)
    if clipped:
        yield Flag(code="clipped", sentence=f"{clipped} samples of the output are clipped.", value=float(clipped))
    gain = result.get("gain", 1.0)
    if gain != 1:
        yield Flag(code="turned-down", sentence=f"It was turned down to {gain:.3f} so that nothing clips.", value=gain)


def _only_silence(result: Result) -> Iterator[Flag]:
    noise = result.get("engine", {}).get("noise") or {}
    spans = noise.get("states", [])
    total = sum(span["end"] - span["start"] for span in spans)
    silent = sum(span["end"] - span["start"] for span in spans if span["state"] == State.SILENCE)
    # More than half of a side is no lead-in.
    if total and silent > total / 2:
        yield Flag(
            code="much-silence", sentence=f"{silent / total:.0%} of it are digital silence.", value=silent / total
        )


def _channels(result: Result) -> list[Mapping[str, Any]]:
    return (result.get("engine", {}).get("noise") or {}).get("channels", [])


RULES: tuple[Callable[[Result], Iterator[Flag]], ...] = (
    _silence,
    _only_silence,
    _little_removed,
    _tonal,
    _noise,
    _drift,
    _unequal_channels,
    _one_image,
    _speed,
    _clipped_transfer,
    _clipped,
    _cut_short,
    _metadata_dropped,
)
# What each flag means, for the heads of tables.
CODES = {
    "silence": "nothing on it",
    "much-silence": "more than half is digital silence",
    "little-removed": "almost nothing removed",
    "tonal-residual": "tones removed: music may be lost",
    "no-noise": "no noise found",
    "noise-through-music": "noise nowhere alone",
    "noise-unsure": "noise found, not surely",
    "drift-limit": "noise changes as far as is followed",
    "channels-unequal": "walls or channels of unequal noise",
    "mono-in-two-channels": "one image in two channels",
    "speed": "hum is off the mains",
    "clipped-transfer": "recording clipped",
    "clipped": "output clipped",
    "turned-down": "turned down against clipping",
    "cut-short": "file cut short",
    "restored-before": "restored before",
    "metadata-dropped": "texts or chunks dropped",
}
