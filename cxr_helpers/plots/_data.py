"""Pictures of a set of images as a table: grey levels, splits."""

import numpy as np
import pandas as pd

from .look import (
    GREY,
    Picture,
    class_colour,
    grid_lines,
    in_order,
    listed,
    need_columns,
    new_figure,
    style,
    text_colour,
)


def split_counts(table: pd.DataFrame, *, title: str = "Images per split and class") -> Picture:
    """Images per split, stacked by class, with the numbers in the bars.

    Parameters
    ----------
    table : DataFrame
        Columns label and split; images without a split form a bar of their own.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without the columns or a row.
    """
    need_columns(table, ("label", "split"), "split_counts")
    split = table["split"].astype(object).where(table["split"].notna(), "none")
    order = [s for s in ("train", "val", "test") if s in set(split)]
    order += sorted(set(split) - set(order), key=str)
    names = in_order(table["label"])
    counts = pd.crosstab(split, table["label"].astype(object)).reindex(
        index=order, columns=names, fill_value=0
    )
    with style():
        figure = new_figure(1.2 + 0.55 * len(order))
        axes = figure.subplots()
        left = np.zeros(len(order))
        for k, name in enumerate(names):
            axes.barh(
                order, counts[name], left=left, color=class_colour(name, k), label=name, height=0.65
            )
            for row, n in enumerate(counts[name]):
                if n > 0.03 * counts.sum(axis=1).max():
                    ink = text_colour(class_colour(name, k))
                    axes.text(
                        left[row] + n / 2,
                        row,
                        f"{n:,}",
                        ha="center",
                        va="center",
                        color=ink,
                        weight="bold",
                    )
            left += counts[name].to_numpy()
        for row, n in enumerate(left):
            axes.text(n, row, f" {n:,.0f} ({n / len(table):.0%})", va="center")
        axes.invert_yaxis()
        axes.set(xlabel="images", xlim=(0, left.max() * 1.18))
        axes.tick_params(axis="y", length=0)
        grid_lines(axes, "x")
        axes.set_title(title, pad=26)
        axes.legend(
            ncols=len(names),
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            borderaxespad=0.2,
            handlelength=1,
        )
    parts = (
        (
            f"{row} {counts.loc[row].sum():,} "
            f"({listed(f'{n:,} {name}' for name, n in counts.loc[row].items())})"
        )
        for row in order
    )
    return Picture(figure, f"Stacked bars of images per split: {'; '.join(parts)}.")


def histogram(images, labels, *, bins: int = 64, title: str = "Grey levels per class") -> Picture:
    """Share of pixels per grey level and class: mean over images, band of percentiles.

    The band runs from the 10th to the 90th. It is over images, so that a difference of means is
    seen beside its spread.

    Parameters
    ----------
    images : ndarray
        uint8 (n, h, w), grey levels 0-255.
    labels : sequence of str
        n classes.
    bins : int
        Of equal width.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    if len(images) != len(labels):
        raise ValueError(f"{len(labels)} labels for {len(images)} images.")
    names, chosen = in_order(labels), np.asarray(labels, dtype=object)
    edges = np.linspace(0, 256, bins + 1)
    share = np.stack([np.histogram(image, edges)[0] / np.size(image) * 100 for image in images])
    level = np.array([np.mean(image) for image in images])
    middle = (edges[:-1] + edges[1:]) / 2
    means = {name: share[chosen == name].mean(axis=0) for name in names}
    with style():
        figure = new_figure(3.2, title=title)
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False).ravel()
        for k, (axes, name) in enumerate(zip(panels, names, strict=True)):
            band = np.quantile(share[chosen == name], [0.1, 0.9], axis=0)
            colour = class_colour(name, k)
            axes.fill_between(middle, *band, color=colour, alpha=0.25, linewidth=0)
            for other in names:
                if other != name:
                    axes.plot(middle, means[other], color=GREY, linewidth=1)
            axes.plot(middle, means[name], color=colour)
            axes.set_title(f"{name} (n = {(chosen == name).sum()})", fontsize=11, color=colour)
            axes.set(xlim=(0, 255), xticks=[0, 100, 200], xlabel="grey level")
            grid_lines(axes, "y")
        below = "0 black, 255 white; grey lines: the means of the other classes"
        figure.supxlabel(below, fontsize=11)
        panels[0].set_ylabel(f"pixels (%) per {256 / bins:g} levels\nmean; band: 80 % of images")
        # The band may leave the picture at a spike of black border; the means stay inside.
        panels[0].set_ylim(0, 1.35 * max(mean.max() for mean in means.values()))
    parts = (f"{n} {level[chosen == n].mean():.0f} ± {level[chosen == n].std():.0f}" for n in names)
    return Picture(
        figure,
        "Histogram of grey levels per class. Mean grey level of an image (± standard deviation "
        f"between images): {listed(parts)}.",
    )
