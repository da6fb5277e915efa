"""What the reference network is trained with, and the two settings that were published."""

from dataclasses import dataclass

from regroove.errors import SettingsError
from regroove.networks.cqt_unet import CqtUNetSettings
from regroove.networks.reference_checkpoints import SIGMA_DATA
from regroove.training.reference.training_schedule import ReferenceSchedule


@dataclass(frozen=True, kw_only=True)
class ReferenceSettings(ReferenceSchedule):
    """What the reference is trained with: its network, the schedule, and the ``seed`` of weights and steps.

    Raises:
        SettingsError: a number is out of range.
    """

    network: CqtUNetSettings
    sigma_data: float = SIGMA_DATA
    seed: int = 0

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "lr_decay_steps", "save_every")
        positive = ("sigma_data", "lr", "lr_decay", "max_gradient_norm", "rho", "sigma_min")
        for name in counts + positive:
            if not getattr(self, name) > 0:
                raise SettingsError(f"The training's {name} must be more than 0, not {getattr(self, name)}.")
        if not self.sigma_min < self.sigma_max < float("inf"):
            raise SettingsError("The training's sigma_min must be less than its sigma_max, a finite number.")
        if not 0 <= self.ema < 1 or self.seed < 0 or self.sound_every < 0:
            raise SettingsError(
                "The training's ema must be from 0 to below 1, and its seed and its sound_every 0 or more."
            )


# Sample rate and excerpt in samples of the 78 RPM fork at 44.1 kHz and of CQTDiff as published.
PUBLISHED = {"cqtdiff-44k": (44_100, 66_150), "cqtdiff-22k": (22_050, 65_536)}


def published_training(name: str) -> ReferenceSettings:
    """The settings called ``cqtdiff-44k`` or ``cqtdiff-22k``.

    Raises:
        SettingsError: there are no settings of this name.

    >>> published_training("cqtdiff-22k").network.length
    65536
    """
    if name not in PUBLISHED:
        raise SettingsError(f"There is no configuration {name}, only {' and '.join(PUBLISHED)}.")
    sample_rate, length = PUBLISHED[name]
    return ReferenceSettings(network=CqtUNetSettings(sample_rate=sample_rate, length=length))
