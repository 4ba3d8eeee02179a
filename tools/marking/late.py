"""Late days: deadlines, days that each student may be late, and what a further day costs.

An instructor's setting, COURSE/late.toml; without it nothing is late:

    days = 3          # that a student may be late without loss, over all exercises
    penalty = 0.1     # share of the score that each further day costs
    latest = 7        # days after which a submission gets nothing (leave it out: never)

    [deadlines]
    04_splitting_exercise = 2026-11-30T23:59:00+01:00

    [handed_in.04_splitting_exercise]       # where no timestamp.txt says it, or says it wrongly
    "anna@example.org" = 2026-12-02T08:00:00+01:00

A begun day is a day. Free days are spent in the order of the deadlines. When something was handed
in stands in the `timestamp.txt` beside it, as nbgrader writes it; a zip of Moodle or Canvas has
none.
"""

import csv
import io
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tools.common import ToolError
from tools.marking.mend import moment

SETTINGS = "late.toml"
KNOWN = {"days", "penalty", "latest", "deadlines", "handed_in"}
COLUMNS = ["student", "assignment", "deadline", "handed_in", "days", "free", "before", "score"]
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Rules:
    """The instructor's setting."""

    days: int = 0
    penalty: float = 0.0
    latest: float = math.inf
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    handed_in: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)

    def share(self, days: int, free: int) -> float:
        """What is left of a score after days late, of which some were free."""
        if days > self.latest:
            return 0.0
        return max(0.0, 1 - self.penalty * (days - free))


@dataclass(frozen=True)
class Settled:
    """The marks with lateness counted, and who has which days left."""

    rows: list[dict[str, str]]
    listed: list[dict[str, str]]  # a row for each late submission
    left: dict[str, int]  # free days by student, of those who spent any
    unknown: list[str]  # submissions with a deadline and no known time
    without: list[str]  # assignments with submissions and no deadline
    strange: list[str]  # of whom the setting gives a time, and nothing was handed in

    def text(self) -> str:
        """Return the late submissions as CSV."""
        out = io.StringIO()
        table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(self.listed)
        return out.getvalue()


def read(course: Path) -> Rules | None:
    """Return the setting of a course; None if it has none. Raises ToolError, which names what."""
    path = course / SETTINGS
    if not path.is_file():
        return None
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ToolError(f"{path}: {error}") from error
    if wrong := sorted(set(given) - KNOWN):
        raise ToolError(f"{path}: {', '.join(wrong)} means nothing; known: {sorted(KNOWN)}")
    for name in ("days", "penalty", "latest"):
        value = given.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ToolError(f"{path}: {name} must be a number from 0 on, not {value!r}")
    if given.get("penalty", 0) > 1 or given.get("days", 0) != int(given.get("days", 0)):
        raise ToolError(f"{path}: days is a whole number, and penalty a share from 0 to 1")
    tables = {"deadlines": given.get("deadlines", {}), "handed_in": given.get("handed_in", {})}
    if isinstance(tables["handed_in"], dict):
        tables |= {f"handed_in.{name}": one for name, one in tables["handed_in"].items()}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ToolError(f"{path}: {name} must be a table of its own: [{name}]")
    times = [table for name, table in tables.items() if name != "handed_in"]
    for name, value in (item for part in times for item in part.items()):
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise ToolError(f"{path}: {name} = 2026-11-30T23:59:00+01:00, with its offset")
    return Rules(**given)


def handed_in(course: Path, rules: Rules, student: str, assignment: str) -> datetime | None:
    """Return when something was handed in; None where nothing says so."""
    if own := rules.handed_in.get(assignment, {}).get(student):
        return own
    path = course / "submitted" / student / assignment / "timestamp.txt"
    if not path.is_file():
        return None
    found = moment(path.read_bytes()[:1000])
    return found and found.replace(tzinfo=UTC)


def settle(rows: Iterable[dict[str, str]], course: Path, rules: Rules) -> Settled:
    """Return the rows of `tools.marking.course.grades` with lateness taken off their scores."""
    rows = [dict(row) for row in rows]
    left: dict[str, int] = {}
    there = {(row["student"], row["assignment"]) for row in rows}
    without = sorted({assignment for _, assignment in there} - {*rules.deadlines, ""})
    strange = [
        f"{student}, {assignment}"
        for assignment, times in rules.handed_in.items()
        for student in times
        if (student, assignment) not in there
    ]
    result = Settled(rows, [], left, [], without, strange)
    due = [row for row in rows if row["assignment"] in rules.deadlines and row["score"] != ""]
    for row in sorted(due, key=lambda row: rules.deadlines[row["assignment"]]):
        student, assignment = row["student"], row["assignment"]
        deadline, time = rules.deadlines[assignment], handed_in(course, rules, student, assignment)
        if time is None:
            result.unknown.append(f"{student}, {assignment}")
            continue
        days = max(0, math.ceil((time - deadline).total_seconds() / DAY))
        if not days:
            continue
        free = 0 if days > rules.latest else min(days, left.get(student, rules.days))
        left[student] = left.get(student, rules.days) - free
        before = row["score"]
        row["score"] = f"{float(before) * rules.share(days, free):g}"
        times = {"deadline": deadline.isoformat(), "handed_in": time.isoformat()}
        told = {"days": str(days), "free": str(free), "before": before, "score": row["score"]}
        row["notes"] = "; ".join(filter(None, [row["notes"], note(told)]))
        result.listed.append({"student": student, "assignment": assignment} | times | told)
    return result


def note(late: dict[str, str]) -> str:
    """Return in words what a row of late submissions says."""
    days = f"{late['days']} day{'s' * (late['days'] != '1')} late"
    return f"{days}, {late['free']} of them free: {late['before']} became {late['score']}"
