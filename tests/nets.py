"""What every public function gives on six small fixed tables, and how every public name is called.

    python -m tests.nets --write                        # new entries, and the list of names
    python -m tests.nets --write --because "REASON"     # also entries that changed; the reason is
    kept beside them

`tests/unit/numbers.json` holds the numbers to 12 digits and, under "moves", each entry that was let
change with the reason; `tests/unit/api.txt` the names with their signatures.
`tests/unit/test_nets.py` compares.
"""

import argparse
import dataclasses
import importlib
import importlib.metadata
import inspect
import json
import math
import pkgutil
import re
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import cxr_helpers
from cxr_helpers import files

UNIT = Path(__file__).parent / "unit"
NUMBERS, API = UNIT / "numbers.json", UNIT / "api.txt"
# rows of a table that are kept one by one; of a longer one, each column's count and weighted sums
WHOLE = 12
RELATIVE, ABSOLUTE = 1e-11, 1e-12
# Quantiles of Student's t, and so ends of intervals, in other versions of SciPy: 1.13 is off by
# 4e-11.
OTHER_SCIPY = 1e-9
# by solvers and forests of scikit-learn: compared on the version that wrote them
FITTED = ("audit.", "baselines.")
# a search that ends within 1e-6; a singular value decomposition
LOOSE = {"temperature": 1e-6, "gate": 1e-8}
CLASSES = ("normal", "covid", "viral")


# --- the six tables -------------------------------------------------------------------------------


def table(
    seed: int, n: int, names=CLASSES, shares=None, sizes=None, runs: int = 1, unknown: float = 0
) -> pd.DataFrame:
    """A table of predictions: groups of `sizes` images (None: no column).

    `unknown` is the share without a group.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(names), n, p=shares)
    truth[: len(names)] = range(len(names))
    columns = {"image_id": [f"i{k:03d}" for k in rng.permutation(n)]}
    if sizes is not None:
        code = np.repeat(np.arange(n), rng.choice(sizes, n))[:n]
        # not in the order of the images
        group = pd.Series([f"g{(k * 37) % 101:03d}" for k in code], dtype=object)
        columns["group"] = group.where(rng.random(n) >= unknown, None)
    columns["source"] = rng.choice(["a", "b"], n)
    parts = []
    for run in range(runs):
        score = rng.normal(size=(n, len(names))) + 1.2 * np.eye(len(names))[truth]
        p = np.round(np.exp(score), 2)
        p /= p.sum(axis=1, keepdims=True)
        part = pd.DataFrame(columns)
        part["label"] = pd.Categorical.from_codes(truth, categories=names)
        for k, name in enumerate(names):
            part[f"p_{name}"] = p[:, k]
        part["predicted"] = pd.Categorical.from_codes(p.argmax(axis=1), categories=names)
        parts.append(part.assign(model="net", seed=run) if runs > 1 else part)
    return pd.concat(parts, ignore_index=True)


def tables() -> dict[str, pd.DataFrame]:
    """The six tables by name."""
    return {
        "single images": table(1, 60),
        "groups": table(2, 80, sizes=(1, 2, 3, 5)),
        "seeds": table(3, 50, sizes=(1, 2), runs=3),
        "two classes": table(4, 70, ("normal", "covid"), sizes=(1, 4)),
        "rare class": table(5, 90, shares=(0.6, 0.38, 0.02), sizes=(1, 2, 3)),
        "missing groups": table(6, 60, sizes=(2, 3), unknown=0.4),
    }


def many_groups() -> pd.DataFrame:
    """So many groups that average precision leaves out blocks of them."""
    return table(7, 300, sizes=(1, 1, 2)).assign(
        group=lambda t: "p" + (t.index * 37 % 293).astype(str)
    )


# --- what is computed -----------------------------------------------------------------------------


def other(predictions: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Another model's answers to the same images, rows in another order."""
    p = [column for column in predictions if column.startswith("p_")]
    rng = np.random.default_rng(seed)
    mixed = predictions[p].to_numpy() * rng.uniform(0.5, 1.5, (len(predictions), len(p)))
    mixed /= mixed.sum(axis=1, keepdims=True)
    result = predictions.copy()
    result[p] = mixed
    said = pd.Categorical.from_codes(
        mixed.argmax(axis=1), categories=predictions["label"].cat.categories
    )
    return result.assign(predicted=said).sample(frac=1, random_state=1)


def of_table(name: str, every: pd.DataFrame) -> Iterator[tuple[str, Callable]]:
    """(function, call) for each public function that reads a table of predictions."""
    from cxr_helpers import calibrate, evaluate, explain, uncertainty

    second = other(every)
    one = every[every["seed"] == 0] if "seed" in every else every
    two = second.loc[one.index]
    flags = one.assign(right=one["label"] == one["predicted"])
    yield "evaluate.metrics", lambda: evaluate.metrics(every)
    yield "evaluate.metric", lambda: evaluate.metric(every, "roc_auc", "covid", level=0.9)
    yield "evaluate.subgroups", lambda: evaluate.subgroups(every, "source", "sensitivity", "covid")
    for metric in ("f1_macro", "sensitivity", "roc_auc", "average_precision"):
        yield (
            f"evaluate.compare {metric}",
            lambda m=metric: evaluate.compare(every, second, m, "covid"),
        )
    yield "evaluate.table", lambda: evaluate.table({"a": every, "b": second})
    yield "evaluate.confusion", lambda: evaluate.confusion(one)
    yield "evaluate.roc", lambda: evaluate.roc(one, "covid")
    yield "evaluate.operating_point", lambda: evaluate.operating_point(one, "covid", 0.8)
    yield "evaluate.one_versus_rest", lambda: evaluate.one_versus_rest(one, "covid", 0.4)
    yield "evaluate.at_threshold", lambda: evaluate.at_threshold(every, "covid", 0.4)
    yield "evaluate.has_probabilities", lambda: evaluate.has_probabilities(one)
    yield (
        "evaluate.from_arrays",
        lambda: evaluate.from_arrays(
            one["label"].astype(str), probabilities(one), one.get("group")
        ),
    )
    yield "evaluate.read_predictions", lambda: read_again(one)
    yield "calibrate.temperature", lambda: calibrate.temperature(every)
    yield "calibrate.apply", lambda: calibrate.apply(every, 1.7)
    yield "calibrate.reliability", lambda: calibrate.reliability(one, bins=5)
    yield "calibrate.scores", lambda: calibrate.scores(one)
    yield "calibrate.scores covid", lambda: calibrate.scores(one, "covid")
    yield "explain.average", lambda: explain.average(one["p_covid"], one)
    yield "explain.average signed", lambda: explain.average(one["p_covid"] - 0.5, one, signed=True)
    yield "uncertainty.share", lambda: uncertainty.share(flags, "right")
    yield "uncertainty.conformal_limit", lambda: uncertainty.conformal_limit(one, 0.8)
    yield "uncertainty.prediction_sets", lambda: uncertainty.prediction_sets(one, 0.6)
    yield "uncertainty.ensemble", lambda: uncertainty.ensemble([one, two, other(one, 5)])


def of_arrays() -> Iterator[tuple[str, Callable]]:
    """(function, call) for each public function that reads arrays, a manifest or nothing."""
    from cxr_helpers import audit, baselines, calibrate, evaluate, train, uncertainty

    yield "evaluate.wilson", lambda: evaluate.wilson(7, 9)
    yield "evaluate.metrics many groups", lambda: evaluate.metrics(many_groups())
    yield (
        "calibrate.predictive_values",
        lambda: calibrate.predictive_values(0.9, 0.8, [0.01, 0.1, 0.5]),
    )
    rows, pixels = manifest()
    gate = uncertainty.fit_gate(pixels[:60], pixels[60:])
    gate_arrays = uncertainty.gate_to_dict(gate)
    # the sign of a component is free
    signless = gate_arrays | {"components": np.abs(gate_arrays["components"])}
    yield "uncertainty.fit_gate", lambda: signless
    again = uncertainty.gate_from_dict(gate_arrays)
    yield "uncertainty.gate_scores", lambda: uncertainty.gate_scores(again, pixels[::-1, ::-1])
    yield "uncertainty.check_gate", lambda: uncertainty.check_gate(gate)
    yield (
        "train.predictions_table",
        lambda: train.predictions_table(rows, np.eye(3)[rows["label"].cat.codes], model="m"),
    )
    yield "baselines.guesses", lambda: baselines.guesses(rows, {rows["image_id"][0]: "covid"})
    yield "baselines.majority", lambda: baselines.majority(rows)
    yield "baselines.nearest_neighbour", lambda: baselines.nearest_neighbour(rows, pixels)
    yield (
        "baselines.logistic_regression",
        lambda: baselines.logistic_regression(rows, pixels, folds=True),
    )
    inside = np.zeros(pixels.shape, bool)
    inside[:, 8:24, 8:24] = True
    yield "audit.masked", lambda: audit.masked(pixels, inside, fill=7).mean(axis=(1, 2))
    pairs = pd.DataFrame(
        columns=["image_id_a", "image_id_b", "kind", "similarity", "split_a", "split_b"]
    )
    pairs = pairs.assign(label_a=None, label_b=None)
    nowhere = rows.drop(columns="path")
    yield "audit.report", lambda: audit.report(rows, pairs=pairs)
    yield "audit.shortcuts", lambda: audit.shortcuts(nowhere, pixels)
    yield "audit.file_properties_baseline", lambda: audit.file_properties_baseline(rows, trees=20)
    yield "audit.frame_baseline", lambda: audit.frame_baseline(rows, pixels, trees=20)
    yield "audit.writing_baseline", lambda: audit.writing_baseline(rows, pixels, trees=20)
    yield "audit.source_baseline", lambda: audit.source_baseline(rows)
    yield "audit.order_gap", lambda: audit.order_gap(rows, pixels)


def probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """The columns p_<class>, in the sorted order of the classes."""
    return predictions[
        sorted(column for column in predictions if column.startswith("p_"))
    ].to_numpy()


def read_again(predictions: pd.DataFrame) -> pd.DataFrame:
    """The table from a CSV file of it, as another program writes one."""
    from cxr_helpers import evaluate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.csv")
        predictions.rename(columns={"label": "y_true", "group": "Patient ID"}).to_csv(
            path, index=False
        )
        return evaluate.read_predictions(path)


def manifest() -> tuple[pd.DataFrame, np.ndarray]:
    """A manifest of 90 images, and their pixels, uint8 (90, 32, 32)."""
    rng = np.random.default_rng(8)
    n = 90
    code = np.arange(n) % 3
    rows = pd.DataFrame({"image_id": [f"i{k:02d}.png" for k in range(n)]})
    rows["path"] = rows["image_id"]
    rows["label"] = pd.Categorical.from_codes(code, categories=CLASSES)
    rows["group"] = [f"g{k * 7 % 60:02d}" for k in range(n)]
    rows["patient"] = rows["group"].where(np.arange(n) < 80, None)
    rows["source"] = np.where(rng.random(n) < 0.3 + 0.2 * code, "a", "b")
    rows["split"] = pd.Categorical(
        np.where(np.arange(n) < 60, "train", "test"), categories=["train", "val", "test"]
    )
    rows["fold"] = np.arange(n) // 6 % 3
    rows["width"], rows["height"] = 100 + 10 * code, rng.integers(90, 120, n)
    rows["bytes"] = rng.integers(5_000, 9_000, n) + 900 * code
    rows["format"], rows["mode"] = np.where(code == 2, "JPEG", "PNG"), "L"
    ramp = np.linspace(60, 160, 32)[None, :, None] + 15 * code[:, None, None]
    return rows, np.clip(ramp + rng.normal(0, 20, (n, 32, 32)), 0, 255).astype(np.uint8)


def computed() -> dict[str, dict]:
    """{entry: what the function gave}, as JSON holds it."""
    calls = [
        (f"{name}: {what}", call)
        for name, every in tables().items()
        for what, call in of_table(name, every)
    ]
    found = {}
    for entry, call in [*calls, *of_arrays()]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[entry] = plain(call())
    return found


def plain(value):
    """A result as lists, texts and numbers of 12 digits."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, pd.DataFrame):
        return {str(name): _column(value[name]) for name in value.columns}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return _column(pd.Series(value.ravel()))
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if value is None or isinstance(value, str):
        return value
    return float(f"{value:.12g}") if math.isfinite(value) else str(value)


def _column(column: pd.Series) -> list:
    """The values; of many the count, non-numbers, two weighted sums, the first and the last."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    numbers = column.dtype.kind in "biuf"
    # what is missing is None or NaN, as the version of pandas has it
    column = column.where(column.notna(), np.nan)
    values = [plain(value) if numbers or isinstance(value, str) else str(value) for value in column]
    if len(values) <= WHOLE:
        return values
    place = np.cos(np.arange(len(values)))
    if not numbers:
        column = pd.Series([zlib.crc32(value.encode()) / 2**32 for value in values])
    known = np.isfinite(column.to_numpy(float))
    shown = column.to_numpy(float)[known]
    return [
        len(values),
        int((~known).sum()),
        plain(shown.sum()),
        plain(shown @ place[known]),
        values[0],
        values[-1],
    ]


def differences(before, after, relative: float = RELATIVE, where: str = "") -> Iterator[str]:
    """Where two results differ past the last of 12 digits, or by more than the share `relative`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key), after.get(key), relative, f"{where} / {key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for k, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, relative, f"{where} [{k}]")
    elif isinstance(before, float | int) and isinstance(after, float | int):
        if not math.isclose(before, after, rel_tol=relative, abs_tol=ABSOLUTE):
            yield f"{where}: {before:.12g} -> {after:.12g}"
    elif before != after:
        yield f"{where}: {before} -> {after}"


def changes(
    kept: dict[str, dict], found: dict[str, dict], least: float = RELATIVE
) -> dict[str, list[str]]:
    """{entry: where it differs from what is kept}, by more than `least`, of entries that do."""
    result = {}
    for entry in kept.keys() & found.keys():
        relative = next((share for word, share in LOOSE.items() if word in entry), least)
        result[entry] = list(differences(kept[entry], found[entry], relative, entry))
    return {entry: each for entry, each in sorted(result.items()) if each}


def library(entry: str) -> str:
    """The library on whose version the digits of an entry depend, or nothing.

    scikit-learn where it fits something; NumPy for the gate, whose float32 features its versions
    add up differently.
    """
    return "scikit-learn" if entry.startswith(FITTED) else "numpy" if "gate" in entry else ""


def version(name: str) -> str:
    """The version of a library here."""
    return importlib.metadata.version(name)


# --- the names ------------------------------------------------------------------------------------


def signatures() -> list[str]:
    """One line per public name of each public module: its call, or what kind of thing it is."""
    rooms = sorted(
        room.name
        for room in pkgutil.iter_modules(cxr_helpers.__path__)
        if not room.name.startswith("_")
    )
    lines = [f"{name}{called(getattr(cxr_helpers, name))}" for name in ("bar", "quiet")]
    for room in rooms:
        module = importlib.import_module(f"cxr_helpers.{room}")
        lines += [f"{room}.{name}{called(getattr(module, name))}" for name in public(module)]
    return lines


def public(module) -> list[str]:
    """The public names of a module: its `__all__`, or what it defines itself."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    own = {
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", module.__name__) == module.__name__
    }
    return sorted(
        name
        for name in own
        if not name.startswith("_") and not inspect.ismodule(vars(module)[name])
    )


def called(value) -> str:
    """Parameters and their defaults, without types; of what cannot be called, its kind."""
    if not callable(value):
        return f": {type(value).__name__}"
    try:
        signature = inspect.signature(value)
    except ValueError:
        return ": class"
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
    ]
    text = str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    text = re.sub(r" at 0x[0-9a-f]+", "", text)  # where a default lies in memory
    return text.replace("PosixPath", "Path").replace("WindowsPath", "Path")


# --- writing --------------------------------------------------------------------------------------


def write(because: str | None = None) -> list[str]:
    """Write both files; return where entries changed that were left, as no reason was given."""
    kept = (
        json.loads(NUMBERS.read_text("utf-8")) if NUMBERS.exists() else {"values": {}, "moves": []}
    )
    values, moves, found = kept["values"], kept["moves"], computed()
    moved = changes(values, found)
    if because and moved:
        moves = [*moves, {"because": because, "entries": moved}]
    left = [] if because else [*moved]
    values = {
        entry: values[entry]
        if entry in values and (entry in left or entry not in moved)
        else found[entry]
        for entry in found
    }
    versions = {name: version(name) for name in ("scikit-learn", "numpy", "scipy")}
    _whole(NUMBERS, _compact(versions | {"moves": moves, "values": values}))
    _whole(API, "\n".join(signatures()) + "\n")
    return [change for entry in left for change in moved[entry]]


def _compact(content: dict) -> str:
    """JSON with an entry a line, so that a change shows as one line."""
    entries = [
        f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content["values"].items()
    ]
    head = json.dumps({key: value for key, value in content.items() if key != "values"}, indent=1)
    return head.removesuffix("\n}") + ',\n "values": {\n' + ",\n".join(entries) + "\n }\n}\n"


def _whole(path: Path, text: str) -> None:
    with files.whole_file(path) as part:
        part.write_text(text, "utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Write; end with what was left as it was, where something is."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.nets", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--write", action="store_true", required=True)
    parser.add_argument("--because", help="why entries that changed are right now")
    left = write(parser.parse_args(arguments).because)
    if left:
        sys.exit("\n".join([*left, 'left as they were: give --because "REASON"']))


if __name__ == "__main__":
    main()
