"""The five kinds of prediction: an answer, a hit, the belief it shows. Nothing is stored.

Answers and results are plain values that JSON can hold: a number, a pair, a word, a list.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from numbers import Real
from typing import Any

KEY = re.compile(r"(\d\d|[a-e])\.[a-z0-9]+(-[a-z0-9]+)*")
Answer = float | str | list[float] | list[str]
LEVEL = 0.8  # an `interval` is meant to hold the result four times in five


class GuessError(ValueError):
    """An entry, a result or a belief that cannot be read; the message says what to write."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message alone, without the lines of code that lead to it."""
        return [str(self)]


@dataclass(frozen=True)
class Kind(ABC):
    """What all kinds share: the key ("04.auc-by-image"), and what is predicted, in words."""

    key: str
    what: str

    name = ""  # of the kind; the other kinds have theirs

    def __post_init__(self) -> None:
        if not KEY.fullmatch(self.key):
            raise GuessError(
                f"{self.key!r} is no key of a prediction: write it as in '04.auc-by-image'"
            )

    def fail(self, message: str) -> GuessError:
        """The error that names this prediction."""
        return GuessError(f"{self.key}: {message}")

    @abstractmethod
    def read(self, answer: Any) -> Answer:
        """The answer as a plain value; GuessError for one that the question does not allow."""

    @abstractmethod
    def result(self, result: Any) -> dict:
        """The result as {"value"}, and what else is known of it."""

    @abstractmethod
    def show(self, answer: Any) -> str:
        """The answer as a reader writes it."""

    @abstractmethod
    def hit(self, answer: Any, result: dict) -> bool:
        """Whether the answer counts as right."""

    @abstractmethod
    def comment(self, answer: Any, result: dict) -> str:
        """How right it is, in a sentence."""

    @abstractmethod
    def beliefs(self, beliefs: Any) -> list[tuple]:
        """The beliefs, checked: a tuple each, with its text at the end."""

    @abstractmethod
    def belief(self, answer: Any, beliefs: Any) -> int | None:
        """Which belief the answer shows: its number; None if none."""


@dataclass(frozen=True)
class Number(Kind):
    """A number within a range."""

    between: tuple[float, float]
    near: float | None = None

    name = "number"
    parts = 20  # of the range: one of them is how near a hit must be, unless `near` says it

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "between", _range(self, self.between))
        if self.near is not None:
            object.__setattr__(self, "near", float(self.near))

    @property
    def reach(self) -> float:
        """How far from the result still counts as a hit."""
        low, high = self.between
        return (high - low) / self.parts if self.near is None else self.near

    def read(self, answer) -> float | list[float]:
        """The answer as a float; GuessError for anything else, or outside the range."""
        return _within(self, _real(self, answer, "your prediction"), "your prediction")

    def result(self, result) -> dict:
        """The result as {"value", and "low" and "high" where it has an interval}."""
        return _estimate(self, result)

    def show(self, answer) -> str:
        return plain(answer)

    def hit(self, answer, result: dict) -> bool:
        """Inside the result's interval, or within `reach` of its value."""
        inside = result.get("low", math.inf) <= answer <= result.get("high", -math.inf)
        return inside or abs(answer - result["value"]) <= self.reach + 1e-12

    def comment(self, answer, result: dict) -> str:
        """How far off it is, in a sentence."""
        off = answer - result["value"]
        if not self.hit(answer, result):
            return f"{plain(abs(off))} too {'high' if off > 0 else 'low'}."
        if abs(off) <= self.reach + 1e-12:
            return "A hit." if off == 0 else f"A hit: within {plain(self.reach)} of it."
        return "A hit: inside its interval."

    def beliefs(self, beliefs) -> list[tuple]:
        """The beliefs, checked: (low, high, text) each, inside the range."""
        checked = []
        for belief in beliefs:
            try:
                low, high, text = belief
            except (TypeError, ValueError):
                raise self.fail(f"a belief is (low, high, text), not {belief!r}") from None
            low, high = _real(self, low, "a belief's low"), _real(self, high, "a belief's high")
            if not (
                self.between[0] <= low <= high <= self.between[1]
                and isinstance(text, str)
                and text.strip()
            ):
                where = f"{plain(self.between[0])} to {plain(self.between[1])}"
                raise self.fail(
                    f"nobody can hold the belief {belief!r}: predictions lie from {where}"
                )
            checked.append((low, high, text))
        return checked

    def belief(self, answer, beliefs) -> int | None:
        return next((k for k, (low, high, _) in enumerate(beliefs) if low <= answer <= high), None)


@dataclass(frozen=True)
class Interval(Number):
    """A range that should hold the result four times in five."""

    name = "interval"

    def read(self, answer) -> list[float]:
        """The answer as [low, high]."""
        if isinstance(answer, (str, bytes)) or not isinstance(answer, Sequence) or len(answer) != 2:
            raise self.fail(f"write two numbers, such as {self._such()}, not {answer!r}")
        low, high = (_within(self, _real(self, end, "each end"), "each end") for end in answer)
        if low >= high:
            raise self.fail(
                f"the smaller number comes first, such as {self._such()}, not {tuple(answer)!r}"
            )
        return [low, high]

    def _such(self) -> str:
        low, high = self.between
        return f"({plain(low + (high - low) * 0.4)}, {plain(low + (high - low) * 0.7)})"

    def show(self, answer) -> str:
        return f"{plain(answer[0])} to {plain(answer[1])}"

    def hit(self, answer, result: dict) -> bool:
        """It holds the result."""
        return answer[0] <= result["value"] <= answer[1]

    def comment(self, answer, result: dict) -> str:
        if self.hit(answer, result):
            return "A hit: your interval holds it."
        return f"All of it too {'high' if answer[0] > result['value'] else 'low'}."

    def belief(self, answer, beliefs) -> int | None:
        return super().belief((answer[0] + answer[1]) / 2, beliefs)


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words, and how sure one is of it."""

    options: tuple[str, ...]

    name = "choice"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "options", _words(self, self.options, "options"))

    def read(self, answer) -> str:
        """The answer as one of the options, whatever its case."""
        if not isinstance(answer, str):
            raise self.fail(f"write one of {_listed(self.options)} in quotes, not {answer!r}")
        found = [
            option for option in self.options if option.casefold() == answer.strip().casefold()
        ]
        if not found:
            raise self.fail(f"{answer!r} is none of {_listed(self.options)}")
        return found[0]

    def sure(self, sure) -> float | None:
        """How sure: a share from 0 to 1, or None."""
        if sure is None:
            return None
        sure = _real(self, sure, "how sure you are")
        if not 0 <= sure <= 1:
            raise self.fail(
                f"how sure you are is a share from 0 to 1, such as 0.8, not {plain(sure)}"
            )
        return sure

    def result(self, result) -> dict:
        """The right option."""
        if not isinstance(result, str) or result not in self.options:
            raise self.fail(f"the result must be one of {_listed(self.options)}, not {result!r}")
        return {"value": str(result)}

    def show(self, answer) -> str:
        return str(answer)

    def hit(self, answer, result: dict) -> bool:
        return answer == result["value"]

    def comment(self, answer, result: dict) -> str:
        return "A hit." if self.hit(answer, result) else "Not so."

    def beliefs(self, beliefs) -> list[tuple]:
        """The beliefs, checked: {option: text}, or (option, text) each."""
        pairs = list(beliefs.items()) if hasattr(beliefs, "items") else list(beliefs)
        for belief in pairs:
            if len(belief) != 2 or belief[0] not in self.options or not str(belief[1]).strip():
                raise self.fail(
                    f"nobody can hold the belief {belief!r}: the options are "
                    f"{_listed(self.options)}"
                )
        return [tuple(pair) for pair in pairs]

    def belief(self, answer, beliefs) -> int | None:
        return next((k for k, (option, _) in enumerate(beliefs) if option == answer), None)


@dataclass(frozen=True)
class Order(Kind):
    """A few words in order."""

    items: tuple[str, ...]

    name = "order"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "items", _words(self, self.items, "items"))

    def read(self, answer) -> list[str]:
        """The answer as a list of all items."""
        if isinstance(answer, str) or not isinstance(answer, Sequence):
            raise self.fail(f"write a list of {_listed(self.items)} in your order, not {answer!r}")
        if sorted(map(str, answer)) != sorted(self.items):
            raise self.fail(
                f"your list must hold each of {_listed(self.items)} once; it holds {list(answer)!r}"
            )
        return list(answer)

    def result(self, result) -> dict:
        """The right order."""
        return {"value": self.read(list(result))}

    def show(self, answer) -> str:
        return ", ".join(answer)

    def pairs(self, answer, result: dict) -> tuple[int, int]:
        """How many pairs of items stand in the right order, and of how many."""
        pairs = list(combinations(result["value"], 2))
        return sum(answer.index(first) < answer.index(later) for first, later in pairs), len(pairs)

    def hit(self, answer, result: dict) -> bool:
        """All in order."""
        return answer == result["value"]

    def comment(self, answer, result: dict) -> str:
        right, of = self.pairs(answer, result)
        return (
            "A hit: all in order."
            if right == of
            else f"{right} of {of} pairs are in the right order."
        )

    def beliefs(self, beliefs) -> list[tuple]:
        """The beliefs, checked: (first, later, text), held by who puts `first` before `later`."""
        for belief in beliefs:
            if (
                len(belief) != 3
                or len({*belief[:2]} & {*self.items}) != 2
                or not str(belief[2]).strip()
            ):
                raise self.fail(
                    f"nobody can hold the belief {belief!r}: it is (first, later, text) of the "
                    "items"
                )
        return [tuple(belief) for belief in beliefs]

    def belief(self, answer, beliefs) -> int | None:
        held = (
            k
            for k, (first, later, _) in enumerate(beliefs)
            if answer.index(first) < answer.index(later)
        )
        return next(held, None)


@dataclass(frozen=True)
class Sketch(Number):
    """Values of a curve at three to five places; `along`: what the places count, such as epochs."""

    at: tuple[float, ...] = ()
    along: str = ""

    name = "sketch"
    parts = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "at", tuple(_real(self, x, "a place") for x in self.at))
        if not 3 <= len(self.at) <= 5 or list(self.at) != sorted(set(self.at)):
            raise self.fail(
                f"a sketch has three to five places from left to right, not {list(self.at)}"
            )

    def read(self, answer) -> list[float]:
        """The answer as a list, one value a place."""
        if (
            isinstance(answer, (str, bytes))
            or not isinstance(answer, Sequence)
            or len(answer) != len(self.at)
        ):
            places = ", ".join(map(plain, self.at))
            raise self.fail(f"write {len(self.at)} numbers in a list, for {places}; not {answer!r}")
        return [_within(self, _real(self, y, "each value"), "each value") for y in answer]

    def result(self, result) -> dict:
        """The curve at the places: given there, or as (x, y) and read off in between."""
        import numpy as np

        try:
            if len(result) == 2 and len(np.atleast_1d(result[0])) > 1:
                x, y = (np.asarray(values, float) for values in result)
                at = np.interp(self.at, x, y)
                return {"value": at.tolist(), "x": x.tolist(), "y": y.tolist()}
            values = np.asarray(result, float)
        except (TypeError, ValueError) as error:
            raise self.fail(
                f"the result is a curve: (x, y), or its {len(self.at)} values ({error})"
            ) from None
        if values.shape != (len(self.at),):
            raise self.fail(
                f"the result has {values.size} values; the sketch has {len(self.at)} places"
            )
        return {"value": values.tolist()}

    def show(self, answer) -> str:
        return ", ".join(map(plain, answer))

    def distance(self, answer, values) -> float:
        """Mean distance of two curves at the places."""
        return sum(abs(a - b) for a, b in zip(answer, values, strict=True)) / len(self.at)

    def hit(self, answer, result: dict) -> bool:
        """On average within `reach` of the curve."""
        return self.distance(answer, result["value"]) <= self.reach + 1e-12

    def comment(self, answer, result: dict) -> str:
        off = self.distance(answer, result["value"])
        return (
            f"{'A hit: on' if self.hit(answer, result) else 'On'} average {plain(off)} away "
            "from the curve."
        )

    def beliefs(self, beliefs) -> list[tuple]:
        """The beliefs, checked: (values, text) each; a sketch shows the nearest one."""
        for belief in beliefs:
            if len(belief) != 2 or not str(belief[1]).strip():
                raise self.fail(f"a belief is (values, text), not {belief!r}")
        return [(self.read(values), text) for values, text in beliefs]

    def belief(self, answer, beliefs) -> int | None:
        if not beliefs:
            return None
        return min(range(len(beliefs)), key=lambda k: self.distance(answer, beliefs[k][0]))


KINDS = {kind.name: kind for kind in (Number, Interval, Choice, Order, Sketch)}


def plain(value: float, digits: int = 3) -> str:
    """A number in three digits: 0.833, 4.61, 78, 1,234; a whole number keeps all of its own."""
    value = float(value)
    return f"{value:,.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def _listed(words: Sequence[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _range(kind: Kind, between) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in between)
    except (TypeError, ValueError):
        raise kind.fail(f"between must be (low, high), not {between!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise kind.fail(f"between must be (low, high), not {between!r}")
    return low, high


def _words(kind: Kind, words, what: str) -> tuple[str, ...]:
    words = tuple(words)
    if (
        isinstance(words, str)
        or len(words) < 2
        or len({str(w).casefold() for w in words}) < len(words)
    ):
        raise kind.fail(f"{what} must be two or more different words")
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise kind.fail(f"{what} must be words, not {words!r}")
    return words


def _real(kind: Kind, value, what: str) -> float:
    """A finite number; no truth value, no text."""
    if isinstance(value, str) and _numeric(value):
        raise kind.fail(f"{what} must be a number; write {value} without quotes")
    if isinstance(value, (bool, str)) or not (
        isinstance(value, Real) or hasattr(value, "__float__")
    ):
        raise kind.fail(_no(what, value))
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise kind.fail(_no(what, value)) from None
    if not math.isfinite(number):
        raise kind.fail(_no(what, value))
    return number


def _no(what: str, value) -> str:
    return f"{what} must be a number, not {value!r}"


def _numeric(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _within(kind: Number, value: float, what: str) -> float:
    low, high = kind.between
    if low <= value <= high:
        return value
    share = high == 1 and 1 < value <= 100
    advice = f"; for {plain(value)} % write {plain(value / 100)}" if share else ""
    raise kind.fail(
        f"{what} lies from {plain(low)} to {plain(high)}, and {plain(value)} does not{advice}"
    )


def _estimate(kind: Kind, result) -> dict:
    """{"value"} or {"value", "low", "high"} of a number, of three, or of anything with them."""
    if hasattr(result, "value") and hasattr(result, "low") and hasattr(result, "high"):
        result = (result.value, result.low, result.high)
    if isinstance(result, (tuple, list)):
        if len(result) != 3:
            raise kind.fail(f"the result is a number, or (value, low, high), not {result!r}")
        value, *ends = result
        found = {"value": _real(kind, value, "the result")}
        ends = [float(end) for end in ends]
        if all(math.isfinite(end) for end in ends):
            found |= {"low": min(ends), "high": max(ends)}
        return found
    return {"value": _real(kind, result, "the result")}
