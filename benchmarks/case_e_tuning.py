"""Case E's network, six settings on drawn images: what choosing by validation brings on the test.

    python -m benchmarks.case_e_tuning

Learning rate and dropout of the described network, as in class mode (56 pixels, 20 epochs, batch
16, zoomed and mirrored), on five cohorts of case E's design. In each cohort a fifth of the training
groups is the validation part; every setting is trained once on the rest, the one with the highest
validation accuracy is chosen, and it and the described setting are scored on the cohort's test
part. The test part has no say. Interrupted runs go on where they stopped; the parts lie in
`output/case_e_tuning/`.
"""

import argparse
import datetime
import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from cxr_helpers import datasets, duplicates, measured, preprocess, quiet, split

STORE = Path(__file__).parents[1] / "output" / "case_e_tuning"
SIZE, EPOCHS, BATCH = 56, 20, 16
RATES, DROPOUTS = (0.0003, 0.001, 0.003), ((0.0, 0.0), (0.25, 0.5))
DESCRIBED = (0.001, (0.25, 0.5))
COHORTS = 5


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    STORE.mkdir(parents=True, exist_ok=True)
    result = summary(
        [run(seed, setting) for seed in range(COHORTS) for setting in product(RATES, DROPOUTS)]
    )
    stamp = {
        "date": datetime.date.today().isoformat(),
        "command": "python -m benchmarks.case_e_tuning",
    }
    result.assign(**stamp).to_csv(measured.path("case_e_tuning"), index=False)
    print(result.to_string(index=False))


def summary(found: list[dict]) -> pd.DataFrame:
    """One row per setting: mean accuracies, how often chosen; the last row: what choosing reached.

    `gain`: test accuracy of the chosen setting (of equals the first) minus that of the described
    one, mean over cohorts with its interval from Student's t.
    """
    runs = pd.DataFrame(found)
    chosen = runs.loc[runs.groupby("seed")["val"].idxmax()].set_index("seed")
    described = runs[runs["setting"] == str(DESCRIBED)].set_index("seed")
    each = (
        runs.groupby(["setting", "rate", "dropout"], sort=False)[["val", "test"]]
        .mean()
        .reset_index("setting")
    )
    each["times_chosen"] = [
        int((chosen["setting"] == setting).sum()) for setting in each.pop("setting")
    ]
    gain = chosen["test"] - described["test"]
    half = stats.t.ppf(0.975, len(gain) - 1) * gain.std() / np.sqrt(len(gain))
    last = {
        "rate": "chosen by validation",
        "val": chosen["val"].mean(),
        "test": chosen["test"].mean(),
    }
    last |= {"gain": gain.mean(), "low": gain.mean() - half, "high": gain.mean() + half}
    result = pd.concat([each.reset_index(), pd.DataFrame([last])], ignore_index=True).round(4)
    return result.assign(
        n_val=round(runs["n_val"].mean()), n_test=round(runs["n_test"].mean()), cohorts=len(gain)
    )


def run(seed: int, setting: tuple) -> dict:
    """One training: accuracy on the validation and on the test part of a cohort."""
    rate, dropout = setting
    name = f"{seed}-{rate:g}-{dropout[1]:g}"
    file = STORE / f"{name}.json"
    if file.is_file():
        return json.loads(file.read_text())
    with quiet():
        import keras
    table, images = cohort(seed)
    keras.utils.set_random_seed(seed)
    model = network(rate, dropout)
    x, code = images[..., np.newaxis].astype("float32"), table["label"].cat.codes.to_numpy()
    part = {name: (table["split"] == name).to_numpy() for name in ("train", "val", "test")}
    y = keras.utils.to_categorical(code, 3)
    model.fit(x[part["train"]], y[part["train"]], epochs=EPOCHS, batch_size=BATCH, verbose=0)
    right = model.predict(x, verbose=0).argmax(1) == code
    found = {
        "seed": seed,
        "setting": str(setting),
        "rate": rate,
        "dropout": " and ".join(map(str, dropout)),
    }
    found |= {"val": right[part["val"]].mean(), "test": right[part["test"]].mean()}
    found |= {"n_val": int(part["val"].sum()), "n_test": int(part["test"].sum())}
    file.write_text(json.dumps(found))
    print(f"{name}: validation {found['val']:.3f}", flush=True)
    return found


def cohort(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Drawn images of case E's design, without training images of a test image's group."""
    table = duplicates.add_groups(datasets.case("e", seed=seed).table)
    images = preprocess.cache(table, SIZE, fit="squash", progress=False)
    in_test = table["group"].isin(table.loc[table["split"] == "test", "group"])
    kept = ((table["split"] == "test") | ~in_test).to_numpy()
    table, images = table[kept].reset_index(drop=True), images[kept]
    training = table[table["split"] == "train"]
    parts = split.holdout(training, test=0, val=0.2, seed=seed)["split"]
    table.loc[parts.index, "split"] = parts
    return table, images


def network(rate: float, dropout: tuple):
    """The described network with other settings, compiled."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((SIZE, SIZE, 1))])
    for layer in (
        layers.RandomFlip("horizontal"),
        layers.RandomZoom(0.2),
        layers.Rescaling(1 / 255),
    ):
        model.add(layer)
    for number in (32, 64, 64):
        model.add(layers.Conv2D(number, 3, activation="relu"))
        model.add(layers.MaxPooling2D())
    for layer in (
        layers.Dropout(dropout[0]),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ):
        model.add(layer)
    model.add(layers.Dropout(dropout[1]))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(optimizer=keras.optimizers.Adam(rate), loss="categorical_crossentropy")
    return model


if __name__ == "__main__":
    main()
