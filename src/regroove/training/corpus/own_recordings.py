"""A user's own recordings as part of the corpus: excerpts beside the rendered ones."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from regroove.errors import SettingsError
from regroove.training.corpus.music_files import Music, find_music

# Quieter excerpts are rests, or ends of sides: nothing to learn from.
FAINTEST = 1e-3
TRIES = 20
# Order of the low-pass, which runs forwards and backwards: 120 dB an octave.
STEEPNESS = 10


@dataclass(frozen=True, kw_only=True)
class RecordingSettings:
    """How excerpts are taken: rate in Hz, length in seconds, and the seed that says where from.

    ``highest`` (Hz; 0: nowhere) is where excerpts end, for lossy files whose own end would be learnt otherwise.
    Files with one of ``without`` in their names are left out, for judging.
    """

    sample_rate: int = 44_100
    seconds: float = 20.0
    seed: int = 0
    highest: float = 0.0
    without: tuple[str, ...] = ()


class Recordings:
    """Excerpts of a folder of audio files, or of MAESTRO's training split; they are taken for clean.

    Raises:
        SettingsError: the folder is missing or holds no music, nothing is left, or ``highest`` is beyond half the rate.
        AudioError: a file is no audio, or all are too short.
    """

    def __init__(self, folder: str | Path, settings: RecordingSettings) -> None:
        self.settings = settings
        length = round(settings.seconds * settings.sample_rate)
        files = [f for f in find_music(folder) if not any(name in f.name for name in settings.without)]
        if not files:
            raise SettingsError(f"Nothing of {folder} is left to train on.")
        self.music = Music(files, sample_rate=settings.sample_rate, length=length)
        self._band = None
        if settings.highest:
            if not 0 < settings.highest < settings.sample_rate / 2:
                raise SettingsError(f"Recordings cannot be cut at {settings.highest:g} Hz: that is beyond their band.")
            self._band = butter(STEEPNESS, settings.highest, fs=settings.sample_rate, output="sos")

    def excerpt(self, index: int) -> NDArray[np.float32]:
        """Excerpt ``index`` of endlessly many: ``(time,)`` float32, peak between -30 and -1 dBFS, as rendered ones."""
        rng = np.random.default_rng([self.settings.seed, index])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        for _ in range(TRIES):
            samples = self.music.excerpt(generator).numpy()
            if float(np.sqrt(np.mean(samples**2))) > FAINTEST:
                break
        if self._band is not None:
            samples = sosfiltfilt(self._band, samples).astype(np.float32)
        peak = float(np.abs(samples).max()) or 1.0
        return samples * np.float32(10 ** (rng.uniform(-30, -1) / 20) / peak)
