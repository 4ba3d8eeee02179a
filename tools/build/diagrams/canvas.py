"""A sheet of paper measured in pixels, and the few shapes that every diagram is made of.

A sheet is 640 pixels wide: on a phone (390) it is shown at 0.6 of its size, where text of `SMALL`
can still be read. Colours are those of the course's figures; what a colour says is said by a word
or a shape, too.
"""

import re

import numpy as np

from cxr_helpers.plots.look import FAINT, GREY, INK, PALETTE, STYLE, text_colour

WIDTH, DPI, COLOURS = 640, 100, 32
SMALLEST, SMALL, TEXT, TITLE = 11, 12, 13, 15  # points: 15, 17, 18 and 21 pixels
BLUE, _, GREEN, PINK, AMBER, SKY, SLATE = PALETTE
# a little darker than in figures: words in it, and white words on it, have a contrast of 4.5
ORANGE = "#C24E00"
WHITE, PAPER, FILM = "#FFFFFF", "#F4F4F4", "#3A3A3A"
STAGES = ("folder", "manifest", "split", "cache", "batches", "model", "predictions", "report")
LEFT = 12  # margin


def tint(colour: str, share: float = 0.2) -> str:
    """A colour mixed with white; `share` is what is left of it."""
    from matplotlib.colors import to_hex, to_rgb

    return to_hex([1 - share * (1 - channel) for channel in to_rgb(colour)])


class Sheet:
    """White paper, 640 pixels wide; x runs to the right, y downwards, both in pixels."""

    def __init__(self, title: str, *here: str):
        """`here` names the stages of a project that the diagram belongs to, marked in a strip above
        the title.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.figure = Figure(facecolor=WHITE)
        FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.axis("off")
        self._high(1000)
        self.colours = COLOURS
        self.top = 4
        if here:
            self._strip(here)
        self.text(LEFT, self.top + 20, title, size=TITLE, bold=True, ha="left")
        self.top += 46

    def _high(self, height: float) -> None:
        """Give the sheet a height in pixels."""
        self.height = height
        self.figure.set_size_inches(WIDTH / DPI, height / DPI)
        self.figure.set_dpi(DPI)
        self.axes.set(xlim=(0, WIDTH), ylim=(height, 0))

    def cut(self) -> "Sheet":
        """Cut the sheet off below what is drawn on it."""
        lowest = min(
            drawn.get_window_extent().y0 for drawn in (*self.axes.texts, *self.axes.patches)
        )
        self._high(int(self.height - lowest + 14))
        return self

    def _strip(self, here: tuple[str, ...]) -> None:
        """The eight stages of a project in one line, with those of `here` marked."""
        x, y = LEFT - 6, 18
        for stage in STAGES:
            marked = stage in here
            drawn = self.text(
                x + 6, y, stage, size=11.5, bold=marked, ha="left", colour=WHITE if marked else GREY
            )
            box = drawn.get_window_extent()
            if marked:
                self.box(x, y - 13, box.width + 12, 26, fill=SLATE, radius=6, z=2)
            x += box.width + 16
            if stage != STAGES[-1]:
                self.line([(x - 1, y - 4), (x + 3, y), (x - 1, y + 4)], colour=GREY, width=1.3)
                x += 5
        self.top = 42

    def text(self, x, y, words, *, size=SMALL, bold=False, colour=INK, ha="center"):
        """Words, centred at a point unless `ha` says otherwise; words in a row stand on one
        line.
        """
        weight = "bold" if bold else "normal"
        height = size * DPI / 72
        lines = re.sub(r"(?<![A-Za-z])-(?=\d)", "−", str(words)).split("\n")
        y += 0.36 * height - (len(lines) - 1) * 0.62 * height
        for number, line in enumerate(lines):
            place = (x, y + number * 1.24 * height)
            drawn = self.axes.text(
                *place, line, size=size, weight=weight, color=colour, ha=ha, zorder=9
            )
        return drawn

    def box(self, x, y, w, h, *, fill=PAPER, edge=None, radius=8, width=1.6, z=3, dashed=False):
        """A box with round corners, given by its upper left corner."""
        from matplotlib.patches import FancyBboxPatch

        shape = f"round,pad=0,rounding_size={radius}"
        style = {"linestyle": (0, (4, 2)) if dashed else "-"}
        width = width if edge else 0
        return self.axes.add_patch(
            FancyBboxPatch(
                (x, y), w, h, shape, fc=fill, ec=edge or fill, lw=width, zorder=z, **style
            )
        )

    def label(self, x, y, w, h, words, *, size=TEXT, bold=False, colour=INK, **more):
        """A box with words in it."""
        self.box(x, y, w, h, **more)
        self.text(x + w / 2, y + h / 2, words, size=size, bold=bold, colour=colour)

    def circle(self, x, y, radius, *, fill=PAPER, edge=None, width=1.6, z=4, height=None):
        """A circle, or with `height` an ellipse of that half height."""
        from matplotlib.patches import Ellipse

        size = (2 * radius, 2 * (height or radius))
        return self.axes.add_patch(
            Ellipse((x, y), *size, fc=fill, ec=edge or fill, lw=width, zorder=z)
        )

    def line(self, points, *, colour=INK, width=1.8, dashed=False, z=3):
        """A line through points."""
        style = (0, (4, 2)) if dashed else "-"
        self.axes.plot(
            *zip(*points, strict=True),
            color=colour,
            lw=width,
            ls=style,
            zorder=z,
            solid_capstyle="round",
        )

    def arrow(self, start, end, *, colour=INK, width=2.0, bend=0.0, dashed=False, z=5):
        """An arrow; `bend` curves it."""
        from matplotlib.patches import FancyArrowPatch

        self.axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>,head_length=6,head_width=3.6",
                connectionstyle=f"arc3,rad={bend}",
                color=colour,
                lw=width,
                ls=(0, (4, 2)) if dashed else "-",
                shrinkA=0,
                shrinkB=0,
                joinstyle="miter",
                zorder=z,
            )
        )

    def film(self, x, y, size, *, marker="", spot=False, edge=None, width=3.0, tag="", fill=FILM):
        """A small radiograph, schematic: two lungs, a heart, and if wanted an opacity, letters in
        the corner, a tag.
        """
        s = size / 100
        self.box(
            x,
            y,
            size,
            size,
            fill=fill,
            edge=edge or fill,
            radius=7 * s + 2,
            width=width if edge else 0,
            z=4,
        )
        for side in (31, 69):
            self.circle(x + side * s, y + 52 * s, 15 * s, height=30 * s, fill="#8C8C8C", z=5)
        self.circle(x + 55 * s, y + 66 * s, 14 * s, height=16 * s, fill="#D0D0D0", z=6)
        if spot:
            self.circle(x + 30 * s, y + 60 * s, 10 * s, height=12 * s, fill="#F2F2F2", z=7)
        if marker:
            self.text(x + 6, y + 11, marker, size=SMALLEST, bold=True, colour=WHITE, ha="left")
        if tag:
            self.circle(x + size - 11, y + size - 11, 11, fill=edge or SLATE, z=8)
            self.text(
                x + size - 11, y + size - 10.5, tag, bold=True, colour=text_colour(edge or SLATE)
            )

    def misfits(self) -> list[str]:
        """Return what is wrong with the words: cut off at the edge, over one another, or too
        small.
        """
        self.cut()
        found, boxes = [], []
        for drawn in self.axes.texts:
            box, words = drawn.get_window_extent(), " ".join(drawn.get_text().split())
            if box.x0 < 2 or box.y0 < 2 or box.x1 > WIDTH - 2 or box.y1 > self.height - 2:
                found.append(f"{words!r} is cut off at the edge")
            found += [
                f"{words!r} overlaps {other!r}" for there, other in boxes if box.overlaps(there)
            ]
            if drawn.get_fontsize() < SMALLEST:
                found.append(f"{words!r} has {drawn.get_fontsize():g} points, under {SMALLEST}")
            boxes.append((box.padded(-1), words))
        return found

    def png(self, note: dict[str, str]) -> bytes:
        """The sheet as PNG, its commonest colours as palette, so that every fill stays as it is;
        with a note inside.
        """
        import io

        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        self.cut()
        raw, small, info = io.BytesIO(), io.BytesIO(), PngInfo()
        self.figure.savefig(raw, format="png", dpi=DPI)
        pixels = np.asarray(Image.open(raw).convert("RGB"), int)
        colours, which, counts = np.unique(
            pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
        )
        palette = colours[np.argsort(-counts, kind="stable")[: self.colours]]
        nearest = np.abs(colours[:, None] - palette).sum(axis=2).argmin(axis=1)
        image = Image.fromarray(nearest[which].reshape(pixels.shape[:2]).astype(np.uint8), "P")
        image.putpalette(palette.astype(np.uint8).tobytes())
        for name, value in note.items():
            info.add_text(name, value)
        image.save(small, format="PNG", optimize=True, pnginfo=info)
        return small.getvalue()


# from elsewhere: a change is one of the drawing
LOOK = repr([PALETTE, INK, GREY, FAINT, sorted(STYLE.items())])
