"""What the compiled part has. Use the modules of the package: this changes with them."""

import os
from typing import Any, final

import numpy as np
import numpy.typing as npt

from .progress import Reporter

_Array = npt.NDArray[Any]
_Doubles = npt.NDArray[np.float64]
_Whole = npt.NDArray[np.int64]
_State = tuple[list[tuple[str, list[float]]], list[tuple[str, int]]]
_Side = tuple[_Doubles, _Whole, _Whole | None, _Whole | None, list[str]]

__all__ = [
    "ChipLayer",
    "LayerRun",
    "Network",
    "__version__",
    "align",
    "check_scenario",
    "initial_weights",
    "layer_forward",
    "layer_parameter_gradients",
    "loss",
    "predict",
    "raster_svg",
    "read_trace",
    "run_program",
    "run_scenario",
    "set_threads",
    "statistics",
    "threads",
    "yin_yang",
]

__version__: str

@final
class LayerRun:
    def backward(self, by_spikes: _Array) -> tuple[_Array | None, _Array, _Array | None]: ...

@final
class ChipLayer:
    def __new__(
        cls,
        chip: str | os.PathLike[str] | dict[str, Any],
        set: dict[str, Any] | None,
        inputs: int,
        neurons: int,
        tau_m: float,
        tau_s: float,
        capacitance: float,
        threshold: float | _Doubles,
        delays: str | None,
        rule: str,
        seed: int,
    ) -> ChipLayer: ...
    def forward(
        self,
        times: _Doubles,
        weights: _Doubles,
        delays: _Doubles | None,
        trains: bool,
        by_times: bool,
    ) -> tuple[_Doubles, LayerRun]: ...
    def programmed(self, weights: _Doubles) -> _Doubles: ...
    def clipped(self, weights: _Doubles) -> _Doubles: ...
    def thresholds(self) -> tuple[_Doubles, _Doubles]: ...
    def state(self) -> _State: ...
    def restore(self, state: _State) -> None: ...

@final
class Network:
    def __new__(cls) -> Network: ...
    def add_sources(self, name: str, size: int) -> None: ...
    def add_neurons(
        self, name: str, size: int, parameters: dict[str, float | _Doubles]
    ) -> None: ...
    def connect(
        self,
        pre: str,
        post: str,
        from_: _Whole,
        to: _Whole,
        weights: _Doubles,
        delays: _Doubles,
        receptor: str | None,
    ) -> None: ...
    def populations(self) -> list[tuple[str, int, bool]]: ...
    def synapses(self) -> int: ...
    def simulate(
        self,
        stimulus: list[tuple[str, _Whole, _Doubles]],
        until: float,
        at_most_one_spike: bool,
        engine: str,
        potentials: list[tuple[str, list[int]]],
        at: _Doubles,
    ) -> dict[str, Any]: ...

def layer_forward(
    times: _Array,
    weights: _Array,
    delays: _Array | None,
    delay_kind: str | None,
    tau_m: float,
    tau_s: float,
    capacitance: float,
    threshold: float | _Doubles,
    by_times: bool,
    bias: _Array | None = None,
) -> tuple[_Array, LayerRun]: ...
def layer_parameter_gradients(
    times: _Array,
    weights: _Array,
    delays: _Array | None,
    delay_kind: str | None,
    tau_m: float,
    tau_s: float,
    capacitance: float,
    threshold: float | _Doubles,
    spikes: _Array,
    by_spikes: _Array,
    bias: _Array | None = None,
) -> tuple[float, float, float, _Doubles]: ...
def loss(
    kind: str, values: tuple[float, ...], times: _Doubles, labels: _Whole
) -> tuple[_Doubles, _Doubles]: ...
def initial_weights(
    times: _Doubles,
    tau_m: float,
    tau_s: float,
    capacitance: float,
    threshold: float,
    neurons: int,
    is_label: bool,
) -> tuple[float, float]: ...
def yin_yang(size: int, seed: int, r_small: float, r_big: float) -> tuple[_Doubles, _Whole]: ...
def run_program(arguments: list[str]) -> int: ...
def run_scenario(
    scenario: os.PathLike[str] | dict[str, Any],
    set: dict[str, Any] | None,
    out: os.PathLike[str] | None,
    resume: bool,
    overwrite: bool,
    checkpoint_every: float,
    progress: Reporter | None,
) -> os.PathLike[str]: ...
def check_scenario(
    scenario: os.PathLike[str] | dict[str, Any], set: dict[str, Any] | None
) -> str: ...
def predict(
    folder: os.PathLike[str],
    file: os.PathLike[str] | None,
    set: str | None,
    chip: os.PathLike[str] | None,
) -> dict[str, Any]: ...
def read_trace(path: str | os.PathLike[str]) -> dict[str, Any]: ...
def raster_svg(path: str | os.PathLike[str], samples: int) -> str: ...
def statistics(
    times: _Doubles,
    neurons: _Whole,
    samples: _Whole | None,
    population: _Whole | None,
    populations: list[str],
    sizes: list[int | None],
    all_samples: list[int],
    window: tuple[float, float],
    bin: float | None,
) -> list[dict[str, Any]]: ...
def align(a: _Side, b: _Side, reach: float | None) -> list[dict[str, Any]]: ...
def set_threads(count: int) -> None: ...
def threads() -> int: ...
