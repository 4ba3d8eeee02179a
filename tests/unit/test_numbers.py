"""Numbers in prose: which are read, what backs them, and that a changed digit is reported."""

import shutil

import pytest

from tools.common import ROOT
from tools.rules import numbers

READ = ("README.md", "data/README.md", "docs", "notebooks")


def texts(text: str) -> list[str]:
    return [number.text for number in numbers.numbers(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Step 12 of lesson 04, lessons 05 and 11, Steps 7 and 13 (12) and case 3",
        "Wang et al. 2017, doi 10.1109/CVPR.2017.369, arXiv:1312.4400, on 2026-11-28",
        "`n = 400`, [here](notebooks/12_x.ipynb), COVID-19, SHA-256, Python 3.11, CC BY 4.0",
        "1. the first\n2. the second\n\n<!-- generated: x -->\n\n0.77\n\n<!-- end of x -->",
        "of three images, 2 are right",
    ],
)
def test_dates_citations_references_and_code_are_no_statements(text):
    assert texts(text) == []


def test_numbers_are_read_as_they_are_written():
    text = "an AUC of 0.545 (0.35-0.73), 9 of 26, 35 %, 1,125 images in 2.5 s"
    assert texts(text) == ["0.545", "0.35", "0.73", "9", "26", "35", "1,125", "2.5"]


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ("0.86", 0.8594, True),
        ("0.86", 0.8544, False),
        ("0.860", 0.86, True),
        ("86 %", 0.8594, True),
        ("86 images", 0.86, False),
        ("about 400 patients", 405, True),
        ("400 patients", 405, False),
        ("0.50", 0.5, True),
    ],
)
def test_a_number_is_compared_as_it_was_rounded(text, value, fits):
    (number,) = numbers.numbers(text)
    assert numbers.rounds_to(number, [value]) is fits


def test_every_number_of_the_repository_has_something_behind_it(capsys):
    assert numbers.main([]) == 0, capsys.readouterr().err


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of what is read."""
    root = tmp_path_factory.mktemp("copy")
    for name in READ:
        target = root / name
        target.parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target)
        else:
            shutil.copy(ROOT / name, target)
    return root


PLANTED = [
    ("README.md", "600 radiographs", "601 radiographs"),
    ("data/README.md", "317 radiographs", "318 radiographs"),
    ("docs/results.md", "accuracy 0.57", "accuracy 0.59"),
    ("docs/glossary.md", "about 80 %", "about 81 %"),
    ("notebooks/src/02_exploration.py", "0.68 (0.63 to", "0.69 (0.63 to"),
    ("notebooks/src/12_uncertainty.py", "0.545 here", "0.546 here"),
    ("notebooks/src/cases/b_kaggle_folders.py", "radiograph | 88 %", "radiograph | 87 %"),
    ("notebooks/12_uncertainty.ipynb", "0.545 here", "0.548 here"),
    ("notebooks/cases/d_small_model.ipynb", "take 0.43 GB", "take 0.34 GB"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "true", "false"), PLANTED)
def test_a_planted_wrong_number_is_reported_with_its_place(copied, capsys, name, true, false):
    path = copied / name
    before = path.read_text("utf-8")
    assert before.count(true) == 1
    path.write_text(before.replace(true, false), "utf-8")
    try:
        assert numbers.main([], copied) == 1
        reported = capsys.readouterr().err
    finally:
        path.write_text(before, "utf-8")
    wrong = next(word for word in false.split() if word[0].isdigit() and word not in true.split())
    line = next(line for line in reported.splitlines() if wrong.rstrip(",") in line)
    if path.suffix == ".ipynb":
        assert line.startswith(f"{name}, cell ")
    else:
        where = before[: before.index(true)].count("\n") + 1
        assert line.startswith(f"{name}:{where}: ")


def test_most_changed_digits_are_noticed(capsys):
    numbers.main(["--plant", "1"])
    caught, total = map(int, capsys.readouterr().out.split("together ")[1].split(" of "))
    assert caught / total > 0.85


def test_known_words_that_no_longer_stand_are_reported(monkeypatch, capsys):
    monkeypatch.setitem(numbers.known_numbers.GIVEN["01_data_import"], "never written 5 %", "none")
    assert numbers.main([]) == 1
    assert "no longer in 01_data_import: “never written 5 %”" in capsys.readouterr().err
