"""One function per picture, from arrays and tables; each gives a figure and a text about it.

This package imports no other module of the project. A picture in a notebook carries its text as the
``alt`` of the PNG; the text is computed from what is drawn.
"""

from ._answer import answer
from ._calibration import reliability
from ._cuts import cuts
from ._data import histogram, split_counts
from ._general import distribution, intervals, line
from ._guesses import class_choices, class_numbers, class_sketches, number_line, sketch_and_curve
from ._learning import learning_curve
from ._maps import heat_maps
from ._outlines import outlines
from ._radiographs import compare_images, duplicate_pairs, filters, mean_images, montage, weights
from ._results import confusion, curves, roc
from ._slider import Slider
from ._sliders import (
    slide_kernel,
    slide_leak,
    slide_prevalence,
    slide_rate,
    slide_share,
    slide_threshold,
)
from ._uncertainty import side_by_side
from .look import Picture, class_colour, show

__all__ = [
    "Picture",
    "Slider",
    "answer",
    "class_choices",
    "class_colour",
    "class_numbers",
    "class_sketches",
    "compare_images",
    "confusion",
    "curves",
    "cuts",
    "distribution",
    "duplicate_pairs",
    "filters",
    "heat_maps",
    "histogram",
    "intervals",
    "learning_curve",
    "line",
    "mean_images",
    "montage",
    "number_line",
    "outlines",
    "reliability",
    "roc",
    "show",
    "side_by_side",
    "sketch_and_curve",
    "slide_kernel",
    "slide_leak",
    "slide_prevalence",
    "slide_rate",
    "slide_share",
    "slide_threshold",
    "split_counts",
    "weights",
]
