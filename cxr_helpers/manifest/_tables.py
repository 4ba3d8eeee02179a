"""A CSV that lists images: which columns are meant, and which file a cell names."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from .. import images
from . import _layout as layout
from . import _names as naming
from ._table import ManifestError, plural, read_csv, some

# What a column may be called, as `naming.key` writes it.
_PATIENT = {
    "patient",
    "patientid",
    "patientnumber",
    "patientno",
    "subject",
    "subjectid",
    "person",
    "personid",
}
_SPLIT = {
    "split",
    "subset",
    "partition",
    "set",
    "dataset",
    "part",
    "phase",
    "usage",
    "datasplit",
    "traintest",
}
_VIEW = {"view", "viewposition", "projection", "frontallateral", "modality"}
_NOT_FRONTAL = dict.fromkeys(["l", "ll", "rl", "lld", "rld"], "lateral view") | dict.fromkeys(
    ["mr", "us", "mg", "pt", "nm", "xa"], "other examination"
)
_LISTS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".json")
_FIELDS = ["path", "name", "split", "patient", "view"]


@dataclass(frozen=True)
class Listed:
    """The wanted columns of a CSV under our names, indexed by line number.

    Also the column of each field, and the columns not used.
    """

    rows: pd.DataFrame
    columns: dict[str, str]
    unused: list[str]


def listed(csv: Path, wanted: Mapping[str, str], patient_is_given: bool) -> Listed:
    """Read a table of images.

    ``wanted``: {field: column}; patient, split and view are looked for where not wanted.
    """
    table = read_csv(csv, dtype="string", needed=wanted.values())
    if missing := [column for column in wanted.values() if column not in table.columns]:
        hint = ""
        if len(table.columns) == 1 and (
            mark := next((m for m in ";\t|" if m in table.columns[0]), None)
        ):
            hint = (
                f". It is one column, with {mark!r} between the fields: save the table with commas"
            )
        elif len(table.columns) == 1:
            hint = (
                ". It is one column: is there a first line with the columns' names, and a "
                "comma between the fields?"
            )
        raise ManifestError(
            f"{csv} has no column {', '.join(missing)}; it has {', '.join(table.columns)}{hint}"
        )
    columns = dict(wanted)
    for field, known in (("patient", _PATIENT), ("split", _SPLIT)):
        if field in columns or (field == "patient" and patient_is_given):
            continue
        candidates = [c for c in table.columns if naming.key(c) in known and c != columns["name"]]
        if field == "split":
            candidates = [
                c for c in candidates if table[c].dropna().map(naming.split_of).notna().all()
            ]
        if len(candidates) > 1:
            raise ManifestError(
                f"{csv} has several columns for the {field}: {some(candidates)}; pass "
                f"{field}_column="
            )
        # as pandas writes a name that stands there twice
        if candidates and f"{candidates[0]}.1" in table.columns:
            raise ManifestError(
                f"{csv} has two columns called {candidates[0]}: rename or remove one"
            )
        if candidates and table[candidates[0]].notna().any():
            columns[field] = candidates[0]
    views = [c for c in table.columns if naming.key(c) in _VIEW and c not in columns.values()]
    chosen = pd.DataFrame(
        {field: table[column].str.strip() for field, column in columns.items()}
    ).replace("", None)
    chosen["view"] = _views(table[views])
    chosen = chosen.reindex(columns=_FIELDS).astype(object)
    unused = [
        c
        for c in table.columns
        if c not in {*columns.values(), *views} and not c.startswith("Unnamed: ")
    ]
    return Listed(chosen.set_axis(range(2, len(chosen) + 2)), columns, unused)


def _views(cells: pd.DataFrame) -> list[str | None]:
    """Per row the cell that says "no frontal radiograph", else the first one."""
    rows = []
    for line in cells.to_numpy(object):  # pandas 2.2 has no tuples for a table without columns
        said = [cell.strip() for cell in line if isinstance(cell, str) and cell.strip()]
        rows.append(next(filter(no_radiograph, said), said[0] if said else None))
    return rows


def no_radiograph(view: str | None) -> str | None:
    """Why a cell for view or modality says that the image is no frontal radiograph, or None."""
    return view and (_NOT_FRONTAL.get(naming.key(view)) or naming.no_radiograph(view))


def beside(csv: Path) -> list[str]:
    """A note on other lists in the folder whose names tell of a split, labels or patients."""
    told = re.compile(r"train|val|test|split|label|class|patient|metadata|bbox")
    names = sorted(
        path.name for path in csv.parent.iterdir() if path.suffix.lower() in _LISTS and path != csv
    )
    found = [name for name in names if told.search(name.casefold())]
    return [f"other lists beside it, not read: {some(found)}"] if found else []


class Finder:
    """The absolute path of the file a cell names: as it stands, or the only one below that fits.

    ``several``: {path as written: files that would fit}, for cells that are not clear.
    """

    def __init__(self, root: Path):
        self.root = root
        self.several: dict[str, list[str]] = {}
        self._below = 0
        self._index: dict[str, list[tuple[str, tuple[str, ...]]]] | None = None

    def __call__(self, text: str) -> str:
        places = [os.path.abspath(self.root / name) for name in (text, text.replace("\\", "/"))]
        if direct := next(filter(os.path.isfile, places), None):
            return direct
        found = self._fitting(PurePosixPath(text.replace("\\", "/").casefold()).parts)
        if len(found) == 1:
            self._below += 1
            return os.path.abspath(self.root / found[0])
        if found:
            self.several[places[-1]] = found
        return places[-1]

    def said(self) -> list[str]:
        """A note on names that were completed."""
        if not self._below:
            return []
        return [
            f"{plural(self._below, 'file')} found below {self.root.name} by the end of the path"
        ]

    def _fitting(self, wanted: tuple[str, ...]) -> list[str]:
        """Files whose path ends as the cell.

        Where folders above the root stand in the cell, the cell ends as the path.
        """
        if not wanted:
            return []
        if self._index is None:
            self._index = _by_name(self.root)
        found = []
        for path, parts in self._index.get(wanted[-1], []):
            longer, shorter = (wanted, parts) if len(wanted) > len(parts) else (parts, wanted)
            rest = len(longer) - len(shorter)
            known = (
                longer is parts or len(shorter) > 1 or longer[rest - 1] == self.root.name.casefold()
            )
            if known and longer[rest:] == shorter:
                found.append(path)
        return found


def _by_name(root: Path) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """{name, with and without extension: (path, its parts ending so)}; no masks and the like."""
    index: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for path in layout.list_files(root).images if root.is_dir() else []:
        place = PurePosixPath(path)
        if any(naming.no_radiograph(part) for part in place.parts[:-1]):
            continue
        folded = PurePosixPath(path.casefold())
        for name in (
            {folded.name, folded.stem} if folded.suffix in images.EXTENSIONS else {folded.name}
        ):
            index.setdefault(name, []).append((path, (*folded.parts[:-1], name)))
    return index
