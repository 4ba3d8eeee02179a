"""Pictures of predictions say in their alt text: the prediction, the result, and a class."""

import numpy as np
import pytest

from cxr_helpers import plots


@pytest.mark.parametrize(
    ("mine", "result", "said"),
    [
        (0.5, (0.83, 0.82, 0.84), "your prediction 0.5, the result 0.83 (0.82 to 0.84)"),
        ((0.4, 0.6), (0.83, None, None), "your prediction 0.4 to 0.6, the result 0.83"),
        # beyond the range that could be predicted: still on the line
        (0.1, (1.2, None, None), "the result 1.2"),
    ],
)
def test_a_prediction_stands_beside_its_result(mine, result, said):
    picture = plots.number_line(mine, result, between=(0, 1), title="AUC")
    assert said in picture.alt
    low, high = picture.figure.axes[0].get_xlim()
    assert low <= result[0] <= high


def test_a_sketch_is_compared_with_the_curve_at_its_own_places():
    picture = plots.sketch_and_curve(
        [0, 5], [1.0, 0.2], [0, 10], [1.0, 0.0], between=(0, 1), title="Loss"
    )
    assert "1 at 0 where the result is 1; 0.2 at 5 where the result is 0.5" in picture.alt


def test_numbers_of_a_class_are_counted_around_the_result():
    picture = plots.class_numbers([0.5, 0.5, 0.5, 0.9], 0.83, between=(0, 1), title="AUC")
    assert (
        "4 predictions, median 0.5, most of them (3) from 0.5 to 0.55; the result is 0.83."
        in picture.alt
    )
    assert sum(bar.get_height() for bar in picture.figure.axes[0].patches) == 4
    assert picture.figure.axes[0].get_ylabel() == "readers"


def test_choices_of_a_class_name_the_result():
    picture = plots.class_choices({"images": 3, "patients": 5}, "patients", title="Which is wider?")
    assert "images 3, patients 5; the result is patients." in picture.alt
    shown = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert shown == ["images", "patients (result)"]


def test_sketches_of_a_class_are_drawn_each_with_the_result():
    picture = plots.class_sketches([0, 5], [[1, 1], [0, 0], [1, 0.5]], [0.9, 0.1], title="Loss")
    assert "3 sketches, in the middle 1, 0.5; the result 0.9, 0.1." in picture.alt
    assert len(picture.figure.axes[0].lines) == 4


def test_a_count_is_marked_at_whole_numbers_and_a_sketch_fills_its_picture():
    line = plots.number_line(3, (2, None, None), between=(0, 3), title="Sets").figure.axes[0]
    assert all(float(mark).is_integer() for mark in line.get_xticks())
    x = np.arange(61)
    picture = plots.sketch_and_curve(
        [0, 60], [0.7, 0.2], x, 0.7 + 0.005 * x, between=(0, 2), title="Loss"
    )
    assert picture.figure.axes[0].get_ylim()[1] < 1.3
