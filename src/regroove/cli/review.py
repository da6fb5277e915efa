"""``regroove review``: the page on which a batch is listened to."""

from pathlib import Path
from typing import Annotated

import typer

from regroove.cli.messages import say

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.command()
def review(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a batch.")]) -> None:
    """Write DIR/review.html: every recording with its flags, to be heard and marked.

    `regroove batch --marks` takes the marks that the page saves.
    """
    from regroove.archive.review.from_journal import write_review_of
    from regroove.archive.sources.output_names import shown

    say(f"Open {shown(write_review_of(folder.absolute()))} in a browser.")
