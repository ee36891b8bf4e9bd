"""A source of text by itself, outside any experiment."""

from jsonargparse import ArgumentParser

from moebench.data.sources.source import Source
from moebench.data.text import AnySource
from moebench.experiment.refusals import one_line_errors
from moebench.experiment.theirs import naming_theirs


def source_of(described: str) -> Source:
    """Return the source that a text describes, as `data.source` of a configuration does.

    Args:
        described: YAML with `class_path` and `init_args`, or the name of a class alone.

    Raises:
        ConfigurationError: for an unknown class or argument, or one that is refused.
    """
    parser = ArgumentParser(exit_on_error=False, prog="moebench")
    parser.add_argument("--source", type=AnySource)
    with one_line_errors():
        parsed = parser.parse_args([f"--source={described}"])
        with naming_theirs(parsed.as_dict()):
            found: Source = parser.instantiate_classes(parsed).source
    return found
