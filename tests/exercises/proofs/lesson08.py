"""Answers to the questions of lesson 08, transfer learning."""

import keras
import numpy as np
import pandas as pd
from keras import layers

from . import Proof

# --- new_head -------------------------------------------------------------------------------------


def fitted(model, images, labels, rows, epochs=25, rate=0.02):
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(images[rows][..., None], labels[rows], epochs=epochs, batch_size=16, verbose=0)
    return model


def head_in_sequence(base, images, labels, is_train):
    """A Sequential model; three channels by a frozen convolution of ones; dropout, a class for each
    output one-hot."""
    base.trainable = False
    model = keras.Sequential(
        [
            keras.Input((24, 24, 1)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(3, 1, use_bias=False, kernel_initializer="ones", trainable=False),
            base,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.03), "categorical_crossentropy")
    one_hot = keras.utils.to_categorical(labels, 3)
    train = np.flatnonzero(is_train)
    model.fit(images[train, :, :, None], one_hot[train], epochs=30, batch_size=32, verbose=0)
    return model


def head_by_operations(base, images, labels, is_train):
    """Arithmetic on tensors, as `preprocess_input` writes it; each layer frozen by itself."""
    for layer in base.layers:
        layer.trainable = False
    grey = keras.Input((24, 24, 1))
    rgb = keras.ops.repeat(grey, 3, axis=-1)
    maps = base(rgb / 127.5 - 1.0, training=False)
    chance = layers.Dense(3, "softmax")(keras.ops.mean(maps, axis=(1, 2)))
    return fitted(keras.Model(grey, chance), images, labels, is_train)


def head_on_features(base, images, labels, is_train):
    """The features computed once, the head fitted to them, then put together."""
    base.trainable = False
    inputs = keras.Input((24, 24, 1))
    three = layers.Concatenate()([layers.Rescaling(1 / 127.5, -1)(inputs)] * 3)
    body = keras.Model(inputs, layers.GlobalAveragePooling2D()(base(three, training=False)))
    rows = body.predict(images[is_train][..., None], verbose=0)
    head = keras.Sequential([keras.Input((16,)), layers.Dense(3, activation="softmax")])
    head.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    head.fit(rows, labels[is_train], epochs=40, batch_size=16, verbose=0)
    model = keras.Model(inputs, head(body(inputs)))
    model.compile(loss="sparse_categorical_crossentropy")
    return model


def head_of(frozen=True, mode=False, rows=None, scale=(1 / 127.5, -1), **training):
    """A functional model with one thing otherwise."""

    def answer(base, images, labels, is_train):
        base.trainable = not frozen
        grey = keras.Input((24, 24, 1))
        scaled = layers.Rescaling(*scale)(grey)
        rgb = layers.Concatenate()([scaled, scaled, scaled])
        maps = base(rgb, training=mode) if mode is not None else base(rgb)
        chance = layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(maps))
        seen = is_train if rows is None else rows(is_train)
        return fitted(keras.Model(grey, chance), images, labels, seen, **training)

    return answer


def head_frozen_too_late(base, images, labels, is_train):
    """Trained whole, and frozen afterwards."""
    model = head_of(frozen=False, mode=None)(base, images, labels, is_train)
    base.trainable = False
    return model


def head_divided_first(base, images, labels, is_train):
    """Images divided by 255 for training; the model itself scales once more."""
    return head_of()(base, images / 255, labels, is_train)


# --- phase_2 --------------------------------------------------------------------------------------


def norm(layer):
    return "BatchNorm" in type(layer).__name__


def phase_by_index(network, first, rate):
    names = [layer.name for layer in network.layers]
    start = min(k for k, name in enumerate(names) if name.startswith(first))
    for layer in network.layers[start:]:
        layer.trainable = not norm(layer)
    return network, 0.1 * rate


def phase_by_name(network, first, rate):
    number = int(first.removeprefix("block"))
    for layer in network.layers:
        stage = layer.name.split("_")[0]
        late = not stage.startswith("block") or int(stage.removeprefix("block")) >= number
        layer.trainable = late and not norm(layer)
    return network, rate / 20


def phase_all_then_frozen(network, first, rate):
    """As in Keras' tutorial: unfreeze all, freeze what comes before, and a very low rate."""
    for layer in network.layers:
        layer.trainable = True
    for layer in network.layers:
        if layer.name.startswith(first):
            break
        layer.trainable = False
    for layer in filter(norm, network.layers):
        layer.trainable = False
    return [network, 1e-5]


def phase_first_stage_only(network, first, rate):
    for layer in network.layers:
        layer.trainable = (layer.name.startswith(first) or layer.name == "last") and not norm(layer)
    return network, rate / 10


def phase_last_two_stages(network, first, rate):
    for layer in network.layers:
        layer.trainable = layer.name.startswith(("block3", "block4", "last")) and not norm(layer)
    return network, rate / 10


def phase_with_norms(network, first, rate):
    for layer in network.layers:
        layer.trainable = True
    for layer in network.layers:
        if layer.name.startswith(first):
            break
        layer.trainable = False
    return network, rate / 10


# --- what_happened --------------------------------------------------------------------------------


def happened_by_pandas(runs):
    """A table of figures for each run, then conditions in turn."""
    found = runs.groupby("run").agg(
        first=("training", "first"),
        last=("training", "last"),
        best=("validation", "min"),
        end=("validation", "last"),
    )
    said = pd.Series("sound", found.index)
    said[found["end"] > found["best"] + 0.3] = "too long"
    said[found["best"] > 1] = "batch norm"
    said[found["last"] > 0.8] = "input"
    said[found["first"] > 1.3] = "rate"
    return said


def happened_by_numpy(runs):
    """NumPy: the gap at the first and at the last epoch, and how far training came."""
    answer = {}
    for letter in np.unique(runs["run"]):
        one = runs[runs["run"] == letter].sort_values("epoch")
        t, v = one["training"].to_numpy(), one["validation"].to_numpy()
        if t[0] - t[-1] < 0.2:
            answer[letter] = "input"
        elif t[0] > 1.5:
            answer[letter] = "rate"
        elif v[-1] - t[-1] < 0.3:
            answer[letter] = "sound"
        else:
            answer[letter] = "too long" if v[:6].min() < 0.9 else "batch norm"
    return answer


def happened_by_a_guess(runs):
    """Everything is compared with the loss of a guess."""
    guess, answer = np.log(3), {}
    for letter, run in runs.groupby("run"):
        over = (run[["training", "validation"]] > guess + 0.1).to_numpy()
        under = (run[["training", "validation"]] < guess - 0.2).to_numpy()
        if over[0].all():
            answer[letter] = "rate"
        elif not under.any():
            answer[letter] = "input"
        elif not under[:, 1].any():
            answer[letter] = "batch norm"
        else:
            late = run["validation"].iloc[-3:].mean() - run["validation"].min()
            answer[letter] = "too long" if late > 0.2 else "sound"
    return answer


def happened_at_the_end(runs):
    """The last epoch alone."""
    last = runs.groupby("run").last()
    gap = last["validation"] - last["training"]
    said = pd.Series("sound", last.index)
    said[gap > 0.3] = "too long"
    said[last["training"] > 1.05] = "input"
    return said.to_dict()


def happened_by_training(runs):
    answer = {}
    for letter, run in runs.groupby("run"):
        t = run["training"]
        answer[letter] = "rate" if t.max() > 1.4 else "input" if t.min() > 0.9 else "too long"
        if 0.25 < t.iloc[-1] < 0.9:
            answer[letter] = "sound"
    return answer


def happened_exchanged(runs):
    other = {"too long": "batch norm", "batch norm": "too long"}
    return {k: other.get(said, said) for k, said in happened_by_numpy(runs).items()}


# --- reportable -----------------------------------------------------------------------------------


def reportable_by_query(searches):
    table = searches.rename(columns=lambda name: name.replace(" ", "_"))
    kept = table.query("chosen_on != 'test' and reported.str.contains('once')")
    return kept[~kept["done_with_all_images"].str.contains("tuned|selected")].index.item()


def reportable_by_loop(searches):
    for letter, search in searches.iterrows():
        harmless = search["done with all images"].split()[0] in ("images", "frozen", "copies")
        if harmless and search["chosen on"] != "test" and search["reported"].endswith("once"):
            return letter


def reportable_by_faults(searches):
    """NumPy: the row with the fewest faults."""
    faults = (searches["chosen on"] == "test").astype(int).to_numpy()
    faults = faults + ~np.isin(searches["reported"], ["test, opened once"])
    faults = faults + searches["done with all images"].str.endswith(("on them", "label"))
    return searches.index[np.argmin(faults)]


def reportable_without_the_base(searches):
    """Running the frozen base over all images is taken for a leak."""
    kept = searches[searches["done with all images"].isin(["images resized", "copies grouped"])]
    kept = kept[(kept["reported"] == "test, opened once") & (kept["chosen on"] != "test")]
    return kept.index[0] if len(kept) else searches.index[0]


def reportable_on_validation(searches):
    kept = searches.index[searches["chosen on"] == "validation"]
    return kept[0] if len(kept) else searches.index[0]


PROOFS = [
    Proof(
        "new_head",
        right={
            "Sequential, dropout, one-hot labels": head_in_sequence,
            "arithmetic on tensors": head_by_operations,
            "features computed once": head_on_features,
        },
        wrong={
            "frozen after the training": head_frozen_too_late,
            "training mode kept, nothing frozen": head_of(frozen=False, mode=True),
            "fitted on the others as well": head_of(rows=lambda part: part | True),
            "fitted on the others alone": head_of(rows=lambda part: ~part),
            "0 to 1": head_of(scale=(1 / 255, 0.0)),
            "one step": head_of(epochs=1, rate=1e-4),
            "divided before the model, too": head_divided_first,
        },
        chance="a head fitted on the wrong scale may still be right on the right one",
    ),
    Proof(
        "phase_2",
        right={
            "by the place of the first layer": phase_by_index,
            "by the numbers of the stages": phase_by_name,
            "Keras' tutorial": phase_all_then_frozen,
        },
        wrong={
            "the first stage only": phase_first_stage_only,
            "the last two stages always": phase_last_two_stages,
            "batch normalisation unfrozen": phase_with_norms,
        },
    ),
    Proof(
        "what_happened",
        right={
            "pandas: figures of each run": happened_by_pandas,
            "NumPy: gaps": happened_by_numpy,
            "all against a guess": happened_by_a_guess,
        },
        wrong={
            "the last epoch alone": happened_at_the_end,
            "training alone": happened_by_training,
            "batch norm and too long exchanged": happened_exchanged,
            "letters typed in": lambda runs: dict(
                zip("ABCDEF", ["sound", "rate", "input", "too long", "batch norm", "sound"])
            ),
        },
    ),
    Proof(
        "reportable",
        right={
            "pandas: a query": reportable_by_query,
            "a loop": reportable_by_loop,
            "NumPy: the fewest faults": reportable_by_faults,
        },
        wrong={
            "the lowest accuracy": lambda searches: searches["accuracy"].idxmin(),
            "the frozen base taken for a leak": reportable_without_the_base,
            "chosen on validation": reportable_on_validation,
            "a letter": "B",
        },
    ),
]
