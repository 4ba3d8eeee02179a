"""What a feedback page says first: the marks, by question; no sum while an answer is unmarked."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.marking import mend


def graded(name: str, score: float, points: float, **more):
    told = {"grade": True, "grade_id": name, "score": score, "points": points, **more}
    return {"nbgrader": told}


def page(*waiting: str, late: float = 0) -> list[str]:
    """The cells of a small marked notebook as feedback shows them, as text."""
    cells = [
        new_markdown_cell("# 04 · Splitting"),
        new_markdown_cell("## Set-up\n\nThe first cell."),
        new_code_cell("find_spec", metadata={"tags": ["setup"]}),
        new_markdown_cell("## Question 1 · Make the split\n\nWrite it."),
        new_code_cell("q1.check(split)", metadata=graded("test_split", 2.5, 3)),
        new_markdown_cell("## Question 2 · In your own words"),
        new_markdown_cell(
            "Whole groups.", metadata=graded("limits", 1, 2, comment="Say why:\nis n < p?\n")
        ),
        new_markdown_cell("[Index](index.md)", metadata={"tags": ["navigation"]}),
    ]
    return [cell.source for cell in mend.with_marks(cells, set(waiting), late)]


def test_marks_stand_below_the_title_with_the_questions_names_and_their_sum():
    shown = page()
    assert shown[0] == "# 04 · Splitting"
    assert "| Question 1 · Make the split | 2.5 | 3 |" in shown[1]
    assert "| Question 2 · In your own words | 1 | 2 |" in shown[1]
    assert shown[1].endswith("**Together: 3.5 of 5.**")
    assert shown[shown.index("q1.check(split)") + 1] == "**Points: 2.5 of 3.**"
    comment = "<p><strong>Comment.</strong> Say why:<br>is n &lt; p?</p>"
    assert shown[-2:] == ["**Points: 1 of 2.**", comment]


def test_what_waits_for_marking_by_hand_shows_neither_mark_nor_sum():
    shown = page("limits")
    assert "| Question 2 · In your own words | still to be marked | 2 |" in shown[1]
    assert "Together" not in shown[1]
    assert "**Points: still to be marked by hand.**" in shown
    assert "**Points: 2.5 of 3.**" in shown


def test_lateness_is_taken_from_the_sum():
    assert "| handed in late | -1 | |" in page(late=1)[1]
    assert page(late=1)[1].endswith("**Together: 2.5 of 5.**")


def test_what_lateness_cost_stands_above_the_title_and_the_marks_below_it():
    cells = [new_markdown_cell("**Late.** A day."), new_markdown_cell("# 04 · Splitting")]
    shown = [cell.source.partition("\n")[0] for cell in mend.with_marks(cells, set(), 1)]
    assert shown == ["**Late.** A day.", "# 04 · Splitting", "## Your marks"]


@pytest.mark.parametrize("waiting", [{"limits"}, set()])
def test_what_lateness_cost_is_said_when_all_is_marked(waiting, monkeypatch):
    monkeypatch.setattr(mend, "unmarked", lambda told: waiting)
    told = {"student": "ann", "score": 7.0, "late_penalty": 0.0}
    note = "2 days late, 1 of them free: 7.0 became 6.3"
    late = mend.Late(rows={"ann": {"note": note, "before": "7.0", "score": "6.3"}})
    shown, _ = late.preprocess(nbformat.v4.new_notebook(), {"nbgrader": told})
    said = "2 days late, 1 of them free" if waiting else note
    assert shown.cells[0].source == f"**Late.** {said}."
    assert told["late_penalty"] == pytest.approx(0 if waiting else 0.7)


def test_a_page_of_what_was_not_run_says_why_above_all(monkeypatch):
    monkeypatch.setattr(mend, "unmarked", lambda told: set())
    error = {"ename": "NotRun", "evalue": "No notebook.", "traceback": []}
    cell = new_code_cell("q1.check(split)", metadata=graded("test_split", 0, 3))
    cell.outputs = [nbformat.v4.new_output("error", **error)]
    notebook = nbformat.v4.new_notebook(cells=[new_markdown_cell("# 04"), cell])
    shown, _ = mend.Tidy().preprocess(notebook, {"nbgrader": {"late_penalty": 0}})
    assert shown.cells[0].source == "**Not run.** No notebook."


def test_set_up_and_links_of_the_course_are_left_out():
    assert not [
        text for text in page() if "find_spec" in text or "Index" in text or "first" in text
    ]


def test_links_to_files_of_the_course_keep_their_words_only():
    text = (
        "# 04\n\n[← 04](../a.ipynb) | [Index](b.md)\n\n"
        "See [lesson 04](../c.ipynb) and [doi](https://doi.org/1)."
    )
    cell, _ = mend.Tidy().preprocess_cell(new_markdown_cell(text), {}, 0)
    assert cell.source == "# 04\n\n\n\nSee lesson 04 and [doi](https://doi.org/1)."
    assert nbformat.validate(nbformat.v4.new_notebook(cells=[cell])) is None
