"""What all pictures share: the picture and its text, the look, the colours."""

import base64
import io
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .. import files

DPI = 100
WIDTH = 8.0  # inches: the width of a notebook's output
VISIBLE = 12  # of 255: a larger error in a channel is seen
INK, GREY, FAINT = "#262626", "#767676", "#D9D9D9"

# Okabe & Ito's palette, told apart by the usual kinds of colour vision; the same colour for a class
# in every lesson.
CLASS_COLOURS = {
    "normal": "#0072B2",
    "covid": "#D55E00",
    "viral": "#009E73",
    "bacterial": "#CC79A7",
    "effusion": "#56B4E9",
    "pneumonia": "#E69F00",
    "non_covid": "#5A5A5A",
}
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5A5A5A")
STYLE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2.0,
    "figure.facecolor": "white",
    "image.cmap": "gray",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
}


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A matplotlib figure and its alt text; a notebook shows them as an HTML image (PNG, 100 dpi).

    Raises ValueError if the text is empty.
    """

    figure: Any
    alt: str

    def __post_init__(self) -> None:
        if not str(self.alt).strip():
            raise ValueError("A picture needs an alt text that says what it shows.")

    def __repr__(self) -> str:
        return self.alt

    def html(self) -> str:
        """The picture as HTML: an image that holds its PNG and its alt text."""
        png = base64.b64encode(self.png()).decode("ascii")
        return f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{png}">'

    # Not image/png with the text as its metadata: JupyterLab shows no metadata.
    _repr_html_ = html

    def png(self) -> bytes:
        """The picture as PNG, with 256 colours where nothing is lost: notebooks stay small."""
        from PIL import Image

        raw = io.BytesIO()
        self.figure.savefig(raw, format="png", dpi=DPI)
        image = Image.open(raw).convert("RGB")
        pixels = np.asarray(image)
        if (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all():
            image = image.convert("L")
        else:
            few = image.quantize(256, dither=Image.Dither.NONE)
            # A colour map has rare colours that a palette may drop: keep all where the loss could
            # be seen.
            loss = np.abs(np.asarray(few.convert("RGB"), int) - pixels).max()
            image = few if loss <= VISIBLE else image
        small = io.BytesIO()
        image.save(small, format="PNG", optimize=True)
        return small.getvalue()

    def save(self, path: str | os.PathLike) -> Path:
        """Write the picture as .png, .svg or .pdf, whole or not at all; returns the path.

        Raises ValueError for another suffix.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in (".png", ".svg", ".pdf"):
            raise ValueError(f"{path}: the name must end in .png, .svg or .pdf.")
        content = io.BytesIO(self.png() if kind == ".png" else b"")
        if kind != ".png":
            self.figure.savefig(content, format=kind[1:])
        with files.whole_file(path) as part:
            part.write_bytes(content.getvalue())
        return path


def show(figure, alt: str) -> Picture:
    """Give your own figure (a matplotlib Figure or Axes) its alt text; pyplot shows it only once.

    Parameters
    ----------
    figure : Figure or Axes
        Of matplotlib.
    alt : str
        Says what it shows.

    Returns
    -------
    Picture
        To be shown.

    Raises
    ------
    ValueError
        If the text is empty.
    TypeError
        For anything else than a figure.
    """
    while not hasattr(figure, "savefig"):
        if getattr(figure, "figure", None) is None:
            raise TypeError(f"Pass a matplotlib Figure or Axes, not {type(figure).__name__}.")
        figure = figure.figure
    picture = Picture(figure, alt)
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
    return picture


@contextmanager
def style():
    """The look of the course, inside the block only."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def new_figure(height: float, width: float = WIDTH, title: str | None = None):
    """A figure that pyplot knows nothing of, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, x=0.01, ha="left")
    return figure


def class_colour(name: str, position: int = 0) -> str:
    """The colour of a class, the same in every picture; of another name, the one at `position`.

    Parameters
    ----------
    name : str
        Of the class.
    position : int
        Place in the palette, which begins again after its end.

    Returns
    -------
    str
        Hexadecimal, such as "#0072B2".

    Examples
    --------
    >>> class_colour("covid"), class_colour("cats", 2)
    ('#D55E00', '#009E73')
    """
    return CLASS_COLOURS.get(str(name), PALETTE[position % len(PALETTE)])


def text_colour(background: str) -> str:
    """Black or white, whichever stands out more (WCAG relative luminance)."""
    from matplotlib.colors import to_rgb

    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(background)
    ]
    return "black" if np.dot(linear, [0.2126, 0.7152, 0.0722]) > 0.3 else "white"


def in_order(labels) -> list[str]:
    """Distinct labels: categories in their order if there are any, else sorted."""
    categories = getattr(getattr(labels, "cat", labels), "categories", None)
    present = set(np.asarray(labels, dtype=object).tolist())
    if categories is not None:
        return [name for name in categories if name in present]
    return sorted(present, key=str)


def need_columns(table, columns, what: str) -> None:
    """Refuse a table without the columns that are to be drawn."""
    missing = [column for column in columns if column not in getattr(table, "columns", ())]
    if missing:
        raise ValueError(f"{what} needs the column(s) {', '.join(missing)}.")
    if not len(table):
        raise ValueError(f"{what} needs at least one row.")


def grid_lines(axes, axis: str) -> None:
    """Faint lines along one axis, and no tick marks there."""
    axes.grid(axis=axis)
    axes.tick_params(axis=axis, length=0)


def count(n: int, one: str, many: str | None = None) -> str:
    """ "1 image", "2 images"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(parts) -> str:
    """ "a, b and c"."""
    parts = [str(part) for part in parts]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
