"""Fill the instructors' pages, below exercises/instructors, from what they speak of.

The objectives are the lessons' own ("You will be able to"), the messages those that the checks
give; notes.md and the breaks of schedule.md come from the notes in the lessons' sources; the full
answers in written.md are the exercises' own. What stands outside the marks `<!-- 07 judge -->` and
`<!-- end -->` is written by hand and stays. `--check` writes nothing and fails where a page has
drifted, a question is not spoken of, a lesson stands in no schedule, or written.md does not say
how a written question is marked.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupytext

from cxr_helpers import checks
from cxr_helpers.checks import Question
from tools.build import notes
from tools.build.exercises import BEGIN, END, sources
from tools.common import ROOT, pairs, relative, tags, write_atomic

UNWRITTEN = "*Not written yet: what to ask, what to say.*"
MARKS = r"^\*\*(Half|Nothing), (\d+) of (\d+)\.\*\*"
SAID = ("Met", "Missed", "Write back")
# no second mark in it: where an end is lost, what stands below by hand is not taken for generated
BLOCK = r"<!-- {} -->\n(?:(?!<!--).)*<!-- end -->"


@dataclass(frozen=True)
class Written:
    """A written question: "04 limits", its points, the answer that earns them, and its source."""

    name: str
    points: int
    answer: str
    source: Path


def pages(root: Path) -> Path:
    """Return the folder of the instructors' pages."""
    return root / "exercises" / "instructors"


def opening(source: Path) -> str:
    """Return the first cell of a lesson or an exercise as Markdown."""
    first = source.read_text(encoding="utf-8").split("\n# %%", 1)[0]
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in first.splitlines()[1:])


def minutes(source: Path) -> int:
    """Return the minutes that a lesson or an exercise states."""
    return int(re.search(r"\*\*Time[^*]*\*\*\s+(\d+) minutes", opening(source))[1])


def objectives(root: Path = ROOT) -> str:
    """Return the page of learning objectives: each lesson's list, with minutes.

    The minutes are those of lesson and exercise.
    """
    lines = [
        "# Learning objectives",
        "",
        "Generated from the lessons: `python -m tools.build.instructors`.",
        "",
    ]
    exercise = {path.stem[:2]: path for path in sources(root)}
    total = [0, 0]
    for pair in pairs(root):
        text, stem = opening(pair.source), pair.source.stem
        aims = re.search(r"\*\*You will be able to\*\*\s+(.*?)\n\n", text, re.DOTALL)
        if pair.source.parent.name != "src" or not aims:
            continue
        title = text.strip().splitlines()[0].removeprefix("# ")
        practice = exercise.get(stem[:2])
        times = [minutes(pair.source), minutes(practice) if practice else 0]
        total = [a + b for a, b in zip(total, times, strict=True)]
        link = f", [exercise](../{practice.stem}.ipynb) {times[1]}" if practice else ""
        lines += [
            f"## {title}",
            "",
            f"[Lesson](../../notebooks/{stem}.ipynb) {times[0]} minutes{link}.",
            "",
        ]
        lines += ["After it a student can", "", aims[1].strip(), ""]
    lines.append(f"Together: lessons {total[0]} minutes, exercises {total[1]}.")
    return "\n".join(lines) + "\n"


def block(lesson: str, question: Question) -> str:
    """Return the messages of a question between its marks; what a check fills in is shown as …"""
    said = {name: re.sub(r"{[^{}]*}", "…", m.message) for name, m in question.mistakes.items()}
    rows = [f"- `{name}`: {message}" for name, message in said.items()]
    head = f"<!-- {lesson} {question.name} -->\n<details><summary>What the check says</summary>\n"
    return "\n".join([head, *rows, "\n</details>\n<!-- end -->"])


def questions() -> Iterator[tuple[str, Question]]:
    """Yield each lesson's number with each of its questions."""
    for lesson in checks.lessons():
        for question in checks.questions(lesson).values():
            yield lesson, question


def misconceptions(text: str) -> str:
    """Return the page with its messages renewed; questions that it lacks are added at its end."""
    for lesson, question in questions():
        fresh = block(lesson, question)
        pattern = re.compile(BLOCK.format(f"{lesson} {question.name}"), re.DOTALL)
        if pattern.search(text):
            text = pattern.sub(lambda _, fresh=fresh: fresh, text)
        else:
            text = f"{text.rstrip()}\n\n### {lesson} · {question.title}\n\n{UNWRITTEN}\n\n{fresh}\n"
    return text


def with_breaks(schedule: str, root: Path = ROOT) -> str:
    """Return the schedule with its table of breaks renewed."""
    block = "\n".join(["<!-- breaks -->", "", *notes.breaks(root), "", "<!-- end -->"])
    return re.sub(BLOCK.format("breaks"), lambda _: block, schedule, flags=re.DOTALL)


def written(root: Path = ROOT) -> Iterator[Written]:
    """Yield the written questions of the exercises' sources."""
    for source in sources(root):
        notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
        for cell in (cell for cell in notebook.cells if "written" in tags(cell)):
            answer = cell.source.partition(BEGIN)[2].partition(END)[0].strip()
            name = f"{source.stem[:2]} {cell.metadata.get('name', 'written')}"
            yield Written(name, cell.metadata.get("points", 0), answer, source)


def without_answers(page: str) -> str:
    """Return written.md as it is written by hand."""
    return re.sub(BLOCK.format(r"\d\d \w+") + r"\n*", "", page, flags=re.DOTALL)


def with_answers(page: str, root: Path = ROOT) -> str:
    """Return written.md with the full answer, folded, below the first line of each section."""
    page = without_answers(page)
    for question in written(root):
        block = (
            f"<!-- {question.name} -->\n"
            f"<details><summary>Full, {question.points} of {question.points}</summary>\n\n"
            f"{question.answer}\n\n</details>\n<!-- end -->\n\n"
        )
        head = re.compile(rf"^## {question.name}\n\n.+\n\n", re.MULTILINE)
        page = head.sub(lambda found, block=block: found[0] + block, page)
    return page


def marking_faults(page: str, root: Path = ROOT) -> Iterator[str]:
    """Yield one line per written question whose section of written.md is missing or misfits.

    A section has to fit the question's rubric.
    """
    page = without_answers(page)
    for mark in re.findall(r"<!-- .*? -->", page):
        yield f"written.md: `{mark}` is half a pair: delete it, and what is left of its answer"
    parts = re.split(r"^## (.+)\n", page, flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    for question in written(root):
        name, most, source = question.name, question.points, question.source.name
        section = sections.pop(name, None)
        if section is None:
            yield f"written.md: say what earns half and no marks in {name}, below `## {name}`"
            continue
        link = rf"\[source\]\(\.\./src/{re.escape(source)}\)"
        if not re.match(rf"\n{most} points · \d+ minutes · {link}\n\n", section):
            head = f"{most} points · 3 minutes · [source](../src/{source})"
            yield f"written.md, {name}: begin with the line `{head}` and an empty one"
        marks = [
            (kind, int(got), int(of)) for kind, got, of in re.findall(MARKS, section, re.MULTILINE)
        ]
        if marks not in [[("Half", got, most), ("Nothing", 0, most)] for got in range(1, most)]:
            yield (
                f"written.md, {name}: answers are `**Half, n of {most}.**` and "
                f"`**Nothing, 0 of {most}.**`"
            )
        said = [len(re.findall(rf"^- {word}: ", section, re.MULTILINE)) for word in SAID]
        if said != [1, 2, 2]:
            yield (
                f"written.md, {name}: say what is {', '.join(SAID)} below each answer "
                "(Nothing has no Met)"
            )
    yield from (f"written.md speaks of {name}, which no exercise asks" for name in sections)


def faults(root: Path = ROOT) -> Iterator[str]:
    """Yield one line for each fault of the instructors' pages."""
    folder, repair = pages(root), "run `python -m tools.build.instructors`"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    if texts.get("objectives.md") != objectives(root):
        yield f"objectives.md differs from the lessons: {repair}"
    if texts.get("notes.md") != notes.page(root):
        yield f"notes.md differs from the notes in the lessons' sources: {repair}"
    schedule = texts.get("schedule.md", "")
    if "<!-- breaks -->" not in schedule or schedule != with_breaks(schedule, root):
        yield f"schedule.md: its breaks differ from the notes in the lessons' sources: {repair}"
    yield from notes.faults(root)
    page = texts.get("misconceptions.md", "")
    if page != misconceptions(page):
        yield f"misconceptions.md differs from the checks: {repair}"
    if UNWRITTEN in page:
        yield "misconceptions.md: write what to say about the questions that say *Not written yet*"
    known = {f"{lesson} {question.name}" for lesson, question in questions()}
    spoken = set(re.findall(r"<!-- (\d\d \w+) -->", page))
    yield from (
        f"misconceptions.md speaks of {name}, which no check asks"
        for name in sorted(spoken - known)
    )
    marking = texts.get("written.md", "")
    if marking != with_answers(marking, root):
        yield f"written.md: its full answers differ from the exercises' sources: {repair}"
    yield from marking_faults(marking, root)
    for part in re.split(r"^## ", schedule, flags=re.MULTILINE)[1:]:
        if "| " not in part:
            continue
        # case studies are optional
        lessons = [p.source.stem[:2] for p in pairs(root) if p.source.parent.name == "src"]
        missing = [number for number in lessons if not re.search(rf"\b{number}\b", part)]
        yield from (
            f"schedule.md, {part.splitlines()[0]}: lesson {number} is missing" for number in missing
        )


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Fill or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.instructors", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail at drift")
    options = parser.parse_args(arguments)
    if not options.check:
        folder = pages(root)
        write_atomic(folder / "objectives.md", objectives(root))
        write_atomic(folder / "notes.md", notes.page(root))
        for name, renewed in {
            "misconceptions.md": misconceptions,
            "schedule.md": lambda page: with_breaks(page, root),
            "written.md": lambda page: with_answers(page, root),
        }.items():
            write_atomic(folder / name, renewed((folder / name).read_text(encoding="utf-8")))
    found = list(faults(root))
    print(*(found or [f"{relative(pages(root), root)}/ fits lessons and checks"]), sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
