"""One experiment from Python."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from moebench.api.refusing import one_line
from moebench.cli import fit as command
from moebench.cli.fit_options import check_name, title_of
from moebench.evidence.record import RunRecord
from moebench.experiment import as_arguments, naming_files, parse
from moebench.interop.trained import trained_module
from moebench.papers.home import find_config
from moebench.run.check import checked
from moebench.run.fork_server import start_server
from moebench.run.undisturbed import undisturbed

Config = str | Path | Sequence[str | Path] | Mapping[str, object]


@dataclass(frozen=True)
class Fitted:
    """A run that has ended.

    Args:
        record: what was trained, at what cost, with what result.
        folder: of the run, which `moebench generate` and `moebench analyze` read.
    """

    record: RunRecord
    folder: Path

    @cached_property
    def model(self) -> nn.Module:
        """The LightningModule with its trained weights, in evaluation mode.

        Of a model of moebench, `model.network` answers a batch with an `Output`: a prediction, and
        a decision a mixture. Text is written with `moebench.open_model(folder)`.

        Raises:
            ValueError: if the run left no weights, because it failed.
        """
        with one_line(), undisturbed():
            return trained_module(self.folder)


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
) -> Fitted:
    """Train one model, unless it is there already.

    Args:
        config: a YAML file, several that are laid over one another, or a configuration as a map.
        settings: dotted keys and values laid over it, such as `{"trainer.max_steps": 20}`.
        seed: of data order, initial weights and noise.
        name: of the run; empty: its files and the hash of its configuration.
        root: folder of all runs.
        track: whether MLflow gets a copy.

    Raises:
        ValueError: for whatever is refused before anything is trained.
    """
    check_name(name)
    start_server()  # it imports while this process checks
    keys = [*as_arguments(settings or {}), f"--seed_everything={seed}"]
    with TemporaryDirectory() as folder:
        files = _files(config, Path(folder))
        chosen = [f"--config={file}" for file in files]
        known = [] if isinstance(config, Mapping) else chosen  # nobody knows the file of a map
        with naming_files([*known, *keys]):
            experiment = checked(parse([*chosen, *keys]))
    called = name or command.name_of(experiment, title_of(files))
    place, record = command.trained(experiment, called, Path(root), track)
    return Fitted(record, place)


def _files(config: Config, folder: Path) -> list[Path]:
    """Return the files of a configuration; of a map a file that is written into a folder."""
    if not isinstance(config, Mapping):
        paths = [config] if isinstance(config, str | Path) else config
        return [Path(find_config(str(path))) for path in paths]
    file = folder / "configuration.yaml"
    file.write_text(json.dumps(config, default=str), encoding="utf-8")  # which is YAML
    return [file]
