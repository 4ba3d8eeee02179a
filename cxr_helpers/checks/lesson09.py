"""Questions of lesson 09, shortcuts: read four test sets, repair the images, audit the frame, which
result.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from .. import audit, stats
from . import _networks, _out_of_fold, expect, fresh
from ._kinds import Case, Choice, Compare
from ._question import Mistake, Question
from ._running import Wrong

LOST = 0.4  # of an image: so much may be blacked out, and no more
SIDE = 28
FOUND = 0.65  # AUC that an audit reaches where nearly all ill wear a mark; 0.9 is usual
STEADY = 1e-7  # how far a score may move when it must not move at all


# --- q1: four test sets ---------------------------------------------------------------------------

WORLDS = ("as taken", "removed", "random", "reversed")
# what a network reads: how far it tells ill from well by the lungs, and by the word, in deviations
NETWORKS = {
    "disease": (1.8, 0.05),
    "word": (0.0, 2.6),
    "nothing": (0.0, 0.05),
    "both": (1.6, 2.6),
    "both, lungs first": (1.45, 1.1),
}
READINGS = ("disease", "word", "both", "nothing")
ILL = np.arange(240) < 120  # the test images of a chart
WORN = {  # who wears the word, as 0 and 1
    "as taken": ILL.astype(float),
    "removed": np.zeros(len(ILL)),
    "random": np.arange(len(ILL)) % 2.0,
    "reversed": 1.0 - ILL,
}
CHARTS = 6  # that one check asks about


def _reading(network: str) -> str:
    return network.split(",")[0]


def _chart(rng: np.random.Generator) -> Case:
    """Five networks under letters: AUC of each on four test sets, with its interval."""
    rows, behind = [], {}
    for letter, network in zip("ABCDE", map(str, rng.permutation(list(NETWORKS))), strict=True):
        behind[letter] = network
        for world, area in fresh.until(partial(_areas, rng, network), _clear(network)).items():
            rows.append({"network": letter, "test set": world} | area)
    return Case((pd.DataFrame(rows),), {k: _reading(n) for k, n in behind.items()}, behind)


def _areas(rng: np.random.Generator, network: str) -> dict[str, dict[str, float]]:
    """AUC and interval of one network by test set, from its scores of the same images."""
    lungs, word = NETWORKS[network]
    seen = lungs * ILL + rng.normal(size=len(ILL))
    one_each, found = np.arange(len(ILL)), {}
    for world in WORLDS:
        score = seen + word * WORN[world]
        without = stats.auc_without_each(ILL, score, one_each, len(ILL))
        area = stats.share(stats.auc(ILL, score), without, len(ILL), len(ILL))
        found[world] = {"AUC": area.value, "low": area.low, "high": area.high}
    return found


def _clear(network: str) -> Callable[[dict], bool]:
    """Whether the AUCs of a network show what it reads, with a margin."""
    sees_lungs, uses_word = NETWORKS[network][0] > 1, NETWORKS[network][1] > 1

    def clear(found: dict) -> bool:
        usual, removed, mixed, turned = (found[world]["AUC"] for world in WORLDS)
        sees = removed > 0.8 if sees_lungs else 0.43 < removed < 0.57
        if not uses_word:
            return sees and max(usual, removed, mixed) - min(removed, mixed, turned) < 0.04
        above = turned > 0.57 if network == "both, lungs first" else turned < 0.42
        return sees and above and min(usual - removed, usual - mixed) > 0.105

    return clear


def _read_by(uses: Callable[[pd.Series], bool], sees: Callable[[pd.Series], bool]) -> Callable:
    """A way of reading a chart, from two questions about a network's AUCs."""
    word = {(True, True): "both", (True, False): "word", (False, True): "disease"}

    def read(chart: pd.DataFrame) -> dict[str, str]:
        areas = chart.pivot(index="network", columns="test set", values="AUC")
        return {
            letter: word.get((bool(uses(area)), bool(sees(area))), "nothing")
            for letter, area in areas.iterrows()
        }

    return read


def _without(area: pd.Series) -> bool:
    return area["removed"] > 0.7


def _why_not_read(said: dict[str, str], case: Case) -> str:
    letter = next(letter for letter in case.right if said[letter] != case.right[letter])
    chart = case.given[0].query("network == @letter").set_index("test set")["AUC"]
    listed = ", ".join(f"{world} {chart[world]:.2f}" for world in WORLDS)
    return (
        f"One network has these AUCs: {listed}. You say that it reads {said[letter]!r}. Does it "
        "tell ill from well when nobody wears the word? Does the AUC fall when the others wear it?"
    )


q1 = Compare(
    "what_it_reads",
    title="What does each network read?",
    points=3,
    wants=(
        "what_it_reads(chart) returns a dict from each letter to "
        f"{', '.join(map(repr, READINGS[:-1]))} or {READINGS[-1]!r}"
    ),
    hints=(
        "Two questions for each network: does it see anything of the disease? Does the word change "
        "its ranking? Each has one test set that answers it.",
        'Where nobody wears the word, only the lungs can help: look at "removed". Where the word '
        'changes sides, a network that uses it falls: compare "as taken" with "reversed".',
        'chart.pivot(index="network", columns="test set", values="AUC") has a row for each '
        "network. Two columns of it, each compared with a limit that you read off the figure, give "
        "four combinations.",
    ),
    data=lambda rng: _chart(rng).given[0],
    cases=lambda rng: [_chart(rng) for _ in range(CHARTS)],
    read=lambda said, case: expect.choices(said, case.right, READINGS, "what_it_reads(chart)"),
    explain=_why_not_read,
    mistakes={
        "as_taken": Mistake(
            _read_by(lambda area: False, lambda area: area["as taken"] > 0.7),
            "The networks were judged by their AUC as taken: whatever is high there was called "
            '"disease". The ill wear the word there, so reading the word scores as well as reading '
            "the lungs. The other three test sets show which it is.",
        ),
        "removed_alone": Mistake(
            _read_by(lambda area: not _without(area), _without),
            'One test set, "removed", was made to answer both questions. A network that is good '
            'without the word may use it as well ("both"), and one that guesses without it may '
            'read "nothing" at all. Look at what the word changes, too.',
        ),
        "below_half": Mistake(
            _read_by(lambda area: area["reversed"] < 0.45, _without),
            'A network was said to read the word only where its AUC is below 0.5 in "reversed". '
            "One of them stays above 0.5 there and has fallen far from its AUC as taken: it uses "
            "the word, and the lungs outweigh it. What counts is the fall.",
        ),
        "any_change": Mistake(
            _read_by(lambda area: area["as taken"] != area["reversed"], _without),
            "A network was said to read the word because its AUC differs at all between the test "
            "sets, in the third decimal. Use of the word shows as a fall that stands out from the "
            "intervals.",
        ),
        "word_alone": Mistake(
            lambda chart: {
                letter: "word" if said == "both" else said
                for letter, said in _read_by(
                    lambda area: area["as taken"] - area["reversed"] > 0.1, _without
                )(chart).items()
            },
            'Every network that the word moves was called "word". Some of them rank ill above well '
            'where nobody wears it: these see the disease, too, and are "both".',
        ),
    },
)


@q1.edges
def _(right):
    yield (
        "capitals and blanks",
        lambda chart: {k.lower(): f" {said.upper()}" for k, said in right(chart).items()},
        True,
    )
    yield "a column of a table", lambda chart: pd.Series(right(chart)), True
    yield (
        "a letter left out",
        lambda chart: {k: v for k, v in right(chart).items() if k > "A"},
        False,
    )
    yield (
        "always the same",
        lambda chart: dict(zip("ABCDE", (*READINGS, "both"), strict=True)),
        False,
    )


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


# --- q3: an audit by the frame --------------------------------------------------------------------


def _worn(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Images of which nearly all ill wear a mark in the frame, labels, patients, its width."""
    images, ill, patients = _out_of_fold.cohort(rng)
    wears = rng.random(len(ill)) < np.where(ill == 1, 0.95, 0.05)
    images[wears, 0, :4] = rng.integers(220, 256, (wears.sum(), 4))
    return images, ill, patients, 1


def _frame_removed(images, ill, patients, margin):
    inside = images[:, margin:-margin, margin:-margin]
    return _by_frame(inside.reshape(len(images), -1) / 255, ill, patients)


def _mean_of_the_lungs(images, ill, patients, margin):
    filled = images.astype(float)
    filled[:, margin:-margin, margin:-margin] = images.mean(axis=(1, 2))[:, None, None]
    return _by_frame(filled.reshape(len(images), -1) / 255, ill, patients)


def _fitted_and_scored(images, ill, patients, margin):
    rows = _framed(images, margin)
    return DecisionTreeClassifier(random_state=0).fit(rows, ill).predict_proba(rows)[:, 1]


def _scaled_on_all_images(images, ill, patients, margin):
    rows = StandardScaler().fit_transform(_framed(images, margin))
    model = LogisticRegression(C=0.1, max_iter=1000)
    given = cross_val_predict(
        model, rows, ill, groups=patients, cv=GroupKFold(5), method="predict_proba"
    )
    return given[:, 1]


q3 = Question(
    "frame_scores",
    title="Build the audit",
    points=4,
    wants="frame_scores(images, ill, patients, margin) returns one probability for each image",
    hints=(
        "Two parts: rows that hold the frame and nothing of the lungs, and a cross-validation as "
        "in lesson 07.",
        "A mask is True in the frame and False inside: images[:, mask] takes those pixels alone. "
        "Or set the inside to 0 in a copy.",
        "cross_val_predict(model, rows, ill, groups=patients, cv=GroupKFold(5), "
        'method="predict_proba")[:, 1]',
    ),
    data=_worn,
    mistakes={
        "lungs_seen": Mistake(
            lambda images, ill, patients, margin: _by_frame(
                images.reshape(len(images), -1) / 255, ill, patients
            ),
            "The scores move when pixels *inside* the frame are moved: the model saw the lungs, "
            "in training or when it scored. A high AUC then shows nothing. Only the frame may "
            "reach it, in both.",
        ),
        "frame_removed": Mistake(
            _frame_removed,
            "The frame was blacked out, and the lungs were kept: nothing in the frame moves the "
            "scores. The audit asks the opposite: what can be told without the lungs?",
        ),
        "mean_of_the_lungs": Mistake(
            _mean_of_the_lungs,
            "The scores move when all lungs get darker: something computed from the whole image "
            "is left, such as its mean as the filling, or a standardisation of each image. Fill "
            "with a constant, or leave the inside out.",
        ),
        "patients_split": Mistake(
            lambda images, ill, patients, margin: _by_frame(
                _framed(images, margin), ill, patients, StratifiedKFold(5)
            ),
            "Images of one patient stand in different folds: exchange one, and the scores of the "
            "others move. The model may recognise patients, so the audit would raise a false "
            "alarm. Keep each patient's images together.",
        ),
        "fitted_and_scored": Mistake(
            _fitted_and_scored,
            "With labels drawn at random the scores are right, too: each image was scored by a "
            "model that was fitted on it. Such an audit finds a shortcut in every set.",
        ),
        "scaled_on_all_images": Mistake(
            _scaled_on_all_images,
            "One image was exchanged, and the scores of all others moved, those of its own fold "
            "as well: something is fitted on all images before the split, such as a scaler. Put "
            "it into the pipeline.",
        ),
        "classes": Mistake(
            lambda images, ill, patients, margin: _by_frame(
                _framed(images, margin), ill, patients, method="predict"
            ),
            "All numbers are 0 or 1, with labels in random order as well: so `predict` gives them, "
            "or a single tree that was grown to its end. That is no ranking, and the AUC says too "
            "little. Ask for probabilities.",
        ),
        "other_column": Mistake(
            lambda images, ill, patients, margin: (
                1 - _by_frame(_framed(images, margin), ill, patients)
            ),
            "The AUC of these scores is {auc:.2f}, far below 0.5: a high one means label 0. The "
            "columns of predict_proba are in the order of the classes.",
        ),
    },
)


@q3.rule
def _(frame_scores, rng):
    images, ill, patients, margin = _worn(rng)

    def ask(images, ill, patients):
        given = np.asarray(frame_scores(images, ill, patients, margin))
        return expect.array(given, (len(images),), "frame_scores(images, ill, patients, margin)")

    p = ask(images, ill, patients)
    if p.min() < 0 or p.max() > 1:
        raise Wrong(
            f"Probabilities lie between 0 and 1; these run from {p.min():.2f} to {p.max():.2f}."
        )
    _judge_what_was_seen(ask, p, rng, images, ill, patients, margin)
    reached = _networks.auc(p, ill)
    if reached < 1 - FOUND:
        raise q3.caught("other_column", auc=reached)
    if reached < FOUND:
        raise Wrong(
            f"The AUC of these scores is {reached:.2f}; nearly all ill wear a mark in the frame, "
            "and others reach about 0.9. Does the n-th score belong to the n-th image?"
        )
    found = _out_of_fold.leak(ask, images, ill, patients, rng)
    if found:
        names = {"patients": "patients_split", "scaled": "scaled_on_all_images"}
        raise q3.caught(names.get(found, "fitted_and_scored"))
    mixed = ask(images, rng.permutation(ill), patients)  # where nobody can be sure of anything
    if set(np.round([*p, *mixed], 9)) <= {0.0, 1.0}:
        raise q3.caught("classes")


def _judge_what_was_seen(ask, p, rng, images, ill, patients, margin) -> None:
    """Raise `Wrong` where the scores move with pixels inside the frame."""
    inside = (slice(None), slice(margin, -margin), slice(margin, -margin))
    shuffled, darker = images.copy(), images.copy()
    flat = shuffled[inside].reshape(len(images), -1)
    shuffled[inside] = rng.permuted(flat, axis=1).reshape(images[inside].shape)
    darker[inside] //= 2
    if np.abs(ask(shuffled, ill, patients) - p).max() > STEADY:
        blank = np.zeros_like(images)
        blank[inside] = images[inside]
        if np.abs(ask(blank, ill, patients) - p).max() <= STEADY:
            raise q3.caught("frame_removed")
        raise q3.caught("lungs_seen")
    if np.abs(ask(darker, ill, patients) - p).max() > STEADY:
        raise q3.caught("mean_of_the_lungs")


def _framed(images, margin: int) -> np.ndarray:
    """The pixels of the frame, a row for each image."""
    mask = np.ones(images.shape[1:], bool)
    mask[margin:-margin, margin:-margin] = False
    return images[:, mask] / 255


def _by_frame(rows, ill, patients, folds=None, method: str = "predict_proba") -> np.ndarray:
    """Scores of a regression on some columns, by folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    cv = folds or GroupKFold(5)
    given = cross_val_predict(model, rows, ill, groups=patients, cv=cv, method=method)
    return given[:, 1] if given.ndim == 2 else given


@q3.edges
def _(right):
    yield "a list", lambda *case: list(np.asarray(right(*case))), True
    yield "one score", lambda *case: np.asarray(right(*case))[:1], False


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
