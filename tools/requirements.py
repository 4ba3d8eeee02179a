"""Write the versions known to work together: `python -m tools.requirements`.

With `--resolution lowest-direct`, the oldest ones.

requirements.txt holds what a student needs, requirements-dev.txt what authors and instructors need
besides, and requirements-site.txt what builds the web site. Each holds every supported Python and
system, told apart by markers where they differ, and names no index. The resolver, uv, is installed
into a temporary environment. Run it when a dependency changes, then `make test`.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.common import ROOT, write_atomic
from tools.setup import FILES, bounds, program

HEAD = (
    "# Versions known to work together, written by `python -m tools.requirements` from "
    "pyproject.toml.\n"
)
ITSELF = "-e .\n"


def compiled(
    uv: list[str], kind: str, constraint: Path | None, resolution: str, root: Path = ROOT
) -> str:
    """Return the pinned requirements of one kind of reader."""
    low, _ = bounds(root)
    command = [
        *uv,
        "pip",
        "compile",
        "pyproject.toml",
        "--extra",
        kind,
        "--universal",
        "--no-header",
        "--quiet",
        "--no-annotate",
    ]
    command += [
        "--python-version",
        f"{low[0]}.{low[1]}",
        "--resolution",
        resolution,
        "--no-emit-package",
        "cxr-helpers",
    ]
    command += ["--constraint", str(constraint)] if constraint else []
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"uv cannot resolve the requirements:\n{said.stderr}")
    return HEAD + ITSELF + said.stdout


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.requirements", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--resolution", default="highest", choices=["highest", "lowest", "lowest-direct"]
    )
    parser.add_argument(
        "--folder", type=Path, default=root, help="where the files go (default: the repository)"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([program(Path(place)), "-m", "pip", "install", "--quiet", "uv"], check=True)
        uv = [str(program(Path(place))), "-m", "uv"]
        constraint = None
        for kind, name in FILES.items():
            text = compiled(uv, kind, constraint, options.resolution, root)
            write_atomic(options.folder / name, text)
            constraint = Path(place, name)  # what two need has the same version in both
            constraint.write_text(text.replace(ITSELF, ""), encoding="utf-8")
            print(f"{options.folder / name}: {text.count('==')} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
