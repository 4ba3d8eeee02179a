"""The index says what the sources say, links to files; drift and missing parts are named."""

import re
from pathlib import Path

import pytest

from tools.build import index
from tools.common import ROOT, ToolError

SOURCE = """# %% [markdown]
# # {title}
#
# *{question}* A question
# on two lines.
#
# **Time and hardware.** {minutes} minutes, one of them
# computing.

# %%
1 + 1

# %% [markdown] tags=["author"]
# In the index: do this, and see
# that
"""
QUESTION = index.QUESTIONS[0]


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path) -> Path:
    """A course of three lessons and a case study; its second lesson has an exercise.

    The index is written.
    """
    sources = tmp_path / "notebooks" / "src"
    write(sources / "01_first.py", SOURCE.format(title="01 · First", question=QUESTION, minutes=60))
    write(
        sources / "02_second.py", SOURCE.format(title="02 · Second", question=QUESTION, minutes=90)
    )
    asked = "Can the number be trusted?"  # the beginning of the second question is enough
    write(sources / "03_third.py", SOURCE.format(title="03 · Third", question=asked, minutes=45))
    write(
        sources / "cases" / "a_case.py",
        SOURCE.format(title="Case A · A case", question="Whatever?", minutes=30),
    )
    write(tmp_path / "exercises" / "02_second_exercise.ipynb")
    write(
        tmp_path / "exercises" / "src" / "02_second_exercise.py",
        "# %% [markdown]\n#\n# **Time.** 35 minutes: 20 and 15.\n",
    )
    assert index.main([], tmp_path) == 0
    return tmp_path


@pytest.fixture
def page(small) -> str:
    return (small / "notebooks" / "index.md").read_text(encoding="utf-8")


def test_the_committed_index_says_what_the_sources_say(capsys):
    assert index.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("folder", ["notebooks", "notebooks/student"])
def test_every_link_of_the_committed_index_leads_to_a_file(folder):
    page = ROOT / folder / "index.md"
    targets = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert len(targets) >= 14 + 14 + 5
    assert not [target for target in targets if not (page.parent / target).is_file()]


def test_lessons_stand_below_their_question_with_time_line_and_exercise(page):
    first, second, cases = (
        page.index(text) for text in ("## 1 · Can we", "## 2 · Can the number", "## Case studies")
    )
    assert "## 3" not in page, "no lesson answers the third question here"
    assert (
        first
        < page.index("| [02 · Second](02_second.ipynb) | do this, and see that | 90 | [Exercise")
        < second
    )
    assert (
        second < page.index("| [03 · Third](03_third.ipynb) | do this, and see that | 45 |") < cases
    )
    assert cases < page.index(
        "| [Case A · A case](cases/a_case.ipynb) | do this, and see that | 30 |"
    )
    assert "[Exercise\N{NO-BREAK SPACE}02](../exercises/02_second_exercise.ipynb) | 35 |" in page
    assert "| [01 · First](01_first.ipynb) | do this, and see that | 60 |  |  |" in page, (
        "it has no exercise"
    )


def test_it_says_where_to_begin_how_long_it_takes_and_what_it_is_not_for(page):
    assert "**Begin here: [01 · First](01_first.ipynb).**" in page
    assert "The 3 lessons take about 3 hours" in page
    assert "never for diagnosis" in page
    assert "open [the copies to work in](student/index.md)" in page
    assert "**Come back**" not in page, "it is for those who work in JupyterLab"


def test_the_page_beside_the_students_copies_leads_to_them_and_says_how_to_work(small):
    page = (small / "notebooks" / "student" / "index.md").read_text(encoding="utf-8")
    assert "[02 · Second](02_second.ipynb)" in page
    assert "(../../exercises/02_second_exercise.ipynb)" in page
    assert "[the executed copies](../index.md)" in page
    assert "in place of `None`" in page
    assert "**Come back**" in page


@pytest.mark.parametrize(
    ("old", "new"),
    [("02 · Second", "02 · Other"), ("90 minutes", "75 minutes"), ("do this", "do that")],
)
def test_a_changed_source_is_drift_until_the_page_is_written_again(small, old, new, capsys):
    assert index.main(["--check"], small) == 0
    source = small / "notebooks" / "src" / "02_second.py"
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert index.main(["--check"], small) == 1
    assert (
        "notebooks/index.md does not say what the sources say: python -m tools.build.index"
        in capsys.readouterr().err
    )
    assert index.main([], small) == 0
    assert index.main(["--check"], small) == 0


@pytest.mark.parametrize("folder", ["notebooks", "notebooks/student"])
def test_an_edited_or_missing_page_is_drift(small, folder):
    path = small / folder / "index.md"
    write(path, path.read_text(encoding="utf-8") + "By hand.\n")
    assert index.main(["--check"], small) == 1
    path.unlink()
    assert index.main(["--check"], small) == 1
    assert not path.exists(), "checking writes nothing"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("minutes, one", "hours, one", "Time and hardware"),
        (QUESTION, "Why not?", "Can we build it"),
        ("In the index", "On the index", "In the index"),
    ],
)
def test_a_source_that_lacks_a_part_is_named_with_the_part(small, old, new, named):
    source = small / "notebooks" / "src" / "01_first.py"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ToolError, match=rf"notebooks/src/01_first\.py lacks .*{named}"):
        index.text(small / "notebooks" / "index.md", small)
    assert index.main(["--check"], small) == 1
