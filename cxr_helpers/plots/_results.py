"""Pictures of training and evaluation: curves, confusion matrix, ROC, precision-recall."""

import numpy as np
import pandas as pd

from .look import (
    FAINT,
    GREY,
    PALETTE,
    Picture,
    grid_lines,
    listed,
    need_columns,
    new_figure,
    style,
)

TRAIN, VAL = "#0072B2", "#D55E00"
STROKES = ("-", "--", "-.", ":")


def curves(history: pd.DataFrame, *, title: str = "Training") -> Picture:
    """Loss and accuracy per epoch, in training and validation.

    The epoch of the lowest validation loss is marked.

    Parameters
    ----------
    history : DataFrame
        One row per epoch with loss and, if there, accuracy, val_loss, val_accuracy, epoch (else
        counted from 1).
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without the column loss or a row.
    """
    history = pd.DataFrame(history)
    need_columns(history, ("loss",), "curves")
    epoch = history["epoch"].to_numpy() if "epoch" in history else np.arange(1, len(history) + 1)
    kinds = [kind for kind in ("loss", "accuracy") if kind in history]
    guide = "val_loss" if "val_loss" in history else "loss"
    best = int(np.nanargmin(history[guide])) if history[guide].notna().any() else 0
    with style():
        figure = new_figure(3.5, 8 if len(kinds) == 2 else 5, title)
        for axes, kind in zip(
            figure.subplots(1, len(kinds), squeeze=False).ravel(), kinds, strict=True
        ):
            _curve(axes, epoch, history, kind, best)
    parts = []
    for kind in kinds:
        for column, where in ((kind, "training"), (f"val_{kind}", "validation")):
            if column in history:
                values = history[column]
                parts.append(f"{where} {kind} {values.iloc[0]:.3f} to {values.iloc[-1]:.3f}")
    where = "validation" if guide == "val_loss" else "training"
    return Picture(
        figure,
        f"{title}, {len(history)} epoch{'s' * (len(history) > 1)}: {listed(parts)}; "
        f"lowest {where} loss {history[guide].iloc[best]:.3f} at epoch {epoch[best]}.",
    )


def _curve(axes, epoch, history: pd.DataFrame, kind: str, best: int) -> None:
    from matplotlib.ticker import MaxNLocator

    mark = "o" if len(epoch) <= 12 else None
    for column, name, colour, stroke in (
        (kind, "training", TRAIN, "-"),
        (f"val_{kind}", "validation", VAL, "--"),
    ):
        if column in history:
            axes.plot(
                epoch, history[column], stroke, color=colour, label=name, marker=mark, markersize=4
            )
    axes.axvline(epoch[best], color=GREY, linewidth=1, linestyle=":", zorder=0)
    side = "right" if best > len(epoch) / 2 else "left"
    axes.annotate(
        f"lowest loss: epoch {epoch[best]}",
        (epoch[best], 1.0),
        xycoords=("data", "axes fraction"),
        ha=side,
        va="top",
        xytext=(-4 if side == "right" else 4, 0),
        textcoords="offset points",
        fontsize=10,
        color=GREY,
    )
    axes.set(xlabel="epoch", ylabel="accuracy (share right)" if kind == "accuracy" else "loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=(1, 2, 5, 10)))
    axes.margins(y=0.14)
    if kind == "loss":
        axes.set_ylim(0, None)
    grid_lines(axes, "y")
    axes.legend(loc="best")


def confusion(matrix, *, title: str = "Confusion matrix") -> Picture:
    """Counts of images, true class by row, predicted by column; shaded by the share of the row.

    Parameters
    ----------
    matrix : DataFrame
        Counts, whose rows and columns are the classes in one order, as `evaluate.confusion` gives.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If it is no such table, or rows and columns differ.
    """
    if (
        not isinstance(matrix, pd.DataFrame)
        or list(matrix.index) != list(matrix.columns)
        or matrix.empty
    ):
        raise ValueError(
            "confusion needs a table with the same classes as rows and columns: "
            "evaluate.confusion(...)."
        )
    counts = matrix.to_numpy()
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    names = [str(name) for name in matrix.index]
    with style():
        figure = new_figure(1.7 + 0.85 * len(names), 2.6 + 1.15 * len(names), title)
        axes = figure.subplots()
        drawn = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), n in np.ndenumerate(counts):
            words = f"{n:g}\n{share[row, column]:.0%}" if total[row] else f"{n:g}"
            colour = "white" if share[row, column] > 0.55 else "black"
            axes.text(column, row, words, ha="center", va="center", color=colour, fontsize=12)
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(
            range(len(names)), [f"{n} ({t:g})" for n, t in zip(names, total[:, 0], strict=True)]
        )
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="predicted class", ylabel="true class (images)")
        bar = figure.colorbar(drawn, ax=axes, format=lambda v, _: f"{v:.0%}")
        bar.set_label("share of the true class")
        bar.outline.set_visible(False)
    right = np.trace(counts)
    text = f"{title}: {right:g} of {counts.sum():g} images on the diagonal. "
    parts = [
        f"{name}: {', '.join(f'{n:g} {called}' for called, n in zip(names, row, strict=True))}"
        for name, row in zip(names, counts, strict=True)
    ]
    return Picture(figure, text + "True class and what it was called: " + "; ".join(parts) + ".")


def roc(curves, *, thresholds: dict[str, float] | None = None, title: str = "ROC curve") -> Picture:
    """Sensitivity against 1 - specificity, area in the legend; `thresholds` {name: value} marked.

    Parameters
    ----------
    curves : DataFrame or mapping of str to DataFrame
        One table with threshold, sensitivity, specificity, as `evaluate.roc` gives, or {name:
        table}; values in [0, 1].
    thresholds : dict of str to float, optional
        {name: value}; called positive from it on.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without those columns, or a curve.
    """
    tables = _named(curves, ("sensitivity", "specificity"), "roc")
    parts = []
    with style():
        figure = new_figure(5.2, 5.4)
        axes = figure.subplots()
        axes.plot(
            [0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":", label="chance, area 0.500"
        )
        for k, (name, table) in enumerate(tables.items()):
            false_alarms = 1 - table["specificity"]
            order = np.lexsort((table["sensitivity"], false_alarms))
            area = np.trapezoid(
                table["sensitivity"].to_numpy()[order], false_alarms.to_numpy()[order]
            )
            parts.append(f"{name} area {area:.3f}")
            _line(
                axes,
                false_alarms.to_numpy()[order],
                table["sensitivity"].to_numpy()[order],
                k,
                parts[-1],
            )
            if thresholds and name in thresholds:
                row = _at(table, thresholds[name], name)
                axes.plot(
                    1 - row["specificity"],
                    row["sensitivity"],
                    "o",
                    color=_colour(k),
                    markersize=9,
                    mec="white",
                )
                parts[-1] += (
                    f" (at threshold {thresholds[name]:.3g}: sensitivity {row['sensitivity']:.3f}, "
                    f"specificity {row['specificity']:.3f})"
                )
        axes.set(xlabel="1 − specificity (false alarms)", ylabel="sensitivity", title=title)
        _unit_square(axes)
        axes.legend(loc="lower right")
    return Picture(figure, f"{title}: {listed(parts)}; chance is 0.500.")


def _named(given, columns, what: str) -> dict[str, pd.DataFrame]:
    tables = {"model": given} if isinstance(given, pd.DataFrame) else dict(given)
    if not tables:
        raise ValueError(f"{what} needs at least one curve.")
    for table in tables.values():
        need_columns(table, columns, what)
    return tables


def _at(table: pd.DataFrame, threshold: float, name: str) -> pd.Series:
    """The curve's row for p ≥ threshold: its lowest threshold not below the one given."""
    need_columns(table, ("threshold",), f"A marked threshold on {name}")
    above = table[table["threshold"] >= threshold]
    return above.loc[above["threshold"].idxmin()]


def _colour(k: int) -> str:
    return PALETTE[k % len(PALETTE)]


def _line(axes, x, y, k: int, label: str) -> None:
    stroke = STROKES[k % len(STROKES)]
    axes.plot(x, y, stroke, color=_colour(k), label=label)


def _unit_square(axes) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    axes.set_aspect("equal")
    axes.grid(color=FAINT)
