"""Figures are those of scikit-learn and SciPy; intervals cover; faults are named."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from cxr_helpers import evaluate, predictions, stats
from cxr_helpers.evaluate import figures

CLASSES = ["normal", "covid", "viral"]
EFFECTIVE = "Wilson, effective size, t"


def random_predictions(seed, n=60, classes=CLASSES, group_size=1, runs=1, skill=1.0, present=None):
    """Predictions with scores on a coarse grid, so that ties occur."""
    rng = np.random.default_rng(seed)
    present = classes if present is None else present
    label = rng.choice(present, n)
    tables = []
    for run in range(runs):
        score = rng.integers(1, 5, (n, len(classes))) + skill * (
            label[:, None] == np.array(classes)
        ) * rng.random((n, 1))
        score = np.round(score)
        p = score / score.sum(1, keepdims=True)
        frame = pd.DataFrame({"image_id": [f"i{i:04d}" for i in range(n)]})
        frame["group"] = pd.array([f"g{i // group_size}" for i in range(n)], dtype="string")
        frame["label"] = pd.Categorical(label, categories=classes)
        frame["model"], frame["seed"] = "drawn", run
        for k, name in enumerate(classes):
            frame[f"p_{name}"] = p[:, k]
        frame["predicted"] = pd.Categorical(np.array(classes)[p.argmax(1)], categories=classes)
        tables.append(frame)
    return pd.concat(tables, ignore_index=True)


def from_answers(label, predicted, classes, group=None):
    """Predictions with probability 1 for each answer."""
    frame = pd.DataFrame(
        {"image_id": [f"i{i:04d}" for i in range(len(label))], "label": list(label)}
    )
    frame["group"] = pd.NA if group is None else list(group)
    for name in classes:
        frame[f"p_{name}"] = [float(answer == name) for answer in predicted]
    frame["predicted"] = list(predicted)
    return frame


def value(found, metric, name="all"):
    return found.loc[(found["metric"] == metric) & (found["class"] == name), "value"].item()


# --- values ---------------------------------------------------------------------------------------


def exactly(number):
    return pytest.approx(number, rel=0, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_values_are_those_of_scikit_learn(seed):
    p = random_predictions(seed, n=20 + 7 * seed)
    found = evaluate.metrics(p)
    y, guess = p["label"].astype(str), p["predicted"].astype(str)
    assert value(found, "accuracy") == exactly(sk.accuracy_score(y, guess))
    assert value(found, "balanced_accuracy") == exactly(sk.balanced_accuracy_score(y, guess))
    assert value(found, "f1_macro") == exactly(sk.f1_score(y, guess, average="macro"))
    assert value(found, "f1_weighted") == exactly(sk.f1_score(y, guess, average="weighted"))
    p_matrix = p[[f"p_{c}" for c in sorted(CLASSES)]].to_numpy()
    assert value(found, "roc_auc_macro") == exactly(
        sk.roc_auc_score(y, p_matrix, multi_class="ovr")
    )
    precisions = []
    for c in CLASSES:
        truth, score = y == c, p[f"p_{c}"]
        assert value(found, "sensitivity", c) == exactly(sk.recall_score(truth, guess == c))
        assert value(found, "specificity", c) == exactly(sk.recall_score(~truth, guess != c))
        assert value(found, "ppv", c) == exactly(sk.precision_score(truth, guess == c))
        assert value(found, "npv", c) == exactly(sk.precision_score(~truth, guess != c))
        assert value(found, "f1", c) == exactly(sk.f1_score(truth, guess == c))
        assert value(found, "roc_auc", c) == exactly(sk.roc_auc_score(truth, score))
        precisions.append(sk.average_precision_score(truth, score))
        assert value(found, "average_precision", c) == exactly(precisions[-1])
    assert value(found, "average_precision_macro") == exactly(np.mean(precisions))


def test_only_the_metrics_that_are_named_are_given():
    p = random_predictions(3)
    every = evaluate.metrics(p).set_index(["metric", "class"])
    found = evaluate.metrics(p, names=["roc_auc", "accuracy"]).set_index(["metric", "class"])
    assert found.index.tolist() == [("accuracy", "all"), *[("roc_auc", c) for c in CLASSES]]
    pd.testing.assert_frame_equal(found, every.loc[found.index])
    with pytest.raises(ValueError, match=r"Unknown metrics \['auc'\]"):
        evaluate.metrics(p, names=["auc"])


def test_row_order_changes_nothing():
    p = random_predictions(0, group_size=2, runs=2)
    shuffled = p.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(evaluate.metrics(p), evaluate.metrics(shuffled))


def test_two_classes_share_one_area_under_the_curve():
    p = random_predictions(1, classes=["normal", "covid"])
    found = evaluate.metrics(p)
    assert value(found, "roc_auc", "covid") == pytest.approx(value(found, "roc_auc", "normal"))
    assert value(found, "sensitivity", "covid") == pytest.approx(
        value(found, "specificity", "normal")
    )


def test_macro_and_weighted_f1_differ_under_imbalance():
    label = ["normal"] * 90 + ["covid"] * 10
    p = from_answers(label, ["normal"] * 100, ["normal", "covid"])
    found = evaluate.metrics(p)
    assert value(found, "accuracy") == 0.9
    assert value(found, "f1_macro") == pytest.approx(0.5 * 2 * 0.9 / 1.9)
    assert value(found, "f1_weighted") == pytest.approx(0.9 * 2 * 0.9 / 1.9)
    assert value(found, "balanced_accuracy") == 0.5


def test_confusion_counts_true_in_rows():
    p = from_answers(
        ["normal", "normal", "covid"], ["covid", "normal", "covid"], ["normal", "covid"]
    )
    matrix = evaluate.confusion(p)
    assert matrix.loc["normal", "covid"] == 1
    assert matrix.loc["covid", "normal"] == 0
    assert (matrix.index.name, matrix.columns.name) == ("true", "predicted")
    assert matrix.to_numpy().sum() == 3


# --- intervals ------------------------------------------------------------------------------------


def test_wilson_known_values():
    low, high = evaluate.wilson(60, 66)
    assert (round(low, 3), round(high, 3)) == (0.816, 0.958)
    low, high = evaluate.wilson(round(0.90 * 66), 66)
    assert (round(low, 2), round(high, 2)) == (0.80, 0.95)
    # At k = n the closed form is n / (n + z²) to 1.
    low, high = evaluate.wilson(20, 20)
    assert low == pytest.approx(20 / (20 + 1.959964**2), abs=1e-6)
    assert high == pytest.approx(1)
    assert np.isnan(evaluate.wilson(0, 0)).all()


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(k, n):
    with pytest.raises(ValueError, match="between 0 and n"):
        evaluate.wilson(k, n)


def test_level_is_a_fraction():
    with pytest.raises(ValueError, match="fraction"):
        evaluate.metric(random_predictions(0), "accuracy", level=95)


def test_wilson_for_single_images_else_an_effective_size():
    single = evaluate.metrics(random_predictions(0)).set_index(["metric", "class"])
    grouped = evaluate.metrics(random_predictions(0, group_size=3)).set_index(["metric", "class"])
    for name in ("accuracy", "f1_macro"):
        assert single.loc[(name, "all"), "value"] == grouped.loc[(name, "all"), "value"]
    assert single.loc[("accuracy", "all"), "method"] == "Wilson"
    assert single.loc[("sensitivity", "covid"), "method"] == "Wilson"
    assert single.loc[("f1_macro", "all"), "method"] == EFFECTIVE
    assert grouped.loc[("accuracy", "all"), "method"] == EFFECTIVE
    assert grouped.loc[("accuracy", "all"), "groups"] == 20
    row = single.loc[("accuracy", "all")]
    assert (row["low"], row["high"]) == evaluate.wilson(round(row["value"] * 60), 60)


def test_n_is_the_number_of_images_that_the_figure_rests_on():
    p = random_predictions(0, group_size=3)
    found = evaluate.metrics(p).set_index(["metric", "class"])
    covid = p["label"] == "covid"
    assert found.loc[("sensitivity", "covid"), "n"] == covid.sum()
    assert found.loc[("sensitivity", "covid"), "groups"] == p.loc[covid, "group"].nunique()
    assert found.loc[("specificity", "covid"), "n"] == (~covid).sum()
    assert found.loc[("ppv", "covid"), "n"] == (p["predicted"] == "covid").sum()
    assert found.loc[("roc_auc", "covid"), "n"] == 60


def test_missing_group_is_the_image_itself():
    p = random_predictions(0)
    p["group"] = pd.NA
    assert evaluate.metric(p, "accuracy").groups == 60
    p.loc[:9, "group"] = "one patient"
    assert evaluate.metric(p, "accuracy").groups == 51
    assert evaluate.metric(p.drop(columns="group"), "accuracy").groups == 60


def test_all_metrics_of_a_set_of_317_take_seconds():
    p = random_predictions(0, n=317, group_size=2)
    start = time.perf_counter()
    evaluate.metrics(p)
    assert time.perf_counter() - start < 5


# --- seeds ----------------------------------------------------------------------------------------


def test_repeated_seeds_are_averaged_and_images_counted_once():
    p = random_predictions(2, runs=3)
    found = evaluate.metric(p, "roc_auc", "covid")
    single = [evaluate.metric(rows, "roc_auc", "covid").value for _, rows in p.groupby("seed")]
    assert found.value == pytest.approx(np.mean(single))
    assert (found.n, found.groups) == (60, 60)
    assert evaluate.metric(p, "accuracy").method == EFFECTIVE


def test_seeds_must_score_the_same_images():
    p = random_predictions(2, runs=2).iloc[:-1]
    with pytest.raises(evaluate.PredictionsError, match="same 60 images"):
        evaluate.metrics(p)


def test_a_curve_needs_one_seed():
    p = random_predictions(2, runs=2)
    for draw in (
        evaluate.confusion,
        lambda x: evaluate.roc(x, "covid"),
        lambda x: evaluate.operating_point(x, "covid"),
    ):
        with pytest.raises(evaluate.PredictionsError, match="choose one"):
            draw(p)


# --- edges ----------------------------------------------------------------------------------------


def test_perfect_answers_still_have_an_uncertain_accuracy():
    label = ["normal", "covid"] * 15
    single = evaluate.metric(from_answers(label, label, ["normal", "covid"]), "accuracy")
    assert (single.value, single.method) == (1.0, "Wilson")
    assert single.low == pytest.approx(evaluate.wilson(30, 30)[0])
    grouped = from_answers(
        label, label, ["normal", "covid"], group=np.repeat(np.arange(10), 3).astype(str)
    )
    found = evaluate.metric(grouped, "accuracy")
    t = 2.2621571628  # of nine degrees, 95 %
    assert found.low == pytest.approx(10 / (10 + t**2))
    assert (found.high, found.support) == (1, 10)
    assert str(evaluate.metric(grouped, "f1_macro")) == "1.000 (0.66-1.00, n = 30 in 10 groups)"


def test_a_perfect_area_rests_on_the_scarcer_side():
    label = ["covid"] * 3 + ["normal"] * 37
    found = evaluate.metric(from_answers(label, label, ["normal", "covid"]), "roc_auc", "covid")
    t = 4.3026527297  # of two degrees, 95 %
    assert (found.value, found.support, found.high) == (1, 3, 1)
    assert found.low == pytest.approx(3 / (3 + t**2))
    few = ["covid"] * 2 + ["normal"] * 38
    none = evaluate.metric(from_answers(few, few, ["normal", "covid"]), "roc_auc", "covid")
    assert np.isnan(none.low)
    assert "2 group(s) on the scarcer side" in none.method
    assert str(none) == "1.000 (no interval, n = 40)"


def test_absent_class_is_undefined_without_a_warning():
    p = random_predictions(0, present=["normal", "covid"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate.metrics(p).set_index(["metric", "class"])
    for name in ("sensitivity", "roc_auc", "average_precision"):
        row = found.loc[(name, "viral")]
        assert np.isnan(row[["value", "low", "high"]].to_numpy(float)).all()
        assert row["method"] == "undefined"
    assert found.loc[("sensitivity", "viral"), "n"] == 0
    mean = found.loc[[("roc_auc", "normal"), ("roc_auc", "covid")], "value"].mean()
    assert found.loc[("roc_auc_macro", "all"), "value"] == pytest.approx(mean)


def test_one_class_only():
    p = random_predictions(0, present=["covid"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate.metrics(p)
    assert np.isnan(value(found, "roc_auc_macro"))
    assert value(found, "accuracy") == value(found, "sensitivity", "covid")
    assert str(evaluate.metric(p, "roc_auc", "covid")) == "undefined (n = 60)"
    with pytest.raises(evaluate.PredictionsError, match="with and without 'covid'"):
        evaluate.roc(p, "covid")


def test_one_image():
    found = evaluate.metric(random_predictions(0, n=1), "accuracy")
    assert found.n == 1
    assert found.high - found.low > 0.5


def faulty(change):
    p = random_predictions(0)
    return change(p)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.drop(columns="label"), "no column label"),
        (lambda p: p.drop(columns=["p_covid", "p_viral"]), "at least two"),
        (lambda p: p.iloc[:0], "no row"),
        (
            lambda p: p.assign(p_covid=p["p_covid"] + 0.1, p_viral=p["p_viral"] / 2),
            "do not sum to 1",
        ),
        (lambda p: p.assign(p_covid=-3.0), "logits"),
        (lambda p: p.assign(p_covid=np.nan), "logits"),
        (lambda p: p.assign(label="effusion"), "label.*effusion"),
        (lambda p: p.assign(label=pd.NA), "label.*NA"),
        (lambda p: p.assign(predicted="pneumonia"), "predicted.*pneumonia"),
        (lambda p: pd.concat([p, p.iloc[:1]]), "same image twice.*i0000"),
        (lambda p: p.assign(model=["a", "b"] * 30), "several models"),
    ],
)
def test_faults_are_named(change, message):
    with pytest.raises(evaluate.PredictionsError, match=message):
        predictions.check(faulty(change))


def test_label_must_not_depend_on_the_seed():
    p = random_predictions(0, runs=2)
    p["label"] = p["label"].astype(str)
    p.loc[0, "label"] = "covid" if p.loc[0, "label"] != "covid" else "viral"
    with pytest.raises(evaluate.PredictionsError, match="different labels"):
        predictions.check(p)


def test_rounding_to_three_decimals_is_tolerated():
    p = random_predictions(0)
    rounded = p.assign(**{f"p_{c}": p[f"p_{c}"].round(3) for c in CLASSES})
    assert predictions.check(rounded) is rounded


def test_unknown_metric_and_missing_class_are_explained():
    with pytest.raises(ValueError, match="Unknown metric 'recall'"):
        evaluate.metric(random_predictions(0), "recall")
    with pytest.raises(ValueError, match="pass positive="):
        evaluate.metric(random_predictions(0), "sensitivity")


# --- curves and thresholds ------------------------------------------------------------------------


def test_roc_area_is_the_metric():
    p = random_predictions(4)
    curve = evaluate.roc(p, "covid")
    area = np.trapezoid(curve["sensitivity"], 1 - curve["specificity"])
    assert area == pytest.approx(evaluate.metric(p, "roc_auc", "covid").value)
    for row in curve.itertuples():
        called = p["p_covid"] >= row.threshold
        assert row.sensitivity == pytest.approx(called[p["label"] == "covid"].mean())
        assert row.specificity == pytest.approx((~called)[p["label"] != "covid"].mean())


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95, 1.0])
def test_operating_point_is_the_largest_threshold_that_reaches_the_target(target):
    p = random_predictions(6, n=200)
    threshold = evaluate.operating_point(p, "covid", target)
    score = p.loc[p["label"] == "covid", "p_covid"]
    assert (score >= threshold).mean() >= target
    higher = p.loc[p["p_covid"] > threshold, "p_covid"]
    assert higher.empty or (score >= higher.min()).mean() < target
    at = evaluate.at_threshold(p, "covid", threshold).set_index("metric")
    assert at.loc["sensitivity", "value"] == pytest.approx((score >= threshold).mean())


def test_threshold_on_test_images_warns_and_on_validation_does_not():
    p = random_predictions(6)
    with pytest.warns(UserWarning, match="choose it on validation"):
        evaluate.operating_point(p.assign(split="test"), "covid")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate.operating_point(p.assign(split="val"), "covid")
    with pytest.raises(ValueError, match="sensitivity"):
        evaluate.operating_point(p, "covid", 95)


def test_at_threshold_has_wilson_intervals_and_n():
    p = random_predictions(6, n=100)
    at = evaluate.at_threshold(p, "covid", 0.5).set_index("metric")
    assert list(at.index) == ["sensitivity", "specificity", "ppv", "npv"]
    called, truth = p["p_covid"] >= 0.5, p["label"] == "covid"
    assert at.loc["specificity", "value"] == pytest.approx((~called[~truth]).mean())
    assert at.loc["specificity", "n"] == (~truth).sum()
    assert (at["method"] == "Wilson").all()
    assert at.loc["ppv", "low"] == pytest.approx(
        evaluate.wilson((called & truth).sum(), called.sum())[0]
    )
    everything = evaluate.at_threshold(p, "covid", 0.0).set_index("metric")
    assert everything.loc["sensitivity", "value"] == 1
    assert np.isnan(everything.loc["npv", "value"])


def test_one_versus_rest_keeps_the_other_name_of_two():
    two = evaluate.one_versus_rest(random_predictions(0, classes=["normal", "covid"]), "covid", 0.3)
    assert evaluate.classes(two) == ["normal", "covid"]
    three = evaluate.one_versus_rest(random_predictions(0), "covid", 0.3)
    assert evaluate.classes(three) == ["rest", "covid"]
    predictions.check(three)
    with pytest.raises(evaluate.PredictionsError, match="No class 'lung'"):
        evaluate.one_versus_rest(random_predictions(0), "lung", 0.3)


# --- comparison -----------------------------------------------------------------------------------


def test_a_model_does_not_differ_from_itself():
    p = random_predictions(0)
    found = evaluate.compare(p, p.sample(frac=1, random_state=0))
    assert (found.value, found.low, found.high, found.p, found.n) == (0, 0, 0, 1.0, 60)
    assert "same of every image" in found.method


def test_pairing_narrows_the_interval():
    label = np.array(["normal", "covid"] * 100)
    wrong = np.random.default_rng(0).permutation(200)
    other = np.where(label == "covid", "normal", "covid")
    answers = [np.where(np.isin(np.arange(200), wrong[:k]), other, label) for k in (40, 56)]
    a, b = (from_answers(label, x, ["normal", "covid"]) for x in answers)
    found = evaluate.compare(a, b, "accuracy")
    assert found.value == pytest.approx(0.08)
    assert (found.a, found.b) == (0.8, 0.72)
    assert found.low > 0
    assert found.p < 0.01
    ends = [evaluate.metric(x, "accuracy") for x in (a, b)]
    assert ends[0].low < ends[1].high  # the two intervals overlap, and yet the difference is clear
    back = evaluate.compare(b, a, "accuracy")
    assert (back.value, back.low, back.high) == pytest.approx(
        (-found.value, -found.high, -found.low)
    )


@pytest.mark.parametrize(
    ("n", "m", "group_size"),
    [(66, 4, 1), (66, 5, 1), (66, 6, 1), (3, 3, 1), (60, 30, 10), (10, 10, 10)],
)
def test_few_groups_prove_no_more_than_swapping_them_could(n, m, group_size):
    from scipy.stats import binomtest

    truth = ["covid"] * n
    worse = ["normal"] * m + ["covid"] * (n - m)
    group = [f"g{k // group_size}" for k in range(n)]
    a, b = (from_answers(truth, answers, ["normal", "covid"], group) for answers in (truth, worse))
    found = evaluate.compare(a, b, "accuracy")
    discordant = -(-m // group_size)
    # the exact test of McNemar, on groups
    assert found.p >= binomtest(discordant, discordant).pvalue
    assert found.p <= max(1.1 * 2.0 ** (1 - discordant), 0.05)


@pytest.mark.slow
def test_p_is_rarely_small_for_two_equal_guessers():
    small = [
        evaluate.compare(
            random_predictions(2 * s, n=80, present=CLASSES, skill=0), _relabel(s), "accuracy"
        ).p
        < 0.05
        for s in range(120)
    ]
    assert 0.005 <= np.mean(small) <= 0.11


def _relabel(s):
    """Another guesser's answers to the images of random_predictions(2 * s)."""
    first = random_predictions(2 * s, n=80, skill=0)
    other = random_predictions(2 * s + 1, n=80, skill=0)
    return other.assign(label=first["label"])


def without_viral(p):
    """The rows that say nothing of one class, without its column."""
    left = p.query("label != 'viral' and predicted != 'viral'")
    both = left["p_normal"] + left["p_covid"]
    scaled = {f"p_{name}": left[f"p_{name}"] / both for name in ("normal", "covid")}
    return left.drop(columns="p_viral").assign(**scaled)


def test_comparison_needs_the_same_images_labels_groups_and_classes():
    p = random_predictions(0, group_size=2)
    with pytest.raises(evaluate.PredictionsError, match="1 only in the first"):
        evaluate.compare(p, p.iloc[1:])
    changed = p.assign(label=np.roll(p["label"], 1))
    with pytest.raises(evaluate.PredictionsError, match="labels differ"):
        evaluate.compare(p, changed)
    with pytest.raises(evaluate.PredictionsError, match="groups differ"):
        evaluate.compare(p, p.assign(group=pd.NA))
    reordered = p[[*[c for c in p if c != "p_covid"], "p_covid"]]
    assert evaluate.compare(p, reordered).value == 0
    with pytest.raises(evaluate.PredictionsError, match="classes differ"):
        evaluate.compare(p.query("label != 'viral' and predicted != 'viral'"), without_viral(p))


def test_table_sets_models_side_by_side():
    a, b = random_predictions(0), random_predictions(0, skill=3)
    found = evaluate.table({"weak": a, "strong": b})
    assert list(found["model"]) == ["weak", "strong"]
    estimate = evaluate.metric(a, "accuracy")
    assert (
        found.loc[0, "accuracy"] == f"{estimate.value:.3f} ({estimate.low:.2f}-{estimate.high:.2f})"
    )
    assert found.loc[0, "accuracy_value"] == estimate.value
    assert found.loc[0, ["n", "groups", "seeds"]].tolist() == [60, 60, 1]
    assert evaluate.table([a])["model"].item() == "drawn"
    with pytest.raises(ValueError, match="pass a dict"):
        evaluate.table([a, b])
    one = evaluate.table([a], metrics=("sensitivity",), positive="covid")
    assert one["sensitivity_value"].item() == evaluate.metric(a, "sensitivity", "covid").value


def test_table_string_of_a_known_result():
    label = ["covid"] * 66
    p = from_answers(label, ["covid"] * 60 + ["normal"] * 6, ["normal", "covid"])
    assert evaluate.table({"lr": p}, metrics="accuracy")["accuracy"].item() == "0.909 (0.82-0.96)"


def test_subgroups_split_by_a_column():
    p = random_predictions(0).assign(source=["a"] * 20 + ["b"] * 30 + [None] * 10)
    found = evaluate.subgroups(p, "source").set_index("source")
    assert found["n"].to_dict() == {"a": 20, "b": 30, "unknown": 10}
    assert found.loc["a", "value"] == (p["label"] == p["predicted"])[:20].mean()
    with pytest.raises(evaluate.PredictionsError, match="no column 'view'"):
        evaluate.subgroups(p, "view")


# --- tables as people have them -------------------------------------------------------------------


def test_integer_and_boolean_labels_are_their_names():
    p = random_predictions(0, classes=["0", "1"])
    expected = evaluate.metric(p, "f1", "1")
    text = {name: p[name].astype(str) for name in ("label", "predicted")}
    for kind in (int, float):
        assert (
            evaluate.metric(p.assign(**{k: v.astype(kind) for k, v in text.items()}), "f1", "1")
            == expected
        )
    named = p.rename(columns={"p_0": "p_False", "p_1": "p_True"})
    truth = {name: column == "1" for name, column in text.items()}
    assert evaluate.metric(named.assign(**truth), "f1", "True") == expected
    assert evaluate.confusion(named.assign(**truth)).to_numpy().sum() == 60


def test_missing_and_mixed_names_are_refused_in_words():
    p = random_predictions(0, group_size=2)
    nameless = p.assign(image_id=p["image_id"].where(p.index != 3))
    with pytest.raises(
        evaluate.PredictionsError, match=r"1 row\(s\) without image_id, first in row 4"
    ):
        evaluate.metric(nameless, "accuracy")
    mixed = np.array([k // 2 if k % 4 else str(k // 2) for k in range(60)], object)
    with pytest.raises(
        evaluate.PredictionsError, match="groups are text in some rows and numbers in others"
    ):
        evaluate.metric(p.assign(group=mixed), "accuracy")
    with pytest.raises(
        evaluate.PredictionsError, match="image_id is text in some rows and a number"
    ):
        evaluate.metric(p.assign(image_id=mixed), "accuracy")
    numbers = p.assign(group=np.repeat(np.arange(30), 2))
    assert evaluate.metric(numbers, "accuracy") == evaluate.metric(
        numbers.assign(group=numbers["group"] * 1.0), "accuracy"
    )


def test_training_images_scored_with_others_are_noticed():
    p = random_predictions(0).assign(split=["train"] * 40 + ["test"] * 20)
    with pytest.warns(UserWarning, match="test, train are scored together"):
        evaluate.metric(p, "accuracy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate.metric(p.query("split == 'test'"), "accuracy")
        evaluate.metric(p.assign(fold=0), "accuracy")
        evaluate.metric(p.assign(split=None), "accuracy")


def test_a_comparison_takes_rows_and_columns_in_any_order():
    a, b = (random_predictions(seed, group_size=2) for seed in (0, 1))
    b = b.assign(label=a["label"])
    shuffled = b.sample(frac=1, random_state=3)[sorted(b.columns, reverse=True)]
    assert evaluate.compare(a, shuffled, "roc_auc", "covid") == evaluate.compare(
        a, b, "roc_auc", "covid"
    )


def test_p_counts_only_the_groups_that_the_figure_rests_on():
    """A sensitivity of three ill people: p is at least 0.25.

    It does not matter what the models say of fifty healthy ones.
    """
    label = ["covid"] * 3 + ["normal"] * 50
    a = from_answers(label, label, ["normal", "covid"])
    b = from_answers(label, ["normal"] * 3 + ["covid"] * 20 + ["normal"] * 30, ["normal", "covid"])
    assert evaluate.compare(a, b, "sensitivity", "covid").p == 0.25
    assert evaluate.compare(a, b, "specificity", "covid").p < 0.01


# --- six rows by hand -----------------------------------------------------------------------------


def six():
    """Three classes, four groups: covid 3 images, 2 found; normal 2, 1 found; viral 1.

    The one of viral is called covid.
    """
    label = ["covid", "covid", "covid", "normal", "normal", "viral"]
    said = ["covid", "covid", "normal", "normal", "viral", "covid"]
    return from_answers(label, said, CLASSES, group=["a", "a", "b", "b", "c", "d"])


def test_every_figure_of_six_rows():
    found = evaluate.metrics(six()).set_index(["metric", "class"])
    values = {
        ("sensitivity", "covid"): (2 / 3, 3, 2, 2),  # value, n, groups, support
        ("specificity", "covid"): (2 / 3, 3, 3, 3),
        ("ppv", "covid"): (2 / 3, 3, 2, 2),
        ("npv", "covid"): (2 / 3, 3, 2, 2),
        ("f1", "covid"): (2 / 3, 6, 4, 2),
        ("sensitivity", "normal"): (1 / 2, 2, 2, 2),
        ("ppv", "normal"): (1 / 2, 2, 1, 1),
        ("npv", "normal"): (3 / 4, 4, 3, 3),
        ("specificity", "normal"): (3 / 4, 4, 3, 3),
        ("f1", "normal"): (1 / 2, 6, 4, 2),
        ("ppv", "viral"): (0, 1, 1, 1),
        ("npv", "viral"): (4 / 5, 5, 3, 3),
        ("f1", "viral"): (0, 6, 4, 1),
        ("roc_auc", "covid"): (2 / 3, 6, 4, 2),
        ("roc_auc", "normal"): (0.625, 6, 4, 2),
        ("roc_auc", "viral"): (0.4, 6, 4, 1),
        ("average_precision", "covid"): (2 / 3 * 2 / 3 + 1 / 3 * 1 / 2, 6, 4, 2),
        ("average_precision", "viral"): (1 / 6, 6, 4, 1),
        ("accuracy", "all"): (1 / 2, 6, 4, 4),
        ("balanced_accuracy", "all"): ((2 / 3 + 1 / 2) / 3, 6, 4, 4),
        # three groups with an error, one without: at least 4
        ("f1_macro", "all"): ((2 / 3 + 1 / 2) / 3, 6, 4, 4),
        ("f1_weighted", "all"): ((3 * 2 / 3 + 2 * 1 / 2) / 6, 6, 4, 4),
        ("roc_auc_macro", "all"): ((2 / 3 + 0.625 + 0.4) / 3, 6, 4, 2 * 5 / 3),
    }
    for key, expected in values.items():
        row = found.loc[key]
        assert (row["value"], row["n"], row["groups"], row["support"]) == pytest.approx(expected), (
            key
        )


def with_errors(wrong, groups=20):
    """Two images a group; the first `wrong` groups have an error in the first of them."""
    label = ["normal", "covid"] * groups
    said = ["covid" if i % 2 == 0 and i // 2 < wrong else label[i] for i in range(2 * groups)]
    return from_answers(
        label, said, ["normal", "covid"], group=[f"g{i // 2}" for i in range(2 * groups)]
    )


@pytest.mark.parametrize(
    ("wrong", "support"),
    [(0, 20), (1, 4), (3, 4), (4, 4), (5, 5), (10, 10), (13, 7), (17, 4), (20, 20)],
)
def test_f1_rests_on_the_groups_with_an_error_or_those_without(wrong, support):
    assert evaluate.metric(with_errors(wrong), "f1_macro").support == support
    assert evaluate.metric(with_errors(wrong), "accuracy").support == 20
    # never more than there are groups
    assert evaluate.metric(with_errors(1, 3), "f1_macro").support == 3


def test_the_macro_area_rests_on_the_scarcer_sides_of_the_classes_that_occur():
    label = ["normal"] * 6 + ["covid"] * 4
    two = evaluate.metric(from_answers(label, label, CLASSES), "roc_auc_macro")
    assert two.support == 4  # (2 - 1) times the mean of 4 and 4; no image is viral
    three = [*label, "viral", "viral"]
    found = evaluate.metric(from_answers(three, three, CLASSES), "roc_auc_macro")
    assert found.support == pytest.approx(2 * (6 + 4 + 2) / 3)
    one = evaluate.metric(from_answers(["covid"] * 5, ["covid"] * 5, CLASSES), "roc_auc_macro")
    assert one.support == 0


def test_a_seed_more_makes_no_single_images():
    p = six().drop(columns="group")
    two = pd.concat(
        [
            p.assign(seed=0),
            p.assign(seed=1, predicted=p["label"], **{f"p_{c}": p["label"] == c for c in CLASSES}),
        ]
    )
    two[[f"p_{c}" for c in CLASSES]] = two[[f"p_{c}" for c in CLASSES]].astype(float)
    found = evaluate.metric(two, "accuracy")
    assert (found.value, found.n, found.groups, found.method) == (0.75, 6, 6, EFFECTIVE)
    assert evaluate.metric(two, "ppv", "covid").n == 4  # called so in any seed
    assert evaluate.metric(p, "accuracy").method == "Wilson"


def test_figures_of_matrices_by_hand():
    matrix = np.array([[[3, 1], [2, 4]], [[0, 0], [0, 5]]])
    found = figures.from_matrix(matrix, ("a", "b"))
    expected = {
        ("sensitivity", "a"): [3 / 4, np.nan],
        ("specificity", "a"): [4 / 6, 1],
        ("ppv", "a"): [3 / 5, np.nan],
        ("npv", "a"): [4 / 5, 1],
        ("f1", "a"): [6 / 9, np.nan],
        ("f1", "b"): [8 / 11, 1],
        ("accuracy", "all"): [7 / 10, 1],
        ("balanced_accuracy", "all"): [(3 / 4 + 4 / 6) / 2, 1],
        ("f1_macro", "all"): [(6 / 9 + 8 / 11) / 2, 1],
        ("f1_weighted", "all"): [(4 * 6 / 9 + 6 * 8 / 11) / 10, 1],
    }
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, nan_ok=True), key


def test_average_precision_does_not_depend_on_how_much_is_held_in_memory(monkeypatch):
    p = random_predictions(5, n=90, group_size=4)
    whole = evaluate.metric(p, "average_precision_macro")
    for at_once in (1, 89, 90, 91, 180, 500, 90 * 23):
        monkeypatch.setattr(figures, "AT_ONCE", at_once)
        assert evaluate.metric(p, "average_precision_macro") == whole


def test_average_precision_by_hand():
    # by falling score: + | - + | -, where the second and third share a score
    positive, ends = np.array([True, False, True, False]), np.array([0, 2, 3])
    kept = np.array([[1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1]], bool)
    found = figures.average_precision(kept, positive, ends)
    assert found == pytest.approx([1 / 2 + 1 / 2 * 2 / 3, 1 / 2, 1, np.nan], nan_ok=True)


# --- faults, at the tolerance and beyond it -------------------------------------------------------


def two_rows(**columns):
    p = {
        "p_a": [0.5, 0.25],
        "p_b": [0.5, 0.75],
        "label": ["a", "b"],
        "predicted": ["a", "b"],
        **columns,
    }
    return pd.DataFrame({"image_id": ["i1", "i2"], **p})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, None),
        ({"p_a": [1.001, 0.25], "p_b": [0, 0.75]}, None),
        (
            {"p_a": [1.0011, 0.25], "p_b": [-0.0011, 0.75]},
            r"outside \[0, 1\] in 1 row\(s\), first i1",
        ),
        ({"p_a": [1.001, 0.25], "p_b": [-0.001, 0.75]}, None),
        (
            {"p_a": [0.5, 0.2511], "p_b": [0.5, 0.75]},
            r"do not sum to 1 in 1 row\(s\), first i2 \(sums from 1.000 to 1.001",
        ),
        ({"p_a": [0.5, 0.249], "p_b": [0.5, 0.75]}, None),
        ({"p_a": [0.5, 0.2489], "p_b": [0.5, 0.75]}, "do not sum to 1 in 1 row"),
        ({"p_a": [np.inf, 0.25]}, "outside"),
        ({"seed": [0, 1]}, "2 seeds do not all score the same 2 images"),
        ({"model": ["x", "y"]}, r"several models in one table \['x', 'y'\]"),
        ({"model": ["x", "x"]}, None),
        ({"model": ["x", None]}, None),
        ({"image_id": ["i1", None]}, "1 row.* without image_id, first in row 2"),
        ({"image_id": ["i1", 2]}, "text in some rows and a number in others"),
        ({"image_id": [1, 2]}, None),
        (
            {"label": ["a", "c"], "predicted": ["c", "b"]},
            r"(?s)label \['c'\] has no .* i2\n- predicted \['c'\] .* i1",
        ),
    ],
)
def test_faults_begin_beyond_the_tolerance(columns, message):
    p = two_rows(**columns)
    if message is None:
        assert predictions.check(p) is p
        return
    with pytest.raises(evaluate.PredictionsError, match=message):
        predictions.check(p)


def test_three_of_the_faulty_rows_are_named():
    p = random_predictions(0)
    p.loc[2:7, "predicted"] = None
    with pytest.raises(
        evaluate.PredictionsError, match=r"6 row\(s\), first i0002, i0003, i0004(?!,)"
    ):
        predictions.check(p)


def test_two_classes_are_enough_and_one_is_not():
    predictions.check(two_rows())
    with pytest.raises(evaluate.PredictionsError, match="at least two"):
        predictions.check(two_rows(p_a=1.0, label="a", predicted="a").drop(columns="p_b"))


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ([1.0, 0.0, np.nan], ["1", "0"]),
        ([1.5, 2.0, -1.0], ["1.5", "2", "-1"]),
        ([1, 2, 0], ["1", "2", "0"]),
        ([True, False, True], ["True", "False", "True"]),
        (["a", "b", None], ["a", "b"]),
    ],
)
def test_classes_are_named_as_their_columns_are(column, names):
    assert predictions.as_text(pd.Series(column)).tolist()[: len(names)] == names


def test_groups_are_counted_by_name_and_images_without_one_by_themselves():
    p = two_rows()
    assert predictions.units(p).tolist() == [0, 1]
    assert predictions.units(p.assign(group=["x", "x"])).tolist() == [0, 0]
    assert predictions.units(p.assign(group=["i2", None])).tolist() == [0, 1]
    assert predictions.units(p.assign(group=[7.0, 7.0])).tolist() == [0, 0]
    assert predictions.to_arrays(p.assign(group=["x", "x"])).n_groups == 1
    assert predictions.to_arrays(p).n_groups == 2
    with pytest.raises(evaluate.PredictionsError, match="Names of groups are text in some rows"):
        predictions.units(p.assign(group=["1", 1]))


def test_arrays_are_in_the_order_of_seed_and_image():
    p = pd.concat([two_rows(seed=3), two_rows(seed=1, p_a=[0.1, 0.2], p_b=[0.9, 0.8])]).iloc[
        [3, 0, 2, 1]
    ]
    data = predictions.to_arrays(p)
    assert data.probability.tolist() == [[[0.1, 0.9], [0.2, 0.8]], [[0.5, 0.5], [0.25, 0.75]]]
    assert data.image_id.tolist() == ["i1", "i2"]
    assert (data.truth.tolist(), data.predicted.tolist()) == ([0, 1], [[0, 1], [0, 1]])
    assert not data.single
    assert predictions.to_arrays(two_rows()).single
    assert not predictions.to_arrays(two_rows(group="x")).single
    assert predictions.seeds(two_rows(seed=[np.nan, 2])).tolist() == [0, 2]
    assert predictions.seeds(two_rows()).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"split": ["train", "test"]}, True),
        ({"split": ["train", "train"]}, False),
        ({"split": ["val", "test"]}, False),
        ({"split": ["train", None]}, False),
        ({"split": ["train", "test"], "fold": [0, 1]}, False),
        ({"split": ["train", "test"], "fold": [0, None]}, True),
        ({"fold": [0, None]}, False),
        ({}, False),
    ],
)
def test_training_images_among_others_are_said_where_the_reader_called(columns, said):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        evaluate.metric(two_rows(**columns), "accuracy")
    assert [str(one.message)[:50] for one in found] == [
        "Images of test, train are scored together, and a m"
    ] * said
    assert all(one.filename == __file__ for one in found)


def test_the_warning_of_a_threshold_points_to_the_call():
    p = random_predictions(6)
    with pytest.warns(UserWarning, match="choose it on validation") as said:
        evaluate.operating_point(p.assign(split=["val"] * 59 + ["test"]), "covid")
    assert said[0].filename == __file__


def test_sensitivity_asked_for_lies_above_0_and_up_to_1():
    p = random_predictions(6)
    assert evaluate.operating_point(p, "covid", 1) == p.loc[p["label"] == "covid", "p_covid"].min()
    evaluate.operating_point(p, "covid", 0.001)
    for wrong in (0, -0.1, 1.01):
        with pytest.raises(ValueError, match="sensitivity must lie in"):
            evaluate.operating_point(p, "covid", wrong)


def test_a_curve_has_a_row_for_each_score_and_each_side_an_image():
    p = random_predictions(4)
    curve = evaluate.roc(p, "covid")
    assert curve["threshold"].tolist() == [np.inf, *sorted(p["p_covid"].unique(), reverse=True)]
    for label in ("covid", "normal"):
        with pytest.raises(
            evaluate.PredictionsError, match="needs images with and without 'covid'"
        ):
            evaluate.roc(p.assign(label=label), "covid")


def test_one_versus_rest_by_hand():
    p = six().assign(
        p_covid=[0.5, 0.4, 0.3, 0.2, 0.1, 0.6], p_normal=[0.5, 0.6, 0.7, 0.8, 0.9, 0.4], p_viral=0.0
    )
    binary = evaluate.one_versus_rest(p, "covid", 0.4)
    assert binary["predicted"].tolist() == ["covid", "covid", "rest", "rest", "rest", "covid"]
    assert binary["label"].tolist() == ["covid"] * 3 + ["rest"] * 3
    assert binary["p_rest"].tolist() == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 0.4])
    found = evaluate.at_threshold(p, "covid", 0.4)
    assert found.columns[0] == "threshold"
    assert found["threshold"].tolist() == [0.4] * 4
    assert found["value"].tolist() == pytest.approx([2 / 3] * 4)
    assert (found["class"] == "covid").all()
    ninety = evaluate.at_threshold(p.drop(columns="group"), "covid", 0.4, 0.9)
    assert ninety["low"].iloc[0] == evaluate.wilson(2, 3, 0.9)[0]


# --- a comparison by hand -------------------------------------------------------------------------


def pair(a_right, b_right, group):
    label = ["covid"] * len(group)
    said = [["covid" if ok else "normal" for ok in right] for right in (a_right, b_right)]
    return (
        from_answers(label, answers, ["normal", "covid"], group=list(group)) for answers in said
    )


def test_a_difference_of_accuracies_by_hand():
    a, b = pair([1, 1, 1, 1, 0, 1, 1, 0], [1, 0, 0, 1, 1, 0, 1, 0], "aabbccdd")
    found = evaluate.compare(a, b, "accuracy")
    ends = [evaluate.metric(x, "accuracy") for x in (a, b)]
    without = [np.array([4, 4, 5, 5]) / 6, np.array([3, 3, 3, 3]) / 6]
    assert (found.value, found.n, found.groups, found.support) == (0.25, 8, 4, 4)
    # b does not move with the groups: no correlation
    down = np.hypot(ends[0].value - ends[0].low, ends[1].high - ends[1].value)
    assert found.low == pytest.approx(0.25 - down)
    assert ends[0].low == pytest.approx(stats.share(6 / 8, without[0], 8, 4).low)
    # differences by group 1, 1, 0, 0: three groups differ, and c's answers cancel
    assert found.p == 0.5


def test_groups_count_for_p_only_where_the_figure_rests_on_them():
    label = ["covid"] * 6 + ["normal"] * 6
    right = label[:]
    a_said = right
    b_said = ["normal"] * 3 + ["covid"] * 3 + ["covid"] * 5 + ["normal"]
    a, b = (from_answers(label, said, ["normal", "covid"]) for said in (a_said, b_said))
    assert evaluate.compare(a, b, "sensitivity", "covid").p == 2 / 2**3
    assert evaluate.compare(a, b, "specificity", "covid").p == 2 / 2**5
    assert evaluate.compare(a, b, "accuracy").p == 2 / 2**8
    assert evaluate.compare(a, b, "sensitivity", "covid").n == 12


def test_a_value_that_needs_a_group_counts_as_unmoved_without_it():
    # one image is called viral by both: without it a ppv is undefined
    a, b = six(), six().assign(predicted=["covid", "covid", "covid", "normal", "viral", "covid"])
    b = b.assign(**{f"p_{c}": (b["predicted"] == c).astype(float) for c in CLASSES})
    found = evaluate.compare(a, b, "ppv", "viral")
    assert (found.value, found.p) == (0, 1)


def test_precision_is_compared_in_blocks_of_many_groups():
    p = random_predictions(0, n=450, skill=2)
    other = random_predictions(0, n=450, skill=0).assign(label=p["label"])
    found = evaluate.compare(p, other, "average_precision", "covid")
    assert (found.n, found.groups) == (450, 450)
    assert found.value > 0.1
    assert found.low < found.value < found.high
    assert found.p < 0.01
    few = [q.iloc[:200] for q in (p, other)]
    assert evaluate.compare(*few, "average_precision", "covid").groups == 200


def test_what_is_said_twice_is_the_same_up_to_rounding_and_no_further():
    a = random_predictions(0)
    names = [f"p_{c}" for c in CLASSES]
    for apart, same in ((1e-13, True), (1e-10, False)):
        b = a.copy()
        b.loc[3, names] = a.loc[3, names].to_numpy(float) + np.array([apart, -apart, 0])
        found = evaluate.compare(a, b, "roc_auc_macro")
        assert ("same of every image" in found.method) == same


def test_a_table_names_models_and_counts_seeds():
    one, two = random_predictions(0, runs=2), random_predictions(1)
    found = evaluate.table(
        [one.drop(columns="model"), two.drop(columns="model")], metrics="accuracy"
    )
    assert found["model"].tolist() == ["model 1", "model 2"]
    assert found["seeds"].tolist() == [2, 1]
    assert list(found) == [
        "model",
        "n",
        "groups",
        "seeds",
        *(f"accuracy{x}" for x in ("", "_value", "_low", "_high")),
    ]
    assert evaluate.table([two.head(1)])["model"].tolist() == ["drawn"]
    with pytest.raises(ValueError, match="zip"):  # a metric named twice would shift the others
        evaluate.table(two, ["accuracy", "accuracy", "f1_macro"])
    ninety = evaluate.table(two, "accuracy", level=0.9)
    assert ninety["accuracy_low"].item() == evaluate.metric(two, "accuracy", level=0.9).low
    parts = evaluate.subgroups(
        two.assign(site=["a"] * 30 + ["b"] * 30), "site", "sensitivity", "covid", 0.9
    )
    expected = evaluate.metric(two[:30], "sensitivity", "covid", 0.9)
    assert parts.iloc[0][["value", "low", "high"]].tolist() == [
        expected.value,
        expected.low,
        expected.high,
    ]
