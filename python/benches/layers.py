"""What the Python package takes: calls, layers, training, beside the program and published packages.

    python python/benches/layers.py [--epochs 100] [--seeds 5] [--only calls,wide,program,epoch,import,accuracy]

Needs torch, and an optimised build of the package (`pip install ./python`). Everything is on one thread. Each figure is
the least of several repetitions, so that what else the machine does counts least; measure on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import firstspike  # noqa: E402
import firstspike.torch as fst  # noqa: E402
from firstspike import _core  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOUBLE = torch.float64

#: Measured on a machine of the same kind, in seconds.
PUBLISHED = {
    "exact-snn-nn, 784-350, batch 128: forward": 23.6,
    "exact-snn-nn, 784-350, batch 128: backward": 2.0,
    "fastAndDeep, Yin-Yang epoch (tau_m = 2 tau_s)": 5.2,
}


def least(work, repetitions=30, seconds=3.0):
    """The least time of some repetitions."""
    found, begin = [], time.perf_counter()
    while len(found) < repetitions and (time.perf_counter() - begin < seconds or len(found) < 3):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def show(what, seconds, note=""):
    units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")]
    size, unit = next(((s, u) for s, u in units if seconds >= s), units[-1])
    print(f"{what:<66} {seconds / size:8.3g} {unit:<3} {note}", flush=True)


def calls():
    """What a call costs beside its work."""
    times, weights = np.array([[0.1, 0.7]]), np.array([[2.0, 3.0]])
    gradient = np.ones((1, 1))

    def forward():
        for _ in range(1000):
            _core.layer_forward(times, weights, None, None, 1.0, 1.0, 1.0, 1.0, True)

    def both():
        for _ in range(1000):
            _, run = _core.layer_forward(times, weights, None, None, 1.0, 1.0, 1.0, 1.0, True)
            run.backward(gradient)

    show("a call of one neuron, NumPy: forward", least(forward) / 1000)
    show("a call of one neuron, NumPy: forward and backward", least(both) / 1000)
    t, w = torch.tensor(times), torch.tensor(weights, requires_grad=True)

    def in_torch():
        for _ in range(1000):
            fst.first_spike(t, w)

    def in_torch_both():
        for _ in range(1000):
            fst.first_spike(t, w).sum().backward()

    show("a call of one neuron, torch: forward", least(in_torch) / 1000)
    show(
        "a call of one neuron, torch: forward and backward, with autograd's",
        least(in_torch_both) / 1000,
    )


def wide():
    """784-350, batch 128."""
    random = np.random.default_rng(1)
    pixels = random.uniform(0.0, 1.0, (128, 784)) * (random.uniform(size=(128, 784)) < 0.19)
    for dtype in (torch.float32, DOUBLE):
        torch.manual_seed(1)
        layer = fst.FirstSpikeLinear(784, 350, dtype=dtype)
        # As in the program's MNIST: dark pixels do not spike.
        times = fst.latency(torch.tensor(pixels), 0.15, 2.0, inverted=True, silent_zero=True).to(
            dtype
        )
        layer.reset_weights_for(times)
        spikes = layer(times)
        by = torch.where(torch.isfinite(spikes), torch.rand_like(spikes), 0.0)
        name = str(dtype).removeprefix("torch.")

        def forward():
            with torch.no_grad():
                layer(times)

        def both(times=times):
            layer.weight.grad = None
            layer(times).backward(by)

        inputs = times.clone().requires_grad_()
        one, two, three = least(forward), least(both), least(lambda: both(inputs))
        show(f"784-350, batch 128, {name}: forward", one)
        show(f"784-350, batch 128, {name}: forward, and backward to weights", two)
        show(f"784-350, batch 128, {name}: the same, and to input times", three)
        other = sum(
            seconds for name, seconds in PUBLISHED.items() if name.startswith("exact-snn-nn")
        )
        show("  exact-snn-nn: forward and backward", other, f"{other / two:,.0f} times as long")


def program():
    """The program on a network of that one layer, forward, backward and its own Adam, with the same weights' scale."""
    random = np.random.default_rng(1)
    samples = 128 * 20
    pixels = random.uniform(0.0, 1.0, (samples, 784)) * (random.uniform(size=(samples, 784)) < 0.19)
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        np.save(place / "x.npy", pixels)
        np.save(place / "y.npy", np.arange(samples) % 350)
        files = {"npy": {"features": place / "x.npy", "labels": place / "y.npy"}}
        for precision in ("single", "double"):
            scenario = {
                "dataset": {
                    "file": {"training": files, "validation": {"last": 350}, "test": {"last": 350}}
                },
                "encoding": {
                    "earliest": 0.15,
                    "latest": 2.0,
                    "inverted": True,
                    "silent_zero": True,
                },
                "layers": [{"size": 350}],
                "engine": "feed_forward",
                "precision": precision,
                "training": {"epochs": 8, "batch_size": 128},
            }
            run = firstspike.run(scenario, out=place / precision, progress=False)
            batches = (samples - 700) / 128
            show(
                f"784-350, batch 128, {precision} precision: the program, with its loss and Adam",
                run.summary["seconds_per_epoch"] / batches,
            )


def loop(epochs, seed, report=None):
    """Trains Yin-Yang; returns seconds per epoch and the accuracy on the test set."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)

    def data(size, seed):
        features, labels = firstspike.yin_yang(size, seed)
        return fst.latency(torch.tensor(features), 0.15, 2.0), torch.tensor(labels)

    times, labels = data(5000, 42)
    hidden = fst.FirstSpikeLinear(4, 120, bias_times=[0.9], dtype=DOUBLE)
    label = fst.FirstSpikeLinear(120, 3, bias_times=[0.9], dtype=DOUBLE)
    with torch.no_grad():
        hidden.weight.normal_(1.5, 0.8)
        label.weight.normal_(0.5, 0.4)
    parameters = [*hidden.parameters(), *label.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    took = []
    for _ in range(epochs):
        start = time.perf_counter()
        order = torch.randperm(len(times))
        shuffled, of = times[order], labels[order]
        for first in range(0, len(times), 150):
            optimiser.zero_grad(set_to_none=True)
            between = hidden(shuffled[first : first + 150])
            spikes = label(between)
            fst.shift_invariant_loss(spikes, of[first : first + 150], margin=0.15).backward()
            optimiser.step()
            fst.nudge_silent_(hidden, between, allowed=0.8)
            fst.nudge_silent_(label, spikes, allowed=0.1)
        took.append(time.perf_counter() - start)
        schedule.step()
    test_times, test_labels = data(1000, 40)
    with torch.no_grad():
        decided = fst.decide(label(hidden(test_times)))
    return took, float((decided == test_labels).double().mean())


def epoch():
    """One epoch of Yin-Yang, 4-120-3, batches of 150."""
    took, _ = loop(12, 1)
    ours = min(took)
    show("an epoch of Yin-Yang in a plain torch loop", ours)
    with tempfile.TemporaryDirectory() as folder:
        scenario = ROOT / "scenarios" / "yin_yang.toml"
        before = firstspike.threads()
        firstspike.set_threads(1)
        set_ = {"training.batch_size": 150, "training.epochs": 30}
        run = firstspike.run(scenario, set=set_, out=folder + "/run", progress=False)
        firstspike.set_threads(before)
        program = run.summary["seconds_per_epoch"]
    show("  the program's own", program, f"the loop takes {ours / program:.2f} times as long")
    other = PUBLISHED["fastAndDeep, Yin-Yang epoch (tau_m = 2 tau_s)"]
    show("  fastAndDeep (tau_m = 2 tau_s)", other, f"{other / ours:.0f} times as long as the loop")


def accuracy(epochs, seeds):
    """What the loop comes to."""
    found = []
    for seed in range(1, seeds + 1):
        took, score = loop(epochs, seed)
        found.append(100 * score)
        print(
            f"seed {seed}: test accuracy {found[-1]:.2f} % after {epochs} epochs of {1e3 * min(took):.1f} ms"
        )
    print(
        f"mean {statistics.mean(found):.2f} % (lowest {min(found):.2f} %, highest {max(found):.2f} %)"
    )


def imports():
    """What `import firstspike` takes, beside numpy's part of it."""

    def run(code):
        return least(lambda: subprocess.run([sys.executable, "-c", code], check=True), 10)

    nothing, numpy, all_ = run("pass"), run("import numpy"), run("import firstspike")
    show("import firstspike", all_ - nothing, f"of which numpy {numpy - nothing:.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="calls,wide,program,epoch,import,accuracy")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    firstspike.set_threads(1)
    print(f"firstspike {firstspike.__version__}, torch {torch.__version__}, numpy {np.__version__}")
    parts = {
        "calls": calls,
        "wide": wide,
        "program": program,
        "epoch": epoch,
        "import": imports,
        "accuracy": lambda: accuracy(arguments.epochs, arguments.seeds),
    }
    for name in arguments.only.split(","):
        parts[name]()


if __name__ == "__main__":
    main()
