"""Case E's set: its project as described, on its own folders, and what repairs leave of the figure.

    python -m benchmarks.case_e --data-dir FOLDER            first: the networks on grouped folds
    python -m benchmarks.case_e_transfer --data-dir FOLDER   and the frozen features
    python -m benchmarks.case_e_review --data-dir FOLDER

The recipe is trained on the given split, as it is and without the training images of which the test
part holds a copy, both scored on all images of the given test part; and on folds with whole groups.
The description says "augmentation" and no more, so each is there in two ways: also shifted and
turned, and, tried when that had been seen to do badly on this test part, hence with hindsight,
zoomed and mirrored only, as in `cxr_helpers.models`. The other rows on grouped folds are read from
the predictions that the other two programs keep; of the frozen features, block 4 is the best of
nine cuts scored on these very folds, and the row below it chooses its cut inside each training
part. Each (row, seed, fold) is trained and scored once and kept in `output/case_e_review/`, so an
interrupted run goes on where it stopped; the tables hold what is complete.
"""

import argparse
import datetime
import json
import tempfile
import time
from functools import cache
from pathlib import Path

import pandas as pd

from benchmarks import case_e, case_e_transfer, darkcovidnet
from cxr_helpers import (
    datasets,
    deploy,
    duplicates,
    evaluate,
    files,
    measured,
    models,
    preprocess,
    quiet,
    split,
    train,
)

STORE = Path(__file__).parents[1] / "output" / "case_e_review"
SIZE, CUT = 224, "block4"
METRICS = ("accuracy", "f1_macro", "roc_auc_macro")
PER_CLASS = {"ppv": "precision", "sensitivity": "recall", "f1": "F1"}
MILD, STRONG = "zoomed, mirrored", "also shifted, turned"
GIVEN = tuple(
    f"{what}: {how}" for what in ("as described", "copies taken out") for how in (MILD, STRONG)
)
GROUPED = f"grouped: {MILD}"
JOBS = [  # (row, seed, fold), in the order in which they are worth most
    (GIVEN[0], 0, None),
    (GIVEN[1], 0, None),
    (GIVEN[3], 0, None),
    (GIVEN[1], 1, None),
    (GIVEN[2], 0, None),
    (GIVEN[0], 1, None),
    (GIVEN[2], 1, None),
    *((GROUPED, 0, fold) for fold in range(case_e.FOLDS)),
]
PIXELS = "logistic regression on pixels"
FROZEN = {  # rows of benchmarks.case_e_transfer
    f"frozen features, {CUT}": f"frozen {CUT}, {SIZE} px",
    "frozen features, cut chosen inside": "frozen, chosen inside",
}
COMPARED = {  # row → the row it is compared with, image by image: the first of these that is there
    GIVEN[1]: (GIVEN[0],),
    GIVEN[2]: (GIVEN[0],),
    GIVEN[3]: (GIVEN[1],),
    GROUPED: (GIVEN[0],),
    f"grouped: {STRONG}": (GIVEN[1],),
    PIXELS: (GROUPED, f"grouped: {STRONG}"),
    "compact network, grouped": (PIXELS,),
    f"frozen features, {CUT}": (PIXELS,),
    "frozen features, cut chosen inside": (PIXELS,),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    options = arguments.parse_args()
    with quiet():
        import keras  # noqa: F401
    table = duplicates.add_groups(datasets.load("covid19-image-dataset", options.data_dir))
    images = preprocess.cache(table, SIZE)
    STORE.mkdir(parents=True, exist_ok=True)
    for job in JOBS:
        run(*job, table, images)
        write(complete(table))
    print(measured.read("case_e_review").to_string(index=False))


def write(predictions: dict[str, pd.DataFrame]) -> None:
    """Both tables, from what there is so far."""
    stamp = {
        "date": datetime.date.today().isoformat(),
        "command": "python -m benchmarks.case_e_review",
    }
    lines = [line(name, predictions) for name in predictions]
    pd.DataFrame(lines).round(6).assign(**stamp).to_csv(measured.path("case_e_review"), index=False)
    classes = pd.concat([per_class(name, part) for name, part in predictions.items()])
    classes.round(6).assign(**stamp).to_csv(
        Path(__file__).with_name("case_e_per_class.csv"), index=False
    )


# --- predictions ----------------------------------------------------------------------------------


def without_copies(table: pd.DataFrame) -> pd.DataFrame:
    """The table without the training images whose group stands in the test part, too."""
    in_test = table.loc[table["split"] == "test", "group"].unique()
    kept = table[(table["split"] == "test") | ~table["group"].isin(in_test)].reset_index(drop=True)
    split.assert_disjoint(kept)
    return kept


def run(name: str, seed: int, fold: int | None, table: pd.DataFrame, images) -> None:
    """Train and score one row on the given test part, or on one fold, unless that is done."""
    file = STORE / f"{file_name(name)}-{seed}{'' if fold is None else f'-{fold}'}.csv"
    if file.is_file():
        return
    rows = without_copies(table) if name.startswith("copies") else table
    if fold is not None:
        rows = split.folds(table, case_e.FOLDS, case_e.FOLD_SEED)
        rows["split"] = pd.Categorical(
            rows["fold"].eq(fold).map({True: "test", False: "train"}), split.SPLITS
        )
    recipe = models.RECIPES["case_e"] if name.endswith(MILD) else case_e.RECIPES["case_e"]
    grey = images[table["image_id"].isin(rows["image_id"]).to_numpy()]
    cpu = time.process_time()
    fitted = train.fit(recipe, rows, grey, seed=seed, progress=False)
    found = train.predict(fitted.model, rows, grey, split="test", name=name, seed=seed)
    found = found.assign(seconds=fitted.seconds, cpu_seconds=time.process_time() - cpu)
    keep(found.assign(n_train=int((rows["split"] == "train").sum())), file)
    print(
        f"{name}, {seed}, {fold}: {evaluate.metric(found, 'accuracy')}, {fitted.seconds:.0f} s",
        flush=True,
    )


def file_name(name: str) -> str:
    return name.replace(":", "").replace(",", "").replace(" ", "_")


def keep(found: pd.DataFrame, file: Path) -> None:
    with files.whole_file(file) as part:
        found.to_csv(part, index=False)


def read(file: Path, table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(file).astype(
        {"label": table["label"].dtype, "predicted": table["label"].dtype}
    )


def complete(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Predictions of each row: own ones as far as they are there, and those kept elsewhere.

    Of folds, only all of them count.
    """
    result = {}
    for name in (*GIVEN, GROUPED):
        files = sorted(STORE.glob(f"{file_name(name)}-*.csv"))
        if files and (name in GIVEN or len(files) == case_e.FOLDS):
            result[name] = pd.concat([read(file, table) for file in files], ignore_index=True)
    kept = {
        f"grouped: {STRONG}": sorted(case_e.STORE.glob("case_e-*-*.csv")),
        PIXELS: transfer_files("pixels + logistic regression"),
        "compact network, grouped": sorted(case_e.STORE.glob("compact-*-*.csv")),
        **{name: transfer_files(known_as) for name, known_as in FROZEN.items()},
    }
    return result | {
        name: pd.concat([read(f, table) for f in files], ignore_index=True)
        for name, files in kept.items()
    }


def transfer_files(name: str) -> list[Path]:
    """Where `benchmarks.case_e_transfer` keeps the predictions of one of its rows."""
    row = next(row for row in case_e_transfer.rows() if row.name == name)
    places = [(seed, fold) for seed in range(row.seeds) for fold in range(darkcovidnet.FOLDS)]
    return [darkcovidnet.stored(case_e_transfer.STORE, row, "grouped", *place) for place in places]


# --- the tables -----------------------------------------------------------------------------------


def line(name: str, predictions: dict[str, pd.DataFrame]) -> dict:
    """One row: figures with intervals by group, n, paired difference, seconds and size.

    Size is in parameters and in kilobytes.

    `seeds_compared`: on the given split the seeds that both rows have, on the folds all of the
    row's own.
    """
    part = predictions[name]
    row = {"row": name, "protocol": "given split" if name in GIVEN else "grouped folds"}
    for metric in METRICS:
        found = evaluate.metric(part, metric)
        row |= {metric: found.value, f"{metric}_low": found.low, f"{metric}_high": found.high}
    row |= {
        "n": part["image_id"].nunique(),
        "groups": part["group"].nunique(),
        "seeds": part["seed"].nunique(),
    }
    single = [evaluate.metric(rows, "accuracy").value for _, rows in part.groupby("seed")]
    row |= {
        "lowest_seed": min(single),
        "highest_seed": max(single),
        **difference(name, predictions),
    }
    return (
        row
        | {which: seconds(name, part, which) for which in ("seconds", "cpu_seconds")}
        | size(name)
    )


def difference(name: str, predictions: dict[str, pd.DataFrame]) -> dict:
    """Accuracy of this row less its comparison's, on the images of both, resampled by group."""
    columns = (
        "compared_with",
        "difference",
        "difference_low",
        "difference_high",
        "n_compared",
        "seeds_compared",
    )
    other = next((row for row in COMPARED.get(name, ()) if row in predictions), None)
    if other is None:
        return dict.fromkeys(columns)
    a, b = predictions[name], predictions[other]
    a, b = a[a["image_id"].isin(b["image_id"])], b[b["image_id"].isin(a["image_id"])]
    if name in GIVEN:  # the same seeds on both sides
        a, b = a[a["seed"].isin(b["seed"])], b[b["seed"].isin(a["seed"])]
    found = evaluate.compare(a, b, "accuracy")
    return dict(
        zip(
            columns,
            (other, found.value, found.low, found.high, found.n, a["seed"].nunique()),
            strict=True,
        )
    )


def seconds(name: str, part: pd.DataFrame, which: str) -> float | None:
    """Seconds of one training, by the clock or by the processors.

    For frozen features: of all images' features and one fit.
    """
    if which not in part:
        return None
    one = part.groupby("seed" if name in GIVEN else ["seed", "fold"])[which].first().mean()
    if name not in FROZEN:
        return round(one)
    return round(
        one + json.loads((case_e_transfer.STORE / f"features-{SIZE}.json").read_text())[which]
    )


@cache
def size(name: str) -> dict:
    """Parameters, and kilobytes with 32-bit and 8-bit weights (LiteRT), for any training."""
    if name in (PIXELS, "frozen features, cut chosen inside"):
        return {}  # no network, or another one in each fold
    model = frozen() if name in FROZEN else models.RECIPES[network_of(name)].build(3, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        files = deploy.export(model, folder, ["float32", "int8"]).set_index("name")["kB"]
    return {
        "parameters": model.count_params(),
        "kB": round(files["float32"]),
        "kB_int8": round(files["int8"]),
    }


def network_of(name: str) -> str:
    return "compact" if name.startswith("compact") else "case_e"


def frozen():
    """The backbone up to the cut, the mean over places, a dense layer: the last row's file."""
    import keras

    lower = models.backbone("efficientnet_lite0", CUT, size=SIZE)
    pooled = keras.layers.GlobalAveragePooling2D()(lower.output)
    return keras.Model(lower.input, keras.layers.Dense(3, activation="softmax")(pooled))


def per_class(name: str, part: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall and F1 of each class, with intervals."""
    found = evaluate.metrics(part)
    found = found[found["metric"].isin(PER_CLASS) & (found["class"] != "all")]
    found = found.assign(row=name, metric=found["metric"].map(PER_CLASS))
    return found[["row", "class", "metric", "value", "low", "high", "n", "groups"]]


if __name__ == "__main__":
    main()
