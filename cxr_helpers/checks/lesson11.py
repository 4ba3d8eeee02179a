"""Questions of lesson 11, calibration: two uses and their thresholds, a PPV elsewhere, a
temperature, a claim.
"""

import numpy as np
import pandas as pd

from .. import calibrate
from . import expect, fresh
from ._kinds import Case, Choice, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

PPV_SLACK = 0.002
FOUND, SPARED = 0.95, 0.90  # sensitivity of the rule-out, specificity of the triage
REPORTED = 0.004  # how far a reported share may be off: 0.983 for 59/60
STEP = 0.0015  # of a grid of thresholds that is fine enough: one of them is always right
P_SLACK = 0.02  # of a tempered probability: a coarse grid of temperatures is enough

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


# --- q2: the PPV elsewhere ------------------------------------------------------------------------


def _homes(rng: np.random.Generator) -> list[tuple[dict, float]]:
    """Counts of a study and the prevalence of another place, several times."""
    cases = []
    for prevalence in rng.permutation([0.006, 0.012, 0.03, 0.06, 0.1, 0.14]) * rng.uniform(
        0.9, 1.1, 6
    ):
        ill, well = (int(n) for n in rng.integers(80, 220, size=2))
        fn, fp = int(ill * rng.uniform(0.04, 0.25)) + 1, int(well * rng.uniform(0.04, 0.25)) + 1
        cases.append(
            ({"tp": ill - fn, "fn": fn, "fp": fp, "tn": well - fp}, round(float(prevalence), 4))
        )
    return cases


def _carried(home, prevalence):
    return home["tp"] / (home["tp"] + home["fp"])


def _scaled(home, prevalence):
    return (
        _carried(home, prevalence) * prevalence / ((home["tp"] + home["fn"]) / sum(home.values()))
    )


def _wrong_rates(home, prevalence):
    ppv, npv = home["tp"] / (home["tp"] + home["fp"]), home["tn"] / (home["tn"] + home["fn"])
    return ppv * prevalence / (ppv * prevalence + (1 - npv) * (1 - prevalence))


def _specificity_called(home, prevalence):
    sensitivity, specificity = (
        home["tp"] / (home["tp"] + home["fn"]),
        home["tn"] / (home["tn"] + home["fp"]),
    )
    return sensitivity * prevalence / (sensitivity * prevalence + specificity * (1 - prevalence))


def _ppv(home: dict, prevalence: float) -> float:
    return _elsewhere(home, prevalence, "ppv")


def _why_not_ppv(found: float, case: Case) -> str:
    if found > 1:
        return f"A PPV lies between 0 and 1; yours is {found:.3g}."
    home, prevalence = case.given
    return (
        f"With {home} and a prevalence of {prevalence:.3f} you give {found:.3f}. Imagine 10,000 "
        f"people there: {10_000 * prevalence:.0f} are ill. How many of the positive results are "
        "true, how many false?"
    )


q2 = Compare(
    "ppv_at",
    title="The PPV in another place",
    points=2,
    wants=(
        "ppv_at(home, prevalence) returns the PPV in a place with that prevalence, between 0 and 1"
    ),
    hints=(
        "Which of the study's figures belong to the test, and which to the mixture of patients "
        "examined?",
        "Keep sensitivity and specificity, and change the mixture: imagine 10,000 people in the "
        "other place.",
        "Of them 10,000 · prevalence are ill. How many of those test positive, and how many of "
        "the others?",
    ),
    data=lambda rng: _homes(rng)[0],
    mistakes={
        "carried": Mistake(
            _carried,
            "This is the PPV of the study, carried over. It holds only at the study's prevalence. "
            "Where the disease is rarer, the same rate of false alarms meets fewer true "
            "positives. Compute it for the new prevalence.",
        ),
        "scaled": Mistake(
            _scaled,
            "The study's PPV was scaled by how much rarer the disease is. The direction is right, "
            "the amount is not: both true positives and false alarms change, and the PPV is a "
            "share of their sum.",
        ),
        "share_of_all": Mistake(
            lambda home, prevalence: home["tp"] / (home["tp"] + home["fn"]) * prevalence,
            "Sensitivity times prevalence is the share of *all people* who are ill and found. "
            "Divide by all who test positive, including the false alarms.",
        ),
        "npv_instead": Mistake(
            lambda home, prevalence: _elsewhere(home, prevalence, "npv"),
            "This is the NPV: the share of well people among those with a negative result. The "
            "question is how many of those with a positive result are ill.",
        ),
        "wrong_rates": Mistake(
            _wrong_rates,
            "PPV and NPV of the study were put into the formula instead of sensitivity and "
            "specificity. They already contain the study's prevalence; the rates that carry over "
            "are those computed within each true class.",
        ),
        "specificity_called": Mistake(
            _specificity_called,
            "The false alarms were computed with the specificity itself. That is the share of "
            "true negatives; the share of false alarms is 1 - specificity.",
        ),
    },
    cases=lambda rng: asked(_ppv, _homes(rng)),
    read=lambda found, case: expect.number(found, "ppv_at(home, prevalence)"),
    same=expect.near(PPV_SLACK),
    explain=_why_not_ppv,
)


def _elsewhere(home: dict, prevalence: float, which: str) -> float:
    sensitivity, specificity = (
        home["tp"] / (home["tp"] + home["fn"]),
        home["tn"] / (home["tn"] + home["fp"]),
    )
    return float(calibrate.predictive_values(sensitivity, specificity, prevalence)[which].item())


@q2.edges
def _(right):
    yield "rounded to three places", lambda h, p: round(right(h, p), 3), True
    yield "an array of one", lambda h, p: np.array([right(h, p)]), True
    yield "in per cent", lambda h, p: 100 * right(h, p), False
    yield "rounded to one place", lambda h, p: round(right(h, p), 1), False


# --- q3: a temperature ----------------------------------------------------------------------------


def _fitted_by_accuracy(validation, test):
    grid = np.arange(0.5, 5, 0.1)
    right = [((heated(validation["p"], t) >= 0.5) == validation["ill"]).mean() for t in grid]
    return heated(test["p"], grid[int(np.argmax(right))])


def _table(p: np.ndarray, ill: np.ndarray) -> pd.DataFrame:
    """The course's predictions of two classes."""
    frame = pd.DataFrame(
        {"image_id": [f"{i}.png" for i in range(len(p))], "label": np.where(ill, "covid", "other")}
    )
    return frame.assign(predicted="other", p_other=1 - p, p_covid=p)


def fitted(*parts: pd.DataFrame) -> float:
    """The temperature fitted to the rows of the tables."""
    rows = pd.concat(parts)
    return calibrate.temperature(_table(rows["p"].to_numpy(), rows["ill"].to_numpy()))


def heated(p, temperature: float) -> np.ndarray:
    """Probabilities at another temperature."""
    p = np.asarray(p, float)
    return calibrate.apply(_table(p, p > 0.5), temperature)["p_covid"].to_numpy()


def too_sure(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Probabilities that are too sure, on validation and test, drawn until the places to fit lie
    well apart.
    """
    tables = fresh.until(lambda: _drawn_too_sure(rng), _fits_differ)
    return tuple(_named(table, rng) for table in tables)


def _drawn_too_sure(rng: np.random.Generator) -> list[pd.DataFrame]:
    parts, too_steep = [], rng.uniform(1.5, 2.2)
    for n, truth in [(int(rng.integers(110, 140)), k * too_steep) for k in (1, 1.5)]:
        logit = rng.normal(-0.5, 1.4, n)
        ill = rng.random(n) < 1 / (1 + np.exp(-logit))
        parts.append(pd.DataFrame({"p": 1 / (1 + np.exp(-truth * logit)), "ill": ill}))
    return parts


def _fits_differ(parts: list[pd.DataFrame]) -> bool:
    own, both, other = fitted(parts[0]), fitted(*parts), fitted(parts[1])
    return own > 1.35 and both / own > 1.2 and other / both > 1.12 and other < 5


q3 = Question(
    "tempered",
    title="Temperature scaling",
    points=2,
    wants="tempered(validation, test) returns the recalibrated probabilities of the test images, "
    "one per row, in row order",
    hints=(
        "A temperature is fitted. On which images may anything be fitted?",
        "Raise the odds p / (1 - p) to the power 1 / T, and turn odds back into a probability: "
        "odds / (1 + odds).",
        "Try many T, keep the one with the smallest log loss on validation, and use it on the "
        "test images.",
    ),
    data=too_sure,
    mistakes={
        "left_alone": Mistake(
            lambda validation, test: test["p"].to_numpy(),
            "These are the original probabilities. On validation they are far too confident: fit "
            "a temperature.",
        ),
        "fitted_on_test": Mistake(
            lambda validation, test: heated(test["p"], fitted(test)),
            "The temperature was fitted on the test images, that is, recalibrated on test. They "
            "then look calibrated, but this says nothing about new images. Fit on validation.",
        ),
        "pooled_fit": Mistake(
            lambda validation, test: heated(test["p"], fitted(validation, test)),
            "The temperature was fitted on validation and test together. The test images "
            "influenced it, so what they show afterwards is no longer a measurement. Fit on "
            "validation alone.",
        ),
        "upside_down": Mistake(
            lambda validation, test: heated(test["p"], 1 / fitted(validation)),
            "The probabilities have become even more confident: T was applied inverted. Raise the "
            "odds to the power 1 / T, so that a T above 1 moves p towards 0.5.",
        ),
        "probability_divided": Mistake(
            lambda validation, test: test["p"].to_numpy() / fitted(validation),
            "The probability itself was divided by T. Then no image, however clear, gets more "
            "than 1 / T. The temperature applies to the logit: raise the odds to the power 1 / T.",
        ),
        "fitted_by_accuracy": Mistake(
            _fitted_by_accuracy,
            "T was chosen by accuracy. No temperature changes which images are above 0.5, so all "
            "T are equal and the first one tried was kept. The log loss depends on the "
            "probabilities: take the T with the smallest one.",
        ),
    },
)


@q3.rule
def _(tempered, rng):
    draws = sorted((q3.data(rng) for _ in range(8)), key=lambda parts: fitted(parts[0]))
    # far apart, so that no temperature typed in is right for all
    for k in rng.permutation([0, 4, 7]):
        _judge_tempered(tempered, *draws[k])


def _judge_tempered(tempered, validation, test) -> None:
    """Raise `Wrong` unless the answer is right on these tables."""
    found = expect.array(tempered(validation, test), (len(test),), "tempered(validation, test)")
    if found.min() < 0 or found.max() > 1:
        raise Wrong(
            f"Probabilities lie between 0 and 1; yours run from {found.min():.3g} to "
            f"{found.max():.3g}."
        )
    best = fitted(validation)
    if np.abs(found - heated(test["p"], best)).max() <= P_SLACK:
        return
    q3.recognise([found], [(validation, test)])
    candidates = {"left_alone": 1.0, "upside_down": 1 / best}
    turned = expect.array(
        tempered(validation, test.assign(ill=~test["ill"])), (len(test),), "tempered(...)"
    )
    if np.abs(turned - found).max() > 1e-6:  # the test's labels count
        candidates |= {"fitted_on_test": fitted(test), "pooled_fit": fitted(validation, test)}
    for name, wrong in candidates.items():
        if np.abs(found - heated(test["p"], wrong)).max() <= P_SLACK / 2:
            raise q3.caught(name)
    if (np.argsort(found, kind="stable") != np.argsort(test["p"].to_numpy(), kind="stable")).any():
        raise Wrong(
            "The order of the images has changed. A temperature changes every probability but "
            "never the order."
        )
    raise Wrong(
        f"The smallest log loss on validation is at T = {best:.2f}. With it an image with p = "
        f"{test['p'].iloc[0]:.3f} gets {heated(test['p'], best)[0]:.3f}; you give {found[0]:.3f}."
    )


@q3.edges
def _(right):
    yield "a column", lambda v, t: pd.Series(right(v, t), index=t.index), True
    yield "a list, rounded", lambda v, t: [round(float(x), 3) for x in right(v, t)], True
    yield "a grid of temperatures", _by_grid, True
    yield "a little cooler", lambda v, t: heated(right(v, t), 0.7), False
    yield "the validation images", lambda v, t: right(v, v), False
    yield "percent", lambda v, t: 100 * np.asarray(right(v, t)), False


def _by_grid(validation, test):
    grid = np.arange(0.5, 5, 0.05)
    own = np.where(validation["ill"], validation["p"], 1 - validation["p"])
    return heated(test["p"], grid[np.argmin([-np.log(heated(own, t)).mean() for t in grid])])


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
