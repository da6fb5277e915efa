"""A corpus of rendered music: varied, seeded, and made as fast as it is used.

Every excerpt is drawn from (seed, index) alone, so that any part of the corpus can be rendered again.
"""

import tarfile
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import AudioError, SettingsError
from regroove.training.acoustics.rooms import RoomSettings, apply_room
from regroove.training.acoustics.uneven_speed import SpeedSettings, wow_and_flutter
from regroove.training.corpus.note_sampler import Sampler, read_regions
from regroove.training.corpus.percussion import drum_beat, pick
from regroove.training.corpus.players import Player, play_together, read_players
from regroove.training.corpus.scores import ONSET, PITCH, Score, add_expression, arrange, excerpt, read_midi, skyline
from regroove.training.corpus.sfz import read_sfz
from regroove.training.corpus.soundfont import render_parts
from regroove.training.corpus.voice import sing, speak

SOUNDFONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/sounds/sf3/MuseScore_General_Full.sf3")


@dataclass(frozen=True, kw_only=True)
class MusicBalance:
    """From what excerpts are drawn. Shares are of all excerpts, or of those that the line says; pairs of whole numbers
    include both ends, other pairs are spread over evenly.

    Args:
        voices, struck: how much is sung or spoken, often with instruments, and how much drums and picked strings.
        pianos: of the rest and of accompaniments, how much the pianos play.
        spoken: of the voices; of those that sing, ``choirs`` have ``choir_voices``, and ``unaccompanied`` are alone.
        picked, drums, drums_and_picked: of what is struck; in what is left, drums go with instruments.
        performed: the share of scores that are performances, where there are flat ones too.
        transposed: by how many semitones.
        tempo: standard deviation of the tempo's natural logarithm.
        from_silence: the share of excerpts that begin before their first note; in the others music sounds already.
        accompaniment_db: level of what plays with voices or drums against them.
        in_rooms: the share that is in a room, from ``room``.
        uneven: the share at an uneven speed, from ``unevenness``.
        peak_db: the peak of an excerpt in dBFS.
    """

    voices: float = 0.2
    struck: float = 0.15
    pianos: float = 0.4
    spoken: float = 0.3
    choirs: float = 0.15
    choir_voices: tuple[int, int] = (2, 6)
    unaccompanied: float = 0.4
    picked: float = 0.35
    drums: float = 0.25
    drums_and_picked: float = 0.15
    performed: float = 0.65
    transposed: tuple[int, int] = (-5, 5)
    tempo: float = 0.15
    from_silence: float = 0.5
    accompaniment_db: tuple[float, float] = (-12.0, 6.0)
    in_rooms: float = 0.65
    room: RoomSettings = RoomSettings()
    uneven: float = 0.25
    unevenness: SpeedSettings = SpeedSettings()
    peak_db: tuple[float, float] = (-30.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class CorpusSettings:
    """What to render: data folder (``instruments/`` and ``midi/``), soundfonts, excerpt length, seed and balance.

    The pianos are those of ``instruments/regions.csv`` and of every ``instruments/*/*.sfz``.
    ``notes`` is a folder of instruments, each a folder of single notes; they then play in place of everything else.
    ``scores`` says how many of the flat scores to use.
    """

    data: Path
    soundfonts: tuple[str, ...] = SOUNDFONTS
    sample_rate: int = 44_100
    seconds: float = 20.0
    seed: int = 0
    balance: MusicBalance = MusicBalance()
    notes: Path | None = None
    scores: int = 400


class Corpus:
    """Renders excerpt ``index`` of an endless corpus.

    Raises:
        SettingsError: the data folder has no MIDI files, or the folder of notes has no instrument.
    """

    def __init__(self, settings: CorpusSettings) -> None:
        self.settings = settings
        self.midi = sorted(settings.data.glob("midi/*.mid"))
        if not self.midi:
            raise SettingsError(f"{settings.data} has no midi/*.mid files to render.")
        table = settings.data / "instruments" / "regions.csv"
        self.pianos = [
            Sampler(read_regions(table, name), table.parent / name, sample_rate=settings.sample_rate)
            for name in ("splendid", "headroom")
        ]
        self.pianos += [
            Sampler(read_sfz(file), file.parent, sample_rate=settings.sample_rate)
            for file in sorted(table.parent.glob("*/*.sfz"))
        ]
        self.players: list[Player] = []
        if settings.notes is not None:
            self.players = read_players(settings.notes, sample_rate=settings.sample_rate)
        self.soundfonts = [s for s in settings.soundfonts if Path(s).exists()]

    @cached_property
    def performances(self) -> list[Score]:
        """The performances, as played."""
        return [s for s in map(_read_or_none, self.midi) if s is not None and len(s) > 50]

    @cached_property
    def flat_scores(self) -> list[Score]:
        """Scores without expression, from the packed folder beside the performances."""
        archives = sorted(self.settings.data.glob("midi/*.tar.xz"))
        if not archives:
            return []
        with tempfile.TemporaryDirectory() as folder, tarfile.open(archives[0]) as tar:
            tar.extractall(folder, filter="data")
            files = sorted(Path(folder).rglob("*.mid"))
            step = max(len(files) // self.settings.scores, 1)
            return [s for s in map(_read_or_none, files[::step]) if s is not None and len(s) > 50]

    def render(self, index: int) -> NDArray[np.float32]:
        """Render one excerpt: ``(time,)`` float32."""
        s, balance = self.settings, self.settings.balance
        rng = np.random.default_rng([s.seed, index])
        score = self._score(rng)
        audio = self._drawn(score, rng)
        if rng.random() < balance.in_rooms:
            audio = apply_room(audio, rng, balance.room, sample_rate=s.sample_rate)
        if rng.random() < balance.uneven:
            audio = wow_and_flutter(audio, rng, balance.unevenness, sample_rate=s.sample_rate)
        peak = float(np.abs(audio).max())
        if peak == 0:
            return audio
        return audio * np.float32(10 ** (rng.uniform(*balance.peak_db) / 20) / peak)

    def _drawn(self, score: Score, rng: np.random.Generator) -> NDArray[np.float32]:
        s = self.settings
        if self.players:
            piano = self.pianos[rng.integers(len(self.pianos))]
            return play_together(score, self.players, piano, rng, seconds=s.seconds)
        kind = rng.random()
        if kind < s.balance.voices:
            return self._voices(score, rng)
        if kind < s.balance.voices + s.balance.struck:
            return self._struck(score, rng)
        return self._instruments(score, rng)

    def _instruments(self, score: Score, rng: np.random.Generator) -> NDArray[np.float32]:
        s = self.settings
        if rng.random() < s.balance.pianos or not self.soundfonts:
            return self.pianos[rng.integers(len(self.pianos))].render(score, seconds=s.seconds)
        return render_parts(
            arrange(score, rng), rng.choice(self.soundfonts), seconds=s.seconds, sample_rate=s.sample_rate, rng=rng
        )

    def _voices(self, score: Score, rng: np.random.Generator) -> NDArray[np.float32]:
        """Someone who speaks, a singer or a small choir, with or without accompaniment."""
        s, balance = self.settings, self.settings.balance
        if rng.random() < balance.spoken:
            return speak(rng, seconds=s.seconds, sample_rate=s.sample_rate)
        tune, rest = skyline(score)
        fewest, most = balance.choir_voices
        count = rng.integers(fewest, most + 1) if rng.random() < balance.choirs else 1
        sung = sum(sing(tune, rng, seconds=s.seconds, sample_rate=s.sample_rate) for _ in range(count))
        if rng.random() < balance.unaccompanied or not len(rest):
            return np.asarray(sung, dtype=np.float32)
        return self._with(np.asarray(sung), self._instruments(rest, rng), rng)

    def _struck(self, score: Score, rng: np.random.Generator) -> NDArray[np.float32]:
        """Picked strings, drums, or drums with something else."""
        s, balance = self.settings, self.settings.balance
        kind = rng.random()
        if kind < balance.picked:
            return pick(score, rng, seconds=s.seconds, sample_rate=s.sample_rate)
        drums = drum_beat(rng, seconds=s.seconds, sample_rate=s.sample_rate)
        if kind < balance.picked + balance.drums:
            return drums
        if kind < balance.picked + balance.drums + balance.drums_and_picked:
            return self._with(drums, pick(score, rng, seconds=s.seconds, sample_rate=s.sample_rate), rng)
        return self._with(drums, self._instruments(score, rng), rng)

    def _with(
        self, audio: NDArray[np.float32], others: NDArray[np.float32], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """The sum of both, ``others`` softer or a little louder."""
        decibels = rng.uniform(*self.settings.balance.accompaniment_db)
        level = 10 ** (decibels / 20) * float(audio.std()) / (float(others.std()) + 1e-9)
        return (audio + level * others).astype(np.float32)

    def _score(self, rng: np.random.Generator) -> Score:
        flat, balance = self.flat_scores, self.settings.balance
        played = not flat or rng.random() < balance.performed
        source = self.performances if played else flat
        score = source[rng.integers(len(source))]
        seconds = self.settings.seconds + 4.0
        last = max(float(score[-1, ONSET]) - seconds, 0.0)
        part = excerpt(score, start=rng.uniform(0, last) if last else 0.0, seconds=seconds)
        if not len(part):
            part = score[:50].copy()
            part[:, ONSET] -= part[0, ONSET]
        part = part if played else add_expression(part, rng)
        part[:, PITCH] += rng.integers(balance.transposed[0], balance.transposed[1] + 1)
        stretch = np.exp(rng.normal(0, balance.tempo))
        part[:, :2] *= stretch
        # Notes sounding before the excerpt are missing, so it starts four seconds in.
        part[:, ONSET] -= min(3.0, float(part[:, ONSET].max()) / 2) * (rng.random() < 1 - balance.from_silence)
        return part[part[:, ONSET] >= 0]


def _read_or_none(path: Path) -> Score | None:
    try:
        return read_midi(path)
    except AudioError:
        return None
