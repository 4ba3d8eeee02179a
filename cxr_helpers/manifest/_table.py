"""The rules of the manifest: columns, types, check, writing and reading."""

import csv as csv_reader
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from .. import files

LABELS = ("normal", "covid", "viral", "bacterial", "effusion", "pneumonia", "non_covid")
SPLITS = ("train", "val", "test")
COLUMNS = (
    "image_id",
    "path",
    "label",
    "patient",
    "group",
    "source",
    "view",
    "split",
    "fold",
    "width",
    "height",
    "mode",
    "format",
    "bytes",
    "sha256",
    "licence",
    "original_label",
)
_MAX_FIELD = 1 << 30  # characters of one cell; a report may be long
_INTEGERS = ("width", "height", "bytes")
_TEXTS = tuple(c for c in COLUMNS if c not in (*_INTEGERS, "label", "split", "fold"))


class ManifestError(ValueError):
    """A table, or a folder to be made into one, that breaks the rules of a manifest."""


def check(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the manifest's columns, order and types.

    The rows keep their order under a fresh RangeIndex.

    Parameters
    ----------
    table : DataFrame
        One row for each image, with all `COLUMNS`; further columns stay, behind them.

    Returns
    -------
    DataFrame
        A copy: texts as `string`, `label` and `split` categorical, `fold` as `Int64`, sizes as
        `int64`.

    Raises
    ------
    ManifestError
        Lists every fault and the rows where it is.

    Examples
    --------
    >>> empty = pd.DataFrame(columns=COLUMNS)
    >>> check(empty)["fold"].dtype
    Int64Dtype()
    >>> row = {"image_id": "a", "path": "a.png", "label": "flu", "sha256": "0" * 64}
    >>> check(pd.DataFrame([row | dict.fromkeys(("width", "height", "bytes"), 1)], columns=COLUMNS))
    Traceback (most recent call last):
    cxr_helpers.manifest._table.ManifestError: the manifest has 1 fault:
    - label is not one of normal, covid, viral, bacterial, effusion, pneumonia, non_covid: a
    """
    if missing := [c for c in COLUMNS if c not in table.columns]:
        raise ManifestError(
            f"the manifest has no column {', '.join(missing)}: build it with manifest.from_folder"
        )
    table = table.reset_index(drop=True)
    ids = table["image_id"].astype("string")
    split, label = table["split"].astype("string"), table["label"].astype("string")
    faults = {
        "image_id is empty": ids.isna() | (ids == ""),
        "image_id is not unique": ids.duplicated(keep=False),
        "path is empty": table["path"].isna() | (table["path"] == ""),
        f"label is not one of {', '.join(LABELS)}": ~label.isin(LABELS),
        f"split is neither empty nor one of {', '.join(SPLITS)}": split.notna()
        & ~split.isin(SPLITS),
        "sha256 is not 64 hexadecimal digits": ~table["sha256"]
        .astype("string")
        .str.fullmatch("[0-9a-f]{64}"),
    }
    numbers = {c: pd.to_numeric(table[c], errors="coerce") for c in (*_INTEGERS, "fold")}
    for column in _INTEGERS:
        faults[f"{column} is not a positive whole number"] = ~(
            (numbers[column] > 0) & (numbers[column] % 1 == 0)
        )
    faults["fold is not a whole number from 0"] = table["fold"].notna() & ~(
        (numbers["fold"] >= 0) & (numbers["fold"] % 1 == 0)
    ).fillna(False).astype(bool)
    if "full_scale" in table.columns:
        white = pd.to_numeric(table["full_scale"], errors="coerce")
        faults["full_scale is not a number from 1 to 65,535"] = table[
            "full_scale"
        ].notna() & ~white.between(1, 65535)
    faults = {what: where.fillna(True).astype(bool) for what, where in faults.items()}
    found = [
        f"- {what}: {some(ids[where].fillna('<NA>'))}"
        for what, where in faults.items()
        if where.any()
    ]
    if found:
        raise ManifestError("\n".join([f"the manifest has {plural(len(found), 'fault')}:", *found]))
    return typed(table)


def write(table: pd.DataFrame, csv: str | os.PathLike[str]) -> None:
    """Check a manifest and write it as CSV, atomically; paths relative to its folder if possible.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    csv : str or path
        The file.

    Raises
    ------
    ManifestError
        As `check` does, and where the path is that of a folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> row = {"image_id": "a", "label": "normal", "width": 1, "height": 1, "bytes": 1}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     row["path"], row["sha256"] = os.path.join(folder, "sub", "a.png"), "0" * 64
    ...     table = pd.DataFrame([row], columns=COLUMNS)
    ...     write(table, Path(folder, "manifest.csv"))
    ...     print(Path(folder, "manifest.csv").read_text()[:50])
    ...     read(Path(folder, "manifest.csv")).equals(check(table))
    image_id,path,label,patient,group,source,view,spli
    True
    """
    table = check(table)
    target = Path(os.path.abspath(csv))
    if target.exists() and not target.is_file():
        raise ManifestError(f"{target} is a folder or a device: give the path of a file")
    table["path"] = [_relative(path, target.parent) for path in table["path"]]
    with files.whole_file(target) as part:
        table.to_csv(part, index=False, lineterminator="\n")


def read(csv: str | os.PathLike[str]) -> pd.DataFrame:
    """Read and check a manifest that `write` wrote; paths come back absolute.

    Parameters
    ----------
    csv : str or path
        The file.

    Returns
    -------
    DataFrame
        As `check` returns it.

    Raises
    ------
    ManifestError
        Where the file is absent or breaks the rules.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(pd.DataFrame(columns=COLUMNS), Path(folder, "manifest.csv"))
    ...     read(Path(folder, "manifest.csv")).shape
    (0, 17)
    """
    found = Path(os.path.abspath(csv))
    table = read_csv(found, dtype=dict.fromkeys(_TEXTS, "string"))
    if "path" in table.columns:
        folder = str(found.parent)
        table["path"] = [
            p if pd.isna(p) else os.path.normpath(os.path.join(folder, p)) for p in table["path"]
        ]
    return check(table)


def digest(table: pd.DataFrame) -> str:
    """SHA-256 (hexadecimal) of the column sha256 in row order: same images and order, same digest.

    Parameters
    ----------
    table : DataFrame
        A manifest.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> table = pd.DataFrame({"sha256": ["0" * 64, "1" * 64], "label": ["normal", "covid"]})
    >>> digest(table) == digest(table.assign(label="normal")), digest(table) == digest(table[::-1])
    (True, False)
    """
    return files.sha256("\n".join(table["sha256"]).encode())


def scales(table: pd.DataFrame) -> list[float | None]:
    """The `full_scale` for `images.read`, for each row; None where the file leaves nothing open.

    Parameters
    ----------
    table : DataFrame
        A manifest, with or without the column `full_scale`.

    Returns
    -------
    list of float or None
        Grey levels, 1 to 65,535.

    Examples
    --------
    >>> scales(pd.DataFrame({"image_id": ["a", "b"], "full_scale": [4095, None]}))
    [4095.0, None]
    >>> scales(pd.DataFrame({"image_id": ["a", "b"]}))
    [None, None]
    """
    if "full_scale" not in table.columns:
        return [None] * len(table)
    return [None if pd.isna(white) else float(white) for white in table["full_scale"]]


def concat(tables: Iterable[pd.DataFrame] | Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put manifests one under the other; given as {name: table}, image_id gets the name in front.

    The column group is emptied, because groups must be found anew across sets: call
    duplicates.add_groups. Patients of equal name count as one patient.

    Parameters
    ----------
    tables : iterable of DataFrame, or mapping of str to DataFrame
        Manifests.

    Returns
    -------
    DataFrame
        A manifest.

    Raises
    ------
    ManifestError
        For example where an image_id occurs twice, or nothing is given.

    Examples
    --------
    >>> row = {"image_id": "1.png", "label": "normal", "group": "g", "path": "1.png"}
    >>> table = pd.DataFrame([row], columns=COLUMNS)
    >>> table = table.assign(sha256="0" * 64, width=1, height=1, bytes=1)
    >>> both = concat({"here": table, "there": table})
    >>> both["image_id"].tolist(), int(both["group"].notna().sum())
    (['here/1.png', 'there/1.png'], 0)
    """
    if isinstance(tables, Mapping):
        every = [
            table.assign(image_id=name + "/" + table["image_id"]) for name, table in tables.items()
        ]
    else:
        every = list(tables)
    plain = [
        t.assign(label=t["label"].astype("string"), split=t["split"].astype("string"))
        for t in every
    ]
    if not plain:
        raise ManifestError("nothing to concatenate: give at least one manifest")
    return check(pd.concat(plain, ignore_index=True).assign(group=pd.NA))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Columns in order, each with its type."""
    others = [c for c in table.columns if c not in COLUMNS]
    table = table[[*COLUMNS, *others]].copy()
    present = set(table["label"])
    table["label"] = pd.Categorical(
        table["label"].astype(object), categories=[label for label in LABELS if label in present]
    )
    split = table["split"].astype(object).where(table["split"].notna(), None)
    table["split"] = pd.Categorical(split, categories=list(SPLITS))
    table["fold"] = pd.to_numeric(table["fold"]).astype("Int64")
    return table.astype(dict.fromkeys(_TEXTS, "string") | dict.fromkeys(_INTEGERS, "int64"))


def read_csv(
    csv: Path, dtype: str | Mapping[str, str], needed: Iterable[str] = COLUMNS
) -> pd.DataFrame:
    """A table whose lines fit its header.

    Names have no blanks at their ends; only an empty cell is missing.

    ``needed``: columns that must not stand twice. Raises ManifestError.
    """
    if csv.exists() and not csv.is_file():  # to open a named pipe is to wait for ever
        raise ManifestError(f"{csv} is not a regular file: give the path of a CSV table")
    try:
        with open(csv, "rb") as file:
            start = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
        if start.startswith((b"<", b"PK\x03\x04")):
            what = "a web page" if start.startswith(b"<") else "a spreadsheet or an archive"
            raise ManifestError(
                f"{csv} is {what}, not a CSV table: download the table itself, or save it as CSV"
            )
        header = _header(csv)
        table = pd.read_csv(
            csv,
            dtype=dtype,
            keep_default_na=False,
            na_values=[""],
            encoding="utf-8-sig",
            index_col=False,
        )
    except FileNotFoundError as error:
        raise ManifestError(f"{csv} does not exist: check the path") from error
    except ManifestError:
        raise
    except (ValueError, OSError, csv_reader.Error) as error:
        raise ManifestError(
            f"{csv} cannot be read as a CSV table in UTF-8 ({error}): save it again as that"
        ) from error
    if twice := sorted(name for name in set(needed) if header.count(name) > 1):
        raise ManifestError(
            f"{csv} has two columns called {', '.join(twice)}: rename or remove one"
        )
    return table.set_axis(header, axis=1) if len(set(header)) == len(table.columns) else table


def _header(csv: Path) -> list[str]:
    """Names of the columns; a line longer than these would be read into the wrong columns."""
    before = csv_reader.field_size_limit(_MAX_FIELD)
    try:
        with open(csv, encoding="utf-8-sig", newline="") as file:
            lines = csv_reader.reader(file)
            header = [name.strip() for name in next(lines, [])]
            for line in lines:
                if len(line) > len(header) and any(line[len(header) :]):
                    problem = (
                        f"has {len(line)} fields in line {lines.line_num}, but "
                        f"{len(header)} columns"
                    )
                    raise ManifestError(
                        f"{csv} {problem}: put cells that hold a comma in quotation marks"
                    )
    finally:
        csv_reader.field_size_limit(before)
    return [name or f"Unnamed: {number}" for number, name in enumerate(header)]


def _relative(path: str, folder: Path) -> str:
    """Relative where image and CSV share more than the disk's root: both can move together."""
    try:
        shared = Path(os.path.commonpath([path, folder]))
    except ValueError:  # different drives
        return path
    return path if shared == Path(shared.anchor) else Path(os.path.relpath(path, folder)).as_posix()


def some(values: Iterable[object], most: int = 5) -> str:
    texts = [str(value) for value in values]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def plural(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
