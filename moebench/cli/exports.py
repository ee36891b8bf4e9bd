"""What hands results to other programs: BibTeX, and tables in another form."""

import argparse

from moebench.cli.arguments import Parser

WITH_TABLES = ("verdict", "report", "compare")
FORMS = ("csv", "markdown", "latex")  # of moebench.report.sheets, which takes long to import


def add_exports(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command that prints BibTeX, and to those that have a table the form of it."""
    command = commands.add_parser("cite", help="BibTeX of what a target or a run used")
    command.add_argument(
        "what", help="a name of `moebench list`, a file of records, or a folder that has one"
    )
    for name in WITH_TABLES:
        commands.choices[name].add_argument(
            "--format", choices=FORMS, default="", help="print the table alone, in this form"
        )


def cite(options: argparse.Namespace) -> int:
    """Print BibTeX of what a target or a run used."""
    from moebench.cli.cite import bibliography

    print(bibliography(options.what))
    return 0
