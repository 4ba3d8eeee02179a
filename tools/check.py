"""Check what is committed, in one process.

Style, types, notebooks and exercises against their sources, figures.

All checks run, whatever the others find; the exit code is 0 if none found anything.
"""

import subprocess
import sys
from collections.abc import Callable

from tools import build, exercises, index, lint, numbers, stability
from tools.common import ROOT


def command(*arguments: str) -> Callable[[], int]:
    """Return the check that runs `python -m ARGUMENTS`; its result is the exit code."""
    return lambda: (
        subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False).returncode
    )


CHECKS = {
    "ruff check .": command("ruff", "check", "."),
    "ruff format --check .": command("ruff", "format", "--check", "."),
    "mypy": command("mypy"),
    "tools.diagrams --check": command("tools.diagrams", "--check"),
    "tools.build --check": lambda: build.main(["--check"]),
    "tools.lint": lambda: lint.main([]),
    "tools.numbers": lambda: numbers.main([]),
    "tools.exercises --check": lambda: exercises.main(["--check"]),
    "tools.stability --check": lambda: stability.main(["--check"]),
    "tools.results --check": command("tools.results", "--check"),
    "tools.index --check": lambda: index.main(["--check"]),
}


def main(checks: dict[str, Callable[[], int]] = CHECKS) -> int:
    """Run the checks, by their commands; return the exit code."""
    failed = []
    for name, check in checks.items():
        print(f"python -m {name}", flush=True)
        if check():
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
