"""The diffusion as an HTML page: the state and the clean estimate after every step, with a slider."""

import json
from pathlib import Path

import torch
from torch import Tensor

from regroove.diffusion.solvers import Progress
from regroove.pending import PendingFile

# Columns of the drawn waveforms, each from a lowest to a highest sample.
COLUMNS = 600
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Diffusion, step by step</title>
<style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
canvas { width: 100%; height: 12rem; border: 1px solid #8886 }
input { width: 100% }
</style>
<h1>Diffusion, step by step</h1>
<p><label>Step <output id="step"></output><input id="slider" type="range" min="0" value="0"></label></p>
<h2>State</h2><canvas id="state" width="1200" height="300"></canvas>
<h2>Clean estimate</h2><canvas id="estimate" width="1200" height="300"></canvas>
<script>
const frames = FRAMES;
const slider = document.getElementById("slider");
slider.max = frames.length - 1;
function draw(name, columns) {
  const canvas = document.getElementById(name), pen = canvas.getContext("2d");
  const top = Math.max(1e-9, ...columns.flat().map(Math.abs)), width = canvas.width / columns.length;
  const y = value => canvas.height / 2 * (1 - value / top);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#2a6db0";
  columns.forEach(([low, high], i) => pen.fillRect(i * width, y(high), width, Math.max(1, y(low) - y(high))));
}
function show() {
  const frame = frames[slider.value];
  document.getElementById("step").value = `${frame.step} of ${frames.length}, noise level ${frame.sigma}`;
  draw("state", frame.state);
  draw("estimate", frame.estimate);
}
slider.addEventListener("input", show);
setInterval(() => { if (!slider.matches(":hover, :focus")) {
  slider.value = (Number(slider.value) + 1) % frames.length; show(); } }, 300);
show();
</script>
</html>
"""


class Animation:
    """Collects the steps of a sampler, of its first item, for a page that needs nothing else.

    >>> film = Animation()
    >>> film.add(Progress(step=1, steps=1, sigma=0.0, x=torch.ones(1, 8), denoised=torch.ones(1, 8)))
    >>> film.page().count("canvas id")
    2
    """

    def __init__(self) -> None:
        self.frames: list[dict[str, object]] = []

    def add(self, progress: Progress) -> None:
        """Keep one step."""
        self.frames.append(
            {
                "step": progress.step,
                "sigma": float(f"{progress.sigma:.3g}"),
                "state": _envelope(progress.x[0]),
                "estimate": _envelope(progress.denoised[0]),
            }
        )

    def page(self) -> str:
        """The whole page."""
        return _PAGE.replace("FRAMES", json.dumps(self.frames, separators=(",", ":")))

    def write(self, path: Path) -> None:
        """Write the page; an older one is replaced. Raises ``AudioError`` where it cannot be written."""
        with PendingFile(path, overwrite=True) as pending:
            pending.write_text(self.page())


def _envelope(x: Tensor) -> list[list[float]]:
    """Lowest and highest sample of up to ``COLUMNS`` stretches of ``(time,)``."""
    parts = torch.tensor_split(x.detach().cpu(), min(COLUMNS, len(x)))
    return [[round(float(part.min()), 4), round(float(part.max()), 4)] for part in parts]
