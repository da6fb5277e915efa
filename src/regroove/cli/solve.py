"""``regroove solve``: gaps, clipping, missing samples and other damage than noise."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regroove.cli.messages import note, say
from regroove.cli.progress import restoration_progress

if TYPE_CHECKING:
    from regroove.solve.solver import Solver

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Repair other damage than noise.",
)

_DIFFUSION = "For the method diffusion"


def _readable(source: Path) -> Path:
    """Refuse what is no recording before torch is imported: that takes seconds."""
    from regroove.audio.reader import check_readable
    from regroove.cli.pipes import STANDARD

    if source != STANDARD:
        check_readable(source)
    return source


Source = Annotated[
    Path,
    typer.Argument(metavar="IN", help="WAV, FLAC, AIFF, Ogg or MP3, mono or stereo; - is a pipe.", callback=_readable),
]
Output = Annotated[
    Path, typer.Argument(metavar="OUT", help="The result, in the format of its ending; a receipt is put beside it.")
]
Model = Annotated[str, typer.Option(help="Name of a model, or a checkpoint's path.", rich_help_panel=_DIFFUSION)]
Steps = Annotated[int | None, typer.Option(help="Sampling steps.", rich_help_panel=_DIFFUSION)]
Level = Annotated[
    float | None,
    typer.Option("--noise-level", help="Highest noise level, relative to the RMS.", rich_help_panel=_DIFFUSION),
]
Xi = Annotated[float, typer.Option(help="Weight of the guiding gradient.", rich_help_panel=_DIFFUSION)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=_DIFFUSION)]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.")]
Headroom = Annotated[
    str, typer.Option(metavar="MODE", help="Peaks beyond full scale: auto lowers the whole file, off clips.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing unless it fails.")]


@app.command()
def inpainting(
    source: Source,
    output: Output,
    gap: Annotated[
        list[str] | None,
        typer.Option(metavar="START-END", help="Where a gap is, such as 0:12.3-0:12.35; may be given several times."),
    ] = None,
    method: Annotated[str, typer.Option(help="ar or diffusion.")] = "ar",
    model: Model = "default",
    steps: Steps = None,
    noise_level: Level = None,
    xi: Xi = 0.0,
    device: Device = "auto",
    seed: Seed = 0,
    headroom: Headroom = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Fill gaps; without --gap, runs of digital zeros in the middle of sound."""
    from regroove.solve.prior import PriorSettings
    from regroove.solve.tasks.inpainting import InpaintingSolver

    prior = PriorSettings(model=model, device=device, steps=steps, level=noise_level, xi=xi)
    gaps = [_parse_gap(text) for text in gap] if gap else None
    solver = InpaintingSolver(method=method, gaps=gaps, prior=prior)
    _run(solver, source, output, seed=seed, headroom=headroom, overwrite=overwrite, quiet=quiet)


@app.command()
def declip(
    source: Source,
    output: Output,
    level: Annotated[float | None, typer.Option(help="Where both sides were cut, of a full scale of 1.")] = None,
    method: Annotated[str, typer.Option(help="diffusion, sparse or spline.")] = "diffusion",
    model: Model = "default",
    steps: Steps = None,
    noise_level: Level = None,
    xi: Xi = 0.0,
    device: Device = "auto",
    seed: Seed = 0,
    headroom: Headroom = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Rebuild clipped crests; without --level, where the peaks are flat."""
    from regroove.solve.prior import PriorSettings
    from regroove.solve.tasks.declipping import DeclippingSolver

    prior = PriorSettings(model=model, device=device, steps=steps, level=noise_level, xi=xi)
    solver = DeclippingSolver(method=method, level=level, prior=prior)
    _run(solver, source, output, seed=seed, headroom=headroom, overwrite=overwrite, quiet=quiet)


@app.command()
def sense(
    source: Source,
    output: Output,
    method: Annotated[str, typer.Option(help="auto, ar, sparse, spline or diffusion.")] = "auto",
    model: Model = "default",
    steps: Steps = None,
    noise_level: Level = None,
    xi: Xi = 0.0,
    device: Device = "auto",
    seed: Seed = 0,
    headroom: Headroom = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Fill in a random share of missing samples, which are exact zeros (compressive sensing)."""
    from regroove.solve.prior import PriorSettings
    from regroove.solve.tasks.sensing import SensingSolver

    prior = PriorSettings(model=model, device=device, steps=steps, level=noise_level, xi=xi)
    _run(
        SensingSolver(method=method, prior=prior),
        source,
        output,
        seed=seed,
        headroom=headroom,
        overwrite=overwrite,
        quiet=quiet,
    )


@app.command()
def extend(
    source: Source,
    output: Output,
    cutoff: Annotated[float | None, typer.Option(metavar="HZ", help="Where the recording's band ends.")] = None,
    method: Annotated[str, typer.Option(help="replicate or diffusion.")] = "replicate",
    model: Model = "default",
    steps: Steps = None,
    noise_level: Level = None,
    xi: Xi = 0.0,
    device: Device = "auto",
    seed: Seed = 0,
    headroom: Headroom = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Add overtones above the band; without --cutoff, where the spectrum ends."""
    from regroove.solve.prior import PriorSettings
    from regroove.solve.tasks.extension import ExtensionSolver

    prior = PriorSettings(model=model, device=device, steps=steps, level=noise_level, xi=xi)
    solver = ExtensionSolver(method=method, cutoff=cutoff, prior=prior)
    _run(solver, source, output, seed=seed, headroom=headroom, overwrite=overwrite, quiet=quiet)


@app.command()
def retrieve(
    source: Source,
    output: Output,
    window: Annotated[int, typer.Option(help="Samples in a window of the spectrogram.")] = 1024,
    hop: Annotated[int, typer.Option(help="Samples from window to window.")] = 256,
    iterations: Annotated[int, typer.Option(help="Of the Griffin-Lim algorithm.")] = 100,
    method: Annotated[str, typer.Option(help="griffin-lim or diffusion.")] = "griffin-lim",
    model: Model = "default",
    steps: Steps = None,
    noise_level: Level = None,
    xi: Xi = 0.0,
    device: Device = "auto",
    seed: Seed = 0,
    headroom: Headroom = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find new phases for the magnitudes of a recording's spectrogram."""
    from regroove.solve.prior import PriorSettings
    from regroove.solve.tasks.retrieval import RetrievalSolver

    prior = PriorSettings(model=model, device=device, steps=steps, level=noise_level, xi=xi)
    solver = RetrievalSolver(method=method, n_fft=window, hop=hop, iterations=iterations, prior=prior)
    _run(solver, source, output, seed=seed, headroom=headroom, overwrite=overwrite, quiet=quiet)


@app.command()
def generate(
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A recording: its spectrum, level and length are used.", callback=_readable),
    ],
    output: Output,
    model: Model = "default",
    steps: Steps = None,
    noise_level: Level = None,
    xi: Xi = 0.0,
    device: Device = "auto",
    seed: Seed = 0,
    headroom: Headroom = "auto",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Draw a sample of the prior in the likeness of a recording."""
    from regroove.solve.prior import PriorSettings
    from regroove.solve.tasks.generation import GenerationSolver

    prior = PriorSettings(model=model, device=device, steps=steps, level=noise_level, xi=xi)
    solver = GenerationSolver(prior=prior)
    _run(solver, source, output, seed=seed, headroom=headroom, overwrite=overwrite, quiet=quiet)


def _parse_gap(text: str) -> tuple[float, float]:
    from regroove.errors import SettingsError
    from regroove.restoration.settings import parse_region

    try:
        return parse_region(text)
    except SettingsError as error:
        raise SettingsError(str(error).replace("noise region", "gap")) from error


def _run(
    solver: "Solver", source: Path, output: Path, *, seed: int, headroom: str, overwrite: bool, quiet: bool
) -> None:
    from regroove.cli.pipes import incoming, outgoing
    from regroove.solve.files import solve_file

    with incoming(source) as reader, outgoing(output, reader) as target:
        piped = target != output
        with restoration_progress(quiet=quiet) as progress:
            done = solve_file(
                solver,
                reader,
                target,
                seed=seed,
                headroom=headroom,
                receipt=not piped,
                overwrite=overwrite,
                progress=progress,
            )
    if quiet:
        return
    for sentence in done.notes:
        note(sentence)
    if piped:
        return
    for channel, found in enumerate(done.found, start=1):
        say(f"Channel {channel}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items()))
    for role, path in done.paths.items():
        say(f"{role.capitalize():<9} {path}")
    say(f"{done.audio_seconds:.1f} s of audio in {done.seconds:.1f} s.")
