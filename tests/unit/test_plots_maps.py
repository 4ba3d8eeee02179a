"""Heat maps have a perceptual scale; their text says how much heat lies inside the outline."""

import io

import numpy as np
import pytest
from PIL import Image

from cxr_helpers import plots

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32)).astype(np.uint8)
MASK = np.zeros((32, 32), bool)
MASK[:16, :16] = True
EVEN = np.ones((2, 32, 32))
QUARTER = np.stack([MASK.astype(float)] * 2) - 0.5  # what lies below zero counts as zero


def test_the_text_states_what_the_maps_found():
    drawn = plots.heat_maps(
        IMAGES,
        {"even": EVEN, "right": QUARTER},
        masks=[{"lesion": MASK}] * 2,
        titles=["one", "two"],
        title="Maps",
    )
    assert drawn.alt == (
        "Maps: 2 radiographs (one; two), each with the map of even and right, on scales of their "
        "own. Share of the heat inside the outlined lesion: even 25% and 25%; right 100% and 100%; "
        "of the image 25.0%."
    )
    shown = Image.open(io.BytesIO(drawn.png()))
    assert shown.width <= 830
    assert len(drawn.figure.axes) == 6


def test_maps_need_neither_masks_nor_titles():
    drawn = plots.heat_maps(IMAGES[:1], {"none": 0 * EVEN[:1]}, title="A map of nothing")
    assert (
        drawn.alt
        == "A map of nothing: 1 radiograph, each with the map of none, on scales of their own."
    )
    with_one = plots.heat_maps(
        IMAGES, {"even": EVEN}, masks=[{"lesion": MASK}, {}], title="One mask"
    )
    assert "even 25%; of the image" in with_one.alt


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        plots.heat_maps([], {"even": EVEN}, title="x")
    with pytest.raises(ValueError, match="at least one image and one kind of map"):
        plots.heat_maps(IMAGES, {}, title="x")
    with pytest.raises(ValueError, match="1 maps of even for 2 images"):
        plots.heat_maps(IMAGES, {"even": EVEN[:1]}, title="x")
    with pytest.raises(ValueError, match="a map of shape"):
        plots.heat_maps(IMAGES, {"small": np.ones((2, 8, 8))}, title="x")
    with pytest.raises(ValueError, match="the mask 'lesion' has shape"):
        plots.heat_maps(IMAGES, {"even": EVEN}, masks=[{"lesion": MASK[:8]}] * 2, title="x")
