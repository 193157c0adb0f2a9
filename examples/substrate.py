#!/usr/bin/env python3
"""An exact simulator of neurons with tau_m = tau_s: the protocol over streams, in plain Python."""
import collections, csv, itertools, math, sys

def first_spike(neuron, arrivals):
    """When the neuron first reaches its threshold; infinity if it never does."""
    tau, capacitance, leak = (float(neuron[key]) for key in ("tau_s", "capacitance", "leak_potential"))
    threshold, v, i, now = float(neuron["threshold"]) - leak, 0.0, 0.0, 0.0
    potential = lambda t: (v + i / capacitance * t) * math.exp(-t / tau)
    for time, weight in sorted(arrivals) + [(math.inf, 0.0)]:
        peak = min(time - now, tau - v * capacitance / i if i > 0 else 0.0)
        if peak > 0 and potential(peak) >= threshold:
            low, high = 0.0, peak  # where it is below the threshold, and where it is not
            while low < (middle := (low + high) / 2) < high:
                low, high = (middle, high) if potential(middle) < threshold else (low, middle)
            return now + high
        if time < math.inf:
            v, i, now = potential(time - now), i * math.exp((now - time) / tau) + weight, time
    return math.inf

while head := sys.stdin.readline().split():  # an empty line: there is nothing more
    name, *numbers = head[0].split(",")
    lines = itertools.takewhile(lambda line: line not in ("end\n", ""), iter(sys.stdin.readline, None))
    rows = list(table := csv.DictReader(lines))
    if name == "network":
        neurons = {(row["population"], row["neuron"]): row for row in rows if row["kind"] == "neuron"}
        for row in neurons.values():
            driven = float(row["bias_current"]) or float(row["initial_current"])
            if driven or row["initial_potential"] != row["leak_potential"] or not (
                    row["tau_m"] == row["tau_s"] == row["tau_s_inhibitory"]):
                sys.exit("this simulator is for neurons at rest with tau_m = tau_s")
    elif name == "weights":
        inputs = collections.defaultdict(list)  # of each neuron: (source or neuron, weight, delay)
        for *pre, population, neuron, weight, delay in (row.values() for row in rows):
            inputs[population, neuron].append((tuple(pre), float(weight), float(delay)))
    elif name == "stimulus":
        times = [collections.defaultdict(list) for _ in range(int(numbers[1]))]  # by sample and node
        for sample, population, neuron, time in (row.values() for row in rows):
            times[int(sample)][population, neuron].append(float(time))
        print(",".join(table.fieldnames))  # the columns of the answer are those of the stimulus
        for (sample, known), (node, neuron) in itertools.product(enumerate(times), neurons.items()):
            arrivals = [(t + delay, weight) for pre, weight, delay in inputs[node] for t in known[pre]]
            if (time := first_spike(neuron, arrivals)) < math.inf:
                known[node].append(time)
                print(sample, *node, time, sep=",")
        print("end," + numbers[0], flush=True)
