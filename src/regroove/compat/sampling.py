"""What ``sample.py`` does: degrade every file of a folder in the same way, restore it, and write all three."""

import re
from pathlib import Path

import torch
from torch import Tensor

from regroove.audio.formats import SampleFormat
from regroove.audio.writer import AudioWriter
from regroove.compat.animation import Animation
from regroove.compat.chosen_model import Prior, load_prior, schedule_note
from regroove.compat.lowpass import low_passed
from regroove.compat.music import dataset_files, read_excerpt, wave_files
from regroove.compat.sample_settings import SampleConfig
from regroove.compat.sample_tasks import DENOISING, UNCONDITIONAL, Task, make_task
from regroove.compat.translate import sampler_settings
from regroove.diffusion.guidance import GuidanceSettings
from regroove.diffusion.posterior import SamplerSettings, draw
from regroove.diffusion.randomness import item_generators
from regroove.diffusion.schedules import cqtdiff_schedule
from regroove.errors import AudioError, ModelError, SettingsError
from regroove.restoration.engines.engine import block_seed
from regroove.restoration.progress import Callback, Work


def sample_files(config: SampleConfig, *, progress: Callback | None = None) -> list[str]:
    """Restore every file, or generate; returns lines for the user, one for each file written.

    Files go to ``output_dir/MODE/original``, ``degraded`` and ``reconstructed``, under their own names.

    Raises:
        SettingsError: a key has an unusable value, or there is no music. ModelError: the checkpoint is not usable.
        AudioError: a file cannot be read or written, is too short, or has another rate.
    """
    prior = load_prior(config, find_checkpoint(config.model_dir, config.checkpoint_id))
    home = Path(config.output_dir) / config.inference.mode
    if config.inference.mode == UNCONDITIONAL:
        return _generate(config, prior, home, progress)
    c = config.inference
    files = wave_files(c.folder) if c.folder is not None else dataset_files(config.dset)
    written = schedule_note(config, prior) if c.mode == DENOISING else []
    work = Work({"restoring": 1.0}, progress)
    for number, file in enumerate(files[: c.max_files]):
        excerpt = read_excerpt(file, sample_rate=config.sample_rate, length=config.audio_len, start=c.start)
        clean = torch.from_numpy(excerpt.samples).float()[None].to(prior.device)
        written += _restore(clean, excerpt.name, number, config, prior, home)
        work.at("restoring", (number + 1) / len(files[: c.max_files]))
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


def _generate(config: SampleConfig, prior: Prior, home: Path, progress: Callback | None) -> list[str]:
    count = config.inference.unconditional.num_samples
    if count < 1:
        raise SettingsError(f"At least 1 sample is generated, not {count}.")
    written = []
    work = Work({"restoring": 1.0}, progress)
    for number in range(count):
        like = torch.zeros(1, config.audio_len, device=prior.device)
        seed = block_seed(config.seed, channel=0, index=number)
        film = Animation() if config.inference.animation else None
        settings = _settings(config, prior, GuidanceSettings())
        drawn = low_passed(_drawn(like, prior, settings, seed, film), config)
        written += _write(home / "reconstructed" / f"sample-{number}.wav", drawn, config, config.sample_rate)
        written += _show(film, home / "animation" / f"sample-{number}.html")
        work.at("restoring", (number + 1) / count)
    return written


def _restore(clean: Tensor, name: str, number: int, config: SampleConfig, prior: Prior, home: Path) -> list[str]:
    c, seed = config.inference, block_seed(config.seed, channel=0, index=number)
    task = make_task(clean, config, seed=block_seed(config.seed, channel=1, index=number))
    guidance = GuidanceSettings(xi=c.xi, clip=c.max_gradient, data_consistency=c.data_consistency, norm=task.norm)
    film = Animation() if c.animation else None
    drawn = _drawn(clean, prior, _settings(config, prior, guidance), seed, film, task)
    restored = low_passed(drawn, config)
    return [
        *_write(home / "original" / f"{name}.wav", clean, config, config.sample_rate),
        *_write(home / "degraded" / f"{name}.wav", task.degraded, config, task.rate),
        *_write(home / "reconstructed" / f"{name}.wav", restored, config, config.sample_rate),
        *_show(film, home / "animation" / f"{name}.html"),
    ]


def _settings(config: SampleConfig, prior: Prior, guidance: GuidanceSettings) -> SamplerSettings:
    """Noise levels are those of records for denoising, and of the published music tasks for everything else."""
    schedule = prior.schedule if config.inference.mode == DENOISING else cqtdiff_schedule()
    return sampler_settings(config.diffusion_parameters, schedule=schedule, guidance=guidance)


def _drawn(
    like: Tensor, prior: Prior, settings: SamplerSettings, seed: int, film: Animation | None, task: Task | None = None
) -> Tensor:
    return draw(
        prior.denoiser,
        like,
        settings,
        generators=item_generators([seed]),
        operator=task.operator if task else None,
        observation=task.observation if task else None,
        on_step=film.add if film else None,
    )


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
