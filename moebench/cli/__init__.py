"""The command line: its commands, and the only place that parses one."""
