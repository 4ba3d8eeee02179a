"""Questions of lesson 08, transfer learning: where to cut, what is trained, what goes in, what may
use the test.
"""

import random

import numpy as np
import pandas as pd

from .. import transfer
from ..console import quiet
from . import expect, fresh
from ._kinds import Case, Compare
from ._question import Mistake, Question
from ._running import Wrong

CLOSE = 0.1  # grey levels that an input may be off: half precision is enough
STEADY = 1e-6  # how far a score may move when it must not move at all
SIGNAL = 0.75  # AUC that honest scores must reach where there is something to learn
RATES = (5e-4, 0.2)  # learning rate of phase 2, as a share of the rate from scratch: from and to

# --- q1: the cut ----------------------------------------------------------------------------------


def _stages(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, str]]:
    """A split table, features by stage, and {role: stage}: one stage is by far the best on
    validation, another on test, a third has so many columns that any labels can be memorised;
    "early", one of the others, is so clear on train that a model of validation images does best
    there.
    """
    labels = ("normal", "covid", "viral")
    n = 270 + 3 * int(rng.integers(10))
    code, part = np.arange(n) % 3, np.repeat(["train", "val", "test"], n // 3)
    table = pd.DataFrame(
        {"image_id": fresh.names(rng, n), "label": pd.Categorical.from_codes(code, labels)}
    )
    table = table.assign(
        group=table["image_id"], patient=table["image_id"], source="here", fold=pd.NA
    )
    table["split"] = pd.Categorical(part, ["train", "val", "test"])
    truth = np.eye(3)[code]
    names = [f"stage{k}" for k in rng.choice(np.arange(1, 30), 4, replace=False)]
    roles = dict(
        zip([*rng.permutation(["wide", "for_val", "for_test"]), "weak"], names, strict=True)
    )
    early = rng.permutation(["weak", "for_test"])
    clear = dict(zip(early, (1.5, 0.6), strict=True))  # on train
    strength = {"wide": (0.1,) * 3, "weak": (clear["weak"], 0.5, 0.5)}
    strength |= {"for_val": (0.9, 1.9, 0.4), "for_test": (clear["for_test"], 0.4, 3.0)}
    features = {}
    for role, name in roles.items():
        own = np.array(strength[role])[:, None].repeat(n // 3, axis=0) * truth
        noise = rng.normal(size=(n, 400 if role == "wide" else 12))
        features[name] = np.hstack([1.5 * own + 0.6 * noise[:, :3], noise[:, 3:]]).astype(
            np.float32
        )
    order = rng.permutation(n)
    table = table.iloc[order].reset_index(drop=True)
    return (
        table,
        {name: values[order] for name, values in features.items()},
        roles | {"early": roles[early[0]]},
    )


def _parts_exchanged(table, features):
    names = {"train": "val", "val": "train", "test": "test"}
    turned = table.assign(split=pd.Categorical(table["split"].map(names), ["train", "val", "test"]))
    return _best(turned, features, "val")


def _studies(rng: np.random.Generator) -> list[Case]:
    """Three studies: the right stage at three places, either of the others clear on train once."""
    return fresh.until(lambda: [_study(rng) for _ in range(3)], _all_places)


def _study(rng: np.random.Generator) -> Case:
    table, features, roles = _stages(rng)
    return Case((table, features), roles["for_val"], roles)


def _all_places(cases: list[Case]) -> bool:
    places = {list(case.given[1]).index(case.right) for case in cases}
    roles = [case.note for case in cases]
    early = {role for r in roles for role in ("weak", "for_test") if r[role] == r["early"]}
    return len(places) == 3 and len(early) == 2


def _reached(stages: list[str], cases: list[Case]) -> dict:
    stage, case = next((s, c) for s, c in zip(stages, cases, strict=True) if s != c.right)
    table, features = case.given
    return {"stage": stage} | _accuracies(table, features[stage])


def _why_not_stage(stage: str, case: Case) -> str:
    table, features = case.given
    reached = _accuracies(table, features[stage])["val"]
    return (
        f"Fitted on train, {stage} reaches {reached:.2f} on validation, and another stage far "
        "more. Fit on the rows of train alone, and compare on validation alone."
    )


q1 = Compare(
    "choose_cut",
    title="Choose the cut",
    points=2,
    wants="choose_cut(table, features) returns the name of one stage, a key of features",
    hints=(
        "Each stage needs its own model. On which rows is it fitted, and on which rows is it "
        "compared?",
        "transfer.logistic(table, values, score=..., c=0.01) fits on train and scores the part "
        "that you name.",
        "Three parts, three uses: fit on train, choose on val, and use test once, when everything "
        "has been chosen.",
    ),
    data=lambda rng: _stages(rng)[:2],
    mistakes={
        "on_test": Mistake(
            lambda table, features: _best(table, features, "test"),
            "{stage} is the best on the *test* images ({test:.2f}), not on validation "
            "({val:.2f}). Once it has been used for a choice, the test accuracy is too optimistic "
            "and no longer a measurement. Choose on validation.",
        ),
        "where_it_was_fitted": Mistake(
            lambda table, features: _best(table, features, "train"),
            "{stage} is the best on the images that the model was *fitted* on ({train:.2f}); on "
            "validation it has {val:.2f}. It has so many features that it can memorise any "
            "labels. Compare on images that were not used for fitting.",
        ),
        "parts_exchanged": Mistake(
            _parts_exchanged,
            "{stage} is best where validation and train are exchanged: fitted on validation, "
            "scored on train. Fitted on train, it reaches {val:.2f} on validation, and another "
            "stage far more. Fit on train, compare on validation.",
        ),
        "the_last": Mistake(
            lambda table, features: list(features)[-1],
            "{stage} is the last stage, the default of most recipes. On validation it reaches "
            "{val:.2f} here, and another stage far more. The last stages are specialised in "
            "photographs; validation shows which stage suits your images.",
        ),
    },
    cases=_studies,
    read=lambda value, case: expect.choice(
        value, list(case.given[1]), "choose_cut(table, features)"
    ),
    places=_reached,
    explain=_why_not_stage,
)


def _accuracies(table: pd.DataFrame, values: np.ndarray) -> dict[str, float]:
    """Share of right answers on each part of a model fitted on train."""
    return {part: _accuracy(table, values, part) for part in ("train", "val", "test")}


def _accuracy(table: pd.DataFrame, values: np.ndarray, part: str) -> float:
    found = transfer.logistic(table, values, score=part, c=0.01)
    return float((found["predicted"] == found["label"]).mean())


def _best(table, features, part: str) -> str:
    return max(features, key=lambda stage: _accuracy(table, features[stage], part))


@q1.edges
def _(right):
    yield "capital letters", lambda t, f: right(t, f).upper(), True
    yield "the first stage", lambda t, f: next(s for s in f if s != right(t, f)), False


# --- q2: the input --------------------------------------------------------------------------------


def _cards(rng: np.random.Generator) -> list[tuple[np.ndarray, dict]]:
    """Grey levels and the card of a backbone, in random order: some that do not scale their input,
    and some that do.
    """
    near = lambda: int(rng.integers(100, 140))  # noqa: E731
    kinds = [
        (near(), near(), False),
        (near(), 1, False),
        (0, 255, False),
        (near(), near(), True),
        (0, 255, True),
    ]
    cards = []
    for offset, scale, inside in [kinds[k] for k in rng.permutation(len(kinds))]:
        grey = rng.integers(0, 256, (int(rng.integers(2, 6)), 6, 6), dtype=np.uint8)
        cards.append((grey, {"offset": offset, "scale": scale, "scales_itself": inside}))
    return cards


def _wrapped_around(grey, card):
    shifted = grey - np.uint8(0 if card["scales_itself"] else card["offset"])
    return _expected(shifted, card | {"offset": 0})


q2 = Question(
    "backbone_input",
    title="What goes in?",
    points=2,
    wants=(
        "backbone_input(grey, card) returns an array (n, side, side, 3), the three channels alike"
    ),
    hints=(
        "The card says two things: which input the weights were trained on, and who does the "
        "scaling.",
        "If the network scales in its first layer, what is left for you to scale?",
        "Check the type: what is 100 - 127 in uint8? Convert to float first.",
    ),
    data=lambda rng: _cards(rng)[0],
    mistakes={
        "scaled_twice": Mistake(
            lambda grey, card: _expected(grey, card | {"scales_itself": False}),
            "The input was scaled twice: once by you, and again by a network that scales its own "
            "input. All images then look nearly the same to it. No error is raised; only the "
            "accuracy drops. The card says who scales.",
        ),
        "zero_to_one": Mistake(
            lambda grey, card: _expected(grey, {"offset": 0, "scale": 255, "scales_itself": False}),
            "Everything was divided by 255. That is right for one kind of network only: weights "
            "trained on -1 to 1, or on grey levels minus a mean, get inputs in the wrong range. "
            "Use offset and scale from the card.",
        ),
        "never_scaled": Mistake(
            lambda grey, card: _expected(grey, card | {"scales_itself": True}),
            "Nothing was scaled. That is right if the network scales its own input; if it does "
            "not, the first layer gets values a hundred times too large. The card says which case "
            "it is.",
        ),
        "wrapped_around": Mistake(
            _wrapped_around,
            "The subtraction was done in uint8, which has no negative numbers: 100 - 127 gives "
            "229, so dark became bright. Convert first: grey.astype(float).",
        ),
    },
)


@q2.rule
def _(backbone_input, rng):
    cases = _cards(rng)
    given = [
        expect.array(backbone_input(*c), (*c[0].shape, 3), "backbone_input(grey, card)")
        for c in cases
    ]
    wrong = [k for k, case in enumerate(cases) if not _close(given[k], _expected(*case), case[1])]
    for name, mistake in q2.mistakes.items() if wrong else ():
        if all(
            _close(g, mistake.answer(*case), case[1]) for g, case in zip(given, cases, strict=True)
        ):
            raise q2.caught(name)
    if wrong:
        (_, card), answer = cases[wrong[0]], given[wrong[0]]
        raise Wrong(
            f"For {card} your values run from {answer.min():.2f} to {answer.max():.2f}. Which "
            "range does the network expect?"
        )


def _close(a: np.ndarray, b: np.ndarray, card: dict) -> bool:
    return bool(np.abs(a - b).max() <= CLOSE / (1 if card["scales_itself"] else card["scale"]))


def _expected(grey: np.ndarray, card: dict) -> np.ndarray:
    offset, scale = (0, 1) if card["scales_itself"] else (card["offset"], card["scale"])
    return np.repeat(((grey.astype(float) - offset) / scale)[..., None], 3, axis=-1)


@q2.edges
def _(right):
    yield "float32", lambda g, c: np.asarray(right(g, c), np.float32), True
    yield "channels in front", lambda g, c: np.moveaxis(right(g, c), -1, 1), False


# --- q3: phase 2 ----------------------------------------------------------------------------------


def _phase(rng: np.random.Generator) -> tuple:
    """A small network after phase 1, all but its last layer frozen; the first stage to unfreeze; a
    learning rate.
    """
    with quiet():
        import keras

    x = inputs = keras.Input((8, 8, 1))
    for k in range(1, 5):
        x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"block{k}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"block{k}_norm")(x)
        x = keras.layers.Activation("tanh", name=f"block{k}_out")(x)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    network = keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="last")(x))
    for layer in network.layers:
        layer.trainable = layer.name == "last"
    return network, f"block{int(rng.integers(2, 5))}", float(rng.choice([1e-3, 3e-3, 1e-2]))


q3 = Question(
    "phase_2",
    title="Ready for phase 2",
    points=3,
    wants="phase_2(network, first, rate) returns two things: the network, and a learning rate",
    hints=(
        "Loop over network.layers: they are in the order in which the image passes through them. "
        "From which one on should they be trained?",
        "One kind of layer keeps its weights *and* its averages in every stage. isinstance tells "
        "its kind.",
        "The unfrozen weights are already good. A tenth to a thirtieth of the rate from scratch "
        "is usual.",
    ),
    data=_phase,
    mistakes={
        "norm_learns": Mistake(
            lambda network, first, rate: (_free(network, first, norms=True), rate / 10),
            "Batch normalisation was left trainable: {norms} of its layers changed in one step. "
            "In training it uses the statistics of the batch, in use stored averages that no "
            "longer fit the weights, so training looks fine and validation is bad. Keep these "
            "layers frozen in every stage.",
        ),
        "rate_from_scratch": Mistake(
            lambda network, first, rate: (_free(network, first, norms=False), rate),
            "The layers are right, but the learning rate {rate:g} is the one for training from "
            "scratch: it changes good weights too much in the first steps, and the loss jumps. "
            "Use a small fraction of it.",
        ),
    },
)


@q3.rule
def _(phase_2, rng):
    for stage in rng.permutation([2, 3, 4]):
        _judge_network(phase_2, f"block{stage}", rng)


def _judge_network(phase_2, first: str, rng: np.random.Generator) -> None:
    """Raise `Wrong` unless the answer is right where `first` is the first stage to be unfrozen."""
    import keras

    network, _, rate = _phase(rng)
    before = {layer.name: layer.get_weights() for layer in network.layers}
    result = phase_2(network, first, rate)
    if (
        not isinstance(result, (tuple, list))
        or len(result) != 2
        or not isinstance(result[0], keras.Model)
    ):
        raise Wrong(
            f"phase_2 should return the network and a learning rate, not {expect.kind(result)}."
        )
    network, chosen = result[0], expect.number(result[1], "the learning rate")
    if [layer.name for layer in network.layers] != list(before):
        raise Wrong(
            "This is another network: return the given one, with some of its layers unfrozen."
        )
    _judge_layers(_changed(network, before, rng), list(before), first)
    if abs(chosen / rate - 1) < 0.5:
        raise q3.caught("rate_from_scratch", rate=chosen)
    if not RATES[0] <= chosen / rate <= RATES[1]:
        raise Wrong(
            f"A learning rate of {chosen:g} does not suit phase 2 if {rate:g} is used from scratch."
        )


def _changed(network, before: dict, rng: np.random.Generator) -> set[str]:
    """Names of the layers that one step of training changes, in their weights or in their
    averages.
    """
    import keras

    network.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True)
    network.train_on_batch(rng.normal(size=(8, 8, 8, 1)), np.arange(8) % 3)
    pairs = {
        layer.name: zip(layer.get_weights(), before[layer.name], strict=True)
        for layer in network.layers
    }
    return {name for name, both in pairs.items() if any((a != b).any() for a, b in both)}


def _judge_layers(changed: set[str], names: list[str], first: str) -> None:
    """Raise `Wrong` unless exactly the convolutions from stage `first` on and the last layer were
    trained.
    """
    start = names.index(f"{first}_conv")
    norms = {name for name in changed if name.endswith("_norm")}
    early = {name for name in changed - norms if names.index(name) < start}
    missing = {name for name in names[start:] if name.endswith("_conv")} - changed
    if norms:
        raise q3.caught("norm_learns", norms=len(norms))
    if early:
        raise Wrong(
            f"{len(early)} layers before {first} are trained as well: keep everything before it "
            "frozen."
        )
    if "last" not in changed:
        raise Wrong(
            "The last layer is frozen now: it was made for your classes, and is still trained in "
            "phase 2."
        )
    if missing:
        raise Wrong(f"{sorted(missing)[0]} is frozen, but it is at or after {first}.")


def _free(network, first, norms: bool):
    """Everything from `first` on, with batch normalisation or without."""
    names = [layer.name for layer in network.layers]
    for layer in network.layers[names.index(f"{first}_conv") :]:
        layer.trainable = norms or not layer.name.endswith("_norm")
    return network


@q3.edges
def _(right):
    def with_rate(share):
        return lambda network, first, rate: (right(network, first, rate)[0], rate * share)

    yield "a thirtieth", with_rate(1 / 30), True
    yield "a fifth", with_rate(0.19), True
    yield "a third", with_rate(1 / 3), False
    yield "a millionth", with_rate(1e-6), False
    yield (
        "one stage too few",
        lambda network, first, rate: right(network, f"block{int(first[-1]) - 1}", rate),
        False,
    )


# --- q4: what may see the test images -------------------------------------------------------------

RANDOM = 3  # times as far as between equal calls: what a random answer may move
CHANCE = 0.65  # mean AUC on random labels, over so many sets, that no honest answer reaches
DRAWS = 6  # sets of random labels: how high the scores are tells a selection from a trained layer
STRENGTH = 2.0  # deviations between the labels, in ten columns, where there is something to learn
# AUC on random labels from which the model itself must have been fitted to the test rows
MEMORISED = 0.9


def _numbers(rng: np.random.Generator, strength: float = 0.0, n: int = 120, d: int = 300) -> tuple:
    """Features, labels and the training part: random, or with a signal of so many deviations in ten
    columns.
    """
    label = rng.permutation(n) % 2
    is_train = rng.permutation(n) < n // 2
    values = rng.normal(size=(n, d)) * rng.uniform(0.5, 20, d) + rng.uniform(-5, 5, d)
    values[:, :10] += strength * values[:, :10].std(axis=0) * label[:, None]
    return values[:, rng.permutation(d)], label, is_train


def _selected_on_all(values, label, is_train):
    scaler, selection, _, regression = _steps()
    return _fit(selection.fit_transform(values, label), label, is_train, scaler, regression)


def _fitted_on_all(values, label, is_train):
    scaler, *_, regression = _steps()
    return _fit(values, label, is_train, scaler, regression, on_all=True)


def _scaled_on_all(values, label, is_train):
    scaler, selection, _, regression = _steps()
    return _fit(scaler.fit_transform(values), label, is_train, selection, regression)


def _reduced_on_all(values, label, is_train):
    scaler, _, components, regression = _steps()
    return _fit(components.fit_transform(scaler.fit_transform(values)), label, is_train, regression)


q4 = Question(
    "test_scores",
    title="Nothing from the test",
    points=3,
    wants=(
        "test_scores(values, label, is_train) returns one number for each test row, in their order"
    ),
    hints=(
        "Three steps are fitted to data here: the scaler, the reduction, the regression. Which "
        "rows did each of them use?",
        "Split the rows before anything is fitted. Use fit on one part, transform and "
        "predict_proba on the other.",
        "make_pipeline(scaler, reduction, regression) is fitted by one call, on the rows that you "
        "give it.",
    ),
    data=lambda rng: _numbers(rng, 1.0),
    mistakes={
        "selected_on_all": Mistake(
            _selected_on_all,
            "On random labels, which nothing can predict, your scores reach an AUC of {auc:.2f}; "
            "the true value is 0.5. So it is where features are selected on *all* rows: those "
            "that fit the test labels by chance are kept. Select on the training rows only.",
        ),
        "fitted_on_all": Mistake(
            _fitted_on_all,
            "On random labels, which nothing can predict, your scores reach an AUC of {auc:.2f}, "
            "as where a model is fitted to *all* rows with their labels, including the test rows. "
            "Fine-tuning a backbone before the split has the same effect. Fit on the training "
            "rows only.",
        ),
        "scaled_on_all": Mistake(
            _scaled_on_all,
            "The scaler was fitted to all rows: the score of a test row changes when other test "
            "rows do. On random labels this leak hardly shows, but it is still one: future "
            "patients are not available for computing the mean. Take mean and deviation from the "
            "training rows.",
        ),
        "reduced_on_all": Mistake(
            _reduced_on_all,
            "The principal components were computed on all rows: the score of a test row changes "
            "when other test rows do. PCA uses no labels, but it is a fit all the same. Fit it on "
            "the training rows only.",
        ),
    },
)


@q4.rule
def _(test_scores, rng):
    values, label, is_train = case = _numbers(rng)
    scores, rows = _scores(test_scores, *case), np.flatnonzero(~is_train)
    if fixed := np.abs(scores - _scores(test_scores, *case)).max() <= STEADY:
        may_move = STEADY
    else:  # a generator of its own without a seed: what moves anyway is no sign of a leak
        may_move = RANDOM * np.ptp([_scores(test_scores, *case) for _ in range(4)], axis=0).max()
    other, moved = label.copy(), values.copy()
    other[rows] = 1 - label[rows]
    if not fixed or np.abs(scores - _scores(test_scores, values, other, is_train)).max() > STEADY:
        _judge_with_labels(test_scores, rng, fixed)
    half = len(rows) // 2
    moved[rows[:half]] = 3 * moved[rows[:half]] + 40
    if np.abs(scores - _scores(test_scores, moved, label, is_train))[half:].max() > may_move:
        _caught_without_labels(scores, case)
    values, label, is_train = case = _numbers(rng, STRENGTH)
    found = _auc(_scores(test_scores, *case), label[~is_train])
    if found < SIGNAL:
        raise Wrong(
            f"Nothing leaks, but nothing is learned either: AUC {found:.2f} on data where ten "
            "columns predict the label."
        )


def _scores(test_scores, values, label, is_train) -> np.ndarray:
    """What the answer gives; what it draws from NumPy's or Python's own generator, it draws alike
    in each call.
    """
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002 - what unseeded answers draw from
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    try:
        given = test_scores(values, label, is_train)
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])
    return expect.array(given, (int((~is_train).sum()),), "test_scores(values, label, is_train)")


def _auc(scores: np.ndarray, label: np.ndarray) -> float:
    wins = scores[label == 1][:, None] - scores[label == 0][None, :]
    return float((wins > 0).mean() + 0.5 * (wins == 0).mean())


def _judge_with_labels(test_scores, rng, fixed: bool) -> None:
    """Raise `Wrong` where random labels are predicted; and where an answer without chance changes
    with the labels.
    """
    cases = [_numbers(rng) for _ in range(DRAWS)]
    found = float(np.mean([_auc(_scores(test_scores, *case), case[1][~case[2]]) for case in cases]))
    if found > CHANCE:
        raise q4.caught("fitted_on_all" if found > MEMORISED else "selected_on_all", auc=found)
    if fixed:
        raise Wrong(
            "The scores change when the labels of the *test* rows are exchanged: some step uses "
            "them. Give labels of training rows only to whatever is fitted."
        )


def _caught_without_labels(scores: np.ndarray, case: tuple) -> None:
    for name in ("scaled_on_all", "reduced_on_all"):
        if np.allclose(scores, q4.mistakes[name].answer(*case), atol=1e-4):
            raise q4.caught(name)
    raise Wrong(
        "The score of a test row changes when *other* test rows change, as where a scaler or a "
        "reduction is fitted to them. Fit everything on the training rows alone."
    )


def _steps() -> tuple:
    from sklearn.decomposition import PCA
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    return (
        StandardScaler(),
        SelectKBest(f_classif, k=20),
        PCA(20, random_state=0),
        LogisticRegression(max_iter=1000),
    )


def _fit(values, label, is_train, *steps, on_all=False):
    from sklearn.pipeline import make_pipeline

    rows = is_train | on_all
    return (
        make_pipeline(*steps).fit(values[rows], label[rows]).predict_proba(values[~is_train])[:, 1]
    )


@q4.edges
def _(right):
    def components(values, label, is_train):
        scaler, _, pca, regression = _steps()
        return _fit(values, label, is_train, scaler, pca, regression)

    yield "PCA inside", components, True
    yield (
        "a list, ten times as large",
        lambda v, y, t: [10 * score for score in right(v, y, t)],
        True,
    )
    yield "a constant", lambda v, y, t: np.full((~t).sum(), 0.5), False
    yield "the wrong way round", lambda v, y, t: 1 - np.asarray(right(v, y, t)), False
