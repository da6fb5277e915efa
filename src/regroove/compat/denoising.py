"""What ``denoise.py`` does: a whole recording with a fixed gain or a fixed range of SNRs, and filters around it."""

from pathlib import Path

import numpy as np
import scipy.io
import torch

from regroove.compat.chosen_model import load_prior, schedule_note
from regroove.compat.inference import build_engine, measured
from regroove.compat.recordings import Filters, denoise_file
from regroove.compat.script_settings import DenoiseConfig
from regroove.compat.translate import mode_by_number, noise_bank, required
from regroove.dsp.emphasis import deemphasize, emphasize
from regroove.errors import AudioError
from regroove.pending import PendingFile
from regroove.restoration.engines.guided_engine import GuidedSettings
from regroove.restoration.progress import Callback

# Samples of an impulse response on either side of its middle: where it has died down to rounding.
_REACH = 400


def denoise_recording(config: DenoiseConfig, *, progress: Callback | None = None) -> list[str]:
    """Restore ``config.noisy_audio`` to ``config.output_file``; returns lines for the user.

    Raises:
        SettingsError: gain and range of SNRs are both set, or neither is, or another key has an unusable value.
        ModelError: the checkpoint is not usable.
        AudioError: a recording or the noise cannot be read, or an output not be written.
    """
    source, output = required(config.noisy_audio, "noisy_audio"), required(config.output_file, "output_file")
    c = config.denoising
    settings = GuidedSettings(**mode_by_number(c), xi=c.xi, compat=config.compat)
    filters = Filters(
        before=emphasize if c.pre_filter else None, after=deemphasize if c.post_filter else None, reach=_REACH
    )
    prior, bank = load_prior(config, config.checkpoint), noise_bank(c, sample_rate=config.sample_rate)
    engine = build_engine(config, c, settings, prior, bank)
    lines = schedule_note(config, prior)
    done = denoise_file(source, output, engine, seed=config.seed, filters=filters, progress=progress)
    lines += done.notes
    if c.filter_folder is not None:
        lines += [f"Filter: {path}" for path in save_filters(c.filter_folder)]
    return [*lines, measured(done), f"Restored: {output}"]


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
