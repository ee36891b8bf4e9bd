"""Who works on what: owners that say they are alive, and what the dead have left.

An owner writes its name and a growing number beside what it works on. Others that see the number
stand still for a while, by their own clock, take the work over: they write their name, wait, and
look whether it is still theirs. The wait is longer than any other takes from look to writing, so
that the last name written is the only one that is found (Fischer's algorithm). A name and a number
are all that it needs, so every storage will do, and no two clocks must agree.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

OWNER, HEARTBEAT = "owner", "heartbeat"
BEAT_SECONDS = 10.0
STALE_SECONDS = 60.0
SETTLE_SECONDS = 2.0


class Register(NamedTuple):
    """The attributes of a trial or of a study."""

    name: Hashable
    read: Callable[[], Mapping[str, Any]]
    write: Callable[[str, Any], None]


@dataclass
class Claims:
    """The view of one owner.

    Args:
        owner: a name that is the same for a process and for the one that goes on with its work.
        alone: whether nobody else can reach the storage; then there is nothing to wait for.
    """

    owner: str
    alone: bool
    seen: dict[Hashable, tuple[object, float]] = field(default_factory=dict)
    beaten: dict[Hashable, float] = field(default_factory=dict)

    def free(self, register: Register) -> bool:
        """Say whether nobody works on it: its owner is dead, or was this one in an earlier life."""
        found = register.read()
        mark = (found.get(OWNER), found.get(HEARTBEAT))
        if self.alone or mark[0] == self.owner:
            return True
        now = time.monotonic()
        known, since = self.seen.setdefault(register.name, (mark, now))
        if known != mark:
            self.seen[register.name] = (mark, now)
            return False
        return now - since >= STALE_SECONDS

    def take(self, register: Register) -> bool:
        """Take over what is free; False if another owner was faster."""
        ours = self.holds(register)
        register.write(OWNER, self.owner)
        if not ours:
            time.sleep(SETTLE_SECONDS)
        return ours or self.holds(register)

    def holds(self, register: Register) -> bool:
        """Say whether it is still this owner's."""
        return self.alone or register.read().get(OWNER) == self.owner

    def beat(self, register: Register) -> bool:
        """Say that the owner is alive, if it is time to; False if it has lost its claim."""
        now = time.monotonic()
        if self.alone or now - self.beaten.get(register.name, 0.0) < BEAT_SECONDS:
            return True
        if not self.holds(register):
            return False
        self.beaten[register.name] = now
        register.write(HEARTBEAT, int(register.read().get(HEARTBEAT) or 0) + 1)
        return True
