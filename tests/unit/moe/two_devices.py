"""Two processes that stand for two devices."""

import multiprocessing
import pickle
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

DEVICES = 2


def on_two_devices(work: Callable[[int], Any]) -> list[Any]:
    """Return what some work returns on either device, given its number; an error fails the test."""
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        pipes = [context.Pipe(duplex=False) for _ in range(DEVICES)]
        processes = [
            context.Process(target=_one, args=(work, rank, Path(folder) / "meeting", told))
            for rank, (_, told) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        try:
            found = [
                pickle.loads(ours.recv_bytes()) if ours.poll(60) else None for ours, _ in pipes
            ]
        finally:
            for process in processes:
                process.kill()
                process.join()
    for each in found:
        if isinstance(each, Exception):
            raise each
    return found


def _one(work: Callable[[int], Any], rank: int, meeting: Path, told: Connection) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(meeting), DEVICES)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=DEVICES)
    try:
        found = work(rank)
    except Exception as error:
        found = error
    told.send_bytes(pickle.dumps(found))  # torch would share the memory of tensors
