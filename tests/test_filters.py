"""Filter designs and the emphasis before and after denoising."""

import numpy as np
import pytest
import scipy.signal
import torch

from regroove.dsp.emphasis import deemphasize, emphasize
from regroove.dsp.filters import biquad_sos, chebyshev_sos, fir_filter, firwin_taps, iir_filter
from regroove.errors import SettingsError

RATE = 44100
CUTOFF = 3000


def gain_db(apply, frequency_hz):
    time = torch.arange(8000, dtype=torch.float64) / RATE
    out = apply(torch.sin(2 * torch.pi * frequency_hz * time))[3000:5000]
    return float(10 * torch.log10(2 * out.square().mean()))


def designs(band):
    kinds = {"firwin": firwin_taps, "chebyshev": chebyshev_sos, "biquad": biquad_sos}
    return {name: design(cutoff_hz=CUTOFF, sample_rate=RATE, band=band) for name, design in kinds.items()}


@pytest.mark.parametrize("band", ["lowpass", "highpass"])
@pytest.mark.parametrize(("name", "stop_db"), [("firwin", -50), ("chebyshev", -60), ("biquad", -20)])
def test_designs_pass_and_stop(band, name, stop_db):
    design = designs(band)[name]
    apply = (lambda x: fir_filter(x, design)) if name == "firwin" else (lambda x: iir_filter(x, design))
    low, high = gain_db(apply, CUTOFF / 6), gain_db(apply, CUTOFF * 4)
    passed, stopped = (low, high) if band == "lowpass" else (high, low)
    assert abs(passed) < 0.2 and stopped < stop_db


@pytest.mark.parametrize("band", ["lowpass", "highpass"])
def test_the_biquad_is_butterworth_s_for_its_default_quality(band):
    expected = scipy.signal.butter(2, CUTOFF, btype=band, output="sos", fs=RATE)
    np.testing.assert_allclose(designs(band)["biquad"], expected, atol=1e-12)


def test_emphasis_has_its_gains_and_no_delay():
    assert abs(gain_db(emphasize, 0.8 * RATE / 4)) < 0.05
    assert abs(gain_db(emphasize, 1.2 * RATE / 4) - 20) < 0.05
    impulse = torch.zeros(1001, dtype=torch.float64)
    impulse[500] = 1
    response = emphasize(impulse)
    torch.testing.assert_close(response, response.flip(0))


def test_deemphasis_undoes_emphasis():
    x = torch.randn(2, 9001, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    restored = deemphasize(emphasize(x))
    assert restored.shape == x.shape
    torch.testing.assert_close(restored, x)
    short = x[:, :500]
    torch.testing.assert_close(deemphasize(emphasize(short)), short)
    assert deemphasize(emphasize(x[:, :1])).shape == (2, 1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: firwin_taps(cutoff_hz=30000, sample_rate=RATE),
        lambda: firwin_taps(cutoff_hz=3000, sample_rate=RATE, taps=100),
        lambda: chebyshev_sos(cutoff_hz=0, sample_rate=RATE),
        lambda: biquad_sos(cutoff_hz=3000, sample_rate=RATE, q=0),
    ],
)
def test_wrong_designs_are_refused(build):
    with pytest.raises(SettingsError):
        build()
