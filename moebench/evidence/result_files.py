"""The files that a reproduction writes at its end, in its folder of runs."""

TABLES = ("verdicts.csv", "verdicts.md", "verdicts.tex")
RESULTS = ("results.jsonl", "verdicts.json", "report.html", *TABLES)  # the first has the records
