"""What the reader's predictions come to: hits, coverage of intervals, how sure and how right."""

from dataclasses import dataclass

import pandas as pd

from .. import plots
from ..evaluate import wilson
from . import _store
from ._kinds import LEVEL, plain

FEW = 5  # predictions with a certainty that a diagram of one's own needs
SURE_BINS = (0.0, 0.5, 0.65, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Predictions and results as a table, a row each, and what they come to in sentences."""

    table: pd.DataFrame
    text: str

    def _repr_markdown_(self) -> str:
        rows = ["| predicted | yours | the result | |", "|---|---|---|---|"]
        for row in self.table.itertuples(index=False):
            rows.append(f"| {' | '.join(text.replace('|', '/') for text in row)} |")
        return "\n".join([*(rows if len(self.table) else []), "", self.text])

    def __repr__(self) -> str:
        table = self.table.to_string(index=False) if len(self.table) else ""
        return f"{table}\n{self.text}".strip()


def summary(lesson: str = "") -> Summary:
    """Yours, the result, and how often they met: of one lesson, such as "04", or of all.

    Hits with their 95 % interval; the share of your 80 % intervals that held the result; the Brier
    score of how sure you were of your choices: the mean of (sure - right)², where always saying one
    half gets 0.25. An example is listed as one and never counted.

    Parameters
    ----------
    lesson : str
        Two digits; by default all lessons.

    Returns
    -------
    Summary
        Table and sentences.
    """
    found = [
        e
        for e in _store.entries(_store.records()).values()
        if e.key.startswith(f"{lesson}." if lesson else "")
    ]
    rows = [
        [entry.what, _answer(entry), _shown(entry, entry.result), _mark(entry)] for entry in found
    ]
    table = pd.DataFrame(rows, columns=["predicted", "yours", "result", "met"])
    return Summary(
        table,
        " ".join(_sentences([entry for entry in found if entry.own and entry.hit is not None])),
    )


def _sentences(counted: list[_store.Entry]) -> list[str]:
    if not counted:
        return ["No prediction of your own was met by a result yet; examples do not count."]
    said = [f"**Hits: {_share(counted)}.**"]
    intervals = [entry for entry in counted if entry.kind == "interval"]
    if intervals:
        aim = f"{100 * LEVEL:.0f} %"
        said.append(
            f"Your {aim} intervals held the result in {_share(intervals)}; {aim} is the aim."
        )
    sure = [(entry.sure, bool(entry.hit)) for entry in counted if entry.sure is not None]
    if sure:
        brier = sum((share - hit) ** 2 for share, hit in sure) / len(sure)
        said.append(
            f"How sure you were: Brier score {brier:.2f} over {len(sure)} (0 is best; always one "
            "half: 0.25)."
        )
    return said


def _share(entries: list[_store.Entry]) -> str:
    hits = sum(bool(entry.hit) for entry in entries)
    low, high = wilson(hits, len(entries))
    return f"{hits} of {len(entries)} (95 % interval {low:.2f}-{high:.2f})"


def _answer(entry: _store.Entry) -> str:
    text = _shown(entry, entry.answer)
    text += f", {100 * entry.sure:.0f} % sure" if entry.sure is not None else ""
    return text if entry.own else f"example: {text}"


def _shown(entry: _store.Entry, value) -> str:
    if value is None:
        return "not met yet"
    if isinstance(value, list):
        joint = " to " if entry.kind == "interval" else ", "
        return joint.join(plain(v) if isinstance(v, (int, float)) else str(v) for v in value)
    return plain(value) if isinstance(value, (int, float)) else str(value)


def _mark(entry: _store.Entry) -> str:
    if entry.hit is None or not entry.own:
        return ""
    return "hit" if entry.hit else "miss"


def reliability(example=()) -> plots.Picture:
    """The reader's reliability diagram: how sure, how often right; choices and 80 % intervals.

    Parameters
    ----------
    example : sequence of tuple
        (how sure, right) each, of an invented reader, drawn while the reader has recorded fewer
        than five predictions that say how sure they are.

    Returns
    -------
    Picture
        As `plots.reliability` draws it.

    Raises
    ------
    ValueError
        Where there are neither.
    """
    found = [
        entry
        for entry in _store.entries(_store.records()).values()
        if entry.own and entry.hit is not None
    ]
    pairs = [(entry.sure, entry.hit) for entry in found if entry.sure is not None]
    pairs += [(LEVEL, entry.hit) for entry in found if entry.kind == "interval"]
    title = f"Your {len(pairs)} predictions"
    if len(pairs) < FEW:
        pairs, title = list(example), f"An invented reader's {len(list(example))} predictions"
    if not pairs:
        raise ValueError(
            "fewer than five of your predictions say how sure you are, and no example was given"
        )
    said = pd.DataFrame(pairs, columns=["predicted", "right"]).astype(float)
    said["bin"] = pd.cut(said["predicted"], SURE_BINS, include_lowest=True)
    rows = []
    for place, part in said.groupby("bin", observed=True):
        low, high = wilson(int(part["right"].sum()), len(part))
        ends = {
            "bin_low": max(place.left, 0.0),
            "bin_high": place.right,
            "low": low,
            "high": high,
            "n": len(part),
        }
        rows.append(
            {**ends, "predicted": part["predicted"].mean(), "observed": part["right"].mean()}
        )
    return plots.reliability(pd.DataFrame(rows), title=title, what="right", counted="predictions")
