"""The training loop of the default network: bfloat16 where it helps, an average of the weights, exact resumption."""

import logging
import math
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from regroove.errors import ModelError
from regroove.networks.checkpoints import load_model
from regroove.networks.matched import MatchedUNet, MatchedUNetSettings
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.training.losses import log_spectral_distance, noise_reduction_db
from regroove.training.mixtures import Batch, Mixer

log = logging.getLogger(__name__)
STATE_VERSION = 1
RESIDUAL_BLOCK = re.compile(r"((down|up)\.\d+|middle)\.\d+\.(first|second)\.")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Optimiser and schedule. The learning rate warms up, holds, and falls as a cosine over the last ``cooldown``."""

    network: MatchedUNetSettings = field(default_factory=MatchedUNetSettings)
    learning_rate: float = 1.5e-3
    warmup: int = 200
    steps: int = 4000
    cooldown: float = 0.5
    spectral_weight: float = 0.2
    ema: float = 0.998
    clip: float = 1.0
    bfloat16: bool = True


class Trainer:
    """Trains a :class:`MatchedDenoiser`; everything that the next step depends on is in :meth:`state`."""

    def __init__(self, mixer: Mixer, settings: TrainingSettings, *, seed: int, device: str = "cpu") -> None:
        torch.manual_seed(seed)
        self.mixer, self.settings, self.device = mixer, settings, torch.device(device)
        self.network = MatchedUNet(settings.network).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.denoiser = MatchedDenoiser(self.network)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99), weight_decay=1e-3
        )
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    def learning_rate(self, step: int) -> float:
        s = self.settings
        if step < s.warmup:
            return s.learning_rate * (step + 1) / s.warmup
        start = s.steps * (1 - s.cooldown)
        done = min(max((step - start) / max(s.steps - start, 1), 0.0), 1.0)
        return s.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    def train_step(self) -> dict[str, float]:
        """Take one step on the next batch; returns the losses of that batch in dB."""
        began = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.step)
        residual, spectral = self._losses(self.mixer.batch(self.step))
        loss = residual + self.settings.spectral_weight * spectral
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        self._update_average()
        self.step += 1
        self.seconds += time.monotonic() - began
        return {"residual_db": residual.item(), "spectral_db": spectral.item()}

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        clean, noisy = batch.clean.to(self.device), batch.noisy.to(self.device)
        noise = type(batch.map)(batch.map.mean.to(self.device), batch.map.typical.to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.bfloat16):
            estimate = self.denoiser(noisy, noise)
        residual = noise_reduction_db(estimate, clean, noisy).mean()
        return residual, log_spectral_distance(estimate, clean).mean()

    def _update_average(self) -> None:
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, 1 - decay)

    def state(self) -> dict:
        """Everything needed to go on exactly: weights, average, optimiser, step, time and random state."""
        return {
            "version": STATE_VERSION,
            "network_settings": asdict(self.settings.network),
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "random": torch.get_rng_state(),
        }

    def save(self, path: str | Path) -> None:
        """Write the state beside ``path`` and move it into place."""
        partial = Path(path).with_suffix(".part")
        torch.save(self.state(), partial)
        partial.replace(path)

    def start_from(self, model: str | Path) -> None:
        """Take the weights of a model, bundled or a file, as the first ones; everything else starts anew.

        The network may have more residual blocks than the model. They start as the identity, so it begins as good.

        Raises:
            ModelError: the model is unknown, damaged or of another size.
        """
        weights = load_model(model).network.state_dict()
        sentence = f"The model {model} is of another kind or size than the one to be trained."
        try:
            missing, unexpected = self.network.load_state_dict(weights, strict=False)
        except RuntimeError as error:
            raise ModelError(sentence) from error
        if unexpected or not all(RESIDUAL_BLOCK.match(name) for name in missing):
            raise ModelError(sentence)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def resume(self, path: str | Path) -> None:
        """Go on from a state written by :meth:`save`; the next loss is what it would have been.

        Raises:
            ModelError: it is no state, or that of another version or another network.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            # Damaged archives end in errors of many kinds; none of them says more than this sentence.
            raise ModelError(f"{path} is no training state.") from error
        if state.get("version") != STATE_VERSION:
            raise ModelError(f"{path} is a training state of version {state.get('version')}, not {STATE_VERSION}.")
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise ModelError(f"{path} was trained with another network size.") from error
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]
        torch.set_rng_state(state["random"])

    def run(
        self,
        *,
        state: str | Path,
        save_every: float = 180.0,
        minutes: float | None = None,
        progress: Callable[[int, dict[str, float]], None] | None = None,
    ) -> None:
        """Train until ``settings.steps`` or ``minutes`` are over; save every ``save_every`` seconds and at the end."""
        began = saved = time.monotonic()
        sums: dict[str, float] = {}
        counted = 0
        while self.step < self.settings.steps and not (minutes and time.monotonic() - began > 60 * minutes):
            losses = self.train_step()
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            if self.step % 50 == 0:
                means = {name: value / counted for name, value in sums.items()}
                self.history.append({"step": self.step, "hours": self.seconds / 3600, **means})
                sums.clear()
                counted = 0
                log.info("step %d: %s", self.step, means)
            if progress:
                progress(self.step, losses)
            if time.monotonic() - saved > save_every:
                self.save(state)
                self.mixer.refresh()
                saved = time.monotonic()
        self.save(state)
