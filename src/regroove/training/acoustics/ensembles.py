"""Sections of players who are a little out of tune and of time: what makes an orchestra dense."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings:
    """From what ensembles are drawn.

    Args:
        more_excerpts: how many excerpts play beside the first one, both ends included.
        level: amplitude of an excerpt, all of equal energy before.
        sections: the share of excerpts that are played by a section; the others stay as they are.
        players: how many a section has, both ends included.
        detuning_cents: standard deviation of the players' tuning.
        apart_seconds: standard deviation of when they play.
        vibrato_hz: rate of a player's vibrato.
        vibrato_seconds: by how much it moves the sound in time.
        player_level: amplitude of a player.
    """

    more_excerpts: tuple[int, int] = (0, 2)
    level: tuple[float, float] = (0.3, 1.0)
    sections: float = 0.8
    players: tuple[int, int] = (3, 12)
    detuning_cents: tuple[float, float] = (2.0, 15.0)
    apart_seconds: tuple[float, float] = (0.005, 0.04)
    vibrato_hz: tuple[float, float] = (3.0, 7.0)
    vibrato_seconds: tuple[float, float] = (0.0, 3e-4)
    player_level: tuple[float, float] = (0.5, 1.0)


def as_ensemble(
    excerpts: Sequence[NDArray[np.float32]], rng: np.random.Generator, settings: EnsembleSettings, *, sample_rate: int
) -> NDArray[np.float32]:
    """Excerpts ``(time,)`` at once, most of them played by sections; each is as loud as the first one, or softer."""
    loudness = float(np.linalg.norm(excerpts[0]))
    parts = [
        part * (loudness / (float(np.linalg.norm(part)) + 1e-9)) * float(rng.uniform(*settings.level))
        for part in excerpts
    ]
    played = [
        as_section(part, rng, settings, sample_rate=sample_rate) if rng.random() < settings.sections else part
        for part in parts
    ]
    return np.sum(played, axis=0, dtype=np.float32)


def as_section(
    audio: NDArray[np.float32], rng: np.random.Generator, settings: EnsembleSettings, *, sample_rate: int
) -> NDArray[np.float32]:
    """Let a section play ``(time,)``; the energy stays.

    The players' tuning, timing and vibrato differ, so partials beat like narrow bands of noise.
    """
    s = settings
    times = np.arange(len(audio)) / sample_rate
    out = np.zeros(len(audio))
    spread, apart = rng.uniform(*s.detuning_cents), rng.uniform(*s.apart_seconds)
    for _ in range(rng.integers(s.players[0], s.players[1] + 1)):
        detuned = 2 ** (rng.normal(0, spread) / 1200) - 1
        rate, depth = rng.uniform(*s.vibrato_hz), rng.uniform(*s.vibrato_seconds)
        # In tune and in time in the middle, so that the drift stays small.
        moved = times + detuned * (times - times[-1] / 2) + rng.normal(0, apart)
        moved += depth * np.sin(2 * np.pi * (rate * times + rng.random()))
        out += np.interp(moved, times, audio) * rng.uniform(*s.player_level)
    return (out * (np.linalg.norm(audio) / (np.linalg.norm(out) + 1e-9))).astype(np.float32)
