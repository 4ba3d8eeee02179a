"""What a tree of folders means: which level names the class, which the split, what to leave out."""

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .. import images

# Folder names without case, spaces and punctuation -> canonical label.
_LABEL_NAMES = {
    "covid": "covid covid19 covid19positive covidpositive positive sarscov2 coronavirus covid19pneumonia",
    "normal": "normal normals nofinding nofindings healthy",
    "viral": "viral viralpneumonia pneumoniaviral",
    "bacterial": "bacterial bacterialpneumonia pneumoniabacterial",
    "effusion": "effusion pleuraleffusion",
    "pneumonia": "pneumonia",
    "non_covid": "negative noncovid noncovid19 covid19negative covidnegative lungopacity",
}
DEFAULT_LABELS = {name: label for label, names in _LABEL_NAMES.items() for name in names.split()}
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training", "trainset", "trainingset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset", "validationset"), "val"),
    **dict.fromkeys(("test", "testing", "testset", "testingset"), "test"),
}
_UNLABELLED = {"prediction", "predictions", "predict", "unlabelled", "unlabeled", "inference"}
_SKIPPED = {"macosx", "thumbnails", "thumbnail", "thumbs", "masks", "pycache", "eadir", "recyclebin"}


@dataclass(frozen=True)
class Row:
    """One image to be read, before its file has been opened."""

    path: str
    image_id: str
    name: str | None  # of the class, as found
    split: str | None = None
    patient: str | None = None


@dataclass(frozen=True)
class Layout:
    """What `understand` found: images with a class, images without, class folders of unknown name, split folders."""

    rows: list[Row]
    loose: list[str]
    unknown: list[str]
    splits: dict[str, str]


@dataclass(frozen=True)
class Files:
    """What `list_files` found: POSIX paths of images below the root, and names of what was ignored."""

    images: list[str]
    ignored: list[str]


def key(name: str) -> str:
    """Name of a folder without case, accents, spaces and punctuation: "COVID-19" and "covid 19" are one name.

    A Mac writes an accented letter as two characters; without the accent it is the same however it is written.
    """
    plain = re.sub(r"[\W_]+", "", name.casefold())
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", plain).casefold())


def list_files(root: Path) -> Files:
    """Images below a folder, sorted, without hidden files, thumbnails, masks and what is no image by its name.

    Links to folders are followed. Each folder is read once, and under its own name where it lies below the root.
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
            skipped = [name for name in folders if name.startswith(".") or key(name) in _SKIPPED]
            ignored += skipped
            folders[:] = sorted(set(folders) - set(skipped))
            links = [path for path in (os.path.join(place, name) for name in folders) if os.path.islink(path)]
            tops += [path for path in links if not Path(real).is_relative_to(os.path.realpath(path))]  # no circle
            for name in files:
                path = Path(place, name)
                if images.looks_like_image(path):
                    found.append(path.relative_to(root).as_posix())
                else:
                    ignored.append(name)
    return Files(sorted(found), sorted(ignored))


def understand(root: Path, files: list[str], labels: Mapping[str, str | None]) -> Layout:
    """Give each image its class folder and split: the deepest folder of a known name, below any wrapper folders.

    Wrapper folders, which all images share, name a class only where nothing else does: in ``covid19/{Normal,Covid}``
    the outer folder is the set's name, in ``Covid/1.png`` it is the class.
    """
    tree = {path: PurePosixPath(path).parts[:-1] for path in files}
    shared = depth = _shared_depth(list(tree.values()))
    if not any(_class_folder(parts[depth:], labels) for parts in tree.values()):
        depth = 0
    rows, loose, unknown, splits = [], [], set(), {}
    for path, parts in tree.items():
        split_folder = next((name for name in reversed(parts) if key(name) in SPLIT_NAMES), None)
        if split_folder:
            splits[split_folder] = SPLIT_NAMES[key(split_folder)]
        name = _class_folder(parts[depth:], labels)
        set_aside = any(key(part) in _UNLABELLED for part in parts)
        if name is not None and labels[key(name)] is not None and not set_aside:
            rows.append(Row(str(root / path), path, name, splits.get(split_folder)))
            continue
        stranger = _stranger(parts, shared)
        if name is None and stranger and not set_aside:
            unknown.add(stranger)
        loose.append(path)
    return Layout(rows, loose, sorted(unknown), dict(sorted(splits.items())))


def _shared_depth(trees: list[tuple[str, ...]]) -> int:
    """Number of leading folders that all images have in common."""
    first, last = min(trees, default=()), max(trees, default=())
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _class_folder(parts: tuple[str, ...], labels: Mapping[str, str | None]) -> str | None:
    """Deepest folder of a known name; a name that the labels do not hold is no class."""
    return next((name for name in reversed(parts) if key(name) in labels), None)


def _stranger(parts: tuple[str, ...], depth: int) -> str | None:
    """Folder that ought to be the class of an image in no known class: below the split, else above it."""
    if len(parts) <= depth:
        return None
    splits = [level for level, name in enumerate(parts) if key(name) in SPLIT_NAMES]
    below = parts[max(splits[-1] + 1, depth) :] if splits else parts[depth:]
    above = [name for name in parts[depth:] if key(name) not in SPLIT_NAMES]
    return below[0] if below else next(iter(above), None)
