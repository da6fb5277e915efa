"""Families whose noise or level changes along the side: what happens before, between and after."""

from dataclasses import replace

import numpy as np

from regroove.evaluation.cases.families.family_case import Take
from regroove.evaluation.cases.families.material import Material
from regroove.evaluation.cases.families.noise_colours import harmonics, plain, unit
from regroove.evaluation.cases.mono_files import SUITE_RATE
from regroove.evaluation.metrics.signals import Samples

FADE = 2.0


def motor(m: Material) -> Take:
    """The motor gains speed for 2 to 4 s, then runs steadily for 0.8 to 1.5 s before the music.

    Groove noise, rumble and the motor's tone rise in pitch and in level, as a pickup that senses velocity gives them.
    """
    rise, steady = m.rng.uniform(2, 4), m.rng.uniform(0.8, 1.5)
    slowest, tone = m.rng.uniform(0.1, 0.3), m.rng.uniform(20, 45)
    before = rise + steady if m.with_lead else 0.0
    length = round(before * SUITE_RATE) + m.length
    noise = unit(m.noise(length)) + 10 ** (-m.rng.uniform(3, 12) / 20) * unit(harmonics(tone, length, m.rng))
    if not m.with_lead:
        return m.placed(noise, before=0.0, lead=0.0)
    count = round(rise * SUITE_RATE)
    speed = np.ones(length)
    speed[:count] = slowest + (1 - slowest) * (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count))
    turned = np.cumsum(speed)
    played = np.interp(turned, np.arange(1, length + 1), noise[0]) * speed
    return m.placed(played[None], before=before, lead=steady)


def grooves(m: Material) -> Take:
    """Plain groove for 2 to 5 s, then 0.7 to 1.2 s of recorded groove, 3 to 15 dB louder, then music."""
    smooth, recorded, less_db = m.rng.uniform(2, 5), m.rng.uniform(0.7, 1.2), m.rng.uniform(3, 15)
    before = smooth + recorded if m.with_lead else 0.0
    noise = m.noise(round(before * SUITE_RATE) + m.length)
    if not m.with_lead:
        return m.placed(noise, before=0.0, lead=0.0)
    times = np.arange(noise.shape[-1]) / SUITE_RATE
    # The stylus passes from one groove to the other within 50 ms.
    noise = noise * 10 ** (np.interp(times, [smooth - 0.05, smooth], [-less_db, 0]) / 20)
    return m.placed(noise, before=before, lead=recorded)


def needle(m: Material) -> Take:
    """Electronics, the needle drops, groove noise, music, run-out, the needle is lifted, electronics.

    Electronics (hiss and hum) last 1 to 2 s and are 20 to 35 dB below the groove's noise. Without a lead-in the
    recording begins with music and the rest follows.
    """
    electronics, run_out, after, less_db = m.rng.uniform([1, 1.5, 1, 20], [2, 3, 2, 35])
    down = electronics if m.with_lead else 0.0
    before = down + m.lead_seconds
    up = before + m.length / SUITE_RATE + run_out
    length = round((up + after) * SUITE_RATE)
    times = np.arange(length) / SUITE_RATE
    groove = unit(m.noise(length)) * ((times >= down) & (times < up))
    faint = unit(m.rng.standard_normal((1, length))) + unit(harmonics(50.0, length, m.rng))
    noise = groove + 10 ** (-less_db / 20) * unit(faint) + thump(times - up, m.rng)
    if m.with_lead:
        noise += thump(times - down, m.rng)
    # What a person marks does not hold the thump.
    return m.placed(noise, before=before, lead=m.lead_seconds - (THUMP_SECONDS if m.with_lead else 0.0))


def steps(m: Material) -> Take:
    """The level of music and noise drops or rises by 6 to 30 dB half way, within 20 ms."""
    take = plain(m)
    half = (take.music[0] + take.music[1]) / 2
    step_db = m.rng.uniform(6, 30)
    ends = [0.0, -step_db] if m.number % 2 else [-step_db, 0.0]
    times = np.arange(take.noise.shape[-1]) / SUITE_RATE
    return replace(take, envelope=10 ** (np.interp(times, [half - 0.01, half + 0.01], ends) / 20))


def fades(m: Material) -> Take:
    """A short clip that is faded out at its end in 2 s, every second one also in at its start, noise and music alike.

    The fade in comes before the lead-in that a person would mark, where there is one.
    """
    fade_in = m.number % 2 == 0
    before = m.lead_seconds + (FADE if fade_in and m.with_lead else 0.0)
    noise = m.noise(round(before * SUITE_RATE) + m.length)
    seconds = np.arange(noise.shape[-1]) / SUITE_RATE
    envelope = np.clip((seconds[-1] - seconds) / FADE, 0, 1)
    if fade_in:
        envelope *= np.clip(seconds / FADE, 0, 1)
    return replace(m.placed(noise, before=before, lead=m.lead_seconds), envelope=envelope)


THUMP_SECONDS = 0.3


def thump(times: Samples, rng: np.random.Generator) -> Samples:
    """The needle meets or leaves the groove at time 0: a damped tone of 20 to 80 Hz and a click, ``(time,)``.

    It is 10 to 25 dB above noise of unit power, and over within 0.3 s.
    """
    tone, size = rng.uniform(20, 80), 10 ** (rng.uniform(10, 25) / 20)
    age = np.clip(times, 0, None)
    body = np.exp(-age / 0.05) * np.sin(2 * np.pi * tone * age)
    click = np.exp(-age / 0.0005) * rng.standard_normal(times.size)
    return size * (body + click) * ((times >= 0) & (times < THUMP_SECONDS))
