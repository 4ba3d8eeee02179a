"""Do the verdicts of lessons and cases hold?

Each source is run as a script nine times, one run after another.

    python -m tools.rules.stability [NAME ...] [--settings default] [--check | --status]

Runs: seeds 0 to 4 with the threads that TensorFlow takes by itself; seeds 0 and 1 on one thread;
seeds 0 and 1 with AVX2 and no wider instructions (other machines add up in another order).
`tools.rules.verdicts` says how a verdict is written.

A finished run is one line of `output/stability/runs.jsonl`, kept for as long as the source's code
and the package's modules that it imports stay the same: interrupt with Ctrl-C, and the next call
goes on. The result is `benchmarks/stability.csv`; `python -m tools.build.results` puts it into
docs/stability.md. `--check` runs nothing: it fails where a verdict is written wrongly or did not
hold in each run. `--status` says what is left to run.
"""

import argparse
import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools.common import PHANTOM, ROOT, ToolError, pairs, write_atomic
from tools.rules import verdicts

RESULT = Path("benchmarks", "stability.csv")
STORE = Path("output", "stability", "runs.jsonl")
COLUMNS = (
    "notebook",
    "verdict",
    "held",
    "runs",
    "not_held",
    "value",
    "seconds",
    "code",
    "date",
    "command",
)
TIMEOUT = 3600  # seconds of one run
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


@dataclass(frozen=True, order=True)
class Setting:
    """One way to run a source."""

    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name}, seed {self.seed}"


SETTINGS = [Setting("default", seed) for seed in range(5)]
SETTINGS += [Setting(name, seed) for name in ("one thread", "AVX2") for seed in (0, 1)]


def environment(setting: Setting, root: Path = ROOT) -> dict[str, str]:
    """Return the variables of a run: phantom, class mode, and what the setting asks for.

    The setting has a seed, threads and instructions.
    """
    given = {
        name: value
        for name, value in os.environ.items()
        if name not in THREADS and not name.startswith("CXR_")
    }
    folder = str(root / "build" / PHANTOM)
    given |= {
        "CXR_MODE": "class",
        "CXR_DATASET": PHANTOM,
        "CXR_DATA_DIR": folder,
        "CXR_WORK_DIR": folder,
    }
    given |= {
        "CXR_SEED": str(setting.seed),
        "MPLBACKEND": "agg",
        "TQDM_DISABLE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    given["PYTHONPATH"] = os.pathsep.join(path)
    if setting.name == "one thread":
        given |= dict.fromkeys(THREADS, "1")
    if setting.name == "AVX2":
        given |= {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
        given["NPY_DISABLE_CPU_FEATURES"] = " ".join(_wider_than_avx2())
    return given


def _wider_than_avx2() -> list[str]:
    """Return NumPy's names of the instructions of this machine that are wider than AVX2."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    wide = ("AVX512", "X86_V4")
    return [name for name in __cpu_dispatch__ if name.startswith(wide) and __cpu_features__[name]]


def run(source: Path, folder: Path, setting: Setting, root: Path = ROOT) -> dict:
    """Run a source in its own process; return the line to keep. ToolError has its error's end."""
    code = verdicts.code_digest(source)
    with tempfile.TemporaryDirectory() as temporary:
        result = Path(temporary, "result.json")
        command = [sys.executable, "-m", "tools.rules.verdicts", str(source), str(result)]
        options = {
            "cwd": folder,
            "env": environment(setting, root),
            "capture_output": True,
            "text": True,
        }
        try:
            process = subprocess.run(command, **options, timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"took more than {TIMEOUT} s") from error
        if process.returncode:
            raise ToolError("\n".join(process.stderr.strip().splitlines()[-15:]))
        found = json.loads(result.read_text("utf-8"))
    today = datetime.date.today().isoformat()
    key = {
        "notebook": source.stem,
        "setting": setting.name,
        "seed": setting.seed,
        "code": code,
        "date": today,
    }
    return key | found


def kept(root: Path = ROOT) -> dict[tuple[str, Setting], dict]:
    """Return the finished runs of unchanged source and modules: {(notebook, setting): line}."""
    store = root / STORE
    if not store.is_file():
        return {}
    codes = {pair.source.stem: verdicts.code_digest(pair.source) for pair in pairs(root)}
    modules: dict[str, str] = {}
    found = {}
    for text in store.read_text("utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # written half when the machine stopped
            continue
        for name in line["modules"]:
            if name not in modules:
                modules[name] = (
                    verdicts.module_digest(ROOT / name) if (ROOT / name).exists() else "gone"
                )
        same = all(modules[name] == digest for name, digest in line["modules"].items())
        if same and line["code"] == codes.get(line["notebook"]):
            found[line["notebook"], Setting(line["setting"], line["seed"])] = line
    return found


def keep(line: dict, root: Path = ROOT) -> None:
    """Append a finished run to the store."""
    store = root / STORE
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read(root: Path = ROOT) -> list[dict[str, str]]:
    """Return the committed table, a dictionary per verdict."""
    path = root / RESULT
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(root: Path = ROOT) -> None:
    """Write the table: rows of the runs that are kept.

    Other notebooks keep theirs while the verdict is there.
    """
    before = {row["verdict"]: row for row in read(root)}
    lines = kept(root)
    rows = []
    for source, found in verdicts.every(root).items():
        ran = {
            setting: lines[source.stem, setting]
            for setting in SETTINGS
            if (source.stem, setting) in lines
        }
        for verdict in found:
            if ran:
                rows.append(_row(source.stem, verdict.name, ran))
            elif verdict.name in before:
                rows.append(before[verdict.name])
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        file.seek(0)
        write_atomic(root / RESULT, file.read())


def _row(notebook: str, name: str, ran: dict[Setting, dict]) -> dict:
    """Return a verdict's row of the table, from its notebook's runs."""
    answers = {setting: line["verdicts"].get(name) for setting, line in ran.items()}
    answers = {setting: answer for setting, answer in answers.items() if answer}
    first = next(iter(ran.values()))
    return {
        "notebook": notebook,
        "verdict": name,
        "held": sum(answer["holds"] for answer in answers.values()),
        "runs": len(ran),
        "not_held": "; ".join(str(s) for s in ran if s not in answers or not answers[s]["holds"]),
        "value": next((", ".join(answer["sides"].values()) for answer in answers.values()), ""),
        "seconds": round(sum(line["seconds"] for line in ran.values()) / len(ran), 1),
        "code": first["code"],
        "date": max(line["date"] for line in ran.values()),
        "command": f"python -m tools.rules.stability {notebook.partition('_')[0]}",
    }


def check(root: Path = ROOT) -> list[str]:
    """Return one line per verdict that is written wrongly or did not hold in each of its runs."""
    found = verdicts.faults(root)
    if found:
        return found
    known = {verdict.name for several in verdicts.every(root).values() for verdict in several}
    for row in read(root):
        if row["verdict"] in known and row["held"] != row["runs"]:
            found.append(
                f"{row['verdict']} held in {row['held']} of {row['runs']} runs, not in: "
                f"{row['not_held']}. Make the design stronger, or compute the sentence from the "
                f"result; then `{row['command']}`"
            )
    return found


def state(name: str, code: str, rows: dict[str, dict[str, str]]) -> str:
    """Return how many runs a verdict held in, and what is left; `code`: the source's hash now."""
    if name not in rows:
        return "not run yet"
    row = rows[name]
    text = f"{row['held']} of {row['runs']}"
    if int(row["runs"]) < len(SETTINGS):
        text += f", {len(SETTINGS)} to run"
    return text + ("; its notebook changed since" if row["code"] != code else "")


def page(root: Path = ROOT) -> str:
    """Return the table of docs/stability.md."""
    rows = {row["verdict"]: row for row in read(root)}
    once = {row["notebook"]: float(row["seconds"]) * int(row["runs"]) for row in rows.values()}
    minutes = f"All runs in the table took {sum(once.values()) / 60:.0f} minutes, one at a time."
    lines = [
        minutes,
        "",
        "| verdict | runs that held | holds where | seed 0 |",
        "|---|---|---|---|",
    ]
    for source, found in verdicts.every(root).items():
        code = verdicts.code_digest(source)
        for verdict in found:
            value = rows.get(verdict.name, {}).get("value", "")
            cells = [
                f"`{verdict.name}`",
                state(verdict.name, code, rows),
                f"`{verdict.expression}`",
                value,
            ]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def chosen(names: list[str], root: Path = ROOT) -> list:
    """Return the pairs whose notebook's name begins with one of the names; all without names."""
    found = [pair for pair in pairs(root) if not names or pair.source.stem.startswith(tuple(names))]
    if not found:
        raise ToolError(f"no source begins with {' or '.join(names)}")
    return found


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run, check or tell; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.rules.stability", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", help="starts of names, such as 04; all if none")
    parser.add_argument(
        "--settings", default="", help='"default", "one thread" or "AVX2"; all if not given'
    )
    parser.add_argument(
        "--check", action="store_true", help="run nothing; fail where a verdict does not hold"
    )
    parser.add_argument(
        "--status", action="store_true", help="run nothing; say what is left to run"
    )
    options = parser.parse_args(arguments)
    if options.check:
        found = check(root)
        number = (
            sum(len(several) for several in verdicts.every(root).values())
            if not found
            else len(found)
        )
        print(*found, sep="\n", end="\n" if found else "")
        print(
            f"{number} verdicts "
            f"{'to mend' if found else 'are well written, and none failed in a run'}"
        )
        return int(bool(found))
    try:
        sources = [pair for pair in chosen(options.names, root) if verdicts.read(pair.source, root)]
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    settings = [setting for setting in SETTINGS if setting.name.startswith(options.settings)]
    done = kept(root)
    left = [
        (pair, setting)
        for pair in sources
        for setting in settings
        if (pair.source.stem, setting) not in done
    ]
    print(
        f"{len(sources)} sources with verdicts, {len(left)} of {len(sources) * len(settings)} "
        "runs to do",
        flush=True,
    )
    if options.status:
        for pair, setting in left:
            print(f"  {pair.source.stem}, {setting}")
        return 0
    return _run_all(left, root)


def _figures(answer: dict) -> str:
    return ", ".join(f"{text} = {figure}" for text, figure in answer["sides"].items())


def _run_all(left: list, root: Path) -> int:
    """Do the runs that are left and write the table; return the exit code."""
    begin, failed = time.perf_counter(), 0
    try:
        for pair, setting in left:
            try:
                line = run(pair.source, pair.notebook.parent, setting, root)
            except ToolError as error:
                failed += 1
                print(
                    f"{pair.source.stem}, {setting}: does not run\n{error}",
                    file=sys.stderr,
                    flush=True,
                )
                continue
            keep(line, root)
            missed = [name for name, answer in line["verdicts"].items() if not answer["holds"]]
            held = len(line["verdicts"]) - len(missed)
            text = (
                f"{pair.source.stem}, {setting}: {held} of {len(line['verdicts'])} hold, "
                f"{line['seconds']:.0f} s"
            )
            print(
                text,
                *(f"  not {name}: {_figures(line['verdicts'][name])}" for name in missed),
                sep="\n",
                flush=True,
            )
    except KeyboardInterrupt:
        print("interrupted: what is finished is kept", file=sys.stderr)
        failed += 1
    write(root)
    found = check(root)
    print(*found, sep="\n", end="\n" if found else "")
    print(
        f"{time.perf_counter() - begin:.0f} s; {RESULT.as_posix()} written; next: python -m "
        "tools.build.results"
    )
    return int(bool(failed or found))


if __name__ == "__main__":
    sys.exit(main())
