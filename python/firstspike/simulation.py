"""Networks of any topology from arrays, simulated exactly in continuous time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import InputError
from .spikes import Spikes, whole


@dataclasses.dataclass(frozen=True, repr=False)
class Simulation:
    """What a simulation came to."""

    #: All spikes, those of sources too.
    spikes: Spikes
    #: What ran it: ``"event"`` or ``"window"``.
    engine: str
    #: Spikes that arrived at synapses.
    synaptic_events: int
    #: Times of the potentials.
    times: npt.NDArray[np.float64]
    #: Population: neurons (as asked for) × times.
    potentials: dict[str, npt.NDArray[np.float64]]

    def __repr__(self) -> str:
        return (
            f"Simulation({len(self.spikes)} spikes, {self.synaptic_events} synaptic events, "
            f"engine {self.engine!r})"
        )


def _floats(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}") from None


class Network:
    """Populations of neurons and spike sources, and synapses between them.

    >>> network = Network()
    >>> network.add_sources("input", 1)
    >>> network.add_neurons("pair", 2, refractory_period=1.0)
    >>> network.connect("input", "pair", [[4.0, 0.0]])
    >>> network.connect("pair", "pair", [[0.0, 4.0], [4.0, 0.0]], delays=0.5)
    >>> network.simulate({"input": [[0.0]]}, until=10.0).spikes.neurons[:5]
    array([0, 0, 1, 0, 1], dtype=uint32)
    """

    def __init__(self) -> None:
        self._network = _core.Network()

    def add_sources(self, name: str, size: int) -> None:
        """Adds spike sources, whose spikes :meth:`simulate` is given."""
        self._network.add_sources(name, size)

    def add_neurons(self, name: str, size: int, **parameters: npt.ArrayLike) -> None:
        """Adds neurons. A parameter is one for all, or an array of one for each.

        ``tau_m`` (may be ``inf``), ``tau_s``, ``tau_s_inhibitory``, ``capacitance``, ``leak_potential``,
        ``reset_potential``, ``threshold``, ``refractory_period``, ``bias_current``, ``initial_potential``,
        ``initial_current``, ``initial_inhibitory_current``; names, units and defaults are those of scenarios.
        """
        given: dict[str, Any] = {}
        for key, value in parameters.items():
            values = _floats(value, key)
            given[key] = float(values) if values.ndim == 0 else values
        self._network.add_neurons(name, size, given)

    def connect(
        self,
        pre: str,
        post: str,
        weights: Any,
        delays: Any = 0.0,
        *,
        indices: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        receptor: str | None = None,
    ) -> None:
        """Connects two populations.

        ``weights`` is a matrix pre × post, an array or a sparse matrix of SciPy; where it is 0 there is no synapse.
        Or, with ``indices = (pre, post)``, one weight per synapse (or one for all). ``delays`` is one for all, or in
        the same form as ``weights``. ``receptor`` (``"excitatory"``, ``"inhibitory"``) matters where the two have
        different time constants; without it the sign of the weight decides.
        """
        shape = (self._size(pre), self._size(post))
        if indices is not None:
            rows, columns = (whole(values, "indices") for values in indices)
            values = np.broadcast_to(_floats(weights, "weights"), rows.shape)
        elif hasattr(weights, "tocoo"):
            matrix = weights.tocoo()
            self._check_shape("weights", matrix.shape, shape)
            rows, columns = (
                whole(matrix.row, "rows of weights"),
                whole(matrix.col, "columns of weights"),
            )
            values = _floats(matrix.data, "weights")
        else:
            dense = _floats(weights, "weights")
            self._check_shape("weights", dense.shape, shape)
            rows, columns = np.nonzero(dense)
            values = dense[rows, columns]
        if hasattr(delays, "tocsr"):
            self._check_shape("delays", delays.shape, shape)
            lasting = np.asarray(delays.tocsr()[rows, columns]).reshape(-1)
        else:
            lasting = _floats(delays, "delays")
            if lasting.ndim == 2 and indices is None:
                self._check_shape("delays", lasting.shape, shape)
                lasting = lasting[rows, columns]
        try:
            lasting = np.broadcast_to(lasting, rows.shape)
        except ValueError:
            raise InputError(f"{lasting.size} delays for {rows.size} synapses") from None
        self._network.connect(
            pre,
            post,
            np.ascontiguousarray(rows, dtype=np.int64),
            np.ascontiguousarray(columns, dtype=np.int64),
            np.asarray(values, dtype=np.float64, order="C"),
            np.ascontiguousarray(lasting, dtype=np.float64),
            receptor,
        )

    @property
    def populations(self) -> dict[str, int]:
        """Sizes of the populations, those of sources too."""
        return {name: size for name, size, _ in self._network.populations()}

    @property
    def synapses(self) -> int:
        """How many synapses there are."""
        return self._network.synapses()

    def _size(self, name: str) -> int:
        sizes = self.populations
        if name not in sizes:
            raise InputError(f"there is no population {name!r}: there are {list(sizes)}")
        return sizes[name]

    @staticmethod
    def _check_shape(what: str, found: tuple[int, ...], shape: tuple[int, int]) -> None:
        if tuple(found) != shape:
            raise InputError(f"{what} have shape {tuple(found)}: {shape} (pre × post) is needed")

    def _stimulus(
        self, name: str, given: Any
    ) -> tuple[str, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        size = self._size(name)
        if isinstance(given, tuple):
            if len(given) != 2:
                raise InputError(f"input spikes of {name!r}: a tuple is (neurons, times)")
            return name, whole(given[0], "neurons"), _floats(given[1], "times").reshape(-1)
        trains = [_floats(train, f"input spikes of {name!r}").reshape(-1) for train in given]
        if len(trains) != size:
            raise InputError(
                f"input spikes of {name!r} have {len(trains)} trains: there are {size} sources"
            )
        neurons = np.repeat(np.arange(size), [train.size for train in trains])
        times = np.concatenate(trains)
        here = np.isfinite(times) | np.isnan(times)
        return name, neurons[here], times[here]

    def simulate(
        self,
        stimulus: Mapping[str, Any] | None = None,
        *,
        until: float,
        at_most_one_spike: bool = False,
        engine: str = "auto",
        potentials: Mapping[str, npt.ArrayLike] | None = None,
        times: npt.ArrayLike | None = None,
    ) -> Simulation:
        """Simulates from time 0 to ``until``, every spike exactly; Ctrl-C ends it.

        ``stimulus`` has the input spikes of each population of sources: a list of times for each source, or
        ``(neurons, times)``. ``potentials`` names neurons, ``{"pair": [0, 1]}``, whose potentials are computed at
        ``times`` (by default 1001 times from 0 to ``until``). ``engine`` is ``"event"`` (any network), ``"window"``
        (large ones whose neurons all have delays) or ``"auto"``.
        """
        wanted = {
            name: [int(neuron) for neuron in np.atleast_1d(np.asarray(neurons))]
            for name, neurons in (potentials or {}).items()
        }
        at = (
            _floats(times, "times").reshape(-1)
            if times is not None
            else np.linspace(0.0, until, 1001 if wanted else 0)
        )
        found = self._network.simulate(
            [self._stimulus(name, given) for name, given in (stimulus or {}).items()],
            float(until),
            at_most_one_spike,
            engine,
            list(wanted.items()),
            at,
        )
        spikes = Spikes(
            found["times"],
            found["neurons"],
            population=found["population"],
            populations=tuple(self.populations),
        )
        parts = np.cumsum([len(neurons) for neurons in wanted.values()])[:-1]
        each = np.split(found["potentials"], parts) if wanted else []
        return Simulation(
            spikes,
            found["engine"],
            found["synaptic_events"],
            at,
            dict(zip(wanted, each, strict=True)),
        )
