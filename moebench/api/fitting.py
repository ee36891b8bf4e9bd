"""Training one model from Python."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from moebench.api.refusing import checking, one_line, root_of
from moebench.cli import fit as command
from moebench.cli.fit_options import check_name, title_of
from moebench.evidence.record import RunRecord
from moebench.experiment import as_arguments, naming_files, parse
from moebench.interop.trained import trained_module
from moebench.papers.home import find_config
from moebench.run.check import checked
from moebench.run.execution import Execution
from moebench.run.fork_server import start_server
from moebench.run.undisturbed import undisturbed

Config = str | Path | Sequence[str | Path] | Mapping[str, object]


@dataclass(frozen=True)
class Fitted:
    """The result of `moebench.fit`.

    Args:
        record: what was trained, at what cost and with what result. `record.status` is `finished`,
            or says how the run ended otherwise; `record.metrics` has the metrics by name.
        folder: of the run; `moebench generate` and `moebench analyze` take it, too.
    """

    record: RunRecord
    folder: Path

    @cached_property
    def model(self) -> nn.Module:
        """The trained LightningModule, in evaluation mode.

        `model.network` is the network itself. Those of moebench take a batch and return an
        `Output`, which has the prediction and one routing decision for each mixture. To generate
        text, use `moebench.open_model(folder)`.

        Raises:
            ValueError: if the run failed and left no weights.
        """
        with one_line(), undisturbed():
            return trained_module(self.folder)


@checking
@one_line()
@undisturbed()
def fit(
    config: Config,
    settings: Mapping[str, object] | None = None,
    *,
    seed: int = 0,
    name: str = "",
    root: str | Path = "runs",
    track: bool = True,
    time_limit: float = math.inf,
) -> Fitted:
    """Train one model, or find it if it has been trained before.

    Args:
        config: what to train: a YAML file, several files laid over one another, or the same as a
            dict. Keys that it does not name have defaults; `moebench fit --help=all` lists them.
        settings: single keys laid over that, such as `{"trainer.max_steps": 20}`.
        seed: of the order of the data, the initial weights and all noise.
        name: of the run; by default the names of its files and a hash of its configuration.
        root: folder of all runs.
        track: whether to log the run in MLflow.
        time_limit: seconds that the run may take; one that takes longer counts as timed out.

    Returns:
        The record of the run, its folder and the trained model.

    Raises:
        ValueError: if the configuration, the name or the time is refused, or another process makes
            this run; nothing has been trained then.

    Example:
        fitted = moebench.fit("small.yaml", {"trainer.max_steps": 200}, track=False)
        fitted.record.metrics["valid/loss"]
        sparse = [m for m in fitted.model.modules() if isinstance(m, moebench.MoELayer)]
    """
    check_name(name)
    execution = Execution(time_limit=time_limit)
    runs = root_of(root, writing=True)
    start_server()  # it imports while this process checks
    keys = [*as_arguments(settings or {}), f"--seed_everything={seed}"]
    with TemporaryDirectory() as folder:
        files = _files(config, Path(folder))
        chosen = [f"--config={file}" for file in files]
        known = [] if isinstance(config, Mapping) else chosen  # nobody knows the file of a map
        with naming_files([*known, *keys]):
            experiment = checked(parse([*chosen, *keys]))
    called = name or command.name_of(experiment, title_of(files))
    place, record = command.trained(experiment, called, runs, track, execution)
    return Fitted(record, place)


def _files(config: Config, folder: Path) -> list[Path]:
    """Return the files of a configuration; for a map, one that is written into a folder."""
    if not isinstance(config, Mapping):
        paths = [config] if isinstance(config, str | Path) else config
        return [Path(find_config(str(path))) for path in paths]
    file = folder / "configuration.yaml"
    file.write_text(json.dumps(config, default=str), encoding="utf-8")  # which is YAML
    return [file]
