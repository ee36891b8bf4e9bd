"""All that only a GPU can show, in minutes: `python -m benchmarks.gpu --minutes 10 --out FOLDER`.

| file | what |
| --- | --- |
| `clock`, `items`, `folder`, `machine` | time that is left; units of work; records; the card |
| `parity`, `layer`, `train`, `evidence` | the stages, in the order of their worth |
| `contenders`, `ways` | what the layer is timed against; ways to take a training step |
| `value`, `crew` | which runs come first; how many of them side by side |
| `text`, `wheels.sh` | what has to be carried to a machine without it |
| `tables` | from records to the tables of README.md |
"""
