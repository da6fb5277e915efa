"""A user's own recordings as part of the corpus: excerpts beside the rendered ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.training.reference_music import Music, find_music

# Quieter excerpts are rests, or ends of sides: nothing to learn from.
FAINTEST = 1e-3
TRIES = 20


@dataclass(frozen=True, kw_only=True)
class RecordingSettings:
    """How excerpts are taken: rate in Hz, length in seconds, and the seed that says where from."""

    sample_rate: int = 44_100
    seconds: float = 20.0
    seed: int = 0


class Recordings:
    """Excerpts of a folder of audio files, or of MAESTRO's training split; they are taken for clean.

    Raises:
        SettingsError: the folder is missing or holds no music.
        AudioError: a file is no audio, or all are too short.
    """

    def __init__(self, folder: str | Path, settings: RecordingSettings) -> None:
        self.settings = settings
        length = round(settings.seconds * settings.sample_rate)
        self.music = Music(find_music(folder), sample_rate=settings.sample_rate, length=length)

    def excerpt(self, index: int) -> NDArray[np.float32]:
        """Excerpt ``index`` of endlessly many: ``(time,)`` float32, peak between -30 and -1 dBFS, as rendered ones."""
        rng = np.random.default_rng([self.settings.seed, index])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        for _ in range(TRIES):
            samples = self.music.excerpt(generator).numpy()
            if float(np.sqrt(np.mean(samples**2))) > FAINTEST:
                break
        peak = float(np.abs(samples).max()) or 1.0
        return samples * np.float32(10 ** (rng.uniform(-30, -1) / 20) / peak)
