"""Music for instruments whose single notes were recorded: a soloist, one with a piano, or a few together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.errors import SettingsError
from regroove.training.corpus.note_sampler import Sampler, named_regions
from regroove.training.corpus.scores import Score, fit_range, skyline, voices

# Of shifted notes that each instrument keeps.
CACHE_SECONDS = 1000.0


@dataclass(frozen=True, kw_only=True)
class Player:
    """An instrument and the lowest and highest pitch that it plays."""

    sampler: Sampler
    lowest: int
    highest: int

    def perform(self, score: Score, rng: np.random.Generator, *, seconds: float) -> NDArray[np.float32]:
        """Play ``(notes, 4)``, moved into the instrument's range, swelling and fading by up to 9 dB."""
        played = self.sampler.render(fit_range(score, self.lowest, self.highest), seconds=seconds)
        swell = np.interp(np.linspace(0, 9, len(played)), np.arange(10), rng.uniform(-9, 0, 10))
        return (played * 10 ** (swell / 20)).astype(np.float32)


def read_players(folder: str | Path, *, sample_rate: int) -> list[Player]:
    """Read a folder of instruments, each a folder of single notes named such as ``A3.wav``.

    Raises:
        SettingsError: there is none.
    """
    players = []
    for home in sorted(path for path in Path(folder).glob("*") if path.is_dir()):
        regions = named_regions(home)
        if regions:
            sampler = Sampler(regions, home, sample_rate=sample_rate, cache_seconds=CACHE_SECONDS)
            players.append(Player(sampler=sampler, lowest=regions[0].keys[0], highest=regions[-1].keys[1]))
    if not players:
        raise SettingsError(f"{folder} has no folders of single notes named such as A3.wav or Fs4.flac.")
    return players


def play_together(
    score: Score, players: list[Player], piano: Sampler, rng: np.random.Generator, *, seconds: float
) -> NDArray[np.float32]:
    """Arrange a piano score for one to four of ``players``, a soloist perhaps with ``piano``; ``(time,)`` float32."""
    count = int(rng.choice([1, 2, 3, 4], p=[0.55, 0.15, 0.15, 0.15]))
    line, rest = skyline(score)
    parts = [line] if count == 1 else voices(score, count)
    chosen = [players[i] for i in rng.integers(len(players), size=count)]
    # The lowest voice goes to whoever plays lowest.
    chosen.sort(key=lambda player: -player.lowest)
    played = [
        10 ** (rng.uniform(-8, 0) / 20) * player.perform(part, rng, seconds=seconds)
        for player, part in zip(chosen, parts, strict=True)
    ]
    if count == 1 and rng.random() < 0.5:
        played.append(10 ** (rng.uniform(-10, 2) / 20) * piano.render(rest, seconds=seconds))
    return np.sum(played, axis=0, dtype=np.float32)
