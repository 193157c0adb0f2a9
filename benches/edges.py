"""Loading a network of another simulator: seconds and peak memory of `firstspike check` for N synapses as CSV, as CSV
packed with gzip, and as SONATA edges.

    python3 benches/edges.py FOLDER --firstspike target/release/firstspike [--synapses 10000000]

10,000 neurons with N / 10,000 synapses each (targets at random, weights of 17 digits, ten delays from 0.5 to 5 ms) are
written into FOLDER once. `check` reads the file twice, builds the compiled network and chooses the engine. Prints a
row per file: bytes of the file, seconds of wall clock (the median of three), peak memory (the maximum), and peak memory
per synapse without that of the same scenario without synapses.

Needs NumPy; with h5py the SONATA file is written, without it `firstspike export` writes it.
"""

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import numpy

NEURONS = 10_000

SCENARIO = """time_unit = "ms"
[neuron]
tau_m = 20.0
tau_s = 2.0
[[populations]]
name = "cells"
size = 10000
{projection}
[simulation]
until = 1.0
"""

PROJECTION = """[[projections]]
pre = "cells"
post = "cells"
connect.file = "{file}"
"""


def write_csv(path, synapses):
    random = numpy.random.default_rng(1)
    with open(path, "w") as file:
        file.write("pre,post,weight,delay_ms\n")
        for pre in range(NEURONS):
            count = synapses // NEURONS
            posts = random.integers(0, NEURONS, count)
            weights = random.normal(0.1, 0.02, count)
            delays = random.integers(1, 11, count) / 2
            rows = zip(posts.tolist(), weights.tolist(), delays.tolist())
            file.writelines(f"{pre},{post},{weight!r},{delay}\n" for post, weight, delay in rows)


def measure(program, folder, file):
    """Seconds and peak memory, in bytes, of one check."""
    scenario = folder / "measured.toml"
    projection = PROJECTION.format(file=file) if file else ""
    scenario.write_text(SCENARIO.format(projection=projection))
    started = time.perf_counter()
    child = subprocess.Popen([program, "check", scenario], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    assert status == 0, said
    return seconds, 1024 * usage.ru_maxrss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--firstspike", default="firstspike")
    parser.add_argument("--synapses", type=int, default=10_000_000)
    parser.add_argument("--files", default="edges.csv,edges.csv.gz,edges.h5")
    arguments = parser.parse_args()
    program, folder = str(Path(arguments.firstspike).resolve()), arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    files = arguments.files.split(",")
    if not (folder / "edges.csv").exists():
        write_csv(folder / "edges.csv", arguments.synapses)
    if "edges.csv.gz" in files and not (folder / "edges.csv.gz").exists():
        with open(folder / "edges.csv", "rb") as plain, gzip.open(folder / "edges.csv.gz", "wb", 6) as packed:
            shutil.copyfileobj(plain, packed)
    if "edges.h5" in files and not (folder / "edges.h5").exists():
        (folder / "all.toml").write_text(SCENARIO.format(projection=PROJECTION.format(file="edges.csv")))
        subprocess.run([program, "export", "all.toml", "--edges", "edges.h5"], cwd=folder, check=True)
    bare = min(measure(program, folder, None)[1] for _ in range(3))
    print("| file | MB | seconds | peak, MB | bytes per synapse at the peak |\n|---|---|---|---|---|")
    for file in files:
        runs = [measure(program, folder, file) for _ in range(3)]
        seconds, peak = statistics.median(run[0] for run in runs), max(run[1] for run in runs)
        size = (folder / file).stat().st_size
        per_synapse = (peak - bare) / arguments.synapses
        print(f"| {file} | {size / 1e6:.0f} | {seconds:.2f} | {peak / 1e6:.0f} | {per_synapse:.1f} |", flush=True)


if __name__ == "__main__":
    main()
