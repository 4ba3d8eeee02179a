"""Splits under several versions of scikit-learn: an environment each, the same columns in all."""

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import types
import venv
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("1.5.2", "1.6.1", "1.7.2", "1.8.0", "newest")
PACKAGES = ("numpy", "scipy", "pandas")
SHUFFLES_RIGHT = (1, 8)  # before, StratifiedGroupKFold(shuffle=True) lost the classes


def tables() -> dict[str, pd.DataFrame]:
    """Manifests as in the course: two to four classes, groups of one to six images.

    Some groups have several classes.
    """
    found = {}
    for number in range(24):
        # its stream is frozen; that of default_rng may change
        random = np.random.RandomState(number)
        names = ["normal", "covid", "viral", "bacterial"][: 2 + number % 3]
        groups = int(random.randint(40, 160))
        sizes = random.randint(1, 1 + random.randint(1, 7), size=groups)
        group = np.repeat(np.arange(groups), sizes)
        first = np.tile(np.arange(len(names)), 8)  # at least eight groups of each class
        label = np.repeat(np.r_[first, random.randint(len(names), size=groups - len(first))], sizes)
        if number % 4 == 3:
            label = np.where(
                random.rand(len(label)) < 0.2, random.randint(len(names), size=len(label)), label
            )
        table = pd.DataFrame({"image_id": [f"{k:04d}.png" for k in random.permutation(len(group))]})
        labels = pd.Categorical(np.array(names)[label], categories=names)
        found[f"table {number}"] = table.assign(label=labels, group=[f"P{k:05d}" for k in group])
    return found


def columns() -> str:
    """The columns `fold` and `split` of all tables, one line each: what must not differ."""
    split = _split()
    lines = []
    for name, table in tables().items():
        for k in (3, 5):
            fold = split.folds(table, k=k, seed=k)["fold"]
            lines.append(f"{name} folds of {k}: {' '.join(map(str, fold))}")
        for test, val in ((0.2, 0.2), (0.3, 0)):
            part = split.holdout(table, test=test, val=val, seed=1)["split"]
            lines.append(f"{name} holdout {test} {val}: {' '.join(map(str, part))}")
    return "\n".join(lines) + "\n"


def agrees_with_sklearn() -> list[str]:
    """The tables on which the installed scikit-learn assigns otherwise."""
    from sklearn.model_selection import StratifiedGroupKFold

    split, apart = _split(), []
    for name, table in tables().items():
        ordered = table.sort_values("image_id")
        label, group = ordered["label"].to_numpy(str), ordered["group"].to_numpy(str)
        theirs = np.empty(len(ordered), int)
        splitter = StratifiedGroupKFold(n_splits=5, shuffle=True, random_state=5)
        for number, (_, held_out) in enumerate(splitter.split(label, label, group)):
            theirs[held_out] = number
        if not np.array_equal(theirs, split.folds(ordered, k=5, seed=5)["fold"]):
            apart.append(name)
    return apart


def _split():
    """The module `split`, without the reader of images where that cannot be imported.

    A split needs its names only.
    """
    try:
        return importlib.import_module("cxr_helpers.split")
    except ModuleNotFoundError as error:
        if error.name.startswith("cxr_helpers"):
            raise
        sys.modules["cxr_helpers.manifest"] = types.ModuleType("cxr_helpers.manifest")
        sys.modules["cxr_helpers.manifest"].SPLITS = ("train", "val", "test")
        return importlib.import_module("cxr_helpers.split")


def environment(folder: Path, version: str) -> Path:
    """The Python of an environment with one version of scikit-learn; made where it is not there."""
    place = folder / f"scikit-learn-{version}"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (place / "ready").is_file():
        venv.create(place, clear=True, with_pip=True)
        wanted = "scikit-learn" if version == "newest" else f"scikit-learn=={version}"
        subprocess.run([python, "-m", "pip", "install", "--quiet", wanted, *PACKAGES], check=True)
        (place / "ready").touch()
    return python


def report() -> int:
    """Print this environment's versions and columns.

    Say where scikit-learn itself should agree and does not.
    """
    import sklearn

    print(
        f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}, pandas {pd.__version__}",
        file=sys.stderr,
    )
    sys.stdout.write(columns())
    right = tuple(map(int, sklearn.__version__.split(".")[:2])) >= SHUFFLES_RIGHT
    apart = agrees_with_sklearn()
    if right and apart:
        print(
            f"scikit-learn {sklearn.__version__} assigns otherwise on {', '.join(apart)}",
            file=sys.stderr,
        )
    return int(right and bool(apart))


def main(arguments: list[str] | None = None) -> int:
    """Make the environments, compare their columns; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.rules.splits", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "versions", nargs="*", default=VERSIONS, help=f"default: {' '.join(VERSIONS)}"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=ROOT / "build" / "splits",
        help="folder they are kept in",
    )
    parser.add_argument(
        "--report", action="store_true", help="print the columns of this environment only"
    )
    options = parser.parse_args(arguments)
    if options.report:
        return report()
    expected, failed = columns(), False
    for version in options.versions:
        python = environment(options.environments, version)
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [python, __file__, "--report"], env=variables, text=True, capture_output=True
        )
        same = done.returncode == 0 and done.stdout == expected
        failed |= not same
        said = " ".join(done.stderr.split()) if same else done.stderr
        digest = hashlib.sha256(done.stdout.encode()).hexdigest()[:12]
        print(
            f"{'same' if same else 'OTHER'}: {said}; {len(done.stdout.splitlines())} columns, "
            f"SHA-256 {digest}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
