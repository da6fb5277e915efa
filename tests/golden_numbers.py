"""The numbers of the original, thinned so that they travel with the tests, and the uniform numbers they were made of.

``python tests/golden_numbers.py FOLDER`` makes ``tests/data/golden`` anew from the original's whole outputs.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "data" / "golden"
# One in so many of these is kept, along the last axis (coefficients: along bins).
THINNED = {"inverse_of_uniform": 16, "y": 16, "coeffs": 9, "mix_gain_0p1": 8, "mix_snr_10": 8, "fade_in": 8}
# Inputs that are uniform numbers, so that they need not be kept: how loud, and where they start for a length.
UNIFORM = {"cqt": (0.3, 700), "unet": (1.7, 1300)}


def uniform(start: int, n: int) -> NDArray[np.float64]:
    """Uniform numbers in [-1, 1), ``(n,)``: splitmix64 of start, start + 1, ..."""
    with np.errstate(over="ignore"):
        z = (np.arange(n, dtype=np.uint64) + np.uint64(start)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)) / 2.0**52 - 1


def golden(name: str) -> dict[str, NDArray[np.generic]]:
    """The numbers of one file, such as ``samplers`` or ``cqt_44100_66150``, with the inputs they belong to."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        return dict(arrays) | inputs(name)


def inputs(name: str) -> dict[str, NDArray[np.generic]]:
    """What the original was given for a file, where it is uniform numbers; float32."""
    kind, *sizes = name.split("_")
    if kind in UNIFORM:
        length = int(sizes[-1])
        level, start = UNIFORM[kind]
        return {"x": (level * uniform(start + length, length)).astype(np.float32)[None]}
    if kind == "blocks":
        rising = np.linspace(0.01, 0.5, 100_000) * uniform(3100, 100_000)
        audio, noise = uniform(3700, 5_000), uniform(4100, 5_000)
        made = {"signal": rising[None], "mix_audio": audio, "mix_noise": noise}
        return {key: value.astype(np.float32) for key, value in made.items()}
    return {}


def every(name: str) -> slice:
    """Which of an array's items were kept, along the axis named in ``THINNED``."""
    return slice(None, None, THINNED.get(name, 1))


def thin(name: str, array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Keep what travels with the tests."""
    return array[:, every(name)] if name == "coeffs" else array[..., every(name)] if name in THINNED else array


def main(source: Path) -> None:
    """Thin the original's outputs in ``source``, after a check that inputs are what they are said to be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.npz")):
        with np.load(path) as arrays:
            for key, value in inputs(path.stem).items():
                np.testing.assert_allclose(arrays[key], value, atol=1e-7)
            kept = {key: thin(key, arrays[key]) for key in arrays if key not in inputs(path.stem)}
        np.savez_compressed(FOLDER / path.name, **kept)
    (FOLDER / "unet_parameters.txt").write_bytes((source / "unet_parameters.txt").read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
