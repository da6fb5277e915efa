"""Putting weights into a network, or saying in one sentence why they do not fit."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from regroove.errors import ModelError


def load_state(network: nn.Module, state: Mapping[Any, Any], *, source: str) -> None:
    """Copy weights into a network: every name and shape has to agree, and every value to be finite.

    Raises:
        ModelError: something is missing, left over, of another shape or not finite; ``source`` is named in it.

    >>> load_state(nn.Linear(2, 1), {"weight": torch.zeros(1, 2)}, source="demo")
    Traceback (most recent call last):
    regroove.errors.ModelError: The weights in demo do not fit the network: bias is missing.
    """
    expected = network.state_dict()
    problem = next((p for name, value in expected.items() if (p := _misfit(name, value, state.get(name)))), None)
    left_over = [str(name) for name in state if name not in expected]
    if problem is None and left_over:
        problem = f"{left_over[0]} is not part of it"
    if problem:
        raise ModelError(f"The weights in {source} do not fit the network: {problem}.")
    network.load_state_dict(dict(state))


def _misfit(name: str, expected: Tensor, given: object) -> str | None:
    if not isinstance(given, Tensor):
        return f"{name} is missing"
    if given.shape != expected.shape:
        return f"{name} has shape {tuple(given.shape)} in place of {tuple(expected.shape)}"
    if not torch.isfinite(given).all():
        return f"{name} holds values that are not finite"
    return None
