"""Every number from a command line is finite: checked for all commands in one place."""

from typing import Any

from regroove.finite import refuse_odd_numbers


def with_finite_numbers(command: Any) -> Any:
    """The command, which now refuses numbers that are not finite before it is called; so do all under it."""
    for inner in getattr(command, "commands", {}).values():
        with_finite_numbers(inner)
    given = command.callback
    if given is not None:

        def checked(**parameters: Any) -> Any:
            refuse_odd_numbers(parameters)
            return given(**parameters)

        command.callback = checked
    return command
