"""Programs in the loop that derive from the base class for substrates."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from test_runs import TINY

import firstspike

#: Exact neurons with tau_m = tau_s, in Python: what a lab's driver would be, but for the chip.
DRIVER = """
import firstspike

class Exact(firstspike.Substrate):
    def run(self, sample):
        print("this goes to the error output")
        known, recorded = sample.spikes(), []
        for name in self.network.in_order:
            chip = firstspike.Network()
            chip.add_sources("all", len(known))
            chip.add_neurons(name, self.network.sizes[name], **self.network.neurons[name])
            weights = [self.network.weights[pre, name][n] if (pre, name) in self.network.weights
                       else [0.0] * self.network.sizes[name] for pre, n, _ in known]
            chip.connect("all", name, weights)
            spikes = chip.simulate({"all": [[time] for *_, time in known]}, until=100.0,
                                   at_most_one_spike=True).spikes.of(name)
            recorded += [(name, int(n), t) for n, t in zip(spikes.neurons, spikes.times)]
            known = known + recorded
        return recorded

Exact().serve()
"""


def test_a_driver_runs_in_the_loop(tmp_path):
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    small = {**TINY, "training": {"epochs": 2, "batch_size": 50, "rule": "recorded"}}
    sizes = {"training": {"size": 60}, "validation": {"size": 10}, "test": {"size": 20}}
    small["dataset"] = {"yin_yang": sizes}
    looped = firstspike.run(
        {**small, "substrate": {"command": [sys.executable, str(driver)]}},
        out=tmp_path / "looped",
        progress=False,
    )
    del small["training"]["rule"]
    ideal = firstspike.run(small, out=tmp_path / "ideal", progress=False)
    assert looped.summary["engine"]["name"] == "substrate"
    # The same neurons: the same decisions and spikes.
    assert looped.summary["test_accuracy"] == ideal.summary["test_accuracy"]
    difference = firstspike.diff(looped.spikes, ideal.spikes)
    assert difference.is_equal(1e-6), difference


def test_the_protocol_is_spoken():
    class Echo(firstspike.Substrate):
        def program(self, network):
            assert network.time_unit == "us"
            assert network.sizes == {"input": 2, "label": 1} and network.in_order == ["label"]
            assert network.neurons["label"]["tau_m"].tolist() == [np.inf]
            np.testing.assert_array_equal(network.weights["input", "label"], [[4.25], [np.nan]])
            assert [pre for pre, *_ in network.onto("label")] == ["input"]

        def run(self, sample):
            first = sample.spikes()[:1]
            return [("label", 0, time + 0.125) for *_, time in first]

    asked = (
        "network\npopulation,neuron,kind,layer,threshold,tau_m\ninput,0,input,0,,\ninput,1,input,0,,\n"
        "label,0,neuron,1,1,inf\nend\n"
        "weights\npre_population,pre_neuron,post_population,post_neuron,weight,delay_us\n"
        "input,0,label,0,4.25,0.5\nend\n"
        "stimulus,7,3\nsample,population,neuron,time_us\n0,input,1,0.5\n2,input,0,0.25\nend\n"
    )
    answer = io.StringIO()
    Echo().serve(io.StringIO(asked), answer)
    assert answer.getvalue() == (
        "sample,population,neuron,time_us\n0,label,0,0.625\n2,label,0,0.375\nend,7\n"
    )


def test_without_a_run_there_is_no_substrate():
    with pytest.raises(NotImplementedError):
        firstspike.Substrate().run(firstspike.Sample(0, {}))


def test_what_goes_wrong_in_a_driver_is_told(tmp_path):
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import firstspike\n"
        "class Broken(firstspike.Substrate):\n"
        "    def run(self, sample):\n"
        "        raise RuntimeError('the chip is hot')\n"
        "Broken().serve()\n"
    )
    scenario = {**TINY, "substrate": {"command": [sys.executable, str(driver)]}}
    with pytest.raises(firstspike.RunFailed, match="the chip is hot"):
        firstspike.run(scenario, out=tmp_path / "run", progress=False)
    assert subprocess.run([sys.executable, driver], input="", text=True).returncode == 0
