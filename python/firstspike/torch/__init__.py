"""Layers of first-spike neurons for PyTorch, with exact derivatives.

>>> import torch, firstspike.torch as fst
>>> network = torch.nn.Sequential(
...     fst.FirstSpikeLinear(4, 120, bias_times=[0.9]),
...     fst.FirstSpikeLinear(120, 3, bias_times=[0.9]),
... )
>>> times = fst.latency(torch.rand(150, 4), 0.15, 2.0)
>>> loss = fst.shift_invariant_loss(network(times), torch.randint(3, (150,)), margin=0.15)
>>> loss.backward()

Tensors of times are batch × neurons on the CPU, float32 or float64; ``inf`` stands for "does not spike".
"""

from .chip import ChipLinear
from .functional import first_spike
from .layers import FirstSpikeLinear
from .losses import (
    decide,
    first_spike_cross_entropy,
    latency,
    mean_squared_loss,
    nudge_silent_,
    shift_invariant_loss,
)

__all__ = [
    "ChipLinear",
    "FirstSpikeLinear",
    "decide",
    "first_spike",
    "first_spike_cross_entropy",
    "latency",
    "mean_squared_loss",
    "nudge_silent_",
    "shift_invariant_loss",
]
