"""Questions of lesson 05, a first network: one step by hand, usable objectives, the order, six
loss curves.
"""

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd

from . import expect, fresh
from ._kinds import Case, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

CLOSE = 1e-5  # how far a weight may be from the one that finite differences give
# a weight changed by no more than this leaves every step function of question 2 as it is
LITTLE = 0.01
# greatest share of neighbours that two orders may have in common; shuffled, it is a few hundredths
KEPT = 0.3
# least share of rows of another class than the row before; shuffled, it is about twice that
MIXED = 0.3


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


# --- q3: which rows, in which order ---------------------------------------------------------------


def _sorted_table(rng: np.random.Generator) -> pd.DataFrame:
    """A table with its split, sorted by class, as tables made from folders are."""
    table = fresh.cohort(rng, 42)
    patients = rng.permutation(table["patient"].unique())
    side = dict(
        zip(
            patients,
            np.resize(["train", "train", "train", "val", "test"], len(patients)),
            strict=True,
        )
    )
    table["split"] = pd.Categorical(table["patient"].map(side), ["train", "val", "test"])
    return table.sort_values("label", kind="stable", ignore_index=True)


q3 = Question(
    "training_orders",
    title="Which rows the training uses",
    points=3,
    wants=(
        "training_orders(table, epochs, seed) returns a list of arrays of row numbers, one "
        "array per epoch"
    ),
    hints=(
        "Which of the three parts may weights be fitted to? And how is this table sorted?",
        "Row numbers count from the start of the whole table. Each epoch uses each of its rows "
        "once, in a new order.",
        'np.flatnonzero(table["split"] == ...) gives row numbers; a generator\'s permutation '
        "shuffles an array. Make "
        "the generator once, from the seed, before the first epoch.",
    ),
    data=_sorted_table,
    mistakes={
        "no_shuffle": Mistake(
            lambda table, epochs, seed: [_rows(table, "train")] * epochs,
            "The rows are in the order of the table, which is sorted by class: nearly every batch "
            "would contain one class only, and each step would push the network towards answering "
            "that class. Shuffle the rows.",
        ),
        "shuffle_once": Mistake(
            lambda table, epochs, seed: [
                np.random.default_rng(seed).permutation(_rows(table, "train"))
                for _ in range(epochs)
            ],
            "Two epochs have the same order, or one that keeps most neighbours together. Shuffle "
            "again for each epoch, or the same images always share a batch.",
        ),
        "validation_fits": Mistake(
            lambda table, epochs, seed: list(
                np.random.default_rng(seed).permuted(
                    [_rows(table, "train", "val")] * epochs, axis=1
                )
            ),
            "{n} validation images are among the rows. Weights fitted to them would score well on "
            "them, even with random labels as in lesson 05, and no validation would be left. Use "
            "validation for choices only.",
        ),
        "counted_within_train": Mistake(
            lambda table, epochs, seed: list(
                np.random.default_rng(seed).permuted(
                    [np.arange(len(_rows(table, "train")))] * epochs, axis=1
                )
            ),
            "The numbers run from 0 to {n} - 1: they count within the training part but are used "
            "on the whole table, as in x[order]. There they select the first {n} rows, whatever "
            "part those belong to, and no error is raised. Use row numbers of the whole table.",
        ),
    },
)


@q3.rule
def _(training_orders, rng):
    table, epochs, seeds = _sorted_table(rng), int(rng.integers(3, 6)), fresh.seeds(rng, 7)
    runs = [_orders(training_orders(table, epochs, seed), epochs) for seed in (*seeds, seeds[0])]
    for order in (order for orders in runs for order in orders):
        _judge(table, order)
    if any(_kept(a, b) > KEPT for orders in runs for a, b in itertools.combinations(orders, 2)):
        raise q3.caught("shuffle_once")
    *runs, again = runs
    if not np.array_equal(runs[0], again):
        raise Wrong(
            "The same seed gave different orders: create the generator from the seed, so that a "
            "run can be repeated."
        )
    if any(np.array_equal(a, b) for a, b in itertools.combinations(runs, 2)):
        raise Wrong("Two seeds gave the same orders: use the whole seed, as it is given.")


def _kept(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the neighbours in one order that are neighbours in the other, too."""
    first, second = (
        {frozenset(pair) for pair in zip(order[1:], order[:-1], strict=True)} for order in (a, b)
    )
    return len(first & second) / len(first)


def _orders(result, epochs: int) -> np.ndarray:
    """The orders as whole numbers, a row for each epoch."""
    orders = expect.array(result, (epochs, -1), "the list of orders")
    if (orders != np.floor(orders)).any():
        raise Wrong("An order should hold row numbers, which are integers.")
    return orders.astype(int)


def _judge(table: pd.DataFrame, order: np.ndarray) -> None:
    """Raise `Wrong` unless the rows are those of the training part, each once, their classes
    mixed.
    """
    train = np.flatnonzero(table["split"] == "train")
    if ((order < 0) | (order >= len(table))).any():
        raise Wrong(
            f"The table has the rows 0 to {len(table) - 1}; an order contains other numbers."
        )
    if np.array_equal(np.sort(order), np.arange(len(train))):
        raise q3.caught("counted_within_train", n=len(train))
    part = table["split"].to_numpy()[order]
    if (part == "test").any():
        raise Wrong(
            f"{(part == 'test').sum()} test images are among the rows. They are for the final "
            "result only and must not be fitted."
        )
    if (part == "val").any():
        raise q3.caught("validation_fits", n=(part == "val").sum())
    if not np.array_equal(np.sort(order), train):
        missing = len(train) - len(set(order))
        raise Wrong(
            f"An epoch uses all {len(train)} training images once; {missing} are missing, or some "
            "occur twice."
        )
    if (np.diff(order) > 0).all():
        raise q3.caught("no_shuffle")
    labels = table["label"].astype(str).to_numpy()[order]
    if (labels[1:] != labels[:-1]).mean() < MIXED:
        raise Wrong(
            "The classes come in long runs, so most batches contain one class. Shuffle single rows."
        )


def _rows(table, *parts):
    return np.flatnonzero(table["split"].isin(parts))


@q3.edges
def _(right):
    yield (
        "lists in place of arrays",
        lambda t, e, s: [order.tolist() for order in right(t, e, s)],
        True,
    )
    yield (
        "one image twice",
        lambda t, e, s: [np.append(order, order[0]) for order in right(t, e, s)],
        False,
    )
    yield "an epoch too few", lambda t, e, s: right(t, e - 1, s), False
    yield "all parts", lambda t, e, s: right(t.assign(split="train"), e, s), False
    yield "a new order each time", lambda t, e, s: right(t, e, None), False


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
