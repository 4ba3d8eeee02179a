"""Draw twelve phantoms with the outlines of their masks: the figure of `data/README.md`.

python -m tools.build.phantom_sheet
python -m tools.build.phantom_sheet --real FOLDER --out output/phantoms_and_real.png

The second form sets the twelve, plain, beside twelve radiographs from FOLDER. It writes below
`output/` only, which git ignores: a picture with a real radiograph in it must not be redistributed.
The seeds count from 1: nothing is picked.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np

from cxr_helpers import files, images, phantom, plots, preprocess
from tools.common import ROOT, ToolError

FIGURE = ROOT / "data" / "figures" / "phantoms.png"
PRIVATE = ROOT / "output"
SIZE, WIDTH, LIMIT = 224, 12.0, 600_000  # pixels a side, inches at 100 dpi, bytes
COLUMNS = ("label", "severity", "side", "equipment", "view", "age_group", "sex", "marker", "device")
TWELVE = (
    ("normal", 0.0, "", "A", "PA", "adult", "M", "L", ""),
    ("normal", 0.0, "", "B", "PA", "child", "F", "R", ""),
    ("normal", 0.0, "", "C", "AP", "adult", "F", "L|AP", "pacemaker"),
    ("covid", 0.25, "", "A", "PA", "adult", "F", "", ""),
    ("covid", 0.6, "", "B", "PA", "adult", "M", "L", ""),
    ("covid", 1.0, "", "C", "AP", "adult", "M", "R|PORTABLE", "tube+feeding+leads"),
    ("viral", 0.5, "", "B", "AP", "child", "M", "R", ""),
    ("viral", 0.9, "", "A", "AP", "adult", "F", "L|AP", "leads"),
    ("bacterial", 0.5, "right", "A", "PA", "adult", "F", "L|ERECT", ""),
    ("bacterial", 0.9, "left", "B", "PA", "adult", "M", "R", ""),
    ("effusion", 0.35, "right", "C", "PA", "adult", "M", "L|ERECT", ""),
    ("effusion", 0.95, "left", "A", "AP", "adult", "F", "R|PORTABLE", "drain+leads"),
)
WORDS = {
    "normal": "Normal",
    "covid": "COVID-19",
    "viral": "Viral pneumonia",
    "bacterial": "Bacterial pneumonia",
    "effusion": "Effusion",
}
PERSON = {
    ("adult", "F"): "woman",
    ("adult", "M"): "man",
    ("child", "F"): "girl",
    ("child", "M"): "boy",
}


def twelve() -> list[dict]:
    """The rows to draw, as `phantom.render` takes them."""
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in TWELVE]
    return [row | {"seed": k, "patient_seed": k} for k, row in enumerate(rows, start=1)]


def degree(row: dict) -> str:
    """How ill, in a word, with a comma before it; nothing where there is no disease."""
    words = "mild" if row["severity"] < 0.4 else "moderate" if row["severity"] < 0.8 else "severe"
    return "" if row["label"] == "normal" else f", {words}"


def caption(row: dict) -> str:
    """What a panel shows, in plain words."""
    ill = degree(row) + (f", {row['side']} side" if row["side"] else "")
    person = PERSON[row["age_group"], row["sex"]]
    return f"{WORDS[row['label']]}{ill}\n{person}, {row['view']}, site {row['equipment']}"


def regions(masks: dict) -> dict:
    """The masks as outlined.

    Thin things get room for the line around them, a patchy lesion one outer line.
    """
    from scipy import ndimage

    shown = dict(masks)
    for name, reach in {"marker": 4, "device": 1}.items():
        if masks[name].any():
            shown[name] = ndimage.binary_dilation(masks[name], iterations=reach)
    padded = ndimage.binary_closing(np.pad(masks["lesion"], 8), iterations=5)
    return shown | {
        "lesion": ndimage.binary_opening(ndimage.binary_fill_holes(padded), iterations=2)[
            8:-8, 8:-8
        ]
    }


def sheet() -> plots.Picture:
    """Twelve phantoms, each plain and outlined."""
    rows = twelve()
    drawn = [phantom.render(row, SIZE) for row in rows]
    title = "Twelve phantoms: drawn from a seed, with everything in them known"
    shown, captions = [regions(d.masks) for d in drawn], [caption(row) for row in rows]
    return plots.outlines([d.image for d in drawn], shown, captions, width=WIDTH, title=title)


def beside_real(folder: Path) -> plots.Picture:
    """The twelve, plain, on the left and twelve radiographs from a folder on the right."""
    rows, paths = twelve(), real(folder)
    drawn = [phantom.render(row, SIZE, masks=False).image for row in rows]
    shown = [preprocess.prepare(images.read(path), SIZE, "pad") for path in paths]
    panels, titles = [], []
    for k in range(0, 12, 3):
        panels += [
            *(np.rint(255 * image).astype(np.uint8) for image in drawn[k : k + 3]),
            *shown[k : k + 3],
        ]
        titles += [f"phantom\n{row['label']}{degree(row)}" for row in rows[k : k + 3]]
        titles += [f"real\n{path.parent.name}"[:40] for path in paths[k : k + 3]]
    title = "Phantoms (left) and real radiographs (right)"
    return plots.outlines(
        panels, [{}] * 24, titles, columns=6, beside=False, width=WIDTH, title=title
    )


def real(folder: Path) -> list[Path]:
    """Twelve images of a folder, at random with a fixed seed, the class folders in turn."""
    found = sorted(
        path for path in folder.rglob("*") if path.is_file() and images.looks_like_image(path)
    )
    if len(found) < 12:
        raise ToolError(f"{folder} holds {len(found)} images; twelve are needed")
    rng = np.random.default_rng(0)
    shelves = [
        [p for p in found if p.parent == place] for place in sorted({p.parent for p in found})
    ]
    shelves = [list(rng.permutation(np.array(shelf, object))) for shelf in shelves]
    turns = [shelf[k] for k in range(max(map(len, shelves))) for shelf in shelves if k < len(shelf)]
    return sorted(turns[:12], key=lambda path: str(path.parent))


def allowed(out: Path, with_real: bool) -> Path:
    """The absolute path; refused where a real radiograph would be committed in the repository."""
    out = out.resolve()
    if out.suffix.lower() != ".png":
        raise ToolError(f"{out.name}: the name must end in .png")
    if with_real and out.is_relative_to(ROOT) and not out.is_relative_to(PRIVATE):
        raise ToolError(
            "real radiographs must not be redistributed: inside the repository, write below "
            "output/ only"
        )
    return out


def small_png(picture: plots.Picture) -> bytes:
    """The picture as PNG with as many colours as the limit of bytes allows."""
    from PIL import Image

    whole = Image.open(io.BytesIO(picture.png())).convert("RGB")
    for colours in (256, 192, 128, 96, 64, 48):
        content = io.BytesIO()
        whole.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            content, "PNG", optimize=True
        )
        if content.tell() <= LIMIT:
            break
    return content.getvalue()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--real", type=Path, help="folder of real radiographs to stand beside the phantoms"
    )
    arguments.add_argument(
        "--out", type=Path, help=f"file to write; default: {FIGURE.relative_to(ROOT)}"
    )
    options = arguments.parse_args()
    try:
        if options.real and not options.out:
            raise ToolError("name the file with --out, below output/")
        out = allowed(options.out or FIGURE, bool(options.real))
        picture = beside_real(options.real) if options.real else sheet()
    except (ToolError, images.ImageError) as error:
        print(f"phantom_sheet: {error}", file=sys.stderr)
        return 2
    with files.whole_file(out) as part:
        part.write_bytes(small_png(picture))
    print(f"{out.name}: {out.stat().st_size / 1000:.0f} kB\n{picture.alt}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
