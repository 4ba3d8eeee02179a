"""A folder of all that an answer depends on, and the answer: one file in, one answer out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import calibrate, explain, files, images, manifest, preprocess, uncertainty
from ..models.answers import check_model
from ..predictions import check, classes, probabilities, with_probabilities
from ..train import class_names, name_classes
from ._card import NOTE
from ._export import keras_runner
from ._reading import (
    CARD,
    GATE,
    MODEL,
    SETTINGS,
    SUMS,
    VERSION,
    checked_settings,
    open_model,
    read_files,
)

# files that a new bundle answers again, and by how much a probability may differ
REPLAYED, REPLAY_TOLERANCE = 16, 1e-3


@dataclass(frozen=True)
class Bundle:
    """A model with all that its answers depend on.

    `classes` in the order of its outputs; `preprocessing`: size, fit and contrast of
    `preprocess.prepare`; `temperature`; `positive` and `threshold` (or None); `conformal_limit` (or
    None); `gate` (or None); `card` (Markdown); `sha256` of its list of files, which names this
    version; `full_scale`: the grey level that counted as white in the training images, where their
    headers left it open (see `images.read`), else None. Two texts complete a sentence and are empty
    where the bundle does not say: "the network was trained on" `trained_on`, "the threshold is"
    `threshold_meaning`.
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
    full_scale: float | None = None


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
    full_scale: float | None = None,
    predictions: pd.DataFrame | None = None,
    table: pd.DataFrame | None = None,
) -> Path:
    """Write a bundle of a model, its settings, gate and card; nothing is pickled.

    The files are `model.keras`, `settings.json`, `gate.npz`, `card.md` and their `SHA256SUMS`. The
    folder appears whole or not at all; an older bundle in its place is replaced.

    Parameters
    ----------
    folder : path-like
        New, empty, or an older bundle.
    model : keras.Model
        Takes grey levels (n, size, size, 1) and answers with probabilities.
    classes : sequence of str
        In the order of the model's outputs.
    preprocessing : mapping
        Size, fit and contrast of `preprocess.prepare`.
    temperature : float
        As `calibrate.temperature` gives it; threshold and limit belong to probabilities at it.
    positive, threshold : str, float, optional
        A class, and the probability in [0, 1] from which it is called; both or neither.
    conformal_limit : float, optional
        In [0, 1], as `uncertainty.conformal_limit` gives it.
    gate : Gate, optional
        As `uncertainty.fit_gate` gives it.
    card : str
        Markdown, as `model_card` gives it.
    trained_on, threshold_meaning : str
        Complete the sentences "the network was trained on" and "the threshold is".
    full_scale : float, optional
        The grey level that counted as white in the training images, where their headers left it
        open.
    predictions, table : DataFrame, optional
        The evaluation's predictions, at this temperature, and the manifest with the paths of its
        images and their full scale; both or neither. The finished bundle then answers some of these
        files, and is not kept unless it answers as the evaluation did: that finds another order of
        classes, another size, fit, contrast or scaling.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        Where the settings do not fit the model or each other, the model does not answer with
        probabilities, or the replay differs.
    BundleError
        For a model that safe mode refuses (a layer that holds code).
    FileExistsError
        If the folder holds something else.
    """
    if isinstance(classes, str):
        raise ValueError(
            "classes are a list of names, in the order of the model's outputs, not the text "
            f"{classes!r}"
        )
    folder = Path(folder)
    settings = {
        "version": VERSION,
        "classes": list(map(str, classes)),
        "preprocessing": _plain(preprocessing),
    }
    settings |= {"trained_on": _clause(trained_on), "threshold_meaning": _clause(threshold_meaning)}
    settings |= {"temperature": temperature, "positive": positive}
    settings |= {"threshold": threshold, "conformal_limit": conformal_limit}
    settings |= {"full_scale": full_scale if table is None else _common_scale(table, full_scale)}
    settings |= _checked(settings, model, gate)
    if (predictions is None) != (table is None):
        raise ValueError(
            "a replay needs both: predictions, and the table that has the paths of their images"
        )
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise FileExistsError(f"{folder} holds other files; give an empty folder for the bundle")
    with files.whole_folder(folder, replace=True) as new:
        model.save(new / MODEL)
        opened = open_model(new / MODEL)  # it does open in safe mode
        if np.abs(check_model(model) - check_model(opened)).max() > REPLAY_TOLERANCE:
            raise ValueError(
                f"{model.name} answers otherwise once it was saved and opened: it holds a function "
                "or a layer of your own that Keras takes for another of the same name; use those "
                "of Keras"
            )
        opened.save(new / MODEL)  # without the optimiser's memory
        (new / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
        (new / CARD).write_text(card, "utf-8")
        if gate is not None:
            arrays: dict[str, Any] = dict(uncertainty.gate_to_dict(gate))
            np.savez(new / GATE, **arrays)
        names = sorted(path.name for path in new.iterdir())
        (new / SUMS).write_text(
            "".join(f"{files.sha256(new / name)}  {name}\n" for name in names), "utf-8"
        )
        if predictions is not None:
            _replay(load_bundle(new), predictions, table)
    return folder


def _checked(settings: dict, model, gate) -> dict:
    """The settings as they are written, after the reader's own checks of them and of the gate."""
    found = checked_settings(settings, model)
    if gate is not None:
        uncertainty.check_gate(gate)
    own = class_names(model)
    if own is not None and own != found["classes"]:
        raise ValueError(
            f"the model was trained on the classes {', '.join(own)}, in this order, and not on "
            f"{', '.join(found['classes'])}: each answer would get another name"
        )
    return found | {"classes": list(found["classes"])}


def _common_scale(table: pd.DataFrame, asked: float | None) -> float | None:
    """The one full scale of a manifest's images, and of the caller, if there is one."""
    found = {white for white in (*manifest.scales(table), asked) if white is not None}
    if len(found) > 1:
        named = ", ".join(f"{white:,.0f}" for white in sorted(found))
        raise ValueError(
            f"the images have several full scales ({named}), and a bundle reads all files on one: "
            "train on images of one kind, or save them all as PNG of 8 bits first"
        )
    return next(iter(found), None)


def _plain(preprocessing: Mapping):
    """The settings with numbers that JSON can hold: a size may come from an array's shape."""
    if not isinstance(preprocessing, Mapping):
        return preprocessing
    return {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in preprocessing.items()
    }


def _clause(text: str) -> str:
    """One line without a full stop, so that it can end a sentence."""
    return " ".join(str(text).split()).rstrip(". ")


def _replay(
    bundle: Bundle, predictions: pd.DataFrame, table: pd.DataFrame, n: int = REPLAYED
) -> None:
    """Let the bundle answer files of the evaluation; ValueError where an answer differs."""
    names = classes(check(predictions))
    if tuple(names) != bundle.classes:
        raise ValueError(
            f"the predictions are of the classes {', '.join(names)}, in this order; the bundle's "
            f"are {', '.join(bundle.classes)}"
        )
    rows = predictions.iloc[np.unique(np.linspace(0, len(predictions) - 1, n).round().astype(int))]
    path = table.drop_duplicates("image_id").set_index("image_id")["path"].reindex(rows["image_id"])
    if path.isna().any():
        raise ValueError(
            f"the table has no image {path.index[path.isna()][0]!r} that the predictions are of"
        )
    grey = np.stack([_prepared(bundle, file) for file in path])
    expected, found = probabilities(rows), probabilities(score(bundle, grey))
    apart = np.abs(found - expected).max(axis=1)
    if apart.max() <= REPLAY_TOLERANCE:
        return
    worst = int(apart.argmax())
    says = [
        ", ".join(f"{name} {p:.3f}" for name, p in zip(names, row[worst], strict=True))
        for row in (found, expected)
    ]
    raw = np.asarray(keras_runner(bundle.model)(grey), float)
    cause = (
        "look at the order of the classes, at size, fit and contrast, and at what scales the image"
    )
    if np.abs(raw - expected).max() <= REPLAY_TOLERANCE:
        cause = (
            "they are as before the temperature: give calibrate.apply(predictions, "
            f"{bundle.temperature:g})"
        )
    raise ValueError(
        f"the bundle does not answer as the evaluation did, on {(apart > REPLAY_TOLERANCE).sum()} "
        f"of {len(rows)} images that were tried; {rows['image_id'].iloc[worst]}: {says[0]} instead "
        f"of {says[1]}; {cause}"
    )


def load_bundle(folder, sha256: str | None = None) -> Bundle:
    """Read a bundle once every file's hash is checked; the model opens in Keras' safe mode.

    Safe mode and `allow_pickle=False` mean that opening a bundle runs no code out of it. The hashes
    lie beside the files: they find damage and careless edits. What can be checked without the
    hashes is: every setting is in its range and fits the model, whose last layer gives
    probabilities and whose weights are finite. A bundle of version 1 says neither what the network
    was trained on nor what its threshold means: both texts are empty.

    Parameters
    ----------
    folder : path-like
        Of the bundle.
    sha256 : str, optional
        That the bundle had when you made it, kept elsewhere: against somebody who rewrites both
        files and hashes.

    Returns
    -------
    Bundle
        Ready to answer.

    Raises
    ------
    BundleError
        Names the file.
    """
    found = read_files(Path(folder), sha256)
    name_classes(found["model"], found["classes"])
    return Bundle(**found)


def score(bundle: Bundle, grey: np.ndarray) -> pd.DataFrame:
    """Calibrated probabilities of the bundle's model: one row per image, without labels.

    Nobody knows the true class: what scores a table refuses this one.

    Parameters
    ----------
    bundle : Bundle
        As `load_bundle` gives it.
    grey : ndarray
        uint8 (n, size, size), as `preprocess.prepare` makes them.

    Returns
    -------
    DataFrame
        image_id (the position, "0" ... "n - 1"), predicted, and p_<class> for each class.
    """
    names = list(bundle.classes)
    raw = np.asarray(keras_runner(bundle.model)(grey), float)
    said = pd.Categorical.from_codes(raw.argmax(1), categories=names)
    table = pd.DataFrame({"image_id": np.arange(len(grey)).astype(str), "predicted": said})
    return calibrate.apply(with_probabilities(table, raw, names), bundle.temperature)


def answer(bundle: Bundle, source, name: str | None = None, explained: bool = True) -> dict:
    """One file in, one answer out: a dict, also where the file is refused, and then it says why.

    Parameters
    ----------
    bundle : Bundle
        As `load_bundle` gives it.
    source : path-like or bytes
        A file, or its content.
    name : str, optional
        What the file is called, by default as its path.
    explained : bool
        Whether the answer has a map.

    Returns
    -------
    dict
        Keys: file; accepted and reason (the file could not be read, or the gate refuses it);
        gate_score; probabilities {class: p} at the bundle's temperature, predicted, set (the
        conformal set, a tuple of classes) and called_positive, all empty or None for a refused
        input; image, uint8 (size, size), and map, float32 (size, size), ≥ 0, of the predicted class
        (None without `explained`); note.
    """
    file = name or (
        "uploaded image"
        if isinstance(source, bytes | bytearray | memoryview)
        else Path(source).name
    )
    found = {
        "file": file,
        "accepted": False,
        "reason": "",
        "gate_score": None,
        "probabilities": {},
        "predicted": None,
    }
    found |= {"set": (), "called_positive": None, "image": None, "map": None, "note": NOTE}
    try:
        grey = _prepared(bundle, source)[None]
    except images.ImageError as error:
        return found | {"reason": f"The file {error.problem}. {error.remedy}."}
    found["image"] = grey[0]
    if bundle.gate is not None:
        verdict = uncertainty.gate_scores(bundle.gate, grey).iloc[0]
        found["gate_score"] = float(verdict["score"])
        if not verdict["accepted"]:
            why = (
                f"{verdict['reason']} (score {verdict['score']:.2f}, accepted up to "
                f"{bundle.gate.limit:.2f})"
            )
            return found | {"reason": f"The input gate refuses the image: {why}."}
    return found | {"accepted": True} | _answered(bundle, grey, explained)


def _prepared(bundle: Bundle, source) -> np.ndarray:
    """A file as the network sees it, read on the scale of the training images."""
    return preprocess.prepare(images.read(source, bundle.full_scale), **bundle.preprocessing)


def _answered(bundle: Bundle, grey: np.ndarray, explained: bool) -> dict:
    table = score(bundle, grey)
    names = bundle.classes
    p = dict(zip(names, probabilities(table, names)[0].tolist(), strict=True))
    found = {"probabilities": p, "predicted": str(table["predicted"].iloc[0])}
    if bundle.conformal_limit is not None:
        sets = uncertainty.prediction_sets(table, bundle.conformal_limit).iloc[0]
        found["set"] = tuple(name for name in names if sets[f"set_{name}"])
    if bundle.positive is not None:
        found["called_positive"] = p[bundle.positive] >= bundle.threshold
    if explained:
        target = names.index(found["predicted"])
        found["map"] = explain.grad_cam(bundle.model, grey, target=target)[0]
    return found
