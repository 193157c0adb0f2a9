"""First-spike times of a layer for JAX, with exact derivatives.

>>> import jax, jax.numpy as jnp
>>> from firstspike.jax import first_spike
>>> times, weight = jnp.array([[0.1, 0.7]]), jnp.array([[2.0, 3.0]])
>>> jax.jit(first_spike)(times, weight)
Array([[0.8123374]], dtype=float32)

The work is done on the CPU by the same kernels as in ``firstspike.torch``; JAX calls them back.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import _core
from .errors import InputError


def _host(value: Any, dtype: Any) -> Any:
    return np.asarray(value, dtype=dtype)


def _run(
    kind: str | None, capacitance: float | None, by_times: bool, arguments: tuple[Any, ...]
) -> tuple[Any, Any, tuple[Any, ...]]:
    times, weight, delays, tau_m, tau_s, threshold = arguments
    dtype = np.asarray(times).dtype
    synaptic = float(tau_s)
    limit = np.asarray(threshold, dtype=np.float64)
    given = (
        _host(times, dtype),
        _host(weight, dtype),
        None if kind is None else _host(delays, dtype),
        kind,
        float(tau_m),
        synaptic,
        synaptic if capacitance is None else capacitance,
        float(limit) if limit.ndim == 0 else np.ascontiguousarray(limit),
    )
    spikes, run = _core.layer_forward(*given, by_times)
    return spikes, run, given


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _first_spike(kind: str | None, capacitance: float | None, *arguments: Any) -> Any:
    times, weight = arguments[:2]
    shape = jax.ShapeDtypeStruct((times.shape[0], weight.shape[0]), times.dtype)
    call = lambda *given: _run(kind, capacitance, False, given)[0]  # noqa: E731
    return jax.pure_callback(call, shape, *arguments)


def _forward(kind: str | None, capacitance: float | None, *arguments: Any) -> Any:
    return _first_spike(kind, capacitance, *arguments), arguments


def _backward(kind: str | None, capacitance: float | None, arguments: Any, by_spikes: Any) -> Any:
    times, _, _, _, _, threshold = arguments

    def call(by_spikes: Any, *given: Any) -> Any:
        dtype = np.asarray(given[0]).dtype
        spikes, run, parameters = _run(kind, capacitance, True, given)
        by_spikes = _host(by_spikes, dtype)
        by_times, by_weight, by_delays = run.backward(by_spikes)
        everything = (*parameters, spikes, by_spikes)
        tau_m, tau_s, by_capacitance, by_threshold = _core.layer_parameter_gradients(*everything)
        if capacitance is None:
            # The capacitance is tau_s, too.
            tau_s += by_capacitance
        if kind is None:
            by_delays = np.zeros(np.shape(given[2]), dtype)
        by_threshold = np.asarray(by_threshold).reshape(np.shape(given[5]))
        found = (by_times, by_weight, by_delays, tau_m, tau_s, by_threshold)
        return tuple(
            np.asarray(value, dtype=np.asarray(argument).dtype, order="C")
            for value, argument in zip(found, given, strict=True)
        )

    shapes = tuple(jax.ShapeDtypeStruct(value.shape, value.dtype) for value in arguments)
    return jax.pure_callback(call, shapes, by_spikes, *arguments)


_first_spike.defvjp(_forward, _backward)


def first_spike(
    times: Any,
    weight: Any,
    *,
    delays: Any = None,
    delay_kind: str | None = None,
    tau_m: Any = 1.0,
    tau_s: Any = 1.0,
    threshold: Any = 1.0,
    capacitance: float | None = None,
) -> Any:
    """When each neuron of a layer first spikes; see :func:`firstspike.torch.first_spike`.

    ``times`` are batch × in, ``weight`` is out × in. Differentiable by times, weight, delays, tau_m, tau_s and
    threshold. Works under ``jit`` and ``grad``; batches are the first axis, ``vmap`` is not needed.
    """
    times, weight = jnp.asarray(times), jnp.asarray(weight)
    if times.ndim != 2 or weight.ndim != 2 or times.shape[1] != weight.shape[1]:
        raise InputError(
            f"times of shape {times.shape} (samples, inputs) do not fit weight of shape {weight.shape} "
            "(neurons, inputs)"
        )
    if times.dtype != weight.dtype or times.dtype not in (jnp.float32, jnp.float64):
        raise InputError(
            f"times are {times.dtype}, weight is {weight.dtype}: they must both be float32 or float64"
        )
    if (delays is None) != (delay_kind is None):
        raise InputError("delays and delay_kind belong together: give both or none")
    lasting = jnp.zeros(0, times.dtype) if delays is None else jnp.asarray(delays, times.dtype)
    numbers = (jnp.asarray(value, times.dtype) for value in (tau_m, tau_s, threshold))
    return _first_spike(delay_kind, capacitance, times, weight, lasting, *numbers)
