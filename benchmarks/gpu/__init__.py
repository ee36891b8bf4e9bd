"""What only a GPU can show, in minutes: `python -m benchmarks.gpu --minutes 10 --out FOLDER`.

| file | what |
| --- | --- |
| `clock`, `items`, `folder`, `machine` | time left; units of work; records; the GPU |
| `parity`, `layer`, `train`, `evidence` | the stages, most valuable first |
| `contenders`, `ways` | what the layer is compared with; ways to take a training step |
| `value`, `scheduler` | which runs come first; how many run in parallel |
| `text`, `wheels.sh` | what must be copied to a machine that lacks it |
| `tables` | from records to the tables in README.md |
"""
