"""An own chip or simulator in the loop: the base class of programs that run networks for firstspike.

A driver is a program like this one, which a scenario names as ``substrate = {"command": ["python3", "driver.py"]}``::

    import firstspike

    class Driver(firstspike.Substrate):
        def program(self, network):
            ...  # network.weights, network.neurons, …

        def run(self, sample):
            return [("label", 0, 0.84)]  # (population, neuron, time)

    Driver().serve()

The protocol is that of ``docs/substrate_protocol.md``, over the program's standard streams. What a driver prints goes
to its error output.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

Spike = tuple[str, int, float]


@dataclasses.dataclass
class Wiring:
    """A network as a substrate is told of it. Times are in ``time_unit``."""

    time_unit: str
    #: Kind and layer of each population: ``input``, ``bias`` or ``neuron``; 0 for inputs, then from 1.
    kinds: dict[str, str]
    layers: dict[str, int]
    #: Parameters of neurons, by population: arrays of one per neuron.
    neurons: dict[str, dict[str, npt.NDArray[np.float64]]]
    sizes: dict[str, int]
    #: pre × post for each pair of populations; not a number where there is no synapse.
    weights: dict[tuple[str, str], npt.NDArray[np.float64]] = dataclasses.field(
        default_factory=dict
    )
    delays: dict[tuple[str, str], npt.NDArray[np.float64]] = dataclasses.field(default_factory=dict)

    def onto(
        self, post: str
    ) -> Iterator[tuple[str, npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
        """What drives a population: each presynaptic one, with weights and delays."""
        for (pre, to), weights in self.weights.items():
            if to == post:
                yield pre, weights, self.delays[pre, to]

    @property
    def in_order(self) -> list[str]:
        """Populations of neurons, layer after layer."""
        names = [name for name, kind in self.kinds.items() if kind == "neuron"]
        return sorted(names, key=lambda name: self.layers[name])


@dataclasses.dataclass
class Sample:
    """A sample to be shown: when each source spikes, by population; ``inf`` for one that does not."""

    number: int
    times: dict[str, npt.NDArray[np.float64]]

    def spikes(self) -> list[Spike]:
        """The same as a list of (population, neuron, time) in order of time."""
        each = [
            (name, int(neuron), float(times[neuron]))
            for name, times in self.times.items()
            for neuron in np.flatnonzero(np.isfinite(times))
        ]
        return sorted(each, key=lambda spike: spike[2])


class Substrate:
    """Runs networks in place of the built-in engines. Derive from it, and call :meth:`serve`."""

    #: The network that :meth:`program` was given last.
    network: Wiring

    def program(self, network: Wiring) -> None:
        """Takes a network: once before the first sample, and whenever weights or delays have changed."""

    def run(self, sample: Sample) -> Iterable[Spike]:
        """Shows a sample; returns the recorded spikes of neurons, (population, neuron, time) in any order."""
        raise NotImplementedError

    def run_batch(self, samples: list[Sample]) -> Iterable[Iterable[Spike]]:
        """Shows the samples of a batch; by default one after the other."""
        return [self.run(sample) for sample in samples]

    def serve(self, input: TextIO | None = None, output: TextIO | None = None) -> None:
        """Answers until the input ends. Without arguments on the standard streams."""
        source = sys.stdin if input is None else input
        sink = sys.stdout if output is None else output
        printed = sys.stdout
        if sink is sys.stdout:
            # The answers only may go there.
            sys.stdout = sys.stderr
        try:
            self._serve(source, sink)
        finally:
            sys.stdout = printed

    def _serve(self, source: TextIO, sink: TextIO) -> None:
        tables = csv.reader(source)
        for name, *numbers in tables:
            heading, *rows = itertools.takewhile(lambda row: row != ["end"], tables)
            if name == "network":
                self.network = _network(heading, rows)
            elif name == "weights":
                _weights(self.network, heading, rows)
                self.program(self.network)
            elif name == "stimulus":
                batch, count = numbers
                samples = _samples(self.network, rows, int(count))
                lines = [",".join(heading)]
                for number, spikes in enumerate(self.run_batch(samples)):
                    lines += [
                        f"{number},{population},{neuron},{float(time)!r}"
                        for population, neuron, time in spikes
                    ]
                sink.write("\n".join([*lines, f"end,{batch}\n"]))
                sink.flush()
            else:
                raise RuntimeError(
                    f"firstspike sent a table `{name}`, which this version does not know"
                )


def _network(heading: list[str], rows: list[list[str]]) -> Wiring:
    kinds: dict[str, str] = {}
    layers: dict[str, int] = {}
    values: dict[str, list[list[str]]] = {}
    for population, _, kind, layer, *parameters in rows:
        kinds[population], layers[population] = kind, int(layer)
        values.setdefault(population, []).append(parameters)
    neurons: dict[str, dict[str, Any]] = {
        name: {
            parameter: np.asarray([float(row[place]) for row in values[name]])
            for place, parameter in enumerate(heading[4:])
        }
        for name, kind in kinds.items()
        if kind == "neuron"
    }
    return Wiring("", kinds, layers, neurons, {name: len(each) for name, each in values.items()})


def _weights(network: Wiring, heading: list[str], rows: list[list[str]]) -> None:
    network.time_unit = heading[5].removeprefix("delay_")
    network.weights.clear()
    network.delays.clear()
    for pre, pre_neuron, post, post_neuron, weight, delay in rows:
        pair = (pre, post)
        if pair not in network.weights:
            shape = (network.sizes[pre], network.sizes[post])
            network.weights[pair], network.delays[pair] = np.full(shape, np.nan), np.zeros(shape)
        place = (int(pre_neuron), int(post_neuron))
        network.weights[pair][place], network.delays[pair][place] = float(weight), float(delay)


def _samples(network: Wiring, rows: list[list[str]], count: int) -> list[Sample]:
    sources = {
        name: size for name, size in network.sizes.items() if network.kinds[name] != "neuron"
    }
    samples = [
        Sample(number, {name: np.full(size, np.inf) for name, size in sources.items()})
        for number in range(count)
    ]
    for sample, population, neuron, time in rows:
        samples[int(sample)].times[population][int(neuron)] = float(time)
    return samples
