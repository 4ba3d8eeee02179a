import pandas as pd
import pytest

from cxr_helpers import plots


def cohorts():
    rows = [
        ("AUC", "home", 0.9),
        ("AUC", "away", 0.7),
        ("sensitivity", "home", 0.95),
        ("sensitivity", "away", 0.3),
    ]
    table = pd.DataFrame(rows, columns=["metric", "cohort", "value"])
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05, n=40)


def test_side_by_side_names_each_figure_with_interval_and_n():
    picture = plots.side_by_side(cohorts())
    assert "AUC home 0.90 (0.85-0.95, n = 40)" in picture.alt
    assert "sensitivity away 0.30 (0.25-0.35, n = 40)" in picture.alt
    assert picture.alt.endswith("Upright: home.")
    assert len(picture.figure.axes) == 2
    assert [t.get_text() for t in picture.figure.axes[0].get_yticklabels()] == ["home", "away"]
    assert picture.png()[:4] == b"\x89PNG"
    only = plots.side_by_side(cohorts().iloc[[0, 1, 2]])  # a figure may be missing
    assert "sensitivity away" not in only.alt
    with pytest.raises(ValueError, match="cohort"):
        plots.side_by_side(cohorts().drop(columns="cohort"))
