"""The lint: a good lesson passes; for each rule, tiny bad lessons fail by that rule alone."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from tools import common
from tools.rules import lint, lint_content, lint_form
from tools.rules.stats import stats

RULES = [*lint_form.RULES, *lint_content.RULES]  # those of lint_hands: test_tools_lint_hands.py


def replace(old, new, count=1):
    """Return a change of the first cell that holds `old`."""

    def change(notebook):
        cell = next(cell for cell in notebook.cells if old in cell.source)
        cell.source = cell.source.replace(old, new, count)

    return change


def append(source, outputs=(), tags=(), **metadata):
    """Return a change that adds a code cell to the step, before its explanation."""

    def change(notebook):
        where = next(i for i, cell in enumerate(notebook.cells) if "**Explain.**" in cell.source)
        cell = new_code_cell(
            source, outputs=list(outputs), metadata={"tags": list(tags)}, execution_count=1
        )
        notebook.cells.insert(where, cell)
        notebook.metadata.course.update(metadata)

    return change


def markdown(source):
    """Return a change that adds a Markdown cell to the step."""

    def change(notebook):
        where = next(i for i, cell in enumerate(notebook.cells) if "**Explain.**" in cell.source)
        notebook.cells.insert(where, new_markdown_cell(source))

    return change


def tag(old, new):
    """Return a change of the tag of a cell."""

    def change(notebook):
        next(c for c in notebook.cells if old in c.metadata.get("tags", [])).metadata.tags = [new]

    return change


def both(first, second):
    """Return two changes as one."""

    def change(notebook):
        first(notebook)
        second(notebook)

    return change


def swap(first, second):
    """Return a change that exchanges two cells, each given by a text in it."""

    def change(notebook):
        i, j = (
            next(k for k, c in enumerate(notebook.cells) if text in c.source)
            for text in (first, second)
        )
        notebook.cells[i], notebook.cells[j] = notebook.cells[j], notebook.cells[i]

    return change


def compared(tagged, others):
    """Return a change that adds cells that print: so many compared in a test run, so many not."""

    def change(notebook):
        for number in range(tagged + others):
            tags = ["nbval-check-output"] * (number < tagged)
            append(
                f"print({number})",
                [new_output("stream", text=f"{number}")],
                tags,
                dataset="phantom",
            )(notebook)

    return change


def same_id(notebook):
    notebook.cells[3].id = notebook.cells[2].id


def attachment(notebook):
    notebook.cells[0]["attachments"] = {"film.png": {"image/png": "iVBORw0KGgo="}}


PNG = {"image/png": "iVBORw0KGgo="}
ALT = {"image/png": {"alt": "one opacity, lower left"}}  # which JupyterLab does not show
FIGURE = {
    "text/html": '<img alt="one opacity, lower left" src="data:image/png;base64,iVBORw0KGgo=">',
    "text/plain": "one opacity, lower left",
}


def shown(data, metadata=None):
    return [new_output("display_data", data, metadata=metadata or {})]


BAD = [
    ("title", replace("# 00 · Topic", "# Topic")),
    ("title", replace("# 00 ·", "# 07 ·")),
    ("title", replace("## Key points", "# 01 · Key points\n\n## Key points")),
    ("banner", replace("not for diagnosis", "for everyone")),
    ("objectives", replace("You will be able to", "Aims")),
    ("objectives", replace("- do the first thing;\n- judge the second.", "much.")),
    ("time-and-hardware", replace("**Time and hardware.**", "Time:")),
    ("prerequisites", replace("**Prerequisites.**", "Needs:")),
    (
        "colab",
        markdown(
            "[on Colab](https://colab.research.google.com/github/ann/course/blob/main/"
            "notebooks/00_topic.ipynb)"
        ),
    ),
    ("setup", tag("setup", "start")),
    ("setup", append("import json", tags=["setup"])),
    ("setup", replace("find_spec\n", "find_spec\n" + "import json\n" * 10)),
    ("setup", swap("find_spec", "from cxr_helpers import datasets")),
    ("setup", tag("imports", "import")),
    ("parameters", tag("parameters", "settings")),
    ("parameters", replace('os.environ.get("CXR_SEED", "0")', '"0"')),
    (
        "parameters",
        replace('DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")', 'DATA_DIR = "data"'),
    ),
    ("heading-order", markdown("#### Too deep")),
    ("steps", replace("Step 1 ·", "Step 2 ·")),
    ("steps", replace("Step 1 ·", "Step 1:")),
    ("steps", replace("## Step 1 · Count", "## Count")),
    ("predict-explain", replace("**Predict.**", "Guess:")),
    ("predict-explain", replace("**Explain.**", "So")),
    ("predict-explain", swap("**Explain.**", "datasets.load(")),
    (
        "predict-explain",
        replace("## Key points", "## Step 2 · Talk\n\n**Predict.** **Explain.**\n\n## Key points"),
    ),
    ("ending", replace("## Key points", "## Summary")),
    ("ending", replace("## Sources and licence", "## Sources")),
    ("ending", swap("## What next", "## Key points")),
    ("cell-length", append("x = 1\n" * 26)),
    ("cell-length", append("   \n")),
    ("line-length", append(f"x = '{'a' * 95}'")),
    ("no-jet", append("plt.imshow(image, cmap='jet')")),
    ("no-jet", append("plt.imshow(image, cmap=plt.cm.jet_r)")),
    ("alt-text", markdown("![](figure.png)")),
    ("alt-text", markdown('<img src="figure.png" alt="">')),
    ("alt-text", append("figure", shown(PNG), dataset="phantom")),
    ("alt-text", append("figure", shown(PNG, ALT), dataset="phantom")),
    (
        "alt-text",
        append("figure", shown({"text/html": '<img alt="" src="x">'}), dataset="phantom"),
    ),
    ("phantoms-only", append("figure", shown(FIGURE))),
    ("phantoms-only", append("figure", shown({"text/html": "0.9"}), dataset="darkcovidnet")),
    ("phantoms-only", attachment),
    ("phantoms-only", markdown("![film](data:image/png;base64,iVBORw0KGgo=)")),
    ("machine-paths", append("folder = '/home/ann/data'")),
    ("machine-paths", append("folder = r'C:\\Users\\ann'")),
    ("machine-paths", markdown("The files lie in /Users/ann/data.")),
    (
        "machine-paths",
        append("table", shown({"text/html": "<td>/work/data/a.png</td>"}), dataset="phantom"),
    ),
    (
        "no-errors",
        append(
            "1 / 0",
            [new_output("error", ename="E", evalue="e", traceback=["E"])],
            dataset="phantom",
        ),
    ),
    ("no-errors", append("1 / 0", tags=["raises-exception"])),
    ("no-pip", append("%pip install seaborn")),
    ("no-pip", append("!python -m pip install seaborn")),
    ("no-pip", append("!{sys.executable} -m pip install seaborn")),
    ("no-pip", append('subprocess.run([sys.executable, "-m", "pip", "install", "seaborn"])')),
    ("no-pip", replace("import find_spec\n", "import find_spec\n%pip install cxr\n")),
    ("compared", append("3 + 4", shown({"text/plain": "7"}), dataset="phantom")),
    (
        "compared",
        append("x = 7", tags=["nbval-check-output"], outputs=shown(FIGURE), dataset="phantom"),
    ),
    ("compared", both(append("x = 7", tags=["nbval-check-output"]), compared(3, 0))),
    ("compared", compared(1, 2)),
    ("unique-ids", same_id),
    ("size", markdown("a" * common.MAX_BYTES)),
]


def findings(path) -> set[str]:
    return {re.match(r"\[([a-z-]+)\]", line)[1] for line in lint.lint(path)}


def test_template_is_a_good_lesson(notebook, course, capsys):
    assert lint.lint(notebook) == []
    assert lint.main(["--stats"], course) == 0
    assert "2 notebooks, 0 findings" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rule", "change"), BAD, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(BAD)]
)
def test_bad_lesson_is_caught_by_its_rule_alone(notebook, rule, change):
    lesson = nbformat.read(notebook, 4)
    before = nbformat.from_dict(lesson)
    change(lesson)
    assert lesson != before
    # nbformat.write would repair ids
    notebook.write_text(nbformat.v4.writes(lesson), encoding="utf-8")
    assert findings(notebook) == {rule}


def test_every_rule_has_a_bad_lesson():
    assert {rule for rule, _ in BAD} == {rule.__name__.replace("_", "-") for rule in RULES}


GOOD = [
    append("colours = 'viridis'\njets = 3"),
    append("figure", shown(FIGURE), dataset="phantom"),
    append(
        "figure",
        shown({**FIGURE, "text/plain": "base64 may hold /root/x"[:12]}),
        dataset="phantom",
    ),
    append("x = 1\n" * 25),
    compared(2, 2),
    both(
        compared(1, 1),
        append("figure", shown(FIGURE), dataset="phantom"),
    ),
    append(f"x = '{'a' * 94}'"),
    append("folder = 'data/work/home'\naddress = 'https://host.org/home/page'"),
    append("pipeline = 1  # a pipeline is no pip"),
    markdown("```\n# a comment in code is no heading\n##### nor this\n```\n\n### A heading"),
    markdown("![a film with one opacity](../data/figures/film.png)"),
    markdown("In mathematics $A:\\alpha$ is no drive, and 12/home is no path."),
]


@pytest.mark.parametrize("change", GOOD, ids=range(len(GOOD)))
def test_near_misses_pass(notebook, change):
    lesson = nbformat.read(notebook, 4)
    change(lesson)
    nbformat.write(lesson, notebook)
    assert lint.lint(notebook) == []


def test_a_students_copy_with_an_output_is_caught(notebook, course):
    path = common.students_copy(notebook)
    assert lint.lint(path) == []
    lesson = nbformat.read(path, 4)
    append("x", shown({"text/plain": "1"}))(lesson)
    nbformat.write(lesson, path)
    assert findings(path) == {"bare"}
    assert lint.main([], course) == 1


def test_findings_name_file_cell_and_remedy(notebook, course, capsys):
    lesson = nbformat.read(notebook, 4)
    append("%pip install x")(lesson)
    nbformat.write(lesson, notebook)
    assert lint.main([], course) == 1
    number = next(i for i, cell in enumerate(lesson.cells, 1) if "%pip" in cell.source)
    assert (
        f"notebooks/00_topic.ipynb: [no-pip] cell {number}: install in the set-up"
        in capsys.readouterr().out
    )


def test_broken_file_is_named(notebook, course, capsys):
    notebook.write_text("{", encoding="utf-8")
    assert lint.main([], course) == 2
    assert "00_topic.ipynb is not a notebook" in capsys.readouterr().err


def test_stats_count_prose_and_code():
    cells = [
        new_markdown_cell("one two [three](http://x.y/z)"),
        new_code_cell("# comment\n\nx = 1\ny = 2"),
    ]
    assert stats(nbformat.v4.new_notebook(cells=cells)) == (2, 1, 2, "2", "2", 3, "1.5")
