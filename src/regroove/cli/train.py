"""``regroove train``: render a corpus, train the default network on it, export; or train CQTDiff's network."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from regroove.cli.train_reference import reference

if TYPE_CHECKING:
    from regroove.training.mixtures import Mixer
    from regroove.training.run import Step, Trainer

_HELP = (
    "Train models.\n\n"
    "render, run, export, average, prune and curve make the default network, noise-level the noise estimator.\n\n"
    "regroove train --config cqtdiff-44k DATA --out FOLDER trains CQTDiff's network at 44.1 kHz, cqtdiff-22k the "
    "one at 22.05 kHz, on a folder of audio or on MAESTRO; regroove train reference --help explains its options."
)


RATE = 44_100
SAVE_EVERY_SECONDS = 180.0
_BFLOAT16 = "Convolutions in bfloat16; by default where the processor has instructions for it."


class TrainGroup(TyperGroup):
    """A group in which ``--config`` alone, without a subcommand, means ``reference``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the subcommand in front where only its option says it."""
        configured = any(each == "--config" or each.startswith("--config=") for each in args)
        if configured and args[0] not in self.commands:
            args = ["reference", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=TrainGroup, no_args_is_help=True, add_completion=False, help=_HELP)
app.command()(reference)


@app.command()
def render(
    folder: Annotated[Path, typer.Argument(help="Where the shards go.")],
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Render from its instruments/, midi/, noise/ and noise-more/.")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Take excerpts of its clean recordings, or of MAESTRO.")
    ] = None,
    notes: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Let its instruments play, each a folder of notes such as A3.wav."),
    ] = None,
    music: Annotated[int, typer.Option(help="Rendered excerpts of music, 20 s each.", min=1)] = 900,
    recorded: Annotated[int, typer.Option(help="Excerpts of recordings, 20 s each.", min=1)] = 900,
    noise: Annotated[int, typer.Option(help="Excerpts of noise, 12 s each.", min=1)] = 600,
    highest: Annotated[
        float, typer.Option(metavar="HZ", help="Cut the recordings here, where lossy ones end; 0 keeps all.", min=0)
    ] = 0.0,
    without: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Leave out recordings of such names, to evaluate on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the corpus.")] = 1,
) -> None:
    """Put music and noise into shards; finished shards are kept, so a run that was cut off goes on."""
    from regroove.errors import SettingsError
    from regroove.training.corpus.noise_excerpts import first_half_excerpts, noise_files, render_noise
    from regroove.training.corpus.own_recordings import Recordings, RecordingSettings
    from regroove.training.corpus.rendered_music import Corpus, CorpusSettings
    from regroove.training.corpus.shards import write_shards

    if data is None and recordings is None:
        raise SettingsError("Music is needed: name a folder with --data or with --recordings.")
    if notes is not None and data is None:
        raise SettingsError("Notes need scores to be played from: name a folder that has midi/ with --data.")
    if recordings is not None:
        taken = RecordingSettings(seed=seed, highest=highest, without=tuple(without or ()))
        own = Recordings(recordings, taken)
        _show(write_shards(folder, f"music-own-{seed:03d}", own.excerpt, excerpts=recorded, size=30), "own", recorded)
    if data is not None:
        corpus = Corpus(CorpusSettings(data=data, notes=notes, seed=seed))
        _show(write_shards(folder, f"music-{seed:03d}", corpus.render, excerpts=music, size=30), "music", music)
    real = [] if data is None else first_half_excerpts(noise_files(data), sample_rate=RATE)
    made = partial(render_noise, real, seed=seed, sample_rate=RATE)
    _show(write_shards(folder, f"noise-{seed:03d}", lambda i: made(index=i), excerpts=noise, size=25), "noise", noise)


def _show(done: Iterator[int], what: str, total: int) -> None:
    """Show progress, with the time left, on standard error."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        for count in done:
            bar.update(task, completed=count)


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(help="Shards made by `regroove train render`.")],
    state: Annotated[Path, typer.Option(help="The training state: resumed where it exists, saved as it goes.")],
    start_from: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Weights to start from where there is no state, e.g. default.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Length of the schedule in steps.", min=1)] = 2600,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long; the state is saved.")] = None,
    batch: Annotated[int, typer.Option(help="Items in a batch.", min=1)] = 8,
    seconds: Annotated[float, typer.Option(help="Length of an item.", min=1.0)] = 3.0,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1.5e-3,
    channels: Annotated[
        str | None, typer.Option(help="Width of every level of the network; the fast one's are 16,24,48,64.")
    ] = None,
    blocks: Annotated[
        str | None,
        typer.Option(
            help="Residual blocks of a level, on the way down and up: one number, or one for each but the last."
        ),
    ] = None,
    dilations: Annotated[str | None, typer.Option(help="Along time, of the blocks in the middle.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    warmup: Annotated[int, typer.Option(help="Steps until the learning rate is at its peak.", min=1)] = 200,
    bfloat16: Annotated[bool | None, typer.Option("--bfloat16/--no-bfloat16", help=_BFLOAT16)] = None,
    seed: Annotated[int, typer.Option(help="Seed of the batches and of the first weights.")] = 11,
) -> None:
    """Train, or go on training, a network of the default kind.

    Sizes that are not given are those of the model to start from, or of the default one. With --start-from a network
    with more blocks than the model starts as good as it; one with fewer learns to do without.
    """
    from regroove.networks.cards import read_card
    from regroove.networks.checkpoints import find_model
    from regroove.networks.matched_unet import MatchedUNetSettings
    from regroove.restoration.hearing import hear_noise
    from regroove.training.cosine_run import RunSettings
    from regroove.training.first_weights import RESIDUAL_BLOCK
    from regroove.training.first_weights import start_from as take_weights
    from regroove.training.matched_objective import MatchedTraining, matched_trainer
    from regroove.training.mixtures import Mixer, MixtureSettings

    mixer = Mixer.of_folder(folder, MixtureSettings(batch=batch, seconds=seconds), seed=seed, hear=hear_noise)
    sizes = read_card(find_model(start_from or "default").with_suffix(".json")).settings
    given = {
        "channels": channels and _numbers(channels),
        "dilations": dilations and _numbers(dilations),
        "blocks": blocks and _one_or_more(_numbers(blocks, least=0)),
    }
    given = {name: value for name, value in given.items() if value is not None}
    # A pruned model's blocks have widths of their own, which other blocks do not have.
    network = MatchedUNetSettings(**(sizes | ({"inner": None, **given} if given else {})))
    schedule = RunSettings(steps=steps, learning_rate=learning_rate, warmup=warmup)
    settings = MatchedTraining(network=network, run=schedule, bfloat16=_in_bfloat16(bfloat16, device))
    trainer = matched_trainer(mixer, settings, seed=seed, device=device)
    if start_from is not None and not state.exists():
        take_weights(trainer, start_from, spare=RESIDUAL_BLOCK)
    _train(trainer, mixer, state, steps=steps, minutes=minutes)


@app.command()
def noise_level(
    folder: Annotated[Path, typer.Argument(help="Shards made by `regroove train render`.")],
    state: Annotated[Path, typer.Option(help="The training state: resumed where it exists, saved as it goes.")],
    start_from: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Weights to start from where there is no state, e.g. noise.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Length of the schedule in steps.", min=1)] = 2400,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long; the state is saved.")] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 2e-3,
    warmup: Annotated[int, typer.Option(help="Steps until the learning rate is at its peak.", min=1)] = 50,
    bfloat16: Annotated[bool | None, typer.Option("--bfloat16/--no-bfloat16", help=_BFLOAT16)] = None,
    seed: Annotated[int, typer.Option(help="Seed of the batches and of the first weights.")] = 11,
) -> None:
    """Train, or go on training, the noise estimator."""
    from regroove.training.first_weights import start_from as take_weights
    from regroove.training.mixtures import Mixer, MixtureSettings
    from regroove.training.noise_level_objective import NoiseLevelTraining, noise_level_trainer

    mixer = Mixer.of_folder(folder, MixtureSettings(massed=0.3), seed=seed)
    defaults = NoiseLevelTraining(bfloat16=_in_bfloat16(bfloat16, "cpu"))
    schedule = replace(defaults.run, steps=steps, learning_rate=learning_rate, warmup=warmup)
    trainer = noise_level_trainer(mixer, replace(defaults, run=schedule), seed=seed)
    if start_from is not None and not state.exists():
        take_weights(trainer, start_from)
    _train(trainer, mixer, state, steps=steps, minutes=minutes)


def _train(trainer: "Trainer", mixer: "Mixer", state: Path, *, steps: int, minutes: float | None) -> None:
    """Start, or go on from the state, with progress and the time left; shards that were rendered since are taken up."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from regroove.training.run import train
    from regroove.training.state_file import resume_state, save_state

    state.parent.mkdir(parents=True, exist_ok=True)
    if state.exists():
        resume_state(trainer, state)

    def save(trainer: "Trainer") -> Path:
        mixer.refresh()
        return save_state(trainer, state)

    columns = (TextColumn("{task.completed} of {task.total} steps"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=steps, completed=trainer.step)

        def show(step: "Step") -> None:
            losses = " ".join(f"{name} {value:.2f}" for name, value in step.losses.items())
            bar.update(task, completed=step.step, description=losses)

        def due(step: int, seconds: float) -> bool:
            return seconds > SAVE_EVERY_SECONDS

        train(trainer, steps=steps, save=save, due=due, minutes=minutes, reports=[show])


@app.command()
def export(
    state: Annotated[Path, typer.Argument(help="A training state.")],
    model: Annotated[Path, typer.Argument(help="Where to write the model, ending in .safetensors.")],
    card: Annotated[Path | None, typer.Option(help="A JSON file with fields for the model's card.")] = None,
) -> None:
    """Export the averaged weights of a training state as a model with its card."""
    from regroove.training.export import export_state

    export_state(state, model, card)
    typer.echo(f"Wrote {model} and {model.with_suffix('.json')}.")


@app.command()
def average(
    before: Annotated[str, typer.Argument(help="The model that training started from, bundled or a file.")],
    after: Annotated[str, typer.Argument(help="What training made of it.")],
    model: Annotated[Path, typer.Argument(help="Where to write the mean, ending in .safetensors.")],
    share: Annotated[float, typer.Option(help="Of the later model, 0 to 1.")] = 0.5,
    grown: Annotated[bool, typer.Option(help="Keep residual blocks that only the later model has.")] = True,
) -> None:
    """Average the weights of a model before and after further training, so that less is unlearnt."""
    from regroove.training.averaging import average_models

    average_models(before, after, model, share=share, grown=grown)
    typer.echo(f"Wrote {model} and {model.with_suffix('.json')}.")


@app.command()
def prune(
    model: Annotated[str, typer.Argument(help="A model of the default kind, bundled or a file.")],
    target: Annotated[Path, typer.Argument(help="Where to write it, ending in .safetensors.")],
    corpus: Annotated[Path, typer.Option(metavar="FOLDER", help="Shards made by `regroove train render`.")],
    keep_db: Annotated[
        float, typer.Option(metavar="DB", help="What is left out is so far below what its residual block adds.")
    ] = 40.0,
    batches: Annotated[int, typer.Option(help="Of eight mixtures, on which that is measured.", min=1)] = 13,
    seed: Annotated[int, typer.Option(help="Of the mixtures.")] = 1,
) -> None:
    """Leave out channels that hardly do anything; train further with --start-from, and average with TARGET."""
    from regroove.training.mixtures import Mixer, MixtureSettings
    from regroove.training.pruning import prune_model

    mixer = Mixer.of_folder(corpus, MixtureSettings(batch=8), seed=seed)
    mixtures = ((b.noisy, b.map) for b in map(mixer.batch, range(batches)))
    card = prune_model(model, target, mixtures, keep_db=keep_db)
    cost = card.size["gflop_per_second_of_audio"]
    typer.echo(f"Wrote {target} and {target.with_suffix('.json')}: {cost} GFLOP for a second of audio.")


@app.command()
def curve(
    state: Annotated[str, typer.Argument(help="A training state, or the name or file of a model.")],
    picture: Annotated[Path, typer.Argument(help="Where to draw, ending in .png.")],
) -> None:
    """Draw the losses of a run against hours of training."""
    from regroove.training.curve import draw_curve

    draw_curve(state, picture)
    typer.echo(f"Wrote {picture}.")


def _one_or_more(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    return numbers[0] if len(numbers) == 1 else numbers


def _numbers(text: str, *, least: int = 1) -> tuple[int, ...]:
    """Read ``16,24,48``."""
    from regroove.errors import SettingsError

    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < least:
        raise SettingsError(f"Sizes are whole numbers with commas in between, such as 16,24,48, not {text}.")
    return numbers


def _in_bfloat16(asked: bool | None, device: str) -> bool:
    from regroove.devices import has_bfloat16

    return has_bfloat16(device) if asked is None else asked
