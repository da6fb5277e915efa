"""What ``train.py`` does: :mod:`regroove.training.reference` with the original's keys."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from regroove.compat.music import dataset_files, wave_files
from regroove.compat.sample_settings import SampleConfig
from regroove.compat.translate import network_settings
from regroove.errors import SettingsError
from regroove.networks.reference_checkpoints import SIGMA_DATA
from regroove.restoration.progress import Callback, Work
from regroove.training.corpus.music_files import Music
from regroove.training.reference.reference_run import Report, train_reference
from regroove.training.reference.training_settings import ReferenceSettings


def training_settings(config: SampleConfig) -> ReferenceSettings:
    """The settings of the training that a configuration stands for.

    Raises:
        SettingsError: a number is out of range.

    >>> training_settings(SampleConfig(audio_len=66_150)).network.length
    66150
    """
    sigma_data = config.diffusion_parameters.sigma_data
    # The section also says where the music is, which is no setting of the training.
    shared = {key: value for key, value in asdict(config.train).items() if key not in ("folder", "split")}
    return ReferenceSettings(
        network=network_settings(config.network, sample_rate=config.sample_rate, length=config.audio_len),
        sigma_data=SIGMA_DATA if sigma_data is None else sigma_data,
        seed=config.seed,
        **shared,
    )


def train(config: SampleConfig, *, progress: Callback | None = None) -> list[str]:
    """Train up to ``config.train.steps``, from the latest weights in ``config.model_dir`` on; returns lines.

    Raises:
        SettingsError, ModelError, AudioError: settings, weights or music are not usable.
        MissingDependencyError: what training needs is not installed.
    """
    if config.model_dir is None:
        raise SettingsError("The key model_dir needs a value: the folder where the weights go.")
    settings, c = training_settings(config), config.train
    files = wave_files(c.folder) if c.folder is not None else dataset_files(config.dset, split=c.split)
    work = Work({"restoring": 1.0}, progress)
    music = Music(files, sample_rate=config.sample_rate, length=config.audio_len)

    @contextmanager
    def bar(first: int, steps: int) -> Iterator[Report]:
        def report(step: int, values: Mapping[str, float]) -> None:
            work.at("restoring", step / steps)

        yield report

    found = train_reference(settings, music, Path(config.model_dir), device=config.device, progress=bar)
    lines = [] if found.resumed_from is None else [f"Resumed from {found.resumed_from}"]
    reached = f"Step {found.step}" if found.loss is None else f"Step {found.step}, loss {found.loss:.6f}"
    return [*lines, reached, f"Weights: {found.weights}"]
