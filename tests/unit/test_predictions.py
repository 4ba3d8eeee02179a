"""The second table: built, checked with and without labels, taken apart in any order."""

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import calibrate, evaluate, predictions, uncertainty

P = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.25, 0.6, 0.15]])


def table(names=("normal", "covid", "viral"), **columns) -> pd.DataFrame:
    frame = pd.DataFrame({"image_id": ["c", "a", "b"], "group": ["y", "z", "x"]})
    frame["label"] = pd.Categorical(
        ["viral", "normal", "normal"], categories=["normal", "covid", "viral"]
    )
    frame = predictions.with_probabilities(frame, P, names)
    return frame.assign(predicted=["viral", "normal", "covid"], **columns)


def test_probabilities_come_by_name_in_the_order_asked_for():
    np.testing.assert_array_equal(predictions.probabilities(table()), P)
    np.testing.assert_array_equal(
        predictions.probabilities(table(), ["viral", "normal"]), P[:, [2, 0]]
    )
    assert predictions.classes(table()) == ["normal", "covid", "viral"]


def test_new_probabilities_stand_where_the_old_ones_did_and_a_new_class_at_the_end():
    before = table()
    after = predictions.with_probabilities(before, P[:, ::-1])
    assert list(after) == list(before)
    np.testing.assert_array_equal(predictions.probabilities(after), P[:, ::-1])
    np.testing.assert_array_equal(predictions.probabilities(before), P)
    wider = predictions.with_probabilities(before, np.zeros((3, 1)), ["other"])
    assert list(wider) == [*before, "p_other"]


def test_a_table_without_labels_is_checked_for_all_else():
    unlabelled = table().drop(columns="label")
    assert predictions.check(unlabelled, labelled=False) is unlabelled
    with pytest.raises(predictions.PredictionsError, match="no column label"):
        predictions.check(unlabelled)
    with pytest.raises(predictions.PredictionsError, match="do not sum to 1"):
        predictions.check(unlabelled.assign(p_viral=0.9), labelled=False)
    with pytest.raises(predictions.PredictionsError, match=r"predicted \['lung'\]"):
        predictions.check(unlabelled.assign(predicted="lung"), labelled=False)
    other = pd.concat([table(seed=0), table(seed=1).assign(label="covid")])
    predictions.check(other, labelled=False)
    with pytest.raises(predictions.PredictionsError, match="different labels"):
        predictions.check(other)


def test_what_needs_no_label_answers_for_images_nobody_has_labelled():
    unlabelled = table().drop(columns="label")
    cooled = calibrate.apply(unlabelled, 2.0)
    assert list(cooled) == list(unlabelled)
    np.testing.assert_allclose(
        predictions.probabilities(cooled), np.sqrt(P) / np.sqrt(P).sum(axis=1, keepdims=True)
    )
    sets = uncertainty.prediction_sets(cooled, 0.6)
    assert list(sets) == ["image_id", "group", "set_normal", "set_covid", "set_viral", "size"]
    labelled = uncertainty.prediction_sets(calibrate.apply(table(), 2.0), 0.6)
    pd.testing.assert_frame_equal(sets, labelled[list(sets)])
    with pytest.raises(predictions.PredictionsError, match="no column label"):
        evaluate.metrics(cooled)


def test_pairs_are_of_the_same_image_whatever_the_order_of_rows_and_classes():
    turned = table(["normal", "covid", "viral"]).iloc[[2, 0, 1]][
        ["image_id", "p_viral", "group", "label", "p_normal", "predicted", "p_covid"]
    ]
    first, second = predictions.paired(table(), turned)
    assert first.classes == second.classes == ("normal", "covid", "viral")
    assert first.image_id.tolist() == second.image_id.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(first.probability, second.probability)
    np.testing.assert_array_equal(first.probability[0], P[[1, 2, 0]])
    assert first.truth.tolist() == [0, 0, 2]
    with pytest.raises(predictions.PredictionsError, match="groups differ"):
        predictions.paired(table(), table().assign(group="x"))


def test_groups_are_numbered_by_their_names_whatever_the_order_of_rows_and_images():
    assert predictions.units(table()).tolist() == [1, 2, 0]
    assert predictions.units(table().drop(columns="group")).tolist() == [2, 0, 1]
    # "group x", "group y", "image a"
    assert predictions.units(table(group=["y", None, "x"])).tolist() == [1, 2, 0]
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(2), (2, 600))
    one = pd.DataFrame(
        {"image_id": [f"i{k:03d}" for k in range(600)], "group": [f"g{k // 2}" for k in range(600)]}
    )
    one["label"] = rng.choice(["ill", "well"], 600)
    one = one.assign(predicted=np.where(p[0, :, 0] > 0.5, "ill", "well"))
    a, b = (predictions.with_probabilities(one, each, ["ill", "well"]) for each in p)
    b = b.assign(predicted=np.where(p[1, :, 0] > 0.5, "ill", "well"))
    order = rng.permutation(600)
    renamed = [t.iloc[order].assign(image_id=[f"j{k:03d}" for k in range(600)]) for t in (a, b)]
    for metric in ("accuracy", "average_precision"):
        before, after = (evaluate.compare(*pair, metric, "ill") for pair in ((a, b), renamed))
        assert (after.p, after.groups) == (before.p, 300)
        assert (after.low, after.high) == pytest.approx((before.low, before.high), abs=1e-12)


def test_an_ensemble_averages_single_runs_in_the_order_of_the_first():
    other = predictions.with_probabilities(table(), P[:, ::-1]).iloc[[1, 2, 0]]
    mean = uncertainty.ensemble([table(), other])
    assert mean["image_id"].tolist() == ["c", "a", "b"]
    np.testing.assert_allclose(predictions.probabilities(mean), (P + P[:, ::-1]) / 2)
    several = pd.concat([table(seed=0), table(seed=1)])
    with pytest.raises(predictions.PredictionsError, match="needs one run"):
        uncertainty.ensemble([several, several])
