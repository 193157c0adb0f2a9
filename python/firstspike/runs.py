"""Runs of scenarios: from a file or a dictionary to results."""

from __future__ import annotations

import base64
import csv
import dataclasses
import functools
import html
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import InputError
from .progress import Reporter, reporter
from .spikes import Spikes, read_trace

#: Samples of a raster in a notebook.
_SHOWN = 3


def _given(scenario: Any) -> Any:
    return dict(scenario) if isinstance(scenario, Mapping) else Path(scenario)


def run(
    scenario: str | os.PathLike[str] | Mapping[str, Any],
    *,
    set: Mapping[str, Any] | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool | Reporter = True,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_every: float = 5.0,
) -> Run:
    """Trains or simulates a scenario: the path of a TOML file, or a dictionary of the same form.

    ``set`` changes values, as ``--set`` does: ``{"training.epochs": 20, "layers.0.size": 30}``. ``out`` is the folder
    of the results (by default ``traces/<name>``), which another run's results keep unless ``overwrite``. ``resume``
    goes on from the checkpoint there. Ctrl-C ends the run at the next batch with everything written, and raises
    ``KeyboardInterrupt``; ``load`` opens what there is. Relative paths in a dictionary begin at the working directory.

    The files are those of ``firstspike run``, byte for byte.

    Raises :class:`InputError` for what cannot be used (nothing was touched then), :class:`RunFailed` for what failed on
    the way, :class:`OutputError` if a result cannot be written.
    """
    watcher = reporter(progress)
    try:
        folder = _core.run_scenario(
            _given(scenario),
            None if set is None else dict(set),
            None if out is None else Path(out),
            resume,
            overwrite,
            checkpoint_every,
            watcher,
        )
    finally:
        if watcher is not None:
            watcher.close()
    return Run(folder)


def check(
    scenario: str | os.PathLike[str] | Mapping[str, Any], *, set: Mapping[str, Any] | None = None
) -> str:
    """Checks a scenario; returns it as TOML with every default filled in."""
    return _core.check_scenario(_given(scenario), None if set is None else dict(set))


def load(folder: str | os.PathLike[str]) -> Run:
    """Opens the folder of a run."""
    return Run(folder)


@dataclasses.dataclass(frozen=True, repr=False)
class Predictions:
    """What a network decides on samples."""

    #: Class of each sample, an index into ``class_names``; -1 if no label neuron spiked.
    classes: npt.NDArray[np.int64]
    #: Time of the decision; ``inf`` without one.
    times: npt.NDArray[np.float64]
    #: By how much the next best class was later; not a number without a decision.
    margins: npt.NDArray[np.float64]
    #: The true class where it is known; else -1.
    labels: npt.NDArray[np.int64]
    #: First spike of each label neuron, sample × class; ``inf`` without one.
    label_times: npt.NDArray[np.float64]
    class_names: list[str]
    time_unit: str

    @property
    def names(self) -> npt.NDArray[np.object_]:
        """Names of the classes; ``None`` where nothing was decided."""
        return np.asarray([*self.class_names, None], dtype=object)[self.classes]

    def __len__(self) -> int:
        return int(self.classes.size)

    def __repr__(self) -> str:
        return f"Predictions({len(self)} samples, classes {self.class_names})"


class Run:
    """A run's folder, opened.

    ``summary`` is what the run came to; ``metrics`` its epochs; ``spikes`` and ``potentials`` what was recorded;
    ``network`` the weights, delays and parameters; :meth:`predict` decides on new samples.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not (self.folder / "summary.json").is_file():
            raise InputError(
                f"{self.folder} has no summary.json: it must be the folder of a run, as `firstspike run` leaves it"
            )

    def __repr__(self) -> str:
        summary = self.summary
        parts = [repr(str(self.folder))]
        if "test_accuracy" in summary:
            parts.append(f"test accuracy {100 * summary['test_accuracy']:.2f} %")
        if "populations" in summary:
            parts.append(f"{sum(each['spikes'] for each in summary['populations'])} spikes")
        if summary.get("interrupted"):
            parts.append("interrupted")
        return f"Run({', '.join(parts)})"

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """``summary.json``."""
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text("utf-8"))
        return found

    def _file(self, name: str, of: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise InputError(f"{self.folder} has no {name}: {of}")
        return path

    @functools.cached_property
    def metrics(self) -> dict[str, npt.NDArray[Any]]:
        """``metrics.csv``: an array for each column, with an entry per epoch."""
        return _columns(self._file("metrics.csv", "only a training has epochs"))

    @functools.cached_property
    def spikes(self) -> Spikes:
        """``spikes.csv``: of a training, those of the test set."""
        return read_trace(self._file("spikes.csv", "no spikes were recorded"))

    @functools.cached_property
    def potentials(self) -> dict[str, npt.NDArray[Any]]:
        """``potentials.csv``: arrays ``population``, ``neuron``, ``time``, ``potential`` and the currents."""
        path = self._file("potentials.csv", "the scenario records no potentials ([recording])")
        columns = _columns(path)
        return {
            ("time" if name.startswith("time_") else name): values
            for name, values in columns.items()
        }

    @functools.cached_property
    def network(self) -> NetworkFile:
        """``network.json``: populations, weights and delays as arrays."""
        return NetworkFile(self._file("network.json", "it is no folder of a run"))

    @functools.cached_property
    def predictions(self) -> Predictions:
        """Decisions on the test set."""
        return self.predict(set="test")

    def predict(
        self,
        X: npt.ArrayLike | str | os.PathLike[str] | None = None,
        *,
        set: str | None = None,
        chip: str | os.PathLike[str] | None = None,
    ) -> Predictions:
        """Decides on samples: an array (sample × feature), a file, or a set of the run's own.

        Samples are scaled as the training set was. ``set`` is ``"training"``, ``"validation"`` or ``"test"``. ``chip``
        is a chip file on whose model the network is to run instead.
        """
        if (X is None) == (set is None):
            raise InputError('give samples X, or set="test" (or "training", "validation")')
        on = None if chip is None else Path(chip)
        if X is None or isinstance(X, (str, os.PathLike)):
            path = None if X is None else Path(X)
            return Predictions(**_core.predict(self.folder, path, set, on))
        samples = np.asarray(X)
        if samples.ndim < 2:
            raise InputError(f"X has shape {samples.shape}: it must be samples × features")
        if samples.dtype != np.uint8:
            samples = samples.astype(np.float64)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "X.npy"
            np.save(path, samples)
            return Predictions(**_core.predict(self.folder, path, None, on))

    def to_pandas(self) -> Any:
        """``metrics`` as a DataFrame."""
        import pandas

        return pandas.DataFrame(self.metrics)

    def svg(self) -> str:
        """The class map if the run has one, else a raster of the first samples."""
        picture = self.folder / "class_map.svg"
        if picture.is_file():
            return picture.read_text("utf-8")
        return _core.raster_svg(self._file("spikes.csv", "no spikes were recorded"), _SHOWN)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in self._facts()
        )
        try:
            picture = base64.b64encode(self.svg().encode()).decode()
        except (InputError, OSError):
            picture = ""
        image = f"<img src='data:image/svg+xml;base64,{picture}' width='420'>" if picture else ""
        return f"<div><table>{rows}</table>{image}</div>"

    def _facts(self) -> Iterator[tuple[str, str]]:
        summary = self.summary
        yield "run", str(self.folder)
        for name in ("test_accuracy", "validation_accuracy", "train_accuracy"):
            if name in summary:
                yield name.replace("_", " "), f"{100 * summary[name]:.2f} %"
        for name in ("epochs", "until", "engine", "seconds"):
            value = summary.get(name)
            if value is not None:
                yield name, str(value.get("name") if isinstance(value, dict) else value)
        if summary.get("interrupted"):
            yield "interrupted", "yes"


def _columns(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The columns of a CSV file; numbers where all of a column are."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: _numbers(column) for name, column in zip(names, columns, strict=True)}


def _numbers(column: tuple[str, ...]) -> npt.NDArray[Any]:
    try:
        return np.asarray([int(value) for value in column], dtype=np.int64)
    except ValueError:
        pass
    try:
        return np.asarray([float(value) if value else np.nan for value in column])
    except ValueError:
        return np.asarray(column, dtype=object)


class NetworkFile:
    """A network as arrays.

    ``sizes`` of the populations, ``parameters[population]`` (arrays of one per neuron), ``weights[pre, post]`` and
    ``delays[pre, post]`` (pre × post; 0 where there is no synapse; several synapses between two neurons are kept in
    ``synapses[pre, post]`` alone: columns pre, post, weight, delay).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        content = json.loads(Path(path).read_text("utf-8"))
        self.time_unit: str = content["time_unit"]
        self.inference: dict[str, Any] | None = content.get("inference")
        self.sizes: dict[str, int] = {}
        self.parameters: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
        for population in content["populations"]:
            name, size = population["name"], population["size"]
            self.sizes[name] = size
            neurons = population["neurons"]
            if neurons:
                each = neurons if len(neurons) == size else neurons * size
                self.parameters[name] = {
                    key: np.asarray(
                        # The only one that may be infinite is tau_m.
                        [np.inf if neuron[key] is None else neuron[key] for neuron in each],
                        dtype=np.float64,
                    )
                    for key in neurons[0]
                }
        self.synapses: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
        self.weights: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
        self.delays: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
        for projection in content["projections"]:
            pair = (projection["pre"], projection["post"])
            rows = np.asarray(projection["synapses"], dtype=np.float64).reshape(-1, 4)
            self.synapses[pair] = rows
            shape = (self.sizes[pair[0]], self.sizes[pair[1]])
            pre, post = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
            self.weights[pair], self.delays[pair] = np.zeros(shape), np.zeros(shape)
            self.weights[pair][pre, post] = rows[:, 2]
            self.delays[pair][pre, post] = rows[:, 3]

    @property
    def layers(self) -> list[str]:
        """Populations of neurons in their order: of a trained network, its layers."""
        return list(self.parameters)

    def layer(self, name: str) -> npt.NDArray[np.float64]:
        """All weights onto a population, pre × post: those of the layer before, then those of its bias sources.

        Transposed, they are the ``weight`` of :class:`firstspike.torch.FirstSpikeLinear`.
        """
        bias = f"{name}_bias"
        sources = [pre for pre, post in self.weights if post == name and pre != bias]
        if not sources:
            raise InputError(f"no synapse ends on {name!r}: populations are {list(self.sizes)}")
        parts = [self.weights[pre, name] for pre in sources]
        parts += [self.weights[bias, name]] if (bias, name) in self.weights else []
        return np.concatenate(parts)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {size}" for name, size in self.sizes.items())
        return f"NetworkFile({sizes})"
