"""Run lessons headless: copies and HTML in output/, a table of seconds and memory, an exit code.

The copies are executed, the exit code is true.
"""

import argparse
import contextlib
import csv
import io
import json
import multiprocessing
import os
import re
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tools import warm
from tools.build import outputs
from tools.common import (
    ROOT,
    SETTINGS,
    TEMPLATES,
    ToolError,
    chosen,
    deeper,
    kernel_environment,
    read_notebook,
    relative,
    write_atomic,
)

ANSI = re.compile(r"\x1b\[[0-9;]*m")
SAMPLE = 0.1  # seconds between two readings of the memory


@dataclass(frozen=True)
class Job:
    """One notebook to run, with the parameters to inject and where its copies go."""

    notebook: Path
    copy: Path
    parameters: dict
    timeout: int | None
    core: bool = False  # without the deeper steps


@dataclass(frozen=True)
class Result:
    """What a run took, and where it failed if it did."""

    notebook: str
    status: str  # "ok" or "failed"
    seconds: float
    # largest sum of resident memory over the kernel and its children; 0 where it is forked: not
    # known
    peak_mb: int
    cells: int  # code cells that ran
    failed_cell: str = ""
    source: str = ""
    error: str = ""


def settings(options: argparse.Namespace) -> dict:
    """Return the settings of options or environment; the data folder's path becomes absolute.

    It starts from where the runner runs.
    """
    given = {
        name: getattr(options, name.lower()) or os.environ.get(variable)
        for name, variable in SETTINGS.items()
    }
    found = {name: value for name, value in given.items() if value}
    if "DATA_DIR" in found:
        found["DATA_DIR"] = str(Path(found["DATA_DIR"]).expanduser().resolve())
    if "SEED" in found:
        found["SEED"] = int(found["SEED"])
    return found


def measured_seconds(root: Path = ROOT) -> dict[str, float]:
    """Return each notebook's measured seconds, by name; those of `python -m benchmarks.lessons`."""
    table = root / "benchmarks" / "lessons.csv"
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8", newline="") as file:
        return {row["notebook"]: float(row["seconds"]) for row in csv.DictReader(file)}


def _start(variables: dict[str, str], warmed: bool) -> None:
    os.environ.update(variables)
    if warmed:
        warm.use()
    # a kernel chooses the inline backend, but only where nothing is set
    os.environ.pop("MPLBACKEND", None)


class Memory(threading.Thread):
    """Largest sums over all children of this process, in bytes, while the block runs.

    `peak`: resident memory, memory-mapped files included; `own`: what of it is shared with no file.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = self.own = 0
        self.done = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()

    def run(self):
        import psutil

        me = psutil.Process()
        while not self.done.wait(SAMPLE):
            total = own = 0
            for child in me.children(recursive=True):
                try:
                    found = child.memory_info()
                except psutil.Error:  # it has just ended
                    continue
                total, own = total + found.rss, own + found.rss - getattr(found, "shared", 0)
            self.peak, self.own = max(self.peak, total), max(self.own, own)


def run(job: Job) -> Result:
    """Execute a notebook in its folder; write the executed copy and HTML, also after a failure."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    name = job.copy.stem
    print(f"  start   {name}", flush=True)
    job.copy.parent.mkdir(parents=True, exist_ok=True)
    failure = {}
    begin = time.perf_counter()
    with Memory() as memory:
        try:
            papermill.execute_notebook(
                core(job.notebook) if job.core else str(job.notebook),
                str(job.copy),
                parameters=job.parameters,
                kernel_name="python3",
                language="python",
                cwd=str(job.notebook.parent),
                progress_bar=False,
                execution_timeout=job.timeout,
            )
        except PapermillExecutionError as error:
            trace = ANSI.sub("", "\n".join(error.traceback))
            last = f"{error.ename}: {error.evalue}"
            failure = {
                "failed_cell": str(error.cell_index + 1),
                "source": error.source,
                "error": trace or last,
            }
        # A kernel that died, or a time-out, is this lesson's result too.
        except Exception as error:  # noqa: BLE001
            failure = {"error": f"{type(error).__name__}: {error}"}
    seconds = time.perf_counter() - begin
    executed = read_notebook(job.copy) if job.copy.is_file() else None
    if executed is not None:
        write_atomic(job.copy.with_suffix(".html"), page(executed, job.notebook))
    ran = sum(cell.get("execution_count") is not None for cell in executed.cells) if executed else 0
    status = "failed" if failure else "ok"
    print(f"  {status:7} {name} {seconds:.1f} s", flush=True)
    forked = warm.ADDRESS in os.environ  # such a kernel is no child of this process
    peak = 0 if forked else round(memory.peak / 2**20)
    return Result(name, status, round(seconds, 1), peak, ran, **failure)


def core(path: Path):
    """Return a notebook without its deeper steps."""
    notebook = read_notebook(path)
    left_out = deeper(notebook)
    notebook.cells = [cell for index, cell in enumerate(notebook.cells) if index not in left_out]
    return notebook


def page(notebook, path: Path) -> str:
    """Return a notebook as one HTML file that needs nothing else: no kernel, no other host.

    The template comes from the classic one, which writes the figures' alt text.
    """
    from nbconvert import HTMLExporter

    shown = outputs.with_drawn_formulas(notebook)
    shown.metadata.pop("widgets", None)  # they need a kernel
    exporter = HTMLExporter(
        template_name="page", extra_template_basedirs=[str(TEMPLATES)], embed_images=True
    )
    resources = {"metadata": {"name": path.stem, "path": str(path.parent)}}
    return exporter.from_notebook_node(shown, resources=resources)[0]


def table(results: list[Result]) -> str:
    """Return the results as a table, failures with the cell and its error below."""
    width = max(len(result.notebook) for result in results)
    lines = [f"{'notebook':{width}}  seconds  peak MB  cells  status"]
    for r in results:
        lines.append(
            f"{r.notebook:{width}}  {r.seconds:7.1f}  {r.peak_mb or '-':>7}  {r.cells:5d}  "
            f"{r.status}"
        )
    for r in results:
        if r.status != "ok":
            where = (
                f"cell {r.failed_cell} of the executed copy:\n\n{_indent(r.source)}\n"
                if r.failed_cell
                else "the run failed:"
            )
            lines += ["", f"{r.notebook}, {where}", _indent(r.error)]
    return "\n".join(lines)


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def report(results: list[Result]) -> str:
    """Return the results as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Result)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(result) for result in results)
    return text.getvalue()


def run_all(
    paths: list[Path],
    output: Path,
    values: dict,
    jobs: int = 2,
    timeout: int | None = None,
    *,
    core: bool = False,
    warmed: bool = False,
) -> list[Result]:
    """Run notebooks, some at a time, each with its own kernel; results in the order of the paths.

    With `core` the deeper steps are left out: whatever comes after them must not need them. With
    `warmed` kernels are forked from a process that has imported the large libraries (`tools.warm`).

    The longest begin first, so that all workers end at about the same time.
    """
    todo = []
    for path in paths:
        folder = output / "cases" if path.parent.name == "cases" else output
        todo.append(Job(path.resolve(), folder / path.name, values, timeout, core))
    context = multiprocessing.get_context("spawn")
    with kernel_environment() as variables, warm.template() if warmed else contextlib.nullcontext():
        variables |= {
            SETTINGS[name]: str(value) for name, value in values.items() if name in SETTINGS
        }
        with ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_start, initargs=(variables, warmed)
        ) as pool:
            seconds = measured_seconds()
            longest_first = sorted(
                todo, key=lambda job: -seconds.get(job.notebook.stem, float("inf"))
            )
            futures = {pool.submit(run, job): job for job in longest_first}
            done = {futures[future].notebook: future.result() for future in as_completed(futures)}
    return [done[job.notebook] for job in todo]


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    command = argparse.ArgumentParser(prog="python -m tools.run", description=__doc__)
    command.add_argument(
        "names", nargs="*", help="paths, or starts of names such as 04; all if none"
    )
    command.add_argument(
        "--student", action="store_true", help="run the students' copies, not the executed ones"
    )
    command.add_argument("--core", action="store_true", help="leave out the deeper steps")
    command.add_argument(
        "--warm",
        action="store_true",
        help="fork kernels that have the libraries (Linux, for tests)",
    )
    command.add_argument("--mode", help='"class" (default) or "full"')
    command.add_argument("--dataset", help="name of a data set")
    command.add_argument("--data-dir", help="folder that holds the data sets")
    command.add_argument("--seed", help="seed of every lesson")
    command.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="more parameters",
    )
    command.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default: 2)")
    command.add_argument(
        "--timeout", type=int, default=1800, help="seconds that one cell may take (default: 1800)"
    )
    command.add_argument(
        "--output",
        type=Path,
        default=ROOT / "output",
        help="folder of the results (default: output/)",
    )
    return command


def _value(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        paths = chosen(options.names, root, student=options.student)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    if not paths:
        print("no notebooks to run: make notebooks", file=sys.stderr)
        return 2
    values = settings(options) | {name: _value(text) for name, text in options.p}
    print(
        f"{len(paths)} notebooks, {options.jobs} at a time, {values or 'default settings'}",
        flush=True,
    )
    begin = time.perf_counter()
    warmed = options.warm and sys.platform == "linux"
    how = {"core": options.core, "warmed": warmed}
    results = run_all(paths, options.output.resolve(), values, options.jobs, options.timeout, **how)
    write_atomic(options.output / "report.csv", report(results))
    print(f"\n{table(results)}\n")
    failed = sum(result.status != "ok" for result in results)
    where = relative(options.output, root)
    print(
        f"{len(results) - failed} ok, {failed} failed, {time.perf_counter() - begin:.0f} s; pages "
        f"in {where}/"
    )
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
