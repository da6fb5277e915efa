"""The decision-directed Wiener filter: the baseline that every model has to beat."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regroove.restoration.ranges import check_range

if TYPE_CHECKING:
    from regroove.restoration.engines.engine import Engine, EngineRun

# Searches for clicks, as many as before the default engine.
PASSES = 3


@dataclass(frozen=True, kw_only=True)
class WienerSettings:
    """What the Wiener filter needs to know.

    Args:
        noise_region: start and end in seconds of a stretch that holds noise alone.
        clicks: whether clicks and crackle are repaired before; None: yes.
    """

    noise_region: tuple[float, float] | None = None
    clicks: bool | None = None

    def __post_init__(self) -> None:
        check_range(self.noise_region, "noise region", lowest=0.0)

    @property
    def click_passes(self) -> int:
        """How often clicks are looked for."""
        return 0 if self.clicks is False else PASSES

    @property
    def cost(self) -> float:
        """What restoring a second costs (:mod:`regroove.restoration.costs`)."""
        return 6.0


def wiener_engine(settings: WienerSettings, run: "EngineRun") -> "Engine":
    """Build the engine; it works on the processor, whatever the device."""
    from regroove.restoration.engines.noise_map_engine import NoiseMapEngine
    from regroove.restoration.engines.wiener_denoiser import WienerDenoiser
    from regroove.restoration.engines.workers import workers_on

    return NoiseMapEngine("wiener", WienerDenoiser(), noise_region=settings.noise_region, workers=workers_on("cpu"))
