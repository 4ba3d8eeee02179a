"""The concept test: each question whole, each number recomputed, and the report on a class."""

import re
from collections import Counter
from math import comb, sqrt
from statistics import mean

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, t

from cxr_helpers import calibrate, measured, stats
from tools.build.instructors import pages
from tools.common import ROOT, pairs
from tools.marking import concepts

QUESTIONS = concepts.key()
TEST = (pages(ROOT) / "concept-test.md").read_text(encoding="utf-8")
KEY = (pages(ROOT) / "concept-test-key.md").read_text(encoding="utf-8")


def parts(page: str) -> dict[int, str]:
    """A page's text by the number of the question, its lines joined."""
    found = re.split(r"^## (\d+)\b.*$", page, flags=re.MULTILINE)[1:]
    return {
        int(number): " ".join(text.split())
        for number, text in zip(found[::2], found[1::2], strict=True)
    }


def answers(number: int) -> dict[str, str]:
    """The answers of a question, by letter."""
    return dict(re.findall(r"- \*\*([a-d])\*\* (.+?)(?= - \*\*|$)", parts(TEST)[number]))


# --- the pages ------------------------------------------------------------------------------------


def test_each_question_has_four_answers_and_each_wrong_one_its_own_misconception():
    assert [question.number for question in QUESTIONS] == list(parts(TEST)) == list(range(1, 16))
    names = []
    for question in QUESTIONS:
        assert list(answers(question.number)) == list(concepts.LETTERS)
        assert sorted([question.right, *question.reveals]) == list(concepts.LETTERS), question
        names += question.reveals.values()
    assert len(set(names)) == len(names) == 45


def test_neither_letter_nor_length_gives_the_right_answer_away():
    counts = Counter(question.right for question in QUESTIONS)
    assert sorted(counts.values()) == [3, 4, 4, 4]
    places = []
    for question in QUESTIONS:
        lengths = {letter: len(text) for letter, text in answers(question.number).items()}
        assert max(lengths.values()) <= 1.5 * min(lengths.values()), (question.number, lengths)
        places.append(sorted(lengths, key=lengths.get).index(question.right))
    # By chance each place would be taken by 3 or 4.
    assert max(Counter(places).values()) <= 6, Counter(places)


def test_each_cited_step_stands_in_its_lesson():
    lessons = {
        p.notebook.name: p.source.read_text(encoding="utf-8")
        for p in pairs()
        if p.source.parent.name == "src"
    }
    for number, text in parts(KEY).items():
        cited = re.findall(
            r"\[[Ll]esson (\d\d)\]\(\.\./\.\./notebooks/(\S+?)\), step (\d+): ([^.?]+\??[^.]*)\.",
            text,
        )
        assert cited, f"question {number} names no step"
        assert len(cited) == len(re.findall(r"\[[Ll]esson ", text)), (
            f"question {number}: unreadable"
        )
        for lesson, name, step, title in cited:
            assert name.startswith(lesson)
            assert re.search(
                rf"^# ## Step {step} · {re.escape(title)}( · deeper)?$", lessons[name], re.MULTILINE
            ), title


# --- the numbers ----------------------------------------------------------------------------------


def wilson(right: int, n: int) -> str:
    low, high = stats.wilson(right, n)
    return f"{low:.2f} to {high:.2f}"


def ppv(prevalence: float) -> float:
    return float(calibrate.predictive_values(0.9, 0.9, prevalence)["ppv"].iloc[0])


def by_patient() -> str:
    patient = np.repeat(np.arange(20), 10)
    found = stats.proportion(patient < 18, patient)
    assert found.value == 0.9
    return f"{found.low:.2f} to {found.high:.2f}"


def best_of_twenty() -> float:
    at_most = binom.cdf(np.arange(67), 66, 1 / 3) ** 20
    return float((1 - at_most[:-1]).sum() / 66)


HOME, AWAY = measured.read("external").set_index("where").to_dict("index").values()
# number of the question: what its right answer (or a wrong one) says, what its text says, what the
# key says
COMPUTED = {
    1: ({}, [], [f"is {1 - comb(199, 3) / comb(999, 3):.2f}."]),
    3: (
        {"a": f"About {wilson(180, 200)}", "b": f"About {wilson(18, 20)}"},
        [f"its accuracy is {180 / 200:.2f}"],
        [wilson(18, 20), by_patient(), wilson(180, 200)],
    ),
    4: (
        {"d": f"About {ppv(0.01):.2f}"},
        [f"positive {ppv(0.5):.2f} had it"],
        [f"{90 + 0.1 * 9_900:,.0f} is {ppv(0.01):.3f}"],
    ),
    5: (
        {
            "a": f"{80 / 100:.2f}",
            "b": f"{80 / (80 + 90):.2f}",
            "c": f"{(80 + 810) / 1000:.2f}",
            "d": f"{810 / 900:.2f}",
        },
        [],
        [],
    ),
    7: ({}, [], [f"{120 / 200:.2f} comes true (120 of 200, interval {wilson(120, 200)})"]),
    10: ({}, [f"{950 / 1000:.2f} (95 % interval {wilson(950, 1000)})"], []),
    14: (
        {
            "c": f"of about {(HOME['accuracy'] + AWAY['accuracy']) / 2:.2f}",
            "d": f"{AWAY['always_covid']:.2f}.",
        },
        [
            f"accuracy of {HOME['accuracy']:.2f} ({HOME['n']} images)",
            f"{AWAY['accuracy'] * AWAY['n']:.0f} of {AWAY['n']} images: {AWAY['accuracy']:.2f} "
            f"(95 % interval {AWAY['accuracy_low']:.2f} to {AWAY['accuracy_high']:.2f})",
            f"{AWAY['covid']} show COVID-19",
        ],
        [f"{AWAY['covid']} of {AWAY['n']} is {AWAY['always_covid']:.2f}"],
    ),
    15: (
        {"a": f"about {best_of_twenty():.2f}"},
        [f"accuracy {29 / 66:.2f}"],
        [f"images at {best_of_twenty():.2f}"],
    ),
}


@pytest.mark.parametrize("number", COMPUTED)
def test_numbers_are_those_computed(number):
    in_answers, in_text, in_key = COMPUTED[number]
    scenario = parts(TEST)[number].split(" - **a**")[0]
    for letter, said in in_answers.items():
        assert said in answers(number)[letter], (letter, said)
    for said in in_text:
        assert said in scenario, said
    for said in in_key:
        assert said in parts(KEY)[number], said


def test_what_so_many_students_can_show_is_what_a_simulation_gives():
    rng = np.random.default_rng(0)
    rows = re.findall(
        r"^\| (\d+) \| ±([\d.]+) \| (\d+) \| ±([\d.]+) questions \|$", KEY, re.MULTILINE
    )
    assert [int(row[0]) for row in rows] == [10, 20, 30]
    held = {}
    for students, half, found, whole in rows:
        n = int(students)
        gains = [concepts.gain(rng.random(n) < 0.4, rng.random(n) < 0.7) for _ in range(600)]
        assert mean((gain.high - gain.low) / 2 for gain in gains) == pytest.approx(
            float(half), abs=0.015
        )
        # 600 classes: three standard errors are 6 of 100.
        assert 100 * mean(gain.low > 0 for gain in gains) == pytest.approx(int(found), abs=6)
        held[n] = 100 * mean(gain.low <= 0.3 <= gain.high for gain in gains)
        chance = t.ppf(0.975, n - 1) * sqrt(15 * (0.5 * 0.5 + 0.65 * 0.35) / n)
        assert f"{chance:.1f}" == whole
    assert held[10] == pytest.approx(
        int(re.search(r"in about (\d+) of 100 classes, not", KEY)[1]), abs=3
    )
    assert min(held[20], held[30]) > 92
    assert f"({1 - 0.95**15:.0%}, were".replace("%", " %") in KEY


# --- the report on a class ------------------------------------------------------------------------


def sheet(path, rows: dict[str, str], sep: str = ",") -> str:
    """Write a file of sheets: code → fifteen letters, "-" for none."""
    table = pd.DataFrame({code: [a.replace("-", "") for a in row] for code, row in rows.items()}).T
    table.columns = [str(number) for number in range(1, 16)]
    table.to_csv(path, index_label="code", sep=sep, encoding="utf-8-sig")
    return str(path)


RIGHT = "".join(question.right for question in QUESTIONS)


def test_a_report_pairs_students_and_names_the_misconception(tmp_path, capsys):
    first = sheet(
        tmp_path / "first.csv",
        {"K7": "a" + RIGHT[1:], "m2": "-" * 15, "q9": "-" * 15, "gone": RIGHT},
    )
    last = sheet(
        tmp_path / "last.csv", {" k7 ": RIGHT, "Q9": "b" + RIGHT[1:], "m2": "B" + "-" * 14}, sep=";"
    )
    assert concepts.main([first, last]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 students wrote both sheets; 1 the first only, 0 the last only."
    assert re.match(
        r" 1 Leak by patient +0\.00 → 0\.33, gain \+0\.33 \(-\S+ to \+\S+\); b \(2 of 3\): Random",
        lines[1],
    )
    assert "0.33 → 0.67" in lines[2]
    assert "; " not in lines[2]  # no wrong answer is left
    assert lines[-1].startswith("All 15: +5.0 questions (")  # 1, 0 and 14 more


def test_one_file_says_where_the_class_stands(tmp_path, capsys):
    assert concepts.main([sheet(tmp_path / "first.csv", {"a1": RIGHT, "b2": "d" + RIGHT[1:]})]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 15
    assert "0.500 (" in lines[0]
    assert "gain" not in lines[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"a1": "e" + RIGHT[1:]}, "'e' of a1, question 1"),
        ({"a1": RIGHT, "A1": RIGHT}, "'a1'"),
        ({"": RIGHT, "b": RIGHT}, "''"),
        ({"a1": RIGHT, "b2": RIGHT}, "2 codes stand in both files"),
    ],
)
def test_what_cannot_be_evaluated_is_named(tmp_path, capsys, rows, said):
    path = sheet(tmp_path / "class.csv", rows)
    assert concepts.main([path, path]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_sheets_that_a_spreadsheet_has_saved(encoding, end, tmp_path, capsys):
    path = tmp_path / "class.csv"
    text = (tmp_path / sheet(path, {"Müller": RIGHT, "": "-" * 15}, ";")).read_text("utf-8-sig")
    path.write_bytes(text.replace("\n", end).encode(encoding))
    assert concepts.main([str(path)]) == 0
    assert "n = 1)" in capsys.readouterr().out


def test_a_missing_column_or_file_is_named(tmp_path, capsys):
    path = tmp_path / "class.csv"
    assert concepts.main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err
    path.write_text("code,1,2\nk7,a,b\n", encoding="utf-8")
    assert concepts.main([str(path)]) == 2
    assert "add the columns 3, 4" in capsys.readouterr().err
    for text, said in [
        ("", "add the columns code, 1"),
        (f"code,{','.join(map(str, range(1, 16)))}\n", "no sheet stands below"),
        (f"code,{','.join(map(str, range(1, 16)))},15\nk7\n", "two columns are called 15"),
    ]:
        path.write_text(text, encoding="utf-8")
        assert concepts.main([str(path)]) == 2
        assert said in capsys.readouterr().err
