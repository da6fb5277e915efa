"""Up to which bin of the long STFT anything is kept, frame by frame."""

from dataclasses import dataclass

import torch
from torch import Tensor

from regroove.dsp.stft import LONG

# Bins over which the gain falls to nothing, 345 Hz: as a half period of a cosine it rings for less than a window.
FADE = 32
# A top from which on nothing is cut.
EVERYTHING = LONG.bins


@dataclass(frozen=True, eq=False)
class BandLimit:
    """The ``top`` of each frame, ``(B, T)`` or ``(B, 1)``, in bins: from there on the gain falls to nothing.

    >>> limit = BandLimit(torch.tensor([[100.0, float(EVERYTHING)]]))
    >>> limit.gain(200)[0, [99, 100, 116, 132, 199]].round(decimals=3).tolist()
    [[1.0, 1.0], [1.0, 1.0], [0.5, 1.0], [0.0, 1.0], [0.0, 1.0]]
    >>> limit.end, BandLimit(torch.tensor([[100.0]])).end
    (2049, 132)
    """

    top: Tensor

    @property
    def end(self) -> int:
        """The first bin that nothing is kept of in any frame; the number of bins if there is none."""
        return min(int(self.top.max().ceil()) + FADE, LONG.bins)

    def gain(self, bins: int) -> Tensor:
        """Gains of the lowest bins, ``(B, bins, T or 1)``."""
        over = torch.arange(bins, device=self.top.device)[None, :, None] - self.top[:, None]
        return 0.5 + 0.5 * torch.cos(torch.pi * (over / FADE).clamp(0, 1))
