"""Every metric of the benchmark by name: one explicit table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from regroove.errors import SettingsError
from regroove.evaluation.metrics.delay import delay
from regroove.evaluation.metrics.level_error import level_error
from regroove.evaluation.metrics.log_spectral import log_spectral_distance
from regroove.evaluation.metrics.multi_resolution import multi_resolution_stft
from regroove.evaluation.metrics.polarity import polarity
from regroove.evaluation.metrics.seams import seam_index
from regroove.evaluation.metrics.si_sdr import si_sdr, si_sdr_gain
from regroove.evaluation.metrics.signals import Signals
from regroove.evaluation.metrics.snr import snr
from regroove.evaluation.metrics.visqol import visqol
from regroove.evaluation.metrics.zimtohrli import zimtohrli


@dataclass(frozen=True, kw_only=True)
class Metric:
    """``better`` is 1 if more is better, -1 if less is better, 0 for a check whose right value is ``ideal``.

    ``about`` is the definition in a line; the module of each metric has it whole.
    """

    name: str
    title: str
    unit: str
    better: int
    about: str
    score: Callable[[Signals], float]
    digits: int = 2
    ideal: float = 0.0


_TABLE = (
    Metric(
        name="si-sdr-gain",
        title="SI-SDR gain",
        unit="dB",
        better=1,
        about="SI-SDR of the output less that of the input.",
        score=lambda s: si_sdr_gain(s.clean, s.noisy, s.restored),
    ),
    Metric(
        name="si-sdr",
        title="SI-SDR",
        unit="dB",
        better=1,
        about="scale-invariant signal-to-distortion ratio (Le Roux et al., ICASSP 2019), no mean taken out.",
        score=lambda s: si_sdr(s.clean, s.restored),
    ),
    Metric(
        name="snr",
        title="SNR",
        unit="dB",
        better=1,
        about="power of the truth over power of the difference, level errors included.",
        score=lambda s: snr(s.clean, s.restored),
    ),
    Metric(
        name="lsd",
        title="Log-spectral distance",
        unit="dB",
        better=-1,
        about="per-frame RMS over bins of the difference of spectra in dB, averaged over frames; Hann "
        "window of 2048, hop 512, floor -90 dBFS (Gray and Markel 1976).",
        score=lambda s: log_spectral_distance(s.clean, s.restored),
    ),
    Metric(
        name="mrstft",
        title="Multi-resolution STFT distance",
        unit="",
        better=-1,
        digits=3,
        about="spectral convergence plus mean log difference at windows of 512 to 4096 (Yamamoto et al., ICASSP 2020).",
        score=lambda s: multi_resolution_stft(s.clean, s.restored),
    ),
    Metric(
        name="visqol",
        title="ViSQOL audio",
        unit="MOS",
        better=1,
        about="ViSQOL v3 in audio mode at 48 kHz (Chinen et al., QoMEX 2020), pieces of about 10 s; 4.73 is identical.",
        score=lambda s: visqol(s.clean, s.restored, sample_rate=s.sample_rate),
    ),
    Metric(
        name="zimtohrli",
        title="Zimtohrli",
        unit="",
        better=-1,
        digits=4,
        about="psychoacoustic distance near the just noticeable difference (Alakuijala et al., arXiv "
        "2509.26133), 0 to 1.",
        score=lambda s: zimtohrli(s.clean, s.restored, sample_rate=s.sample_rate),
    ),
    Metric(
        name="level",
        title="Level error",
        unit="dB",
        better=0,
        about="gain of the music in the output against the truth, at the best lag.",
        score=lambda s: level_error(s.clean, s.restored, sample_rate=s.sample_rate),
    ),
    Metric(
        name="delay",
        title="Delay",
        unit="ms",
        better=0,
        digits=3,
        about="lag of the largest cross-correlation with the truth.",
        score=lambda s: delay(s.clean, s.restored, sample_rate=s.sample_rate),
    ),
    Metric(
        name="polarity",
        title="Polarity",
        unit="",
        better=0,
        ideal=1.0,
        about="signed correlation with the truth at the best lag; negative is upside down.",
        score=lambda s: polarity(s.clean, s.restored, sample_rate=s.sample_rate),
    ),
    Metric(
        name="seams",
        title="Seam index",
        unit="dB",
        better=0,
        digits=1,
        about="strongest sudden break in the output that neither input nor truth has.",
        score=lambda s: seam_index(s.clean, s.noisy, s.restored, sample_rate=s.sample_rate),
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _TABLE}

# Always computed: they cost little, and every verdict on a broken restoration stands on them.
CHECKS = ("si-sdr-gain", "level", "delay", "polarity", "seams")


def choose_metrics(names: Iterable[str]) -> list[Metric]:
    """The metrics of these names in the table's order; the checks are always among them.

    Raises:
        SettingsError: a name is unknown.

    >>> [m.name for m in choose_metrics(["lsd"])]
    ['si-sdr-gain', 'lsd', 'level', 'delay', 'polarity', 'seams']
    """
    wanted = {*names, *CHECKS}
    unknown = sorted(wanted - METRICS.keys())
    if unknown:
        raise SettingsError(f"Unknown metric {unknown[0]!r}: choose from {', '.join(METRICS)}.")
    return [metric for name, metric in METRICS.items() if name in wanted]
