"""Parts of other people's: an entry point's name, or ``package.module:Name``.

What a module of theirs raises later, when it is used, is nobody's business here: it goes on as it is.
"""

import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from regroove.errors import SettingsError


def load(group: str, name: str) -> object | None:
    """The object that ``name`` stands for; None where it is no entry point of the group and has no colon.

    Modules in the working folder are found too. The exception of a module that fails stays the error's cause.

    Args:
        group: of entry points, such as ``regroove.engines``.
        name: that of an entry point, or ``package.module:Name``.

    Raises:
        SettingsError: there is no such module, it cannot be imported, or it does not have the name.

    >>> load("regroove.engines", "collections:OrderedDict")
    <class 'collections.OrderedDict'>
    >>> load("regroove.engines", "nothing")
    >>> load("regroove.engines", "collections:Nothing")
    Traceback (most recent call last):
    regroove.errors.SettingsError: collections:Nothing cannot be used: the module collections has no Nothing.
    """
    if ":" not in name:
        entry = next(iter(entry_points(group=group, name=name)), None)
        return None if entry is None else load(group, entry.value)
    home, _, attribute = name.partition(":")
    try:
        found = _module(home)
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise SettingsError(f"{name} cannot be used: importing {home} failed ({reason}).") from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise SettingsError(f"{name} cannot be used: the module {home} has no {attribute}.")
        found = getattr(found, part)
    return found


def _module(name: str) -> object:
    """A module, as ``python -m`` finds it: the working folder comes last here, so that it hides nothing."""
    folder = str(Path.cwd())
    sys.path.append(folder)
    try:
        return import_module(name)
    finally:
        sys.path.remove(folder)
