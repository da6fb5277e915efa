"""Training of the reference network on its own objective, on one device or several, resumed exactly.

Every excerpt of a step has its own random source, seeded by the training's seed, the step and the excerpt's number. So
a run that was cut off goes on with the losses that it would have had, and the number of devices changes only rounding.
"""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from regroove.diffusion.randomness import seed_of
from regroove.errors import ModelError, SettingsError
from regroove.networks.cqt_unet import CqtUNet
from regroove.pending import PendingFile
from regroove.training.corpus.music_files import Music
from regroove.training.reference.edm_objective import edm_loss, training_sigmas
from regroove.training.reference.training_settings import ReferenceSettings

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class ReferenceTrainer:
    """Trains the network as the reference does: Adam, steps of decay, clipped gradients, averaged weights.

    ``module`` is the network itself, ``average`` its averaged weights in the order of its parameters, ``step`` how many
    steps were taken. Fabric's processes hold equal weights and share the excerpts of a step.

    Raises:
        SettingsError: the excerpts of a step cannot be shared equally, or the network's sizes contradict each other.
    """

    def __init__(self, settings: ReferenceSettings, music: Music, *, fabric: "Fabric") -> None:
        if settings.batch % fabric.world_size:
            raise SettingsError(f"A batch of {settings.batch} cannot be shared by {fabric.world_size} devices equally.")
        self.settings, self.music, self.fabric = settings, music, fabric
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.module = CqtUNet(settings.network).train()
        self.module.checkpointing = settings.checkpointing
        trained = [p for p in self.module.parameters() if p.requires_grad]
        self._network, self.optimiser = fabric.setup(self.module, torch.optim.Adam(trained, lr=settings.lr))
        self.average = [p.detach().clone() for p in self.module.parameters()]
        self.step = 0

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """This process's share of the next step: excerpts and noise ``(B, L)``, noise levels ``(B,)``."""
        s, share = self.settings, self.settings.batch // self.fabric.world_size
        music, noise, u = [], [], []
        for item in range(self.fabric.global_rank * share, (self.fabric.global_rank + 1) * share):
            generator = torch.Generator().manual_seed(item_seed(s.seed, step=self.step, item=item))
            music.append(self.music.excerpt(generator))
            noise.append(torch.randn(s.network.length, generator=generator))
            u.append(torch.rand((), generator=generator))
        sigma = training_sigmas(torch.stack(u), sigma_min=s.sigma_min, sigma_max=s.sigma_max, rho=s.rho)
        x, n, sigma = self.fabric.to_device((torch.stack(music), torch.stack(noise), sigma))
        return x, n, sigma

    def train_step(self) -> dict[str, float]:
        """Take the next step; returns the loss, the gradient's norm before clipping, and the learning rate.

        A gradient that is not finite changes nothing.

        Raises:
            AudioError: a recording is damaged.
        """
        s = self.settings
        rate = s.lr * s.lr_decay ** (self.step // s.lr_decay_steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        x, noise, sigma = self.batch()
        self.optimiser.zero_grad(set_to_none=True)
        with self.fabric.no_backward_sync(self._network):
            loss = edm_loss(self._network, x, noise, sigma, sigma_data=s.sigma_data)
            self.fabric.backward(loss)
        self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), s.max_gradient_norm)
        if torch.isfinite(norm):
            self.optimiser.step()
        with torch.no_grad():
            for kept, value in zip(self.average, self.module.parameters(), strict=True):
                kept.lerp_(value, 1 - s.ema)
        self.step += 1
        mean = cast(Tensor, self.fabric.all_reduce(loss.detach(), reduce_op="mean"))
        return {"loss": mean.item(), "gradient_norm": norm.item(), "learning_rate": rate}

    def _average_gradients(self) -> None:
        # DDP would do it, but it regroups the gradients after its first step, and with more than two processes the
        # grouping decides the order of the sums: a resumed run would differ by a rounding.
        if self.fabric.world_size == 1:
            return
        gradients = [p.grad for p in self.module.parameters() if p.grad is not None]
        flat = cast(Tensor, self.fabric.all_reduce(torch.cat([g.flatten() for g in gradients]), reduce_op="mean"))
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def save(self, folder: Path) -> Path:
        """Write ``weights-STEP.pt``, which the original can read, with the training's state beside its own entries.

        Raises:
            AudioError: it cannot be written; a file of that name is left as it was.
        """
        path = folder / f"weights-{self.step}.pt"
        content = {
            "step": self.step,
            "model": self.module.state_dict(),
            "ema_weights": self.average,
            "optimiser": self.optimiser.state_dict(),
            "seed": self.settings.seed,
            "network": _plain(asdict(self.settings.network)),
        }
        with PendingFile(path, overwrite=True) as pending:
            torch.save(content, pending.temporary)
        return path

    def resume(self, path: Path) -> None:
        """Go on from a file that :meth:`save` wrote; the next loss is what it would have been.

        Raises:
            ModelError: the file is damaged, of another network or seed, or holds weights only.
        """
        try:
            content = torch.load(path, map_location=self.fabric.device, weights_only=True)
            self.module.load_state_dict(content["model"])
            self.optimiser.load_state_dict(content["optimiser"])
            average = [value.to(self.fabric.device) for value in content["ema_weights"]]
            step, seed = int(content["step"]), content.get("seed", self.settings.seed)
            if [value.shape for value in average] != [value.shape for value in self.average]:
                raise ValueError("the averaged weights have other sizes")
        except Exception as error:
            # Damaged archives end in errors of many kinds; none of them says more than this sentence.
            raise ModelError(f"{path} cannot be resumed from: it is no training state of this network.") from error
        if seed != self.settings.seed:
            raise ModelError(f"{path} was trained with seed {seed} and cannot go on with {self.settings.seed}.")
        self.average, self.step = average, step


def item_seed(seed: int, *, step: int, item: int) -> int:
    """The random seed of one excerpt of one step.

    >>> item_seed(0, step=0, item=1) == item_seed(0, step=1, item=0)
    False
    """
    return seed_of(seed, step, item)


def latest_weights(folder: Path) -> Path | None:
    """The ``weights-STEP.pt`` of the highest step, or None.

    >>> latest_weights(Path("no-folder")) is None
    True
    """
    steps = {f: re.fullmatch(r"weights-(\d+)\.pt", f.name) for f in folder.glob("weights-*.pt")}
    named = {f: int(match[1]) for f, match in steps.items() if match}
    return max(named, key=lambda f: named[f]) if named else None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Sequences as lists, which is what a restricted reader of pickles knows for certain."""
    return {key: value if isinstance(value, int) else list(value) for key, value in values.items()}
