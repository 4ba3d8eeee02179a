"""Pictures of external validation and abstention."""

import numpy as np

from ._general import MARKS, STROKES
from .look import INK, PALETTE, Picture, grid_lines, listed, need_columns, new_figure, style


def side_by_side(
    table, *, title: str = "Internal and external", mark: str | None = None
) -> Picture:
    """A panel per metric, a line per cohort with its interval; the first's value is upright.

    `table`: columns metric, cohort, value, low, high and n, values in [0, 1]. `mark`: words for the
    upright line, by default the first cohort's name. Raises ValueError without the columns.
    Introduced in lesson 12.
    """
    need_columns(table, ("metric", "cohort", "value", "low", "high", "n"), "side_by_side")
    metrics, cohorts = (
        list(dict.fromkeys(map(str, table[column]))) for column in ("metric", "cohort")
    )
    parts = []
    with style():
        figure = new_figure(1.5 + 0.42 * len(cohorts), title=title)
        for axes, metric in zip(
            np.atleast_1d(figure.subplots(1, len(metrics), sharey=True)), metrics, strict=True
        ):
            rows = table[table["metric"].astype(str) == metric].set_index("cohort")
            for k, cohort in enumerate(cohorts):
                if cohort not in rows.index:
                    continue
                low, value, high = (float(rows.loc[cohort, c]) for c in ("low", "value", "high"))
                axes.hlines(k, low, high, color=PALETTE[k > 0], linewidth=2.5)
                axes.plot(
                    value,
                    k,
                    MARKS[0 if k == 0 else 1],
                    color=PALETTE[k > 0],
                    markersize=8,
                    mec="white",
                )
                words = f"{value:.2f}  n = {rows.loc[cohort, 'n']:,.0f}"
                axes.annotate(
                    words,
                    (0.5, k),
                    xytext=(0, 8),
                    textcoords="offset points",
                    ha="center",
                    fontsize=9,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
                )
                parts.append(
                    f"{metric} {cohort} {value:.2f} ({low:.2f}-{high:.2f}, n = "
                    f"{rows.loc[cohort, 'n']:,.0f})"
                )
            if cohorts[0] in rows.index:
                axes.axvline(
                    float(rows.loc[cohorts[0], "value"]),
                    color=INK,
                    linewidth=1,
                    linestyle=":",
                    zorder=0,
                )
            axes.set(xlim=(0, 1.02), title=metric)
            axes.tick_params(axis="y", length=0)
            grid_lines(axes, "x")
        axes.set_yticks(range(len(cohorts)), cohorts)
        axes.set_ylim(len(cohorts) - 0.5, -0.8)
    return Picture(
        figure, f"{title}, with 95 % intervals: {'; '.join(parts)}. Upright: {mark or cohorts[0]}."
    )


def risk_coverage(
    curves, *, cut: float | None = None, title: str = "Error among the images answered"
) -> Picture:
    """Error among the answered images over their share, surest first, a line per cohort or model.

    `curves`: {name: table with threshold, answered, error}; shares in [0, 1]. `cut`: a threshold
    whose place is marked on each line. Lines start where ten images in a hundred are answered;
    before, the error rests on a handful. Raises ValueError without the columns. Introduced in
    lesson 12.
    """
    parts = []
    with style():
        figure = new_figure(4.0)
        axes = figure.subplots()
        for k, (name, table) in enumerate(dict(curves).items()):
            need_columns(table, ("threshold", "answered", "error"), "risk_coverage")
            shown = table[table["answered"] >= min(0.1, table["answered"].max())]
            colour = PALETTE[k % len(PALETTE)]
            axes.plot(
                shown["answered"],
                shown["error"],
                STROKES[k % len(STROKES)],
                color=colour,
                label=name,
            )
            words = f"{name} {shown['error'].iloc[-1]:.2f} with all answered"
            if cut is not None and (table["threshold"] >= cut).any():
                row = table[table["threshold"] >= cut].iloc[-1]
                axes.plot(
                    row["answered"], row["error"], MARKS[0], color=colour, markersize=9, mec="white"
                )
                words += f", {row['error']:.2f} with {row['answered']:.0%} answered at the cut"
            parts.append(words)
        axes.set(
            xlabel="share of images answered, the surest first",
            ylabel="error among them",
            title=title,
        )
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, None)
        grid_lines(axes, "y")
        axes.legend(loc="best")
    return Picture(figure, f"{title}: {listed(parts)}.")
