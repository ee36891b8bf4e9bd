"""Whether a run has room on a Slurm cluster, and how many have.

Slurm itself takes jobs that no node will ever have room for, and leaves them in the queue.
"""

from collections.abc import Sequence

from moebench.papers.nearest import nearest
from moebench.run.engines.engine_options import SlurmOptions
from moebench.run.engines.slurm_commands import Nodes, Partition


def chosen(options: SlurmOptions, there: Sequence[Partition]) -> Partition:
    """Return the partition that runs go to, after checking that one has room there.

    Args:
        options: what a run asks for.
        there: the partitions of the cluster, the default one first.

    Raises:
        ValueError: for a partition that there is not, or too small; says what there is.
    """
    names = [partition.name for partition in there]
    asked = options.partition or names[0]
    if asked not in names:
        raise ValueError(f"partition={asked}: unknown; {nearest(asked, names)}")
    partition = there[names.index(asked)]
    for key in ("cpus", "gpus", "memory_gb"):
        most = max(getattr(nodes, key) for nodes in partition.nodes)
        if getattr(options, key) > most:
            raise ValueError(
                f"{key}={getattr(options, key):g}: no node of partition {asked} has so much; it has"
                f" {_in_words(partition)}"
            )
    if not room(options, partition):
        raise ValueError(
            f"cpus={options.cpus}, gpus={options.gpus}, memory_gb={options.memory_gb:g}: no node of"
            f" partition {asked} has all; it has {_in_words(partition)}"
        )
    if options.minutes > partition.most_minutes:
        most = partition.most_minutes
        raise ValueError(f"minutes={options.minutes}: partition {asked} allows {most} at most")
    return partition


def minutes_of(options: SlurmOptions, partition: Partition) -> int:
    """Return the time limit of a run in minutes.

    Raises:
        ValueError: if it is not longer than the notice of its end.
    """
    minutes = options.minutes or partition.minutes
    if 60 * minutes <= options.notice:
        raise ValueError(
            f"notice={options.notice}: must be shorter than the time limit of {60 * minutes}"
            " seconds"
        )
    return minutes


def room(options: SlurmOptions, partition: Partition) -> int:
    """Return how many runs the nodes of a partition hold at once, if they hold nothing else."""
    return sum(nodes.number * _on_one(options, nodes) for nodes in partition.nodes)


def _on_one(options: SlurmOptions, nodes: Nodes) -> int:
    """Return how many runs a node holds."""
    held = [nodes.cpus // options.cpus]
    if options.gpus:
        held.append(nodes.gpus // options.gpus)
    if options.memory_gb:
        held.append(int(nodes.memory_gb // options.memory_gb))
    return min(held)


def _in_words(partition: Partition) -> str:
    return "; ".join(
        f"{nodes.number} of {nodes.cpus} CPUs, {nodes.gpus} GPUs and {nodes.memory_gb:.1f} GB"
        for nodes in partition.nodes
    )
