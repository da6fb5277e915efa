"""``regroove solve``: gaps, clipping, missing samples and other damage than noise."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from regroove.cli.messages import note, say
from regroove.cli.progress import check_progress, restoration_progress

if TYPE_CHECKING:
    from regroove.solve.prior import PriorSettings
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


def _arguments(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="WAV, FLAC, AIFF, Ogg or MP3, mono or stereo; - is a pipe.", callback=_readable
        ),
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="The result, in the format of its ending; a receipt is put beside it.")
    ],
) -> None:
    """What every task begins with."""


def _options(
    model: Annotated[
        str, typer.Option(help="Name of a model, or a checkpoint's path.", rich_help_panel=_DIFFUSION)
    ] = "default",
    steps: Annotated[int | None, typer.Option(help="Sampling steps.", rich_help_panel=_DIFFUSION)] = None,
    noise_level: Annotated[
        float | None, typer.Option(help="Highest noise level, relative to the RMS.", rich_help_panel=_DIFFUSION)
    ] = None,
    xi: Annotated[float, typer.Option(help="Weight of the guiding gradient.", rich_help_panel=_DIFFUSION)] = 0.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=_DIFFUSION)] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 0,
    headroom: Annotated[
        str, typer.Option(metavar="MODE", help="Peaks beyond full scale: auto lowers the whole file, off clips.")
    ] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist already.")] = False,
    progress: Annotated[
        str, typer.Option(metavar="MODE", help="auto, or json: a line of JSON a second on standard error.")
    ] = "auto",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing unless it fails, but --progress json.")
    ] = False,
) -> None:
    """What every task ends with."""


def _task(build: Callable[..., "Solver"]) -> Callable[..., "Solver"]:
    """Make a command of a function from a task's own options, and the prior's settings, to its solver."""
    own = [p for name, p in inspect.signature(build).parameters.items() if name != "prior"]
    first, last = (list(inspect.signature(part).parameters.values()) for part in (_arguments, _options))

    def command(**given: Any) -> None:
        from regroove.solve.prior import PriorSettings

        prior = PriorSettings(level=given["noise_level"], **{k: given[k] for k in ("model", "device", "steps", "xi")})
        solver = build(prior=prior, **{p.name: given[p.name] for p in own})
        names = ("source", "output", "seed", "headroom", "overwrite", "progress", "quiet")
        _run(solver, **{k: given[k] for k in names})

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*first, *own, *last)]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    hints = {name: hint for part in (_arguments, _options) for name, hint in _hints(part).items()}
    command.__annotations__ = hints | {p.name: p.annotation for p in own}
    command.__doc__ = build.__doc__
    app.command(name=build.__name__)(command)
    return build


def _hints(function: Callable[..., object]) -> dict[str, Any]:
    hints = get_type_hints(function, include_extras=True)
    hints.pop("return", None)
    return hints


@_task
def inpainting(
    prior: "PriorSettings",
    gap: Annotated[
        list[str] | None,
        typer.Option(metavar="START-END", help="Where a gap is, such as 0:12.3-0:12.35; may be given several times."),
    ] = None,
    method: Annotated[str, typer.Option(help="ar or diffusion.")] = "ar",
) -> "Solver":
    """Fill gaps; without --gap, runs of digital zeros in the middle of sound."""
    from regroove.solve.tasks.inpainting import InpaintingSolver

    gaps = [_parse_gap(text) for text in gap] if gap else None
    return InpaintingSolver(method=method, gaps=gaps, prior=prior)


@_task
def declip(
    prior: "PriorSettings",
    level: Annotated[float | None, typer.Option(help="Where both sides were cut, of a full scale of 1.")] = None,
    method: Annotated[str, typer.Option(help="diffusion, sparse or spline.")] = "diffusion",
) -> "Solver":
    """Rebuild clipped crests; without --level, where the peaks are flat."""
    from regroove.solve.tasks.declipping import DeclippingSolver

    return DeclippingSolver(method=method, level=level, prior=prior)


@_task
def sense(
    prior: "PriorSettings",
    method: Annotated[str, typer.Option(help="auto, ar, sparse, spline or diffusion.")] = "auto",
) -> "Solver":
    """Fill in a random share of missing samples, which are exact zeros (compressive sensing)."""
    from regroove.solve.tasks.sensing import SensingSolver

    return SensingSolver(method=method, prior=prior)


@_task
def extend(
    prior: "PriorSettings",
    cutoff: Annotated[float | None, typer.Option(metavar="HZ", help="Where the recording's band ends.")] = None,
    method: Annotated[str, typer.Option(help="replicate or diffusion.")] = "replicate",
) -> "Solver":
    """Add overtones above the band; without --cutoff, where the spectrum ends."""
    from regroove.solve.tasks.extension import ExtensionSolver

    return ExtensionSolver(method=method, cutoff=cutoff, prior=prior)


@_task
def retrieve(
    prior: "PriorSettings",
    window: Annotated[int, typer.Option(help="Samples in a window of the spectrogram.")] = 1024,
    hop: Annotated[int, typer.Option(help="Samples from window to window.")] = 256,
    iterations: Annotated[int, typer.Option(help="Of the Griffin-Lim algorithm.")] = 100,
    method: Annotated[str, typer.Option(help="griffin-lim or diffusion.")] = "griffin-lim",
) -> "Solver":
    """Find new phases for the magnitudes of a recording's spectrogram."""
    from regroove.solve.tasks.retrieval import RetrievalSolver

    return RetrievalSolver(method=method, n_fft=window, hop=hop, iterations=iterations, prior=prior)


@_task
def generate(prior: "PriorSettings") -> "Solver":
    """Draw a sample of the prior in the likeness of a recording: its spectrum, level and length."""
    from regroove.solve.tasks.generation import GenerationSolver

    return GenerationSolver(prior=prior)


def _parse_gap(text: str) -> tuple[float, float]:
    from regroove.errors import SettingsError
    from regroove.restoration.settings import parse_region

    try:
        return parse_region(text)
    except SettingsError as error:
        raise SettingsError(str(error).replace("noise region", "gap")) from error


def _run(
    solver: "Solver",
    source: Path,
    output: Path,
    *,
    seed: int,
    headroom: str,
    overwrite: bool,
    progress: str,
    quiet: bool,
) -> None:
    from regroove.cli.pipes import incoming, outgoing
    from regroove.solve.solved_files import solve_file

    check_progress(progress)
    with incoming(source) as reader, outgoing(output, reader) as target:
        piped = target != output
        with restoration_progress(quiet=quiet, mode=progress) as told:
            done = solve_file(
                solver,
                reader,
                target,
                seed=seed,
                headroom=headroom,
                receipt=not piped,
                overwrite=overwrite,
                progress=told,
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
