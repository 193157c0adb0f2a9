"""Progress of a run, in terminals and notebooks."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol


class Reporter(Protocol):
    """What hears of a run: anything with these methods may be given as ``progress``."""

    def start(self, epochs: int, samples: int) -> None:
        """A training of so many epochs, of so many samples each, begins."""

    def resume(self, epochs: int) -> None:
        """It goes on after these."""

    def batch(self, epoch: int, samples: int, loss: float, accuracy: float) -> None:
        """So many samples of an epoch (from 1) were learned, with this loss and accuracy."""

    def epoch(self, epoch: int, accuracy: float | None) -> None:
        """An epoch is complete, with this accuracy on the validation set."""

    def stage(self, what: str) -> None:
        """Something else takes a while."""

    def note(self, text: str) -> None:
        """A warning, or which engine runs and why."""

    def close(self) -> None:
        """The run is over."""


class Bar:
    """A bar on one line, of the terminal or of a notebook's output."""

    WIDTH = 20
    #: Seconds between two pictures of the bar.
    EVERY = 0.1

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.epochs, self.samples = 0, 1
        self.begin = self.shown = 0.0
        self.done = self.first = 0
        self.validation = ""
        self.length = 0

    def start(self, epochs: int, samples: int) -> None:
        self.epochs, self.samples = epochs, max(samples, 1)
        self.begin = time.monotonic()

    def resume(self, epochs: int) -> None:
        self.first = self.done = epochs * self.samples
        self.begin = time.monotonic()

    def batch(self, epoch: int, samples: int, loss: float, accuracy: float) -> None:
        self.done = (epoch - 1) * self.samples + samples
        now = time.monotonic()
        if now - self.shown < self.EVERY and self.done < self.epochs * self.samples:
            return
        self.shown = now
        part = self.done / max(self.epochs * self.samples, 1)
        filled = round(part * self.WIDTH)
        left = (now - self.begin) * (self.epochs * self.samples - self.done)
        left /= max(self.done - self.first, 1)
        bar = "█" * filled + "░" * (self.WIDTH - filled)
        self._show(
            f"{bar} epoch {epoch} of {self.epochs}  loss {loss:.4f}  training {100 * accuracy:.1f} %"
            f"{self.validation}  {left:.0f} s left"
        )

    def epoch(self, epoch: int, accuracy: float | None) -> None:
        if accuracy is not None:
            self.validation = f"  validation {100 * accuracy:.1f} %"

    def stage(self, what: str) -> None:
        self._show(what)

    def note(self, text: str) -> None:
        self._show("")
        self.stream.write(f"\r{text}\n")

    def close(self) -> None:
        self._show("")
        self.stream.write("\r")
        self.stream.flush()

    def _show(self, line: str) -> None:
        self.stream.write(f"\r{line}{' ' * (self.length - len(line))}")
        self.stream.flush()
        self.length = len(line)


def _in_notebook() -> bool:
    # Whoever works in a notebook has imported IPython.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def reporter(progress: bool | Reporter) -> Reporter | None:
    """What shows the progress of a run; nothing where nobody looks (a log file, a batch job)."""
    if not isinstance(progress, bool):
        return progress
    if progress and (sys.stderr.isatty() or _in_notebook()):
        return Bar(sys.stderr)
    return None
