"""The two channels of a recording as walls of one groove: whether they are, and what is made of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from regroove.audio.source import Source
from regroove.errors import SettingsError
from regroove.restoration.engines.engine import Engine, Observed
from regroove.restoration.progress import Tell
from regroove.restoration.stages.make_one import MakeOne
from regroove.restoration.stages.run_engine import threads
from regroove.restoration.stages.stage import through
from regroove.restoration.stream import listening, to_rate
from regroove.walls.choices import GAINS
from regroove.walls.one import OneRecord
from regroove.walls.statistics import WallMeter
from regroove.walls.wall_plan import plan_of


@dataclass(frozen=True, kw_only=True)
class WallChoice:
    """What is made of the channels of a recording, and why.

    Args:
        done: one of the choices, never ``auto``.
        reason: why, in a sentence; empty where it was asked for.
        one: how one record is made of two channels; None where they stay separate.
    """

    done: str
    reason: str = ""
    one: OneRecord | None = None

    def notes(self) -> list[str]:
        """What the user should know: that two channels became one."""
        if self.one is None:
            return []
        what = {
            "combine": "The channels are the walls of one record, and were combined",
            "left": "The left channel was restored, for both",
            "right": "The right channel was restored, for both",
            "sum": "The sum of the channels was restored, for both",
            "vertical": "The difference of the channels was restored, for both",
        }[self.done]
        return [f"{what}. {self.reason}".strip() if self.reason else f"{what}."]

    def describe(self) -> dict[str, object]:
        """What a receipt says (JSON-ready)."""
        plan = None if self.one is None else self.one.plan
        return {"made": self.done, "reason": self.reason, **({} if plan is None else plan.describe())}


SEPARATE = WallChoice(done="separate")


def observe_walls(
    source: Source, engine: Engine, *, asked: str, progress: Tell | None = None
) -> tuple[Observed, WallChoice]:
    """Let an engine see a recording as it will be restored, once it is known what is made of its channels.

    A recording is read once; where its channels are one record it is read again, combined, since the noise map is that
    of the combination.

    Raises:
        AudioError: the source is damaged or absurdly loud.
        SettingsError: walls are asked for and there are not two channels.
    """
    two = source.channels == 2
    if asked not in ("auto", "separate") and not two:
        raise SettingsError(f"The walls of a groove are two channels, and this recording has {source.channels}.")

    def chunks(meter: WallMeter | None) -> Iterator[torch.Tensor]:
        for chunk in through(source.blocks(), to_rate(source, engine.sample_rate, tell=tell)):
            samples = torch.from_numpy(chunk)
            if meter is not None:
                meter.add(samples)
            yield samples

    with threads(1), listening(source, progress) as tell:
        if asked in GAINS:
            choice = WallChoice(done=asked, one=OneRecord(gains=GAINS[asked], plan=None))
            return engine.observe(_combined(source, engine, choice.one)), choice
        if asked == "separate" or not two:
            return engine.observe(chunks(None)), SEPARATE
        meter = WallMeter(sample_rate=engine.sample_rate)
        if asked == "combine":
            for _ in chunks(meter):
                pass
            observed = None
        else:
            observed = engine.observe(chunks(meter))
        plan = plan_of(meter.finish(), sample_rate=engine.sample_rate)
        if observed is not None and (plan.alike or not plan.evidence.one_record):
            return observed, WallChoice(done="separate", reason="" if plan.alike else plan.evidence.reason)
        one = OneRecord(gains=(0.5, 0.5 * plan.polarity), plan=plan)
        choice = WallChoice(done="combine", reason=plan.evidence.reason if asked == "auto" else "", one=one)
        return engine.observe(_combined(source, engine, one)), choice


def _combined(source: Source, engine: Engine, one: OneRecord | None) -> Iterator[torch.Tensor]:
    assert one is not None
    stages = [*to_rate(source, engine.sample_rate), MakeOne(one, sample_rate=engine.sample_rate)]
    for chunk in through(source.blocks(), stages):
        yield torch.from_numpy(chunk)
