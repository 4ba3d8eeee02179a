"""What `cxr score` says of a table of predictions, and the picture that it draws."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import evaluate
from .predictions import with_probabilities
from .stats import Estimate, groups_needed

PER_CLASS = ("sensitivity", "specificity", "ppv", "npv", "f1")
DRAWN = 7  # ROC curves in one picture


@dataclass(frozen=True)
class Score:
    """The page of `cxr score`, part by part."""

    sentence: str
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    notes: list[str]


def score(predictions: pd.DataFrame, width: float) -> Score:
    """Figures with their intervals, what they rest on, and how many patients would be enough.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    width : float
        Of the interval of the accuracy whose patients needed are told, in (0, 1).

    Returns
    -------
    Score
        The page, part by part.

    Raises
    ------
    PredictionsError
        For a table that cannot be scored.
    ValueError
        For another width.

    Examples
    --------
    >>> truth, answers = ["covid", "normal"] * 20, ["covid", "normal", "normal", "normal"] * 10
    >>> print(score(evaluate.from_arrays(truth, answers), 0.1).sentence[:66])
    30 of 40 images are right, accuracy 0.750 (95 % interval 0.60-0.86
    """
    if not 0 < width < 1:
        raise ValueError(f"--width is {width}; it lies between 0 and 1")
    ranked = ("roc_auc",) if evaluate.has_probabilities(predictions) else ()
    matrix = evaluate.confusion(predictions)
    found = evaluate.metrics(predictions, names=("accuracy", "f1_macro", *PER_CLASS, *ranked))
    overall, of_class = found.iloc[:2], found.iloc[2:]
    accuracy, f1 = (
        Estimate(**row) for row in overall.drop(columns=["metric", "class"]).to_dict("records")
    )
    notes = [
        f"macro F1 {f1.value:.3f} ({_interval(f1)})",
        _needed(accuracy, width, _units(predictions)),
    ]
    absent = [name for name in matrix.index if not matrix.loc[name].sum()]
    if absent:
        notes.append(f"No image is of the class {', '.join(absent)}.")
    if not ranked:
        notes.append("Only classes are given, no probabilities: no ROC curve and no calibration.")
    return Score(
        _sentence(predictions, accuracy, matrix),
        _table(of_class, _units(predictions)),
        _square(matrix),
        notes,
    )


def _units(predictions: pd.DataFrame) -> str:
    """What counts as independent."""
    return "patients" if "group" in predictions.columns else "images"


def _interval(estimate: Estimate) -> str:
    return f"95 % interval {_ends(estimate)}" if np.isfinite(estimate.low) else estimate.method


def _ends(estimate) -> str:
    return f"{estimate.low:.2f}-{estimate.high:.2f}"


def _sentence(predictions: pd.DataFrame, accuracy: Estimate, matrix: pd.DataFrame) -> str:
    right, per_class = int(np.trace(matrix)), matrix.sum(axis=1)
    most, patients = per_class.idxmax(), _units(predictions) == "patients"
    inside = (
        " (inside the interval)"
        if accuracy.low <= per_class.max() / accuracy.n <= accuracy.high
        else ""
    )
    counted = (
        f"{right:,} of {accuracy.n:,} "
        f"images{f' of {accuracy.groups:,} patients' if patients else ''}"
    )
    alone = (
        "; no column names the patient, so images are counted as independent, and several of one "
        "patient make every interval too narrow"
    )
    return (
        f"{counted} are right, accuracy {accuracy.value:.3f} ({_interval(accuracy)}), while always "
        f"answering {most}, the most frequent class here, gives "
        f"{per_class.max() / accuracy.n:.3f}{inside}; this does not show what another hospital "
        "would give, nor whether the model reads the lungs or a shortcut such as a marker"
        f"{'' if patients else alone}."
    )


def _table(of_class: pd.DataFrame, units: str) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for row in of_class.rename(columns={"class": "name"}).itertuples():
        value = f"{row.value:.3f}" if np.isfinite(row.value) else "undefined"
        ends = _ends(row) if np.isfinite(row.low) else "none"
        name = "" if rows and row.metric != PER_CLASS[0] else row.name
        rows.append(
            {
                "class": name,
                "measure": row.metric,
                "value": value,
                "95 % interval": ends,
                "images": f"{row.n:,}",
            }
        )
        rows[-1] |= {"patients": f"{row.groups:,}"} if units == "patients" else {}
    return pd.DataFrame(rows)


def _square(matrix: pd.DataFrame) -> pd.DataFrame:
    """The confusion matrix with the true class as its first column."""
    counts = matrix.map("{:,}".format)
    counts.insert(0, "true class", matrix.index, allow_duplicates=True)
    return counts


def _needed(accuracy: Estimate, width: float, units: str) -> str:
    if not np.isfinite(accuracy.low):
        return f"How many {units} would be enough cannot be said: {accuracy.method}."
    enough = groups_needed(accuracy, width)
    return (
        f"For the accuracy, an interval {width:g} wide takes about {enough:,} {units} like these; "
        f"here it is {accuracy.high - accuracy.low:.3f} wide, from {accuracy.groups:,}."
    )


# --- two models -----------------------------------------------------------------------------------


def compared(a: pd.DataFrame, b: pd.DataFrame, first: str, second: str) -> str:
    """Paired differences of two models; images matched by name, or by position if classes agree.

    Parameters
    ----------
    a, b : DataFrame
        Tables as `evaluate.read_predictions` gives them.
    first, second : str
        What they are called.

    Returns
    -------
    str
        A heading, and a line each for accuracy and macro F1.

    Raises
    ------
    ValueError
        Where the tables are not of the same images.
    """
    if not all("the image" in table.attrs["columns"] for table in (a, b)):
        b = _in_order_of(a, b, first, second)
    if "group" not in a.columns or "group" not in b.columns:
        a, b = _with_groups(a, b), _with_groups(b, a)
    a, b = _with_classes(a, b), _with_classes(b, a)
    lines = []
    for metric, words in (("accuracy", "accuracy"), ("f1_macro", "macro F1")):
        try:
            found = evaluate.compare(a, b, metric)
        except ValueError as error:
            raise ValueError(f"{first} and {second}: {error}") from None
        verdict = (
            f"{first} is higher"
            if found.low > 0
            else f"{second} is higher"
            if found.high < 0
            else "not told apart"
        )
        lines.append(f"  {words} {found.a:.3f} and {found.b:.3f}, difference {found}: {verdict}")
    return "\n".join([f"\n{first} less {second}, on the same images:", *lines])


def _in_order_of(a: pd.DataFrame, b: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    if len(a) != len(b):
        raise ValueError(
            f"{first} has {len(a):,} images and {second} {len(b):,}, and no column names the "
            "images of both"
        )
    apart = (a["label"].astype(str) != b["label"].astype(str)).to_numpy()
    if apart.any():
        raise ValueError(
            f"{first} and {second} list other images: the true class differs in {apart.sum():,} "
            f"rows, first in row {apart.argmax() + 1}; put the images in one order, or give both a "
            "column image_id"
        )
    return b.assign(image_id=a["image_id"].to_numpy())


def _with_groups(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The patients that the other table knows, where this one knows none."""
    if "group" in table.columns or "group" not in other.columns:
        return table
    return table.assign(group=table["image_id"].map(other.set_index("image_id")["group"]))


def _with_classes(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """A class that only the other table has was never answered here."""
    missing = [name for name in evaluate.classes(other) if name not in evaluate.classes(table)]
    return with_probabilities(table, np.zeros((len(table), len(missing))), missing)


# --- the picture ----------------------------------------------------------------------------------


def picture(predictions: pd.DataFrame, positive: str | None = None) -> bytes:
    """One PNG: confusion matrix and, with probabilities, ROC curves and reliability.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    positive : str, optional
        Of two classes the one that curves are of, by default the second; of more classes they are
        of each class and of the most probable.

    Returns
    -------
    bytes
        The content of the file.
    """
    import io

    from PIL import Image

    from . import calibrate, plots

    names = evaluate.classes(predictions)
    one = (positive or names[1]) if len(names) == 2 else None
    drawn = [plots.confusion(evaluate.confusion(predictions))]
    if evaluate.has_probabilities(predictions):
        ranked = _ranked(predictions, one)
        if ranked:
            title = (
                "ROC curve"
                if one or len(ranked) < DRAWN
                else f"ROC curve, the {DRAWN} most frequent classes"
            )
            drawn.append(
                plots.roc({name: evaluate.roc(predictions, name) for name in ranked}, title=title)
            )
        title = f"Reliability, {one or 'most probable class'}"
        drawn.append(
            plots.reliability(
                calibrate.reliability(predictions, one), title=title, what=one or "right"
            )
        )
    parts = [Image.open(io.BytesIO(each.png())).convert("RGB") for each in drawn]
    page = Image.new(
        "RGB", (sum(part.width for part in parts), max(part.height for part in parts)), "white"
    )
    left = 0
    for part in parts:
        page.paste(part, (left, 0))
        left += part.width
    content = io.BytesIO()
    page.save(content, format="PNG", optimize=True)
    return content.getvalue()


def _ranked(predictions: pd.DataFrame, one: str | None) -> list[str]:
    """Classes with a ROC curve, the most frequent first; of two only `one`: they are mirrored."""
    counts = predictions["label"].astype(str).value_counts()
    names = [
        name for name in evaluate.classes(predictions) if 0 < counts.get(name, 0) < len(predictions)
    ]
    return [name for name in sorted(names, key=lambda name: -counts[name]) if one in (None, name)][
        :DRAWN
    ]
