"""Model files: the reference's checkpoints, our format, cards, and what is refused."""

import io
import json
import logging
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as tensor_bytes
from typer.testing import CliRunner

from regroove.cli.main import app
from regroove.errors import ModelError
from regroove.networks.cards import ModelCard, card_from, read_card
from regroove.networks.checkpoints import (
    ROLES,
    build_network,
    bundled_model,
    convert_checkpoint,
    list_models,
    load_model,
    save_model,
)
from regroove.networks.cqt_unet import CqtUNet, CqtUNetSettings
from regroove.networks.reference_checkpoints import published_settings, read_reference_checkpoint

TINY = CqtUNetSettings(
    sample_rate=8_000,
    length=512,
    octaves=2,
    bins_per_octave=8,
    channels=(4, 4, 6, 8),
    dilations=(1, 2),
    frequencies=4,
    embedding=(8, 16),
)
CARD = ModelCard(architecture="cqtdiff-unet", settings=asdict(TINY), sample_rate=8_000)


def network(seed: int = 0) -> CqtUNet:
    torch.manual_seed(seed)
    return CqtUNet(TINY).eval()


def checkpoint(raw: CqtUNet, average: CqtUNet, **changes: object) -> bytes:
    content = {"step": 7, "model": raw.state_dict(), "ema_weights": [p.data for p in average.parameters()]}
    file = io.BytesIO()
    torch.save({k: v for k, v in (content | changes).items() if v is not None}, file)
    return file.getvalue()


def read(data: bytes, weights: str = "raw") -> tuple[CqtUNet, ModelCard]:
    return read_reference_checkpoint(data, settings=TINY, weights=weights, source="some.pt")


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


class Exploit:
    """Makes a folder when it is unpickled by a loader that runs code."""

    def __init__(self, function: Callable[[str], object], folder: Path) -> None:
        self.function, self.folder = function, folder

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return self.function, (str(self.folder),)


def test_either_kind_of_weights(caplog: pytest.LogCaptureFixture) -> None:
    raw, average = network(1), network(2)
    data = checkpoint(raw, average)
    with caplog.at_level(logging.INFO, logger="regroove"):
        loaded, card = read(data)
        assert "some.pt: using the raw weights" in caplog.text
        averaged, averaged_card = read(data, "ema")
        assert "using the averaged (EMA) weights" in caplog.text
    assert same(loaded, raw) and same(averaged, average) and not same(raw, average)
    assert (card.weights, averaged_card.weights) == ("raw", "ema")
    assert card.training == {"step": 7} and card.sigma_data == 0.057


def test_conversion_keeps_every_output(tmp_path: Path) -> None:
    reference, card = read(checkpoint(network(1), network(2)))
    saved = save_model(tmp_path / "tiny.safetensors", reference, card)
    loaded = load_model(tmp_path / "tiny.safetensors")
    x = torch.randn(2, 512, generator=torch.Generator().manual_seed(1))
    cnoise = torch.tensor([-1.0, 0.3])
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(x, cnoise), reference(x, cnoise), rtol=1e-5, atol=1e-6)
    assert same(loaded.network, reference)
    assert loaded.card == replace(saved, settings=json.loads(json.dumps(saved.settings)))
    assert loaded.name == "tiny" and loaded.sha256 == saved.sha256
    assert saved.size["parameters"] == sum(p.numel() for p in reference.parameters())
    assert not loaded.network.training and not any(p.requires_grad for p in loaded.network.parameters())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.json", "tiny.safetensors"]


def test_published_size_through_the_command_line(tmp_path: Path) -> None:
    torch.manual_seed(3)
    settings = published_settings(44_100)
    raw = CqtUNet(settings)
    average = [torch.full_like(p, 0.25) for p in raw.parameters()]
    source, target = tmp_path / "weights-1.pt", tmp_path / "new.safetensors"
    torch.save({"step": 1, "model": raw.state_dict(), "ema_weights": average}, source)
    options = [str(source), str(target), "--weights"]
    result = CliRunner().invoke(app, ["model", "convert", *options, "ema"])
    assert result.exit_code == 0, result.output
    assert "with the ema weights" in result.output
    converted = load_model(target)
    assert all(bool((p == 0.25).all()) for p in converted.network.parameters())
    assert converted.card.settings == json.loads(json.dumps(asdict(settings)))
    shown = CliRunner().invoke(app, ["model", "show", str(target)])
    assert json.loads(shown.output)["weights"] == "ema"
    direct = load_model(source)
    assert same(direct.network, raw) and direct.card.weights == "raw" and direct.card.sample_rate == 44_100
    assert load_model(source, sample_rate=22_050).card.settings["length"] == 65_536
    with pytest.raises(ModelError, match="no network for 48000 Hz"):
        load_model(source, sample_rate=48_000)


@pytest.mark.parametrize("function", [os.mkdir, os.makedirs, Path])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, function: Callable[[str], object]) -> None:
    path = tmp_path / "evil.pt"
    path.write_bytes(checkpoint(network(), network(), extra=Exploit(function, tmp_path / "made")))
    with pytest.raises(ModelError, match="code or objects besides weights"):
        load_model(path)
    assert not (tmp_path / "made").exists()
    # The file is what it is meant to be: a loader that trusts it runs the code.
    torch.load(path, weights_only=False)
    assert (tmp_path / "made").exists() == (function is not Path)


@pytest.mark.parametrize("kept", [0, 10, 1_000, 0.5, 0.99])
def test_truncated_checkpoints_are_refused(kept: float) -> None:
    data = checkpoint(network(), network())
    with pytest.raises(ModelError, match="not a checkpoint, or damaged"):
        read(data[: int(kept if kept > 1 else kept * len(data))])


def test_other_content_is_refused() -> None:
    raw = network()
    state = raw.state_dict()
    name = "downs.1.0.H.0.conv.weight"
    with pytest.raises(ModelError, match=f"{name} is missing"):
        read(checkpoint(raw, raw, model={k: v for k, v in state.items() if k != name}))
    with pytest.raises(ModelError, match=rf"{name} has shape \(3,\) in place of \(4, 4, 5, 3\)"):
        read(checkpoint(raw, raw, model=state | {name: torch.zeros(3)}))
    with pytest.raises(ModelError, match="not finite"):
        read(checkpoint(raw, raw, model=state | {name: torch.full_like(state[name], torch.nan)}))
    with pytest.raises(ModelError, match=r"module\.x is not part"):
        read(checkpoint(raw, raw, model=state | {"module.x": torch.zeros(1)}))
    with pytest.raises(ModelError, match="no entry 'model'"):
        read(checkpoint(raw, raw, model=None))
    with pytest.raises(ModelError, match="no averaged weights"):
        read(checkpoint(raw, raw, ema_weights=None), "ema")
    with pytest.raises(ModelError, match="choose raw or ema"):
        read(checkpoint(raw, raw), "best")


def test_damaged_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_model(path, network(), CARD)
    whole, card = path.read_bytes(), path.with_suffix(".json").read_text()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(path)
    path.with_suffix(".json").write_text(card.replace(read_card(path.with_suffix(".json")).sha256, ""))
    path.write_bytes(whole[:500])
    with pytest.raises(ModelError, match="not a safetensors file"):
        load_model(path)
    path.write_bytes(tensor_bytes({"other": torch.zeros(1)}))
    with pytest.raises(ModelError, match=r"RFF_freq is missing"):
        load_model(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="card .* is missing"):
        load_model(path)


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=list_models()[0]):
        load_model("matched-99")
    with pytest.raises(ModelError, match="no model file"):
        load_model(tmp_path / "missing.safetensors")
    with pytest.raises(ModelError, match="no model file"):
        load_model(tmp_path / "missing.pt")
    with pytest.raises(ModelError, match="matched-unet"):
        build_network(replace(CARD, architecture="transformer"))
    with pytest.raises(ModelError, match="do not fit it"):
        build_network(replace(CARD, settings={"depth": 3}))
    with pytest.raises(ModelError, match="do not fit it"):
        build_network(replace(CARD, settings=CARD.settings | {"channels": [4, 4]}))


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_bundled_and_listed(role: str) -> None:
    assert bundled_model(role) in list_models()
    assert load_model(role).name == bundled_model(role)
    result = CliRunner().invoke(app, ["model", "list"])
    assert result.exit_code == 0
    line = next(x for x in result.output.splitlines() if x.startswith(f"{bundled_model(role)} "))
    assert role in line


def test_loading_leaves_the_random_state_alone(tmp_path: Path) -> None:
    save_model(tmp_path / "tiny.safetensors", network(), CARD)
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    load_model(tmp_path / "tiny.safetensors")
    assert torch.equal(torch.rand(3), expected)


def test_nothing_is_left_of_a_model_that_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"ends in \.safetensors"):
        save_model(tmp_path / "tiny.bin", network(), CARD)
    other = replace(CARD, settings=CARD.settings | {"dilations": [1]})
    with pytest.raises(ModelError, match="do not fit the network"):
        save_model(tmp_path / "tiny.safetensors", network(), other)
    with pytest.raises(ModelError, match="cannot be written"):
        save_model(tmp_path / "no" / "tiny.safetensors", network(), CARD)
    with pytest.raises(ModelError, match=r"JSON values only"):
        save_model(tmp_path / "tiny.safetensors", network(), replace(CARD, scores={"gain": float("nan")}))
    with pytest.raises(ModelError, match=r"ends in \.pt"):
        convert_checkpoint(tmp_path / "a.safetensors", tmp_path / "b.safetensors", weights="raw")
    assert not list(tmp_path.iterdir())


def test_cards_are_checked() -> None:
    good = json.loads(CARD.to_json())
    assert card_from(good, "a.json").to_json() == CARD.to_json()
    for change, message in [
        ({"version": 2}, "has version 2; this release reads version 1"),
        ({"version": None}, "has version None"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"architecture": 3}, "lacks a valid architecture"),
        ({"sample_rate": 44_100.5}, "lacks a valid sample_rate"),
        ({"sample_rate": True}, "lacks a valid sample_rate"),
        ({"sample_rate": 0}, "lacks a valid sample_rate"),
        ({"scores": []}, "lacks a valid scores"),
    ]:
        with pytest.raises(ModelError, match=message):
            card_from(good | change, "a.json")
    del good["settings"]
    with pytest.raises(ModelError, match="lacks a valid settings"):
        card_from(good, "a.json")
    with pytest.raises(ModelError, match="version None"):
        card_from([], "a.json")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00"])
def test_cards_that_are_not_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ModelError, match="not readable as JSON"):
        read_card(tmp_path / "a.json")
