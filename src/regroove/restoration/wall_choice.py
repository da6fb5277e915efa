"""The two channels of a recording as walls of one groove: whether they are, and what is made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from regroove.audio.source import Source
from regroove.errors import SettingsError
from regroove.restoration.engines.engine import Engine, Observed
from regroove.restoration.progress import Tell
from regroove.restoration.stages.run_engine import threads
from regroove.restoration.stages.stage import through
from regroove.restoration.stream import listening, observe, to_rate
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
        return [] if self.one is None else [self.in_words()]

    def in_words(self) -> str:
        """The choice and its reason."""
        what = {
            "separate": "Each channel was restored by itself",
            "combine": "The channels are the walls of one record, and were combined",
            "left": "The left channel was restored, for both",
            "right": "The right channel was restored, for both",
            "sum": "The sum of the channels was restored, for both",
            "vertical": "The difference of the channels was restored, for both",
        }[self.done]
        return f"{what}. {self.reason}".strip()

    def describe(self) -> dict[str, object]:
        """What a receipt says (JSON-ready)."""
        plan = None if self.one is None else self.one.plan
        return {"made": self.done, "reason": self.reason, **({} if plan is None else plan.describe())}


SEPARATE = WallChoice(done="separate")


def observe_walls(
    source: Source, engine: Engine, *, asked: str, progress: Tell | None, again: Callable[[], Tell | None]
) -> tuple[Observed, WallChoice]:
    """Let an engine see a recording as it will be restored, once it is known what is made of its channels.

    A recording is read once; where its channels are one record it is read again, combined, since the noise map is that
    of the combination.

    Args:
        asked: one of the choices.
        progress: gets the share of the first reading that is done.
        again: called when a second one begins; gives what gets the share of that.

    Raises:
        AudioError: the source is damaged or absurdly loud.
        SettingsError: walls are asked for and there are not two channels.
    """
    two = source.channels == 2
    if asked not in ("auto", "separate") and not two:
        raise SettingsError(f"The walls of a groove are two channels, and this recording has {source.channels}.")

    if asked in GAINS:
        one = OneRecord(gains=GAINS[asked], plan=None)
        return observe(source, engine, one=one, progress=progress), WallChoice(done=asked, one=one)
    if asked == "separate" or not two:
        return observe(source, engine, progress=progress), SEPARATE
    meter = WallMeter(sample_rate=engine.sample_rate)
    with threads(1), listening(source, progress) as tell:
        heard = _heard(source, engine, meter, tell)
        if asked == "combine":
            for _ in heard:
                pass
        else:
            observed = engine.observe(heard)
        plan = plan_of(meter.finish(), sample_rate=engine.sample_rate)
    if asked == "auto" and (plan.alike or not plan.evidence.one_record):
        return observed, WallChoice(done="separate", reason="" if plan.alike else plan.evidence.reason)
    one = OneRecord(gains=(0.5, 0.5 * plan.polarity), plan=plan)
    choice = WallChoice(done="combine", reason=plan.evidence.reason if asked == "auto" else "", one=one)
    return observe(source, engine, one=one, progress=again()), choice


def _heard(source: Source, engine: Engine, meter: WallMeter, tell: Tell | None) -> Iterator[torch.Tensor]:
    """The chunks of a recording, which a meter hears too."""
    for chunk in through(source.blocks(), to_rate(source, engine.sample_rate, tell=tell)):
        samples = torch.from_numpy(chunk)
        meter.add(samples)
        yield samples
