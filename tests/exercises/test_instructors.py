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


def test_times_of_the_days_follow_one_another():
    text = (instructors.pages(ROOT) / "schedule.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d+):(\d+) \|.*?\| ?(\d*) *\|$", text, re.MULTILINE)
    rows = [(60 * int(hour) + int(minute), length.strip()) for hour, minute, length in found]
    steps = [(start + int(length), after) for (start, length), (after, _) in pairwise(rows) if length]
    assert len(steps) > 20
    assert [(end, after) for end, after in steps if end != after] == []
