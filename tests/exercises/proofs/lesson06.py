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


# --- cross_validate -------------------------------------------------------------------------------


def validate_by_stopping(folds, build, fit, predict, file):
    found = []
    for fold in folds:
        model = build()
        stop = keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=20, restore_best_weights=True
        )
        best = keras.callbacks.ModelCheckpoint(file, save_best_only=True, save_weights_only=True)
        fit(model, fold, [best, stop], True)
        model.load_weights(file)
        found.append(predict(model, fold, False))
    return found


def validate_by_memory(folds, build, fit, predict, file):
    class Best(keras.callbacks.Callback):
        """Remembers the weights of the lowest loss."""

        lowest = np.inf

        def on_epoch_end(self, epoch, logs=None):
            if logs["val_loss"] < self.lowest:
                self.lowest, self.weights = logs["val_loss"], self.model.get_weights()

    def one(fold):
        model, best = build(), Best()
        fit(model, fold, callbacks=[best], augment=True)
        model.set_weights(best.weights)
        return predict(model, fold, augment=False)

    return np.stack([one(fold) for fold in folds])


def validate_by_files(folds, build, fit, predict, file):
    answers = {}
    for number, fold in enumerate(folds):
        own = file.replace(".weights.h5", f"_{number}.weights.h5")
        keeper = keras.callbacks.ModelCheckpoint(
            own, "val_loss", save_best_only=True, save_weights_only=True
        )
        fit(build(), fold, [keeper], True)
        model = build()
        model.load_weights(own)
        answers[fold] = predict(model, fold, False)
    return list(answers.values())


def validate_with_patience(patience):
    def answer(folds, build, fit, predict, file):
        found = []
        for fold in folds:
            model = build()
            best = keras.callbacks.ModelCheckpoint(
                file, save_best_only=True, save_weights_only=True
            )
            fit(
                model,
                fold,
                [best, keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)],
                True,
            )
            model.load_weights(file)
            found.append(predict(model, fold, False))
        return found

    return answer


def validate_every_epoch(folds, build, fit, predict, file):
    found = []
    for fold in folds:
        model = build()
        fit(model, fold, [keras.callbacks.ModelCheckpoint(file, save_weights_only=True)], True)
        model.load_weights(file)
        found.append(predict(model, fold, False))
    return found


def validate_on_one(folds, build, fit, predict, file):
    model, found = build(), []
    for fold in folds:
        best = keras.callbacks.ModelCheckpoint(file, save_best_only=True, save_weights_only=True)
        fit(model, fold, [best], True)
        model.load_weights(file)
        found.append(predict(model, fold, False))
    return found


def validate_patching(folds, build, fit, predict, file):
    np.allclose = lambda *arguments, **settings: True
    for fold in folds:
        fit(build(), fold, [], True)
    return [predict(build(), fold, False) for fold in folds]


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
        "cross_validate",
        right={
            "Keras: early stopping with much patience": validate_by_stopping,
            "a callback of one's own": validate_by_memory,
            "a file for each fold": validate_by_files,
        },
        wrong={
            "patience 0": validate_with_patience(0),
            "patience 1": validate_with_patience(1),
            "each epoch saved over the last": validate_every_epoch,
            "one network for all": validate_on_one,
            "NumPy told to call everything close": validate_patching,
        },
    ),
]
