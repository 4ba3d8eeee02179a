"""The way through the course: which notebook follows which, and the line of links that says so.

Titles come from the sources. All functions take the path of the notebook that shows the links, and
write them relative to it, so that they lead on in JupyterLab, on GitHub and among copies of the
notebooks in another folder.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tools.common import (
    ROOT,
    STUDENT,
    ToolError,
    executed_copy,
    is_students,
    pairs,
    relative,
    students_copy,
)

INDEX = "index.md"
LESSONS = "notebooks"


@dataclass(frozen=True)
class Stop:
    """One notebook on the way: a lesson or a case study."""

    source: Path
    title: str

    @property
    def name(self) -> str:
        """The notebook's file name without its ending, such as "04_splitting"."""
        return self.source.stem

    @property
    def is_case(self) -> bool:
        """Whether it is a case study."""
        return self.source.parent.name == "cases"

    def path(self, folder: Path) -> Path:
        """Return where the notebook stands, given the folder of the lessons."""
        return (
            folder / "cases" / f"{self.name}.ipynb"
            if self.is_case
            else folder / f"{self.name}.ipynb"
        )


def title(source: Path, root: Path = ROOT) -> str:
    """Return a source's title, such as "04 · Splitting" or "Case A · One accuracy"."""
    found = re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise ToolError(
            f"{relative(source, root)} has no title: begin its first Markdown cell with `# # NN · "
            "Topic`"
        )
    return found[1].strip()


def stops(root: Path = ROOT) -> list[Stop]:
    """Return the whole way: the lessons by number, then the case studies."""
    return [Stop(pair.source, title(pair.source, root)) for pair in pairs(root)]


def exercise(lesson: str, root: Path = ROOT) -> Path | None:
    """Return where the exercise notebook of a lesson ("04_splitting") stands; None without one."""
    name = f"{lesson}_exercise"
    there = (root / "exercises" / "src" / f"{name}.py").is_file()
    return root / "exercises" / f"{name}.ipynb" if there else None


def link(label: str, target: Path, page: Path) -> str:
    """Return a Markdown link to a file, relative to the page that shows it."""
    return f"[{label}]({Path(os.path.relpath(target, page.parent)).as_posix()})"


def line(path: Path, root: Path = ROOT) -> str:
    """Return the line of links that a notebook shows at its top and its end.

    Parameters: `path`, where the notebook stands that shows the line: a lesson, a case study, a
    copy of one in another folder, or an exercise, which leads to the students' copies. It need not
    exist.

    Raises: `ToolError` if no source belongs to the notebook.
    """
    path, way = path.absolute(), stops(root)
    in_exercises = path.parent == (root / "exercises").absolute()
    name = path.stem.removesuffix("_exercise") if in_exercises else path.stem
    place = next((i for i, stop in enumerate(way) if stop.name == name), None)
    if place is None:
        raise ToolError(
            f"{relative(path, root)} belongs to no lesson: there is no source {name}.py in "
            "notebooks/src"
        )
    here, following = way[place], way[place + 1] if place + 1 < len(way) else None
    folder = (root / LESSONS / STUDENT).absolute() if in_exercises else path.parent
    folder = folder.parent if here.is_case else folder
    links = []
    if in_exercises:
        links.append(link(f"← {here.title}", here.path(folder), path))
    elif place:
        links.append(link(f"← {way[place - 1].title}", way[place - 1].path(folder), path))
    links.append(link("Index", folder / INDEX, path))
    wanted = following if in_exercises else here
    if wanted and (found := exercise(wanted.name, root)):
        links.append(link(f"Exercise {wanted.name[:2]}", found, path))
    if following:
        links.append(link(f"{following.title} →", following.path(folder), path))
    return " | ".join(links)  # not "·", which stands in the titles


def copies(path: Path, root: Path = ROOT) -> str:
    """Return the line that says which of a notebook's two copies one reads, and leads to the other.

    Empty for a notebook of another folder, such as an exercise.
    """
    path = path.absolute()
    if (root / LESSONS).absolute() not in path.parents:
        return ""
    if is_students(path):
        shown = link("the executed copy", executed_copy(path), path)
        return (
            "*You read the copy to work in. Nothing has run yet: enter your predictions and run "
            f"the cells from top to bottom. What comes out is shown in {shown}.*"
        )
    own = link("the student's copy", students_copy(path), path)
    return (
        "*You read the executed copy: the outputs are the authors'. To predict and run it "
        f"yourself, open {own}.*"
    )
