"""The listening test as one static page: clips inside, results saved by the browser as a CSV file."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from regroove.evaluation.clip_files import write_bytes
from regroove.evaluation.pages.page_parts import encoded_clips, page
from regroove.evaluation.run.listening_trials import Trial


def write_mushra(trials: Sequence[Trial], folder: Path) -> Path:
    """Write ``index.html``, which needs nothing else, and return its path.

    Condition names are not readable in the page by eye: they are encoded and only written into the results.

    Raises:
        AudioError: the page cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = json.dumps([_packed(trial) for trial in trials]).replace("<", "\\u003c")
    path = folder / "index.html"
    text = page("listening-test.html", title="Listening test", script="listening-test.js", data=Markup(data))
    write_bytes(path, text.encode())
    return path


def _packed(trial: Trial) -> dict[str, object]:
    clips = encoded_clips(trial.conditions, sample_rate=trial.sample_rate)
    conditions = [{"key": base64.b64encode(name.encode()).decode(), "audio": clip} for name, clip in clips.items()]
    return {"name": base64.b64encode(trial.name.encode()).decode(), "conditions": conditions}
