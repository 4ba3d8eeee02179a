"""Values, intervals and differences of numbers in groups: against formulas, slow loops and other people's code."""

import numpy as np
import pytest
from scipy.stats import binomtest, t
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_helpers import evaluate, stats
from cxr_helpers.evaluate._figures import figures
from cxr_helpers.evaluate._predictions import scored
from tests.unit.test_evaluate import CLASSES, random_predictions


def grouped(seed, groups=12):
    """Yes and no of images in groups of one to five."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(groups), rng.integers(1, 6, groups))
    return (rng.random(len(code)) < rng.beta(4, 1, groups)[code]), code


# --- one figure -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_share_is_wilson_with_the_effective_size_written_out(seed):
    holds, code = grouped(seed)
    found = stats.proportion(holds, code)
    without = [holds[code != g].mean() for g in np.unique(code)]
    squared = 11 / 12 * ((without - np.mean(without)) ** 2).sum()
    p = holds.mean()
    m, q = min(p * (1 - p) / squared, len(holds)), t.ppf(0.975, 11)
    centre = (p + q**2 / (2 * m)) / (1 + q**2 / m)
    half = q / (1 + q**2 / m) * np.sqrt(p * (1 - p) / m + q**2 / (4 * m**2))
    assert (found.value, found.low, found.high) == pytest.approx((p, centre - half, centre + half), abs=1e-12)
    assert (found.n, found.groups, found.support) == (len(holds), 12, 12)


def test_measurements_that_hardly_differ_have_a_narrow_interval():
    rng = np.random.default_rng(0)
    near = stats.proportion(0.3 + rng.uniform(-0.02, 0.02, 40))
    student = stats.mean(near.value + rng.uniform(-0.02, 0.02, 40))
    assert near.high - near.low == pytest.approx(student.high - student.low, rel=0.3)
    assert near.low < 0.3 < near.high


def test_single_images_have_the_plain_interval():
    holds = np.arange(66) < 60
    found = stats.proportion(holds)
    interval = binomtest(60, 66).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert found.method == "Wilson"
    assert stats.proportion(holds, np.arange(66) // 2).method != "Wilson"


@pytest.mark.parametrize(("k", "low", "high"), [(0, 0.0, None), (8, None, 1.0)])
def test_a_perfect_sample_is_not_certain(k, low, high):
    holds, code = np.repeat(np.arange(8) < k, 3), np.repeat(np.arange(8), 3)
    found = stats.proportion(holds, code)
    far = 8 / (8 + t.ppf(0.975, 7) ** 2)
    assert (found.low, found.high) == pytest.approx((low if k == 0 else far, 1 - far if k == 0 else high))


def test_below_three_groups_there_is_no_interval_and_the_reason_is_said():
    two, three = (stats.proportion([1, 0, 1, 1][:n] * 2, list(range(n)) * 2) for n in (2, 3))
    assert np.isnan([two.low, two.high]).all()
    assert two.method.startswith("no interval: 2")
    assert 0 < three.low < three.high < 1
    assert str(two) == "0.500 (no interval, n = 4 in 2 groups)"


def test_the_same_numbers_have_the_same_interval_wherever_they_are_asked_for():
    from cxr_helpers import calibrate, explain, uncertainty

    p = random_predictions(3, group_size=3)
    right = (p["label"].astype(str) == p["predicted"].astype(str)).to_numpy()
    asked = [
        evaluate.metric(p, "accuracy"),
        stats.proportion(right, p["group"]),
        explain.average(right.astype(float), p),
        uncertainty.share(p.assign(right=right), "right"),
    ]
    ends = [(e.value, e.low, e.high, e.n, e.groups, e.support) for e in asked]
    assert ends == [pytest.approx(ends[0], abs=1e-12)] * 4
    sure = p.assign(p_normal=0.0, p_covid=1.0, p_viral=0.0)
    bin_of_all = calibrate.reliability(sure, "covid").iloc[0]
    covid = stats.proportion(p["label"] == "covid", p["group"])
    assert (bin_of_all["low"], bin_of_all["high"]) == pytest.approx((covid.low, covid.high))


def test_a_mean_is_that_of_student():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(2, 1, 15)
    found = stats.mean(values)
    interval = ttest_1samp(values, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    with pytest.raises(ValueError, match="finite"):
        stats.mean([1.0, np.nan])


def test_a_loss_stays_above_zero_and_says_who_carries_it():
    rng = np.random.default_rng(1)
    even = stats.loss(rng.exponential(1, 40))
    carried = stats.loss(np.r_[np.full(39, 0.01), 5.0])
    assert 0 < even.low < even.value < even.high
    assert even.support > 15
    assert np.isnan(carried.low)
    assert "one of 40 groups carries it" in carried.method
    assert stats.loss([1.5, 1.9, 0.1, 1.0], most=2).high == 2


def test_more_groups_narrow_the_interval_as_foreseen():
    holds, code = np.tile([1, 1, 1, 0], 10), np.arange(40)
    found = stats.proportion(holds, code)
    needed = stats.groups_needed(found, 0.1)
    foreseen = stats.proportion(np.arange(needed) < 0.75 * needed)
    assert foreseen.high - foreseen.low == pytest.approx(0.1, abs=0.004)
    assert stats.groups_needed(found, found.high - found.low) == pytest.approx(40, abs=1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.groups_needed(found, 1.5)


# --- leaving a group out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("runs", [1, 2])
def test_every_figure_without_a_group_is_the_figure_of_the_other_rows(seed, runs):
    p = random_predictions(seed, n=40, group_size=3, runs=runs)
    data = scored(p)
    keys = [(name, "all") for name in ("accuracy", "f1_macro", "f1_weighted", "balanced_accuracy", "roc_auc_macro")]
    keys += [(name, "covid") for name in ("sensitivity", "ppv", "npv", "f1", "roc_auc", "average_precision")]
    found = figures(data, keys)
    names = p.sort_values("image_id")["group"].drop_duplicates().tolist()
    for number in (0, 5, len(names) - 1):
        left = p[p["group"] != names[number]]
        for name, c in keys:
            slow = evaluate.metric(left, name, None if c == "all" else c).value
            assert found[name, c].without[number] == pytest.approx(slow, abs=1e-12, nan_ok=True), (name, number)


@pytest.mark.parametrize("seed", range(6))
def test_areas_are_those_of_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    positive, score = rng.random(50) < 0.3, rng.integers(0, 6, 50) / 5
    assert stats.auc(positive, score) == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
    p = random_predictions(seed)
    for c in CLASSES:
        value = evaluate.metric(p, "average_precision", c).value
        assert value == pytest.approx(average_precision_score(p["label"] == c, p[f"p_{c}"]), abs=1e-12)


def test_blocks_are_used_only_where_there_are_many_groups():
    assert (stats.blocks(stats.BLOCKS) == np.arange(stats.BLOCKS)).all()
    many = stats.blocks(stats.BLOCKS + 1)
    assert len(np.unique(many)) == stats.BLOCKS
    one = random_predictions(0, n=600, skill=2)
    whole = evaluate.metric(one, "average_precision", "covid")
    slow = [average_precision_score((one["label"] == "covid").drop(i), one["p_covid"].drop(i)) for i in range(len(one))]
    error = stats.standard_error(np.array(slow))
    size = whole.value * (1 - whole.value) / error**2
    low = stats.share(whole.value, np.array(slow), 600, 600, whole.support).low
    assert whole.low == pytest.approx(low, abs=0.02)
    assert size < 600


# --- two figures ----------------------------------------------------------------------------------------------------


def test_mcnemar_is_the_binomial_of_those_that_only_one_gets_right():
    a = np.array([1] * 10 + [0] * 2 + [1] * 20, bool)
    b = np.array([0] * 10 + [1] * 2 + [1] * 20, bool)
    assert stats.mcnemar_exact(a, b) == pytest.approx(158 / 4096, abs=1e-12)  # 2 (1 + 12 + 66) / 2^12
    assert stats.mcnemar_exact(a, a) == 1
    with pytest.raises(ValueError, match="same images"):
        stats.mcnemar_exact(a, b[1:])


def test_delong_is_the_published_formula_in_loops():
    rng = np.random.default_rng(5)
    truth = rng.random(40) < 0.4
    scores = np.round(rng.normal(size=(2, 40)) + truth, 1)
    found = stats.delong(truth, *scores)

    def beats(x, y):
        return 1.0 if x > y else 0.5 if x == y else 0.0

    ten = [[np.mean([beats(x, y) for y in s[~truth]]) for x in s[truth]] for s in scores]
    one = [[np.mean([beats(x, y) for x in s[truth]]) for y in s[~truth]] for s in scores]
    covariance = np.cov(ten) / truth.sum() + np.cov(one) / (~truth).sum()
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert (found.a, found.b) == pytest.approx([roc_auc_score(truth, s) for s in scores], abs=1e-12)
    assert found.high - found.value == pytest.approx(1.959963984540054 * np.sqrt(variance), abs=1e-9)
    with pytest.raises(ValueError, match="two images of each kind"):
        stats.delong(np.arange(5) == 0, *scores[:, :5])


def test_p_of_few_groups_is_counted_out():
    assert stats.swap_p(np.array([1.0, 1, 1, 1])) == 2 / 16
    assert stats.swap_p(np.array([3.0, 1, -1, 0])) == 0.75  # 3 + {-2, 0, 0, 2}: three of four reach 3
    assert stats.swap_p(np.zeros(4)) == 1
    assert stats.swap_p(np.ones(5), discordant=2) == 0.5
    many = stats.swap_p(np.r_[np.ones(700), -np.ones(300)])
    assert many == 1 / 10_000


def test_p_of_the_accuracy_is_that_of_swapping_the_answers():
    """Against swapping all images of each group between two tables, every way of six groups."""
    rng = np.random.default_rng(2)
    code = np.repeat(np.arange(6), [1, 2, 3, 4, 2, 5])
    a, b = rng.random(len(code)) < 0.9, rng.random(len(code)) < 0.5
    observed = abs(a.mean() - b.mean())
    ways = [(np.arange(2**6) >> g) & 1 for g in range(6)]
    swapped = [np.where(np.array(way)[code] == 1, b, a).mean() for way in zip(*ways, strict=True)]
    slow = np.mean(np.abs(2 * np.array(swapped) - a.mean() - b.mean()) >= observed - 1e-12)
    tables = [answers(x, code) for x in (a, b)]
    discordant = len(np.unique(code[a != b]))
    assert evaluate.compare(*tables, "accuracy").p == pytest.approx(max(slow, 2.0 ** (1 - discordant)))


def answers(right, code):
    import pandas as pd

    said = np.where(right, "covid", "normal")
    table = pd.DataFrame({"image_id": np.arange(len(code)), "group": code, "label": "covid", "predicted": said})
    return table.assign(p_covid=right.astype(float), p_normal=1.0 - right)


def test_a_difference_is_refused_where_one_of_the_two_has_no_interval():
    p, q = (random_predictions(seed, n=12, group_size=6) for seed in (0, 1))
    found = evaluate.compare(p, q.assign(label=p["label"]), "accuracy")
    assert np.isnan(found.low)
    assert "no interval" in str(found)


def test_equal_answers_with_other_probabilities_are_not_proof_of_equality():
    p = random_predictions(0, n=30)
    names = [f"p_{c}" for c in CLASSES]
    other = p.assign(**{n: 0.5 * p[n] + 0.5 / 3 for n in names})
    found = evaluate.compare(p, other, "accuracy")
    assert (found.value, found.p) == (0, 1)
    assert found.low < -0.05 < 0.05 < found.high


def test_a_very_small_p_is_not_printed_as_zero():
    a, b = (stats.proportion(np.arange(90) < k) for k in (80, 20))
    found = stats.Difference(0.5, 0.4, 0.6, 90, 90, 90.0, a.method, a=a.value, b=b.value, p=0.0001)
    assert "p < 0.001" in str(found)
