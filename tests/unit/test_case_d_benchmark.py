"""The literal run of case D: the notebook's code on a few small images, and its rows."""

import json

import pandas as pd
import pytest

from benchmarks import case_d


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_notebooks_code_is_run_and_its_figures_are_kept(tmp_path, monkeypatch):
    for name, value in {
        "MODE": "full",
        "DATASET": "phantom",
        "SEED": "0",
        "GUESS": "example",
    }.items():
        monkeypatch.setenv(f"CXR_{name}", value)
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    case_d.run(160, 32, tmp_path / "found.json")
    table = pd.DataFrame(json.loads((tmp_path / "found.json").read_text())).set_index("network")
    assert (table[["images", "side"]] == [160, 32]).all(axis=None)
    mean, models = table.iloc[0], table.iloc[1:]
    assert (mean.name, mean["n"]) == ("transfer, mean of 6 trainings", 160)
    assert set(models["n"]) == {40}
    assert list(models.index)[:4] == [
        "transfer",
        "from scratch",
        "scratch, by batch",
        "larger class",
    ]
    assert models.loc["larger class", "accuracy"] == 0.75
    for metric in case_d.METRICS:
        assert (
            (table[f"{metric}_low"] <= table[metric]) & (table[metric] <= table[f"{metric}_high"])
        ).all()
    gained = models.loc["transfer", "accuracy"] - models.loc["from scratch", "accuracy"]
    assert models.loc["from scratch", "gain"] == pytest.approx(gained, abs=2e-4)
    assert models.loc["transfer", "kB"] > 100
