"""The root command: its table of subcommands, and how errors and signals end it.

A subcommand's module is imported when it is called, never for ``--help``.
"""

import signal
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import regroove
from regroove.cli.messages import MessageLostError, flush_streams, prepare_streams
from regroove.cli.numbers import with_finite_numbers
from regroove.errors import RegrooveError
from regroove.memory import keep_freed_memory

# Name, module (with a Typer called ``app``) and the line in the list of commands.
COMMANDS = {
    "restore": ("regroove.cli.restore", "Restore a recording."),
    "combine": ("regroove.cli.combine", "Combine several transfers of one performance."),
    "batch": ("regroove.cli.batch", "Restore a collection."),
    "review": ("regroove.cli.review", "Write the page on which a batch is listened to."),
    "verify": ("regroove.cli.verify", "Check the outputs of a batch."),
    "noise": ("regroove.cli.noise", "Describe the noise of a recording."),
    "solve": ("regroove.cli.solve", "Repair gaps, clipping and other damage than noise."),
    "demo": ("regroove.cli.demo", "Restore the bundled recording."),
    "degrade": ("regroove.cli.degrade", "Add record noise to a clean recording."),
    "evaluate": ("regroove.cli.evaluate", "Measure methods on a suite of recordings."),
    "model": ("regroove.cli.model", "List, show and convert models."),
    "train": ("regroove.cli.train", "Train models."),
}


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (module, summary) in COMMANDS.items():
            if find_spec(module):
                self.add_command(TyperCommand(name, help=summary), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Replace the placeholder of the command that was asked for by the command itself."""
        name = args[0]
        if name in self.commands and name in COMMANDS:
            module = import_module(COMMANDS[name][0])
            self.add_command(with_finite_numbers(typer.main.get_command(module.app)), name)
        return super().resolve_command(ctx, args)


# Typer carries its own copy of click, or uses click, depending on its version.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"regroove {regroove.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Restores historical music recordings with a diffusion prior."""


# A closed terminal (SIGHUP) ends it as a wish of the system (SIGTERM) does; Windows has no such signal.
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def _end_cleanly(number: int, frame: object) -> None:
    """Unwind the stack, so that unfinished files are removed; a second signal cannot disturb that."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def run() -> None:
    """Run the command line; exits with 2 and one sentence for every error that a user can act on."""
    for each in _ENDING:
        # A process that is to outlive its terminal (nohup) goes on.
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _end_cleanly)
    prepare_streams()
    keep_freed_memory()
    try:
        code = app(prog_name="regroove", standalone_mode=False)
        flush_streams()
    except MessageLostError:
        with suppress(MessageLostError):
            flush_streams()
        sys.exit(1)
    except RegrooveError as error:
        sys.exit(_fail(str(error)))
    except _UsageError as error:
        sys.exit(_fail_usage(error))
    except OSError as error:
        where = error.filename or "A file"
        sys.exit(_fail(f"{where} cannot be used: {(error.strerror or str(error)).lower()}."))
    except MemoryError:
        sys.exit(_fail("There is not enough memory for this."))
    sys.exit(code if isinstance(code, int) else 0)


def _fail(sentence: str) -> int:
    print(f"regroove: {sentence}", file=sys.stderr)
    return 2


def _fail_usage(error: Any) -> int:
    message = error.format_message().strip()
    # Without any arguments the help is the message, or has been printed already.
    if not message or len(message.splitlines()) > 1:
        print(message, end="\n" if message else "", file=sys.stderr)
        return 2
    command = error.ctx.command_path if error.ctx else "regroove"
    return _fail(f"{message.rstrip('.')} (see {command} --help).")
