"""The figures of the page of radiology: drawn from their source, legible, true to the masks."""

import numpy as np
import pytest

from cxr_helpers import phantom
from tools.build import radiology
from tools.build.diagrams import digest, drawn_from
from tools.common import ROOT

PAGE = (ROOT / "docs" / "radiology.md").read_text("utf-8")


@pytest.mark.parametrize("name", radiology.FIGURES)
def test_a_figure_is_drawn_from_its_source_shown_with_alt_text_and_small(name):
    path = radiology.FOLDER / f"{name}.png"
    assert drawn_from(path) == digest(radiology.FIGURES[name]), "python -m tools.build.radiology"
    assert path.stat().st_size < 160_000
    alt = PAGE.split(f"](figures/{name}.png)")[0].rsplit("![", 1)[1]
    assert len(alt.split()) >= 15


@pytest.mark.parametrize("name", radiology.FIGURES)
def test_no_words_of_a_figure_are_cut_off_or_over_one_another(name):
    assert radiology.FIGURES[name]().misfits() == []


def test_names_end_in_the_part_that_they_name():
    masks = phantom.render(radiology.PERSON, 400).masks
    ends = {name: end for name, end in radiology.NAMED_LEFT + radiology.NAMED_RIGHT}

    def inside(name: str, mask: str) -> bool:
        across, down = ends[name]
        return bool(masks[mask][round(400 * down), round(400 * across)])

    assert inside("right lung", "lung")
    assert inside("left lung", "lung")
    assert inside("heart", "heart")
    column = masks["lung"][:, round(400 * ends["diaphragm"][0])]
    assert abs(np.flatnonzero(column).max() / 400 - ends["diaphragm"][1]) < 0.02
    assert ends["right lung"][0] < 0.5 < ends["left lung"][0]  # the patient faces the reader
    assert ends["heart"][0] > 0.5
