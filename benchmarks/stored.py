"""Predictions of benchmarks, kept so that their figures can be computed again without the images.

`benchmarks/predictions/NAME.csv.gz` holds one row per model, repeat and image: the table's columns
that a figure needs, no pixel and no file name beyond the image's identifier in its public set.
"""

import gzip
import io
from pathlib import Path

import pandas as pd

from cxr_helpers import files, predictions

FOLDER = Path(__file__).with_name("predictions")
ALSO = ("fold", "seconds", "parameters")  # kept where they are there


def keep(name: str, models: dict[str, pd.DataFrame]) -> None:
    """Write the predictions of each model of a benchmark, whole or not at all."""
    parts = []
    for model, table in models.items():
        columns = [
            "image_id",
            "group",
            "label",
            "predicted",
            "seed",
            *(c for c in ALSO if c in table),
        ]
        columns += predictions.columns(predictions.classes(table))
        parts.append(table[columns].assign(model=model).astype({"label": str, "predicted": str}))
    content = pd.concat(parts, ignore_index=True).to_csv(index=False, float_format="%.6f").encode()
    with (
        files.whole_file(FOLDER / f"{name}.csv.gz") as part,
        part.open("wb") as file,
        # neither name nor time in the header: the same predictions give the same bytes
        gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed,
    ):
        packed.write(content)


def read(name: str) -> dict[str, pd.DataFrame]:
    """The predictions of each model of a benchmark, in the order in which they were kept."""
    path = FOLDER / f"{name}.csv.gz"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: run the benchmark once with the images")
    every = pd.read_csv(
        io.BytesIO(gzip.decompress(path.read_bytes())), dtype={"image_id": str, "group": str}
    )
    return {
        model: rows.dropna(axis=1, how="all") for model, rows in every.groupby("model", sort=False)
    }
