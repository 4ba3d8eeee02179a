"""Answers to the questions of lesson 13, deployment."""

from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
from scipy import stats

from cxr_helpers import evaluate

from . import Proof
from .lesson06 import keras

# --- serving_model --------------------------------------------------------------------------------


def served_functional(network, temperature):
    """Functional; operators in place of layers."""
    images = keras.Input(shape=(24, 24))
    logits = network(keras.ops.expand_dims(images / 255.0, -1), training=False)
    return keras.Model(images, keras.ops.softmax(logits / temperature))


def served_by_weights(network, temperature):
    """The temperature goes into the weights of a copy's last layer."""
    copied = keras.models.clone_model(network)
    copied.set_weights(network.get_weights())
    kernel, bias = copied.layers[-1].get_weights()
    copied.layers[-1].set_weights([kernel / temperature, bias / temperature])
    images = keras.Input((24, 24))
    h = keras.layers.Rescaling(1.0 / 255)(keras.layers.Reshape((24, 24, 1))(images))
    return keras.Model(images, keras.layers.Activation("softmax")(copied(h)))


def served_layer_by_layer(network, temperature):
    """The network's own layers, one after the other, without those of training."""
    model = keras.Sequential([keras.Input((24, 24)), keras.layers.Reshape((24, 24, 1))])
    model.add(keras.layers.Rescaling(1 / 255))
    for layer in network.layers:
        if not isinstance(layer, keras.layers.RandomTranslation | keras.layers.Dropout):
            model.add(layer)
    model.add(keras.layers.Rescaling(1 / temperature))
    model.add(keras.layers.Softmax())
    return model


def served_by(before=1 / 255, behind=1.0, offset=0.0, last="softmax"):
    def answer(network, temperature):
        images = keras.Input((24, 24))
        h = keras.layers.Rescaling(before, offset)(keras.layers.Reshape((24, 24, 1))(images))
        logits = keras.layers.Rescaling(behind / temperature)(network(h))
        return keras.Model(images, keras.layers.Activation(last)(logits))

    return answer


def served_own_layer(network, temperature):
    class Cooler(keras.layers.Layer):
        def call(self, logits):
            return logits / temperature

    chain = [keras.layers.Rescaling(1 / 255), keras.layers.Reshape((24, 24, 1)), network]
    return keras.Sequential([keras.Input((24, 24)), *chain, Cooler(), keras.layers.Softmax()])


# --- diagnose -------------------------------------------------------------------------------------


def diagnosed_by_pandas(trained, served):
    ours, theirs = pd.DataFrame(trained), pd.DataFrame(served)
    off = (ours - theirs).abs().max()
    if (off < 1e-4).all():
        return "as trained"
    if (theirs.max() - theirs.min()).max() < 0.05:
        return "scaled twice"
    if (off < 1e-4).any():
        return "other order of classes"
    return "rounded weights" if ours.corrwith(theirs).min() > 0.9 else "inverted"


def diagnosed_by_sorting(trained, served):
    if np.allclose(trained, served, atol=1e-5):
        return "as trained"
    if np.allclose(np.sort(trained), np.sort(served), atol=1e-5):
        return "other order of classes"
    if np.ptp(served, axis=0).max() < 0.1:
        return "scaled twice"
    agree = np.mean(trained.argmax(axis=1) == served.argmax(axis=1))
    return "rounded weights" if agree > 0.9 else "inverted"


def diagnosed_by_permutations(trained, served):
    """Each order of the classes is tried."""
    for order in permutations(range(3)):
        if np.abs(trained - served[:, order]).max() < 1e-3:
            return "as trained" if order == (0, 1, 2) else "other order of classes"
    if np.linalg.norm(served - served.mean(axis=0), axis=1).max() < 0.1:
        return "scaled twice"
    slopes = [stats.linregress(a, b).slope for a, b in zip(trained.T, served.T)]
    return "rounded weights" if min(slopes) > 0.6 else "inverted"


def diagnosed_from_one(trained, served):
    """From the first image alone."""
    off = np.abs(trained[0] - served[0])
    if off.max() < 1e-4:
        return "as trained"
    if off.min() < 1e-4:
        return "other order of classes"
    return "rounded weights" if off.max() < 0.3 else "inverted"


def diagnosed_by_mean(trained, served):
    off = np.abs(trained - served).mean()
    if off < 1e-5:
        return "as trained"
    if off < 0.1:
        return "rounded weights"
    return "scaled twice" if served.std() < 0.1 else "inverted"


def diagnosed_by_correlation(trained, served):
    together = np.corrcoef(trained.ravel(), served.ravel())[0, 1]
    if together > 0.9999999:
        return "as trained"
    if together > 0.9:
        return "rounded weights"
    return "other order of classes" if together < 0 else "inverted"


# --- fill_card ------------------------------------------------------------------------------------


def card(evidence, interval, used="train"):
    table = evidence["predictions"]
    test = table[table["split"] == "test"]
    right = (test["label"] == test["predicted"]).astype(float)
    low, high = interval(right, test["group"])
    size = evidence["files"].loc[evidence["files"]["name"] == evidence["shipped"], "kB"].iloc[0]
    answer = {
        "intended use": "C",
        "training images": int(table["split"].isin([used, "train"]).sum()),
    }
    answer |= {"evaluation images": len(test), "accuracy": right.mean(), "low": low, "high": high}
    return answer | {"kB": size}


def by_metric(right, groups, level=0.95):
    table = pd.DataFrame(
        {
            "image_id": [f"{k}" for k in range(len(right))],
            "label": "covid",
            "group": groups.to_numpy(),
        }
    )
    said = pd.Categorical(np.where(right, "covid", "normal"), ["normal", "covid"])
    table = table.assign(predicted=said, p_covid=right.to_numpy(), p_normal=1 - right.to_numpy())
    found = evaluate.metric(table, "accuracy", level=level)
    return found.low, found.high


def resampled(right, groups, level=0.95, seed=11, times=2000):
    """Pandas: whole patients, drawn with replacement."""
    sums = right.groupby(groups.to_numpy()).agg(["sum", "count"])
    drawn = np.random.default_rng(seed).integers(len(sums), size=(times, len(sums)))
    values = sums["sum"].to_numpy()[drawn].sum(axis=1) / sums["count"].to_numpy()[drawn].sum(axis=1)
    return tuple(np.percentile(values, [50 - 50 * level, 50 + 50 * level]))


def resampled_by_scipy(right, groups, level=0.95):
    pairs = right.groupby(groups.to_numpy()).agg(["sum", "count"]).to_numpy().T

    def share(hits, images, axis=-1):
        return hits.sum(axis) / images.sum(axis)

    found = stats.bootstrap(
        pairs,
        share,
        paired=True,
        n_resamples=2000,
        confidence_level=level,
        method="percentile",
        random_state=4,
    )
    return tuple(found.confidence_interval)


def of_images(right, groups):
    return evaluate.wilson(int(right.sum()), len(right))


def card_by(interval, used="train", **settings):
    return partial(card, interval=partial(interval, **settings), used=used)


# --- believable -----------------------------------------------------------------------------------


def believable_by_query(reports):
    sound = reports.query("file == 'int8.tflite' and time.str.contains('median')")
    return sound.index[sound.iloc[:, 4] == "trained"].item()


def believable_by_exclusion(reports):
    """pandas: out with the wrong ones."""
    odd = reports["time"].isin(["the first call", "the fastest of 500"]) | reports["kB"].gt(500)
    return reports[~odd & (reports["largest difference"] > 0.002)].index[0]


def believable_by_loop(reports):
    for letter, (file, _, time, _, weights, _) in zip(reports.index, reports.to_numpy()):
        if (file, weights) == ("int8.tflite", "trained") and "warm up" in time:
            return letter


def believable_by_time(reports):
    return reports.index[reports["time"].str.startswith("median")][0]


PROOFS = [
    Proof(
        "serving_model",
        right={
            "functional, with operators": served_functional,
            "the temperature in the weights": served_by_weights,
            "layer by layer": served_layer_by_layer,
        },
        wrong={
            "scaled to -1 to 1": served_by(1 / 127.5, offset=-1.0),
            "sigmoid": served_by(last="sigmoid"),
            "softmax of the logits' negative": served_by(behind=-1.0),
            "a layer of one's own, which no other program has": served_own_layer,
        },
    ),
    Proof(
        "diagnose",
        right={
            "pandas: columns compared": diagnosed_by_pandas,
            "NumPy: sorted probabilities": diagnosed_by_sorting,
            "SciPy: slopes, after all orders": diagnosed_by_permutations,
        },
        wrong={
            "from the first image": diagnosed_from_one,
            "by the mean difference": diagnosed_by_mean,
            "by one correlation": diagnosed_by_correlation,
        },
    ),
    Proof(
        "believable",
        right={
            "pandas: a query": believable_by_query,
            "by the numbers": believable_by_exclusion,
            "a loop": believable_by_loop,
        },
        wrong={
            "a letter": "D",
            "the fastest": lambda reports: reports["ms"].idxmin(),
            "the smallest": lambda reports: reports["kB"].idxmin(),
            "the median is enough": believable_by_time,
        },
    ),
    Proof(
        "fill_card",
        right={
            "the package": card_by(by_metric),
            "pandas: 2,000 resamples": card_by(resampled),
            "SciPy's bootstrap": card_by(resampled_by_scipy),
        },
        wrong={
            "90 %, resampled": card_by(resampled, level=0.9, times=1000),
            "90 % of the package": card_by(by_metric, level=0.9),
            "80 % of the package": card_by(by_metric, level=0.8),
            "Wilson over images": card_by(of_images),
            "val counted as training": card_by(by_metric, used="val"),
        },
        chance="resampling moves the ends of an interval",
    ),
]
