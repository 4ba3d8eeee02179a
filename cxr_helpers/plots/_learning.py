"""The learning curve: what more images bring, for several ways of training, over several seeds."""

import numpy as np
import pandas as pd

from .look import (
    PALETTE,
    Picture,
    count,
    grid_lines,
    in_order,
    listed,
    need_columns,
    new_figure,
    style,
)

STROKES, MARKS = ("-", "--", "-.", ":"), "osD^"


def learning_curve(runs: pd.DataFrame, value: str = "value", *, title: str, ylabel: str) -> Picture:
    """A metric over the number of training images: mean over seeds, dots, and their range.

    The range is a band from the lowest seed to the highest. Every dot is one training; where there
    are several seeds, the dots of the arms stand beside each other. An arm that a set lacks is left
    out of its panel.

    Parameters
    ----------
    runs : DataFrame
        One row per training, with the columns set (a panel each), arm (a line each), n, seed and
        `value`.
    value : str
        The column of the metric.
    title, ylabel : str
        Above the picture, and of the metric.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without the columns or a row.
    """
    need_columns(runs, ("set", "arm", "n", "seed", value), "learning_curve")
    sets, arms, sizes = in_order(runs["set"]), in_order(runs["arm"]), sorted(runs["n"].unique())
    seeds, parts = runs["seed"].nunique(), []
    with style():
        figure = new_figure(4.2, 8, f"{title} ({count(seeds, 'seed')})")
        panels = figure.subplots(1, len(sets), sharey=True, squeeze=False).ravel()
        for axes, name in zip(panels, sets, strict=True):
            rows = runs[runs["set"] == name]
            for k, arm in enumerate(arms):
                if (mine := rows["arm"] == arm).any():
                    parts.append(
                        f"{name}, {arm} {_arm(axes, rows[mine], value, sizes, k, len(arms))}"
                    )
            axes.set_xticks(range(len(sizes)), [f"{n:,}" for n in sizes])
            axes.set(xlabel="training images", xlim=(-0.4, len(sizes) - 0.6))
            axes.set_title(name, fontweight="normal")
            grid_lines(axes, "y")
        panels[0].set_ylabel(ylabel)
        lines = {
            line.get_label(): line
            for axes in panels[::-1]
            for line in axes.get_legend_handles_labels()[0]
        }
        names = [str(arm) for arm in arms]  # of all panels: the first may lack an arm
        figure.legend(
            [lines[name] for name in names], names, loc="outside lower center", ncols=len(arms)
        )
    return Picture(
        figure,
        f"{title}, {ylabel}, mean over {count(seeds, 'seed')} (lowest-highest): "
        f"{'; '.join(parts)}.",
    )


def _arm(axes, rows: pd.DataFrame, value: str, sizes: list, k: int, arms: int) -> str:
    """Draw one line with its band and dots; its figures in words."""
    found = rows.groupby("n")[value].agg(["mean", "min", "max"]).reindex(sizes)
    colour, place = PALETTE[k % len(PALETTE)], np.arange(len(sizes))
    axes.fill_between(place, found["min"], found["max"], color=colour, alpha=0.13, linewidth=0)
    axes.plot(
        place,
        found["mean"],
        STROKES[k % len(STROKES)],
        color=colour,
        label=str(rows["arm"].iloc[0]),
    )
    aside = 0.16 * (k - (arms - 1) / 2) if rows["seed"].nunique() > 1 else 0
    spot = pd.Series(place, index=sizes)[rows["n"]].to_numpy() + aside
    mark = MARKS[k % len(MARKS)]
    axes.plot(
        spot,
        rows[value],
        mark,
        color=colour,
        markersize=5.5,
        alpha=0.75,
        mec="white",
        linestyle="none",
    )
    words = (f"{r.mean:.3f} ({r.min:.2f}-{r.max:.2f}) with {n:,}" for n, r in _rows(found))
    return listed(words)


def _rows(found: pd.DataFrame):
    """Sizes that were run, each with its figures."""
    return [
        (n, row)
        for n, row in zip(found.index, found.itertuples(index=False), strict=True)
        if row.mean == row.mean
    ]
