"""Generation: a sample of the prior in the likeness of a recording, of which only spectrum and level are used."""

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from regroove.diffusion.schedules import cqtdiff_schedule
from regroove.dsp.stft import LONG, istft, stft
from regroove.errors import SettingsError
from regroove.operators.mask import Mask
from regroove.restoration.engines.engine import block_seed
from regroove.solve.prior import Prior, PriorSettings, load_prior, refine, rms
from regroove.solve.solver import Job, Release, Samples, keep, pieces

# Samples in a block where the model leaves the choice; a quarter of a block repeats the one before.
BLOCK, OVERLAPS = 1 << 17, 4
LEVEL, STEPS = 1.0, 16
# The published models are sampled from its highest noise level on whatever the recording's level, in as many steps.
PUBLISHED = cqtdiff_schedule()


@dataclass(frozen=True, kw_only=True)
class GenerationSolver:
    """Draws from the prior, block by block, each one going on where the last one ended."""

    name = "generate"
    prior: PriorSettings = field(default_factory=PriorSettings)

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Generate one channel, as long as ``x``."""
        prior = load_prior(self.prior)
        if prior.length is not None and job.sample_rate != prior.sample_rate:
            raise SettingsError(f"The model needs a recording at its own {prior.sample_rate} Hz.")
        block = prior.length or BLOCK
        overlap = block // OVERLAPS
        colour = spectrum_of(x, release=job.release)
        for piece in pieces(len(x), core=block - overlap, context=0):
            before = np.array(out[max(0, piece.core.start - overlap) : piece.core.start])
            seed = block_seed(job.seed, channel=job.channel, index=piece.index)
            drawn = self._block(prior, before, colour, block, job.sample_rate, seed)
            out[piece.core] = drawn[len(before) : len(before) + piece.core.stop - piece.core.start]
            job.progress(piece.core.stop / len(x))
        return dict(prior.details)

    def _block(
        self, prior: Prior, before: Samples, colour: Tensor, length: int, sample_rate: int, seed: int
    ) -> Samples:
        start = coloured_noise(colour, length=length, seed=seed)
        start[: len(before)] = before
        known = torch.zeros(length)
        known[: len(before)] = 1
        operator = Mask(known.to(prior.device))
        observation = operator.A(torch.from_numpy(start).float()[None].to(prior.device))
        level, steps = (LEVEL, STEPS) if prior.length is None else (PUBLISHED.sigma_max / rms(start), PUBLISHED.steps)
        sigmas = self.prior.schedule(rms(start), level=level, steps=steps)
        return refine(
            prior, start, observation, operator, sigmas=sigmas, xi=self.prior.xi, sample_rate=sample_rate, seed=seed
        )

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""
        return asdict(self.prior)


def spectrum_of(x: Samples, *, frames: int = 400, release: Release = keep) -> Tensor:
    """The RMS in every bin of the long STFT, ``(F, 1)``, over up to ``frames`` pieces of ``(time,)`` samples.

    >>> spectrum_of(np.ones(5000)).shape
    torch.Size([2049, 1])
    """
    padded = x if len(x) >= LONG.n_fft else np.pad(x, (0, LONG.n_fft - len(x)))
    starts = np.unique(np.linspace(0, len(padded) - LONG.n_fft, frames).astype(int))
    window = np.hanning(LONG.n_fft)
    taken = np.zeros(LONG.n_fft // 2 + 1)
    for start in starts:
        taken += np.abs(np.fft.rfft(window * padded[start : start + LONG.n_fft])) ** 2
        release()
    return torch.from_numpy(np.sqrt(taken / len(starts) / np.square(window).sum()))[:, None]


def coloured_noise(spectrum: Tensor, *, length: int, seed: int) -> Samples:
    """Gaussian noise ``(length,)`` with the RMS ``(F, 1)`` in every bin.

    >>> bool(abs(np.std(coloured_noise(torch.full((2049, 1), 0.5), length=20000, seed=0)) - 0.5) < 0.02)
    True
    """
    white = torch.randn(length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return istft(stft(white, LONG) * spectrum, LONG, length=length).numpy()
