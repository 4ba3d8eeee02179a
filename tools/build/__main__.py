"""`python -m tools.build` builds the notebooks."""

import sys

from tools.build.lessons import main

if __name__ == "__main__":
    sys.exit(main())
