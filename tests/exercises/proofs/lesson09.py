"""Answers to the questions of lesson 09, shortcuts."""

import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Proof

# --- what_it_reads --------------------------------------------------------------------------------


def reads_by_numpy(chart):
    """Fall from "as taken" to "random", in arrays."""
    letters = sorted(chart["network"].unique())
    area = {
        world: chart[chart["test set"] == world].sort_values("network")["AUC"].to_numpy()
        for world in chart["test set"].unique()
    }
    uses, sees = area["as taken"] - area["random"] > 0.09, area["removed"] >= 0.65
    names = np.select([uses & sees, uses, sees], ["both", "word", "disease"], "nothing")
    return dict(zip(letters, names))


def reads_by_intervals(chart):
    """Two test sets differ where their intervals do not meet."""
    found = {}
    for letter, rows in chart.groupby("network"):
        rows = rows.set_index("test set")
        uses = rows.loc["reversed", "high"] < rows.loc["as taken", "low"]
        sees = rows.loc["removed", "low"] > 0.6
        found[letter] = ["nothing", "disease", "word", "both"][2 * int(uses) + int(sees)]
    return found


def reads_by_pandas(chart):
    """The range of the four AUCs, as a column of a table."""
    table = chart.set_index(["network", "test set"])["AUC"].unstack()
    spread = table.max(axis=1) - table.min(axis=1)
    kind = table["removed"].gt(0.75).map({True: "disease", False: "nothing"})
    kind[spread > 0.15] = kind.replace({"disease": "both", "nothing": "word"})
    return kind


def reads_by_highest(chart):
    """The test set with the highest AUC names what is read."""
    best = chart.sort_values("AUC").groupby("network")["test set"].last()
    return best.map(lambda world: "word" if world == "as taken" else "disease").to_dict()


def reads_below_half(chart):
    table = chart.pivot(index="network", columns="test set", values="AUC")
    found = {}
    for letter, area in table.iterrows():
        if area["reversed"] < 0.45:
            found[letter] = "both" if area["removed"] > 0.7 else "word"
        else:
            found[letter] = "disease" if area["removed"] > 0.7 else "nothing"
    return found


def reads_by_random(chart):
    """The AUC with the word at random alone: middling is taken for both."""
    area = chart[chart["test set"] == "random"].set_index("network")["AUC"]
    return pd.cut(area, [0, 0.6, 0.85, 1], labels=["word", "both", "disease"]).astype(str).to_dict()


def reads_as_shown(chart):
    return {"A": "both", "B": "nothing", "C": "disease", "D": "both", "E": "word"}


# --- repair ---------------------------------------------------------------------------------------


def repaired_box(films, letters, ill, train):
    _, rows, columns = np.nonzero(letters)
    result = films.copy()
    result[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 0
    return result


def repaired_rows(films, letters, ill, train):
    result = np.array(films)
    result[:, letters.any(axis=(0, 2))] = 0
    return result


def repaired_wider(films, letters, ill, train):
    region = ndimage.binary_dilation(letters.max(axis=0))
    return films * ~region


def repaired_of(which):
    """The places of the letters on some of the images, blacked out in all."""

    def repair(films, letters, ill, train):
        return np.where(letters[which(ill, train)].any(axis=0), 0, films)

    return repair


def repaired_as_shown(films, letters, ill, train):
    result = films.copy()
    result[:, :10] = 0
    return result


def repaired_image_by_image(films, letters, ill, train):
    return np.stack([np.where(mask, 0, film) for film, mask in zip(films, letters)])


# --- frame_scores ---------------------------------------------------------------------------------


def frame_by_zeros(images, ill, patients, margin):
    """The inside set to 0, a loop over the folds, a forest."""
    rows = images.copy()
    rows[:, margin:-margin, margin:-margin] = 0
    rows, found = rows.reshape(len(rows), -1), np.zeros(len(rows))
    for train, test in StratifiedGroupKFold(5).split(rows, ill, patients):
        model = RandomForestClassifier(50, min_samples_leaf=3, random_state=0)
        found[test] = model.fit(rows[train], ill[train]).predict_proba(rows[test])[:, 1]
    return found


def frame_by_strips(images, ill, patients, margin):
    """Four strips side by side; one patient left out at a time."""
    strips = [images[:, :margin], images[:, -margin:]]
    strips += [images[:, margin:-margin, :margin], images[:, margin:-margin, -margin:]]
    rows = np.hstack([strip.reshape(len(images), -1) for strip in strips]) / 255
    folds = LeaveOneGroupOut()
    model = LogisticRegression()
    return cross_val_predict(model, rows, ill, groups=patients, cv=folds, method="predict_proba")[
        :, 1
    ]


def frame_by_pandas(images, ill, patients, margin):
    """A table of pixels, whole patients dealt out by hand, nearest neighbours."""
    side = images.shape[1]
    near = [k for k in range(side) if k < margin or k >= side - margin]
    kept = [r * side + c for r in range(side) for c in range(side) if r in near or c in near]
    table = pd.DataFrame(images.reshape(len(images), -1))[kept] / 255
    fold, found = pd.Series(pd.factorize(patients)[0] % 6), pd.Series(0.0, table.index)
    for k in range(6):
        model = KNeighborsClassifier(7).fit(table[fold != k].to_numpy(), ill[fold != k])
        found[fold == k] = model.predict_proba(table[fold == k].to_numpy())[:, 1]
    return found


def frame_by(rows, cv):
    def answer(images, ill, patients, margin):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
        pixels = rows(images.astype(float), margin).reshape(len(images), -1)
        given = cross_val_predict(
            model, pixels, ill, groups=patients, cv=cv, method="predict_proba"
        )
        return given[:, 1]

    return answer


def frame_scaled_on_all(images, ill, patients, margin):
    """A scaler fitted on all images, as most first drafts have it."""
    rows = StandardScaler().fit_transform(blacked(images.copy(), margin).reshape(len(images), -1))
    folds = StratifiedGroupKFold(5)
    model = LogisticRegression(C=0.1)
    return cross_val_predict(model, rows, ill, groups=patients, cv=folds, method="predict_proba")[
        :, 1
    ]


def frame_on_itself(images, ill, patients, margin):
    rows = blacked(images.copy(), margin).reshape(len(images), -1)
    forest = RandomForestClassifier(50, random_state=0).fit(rows, ill)
    return forest.predict_proba(rows)[:, 1]


def blacked(images, margin):
    images[:, margin:-margin, margin:-margin] = 0
    return images


def standardised_first(images, margin):
    means, deviations = images.mean(axis=(1, 2)), images.std(axis=(1, 2))
    return blacked((images - means[:, None, None]) / deviations[:, None, None], margin)


def half_blacked(images, margin):
    images[:, 2 * margin : -2 * margin, 2 * margin : -2 * margin] = 0
    return images


# --- believable -----------------------------------------------------------------------------------


def believable_by_exclusion(studies):
    helped = studies["COVID from North"].ne(studies["others from North"])
    return studies.drop(studies.index[helped & studies["AUC over"].eq("all pairs")]).index.item()


def believable_by_loop(studies):
    for letter, study in studies.to_dict("index").items():
        if (
            "within" in study["AUC over"]
            or study["COVID from North"] - study["others from North"] == 0
        ):
            return letter


def believable_by_gap(studies):
    """NumPy: the smallest gap between the hospitals, which is none within one."""
    gap = np.abs(np.subtract(studies["COVID from North"], studies["others from North"]))
    return studies.index[np.argmin(np.where(studies["AUC over"].str.startswith("pairs"), 0, gap))]


def believable_by_lungs(studies):
    return studies.index[studies["images"] == "lungs cut out along their outline"][-1]


def believable_mixed(studies):
    """Both hospitals have both kinds: taken for enough."""
    return studies.index[studies["COVID from North"].between(1, 99)][0]


PROOFS = [
    Proof(
        "what_it_reads",
        right={
            "NumPy: the fall to random": reads_by_numpy,
            "intervals apart": reads_by_intervals,
            "pandas: the range of the AUCs": reads_by_pandas,
        },
        wrong={
            "the test set with the highest AUC": reads_by_highest,
            "below one half when reversed": reads_below_half,
            "the word at random alone": reads_by_random,
            "letters typed in": reads_as_shown,
        },
    ),
    Proof(
        "repair",
        right={
            "NumPy: a box": repaired_box,
            "whole rows": repaired_rows,
            "SciPy: a wider region": repaired_wider,
        },
        wrong={
            "letters of the ill": repaired_of(lambda ill, train: ill),
            "letters of the test": repaired_of(lambda ill, train: ~train),
            "letters of the first image with any": repaired_of(
                lambda ill, train: [int(np.argmax(ill))]
            ),
            "the rows of the sample": repaired_as_shown,
            "image by image": repaired_image_by_image,
        },
    ),
    Proof(
        "frame_scores",
        right={
            "the inside set to 0, a forest": frame_by_zeros,
            "four strips, one patient left out": frame_by_strips,
            "pandas, nearest neighbours": frame_by_pandas,
        },
        wrong={
            "each image standardised first": frame_by(standardised_first, GroupKFold(5)),
            "twice the margin": frame_by(half_blacked, GroupKFold(5)),
            "images shuffled": frame_by(blacked, KFold(5, shuffle=True, random_state=0)),
            "the whole image": frame_by(lambda images, margin: images, GroupKFold(5)),
            "scaled on all": frame_scaled_on_all,
            "a forest scored on itself": frame_on_itself,
        },
    ),
    Proof(
        "believable",
        right={
            "pandas: what is left": believable_by_exclusion,
            "a loop": believable_by_loop,
            "NumPy: the smallest gap": believable_by_gap,
        },
        wrong={
            "a letter": "C",
            "the lowest AUC": lambda studies: studies["AUC"].idxmin(),
            "the lungs": believable_by_lungs,
            "both hospitals": believable_mixed,
        },
    ),
]
