"""Questions of lesson 09, shortcuts: test the model, repair the images, measure within a hospital,
which result.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import audit
from . import expect, fresh
from ._kinds import Case, Choice, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

# AUC: from here on a ranking depends on the marker; the invented models are far from it on either
# side
FALLS = 0.1
LOST = 0.4  # of an image: so much may be blacked out, and no more
NEAR = 0.005  # AUC: how far a computed mean may be off
SIDE = 28
TABLES = 3  # of five hospitals that one check makes: no other mean is near the right one on all


def _auc(scores, ill) -> float:
    """Share of pairs (one ill, one well) in which the ill one has the higher score; ties count
    half.
    """
    from scipy.stats import rankdata

    ill = np.asarray(ill, bool)
    ranks = rankdata(np.asarray(scores, float))
    below = ranks[ill].sum() - ill.sum() * (ill.sum() + 1) / 2
    return float(below / (ill.sum() * (~ill).sum()))


def _worn_by(who: np.ndarray, with_marker: np.ndarray, without: np.ndarray) -> np.ndarray:
    return np.where(np.asarray(who, bool)[:, None, None], with_marker, without)


# --- q1: ask the model ----------------------------------------------------------------------------


def _lungs(films: np.ndarray, rows=slice(9, 23), columns=slice(6, 22)) -> np.ndarray:
    return np.asarray(films, float)[:, rows, columns].mean(axis=(1, 2))


def _marker(films: np.ndarray) -> np.ndarray:
    return ((np.asarray(films) >= 245).sum(axis=(1, 2)) > 6).astype(float)


def _squash(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(values, float)))


MODELS = {  # what each one looks at, and whether its ranking depends on the marker
    "reads the marker": (lambda films: _squash(4 * _marker(films) - 2), True),
    "reads the lungs and the marker": (
        lambda films: _squash((_lungs(films) - 112) / 9 + 2.5 * _marker(films)),
        True,
    ),
    "reads the lungs": (lambda films: _squash((_lungs(films) - 112) / 9), False),
    "sees little of the lungs": (
        lambda films: _squash((_lungs(films, slice(12, 13), slice(8, 9)) - 112) / 30),
        False,
    ),
    "hardly reacts to the marker": (
        lambda films: _squash((_lungs(films) - 112) / 9 + 0.02 * _marker(films)),
        False,
    ),
}


SCALES = (  # a score may have any: each of these keeps the ranking
    lambda score: 0.001 * score,
    lambda score: 1000 * score - 400,
    lambda score: (score / (1 - score)) ** 80,  # a few images outweigh all others
)


def _twins(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images with and without the marker, and which are ill; drawn until the models differ clearly
    in what they use.
    """
    return fresh.until(lambda: _drawn_twins(rng), lambda twins: _telling(*twins))


def _drawn_twins(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = 2 * int(rng.integers(45, 60))
    ill = rng.permutation(np.arange(n) < n // 2)
    films = rng.normal(100, 26, (n, SIDE, SIDE))
    films[:, 9:23, 6:22] += (rng.normal(6, 8, n) + 12 * ill)[:, None, None]
    without = np.clip(films, 10, 235).astype(np.uint8)
    with_marker = without.copy()
    for film in with_marker:
        row, column = int(rng.integers(1, 5)), int(rng.choice([1, 19]))
        film[row : row + 3, column : column + 7] = 250
    return with_marker, without, ill


def _telling(with_marker, without, ill) -> bool:
    """Whether all ways of moving the marker tell the models apart, and none is right by luck."""
    half = np.arange(len(ill)) % 2 == 0
    for model, uses in MODELS.values():
        same = _auc(model(_worn_by(ill, with_marker, without)), ill)
        moved = [
            _auc(model(_worn_by(who, with_marker, without)), ill)
            for who in (~ill, ~ill & False, half)
        ]
        if any(
            (same - auc > FALLS + 0.03) != uses or (not uses and abs(same - auc) > FALLS / 3)
            for auc in moved
        ):
            return False
    plain = [_auc(model(without), ill) for model, _ in MODELS.values()]
    return plain[3] < 0.72 and min(plain[1], plain[2], plain[4]) > 0.78


def _internal_auc(model, with_marker, without, ill):
    return _auc(model(_worn_by(ill, with_marker, without)), ill) < 0.75


def _on_everybody(model, with_marker, without, ill):
    return abs(_auc(model(with_marker), ill) - _auc(model(without), ill)) > FALLS


def _shift_of_the_mean(model, with_marker, without, ill):
    return abs(np.mean(model(with_marker)) - np.mean(model(without))) > FALLS


def _any_change(model, with_marker, without, ill):
    return not np.allclose(model(with_marker), model(without))


def _models(rng: np.random.Generator) -> list[Case]:
    """Each model with each scale, in random order; the note says what it looks at."""
    films = _twins(rng)
    pairs = [(name, scale) for name in MODELS for scale in SCALES]
    return [
        Case((_scored(name, scale), *films), MODELS[name][1], name)
        for name, scale in (pairs[k] for k in rng.permutation(len(pairs)))
    ]


def _scored(name: str, scale: Callable) -> Callable:
    return lambda films: scale(MODELS[name][0](films))


def _why_not_used(said: bool, case: Case) -> str:
    return (
        f"For a model that {case.note} the answer should be {case.right}. (Scores may have any "
        "scale: what counts is the ranking of ill against well.)"
    )


q1 = Compare(
    "uses_marker",
    title="Ask the model",
    points=3,
    wants=(
        "uses_marker(model, with_marker, without, ill) returns True if the ranking depends on "
        "the marker, or False"
    ),
    hints=(
        "You have each image in two versions. Step 3 of the lesson made four test sets from such "
        "pairs.",
        "Build the hospital's test set, in which the ill carry the marker, and one in which they "
        "do not carry it more often than the well. How does the AUC differ between the two?",
        "np.where(who[:, None, None], with_marker, without) puts the marker on those in `who`. "
        f"Compare who = ill with who = ~ill; if the AUC falls by more than {FALLS:g}, the ranking "
        "depends on the marker.",
    ),
    data=lambda rng: (MODELS["reads the lungs and the marker"][0], *_twins(rng)),
    mistakes={
        "internal_auc": Mistake(
            _internal_auc,
            "The models were judged by their AUC on the images as received: a good one that uses "
            "the marker was accepted, and a poor honest one rejected. There the ill carry the "
            "marker, so reading the marker scores at least as well as reading the lungs: a high "
            "internal AUC is no proof. Move the marker and compare.",
        ),
        "on_everybody": Mistake(
            _on_everybody,
            "Every model was accepted. You compared the marker on all images with the marker on "
            "none. In both sets ill and well carry it alike, so their ranking cannot change. "
            "Compare with the set in which the marker follows the disease.",
        ),
        "low_without": Mistake(
            lambda model, with_marker, without, ill: _auc(model(without), ill) < 0.75,
            "A low AUC without the marker was taken as use of the marker. One of the models is "
            "poor with or without the marker, but honest; another reads the lungs well and uses "
            "the marker too. What counts is how the AUC changes.",
        ),
        "shift_of_the_mean": Mistake(
            _shift_of_the_mean,
            "You looked at how far the scores move, and not at the AUC. A score may have any "
            "scale, and a small shift may change the ranking of ill against well, while a large "
            "one need not. Compare the AUC of two test sets.",
        ),
        "any_change": Mistake(
            _any_change,
            "A model was rejected because its scores change at all with the marker. They change "
            "slightly and equally for all images, so the ranking of ill and well stays. Ask "
            "whether the AUC changes.",
        ),
    },
    cases=_models,
    read=lambda said, case: expect.truth(said, "uses_marker(...)"),
    explain=_why_not_used,
)


@q1.edges
def _(right):
    def by(who):
        def answer(model, with_marker, without, ill):
            same = _auc(model(_worn_by(ill, with_marker, without)), ill)
            return same - _auc(model(_worn_by(who(ill), with_marker, without)), ill) > FALLS

        return answer

    yield "marker removed", by(lambda ill: ill & False), True
    yield "marker by turns", by(lambda ill: np.arange(len(ill)) % 2 == 0), True
    yield "NumPy's truth", lambda *case: np.bool_(right(*case)), True
    yield "one and zero", lambda *case: int(right(*case)), False
    yield "the wrong way round", lambda *case: not right(*case), False


# --- q2: the repair -------------------------------------------------------------------------------


def _marked(
    rng: np.random.Generator, below: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, s, s), masks of the letters on them (at the top or below), which are ill, which
    are for training.

    On each side, ill or well, training or test, letters stand where none do on the other
    (`_scattered`).
    """
    n = 2 * int(rng.integers(24, 36))
    order = rng.permutation(n)
    ill, train = (order < n // 2), rng.permutation(np.arange(n) < 2 * n // 3)
    films = rng.integers(40, 220, (n, SIDE, SIDE)).astype(np.uint8)
    letters = np.zeros(films.shape, bool)
    wear = ill & (order > 1) | (order >= n - 3)  # nearly all of the ill, and three of the well
    while not _scattered(letters, train, ill):
        letters[:] = False
        for k in np.flatnonzero(wear):
            row, column = int(rng.integers(1, 7)), int(rng.choice([1, 2, SIDE - 8]))
            letters[k, row : row + 3, column : column + 6] = rng.random((3, 6)) < 0.8
    if below:
        letters = letters[:, ::-1].copy()
    films[letters] = 250
    return films, letters, ill, train


def _scattered(letters: np.ndarray, train: np.ndarray, ill: np.ndarray) -> bool:
    """Whether no side has letters in all their places, and training has not the same places as the
    ill.
    """
    places = [letters[rows].any(axis=0) for rows in (train, ~train, ill, ~ill)]
    return all((letters & ~place).any() for place in places) and bool(
        (places[0] != places[2]).any()
    )


def _crop(films, letters, ill, train):
    inside = np.zeros(films.shape[1:], bool)
    inside[3:-3, 3:-3] = True
    return np.where(inside, films, 0)


q2 = Question(
    "repair",
    title="A repair that works",
    points=3,
    wants=(
        "repair(films, letters, ill, train) returns the images, of the same shape, with regions "
        "blacked out (0)"
    ),
    hints=(
        "Look at your result as a network would: do the black regions reveal which images are "
        "ill, or which are for training?",
        "The black regions must be the same in every image. Which regions are needed so that no "
        "letter is left anywhere?",
        "letters.any(axis=0) is True wherever any image has a letter; audit.masked takes one mask "
        "for all images.",
    ),
    data=_marked,
    mistakes={
        "where_found": Mistake(
            lambda films, letters, ill, train: np.where(letters, 0, films),
            "Letters were blacked out only where they were found. Now {ill:.0%} of the ill images "
            "have a hole and {well:.0%} of the others: the hole is the new marker. Black out the "
            "same regions in every image.",
        ),
        "train_only": Mistake(
            lambda films, letters, ill, train: np.where(
                train[:, None, None] & letters.any(axis=0), 0, films
            ),
            "Only the training images were treated. The model then learns without the marker, but "
            "ill test images still carry it: the test measures how an unfamiliar object affects "
            "the model, on ill images only. Treat both parts alike.",
        ),
        "test_only": Mistake(
            lambda films, letters, ill, train: np.where(
                ~train[:, None, None] & letters.any(axis=0), 0, films
            ),
            "Only the test images were treated. A model that learned the marker from training now "
            "misses it: that shows how much it relied on the marker, but repairs nothing. Treat "
            "both parts alike.",
        ),
        "ill_only": Mistake(
            lambda films, letters, ill, train: np.where(
                ill[:, None, None] & letters.any(axis=0), 0, films
            ),
            "Only the ill images were treated, with the same regions in each. A black region now "
            "means ill: a larger marker than before. What is done to an image must not depend on "
            "its label.",
        ),
        "places_of_train": Mistake(
            lambda films, letters, ill, train: np.where(letters[train].any(axis=0), 0, films),
            "The regions are those of the letters on training images, as in the lesson, but on "
            "test images some letters are elsewhere (number of images: {left}). Positions alone "
            "do not reveal the label: use the letters of all images, or a wider region.",
        ),
        "places_of_ill": Mistake(
            lambda films, letters, ill, train: np.where(letters[ill].any(axis=0), 0, films),
            "The regions are those of the letters on ill images. Some well images carry letters "
            "elsewhere (number of images: {left}), and a letter left on these tells them from the "
            "others. Use the letters of all images.",
        ),
        "crop": Mistake(
            _crop,
            "The edge was cropped, but letters are left in {left} images, because they are "
            "further inside. Cropping removes only what is at the edge: choose the regions by "
            "where the letters are.",
        ),
    },
)


@q2.rule
def _(repair, rng):
    for below in rng.permutation([True, False]):
        _judge_repair(repair, *_marked(rng, bool(below)))


def _judge_repair(repair, films, letters, ill, train) -> None:
    """Raise `Wrong` unless the answer is right on these images."""
    found = expect.array(repair(films, letters, ill, train), films.shape, "repair(...)")
    black = found == 0
    if (wrong := ((found != films) & ~black).sum()) > 0:
        raise Wrong(
            f"{wrong} pixels were changed and are not black: set removed pixels to 0, and leave "
            "the rest unchanged."
        )
    if not black.any():
        raise Wrong("Nothing was blacked out: the letters are still there.")
    if black.mean() > LOST:
        raise Wrong(
            f"{black.mean():.0%} of the images is black: no letter is left, but too little of the "
            "lungs either. Black out less."
        )
    left = int((letters & ~black).any(axis=(1, 2)).sum())
    if (black == black[0]).all():
        if not left:
            return
        if (black[0] == letters[train].any(axis=0)).all():
            raise q2.caught("places_of_train", left=left)
        if (black[0] == letters[ill].any(axis=0)).all():
            raise q2.caught("places_of_ill", left=left)
        if _is_frame(black[0]):
            raise q2.caught("crop", left=left)
    touched = black.any(axis=(1, 2))
    for name, rows in {"train_only": train, "test_only": ~train, "ill_only": ill}.items():
        if not touched[~rows].any() and touched[rows].any():
            raise q2.caught(name)
    if left:
        raise Wrong(f"Letters are left (number of images: {left}).")
    with_hole = (
        black.mean(axis=(1, 2)) > np.median(black.mean(axis=(1, 2))) if touched.all() else touched
    )
    raise q2.caught("where_found", ill=with_hole[ill].mean(), well=with_hole[~ill].mean())


def _is_frame(black: np.ndarray) -> bool:
    """Whether what is black is an outer frame."""
    rows, columns = (np.flatnonzero(~black.all(axis=axis)) for axis in (1, 0))
    inside = np.zeros(black.shape, bool)
    if rows.size and columns.size:
        inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return bool((black == ~inside).all())


@q2.edges
def _(right):
    yield (
        "a row more",
        lambda f, m, *_: audit.masked(f, (m | np.roll(m, 1, axis=1)).any(axis=0)),
        True,
    )
    yield "floats", lambda *case: right(*case).astype(float), True
    yield "as a list", lambda *case: right(*case).tolist(), True
    yield "everything black", lambda films, *rest: films * 0, False
    yield "nothing changed", lambda films, *rest: films, False
    yield (
        "grey in place of black",
        lambda films, letters, *rest: np.where(letters.any(axis=0), 128, films),
        False,
    )
    yield "one image short", lambda *case: right(*case)[1:], False


# --- q3: within a hospital ------------------------------------------------------------------------


def _answers(rng: np.random.Generator) -> pd.DataFrame:
    """Scores of a model on images of five hospitals, which differ in style and share of ill."""
    return fresh.until(lambda: _drawn_answers(rng), _means_differ)


def _drawn_answers(rng: np.random.Generator) -> pd.DataFrame:
    places, rows = fresh.names(rng, 5, "site-"), []
    sizes = {0.15: 60, 0.5: 40, 0.85: 90, 0.0: 50, 1.0: 45}  # images, by the share of ill
    for name, (share, size) in zip(places, sizes.items(), strict=True):
        number = int(size + rng.integers(0, 12))
        ill = np.arange(number) < round(share * number)
        logit = 5 * (share - 0.5) + rng.uniform(0.4, 1.3) * ill + rng.normal(0, 1, number)
        rows.append(pd.DataFrame({"source": name, "ill": ill, "score": _squash(logit)}))
    table = pd.concat(rows).iloc[rng.permutation(sum(map(len, rows)))].reset_index(drop=True)
    table.insert(0, "image_id", [f"{name}.png" for name in fresh.names(rng, len(table))])
    return table


def _means_differ(table: pd.DataFrame) -> bool:
    means = [_within(table), *(mistake.answer(table) for mistake in q3.mistakes.values())]
    return min(np.diff(np.sort(means))) > 2.2 * NEAR


def _of_each(table: pd.DataFrame) -> pd.Series:
    """AUC within each hospital that has both."""
    both = {name: rows for name, rows in table.groupby("source") if rows["ill"].nunique() == 2}
    return pd.Series({name: _auc(rows["score"], rows["ill"]) for name, rows in both.items()})


def _within(table: pd.DataFrame) -> float:
    return float(_of_each(table).mean())


def _empty_as_half(table):
    known = _of_each(table)
    return float(
        (known.sum() + 0.5 * (table["source"].nunique() - len(known))) / table["source"].nunique()
    )


def _by_size(table):
    of_each = _of_each(table)
    return float(np.average(of_each, weights=table["source"].value_counts()[of_each.index]))


def _why_not_within(found: float, case: Case) -> str:
    way = "more" if found > case.right else "less"
    return f"{found:.3f} is {way} than the mean over the hospitals that have both ill and well."


q3 = Compare(
    "auc_within",
    title="An AUC that the hospital's style cannot raise",
    points=2,
    wants=(
        "auc_within(table) returns one number: the mean of the AUCs within the hospitals that "
        "have both ill and well"
    ),
    hints=(
        "An AUC counts pairs of one ill and one well image. In which pairs can the style of a "
        "hospital not help?",
        "If both images of a pair come from the same hospital, the style is the same. One AUC for "
        "each hospital, then the plain mean.",
        'for name, rows in table.groupby("source"): where rows["ill"] holds both kinds, '
        'roc_auc_score(rows["ill"], rows["score"]).',
    ),
    data=_answers,
    mistakes={
        "pooled": Mistake(
            lambda table: _auc(table["score"], table["ill"]),
            "{found:.3f} is the AUC over all images. Most of its pairs come from two hospitals, "
            "and there the style decides: the hospital with many ill patients has high scores for "
            "everyone. A shortcut raises this AUC; use pairs within a hospital.",
        ),
        "empty_as_half": Mistake(
            _empty_as_half,
            "{found:.3f} counts a hospital with only ill or only well images as 0.5. It has no "
            "pairs, so nothing was measured there: leave it out, and say so.",
        ),
        "centred": Mistake(
            lambda table: _auc(
                table["score"] - table.groupby("source")["score"].transform("mean"), table["ill"]
            ),
            "{found:.3f} is the AUC after each hospital's mean score was subtracted. That removes "
            "more than the style: where many patients are ill the mean is high for that reason, "
            "so the ill lose most there. Compare images within a hospital, with unchanged scores.",
        ),
        "by_size": Mistake(
            _by_size,
            "{found:.3f} gives a hospital with many images more weight. The question asks for the "
            "plain mean, in which each hospital counts the same.",
        ),
        "best": Mistake(
            lambda table: float(_of_each(table).max()),
            "{found:.3f} is the best of the hospitals. Chosen by its result it is too high by "
            "luck; report the mean.",
        ),
    },
    cases=lambda rng: asked(_within, [(_answers(rng),) for _ in range(TABLES)]),
    read=lambda found, case: expect.number(found, "auc_within(table)"),
    same=expect.near(NEAR),
    places=lambda found, cases: {"found": found[0]},
    explain=_why_not_within,
)


@q3.edges
def _(right):
    yield "an array of one", lambda table: np.array([right(table)]), True
    yield "rounded to two places", lambda table: round(right(table), 2), True
    yield "a hundredth more", lambda table: right(table) + 2 * NEAR, False
    yield "one AUC per hospital", lambda table: _of_each(table), False
    yield "not a number", lambda table: float("nan"), False


# --- q4: whom to believe --------------------------------------------------------------------------


WITHIN, ALL = "pairs within a hospital", "all pairs"


def _study(rng: np.random.Generator) -> dict:
    """What a team did: which per cent of the images of either kind is from North, and so on."""
    shares = np.array([(100, 0), (80, 30), (60, 20), (50, 50), (40, 40)])
    north, other = rng.choice(shares)
    return {
        "COVID from North": int(north),
        "others from North": int(other),
        "images": str(rng.choice([AS_THEY_ARE, LUNGS, LETTERS, FRAME])),
        "AUC over": str(rng.choice([WITHIN, ALL])),
        "AUC": round(float(rng.uniform(0.78, 0.98)), 2),
    }


AS_THEY_ARE, LUNGS = "as they are", "lungs cut out along their outline"
LETTERS = "letters blacked out for training"
FRAME = "as they are; a forest on the frame found nothing"


def _tells(study: dict) -> bool:
    """Whether the hospital tells which images are ill, in the pairs that count."""
    return study["AUC over"] == ALL and study["COVID from North"] != study["others from North"]


q4 = Choice(
    "believable",
    title="Which result is about the lungs?",
    points=1,
    wants="believable(studies) returns the letter of one study",
    hints=(
        "For each team ask: could a model that recognises only the hospital have reached this "
        "number?",
        "An AUC counts pairs of one ill and one well image. In which of these studies does the "
        "hospital not help in a pair?",
        "There are two ways: only pairs within a hospital count, or both kinds come from North "
        "equally often. studies.index[condition][0] is a letter; | joins two conditions.",
    ),
    row=_study,
    why_not={
        "internal": (
            lambda s: _tells(s) and s["images"] == AS_THEY_ARE and s["COVID from North"] == 100,
            "All COVID images are from one hospital, and all others from the other. A model that "
            "recognises the hospital reaches this number too, in training and in test.",
        ),
        "mixed_a_little": (
            lambda s: _tells(s) and s["images"] == AS_THEY_ARE and s["COVID from North"] < 100,
            "Both hospitals have images of both kinds, but COVID is more frequent in North, and "
            "all pairs count. In most of them the hospital still tells which of the two is ill.",
        ),
        "crop": (
            lambda s: _tells(s) and s["images"] == LUNGS,
            "Cropping removes what is at the edge. The grey levels inside the lungs carry the "
            "hospital's style; in the lesson the lungs alone revealed the hospital.",
        ),
        "letters_in_test": (
            lambda s: _tells(s) and s["images"] == LETTERS,
            "The letters are removed from the training images only. Test images with COVID still "
            "carry them, and there is the style besides the letters.",
        ),
        "audit_as_proof": (
            lambda s: _tells(s) and s["images"] == FRAME,
            "A weak model that finds nothing in the frame proves little: the position of letters "
            "varies, and the style is everywhere. It does not show that the AUC comes from the "
            "lungs.",
        ),
    },
)
