"""Write a design as folders of images, laid out as the cases' sets; masks and truth beside them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from .. import files
from ..console import bar
from .acquisition import SITES
from .patient import stream
from .rendering import RENDERER_VERSION, render
from .sampling import COLUMNS

MASKS = ("lung", "heart", "lesion", "marker", "device")  # bit 0, 1, 2, 3, 4 of a mask file
FORMATS = ("mixed", "png", "jpeg", "dicom")
_ENDINGS = {"png": ".png", "jpeg": ".jpg", "dicom": ".dcm"}
LICENCE = "CC0-1.0"
BLOCK = 8  # rows that a process takes at a time
QUICK: dict[str, Any] = {
    "compress_level": 1,
    "compress_type": zlib.Z_RLE,
}  # of a PNG: smaller and quicker for grainy images and masks
_FOLDERS = {  # class folder per label, and how a split becomes a folder
    "case_a": ({"covid": "positive", "normal": "negative", "non_covid": "negative"}, "{label}"),
    "case_b": ({"covid": "Covid", "normal": "Normal"}, "Dataset/{split}/{label}"),
    "case_c": ({"covid": "COVID19", "normal": "NORMAL"}, "Data/{split}/{label}"),
    "case_d": (
        {"covid": "COVID-19", "normal": "non-COVID-19", "non_covid": "non-COVID-19"},
        "{label}",
    ),
    "case_e": (
        {"covid": "Covid", "normal": "Normal", "viral": "Viral Pneumonia"},
        "Covid19-dataset/{split}/{label}",
    ),
    "classes": ({}, "{label}"),
}
_SPLITS = {
    "case_b": {"train": "Train", "val": "Val", "test": "Prediction"},
    "case_c": {"val": "train"},
    "case_e": {"val": "train"},
}
LAYOUTS = tuple(_FOLDERS)


@dataclass(frozen=True)
class _Job:
    root: str
    size: int
    masks: bool


def write(
    design_table: pd.DataFrame,
    folder: str | os.PathLike,
    layout: str = "classes",
    *,
    format: str = "mixed",
    masks: bool = True,
    size: int = 224,
    progress: bool = True,
    processes: int = 2,
) -> Path:
    """Draw a design into a folder.

    Beside `images` lie `masks` (one PNG per image, bits as in MASKS; see `read_masks`), `truth.csv`
    (a row per image with all parameters; `image_id` is the path below `images`) and `phantom.json`
    (the content hash). A folder that holds this very cohort is left as it is; files appear all at
    once when everything is drawn.

    Parameters
    ----------
    design_table : pandas.DataFrame
        What to draw, as `design` gives it.
    folder : path
        New or empty, or of an older cohort, which is replaced.
    layout : str
        How class folders are laid out, one of LAYOUTS.
    format : {"mixed", "png", "jpeg", "dicom"}
        Of the image files; "mixed" is JPEG and PNG at random.
    masks : bool
        Whether to write masks.
    size : int
        Side of the images in pixels.
    progress : bool
        Whether to show how many images are drawn.
    processes : int
        How many processes draw; the files do not depend on it.

    Returns
    -------
    pathlib.Path
        `folder/images`, the root of the class folders.

    Raises
    ------
    ValueError
        For an unknown layout or format, or a label that the layout has no folder for.
    FileExistsError
        If `folder` holds something that is no phantom cohort.

    Examples
    --------
    >>> import tempfile
    >>> from cxr_helpers import phantom
    >>> table = phantom.design("imbalance", n=10, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images = phantom.write(table, f"{folder}/ten", size=48, format="png", progress=False)
    ...     {path.name: len(list(path.glob("*.png"))) for path in sorted(images.iterdir())}
    {'covid': 1, 'normal': 9}
    """
    folder = Path(folder)
    key = cohort_key(design_table, layout=layout, format=format, masks=masks, size=size)
    if _holds(folder) == key:
        # a lesson may have put copies beside them
        if _count(folder / "images") >= len(design_table):
            return folder / "images"
        warnings.warn(
            f"images that were drawn are missing in {folder}: it is drawn again", stacklevel=2
        )
    if folder.exists() and any(folder.iterdir()) and not _holds(folder):
        raise FileExistsError(f"{folder} holds other files; give an empty folder for the phantoms")
    table = place(design_table.reset_index(drop=True), layout, format)
    with files.whole_folder(folder, replace=True) as work:
        truth = _draw_all(table, _Job(str(work), size, masks), progress, processes)
        truth.to_csv(work / "truth.csv", index=False)
        facts = {"key": key, "images": len(table), "layout": layout, "licence": LICENCE}
        (work / "phantom.json").write_text(json.dumps(facts, indent=1))
    return folder / "images"


def cached(
    design_table: pd.DataFrame,
    data_dir: str | os.PathLike,
    name: str = "cohort",
    layout: str = "classes",
    **options,
) -> Path:
    """Write a design below `data_dir/phantom` under its content hash, once.

    Parameters
    ----------
    design_table : pandas.DataFrame
        What to draw, as `design` gives it.
    data_dir : path
        Folder of all data sets.
    name : str
        What the cohort's folder name begins with.
    layout : str
        How class folders are laid out, one of LAYOUTS.
    **options
        Those of `write`: format, masks, size, progress, processes.

    Returns
    -------
    pathlib.Path
        The root of the class folders.
    """
    keys = {k: v for k, v in options.items() if k in ("format", "masks", "size")}
    key = cohort_key(design_table, layout=layout, **keys)
    return write(design_table, Path(data_dir) / "phantom" / f"{name}-{key[:12]}", layout, **options)


def cohort_key(
    design_table: pd.DataFrame, *, layout="classes", format="mixed", masks=True, size=224
) -> str:
    """Content hash of a cohort: design, layout, format, size and RENDERER_VERSION.

    Parameters
    ----------
    design_table : pandas.DataFrame
        What is drawn, as `design` gives it.
    layout, format : str
        As for `write`.
    masks : bool
        Whether masks are written.
    size : int
        Side of the images in pixels.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> table = phantom.design("clean", n=4, seed=1)
    >>> phantom.cohort_key(table) == phantom.cohort_key(table, size=96)
    False
    """
    settings = f"{layout}|{format}|{bool(masks)}|{int(size)}|{RENDERER_VERSION}"
    return files.sha256((design_table[list(COLUMNS)].to_csv(index=False) + settings).encode())


def place(
    design_table: pd.DataFrame, layout: str = "classes", format: str = "mixed"
) -> pd.DataFrame:
    """Add the columns `file` (path below images/) and `format` to a design."""
    if layout not in _FOLDERS:
        raise ValueError(f"layout {layout!r} is not one of {', '.join(LAYOUTS)}")
    if format not in FORMATS:
        raise ValueError(f"format {format!r} is not one of {', '.join(FORMATS)}")
    names, _ = _FOLDERS[layout]
    if names and (strange := sorted(set(design_table["label"]) - set(names))):
        raise ValueError(
            f"layout {layout} has no folder for {', '.join(strange)}; it has {', '.join(names)}"
        )
    files, formats = [], []
    for row in design_table.itertuples():
        kind = format
        if format == "mixed":
            kind = str(stream(int(row.seed), "format").choice(["jpeg", "png"]))
        where = folder_of(row.label, row.split, layout)
        files.append(f"{where}/{row.image_id}{_ENDINGS[kind]}")
        formats.append(kind)
    return design_table.assign(file=files, format=formats)


def folder_of(label: str, split, layout: str) -> str:
    """Folder below the images' root of an image with this label and split.

    Parameters
    ----------
    label : str
        Class of the image.
    split : str or missing
        Part that the image belongs to; train if missing.
    layout : str
        One of LAYOUTS.

    Returns
    -------
    str
        Relative path with "/" between its parts.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> phantom.folder_of("covid", "val", "case_b")
    'Dataset/Val/Covid'
    """
    names, pattern = _FOLDERS[layout]
    split = "train" if pd.isna(split) else str(split)
    split = _SPLITS.get(layout, {}).get(split, split)
    where = pattern.format(split=split, label=names.get(label, label))
    return where.rsplit("/", 1)[0] if split == "Prediction" else where


def read_masks(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read a mask file.

    Parameters
    ----------
    path : path
        One of the files below `masks`; see `mask_file`.

    Returns
    -------
    dict of str to numpy.ndarray
        (h, w) bool of each name in MASKS.

    Examples
    --------
    >>> import tempfile
    >>> from cxr_helpers import phantom
    >>> table = phantom.design("clean", n=1, seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images = phantom.write(table, f"{folder}/one", size=48, format="png", progress=False)
    ...     image = next(images.rglob("*.png"))
    ...     masks = phantom.read_masks(phantom.mask_file(image, images))
    >>> masks["lung"].shape, bool(masks["lung"].any()), bool(masks["device"].any())
    ((48, 48), True, False)
    """
    with Image.open(path) as opened:
        bits = np.asarray(opened)
    return {name: (bits >> k) & 1 > 0 for k, name in enumerate(MASKS)}


def mask_file(image: str | os.PathLike, images: str | os.PathLike) -> Path:
    """Path of the mask file that belongs to an image.

    Parameters
    ----------
    image : path
        An image file below `images`.
    images : path
        The images' root, as `write` returns it.

    Returns
    -------
    pathlib.Path
        A PNG file below the folder `masks` beside the images' root.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> phantom.mask_file("set/images/covid/P00001_0.jpg", "set/images").as_posix()
    'set/masks/covid/P00001_0.png'
    """
    images = Path(images)
    return (images.parent / "masks" / Path(image).relative_to(images)).with_suffix(".png")


def _holds(folder: Path) -> str | None:
    """Content hash of the cohort in a folder, if there is one."""
    try:
        return json.loads((folder / "phantom.json").read_text())["key"]
    except (OSError, ValueError, KeyError):
        return None


def _count(folder: Path) -> int:
    """Number of files below a folder, without hidden ones."""
    return sum(not name.startswith(".") for _, _, names in os.walk(folder) for name in names)


def _draw_all(table: pd.DataFrame, job: _Job, progress: bool, processes: int) -> pd.DataFrame:
    """Share the rows between this process and plain sub-processes.

    These are safe in notebooks and with TensorFlow loaded.
    """
    rows = _records(table)
    with tempfile.TemporaryDirectory(prefix=".rows-", dir=job.root) as shared:
        listing = Path(shared) / "rows.json"
        listing.write_text(json.dumps(rows))
        parts = max(1, min(int(processes), len(table) // 24 or 1))
        helpers = [
            _start_helper(job, listing, Path(shared) / f"truth{k}.json") for k in range(1, parts)
        ]
        try:
            untaken = _untaken(rows, listing)
            done = _draw(_bar(untaken, listing, len(rows)) if progress else untaken, job)
            for helper in helpers:
                _, trouble = helper.process.communicate()
                if helper.process.returncode:
                    message = trouble.decode(errors="replace").strip().splitlines()[-1]
                    raise RuntimeError(f"drawing failed: {message}")
                done += json.loads(helper.truth.read_text())
        finally:
            for helper in helpers:
                if helper.process.poll() is None:
                    helper.process.kill()
                    helper.process.wait()
    return pd.DataFrame(done).sort_values("order").drop(columns="order").reset_index(drop=True)


@dataclass(frozen=True)
class _Helper:
    process: subprocess.Popen
    truth: Path  # where it leaves the truth about what it drew


def _start_helper(job: _Job, listing: Path, truth: Path) -> _Helper:
    call = f"_help({str(listing)!r}, {str(truth)!r}, {job.root!r}, {job.size}, {job.masks})"
    code = f"from {__package__} import cohort; cohort.{call}"
    root = str(Path(__file__).parents[len(__package__.split("."))])
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
    }
    # -P: this package, even where the working directory holds another of its name.
    process = subprocess.Popen([sys.executable, "-P", "-c", code], env=env, stderr=subprocess.PIPE)
    return _Helper(process, truth)


def _help(listing: str, truth: str, root: str, size: int, masks: bool) -> None:
    """Work of a sub-process: draw rows of a file until none is left; write down their truth."""
    rows = json.loads(Path(listing).read_text())
    Path(truth).write_text(
        json.dumps(_draw(_untaken(rows, Path(listing)), _Job(root, size, masks)))
    )


def _untaken(rows: list[dict], listing: Path) -> Iterator[dict]:
    """Rows no other process has taken, BLOCK at a time; a file beside the list takes a block."""
    for first in range(0, len(rows), BLOCK):
        try:
            listing.with_name(f"taken{first}").touch(exist_ok=False)
        except FileExistsError:
            continue
        yield from rows[first : first + BLOCK]


def _records(table: pd.DataFrame) -> list[dict]:
    """Rows as plain dictionaries with their position; a missing value is None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    records = []
    for order, row in zip(table.index, rows, strict=True):
        record = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in row.items()
        }
        record["order"] = int(order)
        records.append(record)
    return records


def _bar(rows: Iterable[dict], listing: Path, total: int) -> Iterator[dict]:
    """Show how many rows all processes have taken."""
    with bar(total=total, unit="image", desc="phantoms") as shown:
        for k, row in enumerate(rows):
            if k % BLOCK == 0:
                taken = BLOCK * (len(list(listing.parent.glob("taken*"))) - 1)
                shown.update(taken - shown.n)
            yield row
        shown.update(total - shown.n)


def _draw(rows: Iterable[dict], job: _Job) -> list[dict]:
    """Write images and masks of the rows; returns the truth about them."""
    truth = []
    for row in rows:
        drawn = render(row, job.size, masks=job.masks)
        path = Path(job.root) / "images" / row["file"]
        _save(path, drawn.image, row)
        if job.masks:
            bits: Any = sum(drawn.masks[name].astype(np.uint8) << k for k, name in enumerate(MASKS))
            target = (Path(job.root) / "masks" / row["file"]).with_suffix(".png")
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(bits).save(target, **QUICK)
        truth.append(row | drawn.truth | {"image_id": row["file"]})
    return truth


def _save(path: Path, image: np.ndarray, row: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.rint(image * 255).astype(np.uint8)
    if row["format"] == "dicom":
        path.write_bytes(_dicom(image, row))
    elif row["format"] == "jpeg":
        Image.fromarray(levels).save(path, "JPEG", quality=SITES[row["equipment"]].quality)
    else:
        Image.fromarray(levels).save(path, "PNG", **QUICK)


def _dicom(image: np.ndarray, row: dict) -> bytes:
    """12-bit DICOM whose identifiers say that it is a phantom.

    Site C stores MONOCHROME1, as some detectors do.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

    inverted = row["equipment"] == "C"
    pixels = np.rint((1 - image if inverted else image) * 4095).astype(np.uint16)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    number = int(files.sha256(row["image_id"].encode())[:24], 16)
    meta.MediaStorageSOPInstanceUID = f"2.25.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.PatientName = f"PHANTOM^{row['patient']}"
    data.PatientID = row["patient"]
    data.PatientSex = row["sex"]
    data.InstitutionName = f"SITE {row['site']}"
    data.Modality = "CR"
    data.ViewPosition = row["view"]
    data.BodyPartExamined = "CHEST"
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    data.BitsAllocated = 16
    data.BitsStored = 12
    data.HighBit = 11
    data.PixelRepresentation = 0
    data.WindowCenter = 2048
    data.WindowWidth = 4096
    data.PixelData = pixels.tobytes()
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
