"""Questions about a figure that nobody has seen before: which panel shows what."""

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from . import expect
from ._outcome import WRONG, Outcome
from ._question import Mistake, Question
from ._running import Wrong

FIRST, LAST = 10_000, 99_999  # numbers of figures
SOLVED = 31_415  # the figure that the known mistakes are about
RIGHT = "{right} of {all} panels are right."


class Figure(NamedTuple):
    """A figure's number, and what its panels show, by their letters."""

    number: int
    panels: dict[str, Any]


class Diagnosis(Question):
    """A question about a figure: what does each panel show?

    A figure has a number, which decides what is drawn and behind which letter, and each showing has
    a number of its own. The answer is a dictionary with the number and an option for each letter.
    All letters count together, and a figure that was answered wrongly is not asked about again: so
    nothing is found by trying.

    Parameters, beside those of `Question`: `options`, the words that the answer uses, each true of
    one panel; `draw`, (rng, option) → what a panel shows; `mixed_up`, {(said, true): how to tell
    the two apart}, of which each becomes a known mistake.
    """

    def __init__(
        self,
        name: str,
        *,
        options: Iterable[str],
        draw: Callable[[np.random.Generator, str], Any],
        mixed_up: dict[tuple[str, str], str],
        **declared,
    ):
        self.name, self.options, self.draw, self.mixed_up = name, tuple(options), draw, mixed_up
        self._done: set[int] = set()  # figures that were answered wrongly
        super().__init__(
            name,
            kind="value",
            wants=f"a dict: the figure's number, and one of {', '.join(self.options)} a panel",
            mistakes={
                f"{said}, not {true}": Mistake(self._swapped(said, true), f"{RIGHT} {how}")
                for (said, true), how in mixed_up.items()
            },
            **declared,
        )
        self.rule(self._compare)
        self.edges(self._near)

    def sample(self, seed: int | None = None) -> Figure:
        """Another figure each time; with a seed, the same one again."""
        new = secrets.randbits(32) if seed is None else seed
        number = int(self._rng(new, "sample").integers(FIRST, LAST + 1))
        rng, options = self._order(number)
        return Figure(number, {k: self.draw(rng, option) for k, option in options.items()})

    def check(self, answer, seed: int | None = None) -> Outcome | None:
        """As for any question; a figure counts once, unless the answer has another form."""
        number = None
        with contextlib.suppress(Wrong):
            number = self._read(answer)[0]
        if number in self._done:
            return Outcome(
                WRONG,
                self.title,
                f"Figure {number} was answered already. Look at it once more, with what the check "
                "said; then run its cell again and answer for the figure that it shows.",
                self.points,
            )
        outcome = super().check(answer, seed)
        if number and outcome is not None and outcome.state == WRONG:
            self._done.add(number)
        return outcome

    def _order(self, number: int) -> tuple[np.random.Generator, dict[str, str]]:
        """The generator that draws a figure, and the option behind each letter."""
        rng = self._rng(number, "figure")
        return rng, dict(zip("ABCDEFGH", map(str, rng.permutation(self.options)), strict=False))

    def _swapped(self, said: str, true: str) -> dict[str, Any]:
        """An answer that takes two panels for each other, or misses the second only."""
        right = self._order(SOLVED)[1]
        other = {said: true, true: said}
        return {"figure": SOLVED} | {k: other.get(option, option) for k, option in right.items()}

    def _compare(self, answer: Any, rng: np.random.Generator) -> None:
        number, said = self._read(answer)
        true = self._order(number)[1]
        wrong = [(said[letter], true[letter]) for letter in true if said[letter] != true[letter]]
        if not wrong:
            return
        counts = {"right": len(true) - len(wrong), "all": len(true)}
        for pair in self.mixed_up:
            if pair in wrong:
                raise self.caught(f"{pair[0]}, not {pair[1]}", **counts)
        raise Wrong(
            f"{RIGHT.format(**counts)} Say of each option what it must change in a panel, then "
            "look for that change."
        )

    def _read(self, answer: Any) -> tuple[int, dict[str, str]]:
        """The figure's number, and the option that the answer gives to each letter."""
        letters = "ABCDEFGH"[: len(self.options)]
        keys = {"figure", *letters}
        if not isinstance(answer, dict) or set(answer) != keys:
            raise Wrong(
                f"{self.name} should be a dict with the keys 'figure' and {letters[0]} to "
                f"{letters[-1]}, not {expect.kind(answer)}."
            )
        number = expect.number(answer["figure"], "the figure's number")
        if not FIRST <= number <= LAST or number != int(number):
            raise Wrong(f"No figure has the number {number:g}: it stands in the figure's title.")
        said = {k: expect.choice(answer[k], self.options, f"panel {k}") for k in letters}
        for one, other in pairwise(sorted(said, key=said.__getitem__)):
            if said[one] == said[other]:
                raise Wrong(
                    f"Panels {one} and {other} are both called {said[one]}; each option is true of "
                    "one panel."
                )
        return int(number), said

    @staticmethod
    def _near(right: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
        letters = [key for key in right if key != "figure"]
        turned = dict(zip(letters, [right[k] for k in [*letters[1:], letters[0]]], strict=True))
        yield "capital letters", right | {k: f" {right[k]}".upper() for k in letters}, True
        yield "NumPy's number", right | {"figure": np.int64(right["figure"])}, True
        yield "another figure's answer", right | {"figure": right["figure"] + 1}, False
        yield "all moved by one", right | turned, False
        yield "without a number", {k: right[k] for k in letters}, False
