"""The diagrams of lessons and case studies, drawn from source: `python -m tools.build.diagrams`.

A diagram is a function of a module beside this one, named after its lesson or case; it takes
nothing and returns a `Sheet`. Its picture stands in docs/diagrams/ under the same name. A source
shows it in a Markdown cell of its own, which holds the alt text too:

    # ![What one sees, as a sentence.](../docs/diagrams/d04_cut.png)

`tools.build` puts the picture itself into the notebook, as a data address: JupyterLab, Colab,
nbconvert and the site show it without running anything, without a network and without a file beside
the notebook. (Colab shows no attachment, and no file of the repository.) A picture carries the
digest of what it was drawn from, so that a check sees an old one whatever version of Matplotlib
drew it.
"""

import hashlib
import inspect
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from tools.build.diagrams import building, canvas, cases, trusting, using
from tools.common import ROOT, ToolError, pairs, relative

FOLDER = "docs/diagrams"
MAX_BYTES = 60_000
NOTE = "Drawn from"  # the key of the digest inside a PNG
SHOWN = re.compile(r"!\[([^\]]*)\]\((?:\.\./)+docs/diagrams/([\w-]+)\.png\)")
ALT_WORDS = 8


def drawings() -> dict[str, Callable[[], canvas.Sheet]]:
    """Return the functions that draw a diagram, by name."""
    modules = (building, trusting, using, cases)
    return {
        name: function
        for module in modules
        for name, function in vars(module).items()
        if re.match(r"(d\d\d|case_[a-e])_", name)
    }


def digest(function: Callable) -> str:
    """Return a hash of what a diagram is drawn from: its function, the canvas, the style."""
    parts = [program(function), program(canvas), canvas.LOOK]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def program(thing) -> str:
    """Return the source of a function or module without what a formatter sets.

    That is white space, and the commas before a closing bracket.
    """
    return re.sub(r",(?=[)\]}])", "", "".join(inspect.getsource(thing).split()))


def picture(name: str, root: Path = ROOT) -> Path:
    """Return where the picture of a diagram stands."""
    return root / FOLDER / f"{name}.png"


def drawn_from(path: Path) -> str:
    """Return the digest that a picture carries; empty if it is missing or carries none."""
    from PIL import Image

    if not path.is_file():
        return ""
    with Image.open(path) as image:
        return image.text.get(NOTE, "")


def address(path: Path) -> str:
    """Return a picture as a data address."""
    return f"data:image/png;base64,{b64encode(path.read_bytes()).decode('ascii')}"


def addresses(root: Path = ROOT) -> set[str]:
    """Return the data addresses of all pictures."""
    return {address(path) for path in (root / FOLDER).glob("*.png")}


def embedded(source: str, root: Path = ROOT) -> str:
    """Return a Markdown text with the diagrams it shows inside it, alt texts in one line."""

    def data(found: re.Match) -> str:
        path = picture(found[2], root)
        if not path.is_file():
            raise ToolError(
                f"{relative(path, root)} is missing: draw it with `python -m tools.build.diagrams`"
            )
        alt = " ".join(found[1].split())
        return f"![{alt}]({address(path)})"

    return SHOWN.sub(data, source)


def shown(source: Path) -> dict[str, str]:
    """Return the diagrams that a source shows, with their alt texts."""
    text = re.sub(r"^# ?", "", source.read_text("utf-8"), flags=re.MULTILINE)
    return {name: " ".join(alt.split()) for alt, name in SHOWN.findall(text)}


def faults(root: Path = ROOT) -> list[str]:
    """Return one line per picture that is old, large or unused, and per source without one.

    A source needs a diagram and its alt text.
    """
    found, used = [], set()
    functions = drawings()
    for pair in pairs(root):
        place, diagrams = relative(pair.source, root), shown(pair.source)
        used |= set(diagrams)
        if not diagrams:
            found.append(f"{place} shows no diagram: ![alt text](../docs/diagrams/name.png)")
        for name, alt in diagrams.items():
            if name not in functions:
                found.append(f"{place} shows {name}, which nothing in tools/build/diagrams draws")
            if len(alt.split()) < ALT_WORDS:
                found.append(
                    f"{place}: say in the alt text of {name} what one sees, in {ALT_WORDS} words "
                    "or more"
                )
    for name, function in functions.items():
        path = picture(name, root)
        if drawn_from(path) != digest(function):
            found.append(
                f"{relative(path, root)} is not drawn from the present source: python -m "
                "tools.build.diagrams"
            )
        elif path.stat().st_size > MAX_BYTES:
            found.append(
                f"{relative(path, root)} has {path.stat().st_size} bytes, over {MAX_BYTES}: draw "
                "less"
            )
        if name not in used:
            found.append(f"{name} in tools/build/diagrams is shown in no source")
    for path in sorted((root / FOLDER).glob("*.png")):
        if path.stem not in functions:
            found.append(f"{relative(path, root)} is drawn by nothing: delete it")
    return found
