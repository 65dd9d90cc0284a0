"""``python -m pushtui`` is ``pushtui``."""

import sys

from pushtui.cli import main

if __name__ == "__main__":
    sys.exit(main())
