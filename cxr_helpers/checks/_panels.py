"""Questions for a look at a figure: panels behind letters, and what happened in each of them."""

from collections.abc import Callable, Iterator

import numpy as np

from . import expect
from ._kinds import Case, Compare


class Panels(Compare):
    """A question for a rule that says what happened: a function from a panel's data to a name.

    The notebook draws one panel of each name, behind letters; a check asks about new panels, so
    that a letter cannot be typed. `panel`, (rng, name) → arguments of the answer, what a panel
    shows; `signs`, {name: what gives it away}, which is said where a panel was called otherwise.
    """

    EACH = 3  # panels of each name in a check

    def __init__(
        self,
        name: str,
        *,
        panel: Callable[[np.random.Generator, str], tuple],
        signs: dict[str, str],
        **declared,
    ):
        def cases(rng: np.random.Generator, each: int) -> list[Case]:
            order = map(str, rng.permutation(np.repeat(list(signs), each)))
            return [Case(panel(rng, what), what) for what in order]

        super().__init__(
            name,
            data=lambda rng: {
                letter: case.given for letter, case in zip("ABCDEFGH", cases(rng, 1), strict=False)
            },
            cases=lambda rng: cases(rng, self.EACH),
            read=lambda said, case: expect.choice(said, signs, f"{name}(...)"),
            explain=lambda said, case: (
                f"What happened is {case.right!r}, and you say {said!r}. {signs[case.right]}"
            ),
            **declared,
        )
        self.edges(lambda right: _spelt(right, list(signs)))


def _spelt(right: Callable, names: list[str]) -> Iterator[tuple[str, Callable, bool]]:
    yield "in capitals, with blanks", lambda *panel: f" {right(*panel).upper()} ", True
    yield "always the same name", lambda *panel: names[0], False
    yield "all names", lambda *panel: names, False
