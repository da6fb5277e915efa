"""A synthesiser of record and tape noise with named, physical parameters.

Levels are RMS in dB relative to full scale; ``-inf`` (``OFF``) leaves a component out. Each component has its own
random stream, so changing one does not change the others.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import bilinear, butter, lfilter, sosfilt

from regroove.errors import SettingsError

OFF = -math.inf
REVOLUTION_78 = 60 / 78
BASS_SHELF = 50.0
FLUCTUATION_STEP = 32
GATHERING_TIME = 0.05
# What the stylus picks up from the groove's surface, and playback equalisation therefore colours.
SURFACE = ("hiss", "crackle", "clicks", "scratches")
Audio = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RecordNoise:
    """What a worn record, or a tape, adds to music.

    Hiss: ``hiss_slope`` in dB an octave about 1 kHz, one resonance of the pickup, a low-pass.
    Crackle: many small pulses, ``crackle_rate`` a second with log-normal sizes (``crackle_spread`` in nepers).
    Clicks: sparse large pulses. Scratches: pulses that come back each revolution.
    Crackle comes in clusters where ``crackle_gathering`` (nepers) is not 0.
    Thumps: damped resonances between ``thump_low`` and ``thump_high`` hertz. Rumble: below 60 Hz. Hum: the mains.
    Roughness: noise of the groove's walls between ``roughness_low`` and ``roughness_high`` hertz, in as many bands as
    ``roughness_bands`` says, the level of each wandering for itself.
    Swish: the depth in dB of the hiss's modulation at the revolution rate. Bursts: short rises of the hiss.
    ``fluctuation`` (nepers) is how far roughness, and a third of it how far hiss, wanders from its level, as a
    log-normal process that forgets within ``fluctuation_time`` seconds.
    ``turnover``: below it (hertz; 0: nowhere) playback equalisation lifts what comes from the surface by 6 dB an
    octave, down to 50 Hz, so that each pulse of crackle gets a slow tail.
    """

    hiss: float = -50.0
    hiss_slope: float = -2.0
    resonance: float = 3500.0
    resonance_gain: float = 4.0
    resonance_q: float = 1.0
    lowpass: float = 12_000.0
    crackle: float = OFF
    crackle_rate: float = 150.0
    crackle_spread: float = 1.0
    crackle_tone: float = 4000.0
    clicks: float = OFF
    click_rate: float = 1.5
    scratches: float = OFF
    scratches_each_turn: int = 2
    thumps: float = OFF
    thump_rate: float = 25.0
    thump_low: float = 60.0
    thump_high: float = 900.0
    thump_decay: float = 0.02
    rumble: float = OFF
    hum: float = OFF
    mains: float = 50.0
    swish: float = 0.0
    burst_rate: float = 0.0
    burst_gain: float = 6.0
    slow_modulation: float = 0.0
    crackle_gathering: float = 0.0
    roughness: float = OFF
    roughness_low: float = 100.0
    roughness_high: float = 1000.0
    roughness_bands: int = 1
    fluctuation: float = 0.0
    fluctuation_time: float = 0.015
    turnover: float = 0.0
    revolution: float = REVOLUTION_78


def synthesise(settings: RecordNoise, *, length: int, sample_rate: int, seed: int) -> NDArray[np.float32]:
    """Make ``(length,)`` samples of noise; the same arguments give the same samples.

    Raises:
        SettingsError: length or sample rate is not positive.

    >>> noise = synthesise(RecordNoise(hiss=-40.0), length=44100, sample_rate=44100, seed=1)
    >>> round(20 * float(np.log10(np.sqrt(np.mean(noise**2)))))
    -40
    """
    if length < 1 or sample_rate < 1:
        raise SettingsError("Noise needs a positive length and sample rate.")
    makers = {
        "hiss": _hiss, "crackle": _crackle, "clicks": _clicks, "scratches": _scratches,
        "thumps": _thumps, "rumble": _rumble, "hum": _hum, "roughness": _roughness,
    }  # fmt: skip
    total = np.zeros(length)
    for stream, (name, maker) in enumerate(makers.items()):
        level = getattr(settings, name)
        if level == OFF:
            continue
        part = maker(settings, length, sample_rate, np.random.default_rng([seed, stream]))
        if settings.turnover and name in SURFACE:
            part = _bass_lifted(part, settings.turnover, sample_rate)
        rms = math.sqrt(float(np.mean(part**2)))
        if rms > 0:
            total += part * (10 ** (level / 20) / rms)
    return total.astype(np.float32)


def _shaped(noise: Audio, gains_db: Audio, frequency: Audio) -> Audio:
    spectrum = np.fft.rfft(noise)
    axis = np.linspace(0, frequency[-1], len(spectrum))
    return np.fft.irfft(spectrum * 10 ** (np.interp(axis, frequency, gains_db) / 20), n=len(noise))


def _bass_lifted(part: Audio, turnover: float, rate: int) -> Audio:
    """Lift by 6 dB an octave from ``turnover`` down to the shelf, as playback equalisation does."""
    low, high = 2 * np.pi * min(BASS_SHELF, turnover), 2 * np.pi * turnover
    return lfilter(*bilinear([1, high], [1, low], fs=rate), part)


def _wandering(rng: np.random.Generator, length: int, rate: int, time: float) -> Audio:
    """A Gaussian process of variance 1 that forgets within ``time`` seconds (Ornstein and Uhlenbeck), ``(length,)``."""
    kept = math.exp(-FLUCTUATION_STEP / rate / time)
    steps = length // FLUCTUATION_STEP + 2
    start = [kept * rng.standard_normal()]
    walk, _ = lfilter([1.0], [1, -kept], math.sqrt(1 - kept**2) * rng.standard_normal(steps), zi=start)
    return np.interp(np.arange(length), FLUCTUATION_STEP * np.arange(steps), walk)


def _hiss(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    frequency = np.concatenate([[0.0], np.geomspace(5, rate / 2, 600)])
    safe = np.maximum(frequency, 5)
    octaves = np.log2(safe / s.resonance)
    decibels = s.hiss_slope * np.log2(np.maximum(safe, 60) / 1000)
    decibels += s.resonance_gain * np.exp(-0.5 * (octaves * s.resonance_q * 2) ** 2)
    decibels -= 10 * np.log10(1 + (safe / s.lowpass) ** 8)
    hiss = _shaped(rng.standard_normal(length), decibels, frequency)
    return hiss * _hiss_envelope(s, length, rate, rng)


def _hiss_envelope(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    times = np.arange(length) / rate
    decibels = np.zeros(length)
    if s.swish:
        turn = (times / s.revolution + rng.random()) % 1
        decibels += s.swish * (np.cos(np.pi * np.minimum(turn, 1 - turn)) ** 8 - 0.27)
    if s.slow_modulation:
        knots = np.arange(0, times[-1] + 0.5, 0.25)
        decibels += np.interp(times, knots, rng.normal(0, s.slow_modulation, len(knots)))
    for start in rng.uniform(0, times[-1], rng.poisson(s.burst_rate * times[-1])):
        width = rng.uniform(0.01, 0.15)
        decibels += s.burst_gain * np.exp(-0.5 * ((times - start) / width) ** 2)
    if s.fluctuation:
        decibels += 20 / math.log(10) * s.fluctuation / 3 * _wandering(rng, length, rate, s.fluctuation_time)
    return 10 ** (decibels / 20)


def _pulse_bank(rng: np.random.Generator, tone: float, rate: int, count: int = 24) -> Audio:
    """Short pulses as a stylus gives them: one lobe or a damped ring, 0.05 to 2 ms long, ``(count, 6 ms)``."""
    times = np.arange(int(0.006 * rate)) / rate
    tones = np.minimum(tone * np.exp(rng.normal(0, 0.6, (count, 1))), 0.45 * rate)
    decay = np.exp(rng.uniform(np.log(4e-5), np.log(1.2e-3), (count, 1)))
    phase = rng.uniform(0, 2 * np.pi, (count, 1))
    pulses = np.exp(-times / decay) * np.sin(2 * np.pi * tones * times + phase)
    return pulses / np.linalg.norm(pulses, axis=1, keepdims=True)


def _place(starts: Audio, sizes: Audio, shapes: Audio, kinds: NDArray[np.intp], length: int) -> Audio:
    """Add ``shapes[kind] * size`` at each start (samples)."""
    out = np.zeros(length + shapes.shape[1])
    for kind in range(len(shapes)):
        mine = kinds == kind
        impulses = np.bincount(starts[mine].astype(int), weights=sizes[mine], minlength=length)[:length]
        if mine.any():
            at = np.flatnonzero(impulses)
            np.add.at(out, at[:, None] + np.arange(shapes.shape[1]), impulses[at, None] * shapes[kind])
    return out[:length]


def _pulses(
    length: int,
    rate: int,
    per_second: float,
    spread: float,
    tone: float,
    rng: np.random.Generator,
    gathering: float = 0.0,
) -> Audio:
    count = rng.poisson(per_second * length / rate)
    shapes = _pulse_bank(rng, tone, rate)
    sizes = np.exp(rng.normal(0, spread, count)) * rng.choice([-1, 1], count)
    starts = rng.uniform(0, length, count)
    kinds = rng.integers(len(shapes), size=count)
    if gathering:
        density = np.exp(gathering * _wandering(rng, length, rate, GATHERING_TIME)).cumsum()
        starts = np.interp(starts / length * density[-1], density, np.arange(length))
    return _place(starts, sizes, shapes, kinds, length)


def _crackle(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    return _pulses(length, rate, s.crackle_rate, s.crackle_spread, s.crackle_tone, rng, s.crackle_gathering)


def _clicks(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    return _pulses(length, rate, s.click_rate, 0.8, s.crackle_tone / 2, rng)


def _scratches(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    shapes = _pulse_bank(rng, s.crackle_tone / 2, rate)
    turns = np.arange(math.ceil(length / rate / s.revolution))
    starts, sizes, kinds = [], [], []
    for _ in range(s.scratches_each_turn):
        drift = np.cumsum(rng.normal(0, 2e-4, len(turns)))
        at = ((turns + rng.random()) * s.revolution + drift) * rate
        starts.append(at)
        sizes.append(np.exp(rng.normal(0, 0.7) + np.cumsum(rng.normal(0, 0.2, len(turns)))))
        kinds.append(np.full(len(turns), rng.integers(len(shapes))))
    at, size, kind = map(np.concatenate, (starts, sizes, kinds))
    inside = (at >= 0) & (at < length)
    return _place(at[inside], size[inside], shapes, kind[inside], length)


def _thumps(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    kinds = 24
    times = np.arange(int(min(8 * s.thump_decay, 0.5) * rate)) / rate
    tones = np.exp(rng.uniform(np.log(s.thump_low), np.log(s.thump_high), (kinds, 1)))
    decay = np.minimum(s.thump_decay * np.exp(rng.normal(0, 0.5, (kinds, 1))), 4 * s.thump_decay)
    attack = 1 - np.exp(-times * tones * rng.uniform(1, 6, (kinds, 1)))
    shapes = attack * np.exp(-times / decay) * np.sin(2 * np.pi * tones * times + rng.uniform(0, 6.3, (kinds, 1)))
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    count = rng.poisson(s.thump_rate * length / rate)
    sizes = np.exp(rng.normal(0, 0.9, count)) * rng.choice([-1, 1], count)
    return _place(rng.uniform(0, length, count), sizes, shapes, rng.integers(kinds, size=count), length)


def _rumble(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    out = np.zeros(length)
    for _ in range(rng.integers(1, 5)):
        tone, sharpness = rng.uniform(4, 55), log_uniform(rng, 1, 20)
        radius = 1 - np.pi * tone / sharpness / rate
        poles = [1, -2 * radius * np.cos(2 * np.pi * tone / rate), radius**2]
        part = lfilter([1.0], poles, rng.standard_normal(length))
        out += part / np.std(part) * np.exp(rng.normal(0, 0.7))
    return out


def _hum(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    times = np.arange(length) / rate
    drift = 1e-4 * np.sin(2 * np.pi * (0.1 * times + rng.random())) / 0.6
    out = np.zeros(length)
    for harmonic in range(1, 13):
        size = rng.uniform(0.1, 1) / harmonic ** rng.uniform(0.5, 1.8)
        out += size * np.sin(2 * np.pi * (harmonic * s.mains * (times + drift) + rng.random()))
    return out


def _roughness(s: RecordNoise, length: int, rate: int, rng: np.random.Generator) -> Audio:
    edges = np.minimum(np.geomspace(s.roughness_low, s.roughness_high, s.roughness_bands + 1), 0.45 * rate)
    out = np.zeros(length)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        if low >= high:  # beyond what the sample rate holds
            continue
        level = s.fluctuation * _wandering(rng, length, rate, s.fluctuation_time)
        noise = rng.standard_normal(length) * np.exp(level)
        out += sosfilt(butter(1, [low, high], "bandpass", fs=rate, output="sos"), noise)
    return out


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


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number between ``low`` and ``high``, as likely to be in one octave as in the next."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_record_noise(rng: np.random.Generator) -> RecordNoise:
    """Draw noise with wide random parameters, for training: every balance of its components, every colour."""

    def level(low: float, high: float, chance: float) -> float:
        return float(rng.uniform(low, high)) if rng.random() < chance else OFF

    spread = partial(log_uniform, rng)
    drawn = RecordNoise(
        hiss=float(rng.uniform(-52, -36)), hiss_slope=float(rng.normal(-1.5, 2.5)), resonance=spread(1200, 9000),
        resonance_gain=float(rng.uniform(-3, 12)), resonance_q=spread(0.4, 4), lowpass=spread(3500, 20_000),
        crackle=level(-56, -34, 0.8), crackle_rate=spread(5, 3000), crackle_spread=float(rng.uniform(0.4, 1.6)),
        crackle_tone=spread(1200, 9000), clicks=level(-56, -36, 0.6), click_rate=spread(0.2, 10),
        scratches=level(-56, -38, 0.3), scratches_each_turn=int(rng.integers(1, 7)), thumps=level(-54, -34, 0.75),
        thump_rate=spread(2, 250), thump_low=spread(40, 200), thump_high=spread(250, 1800),
        thump_decay=spread(0.004, 0.06), rumble=level(-54, -32, 0.75), hum=level(-64, -42, 0.3),
        mains=float(rng.choice([50, 60])), burst_rate=float(rng.choice([0, 0.3, 1.5])),
        burst_gain=float(rng.uniform(3, 12)), slow_modulation=float(rng.choice([0, 0.5, 1.5])),
    )  # fmt: skip
    swish = float(rng.uniform(1, 9)) if rng.random() < 0.5 else 0.0
    drawn = replace(drawn, swish=swish, revolution=float(rng.choice([REVOLUTION_78, 60 / 33.333, 60 / 45])))
    low = spread(40, 2000)
    drawn = replace(
        drawn, turnover=spread(150, 1200) if rng.random() < 0.5 else 0.0,
        crackle_gathering=float(rng.choice([0.0, 0.5, 1.0])), roughness=level(-50, -32, 0.6), roughness_low=low,
        roughness_high=min(low * spread(2, 16), 16_000.0), roughness_bands=int(rng.integers(1, 4)),
        fluctuation=spread(0.1, 1.4) if rng.random() < 0.7 else 0.0, fluctuation_time=spread(0.003, 0.3),
    )  # fmt: skip
    return _balanced_as_shellac(drawn, rng) if rng.random() < 0.3 else drawn


def _balanced_as_shellac(drawn: RecordNoise, rng: np.random.Generator) -> RecordNoise:
    """The same noise with most of its energy in bursts between 80 Hz and 1.2 kHz and in rumble."""
    bursts = -36.0
    share = float(rng.uniform(0, 1))
    return replace(
        drawn, turnover=0.0, rumble=bursts + float(rng.uniform(-6, 2)),
        roughness=bursts + 10 * math.log10(share + 1e-3), roughness_low=log_uniform(rng, 80, 200),
        roughness_high=log_uniform(rng, 350, 1200), fluctuation=float(rng.uniform(0.5, 1.4)),
        thumps=bursts + 10 * math.log10(1 - share + 1e-3), thump_high=log_uniform(rng, 300, 1200),
        hiss=bursts - float(rng.uniform(4, 16)), crackle=bursts - float(rng.uniform(4, 20)),
        clicks=min(drawn.clicks, bursts - 6), scratches=min(drawn.scratches, bursts - 8),
        hum=min(drawn.hum, bursts - 12),
    )  # fmt: skip
