"""Two walls in, one record out: aligned, clicks filled, and combined with the least noise in every bin and moment."""

import torch
from torch import Tensor

from regroove.dsp.stft import LONG, SHORT, istft, stft
from regroove.walls.bursts import without_bursts
from regroove.walls.clicks import fill_clicks
from regroove.walls.wall_frames import Windows
from regroove.walls.wall_plan import WallPlan

# Windows of 3 s, and what is heard beside them: two long windows, and what tells a click from an onset.
CORE, CONTEXT = 128 * LONG.hop, 8 * LONG.hop


class WallCombiner:
    """Combines a stream of two walls; what goes out is delayed, and as many samples in all.

    The music comes out midway between both walls, in level (the mean of both in dB), tone and time.

    >>> from regroove.walls.wall_plan import plan_of
    >>> from regroove.walls.statistics import WallMeter
    >>> walls = torch.randn(1, 200_000, generator=torch.Generator().manual_seed(1)).expand(2, -1)
    >>> meter = WallMeter(sample_rate=44_100)
    >>> meter.add(walls)
    >>> combiner = WallCombiner(plan_of(meter.finish(), sample_rate=44_100), sample_rate=44_100)
    >>> done = torch.cat([combiner.push(walls), combiner.finish()], dim=-1)
    >>> done.shape, bool(torch.allclose(done[0], walls[0], atol=1e-4))
    (torch.Size([1, 200000]), True)
    """

    def __init__(self, plan: WallPlan, *, sample_rate: int) -> None:
        self._plan, self._rate = plan, sample_rate
        self._windows = Windows(channels=2, core=CORE, context=CONTEXT)
        self._start = -CONTEXT
        self._gain = torch.from_numpy(10 ** (plan.gains_db / 40)).float()[:, None]
        self._share = torch.from_numpy(plan.share).float()[:, None]
        self._omega = torch.arange(LONG.bins, dtype=torch.float64) * (torch.pi / (LONG.bins - 1))

    def push(self, chunk: Tensor) -> Tensor:
        """Take ``(2, n)`` more samples; returns those that are done, ``(1, m)``, often none."""
        return self._join([self._combined(w) for w in self._windows.push(chunk.float())])

    def finish(self) -> Tensor:
        """The samples that are still missing."""
        done = [self._combined(w) for w in self._windows.finish()]
        rest = (len(done) - 1) * CORE + self._windows.left
        return self._join(done)[:, :rest]

    @staticmethod
    def _join(parts: list[Tensor]) -> Tensor:
        return torch.cat(parts, dim=-1)[None] if parts else torch.zeros(1, 0)

    def _combined(self, window: Tensor) -> Tensor:
        pair = stft(self.pair(window, start=self._start), SHORT)
        done = istft(without_bursts(*pair), SHORT, length=window.shape[-1])
        self._start += CORE
        return done[CONTEXT : CONTEXT + CORE]

    def pair(self, window: Tensor, *, start: int) -> Tensor:
        """The best of both walls by the weights of the whole side, and their difference, which is noise alone.

        Args:
            window: both walls, ``(2, time)``, a multiple of 1024 samples.
            start: the sample of the recording that it begins at.
        """
        walls = self._aligned(window, start)
        walls = torch.from_numpy(fill_clicks(walls.double().numpy(), sample_rate=self._rate)).float()
        mean, difference = stft(torch.stack([walls.mean(dim=0), walls[0] - walls[1]]), LONG)
        both = torch.stack([mean - self._share * difference, difference])
        return istft(both, LONG, length=window.shape[-1])

    def _aligned(self, window: Tensor, start: int) -> Tensor:
        """Both walls as the record would have them, ``(2, time)``."""
        spectrum = stft(window, LONG)
        at = start + LONG.hop * torch.arange(spectrum.shape[-1], dtype=torch.float64)
        half = torch.from_numpy(self._plan.delay.at(at.numpy())) / 2
        turn = torch.polar(torch.ones(1, dtype=torch.float64), -self._omega[:, None] * half).to(torch.complex64)
        first = spectrum[0] * turn * self._gain
        second = spectrum[1] * turn.conj() * (self._plan.polarity / self._gain)
        return istft(torch.stack([first, second]), LONG, length=window.shape[-1])
