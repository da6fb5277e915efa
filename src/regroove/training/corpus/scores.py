"""Scores as note lists: read from MIDI, given expression, and arranged for other instruments.

A score is a float64 array of shape (notes, 4): onset in seconds, duration in seconds, MIDI pitch, velocity 1 to 127.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import AudioError, MissingDependencyError

Score = NDArray[np.float64]
ONSET, DURATION, PITCH, VELOCITY = range(4)
LONGEST_NOTE = 12.0


def hertz(pitch: float) -> float:
    """The frequency of a MIDI pitch.

    >>> hertz(69), hertz(57)
    (440.0, 220.0)
    """
    return 440 * 2 ** ((pitch - 69) / 12)


def read_midi(path: str | Path) -> Score:
    """Read the notes of a MIDI file, lengthened by the sustain pedal where one is used.

    Raises:
        AudioError: the file is not readable as MIDI.
        MissingDependencyError: mido is not installed.
    """
    try:
        import mido
    except ImportError as error:
        raise MissingDependencyError("Reading MIDI needs mido: pip install 'regroove[train]'.") from error
    try:
        messages = list(mido.MidiFile(str(path), clip=True))
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        raise AudioError(f"{path} cannot be read as MIDI ({error}).") from error
    return _collect(messages)


def _collect(messages: Sequence) -> Score:
    now, notes = 0.0, []
    sounding: dict[tuple[int, int], tuple[float, int]] = {}
    held: list[tuple[float, int, int]] = []
    pedal = False

    def finish(onset: float, pitch: int, velocity: int) -> None:
        notes.append((onset, min(max(now - onset, 0.03), LONGEST_NOTE), pitch, velocity))

    for message in messages:
        now += message.time
        if message.type == "control_change" and message.control == 64:
            pedal = message.value >= 64
            if not pedal:
                for item in held:
                    finish(*item)
                held.clear()
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            if key in sounding:
                onset, velocity = sounding.pop(key)
                if pedal:
                    held.append((onset, message.note, velocity))
                else:
                    finish(onset, message.note, velocity)
            if message.type == "note_on" and message.velocity > 0:
                sounding[key] = (now, message.velocity)
    for (_, pitch), (onset, velocity) in sounding.items():
        finish(onset, pitch, velocity)
    for item in held:
        finish(*item)
    return np.array(sorted(notes), dtype=np.float64).reshape(-1, 4)


def excerpt(score: Score, *, start: float, seconds: float) -> Score:
    """Keep the notes that start within ``seconds`` after ``start``; time starts at zero there.

    >>> excerpt(np.array([[0.0, 1, 60, 64], [5.0, 1, 62, 64]]), start=4.0, seconds=2.0)
    array([[ 1.,  1., 62., 64.]])
    """
    onset = score[:, ONSET]
    kept = score[(onset >= start) & (onset < start + seconds)].copy()
    kept[:, ONSET] -= start
    return kept


def add_expression(score: Score, rng: np.random.Generator) -> Score:
    """Give a flat score phrasing: slow dynamics, louder upper voice, uneven touch and rubato."""
    out = score.copy()
    if not len(out):
        return out
    onset = out[:, ONSET]
    end = onset.max() + 1.0
    phrase = np.interp(onset, np.linspace(0, end, 12), rng.normal(0, 14, 12))
    melody = (out[:, PITCH] > np.median(out[:, PITCH])) * rng.uniform(0, 14)
    loudness = rng.uniform(40, 95) + phrase + melody + rng.normal(0, 6, len(out))
    out[:, VELOCITY] = np.clip(loudness, 8, 126)
    drift = np.cumsum(rng.normal(0, 0.08, 24))
    out[:, ONSET] = onset + np.interp(onset, np.linspace(0, end, 24), drift - drift[0])
    out[:, ONSET] = np.maximum(out[:, ONSET] + rng.normal(0, 0.008, len(out)), 0)
    return out[np.argsort(out[:, ONSET], kind="stable")]


def skyline(score: Score) -> tuple[Score, Score]:
    """Split a score into its upper line (one note at a time, legato) and the rest.

    Uitdenbogerd and Zobel, "Melodic matching techniques for large music databases", 1999 (the skyline rule).
    """
    order = np.lexsort((-score[:, PITCH], np.round(score[:, ONSET] * 25)))
    ordered, chosen, line_end, line_pitch = score[order], [], -1.0, 0.0
    for i, note in enumerate(ordered):
        if note[ONSET] >= line_end - 0.03 or note[PITCH] > line_pitch:
            chosen.append(i)
            line_end, line_pitch = note[ONSET] + min(note[DURATION], 1.5), note[PITCH]
    mask = np.zeros(len(ordered), dtype=bool)
    mask[chosen] = True
    line = ordered[mask].copy()
    line = line[np.argsort(line[:, ONSET], kind="stable")]
    if len(line) > 1:
        gap = np.diff(line[:, ONSET])
        line[:-1, DURATION] = np.clip(gap * 0.98, 0.05, 2.5)
    return line, ordered[~mask]


def fit_range(score: Score, lowest: int, highest: int) -> Score:
    """Move the notes by octaves into an instrument's range.

    >>> fit_range(np.array([[0.0, 1, 30, 64], [0.0, 1, 100, 64]]), 55, 90)[:, 2].tolist()
    [66.0, 88.0]
    """
    out = score.copy()
    pitch = out[:, PITCH]
    pitch += 12 * np.ceil(np.maximum(lowest - pitch, 0) / 12)
    pitch -= 12 * np.ceil(np.maximum(pitch - highest, 0) / 12)
    return out


@dataclass(frozen=True, kw_only=True)
class Part:
    """Notes for one General MIDI program (0 to 127; -1 is the percussion channel) at a relative level in dB."""

    program: int
    score: Score
    level_db: float = 0.0


# General MIDI program, lowest and highest pitch.
SOLOISTS = {
    "violin": (40, 55, 96), "viola": (41, 48, 84), "cello": (42, 36, 76), "trumpet": (56, 54, 84),
    "trombone": (57, 40, 72), "muted trumpet": (59, 54, 84), "horn": (60, 41, 77), "soprano sax": (64, 56, 88),
    "alto sax": (65, 49, 81), "tenor sax": (66, 44, 76), "oboe": (68, 58, 91), "bassoon": (70, 34, 70),
    "clarinet": (71, 50, 91), "flute": (73, 60, 96), "piccolo": (72, 74, 102), "voice": (52, 48, 79),
    "aah": (53, 48, 79), "guitar": (24, 40, 83), "banjo": (105, 48, 84), "accordion": (21, 41, 93),
    "contrabass": (43, 28, 60), "harmonica": (22, 55, 90), "fiddle": (110, 55, 96), "xylophone": (13, 65, 100),
}  # fmt: skip
ACCOMPANIMENTS = (0, 1, 3, 6, 19, 24, 46, 48, 49, 21, 105, 61, 32, 52)
ENSEMBLES = ((48, 48, 48, 43), (40, 40, 41, 42), (49, 48, 42, 43), (73, 68, 71, 70), (56, 56, 60, 57), (52, 52, 53, 52),
             (61, 61, 57, 58), (71, 65, 66, 58), (19, 19, 19, 19), (73, 48, 60, 43))  # fmt: skip


def arrange(score: Score, rng: np.random.Generator) -> list[Part]:
    """Arrange a piano score for a random small ensemble: solo, solo with accompaniment, four parts or dance band."""
    kind = rng.choice(["solo", "duo", "ensemble", "band"], p=[0.3, 0.3, 0.25, 0.15])
    line, rest = skyline(score)
    program, low, high = SOLOISTS[rng.choice(list(SOLOISTS))]
    solo = Part(program=program, score=fit_range(line, low, high))
    if kind == "solo":
        return [solo]
    if kind == "duo":
        accompaniment = int(rng.choice(ACCOMPANIMENTS))
        return [solo, Part(program=accompaniment, score=rest, level_db=rng.uniform(-14, 2))]
    if kind == "ensemble":
        return _four_parts(score, ENSEMBLES[rng.integers(len(ENSEMBLES))])
    bass = fit_range(rest[rest[:, PITCH] < 55], 29, 53) if len(rest) else rest
    chords = rest[rest[:, PITCH] >= 55] if len(rest) else rest
    chosen = [
        solo,
        Part(program=int(rng.choice([58, 32, 43])), score=bass),
        Part(program=int(rng.choice([105, 0, 3, 24])), score=chords, level_db=rng.uniform(-10, 0)),
    ]
    if rng.random() < 0.7:
        chosen.append(Part(program=-1, score=_drums(score, rng), level_db=rng.uniform(-16, -2)))
    return chosen


def voices(score: Score, count: int) -> list[Score]:
    """Share the notes out by pitch, as many to each of ``count`` voices, the highest first; one may have none.

    >>> [v[:, 2].tolist() for v in voices(np.array([[0.0, 1, 60, 64], [0, 1, 50, 64], [1, 1, 62, 64]]), 2)]
    [[62.0], [60.0, 50.0]]
    """
    edges = np.quantile(score[:, PITCH], np.linspace(0, 1, count + 1)[1:-1])
    voice = count - 1 - np.searchsorted(edges, score[:, PITCH])
    return [score[voice == i] for i in range(count)]


def _four_parts(score: Score, programs: tuple[int, ...]) -> list[Part]:
    return [Part(program=p, score=v) for p, v in zip(programs, voices(score, 4), strict=True) if len(v)]


def _drums(score: Score, rng: np.random.Generator) -> Score:
    end = float(score[:, ONSET].max()) if len(score) else 1.0
    beat = rng.uniform(0.22, 0.5)
    onset = np.arange(0, end, beat / 2)
    kit = rng.choice([[36, 42, 38, 42], [35, 44, 40, 44], [36, 51, 38, 51], [76, 77, 76, 77], [42, 42, 75, 42]])
    pitch = np.resize(kit, len(onset)).astype(float)
    velocity = np.clip(rng.normal(70, 18, len(onset)), 15, 126)
    drums = np.stack([onset, np.full_like(onset, 0.1), pitch, velocity], axis=1)
    return drums[rng.random(len(onset)) < rng.uniform(0.4, 1.0)]
