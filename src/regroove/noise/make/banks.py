"""Banks of noise excerpts: a folder of recordings of noise alone, looped by whole revolutions.

A record's noise repeats itself each turn, so an excerpt is cut to whole revolutions before it is looped.
"""

import logging
from pathlib import Path
from typing import Self

import numpy as np
import soxr
import torch
from torch import Tensor

from regroove.audio.formats import AUDIO_SUFFIXES
from regroove.audio.load import read_audio
from regroove.errors import AudioError
from regroove.noise.make.presets import PRESETS
from regroove.noise.make.synthesise import synthesise

log = logging.getLogger(__name__)
RPM = 78.0
CROSSFADE = 0.1


def loop_by_revolution(
    noise: Tensor, *, length: int, sample_rate: int, rpm: float = RPM, crossfade: float = CROSSFADE
) -> Tensor:
    """Repeat ``(time,)`` by whole revolutions, with a Hann crossfade in seconds, and cut it to ``length``.

    The excerpt is cut to as many revolutions as leave enough for the crossfade. One that does not hold a revolution
    and the crossfade is looped as it is. An excerpt that is long enough is only cut.

    >>> loop_by_revolution(torch.ones(50_000), length=120_000, sample_rate=44_100).shape
    torch.Size([120000])
    """
    turn, fade = int(60 / rpm * sample_rate), int(crossfade * sample_rate)
    turns, left = divmod(len(noise), turn)
    turns -= left < fade
    if turns > 0:
        noise = noise[: turns * turn + fade]
    else:
        log.info("a noise excerpt of %.2f s holds no whole revolution; it is looped as it is", len(noise) / sample_rate)
        fade = min(fade, len(noise) // 2)
    window = torch.hann_window(2 * fade, periodic=True, dtype=noise.dtype, device=noise.device)
    rise, fall = window[:fade], window[fade:]
    out = noise
    while len(out) < length:
        joint = out[len(out) - fade :] * fall + noise[:fade] * rise
        out = torch.cat([out[: len(out) - fade], joint, noise[fade:]])
    return out[:length]


def unit_power(noise: Tensor) -> Tensor:
    """Scale ``(..., time)`` to an RMS of one; silence stays silence."""
    rms = noise.square().mean(dim=-1, keepdim=True).sqrt()
    return noise / rms.clamp_min(torch.finfo(noise.dtype).tiny)


class NoiseBank:
    """Excerpts of noise, drawn at random at unit power.

    Args:
        excerpts: mono excerpts ``(time,)`` at ``sample_rate``.
        sample_rate: in hertz.
        rpm: revolutions a minute of the record, which set the length of the loops.
        crossfade: in seconds.

    Raises:
        AudioError: there is no excerpt that is not silent.
    """

    def __init__(
        self, excerpts: list[Tensor], *, sample_rate: int, rpm: float = RPM, crossfade: float = CROSSFADE
    ) -> None:
        self.excerpts = [e for e in excerpts if bool(e.any())]
        self.sample_rate, self.rpm, self.crossfade = sample_rate, rpm, crossfade
        if not self.excerpts:
            raise AudioError("The noise set holds no excerpt that is not silent.")

    @classmethod
    def from_folder(cls, folder: str | Path, *, sample_rate: int, stereo: str = "mean") -> Self:
        """Read every recording of a folder, in order of their names.

        Args:
            stereo: ``mean`` makes one excerpt of a stereo recording; ``walls`` makes three, its left, its right and
                their difference, in which a mono record's music cancels.

        Raises:
            AudioError: the folder is missing or holds no recording.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise AudioError(f"The noise set {folder} is not a folder.")
        files = sorted(f for f in folder.iterdir() if f.suffix.lower() in AUDIO_SUFFIXES)
        if not files:
            raise AudioError(f"The noise set {folder} holds no recordings.")
        excerpts = []
        for file in files:
            audio, rate = read_audio(file)
            channels = [audio.mean(axis=0)]
            if stereo == "walls" and len(audio) == 2:
                channels = [audio[0], audio[1], audio[0] - audio[1]]
            excerpts += [torch.from_numpy(soxr.resample(c, rate, sample_rate)) for c in channels]
        return cls(excerpts, sample_rate=sample_rate)

    @classmethod
    def synthetic(cls, name: str, *, sample_rate: int, excerpts: int = 8, seconds: float = 8.0) -> Self:
        """A bank from the synthesiser's preset ``name``, for when there is no folder."""
        length = int(seconds * sample_rate)
        made = [synthesise(PRESETS[name], length=length, sample_rate=sample_rate, seed=i) for i in range(excerpts)]
        return cls([torch.from_numpy(np.asarray(noise)) for noise in made], sample_rate=sample_rate)

    def draw(self, length: int, *, generator: torch.Generator) -> Tensor:
        """Draw an excerpt, looped and cut to ``length``, at unit power: ``(length,)``."""
        chosen = int(torch.randint(len(self.excerpts), (1,), generator=generator))
        looped = loop_by_revolution(
            self.excerpts[chosen],
            length=length,
            sample_rate=self.sample_rate,
            rpm=self.rpm,
            crossfade=self.crossfade,
        )
        return unit_power(looped)
