"""Time the phantom: one core's milliseconds per 224-pixel image with masks; a cohort's seconds.

The cohort is written to disk.

    python -m benchmarks.phantom_speed --n 60 --cohort 600
    python -m benchmarks.phantom_speed --n 200 --rounds 5 --cohort 600 --against ../other-checkout

With --against FOLDER, a checkout of another commit, both renderers draw the same images in turn,
ten at a time, each in a process of its own on one thread, and the table gives how many times
quicker this one is. A value is the median over the rounds, `lowest` and `highest` are their spread.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parents[1]
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class Renderer:
    """The renderer of a checkout in a process of its own; it answers one question at a time."""

    def __init__(self, checkout: Path) -> None:
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(checkout.resolve())}
        call = [sys.executable, str(Path(__file__).resolve()), "--answer"]
        self._process = subprocess.Popen(
            call,
            env=environment,
            cwd=checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        found = Path(self.ask({"what": "where"})).resolve()
        if checkout.resolve() not in found.parents:
            raise SystemExit(
                f"{checkout} is no checkout of the project: {found} was imported instead"
            )

    def ask(self, question: dict):
        """Send a question and wait for the answer."""
        print(json.dumps(question), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("the renderer stopped; its message is above")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def taken(work: Callable, argument: dict) -> tuple[float, float]:
    """Seconds on the wall and of the processor."""
    start, used = time.perf_counter(), time.process_time()
    work(argument)
    return time.perf_counter() - start, time.process_time() - used


def answer() -> None:
    """Work of a renderer's process: draw what each line of the input asks for, print its time."""
    from cxr_helpers import phantom

    for line in sys.stdin:
        question = json.loads(line)
        if question["what"] == "where":
            found = phantom.__file__
        elif question["what"] == "images":
            found = [taken(phantom.render, row) for row in question["rows"]]
        else:
            with tempfile.TemporaryDirectory() as folder:
                table = phantom.design("default", n=question["n"])
                start = time.perf_counter()
                phantom.write(
                    table, Path(folder) / "set", progress=False, processes=question["processes"]
                )
                found = time.perf_counter() - start
        print(json.dumps(found), flush=True)


def image_times(renderers: list[Renderer], rows: list[dict]) -> np.ndarray:
    """Median wall and CPU milliseconds per image, array (renderers, 2).

    The renderers draw every ten images in turn.
    """
    seconds: list[list] = [[] for _ in renderers]
    for first in range(0, len(rows), 10):
        for renderer, found in zip(renderers, seconds, strict=True):
            found += renderer.ask({"what": "images", "rows": rows[first : first + 10]})
    return np.median(np.array(seconds), axis=1) * 1e3


def measure(
    renderers: list[Renderer], rows: list[dict], cohort: int, rounds: int
) -> dict[str, np.ndarray]:
    """Measures by name, arrays (rounds, renderers)."""
    image_times(renderers, rows[:10])  # textures and fonts are made once
    times = np.stack([image_times(renderers, rows) for _ in range(rounds)])
    found = {"ms per image, wall": times[:, :, 0], "ms per image, CPU": times[:, :, 1]}
    if cohort:
        question = {"what": "cohort", "n": cohort, "processes": 2}
        written = [[renderer.ask(question) for renderer in renderers] for _ in range(rounds)]
        found[f"seconds for {cohort} images on two processes"] = np.array(written)
    return found


def table_of(found: dict[str, np.ndarray], n: int) -> pd.DataFrame:
    """One row per measure and, with two renderers, one per ratio.

    Columns: median over rounds, lowest, highest.
    """
    rows = []
    for name, values in found.items():
        shown = {name: values[:, 0]}
        if values.shape[1] == 2:
            shown |= {
                f"{name}, the other": values[:, 1],
                f"{name}, times quicker": values[:, 1] / values[:, 0],
            }
        rows += [
            (label, np.median(value), value.min(), value.max()) for label, value in shown.items()
        ]
    return (
        pd.DataFrame(rows, columns=["measure", "value", "lowest", "highest"]).round(2).assign(n=n)
    )


def main() -> None:
    """Time single images and a cohort; print the table and write it as CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--n", type=int, default=60, help="images of the default design in each round"
    )
    parser.add_argument(
        "--cohort", type=int, default=0, help="images of the written cohort; 0 leaves it out"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, help="checkout of another commit, drawn in turn")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.answer:
        answer()
        return
    from benchmarks.compact import commit
    from cxr_helpers import phantom

    against = commit(args.against) if args.against else ""
    command = (
        f"python -m benchmarks.phantom_speed --n {args.n} --rounds {args.rounds} --cohort "
        f"{args.cohort}"
    )
    command += f" --against {against}" * bool(against)
    rows = json.loads(phantom.design("default", n=args.n, seed=1).to_json(orient="records"))
    renderers = [Renderer(folder) for folder in (HERE, args.against) if folder]
    try:
        table = table_of(measure(renderers, rows, args.cohort, args.rounds), args.n)
    finally:
        for renderer in renderers:
            renderer.close()
    print(table.to_string(index=False))
    table = table.assign(
        rounds=args.rounds, against=against, date=datetime.date.today().isoformat(), command=command
    )
    table.to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
