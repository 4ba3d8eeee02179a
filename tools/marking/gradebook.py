"""Tables of a class: marks as Moodle and Canvas import them, and each question's commonest errors.

Both systems match rows to people by what they have exported themselves, so the roster is their own
export:

- Moodle: *Participants*, all selected, *Download table data as CSV*; or the grading worksheet of an
  assignment. Any columns may be imported that name a person, by *Email address* or *ID number*
  (docs.moodle.org, Grade import).
- Canvas: *Grades*, *Export*. Its importer (lib/gradebook_importer.rb of instructure/canvas-lms)
  wants the columns Student, ID and so on up to Section where they were, then an assignment a
  column, and takes the points possible from a row of that name.
"""

import csv
import io
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cxr_helpers import checks
from tools.common import ToolError
from tools.marking.mend import decoded

# What columns of a roster are called, in small letters without signs: English and German exports,
# and the obvious.
MEANINGS = {
    "email": ("emailaddress", "email", "emailadresse", "mail"),
    "id": (
        "idnumber",
        "id",
        "idnummer",
        "matrikelnummer",
        "studentid",
        "sisuserid",
        "sisloginid",
        "username",
        "login",
    ),
    "first": ("firstname", "vorname", "givenname"),
    "last": ("lastname", "nachname", "surname", "familyname"),
    "name": ("fullname", "name", "student", "vollständigername"),
}
FORMATS = ("moodle", "canvas")
NEVER = "nothing was handed in"


@dataclass(frozen=True)
class Roster:
    """A class as a system exports it: columns that name people, a row and ways to write each."""

    columns: list[str]
    rows: list[list[str]]
    known: dict[str | tuple[str], set[int]]  # by what is `plain`, and by what is written `exactly`

    def find(self, folder: str) -> set[int]:
        """Return the rows that a student's folder may belong to: by e-mail, number or name."""
        if exact := self.known.get(exactly(folder)):
            return exact
        found = set(self.known.get(plain(folder), ()))
        if match := re.fullmatch(
            r"(.*)_(\d+)", folder
        ):  # Canvas's number; Moodle's, where two share a name, is no help
            by_number, by_name = (self.known.get(plain(part), set()) for part in match.group(2, 1))
            found |= by_number & by_name or by_number | by_name
        return found


@dataclass
class Wide:
    """The marks of a class, a row for each of the roster, and what an instructor has to look at."""

    text: str
    unmatched: list[str] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plain(text: str) -> str:
    """Return a name as it is compared: small letters, vowel signs and digits, without the rest."""
    small = unicodedata.normalize("NFC", text).casefold()
    return "".join(c for c in small if c.isalnum() or unicodedata.category(c).startswith("M"))


def exactly(text: str) -> tuple[str]:
    """Return a name with its dots and hyphens, in which two addresses may differ alone."""
    return (unicodedata.normalize("NFC", text).casefold().strip(),)


def read_table(path: Path) -> list[list[str]]:
    """Return the rows of a CSV table that are not empty, in any encoding and with any separator.

    Raises ToolError, which names the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ToolError(
            f"{path}: cannot be read ({error.strerror}): name a table saved as CSV"
        ) from error
    if content.startswith(b"PK"):
        raise ToolError(f"{path}: is a spreadsheet: export or save it as CSV")
    text = re.sub(r"\Asep=.\s+", "", decoded(content).replace("\0", ""))  # a line for Excel
    head = text.lstrip().partition("\n")[0]
    table = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True
    )
    try:
        return [row for row in table if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise ToolError(
            f"{path}: line {table.line_num}: {error}: look for a quotation mark that is not closed"
        ) from error


def read_roster(path: Path, form: str) -> Roster:
    """Read a CSV table of the class; ToolError names the file."""
    rows = read_table(path)
    columns = [column.strip() for column in rows[0]] if rows else []
    meanings = [
        next((kind for kind, names in MEANINGS.items() if plain(c) in names), "") for c in columns
    ]
    of_canvas = {"ID", "Section"} <= set(columns) and bool({"Student", "LastName"} & set(columns))
    if form == "canvas":
        if not of_canvas:
            raise ToolError(
                f"{path}: has no columns Student, ID and Section: export it from Canvas, Grades, "
                "Export"
            )
        kept = list(range(columns.index("Section") + 1))
    else:
        if of_canvas:
            raise ToolError(f"{path}: is an export of Canvas: add FORMAT=canvas")
        kept = [number for number, kind in enumerate(meanings) if kind]
        if not {"email", "id"} & set(meanings):
            raise ToolError(
                f"{path}: no column says Email address or ID number, only "
                f"{', '.join(columns) or 'nothing'}"
            )
    people = [row + [""] * (len(columns) - len(row)) for row in rows[1:]]
    people = [
        row
        for row in people
        if row[0].strip() != "Points Possible" and any(row[n].strip() for n in kept)
    ]
    # who stands there twice alike is one
    people = [*{tuple(row[n].strip() for n in kept): row for row in people}.values()]
    known = defaultdict(set)
    for number, row in enumerate(people):
        for name in filter(plain, ways_to_write(row, meanings)):
            known[plain(name)].add(number)
            known[exactly(name)].add(number)
    return Roster(
        [columns[n] for n in kept], [[row[n] for n in kept] for row in people], dict(known)
    )


def ways_to_write(row: list[str], meanings: list[str]) -> set[str]:
    """Return how a submission may name a row's person: by e-mail, number, or either name first."""
    told = defaultdict(list)
    for value, meaning in zip(row, meanings, strict=False):
        told[meaning].append(value)
    found = {*told["email"], *told["id"], *told["name"]}
    pairs = [*zip(told["first"], told["last"], strict=False)]
    pairs += [tuple(name.split(",", 1)) for name in told["name"] if "," in name]  # "Müller, Anna"
    for one, other in pairs:
        found |= {f"{one} {other}", f"{other} {one}"}
    return found


def wide(rows: Iterable[dict[str, str]], roster: Roster, form: str) -> Wide:
    """Return marks as a system imports them.

    `rows`: those of `tools.marking.course.grades`, a dictionary for each student and assignment. A
    mark goes to the one row of the roster that its student's folder names; where none or several
    do, or two folders name the same row, it goes to nobody and is listed.
    """
    rows = [row for row in rows if row["outcome"] != NEVER]
    result, marks, points, maybe = Wide(""), defaultdict(list), {}, set()
    for row in rows:
        if row["max_score"]:
            points[row["assignment"]] = row["max_score"]
    for row in rows:
        student, assignment = row["student"], row["assignment"]
        found = roster.find(student)
        if len(found) != 1:
            maybe |= {(number, assignment) for number in found}
            why = (
                f"{len(found)} rows of the roster may be meant"
                if found
                else "in no row of the roster"
            )
            result.unmatched.append(
                f"{student} ({assignment or 'no assignment'}, {row['score'] or 'no mark'}): {why}"
            )
        elif assignment in points:
            marks[found.pop(), assignment].append(row)
        elif row["outcome"] != "marked":
            result.notes.append(f"{student}, {assignment or 'no assignment'}: {row['outcome']}")
    assignments = sorted(points)
    lines = [[*roster.columns, *assignments]]
    if form == "canvas":
        head = ["    Points Possible", *[""] * (len(roster.columns) - 1)]
        lines.append([*head, *(points[assignment] for assignment in assignments)])
    for number, person in enumerate(roster.rows):
        cells, name = [], ", ".join(value for value in person if value)
        for assignment in assignments:
            several = marks.get((number, assignment), [])
            cells.append(several[0]["score"] if len(several) == 1 else "")
            if len(several) > 1:
                folders = " and ".join(row["student"] for row in several)
                result.unmatched.append(f"{folders} ({assignment}): are both {name}")
            elif not several:
                above = " (or it is one of those that fit several rows)"
                result.nothing.append(
                    f"{name}: {assignment}{above if (number, assignment) in maybe else ''}"
                )
            elif several[0]["waits_for_hand_marking"] == "yes":
                result.notes.append(
                    f"{name}, {assignment}: waits for marking by hand; the mark is without it"
                )
            elif several[0]["outcome"] != "marked":
                result.notes.append(f"{name}, {assignment}: {several[0]['outcome']}")
        lines.append([*person, *cells])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    result.text = text.getvalue()
    return result


def summary(course: Path, assignment: str) -> str:
    """Return, as Markdown, how many got each question right, and the others' commonest errors."""
    paths = sorted((course / "marking" / "records" / assignment).glob("*.json"))
    # a folder that was renamed has left its record
    paths = [path for path in paths if (course / "submitted" / path.stem / assignment).is_dir()]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    records = [record for record in records if record["questions"]]
    if not records:
        raise ToolError(
            f"nothing of {assignment} is marked yet in {course}: make grade ASSIGNMENT={assignment}"
        )
    questions = checks.questions(assignment[:2]) if assignment[:2] in checks.lessons() else {}
    lines = [f"# {assignment}: {len(records)} marked", ""]
    lines += ["| question | right | most often wrong | students |", "|---|---|---|---|"]
    for name in dict.fromkeys(name for record in records for name in record["questions"]):
        answers = [record["questions"][name] for record in records if name in record["questions"]]
        if any(answer.get("by_hand") for answer in answers) or not name.startswith("test_"):
            continue
        wrong = [answer for answer in answers if not answer["score"]]
        short = name.removeprefix("test_")
        known = questions[short].mistakes if short in questions else {}
        why, count = next(
            iter(Counter(reason(one["message"], known) for one in wrong).most_common(1)), ("", 0)
        )
        lines.append(
            f"| {short} | {len(answers) - len(wrong)} of {len(answers)} | {why} | {count} |"
        )
    return "\n".join(lines) + "\n"


def reason(message: str, mistakes: dict) -> str:
    """Return why an answer got no points, in a word: the misconception, if recognised."""
    for name, mistake in mistakes.items():
        parts = [part for part in re.split(r"{[^{}]*}", mistake.message) if part.strip()]
        if all(part in message for part in parts):
            return name.replace("_", " ")
    if found := re.match(r"NotCorrect: .*?: (not attempted|raised)\. *(.*)", message, re.DOTALL):
        if found[1] == "not attempted":
            return found[1]
        said = found[2].partition("\n")[0][:60].replace("|", "\\|")  # a table's column ends there
        return f"an error: {said}" if said else "an error"
    kind = message.split(":")[0]
    words = {"NotCorrect": "not recognised", "NotRun": "could not be run", "": "no answer"}
    return words.get(kind, kind)
