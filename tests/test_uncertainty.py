"""Where a restoration is invented."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regroove.errors import SettingsError
from regroove.restoration.engines.engine import BlockId
from regroove.restoration.restorer import Restorer

RATE = 44_100


def recording() -> np.ndarray:
    """Noise alone for two seconds, then with a tone far louder than it."""
    noise = 0.01 * np.random.default_rng(1).standard_normal(4 * RATE)
    times = np.arange(4 * RATE) / RATE
    return noise + 0.2 * np.sin(2 * np.pi * 1000 * times) * (times > 2)


def test_what_is_heard_is_certain_and_what_is_buried_is_not(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", recording(), RATE, subtype="FLOAT")
    plain, spread = (Restorer(quality="fast", noise_region=(0, 1.5)) for _ in range(2))
    plain.restore_file(tmp_path / "in.wav", tmp_path / "plain.wav")
    done = spread.restore_file(tmp_path / "in.wav", tmp_path / "out.wav", uncertainty=tmp_path / "map.png")
    cells = np.load(tmp_path / "map.npz")
    assert cells["uncertainty"].shape == (len(cells["frequencies"]), len(cells["times"]))
    tone = cells["uncertainty"][np.abs(cells["frequencies"] - 1000).argmin(), cells["times"] > 2.3]
    elsewhere = cells["uncertainty"][cells["frequencies"] > 3000]
    assert float(np.nanmax(tone)) < 0.05
    # How uncertain it is depends on the model; that it is so, does not.
    assert float(np.nanmedian(elsewhere)) > 10 * float(np.nanmedian(tone))
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert set(done.paths) == {"output", "uncertainty", "cells", "receipt"}
    # Asking changes nothing about the result.
    np.testing.assert_array_equal(*(soundfile.read(tmp_path / f"{n}.wav")[0] for n in ("plain", "out")))


def test_draws_differ_by_number_and_not_by_batch() -> None:
    engine = Restorer(quality="fast", noise_region=(0, 1.5)).engine
    audio = torch.from_numpy(recording()).float()[None]
    observed = engine.observe([audio])
    ids = [BlockId(channel=0, index=i, seed=i) for i in range(2)]
    blocks = torch.cat([audio[:, : 1 << 16], audio[:, -(1 << 16) :]])
    both = observed.draw(blocks, ids, number=0)  # type: ignore[attr-defined]
    assert torch.equal(observed.draw(blocks[1:], ids[1:], number=0)[0], both[1])  # type: ignore[attr-defined]
    assert not torch.equal(observed.draw(blocks, ids, number=1), both)  # type: ignore[attr-defined]


def test_engines_without_samples_say_so(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", recording(), RATE)
    with pytest.raises(SettingsError, match="draws no samples"):
        Restorer(engine="wiener").restore_file(
            tmp_path / "in.wav", tmp_path / "out.wav", uncertainty=tmp_path / "map.png"
        )
    assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]
