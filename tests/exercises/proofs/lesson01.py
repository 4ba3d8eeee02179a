"""Answers to the questions of lesson 01, data import."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
from PIL import Image
from scipy.optimize import linear_sum_assignment

from cxr_helpers import images

from . import Proof

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


# --- column_order ---------------------------------------------------------------------------------


def order_by_matching(outputs, labels):
    names = np.unique(labels)
    means = np.stack([outputs[labels == name].mean(axis=0) for name in names])
    rows, columns = linear_sum_assignment(-means)
    return [str(names[rows[columns == k][0]]) for k in range(outputs.shape[1])]


def order_by_votes(outputs, labels):
    table = pd.DataFrame({"column": outputs.argmax(axis=1), "label": labels})
    return table.groupby("column")["label"].agg(lambda names: names.mode()[0]).sort_index().tolist()


def order_by_correlation(outputs, labels):
    dummies = pd.get_dummies(pd.Series(labels)).astype(float)
    return [dummies.corrwith(pd.Series(outputs[:, k])).idxmax() for k in range(outputs.shape[1])]


def order_by_first_image(outputs, labels):
    names = dict.fromkeys(labels)
    columns = {name: int(outputs[np.flatnonzero(labels == name)[0]].argmax()) for name in names}
    return sorted(names, key=columns.get)


def order_by_surest_image(outputs, labels):
    names = dict.fromkeys(labels)
    columns = {name: int(outputs[labels == name].max(axis=0).argmax()) for name in names}
    return sorted(names, key=columns.get)


def order_by_any_image(outputs, labels):
    rng = np.random.default_rng(0)
    names = dict.fromkeys(labels)
    columns = {
        name: int(outputs[rng.choice(np.flatnonzero(labels == name))].argmax()) for name in names
    }
    return sorted(names, key=columns.get)


def order_of_means(outputs, labels):
    names, counts = np.unique(labels, return_counts=True)
    order = np.argsort(np.argsort(outputs.mean(axis=0)))
    return names[np.argsort(counts)][order].tolist()[::-1]


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
        "column_order",
        right={
            "SciPy: matched by their means": order_by_matching,
            "pandas: most frequent label of each column": order_by_votes,
            "pandas: correlation with dummies": order_by_correlation,
        },
        wrong={
            "the first image of each class": order_by_first_image,
            "the surest image of each class": order_by_surest_image,
            "any one image of each class": order_by_any_image,
            "frequencies matched": order_of_means,
        },
    ),
]
