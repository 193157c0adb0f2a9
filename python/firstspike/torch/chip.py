"""A layer on the model of a chip: training in the loop."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from .. import _core
from .functional import array, thresholds
from .layers import SpikingLinear


class _ChipSpike(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        times: torch.Tensor,
        weight: torch.Tensor,
        delays: torch.Tensor | None,
        chip: _core.ChipLayer,
        trains: bool,
    ) -> torch.Tensor:
        double = torch.float64
        spikes, ctx.run = chip.forward(
            array(times.to(double), "times"),
            array(weight.to(double), "weight"),
            None if delays is None else array(delays.to(double), "delays"),
            trains,
            ctx.needs_input_grad[0],
        )
        ctx.dtype = weight.dtype
        return torch.from_numpy(spikes).to(weight.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_spikes: torch.Tensor) -> Any:  # type: ignore[override]
        gradients = ctx.run.backward(array(by_spikes.to(torch.float64), "gradient"))
        needs = ctx.needs_input_grad
        found = [
            torch.from_numpy(value).to(ctx.dtype) if needs[place] and value is not None else None
            for place, value in enumerate(gradients)
        ]
        return (*found, None, None)


class ChipLinear(SpikingLinear):
    """A layer that runs on the model of a chip, and learns from what the chip records.

    Forward, the weights are brought to the steps and into the range that the chip has, every neuron has deviations of
    its own, spikes are late, early or lost, and what comes out is what the chip recorded. Backward, ``rule`` says of
    which neurons the derivatives are: ``"twin"`` (a model of every neuron, learned from the same records),
    ``"datasheet"`` (the neurons that the sheet promises) or ``"recorded"`` (the paper's rule). Derivatives by the
    programmed weights are taken for those by ``weight``.

    ``chip`` is a chip file (as the program's ``chips/brainscales2.toml``) or a dictionary of its entries, ``chip_set``
    changes single entries: ``{"weights.magnitude_bits": 4}``. ``seed`` draws the individual chip and its noise. In
    ``eval()`` mode the noise of a sample depends on its place in the batch alone, and nothing is learned of the chip;
    then there is no backward pass.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        chip: str | os.PathLike[str] | Mapping[str, Any],
        chip_set: Mapping[str, Any] | None = None,
        rule: str = "twin",
        seed: int = 1,
        tau_m: float = 1.0,
        tau_s: float = 1.0,
        threshold: float | Sequence[float] | torch.Tensor = 1.0,
        capacitance: float | None = None,
        delays: str | None = None,
        delay_range: tuple[float, float] = (0.0, math.inf),
        bias_times: Iterable[float] = (),
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            in_features,
            out_features,
            tau_m,
            tau_s,
            threshold,
            capacitance,
            delays,
            delay_range,
            bias_times,
            dtype,
        )
        self.rule, self.seed = rule, seed
        self.chip = dict(chip) if isinstance(chip, Mapping) else os.path.abspath(chip)
        self.chip_set = dict(chip_set or {})
        self._chip = self._on_chip()

    def _on_chip(self) -> _core.ChipLayer:
        tau_s = float(self.tau_s)
        return _core.ChipLayer(
            self.chip,
            self.chip_set,
            self.weight.shape[1],
            self.out_features,
            float(self.tau_m),
            tau_s,
            tau_s if self.capacitance is None else self.capacitance,
            thresholds(self.threshold),
            self.delay_kind,
            self.rule,
            self.seed,
        )

    def forward(self, times: torch.Tensor) -> torch.Tensor:
        """Recorded spike times of the neurons for spike times of the inputs."""
        flat = self._inputs(times)
        if self.bias_times.numel():
            flat = torch.cat([flat, self.bias_times.expand(flat.shape[0], -1)], dim=1)
        spikes: torch.Tensor = _ChipSpike.apply(
            flat, self.weight, self._bounded_delays(), self._chip, self.training
        )
        return self._outputs(times, spikes)

    def programmed(self) -> torch.Tensor:
        """The weights that the chip is programmed with."""
        weights = array(self.weight.to(torch.float64), "weight")
        return torch.from_numpy(self._chip.programmed(weights)).to(self.weight.dtype)

    def clip_weights_(self) -> None:
        """Brings the weights into the chip's range, for after ``optimiser.step()``.

        A weight beyond acts as the limit does, so steps out there do nothing, and as many have to lead back.
        """
        clipped = self._chip.clipped(array(self.weight.to(torch.float64), "weight"))
        with torch.no_grad():
            self.weight.copy_(torch.from_numpy(clipped))

    def thresholds(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Thresholds of the neurons that derivatives are of, and those that the model of the chip has."""
        estimated, true = self._chip.thresholds()
        return torch.from_numpy(estimated), torch.from_numpy(true)

    def get_extra_state(self) -> Any:
        """What was learned of the chip."""
        return self._chip.state()

    def set_extra_state(self, state: Any) -> None:
        """Goes on from what was learned of the chip."""
        self._chip.restore(state)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state["_chip"] = self._chip.state()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        learned = state["_chip"]
        super().__setstate__(state)
        self._chip = self._on_chip()
        self._chip.restore(learned)
