"""Peers: the untouched input, SoX, ffmpeg and noisereduce, each with the noise marked."""

import shutil
import subprocess
import tempfile
from functools import cache
from importlib import metadata, util
from pathlib import Path

import numpy as np

from regroove.audio.load import read_audio
from regroove.errors import RegrooveError
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.metrics.delay import cross_correlation
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.specs import Spec, number, refuse_unknown


class Untouched:
    """The input as it is: what any method must beat."""

    find = False

    def __init__(self, spec: Spec) -> None:
        refuse_unknown(spec, set())
        self.spec, self.description = spec.text, "the input as it is"
        self.max_seconds: float | None = None

    def missing(self) -> str | None:
        return None

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        return noisy.copy()

    def fingerprint(self) -> str:
        return "untouched"


class Sox:
    """SoX ``noiseprof`` on the noise and ``noisered`` with ``amount`` (0 to 1, default 0.1) on the whole."""

    find = False

    def __init__(self, spec: Spec) -> None:
        refuse_unknown(spec, {"amount"})
        self.spec, self.amount = spec.text, number(spec, "amount", 0.1)
        self.description = f"SoX noisered {self.amount:g}"
        self.max_seconds: float | None = None

    def missing(self) -> str | None:
        return _without("sox")

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        with tempfile.TemporaryDirectory() as name:
            source, profile, target = (Path(name) / f for f in ("in.wav", "profile", "out.wav"))
            write_audio(source, noisy, sample_rate=sample_rate, subtype="FLOAT")
            _call("sox", "-D", str(source), "-n", "trim", "0", f"{lead}s", "noiseprof", str(profile))
            _call("sox", "-D", str(source), "-e", "floating-point", "-b", "32", str(target),
                  "noisered", str(profile), f"{self.amount:g}")  # fmt: skip
            return _fitted(read_audio(target, dtype="float64")[0][0], noisy.size)

    def fingerprint(self) -> str:
        return f"sox {self.amount:g} {_version('sox', '--version')}"


class Ffmpeg:
    """ffmpeg ``adeclick`` and ``afftdn`` as a careful user sets them; their delay is measured and taken out.

    The noise profile is sampled from the noise, the noise floor is its measured level, and ``reduction`` is in dB
    (0.01 to 97, default 20). With afftdn's own floor of -50 dB it would hardly act.
    """

    find = False

    def __init__(self, spec: Spec) -> None:
        refuse_unknown(spec, {"reduction"})
        self.spec, self.reduction = spec.text, number(spec, "reduction", 20.0)
        self.description = f"ffmpeg adeclick,afftdn nr={self.reduction:g}, floor and profile from the noise"
        self.max_seconds: float | None = None

    def missing(self) -> str | None:
        return _without("ffmpeg")

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        level = 10 * np.log10(max(float(np.mean(np.square(noisy[:lead]))), 1e-12))
        profile = f"asendcmd=c='0.0 afftdn sn start;{lead / sample_rate:.4f} afftdn sn stop'"
        reduce = f"afftdn=nr={self.reduction:g}:nf={np.clip(level, -80, -20):.1f}"
        delay = _ffmpeg_delay(sample_rate)
        padded = np.pad(noisy, (0, delay))
        out = _through_ffmpeg(padded, sample_rate, f"adeclick,{profile},{reduce}")
        return _fitted(out[delay:], noisy.size)

    def fingerprint(self) -> str:
        return f"ffmpeg {self.reduction:g} {_version('ffmpeg', '-version')} {_ffmpeg_delay(44_100)}"


class NoiseReduce:
    """The package noisereduce, stationary mode, with the noise as its noise clip."""

    find = False

    def __init__(self, spec: Spec) -> None:
        refuse_unknown(spec, {"strength"})
        self.spec, self.strength = spec.text, number(spec, "strength", 1.0)
        self.description = f"noisereduce, stationary, prop_decrease {self.strength:g}"
        self.max_seconds: float | None = None

    def missing(self) -> str | None:
        return None if util.find_spec("noisereduce") else "the package noisereduce is not installed"

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        from noisereduce import reduce_noise

        out = reduce_noise(y=noisy, sr=sample_rate, y_noise=noisy[:lead], stationary=True, prop_decrease=self.strength)
        return _fitted(np.asarray(out, dtype=np.float64), noisy.size)

    def fingerprint(self) -> str:
        return f"noisereduce {self.strength:g} {metadata.version('noisereduce')}"


@cache
def _ffmpeg_delay(sample_rate: int) -> int:
    """Samples by which the two filters delay audio, from a burst that neither takes for noise or a click."""
    probe = np.zeros(2 * sample_rate)
    burst = np.random.default_rng(1).standard_normal(sample_rate // 4)
    probe[sample_rate // 2 : sample_rate // 2 + burst.size] = 0.3 * np.hanning(burst.size) * burst
    out = _fitted(_through_ffmpeg(probe, sample_rate, "adeclick,afftdn"), probe.size)
    longest = sample_rate // 2
    return int(cross_correlation(probe, out, lags=longest)[longest:].argmax())


def _through_ffmpeg(audio: Samples, sample_rate: int, chain: str) -> Samples:
    raw = ("-f", "f32le", "-ar", str(sample_rate), "-ac", "1")
    data = audio.astype("<f4").tobytes()
    out = _call("ffmpeg", "-v", "error", *raw, "-i", "pipe:0", "-af", chain, *raw, "pipe:1", data=data)
    return np.frombuffer(out, dtype="<f4").astype(np.float64)


def _call(*command: str, data: bytes | None = None) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise RegrooveError(f"{command[0]} failed: {reason[-1] if reason else done.returncode}.")
    return done.stdout


def _without(program: str) -> str | None:
    return None if shutil.which(program) else f"the program {program} is not installed"


@cache
def _version(program: str, option: str) -> str:
    return _call(program, option).decode(errors="replace").splitlines()[0]


def _fitted(audio: Samples, length: int) -> Samples:
    return np.pad(audio[:length], (0, max(0, length - audio.size)))
