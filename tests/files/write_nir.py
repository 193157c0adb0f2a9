"""Writes nir_cuba.nir and nir_refused.nir with the package nir (1.0.8). Run in this folder."""

import os

import h5py
import nir
import numpy as np


def write(name, graph):
    """As nir.write does, in the newer layout of HDF5, which takes less room."""
    nir.write("large.nir", graph, compression=None)
    with h5py.File("large.nir") as large, h5py.File(name, "w", libver="latest") as small:
        for key in large:
            large.copy(key, small)
    os.remove("large.nir")


def cuba(n):
    return nir.CubaLIF(
        tau_mem=np.linspace(0.01, 0.02, n),
        tau_syn=np.full(n, 0.005),
        r=np.ones(n),
        v_leak=np.zeros(n),
        v_reset=np.zeros(n),
        v_threshold=np.ones(n),
        w_in=np.full(n, 1.0),
    )


random = np.random.default_rng(1)
cuba_one, cuba_two = cuba(4), cuba(2)
inner = nir.NIRGraph(
    nodes={
        "input": nir.Input(np.array([2])),
        "w": nir.Linear(random.normal(0, 2, (2, 2))),
        "lif": cuba_two,
        "late": nir.Delay(np.array([0.001, 0.002])),
        "output": nir.Output(np.array([2])),
    },
    edges=[("input", "lif"), ("lif", "late"), ("late", "w"), ("w", "lif"), ("lif", "output")],
    type_check=False,
)
graph = nir.NIRGraph(
    nodes={
        "input": nir.Input(np.array([3])),
        "fc1": nir.Linear(np.abs(random.normal(10, 4, (4, 3)))),
        "hidden": cuba_one,
        "fc2": nir.Affine(np.abs(random.normal(10, 3, (2, 4))), np.array([0.01, 0.0])),
        "rnn": inner,
        "output": nir.Output(np.array([2])),
    },
    edges=[("input", "fc1"), ("fc1", "hidden"), ("hidden", "fc2"), ("fc2", "rnn"), ("rnn", "output")],
    type_check=False,
)
write("nir_cuba.nir", graph)
one = np.ones(1)
graph = nir.NIRGraph(
    nodes={
        "input": nir.Input(np.array([1])),
        "middle": nir.LI(one * 0.01, one, one * 0),
        "threshold": nir.Threshold(one),
        "lif": nir.LIF(one * 0.01, one, one * 0, one),
        "output": nir.Output(np.array([1])),
    },
    edges=[("input", "middle"), ("middle", "lif"), ("lif", "threshold"), ("threshold", "output")],
    type_check=False,
)
write("nir_refused.nir", graph)
