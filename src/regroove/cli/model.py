"""``regroove model``: list models, show their cards, convert CQTDiff's checkpoints."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="List, show and convert models.")


class Weights(StrEnum):
    raw = "raw"
    ema = "ema"


@app.command("list")
def list_command() -> None:
    """List the bundled models, the default and the fast one among them."""
    from regroove.networks.cards import read_card
    from regroove.networks.checkpoints import ROLES, bundled_model, find_model, list_models

    named = {role: bundled_model(role) for role in ROLES}
    for name in list_models():
        card = read_card(find_model(name).with_suffix(".json"))
        roles = ", ".join(role for role in ROLES if named[role] == name)
        size = f"{card.size.get('parameters', '?')} parameters"
        typer.echo(f"{name}  {roles:<7}  {card.architecture}, {card.sample_rate} Hz, {size}")


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="Name of a bundled model, or a .safetensors file.")],
) -> None:
    """Print a model's card as JSON."""
    from regroove.networks.cards import read_card
    from regroove.networks.checkpoints import find_model

    typer.echo(read_card(find_model(model).with_suffix(".json")).to_json(), nl=False)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A checkpoint of CQTDiff, ending in .pt.")],
    target: Annotated[Path, typer.Argument(help="Where to write the model, ending in .safetensors.")],
    weights: Annotated[
        Weights,
        typer.Option(help="raw sounds like the published results, ema is the average of the weights."),
    ] = Weights.raw,
    sample_rate: Annotated[int, typer.Option(help="Rate it was trained at: 44100 or 22050 Hz.")] = 44_100,
) -> None:
    """Convert a checkpoint of CQTDiff to safetensors and a JSON card; code in it is never run."""
    from regroove.networks.checkpoints import convert_checkpoint

    card = convert_checkpoint(source, target, weights=weights.value, sample_rate=sample_rate)
    typer.echo(f"Wrote {target} and {target.with_suffix('.json')} with the {card.weights} weights.")
