"""The reader's own predictions: recorded before the result is shown, met by the result, summed up.

A prediction is an ordinary assignment in the notebook, `MY_AUC = None`. While it is None, an
example stands for it, shown as an example and never counted. The first answer of one's own counts
if it was given before the first result was seen. Answers are kept in `guesses.jsonl` in the folder
of the reader's progress (`datasets.progress_dir`), one line each, only ever appended.
"""

from ._class import class_page, collect
from ._code import code, take
from ._kinds import GuessError
from ._prediction import Meeting, Prediction, choice, interval, number, order, sketch
from ._summary import Summary, reliability, summary

__all__ = [
    "GuessError",
    "Meeting",
    "Prediction",
    "Summary",
    "choice",
    "class_page",
    "code",
    "collect",
    "interval",
    "number",
    "order",
    "reliability",
    "sketch",
    "summary",
    "take",
]
