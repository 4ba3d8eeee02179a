"""Pictures of images: montage, mean, before and after, pairs, weights, filters."""

import math
from collections.abc import Mapping

import numpy as np

from .look import WIDTH, Picture, count, in_order, listed, need_columns, new_figure, style

OUTLINE = "#E69F00"


def grey(image) -> np.ndarray:
    """Grey levels 0-255 (h, w) of a uint8 image or a float image in [0, 1] or [0, 255].

    Raises ValueError for another shape, or values outside those ranges.
    """
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 2 or not array.size:
        raise ValueError(f"A radiograph is a 2-D array of grey levels, not of shape {array.shape}.")
    if array.dtype == np.uint8:
        return array
    array = array.astype(np.float32)
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 255:
        raise ValueError(
            f"Grey levels must lie in 0-255 or 0-1; got {np.min(array):.3g} to "
            f"{np.max(array):.3g}. For standardised values or weights use plots.weights or "
            "plots.filters."
        )
    return array * 255 if array.max() <= 1 else array


def draw(axes, image, title: str | None = None, size: float = 10) -> None:
    """One radiograph: fixed grey range, no ticks, no frame."""
    axes.imshow(grey(image), cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
    blank(axes)
    if title is not None:
        axes.set_title(str(title), fontsize=size, fontweight="normal", loc="center", pad=3)


def blank(axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _panels(
    n: int,
    columns: int,
    title: str | None,
    captions: float,
    ratio: float = 1.0,
    width: float = WIDTH,
):
    """Figure and flat list of n axes in a grid.

    `captions` is inches above each panel, ratio height / width.
    """
    columns = max(1, min(columns, n))
    rows = math.ceil(n / columns)
    cell = min(width / columns, 3.2 * width / WIDTH)
    figure = new_figure(
        rows * (cell * ratio + captions) + (0.45 if title else 0.05), cell * columns, title
    )
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.01)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[n:]:
        unused.set_visible(False)
    return figure, list(axes[:n])


def _same_length(what: str, values, n: int) -> None:
    if values is not None and len(values) != n:
        raise ValueError(f"{len(values)} {what} for {n} images.")


def _listed_or_none(values) -> list | None:
    """A list, so that a column of a table is read by place and not by its index."""
    return None if values is None else list(values)


def montage(
    images, titles=None, *, columns: int = 6, masks=None, title: str = "Radiographs"
) -> Picture:
    """Images side by side, grey levels 0-255 (or 0-1) on one fixed scale; `masks` as outlines.

    Parameters
    ----------
    images : sequence of ndarray
        (h, w) each.
    titles : sequence of str, optional
        One text each, such as the class.
    columns : int
        Images in a row.
    masks : sequence of ndarray or None, optional
        One boolean (h, w) or None each.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If the lengths differ or there is no image.
    """
    if not len(images):
        raise ValueError("montage needs at least one image.")
    images, titles, masks = list(images), _listed_or_none(titles), _listed_or_none(masks)
    _same_length("titles", titles, len(images))
    _same_length("masks", masks, len(images))
    with style():
        figure, panels = _panels(len(images), columns, title, 0.24 if titles is not None else 0.02)
        for i, axes in enumerate(panels):
            draw(axes, images[i], None if titles is None else titles[i])
            if masks is not None and masks[i] is not None and np.any(masks[i]):
                axes.contour(
                    np.asarray(masks[i], float), levels=[0.5], colors=OUTLINE, linewidths=1.5
                )
    return Picture(figure, f"{title}: {_montage_text(images, titles, masks)}")


def _montage_text(images, titles, masks) -> str:
    levels = [float(grey(image).mean()) for image in images]
    text = f"{count(len(images), 'radiograph')} side by side"
    if titles is not None:
        names = list(dict.fromkeys(map(str, titles)))
        if len(names) <= 8:
            text += ", " + listed(f"{list(map(str, titles)).count(name)} {name}" for name in names)
    text += f"; mean grey level from {min(levels):.0f} to {max(levels):.0f} of 255"
    if masks is not None:
        outlined = [np.mean(mask) for mask in masks if mask is not None and np.any(mask)]
        area = f", on average {np.mean(outlined):.1%} of the image" if outlined else ""
        text += f"; {count(len(outlined), 'image')} with an outlined region{area}"
    return text + "."


def compare_images(
    images, titles, *, title: str = "Before and after", histograms: bool = False
) -> Picture:
    """A few images in one row, such as before and after; with `histograms`, grey levels below.

    Parameters
    ----------
    images : sequence of ndarray
        (h, w), each of its own size; grey levels 0-255 (or 0-1).
    titles : sequence of str
        One text each.
    title : str
        Above the picture.
    histograms : bool
        Whether each has its histogram.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If the lengths differ or there is no image.
    """
    if not len(images):
        raise ValueError("compare_images needs at least one image.")
    images, titles = list(images), list(titles)
    _same_length("titles", titles, len(images))
    n = len(images)
    with style():
        # One height for all: each panel is as wide as its image's aspect asks.
        aspects = [grey(image).shape[1] / grey(image).shape[0] for image in images]
        upper, lower = min((WIDTH - 0.15 * n) / sum(aspects), 3.6), 1.4 if histograms else 0
        figure = new_figure(upper + lower + 1.0, max(upper * sum(aspects) + 0.15 * n, 3.0), title)
        ratios = {"width_ratios": aspects, "height_ratios": [upper, lower] if histograms else [1]}
        panels = figure.subplots(1 + histograms, n, squeeze=False, gridspec_kw=ratios)
        for k, (image, name) in enumerate(zip(images, titles, strict=True)):
            height, width = grey(image).shape
            draw(panels[0, k], image, f"{name}\n{width} × {height} px")
            # seen where an image is white
            panels[0, k].spines[:].set(visible=True, color="#BBBBBB", linewidth=0.6)
            if histograms:
                _grey_levels(panels[1, k], grey(image), first=k == 0)
    parts = (
        f"{name} {grey(i).shape[1]}×{grey(i).shape[0]} px, mean grey level {grey(i).mean():.0f}, "
        f"standard deviation {grey(i).std():.0f}"
        for i, name in zip(images, titles, strict=True)
    )
    return Picture(figure, f"{title}: {'; '.join(parts)}.")


def _grey_levels(axes, levels: np.ndarray, first: bool) -> None:
    axes.hist(levels.ravel(), bins=64, range=(0, 256), density=True, color="#5A5A5A")
    axes.set(xlim=(0, 255), xticks=[0, 128, 255], yticks=[], xlabel="grey level")
    axes.spines["left"].set_visible(False)
    if first:
        axes.set_ylabel("density")


def mean_images(images, labels, *, title: str = "Mean image and spread per class") -> Picture:
    """Mean and standard deviation of the images of each class, pixel by pixel.

    The deviation has its own scale, 0 to its largest value: a difference of means says little where
    images of one class differ as much.

    Parameters
    ----------
    images : ndarray
        uint8 (n, h, w), grey levels 0-255.
    labels : sequence of str
        n classes.
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
    _same_length("labels", labels, len(images))
    images = np.asarray(images)
    names, chosen = in_order(labels), np.asarray(labels, dtype=object)
    mean = [np.mean(np.asarray(images[chosen == name], np.float32), axis=0) for name in names]
    spread = [np.std(np.asarray(images[chosen == name], np.float32), axis=0) for name in names]
    top = max(float(np.max(s)) for s in spread) or 1.0
    with style():
        cell = min((WIDTH - 1) / len(names), 2.6)
        figure = new_figure(2 * cell + 0.9, cell * len(names) + 1, title)
        panels = figure.subplots(2, len(names), squeeze=False)
        for k, name in enumerate(names):
            draw(panels[0, k], mean[k], f"{name} (n = {(chosen == name).sum()})", size=11)
            drawn = panels[1, k].imshow(spread[k], cmap="viridis", vmin=0, vmax=top)
            blank(panels[1, k])
        panels[0, 0].set_ylabel("mean")
        panels[1, 0].set_ylabel("standard deviation")
        _bar(figure, panels[0, 0].images[0], panels[0], "grey level")
        _bar(figure, drawn, panels[1], "grey levels")
    parts = (
        f"{n} {m.mean():.0f} (deviation {s.mean():.0f})"
        for n, m, s in zip(names, mean, spread, strict=True)
    )
    gap = max(float(np.abs(a - b).max()) for a in mean for b in mean)
    text = (
        f"Mean images of {count(len(names), 'class', 'classes')}. Average grey level: "
        f"{listed(parts)}."
    )
    if len(names) > 1:
        text += (
            f" The means differ by at most {gap:.0f} grey levels at one pixel; a pixel varies "
            f"by up to {top:.0f}."
        )
    return Picture(figure, text)


def _bar(figure, drawn, axes, label: str) -> None:
    bar = figure.colorbar(drawn, ax=list(np.ravel(axes)), shrink=0.85, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)


def duplicate_pairs(
    images, pairs, *, limit: int = 6, columns: int = 3, title: str = "Duplicates"
) -> Picture:
    """Pairs of images that are one radiograph, two by two with their similarity, class and split.

    Parameters
    ----------
    images : mapping of str to ndarray
        {image_id: (h, w)}.
    pairs : DataFrame
        Columns image_id_a, image_id_b and, if there, kind, similarity, label_a/b, split_a/b, as
        `duplicates.pairs` gives.
    limit : int
        Pairs that are drawn, at most.
    columns : int
        Pairs in a row.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        For an image that is not given or no pair.
    """
    need_columns(pairs, ("image_id_a", "image_id_b"), "duplicate_pairs")
    if not isinstance(images, Mapping):
        raise ValueError(
            "images must be a dict {image_id: image}: dict(zip(table['image_id'], images))."
        )
    shown = pairs.head(limit)
    unknown = sorted({*shown["image_id_a"], *shown["image_id_b"]} - set(images))
    if unknown:
        raise ValueError(f"No image was given for {listed(unknown[:3])}.")
    with style():
        figure, panels = _panels(len(shown), columns, title, 0.5, ratio=0.5)
        for axes, pair in zip(panels, shown.to_dict("records"), strict=True):
            _pair(axes, images[pair["image_id_a"]], images[pair["image_id_b"]], pair)
    crossing = ""
    if {"split_a", "split_b"} <= set(pairs.columns):
        both = pairs[["split_a", "split_b"]].astype(object).dropna()
        across = int((both["split_a"] != both["split_b"]).sum())
        crossing = f", {across} of them across two splits"
    kinds = (
        f" ({listed(f'{n} {k}' for k, n in pairs['kind'].value_counts().items())})"
        if "kind" in pairs
        else ""
    )
    if "similarity" in pairs and pairs["similarity"].notna().any():
        crossing += (
            f", similarity {pairs['similarity'].min():.2f} to {pairs['similarity'].max():.2f}"
        )
    drawn = f" {len(shown)} are shown." if len(shown) < len(pairs) else ""
    return Picture(
        figure, f"{title}: {count(len(pairs), 'pair')} of images{kinds}{crossing}.{drawn}"
    )


def _pair(axes, first, second, pair: dict) -> None:
    blank(axes)
    for k, (image, side) in enumerate(((first, "a"), (second, "b"))):
        part = axes.inset_axes([0.505 * k, 0, 0.495, 1])
        draw(part, image)
        part.set_anchor("N")  # what height is left over lies below, not between image and caption
        words = [
            str(pair[f"{c}_{side}"]) for c in ("label", "split") if _there(pair.get(f"{c}_{side}"))
        ]
        part.set_title(", ".join(words), fontsize=10, fontweight="normal", loc="center", pad=3)
    likeness = pair.get("similarity")
    words = [str(pair["kind"])] if _there(pair.get("kind")) else []
    words += [f"similarity {likeness:.2f}"] if _there(likeness) else []
    axes.set_title(", ".join(words), fontsize=10, loc="center", pad=18)


def _there(value) -> bool:
    return value is not None and value == value and str(value) != "<NA>"


def weights(image, *, title: str = "Weights of one neuron", label: str = "weight") -> Picture:
    """A signed map (h, w), such as a neuron's weights: zero white, above orange-red, below blue.

    Parameters
    ----------
    image : array_like
        (h, w), finite.
    title : str
        Above the picture.
    label : str
        Of the scale.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Unless 2-D and finite.
    """
    array = np.asarray(image, dtype=float)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise ValueError(
            f"weights needs a finite 2-D array, not of shape {array.shape}; reshape a flat vector "
            "first."
        )
    top = float(np.abs(array).max()) or 1.0
    with style():
        figure = new_figure(4.2, 5.2, title)
        axes = figure.subplots()
        drawn = axes.imshow(array, cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
        blank(axes)
        _bar(figure, drawn, axes, label)
    row, column = np.unravel_index(np.abs(array).argmax(), array.shape)
    text = (
        f"{title}: map of {array.shape[0]}×{array.shape[1]} values from {array.min():.3g} to "
        f"{array.max():.3g}, {(array > 0).mean():.0%} above zero; the largest in size, "
        f"{array[row, column]:.3g}, lies at row {row}, column {column}."
    )
    return Picture(figure, text)


def filters(
    arrays, titles=None, *, columns: int = 6, title: str = "Filters", values: bool | None = None
) -> Picture:
    """Kernels or feature maps in a grid on one scale: signed ones diverge from white, others grey.

    Parameters
    ----------
    arrays : sequence of array_like
        (h, w) each, finite.
    titles : sequence of str, optional
        One text each.
    columns : int
        Arrays in a row.
    title : str
        Above the picture.
    values : bool, optional
        Whether the numbers stand in the cells, by default up to 5×5.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If the lengths differ or an array is not 2-D and finite.
    """
    arrays = [np.asarray(array, dtype=float) for array in arrays]
    if not arrays or any(a.ndim != 2 or not np.isfinite(a).all() for a in arrays):
        raise ValueError(
            "filters needs at least one array, each 2-D and finite: kernel[:, :, 0, k] for a Keras "
            "layer."
        )
    titles = _listed_or_none(titles)
    _same_length("titles", titles, len(arrays))
    low, high = min(a.min() for a in arrays), max(a.max() for a in arrays)
    signed = low < 0
    top = max(abs(low), abs(high)) or 1.0
    scale = (
        {"cmap": "RdBu_r", "vmin": -top, "vmax": top}
        if signed
        else {"cmap": "gray", "vmin": 0, "vmax": top}
    )
    written = all(a.size <= 25 for a in arrays) if values is None else values
    with style():
        captions = 0.26 if titles is not None else 0.05
        figure, panels = _panels(len(arrays), columns, title, captions)
        figure.set_figwidth(figure.get_figwidth() + 0.9)  # for the bar
        for i, axes in enumerate(panels):
            drawn = axes.imshow(arrays[i], interpolation="nearest", **scale)
            blank(axes)
            if titles is not None:
                axes.set_title(
                    str(titles[i]), fontsize=10, fontweight="normal", loc="center", pad=3
                )
            if written:
                _numbers(axes, arrays[i], top, signed)
        _bar(figure, drawn, panels, "value")
    size = listed(dict.fromkeys(f"{a.shape[0]}×{a.shape[1]}" for a in arrays))
    silent = sum(not a.any() for a in arrays)
    text = f"{title}: {count(len(arrays), 'array')} of {size} values from {low:.3g} to {high:.3g}"
    return Picture(figure, text + (f"; {silent} are zero everywhere." if silent else "."))


def _numbers(axes, array: np.ndarray, top: float, signed: bool) -> None:
    for (row, column), number in np.ndenumerate(array):
        dark = abs(number) > 0.6 * top if signed else number < 0.5 * top
        colour = "white" if dark else "black"
        axes.text(column, row, f"{number:.2g}", ha="center", va="center", fontsize=10, color=colour)
