"""Names of files as text that a terminal, a table and a page can show: names may be any bytes."""

import os
from pathlib import Path


def shown(path: str | Path) -> str:
    """A path in one line of text: line breaks and bytes that are no UTF-8 become escapes.

    >>> shown("side\\n1.wav"), shown(os.fsdecode(b"na\\xefve.wav"))
    ('side\\\\n1.wav', 'na\\\\xefve.wav')
    """
    text = os.fsencode(path).decode("utf-8", errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
