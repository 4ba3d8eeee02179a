"""A backbone cut at each of its stages: how good the features are, for one set or several."""

import numpy as np
import pandas as pd

from .look import (
    GREY,
    PALETTE,
    Picture,
    grid_lines,
    in_order,
    listed,
    need_columns,
    new_figure,
    style,
)

STROKES, MARKS = ("-", "--", "-.", ":"), "osD^"


def cuts(
    table: pd.DataFrame, *, title: str = "Where to cut", ylabel: str = "accuracy", baseline=None
) -> Picture:
    """A metric at each cut of a backbone, early stages left: a line and intervals for each set.

    The text names the best cut of each set and the others whose interval holds its value.

    Parameters
    ----------
    table : DataFrame
        Columns set, stage, value, low, high, one row per set and stage, stages in the network's
        order (rows of the first set, or a categorical).
    title, ylabel : str
        Above the picture, and of the metric.
    baseline : mapping of str to float, optional
        {name: number}, drawn level.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without the columns or a row.
    """
    need_columns(table, ("set", "stage", "value", "low", "high"), "cuts")
    sets = list(dict.fromkeys(table["set"]))
    stages = (
        in_order(table["stage"])
        if hasattr(table["stage"], "cat")
        else list(dict.fromkeys(table["stage"]))
    )
    with style():
        figure = new_figure(4.0)
        axes = figure.subplots()
        for name, level in (baseline or {}).items():
            axes.axhline(level, color=GREY, linewidth=1.2, linestyle="--", zorder=1, label=name)
        parts = [
            _one(axes, table[table["set"] == name], stages, k, len(sets))
            for k, name in enumerate(sets)
        ]
        axes.set_xticks(range(len(stages)), [str(stage) for stage in stages])
        axes.set(xlabel="cut after this stage (input at the left)", ylabel=ylabel, title=title)
        axes.set_xlim(-0.4, len(stages) - 0.6)
        grid_lines(axes, "y")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    levels = [f"{name} {level:.3f}" for name, level in (baseline or {}).items()]
    return Picture(figure, f"{title}, {ylabel}: {'; '.join(parts + levels)}.")


def _one(axes, rows: pd.DataFrame, stages: list, k: int, sets: int) -> str:
    """Draw the line and the intervals of one set; its finding in words."""
    rows = rows.set_index(rows["stage"].astype(object)).reindex(stages)
    place = np.arange(len(stages)) + 0.09 * (k - (sets - 1) / 2)
    name, colour = str(rows["set"].dropna().iloc[0]), PALETTE[k % len(PALETTE)]
    stroke, mark = STROKES[k % len(STROKES)], MARKS[k % len(MARKS)]
    axes.vlines(place, rows["low"], rows["high"], color=colour, linewidth=2, alpha=0.45, zorder=2)
    axes.plot(
        place,
        rows["value"],
        stroke + mark,
        color=colour,
        label=name,
        markersize=6,
        mec="white",
        zorder=3,
    )
    best = rows["value"].idxmax()
    top = rows["value"].max()
    near = [str(s) for s in stages if s != best and rows["low"][s] <= top <= rows["high"][s]]
    text = f"{name} highest at {best}, {top:.3f} ({rows['low'][best]:.2f}-{rows['high'][best]:.2f})"
    text += f", which lies within the interval of {listed(near)} too" if near else ""
    first, last = rows["value"].dropna().iloc[[0, -1]]
    return text + f"; from {first:.3f} at the first cut to {last:.3f} at the last"
