"""Draws the weights of two walls: which wall is listened to, in every bin and moment.

python benchmarks/walls_picture.py docs/images/walls.png [--data ../shared/data]
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from regroove.drawing.canvas import Canvas
from regroove.drawing.panel import Panel, colour_bar
from regroove.drawing.ticks import frequency_ticks
from regroove.dsp.stft import SHORT, stft
from regroove.restoration.results.spectra_panels import draw_time, headline
from regroove.walls.bursts import momentary_share
from regroove.walls.combiner import WallCombiner
from regroove.walls.wall_plan import plan_of
from walls import LEAD, RATE, heard, noise_of, pieces, walls_of

SIZE, PANEL = (1400, 560), (76.0, 50.0, 1180.0, 500.0)
LOWEST, ROWS = 60.0, 240
SECONDS = 14.0


def left_weights(noisy: np.ndarray) -> np.ndarray:
    """The weight of the left wall, 0 to 1, ``(F, T)`` of the short STFT."""
    plan = plan_of(heard(noisy).finish(), sample_rate=RATE)
    length = noisy.shape[1] // 1024 * 1024
    window = torch.from_numpy(noisy[:, :length]).float()
    best, difference = stft(WallCombiner(plan, sample_rate=RATE).pair(window, start=0), SHORT)
    side = np.interp(np.arange(SHORT.bins) * 4, np.arange(len(plan.share)), plan.share)
    return 0.5 - side[:, None] - momentary_share(best, difference).double().numpy()


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    arguments = parser.parse_args()
    _, music = next(pieces(arguments.data, 1, SECONDS))
    noise = noise_of(arguments.data / "noise-more/vinyl_old.flac", LEAD + len(music), 0.0, np.random.default_rng(1))
    weights = left_weights(walls_of(music, noise, snr=10.0, seed=1).noisy)
    edges = np.geomspace(LOWEST, RATE / 2, ROWS)
    rows = weights[np.round(edges * SHORT.n_fft / RATE).astype(int)]
    canvas = Canvas(*SIZE)
    headline(canvas, "A mono record at 10 dB, with two seconds of lead-in: how much of the left wall is heard")
    seconds = weights.shape[1] * SHORT.hop / RATE
    panel = Panel(canvas=canvas, box=PANEL, x=(0.0, seconds), y=(LOWEST, RATE / 2), log_y=True)
    panel.image(rows, "viridis", low=0.0, high=1.0)
    panel.frame()
    panel.y_axis(frequency_ticks(LOWEST, RATE / 2))
    draw_time(panel, named=True)
    words = [(0.0, "0: right wall\nalone"), (0.5, "0.5: both"), (1.0, "1: left wall\nalone")]
    _, top, right, bottom = PANEL
    colour_bar(canvas, (right + 18, top, right + 42, bottom), "viridis", low=0.0, high=1.0, ticks=words)
    canvas.save(arguments.output)


if __name__ == "__main__":
    main()
