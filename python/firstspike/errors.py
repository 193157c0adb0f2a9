"""Exceptions of firstspike. Their texts are those of the program."""


class FirstspikeError(Exception):
    """Anything that firstspike raises by itself."""


class InputError(FirstspikeError, ValueError):
    """Input that cannot be used: nothing was done, and no file was touched. (The program's exit code is 2.)"""


class RunFailed(FirstspikeError, RuntimeError):
    """Work that began and failed; what was written before is complete. (Exit code 1.)"""


class OutputError(FirstspikeError, OSError):
    """A result that could not be written: the disk is full, the folder read-only. (Exit code 3.)"""


__all__ = ["FirstspikeError", "InputError", "OutputError", "RunFailed"]
