"""Radiographs with the outlines of what is known to be in them."""

import numpy as np

from ._radiographs import _listed_or_none, _panels, _same_length, draw, grey
from .look import PALETTE, WIDTH, Picture, count, style

# Name of a mask: words of the legend, colour (after Okabe & Ito, light enough for grey), stroke.
OUTLINES = {
    "lung": ("lungs", "#56B4E9", "-"),
    "heart": ("heart", "#FF9CCB", "--"),
    "lesion": ("lesion", "#F0E442", "-"),
    "marker": ("burnt-in letters", "#FFFFFF", ":"),
    "device": ("lines and devices", "#D55E00", "-"),
}
GAP = 0.02  # of an image's width, between the plain and the outlined one


def outlines(
    images,
    masks,
    titles=None,
    *,
    columns: int = 3,
    beside: bool = True,
    width: float = WIDTH,
    title: str,
) -> Picture:
    """Radiographs with several outlined regions each, and a legend; with `beside`, also plain ones.

    Parameters
    ----------
    images : sequence of ndarray
        (h, w) each, grey levels 0-255 (or 0-1).
    masks : sequence of mapping
        One dict {name: boolean (h, w)} each, empty for no outline; lung, heart, lesion, marker and
        device have their own colours.
    titles : sequence of str, optional
        One text each.
    columns : int
        Images in a row.
    beside : bool
        Whether the plain image stands beside the outlined one.
    width : float
        Of the figure, in inches.
    title : str
        Above the picture.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If there is no image, or the lengths or shapes differ.
    """
    if not len(images):
        raise ValueError("outlines needs at least one image.")
    images, masks = [grey(image) for image in images], [dict(mask or {}) for mask in masks]
    titles = _listed_or_none(titles)
    _same_length("dicts of masks", masks, len(images))
    _same_length("titles", titles, len(images))
    names = _names(images, masks)
    looks = {
        name: OUTLINES.get(name, (name, PALETTE[k % len(PALETTE)], "-"))
        for k, name in enumerate(names)
    }
    with style():
        size = 10 * max(1.0, width / 10)
        lines = (
            max((str(text).count("\n") + 1 for text in titles), default=0)
            if titles is not None
            else 0
        )
        figure, panels = _panels(
            len(images), columns, title, 0.03 + 0.02 * size * lines, 0.5 if beside else 1, width
        )
        for i, axes in enumerate(panels):
            shown, offset = (
                (_plain_and_again(images[i]), _offset(images[i])) if beside else (images[i], 0)
            )
            draw(axes, shown, None if titles is None else titles[i], size)
            for name in looks:
                _outline(axes, np.asarray(masks[i].get(name, False), bool), looks[name], offset)
        _legend(figure, looks, size)
    return Picture(figure, f"{title}: {_text(images, masks, looks, titles)}")


def _names(images: list, masks: list) -> list[str]:
    """Names of the masks that show something anywhere, in the order of OUTLINES."""
    for image, known in zip(images, masks, strict=True):
        for name, mask in known.items():
            if np.shape(mask) != image.shape:
                raise ValueError(
                    f"the mask {name!r} has shape {np.shape(mask)}, its image {image.shape}."
                )
    seen = dict.fromkeys(name for known in masks for name, mask in known.items() if np.any(mask))
    return [name for name in OUTLINES if name in seen] + [
        name for name in seen if name not in OUTLINES
    ]


def _offset(image) -> int:
    return image.shape[1] + max(2, round(GAP * image.shape[1]))


def _plain_and_again(image) -> np.ndarray:
    """The image twice, side by side, with a white gap."""
    gap = np.full((image.shape[0], _offset(image) - image.shape[1]), 255, image.dtype)
    return np.hstack([image, gap, image])


def _outline(axes, mask: np.ndarray, look: tuple, offset: int) -> None:
    if not mask.any():
        return
    height, width = mask.shape
    padded = np.pad(mask.astype(float), 1)  # closes the line where a region reaches the edge
    x, y = np.arange(-1, width + 1) + offset, np.arange(-1, height + 1)
    x, y = np.clip(x, offset - 0.5, offset + width - 0.5), np.clip(y, -0.5, height - 0.5)
    axes.contour(x, y, padded, levels=[0.5], colors=look[1], linestyles=look[2], linewidths=1.4)


def _legend(figure, looks: dict, size: float) -> None:
    from matplotlib.lines import Line2D

    if looks:
        # On grey, as on the images: yellow and white on white would hardly be seen.
        lines = [
            Line2D([], [], color=colour, linestyle=stroke, label=words)
            for words, colour, stroke in looks.values()
        ]
        figure.legend(
            handles=lines,
            loc="outside lower center",
            ncols=min(5, len(lines)),
            fontsize=size,
            frameon=True,
            facecolor="#4D4D4D",
            edgecolor="none",
            labelcolor="white",
            borderpad=0.5,
            handlelength=2.2,
        )


def _text(images: list, masks: list, looks: dict, titles) -> str:
    text = count(len(images), "radiograph")
    if titles is not None:
        text += f" ({'; '.join(', '.join(str(t).splitlines()) for t in titles)})"
    parts = []
    for name, look in looks.items():
        shares = [np.mean(known[name]) for known in masks if name in known and np.any(known[name])]
        parts.append(f"{look[0]} in {len(shares)}, on average {np.mean(shares):.1%} of the image")
    return text + (f". Outlined: {'; '.join(parts)}." if parts else ", none with an outline.")
