"""What ``train.py`` does: the original's network on its own objective, resumed exactly.

The batch of a step, its noise and its noise levels depend on the seed and the step alone, so a run that was cut off
goes on with the losses that it would have had.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from regroove.compat.music import dataset_files, random_excerpts, wave_files
from regroove.compat.prior import network_settings
from regroove.compat.sample_settings import SampleConfig, TrainConfig
from regroove.diffusion.preconditioning import edm_coefficients
from regroove.errors import ModelError, SettingsError
from regroove.networks.cqtdiff import CqtUNet
from regroove.restoration.blocks import block_seed
from regroove.restoration.engines.table import resolve_device


def training_sigmas(u: Tensor, settings: TrainConfig) -> Tensor:
    """Noise levels for ``u`` in [0, 1]: the sampler's schedule made continuous, with a rho of its own.

    >>> training_sigmas(torch.tensor([0.0, 1.0]), TrainConfig(sigma_min=0.1, sigma_max=1.0))
    tensor([1.0000, 0.1000])
    """
    start, end = settings.sigma_max ** (1 / settings.rho), settings.sigma_min ** (1 / settings.rho)
    return (start + u * (end - start)) ** settings.rho


def edm_loss(
    network: Callable[[Tensor, Tensor], Tensor], x: Tensor, noise: Tensor, sigma: Tensor, *, sigma_data: float
) -> Tensor:
    """Mean square error of the network's own output, for ``(B, L)`` music and noise and ``(B,)`` levels.

    The target is (x - c_skip (x + sigma n)) / c_out. Karras et al. 2022, equation 8.

    >>> x = torch.zeros(1, 4)
    >>> edm_loss(lambda x, c_noise: 0 * x, x, x, torch.ones(1), sigma_data=0.1)
    tensor(0.)
    """
    c = edm_coefficients(sigma, sigma_data=sigma_data)
    noisy = x + sigma[:, None] * noise
    target = (x - c.c_skip[:, None] * noisy) / c.c_out[:, None]
    return (network(c.c_in[:, None] * noisy, c.c_noise) - target).square().mean()


class Trainer:
    """Trains the original's network as the original does: Adam, steps of decay, clipped gradients, averaged weights.

    Raises:
        SettingsError: there is no music, or a number is out of range.
    """

    def __init__(self, config: SampleConfig) -> None:
        c = config.train
        if min(c.batch, c.steps, c.save_every, c.lr_decay_steps) < 1 or not 0 < c.sigma_min < c.sigma_max:
            raise SettingsError("Training needs batch, steps, intervals of at least 1, and 0 < sigma_min < sigma_max.")
        self.config, self.device = config, torch.device(resolve_device(config.device))
        self.files = wave_files(c.folder) if c.folder is not None else dataset_files(config.dset, split=c.split)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            settings = network_settings(config.network, sample_rate=config.sample_rate, length=config.audio_len)
            self.network = CqtUNet(settings).to(self.device).train()
        self.average = [p.detach().clone() for p in self.network.parameters()]
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=c.lr)
        self.step = 0

    def train_step(self) -> float:
        """Take the next step; returns its loss."""
        c, config = self.config.train, self.config
        generator = torch.Generator().manual_seed(block_seed(config.seed, channel=0, index=self.step))
        x = random_excerpts(
            self.files, count=c.batch, length=config.audio_len, sample_rate=config.sample_rate, generator=generator
        ).to(self.device)
        noise = torch.randn(x.shape, generator=generator).to(x)
        sigma = training_sigmas(torch.rand(c.batch, generator=generator), c).to(x)
        for group in self.optimiser.param_groups:
            group["lr"] = c.lr * c.lr_decay ** (self.step // c.lr_decay_steps)
        loss = edm_loss(self.network, x, noise, sigma, sigma_data=config.diffusion_parameters.sigma_data)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), c.max_gradient_norm)
        self.optimiser.step()
        with torch.no_grad():
            for kept, value in zip(self.average, self.network.parameters(), strict=True):
                kept.lerp_(value, 1 - c.ema)
        self.step += 1
        return loss.item()

    def save(self, folder: Path) -> Path:
        """Write ``weights-STEP.pt``, which the original can read, with the optimiser beside its own entries."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"weights-{self.step}.pt"
        content = {
            "step": self.step,
            "model": self.network.state_dict(),
            "ema_weights": self.average,
            "optimiser": self.optimiser.state_dict(),
            "network": asdict(self.config.network),
        }
        partial = path.with_suffix(".part")
        torch.save(content, partial)
        partial.replace(path)
        return path

    def resume(self, path: Path) -> None:
        """Go on from a file that :meth:`save` wrote; the next loss is what it would have been.

        Raises:
            ModelError: the file is damaged, of another network, or holds weights only.
        """
        try:
            content = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(content["model"])
            self.optimiser.load_state_dict(content["optimiser"])
            self.average = [value.to(self.device) for value in content["ema_weights"]]
            self.step = int(content["step"])
        except Exception as error:
            # Damaged archives end in errors of many kinds; none of them says more than this sentence.
            raise ModelError(f"{path} cannot be resumed from: it is no training state of this network.") from error


def train(config: SampleConfig, *, progress: Callable[[str, float], None] | None = None) -> list[str]:
    """Train up to ``config.train.steps``, from the latest weights in ``config.model_dir`` on; returns lines.

    ``losses.csv`` gets a line for every step, ``weights-STEP.pt`` is written every ``save_every`` steps and at the end.

    Raises:
        SettingsError, ModelError, AudioError: settings, weights or music are not usable.
    """
    if config.model_dir is None:
        raise SettingsError("The key model_dir needs a value: the folder where the weights go.")
    trainer, folder, c = Trainer(config), Path(config.model_dir), config.train
    folder.mkdir(parents=True, exist_ok=True)
    found = latest(folder)
    if found is not None:
        trainer.resume(found)
    lines = [] if found is None else [f"Resumed from {found}"]
    with (folder / "losses.csv").open("a", newline="", encoding="utf-8") as file:
        table, saved, loss = csv.writer(file), found, float("nan")
        while trainer.step < c.steps:
            loss = trainer.train_step()
            table.writerow([trainer.step, f"{loss:.6f}"])
            if trainer.step % c.save_every == 0 or trainer.step == c.steps:
                file.flush()
                saved = trainer.save(folder)
            if progress:
                progress("restoring", trainer.step / c.steps)
    return [*lines, f"Step {trainer.step}, loss {loss:.6f}", f"Weights: {saved}"]


def latest(folder: Path) -> Path | None:
    """The ``weights-STEP.pt`` of the highest step, or None."""
    steps = {f: re.fullmatch(r"weights-(\d+)\.pt", f.name) for f in folder.glob("weights-*.pt")}
    named = {f: int(match[1]) for f, match in steps.items() if match}
    return max(named, key=lambda f: named[f]) if named else None
