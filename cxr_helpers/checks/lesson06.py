"""Questions of lesson 06: which network, the last layer and its loss, a CNN, five sets of maps."""

import warnings

import numpy as np

from . import _networks, expect, fresh
from ._kinds import Choice
from ._networks import keras as _keras
from ._panels import Panels
from ._question import Mistake, Question
from ._running import NotAttempted, Wrong

SURE = 1e-5  # a probability nearer to 0 or 1 tells its logit only roughly; Keras counts in 32 bits
# how far a loss may be from the cross-entropy, as a share of it; Keras counts in 32 bits
CLOSE = 1e-3
LEARNED = 0.6  # share of right answers from which on a CNN has learned; a guess has 0.33
MOST = 20_000  # parameters of a CNN for 180 images


# --- q1: which network to train -------------------------------------------------------------------

PIXELS, FINDING = 64, 20  # side of an image, and of what tells the classes apart
BEFORE = {"flatten, Dense(64)": True, "mean of each map": False}  # the last layer


def _network(rng: np.random.Generator) -> dict:
    """A network as a project describes it, with what follows from its layers."""
    rounds, kernel = int(rng.integers(2, 5)), int(rng.choice([3, 5]))
    row, units = str(rng.choice(list(BEFORE))), int(rng.choice([1, 3, 3, 3]))
    side, sees, step, channels, shared = PIXELS, 1, 1, 1, 0
    for filters in int(rng.choice([8, 12, 16])) * 2 ** np.arange(rounds):
        shared += int((kernel**2 * channels + 1) * filters)
        channels, side = int(filters), side // 2
        sees, step = sees + (kernel - 1) * step + step, 2 * step  # a convolution, then pooling
    dense = (side**2 * channels + 1) * 64 + 65 * units if BEFORE[row] else (channels + 1) * units
    last = "sigmoid" if units == 3 and rng.random() < 0.5 else "softmax"
    return {
        "convolutions, each with pooling": f"{rounds} of {kernel}×{kernel}",
        "their activation": str(rng.choice(["relu", "relu", "none"])),
        "then": str(row),
        "last layer": f"Dense({units}), {last}",
        "parameters": shared + dense,
        "% in dense layers": round(100 * dense / (shared + dense)),
        "a unit sees": sees,
    }


q1 = Choice(
    "network_to_train",
    title="Which network would you train?",
    points=1,
    wants="network_to_train(networks) returns the letter of one network",
    hints=(
        "Leave the number of parameters aside. For each network ask: can it see the finding? Does "
        "it use the same weights at every place? Does its last layer fit the question?",
        "Four conditions: what a unit sees, where the parameters are, the activation between the "
        "convolutions, and the last layer.",
        "networks.index[condition][0] is a letter; & joins conditions, each in brackets.",
    ),
    row=lambda rng: fresh.until(
        lambda: _network(rng), lambda network: abs(network["% in dense layers"] - 50) > 15
    ),
    why_not={
        "near_sighted": (
            lambda network: network["a unit sees"] < FINDING,
            "A unit of the last map sees fewer pixels than the finding has: no unit ever sees a "
            "whole one. More rounds of convolution and pooling, or larger kernels, widen its view.",
        ),
        "dense_holds_most": (
            lambda network: network["% in dense layers"] > 50,
            "Most parameters are in the dense layer behind flatten. It has weights of its "
            "own for each place, so a finding that is learned at one place is not known at "
            "another: what convolution avoids. Take the mean of each map.",
        ),
        "no_activation": (
            lambda network: network["their activation"] == "none",
            "Nothing stands between the convolutions but pooling. A convolution of a convolution "
            "is a convolution: without an activation a second layer adds hardly anything.",
        ),
        "softmax_of_one": (
            lambda network: network["last layer"] == "Dense(1), softmax",
            "Softmax of a single unit is always 1. Three classes, of which exactly one is true, "
            "need three units.",
        ),
        "sigmoid_of_three": (
            lambda network: network["last layer"] == "Dense(3), sigmoid",
            "Three sigmoids answer three separate questions, and their sum may be anything. "
            "Exactly one class is true here: the three shares must sum to 1.",
        ),
    },
)


# --- q2: the last layer and its loss --------------------------------------------------------------

UNITS = {"ill": (1, 2), "kind": (4,), "findings": (5,), "raw": (4,)}


def _labels(rng: np.random.Generator, n: int = 24) -> dict[str, np.ndarray]:
    """Labels of each task in the form in which the training gets them."""
    kind = rng.permutation(np.arange(n) % 4)
    return {
        "ill": rng.permutation(np.arange(n) % 2),
        "kind": kind,
        "findings": (rng.random((n, 5)) < 0.3).astype("float32"),
        "raw": np.eye(4, dtype="float32")[rng.permutation(kind)],
    }


q2 = Question(
    "last_layer",
    title="The last layer and its loss",
    points=4,
    wants="last_layer(task) returns two things, a Keras layer and a Keras loss",
    hints=(
        "Two questions for each task: can more than one class be true for one image? And in which "
        "form are the labels?",
        "Softmax gives probabilities that sum to 1, sigmoid independent ones. Sparse is for "
        "labels that are class numbers.",
        'For "raw" the layer has no activation. So the loss has to apply softmax: which of its '
        "arguments says so?",
    ),
    data=_labels,
    mistakes={
        "softmax_of_one": Mistake(
            lambda task: _pair(task, "ill", 1, "softmax", "BinaryCrossentropy"),
            "ill: softmax of a single unit. Softmax makes its outputs sum to 1, so a single "
            "output is always 1: every image is called ill, the gradient is 0, and nothing is "
            "learned, without any error. Choose an activation for a single probability.",
        ),
        "sigmoid_with_categorical": Mistake(
            lambda task: _pair(task, "kind", 4, "sigmoid", "SparseCategoricalCrossentropy"),
            "{task}: sigmoid outputs, where exactly one class is true. The outputs of one image "
            "sum to as much as {total:.2f}. A categorical loss normalises them and raises no "
            "error, but they are not probabilities of exclusive classes. Choose an activation "
            "whose outputs sum to 1.",
        ),
        "logits_announced": Mistake(
            lambda task: _pair(
                task, "kind", 4, "softmax", "SparseCategoricalCrossentropy", from_logits=True
            ),
            "{task}: the layer gives probabilities, but the loss was told to expect logits and "
            "applies its activation to them once more: for these probabilities even a perfect "
            "answer has a loss far above zero. (During fit some versions of Keras notice this and "
            "only warn; do not rely on it.) Layer and loss must agree on what is passed between "
            "them.",
        ),
        "logits_unannounced": Mistake(
            lambda task: _pair(task, "raw", 4, None, "CategoricalCrossentropy"),
            "raw: the layer gives logits, but the loss takes them for probabilities, which is its "
            "default. A right answer with a negative logit in the wrong place may then cost 16. "
            "Tell the loss what it gets.",
        ),
        "shares_for_raw": Mistake(
            lambda task: _pair(task, "raw", 4, "softmax", "CategoricalCrossentropy"),
            "raw: these are probabilities. The exported file applies softmax itself, so softmax "
            "would be applied twice in use, and no class could get more than 0.48. Return logits.",
        ),
        "softmax_for_findings": Mistake(
            lambda task: _pair(task, "findings", 5, "softmax", "BinaryCrossentropy"),
            "findings: softmax makes the five outputs sum to 1. With two findings, at least one "
            "gets no more than 0.5, and an image without findings still has to name one. Findings "
            "are independent: give each its own probability.",
        ),
        "categorical_for_findings": Mistake(
            lambda task: _pair(task, "findings", 5, "sigmoid", "CategoricalCrossentropy"),
            "findings: a categorical loss looks only at the findings that are present. An image "
            "without any costs nothing, whatever the network answers. Each finding is a yes-or-no "
            "question of its own; choose the loss for that.",
        ),
        "one_hot_loss": Mistake(
            lambda task: _pair(task, "kind", 4, "softmax", "CategoricalCrossentropy"),
            "kind: this loss needs one-hot labels such as 0 1 0 0. These labels are class "
            "numbers, 0 to 3; use the loss made for them.",
        ),
    },
)


@q2.rule
def _(last_layer, rng):
    labels, features = _labels(rng), (2 * rng.normal(size=(24, 8))).astype("float32")
    open_, layers = [], []
    for task in UNITS:
        try:
            result = last_layer(task)
        except NotAttempted:
            open_.append(task)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's own warning would tell half of the story
            _judge(task, labels[task], *_outputs(task, result, features))
            again = last_layer(task)
            _outputs(task, again, features)
            _judge_layers(task, features, layers, result[0], again[0])
    if len(open_) == len(UNITS):
        raise NotAttempted(f"last_layer returns (None, None) for every task. Expected: {q2.wants}.")
    if open_:
        raise Wrong(f"These answers are right so far. Still open: {', '.join(open_)}.")


def _outputs(task: str, result, features) -> tuple:
    """What the layer makes of some features, and the loss as a function."""
    if (
        not isinstance(result, (tuple, list))
        or len(result) != 2
        or any(r is None or type(r) is type for r in result)
    ):
        raise Wrong(
            f"{task}: return two things, a layer and a loss, both created: Dense(...), not Dense."
        )
    output = np.asarray(result[0](features), float)
    return expect.array(
        output, (len(features), -1), f"{task}: the layer's output"
    ), _keras().losses.get(result[1])


def _judge(task: str, labels, output: np.ndarray, loss) -> None:
    """Raise `Wrong` unless the output says what the task asks for, and the loss is its
    cross-entropy.
    """
    if output.shape[1] not in UNITS[task]:
        raise Wrong(
            f"{task}: the layer's number of units is {output.shape[1]}; this task needs "
            f"{UNITS[task][0]}."
        )
    proper = bool((output >= 0).all() and (output <= 1).all())
    shares = proper and bool(np.allclose(output.sum(axis=1), 1, atol=1e-4))
    _judge_output(task, output, proper, shares)
    column = labels[:, None] if task == "ill" else labels  # as `fit` passes them on
    try:
        value = float(np.mean(np.asarray(loss(column, output.astype("float32")))))
    except Exception as error:
        if task == "kind" and "categorical" in str(
            getattr(loss, "name", getattr(loss, "__name__", ""))
        ):
            raise q2.caught("one_hot_loss") from error
        raise Wrong(
            f"{task}: this loss cannot be computed for labels such as {labels[0]} and these "
            "outputs."
        ) from error
    wanted = _entropy(task, labels, _softmax(output) if task == "raw" else output)
    if abs(value - wanted) <= CLOSE * wanted:
        return
    if (
        labels.ndim == 2
        and abs(value - float(_keras().losses.CategoricalCrossentropy()(labels, output))) < CLOSE
    ):
        raise q2.caught("logits_unannounced" if task == "raw" else "categorical_for_findings")
    again = _softmax(output) if shares else 1 / (1 + np.exp(-output))
    if abs(value - _entropy(task, labels, again)) <= CLOSE * wanted:
        raise q2.caught("logits_announced", task=task)
    raise Wrong(
        f"{task}: for some outputs the loss is {value:.3f}, but their cross-entropy is "
        f"{wanted:.3f}."
    )


def _judge_layers(task: str, features, known: list, *new) -> None:
    """Raise `Wrong` unless the new layers, all called, can be trained, are linear before their
    activation, and share no weights with one another or the known ones, to which they are added.
    """
    for layer in new:
        if not getattr(layer, "trainable_weights", []):
            raise Wrong(
                f"{task}: the layer has no weights that training can change (trainable=False), or "
                "none at all."
            )
        if any(a is b for a in layer.weights for other in known for b in other.weights):
            raise Wrong(
                f"{task}: two calls gave the same layer or the same weights. Create a new layer in "
                "each call."
            )
        known.append(layer)
    features = features / 4  # so that no probability is near 0 or 1
    output = np.asarray(new[0](features), float)
    sure: np.ndarray
    if task == "raw":
        score, sure = output, np.full(len(output), True)
    elif task == "kind" or output.shape[1] == 2:
        sure = output.min(axis=1) > SURE
        score = np.log(output[sure, 1:] / output[sure, :1])
    else:
        sure = np.all((output > SURE) & (output < 1 - SURE), axis=1)
        score = np.log(output[sure] / (1 - output[sure]))
    inputs = np.column_stack([features, np.ones(len(features))])
    fitted = inputs[sure] @ np.linalg.lstsq(inputs[sure], score, rcond=None)[0]
    if (~sure).sum() > len(sure) / 3 or abs(fitted - score).max() > 2e-3 * (1 + abs(score).max()):
        why = "sigmoid, or softmax, makes probabilities of logits"
        if task == "raw":
            why = "logits have none at all"
        raise Wrong(
            f"{task}: the layer's activation is not the one that belongs to this output: {why}."
        )


def _judge_output(task: str, output: np.ndarray, proper: bool, shares: bool) -> None:
    """Raise `Wrong` unless the output is of the kind that the task asks for."""
    if task == "ill" and output.shape[1] == 1 and (output == 1).all():
        raise q2.caught("softmax_of_one")
    if task == "findings" and shares:
        raise q2.caught("softmax_for_findings")
    if task == "raw" and shares:
        raise q2.caught("shares_for_raw")
    if task == "raw" and (output >= 0).all():
        raise Wrong(
            "raw: logits can be negative, but these outputs never are: the layer has an activation."
        )
    if task != "raw" and not proper:
        raise Wrong(
            f"{task}: these are not probabilities; they run from {output.min():.1f} to "
            f"{output.max():.1f}."
        )
    if (task == "kind" or output.shape[1] == 2) and not shares:
        raise q2.caught("sigmoid_with_categorical", task=task, total=output.sum(axis=1).max())


def _softmax(output: np.ndarray) -> np.ndarray:
    e = np.exp(output - output.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _entropy(task: str, labels: np.ndarray, p: np.ndarray) -> float:
    """Mean cross-entropy of probabilities for the labels of a task."""
    # as Keras does, which cuts no logits off
    p = p if task == "raw" else np.clip(p, 1e-7, 1 - 1e-7)
    if p.shape[1] in (2, 4):
        codes = labels.argmax(axis=1) if labels.ndim == 2 else labels
        return float(-np.log(p[np.arange(len(p)), codes]).mean())
    labels = labels.reshape(p.shape)
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))


def _pair(task: str, wanted: str, units: int, activation: str | None, loss: str, **settings):
    """A layer and a loss for one task; nothing for the others."""
    if task != wanted:
        return None, None
    return _keras().layers.Dense(units, activation=activation), getattr(_keras().losses, loss)(
        **settings
    )


@q2.edges
def _(right):
    def but(task, *pair, **settings):
        return lambda t: _pair(t, t, *pair, **settings) if t == task else right(t)

    def written_out(task):
        layer, loss = right(task)
        return layer, type(loss).from_config(loss.get_config())

    yield (
        "two units with softmax for ill",
        but("ill", 2, "softmax", "SparseCategoricalCrossentropy"),
        True,
    )
    yield (
        "losses by their names",
        lambda t: (right(t)[0], right(t)[1].name) if t != "raw" else right(t),
        True,
    )
    yield "every setting of the loss written out, from_logits too", written_out, True
    yield (
        "a linear layer for raw",
        but("raw", 4, "linear", "CategoricalCrossentropy", from_logits=True),
        True,
    )
    yield (
        "logits for kind",
        but("kind", 4, None, "SparseCategoricalCrossentropy", from_logits=True),
        False,
    )
    yield (
        "absolute logits",
        but("raw", 4, "relu", "CategoricalCrossentropy", from_logits=True),
        False,
    )
    yield "squared error", but("findings", 5, "sigmoid", "MeanSquaredError"), False
    yield "logits for ill", but("ill", 1, None, "BinaryCrossentropy", from_logits=True), False
    yield (
        "a sigmoid applied twice",
        but("ill", 1, "sigmoid", "BinaryCrossentropy", from_logits=True),
        False,
    )
    yield "one task still open", lambda t: (None, None) if t == "raw" else right(t), False


# --- q3: a CNN ------------------------------------------------------------------------------------


def _classes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and validation images (n, 24, 24, 1) of three classes, with class numbers."""
    y, y_val = (rng.permutation(np.arange(n) % 3) for n in (180, 60))
    images = [_networks.sketches(rng, labels)[..., None] for labels in (y, y_val)]
    return images[0], y, images[1], y_val


def _logits_for_nothing(x, y, x_val, y_val):
    loss = _keras().losses.SparseCategoricalCrossentropy(from_logits=True)
    return _cnn(x, y, loss=loss)


q3 = Question(
    "train_cnn",
    title="A network of your own",
    points=5,
    wants="train_cnn(x, y, x_val, y_val) returns one trained Keras model",
    hints=(
        "In this order: input, augmentation, scaling, two convolutions with pooling after "
        "each, one "
        "row of numbers, the last layer. Which layer makes a row of numbers of the maps?",
        "The last layer and the loss as in question 2: three exclusive classes, and labels "
        "that are "
        "class numbers.",
        "RandomTranslation(0.1, 0.1) as a layer is on during fit and off in predict, by itself: "
        "there is nothing to switch.",
    ),
    data=_classes,
    trains=True,
    mistakes={
        "maps_returned": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, row=False),
            "The outputs of an image have the shape {shape}: still a grid, with an answer at each "
            "place. Which layer, between the last pooling and the last Dense, makes one row of "
            "numbers of it?",
        ),
        "labels_not_one_hot": Mistake(
            lambda x, y, x_val, y_val: _cnn(
                x[:16], y[:16], loss="categorical_crossentropy", epochs=1
            ),
            "Keras could not compare the labels, one class number for each image, with three "
            "outputs: this loss wants labels one-hot. Choose the loss for class numbers, or make "
            "them one-hot with keras.utils.to_categorical.",
        ),
        "augmented_at_prediction": Mistake(
            lambda x, y, x_val, y_val: _networks.always_training(_cnn(x, y)),
            "The same images get other answers when they are asked again, or beside other images: "
            "something that belongs to training goes on in prediction. Keras turns augmentation "
            "and dropout off by itself; a class of your own must not call them with "
            "training=True.",
        ),
        "sigmoid_with_three": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, last="sigmoid"),
            "The three outputs of an image sum to as much as {total:.2f}: each has a sigmoid of "
            "its own, although exactly one class is true. Which activation gives shares that sum "
            "to 1?",
        ),
        "logits_for_shares": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, last=None),
            "The outputs run from {low:.1f} to {high:.1f}: these are logits, and probabilities "
            "were asked for. Give the last layer its activation.",
        ),
        "logits_for_nothing": Mistake(
            _logits_for_nothing,
            "The last layer gives probabilities, and the loss is told to expect logits "
            "(from_logits=True): softmax is applied twice. No error is raised; training is slow. "
            "Take one of the two away.",
        ),
        "loss_of_others": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, loss="binary_crossentropy"),
            "For some outputs the compiled loss is {value:.3f}; the cross-entropy of three "
            "exclusive classes is {wanted:.3f}. Which loss did question 2 ask for where exactly "
            "one class is true?",
        ),
        "dense_only": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, filters=()),
            "The model has {number} convolutions; two were asked for. A dense layer on all pixels "
            "has to learn each pattern anew at each place.",
        ),
        "too_large": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, filters=(64, 64)),
            "The model has {number:,} parameters; at most 20,000 were asked for, as there are 180 "
            "images. Look at model.summary(): which layer has most of them, and would pooling "
            "before it help?",
        ),
        "no_augmentation": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y, augment=False),
            "There is no augmentation in the model. Put RandomTranslation into it as a layer: "
            "Keras then shifts images in training only, and who gets the model gets it right.",
        ),
        "scaled_before_the_model": Mistake(
            lambda x, y, x_val, y_val: _cnn(x / 255, y, scale=False, epochs=15),
            "The network is right for images that are divided by 255, and not for those that it "
            "will be given. Make scaling a layer: Rescaling(1 / 255).",
        ),
        "not_trained": Mistake(
            lambda x, y, x_val, y_val: _cnn(x, y),
            "Of new images {share:.0%} are right; guessing gives 33 %. Was the model trained, on "
            "x and y, long enough, at a rate that moves it? Look at the loss: model.fit(..., "
            "verbose=2).",
        ),
    },
)


@q3.rule
def _(train_cnn, rng):
    model = _networks.asked(train_cnn, *_classes(rng), misfit=_misfit)
    y = rng.permutation(np.arange(240) % 3)
    new = _networks.sketches(rng, y)[..., None]
    p = _networks.outputs(model, new)
    if p.ndim > 2:
        _misfit(p.shape)
    if p.shape != (len(y), 3):
        shape = " × ".join(map(str, p.shape))
        raise Wrong(f"The output of {len(y)} images has the shape {shape}, not {len(y)} × 3.")
    if not np.isfinite(p).all():
        raise Wrong("The output is NaN: training broke down. Look at scaling and learning rate.")
    if np.abs(_networks.outputs(model, new[:20]) - p[:20]).max() > 1e-3:
        raise q3.caught("augmented_at_prediction")
    _judge_last(model, new, rng)
    _judge_built(model)
    if _right(_networks.outputs(model, new / 255), y) >= LEARNED:
        raise q3.caught("scaled_before_the_model")
    if _right(p, y) < LEARNED:
        raise q3.caught("not_trained", share=_right(p, y))


def _misfit(shape: tuple) -> None:
    """Say what is the matter where Keras could not compare outputs of a shape with the labels."""
    if len(shape) > 2:
        raise q3.caught("maps_returned", shape=" × ".join(map(str, shape)))
    if len(shape) == 2:
        raise q3.caught("labels_not_one_hot")


def _judge_last(model, new: np.ndarray, rng: np.random.Generator) -> None:
    """Raise `Wrong` unless the outputs are shares, and the loss is their cross-entropy."""
    wide = _networks.outputs(model, np.concatenate([new, 50.0 * new, -50.0 * new]))
    if np.abs(wide.sum(axis=1) - 1).max() > 1e-3 or wide.min() < 0:
        if wide.min() >= 0 and wide.max() <= 1:
            raise q3.caught("sigmoid_with_three", total=wide.sum(axis=1).max())
        raise q3.caught("logits_for_shares", low=wide.min(), high=wide.max())
    y, some = np.arange(30) % 3, rng.dirichlet([1, 1, 1], 30)
    value = _networks.loss_value(model, y, some, one_hot=True)
    wanted = _networks.entropy(y, some)
    if abs(value - wanted) > CLOSE * (1 + wanted):
        if abs(value - _networks.entropy(y, _softmax(some))) <= CLOSE * (1 + wanted):
            raise q3.caught("logits_for_nothing")
        raise q3.caught("loss_of_others", value=value, wanted=wanted)


def _judge_built(model) -> None:
    """Raise `Wrong` unless the model is a small CNN with an augmentation in it."""
    layers = _networks.layers(model)
    known = _keras().layers
    folded = [layer for layer in layers if isinstance(layer, (known.Conv2D, known.SeparableConv2D))]
    if len(folded) < 2:
        raise q3.caught("dense_only", number=len(folded))
    if (number := _networks.parameters(model)) > MOST:
        raise q3.caught("too_large", number=number)
    if not any(type(layer).__name__.startswith(("Random", "Aug")) for layer in layers):
        raise q3.caught("no_augmentation")


def _right(p: np.ndarray, y: np.ndarray) -> float:
    return float((p.argmax(axis=1) == y).mean())


def _cnn(x, y, **changed):
    """A CNN as most students write it, or with one thing changed."""
    with_ = {"last": "softmax", "loss": "sparse_categorical_crossentropy", "filters": (8, 16)}
    with_ |= {"scale": True, "row": True, "augment": True, "epochs": 0} | changed
    layers = _keras().layers
    h = inputs = _keras().Input((24, 24, 1))
    if with_["augment"]:
        h = layers.RandomTranslation(0.1, 0.1)(h)
    if with_["scale"]:
        h = layers.Rescaling(1 / 255)(h)
    for filters in with_["filters"]:
        h = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(h))
    if with_["row"]:
        h = layers.Flatten()(h)
    model = _keras().Model(inputs, layers.Dense(3, activation=with_["last"])(h))
    model.compile(_keras().optimizers.Adam(0.003), with_["loss"])
    if with_["epochs"]:
        model.fit(x, y, epochs=with_["epochs"], batch_size=16, verbose=0)
    return model


@q3.edges
def _(right):
    yield "the model and its name", lambda x, y, *_: (_cnn(x, y), "CNN"), False


# --- q4: feature maps -----------------------------------------------------------------------------

SOUND, TWICE, LINEAR = "sound", "scaled twice", "no activation"
DEAD, ALIKE = "dead units", "equal filters"


def _maps(rng: np.random.Generator, what: str) -> tuple[np.ndarray]:
    """Maps (16, 16, 4) of one image behind the first convolution of a network with a fault."""
    inside = slice(_networks.EDGE, -_networks.EDGE)
    image = _networks.sketches(rng, rng.integers(0, 3, 1))[0, inside, inside] / 255
    image = image / 255 if what == TWICE else image
    places = np.lib.stride_tricks.sliding_window_view(image, (3, 3))

    def drawn() -> np.ndarray:
        kernels = rng.normal(0, rng.uniform(0.2, 0.5), (4, 3, 3))
        kernels -= 0.8 * kernels.mean(axis=(1, 2), keepdims=True)  # more of edges than of grey
        bias = rng.uniform(0.02, 0.2, 4) if what != DEAD else rng.uniform(-9, -5, 4)
        if what == ALIKE:
            kernels, bias = kernels[[0] * 4], bias[[0] * 4]
        scores = np.einsum("rcij,kij->rck", places, kernels) + bias
        return scores if what == LINEAR else np.maximum(scores, 0)

    def clear(maps: np.ndarray) -> bool:
        """Whether the maps show an image, and scores of either sign, or nothing of it."""
        if what in (TWICE, DEAD):
            return bool(np.ptp(maps, axis=(0, 1)).max() < 0.008)
        return bool(maps.std(axis=(0, 1)).min() > 0.03 and (maps <= 0).mean() > 0.05)

    return (fresh.until(drawn, clear),)


def _told(maps: np.ndarray) -> str:
    if maps.min() < 0:
        return LINEAR
    if maps.max() == 0:
        return DEAD
    if maps.std(axis=(0, 1)).max() < 0.01:
        return TWICE
    return ALIKE if np.ptp(maps, axis=2).max() == 0 else SOUND


q4 = Panels(
    "diagnose",
    title="Five networks, five sets of maps",
    points=2,
    wants="diagnose(maps) returns one of the five names",
    hints=(
        "First by eye: which panel shows no chest? Which has blue in it? In which are the four "
        "maps the same?",
        "Two panels are flat. What is left of an image that was divided by 255 twice, and what of "
        "the bias? What does ReLU leave of scores far below zero?",
        "maps.min(), maps.max(), maps.std(axis=(0, 1)) for each map, and maps[..., 0] beside "
        "maps[..., 1] tell the five apart. Ask for the surest sign first.",
    ),
    panel=_maps,
    signs={
        SOUND: "These maps show a chest, each something else of it, with nothing below zero.",
        TWICE: "These maps are flat, and not zero: the biases are there, and the image is not.",
        LINEAR: "These maps hold numbers below zero. What would ReLU have made of them?",
        DEAD: "These maps are zero at every place: all scores are below zero, whatever the image.",
        ALIKE: "These maps show a chest, and all four show the same of it.",
    },
    mistakes={
        "flat_is_dead": Mistake(
            lambda maps: DEAD if maps.std(axis=(0, 1)).max() < 0.01 else _told(maps),
            "Each panel whose maps are flat was called dead. In some of them the maps are not "
            "zero: the biases come through, and the image does not. What makes an image so faint?",
        ),
        "zeros_are_dead": Mistake(
            lambda maps: DEAD if (maps == 0).any() else _told(maps),
            "Each panel with a zero in it was called dead. ReLU makes zeros wherever a filter "
            "finds the opposite of what it looks for; dead means zero at every place of every map.",
        ),
        "faint_means_small": Mistake(
            lambda maps: SOUND if _told(maps) == TWICE else _told(maps),
            "No panel was called scaled twice. Its numbers need not be small, as each map has a "
            "bias. Look at how much a map changes from place to place.",
        ),
        "one_map": Mistake(
            lambda maps: SOUND if _told(maps) == ALIKE else _told(maps),
            "No panel was called equal filters. One map cannot show it: four filters that say the "
            "same are one filter. Compare the maps of a network with one another.",
        ),
    },
)
