"""Heat maps laid over the radiographs that they are of, with the outlines of what is there."""

from collections.abc import Mapping

import numpy as np

from ._outlines import OUTLINES, _legend, _names, _outline
from ._radiographs import _listed_or_none, _same_length, blank, grey
from .look import PALETTE, Picture, count, listed, new_figure, style

COLOURS = "inferno"  # dark is cold, bright is hot, also in grey and to most kinds of colour vision
STEPS = 12  # of heat and of grey: few colours, so that the file stays small


def heat_maps(
    images,
    maps: Mapping[str, np.ndarray],
    *,
    masks=None,
    titles=None,
    title: str,
    width: float = 5.8,
) -> Picture:
    """Each radiograph, and each kind of map laid over it, every map on a scale of its own.

    The text tells how much of each kind's sum lies inside the first kind of mask. An image is a
    row, or a column where there are more images than kinds of pictures.

    Parameters
    ----------
    images : sequence of ndarray
        (h, w) each, grey levels 0-255 (or 0-1).
    maps : mapping of str to sequence of ndarray
        {name: one (h, w) for each image}; what lies below zero is shown as zero.
    masks : sequence of mapping, optional
        One dict {name: boolean (h, w)} each, outlined everywhere.
    titles : sequence of str, optional
        One text each.
    title : str
        Above the picture.
    width : float
        In inches.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If there is no image or map, or lengths or shapes differ.
    """
    if not len(images) or not maps:
        raise ValueError("heat_maps needs at least one image and one kind of map: {name: maps}.")
    images = [grey(image) for image in images]
    masks = [{}] * len(images) if masks is None else [dict(known or {}) for known in masks]
    titles = _listed_or_none(titles)
    for what, values in {
        "masks": masks,
        "titles": titles,
        **{f"maps of {k}": v for k, v in maps.items()},
    }.items():
        _same_length(what, values, len(images))
    names = _names(images, masks)
    looks = {
        name: OUTLINES.get(name, (name, PALETTE[k % len(PALETTE)], "-"))
        for k, name in enumerate(names)
    }
    with style():
        figure, panels = _grid(len(images), 1 + len(maps), title, width)
        for i, row in enumerate(panels):
            row[0].imshow(images[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            blank(row[0])
            for axes, heat in zip(row[1:], maps.values(), strict=True):
                _lay(axes, images[i], heat[i])
            for axes in row:
                for name in looks:
                    _outline(axes, np.asarray(masks[i].get(name, False), bool), looks[name], 0)
        across = len(images) > 1 + len(maps)
        kinds, each = ["radiograph", *maps], [""] * len(images) if titles is None else titles
        _name(panels.T if across else panels, *((kinds, each) if across else (each, kinds)))
        _legend(figure, looks, 10)
    return Picture(figure, f"{title}: {_text(images, maps, masks, names, titles)}")


def _grid(n_images: int, kinds: int, title: str, width: float):
    """The figure, and its axes as (images, kinds), whichever of the two runs across."""
    across = n_images > kinds
    rows, columns = (kinds, n_images) if across else (n_images, kinds)
    cell = min(width / columns, 2.4)
    figure = new_figure(rows * cell + 1.0, cell * columns + 0.3, title)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.01)
    panels = figure.subplots(rows, columns, squeeze=False)
    return figure, panels.T if across else panels


def _name(panels, beside, above) -> None:
    """Names at the left of the rows and above the columns."""
    for axes, name in zip(panels[:, 0], beside, strict=True):
        axes.set_ylabel(str(name), fontsize=10)
    narrow = panels.shape[1] > 4
    for axes, name in zip(panels[0], above, strict=True):
        axes.set_title(
            str(name).replace(", ", ",\n") if narrow else str(name),
            fontsize=10,
            fontweight="normal",
            loc="center",
            pad=3,
        )


def _lay(axes, image: np.ndarray, heat) -> None:
    """The map over the darkened image: the hotter, the less of the image shows through."""
    heat = np.clip(np.asarray(heat, float), 0, None)
    if heat.shape != image.shape:
        raise ValueError(f"a map of shape {heat.shape} for an image of shape {image.shape}.")
    from matplotlib import colormaps

    share = np.round(heat / (heat.max() or 1.0) * STEPS) / STEPS
    opaque = (0.35 + 0.45 * share)[..., None]
    hot = colormaps[COLOURS](share)[..., :3]
    under = np.round(image / 255 * STEPS)[..., None] / STEPS
    axes.imshow(opaque * hot + (1 - opaque) * under, interpolation="nearest")
    blank(axes)


def _text(images: list, maps: Mapping, masks: list, names: list, titles) -> str:
    text = count(len(images), "radiograph")
    if titles is not None:
        text += f" ({'; '.join(str(t) for t in titles)})"
    text += f", each with the map of {listed(maps)}, on scales of their own"
    if not names:
        return text + "."
    words = OUTLINES[names[0]][0] if names[0] in OUTLINES else names[0]
    parts = []
    for kind, heat in maps.items():
        shares = [
            _inside(heat[i], known[names[0]])
            for i, known in enumerate(masks)
            if np.any(known.get(names[0]))
        ]
        parts.append(f"{kind} {listed(f'{share:.0%}' for share in shares)}")
    area = [np.mean(known[names[0]]) for known in masks if np.any(known.get(names[0]))]
    return (
        f"{text}. Share of the heat inside the outlined {words}: {'; '.join(parts)}; of the "
        f"image {np.mean(area):.1%}."
    )


def _inside(heat, mask) -> float:
    heat = np.clip(np.asarray(heat, float), 0, None)
    return float((heat * mask).sum() / (heat.sum() or 1.0))
