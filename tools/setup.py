"""Make the course's environment: `python -m tools.setup [--dev | --site] [--venv FOLDER]`.

It installs the versions of requirements.txt (with --dev: requirements-dev.txt, what authors and
instructors need besides; with --site: requirements-site.txt, what builds the web site), which are
known to work together. Needs nothing but Python.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = {"capture_output": True, "text": True, "check": False}
FILES = {
    "course": "requirements.txt",
    "dev": "requirements-dev.txt",
    "site": "requirements-site.txt",
}

TARGETS = {"course": "setup", "dev": "setup", "site": "site"}  # of make
GIGABYTES = {"course": 4, "dev": 4, "site": 2}  # of disk, with what pip unpacks and keeps


def supported(version: tuple[int, int], root: Path = ROOT) -> bool:
    """Tell whether a Python's version lies in the range that pyproject.toml states."""
    low, high = bounds(root)
    return low <= version < high


def bounds(root: Path = ROOT) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the lowest supported version of Python, and the first that is not supported."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text)
    return (3, int(found[1])), (3, int(found[2]))


def program(folder: Path) -> Path:
    """Return the path of an environment's Python."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def version_of(folder: Path) -> tuple[int, int] | None:
    """Return the version of an environment's Python; None where no environment works."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        said = subprocess.run(
            [str(program(folder)), "-c", code], capture_output=True, text=True, check=True
        )
        major, minor = said.stdout.split()
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return int(major), int(minor)


def prepare(folder: Path, root: Path = ROOT) -> str:
    """Make the environment if it is not there; return an empty text, or why that cannot be done.

    A finished one is kept, whatever Python runs this. One that was cut off goes on if this Python
    made it.
    """
    found, mine = version_of(folder), tuple(sys.version_info[:2])
    finished = any((folder / f".{kind}").exists() for kind in FILES)
    if finished and found and supported(found, root):
        return ""
    if not supported(mine, root):
        low, high = bounds(root)
        needed = f"Python 3.{low[1]} to 3.{high[1] - 1} is needed"
        return (
            f"this is Python {mine[0]}.{mine[1]}: {needed}, such as make setup "
            f"PYTHON=python3.{high[1] - 2}"
        )
    if found == mine and not finished:
        return ""
    if subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(folder)], check=False
    ).returncode:
        # half of one, without pip, would be taken for one that was cut off
        shutil.rmtree(folder, ignore_errors=True)
        return (
            f"{folder.name} could not be made: Python says why above; mend that and run the "
            "same command again"
        )
    return ""


def lack_of_room(folder: Path, kind: str) -> str:
    """Return an empty text, or what to say where the disk is too full for a new environment."""
    free = shutil.disk_usage(folder.parent).free / 1e9
    if (folder / f".{kind}").exists() or free >= GIGABYTES[kind]:
        return ""
    needed = f"about {GIGABYTES[kind]} GB are needed"
    return f"{free:.1f} GB are free on the disk of {folder.parent}, and {needed}"


def install(folder: Path, kind: str, root: Path = ROOT) -> bool:
    """Install what a kind of reader needs, and note that it is done; tell whether it worked."""
    python = str(program(folder))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    if subprocess.run([*pip, "-r", FILES[kind]], cwd=root, check=False).returncode:
        return False
    # pip compiles one file after the other; this uses all cores. A file of some package that is no
    # Python does no harm.
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], **TEXT
    ).stdout
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", packages.strip()], **TEXT)
    for done in ["course", "dev"] if kind == "dev" else [kind]:
        (folder / f".{done}").touch()
    return True


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Make the environment; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.setup", description=__doc__.splitlines()[0]
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--dev", action="store_true", help="with what authors and instructors need")
    kinds.add_argument("--site", action="store_true", help="what builds the web site, and no more")
    parser.add_argument(
        "--venv",
        type=Path,
        default=root / ".venv",
        help="folder of the environment (default: .venv)",
    )
    options = parser.parse_args(arguments)
    kind = "dev" if options.dev else "site" if options.site else "course"
    folder = options.venv.absolute()
    if problem := prepare(folder, root):
        print(problem, file=sys.stderr)
        return 2
    # Flushed: what pip complains of must stand below.
    print(
        f"installing the packages into {options.venv.name}; the first time this takes some minutes",
        flush=True,
    )
    # Said beforehand: pip would fail minutes later. It is not refused: the figure is a rough one.
    if room := lack_of_room(folder, kind):
        print(f"careful: {room}", file=sys.stderr, flush=True)
    if not install(folder, kind, root):
        why = lack_of_room(folder, kind) or "pip says why above"
        print(
            f"the packages could not be installed: {why}; run the same command again",
            file=sys.stderr,
        )
        return 1
    major, minor = version_of(folder)
    print(f"ready with Python {major}.{minor} in {options.venv.name}")
    print(
        f"for another Python: delete {options.venv.name}, then make {TARGETS[kind]} "
        f"PYTHON=python3.{minor}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
