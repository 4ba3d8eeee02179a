"""What a class gained in the concept test.

    python -m tools.marking.concepts first-day.csv last-day.csv

A row of a file is a student's sheet: the columns `code` and `1` to `15`, with a letter or nothing.
Only who wrote both sheets counts for a gain; the interval's unit is the student. What a wrong
answer reveals is read from the key, exercises/instructors/concept-test-key.md. With one file: how
many are right, and the commonest wrong answers.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import stats
from tools.build.instructors import pages
from tools.common import ROOT, ToolError
from tools.marking.gradebook import read_table

LETTERS = "abcd"


@dataclass(frozen=True)
class Question:
    """A question's entry in the key; `reveals`: wrong letter → the misconception it stands for."""

    number: int
    right: str
    concept: str
    reveals: dict[str, str]


def key(root: Path = ROOT) -> list[Question]:
    """Return the questions of the key, in order."""
    text = (pages(root) / "concept-test-key.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (\d+) · ([a-d]) · (.+)$", text, flags=re.MULTILINE)[1:]
    found = zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
    reveals = r"^- \*\*([a-d])\*\* \*([^*]+)\*"
    return [
        Question(int(n), a, name, dict(re.findall(reveals, body, re.MULTILINE)))
        for n, a, name, body in found
    ]


def sheets(path: Path, questions: list[Question]) -> pd.DataFrame:
    """Return a class's answers: a row per code, a column per question's number, letters or "".

    Raises ToolError for a missing column, a code that is missing or stands twice, and for what is
    no letter.
    """
    rows = [[cell.strip().lower() for cell in row] for row in read_table(path)]
    head = rows[0] if rows else []
    if twice := sorted({name for name in head if name and head.count(name) > 1}):
        raise ToolError(f"{path}: two columns are called {', '.join(twice)}")
    cells = [[*row, *[""] * len(head)][: len(head)] for row in rows[1:]]
    table = pd.DataFrame(cells, columns=head, dtype=str)
    names = [str(question.number) for question in questions]
    if missing := [name for name in ["code", *names] if name not in table]:
        raise ToolError(f"{path}: add the columns {', '.join(missing)}")
    if table.empty:
        raise ToolError(f"{path}: no sheet stands below its first line")
    table = table.set_index("code")
    if odd := sorted(set(table.index[table.index.duplicated()]) | (set(table.index) & {""})):
        raise ToolError(
            f"{path}: each row needs a code of its own; correct {', '.join(map(repr, odd))}"
        )
    wrong = ~table[names].isin(["", *LETTERS])
    for code, name in wrong.stack()[lambda is_wrong: is_wrong].index[:1]:
        raise ToolError(
            f"{path}: {table.at[code, name]!r} of {code}, question {name}, is none of a, b, c, d "
            "or empty"
        )
    return table[names]


def gain(before: np.ndarray, after: np.ndarray) -> stats.Difference:
    """Return the share right after minus the share right before, paired by student.

    Two boolean arrays of the same students.
    """

    def without_each(right: np.ndarray) -> np.ndarray:
        return (right.sum() - right) / (len(right) - 1)

    discordant = int((before != after).sum())
    shares = stats.proportion(after), stats.proportion(before)
    return stats.difference(
        *shares, without_each(after), without_each(before), np.ones(len(before)), discordant
    )


def commonest(answers: pd.Series, question: Question) -> str:
    """Return the commonest wrong answer, how many gave it, and what it reveals; "" if none."""
    counts = answers[answers.isin(list(question.reveals))].value_counts()
    if counts.empty:
        return ""
    letter = min(counts.index, key=lambda name: (-counts[name], name))
    return f"{letter} ({counts[letter]} of {len(answers)}): {question.reveals[letter]}"


def report(
    before: pd.DataFrame, after: pd.DataFrame | None, questions: list[Question]
) -> Iterator[str]:
    """Yield the lines of the report on one day, or on two."""
    last = before if after is None else after
    if after is not None:
        both = before.index.intersection(after.index)
        left = f"{len(before) - len(both)} the first only, {len(after) - len(both)} the last only"
        if len(both) < stats.FEWEST:
            raise ToolError(
                f"{len(both)} codes stand in both files ({left}); a gain needs {stats.FEWEST}"
            )
        before, last = before.loc[both], after.loc[both]
        yield f"{len(both)} students wrote both sheets; {left}."
    scores = []
    for question in questions:
        name = str(question.number)
        now = (last[name] == question.right).to_numpy()
        figures = str(stats.proportion(now))
        if after is not None:
            then = (before[name] == question.right).to_numpy()
            change = gain(then, now)
            scores.append(now.astype(int) - then)
            figures = (
                f"{change.b:.2f} → {change.a:.2f}, gain {change.value:+.2f} "
                f"({change.low:+.2f} to {change.high:+.2f})"
            )
        wrong = commonest(last[name], question)
        yield f"{question.number:2d} {question.concept:40s} {figures}{'; ' * bool(wrong)}{wrong}"
    if scores:
        whole = stats.mean(np.sum(scores, axis=0))
        yield (
            f"All {len(questions)}: {whole.value:+.1f} questions ({whole.low:+.1f} to "
            f"{whole.high:+.1f})"
        )


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Print the report; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.marking.concepts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("first", type=Path, help="the first day's sheets, a CSV file")
    parser.add_argument("last", type=Path, nargs="?", help="the last day's")
    options = parser.parse_args(arguments)
    questions = key(root)
    try:
        days = [sheets(path, questions) for path in (options.first, options.last) if path]
        lines = list(report(days[0], days[1] if len(days) > 1 else None, questions))
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    print(*lines, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
