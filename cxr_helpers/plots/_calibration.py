"""A picture of calibration: the reliability diagram."""

import pandas as pd

from .look import (
    FAINT,
    GREY,
    INK,
    PALETTE,
    Picture,
    grid_lines,
    listed,
    need_columns,
    new_figure,
    style,
)


def reliability(
    tables, *, title: str = "Reliability", what: str = "the class", counted: str = "images"
) -> Picture:
    """Said against come true, a panel per model: points with intervals; images per bin below.

    The panel is the diagonal's square.

    Parameters
    ----------
    tables : DataFrame or mapping of str to DataFrame
        One table, or {name: table}, with bin_low, bin_high, predicted, observed, low, high, n, as
        `calibrate.reliability` gives; values in [0, 1].
    title : str
        Above the picture.
    what : str
        What came true.
    counted : str
        Of what n counts.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without those columns, or a table.
    """
    named = {"": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    if not named:
        raise ValueError("reliability needs at least one table.")
    for table in named.values():
        need_columns(
            table,
            ("bin_low", "bin_high", "predicted", "observed", "low", "high", "n"),
            "reliability",
        )
    most = max(table["n"].max() for table in named.values())
    with style():
        height = 6.1 if len(named) < 3 else 4.1  # more panels are smaller ones
        figure = new_figure(height, 5.0 if len(named) == 1 else 8.4, title)
        grid = figure.subplots(
            2, len(named), sharex=True, sharey="row", squeeze=False, height_ratios=[4, 1]
        )
        for k, (name, table) in enumerate(named.items()):
            _diagram(grid[0, k], table, k)
            _counts(grid[1, k], table, k, most)
            grid[0, k].set_title(name, fontweight="normal")
        grid[0, 0].set_ylabel(f"share that is {what}, with interval")
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center")
        grid[1, 0].set_ylabel(counted)
    return Picture(
        figure, f"{title}: {'; '.join(_words(name, table, what) for name, table in named.items())}."
    )


def _diagram(axes, table: pd.DataFrame, k: int) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="said = came true")
    axes.vlines(
        table["predicted"],
        table["low"],
        table["high"],
        color=PALETTE[k % len(PALETTE)],
        linewidth=2,
    )
    axes.plot(
        table["predicted"],
        table["observed"],
        "o",
        color=PALETTE[k % len(PALETTE)],
        markersize=7,
        mec="white",
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_box_aspect(1)
    axes.grid(color=FAINT)


def _counts(axes, table: pd.DataFrame, k: int, most: int) -> None:
    middle, width = (table["bin_low"] + table["bin_high"]) / 2, table["bin_high"] - table["bin_low"]
    bars = axes.bar(middle, table["n"], width * 0.92, color=PALETTE[k % len(PALETTE)], alpha=0.55)
    axes.bar_label(bars, fontsize=9, color=INK)
    axes.set_ylim(0, most * 1.35)
    axes.set_box_aspect(0.25)
    axes.set_xlabel("predicted probability")
    grid_lines(axes, "y")


def _words(name: str, table: pd.DataFrame, what: str) -> str:
    parts = [
        f"said {r.predicted:.2f}, {r.observed:.2f} of {r.n:.0f} are {what}"
        for r in table.itertuples()
    ]
    outside = ((table["predicted"] < table["low"]) | (table["predicted"] > table["high"])).sum()
    beside = f"in {outside} of {len(table)} bins the interval misses the diagonal"
    return f"{name + ': ' if name else ''}{listed(parts)}; {beside}"
