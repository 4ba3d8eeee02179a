"""The benchmark of pretraining on phantoms: its splits, its comparison of two arms, its rows."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import phantom_pretraining as benchmark
from benchmarks import pretraining_summary
from cxr_helpers import measured
from tools.build import results

CLASSES = ("normal", "covid", "viral")


@pytest.fixture(scope="module")
def table():
    """330 images of about 220 groups, some of them of two classes, in shares 1:2:3."""
    rng = np.random.default_rng(3)
    n = 330
    label = rng.choice(CLASSES, n, p=[1 / 6, 2 / 6, 3 / 6])
    return pd.DataFrame(
        {
            "image_id": [f"{k:03d}.png" for k in range(n)],
            "label": pd.Categorical(label, categories=CLASSES),
            "group": [f"g{k}" for k in rng.integers(0, 260, n)],
            "split": pd.Categorical([pd.NA] * n, categories=["train", "val", "test"]),
        }
    )


def ids(table, *names):
    return set(table.loc[table["split"].isin(names), "image_id"])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_training_images_are_nested_and_the_test_part_is_the_same_for_every_n(table, seed):
    made = {n: benchmark.parts(table, n, seed) for n in (50, 100, 200)}
    assert all(len(ids(part, "train", "val")) == n for n, part in made.items())
    assert (
        ids(made[50], "train", "val")
        < ids(made[100], "train", "val")
        < ids(made[200], "train", "val")
    )
    assert ids(made[50], "test") == ids(made[100], "test") == ids(made[200], "test")
    assert 0.25 < len(ids(made[50], "test")) / len(table) < 0.35


@pytest.mark.parametrize("n", [50, 100, 200])
def test_no_group_stands_on_two_sides_and_validation_lies_within_the_n(table, n):
    part = benchmark.parts(table, n, 0)
    sides = part.dropna(subset="split").groupby("group")["split"].nunique()
    assert sides.max() == 1
    assert 0.1 < len(ids(part, "val")) / n < 0.3
    unused = part[part["split"].isna()]
    assert len(unused) == len(table) - n - len(ids(part, "test"))


def test_without_a_validation_part_all_n_images_are_learnt(table):
    watched, whole = benchmark.parts(table, 50, 0), benchmark.parts(table, 50, 0, val=0)
    assert ids(whole, "train") == ids(watched, "train", "val")
    assert ids(whole, "test") == ids(watched, "test")
    assert not ids(whole, "val")


@pytest.mark.tensorflow
def test_both_arms_have_one_recipe_and_the_weights_alone_differ(tmp_path):
    pytest.importorskip("keras")
    learnt = benchmark.models.compact(5, 32)
    learnt.save_weights(tmp_path / "a.weights.h5")
    start = benchmark.starting_from(tmp_path / "a.weights.h5")(3, 32)
    assert [v.shape for v in start.weights] == [
        v.shape for v in benchmark.models.compact(3, 32).weights
    ]
    pairs = list(zip(start.layers[:-1], learnt.layers[:-1], strict=True))
    assert all(
        np.array_equal(a, b)
        for s, t in pairs
        for a, b in zip(s.get_weights(), t.get_weights(), strict=True)
    )
    recipe = benchmark.fine_tuning(50)
    assert benchmark.fine_tuning(200).epochs < benchmark.fine_tuning(100).epochs < recipe.epochs
    assert (recipe.learning_rate, recipe.augment) == (
        benchmark.FINE_TUNING.learning_rate,
        benchmark.FINE_TUNING.augment,
    )


@pytest.mark.parametrize("n", [50, 100, 200])
def test_classes_keep_their_shares(table, n):
    part = benchmark.parts(table, n, 1)
    pool = part[part["split"] != "test"]["label"].value_counts(normalize=True)
    drawn = part[part["split"].isin(["train", "val"])]["label"].value_counts()
    assert all(abs(drawn[c] - n * pool[c]) <= 1 for c in CLASSES)
    assert set(part[part["split"] == "val"]["label"]) == set(CLASSES)


def test_images_are_drawn_group_by_group(table):
    """In the order of one class the images of a group stand next to each other."""
    drawn = table.loc[benchmark.order(table, 0)]
    for _, rows in drawn.groupby("label", observed=True):
        changes = (rows["group"] != rows["group"].shift()).sum()
        assert changes == rows["group"].nunique()


def test_the_split_depends_on_the_seed_and_not_on_the_order_of_the_rows(table):
    shuffled = table.sample(frac=1, random_state=5)
    for name in ("train", "val", "test"):
        assert ids(benchmark.parts(table, 50, 0), name) == ids(
            benchmark.parts(shuffled, 50, 0), name
        )
        assert ids(benchmark.parts(table, 50, 0), name) != ids(benchmark.parts(table, 50, 1), name)


def test_too_few_images_are_refused(table):
    with pytest.raises(ValueError, match="300 training images"):
        benchmark.parts(table, 300, 0)


# --- the comparison -------------------------------------------------------------------------------


def predictions(table, skill, seed):
    """Predictions for the test part of a seed that are right with the given chance."""
    rows = benchmark.parts(table, 50, seed)
    rows = rows[rows["split"] == "test"].reset_index(drop=True)
    rng = np.random.default_rng([seed, round(100 * skill)])
    truth = rows["label"].cat.codes.to_numpy()
    guess = np.where(rng.random(len(rows)) < skill, truth, rng.integers(0, 3, len(rows)))
    p = np.full((len(rows), 3), 0.2)
    p[np.arange(len(rows)), guess] = 0.6
    for k, name in enumerate(CLASSES):
        rows[f"p_{name}"] = p[:, k]
    return rows.assign(seed=seed, predicted=pd.Categorical.from_codes(guess, categories=CLASSES))


@pytest.fixture(scope="module")
def compared(table):
    arms = {"scratch": 0.5, "pretrained": 0.8}
    both = {
        arm: [predictions(table, skill, seed) for seed in range(4)] for arm, skill in arms.items()
    }
    return both, pd.DataFrame(pretraining_summary.compare(both)).set_index("metric")


def test_the_means_over_seeds_are_those_of_scikit_learn(compared):
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    both, rows = compared
    for arm, tables in both.items():
        p = [t[[f"p_{c}" for c in CLASSES]].to_numpy() for t in tables]
        codes = [t["label"].cat.codes for t in tables]
        found = {
            "f1_macro": [f1_score(t["label"], t["predicted"], average="macro") for t in tables],
            "accuracy": [accuracy_score(t["label"], t["predicted"]) for t in tables],
            "roc_auc_macro": [
                roc_auc_score(c, q, multi_class="ovr") for c, q in zip(codes, p, strict=True)
            ],
        }
        for metric, values in found.items():
            assert rows.loc[metric, arm] == pytest.approx(np.mean(values))
            assert rows.loc[metric, f"{arm}_sd"] == pytest.approx(np.std(values, ddof=1))


def test_a_plain_gain_is_found_and_none_where_the_arms_are_alike(compared):
    both, rows = compared
    gain = rows.loc["f1_macro"]
    assert gain["low"] > 0.1
    assert gain["low_seeds"] <= gain["difference"] <= gain["high_seeds"]
    assert gain["low"] < gain["difference"] < gain["high"]
    assert gain["seeds_better"] == gain["seeds"] == 4
    assert gain["groups"] == len(set().union(*(set(t["group"]) for t in both["scratch"])))
    same = pd.DataFrame(pretraining_summary.compare({"a": both["scratch"], "b": both["scratch"]}))
    assert (same[["difference", "low", "high", "seeds_better"]] == 0).all(axis=None)


def test_arms_scored_on_different_images_are_refused(compared):
    both, _ = compared
    with pytest.raises(ValueError, match="different images"):
        pretraining_summary.compare({"a": both["scratch"], "b": both["scratch"][::-1]})


# --- rows and the page of results -----------------------------------------------------------------


def test_rows_are_added_whole_and_a_repeated_run_is_replaced(tmp_path):
    path = tmp_path / "runs.csv"
    run = {"set": "E", "arm": "scratch", "n": 50, "seed": 0}
    for value in (0.1, 0.2):
        benchmark.append(path, run | {"f1_macro": value})
    benchmark.append(path, run | {"seed": 1, "f1_macro": 0.3})
    assert pd.read_csv(path)["f1_macro"].tolist() == [0.2, 0.3]
    assert [p.name for p in tmp_path.iterdir()] == ["runs.csv"]


def test_the_page_shows_the_rows_when_there_are_any(compared, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    assert results.phantom_pretraining(tmp_path) == ""
    rows = (
        compared[1]
        .reset_index()
        .assign(set="darkcovidnet", n=50, date="2000-01-01", command="python -m x")
    )
    rows.to_csv(tmp_path / "phantom_pretraining.csv", index=False)
    text = results.phantom_pretraining(tmp_path)
    gain = rows.set_index("metric").loc["f1_macro"]
    assert (
        f"| darkcovidnet | 50 | {gain['scratch']:.3f} | {gain['pretrained']:.3f} | "
        f"{gain['difference']:+.3f}" in text
    )
    assert "4 of 4" in text
