"""What the noise finder says about a recording, as frozen values."""

from dataclasses import dataclass, replace
from enum import StrEnum

from regroove.dsp.noise_map import NoiseMap
from regroove.noise.find.drift import NoiseDrift


class Place(StrEnum):
    """Where in a recording its noise was measured."""

    LEAD_IN = "lead-in"
    RUN_OUT = "run-out"
    BOTH_ENDS = "lead-in and run-out"
    PAUSES = "pauses"
    MARKED = "marked region"
    THROUGH_MUSIC = "through the music"
    NOWHERE = "nowhere"


class State(StrEnum):
    """What a record and its player are doing, as a person reads it off a spectrogram."""

    SILENCE = "digital silence"
    ELECTRONICS = "electronics"
    NEEDLE_DROP = "needle drop"
    MOTOR = "motor gaining speed"
    PLAIN_GROOVE = "plain groove"
    LEAD_IN = "recorded groove before music"
    MUSIC = "music"
    PAUSE = "pause"
    RUN_OUT = "run-out"
    NEEDLE_UP = "needle up"


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of a recording in one state, from ``start`` to ``end`` in seconds."""

    start: float
    end: float
    state: State


@dataclass(frozen=True, kw_only=True)
class FoundNoise:
    """The noise of a recording.

    Args:
        map: the noise map, its parts of shape ``(channels, F, 1)``; zero where no noise was found.
        drift: how the noise of each channel changes its level along the recording.
        place: where it was measured.
        measured: the parts, in seconds, that it was measured in; empty where it was estimated through the music.
        confidence: how sure the map is, 0 to 1: 1 for a marked region.
        reasons: sentences that say what lowers the confidence; empty where nothing does.
        states: what the recording does from its beginning to its end, without gaps.
    """

    map: NoiseMap
    drift: tuple[NoiseDrift, ...]
    place: Place
    measured: tuple[tuple[float, float], ...]
    confidence: float
    reasons: tuple[str, ...] = ()
    states: tuple[Span, ...] = ()

    @property
    def seconds(self) -> float:
        """How much noise alone was measured, in seconds."""
        return sum(end - start for start, end in self.measured)

    def of_channels(self, channels: slice) -> "FoundNoise":
        """The noise of some of the channels."""
        own = NoiseMap(self.map.mean[channels], self.map.typical[channels])
        return replace(self, map=own, drift=self.drift[channels])
