"""The instructors' pages say what the lessons and the checks say; links lead somewhere."""

import re
import shutil
from itertools import pairwise

import pytest

from tools.build import instructors, notes
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
            ["half and no marks in 04 limits", "speaks of 04 limit, which"],
        ),
        ("\n10 points · 12", "\n8 points · 12", ["14 review: begin with the line `10 points"]),
        ("**Half, 5 of 10.**", "**Half, 11 of 10.**", ["14 review: answers are"]),
        ("**Half, 5 of 10.**", "**Half, 5 of 12.**", ["14 review: answers are"]),
        ("**Nothing, 0 of 10.**", "**Nothing, 1 of 10.**", ["14 review: answers are"]),
        ("- Met: leak", "leak", ["14 review: say what is Met"]),
        ("<!-- 14 review -->\n", "", ["`<!-- end -->` is half a pair"]),
        (
            "</details>\n<!-- end -->\n\n**Half, 5 of 10",
            "**Half, 5 of 10",
            ["14 review -->` is half"],
        ),
    ],
)
def test_a_written_question_whose_marking_does_not_fit_is_named(before, after, said):
    page = (instructors.pages(ROOT) / "written.md").read_text(encoding="utf-8")
    assert page.count(before) == 1
    found = list(instructors.marking_faults(page.replace(before, after)))
    assert len(found) == len(said)
    assert all(text in line for text, line in zip(said, found, strict=True)), found


@pytest.fixture
def course(tmp_path):
    """Return a copy of what the instructors' pages are and are made of."""
    for folder in ("notebooks/src", "exercises/src", "exercises/instructors"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_every_written_question_has_its_full_answer_once():
    page = (instructors.pages(ROOT) / "written.md").read_text(encoding="utf-8")
    sources = sorted((ROOT / "exercises" / "src").glob("*.py"))
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    assert len(sources) == len(sections) == page.count("<details>") == 14
    for source, section in zip(sources, sections, strict=True):
        text = source.read_text(encoding="utf-8").split('tags=["written"]')[1]
        points = re.match(r".*points=(\d+)\n", text)[1]
        lines = text.split("# ### BEGIN SOLUTION\n")[1].split("# ### END SOLUTION\n")[0]
        answer = re.sub(r"^# ?", "", lines, flags=re.MULTILINE)
        assert f"<summary>Full, {points} of {points}</summary>\n\n{answer}\n</details>" in section
        assert section.index("</details>") < section.index("**Half")


def test_a_changed_full_answer_is_drift_until_the_page_is_written_again(course, capsys):
    source, page = (
        course / "exercises" / name
        for name in ("src/04_splitting_exercise.py", "instructors/written.md")
    )
    text, old = source.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
    said = "written.md: its full answers differ from the exercises' sources"
    source.write_text(text.replace("# Images were grouped", "# All were grouped"), encoding="utf-8")
    assert instructors.main(["--check"], course) == 1
    assert said in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == old
    assert instructors.main([], course) == 0
    assert page.read_text(encoding="utf-8") == old.replace("\nImages were", "\nAll were")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (
            'name="limits" points=3',
            'name="limits" points=4',
            "limits -->\n<details><summary>Full, 4 of 4<",
        ),
        ('tags=["written"] name="limits" points=3', 'name="limits" points=3 tags=["written"]', ""),
        ("# Images were grouped", r"# A path, C:\1. Images were grouped", r"C:\1. Images"),
        ("# Images were grouped", "# One.\n#\n# Images were grouped", "\n\nOne.\n\nImages were"),
    ],
)
def test_the_full_answer_is_the_sources_however_it_is_written(before, after, shown, course):
    source = course / "exercises" / "src" / "04_splitting_exercise.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(before) == 1
    source.write_text(text.replace(before, after), encoding="utf-8")
    old = (course / "exercises" / "instructors" / "written.md").read_text(encoding="utf-8")
    new = instructors.with_answers(old, course)
    assert (new == old) == (not shown)
    assert shown in new
    assert instructors.with_answers(new, course) == new
    assert instructors.without_answers(new) == instructors.without_answers(old)


def test_an_answer_whose_end_mark_is_lost_takes_nothing_written_by_hand_with_it(course, capsys):
    page = course / "exercises" / "instructors" / "written.md"
    old = page.read_text(encoding="utf-8")
    page.write_text(old.replace("<!-- end -->\n", "", 1), encoding="utf-8")
    assert instructors.main([], course) == 1
    assert "`<!-- 01 data_statement -->` is half a pair" in capsys.readouterr().out
    new = page.read_text(encoding="utf-8")
    for line in instructors.without_answers(old).splitlines():
        assert line in new


NOTE = """# %% [markdown] tags=["instructor"]
# **15 minutes · do.** Let them count.
#
# *Asked:* "Why?" So.
"""
LESSON = """# %% [markdown]
# # 01 · Topic
#
# **Time and hardware.** 45 minutes.

# %% [markdown]
# ## Step 1 · One
"""
STEPS = "".join(
    f"\n# %% [markdown]\n# ## Step {k} · {word}\n\n{NOTE}" for k, word in ((2, "Two"), (3, "Three"))
)
SOUND = f"{LESSON}\n{NOTE}{STEPS}#\n# {notes.BREAK}\n"


def noted(text, tmp_path):
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "notebooks" / "src" / "01_topic.py").write_text(text, encoding="utf-8")
    return list(notes.faults(tmp_path))


def test_sound_notes_become_the_page_and_the_breaks(tmp_path):
    assert noted(SOUND, tmp_path) == []
    page = notes.page(tmp_path)
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == [
        "0:00 · Step 1 · One",
        "0:15 · Step 2 · Two",
        "0:30 · Step 3 · Three",
    ]
    assert page.count("Let them count.") == 3
    assert notes.BREAK not in page
    assert notes.breaks(tmp_path)[2:] == ["| 01 | 30 | Step 3 · Three | 15 |"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("45 minutes", "40 minutes", "its notes take 45 minutes, the lesson says 40"),
        ("15 minutes · do", "15 minutes", "begin with `**8 minutes · do.** `"),
        ("15 minutes · do", "15 minutes · sing", "begin with `**8 minutes · do.** `"),
        ('*Asked:* "Why?" So.', "So.", "name a question"),
        ("Step 2 · Two", "Step 2 · Two · deeper", "put it below the heading of a core step"),
        (notes.BREAK, "", "in one note, no more and no fewer"),
        (f"{NOTE}{STEPS}", NOTE, "has 1 notes"),
    ],
)
def test_a_note_that_does_not_fit_its_lesson_is_named(before, after, said, tmp_path):
    assert before in SOUND
    assert said in "\n".join(noted(SOUND.replace(before, after, 1), tmp_path))


def test_times_of_the_days_follow_one_another():
    text = (instructors.pages(ROOT) / "schedule.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\d+):(\d+) \|.*?\| ?(\d*) *\|$", text, re.MULTILINE)
    rows = [(60 * int(hour) + int(minute), length.strip()) for hour, minute, length in found]
    steps = [
        (start + int(length), after) for (start, length), (after, _) in pairwise(rows) if length
    ]
    assert len(steps) > 20
    assert [(end, after) for end, after in steps if end != after] == []
