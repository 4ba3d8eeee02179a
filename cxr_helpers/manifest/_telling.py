"""The sentences of an import's paragraph: what was left out, not used, or looks odd."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from .. import images
from . import _layout as layout
from . import _names as naming
from ._table import plural, some

Good = list[tuple[layout.Row, images.ImageInfo]]  # images that could be read
# folders of one class; where there are more, they are patients, and "1.png" in each of them is no
# copy
_FEW = 8
_FRONTAL = re.compile(
    r"(?:pa|ap|frontal|postero-?anterior|antero-?posterior|supine|semi|erect|upright|standing"
    r"|sitting|portable|mobile|bedside|chest|thorax|view|projection|x-?ray|radiograph|plain|film"
    r"|cr|dx|dr|rg|rf|unknown|\W|_)*"
)


def names_of_files(good: Good, names: Mapping[str, str | None]) -> list[str]:
    """Notes on what names of imported files, pairs of row and info, tell beside the class."""
    return [*same_names(good, names), *variants(good), *parts_in_names(good)]


def same_names(good: Good, names: Mapping[str, str | None]) -> list[str]:
    """A note on two folders of one class with the same file names: copies, or unnamed masks?"""
    folders: dict[tuple[str | None, str | None], dict[str, set[str]]] = {}
    for row, _ in good:
        place = PurePosixPath(row.image_id)
        label = names[naming.key(row.name)], row.split
        folders.setdefault(label, {}).setdefault(str(place.parent), set()).add(place.name)
    alike = {
        f"{a} and {b}"
        for held in folders.values()
        if len(held) <= _FEW
        for a, b in itertools.combinations(sorted(held), 2)
        if 2 * len(held[a] & held[b]) > min(len(held[a]), len(held[b]))
    }
    if not alike:
        return []
    return [
        f"the same file names in two folders: {some(sorted(alike), 3)} (copies, masks? "
        f"labels={{...: None}} omits one)"
    ]


def conflicts(table: pd.DataFrame) -> list[str]:
    """A note on identical bytes under two classes."""
    classes = table.groupby("sha256")["label"].transform("nunique")
    if not (classes > 1).any():
        return []
    twice = table[classes > 1]
    return [
        f"{plural(twice['sha256'].nunique(), 'file')} identical byte for byte under two classes "
        f"({some(twice['image_id'], 4)}): keep the right one"
    ]


def variants(good: Good) -> list[str]:
    """A note on files that bear another one's name and something more ("7.png" and "7_msk.png")."""
    places = [PurePosixPath(row.image_id) for row, _ in good]
    stems = {(place.parent, place.stem) for place in places}
    found: Counter[str] = Counter()
    for place in places:
        ends = [part.start() for part in re.finditer(r"[-_. (](?!\d+$)", place.stem)]
        found.update(
            [place.stem[at:] for at in ends if (place.parent, place.stem[:at]) in stems][-1:]
        )
    return [
        (
            f"{plural(n, 'file')} named as another one and {end!r} besides (masks, copies? leave "
            "out what is no radiograph)"
        )
        for end, n in found.most_common(3)
        if n > 1
    ]


def parts_in_names(good: Good) -> list[str]:
    """A note on file names that begin with a part of a split, where the folders name none."""
    if any(row.split for row, _ in good):
        return []
    starts = {re.split(r"[-_ .]", PurePosixPath(row.image_id).stem)[0] for row, _ in good}
    found = sorted(start for start in starts if naming.split_of(start))
    if len({naming.split_of(start) for start in found}) < 2:
        return []
    return [f"parts of a split in the names of files, not used: {some(found)}"]


def views(cells: Iterable[str | None]) -> list[str]:
    """A note on views that are neither known as frontal nor as something else."""
    strange = sorted({cell for cell in cells if cell and not _FRONTAL.fullmatch(cell.casefold())})
    return [f"views of unknown name taken as frontal: {some(strange)}"] if strange else []


def remarks(infos: list[images.ImageInfo], most: int = 5) -> list[str]:
    """What was assumed in reading the images, and what is odd about them, with counts."""
    found = Counter(remark for info in infos for remark in info.remarks)
    notes = [f"{plural(n, 'image')}: {remark}" for remark, n in found.most_common(most)]
    return notes + (
        [f"{len(found) - most} more remarks in the column remarks"] if len(found) > most else []
    )


def leftovers(loose: list[str], ignored: list[str]) -> list[str]:
    notes = []
    if loose:
        folders = sorted({str(PurePosixPath(path).parent) for path in loose})
        where = some("the top folder" if name == "." else name for name in folders)
        notes.append(
            f"{plural(len(loose), 'image')} without a class (in {where}) left out, listed in "
            ".unlabelled"
        )
    if ignored:
        what = "other file or folder" if len(ignored) == 1 else "other files or folders"
        notes.append(f"{len(ignored)} {what} ignored ({some(sorted(set(ignored)), 3)})")
    return notes


def left_out(reasons: Mapping[str, list[str]]) -> list[str]:
    """What the names say is no frontal radiograph."""
    return [
        f"{naming.plural(reason, len(places))} left out (in {some(sorted(set(places)), 4)})"
        for reason, places in sorted(reasons.items())
    ]


def met(found: layout.Layout, root: Path, ask: bool) -> list[str]:
    """Folders that were met and mean nothing to the import."""
    notes = []
    if found.above:
        notes.append(
            "folders above the classes taken neither as class nor as split: "
            f"{some(sorted(found.above))}"
        )
    if found.below:
        hint = " (if they name patients, pass patient=)" if ask else ""
        notes.append(f"folders below a class, counted to it: {some(sorted(found.below))}{hint}")
    if found.nested:
        notes.append(
            f"of a class or split within another the inner one counts: {some(sorted(found.nested))}"
        )
    if reason := naming.no_radiograph(root.name):
        notes.append(
            f"the name {root.name} speaks of {naming.plural(reason, 2).split(' ', 1)[1]}: check "
            "the images"
        )
    return notes


def tables_beside(ignored: list[str]) -> str:
    """What may hold the labels, or the images, where the folders do not."""
    packed = sorted(
        {name for name in ignored if name.endswith((".npz", ".npy", ".h5", ".hdf5", ".tfrecord"))}
    )
    lists = sorted(
        {name for name in ignored if name.lower().endswith((".csv", ".tsv", ".xlsx", ".xls"))}
    )
    text = f". The labels may stand in {some(lists)}: see manifest.from_csv" if lists else ""
    return text + (
        f". Arrays ({some(packed)}) are not read: save their images as PNG" if packed else ""
    )


def arrow(what: str, mapping: Mapping[str, str | None]) -> str:
    return f"{what} " + some((f"{found} → {meaning}" for found, meaning in mapping.items()), 12)
