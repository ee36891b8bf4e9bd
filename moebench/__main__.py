"""`python -m moebench` is the command `moebench`."""

import sys

from moebench.cli.main import main

if __name__ == "__main__":  # worker processes import this module as well
    sys.exit(main())
