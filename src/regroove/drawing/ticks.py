"""Where the marks of an axis are, and what stands beside them."""

import numpy as np

FREQUENCIES = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
# Distances between marks of time that people count in, in seconds.
_TIMES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)

Ticks = list[tuple[float, str]]


def even_ticks(low: float, high: float, *, most: int) -> Ticks:
    """At most ``most`` round numbers (1, 2 or 5 times a power of ten apart) from ``low`` to ``high``.

    >>> even_ticks(-95, -15, most=5)
    [(-80.0, '-80'), (-60.0, '-60'), (-40.0, '-40'), (-20.0, '-20')]
    """
    least = (high - low) / most
    power = 10.0 ** np.floor(np.log10(least))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= least * (1 - 1e-9))
    first = np.ceil(low / step - 1e-9)
    count = int(np.floor(high / step + 1e-9) - first) + 1
    return [(float(step * (first + i)), f"{step * (first + i):g}") for i in range(count)]


def time_ticks(seconds: float, *, most: int = 8) -> Ticks:
    """Marks of time from 0 on: seconds below a minute, else minutes and seconds.

    >>> [label for _, label in time_ticks(185.0)]
    ['0:00', '0:30', '1:00', '1:30', '2:00', '2:30', '3:00']
    """
    step = next((t for t in _TIMES if seconds / t <= most), _TIMES[-1] * np.ceil(seconds / most / _TIMES[-1]))
    places = [step * i for i in range(int(seconds / step + 1e-9) + 1)]
    if seconds < 60:
        return [(float(t), f"{t:g}") for t in places]
    return [(float(t), f"{int(t) // 60}:{int(t) % 60:02d}") for t in places]


def frequency_ticks(low: float, high: float) -> Ticks:
    """Marks of a logarithmic axis of frequency in Hz.

    >>> [label for _, label in frequency_ticks(30, 4000)]
    ['50 Hz', '100 Hz', '200 Hz', '500 Hz', '1 kHz', '2 kHz']
    """
    inside = [f for f in FREQUENCIES if low <= f < high]
    return [(float(f), f"{f // 1000} kHz" if f >= 1000 else f"{f} Hz") for f in inside]
