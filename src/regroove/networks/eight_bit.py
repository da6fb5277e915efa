"""The default network with convolutions in eight bits, run by OpenVINO: an ``.int8.onnx`` file beside a model, with a
card of its own.

OpenVINO keeps what lies between convolutions in the same pass over memory, which is where the time goes; onnxruntime,
which does not, was slower with eight bits than without.
"""

import hashlib
import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from regroove.dsp.noise_map import NoiseMap
from regroove.errors import ModelError, SettingsError
from regroove.networks.calibration import Ranges
from regroove.networks.cards import ModelCard, read_card
from regroove.networks.checkpoints import LoadedModel, write_all
from regroove.networks.matched_denoiser import MatchedDenoiser
from regroove.networks.matched_unet import MatchedUNet, MatchedUNetSettings
from regroove.networks.onnx_graph import onnx_graph

ENDING = ".int8.onnx"
ARCHITECTURE = "matched-unet-int8"
# What stays in single precision: the convolutions at both ends, with which the default model lost up to 0.26 dB of
# SI-SDR on a clip and 0.04 without; and those of the coarsest level and between levels, which are a tenth of the
# arithmetic, with which it lost up to 0.23 dB of log-spectral distance and 0.08 without.
EXACT = ("inlet", "outlet", "shares", "shrink", "grow", "middle")
# Graphs that stay compiled in a process, each with 0.5 GB for blocks of 30 s: a recording has one length of blocks, and
# two channels may have music up to different frequencies.
GRAPHS = 2
# The most that eight bits may cost on average and on any clip, in dB of SI-SDR and of log-spectral distance: a tenth
# of what separates one release of the model from the next.
MEAN_LOST_DB, CLIP_LOST_DB = 0.03, 0.1


class EightBitUNet:
    """What :class:`~regroove.networks.matched_unet.MatchedUNet` computes, in eight bits; several threads may ask.

    OpenVINO compiles the graph for each shape that comes: half a second, after which the default model takes four
    fifths of the time that one graph for all shapes takes, the fast model three fifths. One thread is answered at a
    time, by all processors: that takes as long as two at a time on one each, and 0.4 GB less for blocks of 25 s.

    Args:
        content: of an ``.onnx`` file.
        settings: of the network it was made of.
        threads: how many compute.

    Raises:
        ModelError: the file is damaged.
    """

    # Of all of them: whatever is kept, by its content and shape, and who computes.
    _requests: ClassVar[OrderedDict[tuple[object, ...], Any]] = OrderedDict()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, content: bytes, settings: MatchedUNetSettings, *, threads: int) -> None:
        import openvino

        # The first array that OpenVINO sees makes it prepare: two threads that did so at once would wait for ever, one
        # for Python's lock and one for the other's end.
        openvino.Tensor(np.zeros(1, np.float32), shared_memory=True)
        self._core, self._threads, self.settings = openvino.Core(), threads, settings
        try:
            self._model = self._core.read_model(content, b"")
        except RuntimeError as error:
            raise ModelError("A model in eight bits is not what OpenVINO can read.") from error
        self._digest = hashlib.sha256(content).hexdigest()

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, FEATURES, T, P)`` to corrections and shares."""
        frames = features.shape[2]
        padded = functional.pad(features, (0, 0, 0, -frames % self.settings.stride)).permute(0, 2, 3, 1).contiguous()
        with self._lock:
            done = self._request(tuple(padded.shape)).infer({"features": padded.numpy()}, share_inputs=True)
            # Copies, for the next to ask writes where these lie.
            corrections, shares = (torch.from_numpy(done[i])[:, :frames].permute(0, 3, 1, 2) for i in (0, 1))
        return corrections, shares

    def _request(self, shape: tuple[int, ...]) -> Any:
        """What computes features of a shape."""
        key = (self._digest, self._threads, *shape)
        request = self._requests.pop(key, None)
        if request is None:
            while len(self._requests) >= GRAPHS:
                self._requests.popitem(last=False)
            request = self._compiled(shape).create_infer_request()
        self._requests[key] = request
        return request

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        # Single precision where there are no eight bits, whatever the processor has.
        # Threads that are bound to processors would be bound to the same ones by every worker of a batch.
        options = {
            "INFERENCE_NUM_THREADS": self._threads, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "f32",
        }  # fmt: skip
        model = self._model.clone()
        model.reshape(list(shape))
        return self._core.compile_model(model, "CPU", options)


def eight_bit_file(model: Path) -> Path:
    """Where the eight-bit file of a model's weights file is, if there is one.

    >>> eight_bit_file(Path("a/model-1.safetensors")).name
    'model-1.int8.onnx'
    """
    return model.with_name(model.stem + ENDING)


def can_run() -> bool:
    """Whether what runs it is installed."""
    return importlib.util.find_spec("openvino") is not None


def eight_bit_card(loaded: LoadedModel) -> ModelCard | None:
    """The card of a model's eight-bit file; None where there is no such file, or it was made of other weights.

    Raises:
        ModelError: the card is missing or damaged.
    """
    path = eight_bit_file(loaded.path)
    if not path.is_file():
        return None
    card = read_card(card_file(path))
    return card if card.training.get("made_from") == loaded.sha256 else None


def good_enough(lost: Mapping[str, float]) -> bool:
    """Whether so little is lost that eight bits are used where nothing was asked for.

    >>> good_enough({"si_sdr_db": 0.01, "lsd_db": 0.0, "si_sdr_clip_db": 0.05, "lsd_clip_db": 0.02})
    True
    >>> good_enough({})
    False
    """
    limits = {"si_sdr_db": MEAN_LOST_DB, "lsd_db": MEAN_LOST_DB, "si_sdr_clip_db": CLIP_LOST_DB,
              "lsd_clip_db": CLIP_LOST_DB}  # fmt: skip
    return all(name in lost and lost[name] <= most for name, most in limits.items())


def load_eight_bit(loaded: LoadedModel, *, threads: int) -> EightBitUNet:
    """The eight-bit network of a model.

    Raises:
        SettingsError: OpenVINO is not installed.
        ModelError: there is no such file, or it is damaged or was made of other weights.
    """
    if not can_run():
        raise SettingsError("Eight bits need OpenVINO: install regroove[fast].")
    path, card = eight_bit_file(loaded.path), eight_bit_card(loaded)
    if card is None:
        raise ModelError(f"There is no {path.name} of the model {loaded.name}; regroove model quantise makes one.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}).") from error
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the one on its card.")
    return EightBitUNet(content, MatchedUNetSettings(**loaded.card.settings), threads=threads)


def eight_bit_content(loaded: LoadedModel, mixtures: Iterable[tuple[Tensor, NoiseMap]]) -> bytes:
    """The ``.onnx`` file of a model, its ranges those on noisy recordings ``(B, time)`` with their noise maps.

    Raises:
        ModelError: it is no matched-unet.
        SettingsError: onnx is not installed.
    """
    if not isinstance(loaded.network, MatchedUNet):
        raise ModelError(f"The model {loaded.name} is no matched-unet, and only those are made in eight bits.")
    if importlib.util.find_spec("onnx") is None:
        raise SettingsError("Models in eight bits are made with onnx: install regroove[train].")
    denoiser = MatchedDenoiser(loaded.network).eval()
    with Ranges(loaded.network) as ranges, torch.inference_mode():
        for noisy, noise in mixtures:
            denoiser(noisy, noise)
    inner = {name: rounding for name, rounding in ranges.roundings().items() if name.split(".")[0] not in EXACT}
    content: bytes = onnx_graph(loaded.network, inner).SerializeToString(deterministic=True)
    return content


def save_eight_bit(
    path: Path, content: bytes, loaded: LoadedModel, *, calibration: Mapping[str, Any], lost: Mapping[str, float]
) -> ModelCard:
    """Write the file and its card; returns the card.

    Raises:
        ModelError: the name does not end in .int8.onnx, or the folder cannot be written to.
    """
    if not path.name.endswith(ENDING):
        raise ModelError(f"The name of a model in eight bits ends in {ENDING}, and {path} does not.")
    card = replace(
        loaded.card,
        architecture=ARCHITECTURE,
        description=f"{loaded.name} with its convolutions in eight bits.",
        sha256=hashlib.sha256(content).hexdigest(),
        training={"made_from": loaded.sha256, "calibration": dict(calibration)},
        size={**loaded.card.size, "bytes": len(content)},
        scores={"lost": dict(lost)},
    )
    write_all({path: content, card_file(path): card.to_json().encode()}, what=path)
    return card


def card_file(path: Path) -> Path:
    """Of an eight-bit file.

    >>> card_file(Path("model-1.int8.onnx")).name
    'model-1.int8.json'
    """
    return path.with_suffix(".json")
