"""What other processors give: kernels of other widths add up in another order (benchmarks/README.md)."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regroove.noise.make.presets import preset
from regroove.noise.make.synthesise import synthesise

RATE = 44_100
# Steps of 16 bits by which samples may differ, and in what share of them: up to 45 in 264 600 were found.
MOST_STEPS, MOST_SAMPLES = 1, 1e-3
# What is different, relative to the recording: -134 dB was the most.
MOST_DB = -120.0
# The widest kernels of ATen and of oneDNN that may be used; without any the processor's own.
KERNELS: dict[str, tuple[str, ...]] = {"own": (), "AVX2": ("avx2", "AVX2"), "SSE 4.1": ("default", "SSE41")}
RESTORE = """
import sys, numpy
from regroove.restoration.restorer import Restorer
numpy.save(sys.argv[2], Restorer(quality="fast")(numpy.load(sys.argv[1]), sample_rate=44100))
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="kernels are chosen by name on x86-64 alone")
def test_other_processors_give_the_same_but_for_single_steps(tmp_path: Path) -> None:
    times = np.arange(4 * RATE) / RATE
    music = 0.1 * np.sin(2 * np.pi * 330 * times) * (times > 1.5)
    np.save(tmp_path / "in.npy", music + synthesise(preset("shellac"), length=len(times), sample_rate=RATE, seed=1))
    running = []
    for name, widest in KERNELS.items():
        chosen = dict(zip(("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA"), widest, strict=False))
        command = [sys.executable, "-c", RESTORE, str(tmp_path / "in.npy"), str(tmp_path / f"{name}.npy")]
        running.append(subprocess.Popen(command, env=os.environ | chosen | {"OMP_NUM_THREADS": "1"}))
    assert [process.wait() for process in running] == [0] * len(KERNELS)
    noisy, own, *others = (np.load(tmp_path / f"{name}.npy") for name in ("in", *KERNELS))
    assert np.abs(own - noisy).max() > 0.01
    for other in others:
        steps = np.abs(np.rint(other * 2**15) - np.rint(own * 2**15))
        assert steps.max() <= MOST_STEPS and np.mean(steps > 0) <= MOST_SAMPLES
        assert np.square(other - own).sum() <= 10 ** (MOST_DB / 10) * np.square(noisy).sum()
    # Not because the other kernels were not used.
    assert any((other != own).any() for other in others)
