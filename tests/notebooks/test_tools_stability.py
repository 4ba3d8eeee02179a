"""Verdicts: read from sources, run under several settings, resumed, refused if one failed."""

import json
import os
from pathlib import Path

import pytest

from tools.build import lessons
from tools.rules import stability, verdicts
from tools.rules.stability import Setting

LESSON = """# %% [markdown] tags=["author"]
# verdict("00.no-code", here)

# %%
import os

import cxr_helpers

seed = int(os.environ["CXR_SEED"])
verdict = {"not": "ours"}
share = 0.25 * seed

# %% [markdown]
# The share is small.

# %% tags=["author", "verdict"]
# verdict("00.share-is-small", share < 0.7)

# %%
# a comment of the lesson
shares = [share, 1 - share]

# %% tags=["author", "verdict"]
# verdict(
#     "00.sum-is-one",
#     sum(shares) == 1 and sum(s <= 2 / 2 for s in shares) == 2,
# )
"""
FIRST = LESSON.splitlines().index('# verdict("00.share-is-small", share < 0.7)') + 1
TWO = [Setting("default", 0), Setting("one thread", 1)]


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """Source of a lesson with two verdicts, alone in a course that is run twice."""
    monkeypatch.setattr(stability, "SETTINGS", TWO)
    source = tmp_path / "notebooks" / "src" / "00_topic.py"
    source.parent.mkdir(parents=True)
    source.write_text(LESSON, encoding="utf-8")
    return source


def change(source, old, new):
    text = source.read_text("utf-8")
    assert old in text
    source.write_text(text.replace(old, new), "utf-8")


def test_only_verdict_cells_become_code_line_for_line():
    text = verdicts.activated(LESSON)
    assert text.count("\n") == LESSON.count("\n")
    changed = [
        new for old, new in zip(LESSON.splitlines(), text.splitlines(), strict=True) if old != new
    ]
    assert changed == [
        'verdict("00.share-is-small", share < 0.7)',
        "verdict(",
        '    "00.sum-is-one",',
        "    sum(shares) == 1 and sum(s <= 2 / 2 for s in shares) == 2,",
        ")",
    ]


def test_verdicts_are_read_with_expression_and_line(lesson):
    first, second = verdicts.read(lesson)
    assert (first.name, first.expression, first.line) == ("00.share-is-small", "share < 0.7", FIRST)
    assert second.name == "00.sum-is-one"


def test_well_written_verdicts_have_no_fault(lesson, tmp_path):
    assert verdicts.faults(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("00.share-is-small", "00.sum-is-one", "a second verdict is called '00.sum-is-one'"),
        (
            "00.share-is-small",
            "01.share-is-small",
            "call it '00.lower-case-words', not '01.share-is-small'",
        ),
        ("00.share-is-small", "00.Share", "call it '00.lower-case-words', not '00.Share'"),
        ("share < 0.7", "1 < 2", "the expression is the same whatever the lesson finds"),
        ('# verdict("00.share-is-small', 'verdict("00.share-is-small', "write it as a comment"),
        (
            '# verdict("00.share-is-small", share < 0.7)',
            "",
            "2 cells are tagged verdict, and 1 hold one",
        ),
        ("share < 0.7)", "share < 0.7, 3)", f'line {FIRST}: write verdict("name", expression)'),
        ("share < 0.7)", "share <", f"line {FIRST}: no Python"),
    ],
)
def test_a_verdict_written_wrongly_is_named_with_its_line(lesson, tmp_path, old, new, fault):
    change(lesson, old, new)
    found = verdicts.faults(tmp_path)
    assert any(fault in line and "00_topic.py" in line for line in found), found


def test_verdicts_are_no_part_of_the_notebook(course, source):
    source.write_text(
        source.read_text("utf-8")
        + '\n# %% tags=["author", "verdict"]\n# verdict("00.x", SEED < 9)\n'
    )
    assert [verdict.name for verdict in verdicts.read(source)] == ["00.x"]
    assert lessons.main([], course) == 0
    assert "00.x" not in (course / "notebooks" / "00_topic.ipynb").read_text("utf-8")


@pytest.mark.slow
def test_sources_run_as_scripts_and_go_on_where_they_stopped(lesson, tmp_path, capsys, monkeypatch):
    assert stability.main([], tmp_path) == 0
    rows = stability.read(tmp_path)
    assert [(row["verdict"], row["held"], row["runs"]) for row in rows] == [
        ("00.share-is-small", "2", "2"),
        ("00.sum-is-one", "2", "2"),
    ]
    assert rows[0]["value"] == "0"
    store = tmp_path / stability.STORE
    lines = [json.loads(line) for line in store.read_text().splitlines()]
    assert lines[1]["verdicts"]["00.share-is-small"]["sides"] == {"share": "0.25"}
    sides = {"sum(shares)": "1", "s": "0.75", "sum((s <= 2 / 2 for s in shares))": "2"}
    assert lines[1]["verdicts"]["00.sum-is-one"]["sides"] == sides
    assert "cxr_helpers/__init__.py" in lines[0]["modules"]
    assert not any("plots" in name for name in lines[0]["modules"])

    def left():
        capsys.readouterr()
        stability.main(["--status"], tmp_path)
        return capsys.readouterr().out

    with store.open("a") as file:
        file.write('{"notebook": "00_to')  # a line written half
    assert "0 of 2 runs to do" in left()
    change(lesson, "# The share is small.", "# The share is rather small.")
    assert "0 of 2 runs to do" in left()
    with monkeypatch.context() as patched:
        patched.setattr(verdicts, "module_digest", lambda path: "another")
        assert "2 of 2 runs to do" in left()
    assert "0 of 2 runs to do" in left()
    change(lesson, "0.25 * seed", "0.24 * seed")
    assert "2 of 2 runs to do" in left()


@pytest.mark.slow
def test_a_verdict_that_does_not_hold_fails_until_it_does(lesson, tmp_path, capsys):
    change(lesson, "share < 0.7", "share < 0.2")
    assert stability.main([], tmp_path) == 1
    assert "not 00.share-is-small: share = 0.25" in capsys.readouterr().out
    assert stability.main(["--check"], tmp_path) == 1
    assert (
        "00.share-is-small held in 1 of 2 runs, not in: one thread, seed 1."
        in capsys.readouterr().out
    )
    change(lesson, "share < 0.2", "share < 0.3")
    assert stability.main(["--check"], tmp_path) == 1, "a change alone repairs nothing: run it"
    assert stability.main([], tmp_path) == 0
    assert stability.main(["--check"], tmp_path) == 0


@pytest.mark.slow
def test_a_source_that_does_not_run_is_not_kept(lesson, tmp_path, capsys):
    change(lesson, "shares = [share, 1 - share]", "shares = [share, 1 / share]")
    assert stability.main([], tmp_path) == 1
    error = capsys.readouterr().err
    assert "00_topic, default, seed 0: does not run" in error
    assert f"line {LESSON.splitlines().index('shares = [share, 1 - share]') + 1}" in error
    assert "ZeroDivisionError" in error
    assert len((tmp_path / stability.STORE).read_text().splitlines()) == 1  # seed 1 runs


@pytest.mark.slow
def test_what_is_neither_true_nor_false_is_refused(lesson, tmp_path, capsys):
    change(lesson, "share < 0.7", "share")
    assert stability.main([], tmp_path) == 1
    assert "verdict '00.share-is-small' is 0.0: neither True nor False" in capsys.readouterr().err


def test_the_page_says_what_was_not_run_or_changed_since(lesson, tmp_path):
    assert "| `00.share-is-small` | not run yet | `share < 0.7` |" in stability.page(tmp_path)
    stability.main(["--settings", "default"], tmp_path)
    assert "| `00.share-is-small` | 1 of 1, 2 to run | `share < 0.7` | 0 |" in stability.page(
        tmp_path
    )
    change(lesson, "0.25 * seed", "0.24 * seed")
    assert "1 of 1, 2 to run; its notebook changed since" in stability.page(tmp_path)


@pytest.mark.slow
def test_rows_of_notebooks_not_run_stay_and_those_of_verdicts_gone_go(lesson, tmp_path):
    stability.main([], tmp_path)
    (tmp_path / stability.STORE).unlink()
    change(
        lesson,
        '# verdict("00.share-is-small", share < 0.7)',
        '# verdict("00.share-is-low", share < 0.7)',
    )
    stability.write(tmp_path)
    assert [row["verdict"] for row in stability.read(tmp_path)] == ["00.sum-is-one"]


def test_a_module_changes_with_its_code_not_with_its_comments(tmp_path):
    module = tmp_path / "module.py"
    digests = []
    for text in (
        'def f():\n    """One."""\n    return 1\n',
        '# More\ndef f():\n    """Two."""\n    return 1\n',
        "f = 1",
    ):
        module.write_text(text, "utf-8")
        digests.append(verdicts.module_digest(module))
    assert digests[0] == digests[1] != digests[2]
    tables = []
    for text in ("n\n1\n", "n\n2\n"):
        (tmp_path / "measured.csv").write_text(text, "utf-8")
        tables.append(verdicts.module_digest(tmp_path))
    assert tables[0] != tables[1]


def test_settings(monkeypatch):
    assert len(stability.SETTINGS) == 9
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("CXR_GUESS", "mine")
    default, single, narrow = (
        stability.environment(Setting(name, 3)) for name in ("default", "one thread", "AVX2")
    )
    assert "OMP_NUM_THREADS" not in default
    assert "CXR_GUESS" not in default
    assert default["CXR_SEED"] == "3"
    assert default["MPLBACKEND"] == "agg"
    assert {single[name] for name in stability.THREADS} == {"1"}
    assert narrow["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    assert "TF_ENABLE_ONEDNN_OPTS" not in narrow
    assert not set(narrow["NPY_DISABLE_CPU_FEATURES"].split()) & {"X86_V2", "X86_V3", "AVX2"}
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_committed_verdicts_are_well_written_and_none_failed():
    assert stability.check() == []


@pytest.mark.parametrize(
    ("bare", "shown"),
    [
        ("for seed in range(3):", 'for seed in bar(range(3), desc="seeds"):'),
        ("for seed in seeds:", "for seed in bar(seeds):"),
        ("[f(s) for s in range(repeats)]", "[f(s) for s in bar(range(repeats))]"),
        (
            'for s in range(4 if MODE == "class" else 40):',
            'for s in bar(range(4 if MODE == "class" else 40), desc=name):',
        ),
        ("model.fit(x, y, verbose=0)", "model.fit(x, y, verbose=VERBOSE)"),
        ("from cxr_helpers import plots", "from cxr_helpers import bar, plots"),
        ("", 'VERBOSE = 0 if MODE == "class" else 2  # in full mode'),
    ],
)
def test_what_shows_how_far_a_run_is_leaves_the_hash_as_it_is(bare, shown):
    assert verdicts.without_progress(shown) == bare
    assert verdicts.without_progress(bare) == bare


@pytest.mark.parametrize(
    "line",
    [
        "for seed in bar(draw(rng, 3)):",
        "from cxr_helpers import baselines",
        'VERBOSE = 1 if MODE == "class" else 2',
        'VERBOSE = 0 if MODE == "class" else 2; rng = np.random.default_rng(1)',
        "axes.bar(bins, heights)",
    ],
)
def test_a_line_that_does_more_than_show_counts(line):
    assert verdicts.without_progress(line) == line


def with_cell(lesson: Path, code: str) -> str:
    """The hash of the lesson with one more cell."""
    lesson.write_text(f"{LESSON}\n# %%\n{code}\n", "utf-8")
    return verdicts.code_digest(lesson)


def test_the_hash_is_the_same_in_every_python(tmp_path):
    source = tmp_path / "00_topic.py"
    source.write_text(
        "# %%\ndef f(x, *, y=1):\n    return f'{x:.{y}f} and {x!r:>4}' 'more' f\"{y['a']}\"\n\n"
        "class A:\n    b: int = 1\n\nz = [k for k in (1, 2.5, None) if k]\n",
        "utf-8",
    )
    assert verdicts.code_digest(source) == "48fe77c16420"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('print("accuracy", share)', 'print("share of right answers", share)'),
        ('axes.set(title="One")', 'axes.set(title="Two")'),
        (
            'x = guess.number("a.b", beliefs=[(0, 1, "No.")], what="one")',
            'x = guess.number("a.b", beliefs=[(0, 1, "Not quite.")], what="a")',
        ),
        (
            'said.meets(x, beliefs={"both": "No."})',
            'said.meets(x, beliefs={"both": "Look again."})',
        ),
        ('def g():\n    """One."""\n    return 1', 'def g():\n    """Another."""\n    return 1'),
    ],
)
def test_words_for_the_reader_leave_the_hash_as_it_is(lesson, before, after):
    assert with_cell(lesson, before) == with_cell(lesson, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('print(table["accuracy"])', 'print(table["AUC"])'),
        ('print(draw("a"))', 'print(draw("b"))'),
        (
            'x = guess.number("a.b", beliefs=read("one"))',
            'x = guess.number("a.b", beliefs=read("two"))',
        ),
        (
            'x = guess.number("a.b", beliefs=[(0, 1, "No.")])',
            'x = guess.number("a.b", beliefs=[(0, 2, "No.")])',
        ),
        ('axes.set(title="Top", label="one")', 'axes.set(title="Top", label="two")'),
        ('own(title="one")', 'own(title="two")'),
        ('def g(a="one"):\n    """One."""', 'def g(a="two"):\n    """One."""'),
        ('print("a" if mode == "x" else 1)', 'print("a" if mode == "y" else 1)'),
    ],
)
def test_what_is_computed_inside_words_counts(lesson, before, after):
    assert with_cell(lesson, before) != with_cell(lesson, after)


SHOWN = """
# %% tags=["picture"]
plots.slide_leak(shares[:2], name="x", at=-1)
"""


def test_a_cell_that_only_shows_leaves_the_hash_of_the_code_as_it_is(lesson, tmp_path):
    before = verdicts.code_digest(lesson)
    lesson.write_text(LESSON + SHOWN, "utf-8")
    assert verdicts.code_digest(lesson) == before
    assert verdicts.faults(tmp_path) == []
    change(lesson, 'tags=["picture"]', 'tags=["table"]')
    assert verdicts.code_digest(lesson) != before


@pytest.mark.parametrize(
    "code",
    [
        "share = plots.slide_leak(shares)",
        "plots.slide_leak(shares)\nshare = 1",
        "plots.slide_leak(np.random.random(3))",
        "plots.slide_leak(shares.pop())",
        "plots.slide_leak(share := 1)",
        "plots.slide_leak([share for share in shares])",
        "datasets.load(shares)",
        "plots.slide_leak(shares).frames",
        "print(shares)",
    ],
)
def test_a_cell_tagged_picture_that_does_more_is_named(lesson, tmp_path, code):
    lesson.write_text(LESSON + SHOWN.replace(SHOWN.splitlines()[2], code), "utf-8")
    line = LESSON.count("\n") + 2
    found = verdicts.faults(tmp_path)
    assert [
        f"notebooks/src/00_topic.py, line {line}: a cell tagged picture" in f for f in found
    ] == [True]
