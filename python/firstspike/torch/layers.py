"""A layer of first-spike neurons as a module."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from .. import _core
from ..errors import InputError
from .functional import first_spike, number

#: What may be learned of the neurons.
PARAMETERS = ("threshold", "tau_m", "tau_s")


class SpikingLinear(nn.Module):
    """What ideal layers and layers on a chip have in common: weights, delays, bias, initial values."""

    bias_times: torch.Tensor
    weight: nn.Parameter
    delays: nn.Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        tau_m: float,
        tau_s: float,
        threshold: float | Sequence[float] | torch.Tensor,
        capacitance: float | None,
        delays: str | None,
        delay_range: tuple[float, float],
        bias_times: Iterable[float],
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        if in_features < 1 or out_features < 1:
            raise InputError(
                f"a layer of {in_features} inputs and {out_features} neurons: it has one of each at least"
            )
        self.in_features, self.out_features = in_features, out_features
        self.delay_kind, self.delay_range = delays, delay_range
        self.capacitance = capacitance
        if not 0.0 <= delay_range[0] <= delay_range[1]:
            raise InputError(f"delay_range {delay_range} must be of two times, 0 ≤ low ≤ high")
        dtype = torch.get_default_dtype() if dtype is None else dtype
        if dtype not in (torch.float32, torch.float64):
            raise InputError(f"dtype is {dtype}: layers are of float32 or float64")
        bias = torch.as_tensor(list(bias_times), dtype=dtype)
        if not bool((torch.isfinite(bias) & (bias >= 0)).all()):
            raise InputError(f"bias_times {bias.tolist()} must be finite times, not negative")
        self.register_buffer("bias_times", bias)
        # Rows of the bias last.
        rows = in_features + bias.numel()
        self.weight = nn.Parameter(torch.empty(out_features, rows, dtype=dtype))
        shapes = {
            None: None,
            "axonal": (rows,),
            "dendritic": (out_features,),
            "synaptic": (out_features, rows),
        }
        if delays not in shapes:
            raise InputError(
                f'delays: {delays!r} is none of None, "axonal", "dendritic" and "synaptic"'
            )
        shape = shapes[delays]
        self.delays = None if shape is None else nn.Parameter(torch.empty(shape, dtype=dtype))
        self._set_neurons(tau_m, tau_s, threshold)
        self.reset_parameters()

    def _set_neurons(self, tau_m: Any, tau_s: Any, threshold: Any) -> None:
        self.tau_m, self.tau_s = float(tau_m), float(tau_s)
        self.threshold = (
            float(threshold)
            if isinstance(threshold, (int, float))
            else torch.as_tensor(threshold, dtype=torch.float64).reshape(-1)
        )

    def _typical(self) -> tuple[float, float, float, float]:
        """tau_m, tau_s, capacitance and the mean threshold."""
        tau_m, tau_s = number(self.tau_m, "tau_m"), number(self.tau_s, "tau_s")
        threshold = float(torch.as_tensor(self.threshold).detach().double().mean())
        return tau_m, tau_s, tau_s if self.capacitance is None else self.capacitance, threshold

    def reset_parameters(self) -> None:
        """Draws weights for inputs that spike between 0 and 2 tau_s, and delays between 0 and 0.5 tau_s."""
        _, tau_s, _, _ = self._typical()
        times = torch.linspace(0.0, 2.0 * tau_s, self.in_features, dtype=torch.float64)
        self.reset_weights_for(times[None])
        if self.delays is not None:
            low, high = self.delay_range
            with torch.no_grad():
                self.delays.uniform_(low, max(low, min(high, low + 0.5 * tau_s)))

    def reset_weights_for(self, times: torch.Tensor, *, label: bool = False) -> None:
        """Draws weights with which the layer spikes as it should on these input times (batch × in).

        By the program's rule: 90 % of the neurons are above threshold when four fifths of the input have come;
        with ``label``, 95 % when three tenths have.
        """
        given = times.detach().to(torch.float64)
        bias = self.bias_times.to(torch.float64).expand(given.shape[0], -1)
        arrivals = torch.cat([given, bias], dim=1).contiguous().numpy()
        mean, std = _core.initial_weights(arrivals, *self._typical(), self.out_features, label)
        with torch.no_grad():
            self.weight.normal_(mean, std)

    def _inputs(self, times: torch.Tensor) -> torch.Tensor:
        """Input times as batch × in."""
        if times.dim() < 1 or times.shape[-1] != self.in_features:
            raise InputError(
                f"times have shape {tuple(times.shape)}: the layer has {self.in_features} inputs"
            )
        return times if times.dim() == 2 else times.reshape(-1, self.in_features)

    def _outputs(self, times: torch.Tensor, spikes: torch.Tensor) -> torch.Tensor:
        """Spikes (batch × out) in the shape of these input times."""
        return spikes if times.dim() == 2 else spikes.reshape(*times.shape[:-1], self.out_features)

    def _bounded_delays(self) -> torch.Tensor | None:
        """The delays, which an optimiser may have moved out of their range, within it."""
        if self.delays is not None and self.training:
            low, high = self.delay_range
            with torch.no_grad():
                if bool(((self.delays < low) | (self.delays > high)).any()):
                    self.delays.clamp_(low, None if math.isinf(high) else high)
        return self.delays

    def extra_repr(self) -> str:
        parts = [f"{self.in_features}, {self.out_features}"]
        parts += [
            f"tau_m={number(self.tau_m, 'tau_m'):g}",
            f"tau_s={number(self.tau_s, 'tau_s'):g}",
        ]
        if isinstance(self.threshold, float):
            parts.append(f"threshold={self.threshold:g}")
        if self.delay_kind is not None:
            parts.append(f"delays={self.delay_kind!r}")
        if self.bias_times.numel():
            parts.append(f"bias_times={self.bias_times.tolist()}")
        return ", ".join(parts)


class FirstSpikeLinear(SpikingLinear):
    """All inputs drive all neurons; each neuron spikes once, when its potential first reaches the threshold.

    The forward pass takes spike times (batch × ``in_features``; ``inf``: silent) and gives spike times (batch ×
    ``out_features``). It is exact and so is the backward pass, by weights, delays and input times.

    * ``weight``: ``out_features`` × (``in_features`` + bias), the columns of ``bias_times`` last.
    * ``tau_m``, ``tau_s``, ``threshold`` (one, or one per neuron), ``capacitance`` (``tau_s`` unless given).
      ``trainable=("threshold", "tau_m", "tau_s")``, or some of them, makes parameters of them.
    * ``delays``: ``None``, ``"axonal"`` (one per input), ``"dendritic"`` (one per neuron) or ``"synaptic"``. They are
      kept within ``delay_range`` in training.
    * ``bias_times``: spikes of sources that spike in every sample.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        tau_m: float = 1.0,
        tau_s: float = 1.0,
        threshold: float | Sequence[float] | torch.Tensor = 1.0,
        capacitance: float | None = None,
        delays: str | None = None,
        delay_range: tuple[float, float] = (0.0, math.inf),
        bias_times: Iterable[float] = (),
        trainable: Iterable[str] = (),
        dtype: torch.dtype | None = None,
    ) -> None:
        self.trainable = tuple(trainable)
        unknown = set(self.trainable) - set(PARAMETERS)
        if unknown:
            raise InputError(f"trainable: {sorted(unknown)} are none of {list(PARAMETERS)}")
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

    def _set_neurons(self, tau_m: Any, tau_s: Any, threshold: Any) -> None:
        super()._set_neurons(tau_m, tau_s, threshold)
        for name in self.trainable:
            value = torch.as_tensor(getattr(self, name), dtype=torch.float64)
            delattr(self, name)
            setattr(self, name, nn.Parameter(value.clone()))

    def forward(self, times: torch.Tensor) -> torch.Tensor:
        """Spike times of the neurons for spike times of the inputs."""
        spikes = first_spike(
            self._inputs(times),
            self.weight,
            delays=self._bounded_delays(),
            delay_kind=self.delay_kind,
            tau_m=self.tau_m,
            tau_s=self.tau_s,
            threshold=self.threshold,
            capacitance=self.capacitance,
            bias_times=self.bias_times if self.bias_times.numel() else None,
        )
        return self._outputs(times, spikes)
