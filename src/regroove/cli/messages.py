"""Messages of commands: characters that the terminal lacks are escaped, and a lost message spoils no file."""

import sys
from typing import TextIO


class MessageLostError(Exception):
    """A message could not be written; all files are complete."""


def say(text: str) -> None:
    """Print a line on standard output.

    Raises:
        MessageLostError: it is closed or full.
    """
    _print(text, sys.stdout)


def note(text: str) -> None:
    """Print a line on standard error.

    Raises:
        MessageLostError: it is closed or full.
    """
    _print(text, sys.stderr)


def prepare_streams() -> None:
    """Letters that the terminal's encoding lacks become escapes instead of errors."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def flush_streams() -> None:
    """Flush standard output and standard error.

    Raises:
        MessageLostError: something did not go out; the rest of it is thrown away, so that Python does not try again.
    """
    lost = False
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            lost = True
            _silence(stream)
    if lost:
        raise MessageLostError


def _print(text: str, stream: TextIO) -> None:
    try:
        print(text, file=stream)
    except (OSError, ValueError) as error:
        raise MessageLostError from error


def _silence(stream: TextIO) -> None:
    import os

    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
