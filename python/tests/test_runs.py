"""Runs: results of the program to the bit, errors, progress, interrupts."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import firstspike
from firstspike import InputError

TINY = {
    "seed": 3,
    "dataset": {
        "yin_yang": {"training": {"size": 200}, "validation": {"size": 50}, "test": {"size": 60}}
    },
    "encoding": {"earliest": 0.15, "latest": 2.0},
    "layers": [{"size": 12, "bias_times": [0.9]}, {"size": 3, "bias_times": [0.9]}],
    "training": {"epochs": 3, "batch_size": 50},
}


def command(*arguments, cwd):
    """Runs the program in a process of its own."""
    code = "import sys, firstspike; sys.exit(firstspike.main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return firstspike.run(TINY, out=tmp_path_factory.mktemp("runs") / "tiny", progress=False)


def test_a_run_has_its_results(trained):
    assert set(trained.summary) >= {"test_accuracy", "epochs", "engine"}
    assert trained.summary["epochs"] == 3
    assert trained.metrics["epoch"].tolist() == [1, 2, 3]
    assert set(trained.spikes.populations) >= {"input", "label"} or len(trained.spikes) > 0
    assert trained.network.layer(trained.network.layers[0]).shape == (5, 12)
    assert trained.network.parameters[trained.network.layers[1]]["tau_m"].tolist() == [1.0] * 3
    assert repr(trained).startswith("Run(") and "test accuracy" in repr(trained)
    with pytest.raises(InputError, match="records no potentials"):
        _ = trained.potentials


def test_predictions_are_the_runs_own(trained):
    found = trained.predictions
    decided = found.classes == found.labels
    assert abs(decided.mean() - trained.summary["test_accuracy"]) < 1e-12
    features, labels = firstspike.yin_yang(60, 40)
    again = trained.predict(features)
    np.testing.assert_array_equal(again.classes, found.classes)
    np.testing.assert_array_equal(again.label_times, found.label_times)
    np.testing.assert_array_equal(found.labels, labels)
    assert again.labels.tolist() == [-1] * 60
    with pytest.raises(InputError, match="give samples"):
        trained.predict()
    with pytest.raises(InputError):
        trained.predict(features[:, :3])


def test_the_program_writes_the_same_bytes(trained, tmp_path):
    scenario = tmp_path / "tiny.toml"
    scenario.write_text(firstspike.check(TINY))
    ran = command("run", scenario, "--out", "other", "--quiet", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    for name in ("spikes.csv", "network.json", "metrics.csv", "predictions.csv"):
        assert (trained.folder / name).read_bytes() == (tmp_path / "other" / name).read_bytes(), (
            name
        )


def test_layers_for_torch_give_the_programs_spikes_to_the_bit(trained):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    import firstspike.torch as fst

    layers = []
    for name, sizes in zip(trained.network.layers, [(4, 12), (12, 3)], strict=True):
        layer = fst.FirstSpikeLinear(*sizes, bias_times=[0.9], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(trained.network.layer(name).T))
        layers.append(layer)
    features, _ = firstspike.yin_yang(60, 40)
    times = fst.latency(torch.tensor(features), 0.15, 2.0)
    with torch.no_grad():
        label_times = torch.nn.Sequential(*layers)(times).numpy()
    np.testing.assert_array_equal(label_times, trained.predictions.label_times)


def test_a_notebook_shows_a_run(trained):
    page = trained._repr_html_()
    assert "test accuracy" in page and "data:image/svg+xml;base64," in page


def test_a_simulation_has_spikes_and_potentials(scenarios, tmp_path):
    run = firstspike.run(scenarios / "heterogeneous.toml", out=tmp_path / "run", progress=False)
    counts = {each["name"]: each["spikes"] for each in run.summary["populations"]}
    assert len(run.spikes) == sum(counts[name] for name in run.spikes.populations)
    assert {"population", "neuron", "time", "potential"} <= set(run.potentials)
    assert "data:image/svg+xml;base64," in run._repr_html_()
    statistics = firstspike.stats(run, window=(0.0, run.summary["until"]))
    assert statistics
    with pytest.raises(InputError, match="only a training has epochs"):
        _ = run.metrics
    with pytest.raises(InputError, match="keeps no checkpoint"):
        firstspike.run(scenarios / "heterogeneous.toml", out=tmp_path / "run", resume=True)


def test_values_can_be_changed_and_runs_resumed(tmp_path):
    out = tmp_path / "run"
    short = firstspike.run(TINY, set={"training.epochs": 2}, out=out, progress=False)
    assert short.summary["epochs"] == 2
    with pytest.raises(InputError, match="another"):
        firstspike.run(TINY, set={"training.epochs": 2, "seed": 9}, out=out, progress=False)
    other = firstspike.run(TINY, set={"seed": 9}, out=out, overwrite=True, progress=False)
    assert other.summary["seed"] == 9
    again = firstspike.run(TINY, set={"seed": 9}, out=out, resume=True, progress=False)
    assert again.summary == other.summary


@pytest.mark.parametrize(
    ("scenario", "set", "message"),
    [
        ({**TINY, "trianing": {}}, None, "trianing"),
        (TINY, {"training.epochs": -1}, "epochs"),
        (TINY, {"training.epochs": object()}, "no place for a object"),
        ({**TINY, "chip": "nowhere.toml"}, None, "nowhere.toml"),
        ("nowhere.toml", None, "cannot read scenario nowhere.toml"),
    ],
)
def test_bad_input_is_said_and_nothing_is_touched(scenario, set, message, tmp_path):
    with pytest.raises(InputError, match=message) as raised:
        firstspike.run(scenario, set=set, out=tmp_path / "run")
    assert isinstance(raised.value, ValueError)
    assert not (tmp_path / "run").exists()


def test_the_text_of_an_error_is_the_programs(tmp_path):
    scenario = tmp_path / "bad.toml"
    scenario.write_text("[training]\nepochs = -1\n")
    with pytest.raises(InputError) as raised:
        firstspike.run(scenario)
    ran = command("run", scenario, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.strip() == f"error: {raised.value}"


def test_studies_belong_to_the_command(scenarios):
    study = next((scenarios / "studies" / "yin_yang").glob("*.toml"))
    with pytest.raises(InputError, match="this is a study"):
        firstspike.run(study)


def test_no_folder_of_a_run(tmp_path):
    with pytest.raises(InputError, match="has no summary.json"):
        firstspike.load(tmp_path)


class Listener:
    """Hears of a run."""

    def __init__(self):
        self.heard = []

    def __getattr__(self, name):
        return lambda *values: self.heard.append((name, values))


def test_progress_is_heard(tmp_path):
    listener = Listener()
    firstspike.run(TINY, out=tmp_path / "run", progress=listener)
    names = [name for name, _ in listener.heard]
    assert ("start", (3, 200)) in listener.heard
    assert names.count("epoch") == 3 and names[-1] == "close"
    assert any(name == "batch" and 0.0 <= values[3] <= 1.0 for name, values in listener.heard)


def test_an_exception_of_a_listener_ends_the_run(tmp_path):
    class Broken(Listener):
        def epoch(self, *values):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        firstspike.run(
            TINY, set={"training.epochs": 10_000}, out=tmp_path / "run", progress=Broken()
        )
    assert firstspike.load(tmp_path / "run").summary["interrupted"]


def test_ctrl_c_ends_a_run_with_everything_written(tmp_path):
    class Interrupting(Listener):
        def epoch(self, *values):
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        firstspike.run(TINY, set={"training.epochs": 100_000}, out=out, progress=Interrupting())
    run = firstspike.load(out)
    assert run.summary["interrupted"] and run.summary["epochs"] >= 1
    assert "interrupted" in repr(run)


def test_ctrl_c_ends_a_simulation():
    network = firstspike.Network()
    network.add_neurons("n", 50, bias_current=50.0, refractory_period=0.01)
    watcher = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    watcher.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        network.simulate(until=1e6)
    watcher.join()
    assert time.monotonic() - begin < 60


def test_the_command_comes_with_the_package(tmp_path):
    ran = command("--version", cwd=tmp_path)
    assert ran.returncode == 0
    assert ran.stdout.split() == ["firstspike", firstspike.__version__]
    assert command("run", "nowhere.toml", cwd=tmp_path).returncode == 2
    assert command("raster", "nowhere.csv", cwd=tmp_path).returncode == 2
    script = pathlib.Path(sys.executable).with_name("firstspike")
    if script.exists():
        assert subprocess.run([script, "--version"], capture_output=True).returncode == 0
