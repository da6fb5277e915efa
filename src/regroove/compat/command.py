"""How the original's scripts start and end."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import typer

from regroove.compat.config import read_config
from regroove.errors import RegrooveError

Config = TypeVar("Config")


def run(
    schema: type[Config],
    file: Path,
    work: Callable[[Config], list[str]],
    *,
    usage: str | None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Read the configuration, do the work, print its lines; returns the exit status.

    Every error that a user can act on is one sentence on standard error, and status 2. ``--help`` prints ``usage`` and
    the configuration file, which explains every key.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if {"-h", "--help"} & set(given):
            typer.echo(f"{usage or ''}\n\n{file.read_text(encoding='utf-8')}")
            return 0
        typer.echo("\n".join(work(read_config(schema, file, given))))
    except RegrooveError as error:
        typer.echo(error, err=True)
        return 2
    except OSError as error:
        typer.echo(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.", err=True)
        return 2
    return 0
