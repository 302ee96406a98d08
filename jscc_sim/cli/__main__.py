"""``python -m jscc_sim.cli``: the command line without its script."""

import sys

from jscc_sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
