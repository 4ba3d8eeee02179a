"""Lay all figures of the executed notebooks out on sheets, at the size at which they are read.

    python -m tools.build.sheet [NAME ...]

Writes output/figures/NAME-1.png and so on, two columns each, with the number of the cell above
every figure. A figure is an image in an output of a code cell. Look at each: is it legible at this
size, with the message in its title, nothing cut and no half of it empty?
"""

import argparse
import base64
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from PIL import Image, ImageDraw

from tools.common import ROOT, ToolError, chosen, read_notebook, relative

FOLDER = Path("output", "figures")
WIDTH, HIGHEST, LINE, GAP = 800, 1560, 22, 12  # of a column and a sheet, in pixels
DATA = re.compile(r'src="data:image/(?:png|webp);base64,([^"]+)"')


def figures(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, Image.Image]]:
    """Yield the number of its cell, from 1, and each image in the outputs of a notebook."""
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found = DATA.findall(data.get("text/html", ""))
            for text in found or [data[kind] for kind in ("image/png",) if kind in data]:
                yield number, Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")


def sheets(found: list[tuple[int, Image.Image]]) -> Iterator[Image.Image]:
    """Yield sheets with the figures in order, column by column."""
    columns: list[list[tuple[int, Image.Image]]] = [[]]
    height = 0
    for number, image in found:
        image.thumbnail((WIDTH, HIGHEST - LINE))
        if columns[-1] and height + image.height + LINE + GAP > HIGHEST:
            columns.append([])
            height = 0
        columns[-1].append((number, image))
        height += image.height + LINE + GAP
    for start in range(0, len(columns), 2):
        yield _sheet(columns[start : start + 2])


def _sheet(columns: list[list[tuple[int, Image.Image]]]) -> Image.Image:
    high = max(sum(image.height + LINE + GAP for _, image in column) for column in columns)
    sheet = Image.new("RGB", (len(columns) * (WIDTH + GAP), high), "white")
    pen = ImageDraw.Draw(sheet)
    for place, column in enumerate(columns):
        x, y = place * (WIDTH + GAP), 0
        for number, image in column:
            pen.rectangle((x, y, x + WIDTH, y + LINE - 4), fill="#262626")
            pen.text((x + 6, y + 3), f"cell {number}", fill="white")
            sheet.paste(image, (x, y + LINE))
            y += image.height + LINE + GAP
    return sheet


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the sheets; return the exit code."""
    description = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m tools.build.sheet", description=description)
    parser.add_argument("names", nargs="*", help="starts of names, such as 04; all if none")
    options = parser.parse_args(arguments)
    try:
        paths = chosen(options.names, root)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        found = list(figures(read_notebook(path)))
        for old in folder.glob(f"{path.stem}-*.png"):
            old.unlink()
        for number, sheet in enumerate(sheets(found), 1):
            sheet.save(folder / f"{path.stem}-{number}.png")
        print(f"{relative(path, root)}: {len(found)} figures")
    print(f"sheets in {FOLDER.as_posix()}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
