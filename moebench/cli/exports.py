"""What hands results to other programs: BibTeX, and tables in another form."""

import argparse
from collections.abc import Mapping

from moebench.cli.arguments import Parser

WITH_TABLES = ("plan", "verdict", "report", "compare")
FORMS = ("csv", "markdown", "latex")  # of moebench.report.sheets, which takes long to import


def add_exports(commands: Mapping[str, Parser]) -> None:
    """Add what BibTeX is printed of, and to the commands that have a table the form of it."""
    commands["cite"].add_argument(
        "what", help="a name of `moebench list`, a file of records, or a folder that has one"
    )
    for name in WITH_TABLES:
        commands[name].add_argument(
            "--format",
            choices=FORMS,
            default="",
            help="print the table alone, in this form (default: all there is to say, as text)",
        )


def cite(options: argparse.Namespace) -> int:
    """Print BibTeX of what a target or a run used."""
    from moebench.cli.cite import bibliography

    print(bibliography(options.what))
    return 0
