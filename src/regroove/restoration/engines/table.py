"""The engines there are, and which settings each of them uses."""

from collections.abc import Callable
from dataclasses import dataclass

from regroove.errors import SettingsError
from regroove.noise.clicks.detect import ClickSettings
from regroove.restoration.engines.base import Engine
from regroove.restoration.settings import QUALITIES, RestoreSettings

# The pipeline's own business, whatever the engine.
_COMMON = frozenset({"engine", "strength", "seed", "batch_size", "device"})


@dataclass(frozen=True, kw_only=True)
class EngineEntry:
    """How an engine is built, and the settings it uses besides those that all engines share.

    ``clicks`` says whether clicks are repaired for it, unless the setting says otherwise.
    """

    build: Callable[[RestoreSettings, str], Engine]
    uses: frozenset[str]
    clicks: bool = False


def _workers() -> int:
    """Two where more than one thread may be used: each holds a block of half a minute in memory."""
    import torch

    return min(torch.get_num_threads(), 2)


def _matched(settings: RestoreSettings, device: str) -> Engine:
    from regroove.restoration.engines.matched import matched_engine

    return matched_engine(
        model=settings.chosen_model,
        device=device,
        steps=settings.steps or 1,
        noise_region=settings.noise_region,
        batch_size=settings.batch_size or (1 if device == "cpu" else 8),
        workers=_workers() if device == "cpu" else 1,
        brightness=settings.brightness,
        seed=settings.seed,
    )


def _wiener(settings: RestoreSettings, device: str) -> Engine:
    from regroove.restoration.engines.mapped import wiener_engine

    return wiener_engine(noise_region=settings.noise_region, workers=_workers())


def _cqtdiff(settings: RestoreSettings, device: str) -> Engine:
    from regroove.restoration.engines.cqtdiff import CqtDiffSettings, cqtdiff_engine

    chosen = CqtDiffSettings(
        mode=settings.noise_mode or "estimated-gain",
        gain=settings.noise_gain,
        snr=settings.noise_snr,
        xi=settings.xi,
        compat=settings.compat,
    )
    return cqtdiff_engine(
        chosen,
        model=settings.model,
        noise_set=None if settings.noise_set is None else str(settings.noise_set),
        device=device,
        steps=settings.steps,
        batch_size=settings.batch_size,
    )


ENGINES = {
    "matched": EngineEntry(
        build=_matched,
        uses=frozenset({"quality", "model", "steps", "brightness", "noise_region", "clicks"}),
        clicks=True,
    ),
    "cqtdiff": EngineEntry(
        build=_cqtdiff,
        uses=frozenset({"model", "steps", "noise_mode", "noise_set", "noise_gain", "noise_snr", "xi", "compat"}),
    ),
    "wiener": EngineEntry(build=_wiener, uses=frozenset({"noise_region", "clicks"}), clicks=True),
}


def build_engine(settings: RestoreSettings, *, device: str) -> Engine:
    """Build the engine that the settings name, on a device that is there.

    Raises:
        SettingsError: the engine is unknown, or does not know a setting that was changed.
        ModelError: the model is unknown, damaged or of the wrong kind.

    >>> build_engine(RestoreSettings(engine="wiener"), device="cpu").name
    'wiener'
    """
    entry = ENGINES.get(settings.engine)
    if entry is None:
        raise SettingsError(f"There is no engine {settings.engine}, the engines are {', '.join(ENGINES)}.")
    unused = sorted(settings.changed() - entry.uses - _COMMON)
    if unused:
        option = unused[0].replace("_", "-")
        raise SettingsError(f"The engine {settings.engine} has no use for the setting {option}.")
    return entry.build(settings, device)


def click_settings(settings: RestoreSettings) -> ClickSettings | None:
    """How clicks are found that are repaired before the engine restores the recording; None if none are.

    >>> click_settings(RestoreSettings(engine="wiener", clicks=False))
    >>> click_settings(RestoreSettings(quality="fast")).passes
    1
    """
    repaired = ENGINES[settings.engine].clicks if settings.clicks is None else settings.clicks
    return ClickSettings(passes=QUALITIES[settings.quality].click_passes) if repaired else None


def resolve_device(device: str) -> str:
    """The device to compute on; ``auto`` is the first GPU if there is one.

    Raises:
        SettingsError: the device is not on this machine.

    >>> resolve_device("cpu")
    'cpu'
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = device.partition(":")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind, False):
        raise SettingsError(f"The device {device} is not available on this machine.")
    return device
