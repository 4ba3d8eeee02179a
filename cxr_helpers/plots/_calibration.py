"""Pictures of calibration: the reliability diagram and the decision curve."""

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

STROKES = ("-", "-.", (0, (3, 1, 1, 1)))


def reliability(
    tables, *, title: str = "Reliability", what: str = "the class", counted: str = "images"
) -> Picture:
    """Said against come true, a panel per model: points with intervals; images per bin below.

    The panel is the diagonal's square.

    `tables`: {name: table} or one table with bin_low, bin_high, predicted, observed, low, high, n;
    values in [0, 1]; `what` came true, of what is `counted`. Raises ValueError without those
    columns. Introduced in lesson 11.
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
        figure = new_figure(6.1, 5.0 if len(named) == 1 else 8.4, title)
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


def decision_curve(curves, *, title: str = "Decision curve") -> Picture:
    """Net benefit over the threshold, with its interval, beside acting on everyone and on nobody.

    `curves`: {name: table} or one table with threshold, model, low, high, everyone, gain, gain_low.
    The vertical axis is cut below, where acting on everyone falls. Raises ValueError without those
    columns. Introduced in lesson 11.
    """
    named = {"model": curves} if isinstance(curves, pd.DataFrame) else dict(curves)
    if not named:
        raise ValueError("decision_curve needs at least one table.")
    for table in named.values():
        need_columns(
            table,
            ("threshold", "model", "low", "high", "everyone", "gain", "gain_low"),
            "decision_curve",
        )
    first = next(iter(named.values()))
    parts = []
    with style():
        figure = new_figure(4.2)
        axes = figure.subplots()
        axes.plot(
            first["threshold"],
            first["everyone"],
            color=INK,
            linestyle="--",
            linewidth=1.4,
            label="act on everyone",
        )
        axes.axhline(0, color=GREY, linewidth=1.4, linestyle=":", label="act on nobody")
        for k, (name, table) in enumerate(named.items()):
            colour, stroke = PALETTE[k % len(PALETTE)], STROKES[k % len(STROKES)]
            axes.plot(table["threshold"], table["model"], stroke, color=colour, label=name)
            axes.fill_between(
                table["threshold"],
                table["low"],
                table["high"],
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
            parts.append(f"{name} {_where(table)}")
        top = max(table["high"].max() for table in named.values())
        axes.set_ylim(-0.25 * top if top > 0 else None, 1.1 * top if top > 0 else None)
        axes.set(
            xlabel="threshold probability t",
            ylabel="net benefit (true positives per image)",
            title=title,
        )
        grid_lines(axes, "y")
        axes.legend(loc="upper right")
    return Picture(figure, f"{title}: {listed(parts)}.")


def _where(table: pd.DataFrame) -> str:
    """At which thresholds the model is above both simple rules, and its interval too."""
    above, surely = table["gain"].to_numpy() > 1e-12, table["gain_low"].to_numpy() > 1e-12
    if not above.any():
        return "is nowhere above both acting on everyone and on nobody"
    at = table["threshold"].to_numpy()[above]
    return (
        f"is above both acting on everyone and on nobody at {above.sum()} of {len(table)} "
        f"thresholds, between {at.min():.2g} and {at.max():.2g} (with its whole interval at "
        f"{surely.sum()}), highest {table['model'].max():.3f}"
    )
