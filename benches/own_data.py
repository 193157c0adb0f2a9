#!/usr/bin/env python3
"""Measures `firstspike new`, `run` and `predict` on tables that everybody has, with no key changed.

    python3 benches/own_data.py --firstspike target/release/firstspike [--hidden 100] [--sets iris,wine] [--splits 5]

Each set is split five times into three quarters to learn from and a quarter to test with, by class. firstspike gets a
CSV file with words as labels; scikit-learn's MLPClassifier, with its defaults, gets the same rows, scaled to mean 0 and
standard deviation 1. Prints mean test accuracies, and the lowest of the splits, as a table in Markdown.

Needs scikit-learn; penguins need palmerpenguins, from PyPI, too.
"""

import argparse
import csv
import statistics
import subprocess
import tempfile
import warnings
from pathlib import Path

from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SETS = ["iris", "wine", "breast_cancer", "digits", "penguins"]


def table(name):
    """Features, their names, and labels as words."""
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


def ours(program, names, train, test, hidden):
    """The test accuracy of a scenario as it was drafted."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write(place / "train.csv", names, *train)
        write(place / "test.csv", names, *test)

        def run(*arguments):
            subprocess.run([program, *arguments], cwd=place, check=True, capture_output=True)

        run("new", "own.toml", "--data", "train.csv", "--test", "test.csv", "--hidden", hidden)
        run("run", "own.toml", "--quiet")
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
    arguments = parser.parse_args()
    program = arguments.firstspike
    if "/" in program:
        program = str(Path(program).resolve())
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| data | firstspike, mean (lowest) | MLPClassifier, mean (lowest) |\n|---|---|---|", flush=True)
    means = []
    for name in arguments.sets.split(","):
        features, names, labels = table(name)
        scores = []
        for seed in range(arguments.splits):
            split = train_test_split(
                features, labels, test_size=0.25, stratify=labels, random_state=seed
            )
            train, test = (split[0], split[2]), (split[1], split[3])
            scores.append(
                (
                    ours(program, names, train, test, arguments.hidden),
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
