"""The catalogue of data sets: source, licence, layout, labels, faults; a name gives a manifest.

The phantom is drawn on first use; the other sets are not shipped with the course: the reader
downloads them, from where their makers put them. For education, never for diagnosis.
"""

import os
import re
import shutil
import tempfile
import warnings
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd

from . import fetch, files, manifest, paths, phantom
from .catalogue import CATALOGUE, DatasetInfo
from .console import bar
from .paths import data_dir, work_dir
from .paths import progress_dir as progress_dir


class DatasetNotFound(FileNotFoundError):
    """A set that is not on disk, or not in the catalogue.

    The message says where it was looked for and how to get it.
    """


def catalogue() -> pd.DataFrame:
    """The catalogue as a table, one row per set, with its classes.

    Returns
    -------
    DataFrame
        Columns name, case, title, classes, images, licence, url, and more that `info` has.

    Examples
    --------
    >>> catalogue()[["name", "case"]].query("case == 'E'").shape[0] >= 1
    True
    """
    shown = [
        f.name for f in fields(DatasetInfo) if f.name not in ("labels", "source", "how_to_get")
    ]
    rows = [
        {c: getattr(i, c) for c in shown} | {"classes": ", ".join(i.classes)} for i in CATALOGUE
    ]
    table = pd.DataFrame(rows).astype({"images": "Int64"})
    first = ["name", "case", "title", "classes", "images", "licence", "url"]
    return table[[*first, *(c for c in table.columns if c not in first)]]


def info(name: str) -> DatasetInfo:
    """One row of the catalogue.

    Parameters
    ----------
    name : str
        Of the set.

    Returns
    -------
    DatasetInfo
        With how to get it.

    Raises
    ------
    DatasetNotFound
        With the known names.

    Examples
    --------
    >>> info("phantom").classes
    ('normal', 'covid', 'viral')
    """
    for row in CATALOGUE:
        if row.name == name:
            return row
    names = ", ".join(row.name for row in CATALOGUE)
    raise DatasetNotFound(f"no set is called {name!r}; the catalogue has: {names}")


def keep_on_drive(wanted: bool = True, mount_point: str = "/content/drive") -> None:
    """On Google Colab: keep the reader's progress on their Google Drive.

    There, every notebook has a machine of its own. What is drawn and cached stays on the machine,
    where it is quicker.

    Parameters
    ----------
    wanted : bool
        False does nothing.
    mount_point : str
        Folder that the Drive is mounted at.

    Raises
    ------
    FetchError
        Where there is no Drive to connect to.
    """
    if wanted:
        paths.keep_progress_in(mount_google_drive(mount_point) / "cxr-course")


def load(name: str, data_dir=None, download: bool = False, progress: bool = True) -> pd.DataFrame:
    """Manifest of a set of the catalogue on disk, checked; ``download=True`` fetches it if absent.

    Parameters
    ----------
    name : str
        Of the set; the phantom is drawn on first use.
    data_dir : path-like, optional
        The folder of all sets, by default the course's.
    download : bool
        Whether to fetch the set if it is absent.
    progress : bool
        Whether to show how far reading the files, or drawing the phantoms, has come.

    Returns
    -------
    DataFrame
        A manifest.

    Raises
    ------
    DatasetNotFound
        For a set that is not on disk, or not in the catalogue.
    FetchError
        As `download` does.
    ManifestError
        For a folder that cannot be understood.

    Warns
    -----
    UserWarning
        Of files that could not be read (`load_report` lists them), and where another number of
        images is there than was published.
    """
    if download and name != "phantom" and not _filled(_folder(name, data_dir)):
        _fetched(info(name), _folder(name, data_dir), progress=progress)
    report = load_report(name, data_dir, progress=progress)
    if len(report.rejects):
        names = ", ".join(Path(path).name for path in report.rejects["path"][:3])
        message = (
            f"{name}: {len(report.rejects)} files could not be read ({names}); "
            "datasets.load_report lists them"
        )
        warnings.warn(message, stacklevel=2)
    if differs := _number_differs(info(name), report):
        warnings.warn(
            f"{name}: {differs}; the catalogue's figures are of the whole set", stacklevel=2
        )
    return manifest.check(report.table)


def load_report(name: str, data_dir=None, progress: bool = True) -> manifest.Imported:
    """As `load`, with the files that could not be read and a paragraph on what was understood.

    Where another number of images is there than was published, the paragraph says so.

    Parameters
    ----------
    name, data_dir, progress : str, path-like, bool
        As in `load`.

    Returns
    -------
    Imported
        Table, rejects, and the paragraph.

    Raises
    ------
    DatasetNotFound
        As `load` does.
    ManifestError
        As `load` does.
    """
    row = info(name)
    folder = (
        _drawn("default", "classes", progress=progress)
        if name == "phantom"
        else _folder(name, data_dir)
    )
    if not _filled(folder):
        raise DatasetNotFound(
            f"{name} is not on this machine: looked for the folder {folder} (the folder of all "
            f"sets is set by CXR_DATA_DIR or data_dir=). To get it:\n{how_to_get(name, data_dir)}"
        )
    # As a function, a rule may fit none: a part of a set may hold files without a patient only.
    patient = manifest.nih_patient if row.patient == "nih" else row.patient
    found = manifest.from_folder(folder, patient=patient, source=row.source, progress=progress)
    differs = _number_differs(row, found)
    return (
        replace(found, understood=f"{found.understood} {differs[0].upper()}{differs[1:]}.")
        if differs
        else found
    )


def _number_differs(row: DatasetInfo, found: manifest.Imported) -> str:
    """A clause that says how many of the published images are there; empty if all are."""
    here = len(found.table) + len(found.rejects)
    if row.name == "phantom" or row.images in (None, here):
        return ""
    return (
        f"{here:,} of the {row.images:,} published images are here"
        if here < row.images
        else (f"{here:,} images are here, but {row.images:,} were published")
    )


def _drawn(name: str, layout: str, n: int | None = None, seed: int = 0, **drawn) -> Path:
    """A design, drawn on first use; kernels that start together wait for the one that draws."""
    work_dir().mkdir(parents=True, exist_ok=True)
    with files.one_at_a_time(work_dir() / f"phantom-{name}.lock"):
        return phantom.cached(phantom.design(name, n, seed), work_dir(), name, layout, **drawn)


def case(
    letter: str,
    dataset: str = "phantom",
    data_dir=None,
    *,
    n: int | None = None,
    seed: int = 0,
    size: int = 224,
    folders: bool = False,
) -> manifest.Imported:
    """A case study's images, ``a`` to ``e``, as `manifest.Imported`, read from its own layout.

    The case's own set stays where it is, unless it holds files that cannot be read.

    Parameters
    ----------
    letter : str
        ``a`` to ``e``, of either case.
    dataset : str
        "phantom" draws phantoms without masks, in the layout of the case, with the fault that the
        design plants; "own" reads the folder ``case_a`` ... ``case_e`` of the data folder, where
        the reader's images lie in that layout; any name of the catalogue gives that set in the
        case's classes: COVID-19 against everything else in A and D, against normal in B and C, all
        classes in E. In case B the test part then stands for the Prediction folder, whose labels
        nobody gives, and a fifth of the other images for Val where the set has none; in C and E, a
        fifth for test.
    data_dir : path-like, optional
        As in `load`.
    n : int, optional
        Phantoms, by default as many as `phantom.design` has for the case.
    seed : int
        Of the design, or of the parts that are set aside.
    size : int
        Pixels a side of the phantoms.
    folders : bool
        Whether to put the files of a set into the folders of the case, below the work folder, for
        code that reads folders; they are linked, or copied where that cannot be, and the paths are
        theirs.

    Returns
    -------
    Imported
        Its `unlabelled` are the paths of case B's images without labels.

    Raises
    ------
    DatasetNotFound
        As `load` does.
    ManifestError
        As `load` does.
    ValueError
        For an unknown letter.
    """
    letter = letter.lower()
    if letter not in CASES:
        raise ValueError(f"no case study is called {letter!r}; there are: {', '.join(CASES)}")
    name = f"case_{letter}"
    if dataset == "phantom":
        kind = "jpeg" if letter == "c" else "mixed"  # as in the described set
        folder = _drawn(name, name, n, seed, size=size, masks=False, format=kind)
        return manifest.from_folder(folder, patient=info("phantom").patient, progress=False)
    if dataset == "own":
        folder = _data_dir(data_dir) / name
        if not folder.is_dir():
            raise DatasetNotFound(
                f"{folder} does not exist: put the images of case {letter.upper()} there"
            )
        return manifest.from_folder(folder, progress=False)
    found = load_report(dataset, data_dir, progress=False)
    if info(dataset).case == letter.upper():
        return _in_folders(found, name, dataset) if folders and len(found.rejects) else found
    found = _as_case(found, letter, seed)
    return _in_folders(found, name, dataset) if folders else found


def _as_case(found: manifest.Imported, letter: str, seed: int) -> manifest.Imported:
    """Another set in a case's classes.

    In case B its test part, or a tenth, is images without labels.
    """
    table = found.table
    if letter in "ad":
        table = table.assign(
            label=table["label"].astype(str).where(table["label"] == "covid", "non_covid")
        )
    elif letter in "bc":
        table = table[table["label"].isin(("covid", "normal"))]
    table = manifest.check(table)
    if letter in "ce":
        table = manifest.check(_set_aside(table, "test", seed))
    if letter != "b":
        return replace(found, table=table, unlabelled=())
    without = table["split"] == "test"
    if not without.any():
        without = table.index.isin(table.sample(frac=0.1, random_state=seed).index)
    kept = _set_aside(table[~without], "val", seed)
    return replace(found, table=manifest.check(kept), unlabelled=tuple(table.loc[without, "path"]))


def _set_aside(table: pd.DataFrame, part: str, seed: int) -> pd.DataFrame:
    """A fifth of the images of each class becomes a part of the split where the set has none."""
    if (table["split"] == part).any():
        return table
    held = table.groupby("label", observed=True).sample(frac=0.2, random_state=seed).index
    return table.assign(split=np.where(table.index.isin(held), part, "train"))


def _in_folders(found: manifest.Imported, name: str, dataset: str) -> manifest.Imported:
    """The same images in the folders of a case; a name two of them bear gets a number in front."""
    table = found.table
    wanted = [
        phantom.folder_of(*row, name)
        for row in zip(table["label"].astype(str), table["split"], strict=True)
    ]
    wanted += [phantom.folder_of("", "test", name)] * len(found.unlabelled)
    places: dict[str, str] = {}
    for number, (folder, path) in enumerate(
        zip(wanted, [*table["path"], *found.unlabelled], strict=True)
    ):
        place = f"{folder}/{Path(path).name}"
        places[f"{folder}/{number}-{Path(path).name}" if place in places else place] = path
    text = "".join(f"{place}\n{path}\n" for place, path in places.items()) + "".join(
        table["sha256"]
    )
    root = work_dir() / "folders" / f"{name}-{dataset}-{files.sha256(text.encode())[:12]}"
    if not root.is_dir():
        _link_all(places, root)
    paths = [str(root / place) for place in places]
    kept = manifest.check(table.assign(path=paths[: len(table)]))
    return replace(found, table=kept, unlabelled=tuple(paths[len(table) :]))


def _link_all(places: dict[str, str], root: Path) -> None:
    """Link each file to its place below root, which appears whole or not at all."""
    root.parent.mkdir(parents=True, exist_ok=True)
    with files.one_at_a_time(root.with_suffix(".lock")):
        if root.is_dir():
            return
        with files.whole_folder(root) as new:
            for place, path in places.items():
                target = new / place
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(path, target)
                except OSError:  # another disk, or one without links
                    shutil.copyfile(path, target)


def how_to_get(name: str, data_dir=None) -> str:
    """Commands to type, one way or the other, for getting a set into the data folder.

    Parameters
    ----------
    name, data_dir : str, path-like
        As in `load`.

    Returns
    -------
    str
        Several lines; the last one tells licence and redistribution.

    Raises
    ------
    DatasetNotFound
        For a set that is not in the catalogue.
    """
    row, place = info(name), _data_dir(data_dir)
    where = "" if place == _data_dir("data") else f", '{place.as_posix()}'"
    text = row.how_to_get.format(name=name, url=row.url).format(
        folder=(place / name).as_posix(), where=where
    )
    return f"{text}\nLicence: {row.licence}. Redistribution: {row.redistribution}."


def download(
    name: str, data_dir=None, *, github: str = "https://github.com", progress: bool = True
) -> Path:
    """Download a set of the catalogue from where its maker put it, and return its folder.

    Kaggle sets go through kagglehub (``pip install kagglehub``; it asks for an account where Kaggle
    does), Git repositories through their archive; the phantom is drawn. The folder appears complete
    or not at all. Of two calls at once the second waits, and takes what the first has brought.

    Parameters
    ----------
    name, data_dir : str, path-like
        As in `load`.
    github : str
        Address that the archives of Git repositories lie below.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DatasetNotFound
        For a set that is not in the catalogue.
    FetchError
        With what to do, also where the set is there already.
    """
    row, folder = info(name), _folder(name, data_dir)
    if name == "phantom":
        return _drawn("default", "classes", progress=progress)
    if folder.is_file() or _filled(folder):
        raise fetch.FetchError(
            row.url, f"would overwrite {folder}", "Delete that folder first, or load the set"
        )
    return _fetched(row, folder, github, progress)


def from_archive(path, folder, **limits) -> Path:
    """Unpack a zip or tar file you downloaded into a new folder; return it, for from_folder.

    Parameters
    ----------
    path : path-like
        Of the archive.
    folder : path-like
        New or empty.
    **limits
        Those of `fetch.extract` (max_files, max_bytes, max_ratio).

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FetchError
        As `fetch.extract` does.
    """
    return fetch.extract(path, folder, **limits)


def from_google_drive(file_id: str, folder, *, progress: bool = True) -> Path:
    """Download an archive shared on Google Drive and unpack it into a new folder.

    It must be shared with "anyone with the link". Needs gdown.

    Parameters
    ----------
    file_id : str
        The file's id or its sharing link.
    folder : path-like
        New or empty.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FetchError
        With what to do.
    """
    share = "Share the file as 'anyone with the link', and check its id"
    link = urlsplit(file_id)
    if link.scheme and link.hostname not in (
        "drive.google.com",
        "docs.google.com",
        "drive.usercontent.google.com",
    ):
        raise fetch.FetchError(
            file_id, "is not an address of Google Drive", "Use fetch.download and from_archive"
        )
    if "/folders/" in link.path:
        raise fetch.FetchError(
            file_id, "is a folder on Google Drive", "Pack it as one zip, and share that file"
        )
    found = re.search(r"(?:/d/|[?&]id=)([\w-]{10,})", file_id)
    identity = found[1] if found else file_id
    if not re.fullmatch(r"[\w-]{10,}", identity):
        raise fetch.FetchError(
            file_id, "is not the id of a file on Google Drive", "Copy its sharing link"
        )
    if "resourcekey" in parse_qs(link.query):
        remedy = "Download the file in a browser, and then use datasets.from_archive"
        raise fetch.FetchError(file_id, "needs its resource key, which gdown cannot send", remedy)
    try:
        import gdown
    except ImportError as error:
        raise fetch.FetchError(
            file_id, "needs the package gdown", "Run: pip install gdown"
        ) from error
    folder = Path(os.path.abspath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        target = Path(temporary, "archive")
        try:
            gdown.download(id=identity, output=str(target), quiet=not progress)
        except _errors(gdown.exceptions) as error:
            raise fetch.FetchError(
                file_id, f"could not be downloaded from Google Drive ({error})", share
            ) from error
        if not target.is_file():
            raise fetch.FetchError(file_id, "could not be downloaded from Google Drive", share)
        return fetch.extract(target, folder)


def mount_google_drive(mount_point: str = "/content/drive") -> Path:
    """On Google Colab: connect your Google Drive and return its folder; elsewhere FetchError.

    Parameters
    ----------
    mount_point : str
        Folder to mount it at.

    Returns
    -------
    Path
        `MyDrive` below the mount point.

    Raises
    ------
    FetchError
        Anywhere else than on Colab.
    """
    try:
        from google.colab import drive
    except ImportError as error:
        remedy = (
            "Use datasets.from_google_drive(file_id, folder), or download the archive in a browser"
        )
        raise fetch.FetchError(
            "Google Drive", "can be mounted on Google Colab only", remedy
        ) from error
    drive.mount(mount_point)
    return Path(mount_point) / "MyDrive"


CASES = tuple("abcde")
_data_dir = data_dir


def _folder(name: str, path) -> Path:
    """Folder of one set, which need not exist."""
    return _data_dir(path) / info(name).name


def _filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _fetched(
    row: DatasetInfo, folder: Path, github: str = "https://github.com", progress: bool = True
) -> Path:
    """The folder of a set, downloaded unless another process did so while this one waited."""
    try:
        with fetch.alone(folder):
            if _filled(folder):
                return folder
            if row.kaggle:
                return _from_kaggle(row, folder, progress)
            packed = folder.with_name(folder.name + ".zip")
            archive = fetch.download(f"{github}/{row.archive}", packed, progress=progress)
            fetch.extract(archive, folder)
            archive.unlink()
            return folder
    except OSError as error:
        problem = f"cannot be written to {folder} ({error})"
        raise fetch.FetchError(row.url, problem, "Free space or choose a folder") from error


def _errors(module) -> tuple[type[Exception], ...]:
    """The errors of a downloader, whose names differ by version, and of the machine below it."""
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    return (OSError, RuntimeError, ValueError, *own)


def _from_kaggle(row: DatasetInfo, folder: Path, progress: bool = True) -> Path:
    """Copy kagglehub's download next to the other sets."""
    try:
        import kagglehub
        from kagglehub import exceptions
    except ImportError as error:
        raise fetch.FetchError(
            row.url, "needs the package kagglehub", "Run: pip install kagglehub"
        ) from error
    try:
        cached = kagglehub.dataset_download(row.kaggle)
    except _errors(exceptions) as error:
        by_hand = how_to_get(row.name, folder.parent)
        remedy = (
            f"Check your connection and https://www.kaggle.com/settings (API token), or:\n{by_hand}"
        )
        raise fetch.FetchError(row.url, f"Kaggle did not give the set ({error})", remedy) from error
    shown = bar(desc="copying", unit="file", show=progress)

    def one(source: str, target: str) -> str:
        shown.update()
        return shutil.copy2(source, target)

    with files.whole_folder(folder) as new, shown:
        shutil.copytree(cached, new, dirs_exist_ok=True, copy_function=one)
    return folder
