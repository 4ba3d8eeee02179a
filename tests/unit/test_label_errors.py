"""The benchmark of wrong labels: what is made wrong, and what ten lines find of it."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import label_errors
from cxr_helpers import measured


@pytest.fixture(scope="module")
def plan():
    rng = np.random.default_rng(3)
    label = np.repeat(["normal", "covid"], 150)
    site = np.tile(["A", "A", "A", "A", "C"], 60)
    return pd.DataFrame({"label": label, "site": site, "severity": rng.random(300)})


def test_each_world_makes_thirty_labels_wrong(plan):
    found = label_errors.worlds(plan, seed=0)
    ill = (plan["label"] == "covid").to_numpy()
    counts = {name: int(wrong.sum()) for name, wrong in found.items()}
    assert list(counts.values()) == [0, 30, 30, 30, 30]
    both, one, faintest, hospital = list(found.values())[1:]
    assert (both & ill).sum() == 15
    assert not (one & ~ill).any()
    assert plan.loc[faintest, "severity"].max() <= plan.loc[ill & ~faintest, "severity"].min()
    assert not (faintest & ~ill).any()
    assert (hospital == (ill & (plan["site"] == "C"))).all()


def features(plan: pd.DataFrame) -> np.ndarray:
    """Two numbers that show the disease, two that show the hospital."""
    rng = np.random.default_rng(0)
    ill = (plan["label"] == "covid").to_numpy()[:, None]
    away = (plan["site"] == "C").to_numpy()[:, None]
    return np.hstack([3 * ill, 3 * ill, 6 * away, 6 * away * ill]) + rng.normal(size=(300, 4))


def test_random_errors_are_found_and_those_of_a_hospital_are_not(plan):
    truth = (plan["label"] == "covid").to_numpy().astype(int)
    wrong = label_errors.worlds(plan, seed=0)
    share = {}
    for name in ("at random, in both classes", "one hospital calls its COVID-19 normal"):
        given = np.where(wrong[name], 1 - truth, truth)
        _, suspected = label_errors.suspects(features(plan), given, seed=0)
        share[name] = suspected[wrong[name]].mean()
    assert share["at random, in both classes"] > 0.6
    assert share["one hospital calls its COVID-19 normal"] < 0.2


def test_the_table_gives_mean_interval_and_range_of_each_figure():
    runs = [
        {"world": "a", "wrong": 30, "found": k, "false_alarms": 4, "in_first": 9}
        | {"auc": 0.9, "accuracy_given": 0.7, "accuracy_true": 0.8}
        for k in (10, 20)
    ]
    row = label_errors.table(runs, "python -m x").iloc[0]
    assert (row["found"], row["found_lowest"], row["found_highest"]) == (15, 10, 20)
    assert row["found_low"] == 0  # the interval of two seeds reaches below nothing
    assert (row["auc_low"], row["auc"], row["auc_high"], row["seeds"]) == (0.9, 0.9, 0.9, 2)


def test_the_committed_table_says_what_the_lesson_says():
    known = measured.read("label_errors").set_index("world")
    random, rules = known.iloc[1:3], known.iloc[3:]
    assert (random["found_low"] > 0.4 * random["wrong"]).all()
    assert (rules["found_high"] < 0.15 * rules["wrong"]).all()
    assert (rules["accuracy_given_low"] > rules["accuracy_true_high"]).all()
    assert (random["accuracy_given_high"] < random["accuracy_true_low"] + 0.01).all()
