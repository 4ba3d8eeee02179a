"""A prediction in the notebook: recorded when it is entered, met by the result."""

import textwrap
from dataclasses import dataclass

from .. import plots
from . import _store
from ._kinds import Choice, GuessError, Interval, Kind, Number, Order, Sketch, plain


@dataclass(frozen=True, eq=False, repr=False)
class Meeting:
    """What a prediction and its result say: a picture if there is a number line, and Markdown."""

    picture: plots.Picture | None
    text: str
    hit: bool

    def _ipython_display_(self) -> None:
        from IPython.display import Markdown, display

        if self.picture is not None:
            display(self.picture)
        display(Markdown(self.text))

    def __repr__(self) -> str:
        return textwrap.fill(self.text.replace("**", ""), 100)


class Prediction:
    """One prediction; `answer` counts: the first own one (`own`), or the example.

    Its last line in a cell shows what was recorded.
    """

    def __init__(self, kind: Kind, mine, example, sure=None):
        self.kind = kind
        self.example = kind.read(example)
        entered = None if _empty(mine) else kind.read(mine)
        entered = None if _store.headless() else entered
        certainty = kind.sure(sure) if isinstance(kind, Choice) else None
        found = _store.add(lambda before: self._new(before, entered, certainty))
        entry = _own(kind, _store.entries(found).get(kind.key))
        self.own = entry is not None
        self.answer = self.example if entry is None else kind.read(entry.answer)
        self.sure = None if entry is None else entry.sure
        self.entered = entered

    def _new(self, before: list[dict], entered, certainty) -> list[dict]:
        """The line to add: an own answer that is new, or the example where nothing is recorded."""
        mine = [r for r in before if r.get("key") == self.kind.key and "answer" in r]
        own = [r for r in mine if r.get("own")]
        line = {"key": self.kind.key, "kind": self.kind.name, "what": self.kind.what}
        if entered is None:
            return [] if mine else [{**line, "answer": self.example, "sure": None, "own": False}]
        if own and (own[-1]["answer"], own[-1].get("sure")) == (entered, certainty):
            return []
        return [{**line, "answer": entered, "sure": certainty, "own": True}]

    def meets(self, result, beliefs=()) -> Meeting:
        """Show the prediction beside the result, and what such a belief means.

        The first result is recorded.

        `result`: a number, a tuple (value, low, high) or a `stats.Estimate`; the right option
        of a choice; the right order of an order; a curve (x, y), or its values at the places, of a
        sketch. `beliefs`: what predictions may show. Of a number or an interval (by its middle)
        (low, high, text) each; of a choice {option: text}; of an order (first, later, text) each,
        for who puts `first` before `later`; of a sketch (values, text) each, of which the nearest
        is taken. A hit shows no belief. Raises GuessError where a result cannot be read, or no
        prediction can show a belief.
        """
        found = self.kind.result(result)
        checked = self.kind.beliefs(beliefs)
        hit = self.kind.hit(self.answer, found)
        line = {"key": self.kind.key, "result": found["value"], "hit": hit}
        _store.add(lambda before: [] if _seen(before, self.kind.key) else [line])
        held = None if hit else self.kind.belief(self.answer, checked)
        text = self._words(found, "" if held is None else checked[held][-1])
        return Meeting(_picture(self, found), text, hit)

    def _words(self, found: dict, belief: str) -> str:
        result = _result_text(self.kind, found)
        first = f"**{self.who}: {self._answer_text()}. The result: {result}.**"
        parts = [first, self.kind.comment(self.answer, found), *([belief] if belief else [])]
        if not self.own and self.entered is None:
            parts.append("*(Nothing was entered: the example does not count.)*")
        elif not self.own:
            parts.append(
                f"(You entered {self.kind.show(self.entered)} when the result had been seen: it "
                "does not count.)"
            )
        elif self.entered not in (None, self.answer):
            parts.append(f"(Your first prediction counts, not {self.kind.show(self.entered)}.)")
        return " ".join(parts)

    @property
    def who(self) -> str:
        """Whose prediction it is."""
        return "Your prediction" if self.own else "The example"

    def _answer_text(self) -> str:
        sure = f" ({100 * self.sure:.0f} % sure)" if self.sure is not None else ""
        return f"{self.kind.show(self.answer)}{sure}"

    def __repr__(self) -> str:
        if not self.own and self.entered is None:
            return f"Nothing entered yet. Until then an example stands here: {self._answer_text()}."
        if not self.own:
            return f"{self.kind.show(self.entered)}: not recorded, for the result has been seen."
        if self.entered not in (None, self.answer):
            return (
                f"Recorded: {self._answer_text()}. The first one counts, not "
                f"{self.kind.show(self.entered)}."
            )
        return f"Recorded: {self._answer_text()}."


def number(
    key: str, mine, *, between, example, what: str = "", near: float | None = None
) -> Prediction:
    """Record the prediction of a number.

    Parameters
    ----------
    key : str
        Lesson and name, such as "04.auc-by-image".
    mine : float or None
        The reader's entry, None while there is none.
    between : tuple of float
        (low, high) of what can be entered.
    example : float
        The commonest wrong answer, which stands for an entry.
    what : str
        What is predicted, in a few words, by default the key's.
    near : float, optional
        How far from the result counts as a hit (by default a twentieth of the range), as does any
        place inside the result's interval.

    Returns
    -------
    Prediction
        To be met by its result.

    Raises
    ------
    GuessError
        For an entry that is no number in the range.
    """
    return Prediction(Number(key, what or _what(key), between, near), mine, example)


def interval(key: str, mine, *, between, example, what: str = "") -> Prediction:
    """Record an interval that should hold the result four times in five: (low, high).

    Parameters
    ----------
    key : str
        As in `number`.
    mine : tuple of float or None
        (low, high); as in `number`.
    between : tuple of float
        (low, high) of what can be entered.
    example : tuple of float
        As in `number`.
    what : str
        As in `number`.

    Returns
    -------
    Prediction
        As `number` gives it.

    Raises
    ------
    GuessError
        For an entry that is no interval in the range.
    """
    return Prediction(Interval(key, what or _what(key), between), mine, example)


def choice(
    key: str, mine, *, options, example: str, sure: float | None = None, what: str = ""
) -> Prediction:
    """Record a choice among `options`, and how sure: a share from 0 to 1.

    Parameters
    ----------
    key : str
        As in `number`.
    mine : str or None
        One of the options; as in `number`.
    options : sequence of str
        What can be chosen.
    example : str
        As in `number`.
    sure : float, optional
        How sure, in [0, 1].
    what : str
        As in `number`.

    Returns
    -------
    Prediction
        As `number` gives it.

    Raises
    ------
    GuessError
        For an entry that is no option, or no share.
    """
    return Prediction(Choice(key, what or _what(key), options), mine, example, sure)


def order(key: str, mine, *, items, example, what: str = "") -> Prediction:
    """Record an order of all `items`, as a list.

    Parameters
    ----------
    key : str
        As in `number`.
    mine : sequence of str or None
        All items; as in `number`.
    items : sequence of str
        What is ordered.
    example : sequence of str
        As in `number`.
    what : str
        As in `number`.

    Returns
    -------
    Prediction
        As `number` gives it.

    Raises
    ------
    GuessError
        For an entry that is no order of the items.
    """
    return Prediction(Order(key, what or _what(key), items), mine, example)


def sketch(
    key: str,
    mine,
    *,
    at,
    between,
    example,
    what: str = "",
    near: float | None = None,
    along: str = "",
) -> Prediction:
    """Record a curve by its values at three to five places `at`.

    Parameters
    ----------
    key : str
        As in `number`.
    mine : sequence of float or None
        A value for each place; as in `number`.
    at : sequence of float
        The places.
    between : tuple of float
        (low, high) of what can be entered.
    example : sequence of float
        As in `number`.
    what : str
        As in `number`.
    near : float, optional
        A hit is on average within it, by default a tenth of the range.
    along : str
        Labels the places.

    Returns
    -------
    Prediction
        As `number` gives it.

    Raises
    ------
    GuessError
        For an entry that is no such curve.
    """
    return Prediction(Sketch(key, what or _what(key), between, near, at, along), mine, example)


def _what(key: str) -> str:
    return str(key).partition(".")[2].replace("-", " ")


def _empty(mine) -> bool:
    return (
        mine is None or mine is Ellipsis or (isinstance(mine, (str, list, tuple)) and not len(mine))
    )


def _own(kind: Kind, entry: _store.Entry | None) -> _store.Entry | None:
    """A recorded own answer, perhaps to an older course, if it fits the question of today."""
    if entry is None or not entry.own or entry.kind != kind.name:
        return None
    try:
        kind.read(entry.answer)
    except GuessError:
        return None
    return entry


def _seen(before: list[dict], key: str) -> bool:
    return any(record.get("key") == key and "result" in record for record in before)


def _result_text(kind: Kind, found: dict) -> str:
    if "low" not in found:
        return (
            kind.show(found["value"]) if not isinstance(kind, Interval) else plain(found["value"])
        )
    return f"{plain(found['value'])} ({plain(found['low'], 2)} to {plain(found['high'], 2)})"


def _picture(prediction: Prediction, found: dict) -> plots.Picture | None:
    """The number line, or the sketch over its curve; a choice and an order need words only."""
    kind, name = prediction.kind, prediction.who.lower()
    title = kind.what[:1].upper() + kind.what[1:]
    if isinstance(kind, Sketch):
        return plots.sketch_and_curve(
            kind.at,
            prediction.answer,
            found.get("x", kind.at),
            found.get("y", found["value"]),
            title=title,
            name=name,
            between=kind.between,
            xlabel=kind.along,
        )
    if isinstance(kind, Number):
        result = found["value"], found.get("low"), found.get("high")
        return plots.number_line(
            prediction.answer, result, title=title, name=name, between=kind.between
        )
    return None
