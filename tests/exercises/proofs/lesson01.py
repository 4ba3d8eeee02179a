"""Answers to the questions of lesson 01, data import."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
from PIL import Image

from cxr_helpers import images, quiet
from cxr_helpers.checks import lesson01

from . import Proof

with quiet():
    import keras

# --- import_folder --------------------------------------------------------------------------------


def folder_by_glob(folder):
    rows = []
    for group, label in (("Cases", "covid"), ("Controls", "non_covid")):
        rows += [
            (path.relative_to(folder).as_posix(), label)
            for path in Path(folder).glob(f"*/{group}/*/visit*.jpg")
        ]
    return pd.DataFrame(rows, columns=["image_id", "label"])


def folder_by_walk(folder):
    found = {"image_id": [], "label": []}
    for home, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "thumbnails"]
        for file in files:
            parts = os.path.relpath(os.path.join(home, file), folder).split(os.sep)
            if file.endswith(".jpg") and not file.startswith("."):
                found["image_id"].append("/".join(parts))
                found["label"].append("covid" if parts[1] == "Cases" else "non_covid")
    return pd.DataFrame(found)


def folder_by_columns(folder):
    table = pd.DataFrame(
        {"image_id": [p.relative_to(folder).as_posix() for p in Path(folder).rglob("*.jpg")]}
    )
    parts = table["image_id"].str.split("/", expand=True)
    kept = (table["image_id"].str.count("/") == 3) & ~parts[3].str.startswith("._")
    return table.assign(label=parts[1].map({"Cases": "covid", "Controls": "non_covid"}))[kept]


def folder_with_thumbnails(folder):
    files = [path for path in Path(folder).rglob("*.jpg") if not path.name.startswith(".")]
    labels = ["covid" if "Cases" in path.parts else "non_covid" for path in files]
    return pd.DataFrame(
        {"image_id": [p.relative_to(folder).as_posix() for p in files], "label": labels}
    )


def folder_with_words(folder):
    return folder_by_walk(folder).assign(
        label=lambda t: t["label"].replace("non_covid", "no finding")
    )


def folder_by_content(folder):
    table = folder_with_thumbnails(folder)
    content = [Path(folder, name).read_bytes() for name in table["image_id"]]
    return table[~pd.Series(content).duplicated(keep=False).to_numpy()]


# --- broken_files ---------------------------------------------------------------------------------


def broken_by_two_libraries(folder):
    broken = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            if name.endswith(".dcm"):
                np.asarray(pydicom.dcmread(path).pixel_array)
            else:
                with Image.open(path) as image:
                    np.asarray(image)
        except Exception:
            broken.append(name)
    return broken


def broken_by_decoding(folder):
    def whole(path):
        try:
            return images.read(path).size > 0
        except images.ImageError:
            return False

    return {path.name for path in Path(folder).iterdir() if not whole(path)}


def broken_by_table(folder):
    table = pd.DataFrame({"path": sorted(Path(folder).iterdir())})

    def fault(path):
        try:
            (
                pydicom.dcmread(path).pixel_array
                if path.suffix == ".dcm"
                else Image.open(path).convert("L").load()
            )
        except Exception as error:
            return str(error) or "unknown"
        return None

    table["fault"] = table["path"].map(fault)
    return table.loc[table["fault"].notna(), "path"].map(lambda path: path.name)


def broken_by_ends(folder):
    broken = []
    for path in Path(folder).iterdir():
        data = path.read_bytes()
        jpeg = data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
        png = data[:4] == b"\x89PNG" and data[-8:-4] == b"IEND"
        if not (jpeg or png or data[128:132] == b"DICM"):
            broken.append(path.name)
    return broken


def broken_by_end_marks(folder):
    marks = (b"\xff\xd9", b"IEND")
    data = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return [
        name
        for name, all_ in data.items()
        if b"DICM" not in all_ and not any(mark in all_ for mark in marks)
    ]


def broken_by_verify(folder):
    broken = []
    for path in Path(folder).iterdir():
        try:
            (pydicom.dcmread if path.suffix == ".dcm" else lambda p: Image.open(p).verify())(path)
        except Exception:
            broken.append(path.name)
    return broken


# --- tested ---------------------------------------------------------------------------------------


def keras_data(folder, classes, **settings):
    return keras.utils.image_dataset_from_directory(
        str(folder),
        class_names=list(classes),
        color_mode="grayscale",
        image_size=(24, 24),
        **settings,
    )


def tested_by_keras(network, folder, classes):
    data = keras_data(folder, classes, shuffle=False, label_mode="categorical", batch_size=8)
    labels = np.concatenate([one_hot.numpy().argmax(axis=1) for _, one_hot in data])
    return labels, network.predict(data)


def tested_by_pillow(network, folder, classes):
    images, labels = [], []
    for column, name in enumerate(classes):
        for path in sorted(Path(folder, name).glob("**/*.png")):
            images.append(np.array(Image.open(path).convert("L"), dtype="float32"))
            labels.append(column)
    return labels, network(np.stack(images)[..., np.newaxis], training=False)


def tested_by_tensorflow(network, folder, classes):
    import tensorflow as tf

    files = [str(path) for name in classes for path in Path(folder, name).rglob("*.png")]
    columns = [list(classes).index(Path(file).relative_to(folder).parts[0]) for file in files]

    def read(file, column):
        return tf.io.decode_png(tf.io.read_file(file), channels=1), column

    data = tf.data.Dataset.from_tensor_slices((files, columns)).map(read).batch(16)
    return np.array(columns), network.predict(data, verbose=0)


def tested_in_one_pass(network, folder, classes):
    labels, outputs = [], []
    for batch, numbers in keras_data(folder, classes, seed=3):
        labels += list(numbers.numpy())
        outputs += list(np.asarray(network(batch)))
    return np.array(labels), np.array(outputs)


def tested_after_a_shuffle(network, folder, classes):
    data = keras_data(folder, classes)
    outputs = network.predict(data, verbose=0)
    return np.concatenate([y for x, y in data], axis=0), outputs


def tested_in_two_orders(network, folder, classes):
    labels, images = tested_by_pillow(lambda images, training: images, folder, classes)
    order = np.random.default_rng(0).permutation(len(labels))
    return np.array(labels), network.predict(images[order], verbose=0)


def tested_by_sorted_names(network, folder, classes):
    labels, outputs = tested_by_pillow(network, folder, classes)
    return [sorted(classes).index(classes[label]) for label in labels], outputs


def tested_in_shares(network, folder, classes):
    return tested_by_pillow(lambda x, training: network(x / 255), folder, classes)


def tested_at_the_top_alone(network, folder, classes):
    paths = [path for name in classes for path in Path(folder, name).glob("*.png")]
    images = [np.array(Image.open(path).convert("L"), float)[..., None] for path in paths]
    labels = [classes.index(path.parent.name) for path in paths]
    return np.array(labels), network.predict(np.stack(images), verbose=0)


def tested_without_names(network, folder, classes):
    data = keras.utils.image_dataset_from_directory(
        folder, color_mode="grayscale", image_size=(24, 24), shuffle=False
    )
    return np.concatenate([y for _, y in data]), network.predict(data, verbose=0)


# --- misread --------------------------------------------------------------------------------------


def misread_by_numbers(figure):
    """What each panel shows, by numbers alone: those that the notebook prints."""
    found = {}
    for letter, image in figure.panels.items():
        grey, third = image.astype(float), len(image) // 3
        left, middle = grey[:, :third].ravel(), grey[:, third : 2 * third].ravel()
        if len(np.unique(image)) <= 16:
            found[letter] = "palette"
        elif grey[-10:].std() == 0:
            found[letter] = "truncated"
        elif np.corrcoef(left, middle)[0, 1] > 0.9:
            found[letter] = "planes"
        elif (np.abs(np.diff(grey, axis=1)) > 100).mean() > 0.01:
            found[letter] = "low byte"
        elif grey[40:75, 60:72].mean() > grey[40:75, [*range(25, 50), *range(82, 107)]].mean():
            found[letter] = "right"
        else:
            found[letter] = "inverted"
    return {"figure": figure.number} | found


def misread_by_luck(seed):
    letters = list("ABCDEF")
    words = np.random.default_rng(seed).permutation(lesson01.q4.options).tolist()
    return {"figure": lesson01.q4.sample(seed).number} | dict(zip(letters, words, strict=True))


PROOFS = [
    Proof(
        "import_folder",
        right={
            "pathlib: a pattern for each class": folder_by_glob,
            "os.walk, no library": folder_by_walk,
            "pandas: the parts as columns": folder_by_columns,
        },
        wrong={
            "thumbnails counted": folder_with_thumbnails,
            "words of one's own as labels": folder_with_words,
            "all that occurs twice dropped": folder_by_content,
        },
    ),
    Proof(
        "broken_files",
        right={
            "Pillow and pydicom": broken_by_two_libraries,
            "the package's reader": broken_by_decoding,
            "pandas: a column of faults": broken_by_table,
        },
        wrong={
            "first and last bytes": broken_by_ends,
            "marks of the end anywhere": broken_by_end_marks,
            "verify in place of load": broken_by_verify,
        },
    ),
    Proof(
        "tested",
        right={
            "Keras: not shuffled, labels one-hot": tested_by_keras,
            "Pillow: a loop over files": tested_by_pillow,
            "TensorFlow: tf.data from a list of files": tested_by_tensorflow,
            "Keras: shuffled, in one pass": tested_in_one_pass,
        },
        wrong={
            "labels read after a shuffle": tested_after_a_shuffle,
            "the images permuted, the labels not": tested_in_two_orders,
            "columns by sorted names": tested_by_sorted_names,
            "divided by 255 once more": tested_in_shares,
            "folders in folders forgotten": tested_at_the_top_alone,
            "every folder a class": tested_without_names,
        },
    ),
    Proof(
        "misread",
        right={
            f"by numbers, figure {seed}": misread_by_numbers(lesson01.q4.sample(seed))
            for seed in range(3)
        },
        wrong={f"guessed, figure {seed}": misread_by_luck(seed) for seed in range(5)}
        | {
            "the answer to another figure": misread_by_numbers(lesson01.q4.sample(7))
            | {"figure": 4e4}
        },
    ),
]
