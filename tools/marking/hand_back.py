"""Give feedback back through Moodle: the pages of a class in the one zip that it takes.

Made after Moodle's source (mod/assign/feedback/file/importziplib.php), not tried on a running
Moodle. Its *Upload multiple feedback files in a zip* takes what its download of submissions looks
like, "Anna Müller_4711_assignsubmission_file_/any name.html", and gives a file to the participant
of that number; at the name it does not look. Numbers are those of one Moodle assignment: in another
they belong to other people, and so do those of groups. Up to 4.0 it wants the "_" behind "file";
later versions take the folder with it and without.

There is no zip for Canvas. Its *Re-Upload Submissions* (`infer_comment_context_from_filename` in
app/models/abstract_assignment.rb of instructure/canvas-lms) gives what is uploaded the name of the
file that was handed in: a page would reach the student as a notebook that does not open.
"""

import json
import re
import zipfile
from collections import Counter
from pathlib import Path

from cxr_helpers import files
from tools.marking.collect import Known, known_in
from tools.marking.submission import fingerprint, record_path

# what divides Moodle's folder names, a path, and what a zip's name cannot hold
UNFIT = re.compile(r"[_/\\\x00-\x1f]+")
NO_PAGE = "no page of what is handed in now: make grade, then make feedback"
NO_NUMBER = "no download of Moodle says whose it is"


def archive(course: Path, assignment: str) -> Path:
    """Return where the zip for Moodle stands."""
    return course / "feedback" / f"{assignment}-moodle.zip"


def write(
    course: Path, assignment: str, students: list[str], pages: list[Path]
) -> tuple[int, list[str]]:
    """Write the zip for Moodle anew; return how many pages it holds, and a line for each not in it.

    `pages`: those just written, COURSE/feedback/STUDENT/ASSIGNMENT/ASSIGNMENT.html. A page is in it
    where a download of Moodle's has said whose the student's folder is, and what was marked is what
    lies there now. Where no folder came from Moodle there is no zip, and no line.
    """
    path = archive(course, assignment)
    path.unlink(missing_ok=True)
    known = {one.folder: one for one in known_in(course) if one.assignment == assignment}
    known = {
        folder: one for folder, one in known.items() if re.fullmatch(r"[0-9]{1,18}", one.number)
    }
    if not known.keys() & {*students}:
        return 0, []
    page_of = {page.parents[1].name: page for page in pages}
    numbers = Counter(int(one.number) for one in known.values())
    entries, left = {}, []
    for student in students:
        one = known.get(student)
        if one is None:
            left.append(f"{student}: {NO_NUMBER}")
        elif numbers[int(one.number)] > 1:
            left.append(f"{student}: another folder has Moodle's number {one.number}, too")
        elif student not in page_of:
            left.append(f"{student}: {NO_PAGE}")
        elif why := amiss(course, one):
            left.append(f"{student}: {why}")
        else:
            folder = f"{UNFIT.sub(' ', one.name).strip(' .')}_{one.number}_assignsubmission_file_"
            entries[f"{folder}/{assignment}.html"] = page_of[student]
    if entries:
        with files.whole_file(path) as part, zipfile.ZipFile(part, "w") as made:
            for name, page in sorted(entries.items()):
                # no time and no rights of this machine: the same pages make the same file
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, 0o100644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                made.writestr(info, page.read_bytes())
    return len(entries), left


def amiss(course: Path, one: Known) -> str:
    """Return why the page of a folder's name is not of what this student has in it; "" if it is.

    Folders may have been renamed or filled anew since they were marked. Those who handed in the
    same are told apart by the number that their download gave them then.
    """
    path = record_path(course, one.assignment, one.folder)
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"seed": None}
    held = fingerprint(course, one.assignment, one.folder, record["seed"])
    if record.get("fingerprint") != held:
        return NO_PAGE
    name, number = record.get("whose") or ("", "")
    if number and number != one.number:
        return f"was marked as the folder of {name} {number}: grade it with --again"
    return ""
