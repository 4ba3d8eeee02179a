"""Who is on the image: the caller's rule or the table's column, and what stands for nobody."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pandas as pd

from . import _names as naming
from ._layout import Row
from ._table import ManifestError, plural, some

# What a caller may give for a column: a text, a function of the path, or nothing.
Rule = str | Callable[[str], str | None] | None


def nih_patient(name: str) -> str | None:
    """Patient of a file named as in NIH ChestX-ray14, ``PPPPPPPP_VVV.png``, else None.

    P is the patient, V the visit.

    Parameters
    ----------
    name : str
        Name or path of the file.

    Returns
    -------
    str or None
        Eight digits.

    Examples
    --------
    >>> nih_patient("00000013_005.png"), nih_patient("covid-19.png")
    ('00000013', None)
    """
    match = re.fullmatch(r"(\d{8})_\d{3}", PurePosixPath(name).stem)
    return match.group(1) if match else None


def patients(rows: list[Row], patient: Rule) -> tuple[list[str | None], list[str]]:
    """Patient of each row, by the caller's rule or from the table, and a remark on it."""
    notes = []
    if patient is None:
        found = [row.patient for row in rows]
    elif callable(patient):
        found = [patient(row.path) for row in rows]
        if odd := [
            value for value in found if not (pd.api.types.is_scalar(value) or value is None)
        ]:
            raise ManifestError(
                f"patient= gave {odd[0]!r:.80}, which is no name: give text, a number or None"
            )
    else:
        match = nih_patient if patient == "nih" else _pattern(patient)
        found = [match(Path(row.path).name) for row in rows]
        if not any(found) and patient != "nih":
            found = [next(filter(None, map(match, reversed(_folders(row)))), None) for row in rows]
            notes += ["patient from the folders"] if any(found) else []
        fits = sum(map(bool, found))
        if rows and not fits:
            raise ManifestError(
                f"patient={patient!r} fits none of the {len(rows)} file names (the first is "
                f"{Path(rows[0].path).name!r}): correct it, or pass patient=None where nobody "
                "recorded them"
            )
        if fits < len(rows) and not notes:
            notes.append(f"patient={patient!r} fits {fits} of {len(rows)} file names")
    clean = [text(value) for value in found]
    unknown = _placeholders(clean, [row.name for row in rows])
    if unknown:
        notes.append(
            f"patient {some(map(repr, unknown))} taken as unknown: it stands for nobody or for "
            "several"
        )
    clean = [None if value in unknown else value for value in clean]
    clean, more = _one_spelling(clean)
    notes += more + _odd(clean, [row.name for row in rows])
    known = {value for value in clean if value is not None}
    share = f"{len(clean) - clean.count(None):,} of {plural(len(rows), 'image')}"
    shown = f"{plural(len(known), 'patient')} known for {share}"
    return clean, [shown if known else "no patient known", *notes]


def _pattern(patient: str) -> Callable[[str], str | None]:
    """The group of a regular expression in a name."""
    try:
        pattern = re.compile(patient)
    except (re.error, TypeError) as error:
        raise ManifestError(f"patient={patient!r} is no regular expression ({error})") from error
    if pattern.groups != 1:
        raise ManifestError(f"patient={patient!r} needs exactly one group, as in '(P[0-9]+)_'")
    return lambda name: (m := pattern.search(name)) and m.group(1)


def _folders(row: Row) -> tuple[str, ...]:
    return PurePosixPath(row.image_id).parts[:-1]


def text(value: object) -> str | None:
    """Text of a patient, view ... without blanks at its ends; 0 is one, an empty one is None."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    return re.sub(r"^(\d+)\.0$", r"\1", str(value).strip()) or None


def _one_spelling(values: list[str | None]) -> tuple[list[str | None], list[str]]:
    """Patients whose names differ only in case, blanks or leading zeros as one, and a note.

    An example: "P1" and "p 1".
    """
    spelled: dict[str, list[str]] = {}
    for value in sorted({value for value in values if value is not None}):
        spelled.setdefault("".join(value.casefold().split()).lstrip("0") or "0", []).append(value)
    several = [names for names in spelled.values() if len(names) > 1]
    first = {value: names[0] for names in several for value in names}
    shown = some((" = ".join(map(repr, names)) for names in several), 3)
    notes = [f"patients that are spelled in several ways taken as one: {shown}"] if several else []
    return [None if value is None else first.get(value, value) for value in values], notes


def _odd(values: list[str | None], classes: list[str | None]) -> list[str]:
    """Notes on patients that may be none.

    Numbers that a spreadsheet has cut, one for a whole class or most images.
    """
    counts = Counter(value for value in values if value is not None)
    cut = [value for value in counts if re.fullmatch(r"\d[.,]\d+[eE]\+\d+", value)]
    notes = (
        [f"patient numbers that a spreadsheet has cut ({some(cut, 3)}): several people may be one"]
        if cut
        else []
    )
    for name, images in Counter(classes).items():
        own = {value for value, of in zip(values, classes, strict=True) if of == name}
        if len(own) == 1 and images > 2 and None not in own:
            notes.append(
                f"all {images} images of {name} are of one patient ({own.pop()!r}): is that a "
                "patient?"
            )
    for value, n in counts.most_common(1):
        if n > 4 and 2 * n > len(values) and len(counts) > 2:
            notes.append(f"patient {value!r} has {n} of {len(values)} images: is that one person?")
    return notes


_NOBODY = {
    "na",
    "nan",
    "none",
    "null",
    "unknown",
    "unk",
    "missing",
    "notavailable",
    "notknown",
    "anonymous",
    "anonym",
    "anon",
    "tbd",
    "notrecorded",
    "notstated",
    "notgiven",
    "unspecified",
    "undefined",
    "nopatient",
    "empty",
    "noid",
    "patient",
    "x",
    "xx",
    "xxx",
    "#na",
    "#n/a",
    "#value!",
    "<na>",
    "-",
    "--",
    "?",
    "??",
    "-1",
}


def _placeholders(values: list[str | None], classes: list[str | None]) -> list[str]:
    """Values that stand for nobody: by their name; and 0, where far more images have it."""
    counts = Counter(value for value in values if value is not None)
    found = {value for value in counts if naming.key(value) in _NOBODY}
    for zero in (value for value in counts if naming.key(value) == "0"):
        others = [n for value, n in counts.items() if value != zero and value not in found]
        mixed = (
            len({name for value, name in zip(values, classes, strict=True) if value == zero}) > 1
        )
        if counts[zero] > 1 and (mixed or counts[zero] > 2 * max(others, default=0)):
            found.add(zero)
    return sorted(found)
