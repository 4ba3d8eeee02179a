"""Questions of lesson 01, data import: a new layout, broken files, a test, files read wrongly."""

import io
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy.optimize import linear_sum_assignment

from .. import images, manifest, phantom
from . import _networks, expect, fresh
from ._figures import Diagnosis
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


# --- q3: a network, tested on a folder ------------------------------------------------------------

SIDE = _networks.SIDE
CLASSES = ("Normal", "viral", "COVID")  # in the order of the hazes that `sketches` draws
UNCLEAR = 3  # images in the folder of no class
CLOSE = 0.002  # of a probability


def _asked_for(rng: np.random.Generator, place: Path) -> tuple[tuple, list[str]]:
    """A folder below `place`, a network for its classes and the order of its columns; and the
    images' paths, relative to the folder.

    One of the images lies one folder deeper, some are stored in colour, and one more folder holds
    images of no class.
    """
    order = fresh.until(lambda: rng.permutation(CLASSES).tolist(), lambda o: o != sorted(o))
    folder = place / fresh.names(rng, 1, "test-")[0]
    found = []
    sizes = dict(zip(rng.permutation(CLASSES), (20, 9, 6), strict=True)) | {"unclear": UNCLEAR}
    for name, n in sizes.items():
        hazes = [CLASSES.index(name) if name in CLASSES else 0] * n
        hazes[2] = (
            hazes[2] + 1
        ) % 3  # looks like another class, so that no network is always right
        for k, sketch in enumerate(_networks.sketches(rng, hazes)):
            home = folder / name / (f"from {order[0]} ward" if k == 1 else "")
            home.mkdir(parents=True, exist_ok=True)
            path = home / f"{fresh.names(rng, 1)[0]}.png"
            picture = Image.fromarray(sketch)
            (picture.convert("RGB") if k % 3 == 0 else picture).save(path)
            if name in CLASSES:
                found.append(path.relative_to(folder).as_posix())
    return (_templates(rng, order), folder, order), found


def _templates(rng: np.random.Generator, order: list[str]):
    """A network (n, SIDE, SIDE, 1) → probabilities: how near an image is to each class's mean."""
    keras = _networks.keras()
    means = np.stack(
        [_networks.sketches(rng, [CLASSES.index(name)] * 60).mean(axis=0) / 255 for name in order]
    ).reshape(len(order), -1)
    network = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(len(order), activation="softmax"),
        ]
    )
    network.layers[-1].set_weights([0.6 * means.T, -0.3 * (means**2).sum(axis=1)])
    return network


def _read_with_keras(folder, classes=None, **settings):
    """The images of a folder by Keras's call: batches of images and labels."""
    return _networks.keras().utils.image_dataset_from_directory(
        folder,
        class_names=classes,
        color_mode="grayscale",
        image_size=(SIDE, SIDE),
        verbose=False,
        **settings,
    )


def _two_passes(network, folder, classes):
    batches = _read_with_keras(folder, classes, seed=0)
    labels = np.concatenate([numbers for _, numbers in batches])
    return labels, network.predict(batches, verbose=0)


def _one_pass(network, batches, scale=1.0):
    pairs = [(numbers, network.predict_on_batch(scale * b)) for b, numbers in batches]
    return tuple(np.concatenate(part) for part in zip(*pairs, strict=True))


q3 = Question(
    "tested",
    title="Test a network on a folder",
    points=4,
    wants=(
        "tested(network, folder, classes) returns two arrays: labels (n,), the column of each "
        "image's class, and outputs (n, classes), what the network says of the same images"
    ),
    hints=(
        "Lesson 01 reads a folder with image_dataset_from_directory. In which order does it number "
        "the classes, if it is not told? And does it give the images in the same order twice?",
        "Its arguments: class_names=classes, color_mode, image_size, shuffle. What is the size of "
        "the images, and what do the defaults say?",
        "With shuffle=False: labels = np.concatenate([numbers for _, numbers in data]), and "
        "outputs = network.predict(data).",
    ),
    data=lambda rng: _keep(rng, _asked_for),
    mistakes={
        "two_passes": Mistake(
            _two_passes,
            "Each output is that of an image, and each class has as many labels as it should, but "
            "{n} of {all} labels stand beside another image's output. With these pairs the "
            "accuracy is {said:.2f}; it is {right:.2f}. Reading labels in one pass and outputs in "
            "another does this where the data are shuffled anew in each pass: shuffle=False.",
            random=True,
        ),
        "alphabetical": Mistake(
            lambda network, folder, classes: _one_pass(
                network, _read_with_keras(folder, sorted(classes), shuffle=False)
            ),
            "The outputs are right, and the labels number the classes alphabetically. The "
            "network's columns have the order of `classes`: with your numbers its accuracy is "
            "{said:.2f}; it is {right:.2f}. Tell the reader the order: class_names=classes.",
        ),
        "every_folder": Mistake(
            lambda network, folder, classes: _one_pass(
                network, _read_with_keras(folder, shuffle=False)
            ),
            "{n} images are too many: those in the folder 'unclear' were tested, too. It is none "
            "of the network's classes, and a reader that takes each folder for a class has "
            "invented a fourth. Name the classes: class_names=classes.",
        ),
        "scaled_twice": Mistake(
            lambda network, folder, classes: _one_pass(
                network, _read_with_keras(folder, classes, shuffle=False), 1 / 255
            ),
            "The labels have the right order, and the network was given black images: you divided "
            "by 255, and its first layer does so again. All its answers lie within {span:.3f} of "
            "each other.",
        ),
        "folder_above": Mistake(
            lambda network, folder, classes: _by_parents(network, folder, classes),
            "The folder directly above a file was read as its class. {file} lies one folder "
            "deeper: its class is {true}. Take the folder directly below `folder`, as Keras does.",
        ),
    },
)


def _by_parents(network, folder, classes):
    """Tested by a loop over files, each labelled by the folder directly above it."""
    paths = [path for path in sorted(folder.rglob("*.png")) if "unclear" not in path.parts]
    known = [[name in path.parent.name for name in classes].index(True) for path in paths]
    return np.array(known), network.predict(_pixels(paths), verbose=0)


def _pixels(paths) -> np.ndarray:
    """Grey levels 0-255 of images, (n, SIDE, SIDE, 1)."""
    return np.stack([np.asarray(Image.open(path).convert("L"), "float32") for path in paths])[
        ..., None
    ]


@q3.rule
def _(tested, rng):
    for _ in range(2):
        with tempfile.TemporaryDirectory() as place:
            (network, folder, classes), paths = _asked_for(rng, Path(place))
            pixels = _pixels([folder / path for path in paths])
            truth = np.array([classes.index(path.split("/")[0]) for path in paths])
            with _networks.without_advice():
                found = tested(network, folder, classes)
        labels, given = _two_arrays(found, classes, len(paths))
        right = _networks.outputs(network, pixels)
        images = _images(network, pixels, given, right)
        _judge_labels(labels, given, truth, right, images, paths, classes)


def _two_arrays(value, classes: list[str], n: int) -> tuple[np.ndarray, np.ndarray]:
    """The answer as numbers of columns (n,) and outputs (n, classes)."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise Wrong(
            "tested(network, folder, classes) should return two arrays, labels and outputs, not "
            f"{expect.kind(value)}."
        )
    labels, outputs = value
    outputs = expect.array(outputs, (-1, len(classes)), "outputs")
    labels = [classes.index(label) if label in classes else label for label in np.ravel(labels)]
    labels = expect.array(labels, (-1,), "labels")
    if len(labels) != len(outputs):
        raise Wrong(f"{len(labels)} labels stand beside {len(outputs)} rows of outputs.")
    if len(labels) == n + UNCLEAR:
        raise q3.caught("every_folder", n=UNCLEAR)
    if len(labels) != n:
        raise Wrong(
            f"The folder has {n} images of the classes {', '.join(classes)}, and you tested "
            f"{len(labels)}. A folder may hold folders."
        )
    if not set(labels.tolist()) <= set(range(len(classes))):
        raise Wrong(f"labels should be numbers of columns, 0 to {len(classes) - 1}.")
    return labels.astype(int), outputs


def _images(network, pixels: np.ndarray, given: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return which image each row is about, or raise `Wrong`: each has its output once."""
    images = _paired(given, right)
    if images is not None:
        return images
    if _paired(given, _networks.outputs(network, pixels / 255), 1e-5) is not None:
        raise q3.caught("scaled_twice", span=np.ptp(given, axis=0).max())
    raise Wrong(
        "These are not the network's outputs for the images of the folder: it takes grey levels 0 "
        f"to 255, {SIDE} × {SIDE} pixels, one channel. Are some images tested twice, and others "
        "not?"
    )


def _paired(given: np.ndarray, right: np.ndarray, close: float = CLOSE) -> np.ndarray | None:
    """Which image each row is about, or None where it is not one of each."""
    rows, images = linear_sum_assignment(
        np.abs(given[:, None] - right[None]).max(axis=2).clip(0, 2 * close)
    )
    return images if np.abs(given[rows] - right[images]).max() <= close else None


def _judge_labels(labels, given, truth, right, images, paths, classes) -> None:
    """Raise `Wrong` unless each row has the label of the image that it is about."""
    wrong = np.flatnonzero(labels != truth[images])
    if not len(wrong):
        return
    accuracy = {
        "said": (given.argmax(axis=1) == labels).mean(),
        "right": (right.argmax(axis=1) == truth).mean(),
    }
    by_name = np.array([sorted(classes).index(name) for name in classes])
    if (labels == by_name[truth[images]]).all():
        raise q3.caught("alphabetical", **accuracy)
    deeper = [paths[images[row]] for row in wrong]
    if all(path.count("/") > 1 for path in deeper):
        raise q3.caught("folder_above", file=deeper[0], true=deeper[0].split("/")[0])
    if np.array_equal(np.bincount(labels), np.bincount(truth)):
        raise q3.caught("two_passes", n=len(wrong), all=len(labels), **accuracy)
    raise Wrong(
        f"{len(wrong)} of {len(labels)} labels are wrong. {paths[images[wrong[0]]]} is "
        f"{classes[truth[images[wrong[0]]]]}, and has the label of {classes[labels[wrong[0]]]}."
    )


@q3.edges
def _(right):
    def turned(network, folder, classes):
        labels, outputs = right(network, folder, classes)
        return labels[::-1], outputs[::-1]

    def named(network, folder, classes):
        labels, outputs = right(network, folder, classes)
        return [classes[label] for label in labels], outputs

    def shuffled_once(network, folder, classes):
        return _one_pass(network, _read_with_keras(folder, classes, seed=1))

    yield "images in another order", turned, True
    yield "shuffled, in one pass", shuffled_once, True
    yield "names of the classes", named, True
    yield "labels alone turned", lambda *a: (right(*a)[0][::-1], right(*a)[1]), False
    yield "outputs alone", lambda *a: right(*a)[1], False
    yield (
        "the answers in place of the labels",
        lambda *a: (right(*a)[1].argmax(1), right(*a)[1]),
        False,
    )


# --- q4: which panel was read wrongly, and how ----------------------------------------------------

SHOWN = 132  # pixels of a panel's side


def _read_so(rng: np.random.Generator, how: str) -> np.ndarray:
    """A chest as a program shows it that reads its file in some way: grey levels, uint8."""
    plan = phantom.design(
        "clean", n=1, classes=("normal",), views=("PA",), seed=int(rng.integers(10**6))
    )
    chest = phantom.render(plan.iloc[0], SHOWN).image
    levels = np.round(255 * chest).astype(np.uint8)
    if how == "inverted":
        return 255 - levels
    if how == "low byte":  # of ten bits
        return np.round(1023 * chest).astype(np.uint16).astype(np.uint8)
    if how == "palette":  # of 16 colours, in any order
        return (17 * rng.permutation(16))[levels // 16].astype(np.uint8)
    if how == "truncated":
        levels[int(SHOWN * rng.uniform(0.45, 0.7)) :] = 128
    if how == "planes":
        return np.stack([levels] * 3).reshape(SHOWN, SHOWN, 3)[..., 0]
    return levels


q4 = Diagnosis(
    "misread",
    title="How was it read?",
    points=2,
    options=("right", "inverted", "low byte", "palette", "truncated", "planes"),
    draw=_read_so,
    hints=(
        "Take one option after the other: what would it do to the air beside the shoulders, which "
        "should be black, and to the spine, which should be bright?",
        "A number that grows by one and starts again at 0 makes an edge that no anatomy has. An "
        "order that means nothing makes many. Which panel has lines like those of a map?",
        "Count: in which panel are there several small chests? Where does an image end before its "
        "last row?",
    ),
    mixed_up={
        ("low byte", "palette"): (
            "The palette's panel was called low byte. Where the upper bits are lost, grey levels "
            "still rise smoothly from 0 to 255 and then start again: smooth areas with lines "
            "between them. Numbers of a palette have no order: neighbouring levels jump anywhere."
        ),
        ("palette", "truncated"): (
            "The truncated file was called palette. A palette's numbers change all of the image. "
            "Here the upper part is as it should be, and nothing is left below."
        ),
        ("inverted", "right"): (
            "The panel that was read rightly was called inverted. Air is black: look at the "
            "corners, beside the shoulders, and at the lungs."
        ),
        ("planes", "inverted"): (
            "The negative was called planes. Three planes read as one image give several small "
            "chests; a negative has one, of full size, with white air."
        ),
        ("truncated", "planes"): (
            "The panel with several small chests was called truncated. Nothing is missing: the "
            "file keeps one whole colour after the other, and was read as if it kept one pixel "
            "after the other."
        ),
    },
)
