"""One clip restored by one method and scored: everything here decides over scores, and nothing else does."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from regroove.errors import RegrooveError
from regroove.evaluation.cases.noisy_clips import NoisyClip, make_clip
from regroove.evaluation.cases.suites import Case
from regroove.evaluation.clip_files import write_audio
from regroove.evaluation.methods.method import Method
from regroove.evaluation.metrics.metric import Metric
from regroove.evaluation.metrics.signals import Signals
from regroove.evaluation.run.cost import measure_cost
from regroove.evaluation.run.result_rows import Row
from regroove.evaluation.run.verdicts import verdicts


def score_case(case: Case, method: Method, metrics: Sequence[Metric], *, audio: Path | None = None) -> Row:
    """Restore the clip of a case and score the result; ``audio`` is where the restored clip is kept, if it is.

    What a method raises, and what a metric of somebody else's raises, is in the row.

    Raises:
        RegrooveError: the clip cannot be made, or a metric cannot be computed here.
    """
    clip = _clip(case)
    whole, lead = clip.given(noise_marked=not method.find)
    length = clip.clean.size
    if method.max_seconds:
        length = min(length, round(method.max_seconds * clip.sample_rate))
    seconds = length / clip.sample_rate
    row = Row(case=case, method=method.spec, seconds=round(seconds, 3))
    noisy = whole[: lead + length]
    try:
        restored, cost = measure_cost(
            lambda: method.restore(noisy, sample_rate=clip.sample_rate, lead=lead),
            audio_seconds=noisy.size / clip.sample_rate,
        )
    except Exception as error:
        return replace(row, failure=_sentence(error), traceback=_trace(error), verdicts=("failed",))
    if restored.shape != noisy.shape:
        return replace(row, verdicts=("wrong length",), cost=cost)
    if not np.isfinite(restored).all():
        return replace(row, verdicts=("not finite",), cost=cost)
    if audio:
        audio.parent.mkdir(parents=True, exist_ok=True)
        write_audio(audio, restored, sample_rate=clip.sample_rate)
    signals = Signals(clip.clean[:length], noisy[lead:], restored[lead:], clip.sample_rate)
    return _with_scores(replace(row, cost=cost), metrics, signals)


def _with_scores(row: Row, metrics: Sequence[Metric], signals: Signals) -> Row:
    scores: dict[str, float] = {}
    for metric in metrics:
        try:
            scores[metric.name] = float(metric.score(signals))
        except Exception as error:
            if isinstance(error, RegrooveError) or not metric.plugged:
                raise
            row = replace(row, failure=f"metric {metric.name}: {_sentence(error)}", traceback=_trace(error))
    return replace(row, scores=scores, verdicts=tuple(verdicts(scores)))


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _trace(error: Exception) -> str:
    """The traceback, but for errors that say in a sentence what a user can do."""
    return "" if isinstance(error, RegrooveError) else "".join(traceback.format_exception(error))


@lru_cache(maxsize=2)
def _clip(case: Case) -> NoisyClip:
    return make_clip(case)
