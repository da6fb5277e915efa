"""One clip restored by one method, as a value that can be written and read again."""

import json
from dataclasses import asdict, dataclass, field

from regroove.evaluation.cases.suites import Case
from regroove.evaluation.run.cost import Cost


@dataclass(frozen=True, kw_only=True)
class Row:
    """Scores of one method on one case; ``failure`` is the sentence with which it failed, if it did.

    ``seconds`` is the music that was scored. ``traceback`` is that of an error in the method's or a metric's own code.
    It and ``cost``, which belongs to the machine, take no part in equality.
    """

    case: Case
    method: str
    seconds: float
    scores: dict[str, float] = field(default_factory=dict)
    verdicts: tuple[str, ...] = ()
    failure: str = ""
    cost: Cost | None = field(default=None, compare=False)
    traceback: str = field(default="", compare=False)

    def to_json(self) -> str:
        """The row as one line of JSON, which :func:`row_from_json` reads."""
        return json.dumps(asdict(self), sort_keys=True)


def row_from_json(text: str) -> Row:
    """Read what :meth:`Row.to_json` wrote.

    >>> row = Row(case=Case(name="a", clean="a.wav"), method="untouched", seconds=8.5, scores={"lsd": 1.25})
    >>> row_from_json(row.to_json()) == row
    True
    """
    values = json.loads(text)
    values["case"] = Case(**values["case"])
    values["verdicts"] = tuple(values["verdicts"])
    values["cost"] = Cost(**values["cost"]) if values["cost"] else None
    return Row(**values)
