"""The methods that are compared: one explicit table, and those of other people.

A method is ``name`` or ``name:option=value:option=value``, for example ``matched:steps=4:model=runs/b.safetensors``;
one that somebody else wrote is the name of its entry point in the group ``regroove.methods``, or
``package.module:Class``. Every method gets the noisy clip with its first seconds, which are noise alone, marked.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import cast

from regroove.errors import SettingsError
from regroove.evaluation.methods.method import Method
from regroove.evaluation.methods.plugged_method import plugged_method
from regroove.evaluation.specs import Spec, read_spec
from regroove.plugins import load

METHOD_GROUP = "regroove.methods"

# Where the class of a name is: each takes the method's ``Spec``.
METHODS = {
    "untouched": "regroove.evaluation.methods.peers:Untouched",
    "wiener": "regroove.evaluation.methods.own_engines:Regroove",
    "sox": "regroove.evaluation.methods.peers:Sox",
    "ffmpeg": "regroove.evaluation.methods.peers:Ffmpeg",
    "noisereduce": "regroove.evaluation.methods.peers:NoiseReduce",
    "matched": "regroove.evaluation.methods.own_engines:Regroove",
    "cqtdiff": "regroove.evaluation.methods.own_engines:Regroove",
    "broken": "regroove.evaluation.methods.broken:Broken",
}

DEFAULT_METHODS = ("untouched", "wiener", "sox", "ffmpeg", "noisereduce", "matched")


@lru_cache(maxsize=32)
def build_method(text: str) -> Method:
    """Build a method from its text; the same text gives the same object, so models are loaded once.

    Raises:
        SettingsError: the name or an option is unknown or malformed, or somebody else's method is not usable.

    >>> build_method("untouched").description
    'the input as it is'
    """
    spec = read_spec(text, kind="method", known=METHODS)
    if spec.name in METHODS:
        return cast(Callable[[Spec], Method], load(METHOD_GROUP, METHODS[spec.name]))(spec)
    theirs = load(METHOD_GROUP, spec.name)
    if theirs is None:
        raise SettingsError(
            f"Unknown method {spec.name!r}: choose from {', '.join(METHODS)}, or give package.module:Class."
        )
    return plugged_method(spec, theirs)
