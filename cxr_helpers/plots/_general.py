"""Pictures of numbers: intervals side by side, a distribution, lines."""

import numpy as np
import pandas as pd

from .look import (
    GREY,
    INK,
    PALETTE,
    Picture,
    class_colour,
    count,
    grid_lines,
    listed,
    need_columns,
    new_figure,
    style,
)

STROKES = ("-", "--", "-.", ":")
MARKS = "osD^vPX"
APART = 0.25  # of the range, between two heaps of values


def intervals(
    table: pd.DataFrame, *, baseline=None, title: str = "Values and intervals", xlabel="value"
) -> Picture:
    """Values with their intervals, one line each (a forest plot), the numbers and n at the right.

    Parameters
    ----------
    table : DataFrame
        Columns label, value, low, high and, if there, n; NaN is listed as undefined.
    baseline : float or mapping of str to float, optional
        A number or {name: number}, drawn upright.
    title, xlabel : str
        Above the picture, and of the values.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without the columns or a row.
    """
    need_columns(table, ("label", "value", "low", "high"), "intervals")
    marks = _marks(baseline)
    rows = table.reset_index(drop=True)
    with style():
        figure = new_figure(1.3 + 0.36 * len(rows) + 0.2 * len(marks))
        axes = figure.subplots()
        for k, (name, x) in enumerate(marks.items()):
            axes.axvline(x, color=GREY, linewidth=1.2, linestyle="--", zorder=1)
            axes.annotate(
                name,
                (x, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3 + 14 * k),
                textcoords="offset points",
                ha="center",
                fontsize=10,
                color=GREY,
            )
        axes.hlines(
            range(len(rows)), rows["low"], rows["high"], color=PALETTE[0], linewidth=2.5, zorder=2
        )
        axes.plot(
            rows["value"],
            range(len(rows)),
            "o",
            color=PALETTE[0],
            markersize=8,
            mec="white",
            zorder=3,
        )
        texts = [_interval_text(row) for row in rows.to_dict("records")]
        for k, words in enumerate(texts):
            axes.annotate(
                words,
                (1.02, k),
                xycoords=("axes fraction", "data"),
                va="center",
                annotation_clip=False,
            )
        axes.set_yticks(range(len(rows)), rows["label"].astype(str))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set(xlabel=xlabel)
        axes.locator_params(axis="x", nbins=5)  # long labels leave little width
        axes.set_title(title, pad=6 + 14 * len(marks))
        axes.tick_params(axis="y", length=0)
        grid_lines(axes, "x")
    parts = [f"{label} {words}" for label, words in zip(rows["label"], texts, strict=True)]
    text = f"{title}, {xlabel}: {'; '.join(parts)}"
    return Picture(figure, text + (f". Baseline {_marks_text(marks)}." if marks else "."))


def _interval_text(row: dict) -> str:
    n = f", n = {row['n']:,.0f}" if "n" in row and row["n"] == row["n"] else ""
    if not np.isfinite(row["value"]):
        return f"undefined{n}"
    low, high = row["low"], row["high"]
    dash = " to " if min(low, high) < 0 else "-"
    digits = 3 if -0.005 <= low < 0 else 2  # "-0.00" would leave open which side of zero it is on
    span = f" ({low:.{digits}f}{dash}{high:.{digits}f})" if np.isfinite(low) else " (no interval)"
    return f"{row['value']:.3f}{span}{n}"


def _marks(marks) -> dict[str, float]:
    if marks is None:
        return {}
    return (
        {str(k): float(v) for k, v in marks.items()}
        if hasattr(marks, "items")
        else {f"{marks:g}": float(marks)}
    )


def _marks_text(marks: dict[str, float]) -> str:
    return listed(name if name == f"{x:g}" else f"{name} {x:.3g}" for name, x in marks.items())


def distribution(
    values,
    *,
    mark=None,
    title: str,
    xlabel: str,
    bins: int | None = None,
    what: str = "simulations",
) -> Picture:
    """Histogram of simulated values, with what is to be compared with them marked.

    The text states mean, central 95 % and how many values reach each mark.

    Parameters
    ----------
    values : array_like
        Finite.
    mark : float or mapping of str to float, optional
        A number or {name: number}.
    title, xlabel : str
        Above the picture, and of the values.
    bins : int, optional
        By default one for each of a few evenly spaced values, else 30.
    what : str
        Is counted.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If empty or not finite.
    """
    array = np.asarray(values, dtype=float).ravel()
    if not array.size or not np.isfinite(array).all():
        raise ValueError("distribution needs at least one value, all finite.")
    marks = _marks(mark)
    with style():
        figure = new_figure(3.5 + 0.22 * max(0, len(marks) - 1))
        axes = figure.subplots()
        axes.hist(array, bins=_bins(array, bins), color="#56B4E9", edgecolor="white", linewidth=0.5)
        for k, (name, x) in enumerate(marks.items()):
            colour = PALETTE[(k + 1) % len(PALETTE)]
            label = name if name == f"{x:g}" else f"{name}: {x:.3g}"
            axes.axvline(x, color=colour, linestyle=STROKES[(k + 1) % len(STROKES)], label=label)
        scale = ""
        if _apart(array):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda n, _: f"{n:,g}")
            axes.set_ylim(0.7, None)
            scale = ", log scale"
        axes.set(xlabel=xlabel, ylabel=f"{what} (of {array.size:,}{scale})")
        axes.set_title(title, pad=10 + 16 * len(marks))
        grid_lines(axes, "y")
        if marks:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    low, high = np.quantile(array, [0.025, 0.975])
    text = (
        f"{title}: {count(array.size, 'value')}, mean {array.mean():.3g}, 95% between "
        f"{low:.3g} and {high:.3g}"
    )
    for name, x in marks.items():
        reached = np.mean(array >= x - 1e-12)
        text += f"; {_marks_text({name: x})} is reached by {reached:.1%}"
    return Picture(figure, text + ".")


def _apart(array: np.ndarray) -> bool:
    """Whether a few values, under one in twenty, lie apart from the others, with fewer between:
    beside the bars of the others theirs would be too low to be seen.
    """
    ordered = np.sort(array)
    before = np.arange(1, array.size + 1)
    up_to = np.searchsorted(ordered, ordered + APART * np.ptp(ordered))
    smaller = np.minimum(before, array.size - up_to)
    return bool(((up_to - before < smaller) & (smaller < array.size / 20)).any())


def _bins(array: np.ndarray, bins: int | None):
    """Edges half-way between a few evenly spaced values (counts out of n), else `bins` or 30."""
    distinct = np.unique(np.round(array, 12))
    if bins is None and 2 <= len(distinct) <= 60:
        step = np.diff(distinct).min()
        places = (distinct - distinct[0]) / step
        if np.allclose(places, np.round(places), atol=1e-6) and places[-1] <= 80:
            return distinct[0] + step * (np.arange(round(places[-1]) + 2) - 0.5)
    return bins or 30


def line(
    x,
    ys,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    bands=None,
    mark=None,
    points: bool | None = None,
) -> Picture:
    """One or several lines over x, each named at its legend, with bands and upright marks if given.

    Parameters
    ----------
    x : sequence of float
        The places.
    ys : mapping of str to sequence of float, or sequence of float
        {name: values} or one sequence, as long as x.
    title, xlabel, ylabel : str
        Above the picture, and of the axes.
    bands : mapping of str to tuple, optional
        {name: (low, high)}, each as long as x.
    mark : float or mapping of str to float, optional
        A number or {name: number} on the x axis.
    points : bool, optional
        Whether values are marked, by default up to 15 of them.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    from matplotlib.ticker import MaxNLocator

    x = np.asarray(x)
    named = (
        {str(k): np.asarray(v, float) for k, v in ys.items()}
        if hasattr(ys, "items")
        else {ylabel: np.asarray(ys)}
    )
    wrong = {name: len(y) for name, y in named.items() if len(y) != len(x)}
    if wrong or not named or not len(x):
        raise ValueError(f"x has {len(x)} values; the lines have {wrong or 'none'}.")
    marks = _marks(mark)
    dotted = len(x) <= 15 if points is None else points
    with style():
        figure = new_figure(3.7)
        axes = figure.subplots()
        for k, (name, y) in enumerate(named.items()):
            colour = class_colour(name, k)
            mark_style = MARKS[k % len(MARKS)] if dotted else None
            axes.plot(
                x,
                y,
                STROKES[k % len(STROKES)],
                color=colour,
                label=name,
                marker=mark_style,
                markersize=5,
            )
            if bands and name in bands:
                axes.fill_between(
                    x, *map(np.asarray, bands[name]), color=colour, alpha=0.18, linewidth=0
                )
        for name, at in marks.items():
            axes.axvline(at, color=INK, linewidth=1, linestyle=":")
            axes.annotate(
                name,
                (at, 1),
                xycoords=("data", "axes fraction"),
                xytext=(4, -2),
                textcoords="offset points",
                va="top",
                fontsize=10,
            )
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        if np.issubdtype(x.dtype, np.integer):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
        grid_lines(axes, "y")
        if len(named) > 1:
            axes.legend(loc="best")
    parts = (_course(name if len(named) > 1 else ylabel, x, y) for name, y in named.items())
    text = f"{title}, {ylabel} over {xlabel}: {'; '.join(parts)}"
    return Picture(figure, text + (f". Marked: {_marks_text(marks)}." if marks else "."))


def _course(name: str, x, y) -> str:
    if not np.isfinite(y).any():
        return f"{name} undefined"
    low, high = int(np.nanargmin(y)), int(np.nanargmax(y))
    return (
        f"{name} from {y[0]:.3g} at {x[0]:.4g} to {y[-1]:.3g} at {x[-1]:.4g}, "
        f"lowest {y[low]:.3g} at {x[low]:.4g}, highest {y[high]:.3g} at {x[high]:.4g}"
    )
