"""The devices that there are to compute on."""

import platform

from regroove.errors import SettingsError


def resolve_device(device: str) -> str:
    """The device to compute on; ``auto`` is the first GPU if there is one.

    Raises:
        SettingsError: the device is not on this machine.

    >>> resolve_device("cpu")
    'cpu'
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = device.partition(":")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind, False):
        raise SettingsError(f"The device {device} is not available on this machine.")
    return device


def has_bfloat16(device: str) -> bool:
    """Whether the hardware computes in bfloat16; elsewhere it would only be slower.

    >>> has_bfloat16("mps")
    False
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported()
    # Builds without oneDNN, such as those for macOS, do not have the question either.
    known = kind == "cpu" and torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    # oneDNN also says yes to AVX-512 without bfloat16, which it emulates in 2.4 times the time of single precision.
    return bool(known) and (platform.machine().lower() not in ("x86_64", "amd64") or _x86_has_bfloat16())


def _x86_has_bfloat16() -> bool:
    import torch

    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name)() for name in names if hasattr(torch.cpu, name))
