"""Where a recording is digital silence: its samples stay the same, with or without an offset."""

import torch
from torch import Tensor

# Below -130 dBFS nothing was recorded; so many equal samples in a row are digital silence.
SILENCE = 1e-13
RUN = 64


def silent_windows(samples: Tensor, *, length: int, hop: int, share: float) -> Tensor:
    """Which windows of ``(channels, time)`` are silent in all channels for more than a share of them: ``(windows,)``.

    >>> tone = torch.sin(torch.arange(3000.0))
    >>> tone[2000:] = 0.5
    >>> silent_windows(tone[None], length=1000, hop=500, share=0.1).tolist()
    [False, False, False, True, True]
    """
    equal = torch.nn.functional.pad((samples[:, 1:] == samples[:, :-1]).cumsum(-1), (2, 0))
    # Quiet noise of few bits has many equal neighbours, but no long runs of them.
    still = (equal[:, RUN:] - equal[:, :-RUN] == RUN).float().unfold(-1, length - RUN + 1, hop).mean(dim=-1)
    quiet = samples.unfold(-1, length, hop).square().mean(dim=-1) < SILENCE
    return (quiet | (still > share)).all(dim=0)
