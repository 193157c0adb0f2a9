"""The package itself: what importing it does."""

from __future__ import annotations

import subprocess
import sys

import firstspike


def test_neither_torch_nor_jax_is_imported():
    code = (
        "import sys, firstspike\n"
        "assert not {'torch', 'jax', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules), sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_everything_that_is_promised_is_there_and_documented():
    for name in firstspike.__all__:
        assert hasattr(firstspike, name), name
        if name != "__version__":
            assert getattr(firstspike, name).__doc__, name


def test_exceptions_are_of_types_that_one_can_catch():
    assert issubclass(firstspike.InputError, (firstspike.FirstspikeError, ValueError))
    assert issubclass(firstspike.RunFailed, (firstspike.FirstspikeError, RuntimeError))
    assert issubclass(firstspike.OutputError, (firstspike.FirstspikeError, OSError))
