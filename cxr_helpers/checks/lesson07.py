"""Questions of lesson 07: five models, a score by folds, which line to report, which is better."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import _networks, _out_of_fold, expect, fresh
from ._kinds import Choice
from ._panels import Panels
from ._question import Mistake, Question
from ._running import Wrong

CANNOT_TELL = "cannot tell"
RESAMPLES = 1000

# --- q1: histograms and ROC curves of five models -------------------------------------------------

SOUND, SHUFFLED, EVEN = "sound", "shuffled", "the same for all"
TURNED, CLASSES = "other class", "classes only"


def _answers(rng: np.random.Generator, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Who is ill (n,), and the scores of a model to which something happened."""
    n = int(rng.integers(140, 200))
    ill = rng.permutation(n) < rng.uniform(0.3, 0.45) * n
    share = float(ill.mean())

    def drawn() -> np.ndarray:
        logits = np.where(ill, rng.uniform(1, 1.8), rng.uniform(-1.8, -1)) + rng.normal(0, 1, n)
        score = 1 / (1 + np.exp(-logits))
        if what == SHUFFLED:
            return rng.permutation(score)
        if what == EVEN:
            return share + rng.normal(0, 0.004, n)
        return {TURNED: 1 - score, CLASSES: 1.0 * (score >= 0.5)}.get(what, score)

    def typical(score: np.ndarray) -> bool:
        middle = {SHUFFLED: 0.5, EVEN: 0.5, TURNED: 0.06, CLASSES: 0.85}.get(what, 0.94)
        return abs(_networks.auc(score, ill) - middle) < 0.05

    return ill, fresh.until(drawn, typical)


def _told(ill: np.ndarray, score: np.ndarray) -> str:
    if len(np.unique(score)) == 2:
        return CLASSES
    if score.std() < 0.05:
        return EVEN
    auc = _networks.auc(score, ill)
    return SOUND if auc > 0.7 else TURNED if auc < 0.3 else SHUFFLED


q1 = Panels(
    "diagnose",
    title="Five models, one test set each",
    points=2,
    wants="diagnose(ill, score) returns one of the five names",
    hints=(
        "First by eye: which curves follow the diagonal, which one lies below it, which one has a "
        "single corner?",
        "Two models have an AUC near 0.5. Which of the two is sure of its answers? Look at their "
        "histograms.",
        "roc_auc_score(ill, score) tells three kinds apart. score.std() and the number of "
        "different scores, len(np.unique(score)), tell the rest; ask for these first.",
    ),
    panel=_answers,
    signs={
        SOUND: "Its scores take many values, and those of the ill are higher: the AUC is near 1.",
        SHUFFLED: "Its scores are as high and as low as a good model's, and the AUC is near 0.5: "
        "they are not in the order of the labels.",
        EVEN: "Its scores hardly differ from one another: it has looked at no image.",
        TURNED: "Its scores tell the two kinds apart, the wrong way round: the AUC is near 0. They "
        "are probabilities of the other class.",
        CLASSES: "It has two scores only, 0 and 1: a threshold was applied, and the ROC curve has "
        "a single corner.",
    },
    mistakes={
        "by_auc_alone": Mistake(
            lambda ill, score: SHUFFLED if _told(ill, score) == EVEN else _told(ill, score),
            "Models that say the same of all images were called shuffled. An AUC near 0.5 has two "
            "causes here, and the histogram tells them apart: a good model whose answers were "
            "shuffled is still sure of itself.",
        ),
        "by_two_humps": Mistake(
            lambda ill, score: SOUND if _told(ill, score) == SHUFFLED else _told(ill, score),
            "Shuffled models were called sound. Two humps say that a model is sure, not that it is "
            "right: look where the ill are.",
        ),
        "turned_is_shuffled": Mistake(
            lambda ill, score: SHUFFLED if _told(ill, score) == TURNED else _told(ill, score),
            "Models with an AUC near 0 were called shuffled. Shuffling leaves nothing: 0.5. An AUC "
            "near 0 tells the two kinds apart perfectly, and names them the wrong way round.",
        ),
        "classes_pass": Mistake(
            lambda ill, score: SOUND if _told(ill, score) == CLASSES else _told(ill, score),
            "Models with the scores 0 and 1 alone were called sound. These are classes: no other "
            "threshold can be tried, and the ROC curve has one corner.",
        ),
    },
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


# --- q3: which line may stand ---------------------------------------------------------------------

FOUND, WEIGHTED = "sensitivity of covid", "weighted F1"


def _line(rng: np.random.Generator) -> dict:
    """A line of a report, and how its figure came about."""
    figure = str(rng.choice([FOUND, FOUND, WEIGHTED]))
    threshold = str(rng.choice(["validation", "test", "validation and test"]))
    measured, units = str(rng.choice(["test", "validation"])), rng.choice(["patients", "images"])
    flattered = figure == WEIGHTED or measured in threshold
    value = float(rng.uniform(0.95, 0.97) if flattered else rng.uniform(0.84, 0.92))
    below, above = rng.uniform(0.13, 0.16), rng.uniform(0.06, 0.08)  # 60 images of 25 patients
    if figure == WEIGHTED or units == "images":
        below, above = below / 2, above / 2
    return {
        "figure": figure,
        "value": round(value, 2),
        "95 % interval": f"{value - below:.2f}-{min(value + above, 1):.2f}",
        "resampled": str(units),
        "threshold chosen on": threshold,
        "measured on": measured,
    }


q3 = Choice(
    "line_to_report",
    title="Which line may stand?",
    points=1,
    wants="line_to_report(lines) returns the letter of one line",
    hints=(
        "Leave the value aside. For each line ask: is it about covid? Does it measure, or repeat "
        "the target? What is its interval made of?",
        "Four conditions: the figure, the part on which the threshold was chosen, the part on "
        "which it was measured, and what was resampled.",
        "lines.index[condition][0] is a letter; & joins conditions, each in brackets.",
    ),
    row=_line,
    why_not={
        "weighted": (
            lambda line: line["figure"] == WEIGHTED,
            "The weighted F1 weights each class by its number of images, so covid, with 60 of 900, "
            "hardly counts: most of its images could be missed. Report the class's own "
            "sensitivity.",
        ),
        "picked_on_test": (
            lambda line: line["threshold chosen on"] == "test",
            "The threshold was chosen on the test images, so their sensitivity is the target and "
            "not a measurement: any model reaches it. Choose on validation, freeze, measure on "
            "test.",
        ),
        "pooled": (
            lambda line: line["threshold chosen on"] == "validation and test",
            "The test images helped to choose the threshold. With more images it is steadier, and "
            "they no longer measure it. Leave them out until it is fixed.",
        ),
        "validation_reported": (
            lambda line: line["measured on"] == "validation",
            "This is the sensitivity on the validation images, where it was the target. Report "
            "that of the test images, whether lower or higher.",
        ),
        "images_resampled": (
            lambda line: line["resampled"] == "images",
            "The interval takes each image for another patient, so it is too narrow. Images of one "
            "patient are no independent answers: resample patients.",
        ),
    },
)


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
