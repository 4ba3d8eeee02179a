"""Outputs that are kept: trimmed of what differs between runs, short, small."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import common
from tools.build import outputs


def trimmed(*found, **metadata):
    cell = new_code_cell("x", outputs=list(found), execution_count=17, metadata=metadata)
    return outputs.trim(new_notebook(cells=[cell])).cells[0]


def test_times_and_counts_are_normalised():
    result = new_output(
        "execute_result", {"text/plain": "<A at 0x7f00deadbeef>"}, execution_count=17
    )
    cell = trimmed(result, execution={"iopub.execute_input": "2026-01-01"})
    assert "execution" not in cell.metadata
    assert cell.execution_count == cell.outputs[0].execution_count == 1
    assert cell.outputs[0].data["text/plain"] == "<A>"


def test_standard_error_and_widgets_go():
    widget = new_output(
        "display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider"}
    )
    cell = trimmed(new_output("stream", name="stderr", text="warning"), widget)
    assert cell.outputs == []
    notebook = new_notebook(metadata={"widgets": {"state": {}}})
    assert "widgets" not in outputs.trim(notebook).metadata


def test_what_looks_like_a_fault_is_told_and_notes_of_native_code_are_not():
    texts = {
        "WARNING: All log messages before absl::InitializeLog()\nI0000 1 x.h:1] XLA\n": 0,
        "I0000 1 2 x.h:1] XLA\na.py:1: UserWarning: odd": 1,
        "E0000 1 2 x.h:1] no such file\n": 1,
        "\n": 0,
    }
    for text, number in texts.items():
        said = new_output("stream", name="stderr", text=text)
        notebook = new_notebook(cells=[new_code_cell("first\nsecond", outputs=[said])])
        found = outputs.loud(notebook)
        assert len(found) == number
        assert all(line.startswith("'first': ") and "XLA" not in line for line in found)


def test_pieces_of_a_stream_are_joined_around_standard_error():
    pieces = [
        new_output("stream", name=n, text=t)
        for n, t in [("stdout", "a"), ("stderr", "x"), ("stdout", "b\n")]
    ]
    assert [output.text for output in trimmed(*pieces).outputs] == ["ab\n"]


def test_the_alt_text_of_an_image_moves_from_metadata_into_html_once():
    metadata = {"image/png": {"alt": 'a < b, "c"'}}
    data = {"image/png": "iVBO\nRw0K\n", "text/plain": "a"}
    cell = trimmed(new_output("display_data", data, metadata=metadata))
    (output,) = cell.outputs
    assert output.data == {
        "text/html": '<img alt="a &lt; b, &quot;c&quot;" src="data:image/png;base64,iVBORw0K">',
        "text/plain": "a",
    }
    assert output.metadata == {}
    assert outputs.is_picture(output)
    assert outputs.trim(new_notebook(cells=[cell])).cells[0].outputs == [output]


def test_an_image_without_alt_text_stays_and_is_a_picture():
    (output,) = trimmed(new_output("display_data", {"image/png": "iVBORw0K"})).outputs
    assert set(output.data) == {"image/png"}
    assert outputs.is_picture(output)
    assert not outputs.is_picture(new_output("display_data", {"text/html": "<b>table</b>"}))


def test_of_a_progress_bar_its_last_state_stays():
    assert outputs.shorten("1/3\r2/3\r3/3\ndone\n") == "3/3\ndone\n"
    assert outputs.shorten("a\r\nb\r\n") == "a\nb\n"


@pytest.mark.parametrize(("lines", "kept"), [(40, 40), (41, 41), (100, 41)])
def test_long_text_is_cut_with_a_note(lines, kept):
    text = outputs.shorten("".join(f"{i}\n" for i in range(lines)))
    assert len(text.splitlines()) == kept
    assert ("more line" in text) == (lines > 40)
    assert text.endswith("\n")
    assert outputs.shorten(text) == text, "the note still counts the lines of the first cut"


def test_large_notebook_is_refused():
    outputs.refuse_large("a" * common.MAX_BYTES, "it")
    with pytest.raises(common.ToolError, match="fewer or smaller figures"):
        outputs.refuse_large("é" * (common.MAX_BYTES // 2 + 1), "it")


def notebook_of(*codes: str, outputs: bool = False):
    cells = [new_markdown_cell("text"), *(new_code_cell(code) for code in codes)]
    for cell in cells[1:]:
        if outputs:
            cell.outputs, cell.execution_count = (
                [new_output("stream", name="stdout", text=cell.source)],
                1,
            )
    made = new_notebook(cells=cells)
    made.metadata.course = nbformat.from_dict({"dataset": "phantom"} if outputs else {})
    return made


def test_outputs_stay_where_only_the_text_changed():
    old, new = notebook_of("a = 1", "a", outputs=True), notebook_of("a = 1", "a")
    new.cells[0].source = "a better text"
    assert outputs.carry(old, new)
    assert [cell.outputs[0].text for cell in new.cells[1:]] == ["a = 1", "a"]
    assert new.metadata.course.dataset == "phantom"


@pytest.mark.parametrize("codes", [("a = 2", "a"), ("a", "a = 1"), ("a = 1",), ("a = 1", "a", "b")])
def test_outputs_go_where_the_code_changed(codes):
    new = notebook_of(*codes)
    assert not outputs.carry(notebook_of("a = 1", "a", outputs=True), new)
    assert not outputs.has_outputs(new)
    assert "dataset" not in new.metadata.course


def test_a_changed_setup_cell_keeps_the_outputs():
    old, new = notebook_of("import os", "a", outputs=True), notebook_of("import sys", "a")
    for made in (old, new):
        made.cells[1].metadata.tags = ["setup"]
    assert outputs.carry(old, new)
