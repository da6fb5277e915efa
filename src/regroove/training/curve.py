"""How a network learned, as a picture: its losses against hours of training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from regroove.errors import ModelError
from regroove.networks.cards import read_card
from regroove.networks.checkpoints import find_model
from regroove.training.state_file import read_state

Point = Mapping[str, float]
# What the losses of the networks are called.
TITLES = {
    "residual_db": "Noise left, dB: error energy over noise energy",
    "spectral_db": "Log-spectral distance, dB",
    "band_db": "Distance of the levels of auditory bands, dB",
    "level_db": "Error of the noise map, dB",
    "burst_db": "Error of how bursty the noise is, dB",
    "loss": "Mean square error of the reference's network",
}


def read_curve(source: str | Path) -> list[Point]:
    """The points of a training state (``.pt``), or of a model's card: step, hours and mean losses since the last point.

    Raises:
        ModelError: there is no such state or model, or it holds no curve.

    >>> sorted(read_curve("default")[0])
    ['hours', 'residual_db', 'spectral_db', 'step']
    """
    if Path(source).suffix == ".pt":
        points = read_state(source).get("history", [])
    else:
        points = read_card(find_model(source).with_suffix(".json")).training.get("curve", [])
    if not points:
        raise ModelError(f"{source} holds no training curve.")
    return list(points)


def draw_curve(source: str | Path, picture: str | Path) -> None:
    """Draw the curve of a training state or a model as PNG.

    Raises:
        ModelError: there is no such state or model, it holds no curve, or the picture's name is no ``.png``.
    """
    if Path(picture).suffix.lower() != ".png":
        raise ModelError(f"{picture} cannot be written: the name of a picture ends in .png.")
    _draw(read_curve(source), Path(picture))


def _draw(points: Sequence[Point], picture: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    # A further training may have minimised more than the one before it.
    panels = {name: title for name, title in TITLES.items() if any(name in p for p in points)}
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (name, title) in zip(axes, panels.items(), strict=True):
        known = [p for p in points if name in p]
        ax.plot([p["hours"] for p in known], [p[name] for p in known], marker="o", markersize=3)
        ax.set_title(title, loc="left", fontsize=10)
        ax.grid(alpha=0.3)
    axes[-1].set_xlabel(f"Hours of training ({points[-1]['step']:g} steps)")
    partial = picture.with_suffix(".part")
    figure.savefig(partial, format="png", dpi=120, metadata={"Software": "regroove"})
    partial.replace(picture)
