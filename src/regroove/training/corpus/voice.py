"""Voices that sing and speak, from a source and filters: glottal pulses, breath and the hiss of consonants.

What a rendered voice must teach is that music holds noise of its own: an s is a tenth of a second of noise far above
the record's. So there are syllables with every kind of consonant, without any language. Vowels are those of Peterson
and Barney, "Control methods used in a study of the vowels", J. Acoust. Soc. Am. 24(2), 1952, table II; pulses are
Rosenberg's, "Effect of glottal pulse shape on the quality of natural vowels", J. Acoust. Soc. Am. 49(2B), 1971, type C;
the filter is a cascade of resonances (Klatt, "Software for a cascade/parallel formant synthesizer", J. Acoust. Soc. Am.
67(3), 1980, equation 4).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import istft, resample_poly, stft

from regroove.noise.make.draws import log_uniform
from regroove.training.acoustics.levels_of_parts import unit_power
from regroove.training.corpus.scores import DURATION, ONSET, PITCH, VELOCITY, Score, hertz

Samples = NDArray[np.float64]

# First three formants of a man's vowels in Hz.
VOWELS = (
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
    (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690),
)  # fmt: skip
NEUTRAL = (500.0, 1500.0, 2500.0)
# Where the hiss of s, sh, f and th is, in Hz, how wide, in octaves, and how loud.
HISSES = ((6800, 0.5, 1.0), (3300, 0.6, 1.0), (7500, 1.6, 0.25), (6000, 1.4, 0.25))
# Where the bursts of p, t and k are.
BURSTS = ((900, 1.2, 0.5), (4500, 0.8, 1.0), (2000, 0.6, 0.8))
# Steps a second in which levels are given, and how many times the pulses are oversampled.
CONTROL, OVERSAMPLING = 1000, 4
# The gain that makes an s of level 1 as loud as a vowel, which resonances amplify.
HISS_GAIN = 8.0


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A piece of a syllable, ``seconds`` long: levels of the pulses, of breath and of hiss, and what filters them."""

    seconds: float
    pitch: float
    voiced: float = 0.0
    breath: float = 0.0
    hiss: float = 0.0
    centre: float = 5000.0
    width: float = 1.0
    formants: tuple[float, ...] = NEUTRAL


@dataclass(frozen=True, kw_only=True)
class Singer:
    """One voice.

    ``lowest`` is the lowest note it sings (MIDI), ``tract`` scales the formants, ``open_share`` is that of a period in
    which the glottis is open, ``breath`` and ``sibilance`` are levels, ``ring_db`` that of the singer's formant.
    """

    lowest: float
    tract: float
    vibrato_rate: float
    vibrato_cents: float
    open_share: float
    breath: float
    sibilance: float
    ring_db: float


def draw_singer(rng: np.random.Generator) -> Singer:
    """Anyone between a bass and a soprano."""
    high = rng.uniform(0, 1)
    return Singer(
        lowest=40 + 20 * high,
        tract=0.92 + 0.3 * high + rng.normal(0, 0.04),
        vibrato_rate=rng.uniform(4.5, 7.5),
        vibrato_cents=rng.uniform(0, 90) * (rng.random() < 0.8),
        open_share=rng.uniform(0.4, 0.75),
        breath=10 ** (rng.uniform(-40, -16) / 20),
        sibilance=10 ** (rng.uniform(-16, 6) / 20),
        ring_db=rng.uniform(0, 12) * (rng.random() < 0.5),
    )


def sing(tune: Score, rng: np.random.Generator, *, seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """A tune on random syllables: ``(time,)``, of unit power.

    Notes are folded into the singer's range, 22 semitones; of notes that overlap, each is cut short by the next.
    """
    singer = draw_singer(rng)
    return _voice(_sung(tune, singer, rng), singer, rng, seconds=seconds, sample_rate=sample_rate, vibrato=True)


def speak(rng: np.random.Generator, *, seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """Random syllables in sentences: ``(time,)``, of unit power.

    >>> speak(np.random.default_rng(1), seconds=1.0, sample_rate=44100).shape
    (44100,)
    """
    singer = draw_singer(rng)
    return _voice(_spoken(singer, rng), singer, rng, seconds=seconds, sample_rate=sample_rate, vibrato=False)


def _sung(tune: Score, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    now = 0.0
    for note, following in zip(tune, np.append(tune[:, ONSET], np.inf)[1:], strict=True):
        if note[ONSET] - now > 0.05:
            yield from _pause(note[ONSET] - now, singer, rng)
            now = note[ONSET]
        # Most notes are held until the next one.
        length = min(following - note[ONSET], note[DURATION] * rng.uniform(1, 2.5), 6.0)
        pitch = singer.lowest + (note[PITCH] - singer.lowest) % 22
        level = 0.4 + 0.6 * note[VELOCITY] / 127
        for phone in _syllable(hertz(pitch), max(length, 0.08), singer, rng):
            yield replace(phone, voiced=level * phone.voiced, hiss=level * phone.hiss)
            now += phone.seconds


def _spoken(singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    usual = hertz(singer.lowest + rng.uniform(2, 9))
    rate = rng.uniform(2.5, 6)
    while True:
        count = int(rng.integers(2, 14))
        for k in range(count):
            pitch = usual * 2 ** (rng.normal(0, 2.5) / 12 + (0.5 - k / count) * 0.4)
            yield from _syllable(pitch, rng.uniform(0.6, 1.5) / rate, singer, rng)
        yield from _pause(rng.uniform(0.1, 1.0), singer, rng)


def _pause(seconds: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    """Silence, or a breath in between."""
    breath = 2 * singer.breath * (rng.random() < 0.5)
    for share, level in ((0.4, 0.0), (0.5, breath), (0.1, 0.0)):
        yield Phone(seconds=share * seconds, pitch=0.0, breath=level)


def _syllable(pitch: float, seconds: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    """A consonant or none, a vowel or two, and perhaps a consonant at the end."""
    onset = list(_consonant(pitch, singer, rng)) if rng.random() < 0.8 else []
    coda = list(_consonant(pitch, singer, rng)) if rng.random() < 0.3 else []
    left = max(seconds - sum(p.seconds for p in onset + coda), 0.4 * seconds)
    vowels = rng.choice(len(VOWELS), size=2 if rng.random() < 0.2 else 1)
    yield from onset
    for vowel in vowels:
        # A soprano opens her mouth until the first formant is where her pitch is.
        first, *others = (singer.tract * f * rng.uniform(0.94, 1.06) for f in VOWELS[vowel])
        formants = (max(first, 1.05 * pitch), *others)
        yield Phone(
            seconds=left / len(vowels), pitch=pitch, voiced=rng.uniform(0.7, 1), breath=singer.breath, formants=formants
        )
    yield from coda


def _consonant(pitch: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    kinds: tuple[Callable[..., Iterator[Phone]], ...] = (_fricative, _fricative, _plosive, _nasal, _aspirate)
    yield from kinds[rng.integers(len(kinds))](pitch, singer, rng)


def _fricative(pitch: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    centre, width, level = HISSES[rng.integers(len(HISSES))]
    voiced = rng.random() < 0.3
    yield Phone(
        seconds=log_uniform(rng, 0.05, 0.25),
        pitch=pitch,
        voiced=0.3 * voiced,
        hiss=level * singer.sibilance * rng.uniform(0.4, 1) * (0.5 if voiced else 1.0),
        centre=centre * singer.tract * np.exp(rng.normal(0, 0.15)),
        width=width * rng.uniform(0.6, 1.4),
    )


def _plosive(pitch: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    centre, width, level = BURSTS[rng.integers(len(BURSTS))]
    voiced = rng.random() < 0.5
    yield Phone(seconds=rng.uniform(0.02, 0.09), pitch=pitch, voiced=0.1 * voiced, formants=(200.0, 1500.0, 2500.0))
    yield Phone(
        seconds=rng.uniform(0.004, 0.02),
        pitch=pitch,
        hiss=1.5 * level * singer.sibilance * rng.uniform(0.3, 1),
        centre=centre * singer.tract,
        width=width,
    )
    yield Phone(seconds=rng.uniform(0.005, 0.06), pitch=pitch, breath=0.0 if voiced else 0.2 * singer.sibilance)


def _nasal(pitch: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    formants = (rng.uniform(220, 400), rng.uniform(900, 1700), rng.uniform(2100, 2900))
    yield Phone(seconds=rng.uniform(0.04, 0.12), pitch=pitch, voiced=rng.uniform(0.2, 0.6), formants=formants)


def _aspirate(pitch: float, singer: Singer, rng: np.random.Generator) -> Iterator[Phone]:
    formants = VOWELS[rng.integers(len(VOWELS))]
    yield Phone(seconds=rng.uniform(0.04, 0.12), pitch=pitch, breath=0.3 * singer.sibilance, formants=formants)


def _voice(
    phones: Iterator[Phone],
    singer: Singer,
    rng: np.random.Generator,
    *,
    seconds: float,
    sample_rate: int,
    vibrato: bool,
) -> NDArray[np.float32]:
    length = int(seconds * sample_rate)
    tracks = _tracks(phones, seconds)
    pulses = _pulses(tracks, singer, rng, length=length, sample_rate=sample_rate, vibrato=vibrato)
    at = np.arange(length) * CONTROL / sample_rate
    breath, hiss = (rng.standard_normal(length) * _between(tracks[name], at, blur=0.003) for name in ("breath", "hiss"))
    sources = [stft(x, nperseg=1024, noverlap=768)[2] for x in (pulses, breath, hiss)]
    frequency = np.linspace(0, sample_rate / 2, 513)[:, None]
    frames = np.arange(sources[0].shape[1]) * 256 * CONTROL / sample_rate
    tract = _resonances(tracks, frames, frequency, singer)
    centre, width = (_between(tracks[name], frames, blur=0.005) for name in ("centre", "width"))
    octaves = np.log2(np.maximum(frequency, 20) / centre)
    band = HISS_GAIN * np.exp(-0.5 * (octaves / (0.5 * width)) ** 2)
    voice = istft(tract * (sources[0] + sources[1]) + band * sources[2], nperseg=1024, noverlap=768)[1][:length]
    return unit_power(voice)


def _tracks(phones: Iterator[Phone], seconds: float) -> dict[str, Samples]:
    """Every number of the phones, ``CONTROL`` times a second."""
    rows, counts, total = [], [], 0
    for phone in chain(phones, [Phone(seconds=0.0, pitch=0.0)]):
        counts.append(max(round(phone.seconds * CONTROL), 1))
        rows.append([phone.pitch, phone.voiced, phone.breath, phone.hiss, phone.centre, phone.width, *phone.formants])
        total += counts[-1]
        if total > seconds * CONTROL:
            break
    table = np.repeat(np.array(rows, dtype=float), counts, axis=0)
    table = np.pad(table, ((0, max(int(seconds * CONTROL) + 1 - len(table), 0)), (0, 0)), mode="edge")
    names = ("pitch", "voiced", "breath", "hiss", "centre", "width", "first", "second", "third")
    tracks = dict(zip(names, table.T, strict=True))
    # Pauses have no pitch: the one before goes on.
    sounding = np.maximum.accumulate(np.where(tracks["pitch"] > 0, np.arange(len(table)), 0))
    tracks["pitch"] = np.maximum(tracks["pitch"][sounding], 60.0)
    return tracks


def _between(track: Samples, at: Samples, *, blur: float) -> Samples:
    """A track at steps ``at``, blurred by so many seconds, because nothing in a mouth moves at once."""
    return np.interp(at, np.arange(len(track)), gaussian_filter1d(track, blur * CONTROL))


def _pulses(
    tracks: dict[str, Samples],
    singer: Singer,
    rng: np.random.Generator,
    *,
    length: int,
    sample_rate: int,
    vibrato: bool,
) -> Samples:
    """The derivative of the glottal flow, pulse after pulse, a little uneven."""
    steps = np.arange(len(tracks["pitch"]))
    pitch = np.log2(gaussian_filter1d(tracks["pitch"], 0.02 * CONTROL))
    pitch += gaussian_filter1d(rng.standard_normal(len(steps)), 8) * rng.uniform(0.005, 0.03)
    if vibrato:
        depth = gaussian_filter1d(rng.uniform(0.3, 1.0, len(steps)), 0.3 * CONTROL, mode="nearest")
        pitch += depth * singer.vibrato_cents / 1200 * np.sin(2 * np.pi * singer.vibrato_rate * steps / CONTROL)
    at = np.arange(length * OVERSAMPLING) * CONTROL / (sample_rate * OVERSAMPLING)
    phase = np.cumsum(2 ** np.interp(at, steps, pitch)) / (sample_rate * OVERSAMPLING) % 1.0
    rise = singer.open_share * 0.65
    fall = singer.open_share - rise
    flow = np.where(
        phase < rise,
        0.5 - 0.5 * np.cos(np.pi * phase / rise),
        np.where(phase < rise + fall, np.cos(0.5 * np.pi * np.clip((phase - rise) / fall, 0, 1)), 0.0),
    )
    pulses = resample_poly(np.diff(flow, prepend=0.0), 1, OVERSAMPLING)[:length]
    level = _between(tracks["voiced"], np.arange(length) * CONTROL / sample_rate, blur=0.008)
    return pulses * level / (np.sqrt(np.mean(pulses**2)) + 1e-12)


def _resonances(tracks: dict[str, Samples], frames: Samples, frequency: Samples, singer: Singer) -> Samples:
    """The gain of the vocal tract, ``(bins, frames)``: resonances throughout, and the singer's formant."""
    moving = [_between(tracks[name], frames, blur=0.02) for name in ("first", "second", "third")]
    fixed = np.arange(3500, 0.98 * float(frequency.max()), 1000) * singer.tract
    gain = np.ones((len(frequency), len(frames)))
    for centre in [*moving, *fixed]:
        bandwidth = 50 + 0.06 * np.asarray(centre)
        ratio = (frequency / centre) ** 2
        gain /= np.sqrt((1 - ratio) ** 2 + ratio * (bandwidth / centre) ** 2)
    ring = singer.ring_db * np.exp(-0.5 * (np.log2(np.maximum(frequency, 20) / (2800 * singer.tract)) / 0.25) ** 2)
    return gain * 10 ** (ring / 20)
