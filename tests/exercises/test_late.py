"""Late days: free ones are spent by deadline, further ones cost, and who lost what is listed."""

import csv
import io

import pytest

from tools.common import ToolError
from tools.marking import course as tool
from tools.marking import late

FIRST, SECOND = "04_splitting_exercise", "05_first_network_exercise"
SETTING = f"""days = 2
penalty = 0.25
latest = 5

[deadlines]
{SECOND} = 2026-12-07T12:00:00+01:00
{FIRST} = 2026-11-30T12:00:00+01:00
"""


def row(student, assignment, score="8.0", notes=""):
    values = [student, assignment, score, "10.0", "no", "marked", notes]
    return dict(zip(tool.COLUMNS, values, strict=True))


@pytest.fixture
def course(tmp_path):
    (tmp_path / "late.toml").write_text(SETTING, encoding="utf-8")
    return tmp_path


def hand_in(course, student, assignment, time):
    folder = course / "submitted" / student / assignment
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text(f"{time} UTC\n", encoding="utf-8")


def settled(course, *rows):
    return late.settle(rows, course, late.read(course))


def test_without_a_setting_nothing_is_late(tmp_path):
    assert late.read(tmp_path) is None


@pytest.mark.parametrize(
    ("time", "score", "days"),
    [
        ("2026-11-30 11:00:00", "8.0", None),  # to the second: in time
        ("2026-11-30 11:00:01", "8", "1"),  # a begun day is a day, and free
        ("2026-12-02 11:00:00", "8", "2"),
        ("2026-12-02 11:00:01", "6", "3"),  # two free, one costs a quarter
        ("2026-12-05 11:00:00", "2", "5"),
        ("2026-12-05 11:00:01", "0", "6"),  # after the latest day
    ],
)
def test_a_submission_loses_by_the_day(course, time, score, days):
    hand_in(course, "ann", FIRST, time)
    result = settled(course, row("ann", FIRST))
    assert result.rows[0]["score"] == score
    assert [one["days"] for one in result.listed] == ([days] if days else [])


def test_free_days_are_spent_in_the_order_of_the_deadlines_and_by_each_student(course):
    hand_in(course, "ann", FIRST, "2026-12-01 12:00:00")  # two days
    hand_in(course, "ann", SECOND, "2026-12-08 10:00:00")  # one day, none left
    hand_in(course, "bob", SECOND, "2026-12-08 10:00:00")
    rows = [row("ann", SECOND), row("ann", FIRST, notes="mended"), row("bob", SECOND)]
    result = settled(course, *rows)
    assert [one["score"] for one in result.rows] == ["6", "8", "8"]
    assert result.rows[1]["notes"] == "mended; 2 days late, 2 of them free: 8.0 became 8"
    assert result.rows[0]["notes"] == "1 day late, 0 of them free: 8.0 became 6"
    assert result.left == {"ann": 0, "bob": 1}
    listed = list(csv.DictReader(io.StringIO(result.text())))
    assert [(one["student"], one["assignment"], one["free"]) for one in listed] == [
        ("ann", FIRST, "2"),
        ("ann", SECOND, "0"),
        ("bob", SECOND, "1"),
    ]


def test_an_unknown_time_costs_nothing_and_is_listed_until_the_instructor_writes_it(course):
    assert settled(course, row("ann", FIRST)).unknown == [f"ann, {FIRST}"]
    with (course / "late.toml").open("a", encoding="utf-8") as file:
        file.write(f"[handed_in.{FIRST}]\nann = 2026-12-03T12:00:00+01:00\n")
    result = settled(course, row("ann", FIRST))
    assert (result.unknown, result.rows[0]["score"]) == ([], "6")


def test_what_has_no_mark_or_no_deadline_is_left_alone(course):
    hand_in(course, "ann", FIRST, "2027-01-01 00:00:00")
    rows = [row("ann", FIRST, score=""), row("ann", "06_cnn_building_exercise"), row("bob", "")]
    result = settled(course, *rows)
    assert result.rows == rows
    assert not result.listed


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("days = -1", "days must be a number"),
        ("days = 1.5", "whole number"),
        ("penalty = 3", "share from 0 to 1"),
        ("penalties = 1", "penalties means nothing"),
        ("[deadlines]\na = 2026-11-30", "with its offset"),
        ("[deadlines]\na = 2026-11-30T12:00:00", "with its offset"),
        ("days =", "late.toml"),
        ("deadlines = 5", r"deadlines must be a table of its own: \[deadlines\]"),
        ("handed_in = []", "handed_in must be a table"),
        ("[handed_in]\nann = 2026-11-30T12:00:00+01:00", r"handed_in\.ann must be a table"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(tmp_path, setting, said):
    (tmp_path / "late.toml").write_text(setting, encoding="utf-8")
    with pytest.raises(ToolError, match=said):
        late.read(tmp_path)


def test_a_name_in_the_setting_that_fits_nothing_is_listed(course):
    hand_in(course, "ann", FIRST, "2026-11-30 10:00:00")
    with (course / "late.toml").open("a", encoding="utf-8") as file:
        file.write(f"[handed_in.{FIRST}]\nanne = 2026-12-03T12:00:00+01:00\n")
    other = row("ann", "06_cnn_building_exercise")
    result = settled(course, row("ann", FIRST), other, row("bob", ""))
    assert result.strange == [f"anne, {FIRST}"]
    assert result.without == ["06_cnn_building_exercise"]


def test_a_setting_that_an_editor_of_windows_has_saved(course):
    course.joinpath("late.toml").write_text(SETTING, encoding="utf-8-sig")
    assert late.read(course).days == 2


def test_the_table_of_marks_and_that_of_the_roster_hold_the_lower_score(
    course, monkeypatch, capsys
):
    hand_in(course, "ann@x.org", FIRST, "2026-12-02 12:00:00")
    out = io.StringIO()
    table = csv.DictWriter(out, tool.COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerow(row("ann@x.org", FIRST))
    monkeypatch.setattr(tool, "grades", lambda _: out.getvalue())
    roster = course / "roster.csv"
    roster.write_text("First name,Last name,Email address\nAnn,A,ann@x.org\n", encoding="utf-8")
    tool.write_grades(course, roster, "moodle")
    assert f"ann@x.org,{FIRST},6,10.0" in (course / "grades.csv").read_text(encoding="utf-8")
    assert "Ann,A,ann@x.org,6" in (course / "grades-moodle.csv").read_text(encoding="utf-8")
    assert "ann@x.org: 0" in capsys.readouterr().out
    assert (course / "late.csv").read_text(encoding="utf-8").count("\n") == 2
    tool.write_grades(course, None, "moodle")  # again: the penalty is not taken twice
    assert f"ann@x.org,{FIRST},6,10.0" in (course / "grades.csv").read_text(encoding="utf-8")
