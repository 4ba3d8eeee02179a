"""Questions of lesson 07, evaluation: which average, which unit, where to choose a threshold, which
model is better.
"""

import numpy as np
import pandas as pd

from .. import evaluate
from . import expect
from ._answers import (
    CANNOT_TELL,
    CASES,
    CLASSES,
    SENSITIVITY,
    SETS,
    TRUTH,
    competition,
    films,
    pair,
    parts,
    pick,
    reach,
)
from ._bootstrap import bootstrap
from ._question import Question
from ._running import Wrong

RESAMPLES = 1000
SLACK, WIDTH = (
    0.12,
    0.08,
)  # of the width: how far an end may be off, and the mean width of all; another seed may do that
# a threshold and a sensitivity that are the same but for rounding
NEAR_THRESHOLD, NEAR_SHARE = 0.02, 0.005

# --- q1: which average ----------------------------------------------------------------------------

q1 = Question(
    "winners",
    title="One competition, two winners",
    points=2,
    wants=(
        'winners(truth, answers) returns a dict: {"image": name of a model, "class": name of a '
        "model}"
    ),
    hints=(
        "Lesson 07, step 6: three averages of F1. What counts equally in each of them, the images "
        "or the classes?",
        "One average equals the accuracy: there each image counts equally. One is the plain mean "
        "of the classes' F1: there each class counts equally.",
        'scikit-learn: f1_score(truth, said, average=..., zero_division=0), with "micro", "macro" '
        'or "weighted". The '
        "third is weighted by the class frequencies.",
    ),
    data=competition,
)


@q1.rule
def _(winners, rng):
    cases = [competition(rng, SETS[k]) for k in rng.permutation([0, 0, 1, 1])]
    given = [_two_names(winners(*case), case[1]) for case in cases]
    rights = [_best(*case) for case in cases]
    if given == rights:
        return
    (truth, answers), right, named = next(
        row for row in zip(cases, rights, given, strict=True) if row[1] != row[2]
    )
    found, alarms = (
        (answers[named["class"]] == "covid") & (truth == c) for c in ("covid", "normal")
    )
    counts = {"found": found.sum(), "n": (truth == "covid").sum(), "alarms": alarms.sum()}
    for name, mistake in q1.mistakes.items():
        if given == [mistake.answer(*case) for case in cases]:
            raise q1.caught(name, **counts)
    key = next(key for key in right if right[key] != named[key])
    raise Wrong(f"The model under {key!r} is not first by that average.")


def _two_names(result, answers) -> dict[str, str]:
    if not isinstance(result, dict) or set(result) != {"image", "class"}:
        raise Wrong('The answer should be a dict with the keys "image" and "class".')
    return {
        key: expect.choice(result[key], answers, f"the name under {key!r}")
        for key in ("image", "class")
    }


def _best(truth, answers, by_image="accuracy", by_class="macro") -> dict[str, str]:
    """The winners by two of the figures of `_figures`."""
    figures = {name: _figures(truth, said) for name, said in answers.items()}
    winner = {
        figure: max(figures, key=lambda name: figures[name][figure])
        for figure in (by_image, by_class)
    }
    return {"image": winner[by_image], "class": winner[by_class]}


def _figures(truth, said) -> dict[str, float]:
    counts = [
        (((truth == c) & (said == c)).sum(), (truth == c).sum(), (said == c).sum()) for c in CLASSES
    ]
    hit, true, called = np.array(counts).T
    f1 = 2 * hit / (true + called)
    means = {"macro": f1.mean(), "weighted": f1 @ true / len(truth), "named": f1[f1 > 0].mean()}
    return means | {"accuracy": hit.sum() / len(truth), "sensitivity": (hit / true).mean()}


@q1.mistake(
    "The two are swapped. Micro pools all answers, so each image counts equally and the frequent "
    "class dominates. Macro is the plain mean of the classes' F1, so each class counts equally."
)
def swapped(truth, answers):
    return _best(truth, answers, by_image="macro", by_class="accuracy")


@q1.mistake(
    "Both prizes go to the model with the best accuracy (micro F1 is the same number). Your winner "
    "by class finds {found} of {n} covid images: with so few of them, a model can miss them all "
    "and still come first."
)
def accuracy(truth, answers):
    return _best(truth, answers, by_class="accuracy")


@q1.mistake(
    "Your winner by class is first by the weighted F1. That weights each class by its frequency, "
    "so the rare one hardly counts: your winner finds {found} of {n} covid images. If each class "
    "counts equally, use no weights."
)
def weighted(truth, answers):
    return _best(truth, answers, by_class="weighted")


@q1.mistake(
    "Your winner by class never predicts covid. Where precision or F1 of 0/0 is left out of the "
    "mean, missing a whole class costs nothing. Count it as 0, as 2·tp / (2·tp + fp + fn) does."
)
def lost_class_left_out(truth, answers):
    return _best(truth, answers, by_class="named")


@q1.mistake(
    "Your winner by class is first by the mean of the sensitivities. It finds {found} of {n} covid "
    "images, but its {alarms} false alarms for covid among the normal images hardly count. F1 "
    "includes both kinds of error."
)
def sensitivity_only(truth, answers):
    return _best(truth, answers, by_class="sensitivity")


@q1.edges
def _(right):
    yield "names in capitals", lambda *a: {k: v.upper() for k, v in right(*a).items()}, True
    yield "NumPy's text", lambda *a: {k: np.str_(v) for k, v in right(*a).items()}, True
    yield "only one of the two", lambda *a: {"image": right(*a)["image"]}, False
    yield "a name that is not there", lambda *a: right(*a) | {"class": "net"}, False
    yield (
        "the first model of all",
        lambda truth, answers: dict.fromkeys(("image", "class"), next(iter(answers))),
        False,
    )


# --- q2: the interval -----------------------------------------------------------------------------


q2 = Question(
    "interval",
    title="How far could it be off?",
    points=3,
    wants="interval(table) returns two numbers, low and high",
    hints=(
        "Another study would not sample other images of the same patients. What would it sample?",
        "Which rows belong in the denominator of a sensitivity? And which column names the unit "
        "to resample?",
        'weights = resamples(table["patient"]) says how often each row is drawn, in each of 1000 '
        "resamples. The covid "
        "rows are the denominator; those of them predicted as covid are the numerator.",
    ),
    data=films,
)


@q2.rule
def _(interval, rng):
    tables = [q2.data(rng) for _ in range(3)]
    found = np.array([expect.array(interval(table), (2,), "interval(table)") for table in tables])
    if (swapped := found[found[:, 0] > found[:, 1]]).size:
        raise Wrong(
            f"low is {swapped[0, 0]:.2f} and high is {swapped[0, 1]:.2f}: they are swapped."
        )
    right = np.array([_reference(table) for table in tables])
    width = np.ptp(right, axis=1)
    relative = float((np.ptp(found, axis=1) / width).mean())
    if (abs(found - right) <= SLACK * width[:, None]).all() and abs(relative - 1) <= WIDTH:
        return
    answers = {name: mistake.answer for name, mistake in q2.mistakes.items()}
    answers |= {
        level: lambda table, level=level: _reference(table, level=level) for level in (0.8, 0.99)
    }
    apart = {
        name: _apart(found, [answer(table) for table in tables]) for name, answer in answers.items()
    }
    nearest = min(apart, key=apart.get)
    if nearest in q2.mistakes and apart[nearest] <= SLACK * width.mean() / 2:
        table, (low, high) = tables[0], found[0]
        ill = table["label"] == "covid"
        patients = table["patient"][ill].nunique()
        raise q2.caught(nearest, n=int(ill.sum()), patients=patients, low=low, high=high)
    low, high = found[(abs(found - right).max(axis=1) / width).argmax()]
    raise Wrong(
        f"One of your intervals is {low:.2f} to {high:.2f}. They are {relative:.0%} as wide as "
        "those from resampling whole patients with all their images, or lie elsewhere."
    )


def _apart(a, b) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).mean())


def _reference(table: pd.DataFrame, metric: str = "sensitivity", **options) -> tuple[float, float]:
    ill, called = table["label"] == "covid", table["predicted"] == "covid"
    basis = {"sensitivity": ill, "ppv": called, "accuracy": ill | ~ill}[metric]
    return bootstrap((ill == called)[basis], table["patient"][basis], **options)


@q2.mistake(
    "Images were used as units: {n} images, but of {patients} patients. Images of one patient get "
    "similar answers, so they are not {n} independent answers, and {low:.2f} to {high:.2f} is too "
    "narrow. Resample patients."
)
def images_as_units(table):
    rows = table[table["label"] == "covid"]
    return evaluate.wilson(int((rows["predicted"] == "covid").sum()), len(rows))


@q2.mistake(
    "This is the interval of the accuracy: it includes the images without covid. Sensitivity uses "
    "only the covid images: how many of them are found?"
)
def accuracy_in_its_place(table):
    return _reference(table, "accuracy")


@q2.mistake(
    "This is the interval of the PPV: of the images predicted as covid, how many are covid? The "
    "denominator of the sensitivity is all covid images, not all alarms."
)
def wrong_denominator(table):
    return _reference(table, "ppv")


@q2.mistake(
    "A patient drawn twice was counted once (isin keeps each row once). The resamples are then too "
    "similar and the interval is too narrow: count a patient as often as drawn."
)
def counted_once(table):
    return _reference(table, most=1)


@q2.mistake(
    "These are the ends of the middle 90 %, which leave 5 % on each side. The middle 95 % leaves "
    "2.5 % on each side."
)
def middle_90(table):
    return _reference(table, level=0.9)


def _all_patients(table: pd.DataFrame) -> tuple[float, float]:
    """All patients resampled, also those without covid, as weights of rows."""
    number, names = pd.factorize(table["patient"])
    ill = (table["label"] == "covid").to_numpy()
    found = (table["predicted"] == "covid").to_numpy()[ill]
    drawn = np.random.default_rng(5).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES
    )
    weights = drawn[:, number][:, ill]
    low, high = np.quantile((weights * found).sum(axis=1) / weights.sum(axis=1), [0.025, 0.975])
    return (low, high)


@q2.edges
def _(right):
    yield "a list", lambda table: list(right(table)), True
    yield "all patients resampled, also without covid", _all_patients, True
    yield "another seed, few resamples", lambda table: _reference(table, seed=3, times=600), True
    yield "per cent", lambda table: 100 * np.array(right(table)), False
    yield "moved by 0.05", lambda table: np.array(right(table)) + 0.05, False
    yield "low and high swapped", lambda table: right(table)[::-1], False
    yield "always 0 to 1", lambda table: (0.0, 1.0), False


# --- q3: where the threshold may come from --------------------------------------------------------


q3 = Question(
    "report",
    title="The sensitivity to report",
    points=2,
    wants=(
        'report(validation, test) returns a dict of two numbers: {"threshold": ..., '
        '"sensitivity": ...}'
    ),
    hints=(
        "A target is not a measurement. Which of the two numbers is set by you, and which is "
        "measured?",
        "Choose on one part, freeze the threshold, measure on the other. Which part may you use "
        "as often as you like?",
        "The threshold comes from the scores of the ill images in validation: at most 5 % of them "
        "lie below it. Then take the share of the ill images in test whose score reaches it.",
    ),
    data=parts,
)


@q3.rule
def _(report, rng):
    cases, given = [q3.data(rng) for _ in range(3)], []
    for validation, test in cases:
        result = report(validation, test)
        if not isinstance(result, dict) or set(result) != {"threshold", "sensitivity"}:
            raise Wrong('The answer should be a dict with the keys "threshold" and "sensitivity".')
        given.append(tuple(expect.number(result[key], key) for key in ("threshold", "sensitivity")))
    wrong = [
        (case, told) for case, told in zip(cases, given, strict=True) if not _reported(*told, *case)
    ]
    if not wrong:
        return
    (validation, test), (threshold, share) = wrong[0]
    measured, asked = reach(test, threshold), reach(validation, threshold)
    for name, mistake in q3.mistakes.items():
        others = [mistake.answer(*case).values() for case in cases]
        if (
            abs(np.array(given) - [[*other] for other in others]) <= (NEAR_THRESHOLD, NEAR_SHARE)
        ).all():
            raise q3.caught(name, share=share, measured=measured, asked=asked)
    if abs(share - measured) > NEAR_SHARE:
        raise Wrong(
            f"{share:.3f} is not the sensitivity at {threshold:.3f} on the part where it should be "
            "measured."
        )
    much = (
        "more than required (roc_curve needs drop_intermediate=False)"
        if asked > SENSITIVITY
        else "less than asked"
    )
    raise Wrong(
        f"On the part where it should be chosen, {threshold:.3f} gives a sensitivity of "
        f"{asked:.3f}, {much}."
    )


def _reported(threshold: float, share: float, validation: pd.DataFrame, test: pd.DataFrame) -> bool:
    """Whether the threshold is that of the validation part, and the share that of the test part."""
    chosen = reach(validation, threshold) == reach(validation, pick(validation))
    return chosen and abs(share - reach(test, threshold)) <= NEAR_SHARE


@q3.mistake(
    "The threshold was chosen on the test images, so their sensitivity, {share:.3f}, is a target "
    "and not a measurement: it would be 0.95 or just above for any model. Choose on validation, "
    "freeze, measure on test."
)
def picked_on_test(validation, test):
    threshold = pick(test)
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


@q3.mistake(
    "Validation and test were combined to choose the threshold. More images make it more stable, "
    "but the test images then influenced it and no longer measure it. Leave them out until the "
    "threshold is fixed."
)
def pooled(validation, test):
    threshold = pick(pd.concat([validation, test]))
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


@q3.mistake(
    "The threshold is right, chosen on validation. But {share:.3f} is the sensitivity on the same "
    "images, where it was the target. Report the sensitivity on the test images, whether lower or "
    "higher."
)
def validation_reported(validation, test):
    threshold = pick(validation)
    return {"threshold": threshold, "sensitivity": reach(validation, threshold)}


@q3.mistake(
    "0.5 is only a default: at 0.5 the sensitivity on validation is {asked:.3f}, but 0.95 is "
    "required. Derive the threshold from the required sensitivity."
)
def one_half(validation, test):
    return {"threshold": 0.5, "sensitivity": reach(test, 0.5)}


@q3.mistake(
    "95 % of *all* images lie above your threshold, including those without the disease, and "
    "{asked:.3f} of the ill ones on validation. Sensitivity concerns the ill images only: use "
    "their scores."
)
def all_images(validation, test):
    threshold = float(validation["score"].quantile(1 - SENSITIVITY))
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


@q3.edges
def _(right):
    def changed(**by):
        return lambda *tables: {
            key: value + by.get(key, 0) for key, value in right(*tables).items()
        }

    def by_quantile(validation, test):
        threshold = validation.loc[validation["ill"], "score"].quantile(1 - SENSITIVITY)
        return {"threshold": threshold, "sensitivity": reach(test, threshold)}

    yield "the quantile of the scores", by_quantile, True
    yield "rounded to three digits", changed(sensitivity=0.0005), True
    yield (
        "NumPy's numbers",
        lambda *t: {key: np.float64(value) for key, value in right(*t).items()},
        True,
    )
    yield "sensitivity off by 0.02", changed(sensitivity=0.02), False
    yield "a threshold that is too low", changed(threshold=-0.1), False
    yield "per cent", lambda *t: {key: 100 * value for key, value in right(*t).items()}, False


# --- q4: do two models differ ---------------------------------------------------------------------

q4 = Question(
    "judge",
    title="Which model is better?",
    points=3,
    wants=f'judge(table) returns "A", "B" or "{CANNOT_TELL}"',
    hints=(
        "Both models classified the same images. On how many do they disagree, and which patients "
        "do these images belong to?",
        "Resample the *difference* B - A, with the same draw for both. What is the unit: an "
        "image, or a patient?",
        'weights = resamples(table["patient"]); for each draw, the accuracy of B minus the '
        "accuracy of A. If the "
        "middle 95 % of the differences include zero, this test cannot tell.",
    ),
    data=lambda rng: pair(rng, "many images", False),
)


@q4.rule
def _(judge, rng):
    given, swaps = {}, rng.permutation([True, False, True, False, False])
    for case, swap in zip(map(str, rng.permutation(list(CASES))), swaps, strict=True):
        said = judge(pair(rng, case, bool(swap)))
        said = expect.choice(said, ["A", "B", CANNOT_TELL, "equal"], "judge(table)")
        given[case] = {"A": "B", "B": "A"}[said] if swap and said in "AB" else said
    if given == TRUTH:
        return
    if "equal" in given.values():
        raise q4.caught("calls_it_equal")
    if given == TRUTH | {"many images": "B", "large lead": "B"}:
        raise q4.caught("higher_wins")
    if given["paired"] == CANNOT_TELL == given["apart"]:
        raise (
            q4.caught("intervals_overlap")
            if given["clear"] == "A"
            else Wrong("One of the tables has a clear difference.")
        )
    if given["paired"] == CANNOT_TELL:
        raise q4.caught("unpaired")
    if given == TRUTH | {"many images": "B"}:
        raise q4.caught("images_count")
    wrong = next(case for case in CASES if given[case] != TRUTH[case])
    backwards = {given[wrong], TRUTH[wrong]} == {"A", "B"}
    raise Wrong(
        "The worse model was called better: check the sign of the difference."
        if backwards
        else f"On one of the tables the answer should be {TRUTH[wrong]!r}, not {given[wrong]!r}."
    )


def _resampled(table: pd.DataFrame, seed: int, unit: str = "patient") -> np.ndarray:
    """Accuracies of both models in each resample: (resamples, 2)."""
    by = (
        table.groupby(unit)[["a_right", "b_right"]]
        .sum()
        .assign(n=table.groupby(unit).size())
        .to_numpy(float)
    )
    weights = np.random.default_rng(seed).multinomial(
        len(by), np.full(len(by), 1 / len(by)), size=RESAMPLES
    )
    sums = weights @ by
    return sums[:, :2] / sums[:, 2:]


def _verdict(difference: np.ndarray, otherwise: str = CANNOT_TELL) -> str:
    low, high = np.quantile(difference, [0.025, 0.975])
    return "B" if low > 0 else "A" if high < 0 else otherwise


@q4.mistake(
    "The model with the higher accuracy was chosen on all tables. On two of them its lead is "
    "large, and yet a 95 % interval of the difference includes zero: with other patients it may "
    "vanish. Compute that interval first, with 2.5 % left out on each side."
)
def higher_wins(table):
    return "B" if table["b_right"].mean() > table["a_right"].mean() else "A"


@q4.mistake(
    "Two overlapping intervals do not show that the models cannot be told apart: most of their "
    "width is the variation between patients, which is the same for both models. Use the interval "
    "of the difference."
)
def intervals_overlap(table):
    (low_a, low_b), (high_a, high_b) = np.quantile(_resampled(table, 0), [0.025, 0.975], axis=0)
    return "B" if low_b > high_a else "A" if low_a > high_b else CANNOT_TELL


@q4.mistake(
    "On one table a clear difference was missed, as happens when the two models are resampled "
    "separately, as if they had classified different images. Where A is wrong on an image, B "
    "usually is too; with the same draw for both this cancels, and the difference rests on 14 "
    "images against 2. Resample in pairs."
)
def unpaired(table):
    return _verdict(_resampled(table, 1)[:, 1] - _resampled(table, 2)[:, 0])


@q4.mistake(
    "In one table the lead rests on patients with six images each, which are not six independent "
    "answers. With patients as units the 95 % interval of the difference includes zero; with "
    "images as units it does not. Resample patients."
)
def images_count(table):
    accuracies = _resampled(table.assign(film=range(len(table))), 0, "film")
    return _verdict(accuracies[:, 1] - accuracies[:, 0])


@q4.mistake(
    "This test cannot show that two models are equal: an interval that includes zero includes "
    "other differences too. "
    f'Say "{CANNOT_TELL}".'
)
def calls_it_equal(table):
    accuracies = _resampled(table, 0)
    return _verdict(accuracies[:, 1] - accuracies[:, 0], "equal")


@q4.edges
def _(right):
    def by_t(table):
        from scipy.stats import ttest_1samp

        d = (table["b_right"].astype(int) - table["a_right"]).groupby(table["patient"]).sum()
        return CANNOT_TELL if ttest_1samp(d, 0).pvalue > 0.05 else "B" if d.sum() > 0 else "A"

    yield "a paired t-test over patients", by_t, True
    yield "small letters", lambda table: right(table).lower(), True
    yield "the wrong way round", lambda t: {"A": "B", "B": "A"}.get(right(t), CANNOT_TELL), False
    yield "always undecided", lambda table: CANNOT_TELL, False
    yield "always B", lambda table: "B", False
    yield "True or False", lambda table: right(table) == "B", False
