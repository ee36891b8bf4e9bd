"""What people do in a notebook, as functions: they return objects and data frames.

Each does the same as the command of its name, with the same files in the same folders, so that a
run made by one is found by the other. `import moebench` offers them, and imports a file of this
package when its function is first asked for: reading verdicts needs no torch. docs/python.md shows
how to use them.
"""
