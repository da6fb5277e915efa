"""A sampler: renders a score from single-note recordings, of a piano listed in a table or named after their notes."""

import csv
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from regroove.audio.formats import AUDIO_SUFFIXES
from regroove.audio.load import read_audio
from regroove.errors import AudioError
from regroove.training.corpus.scores import DURATION, ONSET, PITCH, VELOCITY, Score

# Semitones that the lowest and highest note are bent to play.
BEYOND = 3
_NOTE = re.compile(r"([A-G])([s#b]?)(-?\d)")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "s": 1, "#": 1, "b": -1}


@dataclass(frozen=True, kw_only=True)
class Region:
    """One sample and the keys and velocities that play it."""

    velocities: tuple[int, int]
    keys: tuple[int, int]
    root: float
    gain_db: float
    offset: int
    file: str


def read_regions(table: str | Path, piano: str) -> list[Region]:
    """Read one piano's regions from a CSV with the columns of an SFZ map."""
    with open(table, newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["piano"] == piano]
    if not rows:
        raise AudioError(f"{table} has no piano called {piano}.")
    return [
        Region(
            velocities=(int(row["lovel"]), int(row["hivel"])),
            keys=(int(row["lokey"]), int(row["hikey"])),
            root=float(row["keycenter"]) - float(row["tune_cents"]) / 100,
            gain_db=float(row["gain_db"]),
            offset=int(row["offset"]),
            file=row["file"],
        )
        for row in rows
    ]


def named_regions(folder: str | Path) -> list[Region]:
    """Regions of the files of a folder that are named after the note they hold: ``C4.wav`` is middle C, ``Fs3.flac``
    the F sharp below it. Each plays the keys that it is nearest to, up to three beyond the lowest and highest note.

    An empty list where no file is so named.
    """
    sounds = [path for path in Path(folder).iterdir() if path.suffix.lower() in AUDIO_SUFFIXES]
    named = [(match, path.name) for path in sounds if (match := _NOTE.fullmatch(path.stem))]
    files = sorted((_pitch(match), name) for match, name in named)
    pitches = [pitch for pitch, _ in files]
    middles = [(low + high) // 2 for low, high in zip(pitches, pitches[1:], strict=False)]
    first, last = [p - BEYOND for p in pitches[:1]], [p + BEYOND for p in pitches[-1:]]
    keys = zip([*first, *(m + 1 for m in middles)], [*middles, *last], strict=True)
    return [
        Region(velocities=(1, 127), keys=each, root=float(pitch), gain_db=0.0, offset=0, file=name)
        for each, (pitch, name) in zip(keys, files, strict=True)
    ]


def _pitch(match: re.Match[str]) -> int:
    letter, accidental, octave = match.groups()
    return 12 * (int(octave) + 1) + _STEPS[letter] + _ACCIDENTALS[accidental]


class Sampler:
    """Plays scores with the samples of ``folder``; samples shifted in pitch are kept in a bounded cache.

    Args:
        regions: the map from keys and velocities to files.
        folder: where the files are.
        sample_rate: rate of the samples and of the result, in hertz.
        cache_seconds: how many seconds of shifted samples to keep in memory.
    """

    def __init__(
        self, regions: list[Region], folder: str | Path, *, sample_rate: int, cache_seconds: float = 6000.0
    ) -> None:
        self.regions = regions
        self.folder = Path(folder)
        self.sample_rate = sample_rate
        self._cache: OrderedDict[tuple[str, int], NDArray[np.float32]] = OrderedDict()
        self._room = int(cache_seconds * sample_rate)

    def _note(self, pitch: int, velocity: int) -> NDArray[np.float32] | None:
        for region in self.regions:
            in_keys = region.keys[0] <= pitch <= region.keys[1]
            if in_keys and region.velocities[0] <= velocity <= region.velocities[1]:
                return self._shifted(region, pitch) * np.float32(10 ** (region.gain_db / 20))
        return None

    def _shifted(self, region: Region, pitch: int) -> NDArray[np.float32]:
        key = (region.file, pitch)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        audio, rate = read_audio(self.folder / region.file)
        mono = audio.mean(axis=0)[region.offset :].astype(np.float32)
        ratio = 2 ** ((pitch - region.root) / 12)
        note = soxr.resample(mono, rate * ratio, self.sample_rate)
        fade = min(len(note), int(0.3 * self.sample_rate))
        note[len(note) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        self._cache[key] = note
        while sum(map(len, self._cache.values())) > self._room:
            self._cache.popitem(last=False)
        return note

    def render(self, score: Score, *, seconds: float) -> NDArray[np.float32]:
        """Render ``(notes, 4)`` to ``(time,)`` float32; dampers fall over 0.1 to 0.3 s after a note's end."""
        out = np.zeros(int(seconds * self.sample_rate), dtype=np.float32)
        for note in score:
            sample = self._note(int(note[PITCH]), int(np.clip(note[VELOCITY], 1, 127)))
            start = int(note[ONSET] * self.sample_rate)
            if sample is None or start >= len(out):
                continue
            damper = int(self.sample_rate * np.interp(note[PITCH], [21, 108], [0.3, 0.1]))
            held = int(note[DURATION] * self.sample_rate)
            length = min(len(sample), held + damper, len(out) - start)
            # Within a layer the key's velocity still sets the level, by half of its usual range.
            gain = np.float32((note[VELOCITY] / 80) ** 0.7)
            out[start : start + length] += gain * sample[:length] * _release(length, held, damper)
        return out


def _release(length: int, held: int, damper: int) -> NDArray[np.float32]:
    envelope = np.ones(length, dtype=np.float32)
    if length > held:
        tail = np.arange(length - held, dtype=np.float32) / damper
        envelope[held:] = np.exp(-5 * tail) * (1 - tail)
    return envelope
