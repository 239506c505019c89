"""`python -m versatune` is the command line."""

import sys

from versatune.cli import main

if __name__ == "__main__":
    sys.exit(main())
