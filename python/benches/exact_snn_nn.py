"""Spike times and gradients beside those of the package exact-snn-nn (`pip install exact-snn-nn`), and who is right.

    python python/benches/exact_snn_nn.py

The judge takes no side: it looks for the first crossing of every neuron between each two inputs, where the potential
has one extremum at most, and solves it to the last bit with 40 digits (`pip install mpmath`).
"""

from __future__ import annotations

import time

import mpmath
import numpy as np
import torch
from exact_snn import ExactTTFSLinear

import firstspike
import firstspike.torch as fst

TAU_M, TAU_S, LONGEST = 15.0, 4.0, 40.0
SAMPLES, INPUTS, NEURONS = 8, 40, 60
mpmath.mp.dps = 40


def first_crossing(times, weights, scale):
    """The first time at which Σ w K(t − t_i) reaches 1, with 40 digits; infinite if it never does."""
    order = np.argsort(times)
    times = [mpmath.mpf(float(times[i])) for i in order]
    weights = [mpmath.mpf(float(weights[i])) for i in order]
    tau_m, tau_s, scale = mpmath.mpf(TAU_M), mpmath.mpf(TAU_S), mpmath.mpf(scale)
    slow = fast = mpmath.mpf(0)
    for index, (start, weight) in enumerate(zip(times, weights, strict=True)):
        if index:
            elapsed = start - times[index - 1]
            slow *= mpmath.exp(-elapsed / tau_m)
            fast *= mpmath.exp(-elapsed / tau_s)
        slow, fast = slow + weight * scale, fast + weight * scale
        end = times[index + 1] - start if index + 1 < len(times) else 50 * tau_m

        def potential(x, slow=slow, fast=fast):
            return slow * mpmath.exp(-x / tau_m) - fast * mpmath.exp(-x / tau_s) - 1

        # V' = 0 at the only extremum.
        peak = end
        if slow > 0 and fast > 0:
            there = mpmath.log(fast * tau_m / (slow * tau_s)) * tau_m * tau_s / (tau_m - tau_s)
            peak = min(end, max(there, mpmath.mpf(0)))
        if potential(peak) > 0 and potential(mpmath.mpf(0)) < 0:
            low, high = mpmath.mpf(0), peak
            for _ in range(140):
                middle = (low + high) / 2
                low, high = (low, middle) if potential(middle) > 0 else (middle, high)
            return float(start + high)
    return np.inf


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    firstspike.set_threads(1)
    theirs = ExactTTFSLinear(
        INPUTS, NEURONS, tm=TAU_M, ts=TAU_S, t_max=LONGEST, dtype=torch.float64
    )
    with torch.no_grad():
        theirs.weight.normal_(0.05, 0.16)
        theirs.weight[:, -1] = 0.0  # no bias
    times = torch.rand(SAMPLES, INPUTS, dtype=torch.float64) * 25.0
    peak = TAU_M * TAU_S / (TAU_M - TAU_S) * np.log(TAU_M / TAU_S)
    k_peak = (np.exp(-peak / TAU_M) - np.exp(-peak / TAU_S)) / (TAU_M - TAU_S)
    weight = theirs.weight.detach()[:, :-1].clone().requires_grad_()
    neurons = {"tau_m": TAU_M, "tau_s": TAU_S, "capacitance": TAU_M * TAU_S * k_peak}

    start = time.perf_counter()
    ours = fst.first_spike(times, weight, **neurons)
    took = time.perf_counter() - start
    start = time.perf_counter()
    of_theirs = theirs(times.t().contiguous()).t()
    print(f"forward: {1e3 * took:.2f} ms here, {1e3 * (time.perf_counter() - start):.0f} ms there")

    scale = 1.0 / ((TAU_M - TAU_S) * k_peak)
    truth = np.array(
        [[first_crossing(t, w, scale) for w in weight.detach().numpy()] for t in times.numpy()]
    )
    for name, found in (("firstspike", ours), ("exact-snn-nn", of_theirs)):
        found = found.detach().numpy()
        both = np.isfinite(found) & np.isfinite(truth)
        error = np.abs(found[both] - truth[both])
        missed = np.isfinite(truth) & ~np.isfinite(found)
        late = missed & (truth > LONGEST)
        print(
            f"{name}: {both.sum()} spikes, largest error {error.max():.1e} ms, median {np.median(error):.1e}; "
            f"{missed.sum()} missed ({late.sum()} after its last point of {LONGEST:g} ms), "
            f"{(np.isfinite(found) & ~np.isfinite(truth)).sum()} invented"
        )
    found = of_theirs.detach().numpy()
    same = np.isfinite(truth) & np.isfinite(found)
    same[same] = np.abs(found[same] - truth[same]) < 1e-6
    by = torch.where(torch.tensor(same), torch.rand(SAMPLES, NEURONS, dtype=torch.float64), 0.0)
    ours.backward(by)
    of_theirs.backward(by)
    one, other = weight.grad.numpy(), theirs.weight.grad.numpy()[:, :-1]
    print(
        f"gradients by weights where both have the spike: largest relative difference "
        f"{(np.abs(one - other) / (1 + np.abs(one))).max():.1e}"
    )


if __name__ == "__main__":
    main()
