"""A network in another program: peer.nir, written by it, and peer.csv, the first spikes that it gives.

Spike times are taken between two steps, and extrapolated from steps of two lengths to steps of no length.
"""

import csv
import sys

import numpy as np

TAU_MEM, TAU_SYN, THRESHOLD = 10.0, 5.0, 1.0
# Time of the spike of each input, in milliseconds, and weights to the neurons.
TIMES = [1.0, 2.0, 3.0]
WEIGHTS = np.array([[5.0, 3.0, 1.5], [1.5, 6.0, 3.0], [3.0, 3.0, 4.0]])
END = 12.0


def crossing(before, after, step, h):
    """The time of a crossing between two steps, by a straight line."""
    return (step + (THRESHOLD - before) / (after - before)) * h


def first_spikes(simulate, h):
    """First crossings of every neuron with steps of h, from its potentials without reset."""
    found = [None] * len(WEIGHTS)
    before = np.zeros(len(WEIGHTS))
    steps = round(END / h)
    inputs = {round(time / h): place for place, time in enumerate(TIMES)}
    for step, after in enumerate(simulate(h, steps, inputs)):
        for neuron, value in enumerate(after):
            if found[neuron] is None and value > THRESHOLD:
                found[neuron] = crossing(before[neuron], value, step, h)
        before = after
    return np.array(found, dtype=float)


def extrapolated(simulate, h):
    """From three lengths of steps to none: errors of first and second order go."""
    t1, t2, t4 = (first_spikes(simulate, h / k) for k in (1, 2, 4))
    return (t1 - 6 * t2 + 8 * t4) / 3


def write_trace(spikes, population, unit, scale):
    with open("peer.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["population", "neuron", f"time_{unit}"])
        rows = [(time, "input", place) for place, time in enumerate(TIMES)]
        rows += [(time, population, neuron) for neuron, time in enumerate(spikes)]
        for time, name, neuron in sorted(rows):
            writer.writerow([name, neuron, repr(float(time * scale))])


def snntorch():
    import nir
    import snntorch as snn
    import torch
    from snntorch.export_nir import export_to_nir

    def layer(h):
        alpha, beta = (torch.full((3,), 1 - h / tau, dtype=torch.float64) for tau in (TAU_SYN, TAU_MEM))
        threshold = torch.full((3,), THRESHOLD, dtype=torch.float64)
        return snn.Synaptic(alpha, beta, threshold=threshold, reset_mechanism="none")

    def simulate(h, steps, inputs):
        lif = layer(h)
        syn, mem = torch.zeros(2, 3, dtype=torch.float64)
        weights = torch.tensor(WEIGHTS) * h / TAU_MEM
        for step in range(steps):
            place = inputs.get(step)
            current = weights[:, place] if place is not None else torch.zeros(3, dtype=torch.float64)
            _, syn, mem = lif(current, syn, mem)
            yield mem.detach().numpy().copy()

    h = 0.02
    linear = torch.nn.Linear(3, 3, bias=False)
    linear.weight.data = torch.tensor(WEIGHTS) * h / TAU_MEM
    lif = layer(h)
    lif.init_hidden = True
    names = {"input": nir.Input(np.array([3])), "output": nir.Output(np.array([3]))}
    from snntorch.export_nir import _extract_snntorch_module as node

    graph = nir.NIRGraph(
        nodes={**names, "linear": node(linear), "lif": node(lif)},
        edges=[("input", "linear"), ("linear", "lif"), ("lif", "output")],
    )
    nir.write("peer.nir", graph)
    # A step of snnTorch's files is 0.1 ms, and was h here.
    write_trace(extrapolated(simulate, 0.02), "lif", "s", 1e-4 / h)


def norse():
    import nir
    import norse.torch as norse
    import torch

    dt = 1e-3
    inverse = {"tau_mem_inv": 1e3 / TAU_MEM, "tau_syn_inv": 1e3 / TAU_SYN}
    # norse writes parameters as they are: one for each neuron.
    full = lambda value: torch.full((3,), value, dtype=torch.float64)

    def cell(h, threshold):
        parameters = norse.LIFParameters(
            tau_mem_inv=full(inverse["tau_mem_inv"]),
            tau_syn_inv=full(inverse["tau_syn_inv"]),
            v_leak=full(0.0),
            v_th=full(threshold),
            v_reset=full(0.0),
        )
        return norse.LIFCell(parameters, dt=h * 1e-3)

    weights = torch.tensor(WEIGHTS)

    def run(module, h, steps, inputs):
        state = None
        for step in range(steps):
            place = inputs.get(step)
            current = weights[:, place] if place is not None else torch.zeros(3, dtype=torch.float64)
            spikes, state = module(current, state)
            yield spikes, state

    def simulate(h, steps, inputs):
        for _, state in run(cell(h, 1e9), h, steps, inputs):
            yield state.v.detach().numpy().copy()

    from norse.torch.utils.export_nir import _extract_norse_module as node

    linear = torch.nn.Linear(3, 3, bias=False)
    linear.weight.data = weights
    nodes = {
        "input": nir.Input(np.array([3])),
        "linear": nir.Linear(WEIGHTS),
        "lif": node(cell(1.0, THRESHOLD), dt=dt),
        "output": nir.Output(np.array([3])),
    }
    for name in ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"):
        setattr(nodes["lif"], name, np.array(getattr(nodes["lif"], name), dtype=float))
    graph = nir.NIRGraph(
        nodes=nodes, edges=[("input", "linear"), ("linear", "lif"), ("lif", "output")]
    )
    nir.write("peer.nir", graph)
    write_trace(extrapolated(simulate, 0.02), "lif", "s", 1e-3)

    # And what norse makes of its own file.
    from norse.torch.utils.import_nir import _import_norse_module

    inputs = {round(time): place for place, time in enumerate(TIMES)}
    own = sum(int(spikes.sum()) for spikes, _ in run(cell(1.0, THRESHOLD), 1.0, 12, inputs))
    module = _import_norse_module(graph.nodes["lif"], dt=dt)
    module.double()
    state, again = None, 0
    for step in range(12):
        place = inputs.get(step)
        current = weights[:, place] if place is not None else torch.zeros(3, dtype=torch.float64)
        spikes, state = module(current, state)
        again += int(torch.nan_to_num(spikes).sum())
    print(f"spikes of norse: {own}, of its own file: {again}")


def read():
    import nir

    graph = nir.read("peer.nir", type_check=False)
    neurons = sum(
        node.v_threshold.size for node in graph.nodes.values() if isinstance(node, nir.CubaLIF)
    )
    unit = graph.metadata["time_unit"]
    unit = unit.decode() if isinstance(unit, bytes) else unit
    print(f"neurons: {neurons}, unit: {unit}")


def columns():
    import h5py

    with h5py.File("peer.h5") as file:
        group = file["spikes/all"]
        ids = np.arange(len(group["id"]))
        same = (
            (group["time"][()] == ids / 8).all()
            and (group["id"][()] == ids).all()
            and (group["short"][()] == ids).all()
            and group["short"].dtype == np.uint32
        )
        print(f"{len(ids)} spikes in {group.attrs['units']}, as written: {bool(same)}")


{"snntorch": snntorch, "norse": norse, "read": read, "columns": columns}[sys.argv[1]]()
