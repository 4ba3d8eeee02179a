"""How often two rows of the audit speak, over seeds, on known phantoms.

They are burnt-in writing and the order of the files.

    python -m benchmarks.audit_rows               about 15 minutes on two cores
    python -m benchmarks.audit_rows --seeds 2 --n 120

Each seed draws every world anew. In worlds without a shortcut of a kind the share of `look` and
`fault` is the rate of false alarms; in the others it is what the row finds. Patients are known to
the drawing and hidden from the audit. Writes audit_rows.csv beside this file; `python -m
tools.build.results` brings it into docs/results.md.
"""

import argparse
import datetime
import tempfile
import warnings
from pathlib import Path

import pandas as pd

from cxr_helpers import audit, manifest, phantom, preprocess
from cxr_helpers.console import bar

TABLE = Path(__file__).with_name("audit_rows.csv")
PLAIN = {"letters": 0.0, "devices": 0.0, "border": False}
ILL = {"classes": ("normal", "covid"), "severity": (0.2, 0.7)}
TUBES = "tube+leads"
FIRST = 100  # seeds below were used to choose what counts as a stroke


def coins(n: int, seed: int, per_patient: float, **options) -> pd.DataFrame:
    """Nobody is ill, and the label of a patient is random."""
    return phantom.design("patient_leak", n=n, seed=seed, per_patient=per_patient, **options)


def tied_to_the_label(table: pd.DataFrame, **values) -> pd.DataFrame:
    """The images of patients with the disease get other values in some columns."""
    ill = table["label"] != "normal"
    return table.assign(**{name: table[name].where(~ill, value) for name, value in values.items()})


WORLDS = {
    # name: (design of n images and a seed, is there writing that follows the label, are there
    # hidden patients)
    "random labels, one image a patient": (lambda n, s: coins(n, s, 1.0), False, False),
    "random labels, letters on most images": (
        lambda n, s: coins(n, s, 1.0, letters=0.75),
        False,
        False,
    ),
    "opacities, one image a patient": (
        lambda n, s: phantom.design("clean", n=n, seed=s, per_patient=1.0, **ILL),
        False,
        False,
    ),
    "strands and haze, one image a patient": (
        lambda n, s: phantom.design(
            "clean", n=n, seed=s, per_patient=1.0, **(ILL | {"classes": ("normal", "viral")})
        ),
        False,
        False,
    ),
    "opacities, letters and tubes at random": (
        lambda n, s: phantom.design("default", n=n, seed=s, per_patient=1.0, **ILL),
        False,
        False,
    ),
    "random labels, two images a patient": (lambda n, s: coins(n, s, 2.0), False, True),
    "random labels, eight images a patient": (lambda n, s: coins(n, s, 8.0), False, True),
    "a word follows the label": (
        lambda n, s: phantom.design(
            "marker", n=n, seed=s, per_patient=1.0, severity=(0.2, 0.7), devices=0.0
        ),
        True,
        False,
    ),
    "tubes follow the label": (
        lambda n, s: tied_to_the_label(
            phantom.design("clean", n=n, seed=s, per_patient=1.0, **ILL), device=TUBES
        ),
        True,
        False,
    ),
}


def audited(design: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The audit's two rows for a design drawn into its own folder, its patients hidden."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        phantom.write(design, Path(folder) / "set", format="png", masks=False, progress=False)
        table = manifest.from_folder(Path(folder) / "set" / "images", progress=False).table
        table = table.assign(group=table["image_id"])
        images = preprocess.cache(table, size=64, progress=False)
        found = audit.shortcuts(table, images, seed=seed)
    return found[
        found["check"].isin(["burnt-in writing predicts the class", "the order of the files"])
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--n", type=int, default=200, help="images of each world")
    arguments.add_argument("--seeds", type=int, default=20)
    options = arguments.parse_args()
    runs = []
    for world, (design, writing, hidden) in WORLDS.items():
        for seed in bar(range(FIRST, FIRST + options.seeds), desc=world):
            rows = audited(design(options.n, seed), seed)
            there = rows["check"].eq("the order of the files").map({True: hidden, False: writing})
            runs.append(
                rows[["check", "verdict", "value"]].assign(world=world, there=there, seed=seed)
            )
    runs = pd.concat(runs, ignore_index=True)
    # Hidden patients leak into every baseline: only the row that looks for them is judged on those
    # worlds.
    hides = runs["world"].map({world: hidden for world, (_, _, hidden) in WORLDS.items()})
    runs = runs[(runs["check"] == "the order of the files") | ~hides]
    spoke = runs["verdict"].isin(["look", "fault"])
    found = runs.assign(spoke=spoke).groupby(["check", "world", "there"], sort=False)
    result = found.agg(
        spoke=("spoke", "sum"), runs=("spoke", "size"), mean=("value", "mean"), sd=("value", "std")
    )
    result = result.reset_index().sort_values(["check", "there"], kind="stable").round(3)
    print(result.to_string(index=False))
    command = f"python -m benchmarks.audit_rows --n {options.n} --seeds {options.seeds}"
    stamp = {"n": options.n, "date": datetime.date.today().isoformat(), "command": command}
    result.assign(**stamp).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
