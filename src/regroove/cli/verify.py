"""``regroove verify``: is all that a batch made still as it was made?"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regroove.cli.messages import note, say

if TYPE_CHECKING:
    from regroove.archive.verify.check import Verification

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a batch.")],
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="Restore so many again; they must give the same bytes.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Which ones are restored again.")] = 0,
    premis: Annotated[
        Path | None, typer.Option(metavar="XML", help="Also write the files' history as PREMIS 3.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")] = False,
) -> None:
    """Compare a batch's outputs with its journal and receipts. Exit code 1: something is wrong, which is named."""
    from regroove.archive.verify.check import verify_folder
    from regroove.archive.verify.premis import write_premis

    with _progress(quiet) as advance:
        result = verify_folder(folder.absolute(), sample=sample, seed=seed, advance=advance)
    if premis is not None:
        write_premis(folder.absolute(), result, premis)
    for sentence in result.problems:
        note(sentence)
    if not quiet:
        _say(result)
    if result.problems:
        raise typer.Exit(1)


def _say(result: "Verification") -> None:
    from regroove.archive.sources.output_names import shown

    for name, why in result.unfinished:
        note(f"{shown(name)} is not done: {shown(why)}")
    if result.other_version:
        note(f"{result.other_version} of the sample were made by another version, which may give other bytes.")
    say(f"{result.done} done, {len(result.wrong)} of them wrong; {len(result.unfinished)} not done.")
    if result.gone:
        say(f"{result.gone} recordings are not there any more to compare with.")
    if result.sampled:
        say(f"{result.sampled} were restored again.")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bars:
        task = bars.add_task("Checking", total=None)
        yield lambda done, files: bars.update(task, completed=done, total=files)
