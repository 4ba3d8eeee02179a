"""Building the manifest from a folder of images or from a CSV that lists them."""

import html
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from .. import images
from ..console import bar
from . import _layout as layout
from . import _names as naming
from . import _tables as tables
from . import _telling as telling
from ._patients import Rule, patients, text
from ._table import COLUMNS, LABELS, SPLITS, ManifestError, check, plural, some, typed

# {name of a folder or a label: one of LABELS, or None to leave it out}
Labels = Mapping[str, str | None]
Reject = tuple[str, str, str]  # path, problem, remedy


@dataclass(frozen=True)
class Imported:
    """What an import gave: the manifest, the files refused and why, and a paragraph in words.

    ``table``: the manifest. ``rejects``: columns path, problem, remedy. ``understood``: files,
    images, classes with their counts, split, patients, what was left out and why, what is there and
    was not used. ``unlabelled``: absolute paths of images that belong to no class (a folder
    ``Prediction``, loose images) and are not in the table.
    """

    table: pd.DataFrame
    rejects: pd.DataFrame
    understood: str
    unlabelled: tuple[str, ...] = ()

    def counts(self) -> pd.DataFrame:
        """Number of images per class (rows) and split (columns; "none" where there is no split)."""
        split = self.table["split"].astype("string").fillna("none")
        order = [s for s in (*SPLITS, "none") if s in set(split)]
        return pd.crosstab(self.table["label"], split).reindex(
            columns=pd.Index(order, name="split")
        )

    def __repr__(self) -> str:
        return f"{self.understood}\n{self.counts()}"

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(self.understood)}</p>", self.counts().to_html()]
        if len(self.rejects):
            parts.append(self.rejects.to_html(index=False))
        return "\n".join(parts)


def from_folder(
    folder: str | os.PathLike[str],
    *,
    labels: Labels | None = None,
    patient: Rule = None,
    source: Rule = None,
    view: Rule = None,
    licence: Rule = None,
    progress: bool = True,
) -> Imported:
    """Import a folder of images in class folders, with or without split folders, as an `Imported`.

    Looks for class and split folders at any depth: ``train/Covid``, ``Covid/train``, ``Covid``
    alone, inside wrapper folders, with sub-folders per patient. The deepest folder whose name is a
    known class gives the label. Links to folders are followed. Masks, heat maps, augmented and
    small copies, CT and lateral views are left out by the names of folders and files, and of a tree
    that stands twice one is taken; the paragraph ``understood`` says so. Files that cannot be read,
    or whose name is not UTF-8, land in ``rejects`` and the import goes on. Rows are sorted by
    image_id.

    Parameters
    ----------
    folder : str or path
        The folder that holds the class folders, at any depth.
    labels : mapping, optional
        {folder name: one of LABELS, or None to leave the folder out}; adds to the names known
        already; case, accents, spaces and punctuation do not matter, signs do ("COVID+", "COVID-").
    patient : str or callable, optional
        "nih" (see `nih_patient`), a regular expression with one group, applied to the file's name,
        and where it fits no file to the folders; a function path -> str or None; or None (unknown).
    source, view, licence : str or callable, optional
        A text, or a function path -> str or None.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Imported
        Its `table` is the manifest.

    Raises
    ------
    ManifestError
        When the class of a folder must be asked for, an argument fits nothing, or there is no
        image.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Covid/p1_a.png", "Normal/p2_a.png", "Normal/p2_b.png"):
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         Image.linear_gradient("L").save(Path(folder, name))
    ...     found = from_folder(folder, patient="(p[0-9]+)_", progress=False)
    >>> found.table[["image_id", "label", "patient"]].to_numpy().tolist()
    [['Covid/p1_a.png', 'covid', 'p1'], ['Normal/p2_a.png', 'normal', 'p2'], ['Normal/p2_b.png',
    'normal', 'p2']]
    """
    root = Path(os.path.abspath(folder))
    if not root.is_dir():
        raise ManifestError(
            f"{folder} is not a folder: give the folder that holds the class folders"
        )
    own, names = _label_names(labels)
    files = layout.list_files(root)
    tables_there = telling.tables_beside(files.ignored)
    if not files.images:
        raise ManifestError(
            f"{folder} holds no images: give the folder that holds the class folders{tables_there}"
        )
    named = frozenset(name for name, label in own.items() if label is not None)
    found = layout.understand(root, files.images, names, named)
    _refuse_unused(
        labels,
        found.keys,
        "folder",
        sorted({part for p in files.images for part in Path(p).parts[:-1]}),
    )
    _refuse_unknown(found.unknown, f"{folder} holds images in folders", tables_there)
    if not found.rows:
        why = f" ({'; '.join(telling.left_out(found.left_out))})" if found.left_out else ""
        remedy = f"put each class in a folder of its own{tables_there}"
        raise ManifestError(f"{folder} holds images but no class folders{why}: {remedy}")
    notes = (
        [telling.arrow("split from the folders", found.splits)] if found.splits else ["no split"]
    )
    unused = telling.left_out(found.left_out) + telling.leftovers(found.loose, files.ignored)
    unused += telling.met(found, root, patient is None)
    unlabelled = tuple(str(root / path) for path in found.loose)
    plan = _Plan(
        root.name, len(files.images), found.rows, own, names, patient, _rules(source, view, licence)
    )
    return _import(plan, notes, unused, unlabelled, [], progress)


def from_csv(
    csv: str | os.PathLike[str],
    *,
    path_column: str = "path",
    label_column: str = "label",
    root: str | os.PathLike[str] | None = None,
    labels: Labels | None = None,
    patient_column: str | None = None,
    split_column: str | None = None,
    patient: Rule = None,
    source: Rule = None,
    view: Rule = None,
    licence: Rule = None,
    progress: bool = True,
) -> Imported:
    r"""Import the images that a CSV table lists, one file per row, as an `Imported`.

    A name that is not there is looked for below ``root``, with or without extension, and taken if
    one file fits. Patient and split come from the columns named, or from those that are called so;
    of a column for the view or modality, lateral views and CT are left out. A file listed several
    times (one row per finding, for example) is taken once where its rows agree, and rejected where
    they do not. Missing files are rejected; rows without a label go to ``unlabelled``.

    Parameters
    ----------
    csv : str or path
        The table, in UTF-8, with commas.
    path_column, label_column : str
        Columns of the file and of its class.
    root : str or path, optional
        Folder that relative paths start from (default: the CSV's).
    labels : mapping, optional
        As for `from_folder`, for the names in the column of the class.
    patient_column, split_column : str, optional
        Columns of patient and part of the split.
    patient, source, view, licence : str or callable, optional
        As for `from_folder`.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Imported
        Its `table` is the manifest.

    Raises
    ------
    ManifestError
        When the file, a column, a label or a split is not known.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.linear_gradient("L").save(Path(folder, "1.png"))
    ...     csv = Path(folder, "list.csv")
    ...     _ = csv.write_text("path,label,patient\n1.png,COVID-19,p1\n2.png,Normal,p2\n")
    ...     found = from_csv(csv, progress=False)
    >>> found.table[["image_id", "label", "patient"]].to_numpy().tolist()
    [['1.png', 'covid', 'p1']]
    >>> found.rejects["problem"].tolist()
    ['does not exist']
    """
    if "://" in str(csv):
        raise ManifestError(f"{csv} is an address: download the table first, with fetch.download")
    csv = Path(os.path.abspath(csv))
    root = Path(os.path.abspath(root)) if root is not None else csv.parent
    columns = {
        "path": path_column,
        "name": label_column,
        "split": split_column,
        "patient": patient_column,
    }
    found = tables.listed(
        csv, {field: column for field, column in columns.items() if column}, patient is not None
    )
    listed = found.rows
    own, names = _label_names(labels)
    values = sorted(listed["name"].dropna().unique())
    _refuse_unused(labels, {naming.key(name) for name in values}, "label", values)
    _refuse_unknown([name for name in values if naming.key(name) not in names], f"{csv} has labels")
    splits = {s: naming.split_of(s) for s in sorted(listed["split"].dropna().unique())}
    if strange := [s for s, split in splits.items() if split is None]:
        raise ManifestError(
            f"{csv} has splits of unknown name: {some(strange)}; use train, val and test"
        )
    rows: list[layout.Row] = []
    rejects: list[Reject] = []
    loose: list[str] = []
    left_out: dict[str, list[str]] = {}
    for line in listed.index[listed["path"].isna()]:
        rejects.append(
            (f"{csv.name}, line {line}", "has no path", f"Fill in the column {path_column}")
        )
    finder = tables.Finder(root)
    listed["path"] = [None if pd.isna(text) else finder(text) for text in listed["path"]]
    for path, same in listed.dropna(subset="path").groupby("path"):
        entry = _one_entry(path, same, root, splits, finder)
        if isinstance(entry, tuple):
            rejects.append(entry)
        elif entry.name is None or names[naming.key(entry.name)] is None:
            loose.append(path)
        elif reason := tables.no_radiograph(entry.view) or layout.no_radiograph(entry.image_id):
            left_out.setdefault(reason, []).append(Path(path).name)
        else:
            rows.append(entry)
    notes = (
        [telling.arrow(f"split from the column {found.columns['split']}", splits)]
        if splits
        else ["no split"]
    )
    unused = (
        telling.left_out(left_out)
        + telling.leftovers(loose, [])
        + finder.said()
        + tables.beside(csv)
    )
    unused += telling.views([row.view for row in rows])
    if found.unused:
        unused.append(f"columns not used: {some(found.unused, 15)}")
    parts = {
        part
        for row in rows
        for part in PurePosixPath(row.image_id).parts[:-1]
        if naming.split_of(part)
    }
    if parts and not splits:
        unused.append(f"folders of a split in the paths, not used: {some(sorted(parts))}")
    if patient is None and "patient" in found.columns:
        notes.append(f"patient from the column {found.columns['patient']}")
    size = listed["path"].nunique()
    plan = _Plan(csv.name, size, rows, own, names, patient, _rules(source, view, licence))
    return _import(plan, notes, unused, tuple(loose), rejects, progress)


def _one_entry(
    path: str,
    same: pd.DataFrame,
    root: Path,
    splits: Mapping[str, str | None],
    finder: tables.Finder,
) -> layout.Row | Reject:
    """The row for one file from all its lines in a CSV.

    Where they differ: the reject (path, problem, remedy).
    """
    if path in finder.several:
        return (
            path,
            f"could be several files: {some(finder.several[path])}",
            "Write its path below root",
        )
    if len(same.drop_duplicates()) > 1:
        problem = f"is listed {len(same)} times with different entries (lines {some(same.index)})"
        return (path, problem, "Keep one line per image")
    first = same.iloc[0].where(same.iloc[0].notna(), None)
    image_id = Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path
    patient, view = first["patient"], first["view"]
    return layout.Row(
        path, image_id, first["name"], splits.get(first["split"]), patient, view, (path,)
    )


def _label_names(labels: Labels | None) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """The caller's names in their plain form, and all known names with them."""
    if not isinstance(labels, Mapping | None):
        raise ManifestError(f"labels= is {labels!r}; give {{folder name: label}}")
    labels = dict(labels or {})
    if wrong := [label for label in labels.values() if label is not None and label not in LABELS]:
        raise ManifestError(
            f"labels= has {some(wrong)}; a label is one of {', '.join(LABELS)}, or None to leave "
            "out"
        )
    plain: dict[str, str | None] = {}
    for name, label in labels.items():
        if plain.setdefault(naming.key(name), label) != label:
            spelling = (
                "case, accents, spaces and punctuation do not count, and 1 and 1.0 are one number"
            )
            raise ManifestError(
                f"labels= has {name!r} in two spellings with different labels: {spelling}"
            )
    return plain, naming.DEFAULT_LABELS | plain


def _refuse_unused(labels: Labels | None, keys: set[str], what: str, there: list[str]) -> None:
    """A name that the caller gave and that nothing bears is a slip of the pen."""
    if unused := [name for name in labels or () if naming.key(name) not in keys]:
        raise ManifestError(
            f"labels= names {some(unused)}, but no {what} is called so; there are: "
            f"{some(there, 10)}. Correct the name"
        )


def _refuse_unknown(unknown: Iterable[str], what: str, beside: str = "") -> None:
    if unknown := sorted(unknown):
        example = ", ".join(f"{name!r}: ..." for name in unknown[:5])
        raise ManifestError(
            f"{what} of unknown name that no class is known for: {some(unknown)}. Pass "
            f"labels={{{example}}} with one of {', '.join(LABELS)} for each, or None to leave its "
            f"images out{beside}"
        )


def _refuse_misleading(
    rows: list[layout.Row], own: Mapping[str, str | None], names: Mapping[str, str | None]
) -> list[str]:
    """Notes on files whose names tell another class than their folder.

    Refuses a class most of whose files do.
    """
    notes = []
    for name in sorted({row.name for row in rows if row.name is not None}):
        label = names[naming.key(name)]
        files = [Path(row.path).name for row in rows if row.name == name]
        tells = {file: naming.told_by_file(file) for file in files}
        other = {
            file: told for file, told in tells.items() if told and naming.contradicts(told, label)
        }
        if not other:
            continue
        told, example = ", ".join(sorted(set(other.values()))), some(other, 3)
        if len(other) > len(files) / 2 and naming.key(name) not in own:
            raise ManifestError(
                f"{name!r} would become {label}, but {len(other)} of its {len(files)} files are "
                f"named as {told} in collections that many sets copy ({example}). Read the set's "
                f"description, and pass labels={{{name!r}: ...}} with one of {', '.join(LABELS)}"
            )
        notes.append(
            f"{plural(len(other), 'file')} in {name} named as {told} elsewhere ({example})"
        )
    return notes


def _rules(source: Rule, view: Rule, licence: Rule) -> dict[str, Callable[[str], str | None]]:
    """One function path -> text or None per column."""

    def rule(value: Rule) -> Callable[[str], str | None]:
        return value if callable(value) else lambda path: value

    return {"source": rule(source), "view": rule(view), "licence": rule(licence)}


@dataclass(frozen=True)
class _Plan:
    """What is to be imported: title, number of files met, rows, names of classes, rules.

    ``own``: the caller's names.
    """

    title: str
    size: int
    rows: list[layout.Row]
    own: Mapping[str, str | None]
    names: Mapping[str, str | None]
    patient: Rule
    rules: Mapping[str, Callable[[str], str | None]]


def _import(
    plan: _Plan,
    notes: list[str],
    unused: list[str],
    unlabelled: tuple[str, ...],
    rejects: list[Reject],
    progress: bool,
) -> Imported:
    """Open every file, in threads (Pillow decodes without Python's lock), and build the table."""
    names, title = plan.names, plan.title
    rejects = [*rejects, *(_misnamed(row) for row in plan.rows if not _is_utf8(row.image_id))]
    rows = sorted(
        (row for row in plan.rows if _is_utf8(row.image_id)), key=lambda row: row.image_id
    )
    unused = [*unused, *_refuse_misleading(rows, plan.own, names)]
    patients(rows, plan.patient)  # a rule that fits nothing is refused before the files are read
    images.forget()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda row: _describe(row.path), rows)
        shown = bar(results, show=progress, total=len(rows), desc=title, unit="image")
        found: list[images.ImageInfo | images.ImageError] = list(shown)
    rejects = [
        *rejects,
        *((i.path, i.problem, i.remedy) for i in found if isinstance(i, images.ImageError)),
    ]
    good = [
        (row, info)
        for row, info in zip(rows, found, strict=True)
        if isinstance(info, images.ImageInfo)
    ]
    good, twice = _once(good, names)
    kinds = [(info.format, info.mode, plan.rules["source"](row.path)) for row, info in good]
    infos = images.common([info for _, info in good], kinds)
    people, said = patients([row for row, _ in good], plan.patient)
    described = zip(good, infos, people, strict=True)
    records = [_record(row, info, who, names, plan.rules) for (row, _), info, who in described]
    table = typed(pd.DataFrame(records, columns=list(COLUMNS)).assign(**_grey_levels(infos)))
    seen = {row.name: names[naming.key(row.name)] for row in rows if row.name is not None}
    known = [telling.arrow("class from", dict(sorted(seen.items())))] if seen else []
    notes = [*known, *notes, *said, *telling.remarks(infos)]
    if rejects:
        unused.append(
            f"{plural(len(rejects), 'file')} rejected, listed with the remedy in .rejects"
        )
    counts = ", ".join(
        f"{label} {n}" for label, n in table["label"].value_counts(sort=False).items()
    )
    of = f" of {plural(plan.size, 'file')}" if plan.size != len(table) else ""
    start = f"{title}: {plural(len(table), 'image')}{of} ({counts or 'none readable'})"
    without = table["split"].isna().sum()
    partly = (
        [f"{plural(without, 'image')} in no part of the split"] if 0 < without < len(table) else []
    )
    odd = [*telling.conflicts(table), *telling.names_of_files(good, names)]
    understood = "; ".join([start, *notes, *partly, *twice, *odd, *unused]) + "."
    # a name that is not UTF-8 could not be printed
    understood = understood.encode("utf-8", "replace").decode()
    refused = pd.DataFrame(rejects, columns=["path", "problem", "remedy"], dtype="string")
    return Imported(check(table), refused, understood, unlabelled)


def _once(good: telling.Good, names: Mapping[str, str | None]) -> tuple[telling.Good, list[str]]:
    """Each file of a tree that stands twice once, and a note.

    The row with a split stays, else the one with the shorter path.

    Twice means: same bytes, class, place below the class folder and part of the split, or one
    without split. What differs in its name, its class or its part is kept: such copies are for the
    audit to find.
    """

    def identity(
        row: layout.Row, info: images.ImageInfo
    ) -> tuple[str | None, tuple[str, ...], str]:
        return names[naming.key(row.name)], row.place, info.sha256

    order = sorted(
        good,
        key=lambda pair: (pair[0].split is None, len(Path(pair[0].path).parts), pair[0].image_id),
    )
    splits: dict[tuple[str | None, tuple[str, ...], str], set[str | None]] = {}
    kept: set[str] = set()
    dropped: list[layout.Row] = []
    for row, info in order:
        known = splits.setdefault(identity(row, info), set())
        if row.split in known or (row.split is None and known):
            dropped.append(row)
        else:
            known.add(row.split)
            kept.add(row.image_id)
    if not dropped:
        return good, []
    where = some(sorted({str(PurePosixPath(row.image_id).parent) for row in dropped}), 4)
    note = (
        f"{plural(len(dropped), 'file')} taken once only, the same file standing in another "
        f"folder too (in {where})"
    )
    return [pair for pair in good if pair[0].image_id in kept], [note]


def _is_utf8(name: str) -> bool:
    """Whether a CSV can hold a name: bytes that are not UTF-8 come from the disk as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _misnamed(row: layout.Row) -> Reject:
    """The reject (path, problem, remedy) of a file whose name is not UTF-8, its path readable."""
    path = os.fsencode(row.path).decode("utf-8", "replace")
    return (path, "has a name that is not UTF-8", "Rename the file, or the folder that it lies in")


def _describe(path: str) -> images.ImageInfo | images.ImageError:
    try:
        return images.describe(path, keep=True)
    except images.ImageError as error:
        return error
    except OSError as error:  # a name that is too long, for one
        return images.ImageError(
            path, f"cannot be opened ({error.strerror})", "Check its name, and your rights"
        )


def _grey_levels(infos: list[images.ImageInfo]) -> dict[str, list[Any]]:
    """Further columns where sets need them: the white level (see `images.read`), what is odd."""
    columns: dict[str, list[Any]] = {
        "full_scale": [info.scale.white if info.scale else None for info in infos],
        "remarks": ["; ".join(info.remarks) or None for info in infos],
    }
    return {
        name: values
        for name, values in columns.items()
        if any(value is not None for value in values)
    }


def _record(
    row: layout.Row,
    info: images.ImageInfo,
    patient: str | None,
    names: Mapping[str, str | None],
    rules: Mapping[str, Callable[[str], str | None]],
) -> dict[str, object]:
    record = {column: text(rule(row.path)) for column, rule in rules.items()}
    record["view"] = record["view"] or row.view
    label = names[naming.key(row.name)]
    found = {
        "path": row.path,
        "image_id": row.image_id,
        "split": row.split,
        "original_label": row.name,
    }
    return {**record, **found, **vars(info), "label": label, "patient": patient}
