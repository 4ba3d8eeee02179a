"""Precision and recall of the near-duplicate detector on two sets of real radiographs.

    python -m benchmarks.duplicates --data-dir FOLDER

Recall: each radiograph of DarkCovidNet's set is copied with a known change, and the copy must be
found. Precision: in that set the NIH file names tell the patient, and two films of two patients are
not one film, so each pair across patients is a false alarm (same-patient pairs are looked at
separately: repeat films). Nothing is tuned here: the table shows a range of thresholds, and the
package's is marked.
"""

import argparse
import datetime
import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxr_helpers import datasets, duplicates, images, preprocess

HERE = Path(__file__).parent
THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after JPEG compression."""
    buffer = io.BytesIO()
    Image.fromarray((image * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return images.read(buffer.getvalue())


def shifted(image: np.ndarray, share: float = 0.03) -> np.ndarray:
    """The image moved down and right by a share of its sides, black where nothing is left."""
    down, right = (round(share * length) for length in image.shape)
    return np.pad(image, ((down, 0), (right, 0)))[: image.shape[0], : image.shape[1]]


def rotated(image: np.ndarray, degrees: float) -> np.ndarray:
    """The image turned about its centre."""
    return np.asarray(
        Image.fromarray(image.astype(np.float32)).rotate(degrees, Image.Resampling.BILINEAR)
    )


def framed(image: np.ndarray) -> np.ndarray:
    """The image with a black frame of 3 % on each side."""
    return np.pad(image, [(round(0.03 * length),) * 2 for length in image.shape])


CHANGES = {
    "contrast: gamma 0.5": lambda image: image**0.5,
    "contrast: gamma 2": lambda image: image**2,
    "histogram equalised": lambda image: preprocess.prepare(image, 224, "squash", "equalize") / 255,
    "CLAHE": lambda image: preprocess.prepare(image, 224, "squash", "clahe") / 255,
    "quarter size": lambda image: preprocess.prepare(image, max(image.shape) // 4, "squash") / 255,
    "JPEG quality 20": lambda image: jpeg(image, 20),
    "squashed to a square": lambda image: preprocess.prepare(image, 256, "squash") / 255,
    "padded to a square": lambda image: preprocess.pad_to_square(image),
    "cropped by 2 %": lambda image: preprocess.crop_border(image, 0.02),
    "cropped by 5 %": lambda image: preprocess.crop_border(image, 0.05),
    "framed by 3 %": framed,
    "mirrored": lambda image: image[:, ::-1],
    "negative": lambda image: 1 - image,
    "negative, gamma 2": lambda image: (1 - image) ** 2,
    "cropped by 1 %": lambda image: preprocess.crop_border(image, 0.01),
    "cropped by 10 %": lambda image: preprocess.crop_border(image, 0.10),
    "shifted by 1 %": lambda image: shifted(image, 0.01),
    "shifted by 3 %": shifted,
    "rotated by 2 degrees": lambda image: rotated(image, 2),
    "rotated by 5 degrees": lambda image: rotated(image, 5),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument(
        "--images", type=int, default=300, help="radiographs that are copied, for recall"
    )
    options = arguments.parse_args()
    table = datasets.load("darkcovidnet", options.data_dir)
    vectors = duplicates.fingerprints(table)
    result = pd.concat(
        [precision(table, vectors), recall(table, vectors, options.images)], ignore_index=True
    )
    result["threshold_of_package"] = result["threshold"] == duplicates.THRESHOLD
    result = result.assign(
        date=datetime.date.today().isoformat(), command="python -m benchmarks.duplicates"
    )
    result.to_csv(HERE / "duplicates.csv", index=False)
    wide = result.pivot_table(index="what", columns="threshold", values="value", sort=False)
    print(wide.round(3).to_string())


def precision(table: pd.DataFrame, vectors: np.ndarray) -> pd.DataFrame:
    """Pairs of NIH films of two patients (false alarms) and of one, by threshold; n: pairs."""
    nih = table["patient"].notna().to_numpy()
    patients = table.loc[nih, "patient"].to_numpy(str)
    found = duplicates.similar(vectors[nih], min(THRESHOLDS))
    same = patients[found["a"].astype(int)] == patients[found["b"].astype(int)]
    sizes = pd.Series(patients).value_counts()
    all_same = int((sizes * (sizes - 1) / 2).sum())
    all_pairs = int(nih.sum() * (nih.sum() - 1) / 2)
    rows = []
    for threshold in THRESHOLDS:
        over = (found["similarity"].abs() >= threshold).to_numpy()
        rows.append(
            (
                "false alarms: pairs of two patients",
                threshold,
                int((over & ~same).sum()),
                all_pairs - all_same,
            )
        )
        rows.append(("pairs of one patient", threshold, int((over & same).sum()), all_same))
    return pd.DataFrame(rows, columns=["what", "threshold", "value", "n"])


def recall(table: pd.DataFrame, vectors: np.ndarray, count: int) -> pd.DataFrame:
    """Share of changed copies whose most similar film is their original, within the threshold."""
    chosen = np.random.default_rng(0).choice(len(table), min(count, len(table)), replace=False)
    originals = [images.read(path) for path in table["path"].to_numpy()[chosen]]
    rows = []
    for name, change in CHANGES.items():
        copies = np.stack([duplicates.fingerprint(change(image)) for image in originals])
        cosines = np.abs(copies @ vectors.T)
        own = cosines[np.arange(len(chosen)), chosen]
        # as near as the nearest: the set holds copies of its own
        nearest = own >= cosines.max(axis=1) - 1e-4
        for threshold in THRESHOLDS:
            rows.append(
                (
                    f"recall: {name}",
                    threshold,
                    float((nearest & (own >= threshold)).mean()),
                    len(chosen),
                )
            )
    return pd.DataFrame(rows, columns=["what", "threshold", "value", "n"])


if __name__ == "__main__":
    main()
