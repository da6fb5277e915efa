"""What ``denoise.py`` does: a whole recording with a fixed gain or a fixed range of SNRs, and filters around it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.io
import torch
from torch import Tensor

from regroove.audio.pending import PendingFile
from regroove.compat.engine import NoiseMode
from regroove.compat.inference import build_engine, build_sampler, measured, required
from regroove.compat.recordings import Filters, Progress, Samples, denoise_file
from regroove.compat.settings import DenoiseConfig, FixedNoiseConfig
from regroove.dsp.emphasis import deemphasize, emphasize
from regroove.errors import AudioError, SettingsError

# Samples of an impulse response on either side of its middle: where it has died down to rounding.
_REACH = 400


def denoise_recording(config: DenoiseConfig, *, progress: Progress | None = None) -> list[str]:
    """Restore ``config.noisy_audio`` to ``config.output_file``; returns lines for the user.

    Raises:
        SettingsError: gain and range of SNRs are both set, or neither is, or another key has an unusable value.
        ModelError: the checkpoint is not usable.
        AudioError: a recording or the noise cannot be read, or an output not be written.
    """
    source, output = required(config.noisy_audio, "noisy_audio"), required(config.output_file, "output_file")
    c = config.denoising
    mode = noise_mode(c)
    filters = Filters(before=_pre_filter if c.pre_filter else None, after=_post_filter if c.post_filter else None)
    sampler = build_sampler(config, c, max_gradient=c.max_gradient)
    engine = build_engine(config, mode, sampler, batch_size=c.batch_size)
    lines = denoise_file(source, output, engine, seed=config.seed, filters=filters, progress=progress)
    if c.filter_folder is not None:
        lines += [f"Filter: {path}" for path in save_filters(c.filter_folder)]
    return [*lines, measured(engine), f"Restored: {output}"]


def noise_mode(noise: FixedNoiseConfig) -> NoiseMode:
    """The mode of ``denoise.py``: by the gain or by the range of SNRs, whichever of the two is set.

    >>> noise_mode(FixedNoiseConfig(gain=0.02)).mode
    'fixed-gain'
    """
    if (noise.gain is None) == (noise.snr_range is None):
        both = "both are" if noise.gain is not None else "neither is"
        raise SettingsError(f"Set one of denoising.gain and denoising.snr_range; {both} set.")
    mode = "fixed-gain" if noise.gain is not None else "fixed-snr"
    return NoiseMode(mode=mode, gain=noise.gain, snr=noise.snr_range, xi=noise.xi)


def save_filters(folder: str | Path) -> list[Path]:
    """Write ``pre_filter.mat`` and ``post_filter.mat``: each filter's response ``h``, forwards and backwards in one.

    Raises:
        AudioError: the folder cannot be written to.
    """
    impulse = torch.zeros(4 * _REACH + 1, dtype=torch.float64)
    impulse[2 * _REACH] = 1
    written = []
    for name, function in (("pre_filter", emphasize), ("post_filter", deemphasize)):
        response = function(impulse)[_REACH : 3 * _REACH + 1].numpy()
        path = Path(folder) / f"{name}.mat"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AudioError(f"The filters cannot be written to {folder} ({error.strerror}).") from error
        with PendingFile(path, overwrite=True) as pending, pending.temporary.open("wb") as file:
            scipy.io.savemat(file, {"h": response, "delay": np.array(_REACH)})
        written.append(path)
    return written


def _pre_filter(audio: Samples) -> Samples:
    return _filtered(audio, emphasize)


def _post_filter(audio: Samples) -> Samples:
    return _filtered(audio, deemphasize)


def _filtered(audio: Samples, function: Callable[[Tensor], Tensor]) -> Samples:
    return function(torch.from_numpy(np.ascontiguousarray(audio, dtype=np.float64))).numpy()
