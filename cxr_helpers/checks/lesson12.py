"""Questions of lesson 12, uncertainty and external validation: known images, two cohorts, a gate,
what happened elsewhere.
"""

import numpy as np
import pandas as pd
from scipy import special

from .. import evaluate
from . import _networks, expect, fresh
from ._bootstrap import NARROW, TABLES, WIDE, bootstrap, breadth, level_words
from ._kinds import Case, Compare
from ._question import Mistake, Question
from ._running import Wrong

# one end of an interval, what another seed may change; a share but for rounding
SENSITIVITY = 0.9  # asked for on validation
SLACK, NEAR = 0.045, 0.005
# share of held-out images that the gate rejects, and how far off it may be
ALLOWED, OFF = 0.05, 0.011

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


# --- q3: a gate -----------------------------------------------------------------------------------

SIDE = 8  # of an image, so that a check is quick


def _rows(rng: np.random.Generator, n: int, noise: float | np.ndarray = 0) -> np.ndarray:
    """Images as rows of grey levels, 0 to 1; `noise` in grey levels of 255, for each or for all."""
    images = _networks.sketches(rng, rng.integers(0, 3, n)).reshape(n, SIDE, 3, SIDE, 3)
    images = images.mean(axis=(2, 4)) + noise * rng.normal(size=(n, SIDE, SIDE))
    return np.clip(images, 0, 255).reshape(n, -1) / 255


def _unlike(rng: np.random.Generator, n: int) -> np.ndarray:
    """Inverted images, and noise."""
    return np.concatenate([1 - _rows(rng, n), rng.uniform(0, 1, (n, SIDE**2))])


def _for_the_gate(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Images to train on, held-out clean ones, unsuitable ones collected, and new ones."""
    new = np.concatenate([_rows(rng, 150), _unlike(rng, 75)])
    noise = rng.uniform(0, 1, (60, SIDE**2))
    return _rows(rng, 200), _rows(rng, 400), noise, new[rng.permutation(len(new))]


def _learned(usual):
    """A score: the mean square of what 20 patterns of some images cannot rebuild."""
    middle = usual.mean(axis=0)
    patterns = np.linalg.svd(usual - middle, full_matrices=False)[2][:20]

    def score(rows):
        away = rows - middle
        return ((away - away @ patterns.T @ patterns) ** 2).mean(axis=1)

    return score


def _gate(usual, limit_from, new, share: float = 1 - ALLOWED):
    score = _learned(usual)
    return score(new) > np.quantile(score(limit_from), share)


def _set_by_the_wrong(train, held_out, wrong, new):
    score = _learned(train)
    return score(new) > (score(held_out).mean() + score(wrong).mean()) / 2


q3 = Question(
    "gate",
    title="Build the gate",
    points=4,
    wants="gate(train, held_out, wrong, new) returns True (rejected) or False for each row of new",
    hints=(
        "Three steps, and one set of images for each: learn what is usual, set the limit, judge. "
        "Which set does none of them need?",
        "PCA(20).fit(...), then inverse_transform(transform(rows)) rebuilds rows. The score is "
        "the mean square of what is missing.",
        "Fit on train. The limit is the 0.95 quantile of the scores of held_out. wrong is for the "
        "report: it sets nothing.",
    ),
    data=_for_the_gate,
    mistakes={
        "set_by_the_wrong": Mistake(
            _set_by_the_wrong,
            "With other unsuitable inputs other images are rejected: the limit, or the score, was "
            "tuned on what the gate must reject. The next kind will be another one. Use the "
            "collected ones to report what is caught, and for nothing else.",
        ),
        "limit_of_train": Mistake(
            lambda train, held_out, wrong, new: _gate(train, train, new),
            "With other held-out images the very same images are rejected, so they set no limit. "
            "Of the held-out ones the gate rejects {share:.1%}, where the hospital accepts 5 %: "
            "images that the patterns were learned from are rebuilt too well to set it. Take the "
            "scores of held_out.",
        ),
        "limit_of_new": Mistake(
            lambda train, held_out, wrong, new: _gate(train, new, new),
            "With some of the new images left out, the verdict on others changes: something was "
            "computed from the new images. A gate meets one image at a time, and must not reject "
            "5 % of whatever comes.",
        ),
        "held_out_learned": Mistake(
            lambda train, held_out, wrong, new: _gate(
                np.concatenate([train, held_out]), held_out, new
            ),
            "With other held-out images some images are rejected in addition, and others pass that "
            "were rejected. Another limit alone cannot do both, so more than the limit comes from "
            "the held-out images. If patterns or a scaler were learned from them, they are no "
            "longer held out, and what is odd in them passes. Learn from train alone.",
        ),
        "another_share": Mistake(
            lambda train, held_out, wrong, new: _gate(train, held_out, new, share=0.8),
            "Of the held-out images themselves the gate rejects {share:.1%}; the hospital accepts "
            "5 %. Which quantile of their scores has 5 % above it, whatever their distribution?",
        ),
        "wrong_way": Mistake(
            lambda train, held_out, wrong, new: ~_gate(train, held_out, new),
            "{share:.0%} of the held-out images are rejected, and fewer of those that are unlike "
            "them: the answer is the wrong way round. True means rejected.",
        ),
    },
)


@q3.rule
def _(gate, rng):
    train, _, wrong, _ = _for_the_gate(rng)
    # two sets of held-out images: the limit of the first is higher, what is odd in the second rare
    stripes = 0.5 + (np.arange(SIDE**2) % 2 - 0.5) * 0.8 + rng.normal(0, 0.005, (24, SIDE**2))
    held_out = (
        np.concatenate([_rows(rng, 350), _rows(rng, 50, noise=25)]),
        np.concatenate([_rows(rng, 388), stripes[:12]]),
    )
    unlike, noisier = _unlike(rng, 50), _rows(rng, 300, np.linspace(0, 80, 300)[:, None, None])
    fresh_ones = np.concatenate([unlike, stripes[12:], _rows(rng, 200), noisier])

    def ask(held_out, wrong, new):
        given = np.asarray(gate(train, held_out, wrong, new))
        if given.shape not in ((len(new),), (len(new), 1)) or set(given.ravel()) - {0, 1}:
            raise Wrong(f"gate should return True or False for each of the {len(new)} new rows.")
        return given.ravel().astype(bool)

    # the share rejected is counted on the held-out images; a score that is the limit itself may go
    # either way, so everything else is judged on fresh ones
    both = [
        np.split(ask(each, wrong, np.concatenate([each, fresh_ones])), [400]) for each in held_out
    ]
    (own, first), (also, second) = both
    if (ask(held_out[0], wrong, noisier[::6]) != first[-300::6]).any():
        raise q3.caught("limit_of_new")
    for others in (wrong / 3, _rows(rng, len(wrong))):
        if (ask(held_out[0], others, fresh_ones) != first).any():
            raise q3.caught("set_by_the_wrong")
    if min(own.mean(), also.mean()) > 0.5 > first[: len(unlike)].mean():
        raise q3.caught("wrong_way", share=own.mean())
    if (first == second).all():
        raise q3.caught("limit_of_train", share=own.mean())
    if (first & ~second).any() and (second & ~first).any():
        raise q3.caught("held_out_learned")
    for share in (own.mean(), also.mean()):
        if abs(share - ALLOWED) > OFF:
            raise q3.caught("another_share", share=share)
    if second[: len(unlike)].mean() < 0.6:
        raise Wrong(
            f"Of inverted images and noise only {second[: len(unlike)].mean():.0%} are rejected. "
            "Does the score measure what the patterns of train cannot rebuild?"
        )


@q3.edges
def _(right):
    yield "zeros and ones", lambda *case: np.asarray(right(*case)).astype(int).tolist(), True
    yield "one column", lambda *case: np.asarray(right(*case))[:, None], True
    yield "four in a hundred", lambda a, b, c, d: _gate(a, b, d, share=0.96), True
    yield "one in ten", lambda a, b, c, d: _gate(a, b, d, share=0.9), False
    yield "one in a hundred", lambda a, b, c, d: _gate(a, b, d, share=0.99), False
    yield "none is rejected", lambda *case: np.zeros(len(case[3]), bool), False


# --- q4: what happened elsewhere ------------------------------------------------------------------

# what happened at another hospital: mean logit of the ill and of the others, and the share of ill
STORIES = {
    "nothing": [(1.2, -1.2, 0.4)],
    "scores moved": [(-0.3, -2.7, 0.4), (2.7, 0.3, 0.4)],
    "other share of ill": [(1.2, -1.2, 0.1), (1.2, -1.2, 0.75)],
    "ranking lost": [(0.25, -0.25, 0.4)],
    "classes swapped": [(-1.2, 1.2, 0.4)],
}
SAME, APART = 0.04, 0.15  # between two figures, by chance and where something happened


def _hospital(rng: np.random.Generator, ill: float, others: float, share: float) -> pd.DataFrame:
    """Scores of 400 test images, and the truth."""
    has = rng.permutation(400) < round(400 * share)
    logit = rng.normal(np.where(has, ill, others), 1.0)
    return pd.DataFrame({"ill": has, "score": special.expit(logit)})


def _figures(table: pd.DataFrame, threshold: float) -> dict[str, float]:
    called, ill = table["score"] >= threshold, table["ill"]
    return {
        "auc": _networks.auc(table["score"].to_numpy(), ill.to_numpy(int)),
        "sensitivity": float(called[ill].mean()),
        "specificity": float((~called[~ill]).mean()),
        "share": float(ill.mean()),
    }


def _elsewhere(
    rng: np.random.Generator, internal: pd.DataFrame, threshold: float, story: str, which: int
) -> pd.DataFrame:
    """Test images of another hospital, drawn until their figures tell what happened there."""
    home, ways = _figures(internal, threshold), STORIES[story]

    def tells(external: pd.DataFrame) -> bool:
        away = _figures(external, threshold)
        gap = {name: abs(home[name] - away[name]) for name in home}
        rates = gap["sensitivity"], gap["specificity"]
        moved = {
            "nothing": [],
            "scores moved": [max(rates)],
            "other share of ill": [gap["share"]],
        }.get(story, [gap["auc"], *rates])
        still = [gap["share"]] * (story != "other share of ill")
        still += [gap["auc"]] * (story in ("nothing", "scores moved", "other share of ill"))
        still += rates if story in ("nothing", "other share of ill") else ()
        return all(g > APART for g in moved) and all(g < SAME for g in still)

    return fresh.until(lambda: _hospital(rng, *ways[which % len(ways)]), tells)


def _at_home(rng: np.random.Generator) -> tuple[pd.DataFrame, float]:
    """Internal test images, and the threshold of the model."""
    return _hospital(rng, *STORIES["nothing"][0]), round(float(rng.uniform(0.45, 0.55)), 2)


def _hospitals(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], float]:
    """Internal images, those of five hospitals behind letters in random order, the threshold."""
    internal, threshold = _at_home(rng)
    which, stories = int(rng.integers(2)), rng.permutation(list(STORIES))
    return (
        internal,
        {
            letter: _elsewhere(rng, internal, threshold, str(story), which)
            for letter, story in zip("ABCDE", stories, strict=True)
        },
        threshold,
    )


def _pairs(rng: np.random.Generator) -> list[Case]:
    """Each story twice, in its two forms, in random order."""
    cases = []
    for k in rng.permutation(2 * len(STORIES)):
        story, (internal, threshold) = list(STORIES)[k // 2], _at_home(rng)
        external = _elsewhere(rng, internal, threshold, story, int(k))
        cases.append(Case((internal, external, threshold), story))
    return cases


def _told(internal, external, threshold, *, left_out: str = "") -> str:
    """What happened, by one figure after the other; `left_out` is one that is not looked at."""
    home, away = (_figures(table, threshold) for table in (internal, external))
    fallen = home["auc"] - away["auc"] > 0.1
    if away["auc"] < 0.4 and left_out != "below one half":
        return "classes swapped"
    if fallen and left_out != "auc":
        return "ranking lost"
    rates = max(abs(home[name] - away[name]) for name in ("sensitivity", "specificity"))
    if rates > 0.1 and left_out != "rates":
        return "scores moved"
    return "other share of ill" if abs(home["share"] - away["share"]) > 0.1 else "nothing"


def _by_the_ppv(internal, external, threshold):
    said = _told(internal, external, threshold)
    return "scores moved" if said == "other share of ill" else said


def _why_not_this(said: str, case: Case) -> str:
    home, away = (_figures(table, case.given[2]) for table in case.given[:2])
    listed = "; ".join(f"{name} {home[name]:.2f} → {away[name]:.2f}" for name in home)
    return (
        f"You say {said!r} where this changed from the internal to the external images: {listed} "
        "(share: of the ill). Which of these can change by what you say, and which cannot?"
    )


q4 = Compare(
    "happened",
    title="What happened there?",
    points=2,
    wants=(
        "happened(internal, external, threshold) returns one of: "
        + ", ".join(repr(story) for story in STORIES)
    ),
    hints=(
        "Compare four figures of the two tables: AUC, sensitivity, specificity, share of the ill. "
        "Which of them does each of the five change?",
        "The AUC knows no threshold and no share of ill. Sensitivity and specificity know no share "
        "of ill. So look at the AUC first, then at the two, then at the share.",
        "roc_auc_score(external['ill'], external['score']): far below 0.5, the order is reversed; "
        "0.1 lower than internally, it is lost. A difference of 0.05 is chance here.",
    ),
    data=_hospitals,
    mistakes={
        "auc_alone": Mistake(
            lambda *case: _told(*case, left_out="rates"),
            "A model that ranks the patients as well as at home was passed, although its threshold "
            "is in the wrong place: nearly all ill patients are missed, or nearly all others "
            "called ill. The AUC knows no threshold. Compare sensitivity and specificity, too.",
        ),
        "rates_alone": Mistake(
            lambda *case: _told(*case, left_out="auc"),
            "Where the ranking is lost you say that the scores moved. There, sensitivity and "
            "specificity are *both* lower, and no other threshold brings both back. The AUC tells "
            "the two apart.",
        ),
        "below_one_half": Mistake(
            lambda *case: _told(*case, left_out="below one half"),
            "Classes that are swapped were taken for a lost ranking. Lost is an AUC near 0.5. One "
            "near 0 is a good ranking the wrong way round: look for the coding of the labels or "
            "for inverted images.",
        ),
        "by_the_ppv": Mistake(
            _by_the_ppv,
            "Where only the share of the ill is another one you say that the scores moved. PPV and "
            "NPV change with the share, the scores of the ill and of the others do not: "
            "sensitivity and specificity are as at home.",
        ),
    },
    cases=_pairs,
    read=lambda said, case: expect.choice(said, STORIES, "happened(...)"),
    explain=_why_not_this,
)


@q4.edges
def _(right):
    yield "capitals and blanks", lambda *case: f" {right(*case).upper()} ", True
    yield "NumPy's text", lambda *case: np.str_(right(*case)), True
    yield "always the same", lambda *case: "ranking lost", False
    yield "a word that is not there", lambda *case: "domain shift", False
