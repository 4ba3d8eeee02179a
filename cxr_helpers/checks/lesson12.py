"""Questions of lesson 12, uncertainty and external validation: known images, two cohorts, a limit,
abstention.
"""

import numpy as np
import pandas as pd

from .. import evaluate
from . import expect, fresh
from ._bootstrap import NARROW, TABLES, WIDE, bootstrap, breadth, level_words
from ._kinds import Case, Compare
from ._question import Mistake, Question
from ._running import Wrong

# one end of an interval, what another seed may change; a share but for rounding
SENSITIVITY = 0.9  # asked for on validation
SLACK, NEAR = 0.045, 0.005
# share of clean images that the gate may reject, and how far off it may be
ALLOWED, OFF = 0.05, 0.015

# --- q1: which images are external ----------------------------------------------------------------


def _named_only(training, table):
    found = table[
        ~table["film"].isin(training["film"]) & ~table["patient"].isin(training["patient"])
    ]
    return found.dropna(subset=["patient"])


def collected(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, set[str]]:
    """Training images, a collection called external, and the names of those that the model cannot
    know.
    """
    people = fresh.names(rng, 60, "P-")
    rows = [
        {"patient": people[k], "film": film}
        for k in range(30)
        for film in fresh.names(rng, 2, f"{people[k]}:")
    ]
    training = pd.DataFrame(rows).assign(sha256=lambda t: "file of " + t["film"])
    picked = training.iloc[rng.permutation(len(training))].reset_index(drop=True)
    kinds = {  # how many, and what they share with training
        "same file": picked.iloc[:5].assign(patient=pd.NA),
        "same radiograph, other contrast": picked.iloc[5:11].assign(
            patient=pd.NA, sha256=lambda t: "bright " + t["film"]
        ),
        "same person, other film": picked.iloc[11:16].assign(
            film=fresh.names(rng, 5, "a:"), sha256=fresh.names(rng, 5)
        ),
    }
    new = pd.DataFrame(
        {"patient": people[35:], "film": fresh.names(rng, 25, "b:"), "sha256": fresh.names(rng, 25)}
    )
    nameless = pd.DataFrame(
        {"patient": pd.NA, "film": fresh.names(rng, 7, "c:"), "sha256": fresh.names(rng, 7)},
        range(7),
    )
    table = pd.concat([*kinds.values(), new, nameless], ignore_index=True)
    names = [f"{name}.png" for name in fresh.names(rng, len(training) + len(table))]
    training.insert(0, "image_id", names[: len(training)])
    table.insert(0, "image_id", names[len(training) :])
    # a name of a file, and nothing else
    table.loc[[17, 40], "image_id"] = training["image_id"].to_numpy()[:2]
    return (
        training,
        table.sample(frac=1, random_state=int(rng.integers(1000))),
        set(table["image_id"].iloc[16:]),
    )


def _kept(result, table: pd.DataFrame) -> set[str]:
    names = expect.table(result, ["image_id"], "external_rows(training, table)")["image_id"].astype(
        str
    )
    if names.duplicated().any() or not set(names) <= set(table["image_id"]):
        raise Wrong("The result has rows that the table does not have.")
    return set(names)


def _known_and_lost(kept: list[set], cases: list[Case]) -> dict:
    return {"known": len(kept[0] - cases[0].right), "lost": len(cases[0].right - kept[0])}


def _why_not_external(kept: set, case: Case) -> str:
    known, lost = len(kept - case.right), len(case.right - kept)
    return f"{known} images that the model knows were kept, and {lost} that are new were dropped."


q1 = Compare(
    "external_rows",
    title="Is it external?",
    points=3,
    wants="external_rows(training, table) returns the rows of table that are new to the model",
    hints=(
        "In which ways can a model already know an image of this collection?",
        "The same radiograph, or the same patient. The file's name says nothing, and its hash "
        "changes with the contrast. What about patients who are not named?",
        'table["film"].isin(training["film"]) finds known radiographs. For patients: a missing '
        'name is not a known patient, so compare with training["patient"].dropna().',
    ),
    data=lambda rng: collected(rng)[:2],
    mistakes={
        "as_it_came": Mistake(
            lambda training, table: table,
            "Nothing was removed: {known} of the images are known to the model. A set is not "
            "external just because it is called so. Remove the known images.",
        ),
        "by_name": Mistake(
            lambda training, table: table[~table["image_id"].isin(training["image_id"])],
            "File names were compared: {known} known images were kept under another name, and "
            "{lost} new ones were dropped because they share a name. Compare what the image "
            "shows, and whom.",
        ),
        "by_file": Mistake(
            lambda training, table: table[~table["sha256"].isin(training["sha256"])],
            "Files were compared, but not radiographs: {known} known images were kept, some of "
            "them with a changed contrast. Then every byte differs, but the radiograph is the "
            "same.",
        ),
        "by_film": Mistake(
            lambda training, table: table[~table["film"].isin(training["film"])],
            "Radiographs were compared, but not patients: {known} images show a patient of the "
            "training set on another radiograph. Two images of one patient are similar (lesson "
            "04).",
        ),
        "by_person": Mistake(
            lambda training, table: table[~table["patient"].isin(training["patient"].dropna())],
            "Patients were compared, but not radiographs: {known} known images were kept because "
            "they name no patient.",
        ),
        "named_only": Mistake(
            _named_only,
            "All images without a patient's name were dropped, {lost} new ones. A missing name is "
            "no evidence that the image is known; keep them (and report how many are unnamed).",
        ),
    },
    cases=lambda rng: [
        Case((training, table), new) for training, table, new in (collected(rng), collected(rng))
    ],
    read=lambda value, case: _kept(value, case.given[1]),
    same=set.__eq__,
    places=_known_and_lost,
    explain=_why_not_external,
)


@q1.edges
def _(right):
    yield "in another order", lambda a, b: right(a, b).sample(frac=1, random_state=1), True
    yield (
        "with a new index, and names only",
        lambda a, b: right(a, b)[["image_id"]].reset_index(drop=True),
        True,
    )
    yield "one image lost", lambda a, b: right(a, b).iloc[1:], False
    yield "the images that are known", lambda a, b: b.drop(right(a, b).index), False
    yield "a list of names", lambda a, b: list(right(a, b)["image_id"]), False


# --- q2: side by side -----------------------------------------------------------------------------


def films(rng: np.random.Generator, patients: int, shift: float) -> pd.DataFrame:
    """Images of some patients, four to seven each and much alike; half of the patients are ill."""
    rows = []
    for number, patient in enumerate(fresh.names(rng, patients, "P-")):
        label = ("normal", "covid")[number % 2]
        own = rng.normal(shift + 1.6 * (label == "covid"), 1.0)
        scores = 1 / (1 + np.exp(-(own + 0.25 * rng.normal(size=int(rng.integers(4, 8))))))
        rows += [{"patient": patient, "label": label, "p_covid": score} for score in scores]
    table = pd.DataFrame(rows).assign(
        image_id=lambda t: [f"{p}-{k}" for k, p in enumerate(t["patient"])]
    )
    return table[["image_id", "patient", "label", "p_covid"]].sample(
        frac=1, random_state=int(rng.integers(1000))
    )


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as a table of predictions, in which the patient is the group."""
    called = pd.Categorical(
        np.where(rows["p_covid"] >= 0.5, "covid", "normal"), ["normal", "covid"]
    )
    return rows.assign(
        group=rows["patient"], p_normal=1 - rows["p_covid"], predicted=called
    ).reset_index(drop=True)


def sensitivity(
    rows: pd.DataFrame, threshold: float, unit: str = "patient"
) -> tuple[float, float, float]:
    """Sensitivity at a threshold, with the interval that resamples the unit."""
    ill = rows[rows["label"] == "covid"]
    found = ill["p_covid"] >= threshold
    return float(found.mean()), *bootstrap(found, ill[unit])


def _pick(rows: pd.DataFrame) -> float:
    return evaluate.operating_point(scored(rows), "covid", SENSITIVITY)


def three_tables(rng: np.random.Generator) -> tuple[pd.DataFrame, ...]:
    """Validation, internal and external tables on which each way to choose a threshold differs."""
    return fresh.until(
        lambda: (films(rng, 60, -0.8), films(rng, 60, -1.1), films(rng, 50, -2.3)), _ways_differ
    )


def _ways_differ(tables: tuple[pd.DataFrame, ...]) -> bool:
    at = [_pick(table) for table in tables]
    ill = [table.loc[table["label"] == "covid", "p_covid"] for table in tables[1:]]
    shares = [[(scores >= threshold).mean() for threshold in (*at, 0.5)] for scores in ill]
    return min(abs(a - b) for row in shares for k, a in enumerate(row) for b in row[:k]) > 0.03


def _both(validation, internal, external, *, threshold=_pick, unit="patient"):
    """The report with a threshold chosen on validation."""
    chosen = threshold(validation)
    return {
        "internal": sensitivity(internal, chosen, unit),
        "external": sensitivity(external, chosen, unit),
    }


q2 = Question(
    "report",
    title="Side by side",
    points=3,
    wants=(
        'report(validation, internal, external) returns {"internal": (value, low, high), '
        '"external": (...)}'
    ),
    hints=(
        "A threshold is chosen once. On which of the three tables may that happen?",
        "A threshold chosen on a table is fitted to it, so neither the internal nor the external "
        "test may be used. And which unit would another study sample?",
        'threshold = pick(validation); then, for both tables, found = ill["p_covid"] >= '
        'threshold, and interval(found, ill["patient"]).',
    ),
    data=three_tables,
    mistakes={
        "repicked_outside": Mistake(
            lambda validation, internal, external: {
                "internal": sensitivity(internal, _pick(validation)),
                "external": sensitivity(external, _pick(external)),
            },
            "A new threshold was chosen on the external images, so the sensitivity there, "
            "{value:.2f}, is the target and not a measurement. Freeze the threshold on "
            "validation, and report the external value that results.",
        ),
        "picked_on_test": Mistake(
            lambda validation, internal, external: {
                "internal": sensitivity(internal, _pick(internal)),
                "external": sensitivity(external, _pick(internal)),
            },
            "The threshold was chosen on the internal test images. It is fitted to them, so the "
            "internal result measures nothing. Use the validation images for the choice.",
        ),
        "half": Mistake(
            lambda *case: _both(*case, threshold=lambda rows: 0.5),
            "The threshold was 0.5, the default. The question asks for the one that reaches 0.9 "
            "on validation.",
        ),
        "pooled": Mistake(
            lambda validation, internal, external: _both(
                validation,
                internal,
                external,
                threshold=lambda rows: _pick(pd.concat([rows, internal, external])),
            ),
            "The threshold was chosen on all three tables together, so both test sets influenced "
            "it.",
        ),
        "images_as_units": Mistake(
            lambda *case: _both(*case, unit="image_id"),
            "The values are right, but the intervals are too narrow: the external one is "
            "{given:.2f} wide and would be {right:.2f} with patients as units. Seven images of "
            "one patient are not seven independent answers.",
        ),
    },
)


@q2.rule
def _(report, rng):
    given, ways = [], ([], [])
    for tables in (three_tables(rng) for _ in range(TABLES)):
        lines, right = _lines(report(*tables)), _both(*tables)
        _judge_values({name: line[0] for name, line in lines.items()}, right, tables)
        also = _by_the_package(*tables)
        _judge_ends(lines, right, also, tables)
        given += [lines[name][1:] for name in right]
        for way, found in zip(ways, (right, also), strict=True):
            way += [found[name][1:] for name in right]
    if not NARROW <= (share := breadth(given, *ways)) <= WIDE:
        raise Wrong(f"The values are right. {level_words(share)}")


def _judge_values(values: dict, right: dict, tables: tuple) -> None:
    """Raise `Wrong` unless the sensitivities are right."""
    if all(abs(values[name] - right[name][0]) <= NEAR for name in right):
        return
    for name in ("repicked_outside", "picked_on_test", "half", "pooled"):
        guess = q2.mistakes[name].answer(*tables)
        if all(abs(values[part] - guess[part][0]) <= NEAR for part in right):
            raise q2.caught(name, value=values["external"])
    wrong = next(name for name in right if abs(values[name] - right[name][0]) > NEAR)
    raise Wrong(
        f"The {wrong} sensitivity, {values[wrong]:.3f}, is not the one at a threshold frozen on "
        "validation."
    )


def _lines(result) -> dict[str, np.ndarray]:
    if not isinstance(result, dict) or set(result) != {"internal", "external"}:
        raise Wrong('The report should be a dict with the keys "internal" and "external".')
    lines = {
        name: expect.array(line, (3,), f"the {name} line (value, low, high)")
        for name, line in result.items()
    }
    for name, (value, low, high) in lines.items():
        if not 0 <= low <= value <= high <= 1:
            raise Wrong(
                f"The {name} line should be value, low, high with 0 ≤ low ≤ value ≤ high ≤ 1."
            )
    return lines


def _judge_ends(given: dict, right: dict, also: dict, tables: tuple) -> None:
    """Raise `Wrong` unless the intervals may be those of resampled patients."""
    if all(
        any(_near_ends(line, way[name]) for way in (right, also)) for name, line in given.items()
    ):
        return
    by_image = q2.mistakes["images_as_units"].answer(*tables)
    if all(_near_ends(given[name], by_image[name]) for name in right):
        widths = [line["external"][2] - line["external"][1] for line in (given, right)]
        raise q2.caught("images_as_units", given=widths[0], right=widths[1])
    raise Wrong(
        "The values are right; their intervals are not those that resampling whole patients gives."
    )


def _near_ends(a, b) -> bool:
    return np.abs(np.subtract(a[1:], b[1:])).max() <= SLACK


@q2.edges
def _(right):
    yield "lists in place of tuples", lambda *t: {k: list(v) for k, v in right(*t).items()}, True
    yield (
        "rounded to three digits",
        lambda *t: {k: np.round(v, 3) for k, v in right(*t).items()},
        True,
    )
    yield "another seed of resampling", _other_seed, True
    yield "the intervals of the package", _by_the_package, True
    yield (
        "internal and external swapped",
        lambda *t: dict(zip(("external", "internal"), right(*t).values(), strict=True)),
        False,
    )
    yield "values without intervals", lambda *t: {k: v[0] for k, v in right(*t).items()}, False
    yield (
        "intervals twice as wide",
        lambda *t: {k: (v[0], max(0, 2 * v[1] - v[0]), 1.0) for k, v in right(*t).items()},
        False,
    )


def _other_seed(validation, internal, external):
    lines = {}
    for name, rows in {"internal": internal, "external": external}.items():
        ill = rows[rows["label"] == "covid"]
        found = ill["p_covid"] >= _pick(validation)
        lines[name] = (found.mean(), *bootstrap(found, ill["patient"], seed=5, times=2000))
    return lines


def _by_the_package(validation, internal, external):
    lines = {}
    for name, rows in {"internal": internal, "external": external}.items():
        found = evaluate.at_threshold(scored(rows), "covid", _pick(validation)).iloc[0]
        lines[name] = tuple(found[["value", "low", "high"]])
    return lines


# --- q3: the gate's limit -------------------------------------------------------------------------


def _fewest_errors(clean, wrong):
    places = np.sort(np.concatenate([clean, wrong]))
    errors = [(clean > place).sum() + (wrong <= place).sum() for place in places]
    return float(places[int(np.argmin(errors))])


def gate_scores(
    rng: np.random.Generator, shape: str = "long tail"
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of held-out clean images, and of inputs to be rejected, some of them close; on a scale
    of their own.

    The clean ones are of three shapes, so that no number of deviations above the mean is right for
    all of them.
    """
    n = int(rng.integers(250, 400))
    few = rng.permutation(n) < n // 8
    clean = {
        "long tail": np.exp(rng.normal(0, 0.5, n)),
        "no tail": 3 * rng.beta(3, 1, n),
        "two groups": rng.uniform(0.5, 1.5, n) + few * rng.uniform(1.5, 2, n),
    }
    wrong = np.concatenate([np.exp(rng.normal(1.3, 0.35, 40)), rng.uniform(8, 20, 60)])
    scale = 10 ** rng.uniform(-1, 1)
    return scale * clean[shape], scale * rng.permutation(wrong)


q3 = Question(
    "gate_limit",
    title="The gate's limit",
    points=2,
    wants=(
        "gate_limit(clean, wrong) returns one number: an input is rejected if its score is above it"
    ),
    hints=(
        "Which of the two samples represents future inputs, and which is only one of many "
        "possible kinds?",
        "The accepted cost is one clean image in twenty. That fixes the limit. The other sample "
        "is for the report.",
        "np.quantile(clean, ...): which share of the clean scores lies below the limit?",
    ),
    data=gate_scores,
    mistakes={
        "below_all_wrong": Mistake(
            lambda clean, wrong: float(np.min(wrong)) - 1e-9,
            "The limit is just below the lowest of the unsuitable inputs, so that all of them are "
            "rejected. It was tuned on the inputs it must reject: the next kind may score lower, "
            "and the share of clean images rejected was not considered.",
        ),
        "half_way": Mistake(
            lambda clean, wrong: (float(np.mean(clean)) + float(np.mean(wrong))) / 2,
            "The limit is half-way between clean and unsuitable inputs. Other unsuitable inputs "
            "would change it: it was tuned on the inputs it must reject, and says nothing about "
            "the next kind.",
        ),
        "fewest_errors": Mistake(
            _fewest_errors,
            "The limit is the one with the fewest errors on both samples. It is fitted to these "
            "unsuitable inputs and to their number; in use the gate will meet other kinds, in "
            "other proportions.",
        ),
        "share_of_wrong": Mistake(
            lambda clean, wrong: float(np.quantile(wrong, ALLOWED)),
            "The limit is set so that 95 % of the unsuitable inputs are rejected. That share "
            "holds for this sample only; the share that can be guaranteed is that of the clean "
            "images.",
        ),
        "highest_clean": Mistake(
            lambda clean, wrong: float(np.max(clean)),
            "The limit is the highest clean score, so a single unusual image decides it and no "
            "clean image is rejected. Nothing is known about what it lets through. The hospital "
            "accepts that one in twenty is rejected.",
        ),
        "wrong_end": Mistake(
            lambda clean, wrong: float(np.quantile(clean, ALLOWED)),
            "Wrong end: this limit rejects 95 % of the clean images. A high score means unlike "
            "the training images, and inputs above the limit are rejected.",
        ),
    },
)


@q3.rule
def _(gate_limit, rng):
    cases = [
        gate_scores(rng, shape) for shape in rng.permutation(["long tail", "no tail", "two groups"])
    ]
    given = [expect.number(gate_limit(*case), "gate_limit(clean, wrong)") for case in cases]
    rejected = [
        float((clean > limit).mean()) for limit, (clean, _) in zip(given, cases, strict=True)
    ]
    q3.recognise(given, cases)
    clean, wrong = cases[0]
    for other in (wrong[: len(wrong) // 2] + 30, wrong / 4):
        moved = expect.number(gate_limit(clean, other), "gate_limit(clean, wrong)")
        if abs(moved - given[0]) > 1e-9:
            raise Wrong(
                "With other unsuitable inputs the limit changes: it was tuned on the inputs it "
                "must reject, and will be wrong for the next kind. Set it on the clean images "
                "alone."
            )
    for share in rejected:
        if abs(share - ALLOWED) > OFF:
            raise Wrong(
                f"This limit rejects {share:.1%} of the clean images; it should reject "
                f"{ALLOWED:.0%}."
            )


@q3.edges
def _(right):
    yield (
        "the rank of conformal prediction",
        lambda c, w: np.sort(c)[int(np.ceil((len(c) + 1) * 0.95)) - 1],
        True,
    )
    yield "NumPy's number", lambda c, w: np.float64(right(c, w)), True
    yield "four in a hundred", lambda c, w: float(np.quantile(c, 0.96)), True
    yield "one in ten", lambda c, w: float(np.quantile(c, 0.9)), False
    yield "one in a hundred", lambda c, w: float(np.quantile(c, 0.99)), False
    yield (
        "moved a little by the unsuitable ones",
        lambda c, w: right(c, w) + 1e-4 * float(np.mean(w)),
        False,
    )


# --- q4: abstention -------------------------------------------------------------------------------


def abstentions(rng: np.random.Generator) -> tuple[pd.DataFrame, float, dict[str, float]]:
    """Answers with their confidence, a cut, and the two shares, known from how the rows are
    made.
    """
    counts = dict(
        zip(
            ("found", "missed", "left", "left_missed"),
            rng.integers((30, 6, 12, 8), (50, 12, 20, 14)),
            strict=True,
        )
    )
    counts |= dict(
        zip(("clear", "alarm", "unsure"), rng.integers((80, 8, 15), (120, 15, 25)), strict=True)
    )
    cut = round(float(rng.uniform(0.58, 0.75)), 3)
    rows = []
    for kind, number in counts.items():
        unsure = kind in ("left", "left_missed", "unsure")
        sure = rng.uniform(0.5, cut - 0.01, number) if unsure else rng.uniform(cut, 1, number)
        label = "covid" if kind in ("found", "missed", "left", "left_missed") else "normal"
        said = "covid" if kind in ("found", "left", "alarm") else "normal"
        rows += [{"label": label, "predicted": said, "confidence": c} for c in sure]
        if kind == "found":
            rows[-1]["confidence"] = rows[-2]["confidence"] = rows[-3]["confidence"] = cut
    ill = sum(counts[kind] for kind in ("found", "missed", "left", "left_missed"))
    truth = {"found": counts["found"] / ill, "left": (counts["left"] + counts["left_missed"]) / ill}
    table = (
        pd.DataFrame(rows)
        .sample(frac=1, random_state=int(rng.integers(1000)))
        .reset_index(drop=True)
    )
    table.insert(0, "image_id", fresh.names(rng, len(table), "i-"))
    return table, cut, truth


def _shares(table, cut, *, denominator="ill", left_of="ill", left_counts=False, strict=False):
    ill = table["label"] == "covid"
    answered = table["confidence"] > cut if strict else table["confidence"] >= cut
    found = ill & (table["predicted"] == "covid") & (answered | left_counts)
    below = {"ill": ill, "answered": ill & answered, "everybody": ill | True}
    return {
        "found": found.sum() / below[denominator].sum(),
        "left": (~answered & below[left_of]).sum() / below[left_of].sum(),
    }


def _say_found(values: list[dict], cases: list[Case]) -> dict:
    return {"found": values[0]["found"], "truth": cases[0].right["found"]}


def _which_share(shares: dict, case: Case) -> str:
    key = next(key for key in shares if abs(shares[key] - case.right[key]) > NEAR)
    return f"The share under {key!r} is not that of all who are ill."


q4 = Compare(
    "abstaining",
    title="Abstention and the ill patients",
    points=2,
    wants='abstaining(table, cut) returns {"found": share, "left": share}, both of all who are ill',
    hints=(
        "An ill patient was left to a person: in which denominator does this patient belong?",
        "Both shares have the same denominator: all rows whose label is covid. A left image is "
        "not found by the model, whatever `predicted` says.",
        'ill = table[table["label"] == "covid"]; answered = ill["confidence"] >= cut; now two '
        "means over ill.",
    ),
    data=lambda rng: abstentions(rng)[:2],
    mistakes={
        "dropped": Mistake(
            lambda *case: _shares(*case, denominator="answered"),
            "Abstentions were dropped from the denominator: {found:.2f} is the share of the "
            "answered ones. Of all who are ill, the model found {truth:.2f}; patients left to a "
            "person are still ill.",
        ),
        "answered_anyway": Mistake(
            lambda *case: _shares(*case, left_counts=True),
            "Abstentions were counted as if the model had answered: `predicted` is filled in for "
            "them too, but the answer was not reported. {truth:.2f} were found, not {found:.2f}.",
        ),
        "left_of_everybody": Mistake(
            lambda *case: _shares(*case, left_of="everybody"),
            "The share left to a person is that of all images. The question asks for the ill: "
            "they are often harder, and this share shows it.",
        ),
        "of_everybody": Mistake(
            lambda *case: _shares(*case, denominator="everybody"),
            "The denominator of found is everybody, well or ill. A sensitivity is a share of the "
            "ill.",
        ),
        "strictly_above": Mistake(
            lambda *case: _shares(*case, strict=True),
            "An image whose confidence equals the cut is answered (≥), as the question says.",
        ),
    },
    cases=lambda rng: [
        Case((table, cut), truth) for table, cut, truth in (abstentions(rng), abstentions(rng))
    ],
    read=lambda value, case: expect.numbers(value, ("found", "left"), "The answer"),
    same=expect.near(NEAR),
    places=_say_found,
    explain=_which_share,
)


@q4.edges
def _(right):
    yield (
        "rounded to three digits",
        lambda t, c: {k: round(float(v), 3) for k, v in right(t, c).items()},
        True,
    )
    yield "NumPy's numbers", lambda t, c: {k: np.float32(v) for k, v in right(t, c).items()}, True
    yield "found alone", lambda t, c: {"found": right(t, c)["found"]}, False
    yield (
        "answered in place of left",
        lambda t, c: right(t, c) | {"left": 1 - right(t, c)["left"]},
        False,
    )
    yield "in per cent", lambda t, c: {k: 100 * v for k, v in right(t, c).items()}, False
