#!/usr/bin/env python3
"""Brian2 in the loop: a small step, all samples of a batch side by side in one network of copies.

    pip install brian2 'numpy<2'

The unit of time, whatever it is, stands as Brian2's second. Each neuron spikes once per sample, which is
what learning by first spikes reckons with.
"""
import argparse, csv, itertools, sys

import numpy as np
from brian2 import (Hz, Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, defaultclock,
                    prefs, second)

parser = argparse.ArgumentParser()
parser.add_argument("--step", type=float, default=0.01, help="in time units")
parser.add_argument("--duration", type=float, default=5.0, help="of a sample, in time units")
parser.add_argument("--target", default="numpy", help="Brian2's code generation: numpy or cython")
arguments = parser.parse_args()
prefs.codegen.target = arguments.target
defaultclock.dt = arguments.step * second

EQUATIONS = """
dv/dt = (leak_potential - v) / tau_m + (current + bias_current) / capacitance : 1
dcurrent/dt = -current / tau_s : Hz
threshold : 1 (constant)
leak_potential : 1 (constant)
capacitance : 1 (constant)
bias_current : Hz (constant)
tau_m : second (constant)
tau_s : second (constant)
"""
# Columns of the network's table, and what they are in the equations.
PARAMETERS = [(name, name, 1) for name in ("threshold", "leak_potential", "capacitance")]
PARAMETERS += [("tau_m", "tau_m", second), ("tau_s", "tau_s", second), ("bias_current", "bias_current", Hz)]
PARAMETERS += [("initial_potential", "v", 1), ("initial_current", "current", Hz)]


class Copies:
    """As many copies of the network as there are samples, in one network of Brian2's."""

    def __init__(self, nodes, synapses, samples):
        self.sources = [key for key, row in nodes.items() if row["kind"] != "neuron"]
        self.neurons = [key for key, row in nodes.items() if row["kind"] == "neuron"]
        self.samples = samples
        self.group = NeuronGroup(samples * len(self.neurons), EQUATIONS, threshold="v >= threshold",
                                 refractory="lastspike >= 0 * second", method="rk4")
        rows = [nodes[key] for key in self.neurons]
        for column, variable, unit in PARAMETERS:
            values = np.tile([float(row[column]) for row in rows], samples)
            setattr(self.group, variable, values * unit)
        self.input = SpikeGeneratorGroup(samples * len(self.sources), [], [] * second)
        self.monitor = SpikeMonitor(self.group)
        self.network = Network(self.group, self.input, self.monitor)
        self.pathways = []
        post = {key: index for index, key in enumerate(self.neurons)}
        for group, names in ((self.input, self.sources), (self.group, self.neurons)):
            pre = {key: index for index, key in enumerate(names)}
            chosen = [index for index, synapse in enumerate(synapses) if synapse[0] in pre]
            if not chosen:
                continue
            copy = np.repeat(np.arange(samples), len(chosen))
            starts = np.tile([pre[synapses[index][0]] for index in chosen], samples)
            ends = np.tile([post[synapses[index][1]] for index in chosen], samples)
            pathway = Synapses(group, self.group, "w : Hz", on_pre="current += w")
            pathway.connect(i=copy * len(names) + starts, j=copy * len(self.neurons) + ends)
            pathway.delay = 0 * second  # one per synapse
            self.pathways.append((pathway, chosen))
            self.network.add(pathway)
        self.network.store()

    def run(self, weights, delays, stimulus):
        """Shows the samples; returns the rows of the answer."""
        self.network.restore()
        for pathway, chosen in self.pathways:
            pathway.w = np.tile(weights[chosen], self.samples) * Hz
            if delays.any():
                pathway.delay = np.tile(delays[chosen], self.samples) * second
        source = {key: index for index, key in enumerate(self.sources)}
        spikes = [(int(row["sample"]) * len(source) + source[row["population"], row["neuron"]],
                   float(time)) for row in stimulus for time in [list(row.values())[-1]]]
        indices, times = zip(*spikes) if spikes else ((), ())
        self.input.set_spikes(indices, times * second)
        self.network.run(arguments.duration * second)
        for index, time in zip(np.array(self.monitor.i), np.array(self.monitor.t / second)):
            sample, neuron = divmod(int(index), len(self.neurons))
            yield ",".join((str(sample), *self.neurons[neuron], repr(float(time))))


copies = {}  # by the number of samples
while head := sys.stdin.readline().split():  # an empty line: there is nothing more
    name, *numbers = head[0].split(",")
    lines = itertools.takewhile(lambda line: line not in ("end\n", ""), iter(sys.stdin.readline, None))
    rows = csv.DictReader(lines)
    if name == "network":
        nodes = {(row["population"], row["neuron"]): row for row in rows}
        if any(row["tau_s"] != row["tau_s_inhibitory"] for row in nodes.values()):
            sys.exit("tau_s and tau_s_inhibitory must be equal")
    elif name == "weights":
        table = [list(row.values()) for row in rows]
        synapses = [((row[0], row[1]), (row[2], row[3])) for row in table]
        weights, delays = np.array([[float(row[4]), float(row[5])] for row in table]).T
    elif name == "stimulus":
        batch, samples = numbers[0], int(numbers[1])
        stimulus = list(rows)
        if samples not in copies:
            copies[samples] = Copies(nodes, synapses, samples)
        print(",".join(rows.fieldnames))  # the columns of the answer are those of the stimulus
        for row in copies[samples].run(weights, delays, stimulus):
            print(row)
        print("end," + batch, flush=True)
