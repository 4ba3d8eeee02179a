"""The picture of an answer says what was answered, or why the image was refused."""

import numpy as np
import pytest

from cxr_helpers import plots

IMAGE = np.full((32, 32), 90, np.uint8)
HEAT = np.zeros((32, 32), np.float32)
HEAT[24, 8] = 2.0
FOUND = {
    **{
        "file": "a.png",
        "accepted": True,
        "reason": "",
        "image": IMAGE,
        "map": HEAT,
        "note": "Not for diagnosis.",
    },
    **{"probabilities": {"normal": 0.2, "covid": 0.7, "viral": 0.1}, "set": ("covid", "normal")},
}


def words(picture):
    return [
        text.get_text()
        for text in picture.figure.findobj(lambda a: hasattr(a, "get_text"))
        if text.get_text()
    ]


def test_the_text_says_probabilities_set_and_where_the_map_is_warm():
    picture = plots.answer(FOUND)
    assert "normal 0.20, covid 0.70 and viral 0.10" in picture.alt
    assert "the set is covid and normal" in picture.alt
    assert "warmest 25% from the left and 75% from the top" in picture.alt
    shown = words(picture)
    assert {"0.70 *", "0.20 *", "0.10", "Not for diagnosis."} <= set(shown)


def test_a_refused_image_is_shown_with_its_reason():
    picture = plots.answer(
        FOUND | {"accepted": False, "reason": "It is inverted.", "probabilities": {}, "map": None}
    )
    assert "refused. It is inverted." in picture.alt
    assert "It is inverted." in words(picture)
    assert picture.png().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("heat", "said"), [(None, "no map"), (np.zeros((32, 32)), "zero everywhere")]
)
def test_an_answer_without_a_map_says_so(heat, said):
    assert said in plots.answer(FOUND | {"map": heat}).alt


def test_a_file_without_an_image_cannot_be_drawn():
    with pytest.raises(ValueError, match="is a zip archive"):
        plots.answer(FOUND | {"image": None, "reason": "The file is a zip archive."})
