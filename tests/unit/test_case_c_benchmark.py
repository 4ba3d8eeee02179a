"""The literal run of case C: the notebook's code on a tiny set, its row, what is not run twice."""

import os

import pytest

from benchmarks import case_c


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_notebooks_code_is_run_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    monkeypatch.setenv("CXR_SEED", "9")
    arguments, small = (
        ["--modes", "class", "--epochs", "1", "--seeds", "0", "1"],
        {"SIDE": 16, "IMAGES": 100},
    )
    table = case_c.main(arguments, tmp_path / "store", **small)
    row = table.iloc[0]
    # another number of epochs than the described one takes the first seed only
    assert len(table) == 1
    assert (row["side"], row["epochs"], row["train"], row["val"], row["n"]) == (16, 1, 64, 15, 21)
    assert 0 <= row["low"] <= row["test_accuracy"] <= row["high"] <= 1
    assert row["above_chance"] == pytest.approx(
        row["test_accuracy"] - row["always_normal"], abs=1e-3
    )
    assert row["command"] == "python -m benchmarks.case_c --seeds 0 1 --epochs 1 --modes class"
    assert os.environ["CXR_SEED"] == "9"
    monkeypatch.setattr(case_c, "one_run", lambda *_, **__: pytest.fail("run twice"))
    assert case_c.main(arguments, tmp_path / "store", **small).equals(table)
