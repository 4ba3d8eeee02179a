"""Calibration is measured as scikit-learn measures it and repaired; thresholds are priced right."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from cxr_helpers import calibrate, evaluate, stats

NAMES = ["normal", "covid", "viral"]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def table(p, labels, group_size=1, **columns):
    """Predictions with probabilities (n, K) and true classes."""
    names = NAMES[: p.shape[1]]
    frame = pd.DataFrame(
        {"image_id": [f"i{i:06d}" for i in range(len(p))], "label": np.asarray(names)[labels]}
    )
    frame["group"] = [f"g{i // group_size}" for i in range(len(p))]
    frame["predicted"] = np.asarray(names)[p.argmax(1)]
    return frame.assign(**{f"p_{name}": p[:, k] for k, name in enumerate(names)}, **columns)


def drawn(seed=0, n=400, k=2, sharpness=1.0, **columns):
    """Predictions that were calibrated, then sharpened: p ∝ p^sharpness."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.2, (n, k))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (rng.random((n, 1)) > p.cumsum(1)[:, :-1]).sum(1)
    sharp = p**sharpness
    return table(sharp / sharp.sum(1, keepdims=True), labels, **columns)


def value(found, metric):
    return found.set_index("metric").loc[metric, "value"]


# --- temperature ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("sharpness", "k"), [(1.0, 2), (2.0, 2), (0.5, 3), (2.5, 3)])
def test_temperature_undoes_the_sharpening(sharpness, k):
    assert calibrate.temperature(drawn(1, 20_000, k, sharpness)) == pytest.approx(
        sharpness, rel=0.06
    )


def test_temperature_is_the_best_of_a_grid_and_of_scikit_learn():
    predictions = drawn(2, 300, 2, 1.7)
    found = calibrate.temperature(predictions)
    truth = predictions["label"] == "covid"
    loss = [
        sk.log_loss(truth, calibrate.apply(predictions, t)["p_covid"])
        for t in np.geomspace(0.3, 6, 200)
    ]
    assert sk.log_loss(truth, calibrate.apply(predictions, found)["p_covid"]) <= min(loss) + 1e-9


def test_apply_keeps_order_answer_and_columns():
    predictions = drawn(3, 200, 3, 2.0, source="A")
    cooler = calibrate.apply(predictions, 3.0)
    columns = ["p_normal", "p_covid", "p_viral"]
    np.testing.assert_allclose(cooler[columns].sum(axis=1), 1)
    assert (cooler[columns].to_numpy().argmax(1) == predictions[columns].to_numpy().argmax(1)).all()
    pd.testing.assert_frame_equal(cooler.drop(columns=columns), predictions.drop(columns=columns))
    pd.testing.assert_frame_equal(calibrate.apply(predictions, 1.0), predictions)
    assert cooler[columns].max(axis=1).mean() < predictions[columns].max(axis=1).mean()
    two = drawn(3, 200, 2, 2.0)
    assert (calibrate.apply(two, 3.0)["p_covid"].rank() == two["p_covid"].rank()).all()


def test_probabilities_of_zero_are_no_trouble():
    p = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.4, 0.6]])
    predictions = table(p, [0, 1, 1, 0])
    # a certain answer that is wrong: the cooler the better
    with pytest.warns(UserWarning, match="No temperature"):
        assert calibrate.temperature(predictions) > 19
    assert np.isfinite(calibrate.apply(predictions, 2.0)[["p_normal", "p_covid"]]).all(axis=None)
    assert np.isfinite(value(calibrate.scores(predictions, "covid"), "log_loss"))


def test_temperature_warns_on_test_rows_and_where_none_is_best():
    with pytest.warns(UserWarning, match="fit it on validation"):
        calibrate.temperature(drawn(4, split="test"))
    right = table(np.array([[0.9, 0.1], [0.2, 0.8]] * 5), [0, 1] * 5)
    with pytest.warns(UserWarning, match="No temperature"):
        assert calibrate.temperature(right) < 0.06
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibrate.temperature(drawn(4, split="val"))


@pytest.mark.parametrize("wrong", [0, -1, np.nan, np.inf])
def test_a_temperature_is_positive(wrong):
    with pytest.raises(ValueError, match="above 0"):
        calibrate.apply(drawn(), wrong)


# --- prevalence -----------------------------------------------------------------------------------


def test_predictive_values_are_those_of_the_course():
    found = calibrate.predictive_values(0.95, 0.95, [0.5, 0.1, 0.01])
    assert found["ppv"].round(2).tolist() == [0.95, 0.68, 0.16]
    # among 10 000 people, 100 ill: 95 found, 5 missed, 495 false alarms, 9405 left alone
    assert found["npv"].iloc[2] == pytest.approx(9405 / 9410)
    assert np.isnan(calibrate.predictive_values(0.0, 1.0, 0.5)["ppv"].item())
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        calibrate.predictive_values(0.9, 90, 0.1)


# --- reliability and scores -----------------------------------------------------------------------


@pytest.mark.parametrize("bins", [5, 10])
def test_reliability_is_scikit_learns_curve(bins):
    predictions = drawn(6, 500, 2, 2.0)
    found = calibrate.reliability(predictions, "covid", bins)
    observed, predicted = calibration_curve(
        predictions["label"] == "covid", predictions["p_covid"], n_bins=bins
    )
    np.testing.assert_allclose(found["observed"], observed)
    np.testing.assert_allclose(found["predicted"], predicted)
    assert found["n"].sum() == 500
    assert ((found["low"] <= found["observed"]) & (found["observed"] <= found["high"])).all()


def test_reliability_without_a_class_is_of_the_largest_probability():
    p = np.array([[0.6, 0.3, 0.1], [0.1, 0.62, 0.28], [0.0, 0.1, 0.9], [0.02, 0.08, 0.9]])
    found = calibrate.reliability(table(p, [0, 0, 2, 2]))
    assert found["n"].tolist() == [2, 2]
    np.testing.assert_allclose(found["predicted"], [0.61, 0.9])
    np.testing.assert_allclose(found["observed"], [0.5, 1.0])


def test_ends_fall_into_the_first_and_last_bin():
    found = calibrate.reliability(table(np.array([[1.0, 0.0], [0.0, 1.0]]), [0, 1]), "covid")
    assert found["bin_low"].tolist() == [0.0, 0.9]
    assert found["observed"].tolist() == [0.0, 1.0]


def test_scores_are_those_of_scikit_learn():
    predictions = drawn(7, 300, 2, 2.0)
    truth, p = predictions["label"] == "covid", predictions["p_covid"]
    found = calibrate.scores(predictions, "covid")
    assert value(found, "brier") == pytest.approx(sk.brier_score_loss(truth, p))
    assert value(found, "log_loss") == pytest.approx(sk.log_loss(truth, p))
    several = drawn(7, 300, 3, 2.0)
    found = calibrate.scores(several)
    every = several[["p_covid", "p_normal", "p_viral"]].to_numpy()
    assert value(found, "log_loss") == pytest.approx(sk.log_loss(several["label"], every))
    hit = np.column_stack([several["label"] == name for name in ("covid", "normal", "viral")])
    assert value(found, "brier") == pytest.approx(((every - hit) ** 2).sum(1).mean())


def test_ece_by_hand():
    # ten images at 0.95 of which eight are covid, ten at 0.05 of which none is: (0.15 + 0.05) / 2
    p = np.r_[np.full(10, 0.95), np.full(10, 0.05)]
    found = calibrate.scores(table(np.c_[1 - p, p], [1] * 8 + [0] * 12), "covid")
    assert value(found, "ece") == pytest.approx(0.10)


def test_bins_that_hold_nothing_do_not_count():
    p = np.full(10, 0.3)
    assert (
        value(calibrate.scores(table(np.c_[1 - p, p], [1] * 3 + [0] * 7), "covid", bins=100), "ece")
        < 1e-12
    )


def test_intervals_are_by_group():
    alone, grouped = drawn(8, 400), drawn(8, 400, group_size=1)
    grouped = pd.concat([grouped.assign(image_id=grouped["image_id"] + str(k)) for k in range(4)])
    one, four = (calibrate.scores(p, "covid").set_index("metric") for p in (alone, grouped))
    assert set(four["n"]) == {1600}
    assert set(four["groups"]) == {400}
    ends = ["low", "high"]
    for name in ("brier", "log_loss", "mean_calibration", "slope"):  # copies bring nothing
        np.testing.assert_allclose(
            one.loc[name, ends].astype(float), four.loc[name, ends].astype(float), rtol=1e-6
        )


@pytest.mark.slow
def test_intervals_cover():
    truth = calibrate.scores(drawn(0, 400_000, 2, 2.5), "covid").set_index("metric")["value"]
    held = []
    for seed in range(200):
        found = calibrate.scores(drawn(seed + 1, 200, 2, 2.5), "covid").set_index("metric")
        held.append((found["low"] <= truth) & (truth <= found["high"]))
    share = pd.DataFrame(held).mean()
    for name in ("brier", "log_loss", "mean_calibration", "slope"):
        assert 0.9 < share[name] < 0.99, name  # 200 studies: a standard error of 0.015


def test_ece_has_the_band_of_chance_in_place_of_an_interval():
    rows = [calibrate.scores(drawn(s, 150), "covid").iloc[0] for s in range(40)]
    assert 0.04 < np.mean([row["value"] for row in rows]) < 0.12  # of a perfectly calibrated model
    assert np.isnan([row["low"] for row in rows]).all()
    inside = [row["chance_low"] <= row["value"] <= row["chance_high"] for row in rows]
    assert np.mean(inside) > 0.85
    off = calibrate.scores(drawn(0, 150, sharpness=6), "covid").iloc[0]
    assert off["value"] > off["chance_high"]


def test_slope_and_mean_calibration_are_those_of_a_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    p = drawn(3, 300, 2, 2.0)
    found = calibrate.scores(p, "covid").set_index("metric")
    logit = np.log(p["p_covid"] / (1 - p["p_covid"])).to_numpy()[:, None]
    fitted = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(logit, p["label"] == "covid")
    assert found.loc["slope", "value"] == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert found.loc["slope", "high"] < 1  # too sure of itself
    gap = (p["label"] == "covid").mean() - p["p_covid"].mean()
    assert found.loc["mean_calibration", "value"] == pytest.approx(gap)


def test_a_slope_that_cannot_be_fitted_is_undefined_and_says_why():
    p = np.r_[np.full(10, 0.9), np.full(10, 0.1)]
    separated = calibrate.scores(table(np.c_[1 - p, p], [1] * 10 + [0] * 10), "covid").set_index(
        "metric"
    )
    assert np.isnan(separated.loc["slope", "value"])
    assert "separate" in separated.loc["slope", "method"]


# --- decision curve -------------------------------------------------------------------------------


# --- wrong input ----------------------------------------------------------------------------------


def test_wrong_input_is_named():
    twice = pd.concat([drawn(seed=0).assign(seed=0), drawn(seed=0).assign(seed=1)])
    with pytest.raises(evaluate.PredictionsError, match="seeds"):
        calibrate.scores(twice, "covid")
    with pytest.raises(evaluate.PredictionsError, match="No class 'flu'"):
        calibrate.reliability(drawn(), "flu")
    with pytest.raises(ValueError, match="bins"):
        calibrate.reliability(drawn(), "covid", bins=0)
    with pytest.raises(ValueError, match="level"):
        calibrate.scores(drawn(), "covid", level=95)


# --- by hand, at a limit and just beyond it -------------------------------------------------------


def binary(p, hits, group=None):
    """Two classes: probabilities of covid, whether it is covid, and the patients."""
    p = np.asarray(p, float)
    found = table(np.c_[1 - p, p], np.asarray(hits, int))
    return found if group is None else found.assign(group=list(group))


def test_a_temperature_by_hand():
    # always 0.8, right in 7 of 10: best is the T that makes 0.7 of it
    predictions = binary([0.8] * 10, [1] * 7 + [0] * 3)
    found = calibrate.temperature(predictions)
    assert found == pytest.approx(np.log(0.8 / 0.2) / np.log(0.7 / 0.3), rel=1e-5)
    assert calibrate.apply(predictions, found)["p_covid"].tolist() == pytest.approx(
        [0.7] * 10, rel=1e-5
    )
    p = table(np.array([[0.5, 0.3, 0.2]]), [0])
    halved = calibrate.apply(p, 0.5)[["p_normal", "p_covid", "p_viral"]].to_numpy()
    assert halved[0] == pytest.approx(np.array([25, 9, 4]) / 38)
    assert calibrate.apply(binary([1, 0.6], [1, 0]), 0.01)["p_covid"].tolist() == pytest.approx(
        [1, 1]
    )


@pytest.mark.parametrize(
    ("p", "right", "best", "at_end"),
    [
        (0.9, 0.5289, 18.98, False),
        (0.9, 0.5001, 20, True),
        (0.52, 0.8191, 0.053, False),
        (0.52, 0.9, 0.05, True),
    ],
)
def test_a_temperature_at_the_end_of_the_range_is_said_where_the_reader_called(
    p, right, best, at_end
):
    n = 10_000
    predictions = binary([p] * n, np.arange(n) < right * n)  # the best T is logit(p) / logit(right)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = calibrate.temperature(predictions.assign(split="test"))
    assert [("No temperature" in str(one.message)) for one in said] == [False] + [True] * at_end
    assert all(one.filename == __file__ for one in said)
    assert found == pytest.approx(best, rel=1e-3)


def test_a_reliability_table_by_hand():
    p = binary([0.05, 0.1, 0.19, 0.85, 0.99, 1.0], [0, 0, 1, 1, 1, 1], "aabbcd")
    found = calibrate.reliability(p, "covid", 10, 0.9)
    assert found[["bin_low", "bin_high"]].to_numpy().tolist() == [
        [0, 0.1],
        [0.1, 0.2],
        [0.8, 0.9],
        [0.9, 1],
    ]
    assert found["predicted"].tolist() == pytest.approx([0.05, 0.145, 0.85, 0.995])
    assert found["observed"].tolist() == [0, 0.5, 1, 1]
    assert found[["n", "groups", "support"]].to_numpy().tolist() == [
        [1, 1, 1],
        [2, 2, 2],
        [1, 1, 1],
        [2, 2, 2],
    ]
    expected = stats.proportion([False, True], level=0.9)
    assert found.loc[1, ["low", "high"]].tolist() == [expected.low, expected.high]
    one = calibrate.reliability(p, "covid", 1)
    assert one[["bin_low", "bin_high", "n", "groups"]].to_numpy().tolist() == [[0, 1, 6, 4]]
    expected = stats.proportion([0, 0, 1, 1, 1, 1], list("aabbcd"))
    assert one.loc[0, ["low", "high"]].tolist() == [expected.low, expected.high]
    with pytest.raises(ValueError, match="bins must be at least 1"):
        calibrate.reliability(p, "covid", 0)


def test_scores_by_hand():
    p, hits, group = (
        np.array([0.1, 0.2, 0.4, 0.7, 0.8, 0.9]),
        np.array([0, 1, 0, 1, 0, 1]),
        list("aabbcd"),
    )
    found = calibrate.scores(binary(p, hits, group), "covid", 5, 0.9).set_index("metric")
    assert found.index.tolist() == ["ece", "brier", "log_loss", "mean_calibration", "slope"]
    losses = -np.log(np.where(hits, p, 1 - p))
    # bins of a fifth: 0.1 | 0.2 | 0.4 | 0.7 | 0.8 and 0.9
    assert found.loc["ece", "value"] == pytest.approx((0.1 + 0.8 + 0.4 + 0.3 + 0.7) / 6)
    expected = {
        "brier": stats.loss((p - hits) ** 2, group, 0.9, most=1),
        "log_loss": stats.loss(losses, group, 0.9),
        "mean_calibration": stats.mean(hits - p, group, 0.9),
    }
    for name, estimate in expected.items():
        row = found.loc[name]
        assert row[["value", "low", "high"]].tolist() == pytest.approx(
            [estimate.value, estimate.low, estimate.high]
        )
        assert (row["support"], row["method"]) == (pytest.approx(estimate.support), estimate.method)
    assert (found[["n", "groups", "bins"]] == [6, 4, 5]).all(axis=None)
    assert found.loc["ece", "support"] == 4
    assert found.loc["ece", "method"].startswith("no interval")
    assert found.drop(index="ece")[["chance_low", "chance_high"]].isna().all(axis=None)
    several = calibrate.scores(
        table(np.array([[0.6, 0.3, 0.1], [0.5, 0.2, 0.3]]), [0, 2])
    ).set_index("metric")
    assert several.loc["brier", "value"] == pytest.approx(
        (0.16 + 0.09 + 0.01 + 0.25 + 0.04 + 0.49) / 2
    )
    assert several.loc["log_loss", "value"] == pytest.approx(-(np.log(0.6) + np.log(0.3)) / 2)
    assert several.loc["mean_calibration", "value"] == pytest.approx(0.5 - 0.55)


def test_probabilities_that_rounding_has_moved_past_1_are_scored():
    p = binary([1.0005, 0.9995, -0.0005, 0.3], [1, 1, 0, 0])
    found = calibrate.scores(p, "covid").set_index("metric")["value"]
    assert found["log_loss"] == pytest.approx((-np.log(0.9995) - np.log(0.7)) / 4)
    assert calibrate.reliability(p, "covid")["bin_low"].tolist() == [0, 0.3, 0.9]
    assert calibrate.apply(p, 2.0)["p_covid"].between(0, 1).all()


def test_a_brier_score_is_at_most_1_for_one_class_and_2_for_all():
    p = [0.001, 0.4, 0.001, 0.001]
    one = calibrate.scores(binary(p, [1, 1, 1, 0]), "covid").set_index("metric").loc["brier"]
    every = calibrate.scores(binary(p, [1, 1, 1, 0])).set_index("metric").loc["brier"]
    assert (one["high"], every["high"]) == (1, 2)
    assert every["value"] == pytest.approx(2 * one["value"])


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_the_band_of_chance_is_that_of_answers_drawn_with_these_probabilities(level):
    p = drawn(1, 60)
    found = calibrate.scores(p, "covid", 10, level).iloc[0]
    rng = np.random.default_rng(0)
    score = p["p_covid"].to_numpy()
    bins = np.minimum((score * 10).astype(int), 9)
    errors = []
    for _ in range(1000):
        answers = rng.random(60) < score
        errors.append(sum(abs((answers - score)[bins == k].sum()) for k in range(10)) / 60)
    band = np.quantile(errors, [0.5 - level / 2, 0.5 + level / 2])
    assert found[["chance_low", "chance_high"]].tolist() == pytest.approx(band.tolist())


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_a_slope_and_its_interval_written_out(level):
    from scipy.optimize import minimize

    p = drawn(4, 90, sharpness=2.0, group_size=1)
    p = p.assign(group=[f"g{i // 3}" for i in range(90)])
    true, x = (
        (p["label"] == "covid").to_numpy(float),
        np.log(p["p_covid"] / (1 - p["p_covid"])).to_numpy(),
    )
    design = np.c_[np.ones(90), x]
    beta = minimize(
        lambda b: np.logaddexp(0, design @ b).sum() - true @ design @ b, [0, 0], tol=1e-12
    ).x
    fitted = sigmoid(design @ beta)
    information = design.T @ (design * (fitted * (1 - fitted))[:, None])
    pull = (design * (true - fitted)[:, None]).reshape(30, 3, 2).sum(axis=1)
    without = beta[1] - np.array([np.linalg.solve(information, one)[1] for one in pull])
    expected = stats.centred(beta[1], without, 90, 30, level=level)
    found = calibrate.scores(p, "covid", level=level).set_index("metric").loc["slope"]
    assert found[["value", "low", "high"]].tolist() == pytest.approx(
        [expected.value, expected.low, expected.high], abs=1e-5
    )
    assert (found["support"], found["n"]) == (30, 90)


def test_a_slope_needs_two_outcomes_and_two_probabilities():
    p = [0.2, 0.4, 0.6, 0.8, 0.7, 0.3]
    for predictions in (binary(p, [1] * 6), binary(p, [0] * 6), binary([0.3] * 6, [1, 0] * 3)):
        found = calibrate.scores(predictions, "covid").set_index("metric").loc["slope"]
        assert found["method"] == "undefined: only one outcome or one probability"
        assert np.isnan(found[["value", "low", "high"]].to_numpy(float)).all()
        assert (found["n"], found["groups"], found["support"]) == (6, 6, 6)
    sure = binary([0.0, 1.0, 0.0, 1.0, 0.5, 0.5], [0, 1, 1, 0, 1, 0])
    assert np.isfinite(calibrate.scores(sure, "covid").set_index("metric").loc["slope", "value"])


def test_a_logistic_regression_by_hand():
    # one half and three quarters: intercept 0, slope log 3
    x = np.array([[1.0, 0], [1, 0], [1, 1], [1, 1], [1, 1], [1, 1]])
    true = np.array([0.0, 1, 0, 1, 1, 1])
    beta, fitted, information = calibrate._logistic(x, true)
    assert beta == pytest.approx([0, np.log(3)])
    assert fitted == pytest.approx([0.5, 0.5, 0.75, 0.75, 0.75, 0.75])
    assert information == pytest.approx(np.array([[0.5 + 0.75, 0.75], [0.75, 0.75]]))
    assert calibrate._logistic(x, x[:, 1]) is None


def test_a_logistic_regression_that_has_a_maximum_is_fitted_however_far_it_starts():
    # the steps of Newton alone go too far here
    x = np.r_[np.full(300, -9.0), np.full(300, 9.0), 30, -30]
    true = np.r_[np.zeros(300), np.ones(300), 0, 1]
    beta, fitted, _ = calibrate._logistic(np.c_[np.ones(602), x], true)
    assert fitted.sum() == pytest.approx(true.sum())
    assert x @ fitted == pytest.approx(x @ true)
    assert beta[0] == pytest.approx(0, abs=1e-9)


def test_predictive_values_at_the_ends():
    found = calibrate.predictive_values([0, 1, 1, 0.5], [1, 0, 1, 0.8], [0.5, 0.5, 1, 0.25])
    np.testing.assert_allclose(found["ppv"], [np.nan, 0.5, 1, 0.125 / (0.125 + 0.15)])
    np.testing.assert_allclose(found["npv"], [0.5, np.nan, np.nan, 0.6 / (0.6 + 0.125)])
    assert found["prevalence"].tolist() == [0.5, 0.5, 1, 0.25]
    for wrong in ((-0.01, 0.5, 0.5), (0.5, 1.01, 0.5), (0.5, 0.5, 2)):
        with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
            calibrate.predictive_values(*wrong)
