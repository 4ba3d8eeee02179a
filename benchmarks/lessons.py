"""Seconds and memory of every notebook: phantom, already drawn, class mode, two at a time.

    python -m benchmarks.lessons

Writes `benchmarks/lessons.csv`, a row per notebook and one for the whole run. Nothing else should
run meanwhile.
"""

import datetime
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from tools.common import notebooks
from tools.run import run_all

RESULT = Path(__file__).with_name("lessons.csv")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        results = run_all(
            notebooks(), Path(folder), {"DATASET": "phantom", "MODE": "class", "SEED": 0}, jobs=2
        )
        whole = time.perf_counter() - begin
    if failed := [result.notebook for result in results if result.status != "ok"]:
        raise SystemExit(f"failed: {', '.join(failed)}; see make run LESSON=...")
    table = pd.DataFrame([asdict(result) for result in results])
    table = table[["notebook", "seconds", "peak_mb", "cells"]]
    total = {"notebook": "all", "seconds": round(whole, 1), "peak_mb": table["peak_mb"].max()}
    table = pd.concat(
        [table, pd.DataFrame([total | {"cells": table["cells"].sum()}])], ignore_index=True
    )
    today = datetime.date.today().isoformat()
    table.assign(date=today, command="python -m benchmarks.lessons").to_csv(RESULT, index=False)


if __name__ == "__main__":
    main()
