"""Pictures of calibration say in words what they show."""

import pandas as pd
import pytest

from cxr_helpers import plots

BINS = pd.DataFrame(
    {
        "bin_low": [0.0, 0.5],
        "bin_high": [0.5, 1.0],
        "predicted": [0.1, 0.9],
        "observed": [0.2, 0.6],
        "low": [0.05, 0.4],
        "high": [0.4, 0.8],
        "n": [30, 12],
        "groups": [30, 12],
    }
)


def test_reliability_names_bins_counts_and_misses():
    picture = plots.reliability(BINS, what="covid")
    assert "said 0.10, 0.20 of 30 are covid and said 0.90, 0.60 of 12 are covid" in picture.alt
    assert "in 1 of 2 bins the interval misses the diagonal" in picture.alt
    assert picture.png().startswith(b"\x89PNG")


def test_reliability_has_a_panel_per_model_and_counts_on_the_bars():
    picture = plots.reliability({"before": BINS, "after": BINS.assign(observed=BINS["predicted"])})
    assert len(picture.figure.axes) == 4
    assert "before: said" in picture.alt
    assert "after: said" in picture.alt
    assert {text.get_text() for text in picture.figure.axes[2].texts} == {"30", "12"}


def test_tables_without_their_columns_are_refused():
    with pytest.raises(ValueError, match="needs the column"):
        plots.reliability(pd.DataFrame({"n": [1]}))
    with pytest.raises(ValueError, match="at least one table"):
        plots.reliability({})
