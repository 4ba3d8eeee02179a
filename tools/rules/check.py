"""Check what is committed, in one process.

Style, types, notebooks and exercises against their sources, figures.

All checks run, whatever the others find; the exit code is 0 if none found anything.
"""

import subprocess
import sys
from collections.abc import Callable

from tools.build import exercises, index, lessons
from tools.common import ROOT
from tools.rules import lint, lint_exercises, numbers, stability


def command(*arguments: str) -> Callable[[], int]:
    """Return the check that runs `python -m ARGUMENTS`; its result is the exit code."""
    return lambda: (
        subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False).returncode
    )


CHECKS = {
    "ruff check .": command("ruff", "check", "."),
    "ruff format --check .": command("ruff", "format", "--check", "."),
    "mypy": command("mypy"),
    "tools.build.diagrams --check": command("tools.build.diagrams", "--check"),
    "tools.build --check": lambda: lessons.main(["--check"]),
    "tools.rules.lint": lambda: lint.main([]),
    "tools.rules.lint_exercises": lambda: lint_exercises.main([]),
    "tools.rules.numbers": lambda: numbers.main([]),
    "tools.build.exercises --check": lambda: exercises.main(["--check"]),
    "tools.rules.stability --check": lambda: stability.main(["--check"]),
    "tools.build.results --check": command("tools.build.results", "--check"),
    "tools.build.index --check": lambda: index.main(["--check"]),
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
