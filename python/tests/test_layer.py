"""Layers on arrays: what is refused, what is accepted, threads, memory."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import firstspike
from firstspike import InputError, _core


def forward(times, weights, delays=None, kind=None, tau_m=1.0, threshold=1.0, by_times=True):
    return _core.layer_forward(times, weights, delays, kind, tau_m, 1.0, 1.0, threshold, by_times)


@pytest.fixture
def case():
    random = np.random.default_rng(1)
    return random.uniform(0, 2, (7, 5)), random.uniform(-0.5, 2.5, (9, 5))


def test_spikes_are_the_closed_form(case):
    spikes, _ = forward(np.array([[0.1, 0.7]]), np.array([[2.0, 3.0]]))
    assert abs(spikes[0, 0] - 0.812_337_400_895) < 1e-12
    times, weights = case
    spikes, run = forward(times, weights)
    by_times, by_weights, by_delays = run.backward(np.isfinite(spikes) * 1.0)
    assert spikes.shape == (7, 9) and by_times.shape == (7, 5) and by_weights.shape == (9, 5)
    assert by_delays is None
    # Shifting all inputs shifts every spike.
    np.testing.assert_allclose(by_times.sum(1), np.isfinite(spikes).sum(1), rtol=1e-11)


def test_any_layout_gives_the_same_bits(case):
    times, weights = case
    spikes, run = forward(times, weights)
    gradient = np.isfinite(spikes) * 0.5
    expected = run.backward(gradient)
    wide = np.zeros((14, 10))
    wide[::2, ::2] = times
    read_only = times.copy()
    read_only.flags.writeable = False
    offset = np.frombuffer(b"x" + times.tobytes(), dtype=np.uint8)[1:].view(np.float64)
    field = np.zeros(times.shape, dtype=[("a", "i4"), ("b", "f8")])
    field["b"] = times
    forms = [wide[::2, ::2], np.asfortranarray(times), read_only, offset.reshape(7, 5), field["b"]]
    for form in forms:
        for matrix in (
            weights,
            np.asfortranarray(weights),
            weights.T.copy().T,
            weights[::-1][::-1],
        ):
            found, run = forward(form, matrix)
            np.testing.assert_array_equal(found, spikes)
            for one, other in zip(run.backward(np.asfortranarray(gradient)), expected, strict=True):
                if one is not None:
                    np.testing.assert_array_equal(one, other)


def test_arrays_are_not_written_to(case):
    times, weights = case
    before = times.copy(), weights.copy()
    _, run = forward(times, weights)
    run.backward(np.ones((7, 9)))
    np.testing.assert_array_equal(times, before[0])
    np.testing.assert_array_equal(weights, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t, w: (np.where(t > 1, np.nan, t), w),
            r"times\[\d, \d\] is NaN: it must be a time from 0",
        ),
        (lambda t, w: (t - 5.0, w), r"times\[0, 0\] is -\d.*it must be a time from 0"),
        (lambda t, w: (t[:0], w), "no samples"),
        (lambda t, w: (t, w[:0]), "no neurons"),
        (lambda t, w: (t[:, :0], w[:, :0]), "no inputs"),
        (lambda t, w: (t[:, :3], w), r"do not fit times of shape \[7, 3\]"),
        (lambda t, w: (t[0], w), "times has 1 dimensions"),
        (lambda t, w: (t, w[None]), "weights has 3 dimensions"),
        (lambda t, w: (t, w * np.inf), r"weights\[0, 0\] is -?inf: it must be finite"),
    ],
)
def test_what_makes_no_layer_is_refused(case, change, message):
    with pytest.raises(InputError, match=message):
        forward(*change(*case))


def test_wrong_types_are_refused(case):
    times, weights = case
    for wrong in (
        times.astype(int),
        times.astype(">f8"),
        times.astype(complex),
        times.tolist(),
        None,
    ):
        with pytest.raises(TypeError, match="times must be an array of"):
            forward(wrong, weights)
    with pytest.raises(TypeError, match="weights must be an array of float64: it is of float32"):
        forward(times, weights.astype(np.float32))
    with pytest.raises(TypeError, match="weights must be an array of float32"):
        forward(times.astype(np.float32), weights)


def test_parameters_out_of_range_are_refused(case):
    times, weights = case
    for keywords, message in [
        ({"tau_m": 0.0}, "tau_m = 0 is out of range"),
        ({"tau_m": np.nan}, "tau_m"),
        ({"threshold": -1.0}, "threshold = -1 is out of range"),
        ({"threshold": np.ones(4)}, "thresholds has 4 values: the layer's shape needs 9"),
        ({"delays": np.zeros(4), "kind": "axonal"}, r"axonal delays have shape \[4\]"),
        ({"delays": np.full(5, -0.1), "kind": "axonal"}, r"delays\[0, 0\] is -0.1"),
        ({"delays": np.zeros(5), "kind": "nodal"}, "is none of"),
    ]:
        with pytest.raises(InputError, match=message):
            forward(times, weights, **keywords)


def test_gradients_that_fit_no_spike_are_refused(case):
    spikes, run = forward(*case)
    with pytest.raises(InputError, match="gradient has shape"):
        run.backward(np.ones((9, 7)))
    gradient = np.zeros(spikes.shape)
    gradient[np.isinf(spikes)] = np.nan
    run.backward(
        gradient
    )  # what does not spike has no derivative, whatever the loss made of infinity
    gradient[np.isfinite(spikes)] = np.nan
    with pytest.raises(InputError, match="is NaN: it must be finite"):
        run.backward(gradient)


def test_threads_scale_and_change_nothing():
    random = np.random.default_rng(2)
    times, weights = random.uniform(0, 2, (64, 300)), random.normal(0.05, 0.05, (200, 300))
    before = firstspike.threads()
    try:
        firstspike.set_threads(1)
        one, run = forward(times, weights)
        gradients = run.backward(np.ones(one.shape))
        firstspike.set_threads(2)
        two, run = forward(times, weights)
        np.testing.assert_array_equal(one, two)
        for a, b in zip(gradients, run.backward(np.ones(two.shape)), strict=True):
            if a is not None:
                np.testing.assert_array_equal(a, b)
        with pytest.raises(InputError, match="at most 1024"):
            firstspike.set_threads(2000)
    finally:
        firstspike.set_threads(before)


def test_the_interpreter_is_free_while_a_layer_runs():
    """While one thread is in a layer, another goes on: the GIL is released."""
    random = np.random.default_rng(3)
    times, weights = random.uniform(0, 2, (400, 400)), random.normal(0.05, 0.05, (400, 400))
    counted = 0
    ended = threading.Event()

    def count():
        nonlocal counted
        while not ended.is_set():
            counted += 1
            time.sleep(0)

    counter = threading.Thread(target=count)
    counter.start()
    before = firstspike.threads()
    firstspike.set_threads(1)
    try:
        while counted == 0:
            time.sleep(0)
        seen = counted
        for _ in range(5):
            forward(times, weights)
        assert counted > seen
    finally:
        ended.set()
        counter.join()
        firstspike.set_threads(before)


def test_threads_share_a_run_without_harm(case):
    spikes, run = forward(*case)
    gradient = np.isfinite(spikes) * 1.0
    expected = run.backward(gradient)[1]
    wrong = []

    def back():
        for _ in range(200):
            if not np.array_equal(run.backward(gradient)[1], expected):
                wrong.append(1)

    threads = [threading.Thread(target=back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
def test_nothing_leaks_over_many_calls(case):
    times, weights = case
    gradient = np.ones((7, 9))
    bad = times * np.nan

    def calls(count):
        for _ in range(count):
            _, run = forward(times, weights)
            run.backward(gradient)
            with pytest.raises(InputError):
                forward(bad, weights)

    calls(5_000)
    gc.collect()
    before = resident()
    calls(100_000)
    gc.collect()
    # 40 bytes a call would be 4 MB.
    assert resident() - before < 4_000_000


FORK = """
import os, numpy, firstspike
from firstspike import _core
random = numpy.random.default_rng(4)
times, weights = random.uniform(0, 2, (64, 300)), random.normal(0.05, 0.05, (200, 300))
run = lambda: _core.layer_forward(times, weights, None, None, 1.0, 1.0, 1.0, 1.0, True)[0]
expected = run()
child = os.fork()
if child == 0:
    os._exit(0 if numpy.array_equal(run(), expected) else 2)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own():
    assert subprocess.run([sys.executable, "-c", FORK], timeout=60).returncode == 0
