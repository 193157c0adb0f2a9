"""First-spike times of a layer as a differentiable function."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from .. import _core
from ..errors import InputError


def array(tensor: torch.Tensor, name: str) -> Any:
    """A tensor as an array that shares its memory."""
    if tensor.device.type != "cpu":
        raise InputError(
            f"{name} is on {tensor.device}: firstspike computes on the CPU (use .cpu())"
        )
    return tensor.detach().numpy()


def number(value: float | torch.Tensor, name: str) -> float:
    """A parameter that all neurons have in common."""
    if isinstance(value, torch.Tensor):
        if value.numel() != 1:
            raise InputError(f"{name} has {value.numel()} values: the neurons of a layer have one")
        return float(value.detach())
    return float(value)


def thresholds(value: float | torch.Tensor) -> Any:
    """A threshold for all neurons, or one for each."""
    if isinstance(value, torch.Tensor):
        if value.dim() == 0:
            return float(value.detach())
        return array(value.detach().to(torch.float64), "threshold")
    return float(value)


class _FirstSpike(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        times: torch.Tensor,
        weight: torch.Tensor,
        delays: torch.Tensor | None,
        tau_m: float | torch.Tensor,
        tau_s: float | torch.Tensor,
        threshold: float | torch.Tensor,
        capacitance: float | None,
        kind: str | None,
        bias: torch.Tensor | None,
    ) -> torch.Tensor:
        synaptic = number(tau_s, "tau_s")
        arguments = (
            array(times, "times"),
            array(weight, "weight"),
            None if delays is None else array(delays, "delays"),
            kind,
            number(tau_m, "tau_m"),
            synaptic,
            synaptic if capacitance is None else capacitance,
            thresholds(threshold),
        )
        needs = ctx.needs_input_grad
        constant = None if bias is None else array(bias, "bias_times")
        spikes, ctx.run = _core.layer_forward(*arguments, needs[0], constant)
        out = torch.from_numpy(spikes)
        if any(needs[3:6]):
            ctx.arguments, ctx.bias = arguments, constant
            ctx.follows = capacitance is None
            ctx.shapes = [
                (value.shape, value.dtype) if isinstance(value, torch.Tensor) else None
                for value in (tau_m, tau_s, threshold)
            ]
            # Autograd refuses the way back if one of these was changed meanwhile.
            ctx.save_for_backward(times, weight, out, *([] if delays is None else [delays]))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_spikes: torch.Tensor) -> Any:  # type: ignore[override]
        needs = ctx.needs_input_grad
        gradient = array(by_spikes, "gradient")
        by_times, by_weight, by_delays = ctx.run.backward(gradient)
        found: list[Any] = [None] * 9
        for place, value in enumerate((by_times, by_weight, by_delays)):
            if needs[place] and value is not None:
                found[place] = torch.from_numpy(value)
        if any(needs[3:6]):
            _, _, out, *_ = ctx.saved_tensors
            everything = (*ctx.arguments, out.numpy(), gradient, ctx.bias)
            tau_m, tau_s, by_capacitance, threshold = _core.layer_parameter_gradients(*everything)
            if ctx.follows:
                # The capacitance is tau_s, too.
                tau_s += by_capacitance
            for place, value in ((3, tau_m), (4, tau_s), (5, threshold)):
                if needs[place]:
                    shape, dtype = ctx.shapes[place - 3]
                    found[place] = torch.as_tensor(value).to(dtype).reshape(shape)
        return tuple(found)


def first_spike(
    times: torch.Tensor,
    weight: torch.Tensor,
    *,
    delays: torch.Tensor | None = None,
    delay_kind: str | None = None,
    tau_m: float | torch.Tensor = 1.0,
    tau_s: float | torch.Tensor = 1.0,
    threshold: float | torch.Tensor = 1.0,
    capacitance: float | None = None,
    bias_times: torch.Tensor | None = None,
) -> torch.Tensor:
    """When each neuron of a layer first spikes.

    ``times`` (batch × in) are the inputs' spike times, ``weight`` is out × in, ``delays`` are as many as their kind
    says: ``"axonal"`` (in), ``"dendritic"`` (out) or ``"synaptic"`` (out × in). ``threshold`` is one for all neurons,
    or one for each. ``bias_times`` are spikes of further inputs, the same in all samples, whose weights are the last
    columns. ``tau_m`` may be ``inf``; ``capacitance`` is ``tau_s`` unless it is given. Everything that is a
    tensor has its exact derivative. A spike that does not happen has none.

    Raises :class:`firstspike.InputError` where a value or a shape is not accepted.
    """
    if (delays is None) != (delay_kind is None):
        raise InputError("delays and delay_kind belong together: give both or none")
    others = (delays, bias_times)
    if times.dtype != weight.dtype or any(
        t is not None and t.dtype != weight.dtype for t in others
    ):
        other = "" if delays is None else f", delays are {delays.dtype}"
        raise InputError(
            f"times are {times.dtype}, weight is {weight.dtype}{other}: they must be of one type"
        )
    found: torch.Tensor = _FirstSpike.apply(
        times, weight, delays, tau_m, tau_s, threshold, capacitance, delay_kind, bias_times
    )
    return found
