"""What a tree of folders means: which level names the class, which the split, what to leave out."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .. import images
from . import _names as names


@dataclass(frozen=True)
class Row:
    """One image to be read, before its file has been opened."""

    path: str
    image_id: str
    name: str | None  # of the class, as found
    split: str | None = None
    patient: str | None = None
    view: str | None = None
    # below the class folder, with the file's name: what a second tree repeats
    place: tuple[str, ...] = ()


@dataclass
class Layout:
    """What `understand` found.

    Images with a class; images without; class folders of unknown name; split folders; what is no
    radiograph, as {reason: its folders or files}; folders that were met: above the classes, below
    them, a class or a part of the split within another; and all names of folders, as `names.key`
    writes them.
    """

    rows: list[Row] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    splits: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    above: set[str] = field(default_factory=set)
    below: set[str] = field(default_factory=set)
    nested: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Files:
    """What `list_files` found: POSIX paths of images below the root, and what was ignored."""

    images: list[str]
    ignored: list[str]


def list_files(root: Path) -> Files:
    """Images below a folder, sorted, without hidden files and what is no image by its name.

    Links to folders are followed. Each folder is read once, and under its own name where it lies
    below the root.
    """
    found, ignored, seen, tops = [], [], set(), [str(root)]
    for top in tops:  # grows by the links on the way, so that they come after the folders
        for place, folders, files in os.walk(top):
            real = os.path.realpath(place)
            if real in seen:
                ignored.append(os.path.basename(place))
                folders.clear()
                continue
            seen.add(real)
            skipped = [name for name in folders if names.is_made_by_a_machine(name)]
            ignored += skipped
            folders[:] = sorted(set(folders) - set(skipped))
            links = [
                path
                for path in (os.path.join(place, name) for name in folders)
                if os.path.islink(path)
            ]
            # no circle
            tops += [
                path for path in links if not Path(real).is_relative_to(os.path.realpath(path))
            ]
            for name in files:
                path = Path(place, name)
                if images.looks_like_image(path):
                    found.append(path.relative_to(root).as_posix())
                else:
                    ignored.append(name)
    return Files(sorted(found), sorted(ignored))


def understand(
    root: Path,
    files: list[str],
    labels: Mapping[str, str | None],
    named: frozenset[str] = frozenset(),
) -> Layout:
    """Give each image its class folder and split: the deepest folder of a known name.

    Wrapper folders above it do not count.

    Wrapper folders, which all images share, name a class only where nothing else does: in
    ``covid19/{Normal,Covid}`` the outer folder is the set's name, in ``Covid/1.png`` it is the
    class. ``named``: folders that the caller gave a class, which are never left out as masks or the
    like.
    """
    found = Layout()
    tree = {path: PurePosixPath(path).parts[:-1] for path in files}
    found.keys = {names.key(part) for parts in tree.values() for part in parts}
    shared = _shared_depth(list(tree.values()))
    kept = {}
    for path, parts in tree.items():
        reason, where = _no_radiograph(path, parts, shared, named)
        if reason:
            found.left_out.setdefault(reason, []).append(where)
        else:
            kept[path] = parts
    shared = depth = _shared_depth(list(kept.values()))
    if not any(_class_level(parts, depth, labels) is not None for parts in kept.values()):
        depth = 0
    for path, parts in kept.items():
        _place(found, root, path, parts, labels, shared, depth)
    found.splits = dict(sorted(found.splits.items()))
    return found


def _place(
    found: Layout,
    root: Path,
    path: str,
    parts: tuple[str, ...],
    labels: Mapping[str, str | None],
    shared: int,
    depth: int,
) -> None:
    """Add one image to what was found."""
    split_folder = next((name for name in reversed(parts) if names.split_of(name)), None)
    if split_folder and (split := names.split_of(split_folder)):
        found.splits[split_folder] = split
    parts_of_split = [part for part in parts[shared:] if names.split_of(part)]
    if len({names.split_of(part) for part in parts_of_split}) > 1:
        found.nested.add("/".join(parts_of_split))
    level = _class_level(parts, depth, labels)
    set_aside = any(names.is_unlabelled(part) for part in parts)
    if level is None:
        stranger = _stranger(parts, shared)
        if stranger and not set_aside:
            found.unknown.add(stranger)
        found.loose.append(path)
        return
    name = parts[level]
    label = labels[names.key(name)]
    if set_aside or any(labels.get(names.key(part), label) is None for part in parts):
        found.loose.append(path)
        return
    below = [part for part in parts[level + 1 :] if not names.split_of(part)]
    found.unknown |= {part for part in below if names.doubts(part, label, labels)}
    found.below |= {
        f"{name}/{part}" for part in below if part.isdigit() or not names.is_neutral(part)
    }
    above = [part for part in parts[shared:level] if not names.split_of(part)]
    found.nested |= {
        f"{part}/{name}" for part in above if labels.get(names.key(part), label) != label
    }
    found.above |= {part for part in above if names.key(part) not in labels}
    found.unknown |= {
        part for part in above if names.key(part) not in labels and names.discards(part)
    }
    place = (*parts[level + 1 :], PurePosixPath(path).name)
    split = found.splits[split_folder] if split_folder else None
    found.rows.append(Row(str(root / path), path, name, split, place=place))


def _no_radiograph(
    path: str, parts: tuple[str, ...], shared: int, named: frozenset[str]
) -> tuple[str | None, str]:
    """Why the folders' or an image's own name excludes it, and the folder or file that says so."""
    for level, part in enumerate(parts):
        last = level == len(parts) - 1
        if names.key(part) not in named and (
            reason := names.no_radiograph(part, whole=level < shared, last=last)
        ):
            return reason, "/".join(parts[: level + 1])
    return names.file_is_no_radiograph(PurePosixPath(path).stem), path


def no_radiograph(image_id: str) -> str | None:
    """The same for a file that a table lists: here a folder's whole name must say so."""
    parts = PurePosixPath(image_id).parts[:-1]
    return _no_radiograph(image_id, parts, len(parts), frozenset())[0]


def _shared_depth(trees: list[tuple[str, ...]]) -> int:
    """Number of leading folders that all images have in common."""
    first, last = min(trees, default=()), max(trees, default=())
    return next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )


def _class_level(
    parts: tuple[str, ...], depth: int, labels: Mapping[str, str | None]
) -> int | None:
    """Level of the deepest folder of a known name; a name not among the labels is no class."""
    return next(
        (
            level
            for level in range(len(parts) - 1, depth - 1, -1)
            if names.key(parts[level]) in labels
        ),
        None,
    )


def _stranger(parts: tuple[str, ...], depth: int) -> str | None:
    """Folder that should be the class of an image in no known class: below the split, or above."""
    if len(parts) <= depth:
        return None
    splits = [level for level, name in enumerate(parts) if names.split_of(name)]
    below = parts[max(splits[-1] + 1, depth) :] if splits else parts[depth:]
    above = [name for name in parts[depth:] if not names.split_of(name)]
    return below[0] if below else next(iter(above), None)
