"""The command line: thin commands over the library."""


def main() -> None:
    """Run the command line, the entry point of ``regroove`` and ``python -m regroove``."""
    from regroove.cli.main import run

    run()
