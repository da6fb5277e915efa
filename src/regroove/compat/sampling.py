"""What ``sample.py`` does: degrade every file of a folder in the same way, restore it, and write all three."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from regroove.audio.formats import SampleFormat
from regroove.audio.writer import AudioWriter
from regroove.compat.animation import Animation
from regroove.compat.music import dataset_files, read_excerpt, wave_files
from regroove.compat.prior import Prior, load_prior
from regroove.compat.sample_settings import SampleConfig
from regroove.compat.sampler import Sampler
from regroove.compat.tasks import make_task
from regroove.diffusion.guidance import GuidanceSettings
from regroove.dsp.filters import fir_filter, firwin_taps
from regroove.errors import AudioError, ModelError, SettingsError
from regroove.restoration.blocks import block_seed

Report = Callable[[str, float], None]
_LOWPASS_TAPS = 501
_UNCONDITIONAL = "unconditional"


def sample_files(config: SampleConfig, *, progress: Report | None = None) -> list[str]:
    """Restore every file, or generate; returns lines for the user, one for each file written.

    Files go to ``output_dir/MODE/original``, ``degraded`` and ``reconstructed``, under their own names.

    Raises:
        SettingsError: a key has an unusable value, or there is no music. ModelError: the checkpoint is not usable.
        AudioError: a file cannot be read or written, is too short, or has another rate.
    """
    prior = load_prior(config, find_checkpoint(config.model_dir, config.checkpoint_id))
    home = Path(config.output_dir) / config.inference.mode
    if config.inference.mode == _UNCONDITIONAL:
        return _generate(config, prior, home, progress)
    c = config.inference
    files = wave_files(c.folder) if c.folder is not None else dataset_files(config.dset)
    written = []
    for number, file in enumerate(files[: c.max_files]):
        excerpt = read_excerpt(file, sample_rate=config.sample_rate, length=config.audio_len, start=c.start)
        clean = torch.from_numpy(excerpt.samples).float()[None].to(prior.device)
        written += _restore(clean, excerpt.name, number, config, prior, home)
        if progress:
            progress("restoring", (number + 1) / len(files[: c.max_files]))
    return written


def find_checkpoint(model_dir: str | None, checkpoint_id: str | None) -> str:
    """The weights in a folder whose names end in the identifier, or, without one, the latest; the bundled ones if none.

    Raises:
        ModelError: the folder holds no such file.

    >>> find_checkpoint(None, None)
    'default'
    """
    if model_dir is None:
        if checkpoint_id is not None:
            raise SettingsError("A checkpoint_id needs the folder of the weights: model_dir=...")
        return "default"
    found = [f for f in Path(model_dir).glob("*.pt") if checkpoint_id is None or f.stem.endswith(f"-{checkpoint_id}")]
    exact = [f for f in Path(model_dir).glob("*.pt") if f.stem == checkpoint_id]
    if not found + exact:
        wanted = "*.pt" if checkpoint_id is None else f"*-{checkpoint_id}.pt"
        raise ModelError(f"The folder {model_dir} holds no weights {wanted}.")
    return str(max(found + exact, key=_step))


def _step(file: Path) -> tuple[int, str]:
    number = re.search(r"(\d+)$", file.stem)
    return (int(number[1]) if number else -1), file.name


def _generate(config: SampleConfig, prior: Prior, home: Path, progress: Report | None) -> list[str]:
    count = config.inference.unconditional.num_samples
    if count < 1:
        raise SettingsError(f"At least 1 sample is generated, not {count}.")
    written = []
    for number in range(count):
        like = torch.zeros(1, config.audio_len, device=prior.device)
        seed = block_seed(config.seed, channel=0, index=number)
        sampler, film = _sampler(config, prior, GuidanceSettings())
        drawn = _finished(sampler.draw(like, seeds=[seed]), config)
        written += _write(home / "reconstructed" / f"sample-{number}.wav", drawn, config, config.sample_rate)
        written += _show(film, home / "animation" / f"sample-{number}.html")
        if progress:
            progress("restoring", (number + 1) / count)
    return written


def _restore(clean: Tensor, name: str, number: int, config: SampleConfig, prior: Prior, home: Path) -> list[str]:
    c, seed = config.inference, block_seed(config.seed, channel=0, index=number)
    task = make_task(clean, config, seed=block_seed(config.seed, channel=1, index=number))
    guidance = GuidanceSettings(xi=c.xi, clip=c.max_gradient, data_consistency=c.data_consistency, norm=task.norm)
    sampler, film = _sampler(config, prior, guidance)
    drawn = sampler.draw(clean, seeds=[seed], operator=task.operator, observation=task.observation)
    restored = _finished(drawn, config)
    return [
        *_write(home / "original" / f"{name}.wav", clean, config, config.sample_rate),
        *_write(home / "degraded" / f"{name}.wav", task.degraded, config, task.rate),
        *_write(home / "reconstructed" / f"{name}.wav", restored, config, config.sample_rate),
        *_show(film, home / "animation" / f"{name}.html"),
    ]


def _sampler(config: SampleConfig, prior: Prior, guidance: GuidanceSettings) -> tuple[Sampler, Animation | None]:
    sampler = Sampler(
        denoiser=prior.denoiser, diffusion=config.diffusion_parameters, guidance=guidance, device=prior.device
    )
    if not config.inference.animation:
        return sampler, None
    film = Animation()
    return replace(sampler, on_step=film.add), film


def _finished(x: Tensor, config: SampleConfig) -> Tensor:
    cutoff = config.inference.final_lowpass
    if cutoff is None:
        return x
    return fir_filter(x, firwin_taps(cutoff_hz=cutoff, sample_rate=config.sample_rate, taps=_LOWPASS_TAPS))


def _show(film: Animation | None, path: Path) -> list[str]:
    if film is None:
        return []
    _make_folder(path.parent)
    film.write(path)
    return [str(path)]


def _write(path: Path, x: Tensor, config: SampleConfig, rate: int) -> list[str]:
    """Write ``(1, time)`` samples: 16-bit as the original, which clips, or without compat as floats, which do not."""
    _make_folder(path.parent)
    stored = SampleFormat(subtype="PCM_16" if config.compat else "FLOAT")
    samples = x.detach().cpu().double().numpy()
    with AudioWriter(
        path, sample_rate=rate, channels=1, frames=samples.shape[1], sample_format=stored, overwrite=True
    ) as writer:
        writer.write(samples)
    return [str(path)]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"The folder {folder} cannot be made ({error.strerror}).") from error
