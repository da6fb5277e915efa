"""``regroove train``: render a corpus, train the default network on it, export; or train the reference network."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from regroove.cli.train_reference import reference

_HELP = (
    "Train models.\n\n"
    "render, run and export make the default network.\n\n"
    "regroove train --config cqtdiff-44k DATA --out FOLDER trains the reference network at 44.1 kHz, cqtdiff-22k the "
    "one at 22.05 kHz, on a folder of audio or on MAESTRO; regroove train reference --help explains its options."
)


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
    data: Annotated[Path, typer.Option(help="Folder with instruments/, midi/ and noise/.")],
    music: Annotated[int, typer.Option(help="Excerpts of music, 20 s each.", min=1)] = 900,
    noise: Annotated[int, typer.Option(help="Excerpts of noise, 12 s each.", min=1)] = 600,
    seed: Annotated[int, typer.Option(help="Seed of the corpus.")] = 1,
) -> None:
    """Render music and noise into shards; finished shards are kept, so a cut-off run goes on."""
    from rich.progress import track

    from regroove.training.corpus import Corpus, CorpusSettings, write_shards
    from regroove.training.noise_corpus import first_half_excerpts, write_noise_shards

    settings = CorpusSettings(data=data, seed=seed)
    for _ in track(write_shards(Corpus(settings), folder, excerpts=music, shard=30), "music", total=-(-music // 30)):
        pass
    real = first_half_excerpts(sorted(data.glob("noise/*.flac")), sample_rate=settings.sample_rate)
    shards = write_noise_shards(folder, real, excerpts=noise, seed=seed, sample_rate=settings.sample_rate)
    for _ in track(shards, "noise", total=-(-noise // 25)):
        pass


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
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    seed: Annotated[int, typer.Option(help="Seed of the batches and of the first weights.")] = 11,
) -> None:
    """Train, or go on training, the default network."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from regroove.training.loop import Trainer, TrainingSettings
    from regroove.training.mixtures import Mixer, MixtureSettings, Shards

    mixer = Mixer(
        Shards(folder, "music-*.npy"),
        Shards(folder, "noise-*.npy"),
        MixtureSettings(batch=batch, seconds=seconds),
        seed=seed,
    )
    settings = TrainingSettings(steps=steps, learning_rate=learning_rate)
    trainer = Trainer(mixer, settings, seed=seed, device=device)
    if state.exists():
        trainer.resume(state)
    elif start_from is not None:
        trainer.start_from(start_from)
    columns = (TextColumn("{task.completed} of {task.total} steps"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task("", total=steps, completed=trainer.step)

        def show(step: int, losses: dict[str, float]) -> None:
            bar.update(task, completed=step, description=" ".join(f"{k} {v:.2f}" for k, v in losses.items()))

        trainer.run(state=state, minutes=minutes, progress=show)


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
