"""Pictures of a set of images as a table: counts, sizes, grey levels, splits."""

import numpy as np
import pandas as pd

from .look import (
    Picture,
    class_colour,
    count,
    grid_lines,
    in_order,
    listed,
    need_columns,
    new_figure,
    style,
    text_colour,
)

MARKERS = "osD^vPX*"


def class_counts(table: pd.DataFrame, *, title: str = "Images per class") -> Picture:
    """Images per class as bars, with number and share; also patients or groups where known.

    Needs the column label. Raises ValueError without it or without a row. Introduced in lesson 01.
    """
    need_columns(table, ("label",), "class_counts")
    names = in_order(table["label"])
    numbers = [int((table["label"] == name).sum()) for name in names]
    total = sum(numbers)
    with style():
        figure = new_figure(0.9 + 0.5 * len(names))
        axes = figure.subplots()
        axes.barh(
            names, numbers, color=[class_colour(n, k) for k, n in enumerate(names)], height=0.65
        )
        for k, n in enumerate(numbers):
            axes.text(n, k, f" {n:,} ({n / total:.0%})", va="center")
        axes.invert_yaxis()
        axes.set(xlabel="images", xlim=(0, max(numbers) * 1.18), title=f"{title} (n = {total:,})")
        axes.tick_params(axis="y", length=0)
        grid_lines(axes, "x")
    largest = int(np.argmax(numbers))
    text = (
        f"Bar chart: {listed(f'{n:,} {name}' for name, n in zip(names, numbers, strict=True))} "
        "images"
    )
    text += (
        f", {total:,} in all; the largest class, {names[largest]}, holds "
        f"{numbers[largest] / total:.0%}"
    )
    known = [c for c in ("patient", "group") if c in table.columns and table[c].notna().any()]
    parts = [f"{table[c].nunique():,} known {c}s" for c in known]
    return Picture(figure, text + (f"; {listed(parts)}." if parts else "."))


def split_counts(table: pd.DataFrame, *, title: str = "Images per split and class") -> Picture:
    """Images per split, stacked by class, with the numbers in the bars.

    Needs the columns label and split; images without a split form a bar of their own. Raises
    ValueError without them. Introduced in lesson 04.
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


def sizes(table: pd.DataFrame, *, title: str = "Size and format of the files") -> Picture:
    """Width against height of each file, and the formats, by class.

    They may tell classes apart before any lung is seen.

    Needs the columns label, width, height (pixels) and format. Raises ValueError without them.
    Introduced in lesson 02.
    """
    need_columns(table, ("label", "width", "height", "format"), "sizes")
    names = in_order(table["label"])
    with style():
        figure = new_figure(3.9, title=title)
        left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
        for k, name in enumerate(names):
            seen = table[table["label"] == name].value_counts(["width", "height"]).reset_index()
            size = 20 + 12 * np.sqrt(seen["count"])
            left.scatter(
                seen["width"],
                seen["height"],
                s=size,
                marker=MARKERS[k % len(MARKERS)],
                alpha=0.8,
                facecolors="none",
                edgecolors=class_colour(name, k),
                label=name,
                linewidths=1.5,
            )
        left.set(xlabel="width (pixels)", ylabel="height (pixels)")
        left.set_title("Size (larger mark: more files)", fontsize=11, fontweight="normal")
        left.grid()
        left.legend(handletextpad=0.2, loc="best")
        share = _formats(right, table, names)
    parts = []
    for name in names:
        rows = table[table["label"] == name]
        formats = listed(
            f"{value:.0%} {kind}" for kind, value in share.loc[name].items() if value > 0
        )
        distinct = len(rows[["width", "height"]].drop_duplicates())
        parts.append(
            f"{name} {count(distinct, 'size')}, median "
            f"{rows['width'].median():.0f}×{rows['height'].median():.0f} px, {formats} (n = "
            f"{len(rows)})"
        )
    return Picture(figure, f"Size and format by class: {'; '.join(parts)}.")


def _formats(axes, table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    share = pd.crosstab(
        table["label"].astype(object), table["format"].astype(object), normalize="index"
    ).loc[names]
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        axes.text(
            column,
            row,
            f"{value:.0%}",
            ha="center",
            va="center",
            color="white" if value > 0.55 else "black",
        )
    axes.set_xticks(range(share.shape[1]), share.columns)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("format")
    axes.set_title("Format: share of the class's files", fontsize=11, fontweight="normal")
    return share


def histogram(images, labels, *, bins: int = 64, title: str = "Grey levels per class") -> Picture:
    """Share of pixels per grey level and class: mean over images, band of percentiles.

    The band runs from the 10th to the 90th.

    `images`: uint8 (n, h, w), grey levels 0-255; `labels`: n classes. The band is over images, so
    that a difference of means is seen beside its spread. Raises ValueError if the lengths differ.
    Introduced in lesson 02.
    """
    if len(images) != len(labels):
        raise ValueError(f"{len(labels)} labels for {len(images)} images.")
    names, chosen = in_order(labels), np.asarray(labels, dtype=object)
    edges = np.linspace(0, 256, bins + 1)
    share = np.stack([np.histogram(image, edges)[0] / np.size(image) * 100 for image in images])
    level = np.array([np.mean(image) for image in images])
    with style():
        figure = new_figure(3.7)
        axes = figure.subplots()
        for k, name in enumerate(names):
            rows, middle, colour = (
                share[chosen == name],
                (edges[:-1] + edges[1:]) / 2,
                class_colour(name, k),
            )
            axes.fill_between(
                middle,
                *np.quantile(rows, [0.1, 0.9], axis=0),
                color=colour,
                alpha=0.15,
                linewidth=0,
            )
            axes.plot(middle, rows.mean(axis=0), color=colour, label=f"{name} (n = {len(rows)})")
        axes.set(
            xlim=(0, 255),
            xlabel="grey level (0 black, 255 white)",
            ylabel=f"pixels (%) per {256 / bins:g} levels",
        )
        axes.set_title(title)
        # The band may leave the picture at a spike of black border; the means stay inside.
        axes.set_ylim(0, 1.1 * max(share[chosen == name].mean(axis=0).max() for name in names))
        grid_lines(axes, "y")
        axes.legend(title="mean; band: 80% of images", alignment="left")
    parts = (f"{n} {level[chosen == n].mean():.0f} ± {level[chosen == n].std():.0f}" for n in names)
    return Picture(
        figure,
        "Histogram of grey levels per class. Mean grey level of an image (± standard deviation "
        f"between images): {listed(parts)}.",
    )


def by_class(values, labels, *, xlabel: str, title: str = "One number per image") -> Picture:
    """One dot per image, class by class, over a box of the middle half with the median in it.

    `values`: n finite numbers, one per image; `labels`: n classes. Dots of a class are spread by
    chance across its row, only to be seen. Raises ValueError if the lengths differ or a value is
    missing. Introduced in lesson 02.
    """
    import seaborn as sns

    numbers, chosen = np.asarray(values, float), np.asarray(labels, dtype=object)
    if numbers.shape != chosen.shape or not np.isfinite(numbers).all():
        raise ValueError(
            f"{numbers.shape} values for {chosen.shape} labels: one finite number per image is "
            "needed"
        )
    names = in_order(labels)
    spread = np.random.default_rng(0)
    with style():
        figure = new_figure(0.9 + 0.65 * len(names))
        axes = figure.subplots()
        for k, name in enumerate(names):
            dots = numbers[chosen == name]
            height = k + spread.uniform(-0.3, 0.3, len(dots))
            axes.scatter(dots, height, s=6, color=class_colour(name, k), alpha=0.7, linewidths=0)
        box = {
            "width": 0.75,
            "showfliers": False,
            "whis": 0,
            "fill": False,
            "color": "black",
            "linewidth": 1,
        }
        sns.boxplot(x=numbers, y=chosen, order=names, ax=axes, **box)
        counts = [int((chosen == name).sum()) for name in names]
        axes.set_yticks(
            range(len(names)), [f"{name} (n = {n})" for name, n in zip(names, counts, strict=True)]
        )
        axes.set(xlabel=xlabel, ylabel="", title=title)
        axes.tick_params(axis="y", length=0)
        grid_lines(axes, "x")
    quarters = {name: np.quantile(numbers[chosen == name], [0.25, 0.5, 0.75]) for name in names}
    parts = (f"{name} {b:.3g} ({a:.3g} to {c:.3g})" for name, (a, b, c) in quarters.items())
    return Picture(
        figure,
        f"One dot per image for each class, of {xlabel}. Median (middle half): {listed(parts)}.",
    )
