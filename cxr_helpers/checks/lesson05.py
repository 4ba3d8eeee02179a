"""Questions of lesson 05: one step by hand, usable objectives, a network, six loss curves."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from . import _networks, expect
from ._kinds import Case, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

CLOSE = 1e-5  # how far a weight may be from the one that finite differences give
# a weight changed by no more than this leaves every step function of question 2 as it is
LITTLE = 0.01
LEARNED = 0.75  # AUC on new images from which on a network has learned; nearly 1 is usual
# Cross-entropy on new images from which on it has not: 0.69 is that of "always 0.5". Random weights
# rank one draw in five as well as trained ones, but they are not below this.
UNSURE = 0.67
SURE = 1e-4  # a probability nearer to 0 or 1 has lost the digits of its score


def _sigmoid(score):
    return 0.5 * (1 + np.tanh(score / 2))


def _entropy(p, y) -> float:
    """Mean cross-entropy of probabilities."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return float(np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p)))


# --- q1: one step ---------------------------------------------------------------------------------


def _half_trained(rng: np.random.Generator) -> tuple:
    """Arguments of a step: a neuron, images and labels, a batch of both classes, a rate."""
    n, pixels = int(rng.integers(14, 22)), int(rng.integers(4, 8))
    y = rng.permutation(np.arange(n) % 2).astype(float)
    batch = rng.permutation(
        [*rng.choice(np.flatnonzero(y), 4, False), *rng.choice(np.flatnonzero(1 - y), 2, False)]
    )
    x = rng.uniform(-0.5, 0.5, (n, pixels)) + 0.1 * y[:, None]
    return (
        rng.normal(size=pixels),
        float(rng.uniform(0.3, 0.8)),
        x,
        y,
        batch,
        float(rng.uniform(0.3, 0.8)),
    )


def _in_turn(weights, bias, x, y, batch, rate):
    weights = _go(weights, bias, x[batch], _errors(weights, bias, x[batch], y[batch]), rate)[0]
    return weights, bias - rate * _errors(weights, bias, x[batch], y[batch]).mean()


def _by_trying(weights, bias, x, y, batch, rate, size=1e-5) -> np.ndarray:
    """Weights and bias after the step, its gradient found by finite differences."""
    inputs, knobs = np.column_stack([x, np.ones(len(x))])[batch], np.append(weights, bias)
    at = lambda k: _entropy(_sigmoid(inputs @ k), y[batch])  # noqa: E731
    return knobs - rate * np.array(
        [(at(knobs + t) - at(knobs - t)) / (2 * size) for t in size * np.eye(len(knobs))]
    )


def _moved(result, case: Case) -> np.ndarray:
    """New weights and, last, the new bias."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong(f"step should return two things, weights and bias, not {expect.kind(result)}.")
    weights = expect.array(result[0], (len(case.right) - 1,), "the new weights")
    return np.append(weights, expect.number(result[1], "the bias"))


def _largest_miss(moved: np.ndarray, case: Case) -> str:
    off = int(np.argmax(np.abs(moved - case.right)))
    part = "the bias" if off == len(moved) - 1 else f"weight {off}"
    right = case.right[off]
    return f"In one case {part} became {moved[off]:.4f}; finite differences give {right:.4f}."


q1 = Compare(
    "step",
    title="One step",
    points=3,
    wants=(
        "step(weights, bias, x, y, batch, rate) returns two things, the new weights and the new "
        "bias"
    ),
    hints=(
        "Three lines: the probabilities of the batch, their errors, the update. Which of the "
        "arguments does each need?",
        "error = probability - label. The gradient of a weight is a mean over images. Over which "
        "ones? And what is the bias's input?",
        "First take the rows x[batch] and y[batch], and use only these. Both gradients come from "
        "the same errors; step in the opposite direction.",
    ),
    data=_half_trained,
    mistakes={
        "uphill": Mistake(
            lambda weights, bias, x, y, batch, rate: _go(
                weights, bias, x[batch], _errors(weights, bias, x[batch], y[batch]), -rate
            ),
            "The step goes uphill. The gradient points where the loss rises, so subtract rate "
            "times gradient.",
        ),
        "summed": Mistake(
            lambda weights, bias, x, y, batch, rate: _go(
                weights,
                bias,
                x[batch],
                _errors(weights, bias, x[batch], y[batch]),
                rate * len(batch),
            ),
            "The gradients of the images were added. The loss is a mean, and so is its gradient: "
            "divide by the number of images.",
        ),
        "divided_by_all": Mistake(
            lambda weights, bias, x, y, batch, rate: _go(
                weights,
                bias,
                x[batch],
                _errors(weights, bias, x[batch], y[batch]),
                rate * len(batch) / len(y),
            ),
            "The sum over the batch was divided by the number of all images. Divide by the number "
            "of images in the batch.",
        ),
        "all_rows": Mistake(
            lambda weights, bias, x, y, batch, rate: _go(
                weights, bias, x, _errors(weights, bias, x, y), rate
            ),
            "All images were used. This step may use only the rows in batch.",
        ),
        "no_sigmoid": Mistake(
            lambda weights, bias, x, y, batch, rate: _go(
                weights, bias, x[batch], x[batch] @ weights + bias - y[batch], rate
            ),
            "The error was computed from the score. It is probability minus label: apply the "
            "sigmoid first.",
        ),
        "accuracy_as_loss": Mistake(
            lambda weights, bias, x, y, batch, rate: _go(
                weights, bias, x[batch], (x[batch] @ weights + bias > 0) - y[batch], rate
            ),
            "The probability was rounded to 0 or 1 before the error was computed, which replaces "
            "the loss by the accuracy. Then an image that is just right contributes nothing, and "
            "one that is just wrong as much as one that is far off. Do not round.",
        ),
        "bias_left": Mistake(
            lambda weights, bias, x, y, batch, rate: (
                _go(weights, bias, x[batch], _errors(weights, bias, x[batch], y[batch]), rate)[0],
                bias,
            ),
            "The bias did not change. It is a weight like the others, with an input that is "
            "always 1, so it moves as well.",
        ),
        "in_turn": Mistake(
            _in_turn,
            "The weights were updated first, and the bias then by the errors of the new weights. "
            "A step uses one gradient: compute all errors before you update anything.",
        ),
    },
    cases=lambda rng: asked(_by_trying, [_half_trained(rng) for _ in range(3)]),
    read=_moved,
    same=expect.near(CLOSE),
    explain=_largest_miss,
)


def _errors(weights, bias, x, y):
    return _sigmoid(x @ weights + bias) - y


def _go(weights, bias, x, error, rate):
    """Move by the mean of error times input."""
    return weights - rate * x.T @ error / len(x), bias - rate * error.mean()


@q1.edges
def _(right):
    yield (
        "a list, the bias an array of one",
        lambda *c: [right(*c)[0].tolist(), np.array([right(*c)[1]])],
        True,
    )
    yield "in 32 bits", lambda *c: tuple(np.float32(part) for part in right(*c)), True
    yield "three digits only", lambda *c: tuple(np.round(part, 3) for part in right(*c)), False
    yield "weights in a column", lambda *c: (right(*c)[0][:, None], right(*c)[1]), False


# --- q2: what gradient descent can use ------------------------------------------------------------


def _objectives(
    rng: np.random.Generator, live: tuple[int, ...] = (1, 2, 3, 4, 5)
) -> tuple[np.ndarray, dict[str, Callable], list[bool]]:
    """Weights to start from, objectives by name, and for each whether it has a slope there.

    A change of one weight by `LITTLE` takes none of the 40 images over a threshold. All pixels but
    those that are `live` are mid grey in all images, so that their weights have no effect.
    """
    weights, x = rng.choice([-1, 1], 6) * rng.uniform(1, 2, 6), rng.uniform(-0.5, 0.5, (4000, 6))
    x = x * np.isin(np.arange(6), live)
    far = (np.abs(x @ weights) > 0.05) & (np.abs(_sigmoid(x @ weights) * 10 % 1 - 0.5) > 0.1)
    x, score = x[far][:40], (x @ weights)[far][:40]
    y = (score + rng.normal(size=40) > 0).astype(float)
    y[[score.argmin(), score.argmax()]] = 1, 0  # both classes, and nothing is perfect
    p = lambda w: _sigmoid(x @ w)  # noqa: E731
    found = [
        ("accuracy", lambda w: float(np.mean((p(w) > 0.5) == y)), False),
        ("cross-entropy", lambda w: _entropy(p(w), y), True),
        ("number of errors", lambda w: int(np.sum((p(w) > 0.5) != y)), False),
        ("mean squared error", lambda w: float(np.mean((p(w) - y) ** 2)), True),
        ("sensitivity", lambda w: float(np.mean(p(w)[y == 1] > 0.5)), False),
        ("mean distance to the label", lambda w: float(np.mean(np.abs(p(w) - y))), True),
        (
            "cross-entropy of rounded probabilities",
            lambda w: _entropy(np.clip(p(w).round(1), 0.05, 0.95), y),
            False,
        ),
        ("number of images", lambda w: len(y), False),
    ]
    found = [found[i] for i in rng.permutation(len(found))]
    return weights, {what: f for what, f, _ in found}, [slope for *_, slope in found]


def _all_objectives(rng: np.random.Generator) -> list[Case]:
    """All objectives where all weights but one count, and where one alone does; shuffled."""
    lives = [(1, 2, 3, 4, 5), *((int(k),) for k in rng.permutation(np.arange(1, 6)))]
    cases = [
        Case((objective, weights), slope, what)
        for weights, objectives, slopes in (_objectives(rng, live) for live in lives)
        for (what, objective), slope in zip(objectives.items(), slopes, strict=True)
    ]
    return [cases[k] for k in rng.permutation(len(cases))]


def _why_not_descend(said: bool, case: Case) -> str:
    if case.right:
        return (
            f"The answer for the {case.note} was False; but it does change when one of the "
            "weights changes by 0.0001. Which of them has an effect differs from case to case."
        )
    return (
        f"The answer for the {case.note} was True; but it is constant as long as no weight "
        f"changes by more than {LITTLE}, and jumps only when an image crosses the threshold. "
        "Gradient descent needs a slope at the current weights."
    )


q2 = Compare(
    "can_descend",
    title="What can gradient descent use?",
    points=2,
    wants=(
        "can_descend(objective, weights) returns True if a small change of some weight changes "
        "it, else False"
    ),
    hints=(
        "Lesson 05 found a gradient without a formula. How?",
        "Change one weight at a time, slightly, and compare. How large is the change at which an "
        "image crosses 0.5, and how small a change is enough for a smooth curve?",
        "Compare objective(changed) with objective(weights), where one weight of changed is "
        "larger by 0.0001. One weight with an effect is enough.",
    ),
    data=lambda rng: _objectives(rng)[:2],
    mistakes={
        "turned_too_far": Mistake(
            lambda objective, weights: any(_answers(objective, weights, 1.0)),
            "The accuracy was accepted: the change was so large that images crossed the "
            "threshold, and a jump was taken for a slope. Near these weights the accuracy is "
            "constant, so its gradient is 0 and a step goes nowhere. Use a smaller change, such "
            "as 0.0001.",
        ),
        "any_number": Mistake(
            lambda objective, weights: objective(weights) >= 0,
            "Every objective was accepted, even the accuracy and the number of images. A number "
            "that says how good a model is need not say in which direction it improves: report "
            "the accuracy, but minimise a loss. Test for a slope.",
        ),
        "first_weight_only": Mistake(
            lambda objective, weights: _answers(objective, weights, 1e-4)[0],
            "No slope was found. If you changed the first weight only: its pixel is 0 after "
            "scaling in all these images; other weights do have an effect. If you compared with "
            "np.isclose or rounded: the differences are too small for that; use !=.",
        ),
    },
    cases=_all_objectives,
    read=lambda said, case: expect.truth(said, "can_descend(objective, weights)"),
    explain=_why_not_descend,
)


def _answers(objective, weights, size: float) -> list[bool]:
    """For each weight, whether the objective changes with it."""
    return [
        bool(objective(weights + turn) != objective(weights))
        for turn in size * np.eye(len(weights))
    ]


@q2.edges
def _(right):
    yield (
        "changed by as much as is safe, NumPy's bool",
        lambda f, w: np.any(_answers(f, w, LITTLE)),
        True,
    )
    yield "turned by 0.5", lambda f, w: any(_answers(f, w, 0.5)), False
    yield (
        "changed by so little that it is rounded away",
        lambda f, w: any(_answers(f, w, 1e-20)),
        False,
    )
    yield "0 and 1", lambda f, w: int(right(f, w)), False


# --- q3: a first network --------------------------------------------------------------------------


def _sketched(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and validation images with their labels; those of validation wear a mark."""
    y, y_val = (rng.permutation(np.arange(n) % 2) for n in (160, 80))
    return _networks.sketches(rng, y), y, _networks.sketches(rng, y_val), y_val


def _logits_announced(x, y, x_val, y_val):
    loss = _networks.keras().losses.BinaryCrossentropy(from_logits=True)
    return _network(x, y, loss=loss, fit=False)


q3 = Question(
    "first_network",
    title="Your first network",
    points=4,
    wants="first_network(x, y, x_val, y_val) returns one trained Keras model",
    hints=(
        "Three calls: keras.Sequential([...]), model.compile(optimizer, loss), "
        "model.fit(x, y, ...). "
        "Which layers does the text name, in which order?",
        "Rescaling(1 / 255), Flatten(), Dense(16, ...), Dense(1, ...): what are the two "
        "activations?",
        'compile("adam", "binary_crossentropy"), then fit on x and y; '
        "validation_data=(x_val, y_val) only watches.",
    ),
    data=_sketched,
    trains=True,
    mistakes={
        "flatten_missing": Mistake(
            lambda x, y, x_val, y_val: _network(x, y, bottom=_bottom(flat=False), fit=False),
            "The output has {shape}. A Dense layer works along the last axis only, here each row "
            "of the image by itself. Which layer makes one row of numbers of an image, and where "
            "does it belong?",
        ),
        "softmax_of_one": Mistake(
            lambda x, y, x_val, y_val: _network(x, y, last="softmax", fit=False),
            "All outputs are 1: softmax makes the outputs of an image sum to 1, and there is a "
            "single one. Nothing can be learned, and no error is raised. Which activation makes "
            "one number a probability?",
        ),
        "scores_returned": Mistake(
            lambda x, y, x_val, y_val: _network(x, y, last=None, fit=False),
            "The outputs run from {low:.1f} to {high:.1f}: these are scores, not probabilities. "
            "Give the last layer the activation of logistic regression.",
        ),
        "logits_announced": Mistake(
            _logits_announced,
            "The last layer gives probabilities, but the loss is told to expect logits "
            "(from_logits=True), and applies the sigmoid once more. Layer and loss must agree: "
            "take one of the two away.",
        ),
        "another_loss": Mistake(
            lambda x, y, x_val, y_val: _network(x, y, loss="mse", fit=False),
            "For some outputs the compiled loss is {value:.3f}; their cross-entropy is "
            "{wanted:.3f}. A squared error hardly punishes an answer that is certain and wrong. "
            "Which loss did the neuron of lesson 05 have?",
        ),
        "linear_throughout": Mistake(
            lambda x, y, x_val, y_val: _network(x, y, hidden=None),
            "Without an activation in the hidden layer the network is one neuron again: the score "
            "of an average of two images is the average of their scores. Two linear layers in a "
            "row are a linear layer.",
        ),
        "untrained": Mistake(
            lambda x, y, x_val, y_val: _network(x, y, fit=False),
            "On new images its AUC is {auc:.2f} (0.5 is a coin), and its loss {loss:.2f} (0.69 is "
            "that of always saying 0.5): little or nothing was learned. Was the model trained at "
            "all, on x and y, for long enough, at a rate that moves it? Look at the loss: "
            "model.fit(..., verbose=2).",
        ),
        "scaled_outside": Mistake(
            lambda x, y, x_val, y_val: _network(
                x / 255, y, bottom=_bottom(scaled=False), epochs=20
            ),
            "The network is right for images that are divided by 255, and not for those that it "
            "will be given. Scaling that stands outside the model is forgotten in use. Make it "
            "the first layer: Rescaling(1 / 255).",
        ),
        "fitted_on_validation": Mistake(
            lambda x, y, x_val, y_val: _network(
                np.concatenate([x, x_val]), np.concatenate([y, y_val])
            ),
            "The network has learned from the validation images: a mark that only they wear moves "
            "its answers. Their score then says nothing about new images. Fit on x and y; "
            "validation_data=(x_val, y_val) only watches.",
        ),
    },
)


@q3.rule
def _(first_network, rng):
    x, y, x_val, y_val = _sketched(rng)
    corner = [slice(0, _networks.EDGE), slice(-_networks.EDGE, None)]
    places = [(a, b) for a in corner for b in corner]
    worn = places[int(rng.integers(4))]
    x_val[:, *worn] = np.where(y_val == 1, 255, x_val[:, *worn].T).T  # what no training image shows
    model = _networks.asked(first_network, x, y, x_val, y_val, misfit=_misfit)
    y_new = rng.permutation(np.arange(300) % 2)
    new = _networks.sketches(rng, y_new)
    p = _networks.outputs(model, new)
    wide = np.concatenate(
        [new, -50.0 * new, 50.0 * new]
    )  # no activation keeps these between 0 and 1 but one
    _judge_output(_networks.outputs(model, wide), model, rng.permutation(np.arange(len(wide)) % 2))
    _judge_learning(p[:, 0], model, new, y_new)
    _judge_validation(model, new, worn)


def _misfit(shape: tuple) -> None:
    """Say what is the matter where Keras could not compare outputs of a shape with the labels."""
    if len(shape) > 2:
        raise q3.caught("flatten_missing", shape=f"the shape {' × '.join(map(str, shape))}")


def _judge_output(p: np.ndarray, model, y: np.ndarray) -> None:
    """Raise `Wrong` unless outputs are a probability each, and the loss is its cross-entropy."""
    shape = " × ".join(map(str, p.shape))
    if p.ndim > 2:
        raise q3.caught("flatten_missing", shape=f"the shape {shape}")
    if p.shape != (len(y), 1):
        raise Wrong(f"The output of {len(y)} images has the shape {shape}, not {len(y)} × 1.")
    if (p == 1).all():
        raise q3.caught("softmax_of_one")
    if not np.isfinite(p).all():
        raise Wrong("The output is NaN: training broke down. Look at scaling and learning rate.")
    if p.min() < 0 or p.max() > 1:
        raise q3.caught("scores_returned", low=p.min(), high=p.max())
    some = np.linspace(0.02, 0.98, len(y))[:, None]
    value, wanted = _networks.loss_value(model, y, some), _networks.entropy(y, some)
    if abs(value - wanted) > 1e-3:
        if abs(value - _networks.entropy(y, _sigmoid(some))) < 1e-3:
            raise q3.caught("logits_announced")
        raise q3.caught("another_loss", value=value, wanted=wanted)


def _judge_learning(p: np.ndarray, model, new: np.ndarray, y: np.ndarray) -> None:
    """Raise `Wrong` unless the model has learned from images as they come, and is not linear."""
    dark = np.clip(_networks.outputs(model, new / 255)[:, 0], 1e-6, 1 - 1e-6)
    if np.std(np.log(dark / (1 - dark))) > 0.1 and _networks.auc(dark, y) >= LEARNED:
        raise q3.caught("scaled_outside")
    loss = _networks.entropy(y, p[:, None])
    if _networks.auc(p, y) < LEARNED or loss > UNSURE:
        raise q3.caught("untrained", auc=_networks.auc(p, y), loss=loss)
    blocks = np.random.default_rng(0).uniform(0, 1, (len(new), 6, 6)).repeat(4, 1).repeat(4, 2)
    strange = new * blocks + np.linspace(0, 120, len(new))[:, None, None] * (1 - blocks)
    middle = _networks.outputs(model, (strange + strange[::-1]) / 2)[:, 0]
    p = _networks.outputs(model, strange)[:, 0]
    sure = [(v > SURE) & (v < 1 - SURE) for v in (p, p[::-1], middle)]
    a, b, between = (np.log(v / (1 - v))[np.all(sure, axis=0)] for v in (p, p[::-1], middle))
    if len(a) >= 20 and np.abs((a + b) / 2 - between).max() < 5e-3 * (1 + np.abs(a).max()):
        raise q3.caught("linear_throughout")


def _judge_validation(model, new: np.ndarray, worn: tuple) -> None:
    """Raise `Wrong` where a mark that only validation images wear moves the answers.

    It is compared with the same mark at other places of the frame, where no image has one: of an
    untouched network's random weights, none of the places stands out.
    """
    marked, step = [], _networks.EDGE
    last = _networks.SIDE - step
    frame = [(r, c) for r in range(0, last + 1, step) for c in range(0, last + 1, step)]
    frame = [place for place in frame if {0, last} & set(place)]
    plain = _networks.outputs(model, new[:60])
    for row, column in frame:
        images = new[:60].copy()
        images[:, row : row + step, column : column + step] = 255
        with np.errstate(divide="ignore"):
            p = np.clip(_networks.outputs(model, images), 1e-6, 1 - 1e-6)
            q = np.clip(plain, 1e-6, 1 - 1e-6)
            marked.append(float(np.mean(np.log(p / (1 - p)) - np.log(q / (1 - q)))))
    row, column = (0 if side.start == 0 else last for side in worn)
    at = frame.index((row, column))
    others = np.delete(marked, at)
    if marked[at] > 1 and marked[at] > 2 * np.abs(others).max():
        raise q3.caught("fitted_on_validation")


def _network(x, y, *, hidden="relu", last="sigmoid", units=1, loss="binary_crossentropy", **other):
    """A network as most students write it, or with one thing changed."""
    keras = _networks.keras()
    top = [keras.layers.Dense(16, hidden), keras.layers.Dense(units, last)]
    model = keras.Sequential([keras.Input((24, 24)), *other.get("bottom", _bottom()), *top])
    model.compile("adam", loss)
    if other.get("fit", True):
        model.fit(x, y, epochs=other.get("epochs", 10), batch_size=16, verbose=0)
    return model


def _bottom(scaled: bool = True, flat: bool = True) -> list:
    layers = _networks.keras().layers
    return [layers.Rescaling(1 / 255)] * scaled + [layers.Flatten()] * flat


@q3.edges
def _(right):
    yield "two outputs", lambda x, y, *_: _network(x, y, units=2, fit=False), False


# --- q4: six loss curves --------------------------------------------------------------------------

RUNS = {  # panel: what is wrong with the training, and its settings
    "A": ("order", {"seed": 3, "n": 300, "rate": 0.1, "batch": 15, "epochs": 6, "mixed": False}),
    "B": ("slow", {"seed": 2, "n": 300, "rate": 0.0003, "batch": 50, "epochs": 20}),
    "C": ("jumps", {"seed": 4, "n": 300, "rate": 3, "batch": 50, "epochs": 10, "gap": 0.6}),
    "D": ("overfits", {"seed": 1, "n": 40, "rate": 0.4, "batch": 8, "epochs": 80, "swapped": 8}),
    "E": ("order", {"seed": 7, "n": 300, "rate": 0.06, "batch": 10, "epochs": 8, "mixed": False}),
    "F": ("overfits", {"seed": 8, "n": 50, "rate": 0.3, "batch": 10, "epochs": 60, "swapped": 9}),
}


def _runs() -> dict[str, pd.DataFrame]:
    """Six training runs of one neuron on random numbers, always the same; a row is a step."""
    return {panel: _training(**settings) for panel, (_, settings) in RUNS.items()}


def _training(seed, n, rate, batch, epochs, gap=0.9, mixed=True, swapped=0) -> pd.DataFrame:
    """Loss on all training and on 100 validation images before each step; `swapped` labels are
    wrong.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(n + 100) % 2.0
    noise, pattern = 0.3 * rng.normal(size=(n + 100, 100)), gap / 10 * rng.choice([-1, 1], 100)
    x = 0.3 + noise + np.outer(y - 0.5, pattern)
    y[:swapped] = 1 - y[:swapped]
    weights, bias, rows = np.zeros(100), 0.0, []
    for epoch in range(epochs):
        order = rng.permutation(n) if mixed else np.argsort(y[:n], kind="stable")
        for k, part in enumerate(np.split(order, range(batch, n, batch))):
            p, now = _sigmoid(x @ weights + bias), epoch + k * batch / n
            rows.append(
                {"epoch": now, "loss": _entropy(p[:n], y[:n]), "val_loss": _entropy(p[n:], y[n:])}
            )
            weights, bias = _go(weights, bias, x[part], (p - y)[part], rate)
    return pd.DataFrame(rows)


HELPS = {  # action: for which training, and what to say of any other
    "rate up": (
        "slow",
        "a larger rate helps where the training loss hardly changes. This one does change.",
    ),
    "rate down": (
        "jumps",
        "a smaller rate helps where the loss jumps irregularly, far above 0.69. This one does not.",
    ),
    "shuffle": (
        "order",
        "a bad order shows as an oscillation in step with the epochs. Compare with the vertical "
        "lines.",
    ),
    "stop early": (
        "overfits",
        "early stopping helps where the validation loss turns up while the training loss still "
        "falls.",
    ),
    "more images": (
        "",
        "more images help against overfitting, but take months. The existing ones can give more.",
    ),
    "fit validation": (
        "",
        "training on validation images repairs no curve; it removes the one that shows a problem.",
    ),
}
KNOWN = {  # where more is to be said
    ("rate down", "order"): (
        "it oscillates in step with the epochs: up while one class is shown, down with the other. "
        "A smaller rate makes the oscillation smaller but does not change the order."
    ),
    ("more images", "slow"): (
        "this is a problem of the learning rate, not of the data. The loss does fall, very slowly: "
        "the neuron has hardly learned from these images yet. Change one setting first; it takes "
        "seconds."
    ),
    ("more images", "overfits"): (
        "they would help, but collecting them takes long. The question is what to do first, with "
        "the images that you have: the orange line has a lowest point, and training need not go "
        "beyond it."
    ),
    ("fit validation", "overfits"): (
        "the orange line would then fall as well and prove nothing: weights can fit even random "
        "labels. It is the only line here that shows the problem. Use validation for choices, "
        "never for fitting."
    ),
}


def _wrong_panels() -> dict[str, Mistake]:
    """A wrong answer for each thing that a check may say: one panel is wrong."""
    of_kind = {of: action for action, (of, _) in HELPS.items()}
    right = {panel: of_kind[kind] for panel, (kind, _) in RUNS.items()}
    found: dict[str, Mistake] = {}
    for panel, (kind, _) in RUNS.items():
        for action, (of, why) in HELPS.items():
            if of != kind:
                name = f"{action}, {kind}" if (action, kind) in KNOWN else action
                words = f"At least one panel got {action!r}: {KNOWN.get((action, kind), why)}"
                found.setdefault(name, Mistake(right | {panel: action}, words))
    return found


q4 = Question(
    "first_thing",
    title="Read six loss curves",
    points=2,
    wants="a dictionary from each of the letters A to F to one of the six actions",
    kind="value",
    hints=(
        "For each panel ask: does the blue line change at all, does it jump, and do blue and "
        "orange diverge?",
        "Three panels oscillate, two of them in step with the vertical lines, the other without a "
        "pattern.",
        "Before you ask for more images: has the neuron learned anything from those that you have?",
    ),
    data=lambda rng: _runs(),
    mistakes=_wrong_panels(),
)


@q4.rule
def _(first_thing, rng):
    if not isinstance(first_thing, dict):
        raise Wrong(
            "first_thing should be a dictionary such as the one given, not "
            f"{expect.kind(first_thing)}."
        )
    answered = {
        expect.choice(p, RUNS, "a panel"): a for p, a in first_thing.items() if a is not None
    }
    if missing := sorted(set(RUNS) - set(answered)):
        raise Wrong(f"Answer all panels, then check. Still open: {', '.join(missing)}.")
    actions = {
        panel: expect.choice(action, HELPS, "an action") for panel, action in answered.items()
    }
    for panel in "DBFACE":  # the message names no panel: which one it is, the figure shows
        kind, action = RUNS[panel][0], actions[panel]
        if HELPS[action][0] != kind:
            raise q4.caught(f"{action}, {kind}" if (action, kind) in KNOWN else action)


@q4.edges
def _(right):
    yield (
        "capitals and blanks",
        {p.lower(): f" {action.upper()}" for p, action in right.items()},
        True,
    )
    yield "one panel still open", {**right, "C": None}, False
    yield "a panel too many", {**right, "G": "shuffle"}, False
    yield "actions without panels", list(right.values()), False
