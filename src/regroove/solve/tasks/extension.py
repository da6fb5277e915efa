"""Bandwidth extension: overtones above the upper end of a band-limited recording."""

from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor

from regroove.dsp.filters import firwin_taps
from regroove.dsp.stft import StftSettings, istft, power_of, stft
from regroove.errors import SettingsError
from regroove.operators.filtering import Fir
from regroove.restoration.engines.engine import block_seed
from regroove.solve.checks import check_method
from regroove.solve.detection import find_cutoff
from regroove.solve.prior import Prior, PriorSettings, load_prior, refine, rms
from regroove.solve.solver import Job, Samples, pieces

METHODS = ("replicate", "diffusion")
# Seconds: the pieces that are worked on, and what is seen around them.
CORE, CONTEXT = 8.0, 0.5
LEVEL, STEPS = 0.03, 3
# The window's hop is a quarter of it, so that a shift by a multiple of four bins needs no turning of phases.
FRAMES = StftSettings(n_fft=4096, hop=1024)
SHIFT = 4
# Bins over which an envelope is smoothed; how fast, in dB an octave, the new band falls. The slope below the cutoff
# does not tell the slope above it: steps of the music's own spectrum are often just there.
SMOOTH, FALL = 33, -20.0
TAPS = 501


@dataclass(frozen=True, kw_only=True)
class ExtensionSolver:
    """Adds what lies above ``cutoff`` Hz; what lies below stays as it is. None finds each channel's own cutoff.

    Raises:
        SettingsError: the method is unknown or the cutoff not positive.
    """

    name = "extend"
    method: str = "replicate"
    cutoff: float | None = None
    prior: PriorSettings = field(default_factory=PriorSettings)

    def __post_init__(self) -> None:
        check_method(self.method, METHODS, self.prior)
        if self.cutoff is not None and not 0 < self.cutoff < float("inf"):
            raise SettingsError(f"The cutoff must be positive, not {self.cutoff:g} Hz.")

    def solve(self, x: Samples, out: Samples, job: Job) -> dict[str, object]:
        """Extend one channel."""
        cutoff = self.cutoff or find_cutoff(x, sample_rate=job.sample_rate, release=job.release)
        if cutoff is None:
            return {"cutoff_hz": None}
        if not 200 <= cutoff < job.sample_rate / 2:
            raise SettingsError(f"A cutoff of {cutoff:g} Hz is not between 200 Hz and half the sample rate.")
        prior = load_prior(self.prior) if self.method == "diffusion" else None
        core, context = round(CORE * job.sample_rate), round(CONTEXT * job.sample_rate)
        for piece in pieces(len(x), core=core, context=context):
            y = np.array(x[piece.around])
            extended = y + replicated(y, cutoff=cutoff, sample_rate=job.sample_rate)
            if prior is not None:
                seed = block_seed(job.seed, channel=job.channel, index=piece.index)
                extended = self._redrawn(prior, extended, y, cutoff, job.sample_rate, seed)
            out[piece.core] = extended[piece.inside]
            job.progress(piece.core.stop / len(x))
        return {"cutoff_hz": round(cutoff, 1), **(prior.details if prior else {})}

    def _redrawn(self, prior: Prior, start: Samples, y: Samples, cutoff: float, sample_rate: int, seed: int) -> Samples:
        operator = Fir(firwin_taps(cutoff_hz=cutoff, sample_rate=sample_rate, taps=TAPS))
        observation = operator.A(torch.from_numpy(y).float()[None].to(prior.device))
        sigmas = self.prior.schedule(rms(start), level=LEVEL, steps=STEPS)
        refined = refine(
            prior, start, observation, operator, sigmas=sigmas, xi=self.prior.xi, sample_rate=sample_rate, seed=seed
        )
        return y + _above(refined, cutoff=cutoff, sample_rate=sample_rate)

    def settings(self) -> dict[str, object]:
        """Every setting, JSON-ready."""
        return {"method": self.method, "cutoff": self.cutoff, **asdict(self.prior)}


def _above(x: Samples, *, cutoff: float, sample_rate: int) -> Samples:
    taps = firwin_taps(cutoff_hz=cutoff, sample_rate=sample_rate, taps=TAPS, band="highpass")
    return Fir(taps).A(torch.from_numpy(x)[None])[0].numpy()


def replicated(y: Samples, *, cutoff: float, sample_rate: int) -> Samples:
    """What is added above ``cutoff`` Hz: the octave below it, moved up, on an envelope that falls by 20 dB an octave.

    Dietz, Liljeryd, Kjoerling and Kunz, "Spectral band replication, a novel approach in audio coding", 2002.

    >>> y = np.random.default_rng(0).normal(size=8192)
    >>> replicated(y, cutoff=5000.0, sample_rate=44_100).shape
    (8192,)
    """
    spectrum = stft(torch.from_numpy(y), FRAMES)
    edge = round(cutoff * FRAMES.n_fft / sample_rate)
    # The slope of the filter that limited the band is no part of the music's own.
    top = int(0.95 * edge)
    width = top // 2 // SHIFT * SHIFT
    if width < SHIFT:
        return np.zeros_like(y)
    fine = spectrum / _envelope(spectrum.abs())
    bins = torch.arange(top, FRAMES.bins)
    source = top - width + (bins - top) % width
    added = torch.zeros_like(spectrum)
    added[top:] = fine[source] * _continued(power_of(spectrum), top=top)
    # The new band takes over where the old one fades out.
    fade = ((torch.arange(FRAMES.bins) - top) / max(1, edge - top)).clamp(0, 1)
    return istft(added * fade[:, None], FRAMES, length=len(y)).numpy()


def _envelope(magnitude: Tensor) -> Tensor:
    """The root mean square over neighbouring bins, ``(F, T)``."""
    power = magnitude.square().T[:, None]
    smooth = torch.nn.functional.avg_pool1d(power, SMOOTH, 1, SMOOTH // 2, count_include_pad=False)
    return smooth[:, 0].T.sqrt().clamp_min(1e-12)


def _continued(power: Tensor, *, top: int) -> Tensor:
    """Magnitudes ``(bins above, T)`` that fall steadily from the level of the last third of an octave below."""
    third = max(1, min(top - 1, round(top / 2 ** (1 / 3))))
    level = power[third:top].mean(dim=0).sqrt()
    above = torch.log2(torch.arange(top, power.shape[0]) / ((third + top) / 2)).to(power)
    return level * 10 ** (FALL * above[:, None] / 20)
