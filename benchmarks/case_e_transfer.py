"""Case E's set, near-duplicates kept together: what pretraining on ImageNet and on phantoms brings.

    python -m benchmarks.case_e_transfer --data-dir FOLDER

Five-fold cross-validation with whole groups, three fold seeds (one for what is fine-tuned), by the
same rules and the same code as `benchmarks.darkcovidnet`: what is chosen is chosen inside each
training part; `models_scored` says how many rows were scored on the same folds. The weights learnt
on phantoms are those of `benchmarks.phantom_pretraining`, one training for each seed. Interrupted
runs go on where they stopped; the parts lie in `output/case_e_transfer/`.
"""

import argparse
import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import darkcovidnet as engine
from benchmarks import phantom_pretraining as phantoms
from cxr_helpers import datasets, duplicates, manifest, measured, models, quiet, transfer

STORE = Path(__file__).parents[1] / "output" / "case_e_transfer"
SIZE = 224
MENU = {
    "sizes": (224,),
    "stages": ("block3", "block4", "block5", "block6"),
    "joined": ("blocks 4-5", "blocks 3-5"),
}
MENU |= {"pools": ("mean", "mean and std")}
TASK = "case E, three classes"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument("--rows", default="", help="only rows whose name begins so")
    options = arguments.parse_args()
    with quiet():
        import keras  # noqa: F401
    table = duplicates.add_groups(datasets.load("covid19-image-dataset", options.data_dir))
    STORE.mkdir(parents=True, exist_ok=True)
    manifest.write(table, STORE / "table.csv")
    data = engine.Data(TASK, table, STORE)
    for row in rows():
        for seed in range(row.seeds if row.name.startswith(options.rows) else 0):
            for fold in range(engine.FOLDS):
                engine.run_fold(data, row, "grouped", seed, fold)
    lines = [engine.table_line(STORE, TASK, row, "grouped") for row in rows()]
    lines = [line for line in lines if line is not None]
    result = (
        pd.DataFrame(lines)
        .reindex(columns=engine.COLUMNS)
        .round(6)
        .assign(models_scored=len(lines))
    )
    command = "python -m benchmarks.case_e_transfer"
    result.assign(date=datetime.date.today().isoformat(), command=command).to_csv(
        measured.path("case_e_transfer"), index=False
    )
    print(result.drop(columns="note").to_string(index=False))


def rows() -> list[engine.Row]:
    """The lines of the table."""
    result = [engine.Row("pixels + logistic regression", engine.run_pixels, repr(engine.PIXEL_CS))]
    for stage in engine.STAGES:
        choice = {"sizes": (SIZE,), "stages": (stage,), "joined": (), "pools": ("mean",)}
        result.append(engine.features_row(f"frozen {stage}, {SIZE} px", choice))
    result.append(engine.features_row("frozen, chosen inside", MENU))
    result.append(engine.features_row("frozen, five best averaged", MENU, best=5))
    result.append(engine.features_row("frozen, chosen inside, kernel", MENU, kernel=True))
    result.append(
        engine.features_row("frozen, five best averaged, kernel", MENU, best=5, kernel=True)
    )
    result.append(engine.Row("frozen network of phantoms", _phantom_features, repr(transfer.CS)))
    result.append(engine.Row("frozen, ImageNet and phantoms joined", _joined, repr(transfer.CS)))
    compact = models.RECIPES["compact"]
    result.append(engine.network_row("compact network", compact, SIZE, "pad", 3, ("grouped",)))
    result.append(
        engine.Row(
            "compact network, phantoms before", _phantoms_before, repr(compact.epochs), cheap=False
        )
    )
    fine = models.fine_tuning(engine.NAME, cut="block6", unfreeze_from="block3")
    result.append(engine.network_row("fine-tuned", fine, SIZE, "pad", 1, ("grouped",)))
    return result


def learnt(seed: int) -> Path:
    """Weights that the compact network learnt on phantoms."""
    before = phantoms.PRETRAINING
    store = phantoms.STORE / phantoms._key(before, phantoms.PHANTOMS)
    store.mkdir(parents=True, exist_ok=True)
    return phantoms.pretrained(store, seed, phantoms.cohort(seed, phantoms.PHANTOMS), before)


def _pooled(data: engine.Data, seed: int) -> np.ndarray:
    """Activations before the last layer of the network that learnt on phantoms, (n, channels)."""
    import keras

    network = models.compact(5, SIZE)
    network.load_weights(learnt(seed))
    cut = keras.Model(network.inputs, network.layers[-2].output)
    return transfer.features(engine.images(data, SIZE), cut, folder=data.store, progress=False)


def _phantom_features(data: engine.Data, parts: pd.DataFrame, seed: int) -> pd.DataFrame:
    return transfer.logistic(parts, _pooled(data, seed), seed=seed)


def _joined(data: engine.Data, parts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Each candidate of the menu with the phantoms' features beside it."""
    own = _pooled(data, seed)
    both = {
        f"{name} + phantoms": np.hstack([found, own])
        for name, found in engine.menu(data, **MENU).items()
    }
    return transfer.logistic(parts, both, seed=seed)


def _phantoms_before(data: engine.Data, parts: pd.DataFrame, seed: int) -> pd.DataFrame:
    recipe = replace(models.RECIPES["compact"], build=phantoms.starting_from(learnt(seed)))
    return engine.run_network(data, parts, seed, recipe, SIZE, "pad")


if __name__ == "__main__":
    main()
