"""`python -m engine.training STAGE`: the same as `python -m engine train STAGE`."""

import sys

from engine.training.command_line import main

if __name__ == "__main__":
    sys.exit(main())
