"""The noise map as a value: how strong the noise is in every bin of the long STFT."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class NoiseMap:
    """Noise power per bin, broadcastable to ``(B, F, T)``, in the units of :func:`regroove.dsp.stft.stft`.

    ``mean`` is the mean power; ``typical`` is the geometric mean times exp(Euler's constant), which equals the mean
    for Gaussian noise and stays below it for crackle and thumps: their ratio says how bursty a bin is.
    """

    mean: Tensor
    typical: Tensor

    def scaled(self, power: float | Tensor) -> "NoiseMap":
        """The map of the same noise with ``power`` times its power."""
        return NoiseMap(self.mean * power, self.typical * power)
