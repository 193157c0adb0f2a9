"""The ``firstspike`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import _core


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program, with the arguments of the command line or these; returns its exit code.

    >>> main(["--version"])  # doctest: +SKIP
    0
    """
    given = sys.argv[1:] if arguments is None else [str(argument) for argument in arguments]
    # What Python has printed comes before what the program prints.
    sys.stdout.flush()
    return _core.run_program(["firstspike", *given])


def script() -> None:
    """Entry point of the console script."""
    raise SystemExit(main())
