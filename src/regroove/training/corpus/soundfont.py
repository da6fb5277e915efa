"""Renders arranged parts with a General MIDI soundfont through the fluidsynth program."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regroove.audio.load import read_audio
from regroove.errors import MissingDependencyError
from regroove.training.corpus.scores import DURATION, ONSET, PITCH, VELOCITY, Part

TICKS = 480
TICKS_PER_SECOND = TICKS * 2  # at the default 120 beats a minute


def render_parts(
    parts: Sequence[Part],
    soundfont: str | Path,
    *,
    seconds: float,
    sample_rate: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Render parts to ``(time,)`` float32 mono, with random vibrato, swells and (half the time) the synth's reverb.

    Raises:
        MissingDependencyError: fluidsynth or mido is not installed, or fluidsynth cannot play the soundfont.
    """
    program = shutil.which("fluidsynth")
    if program is None:
        raise MissingDependencyError("Rendering soundfonts needs the fluidsynth program (apt install fluidsynth).")
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "parts.mid"), Path(folder, "parts.wav")
        _write_midi(parts, midi, seconds=seconds, rng=rng)
        reverb = "1" if rng.random() < 0.5 else "0"
        command = [program, "-n", "-i", "-q", "-R", reverb, "-C", "0", "-g", "0.4", "-r", str(sample_rate)]
        # Only the presets that are played are loaded: a whole soundfont takes seconds to unpack.
        command += ["-o", "synth.dynamic-sample-loading=1"]
        command += ["-T", "wav", "-O", "float", "-F", str(wav), str(soundfont), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not wav.exists():
            raise MissingDependencyError(f"fluidsynth cannot play {soundfont}: {done.stderr.strip()[-200:]}")
        audio, _ = read_audio(wav)
    mono = audio.mean(axis=0)[: int(seconds * sample_rate)]
    return np.pad(mono, (0, int(seconds * sample_rate) - len(mono))).astype(np.float32)


def _write_midi(parts: Sequence[Part], path: Path, *, seconds: float, rng: np.random.Generator) -> None:
    import mido

    file = mido.MidiFile(ticks_per_beat=TICKS)
    melodic = iter([c for c in range(16) if c != 9])
    for part in parts:
        channel = 9 if part.program < 0 else next(melodic)
        events = [(0, mido.Message("control_change", channel=channel, control=7, value=_volume(part.level_db)))]
        if part.program >= 0:
            events.append((0, mido.Message("program_change", channel=channel, program=part.program)))
            events += _expression(channel, seconds, rng)
        for note in part.score:
            pitch, velocity = int(note[PITCH]), int(np.clip(note[VELOCITY], 1, 127))
            if not 0 <= pitch <= 127 or note[ONSET] >= seconds:
                continue
            on = int(note[ONSET] * TICKS_PER_SECOND)
            off = on + max(int(note[DURATION] * TICKS_PER_SECOND), 1)
            events.append((on, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
            events.append((off, mido.Message("note_off", channel=channel, note=pitch)))
        track, now = mido.MidiTrack(), 0
        for tick, message in sorted(events, key=lambda e: (e[0], e[1].type == "note_on")):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(str(path))


def _expression(channel: int, seconds: float, rng: np.random.Generator) -> list:
    import mido

    times = np.arange(0, seconds, 0.1)
    swell = np.interp(times, np.linspace(0, seconds, 10), rng.uniform(75, 127, 10))
    vibrato = np.interp(times, np.linspace(0, seconds, 6), rng.uniform(0, 70, 6) * rng.integers(0, 2))
    return [
        (int(t * TICKS_PER_SECOND), mido.Message("control_change", channel=channel, control=c, value=int(v)))
        for control, curve in ((11, swell), (1, vibrato))
        for t, c, v in zip(times, [control] * len(times), curve, strict=True)
    ]


def _volume(level_db: float) -> int:
    # General MIDI volume follows 40 log10(value / 127) dB.
    return int(np.clip(100 * 10 ** (level_db / 40), 1, 127))
