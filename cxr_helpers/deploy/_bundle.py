"""One folder that holds all that an answer depends on, and the answer: one file in, one answer out."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import calibrate, explain, images, preprocess, uncertainty
from ._card import NOTE
from ._export import keras_runner

MODEL, SETTINGS, GATE, CARD, SUMS = "model.keras", "settings.json", "gate.npz", "card.md", "SHA256SUMS"
VERSION = 2  # of settings.json; version 1 had neither trained_on nor threshold_meaning


class BundleError(ValueError):
    """A folder that is no bundle, or has been changed since it was written: the message says which file.

    Introduced in lesson 13.
    """


@dataclass(frozen=True)
class Bundle:
    """A model with all that its answers depend on.

    `classes` in the order of its outputs; `preprocessing`: size, fit and contrast of `preprocess.prepare`;
    `temperature`; `positive` and `threshold` (or None); `conformal_limit` (or None); `gate` (or None); `card`
    (Markdown); `sha256` of its list of files, which names this version. Two texts complete a sentence and are empty
    where the bundle does not say: "the network was trained on" `trained_on`, "the threshold is" `threshold_meaning`.
    Introduced in lesson 13.
    """

    model: Any
    classes: tuple[str, ...]
    preprocessing: Mapping
    temperature: float
    positive: str | None
    threshold: float | None
    conformal_limit: float | None
    gate: Any
    card: str
    sha256: str
    trained_on: str = ""
    threshold_meaning: str = ""


def save_bundle(
    folder,
    model,
    *,
    classes: Sequence[str],
    preprocessing: Mapping,
    temperature: float = 1.0,
    positive: str | None = None,
    threshold: float | None = None,
    conformal_limit: float | None = None,
    gate=None,
    card: str = "",
    trained_on: str = "",
    threshold_meaning: str = "",
) -> Path:
    """Write a bundle: `model.keras`, `settings.json`, `gate.npz`, `card.md` and their `SHA256SUMS`; nothing is pickled.

    Arguments as in `Bundle`; threshold and limit belong to probabilities at this temperature. The folder appears
    whole or not at all; an older bundle in its place is replaced. Raises ValueError where the settings do not fit the
    model or each other, BundleError for a model that safe mode refuses (a layer that holds code), FileExistsError if
    the folder holds something else. Introduced in lesson 13.
    """
    classes, preprocessing, folder = list(map(str, classes)), dict(preprocessing), Path(folder)
    _check_settings(model, classes, preprocessing, positive, threshold)
    if threshold_meaning and threshold is None:
        raise ValueError("threshold_meaning says what a threshold is: give positive and threshold, too")
    settings = {"version": VERSION, "classes": classes, "preprocessing": preprocessing}
    settings |= {"trained_on": _clause(trained_on), "threshold_meaning": _clause(threshold_meaning)}
    settings["temperature"] = float(temperature)
    limits = {"threshold": threshold, "conformal_limit": conformal_limit}
    settings |= {"positive": positive} | {k: None if v is None else float(v) for k, v in limits.items()}
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise FileExistsError(f"{folder} holds other files; give an empty folder for the bundle")
    folder.parent.mkdir(parents=True, exist_ok=True)
    outer = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (new := outer / "new").mkdir()
        model.save(new / MODEL)
        _open(new / MODEL).save(new / MODEL)  # without the optimiser's memory, and it does open in safe mode
        (new / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
        (new / CARD).write_text(card, "utf-8")
        if gate is not None:
            np.savez(new / GATE, **uncertainty.gate_to_dict(gate))
        names = sorted(path.name for path in new.iterdir())
        (new / SUMS).write_text("".join(f"{_digest(new / name)}  {name}\n" for name in names), "utf-8")
        if folder.exists():
            os.replace(folder, outer / "old")
        os.replace(new, folder)
    finally:
        shutil.rmtree(outer, ignore_errors=True)
    return folder


def _check_settings(model, classes, preprocessing, positive, threshold) -> None:
    units, size = int(model.output_shape[-1]), int(model.input_shape[1])
    if len(classes) != max(2, units) or len(set(classes)) != len(classes):
        raise ValueError(f"the model has {units} output(s); {len(classes)} classes were named: {', '.join(classes)}")
    if set(preprocessing) != {"size", "fit", "contrast"}:
        raise ValueError(f"preprocessing holds size, fit and contrast, not {', '.join(map(str, preprocessing))}")
    if preprocessing["size"] != size:
        raise ValueError(f"the model takes images of {size} px; preprocessing makes them {preprocessing['size']} px")
    preprocess.prepare(np.zeros((2, 2)), **preprocessing)  # refuses unknown settings
    if (positive is None) != (threshold is None) or positive not in (None, *classes):
        raise ValueError(f"positive and threshold go together, and positive is one of {', '.join(classes)}")


def _clause(text: str) -> str:
    """One line without a full stop, so that it can end a sentence."""
    return " ".join(str(text).split()).rstrip(". ")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_bundle(folder, sha256: str | None = None) -> Bundle:
    """Read a bundle after every file's hash has been checked; the model is opened in Keras' safe mode.

    Safe mode and `allow_pickle=False` mean that opening a bundle runs no code out of it. The hashes lie beside the
    files: they find damage and careless edits. Against somebody who rewrites both, pass the `sha256` that the bundle
    had when you made it, kept elsewhere. A bundle of version 1 says neither what the network was trained on nor what
    its threshold means: both texts are empty. Raises BundleError naming the file. Introduced in lesson 13.
    """
    folder = Path(folder)
    version = _check_files(folder, sha256)
    settings = json.loads((folder / SETTINGS).read_text("utf-8"))
    gate = None
    if (folder / GATE).is_file():
        with np.load(folder / GATE, allow_pickle=False) as arrays:
            gate = uncertainty.gate_from_dict(dict(arrays))
    model = _open(folder / MODEL)
    settings["classes"] = tuple(settings["classes"])
    return Bundle(model=model, gate=gate, card=(folder / CARD).read_text("utf-8"), sha256=version, **_known(settings))


def _open(path: Path):
    """The Keras model of a file, without what only training needs."""
    import keras

    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError) as error:
        raise BundleError(f"{path.name} cannot be opened in safe mode: {error!s:.200}") from error


def _known(settings: dict) -> dict:
    if settings.pop("version") not in range(1, VERSION + 1):
        raise BundleError("the bundle was written by a newer version of the course: install that one")
    return settings


def _check_files(folder: Path, expected: str | None) -> str:
    """The hash of the list of files, after every file of the list has been compared with it."""
    if not (folder / SUMS).is_file():
        raise BundleError(f"{folder} is no bundle: it has no {SUMS}; write one with deploy.save_bundle")
    version = _digest(folder / SUMS)
    if expected not in (None, version):
        raise BundleError(f"{folder / SUMS} is not the list that was expected: another version, or tampered with")
    lines = re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / SUMS).read_text("utf-8"), re.MULTILINE)
    listed = {name: digest for digest, name in lines}
    if not {MODEL, SETTINGS, CARD} <= set(listed) <= {MODEL, SETTINGS, CARD, GATE}:
        raise BundleError(f"{folder / SUMS} does not list the files of a bundle")
    if (folder / GATE).exists() and GATE not in listed:
        raise BundleError(f"{folder / GATE} is not in the list {SUMS}: the folder was changed after it was written")
    for name, digest in listed.items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BundleError(f"{folder / name} is missing or was changed after the bundle was written")
    return version


def score(bundle: Bundle, grey: np.ndarray) -> pd.DataFrame:
    """A predictions table of calibrated probabilities, one row per image, by the bundle's model; labels are unknown.

    The column label repeats `predicted`, since the table must have one: it is no truth.
    `grey`: uint8 (n, size, size), as `preprocess.prepare` makes them. Introduced in lesson 13.
    """
    names = list(bundle.classes)
    raw = np.asarray(keras_runner(bundle.model)(grey), float)
    said = pd.Categorical.from_codes(raw.argmax(1), categories=names)
    table = pd.DataFrame({"image_id": np.arange(len(grey)).astype(str), "label": said, "predicted": said})
    table = table.assign(**{f"p_{name}": raw[:, k] for k, name in enumerate(names)})
    return calibrate.apply(table, bundle.temperature)


def answer(bundle: Bundle, source, name: str | None = None, explained: bool = True) -> dict:
    """One file in, one answer out: a dict, also where the file is refused, and then it says why.

    `source`: a path, or the bytes of a file, called `name`. Keys: file; accepted and reason (the file could not be
    read, or the gate refuses it); gate_score; probabilities {class: p} at the bundle's temperature, predicted, set
    (the conformal set, a tuple of classes) and called_positive, all empty or None for a refused input; image, uint8
    (size, size), and map, float32 (size, size), ≥ 0, of the predicted class (None without `explained`); note.
    Introduced in lesson 13.
    """
    file = name or ("uploaded image" if isinstance(source, bytes | bytearray | memoryview) else Path(source).name)
    found = {"file": file, "accepted": False, "reason": "", "gate_score": None, "probabilities": {}, "predicted": None}
    found |= {"set": (), "called_positive": None, "image": None, "map": None, "note": NOTE}
    try:
        grey = preprocess.prepare(images.read(source), **bundle.preprocessing)[None]
    except images.ImageError as error:
        return found | {"reason": f"The file {error.problem}. {error.remedy}."}
    found["image"] = grey[0]
    if bundle.gate is not None:
        verdict = uncertainty.gate_scores(bundle.gate, grey).iloc[0]
        found["gate_score"] = float(verdict["score"])
        if not verdict["accepted"]:
            why = f"{verdict['reason']} (score {verdict['score']:.2f}, accepted up to {bundle.gate.limit:.2f})"
            return found | {"reason": f"The input gate refuses the image: {why}."}
    return found | {"accepted": True} | _answered(bundle, grey, explained)


def _answered(bundle: Bundle, grey: np.ndarray, explained: bool) -> dict:
    table = score(bundle, grey)
    row, names = table.iloc[0], bundle.classes
    found = {"probabilities": {name: float(row[f"p_{name}"]) for name in names}, "predicted": str(row["predicted"])}
    if bundle.conformal_limit is not None:
        sets = uncertainty.prediction_sets(table, bundle.conformal_limit).iloc[0]
        found["set"] = tuple(name for name in names if sets[f"set_{name}"])
    if bundle.positive is not None:
        found["called_positive"] = bool(row[f"p_{bundle.positive}"] >= bundle.threshold)
    if explained:
        target = names.index(found["predicted"])
        found["map"] = explain.grad_cam(bundle.model, grey, target=target)[0]
    return found


def answers(bundle: Bundle, paths: Iterable) -> pd.DataFrame:
    """The answers to several files, one row each: file, accepted, reason, gate_score, p_<class>, predicted, set.

    `set` is text such as "covid, viral"; what a refused file has no answer for is empty. Introduced in lesson 13.
    """
    rows = []
    for path in paths:
        found = answer(bundle, path, explained=False)
        row = {key: found[key] for key in ("file", "accepted", "reason", "gate_score")}
        row |= {f"p_{name}": found["probabilities"].get(name, np.nan) for name in bundle.classes}
        rows.append(row | {"predicted": found["predicted"], "set": ", ".join(found["set"])})
    return pd.DataFrame(rows)
