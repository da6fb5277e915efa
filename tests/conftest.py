"""Tests run on one thread: most are too small for more, and waiting threads are slow on busy machines."""

import torch

torch.set_num_threads(1)
