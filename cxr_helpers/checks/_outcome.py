"""What a check says, and how it is shown: as HTML in Jupyter, as plain text elsewhere."""

from dataclasses import dataclass
from html import escape

CORRECT, WRONG, NOT_ATTEMPTED, RAISED, BROKEN = (
    "correct",
    "wrong",
    "not attempted",
    "raised",
    "broken",
)
_LOOK = {  # sign, colour (legible on light and dark pages), words
    CORRECT: ("✔", "#2e9e44", "Correct"),
    WRONG: ("✘", "#d9542b", "Not right yet"),
    NOT_ATTEMPTED: ("○", "#888888", "Not attempted"),
    RAISED: ("⚠", "#c08a00", "Your code raised an error"),
    BROKEN: ("⚙", "#7a5cc9", "The check failed, not your answer"),
    "hint": ("→", "#3b82c4", "Hint"),
}


class NotCorrect(AssertionError):
    """An answer that is not correct, as an exception; the message is that of `check`."""


class CheckBroken(RuntimeError):
    """The check itself failed and judged nothing: whoever marks has to look at the answer."""


@dataclass(frozen=True, repr=False)
class Outcome:
    """What a check or hint says: `state`, `message`, and the `mistake` recognised, if any.

    `state` is one of CORRECT, WRONG, NOT_ATTEMPTED, RAISED, BROKEN, or "hint"; `repeat` says how to
    have the same data again.
    """

    state: str
    title: str
    message: str
    points: float = 0
    mistake: str | None = None
    repeat: str = ""

    def demand(self) -> None:
        """Raise `NotCorrect` or `CheckBroken`, with what this says, unless it says correct."""
        if self.state == BROKEN:
            raise CheckBroken(f"{self.title}: {self.message}")
        if self.state != CORRECT:
            raise NotCorrect(f"{self.title}: {self.state}. {self.message}")

    def __repr__(self) -> str:
        sign, _, words = _LOOK[self.state]
        text = "\n".join(filter(None, [self.message, self.repeat]))
        return f"{sign} {self.title}: {words}{self._points()}\n  " + text.replace("\n", "\n  ")

    def _repr_html_(self) -> str:
        sign, colour, words = _LOOK[self.state]
        head = f"<strong>{sign} {words}</strong>{self._points()} · {escape(self.title)}"
        body = escape(self.message).replace("\n", "<br>")
        if self.repeat:
            body += f"<br><small>{escape(self.repeat)}</small>"
        style = f"border-left:4px solid {colour};padding:0.3em 0.8em;margin:0.3em 0;max-width:50em"
        return (
            f'<div role="status" style="{style}"><span '
            f'style="color:{colour}">{head}</span><br>{body}</div>'
        )

    def _points(self) -> str:
        return (
            f" ({self.points:g} point{'' if self.points == 1 else 's'})"
            if self.state == CORRECT
            else ""
        )
