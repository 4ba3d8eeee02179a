"""Case E's set, grouped 5-fold: its network, the compact one and the baselines from one run.

    python -m benchmarks.case_e --data-dir FOLDER
    python -m benchmarks.case_e --from-predictions      the figures again, from
    benchmarks/predictions/

Folds keep patients and near-duplicates together. Each (model, seed, fold) is trained and scored
once; its predictions are kept in `output/case_e/`, so an interrupted run goes on where it stopped.
The networks take turns fold by fold, so that both meet the same load of the machine. Nothing is
chosen here: the recipes stand in `cxr_helpers.models`, and the compact one was settled on images of
another set. The images of case E's network are not only zoomed and mirrored, as in its recipe
there, but also shifted and turned: `benchmarks.case_e_review` has both.
"""

import argparse
import datetime
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks import stored
from cxr_helpers import (
    baselines,
    datasets,
    duplicates,
    evaluate,
    files,
    measured,
    models,
    pipeline,
    preprocess,
    quiet,
    split,
    train,
)

STORE = Path(__file__).parents[1] / "output" / "case_e"
STRONG = pipeline.Augmentation(zoom=0.2, shift=0.1, rotation=10, contrast=0, flip=True)
RECIPES = {
    "case_e": replace(models.RECIPES["case_e"], augment=STRONG),
    "compact": models.RECIPES["compact"],
}
NETWORKS = tuple(RECIPES)
SIZE, FOLDS, FOLD_SEED = 224, 5, 1


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--from-predictions", action="store_true")
    options = arguments.parse_args()
    predictions = (
        stored.read("case_e")
        if options.from_predictions
        else trained(options.data_dir, options.seeds)
    )
    stored.keep("case_e", predictions)
    result = summary(predictions)
    command = f"python -m benchmarks.case_e --seeds {predictions['compact']['seed'].nunique()}"
    result.assign(date=datetime.date.today().isoformat(), command=command).to_csv(
        measured.path("case_e"), index=False
    )
    print(result.to_string(index=False))
    print(difference(predictions).to_string(index=False))


def trained(data_dir, seeds: int) -> dict[str, pd.DataFrame]:
    """Predictions of every model over all folds and seeds."""
    table = datasets.load("covid19-image-dataset", data_dir)
    images = preprocess.cache(table, SIZE)
    table = split.folds(duplicates.add_groups(table), FOLDS, FOLD_SEED)
    STORE.mkdir(parents=True, exist_ok=True)
    predictions = score_baselines(table, images)
    for seed in range(seeds):
        for fold in range(FOLDS):
            for name in NETWORKS:
                part = network_fold(name, table, images, seed, fold)
                predictions[name] = pd.concat([predictions.get(name), part], ignore_index=True)
    return predictions


def score_baselines(table: pd.DataFrame, images) -> dict[str, pd.DataFrame]:
    """Predictions of the three baselines over all folds."""
    return {
        "majority": baselines.majority(table, images, folds=True),
        "nearest neighbour": baselines.nearest_neighbour(table, images, folds=True),
        "logistic regression": baselines.logistic_regression(table, images, folds=True),
    }


def network_fold(name: str, table: pd.DataFrame, images, seed: int, fold: int) -> pd.DataFrame:
    """Predictions of one network for one fold, from the store where they are there."""
    stored = STORE / f"{name}-{seed}-{fold}.csv"
    if not stored.is_file():
        with quiet():
            import keras
        parts = table.assign(split=(table["fold"] == fold).map({True: "test", False: "train"}))
        fitted = train.fit(RECIPES[name], parts, images, seed=seed)
        result = train.predict(fitted.model, parts, images, split="test", name=name, seed=seed)
        result["seconds"], result["parameters"] = fitted.seconds, fitted.model.count_params()
        with files.whole_file(stored) as part:
            result.to_csv(part, index=False)
        keras.backend.clear_session()
        right = (result["label"].astype(str) == result["predicted"].astype(str)).mean()
        print(
            f"{name} seed {seed} fold {fold}: {fitted.seconds:.0f} s, accuracy {right:.3f}",
            flush=True,
        )
    return pd.read_csv(stored).astype(
        {"label": table["label"].dtype, "predicted": table["label"].dtype}
    )


def summary(predictions: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per model: accuracy and macro-F1 with intervals by group.

    Also n, seconds per fold and parameters.
    """
    rows = []
    for name, part in predictions.items():
        row = {"model": name}
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
            "folds": FOLDS,
            "seeds": part["seed"].nunique(),
        }
        network = "seconds" in part
        row["seconds_per_training"] = (
            part.groupby(["seed", "fold"])["seconds"].first().mean() if network else None
        )
        row["parameters"] = int(part["parameters"].iloc[0]) if network else None
        rows.append(row)
    return pd.DataFrame(rows).round(4)


def difference(predictions: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Paired differences of the compact network with each model, by group, written to a CSV."""
    rows = []
    for other in predictions:
        if other == "compact":
            continue
        for metric in ("accuracy", "f1_macro"):
            compact = predictions["compact"]
            repeats = (
                [predictions[other]]
                if other in NETWORKS
                else [
                    predictions[other].assign(seed=seed)
                    for seed in sorted(compact["seed"].unique())
                ]
            )
            found = evaluate.compare(compact, pd.concat(repeats), metric)
            rows.append(
                {
                    "compact minus": other,
                    "metric": metric,
                    "difference": found.value,
                    "low": found.low,
                }
            )
            rows[-1] |= {"high": found.high, "p": found.p, "n": found.n, "groups": found.groups}
    result = pd.DataFrame(rows).round(4)
    result.to_csv(measured.path("case_e_differences"), index=False)
    return result


if __name__ == "__main__":
    main()
