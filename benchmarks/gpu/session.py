"""One call of the command: where it writes, what it measures on, how much time it has."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.folder import Folder
from benchmarks.gpu.items import FAILED, Item, Outcome, attempt, told
from benchmarks.gpu.memory import release


@dataclass(frozen=True)
class Session:
    """What a stage is given."""

    folder: Folder
    device: torch.device
    clock: Clock  # of the stage

    @property
    def small(self) -> bool:
        """Whether it is the small form, which shows that all works and measures nothing."""
        return self.device.type == "cpu"

    def go_through(self, stage: Callable[["Session"], None]) -> None:
        """Go through a stage; one that breaks down is written down, and others still run."""
        try:
            stage(self)
        except Exception as error:  # whatever a card, or what drives it, may raise
            name = stage.__module__.rpartition(".")[2]
            self.folder.add(
                Item(name, "the stage", "stage", 0.0, dict), Outcome(FAILED, 0.0, told(error))
            )
            print(f"{name}: {told(error)}", flush=True)

    def work_on(self, items: Iterable[Item]) -> None:
        """Do one item after the other, each written down at once; leave out what has no time."""
        left_out = 0
        for item in items:
            if self.folder.finished(item):
                continue
            if self.folder.estimate(item) > self.clock.left:
                left_out += 1
                continue
            outcome = attempt(item, self.clock.left)
            self.folder.add(item, outcome)
            told = f", {outcome.why}" if outcome.why else ""
            print(
                f"{item.stage}: {item.name}: {outcome.status}{told}, {outcome.seconds:.1f} s",
                flush=True,
            )
            release()
        if left_out:
            print(f"no time for {left_out} more; the same command goes on with them", flush=True)
