"""One call of the command: its folder, its device and its time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.folder import Folder
from benchmarks.gpu.items import FAILED, Item, Outcome, attempt, told
from benchmarks.gpu.memory import release


@dataclass(frozen=True)
class Session:
    """What a stage needs."""

    folder: Folder
    device: torch.device
    clock: Clock  # the clock of the stage

    @property
    def small(self) -> bool:
        """Whether this is the small test, which only shows that everything works."""
        return self.device.type == "cpu"

    def go_through(self, stage: Callable[["Session"], None]) -> None:
        """Run a stage; if it breaks, record that, so that the others still run."""
        try:
            stage(self)
        except Exception as error:  # the GPU or its driver may raise anything
            name = stage.__module__.rpartition(".")[2]
            self.folder.add(
                Item(name, "the stage", "stage", 0.0, dict), Outcome(FAILED, 0.0, told(error))
            )
            print(f"{name}: {told(error)}", flush=True)

    def work_on(self, items: Iterable[Item]) -> None:
        """Measure items one by one, recording each at once; skip those without enough time."""
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
            print(f"no time for {left_out} more; the same command continues with them", flush=True)
