"""Layers on the model of a chip."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import firstspike

torch = pytest.importorskip("torch", reason="torch is not installed")

import firstspike.torch as fst  # noqa: E402
from firstspike import InputError  # noqa: E402


@pytest.fixture
def times():
    torch.manual_seed(1)
    return torch.rand(30, 6, dtype=torch.float64) * 1.8


@pytest.mark.parametrize("rule", ["twin", "datasheet", "recorded"])
def test_an_ideal_chip_is_the_ideal_layer(times, rule):
    ideal = fst.FirstSpikeLinear(6, 10, bias_times=[0.9], dtype=torch.float64)
    layer = fst.ChipLinear(6, 10, chip={}, rule=rule, bias_times=[0.9], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(ideal.weight)
    times.requires_grad_()
    expected, found = ideal(times), layer(times)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    by = torch.where(torch.isfinite(expected), torch.rand_like(expected), 0.0)
    of_ideal = torch.autograd.grad(expected, (times, ideal.weight), by)
    of_chip = torch.autograd.grad(found, (times, layer.weight), by)
    for one, other in zip(of_chip, of_ideal, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_training_in_the_loop(chips):
    torch.manual_seed(1)
    # As in the paper, each input drives five sources, and so does the bias.
    network = torch.nn.Sequential(
        fst.ChipLinear(20, 40, chip=chips / "brainscales2.toml", bias_times=[0.9] * 5, seed=1),
        fst.ChipLinear(40, 3, chip=chips / "brainscales2.toml", seed=2),
    )
    features, labels = firstspike.yin_yang(300, 42)
    times = fst.latency(torch.tensor(features).float(), 0.15, 2.0).repeat_interleave(5, dim=1)
    labels = torch.tensor(labels)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        hidden = network[0](times)
        spikes = network[1](hidden)
        fst.shift_invariant_loss(spikes, labels, margin=0.3).backward()
        optimiser.step()
        for layer in network:
            layer.clip_weights_()
        fst.nudge_silent_(network[0], hidden, allowed=0.8)
        fst.nudge_silent_(network[1], spikes, allowed=0.5)
    network.eval()
    with torch.no_grad():
        accuracy = float((fst.decide(network(times)) == labels).float().mean())
        assert accuracy > 0.6, "a third would be chance"
        # Without training, noise is that of the sample's place.
        torch.testing.assert_close(network(times), network(times), rtol=0, atol=0)
    estimated, true = network[0].thresholds()
    assert estimated.shape == true.shape == (40,)
    step = network[0].programmed()
    assert step.unique().numel() <= 2 * 63 + 1, "six bits and a sign"
    with torch.no_grad():
        network[0].weight[3, 2] = 1000.0
    programmed = network[0].programmed()
    network[0].clip_weights_()
    assert network[0].weight[3, 2] == programmed.max() < 1000.0
    torch.testing.assert_close(network[0].programmed(), programmed, rtol=0, atol=0)


def test_the_twin_is_copied_pickled_and_saved(times):
    def layer():
        return fst.ChipLinear(
            6,
            10,
            chip={"neurons": {"fixed_pattern": {"threshold": 0.1}}, "link": {"spike_jitter": 0.02}},
            dtype=torch.float64,
        )

    torch.manual_seed(3)
    trained = layer()
    for _ in range(10):
        trained(times)
    file = io.BytesIO()
    torch.save(trained.state_dict(), file)
    file.seek(0)
    loaded = layer()
    loaded.load_state_dict(torch.load(file))
    twins = [loaded, copy.deepcopy(trained), pickle.loads(pickle.dumps(trained))]
    expected = trained.thresholds()[0]
    next_spikes = trained(times)
    for twin in twins:
        torch.testing.assert_close(twin.thresholds()[0], expected, rtol=0, atol=0)
        torch.testing.assert_close(twin(times), next_spikes, rtol=0, atol=0)


def test_entries_of_the_sheet_can_be_changed(times, chips):
    few = fst.ChipLinear(
        6, 10, chip=chips / "brainscales2.toml", chip_set={"weights.magnitude_bits": 2}
    )
    assert few.programmed().unique().numel() <= 7


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"chip": "nowhere.toml"}, "cannot read chip file"),
        ({"chip": {"weihgts": {}}}, "weihgts"),
        ({"chip": {}, "rule": "best"}, "is none of"),
        ({"chip": {}, "delays": "synaptic"}, "not per synapse"),
        ({"chip": {"size": {"neurons": 3}}}, "the network has 10 neurons"),
    ],
)
def test_what_does_not_fit_is_refused(keywords, message):
    with pytest.raises(InputError, match=message):
        fst.ChipLinear(6, 10, **keywords)


def test_times_out_of_range_are_refused(times):
    layer = fst.ChipLinear(6, 10, chip={}, dtype=torch.float64)
    with pytest.raises(InputError, match="NaN"):
        layer(times * torch.nan)
    with pytest.raises(InputError, match="no samples"):
        layer(times[:0])
