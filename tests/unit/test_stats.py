"""Values, intervals, differences of grouped numbers: against formulas, loops, others' code."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_helpers import evaluate, stats
from cxr_helpers.evaluate.figures import figures
from cxr_helpers.predictions import to_arrays
from cxr_helpers.stats import _jackknife, _paired
from cxr_helpers.stats._intervals import score_interval, t_quantile
from tests.unit.test_evaluate import CLASSES, random_predictions


def grouped(seed, groups=12):
    """Yes and no of images in groups of one to five."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(groups), rng.integers(1, 6, groups))
    return (rng.random(len(code)) < rng.beta(4, 1, groups)[code]), code


# --- one figure -----------------------------------------------------------------------------------


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
    assert (found.value, found.low, found.high) == pytest.approx(
        (p, centre - half, centre + half), abs=1e-12
    )
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
    assert (found.low, found.high) == pytest.approx(
        (low if k == 0 else far, 1 - far if k == 0 else high)
    )


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
    assert "few groups carry it" in stats.loss(np.r_[np.full(37, 0.01), 3.0, 4.0, 5.0]).method
    assert "few groups" not in even.method
    assert "one of 40 groups carries it" in carried.method
    assert stats.loss([1.5, 1.9, 0.1, 1.0], most=2).high == 2
    assert stats.loss(np.zeros(9)).method == "no interval: nothing was lost"


def test_more_groups_narrow_the_interval_as_foreseen():
    holds, code = np.tile([1, 1, 1, 0], 10), np.arange(40)
    found = stats.proportion(holds, code)
    needed = stats.groups_needed(found, 0.1)
    foreseen = stats.proportion(np.arange(needed) < 0.75 * needed)
    assert foreseen.high - foreseen.low == pytest.approx(0.1, abs=0.004)
    assert stats.groups_needed(found, found.high - found.low) == pytest.approx(40, abs=1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.groups_needed(found, 1.5)


# --- leaving a group out --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("runs", [1, 2])
def test_every_figure_without_a_group_is_the_figure_of_the_other_rows(seed, runs):
    p = random_predictions(seed, n=40, group_size=3, runs=runs)
    data = to_arrays(p)
    keys = [
        (name, "all")
        for name in ("accuracy", "f1_macro", "f1_weighted", "balanced_accuracy", "roc_auc_macro")
    ]
    keys += [
        (name, "covid")
        for name in ("sensitivity", "ppv", "npv", "f1", "roc_auc", "average_precision")
    ]
    found = figures(data, keys)
    names = sorted(p["group"].unique(), key=str)
    for number in (0, 5, len(names) - 1):
        left = p[p["group"] != names[number]]
        for name, c in keys:
            slow = evaluate.metric(left, name, None if c == "all" else c).value
            assert found[name, c].without[number] == pytest.approx(slow, abs=1e-12, nan_ok=True), (
                name,
                number,
            )


@pytest.mark.parametrize("seed", range(6))
def test_areas_are_those_of_scikit_learn_with_ties(seed):
    rng = np.random.default_rng(seed)
    positive, score = rng.random(50) < 0.3, rng.integers(0, 6, 50) / 5
    assert stats.auc(positive, score) == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
    p = random_predictions(seed)
    for c in CLASSES:
        value = evaluate.metric(p, "average_precision", c).value
        assert value == pytest.approx(
            average_precision_score(p["label"] == c, p[f"p_{c}"]), abs=1e-12
        )


def test_blocks_are_used_only_where_there_are_many_groups():
    assert (stats.blocks(stats.BLOCKS) == np.arange(stats.BLOCKS)).all()
    many = stats.blocks(stats.BLOCKS + 1)
    assert len(np.unique(many)) == stats.BLOCKS
    one = random_predictions(0, n=600, skill=2)
    whole = evaluate.metric(one, "average_precision", "covid")
    slow = [
        average_precision_score((one["label"] == "covid").drop(i), one["p_covid"].drop(i))
        for i in range(len(one))
    ]
    error = stats.standard_error(np.array(slow))
    size = whole.value * (1 - whole.value) / error**2
    low = stats.share(whole.value, np.array(slow), 600, 600, whole.support).low
    assert whole.low == pytest.approx(low, abs=0.02)
    assert size < 600


# --- two figures ----------------------------------------------------------------------------------


def test_mcnemar_is_the_binomial_of_those_that_only_one_gets_right():
    a = np.array([1] * 10 + [0] * 2 + [1] * 20, bool)
    b = np.array([0] * 10 + [1] * 2 + [1] * 20, bool)
    # 2 (1 + 12 + 66) / 2^12
    assert stats.mcnemar_exact(a, b) == pytest.approx(158 / 4096, abs=1e-12)
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
    assert found.high - found.value == pytest.approx(
        1.959963984540054 * np.sqrt(variance), abs=1e-9
    )
    with pytest.raises(ValueError, match="two images of each kind"):
        stats.delong(np.arange(5) == 0, *scores[:, :5])


def test_p_of_few_groups_is_counted_out():
    assert stats.swap_p(np.array([1.0, 1, 1, 1])) == 2 / 16
    # 3 + {-2, 0, 0, 2}: three of four reach 3
    assert stats.swap_p(np.array([3.0, 1, -1, 0])) == 0.75
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
    assert evaluate.compare(*tables, "accuracy").p == pytest.approx(
        max(slow, 2.0 ** (1 - discordant))
    )


def answers(right, code):
    import pandas as pd

    said = np.where(right, "covid", "normal")
    table = pd.DataFrame(
        {"image_id": np.arange(len(code)), "group": code, "label": "covid", "predicted": said}
    )
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


# --- one figure by hand, at a limit and just beyond it --------------------------------------------

# groups of three, two and one image
SIX, THREE = np.array([1.0, 2, 3, 4, 5, 9]), np.array([0, 0, 0, 1, 1, 2])
WITHOUT = np.array([18 / 3, 15 / 4, 15 / 5])  # their mean without each group
ERROR = np.sqrt(2 / 3 * ((WITHOUT - WITHOUT.mean()) ** 2).sum())


def test_a_mean_by_hand():
    found = stats.mean(SIX, list("aaabbc"))
    half = t.ppf(0.975, 2) * ERROR
    assert (found.value, found.low, found.high) == pytest.approx((4, 4 - half, 4 + half))
    assert (found.n, found.groups, found.support, found.method) == (6, 3, 3, "jackknife, t")
    wide = stats.mean(SIX, THREE, level=0.99)
    assert wide.high - 4 == pytest.approx(t.ppf(0.995, 2) * ERROR)
    two = stats.mean(SIX[:5], THREE[:5])
    assert (two.value, two.groups) == (3, 2)
    assert two.method == "no interval: 2 group(s) on the scarcer side, 3 needed"
    for wrong in ([], [np.nan], [1, np.inf]):
        with pytest.raises(ValueError, match="at least one image, and finite values"):
            stats.mean(wrong)
    with pytest.raises(ValueError, match="one group per value"):
        stats.mean(SIX, THREE[1:])


def test_support_counts_in_place_of_the_groups_where_it_is_given():
    found = stats.centred(4, WITHOUT, 6, 3, support=8.5)
    half = t.ppf(0.975, 7.5) * ERROR
    assert (found.low, found.high, found.support) == pytest.approx((4 - half, 4 + half, 8.5))
    assert np.isfinite(stats.centred(4, WITHOUT, 6, 9, support=3).low)
    few = stats.centred(4, WITHOUT, 6, 9, support=2.9)
    assert np.isnan([few.low, few.high]).all()
    assert few.method.startswith("no interval: 3 group(s)")
    assert stats.centred(np.nan, WITHOUT, 6, 9).method == "undefined"
    assert stats.centred(np.nan, WITHOUT, 6, 2).method == "undefined"


def test_a_share_by_hand():
    without = np.array([0.5, 0.6, 0.7, 0.8])
    error = np.sqrt(3 / 4 * 0.05)
    for support, degrees in ((None, 3), (6.5, 5.5)):
        found = stats.share(0.65, without, 40, 4, support)
        size, q = 0.65 * 0.35 / error**2, t.ppf(0.975, degrees)
        middle = (0.65 + q**2 / (2 * size)) / (1 + q**2 / size)
        half = q / (1 + q**2 / size) * np.sqrt(0.65 * 0.35 / size + q**2 / (4 * size**2))
        assert (found.low, found.high) == pytest.approx((middle - half, middle + half))
        assert (found.n, found.groups, found.method) == (40, 4, "Wilson, effective size, t")
    assert np.isnan(stats.share(0.65, without, 40, 9, 2.9).low)
    assert np.isfinite(stats.share(0.65, without, 40, 9, 3).low)
    undefined = stats.share(np.nan, without, 40, 2)
    assert (undefined.method, undefined.groups, undefined.support) == ("undefined", 2, 2)


@pytest.mark.parametrize(
    "without",
    [np.full(4, 0.65), np.array([0.65, np.nan, np.nan, np.nan]), 0.65 + np.eye(4)[0] / 1e9],
)
def test_the_effective_size_is_at_most_the_number_of_images(without):
    found = stats.share(0.65, without, 40, 4)
    q = t.ppf(0.975, 3) ** 2
    assert (found.low + found.high) / 2 == pytest.approx((0.65 + q / 80) / (1 + q / 40))


def test_measurements_may_spread_less_than_answers_of_yes_and_no():
    without = np.array([0.64, 0.65, 0.66, 0.65])
    size, q = 0.65 * 0.35 / stats.standard_error(without) ** 2, t.ppf(0.975, 3) ** 2
    assert size > 40
    found = stats.share(0.65, without, 40, 4, answers=False)
    assert (found.low + found.high) / 2 == pytest.approx((0.65 + q / (2 * size)) / (1 + q / size))
    rounded = stats.share(0.65, without, 40, 4)
    assert (rounded.low + rounded.high) / 2 == pytest.approx((0.65 + q / 80) / (1 + q / 40))
    assert stats.proportion([0.64, 0.65, 0.66], level=0.9).low > 0.5


def test_a_proportion_takes_numbers_from_0_to_1_and_no_other():
    half = stats.proportion([0, 0.5, 1])
    assert half.method == "Wilson, effective size, t"  # not yes or no
    assert (half.value, half.n, half.groups) == (0.5, 3, 3)
    assert stats.proportion([0, 1, 1]).method == "Wilson"
    assert stats.proportion([0, 1, 1, 1], list("abcc")).groups == 3
    for wrong in ([], [0, -0.01], [1, 1.01], [np.nan]):
        with pytest.raises(ValueError, match=r"at least one image, and values in \[0, 1\]"):
            stats.proportion(wrong)
    ninety = stats.proportion([0, 1, 1], level=0.9)
    assert (ninety.low, ninety.high) == stats.wilson(2, 3, 0.9)
    groups = stats.proportion([0, 1, 1, 0, 1], list("aabcc"), level=0.9)
    assert groups == stats.share(0.6, np.array([2 / 3, 0.5, 2 / 3]), 5, 3, level=0.9)


def test_a_loss_by_hand():
    # sums 0.4, 0.8, 0.5, 0.7; mean 0.4
    values, group = [0.1, 0.3, 0.2, 0.6, 0.5, 0.7], [0, 0, 1, 1, 2, 3]
    without = np.log([2.0 / 4, 1.6 / 4, 1.9 / 5, 1.7 / 5])
    error = np.sqrt(3 / 4 * ((without - without.mean()) ** 2).sum())
    support = 2.4**2 / (0.16 + 0.64 + 0.25 + 0.49)
    factor = np.exp(t.ppf(0.975, support - 1) * error)
    found = stats.loss(values, group)
    assert (found.value, found.low, found.high) == pytest.approx((0.4, 0.4 / factor, 0.4 * factor))
    method = "jackknife on the log scale, t; few groups carry it: may be too narrow"
    assert (found.n, found.groups, found.method) == (6, 4, method)
    assert found.support == pytest.approx(support)
    assert stats.loss(values, group, most=0.5).high == 0.5
    assert stats.loss(values, group, most=99).high == found.high
    assert stats.loss(values, group, 0.9).high < found.high


def test_a_loss_rests_on_two_degrees_at_least_and_on_one_and_a_half_groups():
    def of(sums):
        return stats.loss(np.array(sums, float))

    few = of([6, 1, 1])  # support 64 / 38 = 1.7
    without = np.log([1, 3.5, 3.5])
    error = np.sqrt(2 / 3 * ((without - without.mean()) ** 2).sum())
    assert few.high == pytest.approx(8 / 3 * np.exp(t.ppf(0.975, 2) * error))
    at, below = of([7, 1, 1, 1, 1, 1]), of([8.5, 1, 1])  # supports 144 / 54 and 1.49
    assert np.isfinite(at.low)
    assert below.support == pytest.approx(10.5**2 / 74.25)
    assert below.method == "no interval: one of 3 groups carries it"
    assert np.isnan([below.low, below.high]).all()
    assert np.isfinite(of([8.2, 1, 1]).low)  # support 1.504
    assert of([1, 1]).method == "no interval: 2 group(s) on the scarcer side, 3 needed"
    nothing = of([0, 0, 0])
    assert (nothing.value, nothing.support) == (0, 0)
    assert np.isnan(nothing.high)
    for wrong in ([], [1, -0.01], [np.nan]):
        with pytest.raises(ValueError, match="values of 0 or more"):
            stats.loss(wrong)


def test_the_end_of_a_very_wide_interval_is_a_number():
    found = stats.loss([1, 2, 3, 4], level=1 - 1e-13)
    assert found.high == pytest.approx(2.5 * np.exp(700))


@pytest.mark.parametrize("level", [0, 1, -0.5, 1.5, 95])
def test_a_level_at_or_beyond_the_ends_is_refused_everywhere(level):
    one = stats.proportion(np.arange(6) < 3)
    asked = [
        lambda: stats.wilson(3, 6, level),
        lambda: stats.share(0.5, WITHOUT / 9, 6, 3, level=level),
        lambda: stats.proportion([0, 1, 1], level=level),
        lambda: stats.mean(SIX, level=level),
        lambda: stats.centred(4, WITHOUT, 6, 3, level=level),
        lambda: stats.loss(SIX, level=level),
        lambda: stats.difference(one, one, WITHOUT, WITHOUT, np.ones(3), level=level),
        lambda: stats.delong(np.arange(6) < 3, SIX, SIX, level),
    ]
    for ask in asked:
        with pytest.raises(ValueError, match="level is a fraction"):
            ask()
    for fine in (0.001, 0.5, 0.999):
        stats.check_level(fine)


def test_wilson_at_the_ends():
    q = 1.959963984540054**2
    for n in (1, 2, 3, 7, 20, 61, 1000):
        assert stats.wilson(0, n) == (0.0, pytest.approx(q / (n + q)))
        assert stats.wilson(n, n) == (pytest.approx(n / (n + q)), 1.0)
    assert np.isnan(stats.wilson(0, 0)).all()
    assert stats.wilson(1, 2, 0.5) == pytest.approx(
        (0.5 - 0.6745 / 2 / np.sqrt(2.455), 0.5 + 0.215235), abs=1e-4
    )
    for k, n in ((-1, 3), (4, 3), (1, 0)):
        with pytest.raises(ValueError, match="k must lie between 0 and n"):
            stats.wilson(k, n)


def width_with(estimate, size, groups, level=0.95):
    """Of the interval if there were so many groups of the same kind."""
    times = groups / estimate.groups
    low, high = score_interval(
        estimate.value, size * times, t_quantile(level, max(estimate.support * times, 2) - 1)
    )
    return high - low


@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize("width", [0.04, 0.1, 0.3, 0.6])
def test_the_groups_needed_are_the_fewest_that_do(width, level):
    holds, code = grouped(1)
    found = stats.proportion(holds, code, level)
    without = np.array([holds[code != g].mean() for g in range(12)])
    size = min(found.value * (1 - found.value) / stats.standard_error(without) ** 2, found.n)
    needed = stats.groups_needed(found, width, level)
    assert width_with(found, size, needed, level) <= width + 1e-9
    assert needed == 3 or width_with(found, size, needed - 1, level) > width
    assert stats.groups_needed(found, found.high - found.low, level) == 12


def test_groups_needed_refuses_what_has_no_interval_or_is_no_share():
    fine = stats.Estimate(0.5, 0.4, 0.6, 90, 90, 90.0, "")
    assert stats.groups_needed(fine, 0.99) == 3
    for end in (0.0, 1.0):
        stats.groups_needed(
            stats.Estimate(end, max(end - 0.1, 0), min(end + 0.1, 1), 90, 90, 90.0, ""), 0.05
        )
    bad = [(fine, 0), (fine, 1), (fine, -0.1), (fine, 1.1)]
    bad += [
        (stats.Estimate(v, low, v + 0.1, 9, 9, 9.0, ""), 0.1)
        for v, low in ((0.5, np.nan), (-0.1, -0.2), (1.1, 1))
    ]
    for estimate, width in bad:
        with pytest.raises(ValueError, match="a width lies between 0 and 1"):
            stats.groups_needed(estimate, width)


def test_figures_as_text():
    estimate = stats.Estimate(0.9091, 0.8154, 0.9577, 66, 66, 66.0, "")
    assert str(estimate) == "0.909 (0.82-0.96, n = 66)"
    assert estimate.text(counts=False) == "0.909 (0.82-0.96)"
    assert (
        str(stats.Estimate(0.5, np.nan, np.nan, 4, 2, 2.0, ""))
        == "0.500 (no interval, n = 4 in 2 groups)"
    )
    undefined = stats.Estimate(np.nan, np.nan, np.nan, 7, 7, 7.0, "")
    assert (str(undefined), undefined.text(False)) == ("undefined (n = 7)", "undefined")
    apart = stats.Difference(0.1, -0.05, 0.25, 66, 60, 60.0, "", a=0.9, b=0.8, p=0.1234)
    assert str(apart) == "+0.100 (-0.05 to +0.25), p = 0.123, n = 66"
    none = stats.Difference(0.1, np.nan, np.nan, 66, 60, 60.0, "", a=0.9, b=0.8, p=0.1234)
    assert str(none) == "+0.100 (no interval), p = 0.123, n = 66"


def test_a_standard_error_by_hand():
    assert stats.standard_error(np.array([0.5, 0.7])) == pytest.approx(0.1)  # sqrt(1/2 · 0.02)
    assert stats.standard_error(np.array([0.5, np.nan, 0.7])) == pytest.approx(0.1)
    assert stats.standard_error(np.array([1.0, 2, 6])) == pytest.approx(np.sqrt(2 / 3 * 14))
    assert np.isnan(stats.standard_error(np.array([0.5, np.nan])))


def test_blocks_are_of_one_size_and_the_same_each_time():
    many = stats.blocks(1001)
    assert np.unique(many, return_counts=True)[1].tolist() == [6] + [5] * 199
    assert (many == np.random.default_rng(0).permutation(np.arange(1001) % 200)).all()
    assert stats.blocks(3).tolist() == [0, 1, 2]
    assert stats.blocks(200).tolist() == list(range(200))
    assert stats.blocks(201).max() == 199


RANKS = np.array([1.0, 2, 2, 3, 3, 4])
POSITIVE = np.array([False, True, False, True, False, True])


def test_areas_by_hand():
    # 2 beats 1 and ties 2; 3 beats 1 and 2 and ties 3; 4 beats all: 1.5 + 2.5 + 3 of nine
    assert stats.auc(POSITIVE, RANKS) == pytest.approx(7 / 9)
    # without 0 and 1: 3 beats 2 and ties 3; without 2 and 3: 2 beats 1 only; 4 beats both each time
    found = stats.auc_without_each(POSITIVE, RANKS, np.array([0, 0, 1, 1, 2, 2]), 3)
    assert found == pytest.approx([3.5 / 4, 3 / 4, 3.5 / 4])
    found = stats.auc_without_each(POSITIVE, RANKS, np.array([0, 1, 0, 1, 0, 2]), 3)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([1, 4 / 6])
    for none in (POSITIVE & False, POSITIVE | True):
        assert np.isnan(stats.auc(none, RANKS))
        assert np.isnan(stats.auc_without_each(none, RANKS, np.arange(6), 6)).all()
    below_all = _jackknife.below(RANKS, ~POSITIVE, np.array([1, 1, 0, 0, 1, 1]))
    assert below_all.tolist() == [0.5, 1, 0.5, 1, 1.5, 2]


# --- two figures by hand --------------------------------------------------------------------------


def estimates(a=(0.8, 0.7, 0.9), b=(0.6, 0.4, 0.7)):
    return (
        stats.Estimate(*figure, 20, 4, support, how)
        for figure, support, how in ((a, 4.0, "A"), (b, 3.5, "B"))
    )


def test_a_difference_by_hand():
    a_without, b_without = np.array([0.7, 0.8, 0.8, 0.9]), np.array([0.5, 0.6, 0.65, 0.65])
    found = stats.difference(*estimates(), a_without, b_without, np.array([5, 5, 5, 5]))
    r = np.corrcoef(a_without, b_without)[0, 1]
    low = 0.2 - np.sqrt(0.1**2 + 0.1**2 - 2 * r * 0.1 * 0.1)
    high = 0.2 + np.sqrt(0.1**2 + 0.2**2 - 2 * r * 0.1 * 0.2)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, low, high))
    assert (found.a, found.b, found.n, found.groups, found.support) == (0.8, 0.6, 20, 4, 3.5)
    assert found.method == "both intervals and their correlation"
    # (value - without) · 3/4 + value / 4: 0.05, 0.05, 0.0875, 0.0125, all of one sign: 2 of 16 ways
    assert found.p == 0.125
    assert stats.difference(*estimates(), a_without, b_without, np.full(4, 5), 3).p == 0.25
    none = stats.difference(*estimates(), a_without, b_without, np.full(4, 5), 0)
    assert (none.p, none.low) == (1, pytest.approx(0.2 - np.sqrt(0.02)))
    one = stats.difference(*estimates(), a_without, b_without, np.full(4, 5), 1)
    assert (one.p, one.low) == (1, pytest.approx(low))


def test_a_difference_stays_within_its_range():
    found = stats.difference(
        *estimates((1, 0.2, 1), (0, 0, 0.9)), np.full(4, 1.0), np.zeros(4), np.ones(4)
    )
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(1 - np.hypot(0.8, 0.9))
    back = stats.difference(
        *estimates((0, 0, 0.9), (1, 0.2, 1)), np.zeros(4), np.full(4, 1.0), np.ones(4)
    )
    assert (back.value, back.low, back.high) == (-1, -1, pytest.approx(-1 + np.hypot(0.8, 0.9)))
    moved, still = np.array([0.7, 0.8, 0.9, 0.8]), np.full(4, 0.6)
    # 0: no correlation
    for x, y in ((moved, still), (still, moved), (moved, np.array([0.6, np.nan, np.nan, np.nan]))):
        found = stats.difference(*estimates(), x, y, np.ones(4))
        assert (found.low, found.high) == pytest.approx(
            (0.2 - np.hypot(0.1, 0.1), 0.2 + np.hypot(0.1, 0.2))
        )
    alike = stats.difference(
        *estimates((0.8, 0.7, 0.9), (0.6, 0.5, 0.7)), moved, moved - 0.2, np.ones(4)
    )
    assert (alike.low, alike.high) == pytest.approx((0.2, 0.2), abs=1e-6)


def test_a_difference_without_interval_says_whose_is_missing():
    none = (0.6, np.nan, np.nan)
    without = (np.linspace(0.7, 0.9, 4), np.linspace(0.5, 0.7, 4), np.ones(4))
    assert stats.difference(*estimates(b=none), *without).method == "B"
    assert stats.difference(*estimates(a=none), *without).method == "A"
    assert stats.difference(*estimates(a=none), *without).p == 0.125
    undefined = stats.difference(*estimates(a=(np.nan, np.nan, np.nan)), *without)
    assert undefined.method == "undefined"
    assert np.isnan([undefined.low, undefined.high, undefined.p]).all()
    same = stats.identical(*estimates((0.5, 0.4, 0.6), (0.5, 0.4, 0.6)))
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_contributions_of_a_share_sum_to_it():
    sizes, hits = np.array([3, 2, 1]), np.array([2, -1, 1])
    value = hits.sum() / 6
    found = _paired.contributions(value, (hits.sum() - hits) / (6 - sizes), sizes)
    assert found == pytest.approx(hits / 6)
    undefined = _paired.contributions(0.3, np.array([np.nan, 0.3, 0.3]), sizes)
    assert undefined == pytest.approx([0.15, 0.1, 0.05])


def slow_p(parts, seed=0):
    signs = np.random.default_rng(seed).integers(0, 2, (9_999, len(parts)), dtype=np.int8)
    return (
        1 + (np.abs((1 - 2 * signs.astype(float)) @ parts) >= abs(parts.sum()) - 1e-9).sum()
    ) / 10_000


def test_up_to_twelve_groups_every_way_of_swapping_is_looked_at():
    parts = np.array([3.0, 1, 1, 2, -1, 1, 1, -2, 1, 1, 2, 1, 1])
    ways = (np.arange(2**12)[:, None] >> np.arange(12)) & 1
    counted = (np.abs((1 - 2 * ways) @ parts[:12]) >= parts[:12].sum()).mean()
    assert stats.swap_p(parts[:12]) == counted
    assert stats.swap_p(np.r_[parts[:12], 0, 1e-13]) == counted  # what adds nothing does not count
    assert stats.swap_p(parts) == slow_p(parts)
    assert stats.swap_p(-parts) == slow_p(parts)
    assert stats.swap_p(np.array([1.0, 1])) == 0.5
    assert stats.swap_p(np.array([5.0, 4, -1]), discordant=1) == 1
    assert stats.swap_p(np.array([5.0, 4, -1]), discordant=0) == 1


def test_more_than_a_thousand_groups_are_swapped_in_a_thousand_blocks():
    parts = np.random.default_rng(3).normal(0.04, 1, 1001)
    assert stats.swap_p(parts[:1000]) == slow_p(parts[:1000])
    block = np.random.default_rng(1).permutation(np.arange(1001) % 1000)
    assert stats.swap_p(parts) == slow_p(np.bincount(block, parts))


def test_mcnemar_needs_two_lists_of_one_length():
    assert stats.mcnemar_exact([1, 0, 0], [0, 0, 0]) == 1
    assert stats.mcnemar_exact([1] * 6, [0] * 6) == stats.mcnemar_exact([0] * 6, [1] * 6) == 2 / 64
    for a, b in (([1, 0], [1]), ([[1, 0]], [[1, 0]])):
        with pytest.raises(ValueError, match="the same images for both models"):
            stats.mcnemar_exact(a, b)


def test_delong_by_hand():
    truth = np.array([True, True, False, False])
    a, b = np.array([2.0, 4, 1, 3]), np.array([4.0, 3, 1, 2])
    # of a: the positives beat 1/2 and 1 of the negatives, the negatives lose 1 and 1/2; of b: all
    found = stats.delong(truth, a, b)
    error = np.sqrt(0.125 / 2 + 0.125 / 2)
    assert (found.a, found.b, found.value) == (0.75, 1, -0.25)
    half = norm.ppf(0.975) * error
    assert (found.low, found.high) == pytest.approx((-0.25 - half, -0.25 + half))
    assert found.p == pytest.approx(2 * norm.sf(0.25 / error))
    assert (found.n, found.groups, found.support, found.method) == (4, 4, 4, "DeLong")
    assert stats.delong(truth, a, b, 0.5).high == pytest.approx(-0.25 + norm.ppf(0.75) * error)
    same = stats.delong(truth, a, 2 * a)
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    for one in (np.array([1, 0, 0, 0]), np.array([1, 1, 1, 0])):
        with pytest.raises(ValueError, match="two images of each kind"):
            stats.delong(one, a, b)
