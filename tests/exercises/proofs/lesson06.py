"""Answers to the questions of lesson 06, CNN building."""

import importlib

import numpy as np
import pandas as pd

from cxr_helpers import quiet

from . import Proof


class Later:
    """A library, imported where it is first used: that takes seconds."""

    def __init__(self, library):
        self._library = library

    def __getattr__(self, name):
        with quiet():
            return getattr(importlib.import_module(self._library), name)


keras = Later("keras")

# --- network_to_train -----------------------------------------------------------------------------


def network_by_query(networks):
    sound = networks.query("`a unit sees` >= 20 and `their activation` == 'relu'")
    sound = sound.query("`% in dense layers` < 50 and `last layer` == 'Dense(3), softmax'")
    return sound.index.item()


def network_by_faults(networks):
    """pandas: the faults counted in each row."""
    faults = (networks["a unit sees"] < 20).astype(int)
    faults += networks["then"].str.startswith("flatten") & (networks["% in dense layers"] > 50)
    faults += networks["their activation"].eq("none") + networks["last layer"].ne(
        "Dense(3), softmax"
    )
    return faults.idxmin()


def network_by_loop(networks):
    for letter, (_, between, _, last, total, share, sees) in zip(
        networks.index, networks.to_numpy()
    ):
        in_dense = total * share / 100
        if sees > 19 and in_dense < total - in_dense and (between, last[6:]) == RELU_THEN_SOFTMAX:
            return letter


RELU_THEN_SOFTMAX = ("relu", "3), softmax")


def network_smallest(networks):
    return networks["parameters"].idxmin()


def network_of_widest_view(networks):
    return networks["a unit sees"].idxmax()


def network_with_means(networks):
    sound = networks[networks["then"] == "mean of each map"]
    return sound.index[sound["last layer"] == "Dense(3), softmax"][0]


# --- last_layer -----------------------------------------------------------------------------------


def layers_with(**other):
    """The usual answer, with other keywords of the layer of one task."""

    def answer(task):
        units, activation = {
            "ill": (1, "sigmoid"),
            "kind": (4, "softmax"),
            "findings": (5, "sigmoid"),
            "raw": (4, None),
        }[task]
        loss = {
            "ill": keras.losses.BinaryCrossentropy(),
            "kind": keras.losses.SparseCategoricalCrossentropy(),
            "findings": keras.losses.BinaryCrossentropy(),
            "raw": keras.losses.CategoricalCrossentropy(from_logits=True),
        }[task]
        settings = {"units": units, "activation": activation} | other.get(task, {})
        return keras.layers.Dense(**settings), loss

    return answer


def layers_by_activation(task):
    if task == "raw":
        return keras.layers.Dense(4, use_bias=False), keras.losses.CategoricalCrossentropy(
            from_logits=True
        )
    units, activation = {"ill": (2, "softmax"), "kind": (4, "softmax"), "findings": (5, "sigmoid")}[
        task
    ]
    layer = keras.Sequential([keras.layers.Dense(units), keras.layers.Activation(activation)])
    return layer, "binary_crossentropy" if task == "findings" else "sparse_categorical_crossentropy"


def layers_by_name(task):
    dense = keras.layers.Dense
    match task:
        case "ill":
            return dense(1, activation=keras.activations.sigmoid), keras.losses.get(
                "binary_crossentropy"
            )
        case "kind":
            return dense(4, activation="softmax"), "sparse_categorical_crossentropy"
        case "findings":
            return dense(
                5, activation="sigmoid", kernel_initializer="he_normal"
            ), "binary_crossentropy"
    return dense(4, kernel_regularizer="l2"), keras.losses.CategoricalCrossentropy(from_logits=True)


class Kept:
    """The same layers in each call."""

    def __init__(self):
        self.made = {}

    def __call__(self, task):
        return self.made.setdefault(task, layers_with()(task))

    def __deepcopy__(self, memory):
        return Kept()


# --- train_cnn ------------------------------------------------------------------------------------


def cnn_functional(x, y, x_val, y_val):
    """Functional; labels one-hot, stride in place of one pooling, early stopping on validation."""
    x_in = keras.Input(shape=(24, 24, 1))
    h = keras.layers.Rescaling(1 / 127.5, offset=-1)(x_in)
    h = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest")(h)
    h = keras.layers.Conv2D(12, 3, padding="same")(h)
    h = keras.layers.MaxPool2D(2)(keras.layers.ReLU()(h))
    h = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(h)
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(h))
    model = keras.Model(x_in, keras.layers.Softmax()(logits))
    model.compile(keras.optimizers.Adam(0.003), loss=keras.losses.CategoricalCrossentropy())
    best = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    watched = (x_val, keras.utils.to_categorical(y_val, 3))
    hot = keras.utils.to_categorical(y, 3)
    model.fit(
        x, hot, epochs=15, batch_size=16, verbose=0, callbacks=[best], validation_data=watched
    )
    return model


def cnn_nested(x, y, x_val, y_val):
    """The augmentation as a model of its own; maps averaged, with dropout; a higher rate."""
    augment = keras.Sequential(
        [keras.layers.RandomTranslation(0.1, 0.1), keras.layers.RandomContrast(0.1)]
    )
    body = [keras.layers.Conv2D(16, 3, activation="relu"), keras.layers.MaxPooling2D()]
    body += [keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.MaxPooling2D()]
    top = [keras.layers.Flatten(), keras.layers.Dropout(0.2), keras.layers.Dense(3, "softmax")]
    bottom = [keras.layers.Input((24, 24, 1)), augment, keras.layers.Rescaling(1 / 255)]
    model = keras.Sequential([*bottom, *body, *top])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=20, batch_size=16, verbose=0)
    return model


def cnn_subclassed(x, y, x_val, y_val):
    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.shift = keras.layers.RandomTranslation(0.08, 0.08)
            self.first = keras.layers.Conv2D(8, 5, activation="relu")
            self.second = keras.layers.Conv2D(16, 3, activation="relu")
            self.pool, self.row = keras.layers.AveragePooling2D(2), keras.layers.Flatten()
            self.last = keras.layers.Dense(3, activation="softmax")

        def call(self, images, training=False):
            h = self.shift(images, training=training) / 255.0
            h = self.pool(self.second(self.pool(self.first(h))))
            return self.last(self.row(h))

    model = Network()
    model.compile(keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy())
    model.fit(x.astype("float32"), y, epochs=15, batch_size=16, verbose=0)
    return model


def cnn_by(last=3, activation="softmax", loss="sparse_categorical_crossentropy", shift=0.1, **to):
    """Built and hardly trained: what its structure gives away."""

    def answer(x, y, x_val, y_val):
        model = keras.Sequential([keras.Input((24, 24, 1)), keras.layers.Rescaling(1 / 255)])
        model.add(keras.layers.RandomTranslation(shift, shift))
        for filters in to.get("filters", (8, 8)):
            model.add(keras.layers.Conv2D(filters, 3, activation="relu"))
            model.add(keras.layers.MaxPooling2D())
        model.add(keras.layers.Flatten())
        model.add(keras.layers.Dense(last, activation))
        model.compile("adam", loss)
        return model

    return answer


# --- diagnose -------------------------------------------------------------------------------------


def diagnosed_by_pandas(maps):
    told = pd.DataFrame(maps.reshape(-1, 4)).describe()
    if (told.loc["min"] < 0).any():
        return "no activation"
    if told.loc["std"].max() < 0.02:
        return "dead units" if told.loc["max"].eq(0).all() else "scaled twice"
    return "equal filters" if told.loc["mean"].nunique() == 1 else "sound"


def diagnosed_by_range(maps):
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    if (low < 0).any():
        return "no activation"
    if not high.any():
        return "dead units"
    if np.all(high - low < 0.05):
        return "scaled twice"
    return "equal filters" if np.unique(high).size == 1 else "sound"


def diagnosed_by_correlation(maps):
    """Faults of a single map first, then the maps beside one another."""
    if np.count_nonzero(maps) == 0:
        return "dead units"
    if np.any(maps < 0):
        return "no activation"
    columns = maps.reshape(-1, 4).T
    if np.ptp(columns, axis=1).max() < 0.02:
        return "scaled twice"
    return "equal filters" if np.corrcoef(columns).min() > 0.999 else "sound"


def diagnosed_by_size(maps):
    """The image divided twice is taken for small numbers."""
    if maps.min() < 0:
        return "no activation"
    if maps.max() < 0.02:
        return "scaled twice" if maps.max() > 0 else "dead units"
    return "equal filters" if np.allclose(maps[..., 0], maps[..., 3]) else "sound"


def diagnosed_by_brightest(maps):
    """By where the brightest place is."""
    if maps.max() == 0:
        return "dead units"
    brightest = {int(maps[..., k].argmax()) for k in range(4)}
    return "equal filters" if len(brightest) < 3 else "sound"


def diagnosed_without_zero(maps):
    """Zero is taken for below zero."""
    if maps.min() <= 0:
        return "no activation" if maps.max() > 0 else "dead units"
    return "scaled twice"


PROOFS = [
    Proof(
        "network_to_train",
        right={
            "pandas: queries": network_by_query,
            "pandas: faults counted": network_by_faults,
            "a loop": network_by_loop,
        },
        wrong={
            "the smallest": network_smallest,
            "the widest view": network_of_widest_view,
            "means and softmax are enough": network_with_means,
        },
    ),
    Proof(
        "last_layer",
        right={
            "dense layers and losses": layers_with(),
            "activations as layers of their own": layers_by_activation,
            "activations and losses by name": layers_by_name,
        },
        wrong={
            "tanh for logits": layers_with(raw={"activation": "tanh"}),
            "elu for logits": layers_with(raw={"activation": "elu"}),
            "leaky ReLU for logits": layers_with(raw={"activation": "leaky_relu"}),
            "a straight line for a probability": layers_with(ill={"activation": "hard_sigmoid"}),
            "kept from call to call": Kept(),
            "weights that do not learn": layers_with(kind={"trainable": False}),
        },
    ),
    Proof(
        "train_cnn",
        right={
            "functional, one-hot, early stopping": cnn_functional,
            "a nested augmentation, dropout": cnn_nested,
            "a class of its own": cnn_subclassed,
        },
        wrong={
            "one number for three classes": cnn_by(last=1, activation="sigmoid"),
            "squared error": cnn_by(loss="mse"),
            "softmax left to the loss": cnn_by(activation=None),
            "a single convolution": cnn_by(filters=(8,)),
            "compiled and never fitted": cnn_by(),
        },
    ),
    Proof(
        "diagnose",
        right={
            "pandas: a description of each map": diagnosed_by_pandas,
            "NumPy: ranges": diagnosed_by_range,
            "NumPy: correlations": diagnosed_by_correlation,
        },
        wrong={
            "small numbers for a faint image": diagnosed_by_size,
            "by the brightest places": diagnosed_by_brightest,
            "zero counts as below zero": diagnosed_without_zero,
        },
    ),
]
