"""Channels that are one image become those that are restored, and what is removed from these goes back to all."""

import numpy as np
from numpy.typing import NDArray

from regroove.restoration.engines.image import Mix
from regroove.restoration.stages.queues import Samples
from regroove.restoration.stages.stage import Each


def mix_down(mix: Mix) -> Each[NDArray[np.float32], NDArray[np.float32]]:
    """The channels that are restored, of ``(channels, n)`` samples."""
    return Each(lambda chunk: mix.down @ chunk)


def mix_up(mix: Mix) -> Each[Samples, Samples]:
    """What is removed from all channels, of what is removed from those that are restored."""
    return Each(lambda removed: mix.up @ removed)
