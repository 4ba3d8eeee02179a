"""Slides: what stands on a slide, what below it, what in the notes, and what is left out."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import common
from tools.build import slides
from tools.build.notes import Note

FIRST = """# 09 · Small

[![Open in Colab](x.svg)](https://example.org)

> **Educational, not for diagnosis.** Nothing else.

**You will be able to**

- do a thing.

**Time and hardware.** 5 minutes."""
LONG = "One two three. " * 40
PRINTED = new_output("stream", name="stdout", text="right\n")


def kinds(notebook) -> list[str]:
    return [cell.metadata.slideshow.slide_type for cell in slides.deck(notebook).cells]


def text(notebook, kind: str) -> str:
    cells = slides.deck(notebook).cells
    return "\n".join(cell.source for cell in cells if cell.metadata.slideshow.slide_type == kind)


def lesson(*cells):
    setup = [
        new_markdown_cell("## Set-up"),
        new_code_cell("import os", metadata={"tags": ["setup"]}),
    ]
    return new_notebook(
        cells=[
            new_markdown_cell(FIRST),
            *setup,
            new_markdown_cell("## Step 1 · Go\n\nText."),
            *cells,
        ]
    )


def test_a_step_begins_a_slide_and_the_set_up_is_left_out():
    assert kinds(lesson()) == ["slide", "subslide", "notes", "slide"]
    assert "Colab" not in text(lesson(), "slide")
    assert "do a thing" in text(lesson(), "subslide")


def test_long_text_is_cut_to_sentences_and_stands_whole_in_the_notes():
    notebook = lesson(new_markdown_cell(f"**Explain.** {LONG}"))
    assert kinds(notebook)[-3:] == ["subslide", "-", "notes"]
    shown = text(notebook, "-")
    assert shown.endswith("three.")
    assert len(shown.split()) <= slides.WORDS + 3
    assert text(notebook, "notes").count("One") == 40


def test_an_instructors_note_is_told_to_the_speaker_of_its_step_and_nowhere_else():
    said = [Note("Step 1 · Go", "**5 minutes · do.** Wait."), Note("Step 9 · Not here", "Never.")]
    cells = slides.deck(lesson(new_markdown_cell("**Explain.** Short.")), said).cells
    spoken = [cell.source for cell in cells if cell.metadata.slideshow.slide_type == "notes"]
    assert spoken[-1] == "**5 minutes · do.** Wait."
    begins = [cell.source.startswith("## Step 1") for cell in cells].index(True)
    assert cells[begins + 1].source == spoken[-1]
    assert "Never." not in spoken


@pytest.mark.parametrize(
    "block",
    ["| a | b |\n|---|---|\n| 1 | 2 |", "- one\n- two", "1. one\n2. two", "![A. B. C.](x.png)"],
)
def test_tables_and_lists_stay_whole(block):
    assert block in slides.shorten(f"{LONG}\n\n{block}", 10)


def test_no_cut_inside_emphasis_code_or_a_bracket():
    assert (
        slides.shorten("**One. Two** (three. Four) `five. Six`. Seven. " * 3, 1).count("`") % 2 == 0
    )
    assert slides.shorten("(One two. Three) four. Five.", 1) == "(One two. Three) four."


def test_the_answer_of_a_checkpoint_has_a_slide_of_its_own():
    answer = "<details><summary>Answer</summary>\n2. Because. </details>"
    cells = slides.deck(
        lesson(new_markdown_cell(f"### Checkpoint\n\nWhich?\n\n1. a\n2. b\n\n{answer}"))
    ).cells
    assert "Because" not in next(cell.source for cell in cells if "Checkpoint" in cell.source)
    assert cells[-1].source == "**Answer.** 2. Because."


def test_long_code_is_hidden_and_its_result_stays():
    code = "\n".join(f"a = {n}" for n in range(slides.CODE_LINES + 1))
    assert kinds(lesson(new_code_cell(code))) == kinds(lesson())
    shown = slides.deck(lesson(new_code_cell(code, outputs=[PRINTED]))).cells[-1]
    assert shown.metadata.transient.remove_source
    assert shown.outputs


def test_an_explanation_joins_a_small_result():
    cells = [
        new_code_cell("print('right')", outputs=[PRINTED]),
        new_markdown_cell("**Explain.** Why."),
    ]
    assert kinds(lesson(*cells))[-3:] == ["subslide", "-", "fragment"]


def test_formulas_become_pictures_with_their_text():
    drawn = slides.deck(lesson(new_markdown_cell("So $x_i^2$ and $\\nothing$."))).cells[-1].source
    assert 'alt="x_i^2" src="data:image/svg+xml' in drawn
    assert "`\\nothing`" in drawn


def test_a_page_needs_no_network_where_reveal_is_at_hand(tmp_path, monkeypatch, capsys):
    parts = {
        "LICENSE": "MIT",
        "dist/reveal.js": "var Reveal = {}",
        "plugin/notes/notes.js": "var RevealNotes",
    }
    parts |= dict.fromkeys(slides.PARTS[:2], "@import url(font.css); p {color: red}")
    notebook = lesson(new_code_cell("1", outputs=[PRINTED]))
    alone, linked = slides.page(notebook, parts), slides.page(notebook, None)
    assert slides.LINK not in alone
    assert 'src="http' not in alone
    assert "font.css" not in alone
    assert linked.count(f'src="{slides.LINK}/') == 2
    common.write_atomic(tmp_path / "notebooks" / "09_small.ipynb", nbformat.writes(notebook))
    monkeypatch.setattr(slides, "reveal", lambda folder: None)
    assert slides.main([], tmp_path) == 0
    assert (tmp_path / "output" / "slides" / "09_small.html").is_file()
    assert "could not be fetched" in capsys.readouterr().out
    assert slides.main(["nothing"], tmp_path) == 2


def test_a_recorded_prediction_shows_its_result_and_neither_entry_nor_code():
    entry = new_code_cell(
        "MY_A = None\na = guess.number('04.a', MY_A, between=(0, 1), example=0.5)\na",
        outputs=[PRINTED],
    )
    met = new_code_cell(
        "a.meets(0.8)", outputs=[new_output("display_data", {"text/markdown": "too low"})]
    )
    (shown,) = [cell for cell in slides.deck(lesson(entry, met)).cells if cell.cell_type == "code"]
    assert shown.source == "a.meets(0.8)"
    assert shown.metadata["transient"] == {"remove_source": True}


def test_the_line_on_the_two_copies_is_left_out():
    first = FIRST.replace(
        "> **Educational", "*You read the executed copy: open another.*\n\n> **Educational"
    )
    notebook = new_notebook(cells=[new_markdown_cell(first)])
    assert "You read" not in text(notebook, "slide")
    assert "Educational" in text(notebook, "slide")
