"""The default network as an ONNX graph, in single precision or with its convolutions in eight bits.

Legend: B items, T frames (a multiple of the network's stride), P patches (another one), C channels. Channels are
last outside, ``(B, T, P, C)``, as :mod:`regroove.networks.matched_denoiser` makes and takes them.

In eight bits, what goes into a convolution is rounded to an unsigned number with a scale and a zero point, and its
weights to signed ones with a scale for each channel that comes out (Jacob et al., CVPR 2018, equation 1); the sums,
and everything between convolutions, stay in single precision. Pairs of QuantizeLinear and DequantizeLinear say so.
Channels that go in are multiplied by numbers of their own before, and their weights divided by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from regroove.networks.matched_unet import HELD, MatchedUNet

if TYPE_CHECKING:
    import onnx

# The first opset that has one scale for each channel.
OPSET = 13
# Seven bits for weights: two products of eight by eight bits are added in 16 bits where a processor has no VNNI, and
# would be cut off there.
LARGEST_WEIGHT = 63


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounding:
    """An unsigned eight-bit number q stands for ``scale`` (q - ``zero``) / ``factors``, of which each channel that goes
    into the convolution has its own."""

    scale: float
    zero: int
    factors: NDArray[np.float32]


def rounding_of(low: NDArray[np.float32], high: NDArray[np.float32], factors: NDArray[np.float32]) -> Rounding:
    """The rounding that spans the ranges of channels, multiplied by their factors, zero among its values.

    >>> low, high = np.array([[-1.0, -0.1], [1.0, 0.1]], dtype=np.float32)
    >>> rounding_of(low, high, np.array([1.0, 10.0], dtype=np.float32)).zero
    128
    """
    least, most = min(float((low * factors).min()), 0.0), max(float((high * factors).max()), 1e-6)
    scale = (most - least) / 255
    return Rounding(scale=scale, zero=round(-least / scale), factors=factors)


def onnx_graph(network: MatchedUNet, roundings: Mapping[str, Rounding]) -> "onnx.ModelProto":
    """The network as a graph from ``features`` to ``corrections`` and ``shares``.

    Args:
        roundings: of what goes into convolutions, by their names in the network; the others stay in single precision.
    """
    import onnx

    graph = _Graph(network, roundings)
    x = graph.add("Transpose", "features", perm=[0, 3, 1, 2])
    corrections, shares = graph.unet(x)
    graph.add("Transpose", corrections, perm=[0, 2, 3, 1], to="corrections")
    graph.add("Transpose", shares, perm=[0, 2, 3, 1], to="shares")

    def value(name: str) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [f"{name}_{i}" for i in range(4)])

    proto = onnx.helper.make_graph(
        graph.nodes, "matched-unet", [value("features")], [value("corrections"), value("shares")], graph.constants
    )
    model = onnx.helper.make_model(proto, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants, as they are added; values are known by their names."""

    def __init__(self, network: MatchedUNet, roundings: Mapping[str, Rounding]) -> None:
        self._network, self._roundings = network, roundings
        self._names = {module: name for name, module in network.named_modules()}
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """One operation; the name of what it gives."""
        import onnx

        name = to or f"v{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        import onnx

        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def unet(self, x: str) -> tuple[str, str]:
        """What :meth:`~regroove.networks.matched_unet.MatchedUNet.forward` does."""
        network = self._network
        x = self.add("Add", self.convolution(x, network.inlet), self._position(x))
        skips = []
        for blocks, shrink in zip(network.down, network.shrink, strict=True):
            x = self._blocks(x, blocks)
            skips.append(x)
            x = self.convolution(x, shrink)
        x = self._blocks(x, network.middle)
        for blocks, grow in zip(reversed(network.up), reversed(network.grow), strict=True):
            x = self._blocks(self.add("Add", self.convolution(x, grow), skips.pop()), blocks)
        x = self._silu(x)
        low = self._slice(x, HELD + 1)
        return self.convolution(x, network.outlet), self._slice(self.convolution(low, network.shares), HELD)

    def convolution(self, x: str, module: nn.Module) -> str:
        assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is not None
        weight = module.weight.detach().float().numpy()
        across = isinstance(module, nn.ConvTranspose2d)
        rounding = self._roundings.get(self._names[module])
        if rounding is None:
            kernel = self.constant(weight)
        else:
            x = self._rounded(x, rounding)
            shape = (-1, 1, 1, 1) if across else (1, -1, 1, 1)
            evened = (weight / rounding.factors.reshape(shape)).astype(np.float32)
            kernel = self._rounded_weights(evened, axis=1 if across else 0)
        bias = self.constant(module.bias.detach().float().numpy())
        padding = [int(p) for p in module.padding]
        return self.add(
            "ConvTranspose" if across else "Conv", x, kernel, bias,
            strides=list(module.stride), dilations=list(module.dilation), pads=padding * 2,
        )  # fmt: skip

    def _blocks(self, x: str, blocks: nn.Module) -> str:
        for block in blocks.children():
            inner = self.convolution(self._silu(x), block.get_submodule("first"))
            x = self.add("Add", self.convolution(self._silu(inner), block.get_submodule("second")), x)
        return x

    def _silu(self, x: str) -> str:
        return self.add("Mul", x, self.add("Sigmoid", x))

    def _slice(self, x: str, patches: int | str) -> str:
        """The lowest patches, a number or a value's name."""
        end = patches if isinstance(patches, str) else self.constant(np.array([patches]))
        return self.add("Slice", x, self.constant(np.array([0])), end, self.constant(np.array([3])))

    def _position(self, x: str) -> str:
        position = self.constant(self._network.position.detach().float().numpy())
        patches = self.add("Gather", self.add("Shape", x), self.constant(np.array([3])))
        return self._slice(position, patches)

    def _rounded(self, x: str, rounding: Rounding) -> str:
        scale, zero = (
            self.constant(np.array(rounding.scale, np.float32)),
            self.constant(np.array(rounding.zero, np.uint8)),
        )
        x = self.add("Mul", x, self.constant(rounding.factors.reshape(1, -1, 1, 1)))
        return self.add("DequantizeLinear", self.add("QuantizeLinear", x, scale, zero), scale, zero)

    def _rounded_weights(self, weight: NDArray[np.float32], *, axis: int) -> str:
        others = tuple(i for i in range(weight.ndim) if i != axis)
        most = np.maximum(np.abs(weight).max(axis=others, keepdims=True), 1e-12)
        scale = most / LARGEST_WEIGHT
        values = self.constant(np.rint(weight / scale).astype(np.int8))
        zeros = self.constant(np.zeros(scale.size, np.int8))
        return self.add("DequantizeLinear", values, self.constant(scale.ravel()), zeros, axis=axis)
