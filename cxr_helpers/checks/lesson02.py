"""Questions of lesson 02, exploration: what is known without images, what differs, whose left."""

import numpy as np
import pandas as pd

from .. import evaluate, phantom
from . import _networks, expect, fresh
from ._figures import Diagnosis
from ._kinds import Case, Choice, Compare
from ._question import Mistake, Question
from ._running import Wrong

# --- q1: how much is known before an image is opened ----------------------------------------------

PATIENTS = 60
LEARNED = 0.7  # AUC from which on something was learned; right answers reach 0.8 and more
STILL = 1e-7  # of a score
EXCHANGED = 8  # images at most; three that a model was fitted on suffice
WORDS = {
    "format": ("BMP", "JPEG", "PNG"),
    "mode": ("L", "RGB", "RGBA"),
    "machine": ("axion", "digital", "mobile"),
}


def _collection(rng: np.random.Generator, telling: str = "") -> pd.DataFrame:
    """Files of patients with one to four images each, rows in random order.

    In the column `telling` one word, neither the first nor the last of the alphabet, or the larger
    of two widths, goes with COVID. One patient has a word that no other has; every patient has a
    scanner's clock of their own.
    """
    per_patient = rng.permutation(np.arange(PATIENTS) % 4 + 1)
    ill = rng.permutation(PATIENTS) % 2 == 0
    mostly = np.where(rng.permutation(PATIENTS) % 12 == 0, ~ill, ill)  # one in twelve is odd
    number = np.repeat(np.arange(PATIENTS), per_patient)
    columns = {}
    for name, words in WORDS.items():
        first, middle, last = words
        any_word = np.array(words)[rng.permutation(PATIENTS) % 3]
        other = np.where(rng.random(PATIENTS) < 0.5, first, last)
        columns[name] = np.where(mostly, middle, other) if name == telling else any_word
    rare = str(rng.choice([name for name in WORDS if name != telling]))
    columns[rare] = columns[rare].astype(object)
    columns[rare][per_patient.argmax()] = "unknown"
    wide = mostly if telling == "width" else rng.permutation(PATIENTS) % 2 == 0
    columns["width"] = np.where(wide, 2048, 1024)
    columns["seconds"] = rng.permutation(86_400)[:PATIENTS]
    table = pd.DataFrame(columns).loc[number].reset_index(drop=True)
    table.insert(0, "label", np.where(ill, "covid", "normal")[number])
    table.insert(0, "patient", np.array(fresh.names(rng, PATIENTS, "P-"))[number])
    table["bytes"] = rng.permutation(90_000)[: len(table)] + 10_000
    return table.infer_objects().sample(frac=1, random_state=rng).reset_index(drop=True)


COLUMNS = [*WORDS, "width", "seconds", "bytes"]


def _pipeline(words: list[str], encoder=None, model=None, numbers=None):
    """Words into columns of 0 and 1, numbers on one scale, then a model."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoder = OneHotEncoder(handle_unknown="ignore") if encoder is None else encoder
    numbers = StandardScaler() if numbers is None else numbers
    encoded = make_column_transformer((encoder, words), remainder=numbers)
    return make_pipeline(encoded, LogisticRegression(max_iter=1000) if model is None else model)


def _cross_validated(table, columns, folds=None, **parts):
    """The probability of covid, from models that were fitted on other patients."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    return cross_val_predict(
        _pipeline([name for name in columns if name in WORDS], **parts),
        table[columns],
        table["label"] == "covid",
        groups=table["patient"] if folds is None else None,
        cv=GroupKFold(5) if folds is None else folds,
        method="predict_proba",
    )[:, 1]


def _by_image(table, columns):
    from sklearn.model_selection import StratifiedKFold

    return _cross_validated(table, columns, StratifiedKFold(5, shuffle=True, random_state=0))


def _on_itself(table, columns):
    from sklearn.ensemble import RandomForestClassifier

    words = [name for name in columns if name in WORDS]
    model = _pipeline(words, model=RandomForestClassifier(50, random_state=0))
    return model.fit(table[columns], table["label"]).predict_proba(table[columns])[:, 0]


def _numbered(table, columns):
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return _cross_validated(table, columns, encoder=encoder)


def _scaled_before(table, columns):
    numbers = table[columns].select_dtypes("number").columns
    scaled = (table[numbers] - table[numbers].mean()) / table[numbers].std()
    return _cross_validated(
        table.drop(columns=numbers).join(scaled), columns, numbers="passthrough"
    )


q1 = Question(
    "without_images",
    title="How much is known before an image is opened?",
    points=4,
    wants=(
        "without_images(table, columns) returns one score for each row, higher where the model "
        "thinks of covid"
    ),
    hints=(
        "A pipeline turns words into numbers and ends in a model; cross_val_predict fits it on "
        "four folds and asks it about the fifth. Who must not be in two folds?",
        "make_column_transformer((OneHotEncoder(handle_unknown='ignore'), the words), "
        "remainder=...): why is 'ignore' needed, when a word occurs in one fold only?",
        "cross_val_predict(pipeline, table[columns], table['label'] == 'covid', "
        "groups=table['patient'], cv=GroupKFold(5), method='predict_proba')[:, 1].",
    ),
    data=lambda rng: _collection(rng, "format"),
    mistakes={
        "other_columns": Mistake(
            lambda table, columns: _cross_validated(table, COLUMNS),
            "Asked about {columns} alone, you used more: we exchanged values of {other}, which is "
            "not among them, and scores moved. The question is what *these* columns tell: "
            "table[columns].",
        ),
        "by_image": Mistake(
            _by_image,
            "We changed the values of one image, and the score of another image of the same "
            "patient moved by {moved:.3f}: the model that scored it had been fitted on this "
            "patient. Images of a patient share clock and machine, so such a score recognises the "
            "patient. Keep each patient in one fold: groups=table['patient'] with a GroupKFold.",
        ),
        "on_itself": Mistake(
            _on_itself,
            "On labels that were thrown with a coin your scores reach an AUC of {auc:.2f}, where "
            "nothing can be known: each row was scored by a model that had learned its label. "
            "Score a row by a model that was fitted on other patients: cross_val_predict.",
        ),
        "seen_all": Mistake(
            _scaled_before,
            "We changed the values of one row, and the scores of all rows moved, those of the same "
            "patient too. Something that rests on all rows is in every score: a mean that was "
            "computed before the folds were made, or a model fitted on everything. Put each step "
            "into the pipeline, and let cross_val_predict fit it on four folds.",
        ),
        "numbered": Mistake(
            _numbered,
            "The column {column} gives the label of eleven patients in twelve away, by the word "
            "{word!r}; your AUC is {auc:.2f}. Were the words numbered? That gives them an order "
            "which they do not have, and no straight line singles out the one in the middle. "
            "OneHotEncoder makes a column of each word.",
        ),
        "other_class": Mistake(
            lambda table, columns: 1 - _cross_validated(table, columns),
            "The AUC is {auc:.2f}, far below one half: your scores are high for normal. "
            "predict_proba has a column for each class, in the order of their names: take that of "
            "covid.",
        ),
    },
)


@q1.rule
def _(without_images, rng):
    def ask(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
        value = without_images(table, columns)
        if isinstance(value, pd.Series) and set(value.index) == set(table.index):
            value = value.reindex(table.index)
        return expect.array(value, (len(table),), "without_images(table, columns)")

    telling = str(rng.choice(list(WORDS)))
    table = _collection(rng, telling)
    own, other = ["width", "bytes"], telling
    shuffled = table.assign(**{other: rng.permutation(table[other].to_numpy())})
    if np.abs(ask(table, own) - ask(shuffled, own)).max() > STILL:
        raise q1.caught("other_columns", columns=" and ".join(own), other=other)
    _judge_folds(ask, table, rng)
    _judge_learned(ask, _collection(rng, "width"), "width")
    _judge_learned(ask, table, telling)


def _judge_folds(ask, table: pd.DataFrame, rng: np.random.Generator) -> None:
    """Raise `Wrong` where a score rests on an image of the same patient, or on its own label."""
    coins = table.assign(label=rng.permutation(["covid", "normal"] * len(table))[: len(table)])
    auc = _networks.auc(ask(coins, COLUMNS), (coins["label"] == "covid").to_numpy().astype(int))
    if auc > 0.85:
        raise q1.caught("on_itself", auc=auc)
    before = ask(table, COLUMNS)
    counts = table["patient"].value_counts()
    used = 0
    for patient in rng.permutation(counts.index[counts == counts.max()])[:EXCHANGED]:
        own = np.flatnonzero(table["patient"] == patient)
        changed = table.copy()
        donor = table.index[table["label"] != table["label"][own[0]]][0]
        changed.loc[own[0], COLUMNS] = table.loc[donor, COLUMNS]
        change = np.abs(ask(changed, COLUMNS) - before)
        if (moved := change[own[1:]].max()) > STILL:
            everywhere = bool((change > STILL).all())
            raise q1.caught("seen_all" if everywhere else "by_image", moved=moved)
        used += bool((np.delete(change, own) > STILL).any())
        if used == 3:
            return


def _judge_learned(ask, table: pd.DataFrame, telling: str) -> None:
    """Raise `Wrong` unless the scores tell the label where a column gives it away."""
    others = [name for name in WORDS if name != telling]
    scores = ask(table, [*others[:1], telling])
    auc = _networks.auc(scores, (table["label"] == "covid").to_numpy().astype(int))
    if auc >= LEARNED:
        return
    if telling in WORDS:
        raise q1.caught("numbered", column=telling, word=WORDS[telling][1], auc=auc)
    if auc < 1 - LEARNED:
        raise q1.caught("other_class", auc=auc)
    raise Wrong(
        f"The column {telling} gives the label of eleven patients in twelve away, and your AUC is "
        f"{auc:.2f}. Does the model see the columns of numbers, too?"
    )


@q1.edges
def _(right):
    yield "a column", lambda table, columns: pd.Series(right(table, columns), table.index), True
    yield "logits", lambda *a: np.log(right(*a) / (1 - right(*a))), True
    yield "one AUC", lambda table, columns: 0.8, False
    yield "the same for all", lambda table, columns: np.full(len(table), 0.5), False
    yield (
        "both probabilities",
        lambda table, columns: np.column_stack([right(table, columns)] * 2),
        False,
    )


# --- q2: what a difference comes from -------------------------------------------------------------

EACH_PANEL, SPREAD, GAP = 96, 9.0, 24.0


def _by_hospital(rng: np.random.Generator, cause: str) -> pd.DataFrame:
    """Images of two hospitals with labels and mean grey levels, which differ by one cause."""
    names = sorted(fresh.names(rng, 2, "H-"))
    shares = {"hospital": (0.8, 0.2), "masked": (0.8, 0.2), "either": (1, 0)}.get(cause, (0.5, 0.5))
    shares = shares if rng.random() < 0.5 else shares[::-1]
    n = EACH_PANEL // 2
    parts = []
    for name, share in zip(names, shares, strict=True):
        ill = np.arange(n) < round(share * n)
        level = np.where(ill, GAP, 0) * (cause in ("disease", "masked"))
        if cause in ("hospital", "either"):
            level = level + GAP * 1.4 * (share > 0.5)
        if cause == "masked":  # where COVID is frequent, images are darker by what hides the gap
            level = level - GAP / 0.6 * (share > 0.5)
        noise = np.empty(n)
        for part in (ill, ~ill):  # as far apart as chance would have it, and no more
            values = rng.normal(0, SPREAD, part.sum())
            noise[part] = values - (values.mean() if part.any() else 0)
        parts.append(
            pd.DataFrame(
                {
                    "hospital": name,
                    "label": np.where(ill, "covid", "normal"),
                    "grey": (110 + level + noise).round(1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


q2 = Diagnosis(
    "comes_from",
    title="What does the difference come from?",
    points=2,
    options=("disease", "hospital", "masked", "either", "none"),
    draw=_by_hospital,
    hints=(
        "Cover the part *both*. Within one hospital: do the two classes lie at the same height?",
        "Then count points: does one hospital have more of one class? Is it brighter as a whole?",
        "If all images of a class come from one hospital, is there any pair of images that differs "
        "in the class alone?",
    ),
    mixed_up={
        ("disease", "hospital"): (
            "The panel in which the hospital makes the difference was called disease. Together the "
            "classes differ, and within each hospital they do not: the brighter hospital has more "
            "images of one class. A network can learn the hospital."
        ),
        ("none", "masked"): (
            "The panel with a masked difference was called none. Together the classes lie at one "
            "height. Within each hospital COVID is brighter; the hospital with more COVID takes "
            "darker images, which hides it."
        ),
        ("disease", "either"): (
            "The panel that cannot be decided was called disease. Each class comes from a hospital "
            "of its own, so disease and hospital would look just the same. More images of this "
            "kind do not help: others are needed."
        ),
        ("hospital", "either"): (
            "The panel that cannot be decided was called hospital. It may be the hospital, and it "
            "may be the disease: no hospital has both classes, so nothing in it tells."
        ),
        ("masked", "disease"): (
            "The panel of the disease was called masked. A masked difference is seen within the "
            "hospitals only; here it is seen in *both*, too."
        ),
    },
)


# --- q3: which report shows a shortcut ------------------------------------------------------------

ITSELF, SAME, OTHERS = "the same images", "other images, same patients", "other patients"


def _report(rng: np.random.Generator) -> dict:
    """What somebody reports of a column from which the label was looked up: of many images with a
    clear lead, of few with a lead that may be chance, or of many with no lead at all.
    """
    kind = rng.choice(["clear", "few", "useless"], p=[0.5, 0.2, 0.3])
    n = int(rng.integers(7, 10) if kind == "few" else rng.integers(300, 600))
    largest = round(
        float(rng.uniform(0.86, 0.9) if kind == "useless" else rng.uniform(0.5, 0.53)), 2
    )
    right = {"clear": round(n * rng.uniform(0.66, 0.7)), "few": n - 2, "useless": int(n * largest)}
    return {
        "column": str(rng.choice(["format", "mode", "machine", "view", "position"])),
        "looked up in": str(rng.choice([ITSELF, SAME, OTHERS])),
        "images": n,
        "right": right[str(kind)],
        "largest class": largest,
    }


def _unclear(report: dict) -> bool:
    """Whether the interval of a report holds the share of the largest class, though it is above."""
    low = evaluate.wilson(report["right"], report["images"])[0]
    return low <= report["largest class"] < report["right"] / report["images"]


q3 = Choice(
    "shows_a_shortcut",
    title="Which report shows a shortcut?",
    points=2,
    wants='shows_a_shortcut(reports) returns one letter, such as "B"',
    row=_report,
    hints=(
        "What would a report say if the column knew nothing, and each label were guessed?",
        "Three things are needed: images of patients who were not looked up, a share right above "
        "that of the largest class, and enough images that this is no accident.",
        "evaluate.wilson(right, images) gives the interval of a share. Its lower end must lie "
        "above the share of the largest class.",
    ),
    why_not={
        "on_itself": (
            lambda r: r["looked up in"] == ITSELF,
            "That report looked the labels up in the images that it scored. A column with a value "
            "of its own for each image is then always right, and tells nothing of the next.",
        ),
        "same_patients": (
            lambda r: r["looked up in"] == SAME,
            "That report scored other images of the same patients. Machine and position come again "
            "with the patient, and so does the label: it may have recognised people. Other "
            "patients are needed.",
        ),
        "largest_class": (
            lambda r: r["right"] / r["images"] <= r["largest class"],
            "That report has the highest share right, and no more than always answering the "
            "largest class. An accuracy says something beside that figure only.",
        ),
        "too_few": (
            _unclear,
            "That report rests on a dozen images: the interval of its share holds the share of the "
            "largest class, so that chance is explanation enough. A percentage needs its n.",
        ),
    },
)


# --- q4: whose left -------------------------------------------------------------------------------

EACH = 3  # images with a haze on each side


def _pictures(rng: np.random.Generator) -> list[dict]:
    """Phantoms with a haze on one side, half of them mirrored: image, haze, heart, lungs, and the
    patient's side.
    """
    plan = phantom.design(
        "lateralised", n=40, seed=int(rng.integers(10**6)), letters=0, devices=0, border=False
    )
    pictures = []
    for _, row in plan.groupby("side").head(EACH).iterrows():
        drawn = phantom.render(row, 64)
        found = {"image": drawn.image, "haze": drawn.masks["lesion"], "heart": drawn.masks["heart"]}
        found |= {"lungs": drawn.masks["lung"]}
        for mirrored in (False, True):
            turned = {
                name: (mask[:, ::-1] if mirrored else mask).copy() for name, mask in found.items()
            }
            pictures.append(turned | {"side": row["side"]})
    return [pictures[k] for k in rng.permutation(len(pictures))]


def _heart_on_the_right(haze, heart, lungs):
    same = (_middle(haze) > _middle(lungs)) == (_middle(heart) > _middle(lungs))
    return "right" if same else "left"


def _sides(rng: np.random.Generator) -> list[Case]:
    masks = ("haze", "heart", "lungs")
    return [Case(tuple(p[name] for name in masks), p["side"]) for p in _pictures(rng)]


q4 = Compare(
    "patient_side",
    title="Whose left?",
    points=2,
    wants=(
        'patient_side(haze, heart, lungs) returns "left" or "right": the side of the patient, '
        "not yours"
    ),
    hints=(
        "Which part of the body shows whether an image is mirrored?",
        "The heart's tip points to the patient's left. On which side of the middle of the lungs "
        "does the heart lie, and on which the haze?",
        "np.nonzero(mask)[1].mean() is the mean column of a mask. Haze and heart on the same side "
        "of the middle: left.",
    ),
    data=_pictures,
    mistakes={
        "viewer_side": Mistake(
            lambda haze, heart, lungs: "right" if _middle(haze) > _middle(lungs) else "left",
            "You named the side on which you see the haze. The patient faces you, as when you "
            "shake hands, so your left is the patient's right. (Half of these images are also "
            "mirrored.)",
        ),
        "trusts_the_hanging": Mistake(
            lambda haze, heart, lungs: "left" if _middle(haze) > _middle(lungs) else "right",
            "This is right for every image in the usual orientation and wrong for every mirrored "
            "one. The file name does not tell you which is which, but the anatomy does: where is "
            "the heart's tip?",
        ),
        "heart_on_the_right": Mistake(
            _heart_on_the_right,
            "You used the heart, so mirrored images are handled, but every side is reversed. The "
            "heart's tip points to the patient's left.",
        ),
    },
    cases=_sides,
    read=lambda value, case: expect.choice(value, ("left", "right"), "patient_side(...)"),
    explain=lambda side, case: f"For one of the images the side is {case.right}, not {side}.",
)


def _middle(mask) -> float:
    """Mean column of a mask."""
    return float(np.nonzero(mask)[1].mean())


@q4.edges
def _(right):
    yield "capital letters", lambda *masks: right(*masks).upper(), True
    yield "by the middle of the image", _by_picture, True
    yield "always left", lambda *masks: "left", False
    yield "True and False", lambda *masks: right(*masks) == "left", False
    yield (
        "by the larger lung",
        lambda haze, heart, lungs: "left" if lungs[:, :32].sum() > lungs[:, 32:].sum() else "right",
        False,
    )


def _by_picture(haze, heart, lungs):
    middle = (haze.shape[1] - 1) / 2
    return "left" if (_middle(haze) > middle) == (_middle(heart) > middle) else "right"
