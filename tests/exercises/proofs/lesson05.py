"""Answers to the questions of lesson 05, a first network."""

import numpy as np
import pandas as pd
from scipy.optimize import approx_fprime
from scipy.special import expit

from . import Proof
from .lesson06 import keras

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


# --- first_network --------------------------------------------------------------------------------


def network_functional(x, y, x_val, y_val):
    """Functional, with a second hidden layer and early stopping."""
    inputs = keras.Input((24, 24))
    h = keras.layers.Flatten()(keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs))
    h = keras.layers.Dense(16)(h)
    h = keras.layers.Dense(8, "tanh")(keras.layers.LeakyReLU()(h))
    outputs = keras.layers.Activation("sigmoid")(keras.layers.Dense(1)(h))
    model = keras.Model(inputs, outputs)
    model.compile(loss=keras.losses.BinaryCrossentropy())
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    watched = (x_val, y_val)
    model.fit(x, y, epochs=10, batch_size=16, verbose=0, callbacks=[stop], validation_data=watched)
    return model


def network_subclassed(x, y, x_val, y_val):
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(16, activation="relu")
            self.last = keras.layers.Dense(1, activation="sigmoid")

        def call(self, images):
            rows = keras.ops.reshape(images, (-1, 24 * 24)) / 255
            return self.last(self.hidden(rows))

    model = Network()
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(x.astype("float32"), y, epochs=10, batch_size=16, verbose=0)
    return model


def network_added(x, y, x_val, y_val, *, again=False, last="sigmoid", kept=None):
    """Layer after layer, rows first, as old tutorials do; SGD."""
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=(24, 24)))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Rescaling(1.0 / 255.0))
    model.add(keras.layers.Dense(16))
    model.add(keras.layers.Activation("relu"))
    model.add(keras.layers.Dense(1, activation=last))
    model.compile(keras.optimizers.SGD(0.02, momentum=0.5), loss="binary_crossentropy")
    model.fit(x[:kept], y[:kept], epochs=12, batch_size=16, verbose=0)
    if again:
        model.fit(x_val, y_val, epochs=10, batch_size=16, verbose=0)
    return model


def network_swapped(x, y, x_val, y_val):
    return network_added(x_val, y_val, x, y)


def network_then_validation(x, y, x_val, y_val):
    return network_added(x, y, x_val, y_val, again=True)


def network_with_relu_last(x, y, x_val, y_val):
    return network_added(x, y, x_val, y_val, last="relu", kept=16)


def network_with_history(x, y, x_val, y_val):
    model = network_added(x, y, x_val, y_val, kept=16)
    return model, model.history


def network_uncompiled(x, y, x_val, y_val):
    return keras.Sequential(
        [keras.Input((24, 24)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")]
    )


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
        "first_network",
        right={
            "functional, two hidden layers, early stopping": network_functional,
            "a class of its own, scaled by hand": network_subclassed,
            "layer after layer, SGD": network_added,
        },
        wrong={
            "training and validation swapped": network_swapped,
            "trained on validation afterwards": network_then_validation,
            "relu as the last activation": network_with_relu_last,
            "the history returned as well": network_with_history,
            "not compiled": network_uncompiled,
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
