"""Building the manifest from a folder of images or from a CSV that lists them."""

import html
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from .. import images
from . import _layout as layout
from ._table import COLUMNS, LABELS, SPLITS, ManifestError, check, plural, read_csv, some, typed


@dataclass(frozen=True)
class Imported:
    """What an import gave: the manifest, the files refused and why, and a sentence that says what was understood.

    ``table``: the manifest. ``rejects``: columns path, problem, remedy. ``unlabelled``: absolute paths of images that
    belong to no class (a folder ``Prediction``, loose images) and are therefore not in the table.
    Introduced in lesson 01.
    """

    table: pd.DataFrame
    rejects: pd.DataFrame
    understood: str
    unlabelled: tuple[str, ...] = ()

    def counts(self) -> pd.DataFrame:
        """Number of images per class (rows) and split (columns; "none" where there is no split)."""
        split = self.table["split"].astype("string").fillna("none")
        order = [s for s in (*SPLITS, "none") if s in set(split)]
        return pd.crosstab(self.table["label"], split).reindex(columns=pd.Index(order, name="split"))

    def __repr__(self) -> str:
        return f"{self.understood}\n{self.counts()}"

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(self.understood)}</p>", self.counts().to_html()]
        if len(self.rejects):
            parts.append(self.rejects.to_html(index=False))
        return "\n".join(parts)


def from_folder(
    folder, *, labels=None, patient=None, source=None, view=None, licence=None, progress: bool = True
) -> Imported:
    """Import a folder of images in class folders, with or without split folders, as an `Imported`.

    Looks for class and split folders at any depth: ``train/Covid``, ``Covid/train``, ``Covid`` alone, inside wrapper
    folders, with sub-folders per patient. The deepest folder whose name is a known class gives the label.
    Links to folders are followed. ``labels``: {folder name: one of LABELS, or None to leave the folder out}; adds to
    the names known already; case, accents, spaces and punctuation do not matter. ``patient``: "nih" (see
    `nih_patient`), a regular expression with one group, applied to the file's name, a function path -> str or None,
    or None (unknown). ``source``, ``view``, ``licence``: a text, or a function path -> str or None. Files that cannot
    be read, or whose name is not UTF-8, land in ``rejects`` and the import goes on.
    Rows are sorted by image_id. Raises ManifestError when a class folder's name is unknown or there is no image.
    Introduced in lesson 01.
    """
    root = Path(os.path.abspath(folder))
    if not root.is_dir():
        raise ManifestError(f"{folder} is not a folder: give the folder that holds the class folders")
    names = _label_names(labels)
    files = layout.list_files(root)
    if not files.images:
        raise ManifestError(f"{folder} holds no images: give the folder that holds the class folders")
    found = layout.understand(root, files.images, names)
    _refuse_unknown(found.unknown, f"{folder} holds images in folders of unknown name")
    if not found.rows:
        raise ManifestError(f"{folder} holds images but no class folders: put each class in a folder of its own")
    notes = [_arrow("split from the folders", found.splits)] if found.splits else []
    notes += _leftovers(found.loose, files.ignored)
    rules = _rules(patient, source, view, licence)
    unlabelled = tuple(str(root / path) for path in found.loose)
    return _import(found.rows, names, rules, root.name, notes, unlabelled, progress=progress)


def from_csv(
    csv,
    *,
    path_column: str = "path",
    label_column: str = "label",
    root=None,
    labels=None,
    patient_column: str | None = None,
    split_column: str | None = None,
    patient=None,
    source=None,
    view=None,
    licence=None,
    progress: bool = True,
) -> Imported:
    """Import the images that a CSV table lists, one file per row, as an `Imported`.

    ``root``: folder that relative paths start from (default: the CSV's). A file listed several times (one row per
    finding, for example) is taken once where its rows agree, and rejected where they do not. Missing files are
    rejected; rows without a label go to ``unlabelled``. Other arguments: see `from_folder`.
    Raises ManifestError when the file, a column, a label or a split is not known. Introduced in lesson 01.
    """
    csv = Path(os.path.abspath(csv))
    root = Path(os.path.abspath(root)) if root is not None else csv.parent
    columns = {"path": path_column, "name": label_column, "split": split_column, "patient": patient_column}
    listed = _listed(csv, {field: column for field, column in columns.items() if column})
    names = _label_names(labels)
    _refuse_unknown(sorted({n for n in listed["name"].dropna() if layout.key(n) not in names}), f"{csv} has labels")
    splits = {s: layout.SPLIT_NAMES.get(layout.key(s)) for s in listed["split"].dropna().unique()}
    if strange := [s for s, split in splits.items() if split is None]:
        raise ManifestError(f"{csv} has splits of unknown name: {some(strange)}; use train, val and test")
    rows, rejects, loose = [], [], []
    for line in listed.index[listed["path"].isna()]:
        rejects.append((f"{csv.name}, line {line}", "has no path", f"Fill in the column {path_column}"))
    listed["path"] = [None if pd.isna(p) else os.path.abspath(root / p) for p in listed["path"]]
    for path, same in listed.dropna(subset="path").groupby("path"):
        entry = _one_entry(path, same, root, splits)
        if isinstance(entry, tuple):
            rejects.append(entry)
        elif entry.name is None or names[layout.key(entry.name)] is None:
            loose.append(path)
        else:
            rows.append(entry)
    notes = [_arrow(f"split from the column {split_column}", splits)] if splits else []
    rules = _rules(patient, source, view, licence)
    return _import(rows, names, rules, csv.name, notes + _leftovers(loose, []), tuple(loose), rejects, progress)


def _one_entry(path: str, same: pd.DataFrame, root: Path, splits) -> layout.Row | tuple[str, str, str]:
    """The row for one file from all its lines in a CSV, or the reject (path, problem, remedy) where they differ."""
    if len(same.drop_duplicates()) > 1:
        problem = f"is listed {len(same)} times with different entries (lines {some(same.index)})"
        return (path, problem, "Keep one line per image")
    first = same.iloc[0].where(same.iloc[0].notna(), None)
    image_id = Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path
    return layout.Row(path, image_id, first["name"], splits.get(first["split"]), first["patient"])


def nih_patient(name: str) -> str | None:
    """Patient of a file named as in NIH ChestX-ray14, ``PPPPPPPP_VVV.png`` (patient, visit), else None.

    Introduced in lesson 01.
    """
    match = re.fullmatch(r"(\d{8})_\d{3}", PurePosixPath(name).stem)
    return match.group(1) if match else None


def _label_names(labels: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """Known folder names, in their plain form, with those of the caller."""
    labels = dict(labels or {})
    if wrong := [label for label in labels.values() if label is not None and label not in LABELS]:
        raise ManifestError(f"labels= has {some(wrong)}; a label is one of {', '.join(LABELS)}, or None to leave out")
    plain = {}
    for name, label in labels.items():
        if plain.setdefault(layout.key(name), label) != label:
            spelling = "case, accents, spaces and punctuation do not count"
            raise ManifestError(f"labels= has {name!r} in two spellings with different labels: {spelling}")
    return layout.DEFAULT_LABELS | plain


def _refuse_unknown(unknown: list[str], what: str) -> None:
    if unknown:
        example = ", ".join(f"{name!r}: ..." for name in unknown[:5])
        raise ManifestError(
            f"{what} that no class is known for: {some(unknown)}. "
            f"Pass labels={{{example}}} with one of {', '.join(LABELS)} for each, or None to leave its images out"
        )


def _rules(patient, source, view, licence) -> dict[str, Callable[[str], str | None]]:
    """One function path -> text or None per column."""

    def rule(value):
        return value if callable(value) else lambda path: value

    rules = {"source": rule(source), "view": rule(view), "licence": rule(licence)}
    if patient == "nih":
        rules["patient"] = nih_patient
    elif isinstance(patient, str):
        try:
            pattern = re.compile(patient)
        except re.error as error:
            raise ManifestError(f"patient={patient!r} is no regular expression ({error})") from error
        if pattern.groups != 1:
            raise ManifestError(f"patient={patient!r} needs exactly one group, as in '(P[0-9]+)_'")
        rules["patient"] = lambda path: (m := pattern.search(Path(path).name)) and m.group(1)
    else:
        rules["patient"] = rule(patient)
    return rules


def _import(rows, names, rules, title, notes, unlabelled, rejects=(), progress=True) -> Imported:
    """Open every file, in threads (Pillow decodes without Python's lock), and build the table."""
    rejects = [*rejects, *(_misnamed(row) for row in rows if not _is_utf8(row.image_id))]
    rows = sorted((row for row in rows if _is_utf8(row.image_id)), key=lambda row: row.image_id)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        infos = pool.map(lambda row: _describe(row.path), rows)
        bar = tqdm(
            infos,
            total=len(rows),
            desc=title,
            unit="image",
            delay=1,
            leave=False,
            file=sys.stderr,
            disable=not progress,
        )
        infos = list(bar)
    rejects = [*rejects, *((i.path, i.problem, i.remedy) for i in infos if isinstance(i, images.ImageError))]
    good = [(row, info) for row, info in zip(rows, infos, strict=True) if isinstance(info, images.ImageInfo)]
    kinds = [(info.format, info.mode, rules["source"](row.path)) for row, info in good]
    infos = images.common([info for _, info in good], kinds)
    records = [_record(row, info, names, rules) for (row, _), info in zip(good, infos, strict=True)]
    table = typed(pd.DataFrame(records, columns=list(COLUMNS)).assign(**_grey_levels(infos)))
    seen = {row.name: names[layout.key(row.name)] for row in rows}
    notes = [_arrow("class from", dict(sorted(seen.items()))), *notes, *_remarks(infos)]
    if rejects:
        notes.append(f"{plural(len(rejects), 'file')} rejected, listed with the remedy in .rejects")
    counts = ", ".join(f"{label} {n}" for label, n in table["label"].value_counts(sort=False).items())
    understood = f"{title}: {plural(len(table), 'image')} ({counts or 'none readable'}); {'; '.join(notes)}."
    understood = understood.encode("utf-8", "replace").decode()  # a name that is not UTF-8 could not be printed
    rejects = pd.DataFrame(rejects, columns=["path", "problem", "remedy"], dtype="string")
    return Imported(check(table), rejects, understood, unlabelled)


def _is_utf8(name: str) -> bool:
    """Whether a name can be written to a CSV: bytes that are not UTF-8 come from the file system as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _misnamed(row: layout.Row) -> tuple[str, str, str]:
    """The reject (path, problem, remedy) of a file whose name is not UTF-8, with a path that can be shown."""
    path = os.fsencode(row.path).decode("utf-8", "replace")
    return (path, "has a name that is not UTF-8", "Rename the file, or the folder that it lies in")


def _describe(path: str) -> images.ImageInfo | images.ImageError:
    try:
        return images.describe(path)
    except images.ImageError as error:
        return error


def _grey_levels(infos: list[images.ImageInfo]) -> dict[str, list]:
    """Further columns, for sets that need them: the level that is white (see `images.read`), and what is odd."""
    columns = {
        "full_scale": [info.scale.white if info.scale else None for info in infos],
        "remarks": ["; ".join(info.remarks) or None for info in infos],
    }
    return {name: values for name, values in columns.items() if any(value is not None for value in values)}


def _remarks(infos: list[images.ImageInfo], most: int = 5) -> list[str]:
    """What was assumed in reading the images, and what is odd about them, with counts."""
    found = Counter(remark for info in infos for remark in info.remarks)
    notes = [f"{plural(n, 'image')}: {remark}" for remark, n in found.most_common(most)]
    return notes + ([f"{len(found) - most} more remarks in the column remarks"] if len(found) > most else [])


def _record(row, info, names, rules) -> dict:
    record = {column: rule(row.path) or None for column, rule in rules.items()}
    if row.patient is not None:
        record["patient"] = row.patient
    label = names[layout.key(row.name)]
    found = {"path": row.path, "image_id": row.image_id, "split": row.split, "original_label": row.name}
    return {**record, **found, **vars(info), "label": label}


def _listed(csv: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """The wanted columns of a CSV under our names, indexed by line number (the header is line 1)."""
    listed = read_csv(csv, dtype="string")
    if missing := [c for c in columns.values() if c not in listed.columns]:
        raise ManifestError(f"{csv} has no column {', '.join(missing)}; it has {', '.join(listed.columns)}")
    chosen = pd.DataFrame({field: listed[column] for field, column in columns.items()})
    chosen = chosen.reindex(columns=["path", "name", "split", "patient"]).astype(object)
    return chosen.set_axis(range(2, len(chosen) + 2))


def _leftovers(loose: list[str], ignored: list[str]) -> list[str]:
    notes = []
    if loose:
        where = sorted({str(PurePosixPath(path).parent) for path in loose})
        where = some("the top folder" if name == "." else name for name in where)
        notes.append(f"{plural(len(loose), 'image')} without a class (in {where}) left out, listed in .unlabelled")
    if ignored:
        notes.append(f"{len(ignored)} other files or folders ignored ({some(sorted(set(ignored)), 3)})")
    return notes


def _arrow(what: str, mapping: Mapping[str, str]) -> str:
    return f"{what} " + ", ".join(f"{found} → {meaning}" for found, meaning in mapping.items())
