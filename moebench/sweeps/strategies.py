"""Samplers and pruners: Optuna's own by a short name, others by `class_path`."""

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna

from moebench.experiment import Experiment
from moebench.experiment.classes import named_class
from moebench.papers.nearest import all_known, nearest
from moebench.papers.typed_entry import read_entry
from moebench.sweeps.space import Dimension, Point

HOMES = {"sampler": optuna.samplers, "pruner": optuna.pruners}
BASES = {"sampler": optuna.samplers.BaseSampler, "pruner": optuna.pruners.BasePruner}
# Their points do not depend on results, so all are drawn when the study begins: no two workers draw
# the same one, and a surface over them may be published.
SEES_NO_RESULTS = ("GridSampler", "QMCSampler", "RandomSampler")
TRIED = 3  # points drawn to try out a sampler


@dataclass(frozen=True)
class Part:
    """A sampler or a pruner to be created."""

    made: type
    init_args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def class_name(self) -> str:
        """The name of its class."""
        return self.made.__name__

    def identity(self) -> dict[str, Any]:
        """Return what identifies it."""
        return {"class_path": self.class_name, "init_args": dict(self.init_args)}

    def make(self, place: str, **defaults: Any) -> Any:
        """Return the object.

        Args:
            place: "sampler" or "pruner", for messages.
            **defaults: arguments used if the class takes them and the file does not set them.

        Raises:
            ValueError: for an argument that it refuses.
        """
        takes = inspect.signature(self.made).parameters
        all_known(self.init_args, takes, f"{place}.init_args.")
        known = {name: value for name, value in defaults.items() if name in takes}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parts that Optuna calls experimental
            try:
                return self.made(**{**known, **self.init_args})
            except (TypeError, ValueError) as error:
                raise ValueError(f"{place}={self.class_name}: {error}") from error


QUASI_RANDOM = Part(optuna.samplers.QMCSampler)


@dataclass(frozen=True)
class Named:
    """A sampler or a pruner as a file names it."""

    class_path: str
    init_args: Mapping[str, Any] | None = None


def read_part(place: str, content: object) -> Part:
    """Return the sampler or pruner that a sweep file names.

    Raises:
        ValueError: for anything unknown; names it.
    """
    named = read_entry(str | Named, content, place)
    entry = Named(named) if isinstance(named, str) else named
    path, home = entry.class_path, HOMES[place]
    try:
        made = named_class(path if "." in path else f"{home.__name__}.{path}")
    except ImportError:
        made = None
    if made is None or not issubclass(made, BASES[place]):
        ours = (name for name in home.__all__ if name.endswith(place.title()))
        near = nearest(path.rpartition(".")[2], ours)
        raise ValueError(f"{place}={path}: no such {place}; a class_path or a short name: {near}")
    return Part(made, entry.init_args or {})


def make_sampler(part: Part, space: Sequence[Dimension], offset: int) -> Any:
    """Return the sampler.

    Args:
        part: the sampler's description.
        space: the space, for a grid.
        offset: added to the sampler's seed, which is 0 unless the file sets one.

    Raises:
        ValueError: for an argument that it refuses.
    """
    more: dict[str, Any] = {"seed": offset}
    if "seed" in part.init_args:
        seed = part.init_args["seed"]
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"sampler.init_args.seed={seed}: expected a whole number")
        more["seed"] = seed + offset
    rest = {name: value for name, value in part.init_args.items() if name != "seed"}
    if part.class_name == "GridSampler":
        more["search_space"] = {d.name: list(d.grid) for d in space}
    if part.class_name == "QMCSampler":  # unscrambled Sobol points begin at the corner
        more |= {"scramble": True, "warn_asynchronous_seeding": False}
    return Part(part.made, rest).make("sampler", **more, warn_independent_sampling=False)


def make_pruner(part: Part, base: Experiment) -> Any:
    """Return the pruner; Hyperband gets the length of a trial from the experiment."""
    trainer = base.config["trainer"]
    longest, first = trainer.get("max_steps") or 0, trainer.get("val_check_interval")
    lengths = {"max_resource": longest, "min_resource": first} if isinstance(first, int) else {}
    return part.make("pruner", **(lengths if longest > 0 else {}))


def try_out(
    part: Part,
    space: Sequence[Dimension],
    directions: Sequence[str],
    constraints: Iterable[str] = (),
) -> None:
    """Let a sampler choose a few points in memory, reporting a result after each.

    Raises:
        ValueError: if it cannot, whether for a missing package, these objectives or this space.
    """
    if part.class_name == "BruteForceSampler":
        raise ValueError(f"sampler={part.class_name}: ends a study itself; use GridSampler")
    study = _in_memory(part, space, directions)
    if part.class_name == "GridSampler":  # learns nothing, and would also end a small study
        return
    try:
        for _ in range(TRIED):
            trial = study.ask()
            for dimension in space:
                dimension.suggest(trial)
            for name in constraints:
                trial.set_constraint(name, 0.0)
            study.tell(trial, [0.0] * len(directions))
    except ImportError as error:
        raise ValueError(f"sampler={part.class_name}: needs a package ({error})") from error
    except Exception as error:  # a custom sampler may raise anything
        raise ValueError(f"sampler={part.class_name}: {error}") from error


def draw(part: Part, space: Sequence[Dimension], count: int) -> list[Point]:
    """Return the first points of a sampler that does not use results."""
    points: list[Point] = []

    def note(trial: optuna.Trial) -> float:
        points.append({dimension.name: dimension.suggest(trial) for dimension in space})
        return 0.0

    study = _in_memory(part, space, ["minimize"])
    study.optimize(note, n_trials=count)
    return points


def _in_memory(part: Part, space: Sequence[Dimension], directions: Sequence[str]) -> optuna.Study:
    """Return an in-memory study, without Optuna's announcement of it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=make_sampler(part, space, 0), directions=directions)
