"""What can be told without the lungs on two published sets: file, source, outer frame, image.

The last is the whole image.

    python -m benchmarks.shortcuts --data-dir FOLDER       a few minutes on two cores
    python -m benchmarks.shortcuts --from-predictions      the figures again, from
    benchmarks/predictions/

Case E's set (317 images) and DarkCovidNet's (the 925 images at hand). Five folds that keep
patients, where they are named, and near-duplicates together; three repeats with other folds, whose
AUCs are averaged; intervals by group. Nothing is chosen: width of the frame (6 of 64 pixels), trees
and penalty are fixed here. The AUC is that of COVID against all other images, and the mean over the
classes.

"file properties": format, colour mode, size, bytes per pixel; not the source, which has a row of
its own: how often each class comes from there. DarkCovidNet's source is read from the file's name
(NIH's begin with a number of the patient); case E's set names none. The copies measured are not the
published files: case E's were made 640×640 by the copy's maker, DarkCovidNet's are grey, at most
384 pixels wide or high, JPEG quality 92; so their properties may say less than the originals'
would.
"""

import argparse
import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks import stored
from cxr_helpers import (
    audit,
    baselines,
    datasets,
    duplicates,
    evaluate,
    measured,
    preprocess,
    split,
)

SETS = ("covid19-image-dataset", "darkcovidnet")
SEEDS = (0, 1, 2)
CENTRE = 16  # pixels of 64 cut off on each side
Baseline = Callable[[int], pd.DataFrame]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    arguments.add_argument("--from-predictions", action="store_true")
    options = arguments.parse_args()
    every = []
    for name in options.sets:
        if options.from_predictions:
            models = stored.read(f"shortcuts_{name}")
        else:
            models = predictions(name, options.data_dir)
            stored.keep(f"shortcuts_{name}", models)
        every += [{"set": name, "seen": what} | figures(found) for what, found in models.items()]
    result = pd.DataFrame(every)
    result = result.assign(
        date=datetime.date.today().isoformat(), command="python -m benchmarks.shortcuts"
    ).round(4)
    print(result.drop(columns=["date", "command"]).to_string(index=False))
    if tuple(options.sets) == SETS:
        result.to_csv(measured.path("shortcuts"), index=False)


def predictions(name: str, data_dir) -> dict[str, pd.DataFrame]:
    """Predictions of each baseline of a set, all repeats."""
    table = datasets.load(name, data_dir)
    table = duplicates.add_groups(table, duplicates.pairs(table, progress=False))
    # no black added to tell a shape by
    images = np.asarray(preprocess.cache(table, 224, "squash", progress=False))
    small = np.round(baselines.shrink(images)).astype(np.uint8)
    scorers = models(table, small).items()
    return {
        what: pd.concat([score(seed) for seed in SEEDS], ignore_index=True)
        for what, score in scorers
    }


def models(table: pd.DataFrame, small: np.ndarray) -> dict[str, Baseline]:
    """The baselines, each a function seed → predictions, in the order of the table."""
    centre = np.ascontiguousarray(small[:, CENTRE:-CENTRE, CENTRE:-CENTRE])
    found: dict[str, Baseline] = {
        "file properties": lambda seed: audit.file_properties_baseline(
            table.assign(source=None), seed
        )
    }
    if table["source"].nunique() > 1:
        found["source alone"] = lambda seed: audit.source_baseline(table, seed)
    found["frame, random forest"] = lambda seed: audit.frame_baseline(table, small, seed, trees=200)
    found["frame, logistic regression"] = lambda seed: linear(table, only_frame(small), seed)
    found["centre, logistic regression"] = lambda seed: linear(table, centre, seed)
    found["whole image, logistic regression"] = lambda seed: linear(table, small, seed)
    return found


def only_frame(images: np.ndarray, width: int = 6) -> np.ndarray:
    """The images with everything inside the frame black."""
    inside = np.zeros(images.shape[1:], bool)
    inside[width:-width, width:-width] = True
    return audit.masked(images, inside, "outside")


def linear(table: pd.DataFrame, images: np.ndarray, seed: int) -> pd.DataFrame:
    """Logistic regression on the pixels, each image scored by a model of other folds."""
    return baselines.logistic_regression(split.folds(table, 5, seed), images, folds=True, seed=seed)


def figures(found: pd.DataFrame) -> dict:
    """AUC of COVID against the rest and mean over classes, with intervals; n, groups, repeats."""
    line = {}
    for column, estimate in {
        "auc_covid": evaluate.metric(found, "roc_auc", "covid"),
        "auc_macro": evaluate.metric(found, "roc_auc_macro"),
    }.items():
        line |= {
            column: estimate.value,
            f"{column}_low": estimate.low,
            f"{column}_high": estimate.high,
        }
    classes = evaluate.classes(found)
    return line | {
        "n": estimate.n,
        "groups": estimate.groups,
        "repeats": len(SEEDS),
        "classes": ", ".join(classes),
    }


if __name__ == "__main__":
    main()
