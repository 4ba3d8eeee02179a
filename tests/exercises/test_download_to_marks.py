"""The lines of the instructors' page, as they stand: from a zip of five students to marks."""

import csv
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from tests.exercises import sample
from tools.build import exercises
from tools.common import ROOT
from tools.marking import course as tool

NAME = "04_splitting_exercise"
PAGE = (ROOT / "exercises" / "README.md").read_text(encoding="utf-8")
LINES = re.search(r"test_download_to_marks\.py runs.*?```\n(.*?)```", PAGE, re.DOTALL)[
    1
].splitlines()
ROSTER = """First name,Last name,ID number,Email address
Anna,Müller,1,anna@uni.example
Jürgen,van der Straße,2,juergen@uni.example
Zoë,O'Brien,3,zoe@uni.example
Łukasz,Żak,4,lukasz@uni.example
Åsa,Öst Berg,5,asa@uni.example
Nils,Nowhere,6,nils@uni.example
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("make"), reason="needs make")]


def run(line: str, home: Path) -> str:
    """Run a line of the page with this environment, and with another home folder."""
    here = [f"BIN={Path(sys.executable).parent}", "READY="]
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))} | {
        "HOME": str(home)
    }
    command = [*line.split(), *here]
    said = subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def mark_by_hand(course: Path, scores: dict[str, float]) -> None:
    """Give scores for the written answer, as formgrader writes them."""
    with Gradebook(exercises.configuration(course).CourseDirectory.db_url) as book:
        for student, score in scores.items():
            grade = book.find_grade("limits", NAME, NAME, student)
            grade.manual_score, grade.needs_manual_grade = score, False
        book.db.commit()


def test_five_students_with_spaces_and_umlauts_in_at_most_ten_lines(tmp_path, capsys):
    (source,) = exercises.sources(names=[NAME])
    perfect, wrong = (
        sample.changed(source, lambda notebook: None),
        sample.misconceptions(source)["misled_0"].text,
    )
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(f"Übung/{NAME}.ipynb", perfect)
    (tmp_path / "Downloads").mkdir()
    with zipfile.ZipFile(
        tmp_path / "Downloads" / "submissions.zip", "w", zipfile.ZIP_DEFLATED
    ) as archive:
        archive.writestr(f"Anna Müller_101_assignsubmission_file/{NAME}.ipynb", perfect)
        archive.writestr(
            "Jürgen van der Straße_102_assignsubmission_file_/meine Lösung (1).ipynb", wrong
        )
        archive.writestr(f"Zoë OBrien_103_assignsubmission_file/{NAME}.ipynb", wrong)
        archive.writestr(f"Łukasz Żak_104_assignsubmission_file/{NAME}.ipynb", sample.empty(source))
        archive.writestr("Åsa Öst Berg_105_assignsubmission_file/all.zip", inner.read_bytes())
    (tmp_path / "Downloads" / "roster.csv").write_text(ROSTER, encoding="utf-8")
    assert len(LINES) <= 10
    said = {line.split()[1]: run(line, tmp_path) for line in LINES}
    course = tmp_path / "cxr-course"
    assert "5 new, 0 replaced, 0 unchanged" in said["collect"]
    assert "5 marked, 0 unchanged" in said["grade"]
    assert "| make_split | 2 of 5 | shuffle only | 2 |" in said["summary"]
    assert len(list((course / "feedback").glob(f"*/{NAME}/*.html"))) == 5
    assert f"{NAME}-moodle.zip: 5 pages; upload it" in said["feedback"]
    rows = list(csv.reader((course / "grades-moodle.csv").open(encoding="utf-8")))
    assert rows[0] == ["First name", "Last name", "ID number", "Email address", NAME]
    assert [row[:4] for row in rows[1:]] == [line.split(",") for line in ROSTER.splitlines()[1:]]
    assert [row[4] for row in rows[1:]] == ["7.0", "0.0", "0.0", "0.0", "7.0", ""]
    nothing = said["grades"].split("handed in nothing:\n")[1]
    assert nothing == f"  Nils, Nowhere, 6, nils@uni.example: {NAME}\n"
    assert "NOT IN IT" not in said["grades"]
    assert said["grades"].count("waits for marking by hand") == 4
    mark_by_hand(course, {"Anna Müller": 1, "Åsa Öst Berg": 2})  # both handed in the same
    # Somebody whom the roster does not know gets no mark there until the folder bears a name that
    # it knows.
    unknown, mended = (course / "submitted" / name for name in ("Åsa Öst Berg", "asa@uni.example"))
    roster = tmp_path / "Downloads" / "roster.csv"
    roster.write_text(ROSTER.replace("Öst Berg", "Öst-Berg Lund"), encoding="utf-8")
    grade = ["grade", NAME, "--course", str(course)]
    grades = ["grades", "--course", str(course), "--roster", str(roster)]
    assert tool.main(grades) == 0
    not_there = f"NOT IN IT, for the roster does not tell whose:\n  {unknown.name} ({NAME}, 9.0)"
    assert not_there in capsys.readouterr().out
    assert (course / "grades-moodle.csv").read_text(encoding="utf-8").count("9.0") == 0
    unknown.rename(mended)
    (course / "submitted" / "Anna Müller").rename(course / "submitted" / "anna@uni.example")
    assert tool.main(grade) == tool.main(grades) == 0
    said_last = capsys.readouterr().out
    assert "0 marked, 5 unchanged" in said_last
    assert "NOT IN IT" not in said_last
    table = (course / "grades-moodle.csv").read_text(encoding="utf-8")
    assert "asa@uni.example,9.0" in table
    assert "anna@uni.example,8.0" in table
    # the same download, late: it finds the renamed folders
    again = ["collect", NAME, "--course", str(course), "--from"]
    assert tool.main([*again, str(tmp_path / "Downloads" / "submissions.zip")]) == 0
    assert "0 new, 0 replaced, 5 unchanged" in capsys.readouterr().out
    assert len(list(csv.reader((course / "grades.csv").open(encoding="utf-8")))) == 6
