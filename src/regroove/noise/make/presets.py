"""Noise of well-known media under a name."""

from regroove.errors import SettingsError
from regroove.noise.make.synthesis_settings import RecordNoise

# In "shellac-rough" a third of the energy lies below 60 Hz, and half between 100 Hz and 1 kHz comes in bursts.
PRESETS: dict[str, RecordNoise] = {
    "shellac": RecordNoise(
        hiss=-46, crackle=-47, crackle_rate=400, clicks=-50, thumps=-43, rumble=-45, swish=3.0, scratches=-56
    ),
    "shellac-worn": RecordNoise(
        hiss=-38, hiss_slope=-1.0, crackle=-36, crackle_rate=1200, crackle_spread=1.2, clicks=-40, click_rate=4,
        thumps=-36, thump_rate=60, rumble=-38, swish=5.0, scratches=-42, scratches_each_turn=4, burst_rate=0.5,
    ),
    "shellac-rough": RecordNoise(
        hiss=-45, hiss_slope=-1.0, lowpass=9000, crackle=-47, crackle_rate=600, crackle_gathering=0.5, rumble=-39,
        roughness=-36, roughness_high=700, roughness_bands=2, fluctuation=1.0,
    ),
    "acetate": RecordNoise(hiss=-50, hiss_slope=0.5, crackle=-50, crackle_rate=80, clicks=-52, thumps=-54, rumble=-50),
    "vinyl": RecordNoise(
        hiss=-64, lowpass=18_000, crackle=-58, crackle_rate=20, clicks=-58, rumble=-54, hum=-66, revolution=60 / 33.333
    ),
    "tape": RecordNoise(hiss=-52, hiss_slope=1.5, resonance_gain=0, lowpass=18_000, hum=-64, slow_modulation=0.7),
}  # fmt: skip


def preset(name: str) -> RecordNoise:
    """Look a preset up by name.

    Raises:
        SettingsError: there is none of that name; the message lists those there are.
    """
    if name not in PRESETS:
        raise SettingsError(f"There is no noise preset {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
