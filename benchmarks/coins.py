"""The README's picture: labels that are coin tosses, and the AUC a careless split makes of them.

    python -m benchmarks.coins            less than a minute on one core

The experiment of lesson 04, on its phantoms: no disease is drawn, every patient's label is a coin
toss. Each repeat tosses the coins and cuts the images anew, a quarter for the test, at random or
with whole patients, and asks logistic regression on 32×32 pixels. The phantoms stay the same, so
the interval of the mean is one over coins and cuts. Writes coins.csv beside this file and
docs/figures/coins.png; `python -m tools.build.results` brings both into the README.
"""

import argparse
import datetime
import io
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score

from cxr_helpers import baselines, datasets, manifest, phantom, plots, preprocess, split

TABLE = Path(__file__).with_name("coins.csv")
FIGURE = Path(__file__).resolve().parents[1] / "docs" / "figures" / "coins.png"
SEED, REPEATS = 0, 100
SPLITS = {"image_id": "images", "patient": "patients"}  # column kept whole: what is drawn at random
COLOURS = {"images": "#D55E00", "patients": "#0072B2"}
WIDTH, HEIGHT, DPI = 9.5, 4.2, 150  # inches, inches, pixels per inch
SHOWN, LIMIT = 6, 300_000  # phantoms in the row, bytes of the file
WORDS = {"normal": "normal", "covid": "COVID-19"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--repeats", type=int, default=REPEATS, help="only the default writes")
    options = arguments.parse_args()
    design, table, images = cohort()
    runs = repeated(table, images, options.repeats)
    result = summary(runs, table)
    print(result.to_string(index=False))
    if options.repeats != REPEATS:
        return
    stamp = {"date": datetime.date.today().isoformat(), "command": "python -m benchmarks.coins"}
    result.assign(**stamp).to_csv(TABLE, index=False)
    picture = plots.show(draw(design, runs, result), alt(result))
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    FIGURE.write_bytes(small_png(picture))
    print(f"{FIGURE.name}: {FIGURE.stat().st_size / 1000:.0f} kB\n{picture.alt}")


def cohort(n: int = 320) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """The design of lesson 04 with its table of n images and their grey levels, 32×32."""
    design = phantom.design("patient_leak", n=n, seed=SEED, per_patient=8)
    work = datasets.work_dir()
    folder = phantom.cached(design, work, "patient_leak", size=64, masks=False, progress=False)
    table = manifest.from_folder(folder, patient=r"(P\d+)_", progress=False).table
    return design, table, preprocess.cache(table, size=32, progress=False)


def repeated(table: pd.DataFrame, images: np.ndarray, repeats: int) -> pd.DataFrame:
    """One AUC per repeat (row) and kind of split (column)."""
    runs = [
        {name: one_auc(table, images, column, seed) for column, name in SPLITS.items()}
        for seed in range(repeats)
    ]
    return pd.DataFrame(runs)


def one_auc(table: pd.DataFrame, images: np.ndarray, column: str, seed: int) -> float:
    """Fresh coins for all patients; test AUC of a split that keeps one column's values whole."""
    patients = table["patient"].unique()
    coins = np.random.default_rng(seed).permutation(np.resize(["normal", "covid"], len(patients)))
    label = (
        table["patient"].map(dict(zip(patients, coins, strict=True))).astype(table["label"].dtype)
    )
    study = split.holdout(
        table.assign(group=table[column], label=label), test=0.25, val=0, seed=seed
    )
    answers = baselines.logistic_regression(study, images)
    return float(roc_auc_score(answers["label"] == "covid", answers["p_covid"]))


def summary(runs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Mean AUC of each kind of split with its 95 % interval, and what was drawn.

    The interval is Student's t over the repeats.
    """
    mean = runs.mean()
    half = stats.t.ppf(0.975, len(runs) - 1) * runs.std() / np.sqrt(len(runs))
    rows = (
        pd.DataFrame({"auc": mean, "auc_low": mean - half, "auc_high": mean + half})
        .rename_axis("split")
        .reset_index()
    )
    return rows.round(4).assign(
        repeats=len(runs), n=len(table), patients=table["patient"].nunique()
    )


def figure_of(row: dict) -> str:
    """A mean AUC with its interval."""
    return f"{row['auc']:.2f} ({row['auc_low']:.2f}-{row['auc_high']:.2f})"


def alt(result: pd.DataFrame) -> str:
    """What the picture shows, with its figures."""
    rows = result.set_index("split").to_dict("index")
    return (
        "Six drawn radiographs, two each of three patients, whose labels are coin tosses. Below, "
        f"the AUC of {rows['images']['repeats']} repeats as dots, with mean and 95 % interval: "
        f"{figure_of(rows['images'])} where images are split at random, "
        f"{figure_of(rows['patients'])} where whole patients are. The truth is 0.5."
    )


def examples(design: pd.DataFrame) -> list[dict]:
    """The first two images of the first three patients that have two: none is picked."""
    several = design.groupby("patient").filter(lambda rows: len(rows) > 1)
    patients = several["patient"].drop_duplicates().head(SHOWN // 2)
    return [
        row
        for who in patients
        for row in design[design["patient"] == who].head(2).to_dict("records")
    ]


def draw(design: pd.DataFrame, runs: pd.DataFrame, result: pd.DataFrame):
    """The figure: a row of phantoms above the AUC of every repeat."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI)
    rows = result.set_index("split").to_dict("index")
    title = (
        "The labels are coin tosses, and logistic regression reaches an AUC of "
        f"{rows['images']['auc']:.2f}"
    )
    figure.text(0.1 / WIDTH, 3.97 / HEIGHT, title, fontsize=14, fontweight="bold")
    many = rows["images"]["n"] / rows["images"]["patients"]
    below = (
        f"Drawn radiographs, none with a disease, {many:.0f} of each patient on average; a "
        "coin labels the patient"
    )
    figure.text(0.1 / WIDTH, 3.72 / HEIGHT, below, fontsize=11)
    side = 1.5  # inches; the gap after each second image parts the patients
    for k, row in enumerate(examples(design)):
        left = 0.1 + k * (side + 0.02) + (k // 2) * 0.1
        axes = figure.add_axes((left / WIDTH, 1.91 / HEIGHT, side / WIDTH, side / HEIGHT))
        axes.imshow(phantom.render(row, 224, masks=False).image, cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
        if k % 2 == 0:
            said = f"patient {k // 2 + 1}: the coin says “{WORDS[row['label']]}”"
            figure.text(left / WIDTH, 3.48 / HEIGHT, said, fontsize=11)
    axes = figure.add_axes((2.2 / WIDTH, 0.48 / HEIGHT, 7.1 / WIDTH, 1.33 / HEIGHT))
    rng = np.random.default_rng(SEED)
    for height, name in zip((1, 0), SPLITS.values(), strict=True):
        row, colour = rows[name], COLOURS[name]
        spread = height + rng.uniform(-0.16, 0.16, len(runs))
        axes.scatter(runs[name], spread, s=14, color=colour, alpha=0.35, linewidths=0)
        error = [[row["auc"] - row["auc_low"]], [row["auc_high"] - row["auc"]]]
        axes.errorbar(
            row["auc"],
            height,
            xerr=error,
            fmt="o",
            color=colour,
            markersize=8,
            capsize=5,
            linewidth=2,
        )
        said = f"{row['auc']:.2f}"
        style = {
            "fontsize": 12,
            "weight": "bold",
            "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1},
        }
        axes.text(row["auc"], height + 0.3, said, color=colour, ha="center", **style)
    axes.axvline(0.5, color="#262626", linestyle="--", linewidth=1)
    axes.text(0.505, 1.62, "the truth: 0.5", fontsize=10, va="top")
    sides = [f"{who}\nset aside for the test" for who in ("random images", "whole patients")]
    axes.set_yticks((1, 0), sides, fontsize=11)
    axes.set_ylim(-0.45, 1.65)
    axes.set_xlim(0, 1)
    axes.set_xlabel(
        f"AUC (0.5: guessing, 1: perfect) of {len(runs)} repeats, mean and 95 % interval",
        fontsize=11,
    )
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def small_png(picture: plots.Picture) -> bytes:
    """The picture as PNG, its alt text inside, with as many grey levels and colours as fit.

    The bytes are limited.
    """
    from PIL import Image, PngImagePlugin

    raw = io.BytesIO()
    picture.figure.savefig(raw, format="png", dpi=DPI)
    whole = Image.open(raw).convert("RGB")
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", picture.alt)
    for colours in (256, 128, 96, 64, 48):
        content = io.BytesIO()
        few = whole.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(content, "PNG", optimize=True, pnginfo=text)
        if content.tell() <= LIMIT:
            break
    return content.getvalue()


if __name__ == "__main__":
    main()
