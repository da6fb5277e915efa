"""Constant-Q transform with exact reconstruction: a non-stationary Gabor frame in matrix form.

Legend: L samples, K = octaves * bins_per_octave + 2 rows (DC, the constant-Q rows, Nyquist), N coefficients a row.
Every row is a Hann window over the DFT of the whole signal, so all rows are computed by one gather, one product and
one batched inverse FFT; the inverse adds the rows back with the dual windows.

Velasco, Holighaus, Doerfler and Grill, "Constructing an invertible constant-Q transform with non-stationary Gabor
frames", DAFx 2011: the painless case, where the dual windows are the windows over the sum of their squares.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from regroove.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class ConstantQSettings:
    """Sample rate in Hz, signal length in samples, and the resolution; rows end at half the sample rate."""

    sample_rate: int
    length: int
    octaves: int = 7
    bins_per_octave: int = 64

    @property
    def rows(self) -> int:
        return self.octaves * self.bins_per_octave + 2


@dataclass(frozen=True)
class _Frame:
    """The non-zero entries of all kept rows, one after the other.

    Entry e is DFT bin ``bins[e]`` times ``window[e]``, stored in cell ``cells[e]`` of the flat (K, N) spectra. Entries
    ``returned`` lie in the half of the DFT that the inverse keeps; ``dual`` holds their dual windows.
    """

    columns: int
    bins: Tensor
    cells: Tensor
    window: Tensor
    returned: Tensor
    dual: Tensor


def _geometry(settings: ConstantQSettings) -> tuple[np.ndarray, np.ndarray]:
    """Centre bins and window lengths of all 2 K - 2 rows, negative frequencies included."""
    if settings.octaves < 1 or settings.bins_per_octave < 2:
        raise SettingsError("A constant-Q transform needs at least one octave and two bins an octave.")
    count, length = settings.rows - 2, settings.length
    nyquist = settings.sample_rate / 2
    lowest = nyquist / 2**settings.octaves
    ratio = 2 ** (settings.octaves / (count - 1))
    centres = lowest * ratio ** np.arange(count)
    hertz = np.concatenate([[0.0], centres, [nyquist], settings.sample_rate - centres[::-1]])
    p = hertz * length / settings.sample_rate
    widths = np.empty(len(p), dtype=np.int64)
    widths[0] = np.round(2 * p[1])
    widths[1:-1] = np.round(p[2:] - p[:-2])
    widths[-1] = np.round(length - p[-2])
    # The highest centre coincides with Nyquist; it moves only after the widths are settled.
    p[count] = (p[count - 1] + p[count + 1]) / 2
    p[count + 2] = length - p[count]
    return np.round(p).astype(np.int64), np.maximum(widths, 4)


def _entries(centres: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, offset from the centre and window value of every entry of the rows."""
    row = np.repeat(np.arange(len(widths)), widths)
    first = np.repeat(np.cumsum(widths) - widths, widths)
    offset = np.arange(len(row)) - first - (widths // 2)[row]
    return row, offset, 0.5 + 0.5 * np.cos(2 * np.pi * offset / widths[row])


@lru_cache(maxsize=8)
# Not inference tensors even when first asked for in inference mode: a gradient may need them later.
@torch.inference_mode(False)
def _frame(settings: ConstantQSettings, dtype: torch.dtype, device: torch.device) -> _Frame:
    centres, widths = _geometry(settings)
    length, columns = settings.length, int(widths.max())
    if columns > length:
        raise SettingsError(f"{length} samples are too few for a constant-Q transform of {settings.octaves} octaves.")
    row, offset, window = _entries(centres, widths)
    bins = (centres[row] + offset) % length
    kept = row < settings.rows
    row, offset, window, bins = row[kept], offset[kept], window[kept], bins[kept]
    # The reference sums all rows. Those of negative frequency reach the kept half only when rounded to few samples, and
    # their sum would make the inverse inexact there, as the inverse leaves them out.
    power = np.bincount(bins, weights=window**2, minlength=length)
    returned = np.flatnonzero(bins <= length // 2)
    dual = window[returned] / power[bins[returned]]
    return _Frame(
        columns=columns,
        bins=torch.from_numpy(bins).to(device),
        cells=torch.from_numpy(row * columns + offset % columns).to(device),
        window=torch.from_numpy(window).to(device, dtype),
        returned=torch.from_numpy(returned).to(device),
        dual=torch.from_numpy(dual).to(device, dtype),
    )


def _analyse(x: Tensor, frame: _Frame, settings: ConstantQSettings) -> Tensor:
    if x.shape[-1] != settings.length:
        raise SettingsError(f"This constant-Q transform is for {settings.length} samples, not {x.shape[-1]}.")
    spectrum = torch.fft.fft(x.reshape(-1, settings.length))
    entries = spectrum.index_select(1, frame.bins) * frame.window
    cells = entries.new_zeros(len(entries), settings.rows * frame.columns)
    rows = cells.index_copy(1, frame.cells, entries)
    return torch.fft.ifft(rows.reshape(*x.shape[:-1], settings.rows, frame.columns))


def _synthesise(c: Tensor, frame: _Frame, settings: ConstantQSettings) -> Tensor:
    shape = (settings.rows, frame.columns)
    if c.shape[-2:] != shape:
        raise SettingsError(f"Coefficients are {shape[0]} rows by {shape[1]}, not {tuple(c.shape[-2:])}.")
    rows = torch.fft.fft(c).reshape(-1, shape[0] * shape[1])
    entries = rows.index_select(1, frame.cells[frame.returned]) * frame.dual
    spectrum = entries.new_zeros(len(entries), settings.length // 2 + 1)
    spectrum = spectrum.index_add(1, frame.bins[frame.returned], entries)
    return torch.fft.irfft(spectrum, n=settings.length).reshape(*c.shape[:-2], settings.length)


def cqt(x: Tensor, *, settings: ConstantQSettings) -> Tensor:
    """Transform ``(..., L)`` real samples to ``(..., K, N)`` complex coefficients; linear and differentiable.

    A coefficient has the scale of the DFT's sum divided by N, as in CQTDiff. Tables are kept per settings,
    dtype and device.

    Raises:
        SettingsError: the signal has another length, or is too short for the octaves asked for.

    >>> settings = ConstantQSettings(sample_rate=44_100, length=44_100)
    >>> cqt(torch.zeros(2, 44_100), settings=settings).shape
    torch.Size([2, 450, 474])
    """
    return _analyse(x, _frame(settings, x.dtype, x.device), settings)


def icqt(c: Tensor, *, settings: ConstantQSettings) -> Tensor:
    """Invert :func:`cqt`: ``(..., K, N)`` complex to ``(..., L)`` real, the least-squares signal for the kept rows.

    Raises:
        SettingsError: the coefficients have another shape.

    >>> settings = ConstantQSettings(sample_rate=8_000, length=999, octaves=4, bins_per_octave=12)
    >>> x = torch.randn(999, dtype=torch.float64)
    >>> torch.allclose(icqt(cqt(x, settings=settings), settings=settings), x)
    True
    """
    return _synthesise(c, _frame(settings, c.real.dtype, c.device), settings)


class ConstantQ(nn.Module):
    """:func:`cqt` and :func:`icqt` as a module that owns its tables and follows ``.to(device)``.

    The tables are buffers that are not saved. Give ``dtype`` float64 for a transform that is exact to float64.

    >>> transform = ConstantQ(ConstantQSettings(sample_rate=8_000, length=1_000, octaves=3, bins_per_octave=8))
    >>> transform.inverse(transform(torch.ones(1_000))).allclose(torch.ones(1_000), atol=1e-4)
    True
    """

    bins: Tensor
    cells: Tensor
    window: Tensor
    returned: Tensor
    dual: Tensor

    def __init__(self, settings: ConstantQSettings, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        frame = _frame(settings, dtype, torch.device("cpu"))
        self.settings, self.columns = settings, frame.columns
        for name in ("bins", "cells", "window", "returned", "dual"):
            self.register_buffer(name, getattr(frame, name), persistent=False)

    @property
    def _tables(self) -> _Frame:
        return _Frame(self.columns, self.bins, self.cells, self.window, self.returned, self.dual)

    def forward(self, x: Tensor) -> Tensor:
        """Transform ``(..., L)`` real samples to ``(..., K, N)`` complex coefficients."""
        return _analyse(x, self._tables, self.settings)

    def inverse(self, c: Tensor) -> Tensor:
        """Transform ``(..., K, N)`` complex coefficients back to ``(..., L)`` real samples."""
        return _synthesise(c, self._tables, self.settings)
