"""Compare adult normal phantoms with real radiographs: grey levels, spectrum, cardiothoracic ratio.

    python -m benchmarks.phantom_statistics --real darkcovidnet/No_findings --equipment A --n 200 \
        --out benchmarks/phantom_statistics_A.csv                              (likewise with C)
    python -m benchmarks.phantom_statistics --real
    covid19-image-dataset/Covid19-dataset/train/Normal \
        --equipment B --devices 0 --n 150 --out benchmarks/phantom_statistics_B.csv

Prints a table and writes it as CSV: per statistic the real 5-95 % range and the share of phantoms
inside it. Give --devices the share of real images with leads or tubes: about 0.2 in No_findings,
none in case E's normals.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cxr_helpers import phantom

SIZE = 224
# Adults, PA: mean ± 2 standard deviations of 0.445 ± 0.04; 0.50 is the usual upper limit (Danzer
# 1919; Simkus et al. 2021, doi 10.1186/s13244-021-01097-0). AP views are magnified and have no
# normal range.
CTR = (0.37, 0.52)


def power_slope(image: np.ndarray) -> float:
    """Slope of log power against log frequency, 0.05-0.4 cycles per pixel, Hann window."""
    n = image.shape[0]
    window = np.hanning(n)[:, None] * np.hanning(n)[None, :]
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2
    f = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.fftfreq(n)[None, :])
    edges = np.geomspace(0.05, 0.4, 21)
    which = np.digitize(f.ravel(), edges)
    radial = np.array([power.ravel()[which == k].mean() for k in range(1, len(edges))])
    return float(np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(radial), 1)[0])


def statistics(image: np.ndarray) -> dict[str, float]:
    """Statistics of one image with grey levels 0-255."""
    found = {f"percentile {p}": float(np.percentile(image, p)) for p in (5, 25, 50, 75, 95)}
    found |= {
        "mean": float(image.mean()),
        "std": float(image.std()),
        "power slope": power_slope(image),
    }
    blurred = (
        image[1:-1, 1:-1] * 4
        - image[:-2, 1:-1]
        - image[2:, 1:-1]
        - image[1:-1, :-2]
        - image[1:-1, 2:]
    )
    return found | {
        "laplacian std": float(blurred.std()),
        "mirror correlation": float(np.corrcoef(image.ravel(), image[:, ::-1].ravel())[0, 1]),
    }


def histogram(image: np.ndarray) -> np.ndarray:
    """Cumulative histogram over 0-255."""
    return np.cumsum(np.bincount(np.rint(image).astype(int).ravel(), minlength=256)) / image.size


def radiographs(folder: Path) -> list[np.ndarray]:
    """Grey levels of a folder's PNG and JPEG files, squeezed to SIZE; SystemExit without any."""
    files = [f for f in sorted(folder.glob("*")) if f.suffix.lower() in (".png", ".jpg", ".jpeg")]
    if not files:
        raise SystemExit(
            f"--real {folder}: no PNG or JPEG image there; give a folder of radiographs"
        )
    return [
        np.asarray(Image.open(f).convert("L").resize((SIZE, SIZE), Image.Resampling.BICUBIC), float)
        for f in files
    ]


def phantoms(
    n: int, seed: int, equipment: str, devices: float
) -> tuple[list[np.ndarray], list[float]]:
    """Grey levels and cardiothoracic ratio (PA only) of n adult normal phantoms."""
    table = phantom.design(
        "default", n=n, seed=seed, classes=("normal",), sites=tuple(equipment), devices=devices
    )
    images, ratios = [], []
    for row in table.to_dict("records"):
        drawn = phantom.render(row, SIZE)
        images.append(np.rint(drawn.image * 255).astype(float))
        if row["view"] == "PA":
            ratios.append(drawn.truth["ctr"])
    return images, ratios


def compare(real: list[np.ndarray], drawn: list[np.ndarray], ratios: list[float]) -> pd.DataFrame:
    """One row per statistic: real range, phantom mean, share of phantoms inside."""
    a, b = (pd.DataFrame([statistics(i) for i in images]) for images in (real, drawn))
    rows = []
    for name in a:
        low, high = a[name].quantile([0.05, 0.95])
        rows.append(
            (
                name,
                a[name].mean(),
                low,
                high,
                b[name].mean(),
                b[name].between(low, high).mean(),
                len(b),
            )
        )
    centre = np.mean([histogram(i) for i in real], axis=0)
    far = [[np.abs(histogram(i) - centre).sum() for i in images] for images in (real, drawn)]
    limit = np.quantile(far[0], 0.95)
    rows.append(
        (
            "histogram distance",
            np.mean(far[0]),
            0.0,
            limit,
            np.mean(far[1]),
            np.mean(np.array(far[1]) <= limit),
            len(b),
        )
    )
    inside = np.mean([CTR[0] <= r <= CTR[1] for r in ratios])
    rows.append(
        ("cardiothoracic ratio (PA)", 0.445, *CTR, float(np.mean(ratios)), inside, len(ratios))
    )
    return pd.DataFrame(
        rows,
        columns=[
            "statistic",
            "real mean",
            "real 5 %",
            "real 95 %",
            "phantom mean",
            "share inside",
            "n",
        ],
    )


def main() -> None:
    """Read the real images, draw the phantoms, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--equipment", default="AC")
    parser.add_argument("--devices", type=float, default=0.2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    real = radiographs(args.real)
    table = compare(real, *phantoms(args.n, args.seed, args.equipment, args.devices))
    table.to_csv(args.out, index=False)
    print(
        f"{len(real)} real radiographs, {args.n} phantoms of {args.equipment}, seed {args.seed}, "
        f"{SIZE} px"
    )
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
