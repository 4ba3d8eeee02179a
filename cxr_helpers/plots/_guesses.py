"""Pictures of predictions: one beside its result, a sketch over its curve, those of a class."""

import numpy as np

from .look import FAINT, GREY, INK, PALETTE, Picture, count, grid_lines, new_figure, style

MINE, TRUTH = PALETTE[1], PALETTE[0]


def number_line(mine, result, *, between, title: str, name: str = "your prediction") -> Picture:
    """A prediction and the result on one line that shows the whole range of predictions.

    Parameters
    ----------
    mine : float or tuple of float
        A number, or (low, high).
    result : tuple
        (value, low, high), the ends None where there is no interval.
    between : tuple of float
        (low, high) of the line.
    title, name : str
        Above the picture, and whose prediction it is.

    Returns
    -------
    Picture
        To be shown.
    """
    value, low, high = result
    span = between[1] - between[0]
    mine_text = _number(mine) if np.ndim(mine) == 0 else f"{_number(mine[0])} to {_number(mine[1])}"
    truth_text = _number(value) + (
        f" ({_number(low, 2)} to {_number(high, 2)})" if low is not None else ""
    )
    with style():
        figure = new_figure(1.75)
        axes = figure.subplots()
        axes.axhline(0, color=FAINT, linewidth=6, zorder=1, solid_capstyle="butt")
        if low is not None:
            axes.plot(
                [low, high],
                [0, 0],
                color=TRUTH,
                linewidth=7,
                alpha=0.45,
                zorder=2,
                solid_capstyle="butt",
            )
        axes.plot(value, 0, "o", color=TRUTH, markersize=11, mec="white", zorder=4)
        if np.ndim(mine):
            axes.plot(mine, [0.25, 0.25], color=MINE, linewidth=5, zorder=3, solid_capstyle="butt")
        else:
            axes.plot(mine, 0.25, "v", color=MINE, markersize=11, mec="white", zorder=3)
        _label(axes, np.mean(mine), 0.62, f"{name}: {mine_text}", MINE, between)
        _label(axes, value, -0.5, f"result: {truth_text}", TRUTH, between)
        axes.set_xlim(min(between[0], value) - span / 50, max(between[1], value) + span / 50)
        axes.set_ylim(-1, 1)
        whole = span > 1 and all(float(number).is_integer() for number in (*between, value))
        _even(axes.xaxis, 10, whole=whole)
        axes.yaxis.set_visible(False)
        axes.spines["left"].set_visible(False)
        axes.set_title(title)
    ends = f"on a line from {_number(between[0])} to {_number(between[1])}"
    return Picture(figure, f"{title}, {ends}: {name} {mine_text}, the result {truth_text}.")


def _label(axes, x: float, y: float, text: str, colour: str, between) -> None:
    """A word beside a mark, leaning inwards at the ends of the line."""
    share = (x - between[0]) / (between[1] - between[0])
    side = "left" if share < 0.2 else "right" if share > 0.8 else "center"
    axes.text(x, y, text, color=colour, ha=side, va="center", fontweight="bold", fontsize=11)


def sketch_and_curve(
    at, mine, x, y, *, between, title: str, name: str = "your prediction", xlabel: str = ""
) -> Picture:
    """A sketched curve, dashed, over the real one.

    Parameters
    ----------
    at, mine : sequence of float
        Places and values of the sketch.
    x, y : sequence of float
        The curve.
    between : tuple of float
        (low, high) of the values; the picture begins at the lower one, or below.
    title, name : str
        Above the picture, and whose prediction it is.
    xlabel : str
        What the places count.

    Returns
    -------
    Picture
        To be shown.
    """
    with style():
        figure = new_figure(3.4)
        axes = figure.subplots()
        axes.plot(x, y, color=TRUTH, label="result")
        axes.plot(at, mine, "--v", color=MINE, markersize=9, mec="white", label=name)
        lowest, highest = min(between[0], np.min(y)), max(np.max(y), np.max(mine))
        room = 0.15 * (highest - lowest)
        axes.set_ylim(lowest, max(highest + room, np.max(y)))
        axes.set_xlabel(xlabel)
        axes.set_title(title)
        axes.legend()
        grid_lines(axes, "y")
    pairs = [
        f"{_number(m)} at {_number(p)} where the result is {_number(np.interp(p, x, y))}"
        for p, m in zip(at, mine, strict=True)
    ]
    return Picture(figure, f"{title}: {name}, dashed, over the result: {'; '.join(pairs)}.")


def class_numbers(answers, truth: float | None, *, between=None, title: str) -> Picture:
    """Histogram of a class's predicted numbers, and the result.

    Parameters
    ----------
    answers : sequence of float
        At least one.
    truth : float or None
        The result, if it is known.
    between : tuple of float, optional
        (low, high) of the axis, by default of the numbers.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.
    """
    values = np.asarray(answers, float)
    ends = [*values, *([] if truth is None else [truth])]
    low, high = between or (min(ends), max(ends))
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    with style():
        figure = new_figure(2.6)
        axes = figure.subplots()
        heights, _, _ = axes.hist(
            values, bins=20, range=(low, high), color=MINE, edgecolor="white", alpha=0.8
        )
        if truth is not None:
            axes.axvline(truth, color=TRUTH, linewidth=3)
            axes.annotate(
                f"result: {_number(truth)}",
                (truth, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                color=TRUTH,
                fontweight="bold",
                ha="center",
            )
        axes.set_title(title, pad=20)
        axes.set_ylabel("readers")
        _even(axes.yaxis)
        grid_lines(axes, "y")
    edges = np.linspace(low, high, 21)
    most = int(np.argmax(heights))
    text = (
        f"{title}: {count(len(values), 'prediction')}, median {_number(np.median(values))}, "
        "most of them "
    )
    text += f"({heights[most]:.0f}) from {_number(edges[most])} to {_number(edges[most + 1])}"
    return Picture(figure, text + ("." if truth is None else f"; the result is {_number(truth)}."))


def class_choices(counts: dict[str, int], truth: str | None, *, title: str) -> Picture:
    """How many readers chose each answer, the right one coloured.

    Parameters
    ----------
    counts : dict of str to int
        {answer: readers}.
    truth : str or None
        The right answer, if it is known.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.
    """
    names = list(counts)
    with style():
        figure = new_figure(1.0 + 0.42 * len(names))
        axes = figure.subplots()
        colours = [TRUTH if name == truth else MINE for name in names]
        bars = axes.barh(range(len(names)), list(counts.values()), color=colours, height=0.7)
        axes.bar_label(bars, padding=3, color=INK)
        axes.set_yticks(
            range(len(names)), [f"{name} (result)" if name == truth else name for name in names]
        )
        axes.invert_yaxis()
        axes.set_xlabel("readers", color=GREY)
        _even(axes.xaxis)
        axes.set_title(title)
    said = ", ".join(f"{name} {number}" for name, number in counts.items())
    return Picture(
        figure, f"{title}: {said}" + ("." if truth is None else f"; the result is {truth}.")
    )


def class_sketches(at, sketches, truth, *, title: str) -> Picture:
    """All sketches of a class, dashed, under the real curve at the same places.

    Parameters
    ----------
    at : sequence of float
        The places.
    sketches : sequence of sequence of float
        Values at the places, one sketch each.
    truth : sequence of float or None
        The curve at the places, if it is known.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.
    """
    with style():
        figure = new_figure(3.0)
        axes = figure.subplots()
        for values in sketches:
            axes.plot(at, values, "--", color=MINE, alpha=0.5, linewidth=1.2)
        if truth is not None:
            axes.plot(at, truth, "-o", color=TRUTH, label="result")
            axes.legend()
        axes.set_title(title)
        grid_lines(axes, "y")
    middle = ", ".join(_number(v) for v in np.median(np.asarray(sketches, float), axis=0))
    said = f"{title}: {count(len(sketches), 'sketch', 'sketches')}, in the middle {middle}"
    return Picture(
        figure, said + ("." if truth is None else f"; the result {', '.join(map(_number, truth))}.")
    )


def _even(axis, most: int = 5, *, whole: bool = True) -> None:
    """Marks one, two or five apart, times a power of ten; with `whole` at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=most, integer=whole, steps=(1, 2, 5, 10)))


def _number(value: float, digits: int = 3) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
