"""Leases: owners send heartbeats, and the work of a dead owner is taken over.

An owner stores its name and a growing counter with its work. A process that sees the counter stop,
by its own clock, takes over: it writes its name, waits, and checks that the name is still there.
The wait is longer than any process takes between reading and writing, so only the last name written
survives (Fischer's algorithm). Only a name and a counter are needed, so any storage will do, and
clocks need not agree.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

OWNER, HEARTBEAT = "owner", "heartbeat"
BEAT_SECONDS = 10.0
STALE_SECONDS = 60.0
SETTLE_SECONDS = 2.0


class Attributes(NamedTuple):
    """The attributes of a trial or of a study."""

    name: Hashable
    read: Callable[[], Mapping[str, Any]]
    write: Callable[[str, Any], None]


@dataclass
class Leases:
    """The leases of one owner.

    Args:
        owner: a name shared by a process and whichever process later resumes its work.
        alone: whether no other owner can reach the storage, so that there is no need to wait.
    """

    owner: str
    alone: bool
    seen: dict[Hashable, tuple[object, float]] = field(default_factory=dict)
    beaten: dict[Hashable, float] = field(default_factory=dict)

    def free(self, attributes: Attributes) -> bool:
        """Say whether the work can be taken: its owner is dead, or is this one, restarted."""
        found = attributes.read()
        mark = (found.get(OWNER), found.get(HEARTBEAT))
        if self.alone or mark[0] == self.owner:
            return True
        now = time.monotonic()
        known, since = self.seen.setdefault(attributes.name, (mark, now))
        if known != mark:
            self.seen[attributes.name] = (mark, now)
            return False
        return now - since >= STALE_SECONDS

    def take(self, attributes: Attributes) -> bool:
        """Take over free work; False if another owner was faster."""
        ours = self.holds(attributes)
        attributes.write(OWNER, self.owner)
        if not ours:
            time.sleep(SETTLE_SECONDS)
        return ours or self.holds(attributes)

    def holds(self, attributes: Attributes) -> bool:
        """Say whether the work still belongs to this owner."""
        return self.alone or attributes.read().get(OWNER) == self.owner

    def beat(self, attributes: Attributes) -> bool:
        """Send a heartbeat if one is due; False if the lease is lost."""
        now = time.monotonic()
        if self.alone or now - self.beaten.get(attributes.name, 0.0) < BEAT_SECONDS:
            return True
        if not self.holds(attributes):
            return False
        self.beaten[attributes.name] = now
        attributes.write(HEARTBEAT, int(attributes.read().get(HEARTBEAT) or 0) + 1)
        return True
