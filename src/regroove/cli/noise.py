"""``regroove noise``: what is known about the noise of a recording, before anything is restored."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from regroove.cli.messages import note, say
from regroove.cli.progress import check_progress, restoration_progress

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.command()
def noise(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="WAV, FLAC, AIFF, Ogg or MP3; - is a pipe.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    picture: Annotated[Path | None, typer.Option(metavar="PNG", help="Also draw it, a PNG picture.")] = None,
    noise_region: Annotated[
        str | None,
        typer.Option(metavar="START-END", help="Where there is noise alone, as for restore; else it is looked for."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that exists already.")] = False,
    progress: Annotated[
        str, typer.Option(metavar="MODE", help="auto, or json: a line of JSON a second on standard error.")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes, no progress but --progress json.")] = False,
) -> None:
    """Describe the noise of a recording: states of the side, where noise was found, its confidence and spectrum."""
    from regroove.cli.pipes import incoming
    from regroove.restoration.results.outputs import check_outputs
    from regroove.restoration.settings import parse_region

    check_progress(progress)
    region = parse_region(noise_region) if noise_region is not None else None
    trouble: list[str] = []
    with ExitStack() as stack:
        reader = stack.enter_context(incoming(source))
        check_outputs(reader.path, {"picture": picture} if picture else {}, overwrite=overwrite)
        # All that can be refused is, before torch is imported: that takes seconds.
        from regroove.noise.describe.text import describe_in_words
        from regroove.noise.describe.warnings import warnings_of
        from regroove.pending import PendingFile
        from regroove.restoration.listening import listen
        from regroove.restoration.results.noise_picture import draw_noise
        from regroove.restoration.results.pictures import try_picture

        pending = stack.enter_context(PendingFile(picture, overwrite=overwrite)) if picture else None
        with restoration_progress(quiet=quiet, mode=progress) as told:
            heard = listen(reader, region=region, picture=picture is not None, progress=told)
        description, spectrogram = heard.description, heard.spectrogram
        if pending and spectrogram is not None:
            trouble = try_picture(
                pending,
                lambda path: draw_noise(path, reader.info, description.found, spectrogram),
                what="The picture",
            )
    walls = heard.walls
    if as_json:
        values = {**description.as_json(), "walls": None if walls is None else walls.as_json()}
        say(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        say(describe_in_words(description))
        if walls is not None:
            say(f"{'One record':<11} {'yes' if walls.one_record else 'no'}: {walls.reason}")
    warnings = [] if quiet else [*reader.info.notes, *warnings_of(description.found, quiet=description.quiet)]
    for sentence in [*warnings, *trouble]:
        note(sentence)
    if trouble:
        raise typer.Exit(1)
