"""What was observed of a recording, in a file, for the same engine in another process.

What an observation has in common with its engine, such as a network, is not written: the other engine has its own.
"""

import pickle
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from regroove.restoration.engines.engine import Engine, Observed
from regroove.restoration.settings import RestoreSettings

NAME = "observed.pickle"


def write_observed(folder: Path, observed: Observed, engine: Engine, settings: RestoreSettings) -> None:
    """Write what ``engine``, built with ``settings``, observed.

    Raises:
        TypeError: it cannot be written, being of somebody else's engine.
        OSError: the disk does not allow it.
    """
    if not is_dataclass(observed):
        raise TypeError(f"What the engine {engine.name} observes is no dataclass.")
    engines = {id(value): name for name, value in vars(engine).items()}
    values = {field.name: getattr(observed, field.name) for field in fields(observed)}
    common = {name: engines[id(value)] for name, value in values.items() if id(value) in engines}
    own = {name: value for name, value in values.items() if name not in common}
    try:
        data = pickle.dumps((settings, type(observed), own, common))
    except (pickle.PicklingError, AttributeError) as error:
        raise TypeError(f"What the engine {engine.name} observes cannot be sent ({error}).") from error
    # Who looks for it finds all of it.
    unfinished = folder / f"{NAME}.part"
    unfinished.write_bytes(data)
    unfinished.replace(folder / NAME)


def read_settings(folder: Path) -> RestoreSettings:
    """The settings that the engine was built with.

    Raises:
        OSError: the folder is gone.
    """
    return _read(folder)[0]


def read_observed(folder: Path, engine: Engine) -> Observed:
    """What was observed, for another engine that was built with the same settings.

    Raises:
        OSError: the folder is gone.
    """
    _, kind, own, common = _read(folder)
    return kind(**own, **{name: vars(engine)[attribute] for name, attribute in common.items()})


def _read(folder: Path) -> Any:
    # Its folder can be written by nobody else than the user whose batch it is.
    return pickle.loads((folder / NAME).read_bytes())
