"""Rules on what the student does: a good small lesson passes; each fault has its rule alone."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.common import ROOT, deeper, read_notebook
from tools.rules import lint_hands

IMPORTS = "from cxr_helpers import guess, plots, split"
ENTRY = """MY_{0} = None  # your prediction: a number
{0} = guess.number("04.{0}", MY_{0}, between=(0, 1), example=0.5)
{0}"""
MEETS = '{0}.meets(result, beliefs=[(0.4, 0.6, "You trusted it.")])'
OPENING = "# 04 · Small\n\n**Time and hardware.** 45 minutes for the core."


def cells(n=6):
    """A lesson of one step for each prediction, and a deeper one."""
    found = [new_markdown_cell(OPENING), new_code_cell(IMPORTS)]
    for k in range(n):
        name = "abcdefghij"[k]
        found += [
            new_markdown_cell(f"## Step {k + 1} · Do\n\n**Predict.** How much?"),
            new_code_cell(ENTRY.format(name)),
        ]
        found += [
            new_code_cell("result = 0.8"),
            new_code_cell(MEETS.format(name)),
            new_markdown_cell("**Explain.** So."),
        ]
    found += [new_markdown_cell("## Step 9 · More · deeper"), new_code_cell("extra = 1")]
    return [*found, new_markdown_cell("## Key points"), new_code_cell("guess.summary('04')")]


def path(folder, found, name="04_small.ipynb"):
    place = folder / name
    place.parent.mkdir(exist_ok=True)
    nbformat.write(new_notebook(cells=found), place)
    return place


def findings(place) -> dict[str, str]:
    notebook = read_notebook(place)
    return {rule.__name__: f.remedy for rule in lint_hands.RULES for f in rule(notebook, place)}


def test_a_good_lesson_passes(tmp_path):
    place = path(tmp_path, cells())
    assert findings(place) == {}


def test_a_notebook_without_predictions_is_told_by_the_course_alone(tmp_path):
    place = path(
        tmp_path, [new_markdown_cell("# 04 · Old\n\n**Predict.** What?"), new_code_cell("x = 1")]
    )
    assert findings(place) == {}
    assert not list(lint_hands.course([place]))
    other = path(tmp_path, cells(), "07_asks.ipynb")
    assert f"{place.name}: record what is predicted" in list(lint_hands.course([place, other]))


def replace(old, new, where=0):
    """A change of the cells: text in the cell number `where` of those that hold it."""

    def change(found):
        holding = [cell for cell in found if old in cell.source]
        holding[where].source = holding[where].source.replace(old, new)

    return change


def insert(text, kind=new_code_cell, before="guess.summary('04')"):
    def change(found):
        found.insert(
            next(k for k, cell in enumerate(found) if cell.source.startswith(before)), kind(text)
        )

    return change


def both(*changes):
    return lambda found: [change(found) for change in changes]


NAMES = "\n".join(f"split.name{k}()" for k in range(21))
BAD = [
    ("predictions", replace('"04.a"', '"05.a"'), 'key of its own: "04.name"'),
    ("predictions", replace('"04.a"', '"04.b"'), "key of its own"),
    ("predictions", replace('"04.a"', "KEY"), "key of its own"),
    ("predictions", replace("MY_a = None", "MY_a = 0.5"), "let the reader enter in the same cell"),
    ("predictions", replace("example=0.5)\na", "example=0.5)\na.answer"), "end the cell with it"),
    ("predictions", replace(", example=0.5", ""), "write the example out"),
    ("predictions", replace("a.meets(", "print("), "meet 04.a in a later cell"),
    ("predictions", replace("a.meets(", "result = 1\na.meets("), "stand alone"),
    ("predictions", replace("(0.4, 0.6", "(0.4, 1.6"), "nobody can hold the belief"),
    (
        "predictions",
        replace('[(0.4, 0.6, "You trusted it.")]', "BELIEFS"),
        "write out what a wrong prediction shows",
    ),
    (
        "predictions",
        replace('[(0.4, 0.6, "You trusted it.")]', "[]"),
        "write out what a wrong prediction shows",
    ),
    ("predictions", replace("between=(0, 1)", "between=RANGE"), "write between out"),
    ("prompts", replace("**Predict.** How much?", "How much?"), 'ask "**Predict.** ..."'),
    (
        "prompts",
        replace("**Explain.** So.", "**Explain.** So. **Predict.** And now?"),
        "record what is predicted",
    ),
    ("core", insert("word " * 2001, new_markdown_cell), "shorten the core to 2000 words"),
    ("core", insert("x = 1\n" * 450), "minutes, over 45"),
    ("core", replace("45 minutes", "60 minutes"), "the text says 60 minutes"),
    (
        "core",
        both(replace("45 minutes", "20 minutes"), insert("x = 1\n" * 300)),
        "20 minutes: the core takes about",
    ),
    ("core_alone", insert("print(extra)"), "'extra' of a deeper step"),
    (
        "core_alone",
        both(replace("extra = 1", "result = 5"), insert("print(result)")),
        "'result' of a deeper step",
    ),
    ("helper_names", insert(NAMES), "at most 20 helper names, not 21"),
]


@pytest.mark.parametrize(
    ("rule", "change", "says"), BAD, ids=[f"{k}-{rule}" for k, (rule, *_) in enumerate(BAD)]
)
def test_a_fault_is_found_by_its_rule_alone(tmp_path, rule, change, says):
    found = cells()
    change(found)
    said = findings(path(tmp_path, found))
    assert set(said) == {rule}
    assert says in said[rule]


def test_every_rule_has_a_fault():
    assert {rule for rule, *_ in BAD} == {rule.__name__ for rule in lint_hands.RULES}


GOOD = [
    insert("x = 1\n" * 450, before="## Key points"),  # in the deeper step
    insert("word " * 3000, new_markdown_cell, before="## Key points"),
    both(insert("extra = 2"), insert("print(extra)")),
    insert("def f(extra):\n    extra = 2\n    return extra"),
    insert("\n".join(f"plots.name{k}()" for k in range(30))),
    insert("%timeit 1\n!ls"),
    insert("%%bash\nls $HOME"),
]


@pytest.mark.parametrize("change", GOOD, ids=range(len(GOOD)))
def test_near_misses_pass(tmp_path, change):
    found = cells()
    change(found)
    assert findings(path(tmp_path, found)) == {}


def test_words_of_the_sources_do_not_count(tmp_path):
    found = cells()
    found += [new_markdown_cell("## Sources and licence"), new_markdown_cell("word " * 3000)]
    assert findings(path(tmp_path, found)) == {}


def test_a_case_asks_for_four_and_has_no_core(tmp_path):
    (tmp_path / "cases").mkdir()
    found = cells(4)
    for cell in found:
        cell.source = cell.source.replace('"04.', '"a.').replace("45 minutes", "90 minutes")
    assert findings(path(tmp_path / "cases", found, "a_case.ipynb")) == {}
    found = cells(5)
    for cell in found:
        cell.source = cell.source.replace('"04.', '"a.')
    said = findings(path(tmp_path / "cases", found, "a_case.ipynb"))
    assert said == {"predictions": "ask for 4 recorded predictions, not 5"}


def test_deeper_steps_end_at_the_next_heading_of_their_level():
    texts = [
        "## A",
        "### B · deeper",
        "text",
        "#### C",
        "### D",
        "## E · deeper",
        "### F",
        "text",
        "## G",
    ]
    found = new_notebook(cells=[new_markdown_cell(text) for text in texts])
    assert deeper(found) == {1, 2, 3, 5, 6, 7}


def lessons(tmp_path, **codes):
    """Two converted lessons with further code; `lesson04="..."` is put before the key points."""
    places = []
    for number in ("04", "07"):
        found = cells()
        for cell in found:
            cell.source = cell.source.replace('"04.', f'"{number}.')
        insert(codes.get(f"lesson{number}", "x = 1"))(found)
        places.append(path(tmp_path, found, f"{number}_small.ipynb"))
    return list(lint_hands.course(places))


def test_a_plain_call_comes_before_its_helper_and_no_later_than_its_lesson(tmp_path):
    plain = (
        "from sklearn.model_selection import "
        "*\ntrain_test_split(x)\nStratifiedGroupKFold()\ncross_val_score(y)"
    )
    seven = "classification_report(y)\nConfusionMatrixDisplay(y)\nRocCurveDisplay(y)"
    assert lessons(tmp_path, lesson04=f"{plain}\nsplit.holdout(x)", lesson07=seven) == lessons(
        tmp_path, lesson04=plain, lesson07=f"{seven}\nsplit.holdout(x)"
    )
    late = lessons(tmp_path, lesson04="split.holdout(x)", lesson07=f"{plain}\n{seven}")
    assert any(
        "split.holdout stands in lesson 04, cell" in line and "before train_test_split" in line
        for line in late
    )
    assert "train_test_split is to be met by lesson 04, in plain code" in late
    assert not any("GridSearchCV" in line for line in late), "lesson 08 is not there yet"


def test_the_lessons_together_use_at_most_sixty_names(tmp_path):
    four = "\n".join(f"split.four{k}()" for k in range(20))
    assert not any("helper names" in line for line in lessons(tmp_path, lesson04=four))
    seven = "\n".join(f"split.seven{k}()" for k in range(41))
    assert any(
        "use 61 helper names, over 60" in line
        for line in lessons(tmp_path, lesson04=four, lesson07=seven)
    )


def test_calls_are_code_not_words_and_guess_summary_is_no_model_summary():
    found = new_notebook(
        cells=[new_code_cell('guess.summary()\n"train_test_split"  # load_model(')]
    )
    assert lint_hands.calls(found) == {}
    found = new_notebook(
        cells=[new_code_cell("model.summary()\nkeras.applications.EfficientNetB0()")]
    )
    assert set(lint_hands.calls(found)) == {"summary", "applications"}


def test_lesson_04_is_the_pattern():
    notebook = read_notebook(ROOT / "notebooks" / "04_splitting.ipynb")
    assert lint_hands.converted(notebook)
    assert lint_hands.core_counts(notebook)["words"] <= lint_hands.CORE_WORDS
    assert {"train_test_split", "StratifiedGroupKFold", "cross_val_score"} <= set(
        lint_hands.calls(notebook)
    )
