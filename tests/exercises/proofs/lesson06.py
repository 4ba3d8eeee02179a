"""Answers to the questions of lesson 06, CNN building."""

import numpy as np

from cxr_helpers import quiet

from . import Proof


class Later:
    """Keras, imported where it is first used: that takes seconds."""

    def __getattr__(self, name):
        with quiet():
            import keras
        return getattr(keras, name)


keras = Later()

# --- count ----------------------------------------------------------------------------------------


def count_by_keras(side, channels, filters, kernel, classes, head):
    x = inputs = keras.Input((side, side, channels))
    for n in filters:
        x = keras.layers.MaxPool2D(2)(keras.layers.Conv2D(n, kernel, activation="relu")(x))
    x = keras.layers.Flatten()(x) if head == "flatten" else keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(classes, "softmax")(x)).count_params()


def count_by_shapes(side, channels, filters, kernel, classes, head):
    depths = np.array([channels, *filters])
    convolutions = (depths[:-1] * kernel**2 * depths[1:] + depths[1:]).sum()
    for _ in filters:
        side = (side - (kernel - 1)) // 2
    row = depths[-1] * (side**2 if head == "flatten" else 1)
    return convolutions + row * classes + classes


def count_by_recursion(side, channels, filters, kernel, classes, head):
    if not filters:
        return classes * (channels * (side * side if head == "flatten" else 1) + 1)
    first, *others = filters
    rest = count_by_recursion((side - kernel + 1) // 2, first, others, kernel, classes, head)
    return first * (channels * kernel * kernel + 1) + rest


def count_of_grey(side, channels, filters, kernel, classes, head):
    return count_by_shapes(side, 1, filters, kernel, classes, head)


def count_of_threes(side, channels, filters, kernel, classes, head):
    return count_by_shapes(side, channels, filters, 3, classes, head)


def count_without_halving(side, channels, filters, kernel, classes, head):
    return count_by_shapes(side * 2 ** len(filters), channels, filters, 1, classes, head)


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


PROOFS = [
    Proof(
        "count",
        right={
            "Keras counts": count_by_keras,
            "NumPy: sums of shapes": count_by_shapes,
            "plain Python: recursion": count_by_recursion,
        },
        wrong={
            "one channel": count_of_grey,
            "every kernel 3 × 3": count_of_threes,
            "sides unchanged": count_without_halving,
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
]
