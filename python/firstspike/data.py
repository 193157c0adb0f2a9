"""Data sets and encodings of the paper as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from .errors import InputError


def yin_yang(
    size: int, seed: int, r_small: float = 0.1, r_big: float = 0.5
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """The Yin-Yang data set: features (size × 4, from 0 to 1) and labels (0, 1, 2).

    The published sets have the seeds 42 (training, 5000), 41 (validation, 1000) and 40 (test, 1000).
    """
    return _core.yin_yang(size, seed, r_small, r_big)


def spike_times(features: Any, earliest: float, latest: float, inverted: bool) -> Any:
    """Features from 0 to 1, an array or a tensor, as spike times; those of silent features, too."""
    if not 0.0 <= earliest < latest < np.inf:
        raise InputError(
            f"earliest = {earliest}, latest = {latest}: must be finite with 0 ≤ earliest < latest"
        )
    fraction = 1.0 - features if inverted else features
    return earliest + fraction * (latest - earliest)


def latency(
    features: npt.ArrayLike,
    earliest: float,
    latest: float,
    *,
    inverted: bool = False,
    silent_zero: bool = False,
) -> npt.NDArray[np.floating[Any]]:
    """Features from 0 to 1 as spike times: 0 spikes at ``earliest``, 1 at ``latest``.

    With ``inverted`` large features spike first; with ``silent_zero`` a feature of 0 does not spike at all.
    """
    values = np.asarray(features)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    times = spike_times(values, earliest, latest, inverted)
    return np.where(values == 0.0, np.inf, times).astype(values.dtype) if silent_zero else times
