"""Does the compact network do better when it has learnt on phantoms first?

It is fine-tuned on 50, 100 and 200 real images.

    python -m benchmarks.phantom_pretraining --data-dir FOLDER
    python -m benchmarks.phantom_pretraining --tune

Two real sets, five seeds. Each seed holds out a test part of whole groups (patients and
near-duplicates), the same for both arms and all n; the n training images are nested, class by class
and group by group. Both arms have the same images, recipe, epochs, augmentation and learning rate
and differ in the weights that they start from. Pretraining: phantoms of five classes, three sites,
adults and children, anew for each seed; its last layer is thrown away.

Every setting was chosen on phantoms (`--tune`: pretrained on sites A and B, fine-tuned on 50
phantoms of another site, the better setting being the one that serves training from scratch best);
no real image took part. One training is kept in `output/phantom_pretraining/` as soon as it is
done, under a hash of the settings and of the code that draws, so an interrupted run goes on where
it stopped.
"""

import argparse
import datetime
import hashlib
import inspect
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import pretraining_summary
from cxr_helpers import (
    datasets,
    duplicates,
    evaluate,
    files,
    manifest,
    measured,
    models,
    phantom,
    plots,
    preprocess,
    quiet,
    split,
    train,
)

HERE = Path(__file__).parent
STORE = HERE.parent / "output" / "phantom_pretraining"
SETS, SIZES, SEEDS, ARMS = (
    ("covid19-image-dataset", "darkcovidnet"),
    (50, 100, 200),
    5,
    ("scratch", "pretrained"),
)
SIDE, TEST, VAL, PHANTOMS = 128, 0.3, 0.2, 1500
PRETRAINING = replace(models.RECIPES["compact"], name="pretraining", epochs=25)
FINE_TUNING = replace(models.RECIPES["compact"], name="fine-tuning", epochs=80, learning_rate=1e-3)
TRIED = [  # learning rate, epochs, whether the validation loss picks the epoch
    *((rate, epochs, True) for rate, epochs in ((3e-3, 80), (1e-3, 80))),
    *((rate, epochs, False) for rate, epochs in ((3e-3, 80), (1e-3, 80), (3e-3, 40))),
]
TUNING = 900  # seeds from here on: phantoms that no other part of this benchmark draws


@dataclass(frozen=True)
class Task:
    """A set to be learnt: its table with groups, its images, each seed's pretrained weights."""

    name: str
    table: pd.DataFrame
    images: np.ndarray
    weights: dict[int, Path]


def main() -> None:
    options = _arguments()
    before = replace(PRETRAINING, epochs=options.epochs or PRETRAINING.epochs)
    store = STORE / _key(before, options.phantoms)
    store.mkdir(parents=True, exist_ok=True)
    if options.tune:
        return tune(store, before, options)
    seeds = range(options.seeds)
    weights = {
        seed: pretrained(store, seed, cohort(seed, options.phantoms), before) for seed in seeds
    }
    tasks = [_real(name, options.data_dir, weights) for name in options.sets]
    for seed in seeds:  # seed by seed, both arms in turn: they meet the same load of the machine
        for task in tasks:
            for n in options.n:
                for arm in ARMS:
                    run(store, task, arm, n, seed, fine_tuning(n, options.epochs))
    full = (
        not options.epochs
        and (options.sets, options.n) == (list(SETS), list(SIZES))
        and options.seeds == SEEDS
    )
    report(
        store,
        tasks,
        options,
        options.out or (HERE if full and options.phantoms == PHANTOMS else store),
    )


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument("--sets", nargs="+", default=list(SETS))
    arguments.add_argument("--n", nargs="+", type=int, default=list(SIZES))
    arguments.add_argument("--seeds", type=int, default=SEEDS)
    arguments.add_argument(
        "--epochs", type=int, default=None, help="instead of the recipes', for a trial run"
    )
    arguments.add_argument("--phantoms", type=int, default=PHANTOMS)
    arguments.add_argument(
        "--out", type=Path, default=None, help="folder of the results; default: beside this file"
    )
    arguments.add_argument(
        "--tune", action="store_true", help="compare settings on phantoms alone and stop"
    )
    return arguments.parse_args()


def fine_tuning(n: int, epochs: int | None = None) -> models.Recipe:
    """The recipe of both arms for n images: 80, 50 and 35 epochs for 50, 100 and 200."""
    return replace(FINE_TUNING, epochs=epochs or 20 + 3000 // n)


def _settings(recipe: models.Recipe) -> str:
    """Name of a recipe's settings, for a folder."""
    return f"{recipe.learning_rate:g}-{recipe.epochs}-{recipe.patience}"


def _key(recipe: models.Recipe, phantoms: int) -> str:
    """Hash of all that the weights depend on: settings, the renderer's version, the networks."""
    settings = (recipe.epochs, recipe.learning_rate, recipe.batch_size, recipe.augment)
    code = [phantom.cohort_key(cohort(0, 10)), inspect.getsource(inspect.getmodule(models.compact))]
    return hashlib.sha256(repr((settings, SIDE, phantoms, code)).encode()).hexdigest()[:12]


# --- splitting ------------------------------------------------------------------------------------


def parts(table: pd.DataFrame, n: int, seed: int, val: float = VAL) -> pd.DataFrame:
    """The table with `split`: test as for every n of this seed, n as train and val, the rest none.

    `val`: share of the n images that is watched instead of learnt, 0 where nothing is to be
    watched. Raises ValueError where fewer than n images are left beside the test part.
    """
    held_out = split.holdout(table, test=TEST, val=0, seed=seed)
    pool = held_out[held_out["split"] == "train"]
    if n > len(pool):
        raise ValueError(
            f"{n} training images are asked for; {len(pool)} are left beside the test part"
        )
    chosen = order(pool, seed)[:n]
    inner = split.holdout(table.loc[chosen], test=0, val=val, seed=seed)["split"]
    column = pd.Series(pd.NA, index=table.index, dtype="object")
    column[held_out.index[held_out["split"] == "test"]] = "test"
    column[inner.index] = inner.astype(object)
    return table.assign(split=pd.Categorical(column, categories=split.SPLITS))


def order(pool: pd.DataFrame, seed: int) -> pd.Index:
    """Rows in the order they are drawn: the first n, for any n, have the pool's class shares.

    Within a class whole groups follow each other in random order; whatever the order of the rows.
    """
    groups = np.sort(pool["group"].unique())
    place = pd.Series(np.random.default_rng([seed, 1]).permutation(len(groups)), index=groups)
    rows = pool.assign(place=pool["group"].map(place)).sort_values(["label", "place", "image_id"])
    within = rows.groupby("label", observed=True)
    rows["share"] = (within.cumcount() + 0.5) / within["image_id"].transform("size")
    return rows.sort_values(["share", "label"], kind="stable").index


# --- training -------------------------------------------------------------------------------------


def cohort(seed: int, n: int, **options) -> pd.DataFrame:
    """The design of the phantoms for pretraining: as varied as they come."""
    varied = {"sites": ("A", "B", "C"), "age_groups": ("adult", "child")}
    return phantom.design("five_classes", n, seed, **(varied | options))


def drawn(store: Path, design: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """A design as manifest and images; the files go as soon as they are read."""
    with tempfile.TemporaryDirectory(dir=store) as folder:
        root = phantom.write(design, Path(folder) / "phantoms", masks=False, progress=False)
        table = manifest.from_folder(root, patient=r"(P\d+)_", progress=False).table
        images = np.array(
            preprocess.cache(table, SIDE, folder=Path(folder) / "cache", progress=False)
        )
    return table.assign(group=table["patient"]), images


def pretrained(store: Path, seed: int, design: pd.DataFrame, recipe: models.Recipe) -> Path:
    """The weights that a network learnt on phantoms, from the store where they are there."""
    path = store / f"pretrained-{seed}.weights.h5"
    if not path.is_file():
        started, used = time.perf_counter(), _cpu()
        table, images = drawn(store, design)
        table = split.holdout(table, test=0, val=0.15, seed=seed)
        fitted = _fit(recipe, table, images, seed)
        result = train.predict(
            fitted.model, table, images, split="val", name="pretraining", seed=seed
        )
        row = {
            "set": "phantom",
            "arm": "pretraining",
            "n": len(table),
            "seed": seed,
            "epochs": recipe.epochs,
        }
        row |= _scores(result) | {
            "seconds": time.perf_counter() - started,
            "cpu_seconds": _cpu() - used,
        }
        with files.whole_file(path) as part:
            fitted.model.save_weights(part)
            append(store / "runs.csv", row)
        print(
            f"pretraining, seed {seed}: {row['seconds']:.0f} s, macro-F1 {row['f1_macro']:.3f} on "
            "its own",
            flush=True,
        )
    return path


def _real(name: str, data_dir, weights: dict[int, Path]) -> Task:
    table = datasets.load(name, data_dir)
    return Task(name, duplicates.add_groups(table), preprocess.cache(table, SIDE), weights)


def run(
    store: Path, task: Task, arm: str, n: int, seed: int, recipe: models.Recipe
) -> pd.DataFrame:
    """Predictions of one training for its seed's test part, from the store if there."""
    name = f"{task.name}-{manifest.digest(task.table)[:8]}-{arm}-{n}-{seed}-{_settings(recipe)}.csv"
    stored = store / name
    if not stored.is_file():
        table = parts(task.table, n, seed, VAL if recipe.patience else 0)
        split.assert_disjoint(table)
        started, used = time.perf_counter(), _cpu()
        start = (
            recipe if arm == "scratch" else replace(recipe, build=starting_from(task.weights[seed]))
        )
        fitted = _fit(start, table, task.images, seed)
        result = train.predict(fitted.model, table, task.images, split="test", name=arm, seed=seed)
        row = {
            "set": task.name,
            "arm": arm,
            "n": n,
            "seed": seed,
            "val": int((table["split"] == "val").sum()),
        }
        row |= {"epochs": len(fitted.history), "learning_rate": recipe.learning_rate} | _scores(
            result
        )
        row |= {"seconds": time.perf_counter() - started, "cpu_seconds": _cpu() - used}
        append(store / "runs.csv", row)
        _write(result, stored)
        print(
            f"{task.name} {arm} n = {n} seed {seed}: {row['seconds']:.0f} s, {row['f1_macro']:.3f}",
            flush=True,
        )
    return pd.read_csv(stored).astype(
        {"label": task.table["label"].dtype, "predicted": task.table["label"].dtype}
    )


def starting_from(weights: Path):
    """A builder of the compact network whose layers but the last start with a file's weights."""

    def build(n_classes: int, size: int):
        model = models.compact(n_classes, size)
        learnt = models.compact(5, size)
        learnt.load_weights(weights)
        for layer, source in zip(model.layers[:-1], learnt.layers[:-1], strict=True):
            layer.set_weights(source.get_weights())
        return model

    return build


def _fit(recipe: models.Recipe, table: pd.DataFrame, images: np.ndarray, seed: int) -> train.Fitted:
    with quiet():
        import keras
    keras.backend.clear_session()
    return train.fit(recipe, table, images, seed=seed, progress=False)


def _cpu() -> float:
    """Seconds of processor time, of this process and those that it started."""
    return sum(os.times()[:4])


def _scores(predictions: pd.DataFrame) -> dict:
    """n and the metrics of one run."""
    scores = {
        name: evaluate.metric(predictions, name).value for name in pretraining_summary.METRICS
    }
    return {"n_test": len(predictions), "test_groups": predictions["group"].nunique()} | scores


# --- results --------------------------------------------------------------------------------------


def append(path: Path, row: dict) -> None:
    """Add a row to a CSV, whole or not at all; a row of the same run is replaced."""
    rows = pd.DataFrame([row | {"date": datetime.date.today().isoformat()}])
    if path.is_file():
        rows = pd.concat([pd.read_csv(path), rows], ignore_index=True)
    _write(rows.drop_duplicates(["set", "arm", "n", "seed"], keep="last"), path)


def _write(table: pd.DataFrame, path: Path) -> None:
    with files.whole_file(path) as part:
        table.to_csv(part, index=False)


def report(store: Path, tasks: list[Task], options: argparse.Namespace, out: Path) -> None:
    """Write runs, summary and picture, and print the summary."""
    runs = pd.read_csv(store / "runs.csv")
    wanted = runs["set"].isin([*options.sets, "phantom"]) & (
        runs["n"].isin(options.n) | (runs["set"] == "phantom")
    )
    runs = runs[wanted & (runs["seed"] < options.seeds)].round(4)
    rows = []
    for task in tasks:
        for n in options.n:
            both = {
                arm: [
                    run(store, task, arm, n, s, fine_tuning(n, options.epochs))
                    for s in range(options.seeds)
                ]
                for arm in ARMS
            }
            rows += [{"set": task.name, "n": n} | row for row in pretraining_summary.compare(both)]
    command = "python -m benchmarks.phantom_pretraining"
    summary = (
        pd.DataFrame(rows).round(4).assign(date=datetime.date.today().isoformat(), command=command)
    )
    out.mkdir(parents=True, exist_ok=True)
    _write(runs, out / "phantom_pretraining_runs.csv")
    _write(
        summary,
        measured.path("phantom_pretraining") if out == HERE else out / "phantom_pretraining.csv",
    )
    shown = runs[runs["set"] != "phantom"].astype({"arm": pd.CategoricalDtype(ARMS)})
    title = "Fine-tuned on real images, with and without phantoms before"
    picture = plots.learning_curve(
        shown, "f1_macro", title=title, ylabel="macro-F1 on the test part"
    )
    picture.save(out / "phantom_pretraining.png")
    print(summary.drop(columns=["date", "command"]).to_string(index=False), f"\n{picture.alt}")


def tune(store: Path, pretraining: models.Recipe, options: argparse.Namespace) -> None:
    """Compare learning rates and epochs on phantoms of a site that pretraining has not seen.

    Writes a CSV.
    """
    rows, table, images = [], *drawn(store, phantom.design("second_site", 400, TUNING))
    for seed in range(TUNING + 1, TUNING + 1 + options.seeds):
        weights = pretrained(
            store, seed, cohort(seed, options.phantoms, sites=("A", "B")), pretraining
        )
        task = Task("second_site", table, images, {seed: weights})
        for rate, epochs, watched in TRIED:
            recipe = replace(
                FINE_TUNING,
                learning_rate=rate,
                epochs=epochs,
                patience=epochs // 2 if watched else None,
            )
            place = store / f"tuning-{_settings(recipe)}"
            place.mkdir(exist_ok=True)
            for arm in ARMS:
                found = _scores(run(place, task, arm, 50, seed, recipe))
                rows.append(
                    {"arm": arm, "learning_rate": rate, "epochs": epochs, "watched": watched}
                    | found
                )
                rows[-1]["seed"] = seed
    result = (
        pd.DataFrame(rows)
        .groupby(["arm", "learning_rate", "epochs", "watched"], as_index=False)
        .agg(
            f1_macro=("f1_macro", "mean"),
            lowest=("f1_macro", "min"),
            highest=("f1_macro", "max"),
            roc_auc_macro=("roc_auc_macro", "mean"),
            seeds=("seed", "nunique"),
            n_test=("n_test", "first"),
        )
    )
    full = not options.epochs and options.phantoms == PHANTOMS
    command = f"python -m benchmarks.phantom_pretraining --tune --seeds {options.seeds}"
    result = result.round(4).assign(n=50, date=datetime.date.today().isoformat(), command=command)
    _write(result, (options.out or (HERE if full else store)) / "phantom_pretraining_tuning.csv")
    print(result.to_string(index=False))


if __name__ == "__main__":
    main()
