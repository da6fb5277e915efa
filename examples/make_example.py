"""Make the bundled example: a CC0 piano recording as a worn 1930s side would give it back.

    python examples/make_example.py MUSIC NOISE OUT.flac

MUSIC is cut to 22 s, made mono and band-limited to 100 Hz - 5.5 kHz; NOISE (a real excerpt) and the synthesiser's
"shellac" preset, different in the two groove walls, are added at 12 dB SNR after 1.5 s of noise alone.
"""

import sys

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, sosfiltfilt

from regroove.audio.load import read_audio
from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise
from regroove.training.corpus.noise_excerpts import looped

RATE = 44_100
LEAD, MUSIC, TAIL = 1.5, 22.0, 1.0
SNR_DB = 12.0


def main(music_path: str, noise_path: str, out_path: str) -> None:
    audio, rate = read_audio(music_path)
    start = int(20 * rate)
    music = soxr.resample(audio.mean(axis=0)[start : start + int(MUSIC * rate)], rate, RATE)
    fade = int(0.8 * RATE)
    music[:fade] *= np.linspace(0, 1, fade) ** 2
    music[-fade:] *= np.linspace(1, 0, fade) ** 2
    sides = butter(4, [100, 5500], "bandpass", fs=RATE, output="sos")
    music = sosfiltfilt(sides, music)
    music *= 0.35 / np.abs(music).max()
    real, rate = read_audio(noise_path)
    length = int((LEAD + MUSIC + TAIL) * RATE)
    out = np.zeros((2, length))
    for side in range(2):
        excerpt = soxr.resample(real[side % len(real)], rate, RATE)
        noise = looped(excerpt, length, RATE // 20).astype(float)
        noise /= np.sqrt(np.mean(noise**2))
        shellac = synthesise(preset("shellac"), length=length, sample_rate=RATE, seed=7 + side).astype(float)
        noise += 1.5 * shellac / np.sqrt(np.mean(shellac**2))
        noise *= np.sqrt(np.mean(music**2) / np.mean(noise**2) / 10 ** (SNR_DB / 10))
        out[side] = noise
        out[side, int(LEAD * RATE) : int(LEAD * RATE) + len(music)] += music
    soundfile.write(out_path, out.T, RATE, subtype="PCM_24")


if __name__ == "__main__":
    main(*sys.argv[1:])
