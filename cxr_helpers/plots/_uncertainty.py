"""A picture of external validation."""

import numpy as np

from ._general import MARKS
from .look import INK, PALETTE, Picture, grid_lines, need_columns, new_figure, style


def side_by_side(
    table, *, title: str = "Internal and external", mark: str | None = None
) -> Picture:
    """A panel per metric, a line per cohort with its interval; the first's value is upright.

    Parameters
    ----------
    table : DataFrame
        Columns metric, cohort, value, low, high and n, values in [0, 1].
    title : str
        Above the picture.
    mark : str, optional
        Words for the upright line, by default the first cohort's name.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without the columns or a row.
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
