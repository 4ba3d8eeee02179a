"""The picture of a backbone's cuts says which cut is best, and which cannot be told from it."""

import pandas as pd
import pytest

from cxr_helpers import plots

# in the network's order, which is not the alphabet's
STAGES = ["stem", "block1", "block10", "head"]
FOUND = pd.DataFrame({"set": "A", "stage": STAGES, "value": [0.5, 0.7, 0.9, 0.85]})
FOUND = FOUND.assign(low=FOUND["value"] - 0.06, high=FOUND["value"] + 0.06)


def places(picture):
    axes = picture.figure.axes[0]
    return [tick.get_text() for tick in axes.get_xticklabels()]


def test_the_text_names_the_best_cut_and_those_that_cannot_be_told_from_it():
    text = plots.cuts(FOUND).alt
    assert "A highest at block10, 0.900 (0.84-0.96)" in text
    assert "within the interval of head too" in text
    assert "from 0.500 at the first cut to 0.850 at the last" in text


def test_stages_keep_the_networks_order_for_text_and_for_categories():
    shuffled = FOUND.assign(stage=pd.Categorical(FOUND["stage"], STAGES)).iloc[::-1]
    assert places(plots.cuts(FOUND)) == places(plots.cuts(shuffled)) == STAGES


def test_several_sets_may_lack_a_stage_each_and_a_baseline_is_named():
    other = FOUND.iloc[:3].assign(set="B", value=[0.2, 0.1, 0.3], low=0.05, high=0.35)
    picture = plots.cuts(
        pd.concat([FOUND, other]), baseline={"pixels": 0.6}, title="Cuts", ylabel="macro-F1"
    )
    assert "B highest at block10, 0.300" in picture.alt
    assert "pixels 0.600" in picture.alt
    drawn = picture.figure.axes[0].lines
    assert [line.get_label() for line in drawn if not line.get_label().startswith("_")] == [
        "pixels",
        "A",
        "B",
    ]
    assert len(picture.png()) > 5000


@pytest.mark.parametrize("wrong", [FOUND.drop(columns="low"), FOUND.iloc[:0]])
def test_a_table_that_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match="cuts needs"):
        plots.cuts(wrong)
