"""The package in one picture: its rooms in the order in which they may import one another.

`tools.build.results` writes the picture into CONTRIBUTING.md; tests/unit/test_architecture.py keeps
the order.
"""

from pathlib import Path

from tools.common import ROOT

PACKAGE = "cxr_helpers"
# A room is a module or folder directly below cxr_helpers. It imports only rooms that stand on a
# floor below its own, or before it on its floor.
FLOORS = {
    "ground": ("paths", "files", "console"),
    "numbers": ("stats", "measured"),
    "the first table": ("images", "manifest", "rows"),
    "the second table": ("predictions",),
    "sets of images": ("fetch", "phantom", "catalogue", "datasets"),
    "who stays together": ("duplicates", "split"),
    "how good": ("evaluate", "calibrate"),
    "networks": ("preprocess", "pipeline", "models", "train", "transfer", "baselines"),
    "judging and using": ("audit", "explain", "uncertainty", "deploy"),
    "showing and asking": ("plots", "guess", "checks"),
    "the command": ("scorecard", "cli"),
}
LARGE = 750  # lines from which on a room tells its size
ORDER = [room for rooms in FLOORS.values() for room in rooms]


def lines(room: str, root: Path = ROOT) -> int:
    """Return how many lines of code a room has, comments, docstrings and blank lines with them."""
    place = root / PACKAGE / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def size(room: str, root: Path = ROOT) -> str:
    """Return a large room's lines to the nearest 500, which few changes change; else nothing."""
    number = lines(room, root)
    return f" {round(number / 500) * 500:,}" if number >= LARGE else ""


def picture(root: Path = ROOT) -> str:
    """Return the house as a block of text, its ground at the bottom, with large rooms' lines."""
    width = max(map(len, FLOORS))
    drawn = [
        f"{floor:>{width}} | " + "   ".join(f"{room}{size(room, root)}" for room in rooms)
        for floor, rooms in reversed(FLOORS.items())
    ]
    total = round(sum(lines(room, root) for room in ORDER) / 1000) * 1000
    foot = (
        f"About {total:,} lines; the number beside a room is its own, where it has {LARGE} or more."
    )
    return "\n".join(["```text", *drawn, "-" * max(map(len, drawn)), foot, "```"])
