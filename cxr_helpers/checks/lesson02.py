"""Questions of lesson 02, exploration: a telling column, a difference, a percentage, left and
right.
"""

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from .. import phantom
from . import expect, fresh
from ._kinds import Case, Compare
from ._question import Mistake
from ._running import Wrong

# --- q1: the column that gives the label away -----------------------------------------------------

VALUES = {
    "format": ("JPEG", "PNG", "TIFF"),
    "mode": ("L", "RGB", "RGBA"),
    "view": ("PA", "AP", "lateral"),
    "width": (1024, 1140, 2048),
    "position": ("upright", "supine", "unknown"),
}
NORMAL, COVID = 240, 160


def _files(rng: np.random.Generator, giveaway: str) -> pd.DataFrame:
    """Properties of 400 files, in one of which the classes differ; the others by little, by a
    rarity, or not at all.

    The number of bytes is hardly ever the same twice: a look-up scored on its own images takes it
    for the best.
    """
    weak, rare = rng.permutation([name for name in VALUES if name != giveaway])[:2]
    shares = dict.fromkeys(VALUES, (0.4, 0.4)) | {giveaway: (0.1, 0.85), weak: (0.3, 0.55)}
    columns = {name: _drawn(rng, name, *share) for name, share in shares.items()}
    columns[rare][-3:] = [VALUES[rare][2]] * 3
    kilobytes = [
        np.repeat(np.arange(300, 700, 20), counts) for counts in (range(22, 2, -1), range(3, 23))
    ]
    kilobytes = [
        rng.choice(values, n) for values, n in zip(kilobytes, (NORMAL, COVID), strict=True)
    ]
    table = pd.DataFrame(
        {"label": ["normal"] * NORMAL + ["covid"] * COVID, "accession": fresh.names(rng, 400, "A-")}
    )
    table = table.assign(
        **columns, bytes=1000 * np.concatenate(kilobytes) + 200 * rng.integers(0, 100, len(table))
    )
    return table.infer_objects().sample(frac=1, random_state=rng).reset_index(drop=True)


def _drawn(rng: np.random.Generator, name: str, normal: float, covid: float) -> list:
    """Values of a column, normal images first: one value for the given share of a class, another
    for the rest.
    """
    values = list(rng.permutation(np.array(VALUES[name][:2], object)))
    share = [round(normal * NORMAL), round(covid * COVID)]
    parts = [
        [values[0]] * k + [values[1]] * (n - k) for k, n in zip(share, (NORMAL, COVID), strict=True)
    ]
    return [value for part in parts for value in rng.permutation(np.array(part, object))]


def _one_pure_value(table):
    several = [name for name in table if table[name].duplicated().any()]

    def purest(counts):
        often = counts[counts.sum(axis=1) > 1]
        return often.div(often.sum(axis=1), axis=0).max(axis=None)

    return _best(table[several], purest)


def _largest_difference(table):
    means = table.groupby("label").mean(numeric_only=True)
    return (means.loc["covid"] - means.loc["normal"]).abs().idxmax()


def _hidden(rng: np.random.Generator) -> list[Case]:
    names = [str(name) for name in rng.permutation(list(VALUES))[:4]]
    return [Case((_files(rng, name),), name) for name in names]


def _why_not_column(chosen: str, case: Case) -> str:
    return (
        f"In one of the tables you chose {chosen!r}. For unseen images {case.right!r} predicts the "
        "label far better."
    )


q1 = Compare(
    "giveaway",
    title="The column that gives the label away",
    points=3,
    wants="giveaway(table) returns the name of one column, in quotes",
    hints=(
        "Which column would let you predict the labels of images that you have not seen?",
        "The lesson scored a look-up on the images it was made from, and one column reached 100 "
        "%. What was wrong with that?",
        "Take a part of the rows as `known` and the others as `asked`, at random. Then "
        "lookup_accuracy for each column.",
    ),
    data=lambda rng: _files(rng, str(rng.choice(list(VALUES)))),
    mistakes={
        "own_images": Mistake(
            lambda table: _best(table, lambda counts: counts.max(axis=1).sum()),
            "You chose the accession number, which has a different value for each file. A look-up "
            "scored on the images it was made from is always right; for a new image this column "
            "says nothing. Make the look-up from one part of the rows and score it on the other.",
        ),
        "one_pure_value": Mistake(
            _one_pure_value,
            "You chose a column in which one value occurs in one class only, in three images of "
            "400. Three of three is 100 %, but the column says nothing about the other 397. A "
            "percentage needs its n.",
        ),
        "largest_difference": Mistake(
            _largest_difference,
            "You chose bytes. Its means differ by tens of thousands because a byte is a small "
            "unit, and nearly every file has a value of its own, so that a look-up scored on the "
            "images it was made from is nearly always right. For further images it predicts "
            "little: make the look-up from one part of the rows and score it on the other.",
        ),
    },
    cases=_hidden,
    read=lambda value, case: expect.choice(
        value, [c for c in case.given[0] if c != "label"], "giveaway(table)"
    ),
    explain=_why_not_column,
)


def _best(table: pd.DataFrame, score) -> str:
    """The column with the highest score; `score` is given the number of images by value and
    label.
    """
    columns = [name for name in table if name != "label"]
    return max(columns, key=lambda name: score(pd.crosstab(table[name], table["label"])))


@q1.edges
def _(right):
    yield "capital letters", lambda table: right(table).upper(), True
    yield (
        "less one for each value",
        lambda table: _best(table, lambda counts: counts.max(axis=1).sum() - len(counts)),
        True,
    )
    yield "the first column that has three values", lambda table: list(table)[2], False
    yield "all columns", lambda table: list(table), False
    yield "the label itself", lambda table: "label", False


# --- q2: a difference and its spread --------------------------------------------------------------

UNITS = {  # column: usual value, spread within a class
    "sharpness": (1.0, 0.02),
    "heart width in cm": (13.0, 1.0),
    "mean grey level": (120.0, 30.0),
    "file size in kB": (1500.0, 400.0),
}
# spreads between the means; images per class measured
EFFECTS = ((-1.6, 20), (1.0, 72), (0.65, 200), (-0.3, 200))
PER_CLASS = 200


def _measured(rng: np.random.Generator, names: list[str]) -> pd.DataFrame:
    """Four measurements of 400 images, in the given order from the one that tells most to the one
    that tells least.
    """
    columns: dict[str, Any] = {}
    for name, (effect, n) in zip(names, EFFECTS, strict=True):
        usual, spread = UNITS[name]
        normal = np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])
        normal = normal / normal.std()
        for values in (normal, normal + effect):
            filled = np.append(usual + spread * values, np.full(PER_CLASS - n, np.nan))
            columns.setdefault(name, []).extend(rng.permutation(filled).round(4))
    table = pd.DataFrame(
        {"label": np.repeat(["normal", "covid"], PER_CLASS)} | {k: columns[k] for k in UNITS}
    )
    return table.sample(frac=1, random_state=rng).reset_index(drop=True)


def _orders(rng: np.random.Generator) -> list[Case]:
    orders = [
        list(UNITS),
        *([str(name) for name in rng.permutation(list(UNITS))] for _ in range(5)),
    ]
    return [Case((_measured(rng, order),), order) for order in orders]


def _four_names(value, case: Case) -> list[str]:
    names = expect.names(value, UNITS, "most_telling(table)")
    if len(names) < len(UNITS):
        raise Wrong(
            f"most_telling(table) should name {len(UNITS)} measurements, each once, not "
            f"{len(names)}."
        )
    return names


def _why_not_order(names: list[str], case: Case) -> str:
    if names == _ordered(case.given[0], lambda a, b: (b.mean() - a.mean()) / a.std()):
        raise q2.caught("sign_kept")
    if names[::-1] == case.right:
        return "The order is reversed: the most telling measurement comes first."
    return f"A table has a wrong order; it should be {', '.join(case.right)}."


q2 = Compare(
    "most_telling",
    title="A difference and its spread",
    points=2,
    wants=(
        "most_telling(table) returns the names of the four measurements as a list, the most "
        "telling first"
    ),
    hints=(
        "The units differ: centimetres, grey levels, kilobytes. Which number can be compared "
        "across all of them?",
        "Look at single images: how far are they from the mean of their own class? And does it "
        "matter whether a class is higher or lower?",
        "The absolute difference of the two means, divided by the standard deviation within the "
        "classes. Do not divide by the root of n: that measures how precise the mean is, not how "
        "far the images overlap.",
    ),
    data=lambda rng: _measured(rng, [str(name) for name in rng.permutation(list(UNITS))]),
    mistakes={
        "by_difference": Mistake(
            lambda table: _ordered(table, lambda a, b: abs(a.mean() - b.mean())),
            "The raw differences of the means were compared, kilobytes with centimetres. A change "
            "of unit would change this order, although the images stay the same. Divide each "
            "difference by its spread.",
        ),
        "in_per_cent": Mistake(
            lambda table: _ordered(table, lambda a, b: abs(a.mean() - b.mean()) / abs(b.mean())),
            "The differences were taken as a percentage of the mean. That removes the unit, but "
            "the mean says nothing about how far single images scatter: a heart 10 % wider is a "
            "lot if hearts vary by 5 %, and little if they vary by 50 %.",
        ),
        "by_certainty": Mistake(
            lambda table: _ordered(
                table,
                lambda a, b: (
                    abs(a.mean() - b.mean()) / np.sqrt(a.var() / len(a) + b.var() / len(b))
                ),
            ),
            "This is the order of the evidence that the means differ (t, or p), which grows with "
            "the number of images measured. With enough images even a tiny difference is "
            "significant, while single images overlap as much as before. The question is how far "
            "they overlap.",
        ),
        "sign_kept": Mistake(
            lambda table: _ordered(table, lambda a, b: (a.mean() - b.mean()) / a.std()),
            "The sign was kept, so a measurement that is lower in COVID was ranked last. Two "
            "spreads lower separates the classes as well as two spreads higher. Take the absolute "
            "value.",
        ),
    },
    cases=_orders,
    read=_four_names,
    explain=_why_not_order,
)


def _ordered(table: pd.DataFrame, score) -> list[str]:
    """The measurements by a score of what is known of covid and of normal, highest first."""
    ill, well = (table[table["label"] == label] for label in ("covid", "normal"))
    return sorted(UNITS, key=lambda name: -score(ill[name].dropna(), well[name].dropna()))


@q2.edges
def _(right):
    def overlap(a, b):
        return abs((a.to_numpy()[:, None] > b.to_numpy()[None, :]).mean() - 0.5)

    yield "an index", lambda table: pd.Index(right(table)), True
    yield "by the share of pairs ranked rightly", lambda table: _ordered(table, overlap), True
    yield (
        "spread over both classes",
        lambda t: _ordered(t, lambda a, b: abs(a.mean() - b.mean()) / _both(a, b)),
        True,
    )
    yield "the wrong way round", lambda table: right(table)[::-1], False
    yield "the best alone", lambda table: right(table)[:1], False
    yield "the last two swapped", lambda table: [*right(table)[:2], *right(table)[:1:-1]], False


def _both(a: pd.Series, b: pd.Series) -> float:
    return float(pd.concat([a, b]).std())


# --- q3: a percentage and its n -------------------------------------------------------------------


def _hospitals(
    rng: np.random.Generator, share: float = 0.5
) -> tuple[pd.DataFrame, float, list[str]]:
    """Images and COVID images by hospital, about the share to compare with, and the hospitals
    clearly above it.

    Where it is clear, even a 99 % interval lies above the share. The nearest of the others lies 1.4
    standard errors above it, so that only intervals of 80 % or less do. The share of the table
    itself is lower.
    """
    share = round(share + rng.uniform(-0.02, 0), 3)
    large, middle, few = (
        int(rng.integers(150, 220)),
        int(rng.integers(90, 120)),
        2 if share > 0.4 else 1,
    )
    errors = [(large, 4.5), (middle, 4), (16, 3.4)]  # clearly above
    # not
    errors += [
        (4, 0.8),
        (middle + 7, 0.6),
        (large + 9, 1.4),
        (4 * large, -10),
        (4, -3),
        (31, -3),
        (13, -0.6),
    ]
    counts = [(n, round(n * share + z * np.sqrt(n * share * (1 - share)))) for n, z in errors]
    counts = [(n, min(max(k, 0), n)) for n, k in [*counts, (few, few)]]
    table = pd.DataFrame(counts, columns=["images", "covid"])
    table.insert(0, "hospital", fresh.names(rng, len(counts), "H-"))
    clear = list(table["hospital"][:3])
    return table.sample(frac=1, random_state=rng).reset_index(drop=True), share, clear


def _no_width_at_the_end(table, share):
    p = table["covid"] / table["images"]
    return table["hospital"][p - 1.96 * np.sqrt(p * (1 - p) / table["images"]) > share].tolist()


def _upper_end(table, share):
    p, n, z = table["covid"] / table["images"], table["images"], 1.96
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return table["hospital"][(centre + half) / (1 + z * z / n) > share].tolist()


def _shares(rng: np.random.Generator, share: float) -> Case:
    table, share, clear = _hospitals(rng, share)
    return Case((table, share), set(clear), clear[2])


def _places(found: list[set], cases: list[Case]) -> dict:
    """The smallest hospital, whose percentage says nothing, and a small one that is clear."""
    table, share = cases[0].given
    rows, sure = table.set_index("hospital"), cases[0].note
    tiny = rows["images"].idxmin()
    n, k = rows.loc[tiny, "images"], rows.loc[sure, "covid"]
    return {"tiny": tiny, "n": n, "chance": share**n, "share": share, "sure": sure, "k": k}


def _why_not_clear(found: set, case: Case) -> str:
    table, share = case.given
    rows = table.set_index("hospital")
    name = min(case.right - found or found - case.right)
    covid, images = rows.loc[name, ["covid", "images"]]
    if name in case.right:
        return (
            f"{name} is missing: {covid} of {images} is more than chance would give at {share:.0%}."
        )
    return f"{name} has {covid} of {images}: with a true share of {share:.0%} that is no surprise."


q3 = Compare(
    "clearly_above",
    title="A percentage and its n",
    points=2,
    wants="clearly_above(table, share) returns a list of names of hospitals",
    hints=(
        "Two of two is 100 %. Would you be surprised if the next two were zero of two?",
        "Which true shares of the hospital are compatible with these images? The lesson put an "
        "interval beside each percentage.",
        "evaluate.wilson(k, n) returns the lower and the upper end of the interval. Which end "
        "must lie above the share?",
    ),
    data=lambda rng: _hospitals(rng)[:2],
    mistakes={
        "percent_alone": Mistake(
            lambda table, share: table["hospital"][
                table["covid"] / table["images"] > share
            ].tolist(),
            "The percentages were compared without their n. {tiny} has {n} of {n}, which is 100 % "
            "but almost no evidence: at a share of {share:.0%} it happens in {chance:.0%} of all "
            "cases. Give each percentage its interval, and use the lower end.",
        ),
        "thirty_are_enough": Mistake(
            lambda table, share: table["hospital"][
                (table["covid"] / table["images"] > share) & (table["images"] >= 30)
            ].tolist(),
            "Only hospitals with 30 images or more were accepted. But a small lead in 200 images "
            "does not show that the share is above {share:.0%}, and {k} of 16 ({sure}) does. It "
            "depends on n and on the share together, which is what an interval is for.",
        ),
        "no_width_at_the_end": Mistake(
            _no_width_at_the_end,
            "The interval p ± 2·√(p(1-p)/n) has no width when all images are of one class, so it "
            "treats {n} of {n} ({tiny}) as certain. Wilson's interval, used in the lesson, does "
            "not.",
        ),
        "upper_end": Mistake(
            _upper_end,
            "The upper end of the interval was compared with the share. It is above the share for "
            "nearly all hospitals, the more so the fewer images there are. It shows that the "
            "share could be higher, not that it is. Use the other end.",
        ),
    },
    cases=lambda rng: [_shares(rng, share) for share in rng.permutation([0.3, 0.5, 0.6])],
    read=lambda value, case: set(
        expect.names(value, case.given[0]["hospital"], "clearly_above(table, share)")
    ),
    same=set.__eq__,
    places=_places,
    explain=_why_not_clear,
)


@q3.edges
def _(right):
    def certain(level):
        from scipy.stats import binomtest

        def answer(table, share):
            p = [
                binomtest(k, n, share, "greater").pvalue
                for k, n in zip(table["covid"], table["images"], strict=True)
            ]
            return table["hospital"][np.array(p) < level].tolist()

        return answer

    yield "an exact test at 5 %", certain(0.05), True
    yield "an exact test at 0.5 %", certain(0.005), True
    yield "an exact test at 40 %", certain(0.4), False
    yield "a column", lambda table, share: pd.Series(right(table, share)), True
    yield "one missing", lambda table, share: right(table, share)[1:], False
    yield "none", lambda table, share: [], False


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
