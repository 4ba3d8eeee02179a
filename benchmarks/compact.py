"""The compact network beside an earlier one and frozen features, timed against case E's recipe.

The earlier one is that of another commit.

    python -m benchmarks.compact --data-dir FOLDER --against CHECKOUT

Time and quality from one run on one core, on two sets, in whole groups, five folds. CHECKOUT is a
checkout of the commit to compare with (`git worktree add`): its compact network is trained by its
own recipe and its own `train.fit`. The models take turns fold by fold, so that all meet the same
load of the machine; one epoch before them, which nobody scores, warms TensorFlow up. Each fold is
trained and scored once; predictions and times are kept in `output/`, so an interrupted run goes on
where it stopped. Nothing is chosen here: `benchmarks/compact_tried.csv` holds what was tried, and
on which images (250 of each training part, one seed; `averaged`: side of the blocks of pixels that
the network averages first, `averaged_once`: of those averaged before training already; `gap`:
macro-F1 less that of the recipe of 43e5543 on the same images, with its interval by group; `grain`
is that of `pipeline.Augmentation`).

Case E's recipe is trained on its own set, in three folds, for one epoch and for three: the
seventeen others of its twenty take what the second and the third took. Its quality is measured by
`benchmarks.case_e`.
"""

import argparse
import datetime
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import case_e
from cxr_helpers import (
    datasets,
    duplicates,
    evaluate,
    files,
    measured,
    models,
    preprocess,
    quiet,
    split,
    train,
    transfer,
)

STORE = Path(__file__).parents[1] / "output" / "compact"
BEFORE, NOW, FROZEN = "compact before", "compact", "frozen features, cut chosen inside"
MODELS = (BEFORE, NOW, FROZEN)
YARDSTICK, ROUNDS = "case_e", 3
SETS = ("covid19-image-dataset", "darkcovidnet")
CUTS = ("block3", "block4", "block5", "block6")
SEED = 0


def main() -> None:
    options = _arguments()
    _one_core()
    before = package_of(options.against)
    fits = {
        BEFORE: partial(before.train.fit, before.models.RECIPES[NOW]),
        NOW: partial(train.fit, models.RECIPES[NOW]),
    }
    lines = []
    for name in options.sets:
        table, images = load(name, options.data_dir)
        own = name == SETS[0]
        folder = case_e.STORE if own else STORE / name
        folder.mkdir(parents=True, exist_ok=True)
        warm_up(fits[BEFORE], table, images)
        features, once = frozen(images, folder)
        found, yardstick = {model: [] for model in MODELS}, []
        for fold in range(case_e.FOLDS):
            if own and fold < ROUNDS:
                yardstick.append(recipe_time(table, images, fold, folder))
            for model in MODELS:
                found[model].append(
                    scored(model, fits.get(model), table, images, features, fold, folder)
                )
        predictions = {model: pd.concat(parts, ignore_index=True) for model, parts in found.items()}
        lines += [line(name, model, predictions, once, pd.DataFrame(yardstick)) for model in MODELS]
        lines += [yardstick_line(name, table, pd.DataFrame(yardstick))] if own else []
    result = pd.DataFrame(lines).round(4)
    command = f"python -m benchmarks.compact --against {commit(options.against)}"
    result = result.assign(date=datetime.date.today().isoformat(), command=command)
    print(result.drop(columns=["date", "command"]).to_string(index=False))
    if set(options.sets) == set(SETS):
        result.to_csv(measured.path("compact"), index=False)


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument(
        "--against", type=Path, required=True, help="a checkout of the commit to compare with"
    )
    arguments.add_argument(
        "--sets", nargs="+", default=list(SETS), choices=SETS, help="the CSV needs both"
    )
    return arguments.parse_args()


def _one_core() -> None:
    """One core for everything, and one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    with quiet():
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def package_of(checkout: Path):
    """The package of another checkout, imported under another name."""
    file = checkout / "cxr_helpers" / "__init__.py"
    if not file.is_file():
        raise SystemExit(f"no {file}: give --against a checkout of the commit to compare with")
    spec = importlib.util.spec_from_file_location(
        "before", file, submodule_search_locations=[str(file.parent)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["before"] = package
    spec.loader.exec_module(package)
    for module in ("models", "train"):
        importlib.import_module(f"before.{module}")
    return package


def commit(checkout: Path) -> str:
    """The commit of a checkout, short."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def load(name: str, data_dir) -> tuple[pd.DataFrame, np.ndarray]:
    """A set's table with folds of whole groups, and its images."""
    table = duplicates.add_groups(datasets.load(name, data_dir))
    return split.folds(table, case_e.FOLDS, case_e.FOLD_SEED), preprocess.cache(table, case_e.SIZE)


def parts_of(table: pd.DataFrame, fold: int) -> pd.DataFrame:
    return table.assign(split=np.where(table["fold"] == fold, "test", "train"))


def warm_up(fit: Callable, table: pd.DataFrame, images: np.ndarray) -> None:
    """One epoch that nobody scores: TensorFlow's own start-up is not the first network's."""
    import keras

    fit(parts_of(table, 0), images, epochs=1, progress=False)
    keras.backend.clear_session()


def timed(work: Callable) -> tuple[object, dict]:
    """What `work` returns, and its seconds by the clock and by the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def recipe_time(table: pd.DataFrame, images: np.ndarray, fold: int, folder: Path) -> dict:
    """Seconds of a training by case E's recipe: one epoch, the others by the second and third."""
    file = folder / f"yardstick-{SEED}-{fold}.json"
    if not file.is_file():
        import keras

        recipe, spent = models.RECIPES[YARDSTICK], []
        for epochs in (1, 3):
            fit = partial(
                train.fit,
                recipe,
                parts_of(table, fold),
                images,
                seed=SEED,
                epochs=epochs,
                progress=False,
            )
            spent.append(timed(fit)[1])
            keras.backend.clear_session()
        one, three = spent
        whole = {
            which: one[which] + (three[which] - one[which]) / 2 * (recipe.epochs - 1)
            for which in one
        }
        file.write_text(json.dumps({"fold": fold} | whole))
        print(f"recipe, fold {fold}: {whole['cpu_seconds']:.1f} s of CPU", flush=True)
    return json.loads(file.read_text())


def frozen(images: np.ndarray, folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Features of all images at each cut, and the seconds that they took when they were made."""
    work = partial(transfer.stage_features, images, cuts=CUTS, folder=folder, progress=False)
    features, spent = timed(work)
    file = folder / "compact-features.json"
    if not file.is_file():
        file.write_text(json.dumps(spent))
    return features, json.loads(file.read_text())


def scored(
    model: str, fit: Callable | None, table: pd.DataFrame, images, features, fold: int, folder: Path
):
    """Predictions of one model for one fold, with its training's seconds; kept ones are read."""
    file = folder / f"{model.replace(' ', '_')}-{SEED}-{fold}.csv"
    if not file.is_file():
        parts = parts_of(table, fold)
        if fit is None:
            result, spent = timed(
                partial(transfer.logistic, parts, features, seed=SEED, name=model)
            )
            parameters = None
        else:
            import keras

            fitted, spent = timed(partial(fit, parts, images, seed=SEED, progress=False))
            # an earlier commit's did not carry them
            train.name_classes(fitted.model, table["label"].cat.categories)
            result = train.predict(fitted.model, parts, images, split="test", name=model, seed=SEED)
            parameters = fitted.model.count_params()
            keras.backend.clear_session()
        result = result.assign(**spent, parameters=parameters)
        with files.whole_file(file) as part:
            result.to_csv(part, index=False)
        print(
            f"{name_of(folder)}: {model}, fold {fold}: {spent['cpu_seconds']:.1f} s of CPU",
            flush=True,
        )
    classes = table["label"].dtype
    return pd.read_csv(file).astype({"label": classes, "predicted": classes})


def name_of(folder: Path) -> str:
    return SETS[0] if folder == case_e.STORE else folder.name


def line(
    name: str, model: str, predictions: dict[str, pd.DataFrame], once: dict, yardstick: pd.DataFrame
) -> dict:
    """One row: quality with intervals by group, seconds of a training, and their ratio.

    The ratio is to the recipe's seconds in the same fold.

    Seconds and ratios are medians, with the least and the most; `features_seconds`, once for all
    images, are not in them. `gap`: macro-F1 of the compact network minus that of this model, paired
    by group.
    """
    part = predictions[model]
    row = {"set": name, "model": model}
    for metric in ("accuracy", "f1_macro"):
        estimate = evaluate.metric(part, metric)
        row |= {
            metric: estimate.value,
            f"{metric}_low": estimate.low,
            f"{metric}_high": estimate.high,
        }
    row |= {
        "n": part["image_id"].nunique(),
        "groups": part["group"].nunique(),
        "folds": part["fold"].nunique(),
    }
    if model != NOW:
        gap = evaluate.compare(predictions[NOW], part, "f1_macro")
        row |= {"gap": gap.value, "gap_low": gap.low, "gap_high": gap.high}
    for which in ("seconds", "cpu_seconds"):
        each = part.groupby("fold")[which].first()
        row |= spread(which, each)
        if len(yardstick):
            row |= spread(f"{which}_ratio", (each / yardstick.set_index("fold")[which]).dropna())
    if model == FROZEN:
        row |= {f"features_{which}": value for which, value in once.items()}
    parameters = part["parameters"].iloc[0]
    return row | {"parameters": None if pd.isna(parameters) else int(parameters)}


def yardstick_line(name: str, table: pd.DataFrame, yardstick: pd.DataFrame) -> dict:
    """The row of case E's recipe: time alone."""
    row = {
        "set": name,
        "model": YARDSTICK,
        "n": len(table),
        "groups": table["group"].nunique(),
        "folds": ROUNDS,
    }
    return (
        row
        | spread("seconds", yardstick["seconds"])
        | spread("cpu_seconds", yardstick["cpu_seconds"])
    )


def spread(name: str, each: pd.Series) -> dict:
    """Median, least and most."""
    return {name: each.median(), f"{name}_low": each.min(), f"{name}_high": each.max()}


if __name__ == "__main__":
    main()
