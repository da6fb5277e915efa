"""CQTDiff, with a model and a folder of noise: what a user can set, and how it is built."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from regroove.errors import SettingsError
from regroove.restoration.engines.noise_modes import NOISE_MODES
from regroove.restoration.ranges import check_range

if TYPE_CHECKING:
    from regroove.restoration.engines.engine import EngineRun
    from regroove.restoration.engines.guided_engine import CqtDiffEngine

NOISE_PRESET = "shellac"
# Samples in a block (3 s) when the default network is the prior, which has no block length of its own.
MATCHED_BLOCK = 1 << 17


@dataclass(frozen=True, kw_only=True)
class CqtDiffSettings:
    """What a user of CQTDiff can set.

    Args:
        model: a checkpoint of CQTDiff, or one of the matched engine, which then serves as the prior.
        steps: sampling steps, at least 1; None: those that suit the model.
        noise_mode: one of ``fixed-gain``, ``fixed-snr``, ``estimated-gain`` (None) or ``estimated-snr``.
        noise_set: folder with excerpts of noise; None: the synthesiser's shellac.
        noise_gain: gain of the noise in ``fixed-gain``, greater than 0.
        noise_snr: lowest and highest SNR in dB in ``fixed-snr``.
        xi: guidance weight, greater than 0; None: from the noise floor.
        compat: compute as the published code does, with its quirks.

    Raises:
        SettingsError: a value is out of its range.
    """

    model: str = "default"
    steps: int | None = None
    noise_mode: str | None = None
    noise_set: Path | None = None
    noise_gain: float | None = None
    noise_snr: tuple[float, float] | None = None
    xi: float | None = None
    compat: bool = False

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise SettingsError(f"At least 1 step is needed, not {self.steps}.")
        if self.xi is not None and not 0 < self.xi < math.inf:
            raise SettingsError(f"The weight xi is greater than 0, not {self.xi}.")
        if self.noise_mode is not None and self.noise_mode not in NOISE_MODES:
            raise SettingsError(f"The noise mode {self.noise_mode} is none of {', '.join(NOISE_MODES)}.")
        if self.noise_gain is not None and not 0 < self.noise_gain < math.inf:
            raise SettingsError("The noise gain is greater than 0.")
        check_range(self.noise_snr, "range of SNRs", lowest=-math.inf, may_be_equal=True)

    @property
    def chosen_model(self) -> str:
        """The model that was asked for."""
        return self.model

    @property
    def cost(self) -> float:
        """What restoring a second costs (:mod:`regroove.restoration.costs`): beside it nothing else counts."""
        return 6e5


def cqtdiff_engine(settings: CqtDiffSettings, run: "EngineRun") -> "CqtDiffEngine":
    """Build the engine. The schedule is the one that suits the model, with ``steps`` in place of its own number.

    Raises:
        SettingsError: the noise mode lacks its number, or was given one that it has no use for.
        ModelError: the model is unknown or damaged.
        AudioError: the folder holds no noise.
    """
    from regroove.networks.checkpoints import load_model
    from regroove.noise.make.banks import NoiseBank
    from regroove.restoration.engines.guided_engine import CqtDiffEngine, GuidedSettings
    from regroove.restoration.white_noise_prior import white_noise_prior

    guided = GuidedSettings(
        mode=settings.noise_mode or "estimated-gain",
        gain=settings.noise_gain,
        snr=settings.noise_snr,
        xi=settings.xi,
        compat=settings.compat,
    )
    loaded = load_model(settings.model, device=run.device)
    rate, noise_set = loaded.card.sample_rate, settings.noise_set
    if noise_set is None:
        bank = NoiseBank.synthetic(NOISE_PRESET, sample_rate=rate)
    else:
        bank = NoiseBank.from_folder(str(noise_set), sample_rate=rate)
    prior = white_noise_prior(loaded)
    schedule = replace(prior.schedule, steps=settings.steps or prior.schedule.steps)
    details: dict[str, object] = {
        "model": loaded.name,
        "model_sha256": loaded.sha256,
        "noise_set": f"synthetic {NOISE_PRESET}" if noise_set is None else str(noise_set),
    }
    return CqtDiffEngine(
        prior.denoiser,
        bank,
        replace(guided, sampler=replace(guided.sampler, schedule=schedule)),
        block=prior.length or MATCHED_BLOCK,
        batch_size=run.batch_size or 1,
        device=run.device,
        details=details,
    )
