"""Channels that hardly do anything are left out of a network, and nothing else changes."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from regroove.cli.main import app
from regroove.errors import ModelError, SettingsError
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import load_model, save_model
from regroove.networks.matched_unet import FEATURES, MatchedUNet, MatchedUNetSettings, ResidualBlock
from regroove.noise.measure import map_of_noise
from regroove.training.pruning import MULTIPLE, prune_model, pruned

SETTINGS = MatchedUNetSettings(channels=(32, 48), blocks=1, dilations=(1, 2))
# Of the blocks on the way down, in the middle and on the way up: how many channels do something.
BUSY = {"down.0.0": 16, "middle.0": 48, "middle.1": 10, "up.0.0": 32}


@pytest.fixture(scope="module")
def network() -> MatchedUNet:
    """In each block some channels, here and there, have weights of next to nothing."""
    torch.manual_seed(5)
    network = MatchedUNet(SETTINGS).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    for name, busy in BUSY.items():
        block = network.get_submodule(name)
        assert isinstance(block, ResidualBlock)
        idle = torch.randperm(block.second.in_channels)[busy:]
        with torch.no_grad():
            block.first.weight[idle] *= 1e-3
            # Held at a level of its own: that goes on in the bias.
            block.first.bias[idle] = 1.0
    return network


@pytest.fixture(scope="module")
def noisy() -> torch.Tensor:
    return 0.1 * torch.randn(1, 44_100, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_idle_channels_go_and_the_result_stays(network: MatchedUNet, noisy: torch.Tensor) -> None:
    noise = map_of_noise(noisy)
    smaller = pruned(network, [(noisy, noise)], keep_db=30.0)
    assert smaller.settings.inner == tuple(-(-busy // MULTIPLE) * MULTIPLE for busy in BUSY.values())
    seen = torch.randn(1, FEATURES, 96, 128, generator=torch.Generator().manual_seed(1))
    # Beyond the edges there are zeros, not what idle channels hold.
    before, after = (n(seen)[0][:, :, 24:-24, 24:-24] for n in (network, smaller))
    assert 0 < float((after - before).square().mean() / before.square().mean()) < 1e-4
    everything = pruned(network, [(noisy, noise)], keep_db=300.0)
    assert everything.settings.inner == (32, 48, 48, 32)


def test_a_number_for_every_block() -> None:
    with pytest.raises(SettingsError, match="4 residual blocks need 4 inner widths, not 2"):
        MatchedUNetSettings(channels=(32, 48), dilations=(1, 2), inner=(16, 16))


def test_the_command_writes_a_model_that_trains_on(network: MatchedUNet, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("music-1", "noise-1"):
        np.save(tmp_path / f"{name}.npy", rng.normal(0, 3000, (2, 9 * 44_100)).astype(np.int16))
    whole, small, state = tmp_path / "whole.safetensors", tmp_path / "small.safetensors", tmp_path / "run.pt"
    save_model(whole, network, ModelCard(architecture="matched-unet", settings=asdict(SETTINGS), sample_rate=44_100))
    command = ["train", "prune", str(whole), str(small), "--corpus", str(tmp_path), "--batches", "1"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    card = load_model(small).card
    assert card.training["pruned"] == {"from": "whole", "keep_db": 40.0}
    assert card.settings["inner"] == [16, 48, 16, 32]
    run = ["train", "run", str(tmp_path), "--state", str(state), "--start-from", str(small), "--steps", "1",
           "--batch", "1", "--seconds", "1", "--no-bfloat16"]  # fmt: skip
    done = CliRunner().invoke(app, run)
    assert done.exit_code == 0, done.output
    # Other numbers of blocks have widths of their own.
    done = CliRunner().invoke(app, [*run[:4], str(tmp_path / "other.pt"), "--blocks", "0", *run[7:]])
    assert done.exit_code == 0, done.output
    with pytest.raises(SettingsError, match="more than 0"):
        prune_model(whole, small, [], keep_db=0.0)
    with pytest.raises(ModelError, match="no matched-unet"):
        prune_model("noise", small, [], keep_db=30.0)
