"""DarkCovidNet's set, patients kept together: pixels, frozen features, trained networks.

Features at each cut; networks from scratch and fine-tuned.

    python -m benchmarks.darkcovidnet --data-dir FOLDER                     everything (many hours
    on two cores) python -m benchmarks.darkcovidnet --data-dir FOLDER --rows cheap        pixels and
    frozen features (under an hour)

Five-fold cross-validation, three fold seeds (one for networks that train longer). `grouped` folds
keep patients and near-duplicates together: NIH file names tell the patient (some are in two
classes); the COVID files' names do not, so films of one COVID patient that do not look alike may be
on two sides. `images` folds are what was published: images at random. Intervals resample groups in
both.

Everything that is chosen (strength of the penalty, cut, size, pooling) is chosen inside each
training part, by grouped cross-validation there; the networks' settings are fixed in
`cxr_helpers.models`, DarkCovidNet's being the published ones. The lists of what may be chosen, and
the kernel, were put together after a look at one training part under another fold seed, so they owe
something to four fifths of the images. The average of the fine-tuned network with the five best was
put down before that network was scored, and after the five best were. The column `models_scored`
says how many rows were scored on the same folds: the best of them is a little lucky. Each (row,
seed, fold) is trained and scored once and kept in `output/darkcovidnet/`, so an interrupted run
goes on where it stopped.
"""

import argparse
import datetime
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import (
    baselines,
    datasets,
    duplicates,
    evaluate,
    files,
    manifest,
    measured,
    models,
    preprocess,
    quiet,
    split,
    transfer,
    uncertainty,
)
from cxr_helpers import train as training

STORE = Path(__file__).parents[1] / "output" / "darkcovidnet"
FOLDS, NAME = 5, "efficientnet_lite0"
STAGES = ("stem", *(f"block{n}" for n in range(1, 8)), "head")
JOINED = {
    "blocks 4-5": (4, 5),
    "blocks 3-5": (3, 4, 5),
    "blocks 4-6": (4, 5, 6),
    "blocks 2-6": (2, 3, 4, 5, 6),
}
PIXEL_CS = (1e-5, 1e-4, 1e-3, 1e-2)
TASKS = {
    "three classes": ("normal", "covid", "pneumonia"),
    "covid against no finding": ("normal", "covid"),
}
EPOCHS = 20  # of the 100 published: what two cores train in some seven minutes a fold
DARKCOVIDNET = replace(models.RECIPES["darkcovidnet"], epochs=EPOCHS)
FINE_TUNED = models.fine_tuning(NAME, cut="block6", unfreeze_from="block3")
PUBLISHED = {  # Ozturk et al. 2020, doi 10.1016/j.compbiomed.2020.103792
    "three classes": {"accuracy": 0.8702, "f1_macro": 0.8737, "n": 1125},
    "covid against no finding": {"accuracy": 0.9808, "n": 625},
}


@dataclass(frozen=True)
class Row:
    """One line of the table: `run(data, parts, seed)` gives predictions of the split `test`."""

    name: str
    run: Callable
    settings: str
    seeds: int = 3
    protocols: tuple[str, ...] = ("grouped",)
    cheap: bool = True

    @property
    def key(self) -> str:
        """Name of its files: changes with its settings."""
        settings = hashlib.sha256(self.settings.encode()).hexdigest()[:6]
        return f"{self.name.replace(' ', '_')}-{settings}"


@dataclass(frozen=True)
class Data:
    """The table of one task, with groups, and its store."""

    task: str
    table: pd.DataFrame
    store: Path


@cache
def pixels(path: str, size: int, fit: str = "pad") -> np.ndarray:
    """Cached images of the manifest kept at `path`."""
    return preprocess.cache(manifest.read(path), size, fit, progress=False)


def images(data: Data, size: int, fit: str = "pad") -> np.ndarray:
    """Images of a task, prepared once."""
    return pixels(str(data.store / "table.csv"), size, fit)


def stage_features(data: Data, size: int) -> dict[str, np.ndarray]:
    """Mean and deviation of each channel at every stage; the seconds are kept beside them."""
    return _stage_features(data.task, str(data.store), size)


@cache
def _stage_features(task: str, store: str, size: int) -> dict[str, np.ndarray]:
    grey = pixels(str(Path(store, "table.csv")), size)
    wall, cpu = time.perf_counter(), time.process_time()
    found = transfer.stage_features(
        grey, NAME, STAGES, pool=("mean", "std"), folder=Path(store), progress=False
    )
    timing = Path(store, f"features-{size}.json")
    if not timing.is_file():
        spent = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        timing.write_text(json.dumps(spent))
    return found


def menu(data: Data, sizes, stages, joined, pools) -> dict[str, np.ndarray]:
    """Candidates {name: features}."""
    result = {}
    for size in sizes:
        found = stage_features(data, size)
        for pool in pools:
            kept = {
                stage: f if pool == "mean and std" else f[:, : f.shape[1] // 2]
                for stage, f in found.items()
            }
            if pool == "mean":
                result |= {f"{stage}, {size} px": kept[stage] for stage in stages}
            for name in joined:
                parts = [kept[f"block{n}"] for n in JOINED[name]]
                result[f"{name}, {pool}, {size} px"] = np.hstack(parts)
    return result


# --- the rows -------------------------------------------------------------------------------------


def run_pixels(data: Data, parts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Logistic regression on 64x64 pixels, its penalty chosen inside."""
    flat = baselines.shrink(images(data, 224)).reshape(len(parts), -1)
    return transfer.logistic(parts, flat, c=PIXEL_CS, seed=seed)


def run_features(
    data: Data, parts: pd.DataFrame, seed: int, best: int, kernel: bool, **choice
) -> pd.DataFrame:
    """Logistic regression on frozen features, straight or by a kernel; `choice` as for `menu`."""
    return transfer.logistic(parts, menu(data, **choice), best=best, kernel=kernel, seed=seed)


def run_network(
    data: Data, parts: pd.DataFrame, seed: int, recipe: models.Recipe, size: int, fit: str
) -> pd.DataFrame:
    """A network trained on the training part."""
    import keras

    grey = images(data, size, fit)
    fitted = training.fit(recipe, parts, grey, seed=seed, progress=False)
    result = training.predict(fitted.model, parts, grey, split="test", seed=seed)
    keras.backend.clear_session()
    return result.assign(seconds=fitted.seconds, chosen="")


def run_average(data: Data, parts: pd.DataFrame, seed: int, of: tuple[Row, ...]) -> pd.DataFrame:
    """Mean of the probabilities that other rows gave for the same fold."""
    fold = int(parts.loc[parts["split"] == "test", "fold"].iloc[0])
    files = [stored(data.store, row, "grouped", seed, fold) for row in of]
    if missing := [row.name for row, file in zip(of, files, strict=True) if not file.is_file()]:
        raise SystemExit(f"the average needs these rows first: {', '.join(missing)}")
    found = [pd.read_csv(file, keep_default_na=False) for file in files]
    spent = sum(float(part["seconds"].iloc[0]) for part in found)
    return uncertainty.ensemble(found).assign(seconds=spent, chosen="")


def rows(epochs: int | None = None) -> list[Row]:
    """The lines of the table; `epochs` instead of the recipes', for a trial run."""
    both = ("grouped", "images")
    result = [Row("pixels + logistic regression", run_pixels, repr(PIXEL_CS), protocols=both)]
    for size in (224, 320):
        for stage in STAGES:
            choice = {"sizes": (size,), "stages": (stage,), "joined": (), "pools": ("mean",)}
            result.append(features_row(f"frozen {stage}, {size} px", choice))
    blocks = tuple(f"block{n}" for n in range(2, 8))
    short = {"sizes": (320,), "stages": blocks[:5], "joined": tuple(JOINED), "pools": ("mean",)}
    long = {
        "sizes": (224, 320),
        "stages": blocks,
        "joined": tuple(JOINED),
        "pools": ("mean", "mean and std"),
    }
    result.append(features_row("frozen, chosen inside: short list", short, protocols=both))
    result.append(features_row("frozen, chosen inside: long list", long))
    bent = long | {"stages": (), "joined": ("blocks 4-5", "blocks 3-5", "blocks 4-6")}
    result.append(features_row("frozen, chosen inside: kernel", bent, protocols=both, kernel=True))
    result.append(features_row("frozen, five best averaged: kernel", bent, best=5, kernel=True))
    result.append(features_row("frozen, five best averaged: long list", long, best=5))
    networks = [("compact network", models.RECIPES["compact"], 224, "pad", 3, ("grouped",))]
    networks += [(f"DarkCovidNet rebuilt, {EPOCHS} epochs", DARKCOVIDNET, 256, "squash", 1, both)]
    networks += [("fine-tuned", FINE_TUNED, 224, "pad", 1, ("grouped",))]
    for name, recipe, size, fit, seeds, protocols in networks:
        recipe = (
            replace(recipe, epochs=epochs, head_epochs=min(recipe.head_epochs, 1))
            if epochs
            else recipe
        )
        result.append(network_row(name, recipe, size, fit, seeds, protocols))
    known = {row.name: row for row in result}
    of = (known["frozen, five best averaged: kernel"], known["fine-tuned"])
    average, settings = partial(run_average, of=of), repr([row.key for row in of])
    result.append(
        Row("fine-tuned and five best, averaged", average, settings, seeds=1, cheap=False)
    )
    return result


def features_row(
    name: str, choice: dict, best: int = 1, protocols=("grouped",), kernel: bool = False
) -> Row:
    def run(data, parts, seed):
        return run_features(data, parts, seed, best, kernel, **choice)

    return Row(
        name,
        run,
        repr((choice, best, transfer.KERNEL_CS if kernel else transfer.CS)),
        protocols=protocols,
    )


def network_row(
    name: str, recipe: models.Recipe, size: int, fit: str, seeds: int, protocols
) -> Row:
    def run(data, parts, seed):
        return run_network(data, parts, seed, recipe, size, fit)

    plain = {k: v for k, v in vars(recipe).items() if k not in ("build", "unfreeze")}
    extra = [str(getattr(f, "keywords", "")) for f in (recipe.build, recipe.unfreeze)]
    return Row(name, run, repr((plain, extra, size, fit)), seeds, protocols, cheap=False)


# --- running --------------------------------------------------------------------------------------


def main() -> None:
    options = _arguments()
    with quiet():
        import keras  # noqa: F401
    listed = [row for row in rows(options.epochs) if _wanted(row, options)]
    store = options.store / ("full" if not options.limit else f"limit{options.limit}")
    table = load(options.data_dir, options.limit)
    for task in options.tasks:
        data = task_data(task, table, store)
        for row in listed:
            for protocol in row.protocols:
                for seed in range(min(row.seeds, options.seeds)):
                    for fold in range(FOLDS):
                        run_fold(data, row, protocol, seed, fold)
    result = summary(rows(options.epochs), table, store)
    command = "python -m benchmarks.darkcovidnet"
    result = result.assign(date=datetime.date.today().isoformat(), command=command)
    trial = options.limit or options.epochs or options.store != STORE
    result.to_csv(
        store / "darkcovidnet.csv" if trial else measured.path("darkcovidnet"), index=False
    )
    print(result.drop(columns=["date", "command", "note"]).to_string(index=False))


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument(
        "--rows", default="all", help="all, cheap, networks, or the beginning of a row's name"
    )
    arguments.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    arguments.add_argument("--seeds", type=int, default=3, help="at most so many fold seeds")
    arguments.add_argument(
        "--limit", type=int, default=None, help="images per class, for a trial run"
    )
    arguments.add_argument(
        "--epochs", type=int, default=None, help="instead of the recipes', for a trial run"
    )
    arguments.add_argument("--store", type=Path, default=STORE)
    return arguments.parse_args()


def _wanted(row: Row, options) -> bool:
    known = {"all": True, "cheap": row.cheap, "networks": not row.cheap}
    return known.get(options.rows, row.name.startswith(options.rows))


def load(data_dir, limit: int | None) -> pd.DataFrame:
    """The set's manifest with groups; `limit`: the first images of each class."""
    table = datasets.load("darkcovidnet", data_dir)
    if limit:
        table = table.groupby("label", observed=True).head(limit).reset_index(drop=True)
    return duplicates.add_groups(table, duplicates.pairs(table, progress=False))


def task_data(task: str, table: pd.DataFrame, store: Path) -> Data:
    """The rows of the task's classes, written beside its results."""
    wanted = table[table["label"].isin(TASKS[task])].reset_index(drop=True)
    wanted = wanted.assign(label=wanted["label"].cat.remove_unused_categories())
    folder = store / task.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    manifest.write(wanted, folder / "table.csv")
    return Data(task, wanted, folder)


def run_fold(data: Data, row: Row, protocol: str, seed: int, fold: int) -> None:
    """Train and score one fold, unless that is done."""
    file = stored(data.store, row, protocol, seed, fold)
    if file.is_file():
        return
    # Over images every image is its own group, in the inner folds too: what is chosen then knows of
    # no patient either.
    known = data.table if protocol == "grouped" else data.table.assign(group=data.table["image_id"])
    folded = split.folds(known, FOLDS, seed)
    held_out = (folded["fold"] == fold).to_numpy(bool)
    column = pd.Categorical(np.where(held_out, "test", "train"), categories=split.SPLITS)
    wall, cpu = time.perf_counter(), time.process_time()
    found = row.run(data, folded.assign(split=column), seed)
    own = data.table.set_index("image_id")["group"]
    found = found.assign(
        model=row.name, group=found["image_id"].map(own), cpu_seconds=time.process_time() - cpu
    )
    with files.whole_file(file) as part:
        found.to_csv(part, index=False)
    right = (found["label"].astype(str) == found["predicted"].astype(str)).mean()
    spent = time.perf_counter() - wall
    print(
        f"{data.task}, {protocol}, {row.name}, seed {seed}, fold {fold}: {right:.3f}, {spent:.0f} "
        "s",
        flush=True,
    )


def stored(store: Path, row: Row, protocol: str, seed: int, fold: int) -> Path:
    """Where the predictions of one fold lie."""
    return store / f"{row.key}-{protocol}-{seed}-{fold}.csv"


# --- the table ------------------------------------------------------------------------------------


def summary(listed: list[Row], table: pd.DataFrame, store: Path) -> pd.DataFrame:
    """One line per task, protocol and model with all folds of a seed, and the published ones."""
    lines = []
    for task in TASKS:
        folder = store / task.replace(" ", "_")
        every = [
            table_line(folder, task, row, protocol) for row in listed for protocol in row.protocols
        ]
        found = [line for line in every if line is not None]
        for protocol in ("grouped", "images"):
            own = [line for line in found if line["protocol"] == protocol]
            lines += [line | {"models_scored": len(own)} for line in own]
        lines.append(
            {
                "task": task,
                "protocol": "images",
                "model": "DarkCovidNet as published",
                **PUBLISHED[task],
            }
            | {
                "note": (
                    "another subset (all images), random folds of images, 100 epochs, "
                    "validation = test"
                )
            }
        )
    return pd.DataFrame(lines).reindex(columns=COLUMNS).round(6)


COLUMNS = [
    "task",
    "protocol",
    "model",
    *(f"{metric}{end}" for metric in ("accuracy", "f1_macro") for end in ("", "_low", "_high")),
    "n",
    "groups",
    "fold_seeds",
    "models_scored",
    "seconds_per_fold",
    "cpu_seconds_per_fold",
    "feature_cpu_seconds",
    "chosen",
    "note",
]


def table_line(folder: Path, task: str, row: Row, protocol: str) -> dict | None:
    complete = []
    for seed in range(row.seeds):
        files = [stored(folder, row, protocol, seed, fold) for fold in range(FOLDS)]
        if all(file.is_file() for file in files):
            complete += [pd.read_csv(file, keep_default_na=False) for file in files]
    if not complete:
        return None
    found = pd.concat(complete, ignore_index=True)
    line = {"task": task, "protocol": protocol, "model": row.name}
    for metric in ("accuracy", "f1_macro"):
        estimate = evaluate.metric(found, metric)
        line |= {
            metric: estimate.value,
            f"{metric}_low": estimate.low,
            f"{metric}_high": estimate.high,
        }
    per_fold = (
        found.groupby(["seed", "fold"])[["seconds", "cpu_seconds"]].first().astype(float).mean()
    )
    line |= {"n": found["image_id"].nunique(), "groups": found["group"].nunique()}
    line |= {"fold_seeds": found["seed"].nunique(), "seconds_per_fold": per_fold["seconds"]}
    line |= {
        "cpu_seconds_per_fold": per_fold["cpu_seconds"],
        "feature_cpu_seconds": _feature_seconds(folder, row),
    }
    chosen = found["chosen"][found["chosen"] != ""]
    line["chosen"] = (
        chosen.groupby([found["seed"], found["fold"]]).first().value_counts().index[0]
        if len(chosen)
        else ""
    )
    return line | {"note": ""}


def _feature_seconds(folder: Path, row: Row) -> float | None:
    """CPU seconds that the features of the sizes a row uses took, all stages together."""
    sizes = [
        size for size in (224, 320) if f"{size}" in row.settings and row.name.startswith("frozen")
    ]
    files = [folder / f"features-{size}.json" for size in sizes]
    known = [json.loads(file.read_text())["cpu_seconds"] for file in files if file.is_file()]
    return sum(known) if known else None


if __name__ == "__main__":
    main()
