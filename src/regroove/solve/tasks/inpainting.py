"""Inpainting: gaps filled from what is on both sides."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from regroove.errors import SettingsError
from regroove.operators.mask import Mask, gap_mask
from regroove.restoration.engines.engine import block_seed
from regroove.solve.checks import check_method
from regroove.solve.detection import Span, find_gaps, runs
from regroove.solve.methods.autoregressive import bridge, fill
from regroove.solve.prior import Prior, PriorSettings, load_prior, refine, rms
from regroove.solve.solver import Job, Samples

METHODS = ("ar", "diffusion")
# Seconds: what the model is measured on at each side, how far back it looks, and up to where a gap is solved for
# exactly; the time for that grows with its length, and its gain over extrapolation falls.
CONTEXT, MEMORY, SHORT_GAP = 0.14, 0.0227, 0.1
PULL, ROUNDS = 1e-4, 2
# Seconds that the diffusion prior sees at each side, and its noise level and steps.
SURROUNDINGS, LEVEL, STEPS = 0.5, 0.1, 4


@dataclass(frozen=True, kw_only=True)
class InpaintingSolver:
    """Fills gaps; everything else stays as it is, bit for bit.

    ``gaps`` are starts and ends in seconds, the same in every channel; None finds runs of digital zeros in each.
    ``mask``, ``(time,)`` or ``(channels, time)``, is false where samples are missing and takes the place of gaps.

    Raises:
        SettingsError: the method is unknown, a gap is empty, or both gaps and a mask are given.
    """

    name = "inpainting"
    method: str = "ar"
    gaps: Sequence[tuple[float, float]] | None = None
    mask: NDArray[np.bool_] | None = None
    prior: PriorSettings = field(default_factory=PriorSettings)

    def __post_init__(self) -> None:
        check_method(self.method, METHODS, self.prior)
        if self.gaps is not None and self.mask is not None:
            raise SettingsError("Gaps are given either in seconds or as a mask, not both.")
        if any(not 0 <= start < end for start, end in self.gaps or ()):
            raise SettingsError("A gap starts at 0 s or later and ends after its start.")

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Fill the gaps of one channel."""
        spans = self._spans(x, job)
        prior = load_prior(self.prior) if self.method == "diffusion" and spans else None
        for index, (start, stop) in enumerate(spans):
            following = spans[index + 1][0] if index + 1 < len(spans) else len(x)
            _fill_gap(out, start, stop, following, job.sample_rate)
            if prior is not None:
                seed = block_seed(job.seed, channel=job.channel, index=index)
                _redraw(prior, self.prior, out, (start, stop), following, job.sample_rate, seed)
            job.progress((index + 1) / len(spans))
        found = {"gaps": len(spans), "seconds_filled": round(sum(b - a for a, b in spans) / job.sample_rate, 6)}
        return {**found, **(prior.details if prior else {})}

    def _spans(self, x: Samples, job: Job) -> list[Span]:
        if self.mask is not None:
            mask = self.mask if self.mask.ndim == 1 else self.mask[job.channel]
            return list(runs(mask, np.logical_not))
        if self.gaps is None:
            return find_gaps(x, sample_rate=job.sample_rate, release=job.release)
        spans: list[Span] = []
        for start, end in sorted(self.gaps):
            if start * job.sample_rate >= len(x):
                raise SettingsError(f"The gap at {start:g} s lies after the end of the recording.")
            first, last = round(start * job.sample_rate), min(len(x), round(end * job.sample_rate))
            if spans and first <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
            elif first < last:
                spans.append((first, last))
        return spans

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""
        gaps = None if self.gaps is None else [list(gap) for gap in self.gaps]
        return {"method": self.method, "gaps": gaps, **asdict(self.prior)}


def _fill_gap(out: Samples, start: int, stop: int, following: int, sample_rate: int) -> None:
    """Fill one gap in place; gaps before it are filled already, and nothing after ``following`` is known."""
    context, order = round(CONTEXT * sample_rate), round(MEMORY * sample_rate)
    first, last = max(0, start - context), min(following, stop + context)
    x = out[first:last].copy()
    gap = slice(start - first, stop - first)
    x[gap] = bridge(x[: gap.start], x[gap.stop :], order=order, count=stop - start)
    if stop - start <= SHORT_GAP * sample_rate:
        missing = np.zeros(len(x), dtype=bool)
        missing[gap] = True
        for _ in range(ROUNDS):
            x = fill(x, missing, order=min(order, len(x) // 3), pull=PULL)
    out[start:stop] = x[gap]


def _redraw(
    prior: Prior, settings: PriorSettings, out: Samples, gap: Span, following: int, sample_rate: int, seed: int
) -> None:
    """Let the prior refine a filled gap in place."""
    around = round(SURROUNDINGS * sample_rate)
    first, last = max(0, gap[0] - around), min(following, gap[1] + around)
    x = np.asarray(out[first:last], dtype=np.float64)
    operator = Mask(gap_mask(len(x), start=gap[0] - first, stop=gap[1] - first).to(prior.device))
    observation = operator.A(torch.from_numpy(x).float()[None].to(prior.device))
    sigmas = settings.schedule(rms(x), level=LEVEL, steps=STEPS)
    refined = refine(prior, x, observation, operator, sigmas=sigmas, xi=settings.xi, sample_rate=sample_rate, seed=seed)
    out[gap[0] : gap[1]] = refined[gap[0] - first : gap[1] - first]
