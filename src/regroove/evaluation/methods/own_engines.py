"""This package's own engines as methods: any engine, model and setting, with the noise marked or found."""

import math
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import soundfile

from regroove.errors import RegrooveError, SettingsError
from regroove.evaluation.metrics.signals import Samples
from regroove.evaluation.specs import Spec, number, refuse_unknown
from regroove.restoration.engines.table import ENGINES
from regroove.restoration.settings import CommonSettings, RestoreSettings


def _switch(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "on")


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    return float(low), float(high or low)


_BY_TYPE: dict[Any, Callable[[str], Any]] = {str: str, Path: Path, float: float, int: int, bool: _switch, tuple: _range}


def _reader(hint: Any) -> Callable[[str], Any]:
    """How text becomes a value of a type, or of one of several of which None is another."""
    kinds = [kind for kind in get_args(hint) if kind is not type(None)] if get_origin(hint) is UnionType else [hint]
    return _BY_TYPE[get_origin(kinds[0]) or kinds[0]]


# Every setting of the engines; a region is marked by the clip.
_READERS: dict[str, Callable[[str], Any]] = {
    name: _reader(hint)
    for kind in (CommonSettings, *(entry.settings for entry in ENGINES.values()))
    for name, hint in get_type_hints(kind).items()
    if name not in ("engine", "noise_region")
}
# Not settings of a restoration: how much of a clip it gets, and whether it must find the noise by itself.
_OWN_OPTIONS = {"seconds", "find", "lead"}

# Minutes of work for a second of audio: a longer clip would stop the whole run.
_SCORED_SECONDS = {"cqtdiff": 1.4}


class Regroove:
    """An engine with its settings, for example ``matched:model=runs/a.safetensors:steps=4`` or ``wiener``.

    Where no noise stands alone there is nothing to mark, so it is found.

    Options are those of a restoration, ``seconds`` (score that much music only), ``find=1`` (the noise is found
    by the engine instead of being marked) and ``lead`` (with ``find=1``: so many seconds of noise in front at most, 0
    for a recording that begins with music).
    """

    def __init__(self, spec: Spec) -> None:
        refuse_unknown(spec, {*_READERS, *_OWN_OPTIONS})
        self.spec, self.engine, options = spec.text, spec.name, spec.options
        self.find = _switch(options.get("find", "0"))
        self.most_lead = number(spec, "lead", math.inf)
        if "lead" in options and not self.find:
            raise SettingsError(f"Option lead of method {spec.text!r} needs find=1: without, the noise is marked.")
        seconds = number(spec, "seconds", _SCORED_SECONDS.get(self.engine, 0.0))
        self.max_seconds = seconds or None
        self.settings = {key: _read(spec.text, key, text) for key, text in options.items() if key in _READERS}
        self.description = f"this package: {spec.text}"

    def missing(self) -> str | None:
        """A model that cannot be loaded is the reason."""
        if self.engine == "wiener":
            return None
        try:
            self._weights()
        except RegrooveError as error:
            return str(error)
        return None

    @cache  # noqa: B019 - methods live as long as the process
    def _weights(self) -> str:
        from regroove.networks.checkpoints import load_model

        return load_model(RestoreSettings(engine=self.engine, **self.settings).own.chosen_model).sha256

    def restore(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        if self.engine == "cqtdiff":
            return self._guided(noisy, sample_rate=sample_rate, lead=lead)
        region = None if self.find or not lead else (0.0, lead / sample_rate)
        withheld = max(lead - int(min(self.most_lead, lead) * sample_rate), 0)
        restored = self._restorer(region)(noisy[withheld:], sample_rate=sample_rate)
        return np.concatenate([noisy[:withheld], np.asarray(restored, dtype=np.float64)])

    def _guided(self, noisy: Samples, *, sample_rate: int, lead: int) -> Samples:
        """The reference engine; its noise set is the same stretch of noise at its own gain, unless set."""
        from regroove.restoration.restorer import Restorer

        with tempfile.TemporaryDirectory() as folder:
            marked: dict[str, Any] = {}
            if lead and not self.find and not {"noise_set", "noise_mode"} & set(self.settings):
                noise = noisy[:lead]
                soundfile.write(Path(folder) / "lead-in.wav", noise, sample_rate, subtype="FLOAT")
                gain = float(np.sqrt(np.mean(np.square(noise))))
                marked = {"noise_set": Path(folder), "noise_mode": "fixed-gain", "noise_gain": gain}
            restored = Restorer(engine=self.engine, **(marked | self.settings))(noisy, sample_rate=sample_rate)
        return np.asarray(restored, dtype=np.float64)

    @cache  # noqa: B019 - methods live as long as the process, and a restorer keeps its loaded model
    def _restorer(self, region: tuple[float, float] | None) -> Any:
        from regroove.restoration.restorer import Restorer

        return Restorer(engine=self.engine, noise_region=region, **self.settings)

    def fingerprint(self) -> str:
        model = "" if self.engine == "wiener" else self._weights()
        listener = "" if self.engine == "cqtdiff" else _listener()
        return f"{self.spec} {model} {listener}"


def _listener() -> str:
    from regroove.networks.checkpoints import load_model

    return load_model("noise").sha256


def _read(spec: str, key: str, text: str) -> Any:
    try:
        return _READERS[key](text)
    except ValueError:
        raise SettingsError(f"Option {key} of method {spec!r} cannot be {text!r}.") from None
