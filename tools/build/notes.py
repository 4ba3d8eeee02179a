"""What whoever teaches a lesson reads at its cells: minutes, way, a question to expect, a pause.

A note is a Markdown cell of a lesson's source, tagged `instructor`, below the heading of a core
step. It counts the minutes until the next note, so that those of a lesson add up to its time:

    # %% [markdown] tags=["instructor"]
    # **8 minutes · do.** What to do or to say.
    #
    # *Asked:* "A question that will be asked?" What to answer.
    #
    # *Pause* where to stop, and for what.
    #
    # *Break* before this step.

`do`: everybody runs it; `demonstrate`: one runs it for all; `say`: nobody does. One step of a
lesson follows a break. No notebook holds a note: the slides show them to the speaker, and the
instructors' pages are made of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext

from tools.build.navigation import title
from tools.common import DEEPER, ROOT, pairs, tags

TAG = "instructor"
WAYS = {"do": "all run it", "demonstrate": "you run it", "say": "nobody runs it"}
HEAD = re.compile(rf"\*\*(\d+) minutes · ({'|'.join(WAYS)})\.\*\* \S")
BREAK = "*Break* before this step."
ASKED = '*Asked:* "'
FEW, MANY = 3, 8  # notes of a lesson


@dataclass(frozen=True)
class Note:
    """A note, and the step in whose cells it stands."""

    step: str  # its heading, such as "Step 3 · A result out of nothing"; empty before the first
    text: str

    @property
    def minutes(self) -> int:
        """How long it is until the next note; 0 where the note does not say so."""
        found = HEAD.match(self.text)
        return int(found[1]) if found else 0

    @property
    def way(self) -> str:
        """One of WAYS; empty where the note does not say so."""
        found = HEAD.match(self.text)
        return found[2] if found else ""

    @property
    def after_break(self) -> bool:
        """Whether its step follows the break."""
        return BREAK in self.text

    @property
    def said(self) -> str:
        """The note without its first words, which count the minutes, and without the break."""
        body = self.text.replace(BREAK, "").strip()
        return body.partition(".** ")[2] if HEAD.match(body) else body


def read(source: Path) -> list[Note]:
    """Return the notes of a lesson's source, in their order."""
    found, step = [], ""
    for cell in jupytext.read(source, fmt="py:percent").cells:
        heading = re.match(r"#{2,3} (.+)", cell.source) if cell.cell_type == "markdown" else None
        if TAG in tags(cell):
            found.append(Note(step, cell.source.strip()))
        elif heading:
            step = heading[1].strip()
    return found


def of(notebook: Path, root: Path = ROOT) -> list[Note]:
    """Return the notes of a notebook, given by where it stands; none where it has no source."""
    stem = notebook.stem
    return next((read(pair.source) for pair in pairs(root) if pair.source.stem == stem), [])


def lessons(root: Path = ROOT) -> dict[Path, list[Note]]:
    """Return the notes of each lesson, by its source; the case studies have none."""
    sources = [pair.source for pair in pairs(root) if pair.source.parent.name == "src"]
    return {source: read(source) for source in sources}


def faults(root: Path = ROOT) -> Iterator[str]:
    """Yield one line for each fault of a lesson's notes: their number, their time, their form."""
    for source, notes in lessons(root).items():
        place = f"notebooks/src/{source.name}"
        if not FEW <= len(notes) <= MANY:
            yield f"{place} has {len(notes)} notes for instructors: write {FEW} to {MANY}"
        for note in notes:
            where = f"{place}, note in {note.step or 'no step'}"
            if not note.minutes:
                yield f"{where}: begin with `**8 minutes · do.** ` ({', '.join(WAYS)})"
            if not note.step.startswith("Step ") or note.step.endswith(DEEPER):
                yield f"{where}: put it below the heading of a core step"
            if ASKED not in note.text:
                yield f"{where}: name a question that will be asked, after `*Asked:* `"
        stated = re.search(
            r"\*\*Time and hardware\.\*\*\s+(\d+) minutes", source.read_text("utf-8")
        )
        total = sum(note.minutes for note in notes)
        if stated and total != int(stated[1]):
            yield f"{place}: its notes take {total} minutes, the lesson says {stated[1]}"
        if sum(note.after_break for note in notes) != 1:
            yield f"{place}: write `{BREAK}` in one note, no more and no fewer"


def clock(minutes: int) -> str:
    """Return minutes since the beginning as on a stopwatch: 0:07."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def anchor(heading: str) -> str:
    """Return how a link names a heading of a page of the site."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page(root: Path = ROOT) -> str:
    """Return the instructors' page of all notes, lesson by lesson."""
    lines = [
        "# Minute by minute",
        "",
        "Generated from the lessons' sources: `python -m tools.build.instructors`. The minutes are "
        "those of the core in a class; "
        f"{'; '.join(f'*{way}*: {what}' for way, what in WAYS.items())}. "
        "The slides show the same notes to the speaker (key S).",
    ]
    for source, notes in lessons(root).items():
        lines += ["", f"## {title(source, root)}"]
        start = 0
        for note in notes:
            target = f"../../notebooks/{source.stem}.ipynb#{anchor(note.step)}"
            pause = " · after the break" if note.after_break else ""
            lines += ["", f"### {clock(start)} · {note.step}", ""]
            lines += [f"[{note.minutes} minutes]({target}) · *{note.way}*{pause}", "", note.said]
            start += note.minutes
    return "\n".join(lines) + "\n"


def breaks(root: Path = ROOT) -> list[str]:
    """Return the lines of a table: where each lesson has its break, and its minutes around it."""
    rows = ["| lesson | minutes | then a break, and on with | minutes |", "|---|--:|---|--:|"]
    for source, notes in lessons(root).items():
        cut = next((k for k, note in enumerate(notes) if note.after_break), len(notes))
        before, after = (sum(note.minutes for note in half) for half in (notes[:cut], notes[cut:]))
        step = notes[cut].step if cut < len(notes) else ""
        rows.append(f"| {source.stem[:2]} | {before} | {step} | {after} |")
    return rows
