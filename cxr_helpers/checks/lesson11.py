"""Questions of lesson 11, calibration: two uses and their thresholds, a diagram to read, a
classifier to calibrate, a claim.
"""

import numpy as np
import pandas as pd
from scipy import special
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from .. import calibrate
from . import _networks, expect, fresh
from ._kinds import Case, Choice, Compare
from ._question import Mistake, Question
from ._running import Wrong

FOUND, SPARED = 0.95, 0.90  # sensitivity of the rule-out, specificity of the triage
REPORTED = 0.004  # how far a reported share may be off: 0.983 for 59/60
STEP = 0.0015  # of a grid of thresholds that is fine enough: one of them is always right

# --- q1: two uses, two operating points -----------------------------------------------------------


def _pooled(validation, test):
    return _answer(*ends(pd.concat([validation, test])), test)


def _values(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the ill and of the others, each from high to low."""
    score, ill = table["score"].to_numpy(), table["ill"].to_numpy(bool)
    return np.sort(score[ill])[::-1], np.sort(score[~ill])[::-1]


def at(table: pd.DataFrame, threshold: float) -> tuple[float, float]:
    """Sensitivity and specificity if score ≥ threshold is called positive."""
    ill, others = _values(table)
    return float((ill >= threshold).mean()), float((others < threshold).mean())


def finds(table: pd.DataFrame, threshold: float) -> bool:
    """Whether the threshold reaches the sensitivity on these images, and finds no more of the ill
    than it must.
    """
    return abs(at(table, threshold)[0] - at(table, ends(table)[0])[0]) < 1e-9


def spares(table: pd.DataFrame, threshold: float) -> bool:
    """Whether the threshold reaches the specificity on these images, and spares no more of the
    others than it must.
    """
    return abs(at(table, threshold)[1] - at(table, ends(table)[1])[1]) < 1e-9


def ends(table: pd.DataFrame) -> tuple[float, float]:
    """A score of the table that meets each condition."""
    ill, others = _values(table)
    # the first of the others that must stay below
    lowest = others[int((1 - SPARED) * len(others) + 1e-9)]
    return float(ill[int(np.ceil(FOUND * len(ill) - 1e-9)) - 1]), float(
        table["score"][table["score"] > lowest].min()
    )


def accurate(table: pd.DataFrame) -> float:
    """The threshold with the highest accuracy."""
    called = table["score"].to_numpy() >= np.sort(table["score"].to_numpy())[:, None]
    return float(
        np.sort(table["score"])[(called == table["ill"].to_numpy(bool)).mean(axis=1).argmax()]
    )


def low_end(table: pd.DataFrame) -> float:
    """The score that 95 % of all images reach, ill or well."""
    return float(table["score"].quantile(1 - FOUND))


def scores(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Validation and test images with scores, drawn until no other way to choose gives the right
    thresholds.
    """
    tables = fresh.until(lambda: _drawn_scores(rng), lambda parts: _apart(*parts))
    return tuple(_named(table, rng) for table in tables)


def _drawn_scores(rng: np.random.Generator) -> list[pd.DataFrame]:
    ill, parts = 20 * rng.integers(3, 5, size=2), []
    for number, centre in zip(ill, (1.3, 0.9), strict=True):
        logit = np.r_[rng.normal(centre, 1.4, number), rng.normal(-1.6, 1.3, 3 * number)]
        table = pd.DataFrame(
            {"ill": np.arange(4 * number) < number, "score": 1 / (1 + np.exp(-logit))}
        )
        parts.append(table.iloc[rng.permutation(len(table))].reset_index(drop=True))
    return parts


def _named(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    table.insert(0, "image_id", [f"{name}.png" for name in fresh.names(rng, len(table))])
    return table


def _apart(validation: pd.DataFrame, test: pd.DataFrame) -> bool:
    right, there = ends(validation), ends(test)
    both = ends(pd.concat([validation, test]))
    others = [0.5, accurate(validation), low_end(validation)]
    ways = [r for r, _ in (there, both)] + others
    if np.abs(np.subtract([*right, *there, *both, *others[1:]], 0.5)).min() < 0.02:
        return False
    if any(finds(validation, t) for t in ways) or any(
        spares(validation, t) for t in [there[1], both[1], *others]
    ):
        return False
    if finds(test, both[0]) or spares(test, both[1]) or right[1] - right[0] < 0.15:
        return False
    if any(finds(test, t) or spares(test, t) for t in others[1:]):
        return False
    if not (finds(validation, right[0] - STEP) and spares(validation, right[1] + STEP)):
        return False
    gaps = np.abs(np.subtract([at(validation, t) for t in right], [at(test, t) for t in right]))
    return gaps[0, 0] > 3 * REPORTED and gaps[1, 1] > 3 * REPORTED


q1 = Question(
    "operating_points",
    title="Two uses, two operating points",
    points=4,
    wants=(
        "operating_points(validation, test) returns a dict with rule_out, triage, sensitivity "
        "and specificity"
    ),
    hints=(
        "Which error is the costly one in each use, a miss or a false alarm? That decides which "
        "of the two rates is fixed. The other one is then made as good as possible.",
        "The thresholds come from one table, the two figures to report from the other.",
        "Try all scores of the validation images as thresholds. For the rule-out take the highest "
        "that still finds 95 % of the ill; for the triage the lowest that leaves 90 % of the "
        "others below it.",
    ),
    data=scores,
    mistakes={
        "one_half": Mistake(
            lambda validation, test: _answer(0.5, 0.5, test),
            "0.5 is only a default. On validation it finds {found:.3f} of the ill and leaves "
            "{spared:.3f} of the others below it: it neither meets the target of the rule-out nor "
            "is it the best for the triage. Derive each threshold from the use.",
        ),
        "swapped": Mistake(
            lambda validation, test: _answer(*ends(validation)[::-1], test),
            "The two uses are swapped. Nobody reads images below the rule-out threshold, and "
            "yours is so high that {missed:.0%} of the ill would be among them. A rule-out fixes "
            "the sensitivity, a triage the specificity.",
        ),
        "most_accurate": Mistake(
            lambda validation, test: _answer(accurate(validation), accurate(validation), test),
            "One threshold was used for both, the one with the highest accuracy. Accuracy treats "
            "a miss and a false alarm alike, so the many well images dominate: it finds "
            "{found:.3f} of the ill. Neither use is about accuracy; start from the rate that each "
            "one fixes.",
        ),
        "all_films": Mistake(
            lambda validation, test: _answer(low_end(validation), ends(validation)[1], test),
            "95 % of *all* images lie above your rule-out threshold, including the well ones, and "
            "{found:.3f} of the ill. Sensitivity concerns the ill only, and this threshold rules "
            "out hardly anyone.",
        ),
        "everybody": Mistake(
            lambda validation, test: _answer(0.0, ends(validation)[1], test),
            "No image lies below your rule-out threshold. Nobody is missed, but nobody is ruled "
            "out either, so every image must be read. Take the highest threshold that still finds "
            "enough.",
        ),
        "picked_on_test": Mistake(
            lambda validation, test: _answer(*ends(test), test),
            "A threshold was chosen on the test images, so their rate is a target and not a "
            "measurement. It would look as good for any model. Choose on validation, freeze, "
            "measure on test.",
        ),
        "pooled": Mistake(
            _pooled,
            "Validation and test were combined to choose the thresholds. More images make a "
            "threshold more stable, but the test images then influenced it and no longer measure "
            "it. Choose on validation alone.",
        ),
        "validation_reported": Mistake(
            lambda validation, test: _answer(*ends(validation), validation),
            "The thresholds are right. But {sensitivity:.3f} and {specificity:.3f} are the rates "
            "on the validation images, where they were targets. Report the rates on test, whether "
            "lower or higher.",
        ),
    },
)
KEYS = ("rule_out", "triage", "sensitivity", "specificity")


@q1.rule
def _(operating_points, rng):
    validation, test = q1.data(rng)
    values = _read(operating_points(validation, test))
    rule_out, triage = values["rule_out"], values["triage"]
    if not (finds(validation, rule_out) and spares(validation, triage)):
        other = _read(operating_points(validation, test.assign(score=test["score"] ** 2)))
        raise _why(
            validation,
            test,
            rule_out,
            triage,
            (rule_out, triage) != (other["rule_out"], other["triage"]),
        )
    _judge_reported(values, validation, test)


def _read(given) -> dict[str, float]:
    return expect.numbers(given, KEYS, "The answer")


def _judge_reported(values: dict, validation, test) -> None:
    """Raise `Wrong` unless the rates are those of the thresholds on the test images."""
    rule_out, triage = values["rule_out"], values["triage"]
    told = np.array([values["sensitivity"], values["specificity"]])
    measured, asked = (
        np.array([at(part, rule_out)[0], at(part, triage)[1]]) for part in (test, validation)
    )
    if (np.abs(told - measured) <= REPORTED).all():
        return
    if (np.abs(told - asked) <= REPORTED).any():
        raise q1.caught("validation_reported", sensitivity=asked[0], specificity=asked[1])
    raise Wrong(
        "The thresholds are right. With them the test images give a sensitivity of "
        f"{measured[0]:.3f} (rule-out) and a specificity of {measured[1]:.3f} (triage); you report "
        f"{told[0]:.3f} and {told[1]:.3f}."
    )


def _why(validation, test, rule_out: float, triage: float, of_test: bool) -> Wrong:
    """What is wrong with two thresholds; `of_test`: whether they are others where the test images
    are others.
    """
    pooled = pd.concat([validation, test])
    found, spared = at(validation, rule_out), at(validation, triage)
    if min(abs(rule_out - 0.5), abs(triage - 0.5)) < 0.005:
        return q1.caught("one_half", found=at(validation, 0.5)[0], spared=at(validation, 0.5)[1])
    if spares(validation, rule_out) and finds(validation, triage):
        return q1.caught("swapped", missed=1 - found[0])
    if rule_out == triage and np.isclose(rule_out, accurate(validation)):
        return q1.caught("most_accurate", found=found[0])
    if np.isclose(rule_out, low_end(validation), atol=1e-6):
        return q1.caught("all_films", found=found[0])
    if (validation["score"] >= rule_out).all():
        return q1.caught("everybody")
    for name, part in (("picked_on_test", test), ("pooled", pooled)) if of_test else ():
        if finds(part, rule_out) or spares(part, triage):
            return q1.caught(name)
    if not finds(validation, rule_out):
        return Wrong(
            f"rule_out {rule_out:.4f} finds {found[0]:.3f} of the ill validation images; use the "
            f"highest threshold that finds {FOUND} or more. (roc_curve needs "
            "drop_intermediate=False.)"
        )
    return Wrong(
        f"triage {triage:.4f} leaves {spared[1]:.3f} of the other validation images below it; use "
        f"the lowest threshold that leaves {SPARED} or more. (roc_curve needs "
        "drop_intermediate=False.)"
    )


def _answer(rule_out: float, triage: float, measured: pd.DataFrame) -> dict:
    share = at(measured, rule_out)[0], at(measured, triage)[1]
    return dict(zip(KEYS, (rule_out, triage, *share), strict=True))


@q1.edges
def _(right):
    def moved(**by):
        return lambda v, t: {key: value + by.get(key, 0) for key, value in right(v, t).items()}

    def between(v, t):  # half-way to the next score below: the same validation images are positive
        found = right(v, t)
        scores = v["score"].to_numpy()
        cut = (found["rule_out"] + scores[scores < found["rule_out"]].max()) / 2
        return found | {"rule_out": cut, "sensitivity": at(t, cut)[0]}

    def by_quantiles(v, t):
        ill, others = (v.loc[v["ill"] == is_ill, "score"] for is_ill in (True, False))
        return _answer(np.quantile(ill, 1 - FOUND), np.quantile(others, SPARED), t)

    def by_grid(v, t):
        grid = np.linspace(0, 1, 1001)
        found, spared = np.transpose([at(v, threshold) for threshold in grid])
        return _answer(grid[found >= FOUND].max(), grid[spared >= SPARED].min(), t)

    yield "a threshold between two scores", between, True
    yield "quantiles of the two groups", by_quantiles, True
    yield "a grid of thresholds", by_grid, True
    yield "sensitivity rounded", moved(sensitivity=0.003), True
    yield "NumPy's numbers", lambda v, t: {k: np.float64(x) for k, x in right(v, t).items()}, True
    yield "rows in another order", lambda v, t: right(v.iloc[::-1], t.iloc[::-1]), True
    yield "sensitivity a little off", moved(sensitivity=0.006), False
    yield "rule-out too careful", moved(rule_out=-0.1), False
    yield "triage too high", moved(triage=0.1), False
    yield "a key missing", lambda v, t: {"rule_out": right(v, t)["rule_out"]}, False
    yield "a tuple", lambda v, t: tuple(right(v, t).values()), False


# --- q2: read a reliability diagram ---------------------------------------------------------------

MODELS = (  # what a model is, how much too steep its logits are, and the sign of what is added
    ("calibrated", (1.0, 1.0), 0),
    ("over-confident", (2.2, 3.0), 0),
    ("under-confident", (0.28, 0.4), 0),
    ("shifted", (1.0, 1.0), 1),
    ("shifted", (1.0, 1.0), -1),
)
NEAR = 0.05  # a mean gap that chance alone may give here


def _table(p: np.ndarray, ill: np.ndarray) -> pd.DataFrame:
    """The course's predictions of two classes."""
    frame = pd.DataFrame(
        {"image_id": [f"{i}.png" for i in range(len(p))], "label": np.where(ill, "covid", "other")}
    )
    return frame.assign(predicted="other", p_other=1 - p, p_covid=p)


def _bins(model: tuple[str, tuple[float, float], int], rng: np.random.Generator) -> pd.DataFrame:
    """The bins of a model's diagram, drawn until each half of it shows what the model is."""
    kind, between, sign = model
    steep, moved = rng.uniform(*between), sign * rng.uniform(1.1, 1.6)
    middle = 0.1 if kind.endswith("confident") else 0.4  # their two halves are equally wrong

    def drawn() -> pd.DataFrame:
        logit = rng.normal(rng.uniform(-middle, middle), 1.7, int(rng.integers(700, 900)))
        ill = rng.random(len(logit)) < special.expit(logit)
        table = _table(special.expit(steep * logit + moved), ill)
        return calibrate.reliability(table, "covid", bins=5).drop(columns=["groups", "support"])

    return fresh.until(drawn, lambda bins: _shows(bins, kind))


def _shows(bins: pd.DataFrame, kind: str) -> bool:
    """Whether means over the bins, over images, and of the outermost bins alone say the same."""
    ways = [_gaps(bins), _gaps(bins, by="n"), _gaps(bins.iloc[[0, -1]])]
    if kind == "calibrated":
        inside = bins["predicted"].between(bins["low"], bins["high"])
        return bool(inside.all() and np.abs(ways).max() < 0.7 * NEAR)
    gap = np.average(bins["observed"] - bins["predicted"], weights=bins["n"])
    if kind != "shifted" and abs(gap) > 0.9 * NEAR:
        return False
    return all(_told_by(*way) == kind and np.abs(way).min() > 2 * NEAR for way in ways)


def _gaps(bins: pd.DataFrame, by: str = "") -> tuple[float, float]:
    """What came true less what was said: means over the bins below 0.5, and over the others."""
    gap, high = bins["observed"] - bins["predicted"], bins["predicted"] >= 0.5
    weights = bins[by] if by else pd.Series(1, bins.index)
    low, top = (np.average(gap[side], weights=weights[side]) for side in (~high, high))
    return float(low), float(top)


def _told_by(low: float, high: float) -> str:
    """What a model is, by the gaps in the two halves of its diagram."""
    if max(abs(low), abs(high)) < NEAR:
        return "calibrated"
    if low * high > 0:
        return "shifted"
    return "over-confident" if low > 0 else "under-confident"


def _by_the_mean(bins):
    gap = np.average(bins["observed"] - bins["predicted"], weights=bins["n"])
    return "shifted" if abs(gap) > NEAR else "calibrated"


def _by_the_right_half(bins):
    high = _gaps(bins)[1]
    return _told_by(-high, high)


def _why_not_this(said: str, case: Case) -> str:
    bins = case.given[0]
    if case.right == "calibrated":
        raise q2.caught("chance_as_a_fault")
    points = "; ".join(f"{r.predicted:.2f}, {r.observed:.2f}" for r in bins.itertuples())
    return (
        f"You call a model {said} that has these points (said, came true): {points}. On which "
        "side of the diagonal are those on the left, and those on the right?"
    )


q2 = Compare(
    "diagnose",
    title="Read a reliability diagram",
    points=2,
    wants=("diagnose(bins) returns 'calibrated', 'over-confident', 'under-confident' or 'shifted'"),
    hints=(
        "Look at each half of a panel by itself: are its points above the diagonal, on it, or "
        "below?",
        "Over-confident: above it on the left and below it on the right. What is the reverse? And "
        "what is a model whose points are all on one side?",
        'gap = bins["observed"] - bins["predicted"]; then its mean over the bins with predicted '
        "below 0.5, and over the others. Chance alone gives a mean gap of up to 0.05 or so.",
    ),
    data=lambda rng: _panels(rng),
    mistakes={
        "sides_swapped": Mistake(
            lambda bins: _told_by(*np.negative(_gaps(bins))),
            "Over- and under-confident are the wrong way round. A model that says 0.95 where 0.80 "
            "come true is surer than it may be. Its points are *below* the diagonal on the right, "
            "and above it on the left.",
        ),
        "right_half_only": Mistake(
            _by_the_right_half,
            "Only the right half of the diagram was read. A model that says too much everywhere is "
            "below the diagonal there, too, as an over-confident one is. The left half tells them "
            "apart, and they need different repairs.",
        ),
        "by_the_mean": Mistake(
            _by_the_mean,
            "The gaps were averaged over the whole diagram. Of an over- or under-confident model "
            "they have opposite signs and cancel: on average it says what comes true, and is "
            "still wrong at both ends.",
        ),
        "chance_as_a_fault": Mistake(
            lambda bins: "shifted" if _by_the_mean(bins) == "calibrated" else _reading(bins),
            "A model whose intervals all reach the diagonal was called faulty. With this many "
            "images the points of a calibrated model are as far off by chance alone.",
        ),
    },
    cases=lambda rng: [
        Case((_bins(MODELS[k], rng),), MODELS[k][0])
        for k in rng.permutation(np.arange(2 * len(MODELS)) % len(MODELS))
    ],
    read=lambda said, case: expect.choice(said, [kind for kind, *_ in MODELS], "diagnose(bins)"),
    explain=_why_not_this,
)


def _reading(bins: pd.DataFrame) -> str:
    return _told_by(*_gaps(bins))


def _panels(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """A model of each kind, behind letters in random order."""
    some = [MODELS[k] for k in (0, 1, 2, int(rng.integers(3, 5)))]
    return {
        letter: _bins(some[k], rng) for letter, k in zip("ABCD", rng.permutation(4), strict=True)
    }


@q2.edges
def _(right):
    yield "capitals and blanks", lambda bins: f" {right(bins).upper()} ", True
    yield "NumPy's text", lambda bins: np.str_(right(bins)), True
    yield "by the outermost bins", lambda bins: _reading(bins.iloc[[0, -1]]), True
    yield "always over-confident", lambda bins: "over-confident", False
    yield "a word that is not there", lambda bins: "too sure", False


# --- q3: fit, calibrate, apply --------------------------------------------------------------------

SIDE = 8  # of an image, so that a check is quick
RELIABLE = 0.1  # calibration error; uncalibrated models have about 0.17 here, calibrated ones 0.04


def _part(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of grey levels, 0 to 1, of faint sketches, and whether each shows the haze."""
    ill = rng.random(n) < 0.4
    images = _networks.sketches(rng, 2 * ill).reshape(n, SIDE, 3, SIDE, 3).mean(axis=(2, 4))
    images += rng.normal(0, 55, images.shape)
    return np.clip(images, 0, 255).reshape(n, -1) / 255, ill


def _parts(rng: np.random.Generator, test: int = 600) -> tuple[tuple, tuple, tuple]:
    """Training, validation and test images: pairs of rows and truth."""
    return _part(rng, 150), _part(rng, 400), _part(rng, test)


def error(p: np.ndarray, ill: np.ndarray) -> float:
    """Calibration error: mean gap of ten bins with equally many images."""
    bins = np.array_split(np.argsort(p, kind="stable"), 10)
    return float(np.mean([abs(np.mean(ill[rows]) - np.mean(p[rows])) for rows in bins]))


def _overtaken(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether some image was below another one, and is above it now."""
    ahead, now = (np.subtract.outer(p[:400], p[:400]) for p in (before, after))
    return bool(((ahead > 1e-6) & (now < -1e-6)).any())


def _fitted(train, *, scaled_by=None):
    """A classifier of rows, and what scales them; over-confident after so few images."""
    scaler = StandardScaler().fit(train[0] if scaled_by is None else scaled_by)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(train[0]), train[1])
    return lambda rows: model.decision_function(scaler.transform(rows))[:, None]


def _joined(*parts):
    return tuple(np.concatenate(both) for both in zip(*parts, strict=True))


def _platt(train, validation, test, *, scaled_by=None):
    logits = _fitted(train, scaled_by=scaled_by)
    sigmoid = LogisticRegression().fit(logits(validation[0]), validation[1])
    return sigmoid.predict_proba(logits(test[0]))


q3 = Question(
    "calibrated",
    title="Build it: fit, calibrate, apply",
    points=4,
    wants="calibrated(train, validation, test) returns one probability for each test image",
    hints=(
        "Three steps, and each may use one of the three parts. What does a test image add, before "
        "its own probability is computed?",
        "A second, small model learns from the classifier's validation scores what they are worth: "
        "LogisticRegression on model.decision_function(rows)[:, None] (Platt's sigmoid), or "
        "IsotonicRegression. Or let CalibratedClassifierCV do it, around FrozenEstimator(model) "
        "(scikit-learn 1.6 and later).",
        "Fit the classifier on train alone; fit the second model on its scores of validation; "
        "give both models the test rows, the second with predict_proba(...)[:, 1].",
    ),
    data=_parts,
    mistakes={
        "validation_ignored": Mistake(
            lambda train, validation, test: special.expit(_fitted(train)(test[0]))[:, 0],
            "With other validation images the probabilities are the very same: nothing was "
            "calibrated on them. The calibration error on the test images is {error:.2f}. (On "
            "train a classifier is right on nearly all images: calibrated there, it stays too "
            "sure.) Fit the calibration to the scores of the validation images.",
        ),
        "fitted_on_test": Mistake(
            lambda train, validation, test: _platt(train, test, test)[:, 1],
            "With other labels of the test images the probabilities change: something was fitted "
            "to these labels. Nobody has them for a new patient, and what the test then says is no "
            "measurement. Calibrate on validation.",
        ),
        "tests_together": Mistake(
            lambda train, validation, test: _platt(train, validation, test, scaled_by=test[0])[
                :, 1
            ],
            "With half of the test images left out, the probabilities of the others change: "
            "something, such as a scaler, was fitted on the test rows. A patient's result must not "
            "depend on who else comes. Fit each step on train, and only apply it to test.",
        ),
        "validation_learned": Mistake(
            lambda train, validation, test: _platt(_joined(train, validation), validation, test)[
                :, 1
            ],
            "With other validation images some test images change places: one that was below "
            "another is above it now. A rising calibration curve cannot do that, so the validation "
            "images did more than calibrate. If the classifier or a scaler was fitted on them, its "
            "scores there are better than those of new images. Fit it on train alone.",
        ),
        "other_column": Mistake(
            lambda train, validation, test: _platt(train, validation, test)[:, 0],
            "The AUC is {auc:.2f}: these are probabilities of *not* being ill. The columns of "
            "predict_proba are in the order of the classes.",
        ),
        "both_columns": Mistake(
            _platt,
            "There are two numbers for each image, one for each class. Return the second column "
            "alone.",
        ),
        "classes_in_their_place": Mistake(
            lambda train, validation, test: _platt(train, validation, test)[:, 1] >= 0.5,
            "All numbers are 0 or 1: these are classes. The question asks how probable it is that "
            "an image is of an ill patient.",
        ),
    },
)


@q3.rule
def _(calibrated, rng):
    train, validation, (rows, ill) = _parts(rng, test=1500)

    def ask(validation, rows, ill):
        given = np.asarray(calibrated(train, validation, (rows, ill)))
        if given.shape == (len(rows), 2):
            raise q3.caught("both_columns")
        given = given[:, 0] if given.shape == (len(rows), 1) else given
        return expect.array(given, (len(rows),), "calibrated(train, validation, test)")

    p = ask(validation, rows, ill)
    if p.min() < 0 or p.max() > 1:
        raise Wrong(
            f"Probabilities lie between 0 and 1; these run from {p.min():.2f} to {p.max():.2f}."
        )
    if set(p) <= {0.0, 1.0}:
        raise q3.caught("classes_in_their_place")
    if not np.allclose(ask(validation, rows, ~ill), p, rtol=0, atol=1e-6):
        raise q3.caught("fitted_on_test")
    if not np.allclose(ask(validation, rows[:700], ill[:700]), p[:700], rtol=0, atol=1e-6):
        raise q3.caught("tests_together")
    reached = _networks.auc(p, ill.astype(int))
    if reached < 0.35:
        raise q3.caught("other_column", auc=reached)
    other = ask(_part(rng, len(validation[0])), rows, ill)
    if np.allclose(other, p, rtol=0, atol=1e-6):
        raise q3.caught("validation_ignored", error=error(p, ill))
    if _overtaken(p, other):
        raise q3.caught("validation_learned")
    if reached < 0.65:
        raise Wrong(
            f"The AUC of these probabilities is {reached:.2f}; logistic regression reaches 0.75 or "
            "more here. Does the n-th number belong to the n-th test image?"
        )
    if error(p, ill) > RELIABLE:
        raise Wrong(
            f"The calibration error on the test images is {error(p, ill):.2f}, after calibration "
            f"it should be below {RELIABLE}. Is the calibration given the same kind of score "
            "(probability or logit) as it was fitted to?"
        )


@q3.edges
def _(right):
    yield "a list", lambda *case: list(right(*case)), True
    yield "one column", lambda *case: np.asarray(right(*case))[:, None], True
    yield "rounded to two places", lambda *case: np.round(right(*case), 2), True
    yield "per cent", lambda *case: 100 * np.asarray(right(*case)), False
    yield "the share of the ill", lambda a, b, c: np.full(len(c[0]), b[1].mean()), False
    yield "half as sure", lambda *case: 0.25 + np.asarray(right(*case)) / 2, False


# --- q4: which claim holds ------------------------------------------------------------------------


CLAIMS = {  # claim: measure, with what it may be compared, from and to
    "the probabilities are off": (
        "ECE",
        ("a perfect network", "a calibrated network, same n"),
        (0.1, 0.2),
    ),
    "fewer errors than theirs": ("ECE", ("their network",), (0.01, 0.04)),
    "scaling made the ranking better": ("AUC", ("before scaling",), (0.9, 0.95)),
    "finds fewer of the ill than planned": ("sensitivity", ("the target, 0.90",), (0.6, 0.8)),
    "finds as many of the ill as planned": ("sensitivity", ("the target, 0.90",), (0.9, 0.93)),
}


def _claim(rng: np.random.Generator) -> dict:
    """A claim of a report, and what it rests on."""
    claim = str(rng.choice(list(CLAIMS)))
    measure, beside, between = CLAIMS[claim]
    return {
        "claim": claim,
        "measure": measure,
        "value": round(float(rng.uniform(*between)), 2),
        "compared with": str(rng.choice(beside)),
        "temperature and threshold from": str(rng.choice(["validation", "these images"])),
    }


q4 = Choice(
    "shown",
    title="Which claim holds?",
    points=1,
    wants="shown(claims) returns the letter of one claim",
    hints=(
        "For each claim ask: which figure would change if it were false?",
        "What ECE does chance give on 150 images? What does a temperature not change? Where was "
        "the threshold chosen?",
        "Two kinds of claim can hold: about the ECE, where it is compared with what chance gives, "
        "and about the sensitivity. In both, nothing was chosen on these images. "
        "claims.index[condition][0] is a letter.",
    ),
    row=_claim,
    why_not={
        "ece_as_error": (
            lambda c: c["claim"].startswith("fewer errors"),
            "The ECE is not an error rate. It measures how well probabilities match frequencies; "
            "a model that gives every image the share of the ill has a very small ECE and finds "
            "nobody.",
        ),
        "chance_left_out": (
            lambda c: c["compared with"] == "a perfect network",
            "A perfect ECE would be 0 only on very many images; on a few even calibrated "
            "probabilities give more. Without the value that chance gives for this n, the ECE "
            "shows nothing.",
        ),
        "temperature_ranks": (
            lambda c: c["measure"] == "AUC",
            "With two classes a temperature keeps the order of the images, and the AUC depends on "
            "the order only. If it changed, there is a mistake in the code.",
        ),
        "chosen_on_these": (
            lambda c: c["temperature and threshold from"] == "these images",
            "Temperature and threshold were chosen on these images. What was a target or a fit "
            "there, any model reaches; only the result of frozen settings is a measurement.",
        ),
    },
)
