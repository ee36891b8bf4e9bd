"""A source of text on its own, outside an experiment."""

from jsonargparse import ArgumentParser

from moebench.data.sources.source import Source
from moebench.data.text import AnySource
from moebench.experiment.refusals import one_line_errors
from moebench.experiment.user_parts import naming_user_parts


def source_of(described: str) -> Source:
    """Return the source described as `data.source` in a configuration.

    Args:
        described: YAML with `class_path` and `init_args`, or just the name of a class.

    Raises:
        ConfigurationError: for an unknown class or argument, or a value that is refused.
    """
    parser = ArgumentParser(exit_on_error=False, prog="moebench")
    parser.add_argument("--source", type=AnySource)
    with one_line_errors():
        parsed = parser.parse_args([f"--source={described}"])
        with naming_user_parts(parsed.as_dict()):
            found: Source = parser.instantiate_classes(parsed).source
    return found
