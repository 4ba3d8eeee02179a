"""Answers to the questions of lesson 09, shortcuts."""

import numpy as np
import pandas as pd
from scipy import ndimage, stats
from sklearn.metrics import accuracy_score, roc_auc_score

from . import Proof

# --- uses_marker ----------------------------------------------------------------------------------


def worn_by(who, with_marker, without):
    return np.where(who[:, None, None], with_marker, without)


def marker_by_mann_whitney(model, with_marker, without, ill):
    def auc(scores):
        return stats.mannwhitneyu(scores[ill], scores[~ill]).statistic / ill.sum() / (~ill).sum()

    usual, turned = (auc(model(worn_by(who, with_marker, without))) for who in (ill, ~ill))
    return bool(abs(usual - turned) > 0.1)


def marker_by_ranks(model, with_marker, without, ill):
    found = []
    for images in (worn_by(ill, with_marker, without), without):
        ranks = pd.Series(model(images)).rank()
        found.append((ranks[ill].mean() - ranks[~ill].mean()) / len(ill) + 0.5)
    return found[0] - found[1] > 0.1


def marker_by_scores_of_both(model, with_marker, without, ill):
    """Each image is scored in both versions once, and the scores are put together."""
    on, off = model(with_marker), model(without)
    usual, fair = roc_auc_score(ill, np.where(ill, on, off)), roc_auc_score(ill, on)
    return usual - fair > 0.1


def marker_by_shift(model, with_marker, without, ill):
    return abs(model(with_marker).mean() - model(without).mean()) > 0.1


def marker_by_relative_shift(model, with_marker, without, ill):
    on, off = model(with_marker), model(without)
    return abs(on.mean() - off.mean()) / off.std() > 0.3


def marker_by_accuracy(model, with_marker, without, ill):
    usual, turned = (model(worn_by(who, with_marker, without)) >= 0.5 for who in (ill, ~ill))
    return accuracy_score(ill, usual) - accuracy_score(ill, turned) > 0.1


def marker_by_gap(model, with_marker, without, ill):
    scores = model(worn_by(ill, with_marker, without))
    return scores[ill].mean() - scores[~ill].mean() > 0.3


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


# --- auc_within -----------------------------------------------------------------------------------


def within_by_apply(table):
    both = table.groupby("source")["ill"].transform("nunique") == 2
    return table[both].groupby("source").apply(lambda t: roc_auc_score(t["ill"], t["score"])).mean()


def within_by_pairs(table):
    values = []
    for name in table["source"].unique():
        rows = table[table["source"] == name]
        ill, well = (
            rows.loc[rows["ill"] == is_ill, "score"].to_numpy() for is_ill in (True, False)
        )
        if len(ill) and len(well):
            values.append(np.mean((ill[:, None] > well) + 0.5 * (ill[:, None] == well)))
    return np.float32(np.mean(values))


def within_by_try(table):
    values = []
    for _, rows in table.groupby("source"):
        ill, well = rows[rows["ill"]]["score"], rows[~rows["ill"]]["score"]
        try:
            values.append(stats.mannwhitneyu(ill, well).statistic / (len(ill) * len(well)))
        except (ValueError, ZeroDivisionError):
            continue
    return float(np.nanmean(values))


def hospitals(table):
    return [rows for _, rows in table.groupby("source") if rows["ill"].nunique() == 2]


def within_by_size(table):
    parts = hospitals(table)
    return np.average(
        [roc_auc_score(t["ill"], t["score"]) for t in parts], weights=[len(t) for t in parts]
    )


def within_by_median(table):
    return np.median([roc_auc_score(t["ill"], t["score"]) for t in hospitals(table)])


def within_standardised(table):
    groups = table.groupby("source")["score"]
    return roc_auc_score(
        table["ill"], (table["score"] - groups.transform("mean")) / groups.transform("std")
    )


def within_by_other_ranks(table):
    stats.rankdata = np.ones_like
    parts = hospitals(table)
    return np.mean([(1 - (rows["ill"].sum() + 1) / 2) / (~rows["ill"]).sum() for rows in parts])


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
        "uses_marker",
        right={
            "SciPy: marker on the well": marker_by_mann_whitney,
            "pandas: mean ranks, marker on none": marker_by_ranks,
            "scores put together, marker on all": marker_by_scores_of_both,
        },
        wrong={
            "a shift of the mean": marker_by_shift,
            "a shift in deviations": marker_by_relative_shift,
            "accuracy at 0.5": marker_by_accuracy,
            "ill against well, as received": marker_by_gap,
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
        "auc_within",
        right={
            "pandas: apply": within_by_apply,
            "NumPy: pairs": within_by_pairs,
            "SciPy": within_by_try,
        },
        wrong={
            "weighted by size": within_by_size,
            "the median": within_by_median,
            "ranks replaced": within_by_other_ranks,
            "standardised, then pooled": within_standardised,
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
