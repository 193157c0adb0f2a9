"""The function for JAX."""

from __future__ import annotations

import math

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="jax is not installed")

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

from firstspike import InputError, _core  # noqa: E402
from firstspike.jax import first_spike  # noqa: E402


@pytest.fixture(autouse=True)
def double():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def case(kind, samples=6, inputs=5, neurons=4):
    random = np.random.default_rng(1)
    shapes = {"axonal": (inputs,), "dendritic": (neurons,), "synaptic": (neurons, inputs)}
    delays = None if kind is None else jnp.array(random.uniform(0.1, 0.4, shapes[kind]))
    times = jnp.array(random.uniform(0, 1.5, (samples, inputs)))
    return times, jnp.array(random.uniform(0.6, 2.0, (neurons, inputs))), delays


@pytest.mark.parametrize("kind", [None, "axonal", "dendritic", "synaptic"])
@pytest.mark.parametrize("jitted", [False, True])
def test_gradients_by_every_argument(kind, jitted):
    times, weight, delays = case(kind)

    def spikes(times, weight, tau_m, tau_s, threshold, delays):
        return first_spike(
            times,
            weight,
            delays=delays,
            delay_kind=kind,
            tau_m=tau_m,
            tau_s=tau_s,
            threshold=threshold,
        )

    arguments = (times, weight, jnp.array(2.5), jnp.array(1.0), jnp.linspace(0.9, 1.1, 4), delays)
    function = jax.jit(spikes) if jitted else spikes
    assert bool(jnp.isfinite(function(*arguments)).all()), "the test's neurons spike"
    if kind is None:
        check_grads(lambda *some: function(*some, None), arguments[:5], 1, ["rev"], 1e-5, 1e-5)
    else:
        check_grads(function, arguments, 1, ["rev"], 1e-5, 1e-5)


def test_spikes_are_the_kernels_to_the_bit():
    times, weight, _ = case(None)
    expected, _ = _core.layer_forward(
        np.asarray(times), np.asarray(weight), None, None, 1.0, 1.0, 1.0, 1.0, False
    )
    np.testing.assert_array_equal(jax.jit(first_spike)(times, weight), expected)
    single = first_spike(times.astype(jnp.float32), weight.astype(jnp.float32))
    assert single.dtype == jnp.float32


def test_two_layers_learn_under_jit():
    times, weight, _ = case(None, samples=50)
    label = jnp.array(np.random.default_rng(2).uniform(1.0, 2.0, (2, 4)))

    def loss(weights):
        spikes = first_spike(first_spike(times, weights[0]), weights[1])
        return jnp.mean(jnp.where(jnp.isfinite(spikes), spikes - 2.0, 0.0) ** 2)

    step = jax.jit(lambda w: jax.tree.map(lambda p, g: p - 0.05 * g, w, jax.grad(loss)(w)))
    weights = (weight, label)
    before = loss(weights)
    for _ in range(30):
        weights = step(weights)
    assert 0.0 < loss(weights) < 0.9 * before


def test_what_cannot_be_is_refused():
    times, weight, _ = case(None)
    for wrong, message in [
        (lambda: first_spike(times[0], weight), "do not fit"),
        (lambda: first_spike(times, weight[:, :2]), "do not fit"),
        (lambda: first_spike(times.astype(int), weight), "must both be"),
        (lambda: first_spike(times, weight, delay_kind="axonal"), "belong together"),
    ]:
        with pytest.raises(InputError, match=message):
            wrong()
    with pytest.raises(Exception, match="is NaN: it must be a time"):
        first_spike(times * math.nan, weight).block_until_ready()
