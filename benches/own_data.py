#!/usr/bin/env python3
"""Measures `firstspike new`, `run` and `predict` on tables that everybody has, with no key changed.

    python3 benches/own_data.py --firstspike target/release/firstspike [--hidden 100] [--sets iris,wine] [--splits 5]
        [--mnist FOLDER] [--chip chips/brainscales2.toml] [--set chip.link.spike_jitter=0.1]

Each set is split five times into three quarters to learn from and a quarter to test with, by class. firstspike gets a
CSV file with words as labels; scikit-learn's MLPClassifier, with its defaults, gets the same rows, scaled to mean 0 and
standard deviation 1. Prints mean test accuracies, and the lowest of the splits, as a table in Markdown.

yin_yang are 5,000 points. mnist are the first 6,000 images of the training set, whose IDX files FOLDER has (`firstspike
data fetch mnist` gets them).

With --chip, networks are trained in the loop on the model of a chip, and tested on it; --set changes keys of the drafted
scenarios.

Needs scikit-learn; penguins need palmerpenguins, from PyPI, too.
"""

import argparse
import csv
import gzip
import json
import statistics
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SETS = ["iris", "wine", "breast_cancer", "digits", "penguins", "yin_yang"]


def yin_yang(count):
    """Points of the Yin-Yang data set (Kriener et al. 2022), as many of each class, with the mirrored coordinates."""
    random, points, labels = numpy.random.default_rng(42), [], []
    while len(points) < count:
        x, y = random.random(2)
        from_left, from_right = numpy.hypot(x - 0.25, y - 0.5), numpy.hypot(x - 0.75, y - 0.5)
        if numpy.hypot(x - 0.5, y - 0.5) > 0.5:
            continue
        is_yin = from_right <= 0.1 or 0.1 < from_left <= 0.25 or (y > 0.5 and from_right > 0.25)
        label = "dot" if min(from_left, from_right) < 0.1 else "yin" if is_yin else "yang"
        if label == ("dot", "yin", "yang")[len(points) % 3]:
            points.append((x, y, 1 - x, 1 - y))
            labels.append(label)
    return numpy.array(points), ["x", "y", "1-x", "1-y"], labels


def mnist(folder, count):
    """Images of MNIST's training set, as rows of pixels."""

    def read(name, header):
        path = next(path for path in Path(folder).rglob(f"{name}*") if path.is_file())
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        return numpy.frombuffer(content, numpy.uint8, offset=header)

    pixels = read("train-images", 16).reshape(-1, 784)[:count].astype(float)
    labels = [f"digit {label}" for label in read("train-labels", 8)[:count]]
    return pixels, [f"pixel {index}" for index in range(784)], labels


def table(name, mnist_folder=None):
    """Features, their names, and labels as words."""
    if name == "yin_yang":
        return yin_yang(5000)
    if name == "mnist":
        return mnist(mnist_folder, 6000)
    if name == "penguins":
        from palmerpenguins import load_penguins

        columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
        rows = load_penguins().dropna(subset=columns)
        return rows[columns].to_numpy(float), columns, rows["species"].to_numpy(str)
    found = getattr(datasets, f"load_{name}")()
    words = [f"class {name}" for name in found.target_names]
    return found.data, list(found.feature_names), [words[label] for label in found.target]


def write(path, names, features, labels):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "species"])
        writer.writerows([*row, label] for row, label in zip(features.tolist(), labels))


def ours(arguments, names, train, test):
    """The test accuracy of a scenario as it was drafted: by `predict`, or on the chip."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write(place / "train.csv", names, *train)
        write(place / "test.csv", names, *test)

        def run(*words):
            subprocess.run([arguments.firstspike, *words], cwd=place, check=True, capture_output=True)

        chip = ["--chip", str(arguments.chip.resolve())] if arguments.chip else []
        own = ["own.toml", "--data", "train.csv", "--test", "test.csv", "--hidden", arguments.hidden]
        run("new", *own, *chip)
        run("run", "own.toml", "--quiet", *(f"--set={change}" for change in arguments.set))
        if chip:
            return json.loads((place / "traces/own/summary.json").read_text())["test_accuracy"]
        run("predict", "traces/own", "--data", "test.csv", "--out", "decided.csv")
        with open(place / "decided.csv", newline="") as file:
            decided = [row["class"] for row in csv.DictReader(file)]
    assert len(decided) == len(test[1])
    return statistics.mean(a == b for a, b in zip(decided, test[1]))


def theirs(train, test, hidden, seed):
    sizes = tuple(int(size) for size in hidden.split(","))
    model = make_pipeline(StandardScaler(), MLPClassifier(sizes, random_state=seed))
    return model.fit(*train).score(*test)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--firstspike", default="firstspike")
    parser.add_argument("--hidden", default="100")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--mnist", metavar="FOLDER", help="adds the set mnist")
    parser.add_argument("--chip", type=Path, help="trains in the loop on this model of a chip")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    if "/" in arguments.firstspike:
        arguments.firstspike = str(Path(arguments.firstspike).resolve())
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| data | firstspike, mean (lowest) | MLPClassifier, mean (lowest) |\n|---|---|---|", flush=True)
    means = []
    sets = [name for name in arguments.sets.split(",") if name]
    for name in sets + ["mnist"] * bool(arguments.mnist):
        features, names, labels = table(name, arguments.mnist)
        scores = []
        for seed in range(arguments.splits):
            split = train_test_split(
                features, labels, test_size=0.25, stratify=labels, random_state=seed
            )
            train, test = (split[0], split[2]), (split[1], split[3])
            scores.append(
                (
                    ours(arguments, names, train, test),
                    theirs(train, test, arguments.hidden, seed),
                )
            )
        cells = [f"{100 * statistics.mean(one):.1f} ({100 * min(one):.1f})" for one in zip(*scores)]
        means.append([statistics.mean(one) for one in zip(*scores)])
        print(f"| {name} | {cells[0]} | {cells[1]} |", flush=True)
    cells = [f"{100 * statistics.mean(one):.1f}" for one in zip(*means)]
    print(f"| mean | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
