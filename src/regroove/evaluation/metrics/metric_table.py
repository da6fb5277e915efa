"""The metrics of the benchmark: one explicit table, and those of other people.

A metric that somebody else wrote is the name of its entry point in the group ``regroove.metrics``, or
``package.module:name``. Either is a :class:`~regroove.evaluation.metrics.metric.Metric`, or a function of
:class:`~regroove.evaluation.metrics.signals.Signals` that gives a number; then ``package.module:function:better=-1``
says that less is better.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from regroove.errors import SettingsError
from regroove.evaluation.metrics.delay import DELAY
from regroove.evaluation.metrics.level_error import LEVEL
from regroove.evaluation.metrics.log_spectral import LSD
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.multi_resolution import MRSTFT
from regroove.evaluation.metrics.polarity import POLARITY
from regroove.evaluation.metrics.seams import SEAMS
from regroove.evaluation.metrics.si_sdr import SI_SDR, SI_SDR_GAIN
from regroove.evaluation.metrics.snr import SNR
from regroove.evaluation.metrics.visqol import VISQOL
from regroove.evaluation.metrics.zimtohrli import ZIMTOHRLI
from regroove.evaluation.specs import Spec, number, read_spec, refuse_unknown
from regroove.plugins import load

METRIC_GROUP = "regroove.metrics"

_TABLE = (SI_SDR_GAIN, SI_SDR, SNR, LSD, MRSTFT, VISQOL, ZIMTOHRLI, LEVEL, DELAY, POLARITY, SEAMS)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _TABLE}

# Always computed: they cost little, and every verdict on a broken restoration stands on them.
CHECKS = ("si-sdr-gain", "level", "delay", "polarity", "seams")


def choose_metrics(texts: Iterable[str]) -> list[Metric]:
    """The metrics of these names as :func:`in_order` has them; the checks are always among them.

    Raises:
        SettingsError: a name is unknown, or somebody else's metric is not usable.

    >>> [m.name for m in choose_metrics(["lsd"])]
    ['si-sdr-gain', 'lsd', 'level', 'delay', 'polarity', 'seams']
    """
    return in_order([*texts, *CHECKS])


def in_order(texts: Iterable[str]) -> list[Metric]:
    """The metrics of these names, once each: the table's in its order, then the others in that of the names.

    Raises:
        SettingsError: a name is unknown, or somebody else's metric is not usable.
    """
    wanted = dict.fromkeys(texts)
    found = [metric for name, metric in METRICS.items() if name in wanted]
    return found + [_plugged(text) for text in wanted if text not in METRICS]


@lru_cache(maxsize=32)
def _plugged(text: str) -> Metric:
    spec = read_spec(text, kind="metric", known=METRICS)
    theirs = load(METRIC_GROUP, spec.name)
    if theirs is None or spec.name in METRICS:
        raise SettingsError(
            f"Unknown metric {text!r}: choose from {', '.join(METRICS)}, or give package.module:function."
        )
    if isinstance(theirs, Metric):
        refuse_unknown(spec, ())
        return replace(theirs, name=text)
    return _of_function(spec, theirs)


def _of_function(spec: Spec, theirs: object) -> Metric:
    refuse_unknown(spec, ("better", "unit"))
    better = number(spec, "better", 1)
    if not callable(theirs) or better not in (-1, 1):
        raise SettingsError(
            f"{spec.text} is no metric: it has to be a function or a Metric, with better=1 or better=-1."
        )
    title = spec.name.partition(":")[2].replace("_", " ").capitalize() or spec.name
    about = (theirs.__doc__ or spec.name).strip().splitlines()[0]
    unit = spec.options.get("unit", "")
    return Metric(name=spec.text, title=title, unit=unit, better=int(better), about=about, score=theirs)
