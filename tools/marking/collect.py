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

A later download must find the folders of an earlier one, also where the instructor has renamed one:
a hidden file in each says what the download called the student.

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
from pathlib import Path, PurePath, PurePosixPath

from cxr_helpers.fetch import FetchError, extract
from tools.common import ToolError
from tools.marking.submission import released

MOODLE = re.compile(r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_[a-z]+_?(?P<file>.*)")
CANVAS = re.compile(
    r"(?:(?P<name>(?!LATE_|anon_).+?)_)?(?:(?P<late>LATE)_)?(?P<number>\d+|anon_[^\W_]+)_"
    r"(?:\d+_(?P<file>.+)|(?P<typed>(?:text|link)\.html))"
)
NOTEBOOK = re.compile(r"\.ipynb", re.IGNORECASE)
# nbgrader takes some of these for patterns, and no file system takes all of the others.
UNFIT = re.compile(r'[*?\[\]+{}<>:"|\\/\x00-\x1f]')
# nbgrader reads lateness from it: the instructor's to write, not the student's
STAMP = "timestamp.txt"
WHOSE = ".whose"  # what a download called the student: name and number, a line each
NOBODY_S = "whose is it? Put it into a folder of the student's name"
LARGEST = 5_000_000_000  # bytes of a download, unpacked
LARGEST_OF_ONE = 200_000_000  # bytes of what one student has packed


@dataclass(frozen=True)
class Piece:
    """One file that was handed in: whose, its own name, where; and whether Canvas calls it late.

    Whose: a name, and Moodle's number of the participant. `hidden`: Jupyter or a Mac has put it
    beside the student's files.
    """

    name: str
    number: str
    file: str
    path: Path
    late: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Known:
    """A folder that an earlier download has filled, whatever it is called now."""

    folder: str
    assignment: str
    name: str
    number: str

    @property
    def folders(self) -> set[str]:
        """What the folder was called at first."""
        return {fit(self.name), fit(f"{self.name}_{self.number}")}


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
        groups = by_student(found, course, assignment, report)
        for number, (student, parts) in enumerate(groups.items()):
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
    """Return all files below a folder, the topmost first, and no link."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(found, key=lambda path: (len(path.parts), path))


def hidden(name: PurePath) -> bool:
    """Tell whether a file is one that Jupyter or a Mac puts beside those of a person."""
    return any(part.startswith((".", "__MACOSX")) for part in name.parts)


def visible(folder: Path) -> list[Path]:
    """Return the files below a folder that a person has put there."""
    return [path for path in files_of(folder) if not hidden(path.relative_to(folder))]


def pieces(folder: Path, assignment: str, report: Report) -> list[Piece]:
    """Return the files of a download with whose they are; a file of nobody's is noted."""
    paths = of_somebody({path: readable(path.relative_to(folder)) for path in files_of(folder)})
    while paths and not own_folder([*paths.values()], assignment):  # a folder around everything
        inner = {path: PurePosixPath(*name.parts[1:]) for path, name in paths.items()}
        paths = of_somebody(inner)
    of_moodle = {path: MOODLE.fullmatch(name.parts[0]) for path, name in paths.items()}
    of_canvas = {
        path: CANVAS.fullmatch(name.name) if len(name.parts) == 1 else None
        for path, name in paths.items()
    }
    # a student's own file may be named like another system's: most of the download decide
    moodle_s, canvas_s = (sum(map(bool, of.values())) for of in (of_moodle, of_canvas))
    from_moodle = 0 < moodle_s >= canvas_s
    from_canvas = not from_moodle and 2 * canvas_s > len(paths)
    found = []
    for path, name in paths.items():
        number, file, late = "", name.name, False
        if from_moodle and (match := of_moodle[path]):
            who, number = match["name"], match["number"] or ""
            file = file if len(name.parts) > 1 else match["file"]
        elif from_canvas and (match := of_canvas[path]):
            who = "_".join(filter(None, [match["name"], match["number"]]))
            file, late = match["file"] or match["typed"], bool(match["late"])
        elif len(name.parts) == 1 and (from_moodle or from_canvas):
            who = ""  # such as a list that lies beside an unpacked download
        else:
            who = owner(name, assignment)
        if who:
            aside = hidden(name) or hidden(PurePosixPath(file))
            found.append(Piece(who, number, file, path, late, aside))
        else:
            report.notes.append(f"{name}: {NOBODY_S}")
    if len(found) == 1 and len(found[0].path.relative_to(folder).parts) > len(name.parts):
        around = found[0].path.parent.name
        report.notes.append(f"{found[0].name}: a student, or is the folder's name, {around}, one?")
    return found


def of_somebody(paths: dict[Path, PurePosixPath]) -> dict[Path, PurePosixPath]:
    """Return the paths whose first part may be a student's name."""
    return {path: name for path, name in paths.items() if not hidden(PurePath(name.parts[0]))}


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
    return re.sub(r"\(\d+\)$", "", stem).strip()  # a browser numbers a second file of a name


def by_student(
    found: list[Piece], course: Path, assignment: str, report: Report
) -> dict[str, list[Piece]]:
    """Return the pieces by the name of the student's folder.

    Moodle's number changes from one assignment to the next and is left out, but for those who share
    a name. What an earlier download has called the same goes to the folder that holds it now.
    """
    known = known_in(course)
    here = [one for one in known if one.assignment == assignment]
    numbers = defaultdict(set)
    for name, number in {(p.name, p.number) for p in found} | {(k.name, k.number) for k in here}:
        numbers[name].add(number)
    shared = {name for name, of_name in numbers.items() if len(of_name - {""}) > 1}
    folders: dict[tuple[str, str], str] = {}
    groups = defaultdict(list)
    for piece in found:
        name, number = piece.name, piece.number
        wanted = fit(f"{name}_{number}" if name in shared else name)
        if not wanted:
            report.notes.append(f"{piece.path.name}: {NOBODY_S}")
            continue
        if (name, number) not in folders:
            same = [one for one in known if one.name == name]
            if name in shared:
                same = [one for one in same if one in here and one.number == number]
            old = {one.folder for one in same if one in here} or {one.folder for one in same}
            others = {folder.casefold() for folder in folders.values()}
            others |= {one.folder.casefold() for one in here if fit(one.name) == one.folder}
            if len(old) == 1:
                (wanted,) = old
            elif wanted.casefold() in others:
                taken, count = wanted, 2
                while (wanted := f"{taken} {count}").casefold() in others:
                    count += 1
                report.notes.append(f"{wanted}: not the student of the folder {taken}")
            folders[name, number] = wanted
        groups[folders[name, number]].append(piece)
    report.notes += [
        f"{name}: {len(numbers[name] - {''})} students, told apart by Moodle's numbers"
        for name in sorted(shared)
    ]
    return dict(sorted(groups.items()))


def fit(name: str) -> str:
    """Return a name as nbgrader and any file system takes it for a folder's."""
    return UNFIT.sub("-", name).strip(" .")


def known_in(course: Path) -> list[Known]:
    """Return the folders of submissions that earlier downloads have filled."""
    found = []
    for path in (course / "submitted").glob(f"*/*/{WHOSE}"):
        found.append(Known(path.parts[-3], path.parts[-2], *called(path.parent)))
    return found


def called(folder: Path) -> tuple[str, str]:
    """Return what a download called the student of a submission: name, number; "" if none did."""
    path = folder / WHOSE
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    name, _, number = text.strip().partition("\n")
    return name, number


def gather(student: str, parts: list[Piece], place: Path, report: Report) -> None:
    """Copy a student's files into one folder; what came packed is unpacked, as far as it can be."""
    place.mkdir()
    (place / WHOSE).write_text(f"{parts[0].name}\n{parts[0].number}", encoding="utf-8")
    notebooks = []
    for number, part in enumerate(part for part in parts if not part.hidden):
        content = [part.path]
        if part.file.lower().endswith(".zip"):
            try:
                apart = place.with_name(f"{place.name}-{number}")
                content = visible(unpacked(part.path, apart, LARGEST_OF_ONE, files=1_000))
            except ToolError as error:
                why = str(error).removeprefix(f"{part.path}: ")
                report.notes.append(f"{student}: {part.file} could not be unpacked: {why}")
        for path in content:
            name = part.file if path == part.path else readable(Path(path.name)).name
            if name == STAMP:
                continue
            target = free(place, name)
            shutil.copyfile(path, target)
            if NOTEBOOK.search(target.name):
                notebooks.append(target.name)
    if len(notebooks) != 1:
        there = notebooks or [path.name for path in visible(place)] or [p.file for p in parts]
        report.notes.append(f"{student}: {len(notebooks) or 'no'} notebooks: {', '.join(there)}")


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
            shutil.copyfile(place / WHOSE, target / WHOSE)
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
    files = [path for path in visible(folder) if path.name != STAMP]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
