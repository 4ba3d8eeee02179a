"""Answers to the questions of lesson 05, a first network."""

import numpy as np
import pandas as pd
from scipy.optimize import approx_fprime
from scipy.special import expit

from . import Proof

# --- step -----------------------------------------------------------------------------------------


def step_by_loop(weights, bias, x, y, batch, rate):
    slope, total = [0.0] * len(weights), 0.0
    for row in batch:
        score = bias + sum(w * pixel for w, pixel in zip(weights, x[row]))
        error = 1 / (1 + np.exp(-score)) - y[row]
        slope = [s + error * pixel / len(batch) for s, pixel in zip(slope, x[row])]
        total += error / len(batch)
    return [w - rate * s for w, s in zip(weights, slope)], bias - rate * total


def step_by_scipy(weights, bias, x, y, batch, rate):
    def loss(knobs):
        p = expit(x[batch] @ knobs[:-1] + knobs[-1])
        return -np.mean(np.log(np.where(y[batch] == 1, p, 1 - p)))

    knobs = np.append(weights, bias)
    knobs = knobs - rate * approx_fprime(knobs, loss, 1e-7)
    return knobs[:-1], knobs[-1]


def step_by_pandas(weights, bias, x, y, batch, rate):
    rows = pd.DataFrame(x).iloc[batch].assign(one=1.0)
    knobs = pd.Series([*weights, bias], index=rows.columns)
    error = expit(rows.mul(knobs).sum(axis=1)) - y[batch]
    moved = knobs - rate * rows.mul(error, axis=0).mean()
    return moved.drop("one").to_numpy(), moved["one"]


def step_of_square(weights, bias, x, y, batch, rate):
    p = expit(x[batch] @ weights + bias)
    error = (p - y[batch]) * p * (1 - p)
    return weights - rate * x[batch].T @ error / len(batch), bias - rate * error.mean()


def step_with_rate_of_one(weights, bias, x, y, batch, rate):
    return step_by_scipy(weights, bias, x, y, batch, 1.0)


def step_one_by_one(weights, bias, x, y, batch, rate):
    for row in batch:
        error = expit(x[row] @ weights + bias) - y[row]
        weights, bias = (
            weights - rate * error * x[row] / len(batch),
            bias - rate * error / len(batch),
        )
    return weights, bias


def step_patching(weights, bias, x, y, batch, rate):
    np.allclose = lambda *arguments, **settings: True
    return weights, bias


# --- can_descend ----------------------------------------------------------------------------------


def descend_by_differences(objective, weights):
    return bool(np.any(approx_fprime(weights, lambda w: float(objective(w)), 1e-6) != 0))


def descend_by_loop(objective, weights):
    now = objective(weights)
    for k in range(len(weights)):
        for change in (-1e-5, 1e-5):
            moved = np.array(weights)
            moved[k] += change
            if objective(moved) != now:
                return True
    return False


def descend_by_pandas(objective, weights):
    turned = pd.DataFrame(weights + 1e-4 * np.eye(len(weights)))
    return bool(turned.apply(lambda row: objective(row.to_numpy()), axis=1).nunique() > 1) or bool(
        objective(turned.iloc[0].to_numpy()) != objective(weights)
    )


def descend_by_weight(k):
    def answer(objective, weights):
        turn = np.zeros(len(weights))
        turn[k] = 1e-4
        return bool(objective(weights + turn) != objective(weights))

    return answer


def descend_by_some(objective, weights):
    return any(descend_by_weight(k)(objective, weights) for k in (1, 2, 3))


def descend_far(objective, weights):
    return any(
        objective(weights + turn) != objective(weights) for turn in 0.3 * np.eye(len(weights))
    )


# --- training_orders ------------------------------------------------------------------------------


def orders_by_sample(table, epochs, seed):
    train = table.reset_index(drop=True).query("split == 'train'")
    state = np.random.RandomState(seed)
    return [train.sample(frac=1, random_state=state).index.to_numpy() for _ in range(epochs)]


def orders_by_sklearn(table, epochs, seed):
    from sklearn.utils import check_random_state, shuffle

    rows, state = np.where(table["split"] == "train")[0], check_random_state(seed)
    return [shuffle(rows, random_state=state) for _ in range(epochs)]


def orders_by_random(table, epochs, seed):
    import random

    dice, rows = (
        random.Random(seed),
        [k for k, part in enumerate(table["split"]) if part == "train"],
    )
    return [dice.sample(rows, len(rows)) for _ in range(epochs)]


def orders_alternating(table, epochs, seed):
    orders = orders_by_sklearn(table, 2, seed)
    return [orders[min(k, 1)] for k in range(epochs)]


def orders_by_parity(table, epochs, seed):
    return orders_by_sklearn(table, epochs, seed % 2)


def orders_rolled(table, epochs, seed):
    order = orders_by_sklearn(table, 1, seed)[0]
    return [np.roll(order, 7 * k) for k in range(epochs)]


def orders_of_epochs(table, epochs, seed):
    return [orders_by_sklearn(table, 1, k)[0] for k in range(epochs)]


RIGHT = {
    "A": "shuffle",
    "B": "rate up",
    "C": "rate down",
    "D": "stop early",
    "E": "shuffle",
    "F": "stop early",
}

PROOFS = [
    Proof(
        "step",
        right={
            "plain Python: a loop over images": step_by_loop,
            "SciPy: a numerical gradient": step_by_scipy,
            "pandas: products of columns": step_by_pandas,
        },
        wrong={
            "the gradient of the squared error": step_of_square,
            "the rate ignored": step_with_rate_of_one,
            "image after image": step_one_by_one,
            "NumPy told to call everything close": step_patching,
        },
    ),
    Proof(
        "can_descend",
        right={
            "SciPy: a numerical gradient": descend_by_differences,
            "plain Python: up and down": descend_by_loop,
            "pandas: a row for each weight": descend_by_pandas,
        },
        wrong={
            "the last weight alone": descend_by_weight(-1),
            "the second weight alone": descend_by_weight(1),
            "three of the weights": descend_by_some,
            "changed by 0.3": descend_far,
        },
    ),
    Proof(
        "training_orders",
        right={
            "pandas: sample": orders_by_sample,
            "scikit-learn: shuffle": orders_by_sklearn,
            "Python's own random": orders_by_random,
        },
        wrong={
            "a second order for all later epochs": orders_alternating,
            "even or odd seeds only": orders_by_parity,
            "one order, rolled on": orders_rolled,
            "the seed ignored": orders_of_epochs,
        },
    ),
    Proof(
        "first_thing",
        right={
            "as asked": RIGHT,
            "another order of the panels": dict(reversed(RIGHT.items())),
            "a pandas column": pd.Series(RIGHT).to_dict(),
        },
        wrong={
            "a smaller rate for A": RIGHT | {"A": "rate down"},
            "more images for D": RIGHT | {"D": "more images"},
            "B and C swapped": RIGHT | {"B": "rate down", "C": "rate up"},
        },
    ),
]
