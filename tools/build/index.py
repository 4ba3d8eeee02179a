"""Write the index of the lessons from their sources.

notebooks/student/index.md, which JupyterLab opens first, leads to the copies to work in,
notebooks/index.md to the executed ones.

With --check only compare. A lesson's title, question, time and the rest are what its source says.
The one line that the index gives it stands there in a cell tagged `author`: "In the index: ...".

python -m tools.build.index [--check]
"""

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.build.navigation import INDEX, LESSONS, Stop, exercise, link, stops
from tools.common import ROOT, STUDENT, ToolError, relative, write_atomic

if TYPE_CHECKING:  # it imports much more than writing the page needs
    from tools.progress import Progress

GLOSSARY = "docs/glossary.md"
RADIOLOGY = "docs/radiology.md"
QUESTIONS = [
    "Can we build it?",
    "Can the number be trusted, and what did the model learn?",
    "Can it be used?",
]
MISSING = {
    "minutes": '"**Time and hardware.** 60 minutes, ..."',
    "question": (
        "the question it answers, in italics: "
        f"{' or '.join(f'*{question}*' for question in QUESTIONS)}"
    ),
    "summary": 'a cell tagged `author` with "In the index: " and what one will do',
}


@dataclass(frozen=True)
class Entry:
    """What the index says of a lesson or a case study."""

    stop: Stop
    question: str  # one of QUESTIONS; empty for a case study
    minutes: int
    summary: str  # one line, such as "look before you train"
    exercise: Path | None
    exercise_minutes: int


def prose(source: Path) -> str:
    """Return a source's text with the comment signs taken away and each paragraph on one line."""
    lines = [
        line.removeprefix("#").strip() for line in source.read_text(encoding="utf-8").splitlines()
    ]
    return "\n".join(
        " ".join(paragraph.split("\n")) for paragraph in "\n".join(lines).split("\n\n")
    )


def entry(stop: Stop, root: Path = ROOT) -> Entry:
    """Read what a source says about its notebook."""
    text = prose(stop.source)
    asked = re.search(r"^\*(Can [^*]+?)\?\*", text, re.MULTILINE)
    found = {
        "minutes": re.search(r"\*\*Time and hardware\.\*\* (\d+) minutes", text),
        "question": stop.is_case
        or next((q for q in QUESTIONS if asked and q.startswith(asked[1])), None),
        "summary": re.search(
            r"^%% \[markdown\] tags=\[\"author\"\] In the index: (.+)$", text, re.MULTILINE
        ),
    }
    for name, value in found.items():
        if not value:
            raise ToolError(f"{relative(stop.source, root)} lacks {MISSING[name]}")
    practice = None if stop.is_case else exercise(stop.name, root)
    return Entry(
        stop=stop,
        question="" if stop.is_case else found["question"],
        minutes=int(found["minutes"][1]),
        summary=found["summary"][1].strip(),
        exercise=practice,
        exercise_minutes=exercise_minutes(stop.name, root) if practice else 0,
    )


def exercise_minutes(lesson: str, root: Path = ROOT) -> int:
    """Return the time that an exercise's source names."""
    for source in sorted((root / "exercises" / "src").glob(f"{lesson}*.py")):
        if found := re.search(r"\*\*Time\.\*\* (\d+) minutes", source.read_text(encoding="utf-8")):
            return int(found[1])
    raise ToolError(
        f'no source of the exercise of {lesson} in exercises/src says "**Time.** 30 minutes"'
    )


def entries(root: Path = ROOT) -> list[Entry]:
    """Return what the index lists: the lessons by number, then the case studies."""
    return [entry(stop, root) for stop in stops(root)]


def table(rows: list[Entry], page: Path, done: "Mapping[str, Progress] | None" = None) -> list[str]:
    """Return a table of lessons or case studies as lines, with links that hold on the page.

    `done`: what a student has done, by the notebook's name; a column each says so.
    """
    practice = any(row.exercise for row in rows)
    mark = ["you"] if done is not None else []
    heads = ["notebook", "you will", "minutes", *mark]
    heads += ["practise", "minutes", *mark] if practice else []
    lines = [f"| {' | '.join(heads)} |", "|---|---|--:|" + "---|" * len(mark)]
    lines[1] += "---|--:|" + "---|" * len(mark) if practice else ""
    for row in rows:
        progress = None if done is None else done.get(row.stop.name)
        cells = [
            link(row.stop.title, row.stop.path(page.parent), page),
            row.summary,
            f"{row.minutes}",
            *([ran(progress) if progress else ""] if mark else []),
        ]
        if row.exercise:
            label = f"Exercise\N{NO-BREAK SPACE}{row.stop.name[:2]}"
            cells += [link(label, row.exercise, page), f"{row.exercise_minutes}"]
            cells += [practised(progress) if progress else ""] if mark else []
        cells += [""] * (len(heads) - len(cells))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def ran(progress: "Progress") -> str:
    """Return in a few words how much of a core has run, and how much was predicted."""
    if not progress.begun:
        return ""
    space = "\N{NO-BREAK SPACE}"
    part = f"{progress.ran}{space}of{space}{progress.cells} cells"
    told = f", {progress.predicted}{space}of{space}{progress.to_predict} predicted"
    return ("**done**" if progress.done else part) + (told if progress.to_predict else "")


def practised(progress: "Progress") -> str:
    """Return in a few words how many checks of an exercise said correct."""
    if not progress.right:
        return ""
    if progress.practised:
        return "**done**"
    return f"{progress.right}\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}{progress.questions} right"


def text(page: Path, root: Path = ROOT, done: "Mapping[str, Progress] | None" = None) -> str:
    """Return the index as Markdown, for a page that stands in the folder of the lessons; with
    `done`, what a student has done (`tools.progress.mine`), it says so, and what is next.
    """
    rows = entries(root)
    lessons, cases = (
        [row for row in rows if not row.stop.is_case],
        [row for row in rows if row.stop.is_case],
    )
    if not lessons:
        raise ToolError("there is no lesson in notebooks/src, so there is nothing to list")
    lines = [
        "<!-- Written by `python -m tools.build.index`: edit the sources of the lessons, not this "
        "page. -->",
        "",
        "# Chest radiographs, and what the number is worth",
        "",
        "> **For education, never for diagnosis.** Nothing here may be used to decide about a "
        "patient.",
        "",
        *opening(lessons, page, root, done),
    ]
    for number, question in enumerate(QUESTIONS, 1):
        chapter = [row for row in lessons if row.question == question]
        if chapter:
            lines += ["", f"## {number} · {question}", "", *table(chapter, page, done)]
    if cases:
        lines += [
            "",
            "## Case studies",
            "",
            "Student projects of five kinds, each rebuilt as it is described, then reviewed with "
            "the tools of the course. The first cell of each says which lessons it needs.",
            "",
            *table(cases, page, done),
        ]
    return "\n".join([*lines, *(STOP if students(page) else []), ""])


def students(page: Path) -> bool:
    """Whether a page stands beside the copies that students work in."""
    return page.parent.name == STUDENT


def opening(
    lessons: list[Entry], page: Path, root: Path, done: "Mapping[str, Progress] | None" = None
) -> list[str]:
    """Where to begin, and how: in the students' copies, or with the executed ones."""
    hours = round(sum(row.minutes for row in lessons) / 30) / 2
    first = link(lessons[0].stop.title, lessons[0].stop.path(page.parent), page)
    own, shown = (link(label, root / folder / INDEX, page) for label, folder in OTHER)
    if students(page):
        begin = (
            f"**Begin here: {first}.** Read from top to bottom. Click a cell and press **Shift + "
            "Enter** to run it. Where a text says *Predict*, write your answer in place of `None` "
            f"first: it is recorded, and the result answers it. Nothing has run yet; {shown} show "
            "what comes out."
        )
    else:
        begin = (
            f"**Begin here: {first}.** These notebooks are executed, for reading. To work, "
            f"open {own}."
        )
    way = (
        "The line of links at the top and at the end of each notebook leads to the next one, to "
        f"the exercise, and back to this page. The {len(lessons)} lessons take about {hours:g} "
        "hours, in as many sittings as you like. What a word means, and which lesson introduces "
        f"it, stands in the {link('glossary', root / GLOSSARY, page)}; what a chest radiograph "
        f"shows, on {link('a page of its own', root / RADIOLOGY, page)}."
    )
    following = next_step(lessons, page, done or {})
    if following:  # whoever has begun need not be told where
        begin = begin.removeprefix(f"**Begin here: {first}.** ")
    return [*following, begin, "", way]


def next_step(lessons: list[Entry], page: Path, done: "Mapping[str, Progress]") -> list[str]:
    """Return the lines that say what is done and what is next; none where nothing was begun."""
    known = [(row, done[row.stop.name]) for row in lessons if row.stop.name in done]
    if not any(progress.begun for _, progress in known):
        return []
    finished = sum(progress.done for _, progress in known)
    said = f"**Done: {finished} of {len(lessons)} lessons.**"
    row = next((row for row, progress in known if not progress.done), None)
    if row:
        title = link(row.stop.title, row.stop.path(page.parent), page)
        word = "Go on with" if done[row.stop.name].begun else "Next:"
        said += f" **{word} {title}.**"
    open_ones = [r for r, progress in known if progress.done and not progress.practised]
    if open_ones:
        links = ", ".join(link(r.stop.name[:2], r.exercise, page) for r in open_ones)
        said += f" Not yet practised, or not all right: exercise {links}."
    meaning = (
        "*A lesson is done when each code cell of its core (all that is not marked deeper) has run "
        "and the notebook is saved; an exercise, when each check says correct. After more work, "
        "File → Reload Markdown File from Disk brings this page up to date.*"
    )
    return [said, "", meaning, ""]


OTHER = (("the copies to work in", f"{LESSONS}/{STUDENT}"), ("the executed copies", LESSONS))
STOP = [
    "",
    "## Stop, and come back",
    "",
    "- **What you write is saved** every two minutes, and at once with **Ctrl + S** (**Cmd + S** "
    "on a Mac). A prediction is kept as soon as its cell has run.",
    "- **Close the tab** of a notebook when you have finished it: that ends its Python process "
    "and frees its memory.",
    "- **Stop** with *File → Shut Down*, or with **Ctrl + C** in the terminal.",
    "- **Come back** with the command that you started with, `make lab` or `python -m tools.lab`, "
    "in the folder of the course. This page opens again, beside the notebooks that were open. "
    "Your text and the outputs are there, the values of variables are not: in a notebook, *Run → "
    "Run All Above Selected Cell* computes them again.",
]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write or check both pages; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.index", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where the page is not up to date"
    )
    options = parser.parse_args(arguments)
    code = 0
    for page in (root / LESSONS / INDEX, root / LESSONS / STUDENT / INDEX):
        try:
            wanted = text(page, root)
        except ToolError as error:
            print(error, file=sys.stderr)
            return 1
        if page.is_file() and page.read_text(encoding="utf-8") == wanted:
            print(f"{relative(page, root)} is up to date")
        elif options.check:
            print(
                f"{relative(page, root)} does not say what the sources say: "
                "python -m tools.build.index",
                file=sys.stderr,
            )
            code = 1
        else:
            write_atomic(page, wanted)
            print(f"{relative(page, root)}: written")
    return code


if __name__ == "__main__":
    sys.exit(main())
