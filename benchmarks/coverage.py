"""How often the 95 % intervals hold the truth, and how often two equal models are said to differ.

    python -m benchmarks.coverage  # 1,000 simulations a cell, some 15 minutes on two cores
    python -m benchmarks.coverage --simulations 100

A world: patients of one to five images, one class a patient (shares 0.4, 0.3, 0.3), a model whose
scores are the true class times a skill, plus an effect of the patient and one of the image, both
normal with standard deviation 1. The truth of each figure comes from 60,000 patients. Cells: 10,
20, 50 patients times a true accuracy of 0.78, 0.88, 0.98. `coverage` is over the simulations in
which an interval is given; `refused` is the share of the others. A cell below 0.94 is run again
with ten times as many simulations, and that is what the table holds. `width_ratio` is the mean
width over the width of the middle 95 % of the estimates: 1 for an interval that is as wide as it
has to be. Differences: `equal` compares two models of the same skill (its `false_alarms`: share of
p < 0.05), `unequal` one with a better one. The table is benchmarks/coverage.csv, the picture
benchmarks/coverage.png.

The rules of `evaluate` for the support (which groups count, at least 4 for macro F1) and the
intervals of differences and losses were settled in this same world, partly on the first 400 studies
of a cell: the table is no test of them in another world, nor on studies that nobody had seen.
`--first 1000000` simulates such studies.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import evaluate, predictions, stats

HERE = Path(__file__).parent
CLASSES = ("normal", "covid", "viral")
SHARES = (0.4, 0.3, 0.3)
SKILLS = {0.78: 2.22, 0.88: 2.97, 0.98: 4.65}  # true accuracy, about, and the skill that has it
GROUPS = (10, 20, 50)
TRUTH_GROUPS = 60_000
ALIKE = 0.8  # how much weaker the other model of `unequal` is, in skill
FIGURES = {
    "accuracy": None,
    "balanced_accuracy": None,
    "f1_macro": None,
    "roc_auc_macro": None,
    "sensitivity": "covid",
    "ppv": "covid",
    "f1": "covid",
    "roc_auc": "covid",
    "average_precision": "covid",
}
COMPARED = ("accuracy", "f1_macro", "roc_auc_macro")
AIM, AGAIN = 0.94, 10  # cells below are run again, so many times as long


def draw(
    rng: np.random.Generator, groups: int, skill: float, other: float | None = None
) -> list[pd.DataFrame]:
    """Tables of predictions of one model, and with `other` of a second one on the same images."""
    sizes = rng.integers(1, 6, groups)
    truth = np.repeat(rng.choice(3, groups, p=SHARES), sizes)
    group = np.repeat(np.arange(groups), sizes)
    tables = []
    for strength in (skill,) if other is None else (skill, other):
        score = strength * np.eye(3)[truth]
        score += rng.normal(size=(groups, 3))[group] + rng.normal(size=(len(truth), 3))
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        table = pd.DataFrame({"image_id": np.arange(len(truth)), "group": group})
        table["label"] = pd.Categorical.from_codes(truth, categories=CLASSES)
        table["predicted"] = pd.Categorical.from_codes(p.argmax(axis=1), categories=CLASSES)
        tables.append(predictions.with_probabilities(table, p, CLASSES))
    return tables


def losses(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Brier score and log loss of each image."""
    p = predictions.probabilities(table, CLASSES)
    truth = table["label"].cat.codes.to_numpy()
    own = p[np.arange(len(p)), truth]
    return {
        "brier": ((p - np.eye(3)[truth]) ** 2).sum(axis=1),
        "log_loss": -np.log(np.maximum(own, 1e-12)),
    }


def estimates(table: pd.DataFrame, only: set[str]) -> dict[str, stats.Estimate]:
    """The asked-for figures of a table, as the package reports them."""
    asked = {name: positive for name, positive in FIGURES.items() if name in only}
    result = {name: evaluate.metric(table, name, positive) for name, positive in asked.items()}
    group = table["group"].to_numpy()
    return result | {
        name: stats.loss(each, group) for name, each in losses(table).items() if name in only
    }


def truths(skill: float) -> dict[str, float]:
    """The value of each figure on so many patients that it is the truth."""
    (table,) = draw(np.random.default_rng(2026), TRUTH_GROUPS, skill)
    found = {
        name: evaluate.metric(table, name, positive).value for name, positive in FIGURES.items()
    }
    return found | {name: float(values.mean()) for name, values in losses(table).items()}


def simulate(skill: float, groups: int, seed: int, only: set[str]) -> list[dict]:
    """One study: value and interval of figures, and of differences to two other models.

    One model is equal, one weaker.
    """
    rng = np.random.default_rng([groups, int(100 * skill), seed])
    first, equal = draw(rng, groups, skill, skill)
    strong, weak = draw(rng, groups, skill, ALIKE * skill)
    rows = [
        {"figure": name, "value": e.value, "low": e.low, "high": e.high}
        for name, e in estimates(first, only).items()
    ]
    for kind, (a, b) in {"equal": (first, equal), "unequal": (strong, weak)}.items():
        for name in COMPARED:
            if f"{name}, {kind}" not in only:
                continue
            found = evaluate.compare(a, b, name)
            row = {
                "figure": f"{name}, {kind}",
                "value": found.value,
                "low": found.low,
                "high": found.high,
            }
            rows.append(row | {"p": found.p})
    return rows


def _some(skill: float, groups: int, seeds: range, only: set[str]) -> pd.DataFrame:
    return pd.DataFrame([row for seed in seeds for row in simulate(skill, groups, seed, only)])


def cell(
    pool, accuracy: float, groups: int, simulations: range, truth: dict[str, float], only: set
) -> pd.DataFrame:
    """One row per asked-for figure: how often its interval held the truth."""
    skill = SKILLS[accuracy]
    parts = [
        range(k, min(k + 25, simulations.stop))
        for k in range(simulations.start, simulations.stop, 25)
    ]
    every = len(parts)
    runs = pd.concat(
        pool.map(_some, [skill] * every, [groups] * every, parts, [only] * every), ignore_index=True
    )
    rows = []
    for name, found in runs.groupby("figure", sort=False):
        defined, given = found["value"].notna(), found["low"].notna()
        held = (found["low"] <= truth[name] + 1e-12) & (found["high"] >= truth[name] - 1e-12)
        needed = np.subtract(*found.loc[given, "value"].quantile([0.975, 0.025]))
        row = {"figure": name, "accuracy": accuracy, "groups": groups, "truth": truth[name]}
        row |= {
            "coverage": held[given].mean(),
            "refused": 1 - given.sum() / defined.sum(),
            "undefined": 1 - defined.mean(),
        }
        row |= {
            "width_ratio": (found["high"] - found["low"])[given].mean() / needed
            if needed > 0
            else np.nan
        }
        if name.endswith(", equal"):
            row["false_alarms"] = (found["p"] < 0.05).mean()
        rows.append(row | {"simulations": len(found)})
    return pd.DataFrame(rows)


def run(simulations: int, again: int, first: int = 0) -> pd.DataFrame:
    tables = []
    with ProcessPoolExecutor(2) as pool:
        for accuracy, skill in SKILLS.items():
            truth = truths(skill)
            weak = truths(ALIKE * skill)
            truth |= {f"{name}, equal": 0.0 for name in COMPARED}
            truth |= {f"{name}, unequal": truth[name] - weak[name] for name in COMPARED}
            for groups in GROUPS:
                start = time.perf_counter()
                found = cell(
                    pool, accuracy, groups, range(first, first + simulations), truth, set(truth)
                ).set_index("figure")
                low = found.index[found["coverage"] < AIM]
                if again > 1 and len(low):
                    longer = cell(
                        pool,
                        accuracy,
                        groups,
                        range(first, first + simulations * again),
                        truth,
                        set(low),
                    )
                    found.loc[low] = longer.set_index("figure").reindex(columns=found.columns)
                found = found.reset_index()
                print(
                    f"accuracy {accuracy}, {groups} groups: {time.perf_counter() - start:.0f} s",
                    flush=True,
                )
                print(found.round(3).to_string(), flush=True)
                tables.append(found)
    return pd.concat(tables, ignore_index=True)


def draw_picture(table: pd.DataFrame, path: Path) -> None:
    """Coverage of every figure, a panel per accuracy, a mark per number of patients."""
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(table["figure"]))[::-1]
    fig, axes = plt.subplots(1, len(SKILLS), figsize=(11, 6), sharey=True, layout="constrained")
    for ax, accuracy in zip(axes, SKILLS, strict=True):
        for groups, marker, colour in zip(
            GROUPS, "osD", ("#0072B2", "#E69F00", "#000000"), strict=True
        ):
            rows = (
                table.query("accuracy == @accuracy and groups == @groups")
                .set_index("figure")
                .loc[names]
            )
            style = {
                "marker": marker,
                "color": colour,
                "s": 26,
                "label": f"{groups} patients",
                "zorder": 3,
            }
            ax.scatter(rows["coverage"], range(len(names)), **style)
        ax.axvline(0.95, color="0.3", linewidth=1)
        ax.axvline(0.93, color="0.3", linewidth=1, linestyle=":")
        ax.set(
            title=f"true accuracy {accuracy}",
            xlabel="share of intervals that hold the truth",
            xlim=(0.88, 1.005),
        )
        ax.grid(axis="y", color="0.9")
    axes[0].set_yticks(range(len(names)), names)
    axes[0].legend(loc="lower left", fontsize=9)
    fig.suptitle(
        "Nominal 95 % intervals, by simulation: 0.95 promised (line), 0.93 asked for (dotted)"
    )
    fig.savefig(path, dpi=110)
    plt.close(fig)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    parser.add_argument(
        "--again", type=int, default=AGAIN, help="times the length at which low cells are run again"
    )
    parser.add_argument("--out", type=Path, default=HERE / "coverage.csv")
    chosen = parser.parse_args()
    run(chosen.simulations, chosen.again, chosen.first).round(4).to_csv(chosen.out, index=False)
    draw_picture(pd.read_csv(chosen.out), chosen.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
