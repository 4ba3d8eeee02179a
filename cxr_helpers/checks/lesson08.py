"""Questions of lesson 08, transfer learning: a head on a frozen base, phase 2, curves, a search."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from ..console import quiet
from . import _networks, expect, fresh
from ._kinds import Case, Choice, Compare
from ._question import Mistake, Question
from ._running import Wrong

RATES = (5e-4, 0.2)  # learning rate of phase 2, as a share of the rate from scratch: from and to
SIDE = _networks.SIDE
CLASSES = 3  # of sketches: no haze, in one lung, in both
TRAIN, REST = 120, 240  # images to fit on, and others in the same array
AHEAD = 0.1  # of the baseline, in accuracy: a head that has learned is far above
EXACT = 2e-3  # of a log-odds, as a share: what a head can make of the base's numbers
TINY = 1e-36  # a probability above it has all its digits in 32 bits

# --- q1: a new head -------------------------------------------------------------------------------


def _base(rng: np.random.Generator):
    """A small network from (SIDE, SIDE, 3), -1 to 1, to 16 maps, with filters learned elsewhere.

    Its filters are principal components of patches of other sketches, stage by stage (Chan et al.
    2015, PCANet), and its batch normalisation holds their mean and variance.
    """
    keras = _networks.keras()
    layers = keras.layers
    h = inputs = keras.Input((SIDE, SIDE, 3))
    maps = _networks.sketches(rng, rng.integers(0, CLASSES, 200))[..., None] / 127.5 - 1
    weights = []
    for stage, (side, stride, filters, gamma) in enumerate([(5, 2, 6, 1.0), (3, 1, 16, 4.0)], 1):
        kernel, mean, variance, maps = _components(maps, side, stride, filters)
        h = layers.Conv2D(filters, side, stride, use_bias=False, name=f"stage{stage}_conv")(h)
        h = layers.BatchNormalization(name=f"stage{stage}_norm")(h)
        h = layers.ReLU(name=f"stage{stage}_out")(h)
        weights.append([np.repeat(kernel, 3, axis=2) / 3 if stage == 1 else kernel])
        weights.append([np.full(filters, gamma), np.zeros(filters), mean, variance])
    base = keras.Model(inputs, h, name="base")
    for layer, values in zip([x for x in base.layers if x.weights], weights, strict=True):
        layer.set_weights(values)
    return base


def _components(maps: np.ndarray, side: int, stride: int, filters: int) -> tuple:
    """Filters of the patches of maps, mean and variance of what they give, and the next maps."""
    views = np.lib.stride_tricks.sliding_window_view(maps, (side, side), axis=(1, 2))
    patches = views[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    flat = patches.reshape(*patches.shape[:3], -1)
    vectors = np.linalg.eigh(np.cov(flat.reshape(-1, flat.shape[-1]).T))[1][:, ::-1][:, :filters]
    found = flat @ vectors
    mean, variance = found.mean(axis=(0, 1, 2)), found.var(axis=(0, 1, 2))
    kernel = vectors.reshape(side, side, maps.shape[-1], filters)
    return kernel, mean, variance, np.maximum((found - mean) / np.sqrt(variance + 1e-3), 0)


def _project(rng: np.random.Generator, exchanged: int = 0) -> tuple:
    """A base, images (n, SIDE, SIDE), labels, and which of them are for training.

    `exchanged`: so many classes further the labels of all others are, so that a model shows whether
    it was fitted on them.
    """
    labels = rng.permutation(np.arange(TRAIN + REST) % CLASSES)
    images = _networks.sketches(rng, labels)
    is_train = rng.permutation(np.arange(len(labels)) < TRAIN)
    labels = np.where(is_train, labels, (labels + exchanged) % CLASSES)
    return _base(rng), images, labels, is_train


def _headed(base, images, labels, is_train, **changed):
    """A head as most students write it, or with one thing changed."""
    with_ = {"scale": 1 / 127.5, "offset": -1.0, "flat": False, "frozen": "all", "epochs": 1}
    with_ |= {"rows": is_train} | changed
    keras = _networks.keras()
    layers = keras.layers
    base.trainable = with_["frozen"] != "all"
    for layer in base.layers:
        is_norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = with_["frozen"] == "none" or (
            with_["frozen"] == "convolutions" and is_norm
        )
    inputs = keras.Input((SIDE, SIDE, 1))
    h = layers.Rescaling(with_["scale"], with_["offset"])(inputs)
    h = layers.Concatenate()([h, h, h])
    h = base(h, training=False) if with_["frozen"] != "convolutions" else base(h)
    h = layers.Flatten()(h) if with_["flat"] else layers.GlobalAveragePooling2D()(h)
    model = keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    if with_["epochs"]:
        rows, epochs = with_["rows"], with_["epochs"]
        model.fit(images[rows, ..., None], labels[rows], epochs=epochs, batch_size=16, verbose=0)
    return model


def _with(**changed) -> Callable:
    return lambda *project: _headed(*project, **changed)


q1 = Question(
    "new_head",
    title="A new head on a frozen base",
    points=5,
    wants="new_head(base, images, labels, is_train) returns one trained Keras model",
    hints=(
        "In this order: input (24, 24, 1), scaling, three equal channels, the base, one number for "
        "each map, the last layer. What of this learns?",
        "base.trainable = False before you compile; base(h, training=False) where you call it. "
        "Rescaling(1 / 127.5, offset=-1) makes -1 to 1 of 0 to 255.",
        'Concatenate()([h, h, h]), GlobalAveragePooling2D(), Dense(3, activation="softmax"); then '
        "compile, and fit on images[is_train][..., None] alone, until the loss hardly falls.",
    ),
    data=_project,
    trains=True,
    mistakes={
        "not_frozen": Mistake(
            _with(frozen="none"),
            "The weights of the base have changed: those of {changed}, by up to {by:.2g}. With few "
            "images the good weights are overwritten by the random gradients of a new head. Freeze "
            "the base before you compile.",
        ),
        "norm_learns": Mistake(
            _with(frozen="convolutions"),
            "The convolutions of the base are as they were, and its batch normalisation is not: "
            "{changed} changed by up to {by:.2g}. It was in training mode during fit. "
            "base.trainable = False keeps these layers, too.",
        ),
        "zero_to_one": Mistake(
            _with(scale=1 / 255, offset=0.0),
            "In your model the base gets values from 0 to 1, as a test with changed images shows. "
            "It was trained on -1 to 1. No error is raised, and a head still learns something from "
            "the wrong numbers. Scale as the base expects.",
        ),
        "never_scaled": Mistake(
            _with(scale=1.0, offset=0.0),
            "In your model the base gets grey levels from 0 to 255, as a test with changed images "
            "shows. It was trained on -1 to 1. Scale in the model, so that nobody who uses it can "
            "forget.",
        ),
        "flattened": Mistake(
            _with(flat=True),
            "The maps of the base were flattened: the head has {number:,} weights for "
            f"{TRAIN} images. One number for each map, its mean, leaves {{few}}.",
        ),
        "fitted_on_all": Mistake(
            _with(rows=slice(None), epochs=12),
            "In this check the labels outside the training part are false: each names another "
            "class, always in the same way. On new images your model says {share:.0%} as those "
            "labels do, and {right:.0%} right: it was fitted on them. Use images[is_train] and "
            "labels[is_train].",
        ),
        "not_trained": Mistake(
            _with(epochs=0),
            "Of new images {share:.0%} are right; a logistic regression on the mean grey level has "
            "{baseline:.0%}. Was the head trained, on grey levels from 0 to 255 of the training "
            "part, long enough, at a rate that moves it (0.01 to 0.03)? Look at the loss: "
            "model.fit(..., verbose=2).",
        ),
    },
)


@q1.rule
def _(new_head, rng):
    model, project, before = _built(new_head, rng, exchanged=1)
    base, images, labels, is_train = project
    truth = rng.permutation(np.arange(300) % CLASSES)
    new = _networks.sketches(rng, truth)
    p = _outputs(model, new)
    _judge_loss(model, rng)
    _judge_base(model, before)
    _judge_features(model, base, new, p)
    right, as_others = _share(p, truth), _share(p, truth + 1)
    if as_others > max(right, 0.4):  # by chance, or as the exchanged labels say: these once more
        model, *_ = _built(new_head, rng, exchanged=2)
        p_again = _outputs(model, new)
        if _share(p_again, truth + 2) > max(_share(p_again, truth), 0.4):
            raise q1.caught("fitted_on_all", share=as_others, right=right)
    baseline = _by_mean_grey(images[is_train], labels[is_train], new, truth)
    if right < baseline + AHEAD:
        raise q1.caught("not_trained", share=right, baseline=baseline)


def _built(new_head, rng: np.random.Generator, exchanged: int) -> tuple:
    """The answer's model, what it was given, and the weights of the base before."""
    project = _project(rng, exchanged)
    before = _weights(project[0])
    return _networks.asked(new_head, *project, misfit=lambda shape: None), project, before


def _outputs(model, new: np.ndarray) -> np.ndarray:
    """The probabilities of new images; raises `Wrong` where they are none."""
    p = _networks.outputs(model, new[..., None])
    if p.shape != (len(new), CLASSES):
        shape = " × ".join(map(str, p.shape))
        raise Wrong(f"The output of {len(new)} images has the shape {shape}, not {len(new)} × 3.")
    if not np.isfinite(p).all():
        raise Wrong("The output is NaN: training broke down. Look at scaling and learning rate.")
    if p.min() < 0 or np.abs(p.sum(axis=1) - 1).max() > 1e-3:
        raise Wrong(
            "These are no probabilities of three exclusive classes: the outputs of an image sum "
            f"to {p.sum(axis=1)[0]:.2f}. The last layer needs softmax."
        )
    return p


def _share(p: np.ndarray, classes: np.ndarray) -> float:
    return float((p.argmax(axis=1) == classes % CLASSES).mean())


def _by_mean_grey(seen, labels, new, truth) -> float:
    """Share of right answers of a logistic regression on the mean grey level."""
    from sklearn.linear_model import LogisticRegression

    grey = [images.mean(axis=(1, 2))[:, None] / 10.0 for images in (seen, new)]
    return float(LogisticRegression().fit(grey[0], labels).score(grey[1], truth))


def _weights(model) -> dict[str, list[np.ndarray]]:
    return {x.name: x.get_weights() for x in _networks.layers(model) if x.weights}


def _judge_loss(model, rng: np.random.Generator) -> None:
    """Raise `Wrong` unless the compiled loss is the cross-entropy of three classes."""
    y, some = np.arange(30) % CLASSES, rng.dirichlet([1, 1, 1], 30)
    value, wanted = _networks.loss_value(model, y, some, one_hot=True), _networks.entropy(y, some)
    if abs(value - wanted) > 1e-3 * (1 + wanted):
        raise Wrong(
            f"For some probabilities the compiled loss is {value:.3f}; their cross-entropy is "
            f"{wanted:.3f}. Which loss belongs to softmax and class numbers (lesson 06)? Without "
            "from_logits."
        )


def _judge_base(model, before: dict[str, list[np.ndarray]]) -> None:
    """Raise `Wrong` where weights or averages of the base are not as they were."""
    after = _weights(model)
    moved = {
        name: max(np.abs(a - b).max() for a, b in zip(after[name], values, strict=True))
        for name, values in before.items()
        if name in after and [a.shape for a in after[name]] == [b.shape for b in values]
    }
    changed = {name: by for name, by in moved.items() if by > 1e-6}
    if changed:
        told = {"changed": " and ".join(changed), "by": max(changed.values())}
        only_norms = all(name.endswith("_norm") for name in changed)
        raise q1.caught("norm_learns" if only_norms else "not_frozen", **told)


def _judge_features(model, base, new: np.ndarray, p: np.ndarray) -> None:
    """Raise `Wrong` unless the outputs are one dense layer on the mean of each map of the base."""
    inside = new[..., None] / 127.5 - 1  # what the base expects
    maps = _networks.outputs(base, np.repeat(inside, 3, axis=-1))
    features = maps.mean(axis=(1, 2))
    explained = _explained(p, features)
    if explained:
        return
    for name, times in {"zero_to_one": 255.0, "never_scaled": 1.0}.items():
        if _explained(_networks.outputs(model, times * inside), features):  # now the base gets it
            raise q1.caught(name)
    if any(type(layer).__name__ == "Flatten" for layer in _networks.layers(model)):
        number = CLASSES * (int(np.prod(maps.shape[1:])) + 1)
        raise q1.caught("flattened", number=number, few=CLASSES * (maps.shape[-1] + 1))
    if explained is None:
        return
    raise Wrong(
        "The outputs are not those of one dense layer on the mean of each map of the base, with "
        "inputs from -1 to 1. Follow an image: 0-255, -1 to 1, three equal channels, the base, the "
        "mean of each map, one dense layer with softmax, and nothing else that is on in prediction."
    )


def _explained(p: np.ndarray, features: np.ndarray) -> bool | None:
    """Whether probabilities are those of one dense layer with softmax on these features.

    None where they are too near to 0 and 1 to tell.
    """
    sure = (p > TINY).all(axis=1)
    if p.shape != (len(features), CLASSES) or sure.sum() < 3 * features.shape[1]:
        return None
    odds = np.log(p[sure, 1:] / p[sure, :1])
    scaled = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    inputs = np.column_stack([scaled, np.ones(len(features))])[sure]
    fitted = inputs @ np.linalg.lstsq(inputs, odds, rcond=None)[0]
    return bool(np.abs(fitted - odds).max() <= EXACT * (1 + np.abs(odds).max()))


@q1.edges
def _(right):
    yield "the model and its name", lambda *project: (_headed(*project), "head"), False


# --- q2: phase 2 ----------------------------------------------------------------------------------


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


q2 = Question(
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


@q2.rule
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
        raise q2.caught("rate_from_scratch", rate=chosen)
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
        raise q2.caught("norm_learns", norms=len(norms))
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


@q2.edges
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


# --- q3: read the curves --------------------------------------------------------------------------

GUESS = float(np.log(3))  # loss of a guess between three classes
EPOCHS = 12
CAUSES = ("sound", "batch norm", "rate", "input", "too long")
CHARTS = 6  # that one check asks about


def _runs(rng: np.random.Generator) -> Case:
    """Six runs under letters, a cause each and one of them twice: losses by epoch."""
    causes = rng.permutation([*CAUSES, rng.choice(CAUSES)])
    behind = dict(zip("ABCDEF", map(str, causes), strict=True))
    rows = []
    for letter, cause in behind.items():
        both = fresh.until(partial(_losses, rng, cause), _shows(cause))
        for epoch, (training, validation) in enumerate(zip(*both, strict=True), 1):
            rows.append((letter, epoch, round(training, 3), round(validation, 3)))
    table = pd.DataFrame(rows, columns=["run", "epoch", "training", "validation"])
    return Case((table,), behind)


def _losses(rng: np.random.Generator, cause: str) -> tuple[np.ndarray, np.ndarray]:
    """Loss on training and on validation images after each epoch: a course, and accidents."""
    epoch = np.arange(EPOCHS)
    speed, end = rng.uniform(0.25, 0.45), rng.uniform(0.3, 0.5)
    training: np.ndarray = end + (rng.uniform(0.95, 1.1) - end) * np.exp(-speed * epoch)
    validation: np.ndarray = training + rng.uniform(0.03, 0.1)
    if cause == "batch norm":
        validation = rng.uniform(1.3, 1.7) + rng.normal(0, 0.18, EPOCHS)
    if cause == "rate":
        leap = rng.uniform(0.9, 1.3) * np.exp(-rng.uniform(0.4, 0.7) * epoch)
        training = rng.uniform(0.9, 1.0) + leap
        validation = training + rng.normal(0.05, 0.05, EPOCHS)
    if cause == "input":
        training = GUESS - rng.uniform(0, 0.004) * epoch
        validation = training + rng.uniform(0, 0.02)
    if cause == "too long":
        training = 1.0 * np.exp(-rng.uniform(0.35, 0.5) * epoch) + 0.02
        turn = rng.uniform(3, 5)
        rise = rng.uniform(0.09, 0.14) * np.maximum(epoch - turn, 0)
        validation = np.maximum(training, 0.55) + 0.05 + rise
    noise = 0.003 if cause == "input" else 0.015
    return training + rng.normal(0, noise, EPOCHS), validation + rng.normal(0, noise, EPOCHS)


def _shows(cause: str) -> Callable[[tuple], bool]:
    """Whether the losses show their cause, with a margin to all others."""

    def shows(both: tuple[np.ndarray, np.ndarray]) -> bool:
        training, validation = both
        learned, kept, risen = training[-1] < 0.62, validation.min() < 0.75, validation[-1] > 1.1
        return {
            "sound": learned and validation[-1] < 0.7 and validation[-1] - validation.min() < 0.08,
            "batch norm": learned and validation.min() > 1.0,
            "rate": min(training[0], validation[0]) > 1.6 and training[-1] < 1.08,
            "input": abs(both - np.array(GUESS)).max() < 0.09,
            "too long": learned and kept and risen and training[0] < 1.1,
        }[cause]

    return shows


def _named(bad: Callable[[pd.DataFrame], str]) -> Callable:
    """A way of reading the runs, from one that names the cause of a single run."""
    return lambda runs: {str(letter): bad(run) for letter, run in runs.groupby("run")}


def _cause(run: pd.DataFrame) -> str:
    training, validation = run["training"].to_numpy(), run["validation"].to_numpy()
    if training.max() > 1.35:
        return "rate"
    if training.min() > 0.95:
        return "input"
    if validation.min() > 0.9:
        return "batch norm"
    return "too long" if validation[-1] > 0.9 else "sound"


def _exchanged(*pairs: tuple[str, str]) -> Callable:
    other = {**dict(pairs), **{b: a for a, b in pairs}}
    return _named(lambda run: other.get(_cause(run), _cause(run)))


def _renamed(**names: str) -> Callable:
    changed = {name.replace("_", " "): to.replace("_", " ") for name, to in names.items()}
    return _named(lambda run: changed.get(_cause(run), _cause(run)))


SIGNS = {
    "sound": "its validation loss falls with the training loss, and stays near it",
    "batch norm": "training falls while validation is no better than a guess from the first epoch",
    "rate": "the first epoch ends far above the loss of a guess, on the training images as well",
    "input": "neither loss leaves that of a guess",
    "too long": "validation falls at first, and turns up while training falls on",
}


def _why_not_named(said: dict[str, str], case: Case) -> str:
    letter = next(letter for letter in case.right if said[letter] != case.right[letter])
    return f"A run was called {said[letter]!r}, and {SIGNS[case.right[letter]]}. What does that?"


q3 = Compare(
    "what_happened",
    title="Read six runs",
    points=3,
    wants=(
        "what_happened(runs) returns a dict from each letter to "
        f"{', '.join(map(repr, CAUSES[:-1]))} or {CAUSES[-1]!r}"
    ),
    hints=(
        "Look at the first epoch and at the last: which run is above a guess at the start, which "
        "one never leaves it, and when do training and validation part?",
        "Two runs learn the training images and are bad on validation at the end. One of them was "
        "good in between, the other one never: lesson 08, Step 3.",
        'for letter, run in runs.groupby("run"): run["training"].max() finds one cause, '
        'run["training"].min() the next; then compare run["validation"].min() with its last value.',
    ),
    data=lambda rng: _runs(rng).given[0],
    cases=lambda rng: [_runs(rng) for _ in range(CHARTS)],
    read=lambda said, case: expect.choices(said, case.right, CAUSES, "what_happened(runs)"),
    explain=_why_not_named,
    mistakes={
        "norm_for_too_long": Mistake(
            _exchanged(("batch norm", "too long")),
            '"batch norm" and "too long" are exchanged. Who trains too long had a good validation '
            "loss in between; with batch normalisation in training mode it is bad from the first "
            "epoch on, since the averages that prediction uses never fit.",
        ),
        "all_too_long": Mistake(
            _renamed(batch_norm="too_long"),
            'Every run that is good on training and bad on validation was called "too long". In '
            "some of them validation was never good: stopping earlier would help nothing. Compare "
            "the lowest validation loss with a guess.",
        ),
        "rate_for_input": Mistake(
            _exchanged(("rate", "input")),
            '"rate" and "input" are exchanged. A rate that is too large throws the weights away: '
            "the first epoch ends above a guess. An input scaled twice looks the same for all "
            "images: the loss stays at that of a guess.",
        ),
        "all_input": Mistake(
            _renamed(rate="input"),
            'Every run that learns little was called "input". One begins far above the loss of a '
            "guess, 1.10: a network that sees nothing is not worse than a guess.",
        ),
        "training_alone": Mistake(
            _renamed(batch_norm="sound", too_long="sound"),
            'Every run whose training loss falls was called "sound". Two causes show in the '
            "validation loss alone.",
        ),
    },
)


@q3.edges
def _(right):
    yield (
        "capitals and blanks",
        lambda runs: {k.lower(): f" {said.upper()}" for k, said in right(runs).items()},
        True,
    )
    yield "a column of a table", lambda runs: pd.Series(right(runs)), True
    yield "always sound", lambda runs: dict.fromkeys("ABCDEF", "sound"), False
    yield "a list", lambda runs: list(right(runs).values()), False


# --- q4: which number may be reported -------------------------------------------------------------

TUNED, SELECTED = "base fine-tuned on them", "features selected by label"
DONE = {  # with all images, and how often: a rule that takes the frozen base for a leak is found
    "frozen base run over them": 0.4,
    "images resized": 0.1,
    "copies grouped": 0.1,
    TUNED: 0.2,
    SELECTED: 0.2,
}
INSIDE, VALIDATION, TEST = "cross-validation in train", "validation", "test"
ONCE, BEST, AGAIN = "test, opened once", "best score of the search", "test, best of several looks"


def _search(rng: np.random.Generator) -> dict:
    """How a team chose one of many settings, and what it reports."""
    tries = int(rng.integers(8, 60))
    return {
        "done with all images": str(rng.choice(list(DONE), p=list(DONE.values()))),
        "settings tried": tries,
        "chosen on": str(rng.choice([INSIDE, VALIDATION, TEST])),
        "reported": str(rng.choice([ONCE, BEST, AGAIN])),
        "accuracy": round(float(rng.uniform(0.74, 0.93)), 2),
    }


q4 = Choice(
    "reportable",
    title="Which number may be reported?",
    points=2,
    wants="reportable(searches) returns the letter of one search",
    hints=(
        "For each search ask: which images had a part in a choice, and are they those of the "
        "number that is reported?",
        "Running a frozen network over all images fits nothing. What, in the first column, is "
        "fitted to images and labels?",
        "Three conditions, one for each of three columns; searches.index[condition][0] is a "
        "letter, & joins conditions, each in brackets.",
    ),
    row=_search,
    why_not={
        "tuned_on_all": (
            lambda s: s["done with all images"] == TUNED,
            "The base was fine-tuned on all images before the split: it has learned the labels of "
            "the test images. Fine-tune inside the training part.",
        ),
        "selected_on_all": (
            lambda s: s["done with all images"] == SELECTED,
            "The features were selected with the labels of all images, those of the test as well. "
            "What fits them by chance was kept. Select inside the training part.",
        ),
        "chosen_on_test": (
            lambda s: s["chosen on"] == TEST,
            "The setting was chosen on the test images. Their accuracy is that of the best of many "
            "tries, and no measurement of it any more.",
        ),
        "best_of_validation": (
            lambda s: s["reported"] == BEST,
            "The number is the best of many on the images on which it was chosen: too high, by "
            "luck. Those images are used up; the test is there for the setting that was chosen.",
        ),
        "looked_again": (
            lambda s: s["reported"] == AGAIN,
            "The test was opened several times, and the best look reported. Each look after the "
            "first is a choice by the test.",
        ),
    },
)
