"""``regroove train --config``: train CQTDiff's network on MAESTRO or any folder of audio."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer


def reference(
    data: Annotated[Path, typer.Argument(help="A folder of audio files of any format and rate, or MAESTRO's.")],
    config: Annotated[
        str, typer.Option(help="cqtdiff-44k, cqtdiff-22k, or a .json, .yaml or .toml file with the same keys.")
    ],
    out: Annotated[Path, typer.Option(help="The folder for weights and losses; a run in it is gone on with.")],
    steps: Annotated[int | None, typer.Option(help="Steps in all, those of earlier runs included.", min=1)] = None,
    batch: Annotated[int | None, typer.Option(help="Excerpts in a step, on all devices together.", min=1)] = None,
    devices: Annotated[int, typer.Option(help="How many devices share the batch.", min=1)] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="Seed of the first weights and of every step.", min=0)] = None,
    save_every: Annotated[int | None, typer.Option(help="Steps between two files of weights.", min=1)] = None,
    checkpointing: Annotated[
        bool | None,
        typer.Option(
            help="At full size about 4 instead of 9 GB for an excerpt, for a quarter more time.",
            show_default="as the configuration says",
        ),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long; the weights are saved.", min=0)] = None,
    wandb: Annotated[str | None, typer.Option(metavar="PROJECT", help="Also log to this project of W&B.")] = None,
) -> None:
    """Train CQTDiff's network on a folder of audio or on MAESTRO: `regroove train --config ...`.

    Writes weights-STEP.pt, which the original reads too, losses.csv and TensorBoard's files to OUT.

    The same command again goes on from the latest weights, exactly.
    """
    from regroove.training.corpus.music_files import Music, find_music
    from regroove.training.reference.configuration_files import read_configuration
    from regroove.training.reference.reference_run import train_reference

    options = {"steps": steps, "batch": batch, "seed": seed, "save_every": save_every, "checkpointing": checkpointing}
    settings = read_configuration(config, **{key: value for key, value in options.items() if value is not None})
    music = Music(find_music(data), sample_rate=settings.network.sample_rate, length=settings.network.length)
    found = train_reference(
        settings, music, out, device=device, devices=devices, minutes=minutes, wandb=wandb, progress=steps_bar
    )
    if found.resumed_from is not None:
        typer.echo(f"Resumed from {found.resumed_from}.")
    loss = "" if found.loss is None else f", loss {found.loss:.6f}"
    typer.echo(f"Step {found.step}{loss}. Weights: {found.weights}.")


@contextmanager
def steps_bar(first: int, steps: int) -> Iterator[Callable[[int, Mapping[str, float]], None]]:
    """A progress bar on standard error, with the last loss and the time left.

    >>> with steps_bar(0, 2) as report:
    ...     report(1, {"loss": 0.5})
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    count = TextColumn("{task.completed} of {task.total} steps")
    columns = (count, BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=steps, completed=first)
        yield lambda step, values: bar.update(task, completed=step, description=f"loss {values['loss']:.4f}, left:")
