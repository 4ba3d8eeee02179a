"""Building: always the same bytes, stable ids, drift found, and outputs of the phantoms only."""

import os

import nbformat
import pytest

from tools import common
from tools.build import frame, lessons
from tools.rules import lint


def ids(path) -> dict:
    return {cell.source: cell.id for cell in nbformat.read(path, 4).cells}


def test_second_build_writes_nothing(course, notebook):
    before = notebook.read_bytes()
    os.utime(notebook, (1, 1))
    os.utime(course / "notebooks" / "src" / "00_topic.py")
    assert lessons.main([], course) == 0
    assert notebook.stat().st_mtime == 1
    assert notebook.read_bytes() == before


def test_forced_build_writes_the_same_bytes(course, notebook):
    before = notebook.read_bytes()
    os.utime(notebook, (1, 1))
    lessons.main(["--force"], course)
    assert notebook.stat().st_mtime > 1
    assert notebook.read_bytes() == before


def test_ids_stay_when_a_cell_is_inserted_above(course, source, notebook):
    before = ids(notebook)
    text = source.read_text(encoding="utf-8")
    where = text.index("# %% [markdown]\n# ## Set-up")
    source.write_text(
        f"{text[:where]}# %% [markdown]\n# New cell.\n\n{text[where:]}", encoding="utf-8"
    )
    assert lessons.main([], course) == 0
    after = ids(notebook)
    assert before.items() < after.items()
    assert len(after) == len(before) + 1


def test_equal_cells_get_different_ids(course, source, notebook):
    source.write_text(
        source.read_text(encoding="utf-8") + "\n# %%\n1 + 1\n\n# %%\n1 + 1\n", encoding="utf-8"
    )
    lessons.main([], course)
    found = [cell.id for cell in nbformat.read(notebook, 4).cells]
    assert len(set(found)) == len(found)


def test_metadata_names_no_version_and_no_machine(notebook, course):
    metadata = nbformat.read(notebook, 4).metadata
    assert set(metadata) == {"course", "kernelspec", "language_info"}
    assert "version" not in metadata.language_info
    assert metadata.course.source == "notebooks/src/00_topic.py"
    assert str(course) not in notebook.read_text(encoding="utf-8")


def test_author_notes_stay_in_the_source(source, notebook):
    assert "Copy this file" in source.read_text(encoding="utf-8")
    assert "Copy this file" not in notebook.read_text(encoding="utf-8")


def test_instructors_notes_stay_in_the_source(source, course):
    note = '# %% [markdown] tags=["instructor"]\n# **45 minutes · do.** Say it slowly.\n\n'
    text = source.read_text(encoding="utf-8")
    source.write_text(
        text.replace("# %% [markdown]\n# ## Step 1", f"{note}# %% [markdown]\n# ## Step 1", 1),
        "utf-8",
    )
    assert "Say it slowly" in source.read_text(encoding="utf-8")
    assert lessons.main([], course) == 0
    for path in (course / "notebooks").rglob("*.ipynb"):
        assert "Say it slowly" not in path.read_text(encoding="utf-8")


MEETING = """
# %%
MY_AUC = None  # your prediction, from 0 to 1
auc = guess.number("00.auc", MY_AUC, between=(0, 1), example=0.5)
auc

# %%
auc.meets(0.8, beliefs=[(0.4, 0.6, "You trusted the split.")])

# %%
result = 0.8
auc.meets(result)

# %% [markdown]
# [a file](../data/README.md), [a lesson](00_topic.ipynb#step), [Index](index.md),
# <https://x.org/a(b).ipynb> ![a figure](../data/figures/a.png)
# [the exercise](../exercises/00_topic_exercise.ipynb) and `x[0](1)`
"""


def students(course):
    return nbformat.read(course / "notebooks" / "student" / "00_topic.ipynb", 4)


def test_the_students_copy_has_the_same_code_and_its_links_lead_on(course, source, notebook):
    with source.open("a", encoding="utf-8") as file:
        file.write(MEETING)
    assert lessons.main([], course) == 0
    executed, copy = nbformat.read(notebook, 4), students(course)
    code = [
        [cell.source for cell in found.cells if cell.cell_type == "code"]
        for found in (executed, copy)
    ]
    assert code[0] == code[1]
    text = copy.cells[-2].source
    assert "(../../data/README.md)" in text
    assert "(00_topic.ipynb#step)" in text
    assert "[Index](index.md)" in text
    assert "(../../data/figures/a.png)" in text
    assert "(../../exercises/00_topic_exercise.ipynb)" in text
    assert "<https://x.org/a(b).ipynb>" in text
    assert "`x[0](1)`" in text
    assert "You read the copy to work in" in copy.cells[0].source
    assert "You read the executed copy" in executed.cells[0].source


def test_set_up_and_cells_that_merely_answer_a_prediction_are_folded_and_only_for_students(
    course, source, notebook
):
    with source.open("a", encoding="utf-8") as file:
        file.write(MEETING)
    lessons.main([], course)
    setup, *hidden = [cell for cell in students(course).cells if cell.metadata.get("jupyter")]
    assert "setup" in setup.metadata["tags"]
    hidden = [cell.source for cell in hidden]
    assert hidden == ['auc.meets(0.8, beliefs=[(0.4, 0.6, "You trusted the split.")])']
    assert not [cell for cell in nbformat.read(notebook, 4).cells if cell.metadata.get("jupyter")]


def test_a_students_copy_with_outputs_is_drift_and_is_not_written_over(
    course, source, notebook, capsys
):
    path = course / "notebooks" / "student" / "00_topic.ipynb"
    worked = students(course)
    first = next(cell for cell in worked.cells if cell.cell_type == "code")
    first.outputs = [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(worked, path)
    mine = path.read_bytes()
    assert lessons.main(["--check"], course) == 1
    assert "student/00_topic.ipynb has outputs" in capsys.readouterr().out
    assert lessons.main([], course) == 1
    assert "move your work away first" in capsys.readouterr().err
    assert path.read_bytes() == mine
    assert lessons.main(["--force"], course) == 0
    assert lessons.main(["--check"], course) == 0


def test_a_students_copy_without_a_source_or_missing_is_drift(course, notebook, capsys):
    path = course / "notebooks" / "student" / "00_topic.ipynb"
    path.rename(path.with_name("09_orphan.ipynb"))
    assert lessons.main(["--check"], course) == 1
    printed = capsys.readouterr().out
    assert "student/09_orphan.ipynb has no source" in printed
    assert "student/00_topic.ipynb is missing" in printed


def test_case_studies_have_a_folder_of_their_own(course, source):
    (course / "notebooks" / "src" / "cases").mkdir()
    source.rename(course / "notebooks" / "src" / "cases" / "a_grey.py")
    lessons.main([], course)
    assert (course / "notebooks" / "cases" / "a_grey.ipynb").is_file()
    assert (course / "notebooks" / "student" / "cases" / "a_grey.ipynb").is_file()
    assert lessons.main(["--check"], course) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Count the classes", "Count classes"),
        ('"imports"', '"import"'),
        ('"language_info"', '"language_information"'),
    ],
)
def test_hand_edit_is_drift(course, notebook, old, new, capsys):
    text = notebook.read_text(encoding="utf-8")
    assert old in text
    notebook.write_text(text.replace(old, new), encoding="utf-8")
    assert lessons.main(["--check"], course) == 1
    printed = capsys.readouterr().out
    assert "notebooks/00_topic.ipynb differs from its source" in printed
    assert "make notebooks" in printed
    lessons.main([], course)
    assert lessons.main(["--check"], course) == 0


def test_orphans_are_drift_in_both_directions(course, source, notebook, capsys):
    notebook.rename(notebook.with_name("09_orphan.ipynb"))
    assert lessons.main(["--check"], course) == 1
    printed = capsys.readouterr().out
    assert "09_orphan.ipynb has no source" in printed
    assert "00_topic.ipynb is missing" in printed


def test_source_that_does_not_parse_is_named(course, source, notebook, capsys):
    before = notebook.read_bytes()
    source.write_text(source.read_text(encoding="utf-8") + "\n# %%\nx = = 1\n", encoding="utf-8")
    assert lessons.main(["--check"], course) == 1
    assert lessons.main([], course) == 1
    assert "notebooks/src/00_topic.py cannot be read" in capsys.readouterr().err
    assert notebook.read_bytes() == before


def test_magics_and_await_parse(course, source):
    cells = "# %%\n%matplotlib inline\nawait something()\n\n# %%\n%%time\nx = 1\n"
    with source.open("a", encoding="utf-8") as file:
        file.write(f"\n{cells}")
    assert lessons.main([], course) == 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "# # 00 · Topic of the lesson",
            "# Topic of the lesson",
            "must begin with a Markdown cell `# Title`",
        ),
        ('# %% tags=["imports"]', "# %%", "0 cells tagged"),
        (
            '# %% tags=["nbval-check-output"]\ntable =',
            '# %% tags=["imports"]\ntable =',
            "2 cells tagged",
        ),
    ],
)
def test_source_without_a_place_for_the_frame_is_named(course, source, old, new, says, capsys):
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")
    assert lessons.main([], course) == 1
    assert says in capsys.readouterr().err
    assert not (course / "notebooks" / "00_topic.ipynb").exists()


def test_every_notebook_has_the_same_setup_cell_and_links_at_both_ends(notebook, course):
    cells = nbformat.read(notebook, 4).cells
    (setup,) = (cell for cell in cells if "setup" in cell.metadata.get("tags", []))
    assert setup.source == frame.setup_code(course)
    line = cells[-1].source
    assert "index.md" in line
    assert line in cells[0].source


def test_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        common.write_atomic(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text(encoding="utf-8") == "old"


def test_names_choose_and_an_unknown_name_says_what_there_is(course, notebook):
    assert common.chosen(["00"], course) == [notebook]
    with pytest.raises(common.ToolError, match="there are: 00_topic"):
        common.chosen(["77"], course)
    assert lessons.main(["77"], course) == 1


def test_committed_outputs_in_an_older_form_are_drift_and_are_renewed_without_a_run(
    course, notebook, capsys
):
    made = nbformat.read(notebook, 4)
    code = next(cell for cell in made.cells if cell.cell_type == "code")
    old = nbformat.v4.new_output(
        "display_data", {"image/png": "iVBO"}, metadata={"image/png": {"alt": "a rise"}}
    )
    code.outputs = [old]
    for number, cell in enumerate((c for c in made.cells if c.cell_type == "code"), 1):
        cell.execution_count = number
    nbformat.write(made, notebook)
    assert lessons.main(["--check"], course) == 1
    assert "older form" in capsys.readouterr().out
    assert lessons.main([], course) == 0
    renewed = next(c for c in nbformat.read(notebook, 4).cells if c.cell_type == "code")
    assert renewed.outputs[0].data == {
        "text/html": '<img alt="a rise" src="data:image/png;base64,iVBO">'
    }
    assert lessons.main(["--check"], course) == 0


OPENING = """# %% [markdown]
# # 00 · Topic

# %% tags=["imports"]
"""
EXECUTABLE = """import os

print(os.environ["CXR_DATASET"], os.environ["CXR_MODE"], os.path.basename(os.getcwd()))

# %%
display({"image/png": "iVBORw0KGgo="}, raw=True, metadata={"image/png": {"alt": "what it shows"}})
"""


@pytest.mark.slow
def test_executed_build_keeps_outputs_of_phantoms(course, source, monkeypatch):
    monkeypatch.setenv("CXR_DATASET", "covid19-image-dataset")
    source.write_text(OPENING + EXECUTABLE, encoding="utf-8")
    path = course / "notebooks" / "00_topic.ipynb"
    lessons.main([], course)
    assert lessons.main(["--execute"], course) == 0
    done = nbformat.read(path, 4)
    (first,) = (cell for cell in done.cells if "imports" in cell.metadata.get("tags", []))
    assert [output.text for output in first.outputs] == ["phantom class notebooks\n"]
    assert done.metadata.course.dataset == "phantom"
    assert lessons.main(["--check"], course) == 0
    for rule in ("phantoms_only", "alt_text", "machine_paths"):
        assert lint.lint(path, [r for r in lint.RULES if r.__name__ == rule]) == []
    before = path.read_bytes()
    lessons.main(["--execute"], course)  # has its outputs already
    assert path.read_bytes() == before
    lessons.main(["--execute", "--force"], course)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_executed_build_of_a_failing_lesson_writes_nothing(course, source, capsys):
    source.write_text(f"{OPENING}1 / 0\n", encoding="utf-8")
    assert lessons.main(["--execute"], course) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert not (course / "notebooks" / "00_topic.ipynb").exists()


@pytest.mark.slow
def test_executed_build_of_a_lesson_that_warns_writes_nothing(course, source, capsys):
    source.write_text(f"{OPENING}import warnings\n\nwarnings.warn('odd values')\n", "utf-8")
    assert lessons.main(["--execute"], course) == 1
    said = capsys.readouterr().err
    assert "looks like a fault" in said
    assert "odd values" in said
    assert "import warnings" in said
    assert not (course / "notebooks" / "00_topic.ipynb").exists()
