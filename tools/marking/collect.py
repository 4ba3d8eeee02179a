"""Bring a learning-management system's download of submissions into a course: `make collect`.

What a zip of all submissions looks like, as the systems' own sources write it:

- Moodle (mod/assign/classes/downloader.php): "Anna Müller_4711_assignsubmission_file/any
  name.ipynb", up to version 4.0 with one more "_" behind "file"; without folders "Anna
  Müller_4711_assignsubmission_file_any name.ipynb". Typed text is
  "..._assignsubmission_onlinetext". The number is that of the participant in this one assignment:
  the next has another. Apostrophes, colons and the like are taken out of names. For groups it is
  the group's name and number.
- Canvas (lib/content_zipper.rb of instructure/canvas-lms): "mülleranna_LATE_4711_815_any
  name.ipynb", all in one folder. It is the sortable name "Müller, Anna" in small letters, with
  letters and digits only; LATE where it was; the user's number (the column ID of Canvas's
  gradebook); the file's; its name. Typed text is "..._4711_text.html". Where marking is anonymous,
  "anon_x7Yq2" stands for name and number.
- Anything else: a folder for each student, or a file named after each.

The times of the files in a zip are those of the download: when something was handed in, no zip
says.
"""

import contextlib
import re
import shutil
import tempfile
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cxr_helpers.fetch import FetchError, extract
from tools.common import ToolError
from tools.marking.submission import released

MOODLE = re.compile(
    r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_(?P<kind>file|onlinetext)_?(?P<file>.*)"
)
CANVAS = re.compile(
    r"(?:(?P<name>(?!LATE_|anon_).+?)_)?(?:(?P<late>LATE)_)?(?P<number>\d+|anon_[^\W_]+)_"
    r"(?:\d+_(?P<file>.+\..+)|(?P<typed>(?:text|link)\.html))"
)
NOTEBOOK = re.compile(r"\.ipynb", re.IGNORECASE)
# nbgrader takes some of these for patterns, and no file system takes all of the others.
UNFIT = re.compile(r'[*?\[\]+{}<>:"|\\/\x00-\x1f]')
# nbgrader reads lateness from it: the instructor's to write, not the student's
STAMP = "timestamp.txt"
LARGEST = 5_000_000_000  # bytes of a download, unpacked
LARGEST_OF_ONE = 200_000_000  # bytes of what one student has packed


@dataclass(frozen=True)
class Piece:
    """One file that was handed in: whose, its own name, where.

    Whose: a name, and Moodle's number of the participant.
    """

    name: str
    number: str
    file: str
    path: Path
    late: bool = False


@dataclass
class Report:
    """What became of a download: names of students, and notes for the instructor."""

    new: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def collect(course: Path, assignment: str, download: Path) -> Report:
    """Put a download's content into COURSE/submitted/STUDENT/ASSIGNMENT; the download stays.

    `download`: a zip or tar archive, or the folder into which a browser has unpacked it. A
    submission that is there already with the same content is left alone; another one moves to
    COURSE/marking/replaced. Raises ToolError, which names the file, before anything is put
    anywhere.
    """
    released(course, assignment)
    report = Report()
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=course) as scratch:
        folder = unpacked(download, Path(scratch, "download"))
        found = pieces(folder, assignment, report)
        if not found:
            raise ToolError(
                f"{download}: no submission was found in it\n" + "\n".join(report.notes)
            )
        for number, (student, parts) in enumerate(by_student(found, report).items()):
            place = Path(scratch, str(number))
            gather(student, parts, place, report)
            put(place, course, assignment, student, report)
            if any(part.late for part in parts):
                report.late.append(student)
    return report


def unpacked(download: Path, folder: Path, largest: int = LARGEST, files: int = 100_000) -> Path:
    """Return the folder with a download's files: itself, or `folder`, into which it is unpacked."""
    if download.is_dir():
        return download
    try:
        return extract(download, folder, max_bytes=largest, max_files=files)
    except FetchError as error:
        raise ToolError(f"{download}: {error.problem}. {error.remedy}.") from error


def files_of(folder: Path) -> list[Path]:
    """Return all files below a folder.

    None is hidden, a link, or put beside them by Jupyter or a Mac.
    """
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
    ]


def pieces(folder: Path, assignment: str, report: Report) -> list[Piece]:
    """Return the files of a download with whose they are; a file of nobody's is noted."""
    paths = {path: readable(path.relative_to(folder)) for path in files_of(folder)}
    names = list(paths.values())
    while names and not own_folder(names, assignment):  # a folder around everything
        names = [PurePosixPath(*name.parts[1:]) for name in names]
    paths = dict(zip(paths, names, strict=True))
    of_moodle = {
        path: match for path, name in paths.items() if (match := MOODLE.fullmatch(name.parts[0]))
    }
    rest = {path: name for path, name in paths.items() if path not in of_moodle}
    of_canvas = {path: CANVAS.fullmatch(str(name)) for path, name in rest.items()}
    found = [
        Piece(
            match["name"],
            match["number"] or "",
            paths[path].name if paths[path].parent.name else match["file"],
            path,
        )
        for path, match in of_moodle.items()
    ]
    # a file of any name may look like one of Canvas's; all of them do not
    if rest and all(of_canvas.values()):
        for path, match in of_canvas.items():
            whose = "_".join(filter(None, [match["name"], match["number"]]))
            found.append(
                Piece(whose, "", match["file"] or match["typed"], path, bool(match["late"]))
            )
        return found
    for path, name in rest.items():
        if who := owner(name, assignment):
            found.append(Piece(who, "", name.name, path))
        else:
            report.notes.append(f"{name}: whose is it? Put it into a folder of the student's name")
    return found


def readable(path: Path) -> PurePosixPath:
    """Return a path in a zip as it was meant.

    Python reads a name that is not marked as UTF-8 as one of old DOS; the zips of macOS and Canvas
    leave the mark out.
    """
    name = path.as_posix()
    with contextlib.suppress(UnicodeError):  # it was marked, or is one of old DOS
        name = name.encode("cp437").decode("utf-8")
    return PurePosixPath(unicodedata.normalize("NFC", name))


def own_folder(names: list[PurePosixPath], assignment: str) -> bool:
    """Tell whether these paths' first part says whose they are.

    It differs, or it is one student's folder.
    """
    if len({name.parts[0] for name in names}) > 1 or len(names[0].parts) == 1:
        return True
    proper = re.compile(rf"{re.escape(assignment)}( \(\d+\))?\.ipynb")
    direct = [name.name for name in names if len(name.parts) == 2]
    return bool(MOODLE.fullmatch(names[0].parts[0])) or any(map(proper.fullmatch, direct))


def owner(name: PurePosixPath, assignment: str) -> str:
    """Return whose a file of no known system is; "" if nobody's.

    The owner is its folder, or its name without the assignment's.
    """
    if len(name.parts) > 1:
        return name.parts[0]
    stem = NOTEBOOK.split(name.name)[0] if NOTEBOOK.search(name.name) else name.stem
    stem = re.sub(rf"[ _-]*{re.escape(assignment)}(_exercise)?[ _-]*", " ", stem)
    return re.sub(r"^\(\d+\)$", "", stem.strip())  # "04_splitting_exercise (1).ipynb" is of nobody


def by_student(found: list[Piece], report: Report) -> dict[str, list[Piece]]:
    """Return the pieces by the name of the student's folder.

    Moodle's number changes from one assignment to the next and is left out, but for those who share
    a name.
    """
    numbers = defaultdict(set)
    for piece in found:
        numbers[piece.name].add(piece.number)
    shared = {name for name, of_name in numbers.items() if len(of_name) > 1}
    groups = defaultdict(list)
    for piece in found:
        name = UNFIT.sub(
            "-", f"{piece.name}_{piece.number}" if piece.name in shared else piece.name
        ).strip(" .")
        if name:
            groups[name].append(piece)
        else:
            report.notes.append(
                f"{piece.path.name}: whose is it? Put it into a folder of the student's name"
            )
    report.notes += [
        f"{name}: {len(numbers[name])} students, told apart by Moodle's numbers"
        for name in sorted(shared)
    ]
    return dict(sorted(groups.items()))


def gather(student: str, parts: list[Piece], place: Path, report: Report) -> None:
    """Copy a student's files into one folder; what came packed is unpacked, as far as it can be."""
    place.mkdir()
    notebooks = []
    for number, part in enumerate(parts):
        content = [part.path]
        if part.file.lower().endswith(".zip"):
            try:
                apart = place.with_name(f"{place.name}-{number}")
                content = files_of(unpacked(part.path, apart, LARGEST_OF_ONE, files=1_000))
            except ToolError as error:
                report.notes.append(f"{student}: {part.file} could not be unpacked: {error}")
        for path in content:
            name = part.file if path == part.path else readable(Path(path.name)).name
            if name == STAMP:
                continue
            target = free(place, name)
            shutil.copyfile(path, target)
            if NOTEBOOK.search(target.name):
                notebooks.append(target.name)
    if len(notebooks) != 1:
        there = ", ".join(notebooks or sorted(path.name for path in place.iterdir()))
        report.notes.append(f"{student}: {len(notebooks) or 'no'} notebooks: {there}")


def free(folder: Path, name: str) -> Path:
    """Return a path in a folder that nothing stands at: that of a name, or with a number in it."""
    name = UNFIT.sub("-", name)
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{number} {name}"
    return path


def put(place: Path, course: Path, assignment: str, student: str, report: Report) -> None:
    """Move a folder to where submissions stand; keep what stood there if it differs."""
    target = course / "submitted" / student / assignment
    if target.exists():
        if contents(target) == contents(place):
            report.unchanged.append(student)
            return
        old = free_folder(course / "marking" / "replaced" / assignment, student)
        old.parent.mkdir(parents=True, exist_ok=True)
        target.rename(old)
        report.replaced.append(student)
    else:
        report.new.append(student)
    target.parent.mkdir(parents=True, exist_ok=True)
    place.rename(target)


def free_folder(folder: Path, name: str) -> Path:
    """Return the path of the next folder of a name: "name 1", "name 2"."""
    number = 1
    while (folder / f"{name} {number}").exists():
        number += 1
    return folder / f"{name} {number}"


def contents(folder: Path) -> dict[str, bytes]:
    """Return a submission's files without the time, which only the instructor or nbgrader adds."""
    files = [path for path in files_of(folder) if path.name != STAMP]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
