"""The commands, in the order in which one comes to need them, and what each of them does."""

from collections.abc import Mapping

DESCRIPTION = "Claims of mixture-of-experts papers, run and judged."
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "to begin": {
        "list": "show the papers with their claims, the sweeps, and the parts of a model",
        "doctor": "check this machine, and say what is missing",
        "new": "write a part or a paper of your own, with tests that pass",
    },
    "to train": {
        "plan": "say what the runs of a paper take, and what they can decide",
        "reproduce": "train what a paper's claims need, and judge them",
        "sweep": "search a space of configurations",
        "fit": "train one experiment of your own",
        "rerun": "make one recorded run again, and compare",
    },
    "to see what was found": {
        "report": "judge the runs there are, and write report.html",
        "verdict": "the same as report",
        "explain": "show how the verdict on a claim came about, in numbers",
        "compare": "set mixtures against dense models of equal cost",
        "cite": "print BibTeX of what a paper or a run used",
        "publish": "make the runs the committed evidence, and fill in the tables of the READMEs",
    },
    "to look into a model or a text": {
        "analyze": "show what the routers of a trained model do with a text",
        "generate": "let a trained model write",
        "data": "describe a text: its size, and how far its splits overlap",
    },
    "to work with MLflow": {
        "mlflow": "serve its page, on this machine alone",
        "track": "send it the records that it does not have",
    },
}
SAYS = {name: says for of in COMMANDS.values() for name, says in of.items()}
PROFILES = {
    "smoke": "under a minute: does everything work here? It judges nothing",
    "quick": "the most important runs, three to five seeds: a coffee break on two cores",
    "computed": "only what needs no training: under a minute",
    "full": "every run, more seeds: hours on a CPU",
    "gpu": "larger models, for minutes on one data-centre GPU",
}


def overview() -> str:
    """Return the commands in their groups."""
    wide = max(map(len, SAYS))
    lines = []
    for title, commands in COMMANDS.items():
        lines += [f"{title}:", *(f"  {name:{wide}}  {says}" for name, says in commands.items()), ""]
    return "\n".join([*lines, "`moebench COMMAND --help` says what a command takes."])


def profiles() -> str:
    """Return what the profiles are, and which of them each paper has."""
    from moebench.papers import targets  # every paper is imported
    from moebench.report.tables import table

    lines = ["profiles:", *table((), [*PROFILES.items()], indent=2)]
    by_name = [(one.name, ", ".join(p.name for p in one.plan.profiles)) for one in targets()]
    return "\n".join([*lines, "", "papers and their profiles:", *table((), by_name, indent=2)])
