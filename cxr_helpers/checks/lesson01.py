"""Questions of lesson 01, data import: an unknown layout, broken files, which output is which
class.
"""

import io
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from .. import images, manifest, phantom
from . import expect, fresh
from ._kinds import Case, Compare
from ._question import Mistake, Question
from ._running import Wrong

# temporary folders of the samples shown in a notebook: they go when Python ends
_SHOWN: list[Any] = []

README = """Chest radiographs from several wards, one folder per patient, named by the visit.
Cases: COVID-19, confirmed by PCR.
Controls: in hospital for another disease of the chest; PCR negative.
"""


def _keep(rng: np.random.Generator, build) -> Path:
    """A folder of files that stays until Python ends."""
    _SHOWN.append(tempfile.TemporaryDirectory())
    return build(rng, Path(_SHOWN[-1].name))[0]


def _encoded(grey: np.ndarray, kind: str) -> bytes:
    """The bytes of an image file, "JPEG" or "PNG"."""
    Image.fromarray(grey).save(buffer := io.BytesIO(), kind)
    return buffer.getvalue()


# --- q1: a layout that is new ---------------------------------------------------------------------

MEANS = {"Cases": "covid", "Controls": "non_covid"}


def _survey(rng: np.random.Generator, place: Path) -> tuple[Path, dict[str, str]]:
    """A set in a layout of its own below `place`, with the clutter of real ones; its folder, and
    image_id → label.
    """
    folder = place / f"covid-survey-{fresh.names(rng, 1)[0]}"
    truth, patients = {}, iter(fresh.names(rng, 12, "P-"))
    for ward in ["covid-ward", *fresh.names(rng, 2, "ward-")]:
        for group, label in MEANS.items():
            for _ in range(2):
                home = folder / ward / group / next(patients)
                home.mkdir(parents=True)
                for visit in range(1, int(rng.integers(2, 4))):
                    grey = rng.integers(0, 255, (12, 12), np.uint8)
                    (home / f"visit{visit}.jpg").write_bytes(_encoded(grey, "JPEG"))
                    truth[(home / f"visit{visit}.jpg").relative_to(folder).as_posix()] = label
    first = folder / next(iter(truth))
    (first.parent / "thumbnails").mkdir()
    shutil.copy(first, first.parent / "thumbnails" / first.name)
    (first.parent / f"._{first.name}").write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X")
    (folder / "covid-ward" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "README.txt").write_text(README)
    return folder, truth


def _first_folder(folder):
    labels = {"covid-ward": "covid"}
    return _listed(folder, lambda path: labels.get(path.relative_to(folder).parts[0], "non_covid"))


def _controls_are_normal(folder):
    return manifest.from_folder(
        folder, labels={"cases": "covid", "controls": "normal"}, progress=False
    ).table


q1 = Question(
    "import_folder",
    title="A folder whose layout is new",
    points=3,
    wants=(
        "import_folder(folder) returns a table with the columns image_id and label, one row per "
        "radiograph"
    ),
    hints=(
        "Write down one path and name each of its parts. Which part is there because of what the "
        "patient has?",
        "manifest.from_folder stops at a name that it does not know, and proposes the first "
        "folder that differs. You decide which names are classes, and pass them as its argument "
        "labels.",
        "What does this set's README say about the controls? (The word means other things "
        "elsewhere.) manifest.LABELS lists the labels that the course knows.",
    ),
    data=lambda rng: _keep(rng, _survey),
    mistakes={
        "covid_in_path": Mistake(
            lambda folder: _listed(
                folder, lambda path: "covid" if "covid" in str(path).lower() else "non_covid"
            ),
            "Every image was labelled COVID; {n} labels are wrong. A test for the word anywhere "
            "in the path does that: it matches the name of the data set, not the class of the "
            "image. Look at the one part of the path that names the class.",
        ),
        "folder_above": Mistake(
            lambda folder: _listed(folder, lambda path: path.parent.name),
            "The folder directly above each file was taken as the class, but here it names the "
            "patient: {example!r} became a label. The level that holds the class differs between "
            "data sets. Name each part of one path first, then choose the level.",
        ),
        "first_folder": Mistake(
            _first_folder,
            "The first folder was taken as the class, but it names the ward: {n} labels are "
            "wrong. The COVID ward has controls too, and other wards have cases. (A tool that "
            "proposes a folder has not read the README.)",
        ),
        "clutter_counted": Mistake(
            lambda folder: _listed(
                folder,
                lambda path: MEANS.get("".join(path.relative_to(folder).parts[1:2]), "covid"),
                "*",
            ),
            "{n} files were counted that are not radiographs of this set, such as {example}: "
            "thumbnails and system files. Training on them would raise no error, so leave them "
            "out here.",
        ),
        "controls_are_normal": Mistake(
            _controls_are_normal,
            "The {n} controls were labelled normal. The README says that they have another "
            "disease: not COVID does not mean normal. A network trained on these labels would "
            "answer another question than its report claims.",
        ),
    },
)


@q1.rule
def _(import_folder, rng):
    with tempfile.TemporaryDirectory() as place:
        folder, truth = _survey(rng, Path(place))
        table = expect.table(import_folder(folder), ["image_id", "label"], "import_folder(folder)")
        labels = _labels(table, folder, truth)
    names = sorted(truth)
    if labels == truth:
        return
    if all(labels[name] == PurePosixPath(name).parent.name for name in names):
        raise q1.caught("folder_above", example=labels[names[0]])
    if strange := sorted(set(labels.values()) - set(manifest.LABELS)):
        raise Wrong(
            f"The label {strange[0]!r:.40} is not one of the course's labels: "
            f"{', '.join(manifest.LABELS)}."
        )
    wrong = [name for name in names if labels[name] != truth[name]]
    if set(labels.values()) == {"covid"}:
        raise q1.caught("covid_in_path", n=len(wrong))
    wards = {PurePosixPath(name).parts[0]: labels[name] for name in names}
    if len(set(wards.values())) > 1 and all(
        labels[name] == wards[PurePosixPath(name).parts[0]] for name in names
    ):
        raise q1.caught("first_folder", n=len(wrong))
    if {name for name in wrong if labels[name] == "normal"} == {
        n for n in names if truth[n] == "non_covid"
    }:
        raise q1.caught("controls_are_normal", n=len(wrong))
    raise Wrong(
        f"{len(wrong)} of {len(names)} labels are wrong; {wrong[0]} is not {labels[wrong[0]]}."
    )


def _labels(table: pd.DataFrame, folder: Path, truth: dict[str, str]) -> dict[str, str]:
    """image_id → label; raises `Wrong` unless the rows are the radiographs, each once."""
    ids = [str(name).replace("\\", "/").removeprefix("./") for name in table["image_id"]]
    if all(name in truth for name in ids):
        if len(set(ids)) < len(ids):
            raise Wrong("Two rows have the same image_id: one file was counted twice.")
    elif clutter := [
        n for n in ids if not Path(n).is_absolute() and (folder / n).is_file() and n not in truth
    ]:
        raise q1.caught("clutter_counted", n=len(clutter), example=max(clutter))
    else:
        strange = next(name for name in ids if name not in truth)
        raise Wrong(
            f"image_id should be a file's path relative to the folder, such as {min(truth)}; "
            f"{strange:.80} is not."
        )
    if missing := sorted(set(truth) - set(ids)):
        raise Wrong(
            f"{len(missing)} of {len(truth)} radiographs are missing, such as {missing[0]}."
        )
    return dict(zip(ids, table["label"].astype(str), strict=True))


def _listed(folder, label, pattern="*.jpg"):
    """A table of the files that match, without clutter unless the pattern asks for it, labelled
    from the path.
    """
    files = sorted(path for path in Path(folder).rglob(pattern) if path.is_file())
    if pattern != "*":
        files = [
            path
            for path in files
            if path.parent.name != "thumbnails" and not path.name.startswith(".")
        ]
    ids = [path.relative_to(folder).as_posix() for path in files]
    return pd.DataFrame({"image_id": ids, "label": [label(path) for path in files]})


@q1.edges
def _(right):
    yield "rows in another order", lambda folder: right(folder).sample(frac=1, random_state=0), True
    yield (
        "text in place of a categorical",
        lambda folder: right(folder).astype({"label": str}),
        True,
    )
    yield "two columns only", lambda folder: right(folder)[["label", "image_id"]], True
    yield (
        "paths of Windows",
        lambda f: right(f).assign(image_id=lambda t: t["image_id"].str.replace("/", "\\")),
        True,
    )
    yield "one row lost", lambda folder: right(folder).iloc[1:], False
    yield "one row twice", lambda folder: pd.concat([right(folder), right(folder).iloc[:1]]), False
    yield (
        "names in place of places",
        lambda f: right(f).assign(image_id=lambda t: t["image_id"].str[-10:]),
        False,
    )


# --- q2: the broken files -------------------------------------------------------------------------

WHOLE = ("jpeg", "renamed", "small", "dicom", "padded")
# the third begins and ends as it should
BROKEN = ("cut_jpeg", "cut_png", "holed", "archive", "page")


def _delivery(rng: np.random.Generator, place: Path) -> tuple[Path, dict[str, str]]:
    """A folder of files, some of them no whole image; and what each is, by name."""
    folder = place / fresh.names(rng, 1, "delivery-")[0]
    folder.mkdir(parents=True)
    kinds = [*WHOLE, *BROKEN]
    names = [
        f"{name}.{_ending(kind)}"
        for name, kind in zip(fresh.names(rng, len(kinds)), kinds, strict=True)
    ]
    for name, kind in zip(names, kinds, strict=True):
        (folder / name).write_bytes(_content(rng, kind, place))
    return folder, dict(zip(names, kinds, strict=True))


def _ending(kind: str) -> str:
    return (
        "dcm"
        if kind == "dicom"
        else "png"
        if kind in ("small", "cut_png", "holed", "archive")
        else "jpg"
    )


def _content(rng: np.random.Generator, kind: str, place: Path) -> bytes:
    """The bytes of a file of a kind."""
    if kind == "dicom":
        plan = phantom.design("clean", n=1, seed=int(rng.integers(1000)))
        drawn = phantom.write(
            plan, place / "dicom", format="dicom", size=32, masks=False, progress=False
        )
        return next(Path(drawn).rglob("*.dcm")).read_bytes()
    if kind == "archive":
        with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
            archive.writestr("scan.txt", "not an image")
        return buffer.getvalue()
    if kind == "page":
        return (
            b"<!doctype html><title>Please log in</title>"
            b"<p>Your session has ended. Please log in to download.</p>"
        )
    grey = (
        np.full((8, 8), 7, np.uint8)
        if kind == "small"
        else rng.integers(0, 255, (96, 96), np.uint8)
    )
    data = _encoded(grey, "PNG" if kind in ("renamed", "small", "cut_png", "holed") else "JPEG")
    if kind == "padded":
        return data + bytes(int(rng.integers(100, 900)))  # as some servers and archives leave it
    if kind == "holed":
        return (
            data[: int(len(data) * rng.uniform(0.3, 0.4))]
            + data[int(len(data) * rng.uniform(0.6, 0.7)) :]
        )
    return data[: int(len(data) * rng.uniform(0.5, 0.8))] if kind.startswith("cut") else data


def _other_format(folder):
    starts = {".jpg": b"\xff\xd8", ".png": b"\x89PNG"}
    files = [path for path in Path(folder).iterdir() if path.suffix in starts]
    return [path.name for path in files if not path.read_bytes().startswith(starts[path.suffix])]


def _small_ones(folder):
    sizes = {path.name: path.stat().st_size for path in Path(folder).iterdir()}
    return [name for name, size in sizes.items() if size < np.median(list(sizes.values())) / 4]


q2 = Question(
    "broken_files",
    title="Find the broken files",
    points=3,
    wants=(
        "broken_files(folder) returns a list of the names of the files that do not contain a "
        "complete image"
    ),
    hints=(
        "Four different things: a file's name, its first bytes, whether it opens, and whether it "
        "is complete.",
        "The only proof that the pixels are there is to decode them. In the lesson, which step "
        "raised an error for the truncated file, and which did not?",
        "There is a DICOM file among them, which Pillow alone cannot open. images.read decodes "
        "either kind, and raises images.ImageError where it cannot.",
    ),
    data=lambda rng: _keep(rng, _delivery),
    mistakes={
        "named_like_images": Mistake(
            lambda folder: [
                path.name for path in Path(folder).iterdir() if not images.looks_like_image(path)
            ],
            "No file was reported. Every name ends like an image's name, but anyone can type a "
            "file name: {n} of these files do not contain a complete image. Look at the contents.",
        ),
        "other_format": Mistake(
            _other_format,
            "{file} was reported, but it is complete: only its name says another format than its "
            "bytes have, and rejecting it loses a patient. (The reverse also occurs: name and "
            "first bytes agree, and the file is truncated.)",
        ),
        "header_only": Mistake(
            lambda folder: _failing(folder, lambda path: Image.open(path).size),
            "{file} is truncated and was accepted. It opens without an error and has a size and a "
            "format, because the beginning of the file is intact. The fault appears only when the "
            "pixels are decoded.",
        ),
        "verified": Mistake(
            lambda folder: _failing(folder, lambda path: Image.open(path).verify()),
            "{file} is truncated and was accepted. Pillow's verify() does not decode the pixels "
            "of a JPEG; it checks the beginning only. Only decoding shows that a file is complete.",
        ),
        "pillow_only": Mistake(
            lambda folder: _failing(folder, lambda path: Image.open(path).load(), skip=()),
            "{file} was reported, but it is complete: a DICOM file, the format used in hospitals. "
            "A file that one library cannot open is not necessarily broken. Use a reader that "
            "knows both kinds.",
        ),
        "small_ones": Mistake(
            _small_ones,
            "{file} was reported, but it is complete: an image with little content needs few "
            "bytes, and a large file can still lack its end. File size is a reason to look, not a "
            "proof.",
        ),
    },
)


@q2.rule
def _(broken_files, rng):
    with tempfile.TemporaryDirectory() as place:
        folder, truth = _delivery(rng, Path(place))
        found = expect.names(broken_files(folder), truth, "broken_files(folder)")
    by_kind = {kind: name for name, kind in truth.items()}
    accused = {truth[name] for name in found}
    missed = set(BROKEN) - accused
    if not found:
        raise q2.caught("named_like_images", n=len(BROKEN))
    for kind, mistake in {
        "small": "small_ones",
        "renamed": "other_format",
        "dicom": "pillow_only",
    }.items():
        if kind in accused:
            raise q2.caught(mistake, file=by_kind[kind])
    if accused - set(BROKEN):
        raise Wrong(
            f"{next(name for name in found if truth[name] not in BROKEN)} is complete: every pixel "
            "can be decoded."
        )
    if missed == {"cut_jpeg", "cut_png", "holed"}:
        raise q2.caught("header_only", file=by_kind["cut_jpeg"])
    if missed == {"cut_jpeg"}:
        raise q2.caught("verified", file=by_kind["cut_jpeg"])
    if missed:
        raise Wrong(
            f"{len(missed)} of {len(BROKEN)} were not found, such as {by_kind[max(missed)]}. A "
            "file can begin and end as an image does, and lack what lies between: decode the "
            "pixels of every file."
        )


def _failing(folder, use, *, skip=(".dcm",)):
    """Names of the files at which `use` raises."""
    found = []
    for path in sorted(Path(folder).iterdir()):
        try:
            if path.suffix not in skip:
                use(path)
        except Exception:  # noqa: BLE001 - whatever a decoder raises
            found.append(path.name)
    return found


@q2.edges
def _(right):
    yield "a set", lambda folder: set(right(folder)), True
    yield "paths", lambda folder: [Path(folder, name) for name in right(folder)], True
    yield "a column", lambda folder: pd.Series(right(folder)), True
    yield "one named twice", lambda folder: [*right(folder), right(folder)[0]], True
    yield "one missing", lambda folder: right(folder)[1:], False
    yield "all files", lambda folder: [path.name for path in Path(folder).iterdir()], False
    yield "a file that is not there", lambda folder: [*right(folder), "other.jpg"], False


# --- q3: which output is which class --------------------------------------------------------------

POOL = ("Normal", "COVID", "viral", "bacterial", "Effusion")


def _network(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Outputs of a good network for images of known class, the classes, and the order of its
    columns.

    In each class it is sure and wrong for the first image, the last, and some others: no single one
    tells the order.
    """
    wrong, order = [], None
    while order is None or list(order) in wrong:
        order = rng.permutation(
            ["Normal", "COVID", *rng.choice(POOL[2:], size=int(rng.integers(1, 3)), replace=False)]
        )
        sizes = 90 // 2 ** rng.permutation(len(order))
        labels = rng.permutation(np.repeat(order, sizes))
        wrong = [mistake.answer(None, labels) for mistake in q3.mistakes.values()]
    columns = np.array([list(order).index(label) for label in labels])
    likely = np.ones((len(labels), len(order)))
    likely[np.arange(len(labels)), columns] = 12
    outputs = np.array([rng.dirichlet(row) for row in likely])
    for column, name in enumerate(order):
        rows = np.flatnonzero(labels == name)
        for k, row in enumerate(
            [rows[0], rows[-1], *rng.choice(rows[1:-1], len(rows) // 12, replace=False)]
        ):
            outputs[row] = 0.01
            outputs[row, (column + 1 + k % (len(order) - 1)) % len(order)] = 1 - 0.01 * (
                len(order) - 1
            )
    return outputs.round(4), labels, list(order)


def _by_frequency(outputs, labels):
    names, counts = np.unique(labels, return_counts=True)
    return names[np.argsort(-counts, kind="stable")].tolist()


def _networks(rng: np.random.Generator) -> list[Case]:
    drawn = [_network(rng) for _ in range(40)]
    return [Case((outputs, labels), order) for outputs, labels, order in drawn]


def _order(value, case: Case) -> list[str]:
    """The answer as a list of the classes, each once."""
    found = expect.names(value, case.right, "column_order(outputs, labels)")
    if len(found) < len(case.right):
        raise Wrong(
            f"column_order(outputs, labels) should name {len(case.right)} classes, each once, not "
            f"{len(found)}."
        )
    return found


def _accuracy(orders: list[list[str]], cases: list[Case]) -> dict:
    """Share of images that the networks get right when their columns are read so."""
    pairs = [
        (np.array(order)[c.given[0].argmax(axis=1)], c.given[1])
        for order, c in zip(orders, cases, strict=True)
    ]
    return {"accuracy": np.mean([(said == labels).mean() for said, labels in pairs])}


def _why_not_order(order: list[str], case: Case) -> str:
    given, right = ", ".join(order), ", ".join(case.right)
    return f"A network was given a wrong order, {given}; its columns are {right}."


q3 = Compare(
    "column_order",
    title="Which output is which class?",
    points=2,
    wants=(
        "column_order(outputs, labels) returns the names of the classes as a list, in the order "
        "of the columns"
    ),
    hints=(
        "No rule tells you how another program numbered the classes. But you have outputs for "
        "images whose class you know.",
        "Take the images of one class only. Which column is high for them?",
        "outputs[labels == name].mean(axis=0) is one number per column for a class: where is the "
        "largest?",
    ),
    data=lambda rng: _network(rng)[:2],
    mistakes={
        "alphabetical": Mistake(
            lambda outputs, labels: sorted(set(labels.tolist())),
            "The names were sorted alphabetically. Many tools number classes this way, but these "
            "networks use other orders. With this order they would be right for {accuracy:.0%} of "
            "the images, and no error would be raised. Use the outputs.",
        ),
        "first_seen": Mistake(
            lambda outputs, labels: list(dict.fromkeys(labels.tolist())),
            "The classes are in the order in which they first occur in the labels. That is the "
            "order of these images, not of the network's columns; with it the network would be "
            "right for {accuracy:.0%} of the images.",
        ),
        "healthy_first": Mistake(
            lambda outputs, labels: sorted(
                set(labels.tolist()), key=lambda name: manifest.LABELS.index(name.lower())
            ),
            "Normal was put first and the diseases after it, as in this course. Other people's "
            "networks need not follow this order; with it they would be right for {accuracy:.0%} "
            "of the images.",
        ),
        "by_frequency": Mistake(
            _by_frequency,
            "The classes were sorted by their number of images. Nothing makes a network number "
            "its classes by frequency; with this order it would be right for {accuracy:.0%} of "
            "the images.",
        ),
    },
    cases=_networks,
    read=_order,
    places=_accuracy,
    explain=_why_not_order,
)


@q3.edges
def _(right):
    yield "an array of text", lambda outputs, labels: np.array(right(outputs, labels)), True
    yield "by the largest output of each image", _by_winner, True
    yield (
        "two columns swapped",
        lambda outputs, labels: [*right(outputs, labels)[1::-1], *right(outputs, labels)[2:]],
        False,
    )
    yield "one class missing", lambda outputs, labels: right(outputs, labels)[:-1], False
    yield "numbers in place of names", lambda outputs, labels: list(range(outputs.shape[1])), False


def _by_winner(outputs, labels):
    won = pd.crosstab(outputs.argmax(axis=1), labels)
    return won.idxmax(axis=1).tolist()
