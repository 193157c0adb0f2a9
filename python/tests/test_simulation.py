"""Networks from arrays, statistics and comparison of spikes."""

from __future__ import annotations

import numpy as np
import pytest

import firstspike
from firstspike import InputError


def pair():
    network = firstspike.Network()
    network.add_sources("input", 1)
    network.add_neurons("pair", 2, refractory_period=1.0)
    network.connect("input", "pair", [[4.0, 0.0]])
    network.connect("pair", "pair", [[0.0, 4.0], [4.0, 0.0]], delays=0.5)
    return network


def test_a_pair_takes_turns():
    network = pair()
    assert network.populations == {"input": 1, "pair": 2} and network.synapses == 3
    found = network.simulate({"input": [[0.0]]}, until=10.0, potentials={"pair": [0, 1]})
    turns = found.spikes.of("pair")
    assert turns.neurons[:4].tolist() == [0, 1, 0, 1]
    assert found.engine == "event" and found.synaptic_events > 0
    assert found.potentials["pair"].shape == (2, 1001) == (2, found.times.size)
    # Never above the threshold, but for rounding.
    assert found.potentials["pair"].max() <= 1.0 + 1e-9
    trains = turns.trains(2)
    assert [train.size for train in trains] == [
        (turns.neurons == 0).sum(),
        (turns.neurons == 1).sum(),
    ]
    once = network.simulate({"input": [[0.0]]}, until=10.0, at_most_one_spike=True)
    assert len(once.spikes) == 3


@pytest.mark.parametrize("tau_m", [0.5, 1.0, 2.0, np.inf])
def test_forms_of_weights_and_input_spikes_are_alike(tau_m):
    random = np.random.default_rng(1)
    dense = random.normal(0.5, 0.5, (20, 10)) * (random.uniform(size=(20, 10)) < 0.4)
    delays = random.uniform(0.1, 0.5, (20, 10))
    trains = [np.sort(random.uniform(0, 20, 10)) for _ in range(20)]
    rows, columns = np.nonzero(dense)
    forms = [
        {"weights": dense, "delays": delays},
        {
            "weights": dense[rows, columns],
            "delays": delays[rows, columns],
            "indices": (rows, columns),
        },
    ]
    try:
        import scipy.sparse

        forms.append({"weights": scipy.sparse.csr_matrix(dense), "delays": delays})
        forms.append(
            {
                "weights": scipy.sparse.coo_array(dense),
                "delays": scipy.sparse.csc_matrix(delays * (dense != 0)),
            }
        )
    except ImportError:
        pass
    neurons = np.repeat(np.arange(20), 10)
    expected = None
    for form in forms:
        network = firstspike.Network()
        network.add_sources("input", 20)
        network.add_neurons("n", 10, tau_m=tau_m, threshold=np.linspace(0.8, 1.2, 10))
        network.connect("input", "n", **form)
        assert network.synapses == rows.size
        for stimulus in (trains, (neurons, np.concatenate(trains))):
            spikes = network.simulate({"input": stimulus}, until=25.0).spikes
            if expected is None:
                expected = spikes
                assert len(spikes.of("n")) > 20
            assert firstspike.diff(spikes, expected).is_equal()


def test_the_window_engine_is_the_event_engine():
    random = np.random.default_rng(2)
    network = firstspike.Network()
    network.add_sources("input", 30)
    network.add_neurons("n", 40, refractory_period=0.5)
    network.connect("input", "n", random.normal(0.4, 0.2, (30, 40)), delays=0.1)
    network.connect("n", "n", random.normal(0.0, 0.2, (40, 40)), delays=0.2)
    stimulus = {"input": [np.sort(random.uniform(0, 5, 20)) for _ in range(30)]}
    event, window = (
        network.simulate(stimulus, until=6.0, engine=engine).spikes
        for engine in ("event", "window")
    )
    difference = firstspike.diff(event, window)
    assert difference.is_equal(1e-9) and len(event) > 700, difference


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda n: n.add_neurons("pair", 1), "exists twice"),
        (lambda n: n.add_neurons("other", 0), "is empty"),
        (lambda n: n.add_neurons("other", 2, tau=1.0), 'no parameter "tau"'),
        (lambda n: n.add_neurons("other", 2, tau_m=-1.0), "tau_m"),
        (lambda n: n.add_neurons("other", 2, tau_m=[1.0] * 3), "tau_m has 3 values"),
        (lambda n: n.add_neurons("other", 2, tau_m="long"), "tau_m must be numbers"),
        (lambda n: n.connect("input", "pear", [[1.0]]), "no population 'pear'"),
        (lambda n: n.connect("pair", "input", [[1.0], [1.0]]), "is a spike source"),
        (lambda n: n.connect("input", "pair", [[1.0]]), r"have shape \(1, 1\): \(1, 2\)"),
        (lambda n: n.connect("input", "pair", [[np.nan, 1.0]]), "must be finite"),
        (lambda n: n.connect("input", "pair", [[1.0, 1.0]], delays=-1.0), "delay = -1"),
        (lambda n: n.connect("input", "pair", [1.0], indices=([0], [2])), "no neuron 2"),
        (lambda n: n.connect("input", "pair", [1.0], indices=([-1], [0])), "no neuron"),
        (lambda n: n.connect("input", "pair", [[1, 1]], receptor="both"), "neither"),
        (lambda n: n.simulate({"input": [[-1.0]]}, until=1.0), "times are 0 or later"),
        (lambda n: n.simulate({"input": [[np.nan]]}, until=1.0), "times are 0 or later"),
        (lambda n: n.simulate({"input": [[0.0], [1.0]]}, until=1.0), "2 trains"),
        (lambda n: n.simulate({"input": ([1], [0.5])}, until=1.0), "none is 1"),
        (lambda n: n.simulate({"pair": [[0.0], []]}, until=1.0), "none of spike sources"),
        (lambda n: n.simulate(until=0.0), "above 0"),
        (lambda n: n.simulate(until=np.inf), "above 0"),
        (lambda n: n.simulate(until=1.0, engine="fast"), "is none of"),
        (lambda n: n.simulate(until=1.0, potentials={"pair": [2]}), "none is 2"),
        (lambda n: n.simulate(until=1.0, potentials={"pair": [0]}, times=[2.0]), "from 0 to 1"),
    ],
)
def test_what_cannot_be_is_refused(act, message):
    with pytest.raises(firstspike.FirstspikeError, match=message):
        act(pair())


def test_endless_spikes_are_an_error_with_a_name():
    network = firstspike.Network()
    network.add_neurons("n", 2, bias_current=[0.0, 1e90])
    with pytest.raises(firstspike.RunFailed, match='population "n", neuron 1'):
        network.simulate(until=1.0)


def test_statistics_of_clocks_and_of_chance():
    clock = firstspike.stats([np.arange(1.0, 101.0)], window=(0.0, 100.0))[""]
    assert clock["spikes"] == 100 and clock["rate"] == 1.0
    assert clock["coefficient_of_variation"] == 0.0 and clock["interval"]["mean"] == 1.0
    random = np.random.default_rng(1)
    trains = [np.cumsum(random.exponential(1.0, 2000)) for _ in range(20)]
    chance = firstspike.stats(
        {"a": trains, "b": []}, sizes={"a": 20, "b": 5}, bin=1.0, window=(0, 1500)
    )
    assert abs(chance["a"]["coefficient_of_variation"] - 1.0) < 0.05
    assert abs(chance["a"]["fano_factor"] - 1.0) < 0.2
    assert chance["b"]["spikes"] == 0 and chance["all"]["size"] == 25
    with pytest.raises(InputError, match="none of"):
        firstspike.stats(trains, sizes={"x": 1})
    with pytest.raises(InputError, match="empty or has no end"):
        firstspike.stats(trains, window=(1.0, 1.0))
    with pytest.raises(InputError, match="bin"):
        firstspike.stats(trains, bin=0.0)
    with pytest.raises(InputError, match="finite"):
        firstspike.stats(([np.nan], [0]), window=(0.0, 1.0))
    with pytest.raises(InputError, match="whole numbers"):
        firstspike.stats(([0.5], [0.5]), window=(0.0, 1.0))


def test_differences_are_found_spike_by_spike():
    a, b = [[1.0, 2.0, 3.0]], [[1.1, 3.0, 9.0]]
    found = firstspike.diff(a, b, reach=0.5)
    assert found.pairs["time"].tolist() == [1.0, 3.0]
    assert abs(found.largest - 0.1) < 1e-12
    assert found.missing["time"].tolist() == [2.0] and found.extra["time"].tolist() == [9.0]
    assert not found.is_equal(1.0) and firstspike.diff(a, a).is_equal()
    assert repr(found) == "Difference(2 pairs at most 0.1 apart, 1 missing, 1 extra)"


def test_traces_are_read_and_named(tmp_path):
    path = tmp_path / "spikes.csv"
    path.write_text("sample,population,neuron,time_ms\n0,e,3,1.5\n1,i,0,2.5\n")
    spikes = firstspike.read_trace(path)
    assert spikes.time_unit == "ms" and spikes.populations == ("e", "i")
    assert spikes.of("i", sample=1).times.tolist() == [2.5]
    assert firstspike.stats(path, window=(0, 3))["all"]["spikes"] == 2
    with pytest.raises(InputError, match="no population 'x'"):
        spikes.of("x")
    path.write_text("a,b,c\n1,2\n")
    with pytest.raises(InputError, match="spikes.csv"):
        firstspike.read_trace(path)
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = spikes.to_pandas()
    assert list(frame.columns) == ["sample", "population", "neuron", "time_ms"]
    assert isinstance(frame, pandas.DataFrame)
