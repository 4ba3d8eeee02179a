"""Picture of one answer: what went in, what came out, where the map is warm."""

from collections.abc import Mapping

import numpy as np

from ._radiographs import draw
from .look import FAINT, GREY, Picture, class_colour, grid_lines, listed, new_figure, style

WARM = "inferno"


def answer(found: Mapping, *, title: str | None = None) -> Picture:
    """One answer: the image as the network saw it, the answer's map over it, the probabilities.

    Parameters
    ----------
    found : mapping
        As `deploy.answer` gives it: keys file, accepted, reason, image (h, w) uint8 and, if
        accepted, probabilities {class: p}, set (classes of the conformal set, marked with a star),
        map (h, w) ≥ 0 or None, and note. A refused image is shown with the reason.
    title : str, optional
        By default the file's name.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        Without an image.
    """
    if found.get("image") is None:
        raise ValueError(
            f"{found.get('file', 'the file')} holds no image that could be shown: "
            f"{found.get('reason')}"
        )
    title = title or str(found["file"])
    with style():
        figure = new_figure(3.5, title=title)
        if not found["accepted"]:
            seen, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": [1, 1.8]})
            _refused(right, str(found["reason"]))
            text = f"{title}: the image is refused. {found['reason']}"
        else:
            seen, warm, right = figure.subplots(1, 3, gridspec_kw={"width_ratios": [1, 1, 1.1]})
            _overlay(warm, found["image"], found.get("map"))
            text = f"{title}: {_bars(right, found['probabilities'], found.get('set') or ())}"
            text += _where(found.get("map"))
        draw(seen, found["image"], "as the network sees it")
        figure.supxlabel(str(found.get("note", "")), fontsize=10, color=GREY)
    return Picture(figure, text)


def _refused(axes, reason: str) -> None:
    import textwrap

    axes.set_axis_off()
    axes.text(0, 0.95, "refused", fontsize=13, fontweight="bold", va="top")
    axes.text(0, 0.8, "\n".join(textwrap.wrap(reason, 44)), va="top")


def _overlay(axes, image, heat) -> None:
    draw(axes, image, "map of the answer" if heat is not None else "no map")
    if heat is not None and np.max(heat) > 0:
        share = np.asarray(heat, float) / np.max(heat)
        axes.imshow(share, cmap=WARM, vmin=0, vmax=1, alpha=0.65 * share)


def _bars(axes, probabilities: Mapping, chosen) -> str:
    """Draw one bar per class; the figures in words."""
    names = list(probabilities)
    for k, name in enumerate(names):
        p = probabilities[name]
        axes.barh(
            k, p, color=class_colour(name, k) if name in chosen or not chosen else FAINT, height=0.6
        )
        axes.text(p + 0.02, k, f"{p:.2f}{' *' if name in chosen else ''}", va="center")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(
        xlim=(0, 1.3),
        xticks=[0, 0.5, 1],
        xlabel="probability" + (" (* in the set)" if chosen else ""),
    )
    grid_lines(axes, "x")
    axes.tick_params(axis="y", length=0)
    text = listed(f"{name} {p:.2f}" for name, p in probabilities.items())
    return f"probabilities {text}" + (f"; the set is {listed(chosen)}" if chosen else "")


def _where(heat) -> str:
    """In which half and height the map is warmest."""
    if heat is None or np.max(heat) <= 0:
        return "; no map." if heat is None else "; the map is zero everywhere."
    row, column = np.unravel_index(int(np.argmax(heat)), np.shape(heat))
    height, width = np.shape(heat)
    return (
        f"; the map is warmest {column / width:.0%} from the left and {row / height:.0%} from "
        "the top."
    )
