"""The numbers of the reference's training, shared by every way to set them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReferenceSchedule:
    """Objective, optimiser and schedule of the reference; the defaults are its own where they are known.

    ``batch`` counts the excerpts of a step on all devices together. ``lr_decay`` multiplies the learning rate every
    ``lr_decay_steps`` steps, ``ema`` is the decay of the averaged weights, ``rho``, ``sigma_min`` and ``sigma_max``
    give the noise levels. ``save_every`` is in steps, and so is ``sound_every``, after which TensorBoard gets sounds
    and spectrograms (0: never). ``checkpointing`` takes less memory and a quarter more time.
    """

    steps: int = 2_000_000
    batch: int = 4
    lr: float = 2e-4
    lr_decay: float = 0.8
    lr_decay_steps: int = 60_000
    max_gradient_norm: float = 1.0
    ema: float = 0.9999
    rho: float = 10.0
    sigma_min: float = 1e-6
    sigma_max: float = 10.0
    save_every: int = 10_000
    sound_every: int = 10_000
    checkpointing: bool = False
