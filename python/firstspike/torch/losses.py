"""Losses, decisions and encodings of the paper, and what to do about silent neurons."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from .. import _core
from ..data import spike_times
from ..errors import InputError
from .functional import array
from .layers import SpikingLinear


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, times: torch.Tensor, labels: torch.Tensor, kind: str, values: tuple[float, ...]
    ) -> torch.Tensor:
        given = array(times, "times")
        if given.dtype != "float64":
            given = given.astype("float64")
        losses, gradient = _core.loss(kind, values, given, array(labels.to(torch.int64), "labels"))
        ctx.gradient = torch.from_numpy(gradient).to(times.dtype)
        return torch.from_numpy(losses).to(times.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_loss: torch.Tensor) -> Any:  # type: ignore[override]
        return ctx.gradient * by_loss[:, None], None, None, None


def _reduced(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise InputError(f'reduction: {reduction!r} is none of "mean", "sum" and "none"')


def first_spike_cross_entropy(
    times: torch.Tensor,
    labels: torch.Tensor,
    *,
    scale: float = 0.2,
    early_weight: float = 0.005,
    early_scale: float = 1.0,
    reduction: str = "mean",
) -> torch.Tensor:
    """The paper's loss (equation 3): cross-entropy of the softmax over ``-times / scale``, plus a cost of late
    correct spikes, ``early_weight * exp(t_correct / early_scale)``. A sample whose correct label neuron is silent
    has a loss of 100 and no gradient."""
    values = (scale, early_weight, early_scale)
    return _reduced(_Loss.apply(times, labels, "cross_entropy", values), reduction)


def mean_squared_loss(
    times: torch.Tensor,
    labels: torch.Tensor,
    *,
    correct: float,
    wrong: float,
    reduction: str = "mean",
) -> torch.Tensor:
    """Half the squared distances of label times to two targets. Decide with ``decide(times, correct=correct)``."""
    return _reduced(_Loss.apply(times, labels, "mean_squared", (correct, wrong)), reduction)


def shift_invariant_loss(
    times: torch.Tensor, labels: torch.Tensor, *, margin: float, reduction: str = "mean"
) -> torch.Tensor:
    """Wrong labels should spike ``margin`` after the correct one, whenever that is (DelGrad, Göltz et al. 2024)."""
    return _reduced(_Loss.apply(times, labels, "shift_invariant", (margin,)), reduction)


def decide(times: torch.Tensor, *, correct: float | None = None) -> torch.Tensor:
    """The class of each sample: the label neuron that spikes first, or the one closest to ``correct``; -1 if all are
    silent."""
    distance = times if correct is None else (times - correct).abs()
    silent = torch.isinf(times).all(dim=1)
    return torch.where(silent, -1, distance.argmin(dim=1))


def latency(
    features: torch.Tensor,
    earliest: float,
    latest: float,
    *,
    inverted: bool = False,
    silent_zero: bool = False,
) -> torch.Tensor:
    """Features from 0 to 1 as spike times: 0 spikes at ``earliest``, 1 at ``latest``; see
    :func:`firstspike.latency`."""
    times: torch.Tensor = spike_times(features, earliest, latest, inverted)
    return torch.where(features == 0.0, torch.inf, times) if silent_zero else times


def nudge_silent_(
    layer: SpikingLinear, spikes: torch.Tensor, *, allowed: float, amount: float | None = None
) -> None:
    """Adds a little to the weights of neurons that are silent in more than a fraction ``allowed`` of the samples.

    Silent neurons have no gradient. A neuron that is always silent where it never should gets ``amount`` on each of
    its weights; by default all inputs together get a tenth of its threshold, as in the program's
    ``silent_neurons = true``. Call it after the optimiser's step, with the spikes that the layer gave.
    """
    silent = torch.isinf(spikes.detach()).to(layer.weight.dtype).mean(dim=0)
    excess = (silent - allowed).clamp_(min=0.0)
    if bool(excess.any()):
        if amount is None:
            _, tau_s, capacitance, threshold = layer._typical()
            amount = 0.1 * threshold * capacitance / (tau_s * layer.weight.shape[1])
        with torch.no_grad():
            layer.weight.add_(amount * excess[:, None])
