"""Spiking neural networks that compute with first-spike times: exact, event-driven, trained or simulated.

* :func:`run` trains or simulates a scenario, :func:`load` opens its folder again: a :class:`Run`.
* :class:`Network` simulates any network that arrays describe; :func:`stats` and :func:`diff` look at spikes.
* ``firstspike.torch`` has layers for PyTorch, ideal and on the model of a chip; ``firstspike.jax`` a function for JAX.
* :class:`Substrate` is the base class of programs that run networks in the loop: drivers of chips, simulators.

Times are plain numbers in one unit of your choice; an input or neuron that does not spike has the time ``inf``.
"""

from ._core import __version__, set_threads, threads
from ._program import main
from .data import latency, yin_yang
from .errors import FirstspikeError, InputError, OutputError, RunFailed
from .runs import Predictions, Run, check, load, run
from .simulation import Network, Simulation
from .spikes import Difference, Spikes, diff, read_trace, stats
from .substrate import Sample, Substrate

__all__ = [
    "Difference",
    "FirstspikeError",
    "InputError",
    "Network",
    "OutputError",
    "Predictions",
    "Run",
    "RunFailed",
    "Sample",
    "Simulation",
    "Spikes",
    "Substrate",
    "__version__",
    "check",
    "diff",
    "latency",
    "load",
    "main",
    "read_trace",
    "run",
    "set_threads",
    "stats",
    "threads",
    "yin_yang",
]
