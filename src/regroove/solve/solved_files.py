"""Solving a task for a file: complete or not at all, with a receipt; the samples wait in files, not in memory."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regroove.audio.formats import SampleFormat, output_format
from regroove.audio.headroom import check_headroom, gain_for
from regroove.audio.reader import AudioInfo, AudioReader
from regroove.pending import PendingFile
from regroove.restoration.progress import Callback, Work
from regroove.restoration.results.levels import LevelMeter
from regroove.restoration.results.outputs import check_outputs, planned_outputs
from regroove.restoration.results.receipts import receipt_text, run_part, sha256_of, versions
from regroove.restoration.results.sound import SoundFiles
from regroove.solve.scratch import Scratch
from regroove.solve.solver import Job, Release, Samples, Solver, stretches

Report = Callable[[str, float], None]
# What the stages cost, where a second is solved in 0.1 s; it is less or far more, but the other two count little.
COSTS = {"reading": 0.002, "solving": 0.1, "writing": 0.005}


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What :func:`solve_file` made: where things went, by role, what was found in each channel, and notes."""

    paths: dict[str, Path]
    found: list[dict[str, object]]
    notes: list[str]
    seconds: float
    audio_seconds: float


@dataclass(frozen=True)
class Held:
    """The samples ``x`` of a recording and those of the result, ``(channels, time)`` on disk, and their release."""

    x: Samples
    out: Samples
    release: Release

    def stretches(self) -> Iterator[slice]:
        """All of them, with a release after each stretch."""
        return stretches(self.x.shape[1], self.release)


def solve_file(
    solver: Solver,
    source: str | Path | AudioReader,
    output: str | Path,
    *,
    seed: int = 0,
    headroom: str = "auto",
    receipt: bool = True,
    overwrite: bool = False,
    progress: Callback | None = None,
) -> Solution:
    """Solve a recording into a file of the same rate, channels, length and sample format.

    The samples lie in nameless files in the output's folder meanwhile, 16 bytes for each. Where the result exceeds the
    full scale of an integer format, all of it is turned down, and a note says so, or clipped (``headroom="off"``).

    Raises:
        AudioError: the input cannot be read, or an output not be written.
        SettingsError: the solver's settings do not fit the recording.
    """
    began = time.perf_counter()
    paths = planned_outputs(output, receipt=receipt)
    check_headroom(headroom)
    reader = source if isinstance(source, AudioReader) else AudioReader(source)
    info = reader.info
    check_outputs(reader.path, paths, overwrite=overwrite)
    sample_format, _ = output_format(paths["output"], subtype=info.subtype)
    with Scratch(paths["output"].parent) as scratch:
        x, out = (scratch.array(channels=info.channels, frames=info.frames) for _ in range(2))
        held = Held(x, out, scratch.release)

        work = Work(COSTS, progress)

        def report(stage: str, done: float) -> None:
            scratch.release()
            work.at(stage, done)

        _load(reader, held, report)
        found = [_solve_channel(solver, held, channel, info, seed, report) for channel in range(info.channels)]
        gain = _gain(held, sample_format) if headroom == "auto" else 1.0
        result = {"task": solver.name, "seed": seed, "settings": solver.settings(), "found": found, "gain": gain}
        notes = _write(info, paths, held, result, gain, overwrite, began)
        work.at("writing", 1.0)
    seconds = time.perf_counter() - began
    return Solution(paths=paths, found=found, notes=notes, seconds=seconds, audio_seconds=info.seconds)


def _load(reader: AudioReader, held: Held, progress: Report) -> None:
    position = 0
    for block in reader.blocks():
        there = slice(position, position + block.shape[1])
        held.x[:, there] = held.out[:, there] = block
        position = there.stop
        progress("reading", position / reader.frames)


def _solve_channel(
    solver: Solver, held: Held, channel: int, info: AudioInfo, seed: int, progress: Report
) -> dict[str, object]:
    def report(done: float) -> None:
        progress("solving", (channel + done) / info.channels)

    job = Job(sample_rate=info.sample_rate, channel=channel, seed=seed, progress=report, release=held.release)
    return solver.solve(held.x[channel], held.out[channel], job)


def _gain(held: Held, sample_format: SampleFormat) -> float:
    peak = max(float(np.abs(held.out[:, there]).max()) for there in held.stretches())
    return gain_for(peak, sample_format)


def _write(
    info: AudioInfo,
    paths: dict[str, Path],
    held: Held,
    result: dict[str, object],
    gain: float,
    overwrite: bool,
    began: float,
) -> list[str]:
    """Write everything; returns notes."""
    meter = LevelMeter(roles=("input", "output"))
    with SoundFiles(info, paths, overwrite=overwrite, gain=gain, name_roles=False) as sound:
        for there in held.stretches():
            meter.add(sound.add(held.x[:, there], held.out[:, there]))
        notes = [*sound.notes, *sound.finish()]
        if "receipt" in paths:
            written = sound.describe()["output"]
            inside = {
                "input": {"name": info.path.name, "sha256": sha256_of(info.path)},
                "output": {"name": written["name"], "sha256": written["sha256"]},
                **result,
                "levels_dbfs": meter.finish(),
                "notes": notes,
                "versions": versions(),
            }
            seconds = time.perf_counter() - began
            run = run_part(paths={"input": info.path, **paths}, seconds=seconds, audio_seconds=info.seconds)
            with PendingFile(paths["receipt"], overwrite=overwrite) as pending:
                pending.write_text(receipt_text(result=inside, run=run))
    return notes
