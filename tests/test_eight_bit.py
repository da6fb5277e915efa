"""The network as an ONNX graph, in single precision and in eight bits."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from regroove.cli import model as commands
from regroove.cli.main import app
from regroove.errors import ModelError, SettingsError
from regroove.networks.calibration import Ranges
from regroove.networks.cards import ModelCard
from regroove.networks.checkpoints import LoadedModel, load_model, save_model
from regroove.networks.eight_bit import (
    CLIP_LOST_DB,
    GRAPHS,
    MEAN_LOST_DB,
    EightBitUNet,
    eight_bit_card,
    eight_bit_content,
    eight_bit_file,
    good_enough,
    load_eight_bit,
    save_eight_bit,
)
from regroove.networks.matched_unet import FEATURES, HELD, MatchedUNet, MatchedUNetSettings
from regroove.networks.onnx_graph import LARGEST_WEIGHT, onnx_graph, rounding_of
from regroove.noise.measure import map_of_noise
from regroove.restoration.engines.precision import in_precision
from regroove.restoration.restorer import Restorer
from regroove.restoration.settings import RestoreSettings

onnx = pytest.importorskip("onnx")
pytest.importorskip("openvino")
SMALL = MatchedUNetSettings(channels=(8, 12, 16), blocks=(0, 1), dilations=(1, 2))
NOTHING_LOST = {"si_sdr_db": 0.0, "lsd_db": 0.0, "si_sdr_clip_db": 0.0, "lsd_clip_db": 0.0}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A network whose every weight counts."""
    torch.manual_seed(3)
    network = MatchedUNet(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    save_model(path, network, ModelCard(architecture="matched-unet", settings=asdict(SMALL), sample_rate=44_100))
    return load_model(path)


@pytest.fixture(scope="module")
def noisy() -> torch.Tensor:
    return 0.1 * torch.randn(1, 44_100, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def content(small: LoadedModel, noisy: torch.Tensor) -> bytes:
    return eight_bit_content(small, [(noisy, map_of_noise(noisy))])


def features(frames: int, patches: int) -> torch.Tensor:
    return torch.randn(1, FEATURES, frames, patches, generator=torch.Generator().manual_seed(frames))


@torch.inference_mode()
@pytest.mark.parametrize(("frames", "patches"), [(16, 512), (21, 288), (5, 64)])
def test_the_graph_in_single_precision_is_the_network(small: LoadedModel, frames: int, patches: int) -> None:
    graph = EightBitUNet(onnx_graph(small.network, {}).SerializeToString(), SMALL, threads=1)  # type: ignore[arg-type]
    x = features(frames, patches)
    for ours, theirs in zip(graph(x), small.network(x), strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert graph(x)[1].shape[-1] == min(patches, HELD)


@torch.inference_mode()
def test_the_default_model_as_a_graph() -> None:
    network = load_model("default").network
    assert isinstance(network, MatchedUNet)
    graph = EightBitUNet(onnx_graph(network, {}).SerializeToString(), network.settings, threads=1)
    x = features(16, 128)
    for ours, theirs in zip(graph(x), network(x), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_eight_bits_are_close_and_not_the_same(small: LoadedModel, content: bytes) -> None:
    x = features(32, 128)
    with Ranges(small.network) as ranges:
        exact = small.network(x)[0]
    graph = onnx_graph(small.network, ranges.roundings())  # type: ignore[arg-type]
    rounded = EightBitUNet(graph.SerializeToString(), SMALL, threads=1)(x)[0]
    error = float((rounded - exact).square().mean() / exact.square().mean())
    assert 1e-7 < error < 1e-2
    kinds = [node.op_type for node in onnx.load_from_string(content).graph.node]
    # The two residual blocks of the second level, each convolution with its weights.
    assert kinds.count("DequantizeLinear") == 2 * 4


def test_roundings_hold_the_whole_range() -> None:
    for low, high in ((-0.28, 30.0), (-40.0, 13.0), (0.5, 2.0)):
        r = rounding_of(np.float32([low, low / 9]), np.float32([high / 7, high]), np.float32([1.0, 1.0]))
        assert (255 - r.zero) * r.scale >= high - r.scale and -r.zero * r.scale <= min(low, 0.0) + r.scale
        assert 0 <= r.zero <= 255


def test_a_loud_channel_leaves_the_others_their_steps() -> None:
    layer = torch.nn.Sequential(torch.nn.Conv2d(2, 1, 1))
    torch.nn.init.ones_(layer[0].weight)  # type: ignore[arg-type]
    with Ranges(layer) as ranges, torch.inference_mode():
        layer(torch.tensor([1.0, 100.0]).reshape(1, 2, 1, 1))
    rounding = ranges.roundings()["0"]
    quiet, loud = rounding.factors
    # Of the quiet channel 1 is its range, and its weight: a step of its values, and of its weight, seven bits.
    assert rounding.scale / quiet < 0.05
    assert quiet * max(1 / quiet, 1 / loud) / LARGEST_WEIGHT < 0.3


@torch.inference_mode()
def test_few_shapes_stay_compiled(small: LoadedModel, content: bytes) -> None:
    graphs = [EightBitUNet(content, SMALL, threads=2) for _ in range(2)]
    first = [part.clone() for part in graphs[0](features(8, 32))]
    for frames in (12, 16, 20, 24):
        for graph in graphs:
            graph(features(frames, 32))
    assert len(EightBitUNet._requests) == GRAPHS
    for before, after in zip(first, graphs[1](features(8, 32)), strict=True):
        assert torch.equal(before, after)


def test_a_file_beside_the_model_is_found(small: LoadedModel, content: bytes) -> None:
    assert eight_bit_card(small) is None
    with pytest.raises(ModelError, match=r"no small\.int8\.onnx .* quantise makes one"):
        load_eight_bit(small, threads=1)
    path = eight_bit_file(small.path)
    card = save_eight_bit(path, content, small, calibration={"items": 1}, lost=NOTHING_LOST)
    assert eight_bit_card(small) == replace(card, settings=json.loads(json.dumps(card.settings)))
    assert card.training["made_from"] == small.sha256 and card.size["bytes"] == len(content)
    assert in_precision("int8", small, device="cpu", threads=1)[1] == "int8"
    assert in_precision("float32", small, device="cpu", threads=1) == (small.network, "float32")
    with pytest.raises(SettingsError, match="for the processor"):
        in_precision("int8", small, device="cuda", threads=1)
    assert eight_bit_card(replace(small, sha256="another")) is None
    path.write_bytes(content[:-1])
    with pytest.raises(ModelError, match="damaged"):
        load_eight_bit(small, threads=1)
    path.unlink()


@pytest.mark.parametrize("bfloat16", [True, False])
def test_what_is_chosen_by_itself(
    small: LoadedModel, content: bytes, bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regroove.restoration.engines.precision.has_bfloat16", lambda device: bfloat16)
    chosen = []
    for loss in (0.0, 2 * MEAN_LOST_DB):
        save_eight_bit(
            eight_bit_file(small.path), content, small, calibration={}, lost={**NOTHING_LOST, "lsd_db": loss}
        )
        chosen.append(in_precision("auto", small, device="cpu", threads=1)[1])
    eight_bit_file(small.path).unlink()
    chosen.append(in_precision("auto", small, device="cpu", threads=1)[1])
    assert chosen == (["bfloat16"] * 3 if bfloat16 else ["int8", "float32", "float32"])


def test_eight_bits_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regroove.restoration.engines.precision.has_bfloat16", lambda device: False)
    chosen = {role: in_precision("auto", load_model(role), device="cpu", threads=1)[1] for role in ("default", "fast")}
    assert chosen == {"default": "int8", "fast": "float32"}


def test_limits_of_what_may_be_lost() -> None:
    assert good_enough(NOTHING_LOST)
    for name in NOTHING_LOST:
        limit = CLIP_LOST_DB if "clip" in name else MEAN_LOST_DB
        assert good_enough({**NOTHING_LOST, name: limit}) and not good_enough({**NOTHING_LOST, name: 1.1 * limit})


def test_another_name_or_network_is_refused(small: LoadedModel, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"ends in \.int8\.onnx"):
        save_eight_bit(tmp_path / "x.onnx", content, small, calibration={}, lost={})
    with pytest.raises(ModelError, match="no matched-unet"):
        eight_bit_content(load_model("noise"), [])
    with pytest.raises(ModelError, match="OpenVINO"):
        EightBitUNet(content[:100], SMALL, threads=1)
    with pytest.raises(SettingsError, match="none of auto"):
        RestoreSettings(precision="int4")


def test_command_makes_a_file_that_restores(
    small: LoadedModel, tmp_path: Path, noisy: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    for name in ("music-1", "noise-1"):
        np.save(tmp_path / f"{name}.npy", rng.normal(0, 3000, (2, 9 * 44_100)).astype(np.int16))
    monkeypatch.setattr(commands, "CALIBRATED", 2)
    monkeypatch.setattr(commands, "JUDGED", 2)
    monkeypatch.setattr(commands, "ITEMS", 2)
    target = eight_bit_file(small.path)
    result = CliRunner().invoke(app, ["model", "quantise", str(small.path), str(target), "--corpus", str(tmp_path)])
    assert result.exit_code == 0, result.output
    card = eight_bit_card(small)
    assert card is not None and card.scores["lost"]["clips"] == 2
    assert ("used by itself" in result.output) == good_enough(card.scores["lost"])
    samples = noisy[0].double().numpy()
    rounded, exact = (
        Restorer(model=str(small.path), precision=p, noise_region=(0.0, 0.5))(samples, sample_rate=44_100)
        for p in ("int8", "float32")
    )
    assert 0 < np.abs(rounded - exact).max() < 0.05 * np.abs(samples).max()
    target.unlink()
