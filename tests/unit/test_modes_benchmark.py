"""Class mode beside full mode: the notebook's code on a tiny set, and the table kept."""

import json

import pytest

from benchmarks import modes


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_notebooks_code_is_run(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    row = modes.run("cases/c_two_convolutions", "class", 9, SIDE=16, IMAGES=100, EPOCHS=1)
    assert (row["notebook"], row["mode"], row["seed"]) == ("c_two_convolutions", "class", 9)
    assert (row["side"], row["n"]) == (16, 21)
    assert row["accuracy"] * row["n"] == pytest.approx(round(row["accuracy"] * row["n"]))
    assert 0.5 <= row["chance"] < 1


def test_the_ratio_is_of_means_over_the_seeds_that_both_modes_have(tmp_path, monkeypatch):
    monkeypatch.setattr(modes, "STORE", tmp_path)
    accuracies = {
        ("class", 0): 0.7,
        ("class", 1): 0.8,
        ("class", 2): 0.1,
        ("full", 0): 0.9,
        ("full", 1): 1.0,
    }
    for (mode, seed), accuracy in accuracies.items():
        row = {
            "notebook": "x",
            "mode": mode,
            "seed": seed,
            "side": 8,
            "n": 10,
            "accuracy": accuracy,
            "chance": 0.5,
        }
        row |= {"cpu_seconds": 1.0, "date": "2026-11-29"}
        (tmp_path / f"{mode}-{seed}.json").write_text(json.dumps(row))
    only_in_one = {
        "notebook": "y",
        "mode": "class",
        "seed": 0,
        "side": 8,
        "n": 10,
        "accuracy": 0.6,
        "chance": 0.5,
    }
    (tmp_path / "y.json").write_text(
        json.dumps(only_in_one | {"cpu_seconds": 1.0, "date": "2026-11-29"})
    )
    (line,) = modes.summary().to_dict("records")
    assert (line["notebook"], line["seeds"]) == ("x", 2)
    assert line["class_above"] == pytest.approx(0.25)
    assert line["ratio"] == pytest.approx(0.25 / 0.45, abs=1e-4)
    assert (line["full_lowest"], line["full_highest"]) == pytest.approx((0.4, 0.5))
