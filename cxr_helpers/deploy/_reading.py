"""Reading a bundle: each file's hash, size and content are checked before anything is used."""

import json
import numbers
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeGuard

import numpy as np

from .. import files, pipeline, preprocess, uncertainty
from ..models.answers import check_model, output_units

MODEL, SETTINGS, GATE, CARD, SUMS = (
    "model.keras",
    "settings.json",
    "gate.npz",
    "card.md",
    "SHA256SUMS",
)
# bytes, unpacked
LARGEST = {MODEL: 2_000_000_000, SETTINGS: 100_000, GATE: 50_000_000, CARD: 5_000_000, SUMS: 10_000}
# of settings.json; version 1 had neither trained_on nor threshold_meaning, version 2 no full_scale
VERSION = 3
TEXTS = ("trained_on", "threshold_meaning")
KEYS = (
    "version",
    "classes",
    "preprocessing",
    "temperature",
    "positive",
    "threshold",
    "conformal_limit",
)
TEMPERATURES = (0.001, 1000)
SCALES = (1, 65_535)
LONGEST = 500  # characters of a name or of a text of one line


class BundleError(ValueError):
    """A folder that is no bundle, or has been changed since: the message says which file."""


def read_files(folder: Path, expected: str | None) -> dict:
    """Everything a bundle holds, checked: the fields of `Bundle`. BundleError names the file."""
    version, listed = _check_sums(folder, expected)
    for name in listed:
        _check_size(folder / name)
        if files.sha256(folder / name) != listed[name]:
            raise BundleError(
                f"{folder / name} is missing or was changed after the bundle was written"
            )
    settings = _within(folder / SETTINGS, lambda path: _json(path.read_bytes()))
    card = _within(folder / CARD, lambda path: path.read_bytes().decode("utf-8"))
    gate = _within(folder / GATE, read_gate) if GATE in listed else None
    model = open_model(folder / MODEL)
    settings = _within(folder / SETTINGS, lambda path: checked_settings(settings, model))
    _within(folder / MODEL, lambda path: check_model(model))
    return {**settings, "model": model, "gate": gate, "card": card, "sha256": version}


def _within(path: Path, work):
    """The result of some work on a file; a fault is told with the file's name."""
    try:
        return work(path)
    except (ValueError, OSError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: {str(error) or type(error).__name__:.400}") from error


def _check_sums(folder: Path, expected: str | None) -> tuple[str, dict[str, str]]:
    """The hash of the list of files, and its hash of each; no other file may be there."""
    sums = folder / SUMS
    if not sums.is_file():
        raise BundleError(
            f"{folder} is no bundle: it has no {SUMS}; write one with deploy.save_bundle"
        )
    _check_size(sums)
    content = sums.read_bytes()
    version = files.sha256(content)
    if expected is not None and str(expected).strip().lower() != version:
        raise BundleError(
            f"{sums} is not the list that was expected: another version, or tampered with"
        )
    found = re.findall(rb"([0-9a-f]{64})  ([\w.]+)\n", content)
    listed = {name.decode(): digest.decode() for digest, name in found}
    if b"".join(b"%b  %b\n" % pair for pair in found) != content or len(listed) != len(found):
        raise BundleError(
            f"{sums} is no list of hashes and names, one of each a line; write the bundle again"
        )
    if not {MODEL, SETTINGS, CARD} <= set(listed) <= {MODEL, SETTINGS, CARD, GATE}:
        raise BundleError(f"{sums} does not list the files of a bundle")
    others = sorted(
        p.name
        for p in folder.iterdir()
        if p.name not in (*listed, SUMS) and not p.name.startswith(".")
    )
    if others:
        raise BundleError(
            f"{folder / others[0]} is not in the list {SUMS}: the folder was changed after it was "
            "written"
        )
    return version, listed


def _check_size(path: Path) -> None:
    """Refuse a file that is missing, or larger, packed or unpacked, than it can be."""
    if not path.is_file():
        raise BundleError(f"{path} is missing or was changed after the bundle was written")
    size = path.stat().st_size
    if size <= LARGEST[path.name] and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    if size > LARGEST[path.name]:
        most = LARGEST[path.name] / 1e6
        raise BundleError(
            f"{path} holds {size / 1e6:,.1f} MB, more than the {most:g} MB that it can have in a "
            "bundle"
        )


def _json(content: bytes) -> dict:
    def no_number(text: str):
        raise ValueError(f"{text} is no number of a setting")

    def once(pairs: list) -> dict:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"a key stands there twice: {', '.join(key for key, _ in pairs)}")
        return dict(pairs)

    return json.loads(content.decode("utf-8"), parse_constant=no_number, object_pairs_hook=once)


def open_model(path: Path):
    """The Keras model of a file, without what only training needs. Raises BundleError."""
    import keras

    pipeline.check_keras()
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a broken file may end in any error of h5py, zipfile or Keras
        raise BundleError(f"{path.name} cannot be opened in safe mode: {error!s:.200}") from error
    return model


def read_gate(path: Path):
    """The gate of a file; its arrays are plain numbers of the right shapes. Raises ValueError."""
    found = np.load(path, allow_pickle=False)
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise ValueError("this is no gate, but a single array")
    with found as arrays:
        gate = uncertainty.gate_from_dict(dict(arrays))
    uncertainty.check_gate(gate)
    return gate


def checked_settings(settings: Mapping, model) -> dict:
    """A bundle's settings, which fit each other and the model; kept texts become `Bundle`'s fields.

    The one place that decides, for `save_bundle` and for `load_bundle`. Raises ValueError saying
    what is wrong.
    """
    if not isinstance(settings, Mapping):
        raise ValueError(
            f"the settings are no object of names and values, but {type(settings).__name__}"
        )
    version = settings.get("version")
    if not _whole(version) or version < 1:
        raise ValueError(f"version {version!r} is no version of a bundle")
    if version > VERSION:
        raise ValueError(
            "the bundle was written by a newer version of the course: install that one"
        )
    wanted = {*KEYS, *(TEXTS if version > 1 else ()), *(("full_scale",) if version > 2 else ())}
    if set(settings) != wanted:
        missing, more = sorted(wanted - set(settings)), sorted(map(str, set(settings) - wanted))
        raise ValueError(
            f"settings that are missing: {missing or 'none'}; that no bundle has: {more or 'none'}"
        )
    classes = _classes(settings["classes"], model)
    positive, threshold = settings["positive"], settings["threshold"]
    if (positive is None) != (threshold is None) or positive not in (None, *classes):
        raise ValueError(
            f"positive and threshold go together, and positive is one of {', '.join(classes)}"
        )
    texts = {name: _text(name, settings.get(name, "")) for name in TEXTS}
    if texts["threshold_meaning"] and threshold is None:
        raise ValueError(
            "threshold_meaning says what a threshold is: give positive and threshold, too"
        )
    ranges = {"threshold": (0, 1), "conformal_limit": (0, 1), "full_scale": SCALES}
    may_lack = {name: (settings.get(name), limits) for name, limits in ranges.items()}
    return {
        "classes": classes,
        "preprocessing": _preprocessing(settings["preprocessing"], model),
        "temperature": _number("temperature", settings["temperature"], *TEMPERATURES),
        "positive": positive,
        **{
            name: None if value is None else _number(name, value, *of)
            for name, (value, of) in may_lack.items()
        },
        **texts,
    }


def _classes(classes, model) -> tuple[str, ...]:
    if not isinstance(classes, list | tuple):
        raise ValueError(f"classes are a list of names, not {classes!r:.80}")
    for name in classes:
        if (
            not isinstance(name, str)
            or not name.strip()
            or not name.isprintable()
            or len(name) > LONGEST
        ):
            raise ValueError(f"{name!r:.80} is no name of a class: text of one line is needed")
    units = output_units(model)
    if len(classes) != max(2, units) or len({name.strip() for name in classes}) != len(classes):
        raise ValueError(
            f"the model has {units} output(s); {len(classes)} classes were named: "
            f"{', '.join(classes)}"
        )
    return tuple(classes)


def _preprocessing(preprocessing, model) -> dict:
    if not isinstance(preprocessing, Mapping) or set(preprocessing) != {"size", "fit", "contrast"}:
        names = (
            ", ".join(map(str, preprocessing))
            if isinstance(preprocessing, Mapping)
            else f"{preprocessing!r:.80}"
        )
        raise ValueError(f"preprocessing holds size, fit and contrast, not {names}")
    size, takes = preprocessing["size"], model.input_shape[1]
    if not _whole(size):
        raise ValueError(f"preprocessing: the size {size!r:.80} is no whole number of pixels")
    if size != takes:
        raise ValueError(
            f"the model takes images of {takes} px; preprocessing makes them {size} px"
        )
    preprocess.prepare(np.zeros((2, 2)), **preprocessing)  # refuses unknown settings
    return dict(preprocessing)


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def _number(name: str, value, low: float, high: float) -> float:
    number = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if not number or not low <= value <= high:  # NaN is in no range
        raise ValueError(f"{name} is a number from {low:g} to {high:g}, not {value!r:.80}")
    return float(value)


def _text(name: str, value) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise ValueError(
            f"{name} is text of one line of at most {LONGEST} characters, not {value!r:.80}"
        )
    return value
