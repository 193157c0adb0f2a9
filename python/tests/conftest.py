"""Paths, and small cases that several tests use."""

from __future__ import annotations

import pathlib

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
