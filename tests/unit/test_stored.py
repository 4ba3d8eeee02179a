"""Predictions of benchmarks come back as they were kept."""

import pytest

from benchmarks import stored
from cxr_helpers import evaluate
from tests.unit.test_evaluate import random_predictions


def test_figures_of_kept_predictions_are_those_of_the_predictions(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    models = {
        "weak": random_predictions(0, group_size=2),
        "strong": random_predictions(1, skill=3, runs=2),
    }
    models["strong"]["seconds"] = 1.5
    stored.keep("trial", models)
    first = (tmp_path / "trial.csv.gz").read_bytes()
    again = stored.read("trial")
    assert list(again) == ["weak", "strong"]
    assert "seconds" not in again["weak"]
    for name, table in models.items():
        for metric in ("f1_macro", "roc_auc_macro"):
            now, then = (evaluate.metric(t, metric) for t in (again[name], table))
            assert now.value == pytest.approx(then.value, abs=1e-6)
            assert (now.low, now.n, now.groups) == (
                pytest.approx(then.low, abs=1e-5),
                then.n,
                then.groups,
            )
    stored.keep("trial", again)
    assert (tmp_path / "trial.csv.gz").read_bytes() == first
    with pytest.raises(FileNotFoundError, match="run the benchmark once"):
        stored.read("other")
