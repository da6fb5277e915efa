"""The devices that there are to compute on."""

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
