"""The zip of feedback pages, read as Moodle reads it: each page with its own participant."""

import re
import shutil
import zipfile

import pytest

from tools.build import exercises
from tools.marking import collect, course, hand_back
from tools.marking.submission import Record, fingerprint, record_path

NAME = "04_splitting_exercise"
CLASS = {  # Moodle's number: folder of the download, what is handed in
    4711: ("Anna Müller_4711_assignsubmission_file", b"anna"),
    4712: ("Jürgen van der Straße_4712_assignsubmission_file_", b"juergen"),
    4713: ("Zoë OBrien_4713_assignsubmission_file", b"zoe"),
    4714: ("Zoë OBrien_4714_assignsubmission_file", b"the other zoe"),
}


@pytest.fixture
def place(tmp_path):
    """A course in which the exercise was released."""
    (source,) = exercises.sources(names=[NAME])
    for step in ("release", "source"):
        (tmp_path / "course" / step / NAME).mkdir(parents=True)
        shutil.copy(exercises.student_version(source), tmp_path / "course" / step / NAME)
    return tmp_path / "course"


def collected(place, submissions):
    """Collect a download: {folder: content of the notebook in it}."""
    download = place.parent / "download.zip"
    with zipfile.ZipFile(download, "w") as archive:
        for folder, content in submissions.items():
            archive.writestr(f"{folder}/{NAME}.ipynb", content)
    collect.collect(place, NAME, download)


def marked(place) -> None:
    """Record for each folder that it was marked; its page says what was handed in."""
    for student in course.students(place, NAME):
        held = place / "submitted" / student / NAME
        whose = [*collect.called(held)]
        record = Record(student, NAME, fingerprint(place, NAME, student, 7), 7, whose=whose)
        record.write(record_path(place, NAME, student))
        page = place / "feedback" / student / NAME / f"{NAME}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(b"page of " + (held / f"{NAME}.ipynb").read_bytes())


def write(place) -> list[str]:
    """Write the zip of all pages that there are; return the lines."""
    pages = [*(place / "feedback").glob(f"*/{NAME}/*.html")]
    return hand_back.write(place, NAME, course.students(place, NAME), pages)[1]


def as_moodle(place, *, old: bool = False) -> dict[int, bytes]:
    """Read the zip as Moodle's importer does (`old`: up to 4.0): {number of the participant: file}.

    It divides at "_" into name, number, plugin's type, plugin and the rest; the number counts.
    """
    found = {}
    with zipfile.ZipFile(hand_back.archive(place, NAME)) as archive:
        for name in archive.namelist():
            parts = [f"/import/{name}"] if old else f"/import/{name}".split("/")
            for part in parts:
                info = part.split("_", 4)
                if len(info) >= (5 if old else 4) and info[1].isnumeric():
                    assert info[2:4] == ["assignsubmission", "file"]
                    assert int(info[1]) not in found
                    found[int(info[1])] = archive.read(name)
    return found


def pages(*numbers: int) -> dict[int, bytes]:
    return {number: b"page of " + CLASS[number][1] for number in numbers}


@pytest.fixture
def moodle(place):
    """A class of Moodle's, marked: spaces, umlauts, and two of one name."""
    collected(place, dict(CLASS.values()))
    marked(place)
    return place


@pytest.mark.parametrize("old", [False, True])
def test_each_page_goes_to_the_participant_of_its_number(old, moodle):
    assert write(moodle) == []
    assert as_moodle(moodle, old=old) == pages(*CLASS)
    names = zipfile.ZipFile(hand_back.archive(moodle, NAME)).namelist()
    assert f"Jürgen van der Straße_4712_assignsubmission_file_/{NAME}.html" in names
    assert {path.name for path in (moodle / "feedback").glob("*.*")} == {f"{NAME}-moodle.zip"}


def test_the_same_pages_make_the_same_file(moodle):
    write(moodle)
    before = hand_back.archive(moodle, NAME).read_bytes()
    for path in (moodle / "feedback").rglob("*.html"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    write(moodle)
    assert hand_back.archive(moodle, NAME).read_bytes() == before


def test_a_page_goes_with_a_folder_that_was_renamed(moodle):
    for step in ("submitted", "feedback"):
        (moodle / step / "Anna Müller").rename(moodle / step / "anna@uni.example")
    old = record_path(moodle, NAME, "Anna Müller")
    old.rename(old.with_name("anna@uni.example.json"))
    assert write(moodle) == []
    assert as_moodle(moodle) == pages(*CLASS)
    names = zipfile.ZipFile(hand_back.archive(moodle, NAME)).namelist()
    assert f"Anna Müller_4711_assignsubmission_file_/{NAME}.html" in names


def test_a_folder_that_was_renamed_and_not_yet_followed_has_no_page(moodle):
    (moodle / "submitted" / "Anna Müller").rename(moodle / "submitted" / "anna@uni.example")
    assert write(moodle) == [f"anna@uni.example: {hand_back.NO_PAGE}"]
    assert as_moodle(moodle) == pages(4712, 4713, 4714)


@pytest.mark.parametrize("content", [b"juergen", b"anna"])
def test_nobody_gets_the_page_of_another_whose_folder_has_changed_places(content, moodle):
    """Also where both have handed in the same, so that the content does not tell."""
    folder, held = CLASS[4712][0], moodle / "submitted"
    collected(moodle, {folder: content})
    marked(moodle)
    one, other, aside = (held / name for name in ("Anna Müller", "Jürgen van der Straße", "x"))
    for before, after in ((one, aside), (other, one), (aside, other)):
        before.rename(after)
    left = write(moodle)
    assert [line.split(":")[0] for line in left] == ["Anna Müller", "Jürgen van der Straße"]
    assert as_moodle(moodle) == pages(4713, 4714)


def test_namesakes_who_handed_in_the_same_are_not_mixed(place):
    collected(place, {f"Anna_{n}_assignsubmission_file": b"same" for n in (1, 2)})
    marked(place)
    held = place / "submitted"
    for before, after in (("Anna_1", "x"), ("Anna_2", "Anna_1"), ("x", "Anna_2")):
        (held / before).rename(held / after)
    assert len(write(place)) == 2
    assert not hand_back.archive(place, NAME).exists()


def test_what_was_handed_in_anew_or_is_not_marked_has_no_page(moodle):
    collected(moodle, {CLASS[4711][0]: b"anew", "Eva_4715_assignsubmission_file": b"eva"})
    assert write(moodle) == [f"{who}: {hand_back.NO_PAGE}" for who in ("Anna Müller", "Eva")]
    assert as_moodle(moodle) == pages(4712, 4713, 4714)


def test_a_record_of_before_numbers_were_kept_does_for_what_still_lies_there(moodle):
    for student in course.students(moodle, NAME):
        path = record_path(moodle, NAME, student)
        path.write_text(re.sub(r'"whose": \[.*?\]', '"whose": []', path.read_text(), flags=re.S))
    assert write(moodle) == []
    assert as_moodle(moodle) == pages(*CLASS)


def test_two_folders_of_one_number_and_one_of_no_number_are_listed(moodle):
    shutil.copytree(moodle / "submitted" / "Anna Müller", moodle / "submitted" / "anna@uni.example")
    by_hand = moodle / "submitted" / "Ben" / NAME
    by_hand.mkdir(parents=True)
    (by_hand / f"{NAME}.ipynb").write_bytes(b"ben")
    marked(moodle)
    assert write(moodle) == [
        "Anna Müller: another folder has Moodle's number 4711, too",
        f"Ben: {hand_back.NO_NUMBER}",
        "anna@uni.example: another folder has Moodle's number 4711, too",
    ]
    assert as_moodle(moodle) == pages(4712, 4713, 4714)


@pytest.mark.parametrize(
    "whose",
    [
        "../../x/y\\..\n4716",
        "a_b_4711_assignsubmission_file\n4716",
        "\n4716",
        "x\n4716\n4711",
        "x\n" + 5000 * "1",
    ],
)
def test_no_name_leads_out_of_the_folder_or_to_another(whose, moodle):
    held = moodle / "submitted" / "Fay" / NAME
    held.mkdir(parents=True)
    (held / f"{NAME}.ipynb").write_bytes(b"fay")
    (held / collect.WHOSE).write_text(whose, encoding="utf-8")
    marked(moodle)
    write(moodle)
    found = as_moodle(moodle)
    assert found.pop(4716, b"page of fay") == b"page of fay"
    assert found == pages(*CLASS)
    for name in zipfile.ZipFile(hand_back.archive(moodle, NAME)).namelist():
        assert len(name.split("/")) == 2
        assert "\\" not in name
        assert not name.startswith((".", "/"))


@pytest.mark.parametrize(
    "files",
    [
        {f"Anna Müller/{NAME}.ipynb": b"a", f"Ben_4711/{NAME}.ipynb": b"b"},
        {"mülleranna_4711_90001_a.ipynb": b"a", "ben_LATE_4712_90002_b.ipynb": b"b"},
        {f"Default group_assignsubmission_file/{NAME}.ipynb": b"a"},
    ],
)
def test_another_download_makes_no_zip_and_an_old_one_goes(files, place):
    download = place.parent / "download.zip"
    with zipfile.ZipFile(download, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    collect.collect(place, NAME, download)
    old = hand_back.archive(place, NAME)
    old.parent.mkdir()
    old.write_bytes(b"of an earlier class")
    assert write(place) == []
    assert not old.exists()


def test_a_zip_that_cannot_be_finished_leaves_nothing(moodle, monkeypatch):
    write(moodle)
    monkeypatch.setattr(zipfile.ZipFile, "writestr", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(moodle)
    assert not [path for path in (moodle / "feedback").iterdir() if path.is_file()]
