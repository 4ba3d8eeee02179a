"""One function per picture, from arrays and tables; each returns the figure with a text that says what it shows.

This package imports no other module of the project. A picture in a notebook carries its text as the ``alt`` of the
PNG; the text is computed from what is drawn.
"""

from ._data import class_counts, histogram, sizes, split_counts
from ._general import distribution, intervals, line
from ._learning import learning_curve
from ._outlines import outlines
from ._radiographs import compare_images, duplicate_pairs, filters, mean_images, montage, weights
from ._results import confusion, curves, precision_recall, roc
from ._style import Picture, class_colour, show

__all__ = [
    "Picture",
    "class_colour",
    "class_counts",
    "compare_images",
    "confusion",
    "curves",
    "distribution",
    "duplicate_pairs",
    "filters",
    "histogram",
    "intervals",
    "learning_curve",
    "line",
    "mean_images",
    "montage",
    "outlines",
    "precision_recall",
    "roc",
    "show",
    "sizes",
    "split_counts",
    "weights",
]
