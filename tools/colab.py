"""Try the notebooks as Google Colab runs them: `python -m tools.colab --python python3.13`.

In an environment of Colab's versions (tests/colab/requirements.txt), with a stand-in for
`google.colab` and the package offered by a server on this machine, every notebook's set-up cell and
all its imports are run in a process of their own. Nothing that Colab ships may change, and an
install that fails must say so in a line or two. Then the students' copies and the exercises'
solutions run whole (tools/colab_runs.py); called again, this goes on where it was interrupted. The
times of a whole try without a fault are kept in benchmarks/colab.csv.
"""

import argparse
import ast
import functools
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import colab_runs
from tools.build import frame
from tools.common import ROOT, ToolError, read_notebook, relative, tags
from tools.setup import program

VERSIONS = "tests/colab/requirements.txt"
ARCHIVE = "course.zip"
SHOWN = ("tensorflow", "keras", "numpy", "pandas", "ipywidgets")  # beside the times
MOST_LINES = 3  # that an install which failed may print
# Runs the cells of a JSON list one after the other as a notebook does; ends with 1 at the first
# that fails.
DRIVER = """
import json, sys
import google.colab
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="NoColor", ast_node_interactivity="none")
for cell in json.load(open(sys.argv[1])):
    if not shell.run_cell(cell).success:
        sys.exit(1)
"""


def imports(notebook) -> str:
    """Return the import statements of a notebook that need no condition to hold, as code."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or frame.SETUP in tags(cell):
            continue
        lines = [
            line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!"))
        ]
        waiting = ast.parse("\n".join(lines)).body
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, ast.Import | ast.ImportFrom):
                found.append(ast.unparse(node))
            elif isinstance(node, ast.With):
                waiting[:0] = node.body
    return "\n".join(dict.fromkeys(found))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *_) -> None:
        """Keep the log empty."""


@contextmanager
def offered(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; yield the address of its archive."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{ARCHIVE}"
        finally:
            server.shutdown()


def clean() -> dict[str, str]:
    """Return the environment's variables without Python's: nothing of this checkout is in reach."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def environment(folder: Path, python: str, root: Path = ROOT) -> Path:
    """Return the Python of an environment that holds Colab's versions, made on first use."""
    ready = folder / ".ready"
    wanted = (root / VERSIONS).read_text(encoding="utf-8")
    if not (ready.is_file() and ready.read_text(encoding="utf-8") == wanted):
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        install = [program(folder), "-m", "pip", "install", "--quiet", "-r", str(root / VERSIONS)]
        subprocess.run(install, check=True)
        stand_in = next(folder.glob("lib/python3.*/site-packages")) / "google" / "colab"
        stand_in.mkdir(parents=True)
        (stand_in / "__init__.py").touch()
        ready.write_text(wanted, encoding="utf-8")
    remove = [program(folder), "-m", "pip", "uninstall", "--quiet", "--yes", "cxr-helpers"]
    subprocess.run(remove, env=clean(), check=True)
    return program(folder)


def versions(python: Path) -> dict[str, str]:
    """Return the version of each package that an environment holds."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"],
        env=clean(),
        capture_output=True,
        text=True,
        check=True,
    )
    return {package["name"]: package["version"] for package in json.loads(listed.stdout)}


def run(python: Path, cells: list[str]) -> subprocess.CompletedProcess:
    """Run cells in a fresh process, in an empty folder."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "cells.json")
        path.write_text(json.dumps(cells), encoding="utf-8")
        command = [str(python), "-c", DRIVER, str(path)]
        return subprocess.run(
            command, cwd=place, env=clean(), capture_output=True, text=True, check=False
        )


@contextmanager
def published(root: Path = ROOT) -> Iterator[str]:
    """Offer the committed course as an archive; yield the set-up cell that installs it."""
    with tempfile.TemporaryDirectory() as place, offered(Path(place)) as address:
        file = str(Path(place, ARCHIVE))
        archive = ["git", "archive", "--format=zip", "--prefix=course/", "-o", file, "HEAD"]
        subprocess.run(archive, cwd=root, check=True)
        yield frame.HOSTED.replace("ARCHIVE", address)


def check(python: Path, root: Path = ROOT) -> list[str]:
    """Return one line per fault: of the failing install, a notebook, or a package that changed."""
    faults = []
    before = versions(python)
    with tempfile.TemporaryDirectory() as place, offered(Path(place)) as address:
        failed = run(python, [frame.HOSTED.replace("ARCHIVE", address)])  # nothing is there
    said = (failed.stdout + failed.stderr).strip().splitlines()
    if failed.returncode == 0 or not 1 <= len(said) <= MOST_LINES:
        faults.append(
            f"an install that fails must say so in at most {MOST_LINES} lines, not: {said}"
        )
    print("without the archive:", *said, sep="\n  ")
    with published(root) as setup:
        for path in colab_runs.every(root):
            done = run(python, [setup, imports(read_notebook(path))])
            print(f"{'failed' if done.returncode else 'ok':7} {relative(path, root)}", flush=True)
            if done.returncode:
                faults.append(
                    f"{relative(path, root)}: {(done.stdout + done.stderr).strip()[-1500:]}"
                )
    after = versions(python)
    changed = {
        name: (old, after.get(name)) for name, old in before.items() if after.get(name) != old
    }
    print("added:", ", ".join(sorted(set(after) - set(before))))
    faults += [f"{name} was {old} and is {new or 'gone'}" for name, (old, new) in changed.items()]
    return faults


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Try all notebooks; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.colab", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--python", default="python3.13", help="an interpreter of Colab's version")
    parser.add_argument(
        "--folder",
        type=Path,
        default=root / "build" / "colab",
        help="where the environment is made",
    )
    parser.add_argument("names", nargs="*", help="run only these whole, such as 04; all if none")
    parser.add_argument("--set-up", action="store_true", help="try set-up and imports, run nothing")
    options = parser.parse_args(arguments)
    begins = tuple(options.names) or ("",)
    paths = [path for path in colab_runs.every(root) if path.stem.startswith(begins)]
    try:
        python = environment(options.folder, options.python, root)
        faults = [] if options.names else check(python, root)
        if not options.set_up:
            with published(root) as setup:
                faults += colab_runs.run_all(options.folder, python, setup, paths, root)
            if not faults and not options.names:
                shown = {name: versions(python)[name] for name in SHOWN}
                colab_runs.keep_table(options.folder, shown, root)
    except (ToolError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    print(*(faults or ["no fault; nothing that Colab ships has changed"]), sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
