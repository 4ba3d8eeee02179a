"""Questions of lesson 07, evaluation: which average, which unit, where to pick a threshold, which model is better."""

import numpy as np
import pandas as pd

from .. import evaluate
from . import expect
from ._answers import CANNOT_TELL, CASES, CLASSES, SENSITIVITY, TRUTH, competition, films, pair, parts, pick, reach
from ._bootstrap import bootstrap
from ._question import Question
from ._running import Wrong

RESAMPLES = 1000
SLACK = 0.03  # of an end of an interval: what resampling with another seed may change
NEAR_THRESHOLD, NEAR_SHARE = 0.02, 0.005  # a threshold and a sensitivity that are the same but for rounding

# --- q1: which average ----------------------------------------------------------------------------------------------

q1 = Question(
    "winners",
    title="One competition, two winners",
    points=2,
    wants='winners(truth, answers) returns a dict: {"image": name of a model, "class": name of a model}',
    hints=(
        "Lesson 07, step 6: three averages of F1. Who has a vote in each of them, an image or a class?",
        "One average is the accuracy under another name: there each image has one vote. One takes the mean of the "
        "classes' F1 as it is: there each class has one.",
        'scikit-learn: f1_score(truth, said, average=..., zero_division=0), with "micro", "macro" or "weighted". The '
        "weights of the third are how frequent the classes are.",
    ),
    data=competition,
)


@q1.rule
def _(winners, rng):
    cases = [q1.data(rng) for _ in range(2)]
    given = [_two_names(winners(*case), case[1]) for case in cases]
    rights = [_best(*case) for case in cases]
    if given == rights:
        return
    truth, said = cases[0][0], cases[0][1][given[0]["class"]]
    found, alarms = ((said == "covid") & (truth == c) for c in ("covid", "normal"))
    counts = {"found": found.sum(), "n": (truth == "covid").sum(), "alarms": alarms.sum()}
    for name, mistake in q1.mistakes.items():
        if given == [mistake.answer(*case) for case in cases]:
            raise q1.caught(name, **counts)
    right, named = next(two for two in zip(rights, given, strict=True) if two[0] != two[1])
    key = next(key for key in right if right[key] != named[key])
    raise Wrong(f"The model under {key!r} is not first by that average.")


def _two_names(result, answers) -> dict[str, str]:
    if not isinstance(result, dict) or set(result) != {"image", "class"}:
        raise Wrong('The answer should be a dict with the keys "image" and "class".')
    return {key: expect.choice(result[key], answers, f"the name under {key!r}") for key in ("image", "class")}


def _best(truth, answers, by_image="accuracy", by_class="macro") -> dict[str, str]:
    """The winners by two of the figures of `_figures`."""
    figures = {name: _figures(truth, said) for name, said in answers.items()}
    winner = {figure: max(figures, key=lambda name: figures[name][figure]) for figure in (by_image, by_class)}
    return {"image": winner[by_image], "class": winner[by_class]}


def _figures(truth, said) -> dict[str, float]:
    counts = [(((truth == c) & (said == c)).sum(), (truth == c).sum(), (said == c).sum()) for c in CLASSES]
    hit, true, called = np.array(counts).T
    f1 = 2 * hit / (true + called)
    means = {"macro": f1.mean(), "weighted": f1 @ true / len(truth), "named": f1[f1 > 0].mean()}
    return means | {"accuracy": hit.sum() / len(truth), "sensitivity": (hit / true).mean()}


@q1.mistake(
    "The two are swapped. Micro pools all answers: each image has one vote, and the frequent class most of them. Macro "
    "takes the mean of the classes' F1: there each class has one."
)
def swapped(truth, answers):
    return _best(truth, answers, by_image="macro", by_class="accuracy")


@q1.mistake(
    "Both winners were chosen by accuracy (micro F1 is the same under another name). Your winner by class finds "
    "{found} of {n} covid images: with so few of them it may lose them all and stay on top."
)
def accuracy(truth, answers):
    return _best(truth, answers, by_class="accuracy")


@q1.mistake(
    "The winner by class was chosen by the weighted F1. It weighs a class by how frequent it is, so the rare one "
    "hardly counts: your winner finds {found} of {n} covid images. Where classes count alike, nothing is weighted."
)
def weighted(truth, answers):
    return _best(truth, answers, by_class="weighted")


@q1.mistake(
    "Your winner by class never says covid. Its F1 for that class came out as 0/0 and dropped out of the mean, so that "
    "losing a class did not cost anything. Count it as 0: 2·tp / (2·tp + fp + fn) does."
)
def lost_class_left_out(truth, answers):
    return _best(truth, answers, by_class="named")


@q1.mistake(
    "Only sensitivities went into the winner by class. It finds {found} of {n} covid images, and its false alarms for "
    "covid, {alarms} of them among the normal images, cost it next to nothing. F1 counts both kinds of error."
)
def sensitivity_only(truth, answers):
    return _best(truth, answers, by_class="sensitivity")


@q1.edges
def _(right):
    yield "names in capitals", lambda *a: {k: v.upper() for k, v in right(*a).items()}, True
    yield "NumPy's text", lambda *a: {k: np.str_(v) for k, v in right(*a).items()}, True
    yield "only one of the two", lambda *a: {"image": right(*a)["image"]}, False
    yield "a name that is not there", lambda *a: right(*a) | {"class": "net"}, False
    yield "the first model of all", lambda truth, answers: dict.fromkeys(("image", "class"), next(iter(answers))), False


# --- q2: the interval -----------------------------------------------------------------------------------------------


q2 = Question(
    "interval",
    title="How far could it be off?",
    points=3,
    wants="interval(table) returns two numbers, low and high",
    hints=(
        "Another study would not draw other films of these people. What would it draw?",
        "A sensitivity has a denominator: which rows belong in it? And which column names the unit to be drawn?",
        'weights = resamples(table["patient"]) says how often each row is drawn, 1000 times over. The rows of the ill '
        "make the denominator; those of them that were called covid the numerator.",
    ),
    data=films,
)


@q2.rule
def _(interval, rng):
    table = q2.data(rng)
    found = expect.array(interval(table), (2,), "interval(table)")
    if found[0] > found[1]:
        raise Wrong(f"low is {found[0]:.2f} and high is {found[1]:.2f}: the other way round.")
    reference = _reference(table)
    apart = {name: _apart(found, mistake.answer(table)) for name, mistake in q2.mistakes.items()}
    nearest = min(apart, key=apart.get)
    if _apart(found, reference) <= min(SLACK, apart[nearest]):
        return
    ill = table["label"] == "covid"
    counts = {"n": int(ill.sum()), "patients": table["patient"][ill].nunique(), "low": found[0], "high": found[1]}
    if apart[nearest] <= SLACK:
        raise q2.caught(nearest, **counts)
    wider = found[1] - found[0] > reference[1] - reference[0]
    raise Wrong(
        f"Your interval, {found[0]:.2f} to {found[1]:.2f}, is {'wider' if wider else 'narrower'} than that of whole "
        "patients drawn, with all their films, or it lies elsewhere."
    )


def _apart(a, b) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def _reference(table: pd.DataFrame, metric: str = "sensitivity", **options) -> tuple[float, float]:
    ill, called = table["label"] == "covid", table["predicted"] == "covid"
    basis = {"sensitivity": ill, "ppv": called, "accuracy": ill | ~ill}[metric]
    return bootstrap((ill == called)[basis], table["patient"][basis], **options)


@q2.mistake(
    "Films were taken as units: {n} films, but of {patients} patients. Films of one person are answered alike, so they "
    "are not {n} independent answers, and {low:.2f} to {high:.2f} promises too much. Draw patients."
)
def images_as_units(table):
    rows = table[table["label"] == "covid"]
    return evaluate.wilson(int((rows["predicted"] == "covid").sum()), len(rows))


@q2.mistake(
    "This is the interval of the accuracy: the well are in it, too. A sensitivity asks the ill alone: of those who "
    "have it, how many are found?"
)
def accuracy_in_its_place(table):
    return _reference(table, "accuracy")


@q2.mistake(
    "This is the interval of the PPV: of those called covid, how many have it? A sensitivity has the ill in its "
    "denominator, not the alarms."
)
def wrong_denominator(table):
    return _reference(table, "ppv")


@q2.mistake(
    "A patient who was drawn twice counted once (isin keeps each row once). Then the resamples are too much alike and "
    "the interval is too narrow: count a patient as often as drawn."
)
def counted_once(table):
    return _reference(table, most=1)


def _all_patients(table: pd.DataFrame) -> tuple[float, float]:
    """All patients drawn, the well too, as weights of rows."""
    number, names = pd.factorize(table["patient"])
    ill = (table["label"] == "covid").to_numpy()
    found = (table["predicted"] == "covid").to_numpy()[ill]
    drawn = np.random.default_rng(5).multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    weights = drawn[:, number][:, ill]
    low, high = np.quantile((weights * found).sum(axis=1) / weights.sum(axis=1), [0.025, 0.975])
    return (low, high)


@q2.edges
def _(right):
    yield "a list", lambda table: list(right(table)), True
    yield "all patients resampled, the well too", _all_patients, True
    yield "another seed, few resamples", lambda table: _reference(table, seed=3, times=600), True
    yield "per cent", lambda table: 100 * np.array(right(table)), False
    yield "moved by 0.05", lambda table: np.array(right(table)) + 0.05, False
    yield "low and high swapped", lambda table: right(table)[::-1], False
    yield "always 0 to 1", lambda table: (0.0, 1.0), False


# --- q3: where the threshold may come from --------------------------------------------------------------------------


q3 = Question(
    "report",
    title="The sensitivity to report",
    points=2,
    wants='report(validation, test) returns a dict of two numbers: {"threshold": ..., "sensitivity": ...}',
    hints=(
        "What was asked for is not a measurement. Which of the two numbers is asked for, and which is measured?",
        "Choose on one part, freeze, measure on the other. Which part may you look at as often as you like?",
        "The threshold comes from the scores of the ill in validation: sorted, at most 5 % of them lie below it. Then "
        "the share of the ill of the test part whose score reaches it.",
    ),
    data=parts,
)


@q3.rule
def _(report, rng):
    for _ in range(2):
        validation, test = q3.data(rng)
        result = report(validation, test)
        if not isinstance(result, dict) or set(result) != {"threshold", "sensitivity"}:
            raise Wrong('The answer should be a dict with the keys "threshold" and "sensitivity".')
        threshold, share = (expect.number(result[key], key) for key in ("threshold", "sensitivity"))
        measured, asked = reach(test, threshold), reach(validation, threshold)
        chosen = asked == reach(validation, pick(validation))
        if chosen and abs(share - measured) <= NEAR_SHARE:
            continue
        for name, mistake in q3.mistakes.items():
            other = mistake.answer(validation, test)
            near = abs(other["threshold"] - threshold) <= NEAR_THRESHOLD
            if near and abs(other["sensitivity"] - share) <= NEAR_SHARE:
                raise q3.caught(name, share=share, measured=measured, asked=asked)
        if chosen or abs(share - measured) > NEAR_SHARE:
            raise Wrong(f"{share:.3f} is not the sensitivity at {threshold:.3f}, where it is to be measured.")
        much = "more than asked (roc_curve needs drop_intermediate=False)" if asked > SENSITIVITY else "less than asked"
        raise Wrong(f"Where it is to be chosen, {threshold:.3f} gives a sensitivity of {asked:.3f}, {much}.")


@q3.mistake(
    "The threshold was picked on the test images, so their sensitivity, {share:.3f}, was asked for and not measured: "
    "it would come out at 0.95 or just above for any model. Pick on validation, freeze, measure on test."
)
def picked_on_test(validation, test):
    threshold = pick(test)
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


@q3.mistake(
    "Validation and test were put together to pick the threshold. More images make it steadier, but the test images "
    "have had a say in it and no longer measure it. Leave them out until the threshold is frozen."
)
def pooled(validation, test):
    threshold = pick(pd.concat([validation, test]))
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


@q3.mistake(
    "The threshold is right, and it was picked on validation. But {share:.3f} is the sensitivity on those same images: "
    "asked for, not measured. Report what the test images say, be it less or more."
)
def validation_reported(validation, test):
    threshold = pick(validation)
    return {"threshold": threshold, "sensitivity": reach(validation, threshold)}


@q3.mistake(
    "0.5 is a habit, not a law: at it the sensitivity on validation is {asked:.3f}, and 0.95 was wanted. The threshold "
    "follows from what is wanted."
)
def one_half(validation, test):
    return {"threshold": 0.5, "sensitivity": reach(test, 0.5)}


@q3.mistake(
    "95 % of *all* images lie above your threshold, the well included, and on validation {asked:.3f} of the ill. A "
    "sensitivity asks the ill alone: take the scores of those who have it."
)
def all_images(validation, test):
    threshold = float(validation["score"].quantile(1 - SENSITIVITY))
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


@q3.edges
def _(right):
    def changed(**by):
        return lambda *tables: {key: value + by.get(key, 0) for key, value in right(*tables).items()}

    def by_quantile(validation, test):
        threshold = validation.loc[validation["ill"], "score"].quantile(1 - SENSITIVITY)
        return {"threshold": threshold, "sensitivity": reach(test, threshold)}

    yield "the quantile of the scores", by_quantile, True
    yield "rounded to three digits", changed(sensitivity=0.0005), True
    yield "NumPy's numbers", lambda *t: {key: np.float64(value) for key, value in right(*t).items()}, True
    yield "sensitivity off by 0.02", changed(sensitivity=0.02), False
    yield "a threshold that is too low", changed(threshold=-0.1), False
    yield "per cent", lambda *t: {key: 100 * value for key, value in right(*t).items()}, False


# --- q4: do two models differ ---------------------------------------------------------------------------------------

q4 = Question(
    "judge",
    title="Which model is better?",
    points=3,
    wants=f'judge(table) returns "A", "B" or "{CANNOT_TELL}"',
    hints=(
        "Both models answered the same films. On how many of them do they disagree, and whose films are those?",
        "Resample the *difference* B - A, with the same draw for both. What is drawn: a film, or a person?",
        'weights = resamples(table["patient"]); for each draw, the accuracy of B less the accuracy of A. Where the '
        "middle 95 % of the differences include zero, this test cannot tell.",
    ),
    data=lambda rng: pair(rng, "few people", False),
)


@q4.rule
def _(judge, rng):
    given, swaps = {}, dict(zip(CASES, rng.permutation([True, False, True, False, False]), strict=True))
    for case, swap in swaps.items():
        said = judge(pair(rng, case, bool(swap)))
        said = expect.choice(said, ["A", "B", CANNOT_TELL, "equal"], "judge(table)")
        given[case] = {"A": "B", "B": "A"}[said] if swap and said in "AB" else said
    if given == TRUTH:
        return
    if "equal" in given.values():
        raise q4.caught("calls_it_equal")
    if given["tie"] != CANNOT_TELL:
        raise q4.caught("higher_wins")
    if given["paired"] == CANNOT_TELL == given["apart"]:
        raise q4.caught("intervals_overlap") if given["clear"] == "A" else Wrong("Is there nothing that it can tell?")
    if given["paired"] == CANNOT_TELL:
        raise q4.caught("unpaired")
    if given["few people"] != CANNOT_TELL and given | {"few people": CANNOT_TELL} == TRUTH:
        raise q4.caught("images_count")
    wrong = next(case for case in CASES if given[case] != TRUTH[case])
    backwards = {given[wrong], TRUTH[wrong]} == {"A", "B"}
    raise Wrong(
        "The worse of the two was called the better one: which way round is the difference?"
        if backwards
        else f"On one of the tables the answer should be {TRUTH[wrong]!r}, not {given[wrong]!r}."
    )


def _resampled(table: pd.DataFrame, seed: int, unit: str = "patient") -> np.ndarray:
    """Accuracies of both models in each resample: (resamples, 2)."""
    by = table.groupby(unit)[["a_right", "b_right"]].sum().assign(n=table.groupby(unit).size()).to_numpy(float)
    weights = np.random.default_rng(seed).multinomial(len(by), np.full(len(by), 1 / len(by)), size=RESAMPLES)
    sums = weights @ by
    return sums[:, :2] / sums[:, 2:]


def _verdict(difference: np.ndarray, otherwise: str = CANNOT_TELL) -> str:
    low, high = np.quantile(difference, [0.025, 0.975])
    return "B" if low > 0 else "A" if high < 0 else otherwise


@q4.mistake(
    "The higher accuracy won, by whatever margin. A lead of three answers in two hundred may be gone with other "
    "patients. Ask for the interval of the difference first."
)
def higher_wins(table):
    return "B" if table["b_right"].mean() > table["a_right"].mean() else "A"


@q4.mistake(
    "Two intervals that overlap do not prove that nothing can be told: most of their width is how hard the drawn "
    "images are, and those are the same for both models. Look at the interval of the difference."
)
def intervals_overlap(table):
    (low_a, low_b), (high_a, high_b) = np.quantile(_resampled(table, 0), [0.025, 0.975], axis=0)
    return "B" if low_b > high_a else "A" if low_a > high_b else CANNOT_TELL


@q4.mistake(
    "The two models were resampled apart, each on images of its own, as if they had not answered the same ones. Where "
    "A is wrong on an image, B mostly is, too; in one draw for both this cancels, and 14 against 2 decide."
)
def unpaired(table):
    return _verdict(_resampled(table, 1)[:, 1] - _resampled(table, 2)[:, 0])


@q4.mistake(
    "Films were counted where people should be. In one table the better model owes its lead to two patients of twelve "
    "films each: two people, not twenty-four answers. Draw patients."
)
def images_count(table):
    accuracies = _resampled(table.assign(film=range(len(table))), 0, "film")
    return _verdict(accuracies[:, 1] - accuracies[:, 0])


@q4.mistake(
    f'"equal" cannot be shown in this way: an interval that includes zero includes other differences, too. This test '
    f'cannot tell the two apart; say "{CANNOT_TELL}".'
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
