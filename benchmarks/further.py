"""DarkCovidNet's further images: trained on the 925 that the benchmarks know, scored on the others.

    python -m benchmarks.further --full-set FOLDER

FOLDER holds all images of the set: `Covid-19`, `No_findings` and `Pneumonia`. The 925 are known by
the hashes of their names in `darkcovidnet_known.txt`; the others, 199 of the 1,124 that could
be had, are of other patients, and nothing was chosen on them. Two rows of `benchmarks.darkcovidnet`
are fitted as they stand there and scored once: the one chosen inside, and the best of the table.
What that gave on 2026-11-28, with images that are not here any more, stands in
`cxr_helpers/measured/darkcovidnet_further.csv` as *quoted*; this command prints its own result
beside it and writes `output/darkcovidnet/further.csv`.
"""

import argparse
import datetime
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import darkcovidnet
from cxr_helpers import datasets, duplicates, evaluate, manifest, measured, quiet, split

KNOWN = Path(__file__).with_name("darkcovidnet_known.txt")
TASK = "three classes"
ROWS = ("frozen, chosen inside: short list", "frozen, five best averaged: kernel")


def names(table: pd.DataFrame) -> pd.Series:
    """Hash of each image's class and name without its ending, which differs between copies."""
    stems = table["path"].map(lambda path: Path(path).stem)
    texts = table["label"].astype(str) + "/" + stems
    return texts.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])


def read(folder: Path) -> pd.DataFrame:
    """The set's table from its three folders, with patients and groups."""
    about = datasets.info("darkcovidnet")
    found = manifest.from_folder(
        folder, patient=manifest.nih_patient, source=about.source, progress=False
    )
    return duplicates.add_groups(found.table, duplicates.pairs(found.table, progress=False))


def parts(table: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """The table with the known images as `train` and the others as `test`.

    Raises ValueError where known images are missing, or others share a patient with them.
    """
    here = names(table)
    missing = len(known - set(here))
    if missing:
        raise ValueError(
            f"{missing} of the {len(known)} known images are not in the folder: --full-set takes "
            "the set as it was published, with its file names"
        )
    trained = here.isin(known).to_numpy()
    if trained.all():
        raise ValueError(f"the folder holds the {len(known)} known images and no other")
    both = set(table.loc[trained, "group"]) & set(table.loc[~trained, "group"])
    if both:
        raise ValueError(f"{len(both)} patients have images among the known and among the others")
    column = pd.Categorical(np.where(trained, "train", "test"), categories=split.SPLITS)
    return table.assign(split=column)


def score(table: pd.DataFrame, store: Path) -> pd.DataFrame:
    """One line per row: fitted on `train`, scored on `test`."""
    data = darkcovidnet.task_data(TASK, table, store)
    listed = {row.name: row for row in darkcovidnet.rows()}
    lines = []
    for name in ROWS:
        found = listed[name].run(data, data.table, 0)
        line = {"task": TASK, "model": name, "groups": found["group"].nunique()}
        for metric in ("accuracy", "f1_macro"):
            estimate = evaluate.metric(found, metric)
            ends = {f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
            line |= {metric: estimate.value, "n": estimate.n} | ends
        lines.append(line)
    return pd.DataFrame(lines).round(4)


def main() -> None:
    """Score, or write the list of the known images."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.further", description=__doc__.splitlines()[0]
    )
    arguments.add_argument("--full-set", type=Path, metavar="FOLDER", help="all images of the set")
    arguments.add_argument("--known", type=Path, metavar="FOLDER", help="write the list of these")
    arguments.add_argument("--store", type=Path, default=darkcovidnet.STORE)
    options = arguments.parse_args()
    if options.known:
        KNOWN.write_text("\n".join(sorted(names(read(options.known)))) + "\n", "utf-8")
        return
    if not options.full_set:
        arguments.error("name the folder of all images: --full-set FOLDER")
    with quiet():
        import keras  # noqa: F401
    try:
        table = parts(read(options.full_set), set(KNOWN.read_text("utf-8").split()))
    except (manifest.ManifestError, ValueError) as error:
        arguments.error(f"{options.full_set}: {error}")
    found = score(table, options.store / "further").assign(date=datetime.date.today().isoformat())
    found.to_csv(options.store / "further.csv", index=False)
    quoted = measured.read("darkcovidnet_further").assign(what="quoted")
    print(pd.concat([found.assign(what="computed"), quoted])[quoted.columns].to_string(index=False))


if __name__ == "__main__":
    main()
