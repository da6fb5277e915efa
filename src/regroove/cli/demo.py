"""``regroove demo``: restore the bundled recording and say where the results are."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from regroove.cli.messages import say
from regroove.cli.progress import restoration_progress
from regroove.cli.restore import print_restoration

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)
EXAMPLE = Path(__file__).parents[1] / "examples" / "noisy-78.flac"


@app.command()
def demo(folder: Annotated[Path, typer.Argument(help="Where the results go; made if it is not there.")]) -> None:
    """Restore the bundled recording: 24 s of piano as a worn 1930s record would give it back."""
    from regroove.errors import AudioError
    from regroove.restoration.restorer import Restorer

    noisy = folder / EXAMPLE.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(EXAMPLE, noisy)
    except OSError as error:
        raise AudioError(f"{folder} cannot be written to ({error.strerror}).") from error
    with restoration_progress(quiet=False) as progress:
        done = Restorer().restore_file(
            noisy,
            folder / "restored.flac",
            residual=folder / "removed.flac",
            report=folder / "before-after.png",
            overwrite=True,
            progress=progress,
        )
    say(f"Noisy     {noisy}")
    print_restoration(done)
