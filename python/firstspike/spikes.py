"""Spikes as columns, of any origin: statistics, comparison, trains."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import InputError


def whole(values: npt.ArrayLike, name: str) -> npt.NDArray[np.int64]:
    """Whole numbers as an array."""
    given = np.asarray(values)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"{name} must be whole numbers: they are of {given.dtype}")
    return np.ascontiguousarray(given, dtype=np.int64)


class Spikes:
    """Spikes: a time and a neuron each, and where there are several, a population and a sample.

    ``times``, ``neurons``, ``samples`` and ``population`` (an index into ``populations``) are arrays with an entry per
    spike; ``samples`` may be ``None``.
    """

    def __init__(
        self,
        times: npt.ArrayLike,
        neurons: npt.ArrayLike,
        samples: npt.ArrayLike | None = None,
        population: npt.ArrayLike | None = None,
        populations: Sequence[str] = ("",),
        time_unit: str | None = None,
    ) -> None:
        self.times = np.ascontiguousarray(times, dtype=np.float64)
        self.neurons: npt.NDArray[Any] = np.asarray(neurons)
        self.samples: npt.NDArray[Any] | None = None if samples is None else np.asarray(samples)
        self.populations = tuple(populations)
        self.population: npt.NDArray[Any] = (
            np.zeros(self.times.shape, np.uint32) if population is None else np.asarray(population)
        )
        self.time_unit = time_unit
        columns = (self.neurons, self.population, self.samples)
        if self.times.ndim != 1 or any(
            column is not None and column.shape != self.times.shape for column in columns
        ):
            raise InputError("the columns of spikes must be as long as their times")

    @classmethod
    def of_trains(
        cls, trains: Mapping[str, Iterable[npt.ArrayLike]] | Iterable[npt.ArrayLike]
    ) -> Spikes:
        """Spikes of trains: a list of times for each neuron, or such lists by population."""
        groups = trains if isinstance(trains, Mapping) else {"": trains}
        times, neurons, population = [], [], []
        for index, group in enumerate(groups.values()):
            for neuron, train in enumerate(group):
                values = np.asarray(train, dtype=np.float64).reshape(-1)
                values = values[~np.isinf(values)]
                times.append(values)
                neurons.append(np.full(values.shape, neuron))
                population.append(np.full(values.shape, index))
        empty = [np.empty(0, dtype=np.int64)]
        return cls(
            np.concatenate(times or [np.empty(0)]),
            np.concatenate(neurons or empty),
            population=np.concatenate(population or empty),
            populations=tuple(groups),
        )

    def __len__(self) -> int:
        return int(self.times.size)

    def __repr__(self) -> str:
        names = ", ".join(name for name in self.populations if name)
        return f"Spikes({len(self)}{' of ' + names if names else ''})"

    def of(self, population: str, sample: int | None = None) -> Spikes:
        """The spikes of one population, in one sample or in all."""
        if population not in self.populations:
            raise InputError(
                f"there is no population {population!r}: there are {list(self.populations)}"
            )
        chosen = self.population == self.populations.index(population)
        if sample is not None:
            if self.samples is None:
                raise InputError("these spikes have no samples")
            chosen &= self.samples == sample
        samples = None if self.samples is None else self.samples[chosen]
        return Spikes(
            self.times[chosen],
            self.neurons[chosen],
            samples,
            populations=(population,),
            time_unit=self.time_unit,
        )

    def trains(self, size: int | None = None) -> list[npt.NDArray[np.float64]]:
        """A sorted array of times for each neuron of a single population, of ``size`` neurons."""
        if len(self.populations) > 1:
            raise InputError("trains are of one population: choose it with .of(name)")
        count = int(self.neurons.max()) + 1 if len(self) else 0
        order = np.lexsort((self.times, self.neurons))
        times, neurons = self.times[order], self.neurons[order].astype(np.int64)
        ends = np.searchsorted(neurons, np.arange(count if size is None else size), side="right")
        return np.split(times, ends[:-1]) if ends.size else []

    def to_pandas(self) -> Any:
        """A DataFrame with the columns of a trace: sample, population, neuron, time."""
        import pandas

        unit = "" if self.time_unit is None else f"_{self.time_unit}"
        columns: dict[str, Any] = {} if self.samples is None else {"sample": self.samples}
        names = np.asarray(self.populations, dtype=object)
        columns["population"] = pandas.Categorical(names[self.population], self.populations)
        return pandas.DataFrame({**columns, "neuron": self.neurons, f"time{unit}": self.times})

    def _columns(self) -> tuple[Any, Any, Any, Any, list[str]]:
        return (
            self.times,
            whole(self.neurons, "neurons"),
            None if self.samples is None else whole(self.samples, "samples"),
            whole(self.population, "population"),
            list(self.populations),
        )


def read_trace(path: str | os.PathLike[str]) -> Spikes:
    """Reads a trace of any simulator: CSV with times and neurons, packed with gzip or not.

    Columns are recognised by their names, as by ``firstspike stats``.
    """
    found = _core.read_trace(os.fspath(path))
    return Spikes(
        found["time"],
        found["neuron"],
        found["sample"],
        found["population"],
        found["populations"],
        found["time_unit"],
    )


def _spikes(given: Any) -> Spikes:
    """Spikes, a trace's path, (times, neurons), or trains."""
    if isinstance(given, Spikes):
        return given
    if isinstance(given, (str, os.PathLike)):
        return read_trace(given)
    if isinstance(given, tuple) and len(given) == 2:
        return Spikes(given[0], given[1])
    spikes = getattr(given, "spikes", None)
    if isinstance(spikes, Spikes):
        return spikes
    return Spikes.of_trains(given)


def stats(
    spikes: Any,
    *,
    sizes: Mapping[str, int] | int | None = None,
    window: tuple[float, float] | None = None,
    bin: float | None = None,
    samples: Iterable[int] = (),
) -> dict[str, dict[str, Any]]:
    """Rates, latencies, intervals, irregularity and synchrony, as ``firstspike stats`` defines them.

    ``spikes`` are :class:`Spikes`, a simulation or run, the path of a trace, ``(times, neurons)``, or a list of times
    for each neuron. ``sizes`` are numbers of neurons, silent ones included. ``window`` (by default from 0 to the last
    spike) is what rates are over; they are per unit of time. ``bin`` is the width for the Fano factor. ``samples``
    are those without a spike as well.

    Returns the statistics by population; those of all together are under ``"all"`` if there are several.
    """
    given = _spikes(spikes)
    if isinstance(sizes, int):
        if len(given.populations) > 1:
            raise InputError("sizes must name the populations: there are several")
        sizes = {given.populations[0]: sizes}
    sizes = dict(sizes or {})
    unknown = set(sizes) - set(given.populations)
    if unknown:
        raise InputError(f"sizes: {sorted(unknown)} are none of {list(given.populations)}")
    if window is None:
        if not len(given):
            raise InputError("there are no spikes: give the window that they are to be counted in")
        window = (0.0, float(given.times.max()))
    times, neurons, of_samples, population, names = given._columns()
    every, *groups = _core.statistics(
        times,
        neurons,
        of_samples,
        population,
        names,
        [sizes.get(name) for name in names],
        [int(sample) for sample in samples],
        (float(window[0]), float(window[1])),
        bin,
    )
    found = {group["population"]: group for group in groups}
    return found if len(names) == 1 else {"all": every, **found}


class Difference:
    """How two traces differ, spike by spike.

    ``pairs``, ``missing`` (A has them, B has not) and ``extra`` are dictionaries of arrays: ``population`` (an index
    into ``populations``), ``neuron``, ``sample`` and ``time``; pairs have a ``difference``, the time in B minus that in
    A. Spikes farther apart than ``reach`` are not the same.
    """

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.populations = tuple(group["name"] for group in groups)
        self.reach = {group["name"]: group["reach"] for group in groups}
        self.pairs = self._column(groups, "pairs", ("neuron", "sample", "time", "difference"))
        self.missing = self._column(groups, "missing", ("neuron", "sample", "time"))
        self.extra = self._column(groups, "extra", ("neuron", "sample", "time"))

    @staticmethod
    def _column(
        groups: list[dict[str, Any]], part: str, names: tuple[str, ...]
    ) -> dict[str, npt.NDArray[Any]]:
        columns = {
            name: np.concatenate([group[part][place] for group in groups] or [np.empty(0)])
            for place, name in enumerate(names)
        }
        sizes = [group[part][0].size for group in groups]
        return {"population": np.repeat(np.arange(len(groups)), sizes), **columns}

    @property
    def largest(self) -> float:
        """The largest difference of two times; 0 without pairs."""
        differences = self.pairs["difference"]
        return float(np.abs(differences).max()) if differences.size else 0.0

    def is_equal(self, tolerance: float = 0.0) -> bool:
        """Whether no spike is missing or extra, and no pair is farther apart than this."""
        counts = self.missing["time"].size + self.extra["time"].size
        return bool(counts == 0 and self.largest <= tolerance)

    def __repr__(self) -> str:
        pairs, missing, extra = (
            part["time"].size for part in (self.pairs, self.missing, self.extra)
        )
        return f"Difference({pairs} pairs at most {self.largest:.3g} apart, {missing} missing, {extra} extra)"


def diff(a: Any, b: Any, *, reach: float | None = None) -> Difference:
    """Compares two traces spike by spike, as ``firstspike diff``; each is given as to :func:`stats`.

    Within a neuron and sample, spikes are paired in order so that the sum of all differences of time is least; spikes
    farther apart than ``reach`` (by default half the median interval) are no pair.
    """
    return Difference(_core.align(_spikes(a)._columns(), _spikes(b)._columns(), reach))
