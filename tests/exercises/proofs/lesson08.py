"""Answers to the questions of lesson 08, transfer learning."""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import transfer

from . import Proof

# --- choose_cut -----------------------------------------------------------------------------------


def cut_by(fit_on, score_on, model):
    """The best stage of a model of some rows, scored on others."""

    def choose(table, features):
        label, part = table["label"].to_numpy(), table["split"].to_numpy()
        fit, score = np.isin(part, fit_on), np.isin(part, score_on)
        reached = {
            stage: model().fit(values[fit], label[fit]).score(values[score], label[score])
            for stage, values in features.items()
        }
        return max(reached, key=reached.get)

    return choose


def scaled_logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


def neighbours():
    return make_pipeline(StandardScaler(), KNeighborsClassifier(7))


def cut_by_table(table, features):
    rows = []
    for stage, values in features.items():
        found = transfer.logistic(table, values, score="val", c=0.01)
        rows.append(
            {
                "stage": stage,
                "accuracy": (found["label"].astype(str) == found["predicted"].astype(str)).mean(),
            }
        )
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False)["stage"].iloc[0]


def cut_by_centroids(table, features):
    """NumPy: each image to the nearest mean of a class."""
    label, part = table["label"].to_numpy(), table["split"].to_numpy()
    names, reached = np.unique(label), []
    for values in features.values():
        means = np.array(
            [values[(part == "train") & (label == name)].mean(axis=0) for name in names]
        )
        far = ((values[part == "val"][:, None] - means) ** 2).sum(axis=-1)
        reached.append((names[far.argmin(axis=1)] == label[part == "val"]).mean())
    return list(features)[int(np.argmax(reached))]


# --- backbone_input -------------------------------------------------------------------------------


def input_by_stack(grey, card):
    values = np.float32(grey)
    values = values if card["scales_itself"] else (values - card["offset"]) / card["scale"]
    return np.stack([values, values, values], axis=-1)


def input_by_broadcast(grey, card):
    offset, scale = (0.0, 1.0) if card["scales_itself"] else (card["offset"], card["scale"])
    return np.broadcast_to((grey[..., None].astype(float) - offset) / scale, (*grey.shape, 3))


def input_half_precision(grey, card):
    values = grey.astype(np.float16)
    if not card["scales_itself"]:
        values = (values - np.float16(card["offset"])) / np.float16(card["scale"])
    return np.tile(values[..., None], 3)


def input_as_imagenet(grey, card):
    values = np.repeat(grey[..., None] / 255, 3, axis=-1)
    return (
        values
        if card["scales_itself"]
        else (values - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    )


def input_minus_one_to_one(grey, card):
    values = grey.astype(float) if card["scales_itself"] else grey / 127.5 - 1
    return np.repeat(values[..., None], 3, axis=-1)


def input_standardised(grey, card):
    values = (grey - grey.mean()) / grey.std()
    return np.repeat(
        (grey.astype(float) if card["scales_itself"] else values)[..., None], 3, axis=-1
    )


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


# --- test_scores ----------------------------------------------------------------------------------


def scores_by(*steps):
    """Steps made anew in each call, all fitted on the training rows."""

    def test_scores(values, label, is_train):
        model = make_pipeline(*[step() for step in steps]).fit(values[is_train], label[is_train])
        return model.predict_proba(values[~is_train])[:, 1]

    return test_scores


def selection():
    return SelectKBest(f_classif, k=20)


def saga_without_a_seed():
    return LogisticRegression(solver="saga", max_iter=300)


def randomised_pca():
    return PCA(20, svd_solver="randomized")


def sgd():
    return SGDClassifier(loss="log_loss", alpha=0.1)


def sgd_from_an_own_generator():
    return SGDClassifier(
        loss="log_loss", alpha=0.1, random_state=int(np.random.default_rng().integers(10**6))
    )


def scores_by_numpy(values, label, is_train):
    """NumPy: t statistics, then the sum of the chosen columns by their sign."""
    seen, asked = values[is_train], values[~is_train]
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    seen, asked, y = (seen - mean) / deviation, (asked - mean) / deviation, label[is_train] == 1
    t = stats.ttest_ind(seen[y], seen[~y]).statistic
    best = np.argsort(-np.abs(t))[:20]
    return asked[:, best] @ np.sign(t[best])


def scores_by_pandas(values, label, is_train):
    frame = pd.DataFrame(values)
    train, test = frame[is_train], frame[~is_train]
    test = (test - train.mean()) / train.std()
    best = train.corrwith(pd.Series(label)[is_train]).abs().nlargest(20).index
    train = (train - train.mean()) / train.std()
    model = LogisticRegression().fit(train[best], label[is_train])
    return pd.Series(model.decision_function(test[best]))


def scores_selected_on_all(values, label, is_train):
    chosen = selection().fit_transform(StandardScaler().fit_transform(values), label)
    model = saga_without_a_seed().fit(chosen[is_train], label[is_train])
    return model.predict_proba(chosen[~is_train])[:, 1]


def scores_scaled_on_all(values, label, is_train):
    scaled = StandardScaler().fit_transform(values)
    model = make_pipeline(selection(), sgd()).fit(scaled[is_train], label[is_train])
    return model.predict_proba(scaled[~is_train])[:, 1]


def scores_fitted_on_all(values, label, is_train):
    model = make_pipeline(StandardScaler(), selection(), sgd_from_an_own_generator()).fit(
        values, label
    )
    return model.predict_proba(values[~is_train])[:, 1]


def scores_scaled_apart(values, label, is_train):
    """Each part by its own mean and deviation."""
    model = make_pipeline(selection(), LogisticRegression())
    model.fit(StandardScaler().fit_transform(values[is_train]), label[is_train])
    return model.predict_proba(StandardScaler().fit_transform(values[~is_train]))[:, 1]


PROOFS = [
    Proof(
        "choose_cut",
        right={
            "pandas: a table of accuracies": cut_by_table,
            "NumPy: nearest means": cut_by_centroids,
            "scikit-learn": cut_by("train", "val", scaled_logistic),
            "nearest neighbours": cut_by("train", "val", neighbours),
        },
        wrong={
            "fitted on validation, scored on train": cut_by("val", "train", scaled_logistic),
            "scored where it was fitted": cut_by("train", "train", scaled_logistic),
            "scored on test": cut_by("train", "test", scaled_logistic),
            "fitted on train and validation": cut_by(
                ["train", "val"], ["train", "val"], scaled_logistic
            ),
        },
    ),
    Proof(
        "backbone_input",
        right={
            "three copies stacked": input_by_stack,
            "broadcast": input_by_broadcast,
            "half precision": input_half_precision,
        },
        wrong={
            "ImageNet's means": input_as_imagenet,
            "-1 to 1 always": input_minus_one_to_one,
            "standardised by its own mean": input_standardised,
        },
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
        "test_scores",
        right={
            "scikit-learn, PCA": scores_by(
                StandardScaler, lambda: PCA(20, random_state=0), LogisticRegression
            ),
            "NumPy: t statistics": scores_by_numpy,
            "pandas: correlations": scores_by_pandas,
            "saga without a seed": scores_by(StandardScaler, selection, saga_without_a_seed),
            "randomised PCA without a seed": scores_by(
                StandardScaler, randomised_pca, LogisticRegression
            ),
            "gradient descent without a seed": scores_by(StandardScaler, selection, sgd),
            "a generator without a seed": scores_by(
                StandardScaler, selection, sgd_from_an_own_generator
            ),
        },
        wrong={
            "selected on all, saga": scores_selected_on_all,
            "scaled on all, gradient descent": scores_scaled_on_all,
            "fitted on all, a generator without a seed": scores_fitted_on_all,
            "each part scaled by itself": scores_scaled_apart,
        },
        chance="an answer without a seed draws other numbers in each call",
    ),
]
