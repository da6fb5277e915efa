"""The default engine: the matched-noise network, one evaluation for the posterior mean, a few for a sample."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regroove.errors import ModelError, SettingsError
from regroove.restoration.ranges import check_range

if TYPE_CHECKING:
    from regroove.restoration.engines.engine import Engine, EngineRun

PRECISIONS = ("auto", "float32", "bfloat16", "int8")
# What lies further away than this share of a network's reach changes what it restores by -60 dB at most.
COUNTS = 0.8
# Blocks at once where there is no processor to share.
BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The role of the bundled model that a quality stands for, how often clicks are looked for, and what an evaluation
    costs, in the unit of :mod:`regroove.restoration.costs`."""

    model: str
    click_passes: int
    cost: float


QUALITIES = {
    "standard": Quality(model="default", click_passes=3, cost=700.0),
    "fast": Quality(model="fast", click_passes=1, cost=80.0),
}


@dataclass(frozen=True, kw_only=True)
class MatchedSettings:
    """What the default engine needs to know.

    Args:
        quality: ``standard``, or ``fast``: a smaller network, and clicks are searched for once instead of three times.
        model: name of a bundled model, or the path of a checkpoint.
        steps: network evaluations, at least 1; with the bundled model more measure no better. None: 1.
        brightness: 0 (cautious) leaves out what the noise hides, 1 (bright) invents it; five times as slow above 0.
        precision: of the convolutions: ``float32``, ``bfloat16`` or ``int8``, for OpenVINO and a file in eight bits;
            ``auto``: bfloat16 where the hardware has it, else int8 where that is there and loses nothing, else float32.
        noise_region: start and end in seconds of a stretch that holds noise alone.
        clicks: whether clicks and crackle are repaired before the engine restores the recording; None: yes.

    Raises:
        SettingsError: a value is out of its range, or quality and model are both set.

    >>> MatchedSettings(quality="fast").click_passes
    1
    """

    quality: str = "standard"
    model: str = "default"
    steps: int | None = None
    brightness: float = 0.0
    precision: str = "auto"
    noise_region: tuple[float, float] | None = None
    clicks: bool | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise SettingsError(f"At least 1 step is needed, not {self.steps}.")
        if not 0 <= self.brightness <= 1:
            raise SettingsError(f"The brightness is between 0 and 1, not {self.brightness:g}.")
        if self.quality not in QUALITIES:
            raise SettingsError(f"The quality {self.quality} is none of {', '.join(QUALITIES)}.")
        if self.precision not in PRECISIONS:
            raise SettingsError(f"The precision {self.precision} is none of {', '.join(PRECISIONS)}.")
        if self.quality != "standard" and self.model != "default":
            raise SettingsError("A quality stands for a model: set one of quality and model, not both.")
        check_range(self.noise_region, "noise region", lowest=0.0)

    @property
    def chosen_model(self) -> str:
        """The model that was asked for, or the role of the one that the quality stands for."""
        return self.model if self.model != "default" else QUALITIES[self.quality].model

    @property
    def click_passes(self) -> int:
        """How often clicks are looked for."""
        return 0 if self.clicks is False else QUALITIES[self.quality].click_passes

    @property
    def cost(self) -> float:
        """What restoring a second costs (:mod:`regroove.restoration.costs`)."""
        from regroove.restoration.engines.flow_denoiser import DRAW_STEPS

        return QUALITIES[self.quality].cost * ((self.steps or 1) + DRAW_STEPS * (self.brightness > 0))


def matched_engine(settings: MatchedSettings, run: "EngineRun") -> "Engine":
    """Build the engine.

    Raises:
        ModelError: the model is unknown, damaged, or not one for this engine.
    """
    import torch

    from regroove.dsp.stft import LONG
    from regroove.networks.checkpoints import load_model
    from regroove.networks.matched_unet import MatchedUNet
    from regroove.restoration.engines.flow_denoiser import FlowDenoiser
    from regroove.restoration.engines.noise_map_engine import GRID, NoiseMapEngine
    from regroove.restoration.engines.precision import in_precision
    from regroove.restoration.engines.workers import workers_on

    loaded = load_model(settings.chosen_model, device=run.device)
    if not isinstance(loaded.network, MatchedUNet):
        raise ModelError(f"The model {loaded.name} is for another engine; the matched engine needs a matched-unet.")
    steps, brightness = settings.steps or 1, settings.brightness
    workers = workers_on(run.device)
    network, precision = in_precision(settings.precision, loaded, device=run.device, threads=torch.get_num_threads())
    details: dict[str, object] = {
        "model": loaded.name,
        "model_sha256": loaded.sha256,
        "precision": precision,
        "steps": steps,
    }
    if brightness:
        details["brightness"] = brightness
    return NoiseMapEngine(
        "matched",
        FlowDenoiser(
            network, device=run.device, precision=precision, steps=steps, brightness=brightness, seed=run.seed
        ),
        noise_region=settings.noise_region,
        batch_size=run.batch_size or (1 if run.device == "cpu" else BATCH),
        workers=workers,
        reach=round(COUNTS * loaded.network.reach * LONG.hop / GRID) * GRID,
        limited=True,
        details=details,
    )
