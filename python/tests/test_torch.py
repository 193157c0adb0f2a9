"""Layers for PyTorch."""

from __future__ import annotations

import copy
import io
import math
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import firstspike  # noqa: E402
import firstspike.torch as fst  # noqa: E402
from firstspike import InputError  # noqa: E402

double = torch.float64
KINDS = [None, "axonal", "dendritic", "synaptic"]


def tensors(kind, samples=6, inputs=5, neurons=4, seed=1):
    random = np.random.default_rng(seed)
    times = torch.tensor(random.uniform(0, 1.5, (samples, inputs)), requires_grad=True)
    weight = torch.tensor(random.uniform(0.6, 2.0, (neurons, inputs)), requires_grad=True)
    shapes = {"axonal": (inputs,), "dendritic": (neurons,), "synaptic": (neurons, inputs)}
    delays = None
    if kind is not None:
        delays = torch.tensor(random.uniform(0.1, 0.4, shapes[kind]), requires_grad=True)
    return times, weight, delays


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tau_m", [0.7, 1.0, 2.0, 3.0, math.inf])
def test_gradcheck_by_every_argument(kind, tau_m):
    times, weight, delays = tensors(kind)
    time_constant = torch.tensor(tau_m, dtype=double, requires_grad=math.isfinite(tau_m))
    tau_s = torch.tensor(1.0, dtype=double, requires_grad=True)
    threshold = torch.linspace(0.9, 1.1, 4, dtype=double).requires_grad_()

    def spikes(times, weight, tau_m, tau_s, threshold, *delays):
        return fst.first_spike(
            times,
            weight,
            delays=delays[0] if delays else None,
            delay_kind=kind,
            tau_m=tau_m,
            tau_s=tau_s,
            threshold=threshold,
        )

    arguments = (
        times,
        weight,
        time_constant,
        tau_s,
        threshold,
        *([] if delays is None else [delays]),
    )
    assert bool(torch.isfinite(spikes(*arguments)).all()), "the test's neurons spike"
    assert torch.autograd.gradcheck(spikes, arguments, eps=1e-6, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck_of_wide_layers(kind):
    times, weight, delays = tensors(kind, samples=2, inputs=20, neurons=24)
    weight = (weight / 6).detach().requires_grad_()
    arguments = (times, weight, *([] if delays is None else [delays]))

    def spikes(times, weight, *delays):
        lasting = delays[0] if delays else None
        return fst.first_spike(times, weight, delays=lasting, delay_kind=kind)

    assert bool(torch.isfinite(spikes(*arguments)).all()), "the test's neurons spike"
    assert torch.autograd.gradcheck(spikes, arguments, eps=1e-6, atol=1e-6, rtol=1e-5)


def test_gradcheck_of_a_threshold_for_all_and_a_capacitance_of_its_own():
    times, weight, _ = tensors(None)
    threshold = torch.tensor(1.0, dtype=double, requires_grad=True)
    tau_s = torch.tensor(0.9, dtype=double, requires_grad=True)

    def spikes(threshold, tau_s):
        return fst.first_spike(times, weight, threshold=threshold, tau_s=tau_s, capacitance=1.1)

    assert torch.autograd.gradcheck(spikes, (threshold, tau_s), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_gradcheck_of_losses_and_encoding(reduction):
    times = torch.tensor([[1.1, 0.9, 1.4], [0.7, math.inf, 1.0]], dtype=double, requires_grad=True)
    labels = torch.tensor([2, 0])
    finite = torch.tensor([[1.1, 0.9, 1.4], [0.7, 0.6, 1.0]], dtype=double, requires_grad=True)
    for loss in (
        lambda times: fst.first_spike_cross_entropy(times, labels, reduction=reduction),
        lambda times: fst.mean_squared_loss(
            times, labels, correct=1.9, wrong=1.6, reduction=reduction
        ),
        lambda times: fst.shift_invariant_loss(times, labels, margin=0.2, reduction=reduction),
    ):
        assert torch.autograd.gradcheck(loss, (finite,))
        torch.as_tensor(loss(times)).sum().backward()
        assert times.grad[1, 1] == 0
    features = torch.rand(3, 4, dtype=double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: fst.latency(f, 0.15, 2.0), (features,))


def test_losses_are_the_formulas():
    times = torch.tensor([[1.1, 0.9, 1.4]], dtype=double)
    label = torch.tensor([2])
    cross = torch.nn.functional.cross_entropy(-times / 0.2, label) + 0.005 * math.exp(1.4)
    assert abs(float(fst.first_spike_cross_entropy(times, label) - cross)) < 1e-14
    shift = 0.5 * ((1.1 - 1.4 - 0.2) ** 2 + (0.9 - 1.4 - 0.2) ** 2)
    assert abs(float(fst.shift_invariant_loss(times, label, margin=0.2)) - shift) < 1e-14
    silent = torch.full((1, 3), math.inf, dtype=double)
    assert float(fst.first_spike_cross_entropy(silent, label)) == 100.0
    assert fst.decide(torch.cat([times, silent])).tolist() == [1, -1]
    assert fst.decide(times, correct=1.2).tolist() == [0]
    with pytest.raises(InputError, match="there is a label 3"):
        fst.shift_invariant_loss(times, torch.tensor([3]), margin=0.2)
    with pytest.raises(InputError, match="margin"):
        fst.shift_invariant_loss(times, label, margin=-1.0)


def test_encoding_is_the_librarys():
    features = np.random.default_rng(1).uniform(0, 1, (9, 4))
    expected = firstspike.latency(features, 0.15, 2.0, inverted=True, silent_zero=True)
    found = fst.latency(torch.tensor(features), 0.15, 2.0, inverted=True, silent_zero=True)
    np.testing.assert_array_equal(found.numpy(), expected)
    assert fst.latency(torch.zeros(1), 0.0, 1.0, silent_zero=True).tolist() == [math.inf]


@pytest.mark.parametrize("dtype", [torch.float32, double])
def test_layers_stack_and_learn(dtype):
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        fst.FirstSpikeLinear(4, 20, bias_times=[0.9], delays="synaptic", dtype=dtype),
        fst.FirstSpikeLinear(
            20, 3, bias_times=[0.9], trainable=["threshold", "tau_s"], dtype=dtype
        ),
    )
    features, labels = firstspike.yin_yang(150, 42)
    times = fst.latency(torch.tensor(features, dtype=dtype), 0.15, 2.0)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        spikes = network(times)
        assert spikes.dtype == dtype and spikes.shape == (150, 3)
        loss = fst.shift_invariant_loss(spikes, torch.tensor(labels), margin=0.2)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
    for parameter in network.parameters():
        assert parameter.grad is not None and bool(torch.isfinite(parameter.grad).all())
    network(times)
    assert network[0].delays.min().item() >= 0.0


def test_single_precision_is_close_to_double():
    times, weight, _ = tensors(None, samples=40)
    exact = fst.first_spike(times, weight)
    single = fst.first_spike(times.float(), weight.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact, rtol=1e-5, atol=1e-5)


def test_shapes_and_layouts():
    layer = fst.FirstSpikeLinear(4, 3, dtype=double)
    times = torch.rand(2, 5, 4, dtype=double)
    assert layer(times).shape == (2, 5, 3)
    assert layer(times[0, 0]).shape == (3,)
    torch.testing.assert_close(layer(times)[1], layer(times[1]), rtol=0, atol=0)
    turned = torch.rand(4, 7, dtype=double).t()
    torch.testing.assert_close(layer(turned), layer(turned.contiguous()), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda layer: layer(torch.full((2, 4), math.nan)), "is NaN: it must be a time from 0"),
        (lambda layer: layer(-torch.ones(2, 4)), "is -1: it must be a time from 0"),
        (lambda layer: layer(torch.ones(0, 4)), "no samples"),
        (lambda layer: layer(torch.ones(2, 3)), "the layer has 4 inputs"),
        (lambda layer: layer(torch.ones(2, 4, dtype=double)), "they must be of one type"),
        (lambda layer: layer(torch.ones(2, 4).int()), "they must be of one type"),
        (lambda layer: fst.FirstSpikeLinear(4, 0), "it has one of each at least"),
        (lambda layer: fst.FirstSpikeLinear(0, 4), "it has one of each at least"),
        (lambda layer: fst.FirstSpikeLinear(4, 2, delays="nodal"), "is none of None"),
        (lambda layer: fst.FirstSpikeLinear(4, 2, trainable=["weight"]), "trainable"),
        (lambda layer: fst.FirstSpikeLinear(4, 2, bias_times=[-1.0]), "bias_times"),
        (lambda layer: fst.FirstSpikeLinear(4, 2, tau_m=-1.0), "tau_m"),
        (lambda layer: fst.FirstSpikeLinear(4, 2, dtype=torch.float16), "float32 or float64"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make(fst.FirstSpikeLinear(4, 2))


def test_a_loss_of_silence_has_no_gradient_and_one_of_nan_is_refused():
    times, weight, _ = tensors(None)
    weak = (0.01 * weight).detach().requires_grad_()
    spikes = fst.first_spike(times, weak)
    assert bool(torch.isinf(spikes).all())
    (spikes - 1.0).square().sum().backward()
    assert float(weak.grad.abs().sum()) == 0.0
    with pytest.raises(InputError, match="is NaN: it must be finite"):
        (fst.first_spike(times, weight) * math.nan).sum().backward()


def test_layers_are_copied_pickled_and_saved():
    torch.manual_seed(2)
    layer = fst.FirstSpikeLinear(
        4, 3, delays="axonal", bias_times=[0.9, 1.0], trainable=["tau_m"], threshold=[1.0, 1.1, 1.2]
    )
    times = torch.rand(5, 4)
    expected = layer(times)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = fst.FirstSpikeLinear(
        4, 3, delays="axonal", bias_times=[0.0, 0.0], trainable=["tau_m"], threshold=[1.0, 1.1, 1.2]
    )
    other.load_state_dict(torch.load(file))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), other):
        torch.testing.assert_close(twin(times), expected, rtol=0, atol=0)
    assert "4, 3, tau_m=1" in repr(layer) and "axonal" in repr(layer)


def test_the_way_back_can_be_gone_twice():
    times, weight, _ = tensors(None)
    spikes = fst.first_spike(times, weight)
    one = torch.autograd.grad(spikes.sum(), (times, weight), retain_graph=True)
    two = torch.autograd.grad(spikes.sum(), (times, weight))
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_silent_neurons_are_nudged():
    layer = fst.FirstSpikeLinear(4, 3)
    with torch.no_grad():
        layer.weight[1] = 0.0
    times = torch.rand(50, 4)
    for _ in range(200):
        fst.nudge_silent_(layer, layer(times), allowed=0.2)
    assert float(torch.isinf(layer(times)).float().mean(0).max()) <= 0.25


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="the processor cannot")
def test_threads_that_flush_denormals_change_nothing():
    times, weight, _ = tensors(None)
    expected = fst.first_spike(times, weight)
    torch.set_flush_denormal(True)
    try:
        found = fst.first_spike(times, weight)
        gradient = torch.autograd.grad(found.sum(), weight)[0]
    finally:
        torch.set_flush_denormal(False)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(
        gradient, torch.autograd.grad(expected.sum(), weight)[0], rtol=0, atol=0
    )


def test_initial_weights_make_neurons_spike():
    torch.manual_seed(1)
    layer = fst.FirstSpikeLinear(50, 200, tau_m=2.0, tau_s=0.5, threshold=3.0)
    times = torch.rand(20, 50)
    layer.reset_weights_for(times)
    assert float(torch.isinf(layer(times)).float().mean()) < 0.2
