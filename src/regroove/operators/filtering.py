"""Band-limiting filters: the observation of bandwidth extension."""

import numpy as np
from torch import Tensor

from regroove.dsp.filters import fir_filter, fir_filter_adjoint, iir_filter, iir_filter_adjoint
from regroove.errors import SettingsError
from regroove.operators.operator import LinearOperator


class Fir(LinearOperator):
    """Convolve with ``taps``, ``(taps,)``, zeros beyond both ends, no delay for symmetric taps.

    Designs: :func:`regroove.dsp.filters.firwin_taps`. Raises ``SettingsError`` if ``taps`` is not one filter.

    >>> import torch
    >>> Fir(torch.tensor([0.0, 1.0, 0.0])).A(torch.ones(1, 4)).shape
    torch.Size([1, 4])
    """

    def __init__(self, taps: Tensor):
        if taps.ndim != 1 or len(taps) == 0:
            raise SettingsError("A filter is one row of taps.")
        self.taps = taps

    def A(self, x: Tensor) -> Tensor:
        return fir_filter(x, self.taps)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return fir_filter_adjoint(y, self.taps)


class Iir(LinearOperator):
    """Filter with second-order sections ``sos``, ``(sections, 6)``, from rest.

    Designs: :func:`regroove.dsp.filters.chebyshev_sos`, :func:`regroove.dsp.filters.biquad_sos`. Raises
    ``SettingsError`` for another shape or an unstable filter.

    >>> import torch
    >>> Iir(np.array([[1.0, 0, 0, 1, -0.5, 0]])).A(torch.tensor([[1.0, 0.0]]))
    tensor([[1.0000, 0.5000]])
    """

    def __init__(self, sos: np.ndarray):
        sos = np.asarray(sos, dtype=np.float64)
        if sos.ndim != 2 or sos.shape[1] != 6:
            raise SettingsError("A recursive filter is a table of second-order sections with six columns.")
        if any(abs(np.roots(section[3:])).max(initial=0) >= 1 for section in sos):
            raise SettingsError("The recursive filter is unstable.")
        self.sos = sos

    def A(self, x: Tensor) -> Tensor:
        return iir_filter(x, self.sos)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return iir_filter_adjoint(y, self.sos)
