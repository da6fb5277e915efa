"""``regroove model``: list models, show their cards, convert CQTDiff's checkpoints, make models in eight bits."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from regroove.evaluation.metrics.signals import Samples
    from regroove.networks.checkpoints import LoadedModel
    from regroove.training.mixtures import Batch

app = typer.Typer(no_args_is_help=True, add_completion=False, help="List, show, convert and quantise models.")


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


# Items of four seconds: ranges hardly widen after the first dozen, and a loss of 0.03 dB shows on forty.
CALIBRATED, JUDGED, ITEMS = 24, 40, 8
# Items without music, below -90 dBFS, have no SI-SDR.
FAINTEST = 1e-9


@app.command()
def quantise(
    model: Annotated[str, typer.Argument(help="Name of a bundled matched-unet, or a .safetensors file.")],
    target: Annotated[Path, typer.Argument(help="Where to write it, ending in .int8.onnx; beside MODEL it is found.")],
    corpus: Annotated[Path, typer.Option(metavar="FOLDER", help="Shards that regroove train render made.")],
    seed: Annotated[int, typer.Option(help="Of the mixtures.")] = 1,
) -> None:
    """Make a model whose convolutions compute in eight bits, and say on its card what that loses."""
    from regroove.evaluation.metrics.lost import lost
    from regroove.networks.checkpoints import find_model, load_model
    from regroove.networks.eight_bit import card_file, eight_bit_content, good_enough, save_eight_bit
    from regroove.training.mixtures import Mixer, MixtureSettings

    loaded = load_model(find_model(model))
    settings = MixtureSettings(batch=ITEMS)
    mixer = Mixer.of_folder(corpus, settings, seed=seed)
    first = CALIBRATED // ITEMS
    content = eight_bit_content(loaded, [(b.noisy, b.map) for b in map(mixer.batch, range(first))])
    losses = lost(_both(loaded, content, map(mixer.batch, range(first, first + JUDGED // ITEMS))))
    calibration = {"items": CALIBRATED, "seconds": settings.seconds, "seed": seed}
    save_eight_bit(target, content, loaded, calibration=calibration, lost=losses)
    verdict = "used by itself" if good_enough(losses) else "used only where --precision int8 asks for it"
    mean, most = (losses[name] for name in ("si_sdr_db", "si_sdr_clip_db"))
    typer.echo(
        f"Wrote {target} and {card_file(target)}: on {losses['clips']} mixtures it loses {mean:.3f} dB of SI-SDR, "
        f"{most:.3f} dB at most; it is {verdict}."
    )


def _both(
    loaded: "LoadedModel", content: bytes, batches: Iterable["Batch"]
) -> Iterator[tuple["Samples", "Samples", "Samples"]]:
    """The truth, and what single precision and eight bits make of the noise, of each item that has music."""
    import torch

    from regroove.networks.eight_bit import EightBitUNet
    from regroove.networks.matched_denoiser import MatchedDenoiser
    from regroove.networks.matched_unet import MatchedUNet

    assert isinstance(loaded.network, MatchedUNet)
    eight_bit = EightBitUNet(content, loaded.network.settings, threads=1)
    ours = MatchedDenoiser(loaded.network), MatchedDenoiser(eight_bit)
    for batch in batches:
        with torch.inference_mode():
            before, after = (denoiser(batch.noisy, batch.map).double().numpy() for denoiser in ours)
        there = batch.clean.square().mean(dim=-1) > FAINTEST
        yield from ((batch.clean[i].double().numpy(), before[i], after[i]) for i in torch.where(there)[0])
