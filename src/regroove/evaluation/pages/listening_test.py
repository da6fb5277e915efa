"""The listening test as one static page: clips inside, results saved by the browser as a CSV file."""

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

from regroove.evaluation.clip_files import encode, write_bytes
from regroove.evaluation.pages.mushra_script import SCRIPT
from regroove.evaluation.pages.page_parts import page
from regroove.evaluation.run.listening_trials import Trial

INSTRUCTIONS = (
    "Rate how good each version sounds compared with the reference, from 0 to 100. One of them is the reference itself "
    "and should get 100. Use headphones, set the volume with the reference, and listen as often as you like; all "
    "versions run on one clock. Versions and trials come in random order."
)


def write_mushra(trials: Sequence[Trial], folder: Path) -> Path:
    """Write ``index.html``, which needs nothing else, and return its path.

    Condition names are not readable in the page by eye: they are encoded and only written into the results.

    Raises:
        AudioError: the page cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps([_packed(trial) for trial in trials]).replace("<", "\\u003c")
    body = [
        "<h1>Listening test</h1>",
        f"<p>{html.escape(INSTRUCTIONS)}</p>",
        '<p><label>Your name or number: <input id="listener" autocomplete="off"></label></p>',
        '<p id="where" role="status"></p><div id="trial"></div>',
        '<p><button type="button" id="next">Begin</button></p>',
        f'<script id="data" type="application/json">{data}</script>',
    ]
    path = folder / "index.html"
    write_bytes(path, page("Listening test", body, script=SCRIPT).encode())
    return path


def _packed(trial: Trial) -> dict[str, object]:
    # One gain for all conditions of a trial, so that levels stay comparable and nothing clips.
    loudest = max(float(abs(audio).max(initial=0.0)) for audio in trial.conditions.values())
    turn = min(1.0, 0.99 / loudest) if loudest > 0 else 1.0
    conditions = [
        {
            "key": base64.b64encode(name.encode()).decode(),
            "audio": base64.b64encode(encode(audio * turn, sample_rate=trial.sample_rate)).decode(),
        }
        for name, audio in trial.conditions.items()
    ]
    return {"name": base64.b64encode(trial.name.encode()).decode(), "conditions": conditions}
