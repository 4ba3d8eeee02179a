"""Run the course whole with Google Colab's versions: students' copies, and exercises' solutions.

`tools.colab` makes the environment. Each notebook runs in a kernel and an empty folder of its own,
as on Colab, after its set-up cell. Case A mounts a stand-in of a Drive; where a notebook has an
upload button, a file is sent as ipywidgets 7 does it. A result is kept beside the environment: a
run that was interrupted goes on where it stopped, and what has not changed is not run again.
"""

import csv
import datetime
import hashlib
import io
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools.build import exercises, frame
from tools.build.outputs import loud
from tools.common import ROOT, notebooks, read_notebook, tags, write_atomic
from tools.progress import is_right

RESULTS = "runs.json"
TABLE = Path("benchmarks", "colab.csv")  # the seconds of a whole try without a fault
DRIVE = "/content/drive"  # where Colab mounts it
# Runs a notebook in Colab's environment, and writes it with its outputs, also where a cell fails.
RUNNER = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
client = NotebookClient(notebook, timeout=3600, kernel_name="python3",
                        resources={"metadata": {"path": sys.argv[2]}})
try:
    client.execute()
finally:
    nbformat.write(notebook, sys.argv[1])
"""
# A Drive with some drawn images in the folder that case A reads.
MOUNTED = """
import pathlib, shutil, tempfile, types
def mount(place):
    from cxr_helpers import phantom
    plan = phantom.design("case_a", n=400, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        drawn = phantom.write(plan, pathlib.Path(folder, "set"), "case_a", size=128, masks=False)
        shutil.copytree(drawn, pathlib.Path(place, "MyDrive", "case_a"))
google.colab.drive = types.SimpleNamespace(mount=mount)
"""
# What the browser sends to a button of ipywidgets 7, which makes a dictionary of it.
SENT = """
def send(button, content):
    told = {"name": "chosen.png", "type": "image/png", "size": len(content), "lastModified": 0}
    button.set_state({"metadata": [told], "data": [memoryview(content)], "_counter": 1})
    assert set(button.value) == {"chosen.png"}, button.value
"""
# The upload of lesson 13, with its answer, and that of case C, whose answer is a plain function.
ANSWERED = """
desk = deploy.upload_widget(bundle, picture=plots.answer)
send(desk.children[0], Path(table["path"].iloc[0]).read_bytes())
said = " ".join(part.value for part in desk.children[3].children)
assert "chosen.png" in said and "cannot be read" not in said, said
"""
PRESSED = """
send(button, Path(found.table["path"].iloc[0]).read_bytes())
answer.__wrapped__(None)
"""


def prepared(path: Path, setup: str, place: Path, root: Path = ROOT) -> NotebookNode:
    """Return a notebook as Colab would run it, in the folder `place`; an exercise with answers."""
    if path.parent == root / "exercises":
        notebook = exercises.marked(root / "exercises" / "src" / f"{path.stem}.py", root)
        for cell in notebook.cells:  # what a student sees of a check
            cell.source = cell.source.partition(exercises.HIDDEN[0])[0].rstrip()
        notebook.cells.insert(0, new_code_cell(setup))
    else:
        notebook = read_notebook(path)
        for cell in notebook.cells:
            if frame.SETUP in tags(cell):
                cell.source = setup
    before, after = ["import google.colab"], []
    if path.stem == "a_grey_scale":
        before.append(MOUNTED)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.source = cell.source.replace("SOURCE = None", 'SOURCE = "my drive"', 1)
                cell.source = cell.source.replace(DRIVE, str(place / "drive"))
    if path.stem == "13_deployment":
        after += [SENT, ANSWERED]
    if path.stem == "c_two_convolutions":
        after += [SENT, PRESSED]
    for code in reversed(before):
        notebook.cells.insert(0, new_code_cell(code))
    notebook.cells += [new_code_cell(code) for code in after]
    for cell in notebook.cells:
        cell.setdefault("id", hashlib.sha256(cell.source.encode()).hexdigest()[:12])
    return notebook


def run(path: Path, setup: str, python: Path, root: Path = ROOT) -> tuple[float, str]:
    """Run a notebook whole; return its seconds, and what went wrong, empty if nothing did."""
    with tempfile.TemporaryDirectory(prefix="colab-") as folder:
        place = Path(folder)
        notebook = prepared(path, setup, place, root)
        copy = place / path.name
        copy.write_text(nbformat.writes(notebook), encoding="utf-8")
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "CXR_"))}
        quiet = {"HOME": folder, "CXR_GUESS": "example", "TQDM_DISABLE": "1"}
        command = [str(python), "-c", RUNNER, str(copy), folder]
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=folder, env=kept | quiet, capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        if done.returncode:
            return seconds, done.stderr.strip()[-1500:]
        ran = nbformat.read(copy, 4)
        if said := loud(ran):
            return seconds, f"writes on standard error: {said}"
        wrong = wrong_checks(ran)
        return seconds, f"no *correct* from {', '.join(wrong)}" if wrong else ""


def wrong_checks(notebook: NotebookNode) -> list[str]:
    """Return the checks of an exercise that did not say correct."""
    checks = [cell for cell in notebook.cells if "check" in tags(cell)]
    return [cell.source.strip() for cell in checks if not is_right(cell)]


def every(root: Path = ROOT) -> list[Path]:
    """Return the students' copies and the exercises."""
    return [*notebooks(root, student=True), *sorted((root / "exercises").glob("*.ipynb"))]


def digest(path: Path, root: Path = ROOT) -> str:
    """Return a hash of what a run depends on: the package, the notebook and its answers."""
    parts = [p for p in sorted((root / "cxr_helpers").rglob("*")) if p.suffix in (".py", ".csv")]
    source = root / "exercises" / "src" / f"{path.stem}.py"
    parts += [path, Path(__file__), *([source] if source.is_file() else [])]
    found = hashlib.sha256()
    for part in parts:
        found.update(part.read_bytes())
    return found.hexdigest()[:16]


def missing(
    folder: Path, paths: Iterable[Path], root: Path = ROOT
) -> Iterator[tuple[Path, str, dict]]:
    """Yield each notebook with its digest and all results so far, if it must run (again)."""
    for path in paths:
        results = kept(folder)
        now, name = digest(path, root), path.relative_to(root).as_posix()
        known = results.get(name, {})
        if known.get("digest") != now or known.get("fault"):
            yield path, now, results


def kept(folder: Path) -> dict:
    """Return the results that were kept, by the notebook's place."""
    file = folder / RESULTS
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def keep_table(folder: Path, versions: dict[str, str], root: Path = ROOT) -> None:
    """Write the seconds of every notebook, with the versions that matter, as a CSV table."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(["notebook", "seconds", "date", *versions])
    results, today = kept(folder), datetime.date.today().isoformat()
    for path in every(root):
        name = path.relative_to(root).as_posix()
        rows.writerow([name, results[name]["seconds"], today, *versions.values()])
    write_atomic(root / TABLE, written.getvalue())


def run_all(
    folder: Path, python: Path, setup: str, paths: Iterable[Path], root: Path = ROOT
) -> list[str]:
    """Run what has no result yet, keep each result at once, print times; return the faults."""
    paths = list(paths)
    names = [path.relative_to(root).as_posix() for path in paths]
    for path, now, results in missing(folder, paths, root):
        name = path.relative_to(root).as_posix()
        seconds, fault = run(path, setup, python, root)
        results[name] = {"digest": now, "seconds": round(seconds, 1), "fault": fault}
        write_atomic(folder / RESULTS, json.dumps(results, indent=1) + "\n")
        print(f"{'failed' if fault else 'ok':7} {seconds:6.1f} s  {name}", flush=True)
    results = kept(folder)
    total = sum(results[name]["seconds"] for name in names)
    print(f"{len(names)} notebooks run whole, {total / 60:.1f} minutes together")
    return [f"{n}: {results[n]['fault']}" for n in names if results[n]["fault"]]
