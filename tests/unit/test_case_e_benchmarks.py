"""The literal run of case E on a tiny side, its table, and the sums of choosing by validation."""

import pandas as pd
import pytest

from benchmarks import case_e_described, case_e_tuning


@pytest.mark.slow
@pytest.mark.tensorflow
def test_part_one_is_run_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    store = tmp_path / "store"
    case_e_described.run("phantom", "class", 0, str(tmp_path), store, SIZE=24)
    table = case_e_described.table(store)
    assert set(table["set"]) == {"phantom"}
    assert (table[["seeds", "size", "n_train"]] == [1, 24, 251]).all(axis=None)
    named = table.set_index(["class", "metric"])
    assert set(named.loc["all"].index) == {"accuracy", "macro-F1"}
    for name in ("covid", "normal", "viral"):
        assert set(named.loc[name].index) == {"precision", "recall", "F1"}
    assert named.loc[("all", "accuracy"), "n"] == 66
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    monkeypatch.setattr(case_e_described, "part_one", lambda *_: pytest.fail("run twice"))
    case_e_described.run("phantom", "class", 0, str(tmp_path), store)


def test_seeds_of_drawn_images_are_images_of_their_own(tmp_path):
    same = {
        "split": "test",
        "p_covid": [0.9, 0.8, 0.3],
        "p_normal": [0.1, 0.2, 0.7],
        "patient": None,
        "source": None,
    }
    same |= {
        "model": "as described",
        "fold": None,
        "n_train": 9,
        "size": 8,
        "parameters": 7,
        "cpu_seconds": 1.0,
    }
    for name in ("phantom", "covid19-image-dataset"):
        for seed, predicted in enumerate(
            (["covid", "covid", "normal"], ["covid", "covid", "normal"])
        ):
            rows = pd.DataFrame(
                {
                    "image_id": list("abc"),
                    "group": list("abc"),
                    "label": ["covid", "normal", "normal"],
                }
            )
            rows = rows.assign(**same, predicted=predicted, seed=seed, seconds=10.0 + seed)
            rows.to_csv(tmp_path / f"{name}-full-{seed}.csv", index=False)
    table = case_e_described.table(tmp_path).query("metric == 'accuracy'").set_index("set")
    assert table["n"].to_dict() == {"phantom": 6, "covid19-image-dataset": 3}
    assert table["value"].tolist() == pytest.approx([2 / 3, 2 / 3], abs=1e-3)
    assert table["seconds"].tolist() == [10.5, 10.5]


def test_what_validation_chooses_is_scored_once():
    described, other = case_e_tuning.DESCRIBED, (0.003, (0.0, 0.0))
    found = []
    for seed, scores in enumerate(
        [((0.8, 0.7), (0.9, 0.6)), ((0.8, 0.7), (0.8, 0.9)), ((0.5, 0.7), (0.6, 0.8))]
    ):
        for setting, (val, test) in zip((described, other), scores, strict=True):
            same = {
                "seed": seed,
                "setting": str(setting),
                "rate": setting[0],
                "dropout": str(setting[1]),
            }
            found.append({**same, "val": val, "test": test, "n_val": 40, "n_test": 66})
    table = case_e_tuning.summary(found)
    assert table["times_chosen"].tolist()[:2] == [1, 2]  # of equals the first
    last = table.iloc[-1]
    assert last["test"] == pytest.approx((0.6 + 0.7 + 0.8) / 3, abs=1e-3)
    assert last["gain"] == pytest.approx((-0.1 + 0 + 0.1) / 3, abs=1e-3)
    assert last["low"] < last["gain"] < last["high"]
    assert last["cohorts"] == 3
