"""Solving a task for samples in memory."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from regroove.audio.formats import RATES
from regroove.errors import AudioError, SettingsError
from regroove.solve.prior import PriorSettings
from regroove.solve.solver import Job, Progress, Solver
from regroove.solve.tasks.declipping import DeclippingSolver
from regroove.solve.tasks.extension import ExtensionSolver
from regroove.solve.tasks.generation import GenerationSolver
from regroove.solve.tasks.inpainting import InpaintingSolver
from regroove.solve.tasks.retrieval import RetrievalSolver
from regroove.solve.tasks.sensing import SensingSolver

Audio = TypeVar("Audio", np.ndarray, torch.Tensor)


def solve(
    audio: Audio, solver: Solver, *, sample_rate: int, seed: int = 0, progress: Progress | None = None
) -> tuple[Audio, list[dict[str, object]]]:
    """Solve ``(..., time)`` floats in [-1, 1], every channel alone: same type, dtype and shape out, and the findings.

    Raises:
        AudioError: no samples, not floats, not finite, or a rate outside 8 to 192 kHz.
    """
    tensor = isinstance(audio, torch.Tensor)
    samples = audio.detach().cpu().numpy() if isinstance(audio, torch.Tensor) else audio
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError("Samples are floating point numbers in [-1, 1], not integers.")
    if not samples.size:
        raise AudioError("The recording holds no samples.")
    if not np.isfinite(samples).all():
        raise AudioError("The recording holds samples that are not finite numbers.")
    if not RATES[0] <= sample_rate <= RATES[1]:
        raise AudioError(f"A sample rate of {sample_rate} Hz is outside 8 to 192 kHz.")
    x = samples.reshape(-1, samples.shape[-1]).astype(np.float64)
    out = x.copy()
    found = []
    for channel in range(len(x)):
        job = Job(sample_rate=sample_rate, channel=channel, seed=seed, progress=progress or (lambda done: None))
        found.append(solver.solve(x[channel], out[channel], job))
    result = out.reshape(samples.shape).astype(samples.dtype)
    return (torch.from_numpy(result).to(audio) if tensor else result), found  # type: ignore[call-overload, return-value]


def inpaint(
    audio: Audio,
    *,
    sample_rate: int,
    mask: ArrayLike | None = None,
    gaps: Sequence[tuple[float, float]] | None = None,
    method: str = "ar",
    seed: int = 0,
    **prior: object,
) -> Audio:
    """Fill gaps in ``(..., time)`` floats; what is known stays as it is, bit for bit.

    Args:
        sample_rate: 8 000 to 192 000 Hz.
        mask: 1 where samples are known and 0 where they are missing, ``(time,)`` or the shape of the audio.
        gaps: starts and ends in seconds instead of a mask; with neither, runs of digital zeros are filled.
        method: ``ar`` or ``diffusion``.
        seed: for everything random.
        prior: fields of :class:`~regroove.solve.prior.PriorSettings`, for ``diffusion``.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> x = np.sin(np.arange(9000) * 0.1)
    >>> known = np.ones(9000)
    >>> known[4000:4100] = 0
    >>> bool(np.abs(inpaint(x * known, sample_rate=44_100, mask=known) - x).max() < 0.01)
    True
    """
    solver = InpaintingSolver(method=method, gaps=gaps, mask=_mask(mask, audio), prior=_prior(prior))
    return solve(audio, solver, sample_rate=sample_rate, seed=seed)[0]


def declip(
    audio: Audio,
    *,
    sample_rate: int,
    level: float | None = None,
    method: str = "diffusion",
    seed: int = 0,
    **prior: object,
) -> Audio:
    """Rebuild the clipped crests of ``(..., time)`` floats; the result may exceed full scale.

    Args:
        sample_rate: 8 000 to 192 000 Hz.
        level: where both sides were cut; None finds the levels of each channel.
        method: ``diffusion``, ``sparse`` or ``spline``.
        seed: for everything random.
        prior: fields of :class:`~regroove.solve.prior.PriorSettings`, for ``diffusion``; its ``level``
            is called ``noise_level`` here.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> x = np.sin(np.arange(9000) * 0.03)
    >>> bool(np.abs(declip(x.clip(-0.8, 0.8), sample_rate=44_100, method="sparse") - x)[100:-100].max() < 0.05)
    True
    """
    solver = DeclippingSolver(method=method, level=level, prior=_prior(prior))
    return solve(audio, solver, sample_rate=sample_rate, seed=seed)[0]


def sense(
    audio: Audio,
    *,
    sample_rate: int,
    mask: ArrayLike | None = None,
    method: str = "auto",
    seed: int = 0,
    **prior: object,
) -> Audio:
    """Fill in ``(..., time)`` floats of which a random share of the samples was kept.

    Args:
        sample_rate: 8 000 to 192 000 Hz.
        mask: 1 where samples are known and 0 where they are missing, ``(time,)`` or the shape of the audio; without
            it exact zeros are missing.
        method: ``auto``, ``ar``, ``sparse``, ``spline`` or ``diffusion``.
        seed: for everything random.
        prior: fields of :class:`~regroove.solve.prior.PriorSettings`, for ``diffusion``.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> x = np.sin(np.arange(9000) * 0.1 + 0.05)
    >>> kept = np.random.default_rng(0).random(9000) < 0.5
    >>> bool(np.std(sense(x * kept, sample_rate=44_100) - x) < 0.01)
    True
    """
    solver = SensingSolver(method=method, mask=_mask(mask, audio), prior=_prior(prior))
    return solve(audio, solver, sample_rate=sample_rate, seed=seed)[0]


def extend(
    audio: Audio,
    *,
    sample_rate: int,
    cutoff: float | None = None,
    method: str = "replicate",
    seed: int = 0,
    **prior: object,
) -> Audio:
    """Add overtones above the band of ``(..., time)`` floats.

    Args:
        sample_rate: 8 000 to 192 000 Hz.
        cutoff: where the band ends, in Hz; None finds it in each channel.
        method: ``replicate`` or ``diffusion``.
        seed: for everything random.
        prior: fields of :class:`~regroove.solve.prior.PriorSettings`, for ``diffusion``.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> x = np.random.default_rng(0).normal(0, 0.1, 9000)
    >>> extend(x, sample_rate=44_100, cutoff=5000.0).shape
    (9000,)
    """
    solver = ExtensionSolver(method=method, cutoff=cutoff, prior=_prior(prior))
    return solve(audio, solver, sample_rate=sample_rate, seed=seed)[0]


def retrieve(
    audio: Audio,
    *,
    sample_rate: int,
    n_fft: int = 1024,
    hop: int = 256,
    iterations: int = 100,
    method: str = "griffin-lim",
    seed: int = 0,
    **prior: object,
) -> Audio:
    """Find new phases for the spectrogram of ``(..., time)`` floats; those that they have are not looked at.

    Args:
        sample_rate: 8 000 to 192 000 Hz.
        n_fft: samples in a window. hop: samples from window to window. iterations: of the Griffin-Lim algorithm.
        method: ``griffin-lim`` or ``diffusion``.
        seed: for everything random.
        prior: fields of :class:`~regroove.solve.prior.PriorSettings`, for ``diffusion``.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> retrieve(np.sin(np.arange(3000) * 0.1), sample_rate=44_100, iterations=2).shape
    (3000,)
    """
    solver = RetrievalSolver(method=method, n_fft=n_fft, hop=hop, iterations=iterations, prior=_prior(prior))
    return solve(audio, solver, sample_rate=sample_rate, seed=seed)[0]


def generate(audio: Audio, *, sample_rate: int, seed: int = 0, **prior: object) -> Audio:
    """Draw a sample of the prior with the spectrum, the level and the length of ``(..., time)`` floats.

    Args:
        sample_rate: 8 000 to 192 000 Hz.
        seed: for everything random.
        prior: fields of :class:`~regroove.solve.prior.PriorSettings`.

    Raises:
        RegrooveError: the audio, a setting or the model cannot be used.

    >>> like = np.sin(np.arange(9000) * 0.1)
    >>> drawn = generate(like, sample_rate=44_100, steps=2, device="cpu")
    >>> drawn.shape, bool(0.5 < np.std(drawn) / np.std(like) < 2)
    ((9000,), True)
    """
    return solve(audio, GenerationSolver(prior=_prior(prior)), sample_rate=sample_rate, seed=seed)[0]


def _mask(mask: ArrayLike | None, audio: np.ndarray | torch.Tensor) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    known = np.asarray(mask)
    if known.shape not in (tuple(audio.shape), tuple(audio.shape[-1:])):
        raise SettingsError(f"A mask has the shape of the audio or of its time, not {known.shape}.")
    if not np.isin(known, (0, 1)).all():
        raise SettingsError("A mask holds zeros and ones only.")
    return known.astype(bool).reshape(-1, known.shape[-1]) if known.ndim > 1 else known.astype(bool)


def _prior(options: dict[str, object]) -> PriorSettings:
    # A level alone would be that of the clipping where there is one.
    named = {"level" if name == "noise_level" else name: value for name, value in options.items()}
    if len(named) < len(options):
        raise SettingsError("The noise level is given once, as noise_level or as level.")
    try:
        return PriorSettings(**named)  # type: ignore[arg-type]
    except TypeError as error:
        raise SettingsError(f"A setting of the prior is unknown or of the wrong type ({error}).") from error
