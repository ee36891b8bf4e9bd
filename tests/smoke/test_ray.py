"""Runs on a real Ray cluster: the bits of one machine, whichever node is lost on the way."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from moebench.evidence.record_files import read_history
from moebench.run.engine import Ended, Engine
from moebench.run.engines.engine_options import RayOptions
from moebench.run.engines.profile import EngineProfile
from moebench.run.execution import Execution
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.job_list import JobList, run_all
from moebench.run.scheduler import Scheduler

from .cluster_runs import PARTS, STEPS, at_home, essence, held_job, ignore, make_job
from .ray_nodes import Node, RayCluster, free_port, missing

SEEDS = range(2)
SECONDS = 600.0  # beside busy neighbours

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head and one node; the tests know its token."""
    with RayCluster() as started, pytest.MonkeyPatch.context() as patch:
        for name, value in started.token.items():
            patch.setenv(name, value)
        started.add(3)
        yield started


@pytest.fixture(autouse=True)
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes know them, too."""
    monkeypatch.syspath_prepend(PARTS)


@pytest.fixture
def other(cluster: RayCluster) -> Iterator[Node]:
    """A second node."""
    node = cluster.add(4)
    yield node
    node.kill()


def on(address: str, workers: int | None = None, **options: object) -> Execution:
    """How runs are carried out on a cluster."""
    return Execution(workers, EngineProfile("ray", RayOptions(address=address, **options)))


def hanging(folder: Path) -> Job:
    """A run that never ends."""
    return Job("target", "profile", "hangs", 0, Function("signal:pause"), folder / "hangs")


def until(reached: Callable[[], object], engine: Engine) -> list[Ended]:
    """Let an engine work until something holds; return what has ended by then."""
    ended: list[Ended] = []
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline
        engine.wait(0.1)
        ended += engine.ended()
        if ended:
            break
    return ended


@contextmanager
def on_one_node(cluster: RayCluster) -> Iterator[Engine]:
    """Connect once Ray has noticed that the node of an earlier test is gone."""
    deadline = time.monotonic() + SECONDS
    while True:
        with on(cluster.outside).start() as engine:
            if engine.slots == 1:
                yield engine
                return
        assert time.monotonic() < deadline
        time.sleep(1)


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """What the seeds come to on this machine."""
    return essence(at_home(tiny, tmp_path_factory.mktemp("home"), SEEDS))


@pytest.mark.parametrize("shared", [False, True])
def test_a_node_that_is_lost_changes_no_bit(
    shared: bool,
    cluster: RayCluster,
    other: Node,
    undisturbed: list[tuple[object, ...]],
    tiny,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (folder := tmp_path / "shared").mkdir()
    go = tmp_path / "go"
    jobs = [held_job(tiny, tmp_path / "runs", go, seed) for seed in SEEDS]
    execution = on(cluster.outside, shared_folder=str(folder) if shared else "")
    with execution.start() as engine:

        def kill_one(*_: object) -> None:
            """Once its run has been saved, as it has before the second validation."""
            for job in engine.running:
                lines = read_history(job.history_path)
                saved = sum("valid/loss" in line for line in lines) > 1
                if saved and "(127.0.0.4)" in engine.where(job):
                    other.kill()
                    go.touch()

        Scheduler(engine, [JobList(jobs)], kill_one).run()
    records = [record for job in jobs for record in job.records()]
    assert other.daemons.returncode is not None, "it was lost in mid-run"
    assert essence(records) == undisturbed
    [said] = [line for line in caplog.messages if "was lost" in line]
    how = "goes on from its checkpoint" if shared else "begins again"
    assert "(127.0.0.4) and " + how in said
    for job in jobs:
        steps = [line["step"] for line in read_history(job.history_path) if "train/loss" in line]
        assert steps == list(range(STEPS)), "each step is logged once"
        assert not job.checkpoint_path.exists()
    left = folder / "runs" if shared else cluster.nodes[1].runs
    assert not list(left.iterdir()), "what came back is not kept"


def test_a_node_builds_data_once_and_ends_what_is_no_longer_wanted(
    cluster: RayCluster, tiny, tmp_path: Path
) -> None:
    """One run is cancelled, one is pruned, and the one core of the node is free for a third."""
    hangs, go = hanging(tmp_path), tmp_path / "go"
    pruned = held_job(tiny, tmp_path / "pruned", go)
    keeps = replace(make_job(tiny, tmp_path / "keeps", seed=1), keep_weights=True)
    with on_one_node(cluster) as engine:
        engine.submit(hangs)
        assert not until(lambda: engine.where(hangs), engine)
        assert engine.where(hangs).endswith("(127.0.0.3)")
        engine.cancel(hangs)
        assert not engine.running
        engine.submit(pruned)
        assert engine.where(pruned) is None
        assert not until(lambda: read_history(pruned.history_path), engine)
        assert engine.where(pruned) is not None
        engine.prune(pruned)
        go.touch()
        [over] = until(lambda: False, engine)
        assert over.record is not None
        assert over.record.status == "pruned"
        assert 0 < over.record.steps < STEPS
        engine.submit(keeps)
        [whole] = until(lambda: False, engine)
    assert whole.record.status == "finished"
    assert keeps.checkpoint_path.exists(), "weights come back if they are kept"
    assert not hangs.record_path.exists()
    [built] = (cluster.nodes[1].runs.parent / "cache" / "text").iterdir()
    assert (built / "corpus.json").exists(), "in a folder of the node's own"


def test_what_cannot_be_is_refused_in_words(cluster: RayCluster, tiny, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a run asks for 1 CPU, 2 GPU, .*1 x \(1 CPU, "):
        on(cluster.outside, gpus=2).start()
    nowhere = f"127.0.0.2:{free_port()}"
    for address in (nowhere, f"ray://{nowhere}"):
        with pytest.raises(ConnectionError, match=f"address={address}: cannot be reached"):
            on(address).start()
    job = hanging(tmp_path)
    unseen = on(cluster.outside, shared_folder=str(tmp_path / "unseen"))
    with pytest.raises(ValueError, match=r"node .* \(127.0.0.3\) has no such folder"):
        run_all([job], unseen, ignore)


def test_a_node_that_is_not_like_the_driver_is_refused(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = hanging(tmp_path)
    job.experiment.__dict__["source"] = "edited"
    with on(cluster.outside).start() as engine:
        engine.submit(job)
        with pytest.raises(ValueError, match=r"\(127.0.0.3\) has other code of moebench"):
            until(lambda: False, engine)
        assert not engine.running
        monkeypatch.setattr("moebench.run.engines.ray.__version__", "0.0.0")
        engine.submit(hanging(tmp_path))
        with pytest.raises(ValueError, match=r"has moebench [\d.]+, the driver 0.0.0"):
            until(lambda: False, engine)


def test_a_cluster_that_is_gone_leaves_what_had_ended(
    undisturbed: list[tuple[object, ...]], tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine of the cluster, where Ray ends the process that is connected to it."""
    go = tmp_path / "go"
    jobs = [make_job(tiny, tmp_path, 0), held_job(tiny, tmp_path, go, 1)]
    with RayCluster(cores=1) as cluster:
        for name, value in cluster.token.items():
            monkeypatch.setenv(name, value)

        def kill_the_head(*_: object) -> None:
            if jobs[0].record_path.exists() and read_history(jobs[1].history_path):
                cluster.head.kill()

        with pytest.raises(ConnectionError, match=r"is gone; .* and the same command goes on$"):
            run_all(jobs, on(cluster.inside, workers=1), kill_the_head)
    kept = jobs[0].record_path.stat().st_mtime_ns
    assert jobs[1].result() is None
    go.touch()
    assert essence(run_all(jobs, Execution(), ignore)) == undisturbed
    assert jobs[0].record_path.stat().st_mtime_ns == kept
