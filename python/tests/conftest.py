"""Paths, and small cases that several tests use."""

from __future__ import annotations

import pathlib
import signal

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def scenarios() -> pathlib.Path:
    """The repository's scenarios."""
    return ROOT / "scenarios"


@pytest.fixture
def chips() -> pathlib.Path:
    """The repository's chip files."""
    return ROOT / "chips"


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_is_heard():
    """A shell starts what it runs in the background with SIGINT ignored, and Python leaves it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
