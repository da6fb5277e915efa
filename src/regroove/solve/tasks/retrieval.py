"""Phase retrieval: a signal whose spectrogram has the recording's magnitudes; its phases are not looked at."""

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from regroove.errors import SettingsError
from regroove.operators.magnitude import StftMagnitude
from regroove.restoration.engines.engine import block_seed
from regroove.solve.checks import check_method
from regroove.solve.prior import Prior, PriorSettings, load_prior, refine, rms
from regroove.solve.solver import Job, Samples, pieces

METHODS = ("griffin-lim", "diffusion")
# Samples in a block, and how many of those before it each block has to agree with.
CORE, OVERLAP = 1 << 16, 1 << 13
MOMENTUM, ITERATIONS = 0.99, 100
LEVEL, STEPS = 0.3, 6


@dataclass(frozen=True, kw_only=True)
class RetrievalSolver:
    """Finds new phases for the magnitudes of an STFT of ``n_fft`` samples every ``hop``. The sign is arbitrary.

    Raises:
        SettingsError: the method is unknown, the hop longer than half the window, or there are no iterations.
    """

    name = "retrieve"
    method: str = "griffin-lim"
    n_fft: int = 1024
    hop: int = 256
    iterations: int = ITERATIONS
    prior: PriorSettings = field(default_factory=PriorSettings)

    def __post_init__(self) -> None:
        check_method(self.method, METHODS, self.prior)
        if not 0 < self.hop <= self.n_fft // 2 or self.n_fft > OVERLAP or self.iterations < 1:
            raise SettingsError(
                f"Phases need windows of at most {OVERLAP} samples, a hop of at most half a window, and an iteration."
            )

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Retrieve the phases of one channel."""
        prior = load_prior(self.prior) if self.method == "diffusion" else None
        operator = StftMagnitude(n_fft=self.n_fft, hop=self.hop)
        distances = []
        for piece in pieces(len(x), core=CORE, context=0):
            overlap = min(OVERLAP, piece.core.start)
            start = piece.core.start - overlap
            before = torch.from_numpy(np.array(out[start : piece.core.start], dtype=np.float32))
            magnitude = operator.A(torch.from_numpy(np.array(x[start : piece.core.stop], dtype=np.float32))[None])
            seed = block_seed(job.seed, channel=job.channel, index=piece.index)
            found = self._block(operator, magnitude, before, piece.core.stop - start, seed, prior, job.sample_rate)
            distances.append(_distance(operator.A(found[None]), magnitude))
            out[piece.core] = found[overlap:].numpy()
            job.progress(piece.core.stop / len(x))
        return {"spectral_convergence_db": round(float(np.mean(distances)), 2), **(prior.details if prior else {})}

    def _block(
        self,
        operator: StftMagnitude,
        magnitude: Tensor,
        before: Tensor,
        length: int,
        seed: int,
        prior: Prior | None,
        sample_rate: int,
    ) -> Tensor:
        found = griffin_lim(operator, magnitude, before, length=length, seed=seed, iterations=self.iterations)
        if prior is None:
            return found
        sigmas = self.prior.schedule(rms(found.double().numpy()), level=LEVEL, steps=STEPS)
        refined = refine(
            prior,
            found.double().numpy(),
            magnitude,
            operator,
            sigmas=sigmas,
            xi=self.prior.xi,
            sample_rate=sample_rate,
            seed=seed,
        )
        start = torch.from_numpy(refined).to(magnitude)
        start[: len(before)] = before
        return griffin_lim(
            operator, magnitude, before, length=length, seed=seed, iterations=self.iterations, start=start
        )

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""
        own = {"method": self.method, "n_fft": self.n_fft, "hop": self.hop, "iterations": self.iterations}
        return {**own, **asdict(self.prior)}


def griffin_lim(
    operator: StftMagnitude,
    magnitude: Tensor,
    before: Tensor,
    *,
    length: int,
    seed: int,
    iterations: int,
    start: Tensor | None = None,
) -> Tensor:
    """``(length,)`` samples with the given ``magnitude``, ``(1, F, T)``, of which the first are ``before``.

    Without ``start`` it begins with random phases. Perraudin, Balazs and Sondergaard, "A fast Griffin-Lim algorithm",
    2013, with the momentum on the signal.

    >>> x = torch.sin(torch.arange(2048, dtype=torch.float64) * 0.2)[None]
    >>> operator = StftMagnitude(n_fft=256, hop=64)
    >>> y = griffin_lim(operator, operator.A(x), x[0, :0], length=2048, seed=0, iterations=50)
    >>> _distance(operator.A(y[None]), operator.A(x)) < -10
    True
    """
    generator = torch.Generator().manual_seed(seed)
    if start is None:
        start = torch.randn(length, generator=generator).to(magnitude)
        start[: len(before)] = before
    x = previous = operator.replace(start[None], magnitude)
    for _ in range(iterations):
        ahead = x + MOMENTUM * (x - previous)
        previous = x
        x = operator.replace(ahead, magnitude)
        x[:, : len(before)] = before
    return x[0]


def _distance(found: Tensor, wanted: Tensor) -> float:
    """How far magnitudes are from what they should be, in dB relative to them."""
    power = float(wanted.square().sum())
    return 10 * float(np.log10(max(float((found - wanted).square().sum()), 1e-12 * power) / power)) if power else -120.0
