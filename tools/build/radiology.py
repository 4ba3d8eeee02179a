"""Draw the figures of `docs/radiology.md`: what a chest radiograph shows, on one drawn person.

python -m tools.build.radiology

Lungs, heart and opacities are outlined by the phantom's own masks; lines to bones, vessels and the
windpipe end where these were seen in the picture. One person, seed 3, in all figures.
"""

import sys

import numpy as np

from cxr_helpers import phantom
from tools.build.diagrams import NOTE, digest
from tools.build.diagrams.canvas import (
    AMBER,
    BLUE,
    GREY,
    INK,
    LEFT,
    ORANGE,
    SMALL,
    TEXT,
    WHITE,
    Sheet,
)
from tools.common import ROOT, relative

FOLDER = ROOT / "docs" / "figures"
PERSON = {"label": "normal", "severity": 0.0, "equipment": "A", "age_group": "adult", "sex": "F"}
PERSON |= {"view": "PA", "marker": "L", "border": False, "seed": 3, "patient_seed": 3}
SHADES = 240
# Names on the viewer's left and right, and where they end, in shares of the picture's side.
NAMED_LEFT = (
    ("clavicle", (0.20, 0.095)),
    ("rib", (0.28, 0.235)),
    ("hilum: roots\nof the lung", (0.44, 0.34)),
    ("right lung", (0.20, 0.52)),
    ("diaphragm", (0.30, 0.87)),
    ("angle of rib,\ndiaphragm", (0.115, 0.945)),
)
NAMED_RIGHT = (
    ("windpipe", (0.53, 0.10)),
    ("arch of\nthe aorta", (0.60, 0.27)),
    ("spine", (0.52, 0.45)),
    ("left lung", (0.82, 0.48)),
    ("heart", (0.64, 0.66)),
    ("air in the\nstomach", (0.66, 0.94)),
)


def picture(sheet: Sheet, place: tuple[float, float, float], **change) -> phantom.Rendering:
    """Draw the person, with changes, at x, y and with a side in pixels; return what was drawn."""
    x, y, side = place
    drawn = phantom.render(PERSON | change, 400)
    shown(sheet, drawn.image, place)
    sheet.box(x, y, side, side, fill="none", edge=GREY, width=1, radius=0, z=2)
    return drawn


def shown(sheet: Sheet, image: np.ndarray, place: tuple[float, float, float]) -> None:
    """Show grey levels from 0 to 1 as they are."""
    x, y, side = place
    limits = sheet.axes.get_xlim(), sheet.axes.get_ylim()
    sheet.axes.imshow(
        image, cmap="gray", vmin=0, vmax=1, extent=(x, x + side, y + side, y), aspect="auto"
    )
    sheet.axes.set(xlim=limits[0], ylim=limits[1])
    sheet.colours = SHADES


def outline(sheet: Sheet, mask: np.ndarray, place: tuple[float, float, float], colour, style="-"):
    """Draw the outer line of a mask."""
    from scipy import ndimage

    x, y, side = place
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(mask, 12), iterations=9))
    smooth = ndimage.gaussian_filter(closed[12:-12, 12:-12].astype(float), 2)
    at = (np.arange(len(mask)) + 0.5) * side / len(mask)
    sheet.axes.contour(x + at, y + at, smooth, [0.5], colors=[colour], linestyles=style)


def anatomy() -> Sheet:
    """The parts that a course on chest radiographs speaks of."""
    sheet = Sheet("What a chest radiograph shows")
    sheet.text(LEFT, sheet.top - 4, "the patient's right", ha="left", colour=GREY)
    sheet.text(628, sheet.top - 4, "the patient's left", ha="right", colour=GREY)
    place = (154, sheet.top + 14, 340)
    drawn = picture(sheet, place)
    outline(sheet, drawn.masks["lung"], place, BLUE)
    outline(sheet, drawn.masks["heart"], place, ORANGE, "--")
    for names, edge, ha in ((NAMED_LEFT, 148, "right"), (NAMED_RIGHT, 504, "left")):
        for number, (name, (across, down)) in enumerate(names):
            y = place[1] + 22 + number * 60
            end = (place[0] + across * place[2], place[1] + down * place[2])
            sheet.text(edge, y, name, ha=ha, bold=True)
            start = (edge + (4 if ha == "right" else -4), y)
            sheet.line([start, end], colour=INK, width=3.4, z=6)
            sheet.line([start, end], colour=WHITE, width=1.4, z=7)
            sheet.circle(*end, 3.5, fill=WHITE, edge=INK, z=8)
    return sheet


def views() -> Sheet:
    """The same person from behind, standing, and from the front, in bed."""
    sheet = Sheet("The same person, two directions of the beam")
    for x, view, words in (
        (LEFT, "PA", "PA: from back to front,\nstanding, breathing in"),
        (330, "AP", "AP: from front to back,\nin bed, breathing less deeply"),
    ):
        place = (x, sheet.top, 298)
        drawn = picture(sheet, place, view=view)
        columns = np.flatnonzero(drawn.masks["heart"].any(axis=0)) * 298 / 400 + x
        y = sheet.top + 226
        for width, colour in ((4.6, INK), (2.4, AMBER)):
            sheet.line([(columns[0], y), (columns[-1], y)], colour=colour, width=width, z=6)
            for end in (columns[0], columns[-1]):
                sheet.line([(end, y - 9), (end, y + 9)], colour=colour, width=width, z=6)
        sheet.text(x, sheet.top + 324, words, ha="left")
        share = f"heart: {drawn.truth['ctr']:.2f} of the chest's width"
        sheet.text(x, sheet.top + 372, share, ha="left", bold=True)
    return sheet


def polarity() -> Sheet:
    """The same grey levels with two meanings."""
    sheet = Sheet("The same file, read in two ways")
    image = phantom.render(PERSON, 400).image
    shown(sheet, image, (LEFT, sheet.top, 298))
    shown(sheet, 1 - image, (330, sheet.top, 298))
    for x, name, words in (
        (LEFT, "MONOCHROME2", "large numbers are bright:\nbone is white, air is black"),
        (330, "MONOCHROME1", "large numbers are dark: shown\nwithout its tag, a negative"),
    ):
        sheet.text(x, sheet.top + 318, name, ha="left", bold=True, size=TEXT)
        sheet.text(x, sheet.top + 354, words, ha="left")
    return sheet


def opacities() -> Sheet:
    """Kinds of opacity, each outlined by its mask."""
    sheet = Sheet("Where there should be black air")
    panels = (
        ("nothing", "normal", "", "black lungs with\nfine vessels"),
        ("consolidation", "bacterial", "right", "one dense, white part"),
        ("ground glass", "covid", "", "hazy patches, low and\nnear the wall"),
        ("ground glass, early", "covid", "", "the same, mild: hardly\nto be seen"),
        ("interstitial", "viral", "", "strands and haze\naround the hila"),
        ("effusion", "effusion", "right", "fluid: white from\nbelow"),
    )
    for number, (name, label, side, words) in enumerate(panels):
        place = (LEFT + number % 3 * 208, sheet.top + number // 3 * 296, 200)
        severity = 0.0 if label == "normal" else 0.25 if "early" in name else 0.7
        drawn = picture(sheet, place, label=label, severity=severity, side=side)
        if drawn.masks["lesion"].any():
            outline(sheet, drawn.masks["lesion"], place, AMBER)
        sheet.text(place[0], place[1] + 216, name, ha="left", bold=True, size=TEXT)
        sheet.text(place[0], place[1] + 250, words, ha="left", size=SMALL)
    return sheet


FIGURES = {f"radiology_{draw.__name__}": draw for draw in (anatomy, views, polarity, opacities)}


def main() -> int:
    """Write the figures; return the exit code."""
    for name, draw in FIGURES.items():
        path = FOLDER / f"{name}.png"
        path.write_bytes(draw().png({NOTE: digest(draw)}))
        print(f"{relative(path)}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
