"""The instructors' pages say what the lessons and the checks say; links lead somewhere."""

import re
from itertools import pairwise

import pytest

from tools import instructors
from tools.common import ROOT

PAGES = sorted(instructors.pages(ROOT).glob("*.md"))


def test_pages_fit_lessons_and_checks():
    assert list(instructors.faults()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files(page):
    for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_messages_are_renewed_and_what_is_written_by_hand_stays():
    lesson, question = next(instructors.questions())
    old = f"By hand.\n\n<!-- {lesson} {question.name} -->\nold\n<!-- end -->\n"
    new = instructors.misconceptions(old)
    assert new.startswith("By hand.")
    assert "old\n" not in new
    assert instructors.block(lesson, question) in new
    assert instructors.UNWRITTEN in new  # of all the other questions
    assert instructors.misconceptions(new) == new


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "## 04 limits",
            "## 04 limit",
            ["full, half and no marks in 04 limits", "speaks of 04 limit, which"],
        ),
        ("\n10 points · 12", "\n8 points · 12", ["14 review: begin with the line `10 points"]),
        ("**Half, 5 of 10.**", "**Half, 11 of 10.**", ["14 review: answers are"]),
        ("**Half, 5 of 10.**", "**Half, 5 of 12.**", ["14 review: answers are"]),
        ("**Nothing, 0 of 10.**", "**Nothing, 1 of 10.**", ["14 review: answers are"]),
        ("- Met: leak", "leak", ["14 review: say what is Met"]),
    ],
)
def test_a_written_question_whose_marking_does_not_fit_is_named(before, after, said):
    page = (instructors.pages(ROOT) / "written.md").read_text(encoding="utf-8")
    assert page.count(before) == 1
    found = list(instructors.marking_faults(page.replace(before, after)))
    assert len(found) == len(said)
    assert all(text in line for text, line in zip(said, found, strict=True)), found


def test_times_of_the_days_follow_one_another():
    text = (instructors.pages(ROOT) / "schedule.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d+):(\d+) \|.*?\| ?(\d*) *\|$", text, re.MULTILINE)
    rows = [(60 * int(hour) + int(minute), length.strip()) for hour, minute, length in found]
    steps = [
        (start + int(length), after) for (start, length), (after, _) in pairwise(rows) if length
    ]
    assert len(steps) > 20
    assert [(end, after) for end, after in steps if end != after] == []
