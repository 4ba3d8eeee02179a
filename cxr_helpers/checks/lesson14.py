"""Questions of lesson 14, reviewing a study: a figure and its text, the honest figure, the repair,
the experiment to ask for.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc, roc_curve
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .. import evaluate, files
from . import _networks, _out_of_fold, expect, fresh
from ._bootstrap import NARROW, TABLES, WIDE, bootstrap, breadth, level_words
from ._kinds import Choice
from ._question import Mistake, Question
from ._running import Wrong

SLACK = 0.03  # of an end of an interval: what resampling with another seed may change
SAME = 0.0006  # an accuracy that is the same but for rounding to three digits
ON, OFF = 0.015, 0.1  # how far from a curve its own point may be, and another one must be
MOVED = 1e-6  # from which on a probability has moved
STUDIES = 12  # further ones at most, until accuracies on train, val and test differ
LEARNED = 0.75  # AUC from which on something was learned; 0.9 and more is usual

# --- q1: which text fits its figure ---------------------------------------------------------------


def _curve_and_text(rng: np.random.Generator) -> dict:
    """A ROC curve, and three figures that a text gives for it: some are the curve's, some not."""
    return fresh.until(lambda: _drawn_study(rng), _is_clear)


def _drawn_study(rng: np.random.Generator) -> dict:
    ill, well = rng.integers(60, 90, 2)
    spread = float(rng.choice([0.45, 2.2]))  # of the ill: so the curve is not symmetric
    scores = np.r_[rng.normal(0, 1, well), rng.normal(rng.uniform(0.9, 1.6), spread, ill)]
    false_alarms, found, _ = roc_curve(
        np.repeat([0, 1], [well, ill]), scores, drop_intermediate=False
    )
    point, area = int(rng.integers(len(found))), auc(false_alarms, found)
    sensitivity, specificity = found[point], 1 - false_alarms[point]
    told = rng.integers(4)
    if told == 1:
        sensitivity = sensitivity + rng.uniform(0.12, 0.2)
    elif told == 2:
        sensitivity, specificity = specificity, sensitivity
    elif told == 3:
        area = area + rng.uniform(0.09, 0.14)
    return {
        "false alarms": false_alarms,
        "found": found,
        "AUC": round(float(area), 2),
        "sensitivity": round(float(sensitivity), 2),
        "specificity": round(float(specificity), 2),
    }


def _off(study: dict, across: str = "specificity", up: str = "sensitivity") -> float:
    """How far the point of two figures is from the curve, in any direction."""
    x, y = study["false alarms"], study["found"]
    along = np.linspace(0, len(x) - 1, 6 * len(x))
    rows = np.arange(len(x))
    return float(
        np.hypot(
            np.interp(along, rows, x) - (1 - study[across]), np.interp(along, rows, y) - study[up]
        ).min()
    )


def _above(study: dict) -> float:
    """How far the point is above the curve, at its specificity."""
    x, y = study["false alarms"], study["found"]
    return float(study["sensitivity"] - np.interp(1 - study["specificity"], x, y))


def _exchanged(study: dict) -> float:
    return _off(study, across="sensitivity", up="specificity")


def _area(study: dict) -> float:
    return abs(study["AUC"] - auc(study["false alarms"], study["found"]))


def _is_clear(study: dict) -> bool:
    """Whether each figure is the curve's, or clearly not; the point lies in the middle."""
    middle = all(0.2 < study[name] < 0.95 for name in ("sensitivity", "specificity"))
    if not middle or study["AUC"] >= 0.985:
        return False
    one = _off(study) < ON and abs(_above(study)) < 0.04 and _exchanged(study) > OFF
    other = abs(_above(study)) > OFF and _off(study) > 0.8 * OFF
    other &= _exchanged(study) < ON or (_exchanged(study) > OFF and _above(study) > 0)
    return one or other


q1 = Choice(
    "consistent",
    title="Which text fits its figure?",
    points=2,
    wants="consistent(studies) returns the letter of one study",
    hints=(
        "Where in the figure is the point of a sensitivity and a specificity? And what in the "
        "figure is the AUC?",
        "The point is at 1 - specificity (to the right) and sensitivity (up): it must lie on the "
        "curve. The AUC must be the area under it. Rounding aside.",
        'For a study: np.interp(1 - study["specificity"], study["false alarms"], study["found"]) '
        "is the curve's height at the point, and sklearn.metrics.auc gives the area.",
    ),
    row=_curve_and_text,
    why_not={
        "two_thresholds": (
            lambda study: _above(study) > OFF and _exchanged(study) > OFF,
            "The point of its sensitivity and specificity lies above the curve: no threshold gives "
            "both. The two were read at different thresholds, each where it looks best.",
        ),
        "exchanged": (
            lambda study: _off(study) > ON and _exchanged(study) < ON,
            "The point is not on the curve; with the two figures exchanged it is. Sensitivity and "
            "specificity were mixed up, as when the classes are in another order.",
        ),
        "other_auc": (
            lambda study: _area(study) > 0.05,
            "The point is on the curve, but the area under the curve is smaller than the AUC in "
            "the text: that is the figure of other images, such as those of training.",
        ),
    },
)

# --- q2: the honest figure ------------------------------------------------------------------------


def film_lines(
    rng: np.random.Generator, patients: list[str], split: str, films=(1, 4)
) -> list[dict]:
    """Lines of the images of some patients: one line for a normal image, two to four (a box each)
    for a covid image.
    """
    rows = []
    for patient in patients:
        label = ("normal", "covid")[_digest(patient)[0] % 2]
        for name in fresh.names(rng, int(rng.integers(*films))):
            film = {"image_id": f"{name}.png", "patient": patient, "label": label, "split": split}
            film["sha256"] = _digest(patient + name).hex()
            rows += [film] * (1 if label == "normal" else int(rng.integers(2, 5)))
    return rows


def _digest(text: str) -> bytes:
    return bytes.fromhex(files.sha256(text.encode()))


def overlapping(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training lines, and a model's answers about the test lines: it knows what it was trained
    on.
    """
    names = fresh.names(rng, 80, "P-")
    train = pd.DataFrame(film_lines(rng, names[:50], "train"))
    again = film_lines(rng, names[:20], "test", films=(1, 3))  # other images of patients in train
    fresh_ones = film_lines(rng, names[50:], "test", films=(1, 6))
    copied = train[train["patient"].isin(names[10:50])].assign(split="test")
    test = pd.concat([pd.DataFrame(again), pd.DataFrame(fresh_ones), copied], ignore_index=True)
    kind = np.select(
        [test["sha256"].isin(train["sha256"]), test["patient"].isin(train["patient"])], [0, 1], 2
    )
    # of a new patient, all images are alike
    easy = dict(zip(names, rng.beta(0.7, 0.6, len(names)), strict=True))
    chance = np.choose(
        kind, [1.0, 0.9, test["patient"].map(easy) + 0.15 * (test["label"] == "covid")]
    )
    right = (
        test["sha256"].map(dict(zip(test["sha256"], rng.random(len(test)), strict=True))) < chance
    )
    other = np.where(test["label"] == "covid", "normal", "covid")
    test["predicted"] = np.where(right, test["label"], other)
    test["p_covid"] = np.where(test["predicted"] == "covid", 0.8, 0.2)
    test["p_normal"] = 1 - test["p_covid"]
    order = rng.permutation(len(test))
    return train.drop(columns="split"), test.drop(columns="split").iloc[order].reset_index(
        drop=True
    )


def _study(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training lines, and the answers about the test lines; no two ways of counting agree."""
    return fresh.until(lambda: overlapping(rng), _ways_apart)


def _ways_apart(tables: tuple[pd.DataFrame, pd.DataFrame]) -> bool:
    ways = [_figure(_new(*tables).drop_duplicates("sha256"))]
    ways += [mistake.answer(*tables) for mistake in q2.mistakes.values()]
    return all(_apart(a, b) > 1.5 * SLACK for i, a in enumerate(ways) for b in ways[:i])


def _new(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Test lines whose bytes and whose patient are not in train."""
    return test[~test["sha256"].isin(train["sha256"]) & ~test["patient"].isin(train["patient"])]


def _figure(rows: pd.DataFrame, unit: str | None = "patient") -> dict[str, float]:
    """Accuracy with its interval (by unit; None: every row counts for itself) and n."""
    named = rows.assign(image_id=[f"{n}" for n in range(len(rows))])
    named = named.assign(group=named["image_id"] if unit is None else named[unit])
    found = evaluate.metric(named, "accuracy")
    return {"accuracy": found.value, "low": found.low, "high": found.high, "n": len(rows)}


def _resampled(rows: pd.DataFrame) -> dict[str, float]:
    """The same by resampling patients with replacement."""
    right = rows["label"] == rows["predicted"]
    low, high = bootstrap(right, rows["patient"])
    return {"accuracy": right.mean(), "low": low, "high": high, "n": len(rows)}


def _apart(a: dict, b: dict) -> float:
    """The largest difference between two figures' values and ends; where n differs, they are apart
    by one at least.
    """
    return max(abs(a[key] - b[key]) for key in ("accuracy", "low", "high")) + (a["n"] != b["n"])


def _files_only(train, test):
    kept = test[~test["sha256"].isin(train["sha256"])]
    return _figure(kept.drop_duplicates("sha256"))


q2 = Question(
    "honest",
    title="The honest figure",
    points=3,
    wants=(
        'honest(train, test) returns a dict of numbers: {"accuracy": ..., "low": ..., "high": '
        '..., "n": ...}'
    ),
    hints=(
        "Three decisions: which lines to remove because the model knows them, how many lines a "
        "radiograph may have, and which unit the interval resamples.",
        "The model is already trained; deleting rows from train does not undo that. So remove the "
        "known lines from *test*: by bytes, and by patient.",
        'Then drop_duplicates("sha256"), give the table a column group, and '
        'evaluate.metric(table, "accuracy") gives '
        "value, low, high and n.",
    ),
    data=_study,
    mistakes={
        "as_reported": Mistake(
            lambda train, test: _figure(test, None),
            "{accuracy:.3f} on {n:.0f} lines is the reported figure. It counts lines instead of "
            "images, and includes images and patients that the model was trained on. Check the "
            "data behind a high figure first.",
        ),
        "lines_as_images": Mistake(
            lambda train, test: _figure(_new(train, test), None),
            "The known images are removed, but {n:.0f} lines were counted as images: a radiograph "
            "with three boxes counts three times, a normal one once. Keep one row per radiograph.",
        ),
        "duplicates_within_test": Mistake(
            lambda train, test: _figure(test.drop_duplicates("sha256")),
            "Each radiograph is counted once, but those that the model was trained on are still "
            "among the {n:.0f}. Removing duplicates *within* test leaves those *between* test and "
            "train, and deleting rows from train does not change a trained model.",
        ),
        "files_only": Mistake(
            _files_only,
            "The copies are removed, but not other images of patients in train: of the {n:.0f}, "
            "some show patients whom the model knows. Disjoint by file is not disjoint by patient.",
        ),
        "films_as_units": Mistake(
            lambda train, test: _figure(_new(train, test).drop_duplicates("sha256"), None),
            "The images are right, but the interval is not: {low:.2f}-{high:.2f} is as narrow as "
            "if {n:.0f} images were independent answers. Images of one patient get similar "
            "answers: resample patients.",
        ),
    },
)


@q2.rule
def _(honest, rng):
    given, ways = [], ([], [])
    for train, test in (q2.data(rng) for _ in range(TABLES)):
        found = _read(honest(train, test))
        counted = _new(train, test).drop_duplicates("sha256")
        both = _figure(counted), _resampled(counted)
        _judge_figure(found, both, train, test)
        for ends, figure in zip((given, *ways), (found, *both), strict=True):
            ends.append((figure["low"], figure["high"]))
    if not NARROW <= (share := breadth(given, *ways)) <= WIDE:
        raise Wrong(f"Accuracy and n are right. {level_words(share)}")


def _read(result) -> dict[str, float]:
    return expect.numbers(result, ("accuracy", "low", "high", "n"), "The answer")


def _judge_figure(given: dict, ways: tuple, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Raise `Wrong` unless the figure may be right on these tables."""
    right = ways[0]
    apart = {
        name: _apart(given, mistake.answer(train, test)) for name, mistake in q2.mistakes.items()
    }
    nearest = min(apart, key=lambda name: apart[name])
    if (
        min(_apart(given, way) for way in ways) <= SLACK
        and abs(given["accuracy"] - right["accuracy"]) <= SAME
    ):
        return
    places = given | {
        "lines": len(test),
        "films": test["sha256"].nunique(),
        "patients": test["patient"].nunique(),
    }
    if apart[nearest] <= SLACK:
        raise q2.caught(nearest, **places)
    if given["n"] != right["n"]:
        raise Wrong(
            f"n is {given['n']:g}, but that is not the number of radiographs that are new to the "
            "model, each counted once."
        )
    what = "accuracy" if abs(given["accuracy"] - right["accuracy"]) > SAME else "interval"
    raise Wrong(f"n is right, but the {what} is not.")


@q2.edges
def _(right):
    def changed(**by):
        return lambda *tables: {
            key: value + by.get(key, 0) for key, value in right(*tables).items()
        }

    yield "rounded to three digits", lambda *t: {k: round(v, 3) for k, v in right(*t).items()}, True
    yield "NumPy's numbers", lambda *t: {k: np.float64(v) for k, v in right(*t).items()}, True
    yield (
        "patients resampled by hand",
        lambda a, b: _resampled(_new(a, b).drop_duplicates("sha256")),
        True,
    )
    yield "accuracy off by 0.01", changed(accuracy=0.01), False
    yield "one image too many", changed(n=1), False
    yield "an interval moved by 0.05", changed(low=0.05, high=0.05), False


# --- q3: the repaired study -----------------------------------------------------------------------

PARTS = ("train", "val", "test")
KEYS = (*PARTS, "p", "threshold", "accuracy", "baseline")


def _collected(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, 8, 8), labels and patients: about a third is ill, most have several images."""
    images, labels, patients = _out_of_fold.cohort(rng, 120)
    ill = np.unique(patients[labels == 1])
    kept = (labels == 0) | np.isin(patients, ill[: len(ill) // 2])
    return images[kept], labels[kept], patients[kept]


def best_threshold(labels: np.ndarray, p: np.ndarray) -> float:
    """The probability from which on calling an image ill gives the highest accuracy."""
    return float(max(np.unique(p), key=lambda cut: np.mean((p >= cut) == labels)))


def _repaired(
    images,
    labels,
    patients,
    *,
    whole=True,
    scaled="train",
    fitted=("train",),
    cut="val",
    scored="test",
    seed=0,
) -> dict:
    """The study with one of its steps done otherwise."""
    rows = images.reshape(len(images), -1).astype(float)
    units = patients if whole else np.arange(len(labels))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    pieces = [held for _, held in folds.split(rows, labels, units)]
    parts = {"train": np.concatenate(pieces[2:]), "val": pieces[1], "test": pieces[0]}
    known = np.concatenate([parts[name] for name in fitted])
    model = LogisticRegression(C=0.1, max_iter=1000)
    if scaled == "all":
        rows = StandardScaler().fit_transform(rows)
    else:
        model = make_pipeline(StandardScaler(), model)
    p = model.fit(rows[known], labels[known]).predict_proba(rows)[:, 1]
    threshold = 0.5 if cut == "half" else best_threshold(labels[parts[cut]], p[parts[cut]])
    return parts | {
        "p": p,
        "threshold": threshold,
        "accuracy": _accuracy(labels, p, threshold, parts[scored]),
        "baseline": float(np.mean(labels[parts["test"]] == 0)),
    }


def _accuracy(labels, p, threshold: float, rows) -> float:
    return float(np.mean((p[rows] >= threshold) == labels[rows]))


q3 = Question(
    "repaired",
    title="Repair the study",
    points=5,
    wants=f"repaired(images, labels, patients) returns a dict with {', '.join(KEYS)}",
    hints=(
        "Follow one test image through the study: where does something learn from it before it is "
        "scored? There are three places.",
        "Split by patient, twice: StratifiedGroupKFold for the test part, then again among the "
        "other rows for val. The second split numbers the rows of what it was given: rest[...] "
        "makes them row numbers of the table.",
        "A pipeline of StandardScaler and LogisticRegression, fitted on train; the threshold from "
        "val; the accuracy on test. The baseline is the share of test images that have the more "
        "frequent label.",
    ),
    data=_collected,
    mistakes={
        "images_split": Mistake(
            lambda *case: _repaired(*case, whole=False),
            "{crossing} patients have images in more than one of train, val and test, and the "
            "model can recognise a patient. Split whole patients: StratifiedGroupKFold with "
            "groups=patients.",
        ),
        "knows_test": Mistake(
            lambda *case: _repaired(*case, scaled="all"),
            "The pixels of the test images alone were exchanged for noise, and the probabilities "
            "of other images moved. So something was fitted on the test part: the scaler, or the "
            "model. Put the scaler into the pipeline, and fit that on train.",
        ),
        "threshold_on_test": Mistake(
            lambda *case: _repaired(*case, cut="test"),
            "The pixels of the test images alone were exchanged for noise, and the threshold moved "
            "from {before:.2f} to {after:.2f}: it is chosen on the images that it is then judged "
            "by. Choose it on val.",
        ),
        "fitted_on_val": Mistake(
            lambda *case: _repaired(*case, fitted=("train", "val")),
            "The pixels of the val images alone were exchanged for noise, and the probabilities "
            "of other images moved. So the scaler or the model depends on val, too, and the "
            "threshold is chosen on images that the model knows. Fit on train alone.",
        ),
        "threshold_not_from_val": Mistake(
            lambda *case: _repaired(*case, cut="half"),
            "The pixels of the val images were exchanged for noise, and the threshold stayed at "
            "{before:.2f}: it does not come from val. Choose it there, best_threshold(labels[val], "
            "p[val]).",
        ),
        "accuracy_of_val": Mistake(
            lambda *case: _repaired(*case, scored="val"),
            "{accuracy:.3f} is the accuracy on val, where the threshold was chosen to make it as "
            "high as possible. Report it on test: {right:.3f}.",
        ),
        "chance_as_baseline": Mistake(
            lambda *case: _repaired(*case) | {"baseline": 0.5},
            "A baseline of 0.5 would be right for two classes of equal size. Here always answering "
            "the more frequent label is right on {share:.3f} of the test images. That is what the "
            "accuracy stands beside.",
        ),
        "no_seed": Mistake(
            lambda *case: _repaired(*case, seed=int(np.random.default_rng().integers(10**6))),
            "Two calls with the same data gave different parts. Give each split a fixed seed "
            "(random_state=0), so that others can repeat the study.",
            random=True,
        ),
    },
)


@q3.rule
def _(repaired, rng):
    def ask_for(images, labels, patients) -> dict:
        return _read_study(repaired(images, labels, patients), labels)

    images, labels, patients = _collected(rng)

    def ask(changed=None) -> dict:
        given = images.copy()
        if changed is not None:
            given[changed] = rng.integers(0, 256, given[changed].shape)
        return ask_for(given, labels, patients)

    found = ask()
    _judge_parts(found, ask(), labels, patients)
    p, threshold = found["p"], found["threshold"]
    without_test, without_val = (ask(found[part]) for part in ("test", "val"))
    if any(_other_parts(found, other) for other in (without_test, without_val)):
        raise Wrong(
            "When pixels were changed, the split changed, too. It should rest on labels, patients "
            "and a seed alone."
        )
    if _moves(found, without_test, "test"):
        raise q3.caught("knows_test")
    after = without_test["threshold"]
    if abs(after - threshold) > MOVED:
        raise q3.caught("threshold_on_test", before=threshold, after=after)
    if _moves(found, without_val, "val"):
        raise q3.caught("fitted_on_val")
    if abs(without_val["threshold"] - threshold) <= MOVED:
        raise q3.caught("threshold_not_from_val", before=threshold)
    told, truth = found, labels
    for _ in range(STUDIES):
        if _tells_parts_apart(told, truth):
            break
        images, truth, patients = _collected(rng)
        told = ask_for(images, truth, patients)
    _judge_report(told, truth)
    if (reached := _networks.auc(p[found["test"]], labels[found["test"]])) < LEARNED:
        raise Wrong(
            f"The AUC on test is {reached:.2f}; logistic regression reaches about 0.9. Is p the "
            "probability of label 1, and does the n-th number belong to the n-th image?"
        )


def _read_study(value, labels: np.ndarray) -> dict:
    """The answer in plain types; the parts as sorted row numbers."""
    if not isinstance(value, dict) or (missing := [key for key in KEYS if key not in value]):
        lacks = f"a dict without {', '.join(missing)}" if isinstance(value, dict) else ""
        raise Wrong(
            f"The answer should be a dict with {', '.join(KEYS)}, not {lacks or value!r:.80}."
        )
    found: dict = {}
    for part in PARTS:
        rows = expect.array(value[part], (-1,), f"{part!r}")
        if not (rows == rows.astype(int)).all() or (set(rows) <= {0, 1} and len(rows) > 2):
            raise Wrong(f"{part!r} should hold row numbers, such as 0, 5, 17.")
        found[part] = np.sort(rows.astype(int))
    counted = np.bincount(
        np.concatenate([found[part] for part in PARTS]).clip(0, len(labels)),
        minlength=len(labels) + 1,
    )
    if counted[-1] or min(found[part].min(initial=0) for part in PARTS) < 0:
        raise Wrong(f"There are rows 0 to {len(labels) - 1}; the parts name others.")
    if (counted[:-1] != 1).any():
        raise Wrong(
            f"Each row belongs to one part. {(counted[:-1] > 1).sum()} rows are in several, "
            f"{(counted[:-1] == 0).sum()} in none. (A second split numbers the rows of what it was "
            "given, not those of the table.)"
        )
    found["p"] = expect.array(value["p"], (len(labels),), "'p', a probability for each image,")
    for key in ("threshold", "accuracy", "baseline"):
        # scikit-learn's first threshold, at which nothing is called ill, is infinite
        none_ill = key == "threshold" and np.size(value[key]) == 1 and np.all(value[key] == np.inf)
        found[key] = 2.0 if none_ill else expect.number(value[key], f"{key!r}")
    return found


def _other_parts(one: dict, other: dict) -> bool:
    return any(not np.array_equal(one[part], other[part]) for part in PARTS)


def _moves(before: dict, after: dict, part: str) -> bool:
    """Whether the probability of an image outside the part has changed."""
    rows = np.setdiff1d(np.arange(len(before["p"])), before[part])
    return bool(np.abs(before["p"][rows] - after["p"][rows]).max() > MOVED)


def _judge_parts(found: dict, again: dict, labels: np.ndarray, patients: np.ndarray) -> None:
    """Raise `Wrong` unless whole patients make up parts of a proper size, each time the same."""
    if _other_parts(found, again):
        raise q3.caught("no_seed")
    part = np.empty(len(labels), object)
    for name in PARTS:
        part[found[name]] = name
        share = len(found[name]) / len(labels)
        if not (0.08 if name != "train" else 0.3) <= share <= (0.42 if name != "train" else 0.84):
            raise Wrong(f"{share:.0%} of the images are in {name}: about 3 : 1 : 1 was asked for.")
        if len(set(labels[found[name]])) < 2:
            raise Wrong(f"All images in {name} have the same label. Stratify the split.")
    crossing = int((pd.Series(part).groupby(patients).nunique() > 1).sum())
    if crossing:
        raise q3.caught("images_split", crossing=crossing)


def _tells_parts_apart(found: dict, labels: np.ndarray) -> bool:
    """Whether the accuracy is another one on each part, so that a number says where it is from."""
    of = [_accuracy(labels, found["p"], found["threshold"], found[part]) for part in PARTS]
    return min(abs(a - b) for a, b in combinations(of, 2)) > 2 * SAME


def _judge_report(found: dict, labels: np.ndarray) -> None:
    """Raise `Wrong` unless threshold, accuracy and baseline are those of their parts."""
    p, threshold, val, test = found["p"], found["threshold"], found["val"], found["test"]
    reached = _accuracy(labels, p, threshold, val)
    best = _accuracy(labels, p, best_threshold(labels[val], p[val]), val)
    if reached < best - 1.5 / len(val):
        raise Wrong(
            f"With the threshold {threshold:.2f} the accuracy on val is {reached:.2f}; another one "
            f"reaches {best:.2f}. Use best_threshold on val."
        )
    right = _accuracy(labels, p, threshold, test)
    above = float(np.mean((p[test] > threshold) == labels[test]))
    if min(abs(found["accuracy"] - right), abs(found["accuracy"] - above)) > SAME:
        if abs(found["accuracy"] - reached) <= SAME:
            raise q3.caught("accuracy_of_val", accuracy=found["accuracy"], right=right)
        raise Wrong(
            f"The accuracy reported is {found['accuracy']:.3f}. With these probabilities and this "
            f"threshold it is {right:.3f} on test."
        )
    frequent = int(np.mean(labels[found["train"]]) >= 0.5)
    share = float(np.mean(labels[test] == frequent))
    if abs(found["baseline"] - share) > SAME:
        if abs(found["baseline"] - 0.5) <= SAME:
            raise q3.caught("chance_as_baseline", share=share)
        raise Wrong(
            f"The baseline reported is {found['baseline']:.3f}; always answering {frequent}, the "
            f"more frequent label, is right on {share:.3f} of the test images."
        )


@q3.edges
def _(right):
    def changed(**by):
        return lambda *case: (found := right(*case)) | {k: found[k] + v for k, v in by.items()}

    yield (
        "lists in place of arrays",
        lambda *c: {k: np.asarray(v).tolist() for k, v in right(*c).items()},
        True,
    )
    yield (
        "accuracy rounded",
        lambda *c: right(*c) | {"accuracy": round(right(*c)["accuracy"], 3)},
        True,
    )
    yield "one more key", lambda *c: right(*c) | {"n": 40}, True
    yield "accuracy a hundredth too high", changed(accuracy=0.01), False
    yield "baseline a hundredth too low", changed(baseline=-0.01), False
    yield "the other class' probability", lambda *c: right(*c) | {"p": 1 - right(*c)["p"]}, False
    yield "a row left out", lambda *c: right(*c) | {"train": right(*c)["train"][1:]}, False


# --- q4: the experiment to ask for ----------------------------------------------------------------


LEAK, PLACE = "the model knows the test patients", "the model recognises the hospital"
COINS, FRAME = "labels drawn at random, one per patient", "the lungs blacked out in all images"
MORE, ANEW = "twice as many images", "trained and tested anew"


def _experiment(rng: np.random.Generator) -> dict:
    """What somebody suspects, and the experiment that is to confirm it."""
    return {
        "suspicion": str(rng.choice([LEAK, PLACE])),
        "what is changed": str(rng.choice([COINS, FRAME, MORE])),
        "what is run": str(rng.choice([ANEW, "the trained model, tested"])),
        "its AUC stands beside": str(rng.choice(["0.5", "nothing"])),
    }


q4 = Choice(
    "ask_for",
    title="Which experiment would you ask for?",
    points=1,
    wants="ask_for(experiments) returns the letter of one experiment",
    hints=(
        "For each line ask: if the suspicion is true, which number comes out? And if it is false?",
        "With random labels nothing can be learned but who is who. Without lungs nothing can be "
        "learned but what is around them. Which suspicion is that?",
        "Two pairs of suspicion and change fit, joined by |; then & for what is run, and for what "
        "the AUC is compared with. experiments.index[condition][0] is a letter.",
    ),
    row=_experiment,
    why_not={
        "more_images": (
            lambda one: one["what is changed"] == MORE,
            "More images of the same kind have the same fault: the result may be high for either "
            "reason. An experiment takes something out.",
        ),
        "other_suspicion": (
            lambda one: (
                (one["suspicion"], one["what is changed"]) in ((LEAK, FRAME), (PLACE, COINS))
            ),
            "The experiment is about another suspicion. Random labels, one per patient, leave "
            "nothing to learn but the patients: a high AUC shows that the test knows them. Black "
            "lungs leave the rest of the image: a high AUC shows that the origin is enough.",
        ),
        "not_trained": (
            lambda one: one["what is run"] != ANEW,
            "The trained model has never seen such labels or such images; what it says about them "
            "shows little. The question is what can be *learned* from them: train and test anew.",
        ),
        "no_comparison": (
            lambda one: one["its AUC stands beside"] == "nothing",
            "An AUC beside nothing confirms nothing. If the suspicion is false, it comes out near "
            "0.5: say so before.",
        ),
    },
)
