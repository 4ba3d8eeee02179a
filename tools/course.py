"""The instructor's commands: `python -m tools.course --help`."""

import sys

from tools.marking.course import main

if __name__ == "__main__":
    sys.exit(main())
