"""Questions of lesson 07: which average, a score by folds, a threshold, which model is better."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import _networks, _out_of_fold, expect, fresh
from ._kinds import Case, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

CANNOT_TELL = "cannot tell"
SENSITIVITY = 0.95  # that a threshold is asked to reach
APART = 0.044  # between two thresholds, so that choosing elsewhere gives another answer
RESAMPLES = 1000
# a threshold and a sensitivity that are the same but for rounding
NEAR_THRESHOLD, NEAR_SHARE = 0.02, 0.005

# --- q1: which average ----------------------------------------------------------------------------


def _swapped(truth, answers):
    return _best(truth, answers, by_image="macro", by_class="accuracy")


CLASSES = ("normal", "viral", "covid")
# Confusion matrices of entrants; a row is a true class. In each set of five, each is first by one
# way of counting, some by one class alone (the last three).
ENTRANTS = {
    "accurate": [[693, 7, 0], [15, 185, 0], [17, 2, 1]],
    "weighted": [[668, 32, 0], [3, 197, 0], [6, 6, 8]],
    "lost": [[690, 10, 0], [20, 180, 0], [12, 8, 0]],
    "balanced": [[660, 36, 4], [18, 182, 0], [2, 1, 17]],
    "keen": [[632, 26, 42], [10, 180, 10], [0, 0, 20]],
    "best for normal": [[698, 2, 0], [1, 130, 69], [1, 7, 12]],
    "best for viral": [[600, 0, 100], [5, 195, 0], [10, 0, 10]],
    "best for covid": [[690, 10, 0], [110, 90, 0], [0, 0, 20]],
}
SETS = (
    ("accurate", "weighted", "lost", "balanced", "keen"),
    ("accurate", "balanced", "best for normal", "best for viral", "best for covid"),
)


def competition(
    rng: np.random.Generator, entrants: tuple[str, ...] = SETS[0]
) -> tuple[np.ndarray, dict]:
    """True classes, and the answers of five models by name, in random order."""
    times = int(rng.integers(1, 4))
    truth = np.repeat(CLASSES, np.sum(ENTRANTS["keen"], axis=1) * times)
    order = rng.permutation(len(truth))
    answers = {}
    for name, key in zip(fresh.names(rng, 5, "net-"), rng.permutation(entrants), strict=True):
        rows = [np.repeat(CLASSES, np.array(row) * times) for row in ENTRANTS[key]]
        answers[name] = np.concatenate(rows)[order]
    return truth[order], answers


def _best(truth, answers, *, by_image="accuracy", by_class="macro") -> dict[str, str]:
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


def _two_names(value, case: Case) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) != {"image", "class"}:
        raise Wrong('The answer should be a dict with the keys "image" and "class".')
    answers = case.given[1]
    return {
        key: expect.choice(value[key], answers, f"the name under {key!r}")
        for key in ("image", "class")
    }


def _counts(named: list[dict], cases: list[Case]) -> dict:
    """How the winner by class does on covid images, where it is the wrong one."""
    name, case = next((n, c) for n, c in zip(named, cases, strict=True) if n != c.right)
    truth, answers = case.given
    found, alarms = (
        (answers[name["class"]] == "covid") & (truth == c) for c in ("covid", "normal")
    )
    return {"found": found.sum(), "n": (truth == "covid").sum(), "alarms": alarms.sum()}


def _not_first(named: dict, case: Case) -> str:
    key = next(key for key in case.right if case.right[key] != named[key])
    return f"The model under {key!r} is not first by that average."


q1 = Compare(
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
    mistakes={
        "swapped": Mistake(
            _swapped,
            "The two are swapped. Micro pools all answers, so each image counts equally and the "
            "frequent class dominates. Macro is the plain mean of the classes' F1, so each class "
            "counts equally.",
        ),
        "accuracy": Mistake(
            lambda *case: _best(*case, by_class="accuracy"),
            "Both prizes go to the model with the best accuracy (micro F1 is the same number). "
            "Your winner by class finds {found} of {n} covid images: with so few of them, a model "
            "can miss them all and still come first.",
        ),
        "weighted": Mistake(
            lambda *case: _best(*case, by_class="weighted"),
            "Your winner by class is first by the weighted F1. That weights each class by its "
            "frequency, so the rare one hardly counts: your winner finds {found} of {n} covid "
            "images. If each class counts equally, use no weights.",
        ),
        "lost_class_left_out": Mistake(
            lambda *case: _best(*case, by_class="named"),
            "Your winner by class never predicts covid. Where precision or F1 of 0/0 is left out "
            "of the mean, missing a whole class costs nothing. Count it as 0, as 2·tp / (2·tp + "
            "fp + fn) does.",
        ),
        "sensitivity_only": Mistake(
            lambda *case: _best(*case, by_class="sensitivity"),
            "Your winner by class is first by the mean of the sensitivities. It finds {found} of "
            "{n} covid images, but its {alarms} false alarms for covid among the normal images "
            "hardly count. F1 includes both kinds of error.",
        ),
    },
    cases=lambda rng: asked(
        _best, [competition(rng, SETS[k]) for k in rng.permutation([0, 0, 1, 1])]
    ),
    read=_two_names,
    places=_counts,
    explain=_not_first,
)


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


# --- q2: every image scored once ------------------------------------------------------------------


def _images_shuffled(images, labels, patients):
    rows = images.reshape(len(images), -1)
    return cross_val_predict(_regression(), rows, labels, cv=5, method="predict_proba")[:, 1]


def _scored_on_itself(images, labels, patients):
    rows = images.reshape(len(images), -1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=10, max_iter=1000))
    return model.fit(rows, labels).predict_proba(rows)[:, 1]


def _scaled_on_all(images, labels, patients):
    rows = StandardScaler().fit_transform(images.reshape(len(images), -1))
    model = LogisticRegression(C=0.01, max_iter=1000)
    folds = StratifiedGroupKFold(5)
    given = cross_val_predict(
        model, rows, labels, groups=patients, cv=folds, method="predict_proba"
    )
    return given[:, 1]


def _order_of_the_folds(images, labels, patients):
    rows, found = images.reshape(len(images), -1), []
    for train, test in StratifiedGroupKFold(5).split(rows, labels, patients):
        found.extend(_regression().fit(rows[train], labels[train]).predict_proba(rows[test])[:, 1])
    return np.array(found)


q2 = Question(
    "out_of_fold",
    title="Every image scored once",
    points=4,
    wants="out_of_fold(images, labels, patients) returns one probability for each image",
    hints=(
        "The rows for scikit-learn: images.reshape(len(images), -1). What has to be in the "
        "pipeline, so that each fold fits its own?",
        "cross_val_predict does the loop, and keeps the order of the rows. Which splitter knows "
        "patients, and which argument names them?",
        'cross_val_predict(model, rows, labels, groups=..., cv=StratifiedGroupKFold(5), method="'
        'predict_proba") has two columns: take the one of label 1.',
    ),
    data=_out_of_fold.cohort,
    mistakes={
        "images_shuffled": Mistake(
            _images_shuffled,
            "One image of a patient was exchanged, and the scores of the patient's other images "
            "moved: they stand in different folds, and the model can recognise the patient. The "
            "number says too much about new patients. Split by patient: groups=..., with a "
            "splitter that uses them.",
        ),
        "scored_on_itself": Mistake(
            _scored_on_itself,
            "With labels that are drawn at random these scores are right, too: each image was "
            "scored by a model that was fitted on it. A fold's images are scored by a model of "
            "the other folds alone.",
        ),
        "scaled_on_all": Mistake(
            _scaled_on_all,
            "One image was exchanged, and the scores of *all* others moved, those of its own fold "
            "as well: something is fitted on all rows before the split, such as a scaler. Put "
            "every step that is fitted into the pipeline.",
        ),
        "other_column": Mistake(
            lambda images, labels, patients: _by_folds(images, labels, patients)[:, 0],
            "The AUC is {auc:.2f}: these are probabilities of label 0. The columns of "
            "predict_proba are in the order of the classes.",
        ),
        "both_columns": Mistake(
            lambda images, labels, patients: _by_folds(images, labels, patients),
            "There are two numbers for each image, the probabilities of label 0 and of label 1. "
            "Return the second column alone.",
        ),
        "classes_in_their_place": Mistake(
            lambda images, labels, patients: _by_folds(images, labels, patients, "predict"),
            "All numbers are 0 or 1: these are classes. With them no other threshold can be "
            "tried, and no AUC or calibration be computed. Ask for probabilities.",
        ),
        "order_of_the_folds": Mistake(
            _order_of_the_folds,
            "The numbers are good and stand in the wrong places: fold after fold, where the "
            "images are in another order (AUC {auc:.2f}; in the right order it is above 0.9). "
            "Write them to the rows that they belong to: p[test] = ...",
        ),
    },
)


@q2.rule
def _(out_of_fold, rng):
    images, labels, patients = _out_of_fold.cohort(rng)

    def ask(images, labels, patients):
        given = np.asarray(out_of_fold(images, labels, patients))
        if given.shape == (len(images), 2):
            raise q2.caught("both_columns")
        given = given[:, 0] if given.shape == (len(images), 1) else given
        return expect.array(given, (len(images),), "out_of_fold(images, labels, patients)")

    p = ask(images, labels, patients)
    if p.min() < 0 or p.max() > 1:
        raise Wrong(
            f"Probabilities lie between 0 and 1; these run from {p.min():.2f} to {p.max():.2f}."
        )
    if set(np.round(p, 9)) <= {0.0, 1.0}:
        raise q2.caught("classes_in_their_place")
    reached = _networks.auc(p, labels)
    if reached < _out_of_fold.LEARNED:
        _judge_order(p, images, labels, patients, reached)
    found = _out_of_fold.leak(ask, images, labels, patients, rng)
    if found:
        names = {"patients": "images_shuffled", "scaled": "scaled_on_all"}
        raise q2.caught(names.get(found, "scored_on_itself"))


def _judge_order(p, images, labels, patients, reached: float) -> None:
    """Say why an AUC is that low: another column, another order of the rows, or nothing learned."""
    if reached < 1 - _out_of_fold.LEARNED:
        raise q2.caught("other_column", auc=reached)
    for splitter in (StratifiedGroupKFold, GroupKFold):
        order = np.concatenate([test for _, test in splitter(5).split(images, labels, patients)])
        if _networks.auc(p, labels[order]) >= _out_of_fold.LEARNED:
            raise q2.caught("order_of_the_folds", auc=reached)
    raise Wrong(
        f"The AUC of these probabilities is {reached:.2f}; logistic regression reaches above 0.9 "
        "here. Does the n-th number belong to the n-th image?"
    )


def _regression():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))


def _by_folds(images, labels, patients, method: str = "predict_proba"):
    return cross_val_predict(
        _regression(),
        images.reshape(len(images), -1),
        labels,
        groups=patients,
        cv=StratifiedGroupKFold(5),
        method=method,
    )


@q2.edges
def _(right):
    yield "a column of a table", lambda *case: pd.Series(right(*case)), True
    yield "percent", lambda *case: 100 * np.asarray(right(*case)), False


# --- q3: where the threshold may come from --------------------------------------------------------


def _picked_on_test(validation, test):
    threshold = pick(test)
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


def _pooled(validation, test):
    threshold = pick(pd.concat([validation, test]))
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


def _validation_reported(validation, test):
    threshold = pick(validation)
    return {"threshold": threshold, "sensitivity": reach(validation, threshold)}


def _all_images(validation, test):
    threshold = float(validation["score"].quantile(1 - SENSITIVITY))
    return {"threshold": threshold, "sensitivity": reach(test, threshold)}


def pick(table: pd.DataFrame) -> float:
    """The highest threshold that reaches the sensitivity asked for, on these images."""
    scores = np.sort(table.loc[table["ill"], "score"].to_numpy())
    return float(scores[len(scores) - int(np.ceil(SENSITIVITY * len(scores) - 1e-9))])


def reach(table: pd.DataFrame, threshold: float) -> float:
    """The sensitivity at a threshold, on these images."""
    return float((table.loc[table["ill"], "score"] >= threshold).mean())


def parts(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of a validation and a test part, drawn until the ways to choose a threshold lie well
    apart.
    """
    tables = fresh.until(lambda: _drawn_parts(rng), _thresholds_differ)
    return tuple(_named(table, rng) for table in tables)


def _drawn_parts(rng: np.random.Generator) -> list[pd.DataFrame]:
    ill, tables = 20 * rng.integers(3, 5, size=2), []
    for number, centre in zip(ill, (1.2, 0.9), strict=True):
        logit = np.r_[rng.normal(centre, 1.3, number), rng.normal(-2.2, 1.2, 2 * number)]
        is_ill = np.arange(3 * number) < number
        tables.append(pd.DataFrame({"ill": is_ill, "score": 1 / (1 + np.exp(-logit))}))
    return tables


def _thresholds_differ(tables: list[pd.DataFrame]) -> bool:
    own, other, both = (pick(table) for table in (*tables, pd.concat(tables)))
    places = [own, other, both, 0.5, tables[0]["score"].quantile(0.05)]
    far = abs(reach(tables[0], own) - reach(tables[1], own))
    return min(np.diff(np.sort(places))) > APART and far >= 0.025


def _named(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows in random order, with names of images."""
    named = table.assign(image_id=[f"{name}.png" for name in fresh.names(rng, len(table))])
    return (
        named[["image_id", *table.columns]].iloc[rng.permutation(len(table))].reset_index(drop=True)
    )


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
    mistakes={
        "picked_on_test": Mistake(
            _picked_on_test,
            "The threshold was chosen on the test images, so their sensitivity, {share:.3f}, is a "
            "target and not a measurement: it would be 0.95 or just above for any model. Choose "
            "on validation, freeze, measure on test.",
        ),
        "pooled": Mistake(
            _pooled,
            "Validation and test were combined to choose the threshold. More images make it more "
            "stable, but the test images then influenced it and no longer measure it. Leave them "
            "out until the threshold is fixed.",
        ),
        "validation_reported": Mistake(
            _validation_reported,
            "The threshold is right, chosen on validation. But {share:.3f} is the sensitivity on "
            "the same images, where it was the target. Report the sensitivity on the test images, "
            "whether lower or higher.",
        ),
        "one_half": Mistake(
            lambda validation, test: {"threshold": 0.5, "sensitivity": reach(test, 0.5)},
            "0.5 is only a default: at 0.5 the sensitivity on validation is {asked:.3f}, but 0.95 "
            "is required. Derive the threshold from the required sensitivity.",
        ),
        "all_images": Mistake(
            _all_images,
            "95 % of *all* images lie above your threshold, including those without the disease, "
            "and {asked:.3f} of the ill ones on validation. Sensitivity concerns the ill images "
            "only: use their scores.",
        ),
    },
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


def _intervals_overlap(table):
    (low_a, low_b), (high_a, high_b) = np.quantile(_resampled(table, 0), [0.025, 0.975], axis=0)
    return "B" if low_b > high_a else "A" if low_a > high_b else CANNOT_TELL


def _images_count(table):
    accuracies = _resampled(table.assign(film=range(len(table))), 0, "film")
    return _verdict(accuracies[:, 1] - accuracies[:, 0])


def _calls_it_equal(table):
    accuracies = _resampled(table, 0)
    return _verdict(accuracies[:, 1] - accuracies[:, 0], "equal")


# Patients by (images of each, right answers of A among them, of B), with how many such patients
# there are. The leads that are certain are small. Those that are not are large, and four of a
# hundred resamples leave nothing of them: a 90 % interval of the difference does not include zero,
# a 95 % interval does.
CASES = {
    "clear": {(1, 1, 1): 560, (1, 1, 0): 22, (1, 0, 1): 1, (1, 0, 0): 2},
    "paired": {(1, 1, 1): 158, (1, 1, 0): 2, (1, 0, 1): 14, (1, 0, 0): 26},
    "many images": {(1, 1, 1): 75, (6, 0, 6): 17, (6, 6, 0): 8, (1, 0, 0): 20},
    "large lead": {(1, 1, 1): 75, (1, 1, 0): 8, (1, 0, 1): 17, (1, 0, 0): 20},
    "apart": {(1, 1, 1): 240, (1, 1, 0): 6, (1, 0, 1): 27, (1, 0, 0): 27},
}
TRUTH = {
    "clear": "A",
    "paired": "B",
    "many images": CANNOT_TELL,
    "large lead": CANNOT_TELL,
    "apart": "B",
}


def pair(rng: np.random.Generator, case: str, swap: bool) -> pd.DataFrame:
    """Which answers of two models are right, one row per image."""
    patients = [kind for kind, number in CASES[case].items() for _ in range(number)]
    rows = []
    for name, (films, a, b) in zip(fresh.names(rng, len(patients), "P-"), patients, strict=True):
        rows += [{"patient": name, "a_right": i < a, "b_right": i < b} for i in range(films)]
    table = pd.DataFrame(rows).iloc[rng.permutation(len(rows))].reset_index(drop=True)
    return table.assign(a_right=table["b_right"], b_right=table["a_right"]) if swap else table


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
    mistakes={
        "higher_wins": Mistake(
            lambda table: "B" if table["b_right"].mean() > table["a_right"].mean() else "A",
            "The model with the higher accuracy was chosen on all tables. On two of them its lead "
            "is large, and yet a 95 % interval of the difference includes zero: with other "
            "patients it may vanish. Compute that interval first, with 2.5 % left out on each "
            "side.",
        ),
        "intervals_overlap": Mistake(
            _intervals_overlap,
            "Two overlapping intervals do not show that the models cannot be told apart: most of "
            "their width is the variation between patients, which is the same for both models. "
            "Use the interval of the difference.",
        ),
        "unpaired": Mistake(
            lambda table: _verdict(_resampled(table, 1)[:, 1] - _resampled(table, 2)[:, 0]),
            "On one table a clear difference was missed, as happens when the two models are "
            "resampled separately, as if they had classified different images. Where A is wrong "
            "on an image, B usually is too; with the same draw for both this cancels, and the "
            "difference rests on 14 images against 2. Resample in pairs.",
        ),
        "images_count": Mistake(
            _images_count,
            "In one table the lead rests on patients with six images each, which are not six "
            "independent answers. With patients as units the 95 % interval of the difference "
            "includes zero; with images as units it does not. Resample patients.",
        ),
        "calls_it_equal": Mistake(
            _calls_it_equal,
            "This test cannot show that two models are equal: an interval that includes zero "
            "includes other differences too. "
            f'Say "{CANNOT_TELL}".',
        ),
    },
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
