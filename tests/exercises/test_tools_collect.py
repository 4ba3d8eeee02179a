"""Downloads of Moodle, Canvas and others: whose is which file, what is refused, a second one.

The second download of the same exercise, that is.
"""

import csv
import io
import json
import re
import shutil
import sys
import unicodedata
import zipfile

import pytest

from cxr_helpers import checks
from tools.build import exercises
from tools.common import ToolError
from tools.marking import collect, course, gradebook
from tools.marking.submission import Record, record_path

NAME = "04_splitting_exercise"
MOODLE = {
    "Anna Müller_4711_assignsubmission_file/04_splitting_exercise.ipynb": b"anna",
    # up to Moodle 4.0
    "Jürgen van der Straße_4712_assignsubmission_file_/meine Lösung (1).ipynb": b"juergen",
    "Zoë OBrien_4713_assignsubmission_file/part/04_splitting_exercise.ipynb": b"zoe",
    "Zoë OBrien_4713_assignsubmission_onlinetext/onlinetext.html": b"see the file",
    # without folders
    "Łukasz Żak_4714_assignsubmission_file_04_splitting_exercise.ipynb": b"lukasz",
    "Default group_assignsubmission_file/04_splitting_exercise.ipynb": b"group",
}
CANVAS = {
    "mülleranna_4711_90001_04_splitting_exercise-1.ipynb": b"anna",
    "vanderstraßejürgen_LATE_4712_90002_meine Lösung.ipynb": b"juergen",
    "obrienzoë_4713_text.html": b"typed",
    "LATE_anon_x7Yq2_90003_04_splitting_exercise.ipynb": b"anonymous",
}


def packed(path, files: dict[str, bytes], *, marked: bool = True):
    """Write a zip; with `marked` false its names are UTF-8 and do not say so.

    So macOS and Canvas write them.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    if not marked:
        content = bytearray(path.read_bytes())
        # of a file, and of its line in the archive's list
        for head, flags in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
            for match in re.finditer(re.escape(head), bytes(content)):
                content[match.start() + flags] &= ~0x08
        path.write_bytes(content)
    return path


@pytest.fixture
def place(tmp_path):
    """A course in which the exercise was released."""
    (tmp_path / "course" / "release" / NAME).mkdir(parents=True)
    (source,) = exercises.sources(names=[NAME])
    shutil.copy(exercises.student_version(source), tmp_path / "course" / "release" / NAME)
    return tmp_path / "course"


def submitted(place) -> dict[str, dict[str, bytes]]:
    """What stands in the folder of submissions: {student: {file: content}}."""
    folders = (place / "submitted").glob(f"*/{NAME}")
    return {
        path.parent.name: {
            file.name: file.read_bytes() for file in path.iterdir() if file.name != collect.WHOSE
        }
        for path in folders
    }


def test_moodle(place, tmp_path):
    report = collect.collect(place, NAME, packed(tmp_path / "Kurs 1-Übung 4-99.zip", MOODLE))
    assert submitted(place) == {
        "Anna Müller": {"04_splitting_exercise.ipynb": b"anna"},
        "Jürgen van der Straße": {"meine Lösung (1).ipynb": b"juergen"},
        "Zoë OBrien": {"04_splitting_exercise.ipynb": b"zoe", "onlinetext.html": b"see the file"},
        "Łukasz Żak": {"04_splitting_exercise.ipynb": b"lukasz"},
        "Default group": {"04_splitting_exercise.ipynb": b"group"},
    }
    assert report.new == sorted(report.new)
    assert len(report.new) == 5
    assert report.notes == []
    assert {path.name for path in place.iterdir()} == {"release", "submitted"}, (
        "nothing is left behind"
    )


def test_canvas(place, tmp_path):
    report = collect.collect(place, NAME, packed(tmp_path / "submissions.zip", CANVAS))
    assert submitted(place) == {
        "mülleranna_4711": {"04_splitting_exercise-1.ipynb": b"anna"},
        "vanderstraßejürgen_4712": {"meine Lösung.ipynb": b"juergen"},
        "obrienzoë_4713": {"text.html": b"typed"},
        "anon_x7Yq2": {"04_splitting_exercise.ipynb": b"anonymous"},
    }
    assert report.late == ["anon_x7Yq2", "vanderstraßejürgen_4712"]
    assert report.notes == ["obrienzoë_4713: no notebooks: text.html"]


@pytest.mark.parametrize(
    "files",
    [
        {"Anna Müller/04_splitting_exercise.ipynb": b"a", "s1234567@uni.example/x.ipynb": b"b"},
        {"Anna Müller.ipynb": b"a", "s1234567@uni.example.ipynb": b"b"},
        {"Anna Müller/x_12_34_y.ipynb": b"a", "s1234567@uni.example/LATE_1_2_x.ipynb": b"b"},
        {
            "hand-ins/Anna Müller/04_splitting_exercise.ipynb": b"a",
            "hand-ins/s1234567@uni.example/x.ipynb": b"b",
        },
        {
            "Anna Müller_04_splitting_exercise.ipynb": b"a",
            "04_splitting_exercise-s1234567@uni.example.ipynb": b"b",
        },
        {
            "a/b/Anna Müller.ipynb": b"a",
            "a/b/s1234567@uni.example.ipynb": b"b",
            "__MACOSX/._b": b"",
            ".DS_Store": b"",
        },
    ],
)
def test_a_folder_or_a_file_for_each_student(files, place, tmp_path):
    collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
    assert {name: [*files.values()] for name, files in submitted(place).items()} == {
        "Anna Müller": [b"a"],
        "s1234567@uni.example": [b"b"],
    }


def test_one_student_alone_is_not_taken_for_a_folder_around_everything(place, tmp_path):
    collect.collect(
        place,
        NAME,
        packed(tmp_path / "x.zip", {"Anna Müller/04_splitting_exercise (2).ipynb": b"a"}),
    )
    assert [*submitted(place)] == ["Anna Müller"]


@pytest.mark.parametrize("files", [MOODLE, CANVAS])
def test_umlauts_of_macos_and_canvas_and_a_folder_that_the_browser_has_unpacked(
    files, place, tmp_path
):
    collect.collect(place, NAME, packed(tmp_path / "marked.zip", files))
    expected = submitted(place)
    shutil.rmtree(place / "submitted")
    apart = {unicodedata.normalize("NFD", name): content for name, content in files.items()}
    collect.collect(place, NAME, packed(tmp_path / "plain.zip", apart, marked=False))
    assert submitted(place) == expected
    shutil.rmtree(place / "submitted")
    with zipfile.ZipFile(tmp_path / "marked.zip") as archive:
        archive.extractall(tmp_path / "unpacked" / "Kurs 1")
    collect.collect(place, NAME, tmp_path / "unpacked")
    assert submitted(place) == expected


def test_a_link_in_a_folder_is_not_followed(place, tmp_path):
    (tmp_path / "secret.ipynb").write_text("of the instructor")
    (tmp_path / "unpacked" / "Anna").mkdir(parents=True)
    (tmp_path / "unpacked" / "Anna" / "a.ipynb").write_text("a")
    (tmp_path / "unpacked" / "Anna" / "b.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "unpacked" / "Berta").symlink_to(tmp_path)
    (tmp_path / "unpacked" / "Carl").mkdir()
    (tmp_path / "unpacked" / "Carl" / "c.ipynb").write_text("c")
    collect.collect(place, NAME, tmp_path / "unpacked")
    assert submitted(place) == {"Anna": {"a.ipynb": b"a"}, "Carl": {"c.ipynb": b"c"}}


def test_two_of_one_name_are_two(place, tmp_path):
    files = {f"Anna Müller_{n}_assignsubmission_file/a.ipynb": str(n).encode() for n in (1, 2)}
    report = collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
    assert submitted(place) == {
        "Anna Müller_1": {"a.ipynb": b"1"},
        "Anna Müller_2": {"a.ipynb": b"2"},
    }
    assert report.notes == ["Anna Müller: 2 students, told apart by Moodle's numbers"]


def test_one_odd_file_does_not_make_a_download_of_canvas_another(place, tmp_path):
    files = CANVAS | {"żakłukasz_4716_90006_solution": b"no suffix", "Thumbs.db": b"of Windows"}
    files |= {"naan_4718_90008_b_1_assignsubmission_file_c.ipynb": b"once downloaded from Moodle"}
    report = collect.collect(place, NAME, packed(tmp_path / "submissions.zip", files))
    assert set(submitted(place)) == {
        "mülleranna_4711",
        "vanderstraßejürgen_4712",
        "obrienzoë_4713",
        "anon_x7Yq2",
        "żakłukasz_4716",
        "naan_4718",
    }
    assert len(report.late) == 2
    assert f"Thumbs.db: {collect.NOBODY_S}" in report.notes
    assert "żakłukasz_4716: no notebooks: solution" in report.notes


@pytest.mark.parametrize("stray", ["roster.csv", "desktop.ini", "Thumbs.db"])
def test_a_list_beside_moodle_s_folders_is_no_student(stray, place, tmp_path):
    audio = {"Anna Müller_4711_assignsubmission_onlineaudio/a.mp3": b"sound"}
    report = collect.collect(place, NAME, packed(tmp_path / "x.zip", MOODLE | audio | {stray: b""}))
    assert len(submitted(place)) == 5
    assert set(submitted(place)["Anna Müller"]) == {"04_splitting_exercise.ipynb", "a.mp3"}
    assert report.notes == [f"{stray}: {collect.NOBODY_S}"]


@pytest.mark.parametrize(
    "files",
    [
        {"Li Na_1_assignsubmission_file/._04_splitting_exercise.ipynb": b"\0"},
        {"Li Na_1_assignsubmission_file/.ipynb_checkpoints/a-checkpoint.ipynb": b"{}"},
        {"Li Na_1_assignsubmission_file/__MACOSX/._a.ipynb": b"\0"},
    ],
)
def test_who_handed_in_nothing_but_a_hidden_file_is_not_forgotten(files, place, tmp_path):
    report = collect.collect(place, NAME, packed(tmp_path / "x.zip", MOODLE | files))
    assert submitted(place)["Li Na"] == {}
    assert "Li Na" in course.students(place, NAME)
    (note,) = report.notes
    assert note.startswith("Li Na: no notebooks: ")


@pytest.mark.parametrize(
    ("one", "other", "folders"),
    [
        ("a+b@uni.example", "a-b@uni.example", {"a-b@uni.example", "a-b@uni.example 2"}),
        ("Anna", "anna", {"Anna", "anna 2"}),
        ("Anna", "Anna.", {"Anna", "Anna. 2"}),
    ],
)
def test_two_students_whose_folders_would_be_one_are_not_mixed(
    one, other, folders, place, tmp_path
):
    files = {f"{one}/x.ipynb": b"a", f"{other}/x.ipynb": b"b"}
    for _ in range(2):
        report = collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
        found = submitted(place)
        assert {name.replace(".", "") for name in found} == {n.replace(".", "") for n in folders}
        assert sorted(content["x.ipynb"] for content in found.values()) == [b"a", b"b"]
    assert len(report.unchanged) == 2


@pytest.mark.parametrize(
    "name", ["Anna - {0} (1).ipynb", "Anna_{0} (2).ipynb", "{0} - Anna (1).ipynb", "Anna (3).ipynb"]
)
def test_a_browser_s_number_is_no_part_of_a_name(name, place, tmp_path):
    files = {name.format(NAME): b"a", "Ben.ipynb": b"b"}
    collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
    assert set(submitted(place)) == {"Anna", "Ben"}


def test_the_notebook_at_the_top_comes_before_copies_in_folders(place, tmp_path):
    own = f"{NAME}.ipynb"
    files = {f"Anna/00 old/{own}": b"old", f"Anna/{own}": b"new", "Ben/a.ipynb": b"b"}
    inner = packed(tmp_path / "in.zip", {f"00 old/{own}": b"old", own: b"new"}).read_bytes()
    collect.collect(place, NAME, packed(tmp_path / "x.zip", files | {"Carl/all.zip": inner}))
    assert submitted(place)["Anna"] == {own: b"new", f"2 {own}": b"old"}
    assert submitted(place)["Carl"] == {own: b"new", f"2 {own}": b"old"}


def test_a_folder_with_one_file_may_bear_the_student_s_name(place, tmp_path):
    report = collect.collect(place, NAME, packed(tmp_path / "x.zip", {"Anna/solution.ipynb": b"a"}))
    assert report.notes == ["solution: a student, or is the folder's name, Anna, one?"]


def moodle(number: int, content: bytes, name: str = "Anna Müller") -> dict[str, bytes]:
    return {f"{name}_{number}_assignsubmission_file/{NAME}.ipynb": content}


def test_a_folder_that_was_renamed_is_found_again(place, tmp_path):
    collect.collect(place, NAME, packed(tmp_path / "1.zip", MOODLE))
    (place / "submitted" / "Anna Müller").rename(place / "submitted" / "anna@uni.example")
    report = collect.collect(place, NAME, packed(tmp_path / "2.zip", MOODLE | moodle(4711, b"new")))
    assert (report.new, report.replaced) == ([], ["anna@uni.example"])
    assert len(submitted(place)) == 5
    assert submitted(place)["anna@uni.example"] == {f"{NAME}.ipynb": b"new"}
    # in the next exercise Moodle's number is another, and the folder the same
    following = "05_first_network_exercise"
    shutil.copytree(place / "release" / NAME, place / "release" / following)
    (place / "release" / following / f"{NAME}.ipynb").rename(
        place / "release" / following / f"{following}.ipynb"
    )
    report = collect.collect(place, following, packed(tmp_path / "3.zip", moodle(5822, b"a")))
    assert report.new == ["anna@uni.example"]


def test_a_namesake_who_comes_later_is_a_second_student(place, tmp_path):
    collect.collect(place, NAME, packed(tmp_path / "1.zip", moodle(1, b"1")))
    both = moodle(1, b"1") | moodle(2, b"2")
    report = collect.collect(place, NAME, packed(tmp_path / "2.zip", both))
    assert (report.new, report.unchanged) == (["Anna Müller_2"], ["Anna Müller"])
    report = collect.collect(place, NAME, packed(tmp_path / "3.zip", moodle(2, b"3")))
    assert report.replaced == ["Anna Müller_2"]
    assert submitted(place) == {
        "Anna Müller": {f"{NAME}.ipynb": b"1"},
        "Anna Müller_2": {f"{NAME}.ipynb": b"3"},
    }


def test_what_a_student_has_packed_is_unpacked_and_a_bad_archive_stops_nobody(place, tmp_path):
    inner = packed(
        tmp_path / "inner.zip", {"lösung/04_splitting_exercise.ipynb": b"a", "lösung/.hidden": b""}
    )
    evil = packed(tmp_path / "evil.zip", {"../../evil.ipynb": b"evil"})
    files = {
        "Anna/all.zip": inner.read_bytes(),
        "Berta/all.ZIP": evil.read_bytes(),
        "Carl/all.zip": b"no zip",
    }
    report = collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
    assert submitted(place)["Anna"] == {"04_splitting_exercise.ipynb": b"a"}
    assert not list(tmp_path.rglob("evil.ipynb"))
    assert any(
        note.startswith("Berta: all.ZIP") and "outside the folder" in note for note in report.notes
    )
    assert any(
        note.startswith("Carl: all.zip") and "neither a zip" in note for note in report.notes
    )
    assert [*submitted(place)["Carl"]] == ["all.zip"], "what cannot be opened is kept as it came"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"../evil.ipynb": b""}, "outside the folder"),
        ({"/evil.ipynb": b""}, "outside the folder"),
        (
            {"04_splitting_exercise.ipynb": b"", "04_splitting_exercise (1).ipynb": b""},
            "whose is it",
        ),
        ({"__MACOSX/x": b""}, "no submission was found"),
    ],
)
def test_a_bad_download_is_refused_by_name_and_nothing_is_put_anywhere(
    files, says, place, tmp_path
):
    with pytest.raises(ToolError, match=rf"submissions\.zip: .*(?s:.*){says}"):
        collect.collect(place, NAME, packed(tmp_path / "submissions.zip", files))
    assert [path.name for path in place.iterdir()] == ["release"]
    assert not list(tmp_path.rglob("evil.ipynb"))


@pytest.mark.parametrize("content", [None, b"", b"<html>sign in</html>"])
def test_what_is_no_archive_is_refused_by_name(content, place, tmp_path, capsys):
    path = tmp_path / "submissions.zip"
    if content is not None:
        path.write_bytes(content)
    assert course.main(["collect", NAME, "--course", str(place), "--from", str(path)]) == 1
    assert f"{path}: is n" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows unpacks no name with a star")
def test_names_that_nbgrader_or_a_file_system_cannot_take_are_mended(place, tmp_path):
    files = {"a+b*c@uni.example/x.ipynb": b"a", "[D] {E}/x.ipynb": b"b", "F/x.ipynb": b"c"}
    collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
    assert [*submitted(place)] == course.students(place, NAME)
    assert set(submitted(place)) == {"a-b-c@uni.example", "-D- -E-", "F"}


def test_a_second_download_replaces_what_changed_and_keeps_it(place, tmp_path, capsys):
    command = ["collect", NAME, "--course", str(place), "--from"]
    assert course.main([*command, str(packed(tmp_path / "1.zip", MOODLE))]) == 0
    assert "5 new, 0 replaced, 0 unchanged" in capsys.readouterr().out
    stamp = place / "submitted" / "Zoë OBrien" / NAME / "timestamp.txt"
    stamp.write_text("2026-11-28 10:00:00 UTC")
    again = MOODLE | {
        "Anna Müller_4711_assignsubmission_file/04_splitting_exercise.ipynb": b"better"
    }
    assert course.main([*command, str(packed(tmp_path / "2.zip", again))]) == 0
    assert "0 new, 1 replaced, 4 unchanged" in capsys.readouterr().out
    assert submitted(place)["Anna Müller"] == {"04_splitting_exercise.ipynb": b"better"}
    (old,) = (place / "marking" / "replaced" / NAME).iterdir()
    assert (old / f"{NAME}.ipynb").read_bytes() == b"anna"
    assert stamp.exists()


def test_a_student_does_not_write_the_time_of_handing_in(place, tmp_path):
    files = {
        "Anna/timestamp.txt": b"2020-01-01 00:00 UTC",
        "Anna/04_splitting_exercise.ipynb": b"a",
    }
    collect.collect(place, NAME, packed(tmp_path / "x.zip", files))
    assert submitted(place) == {"Anna": {"04_splitting_exercise.ipynb": b"a"}}


# --- the roster and the table of marks ------------------------------------------------------------

ROSTER = """First name,Last name,ID number,Email address,Groups
Anna,Müller,s1,anna.mueller@uni.example,A
Jürgen,van der Straße,s2,juergen@uni.example,B
Zoë,O'Brien,s3,zoe@uni.example,A
Łukasz,Żak,s4,lukasz@uni.example,B
Ben,Twin,s5,ben1@uni.example,A
Ben,Twin,s6,ben2@uni.example,B
"""
GERMAN = ROSTER.replace(
    "First name,Last name,ID number,Email address,Groups",
    "Vorname,Nachname,ID-Nummer,E-Mail-Adresse,X",
)
EXPORT = """Student,ID,SIS User ID,SIS Login ID,Section,Exercise 3 (77),Current Score
    Points Possible,,,,,10,(read only)
"Müller, Anna",4711,s1,am,Course,3,1
"van der Straße, Jürgen",4712,s2,js,Course,,
"O'Brien, Zoë",4713,s3,zo,Course,5,5
"""


def rows(**marks) -> list[dict[str, str]]:
    """Marks as `tools.marking.course.grades` has them: {folder: score}."""
    values = {
        "assignment": NAME,
        "max_score": "10.0",
        "waits_for_hand_marking": "no",
        "outcome": "marked",
        "notes": "",
    }
    return [values | {"student": student, "score": str(score)} for student, score in marks.items()]


def roster(tmp_path, text: str, form: str = "moodle", encoding: str = "utf-8") -> gradebook.Roster:
    (tmp_path / "roster.csv").write_bytes(text.encode(encoding))
    return gradebook.read_roster(tmp_path / "roster.csv", form)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "text", [ROSTER, GERMAN, ROSTER.replace(",", ";"), ROSTER.replace(",", "\t")]
)
def test_moodle_s_table_has_a_row_for_each_student_and_lists_the_others(text, encoding, tmp_path):
    marks = {"Anna Müller": 7.0, "juergen@uni.example": 6.5, "Zoë OBrien": 5.0, "S4": 4.0}
    marks |= {"Ben Twin": 3.0, "Nobody Knows": 2.0}
    table = gradebook.wide(rows(**marks), roster(tmp_path, text, encoding=encoding), "moodle")
    found = list(csv.reader(io.StringIO(table.text)))
    assert [row[:4] for row in found[1:]] == [
        line.split(",")[:4] for line in ROSTER.splitlines()[1:]
    ]
    assert [row[4] for row in found] == [NAME, "7.0", "6.5", "5.0", "4.0", "", ""]
    assert table.unmatched == [
        f"Ben Twin ({NAME}, 3.0): 2 rows of the roster may be meant",
        f"Nobody Knows ({NAME}, 2.0): in no row of the roster",
    ]
    assert [line.split(":")[0] for line in table.nothing] == [
        "Ben, Twin, s5, ben1@uni.example",
        "Ben, Twin, s6, ben2@uni.example",
    ]


def test_canvas_s_table_is_its_export_with_points_possible(tmp_path):
    marks = {"mülleranna_4711": 7.0, "obrienzoë_4713": 5.0, "anon_x7Yq2": 1.0}
    table = gradebook.wide(rows(**marks), roster(tmp_path, EXPORT, "canvas"), "canvas")
    assert table.text == (
        f"Student,ID,SIS User ID,SIS Login ID,Section,{NAME}\n"
        "    Points Possible,,,,,10.0\n"
        '"Müller, Anna",4711,s1,am,Course,7.0\n'
        '"van der Straße, Jürgen",4712,s2,js,Course,\n'
        '"O\'Brien, Zoë",4713,s3,zo,Course,5.0\n'
    )
    assert table.unmatched == [f"anon_x7Yq2 ({NAME}, 1.0): in no row of the roster"]
    assert table.nothing == [f"van der Straße, Jürgen, 4712, s2, js, Course: {NAME}"]


def test_the_name_tells_whose_number_it_is(tmp_path):
    # one student's SIS number is another's of Canvas
    export = EXPORT.replace("4711,s1,", "4711,4712,")
    table = gradebook.wide(
        rows(vanderstraßejürgen_4712=6.0), roster(tmp_path, export, "canvas"), "canvas"
    )
    assert '"van der Straße, Jürgen",4712,s2,js,Course,6.0' in table.text
    assert table.unmatched == []


def test_a_number_and_a_name_that_disagree_are_nobody_s(tmp_path):
    table = gradebook.wide(rows(mülleranna_4713=7.0), roster(tmp_path, EXPORT, "canvas"), "canvas")
    assert table.unmatched == [f"mülleranna_4713 ({NAME}, 7.0): 2 rows of the roster may be meant"]
    assert "7.0" not in table.text


def test_two_submissions_of_one_student_are_not_chosen_between(tmp_path):
    table = gradebook.wide(
        rows(**{"Anna Müller": 7.0, "s1": 3.0}), roster(tmp_path, ROSTER), "moodle"
    )
    assert table.unmatched == [
        f"Anna Müller and s1 ({NAME}): are both Anna, Müller, s1, anna.mueller@uni.example"
    ]
    assert "7.0" not in table.text
    assert "3.0" not in table.text


def test_who_may_have_handed_in_is_not_said_to_have_handed_in_nothing(tmp_path):
    marks = {"Ben Twin_101": 7.0, "Ben Twin_102": 3.0}
    table = gradebook.wide(rows(**marks), roster(tmp_path, ROSTER), "moodle")
    assert len(table.unmatched) == 2
    said = [line for line in table.nothing if "several rows" in line]
    assert [line.split(", ")[2] for line in said] == ["s5", "s6"]
    assert len(table.nothing) == 6


def test_marks_that_are_not_the_last_word_are_listed(tmp_path):
    waiting, failed, unmarked = rows(**{"Anna Müller": 7.0, "s2": 0.0, "s3": ""})
    waiting["waits_for_hand_marking"] = "yes"
    failed["outcome"] = "not run: why"
    unmarked |= {
        "max_score": "",
        "outcome": "not marked: no such assignment was released",
        "assignment": "4_split",
    }
    table = gradebook.wide([waiting, failed, unmarked], roster(tmp_path, ROSTER), "moodle")
    assert "s3, 4_split: not marked: no such assignment was released" in table.notes
    assert any("waits for marking by hand" in note for note in table.notes)
    assert any("not run: why" in note for note in table.notes)


@pytest.mark.parametrize(
    ("text", "form", "says"),
    [
        (
            "Given,Family\nAnna,Müller\n",
            "moodle",
            "no column says Email address or ID number, only Given, Family",
        ),
        ("", "moodle", "no column says"),
        (ROSTER, "canvas", "export it from Canvas"),
        (EXPORT, "moodle", "add FORMAT=canvas"),
    ],
)
def test_a_roster_that_names_nobody_is_refused_by_name(text, form, says, tmp_path):
    with pytest.raises(ToolError, match=rf"roster\.csv: .*{says}"):
        roster(tmp_path, text, form)
    with pytest.raises(ToolError, match=r"missing\.csv: cannot be read"):
        gradebook.read_roster(tmp_path / "missing.csv", form)
    packed(tmp_path / "roster.xlsx", {"xl/workbook.xml": b""})
    with pytest.raises(ToolError, match=r"roster\.xlsx: is a spreadsheet"):
        gradebook.read_roster(tmp_path / "roster.xlsx", form)


def test_another_program_s_grades_are_not_written_over(place, capsys):
    (place / "grades.csv").write_text("assignment,duedate,timestamp,student_id\n")
    assert course.main(["grades", "--course", str(place)]) == 1
    assert "grades.csv is another program's" in capsys.readouterr().err
    assert (place / "grades.csv").read_text() == "assignment,duedate,timestamp,student_id\n"
    assert 'c.CsvExportPlugin.to = "nbgrader_export.csv"' in course.SETTINGS


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (lambda text: text.replace("\n", "\r"), "utf-8"),  # an old Excel on a Mac
        (lambda text: text.replace("\n", "\r\n").replace(",", ";"), "cp1252"),
        (lambda text: "sep=;\r\n" + text.replace(",", ";"), "utf-8-sig"),
        (lambda text: "\n\n" + text.replace(",", "\t"), "utf-16-le"),
    ],
)
def test_a_roster_that_a_spreadsheet_has_saved(change, encoding, tmp_path):
    text = change(ROSTER.replace("Ł", "L").replace("Ż", "Z"))  # cp1252 has none
    read = roster(tmp_path, text, encoding=encoding)
    assert [row[1] for row in read.rows][:4] == ["Müller", "van der Straße", "O'Brien", "Zak"]
    assert read.columns == ["First name", "Last name", "ID number", "Email address"]


@pytest.mark.parametrize("before", ["Zoë,", "s2,", "Last name"])
def test_a_quotation_mark_that_is_not_closed_swallows_nobody(before, tmp_path):
    with pytest.raises(ToolError, match=r"roster\.csv: line \d+: .*quotation mark"):
        roster(tmp_path, ROSTER.replace(before, f'"{before}', 1))


def test_who_stands_in_the_roster_twice_alike_is_one(tmp_path):
    twice = f"{ROSTER}Anna, Müller,s1,anna.mueller@uni.example,B\n"
    table = gradebook.wide(rows(**{"Anna Müller": 7.0}), roster(tmp_path, twice), "moodle")
    assert table.unmatched == []
    assert table.text.count("anna.mueller@uni.example") == 1


def test_columns_in_another_order(tmp_path):
    text = "Groups,Email address,Last name,First name\nA,anna@uni.example,Müller,Anna\n"
    table = gradebook.wide(rows(**{"Anna Müller": 7.0}), roster(tmp_path, text), "moodle")
    expected = "Email address,Last name,First name,04_splitting_exercise\n"
    assert table.text == expected + "anna@uni.example,Müller,Anna,7.0\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna.li@uni.example", "ann.ali@uni.example"),
        ("a-bc@uni.example", "ab-c@uni.example"),
        ("1.23", "12.3"),
    ],
)
def test_addresses_that_differ_in_a_dot_are_two(one, other, tmp_path):
    text = f"First name,Last name,Email address\nAnna,Li,{one}\nAnn,Ali,{other}\n"
    read = roster(tmp_path, text)
    assert (read.find(one.upper()), read.find(other)) == ({0}, {1})


@pytest.mark.parametrize(("one", "other"), [("กิ", "กี"), ("कि", "कु"), ("רָ", "רֵ")])
def test_names_that_differ_in_a_vowel_sign_are_two(one, other):
    assert gradebook.plain(one) != gradebook.plain(other)


def test_a_mark_under_an_old_name_is_not_counted_again(place, monkeypatch, capsys):
    row = [7.0, 10.0, "no", "marked", ""]
    book = {(name, NAME): row for name in ("Anna", "anna@uni.example", "Ben")}
    monkeypatch.setattr(course, "marks_in_book", lambda _: dict(book))
    (place / "submitted" / "anna@uni.example" / NAME).mkdir(parents=True)
    (place / "submitted" / "Ben" / "05_first_network_exercise").mkdir(parents=True)
    found = list(csv.DictReader(io.StringIO(course.grades(place))))
    marks = [(one["student"], one["score"]) for one in found if one["assignment"] == NAME]
    assert marks == [("anna@uni.example", "7.0")]
    said = capsys.readouterr().out
    assert said == "".join(
        f"{name}, {NAME}: left out, no longer in submitted/\n" for name in ("Anna", "Ben")
    )


# --- what the class got wrong ---------------------------------------------------------------------


def test_the_commonest_misconception_of_each_question(tmp_path):
    first, second = list(checks.questions("04").values())[:2]
    said = [one.message for one in first.mistakes.values()]
    wrong = f"NotCorrect: {first.title}: wrong. {said[0].replace('{crossing}', '7')}"
    messages = [
        wrong,
        wrong,
        f"NotCorrect: {first.title}: wrong. {said[1].replace('{crossing}', '7')}",
        "",
    ]
    for number, message in enumerate(messages):
        answers = {
            f"test_{first.name}": {"score": 0 if message else 2, "points": 2, "message": message},
            f"test_{second.name}": {
                "score": 0,
                "points": 3,
                "message": f"NotCorrect: {second.title}: not attempted. x",
            },
            "written": {"score": 0, "points": 3, "message": "", "by_hand": True},
        }
        (tmp_path / "submitted" / str(number) / NAME).mkdir(parents=True)
        Record(str(number), NAME, "", 0, "marked", questions=answers).write(
            record_path(tmp_path, NAME, str(number))
        )
    text = gradebook.summary(tmp_path, NAME)
    mistake = next(iter(first.mistakes)).replace("_", " ")
    assert f"| {first.name} | 1 of 4 | {mistake} | 2 |" in text
    assert f"| {second.name} | 0 of 4 | not attempted | 4 |" in text
    assert "written" not in text
    # of a folder that was renamed since, and is marked under its new name
    (tmp_path / "submitted" / "3").rename(tmp_path / "submitted" / "anna@uni.example")
    assert f"| {first.name} | 0 of 3 | {mistake} | 2 |" in gradebook.summary(tmp_path, NAME)
    with pytest.raises(ToolError, match="nothing of 05_x is marked yet"):
        gradebook.summary(tmp_path, "05_x")
    assert json.loads(record_path(tmp_path, NAME, "0").read_text())["outcome"] == "marked"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "TypeError: bad operand for |: 'int'\nline 3",
            r"an error: TypeError: bad operand for \|: 'int'",
        ),
        ("", "an error"),
        ("\nline 3", "an error"),
    ],
)
def test_an_error_fits_into_a_column(message, said):
    assert gradebook.reason(f"NotCorrect: Twice: raised. {message}", {}) == said


@pytest.mark.parametrize("lesson", checks.lessons())
def test_each_misconception_is_told_by_its_message(lesson):
    for question in checks.questions(lesson).values():
        for name, mistake in question.mistakes.items():
            filled = re.sub(r"{[^{}]*}", "7", mistake.message)
            said = gradebook.reason(
                f"NotCorrect: {question.title}: wrong. {filled}", question.mistakes
            )
            assert said == name.replace("_", " "), (question.name, name)
