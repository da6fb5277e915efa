"""How many blocks are restored at the same time."""

import torch


def workers_on(device: str) -> int:
    """Two on a processor with more than one thread: each holds a block of half a minute in memory."""
    return min(torch.get_num_threads(), 2) if device == "cpu" else 1
