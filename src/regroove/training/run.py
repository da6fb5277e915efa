"""What every training run does: steps, an average of the weights, a state to go on from exactly, progress."""

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regroove.errors import ModelError
from regroove.training.mixtures import Mixer

log = logging.getLogger(__name__)
STATE_VERSION = 1
# Of the means that the history holds.
HISTORY_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Optimiser and schedule. The learning rate warms up, holds, and falls as a cosine over the last ``cooldown``.

    ``ema`` weighs the earlier average of the weights in the next one; ``clip`` bounds the gradient's norm.
    """

    learning_rate: float
    warmup: int
    steps: int
    cooldown: float
    ema: float
    clip: float
    bfloat16: bool = True


class TrainingRun(ABC):
    """Trains ``network`` with AdamW; subclasses say what the losses of a step are.

    Args:
        architecture: the network's, as on a model's card.
        network: what is trained, made with ``network_settings``.
        settings: of the run.
        mixer: where its batches come from.
    """

    def __init__(
        self,
        architecture: str,
        network: nn.Module,
        network_settings: Any,
        settings: RunSettings,
        mixer: Mixer,
        *,
        device: str = "cpu",
    ) -> None:
        self.architecture, self.mixer, self._run = architecture, mixer, settings
        self.device = torch.device(device)
        self.network = network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network_settings = asdict(network_settings)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(self.network.parameters(), betas=(0.9, 0.99), weight_decay=1e-3)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []

    @property
    def steps(self) -> int:
        """Length of the schedule."""
        return self._run.steps

    @abstractmethod
    def losses(self) -> Mapping[str, tuple[float, Tensor]]:
        """The losses of the next batch, each with its weight in what is minimised."""

    def learning_rate(self, step: int) -> float:
        """Of a step."""
        s = self._run
        if step < s.warmup:
            return s.learning_rate * (step + 1) / s.warmup
        start = s.steps * (1 - s.cooldown)
        done = min(max((step - start) / max(s.steps - start, 1), 0.0), 1.0)
        return s.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    def train_step(self) -> dict[str, float]:
        """Take one step on the next batch; returns the losses of that batch."""
        began = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.step)
        losses = self.losses()
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack([weight * loss for weight, loss in losses.values()]).sum().backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._run.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        else:
            log.warning("step %d: a gradient is not finite, so nothing was learnt from this batch", self.step)
        self._update_average()
        self.step += 1
        self.seconds += time.monotonic() - began
        return {name: loss.item() for name, (_, loss) in losses.items()}

    def _update_average(self) -> None:
        decay = min(self._run.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, 1 - decay)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on exactly: weights, average, optimiser, step, time and random state."""
        return {
            "version": STATE_VERSION,
            "architecture": self.architecture,
            "network_settings": self._network_settings,
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

    def resume(self, path: str | Path) -> None:
        """Go on from a state written by :meth:`save`; the next loss is what it would have been.

        Raises:
            ModelError: it is no state, or that of another version or another network.
        """
        state = read_state(path)
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
        """Train until all steps are done or ``minutes`` are over; save every ``save_every`` seconds and at the end."""
        began = saved = time.monotonic()
        sums: dict[str, float] = {}
        counted = 0
        while self.step < self.steps and not (minutes and time.monotonic() - began > 60 * minutes):
            losses = self.train_step()
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            if self.step % HISTORY_STEPS == 0:
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


def read_state(path: str | Path) -> dict[str, Any]:
    """Read a state written by :meth:`TrainingRun.save`.

    Raises:
        ModelError: it is none.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Damaged archives end in errors of many kinds; none of them says more than this sentence.
        raise ModelError(f"{path} is no training state.") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} is no training state.")
    return state
