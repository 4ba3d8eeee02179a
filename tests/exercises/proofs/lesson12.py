"""Answers to the questions of lesson 12, uncertainty and external validation."""

from functools import partial

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors

from cxr_helpers import evaluate

from . import Proof

# --- external_rows --------------------------------------------------------------------------------


def external_by_index(training, table):
    seen = table.index[table["film"].isin(training["film"])].union(
        table.index[table["patient"].notna() & table["patient"].isin(training["patient"])]
    )
    return table.drop(seen)


def external_by_sets(training, table):
    films, people = set(training["film"]), set(training["patient"].dropna())
    keep = [
        film not in films and person not in people
        for film, person in zip(table["film"], table["patient"])
    ]
    return table[np.array(keep)]


def external_by_merge(training, table):
    films = training[["film"]].drop_duplicates()
    left = table.merge(films, on="film", how="left", indicator=True).query("_merge == 'left_only'")
    people = training[["patient"]].dropna().drop_duplicates()
    left = left.drop(columns="_merge").merge(people, on="patient", how="left", indicator=True)
    return left.query("_merge == 'left_only'").drop(columns="_merge")


def external_by_hash_and_person(training, table):
    return table[
        ~table["sha256"].isin(training["sha256"])
        & ~table["patient"].isin(training["patient"].dropna())
    ]


def external_by_both_at_once(training, table):
    known = set(zip(training["film"], training["patient"]))
    return table[[pair not in known for pair in zip(table["film"], table["patient"])]]


def external_of_the_named(training, table):
    found = table.dropna(subset=["patient"])
    return found[
        ~found["patient"].isin(training["patient"]) & ~found["film"].isin(training["film"])
    ]


# --- report ---------------------------------------------------------------------------------------


def sensitivities(validation, internal, external, interval):
    ill = np.sort(validation.loc[validation["label"] == "covid", "p_covid"])[::-1]
    threshold = ill[int(np.ceil(0.9 * len(ill))) - 1]
    answer = {}
    for name, table in {"internal": internal, "external": external}.items():
        rows = table[table["label"] == "covid"]
        found = (rows["p_covid"] >= threshold).astype(float)
        answer[name] = (found.mean(), *interval(found, rows["patient"]))
    return answer


def resampled_by_concat(found, patients, level=0.95):
    """Pandas: lists of the patients' rows, joined again and again."""
    rng, groups = np.random.default_rng(7), [rows.to_numpy() for _, rows in found.groupby(patients)]
    drawn = rng.integers(0, len(groups), (1000, len(groups)))
    values = [np.concatenate([groups[k] for k in line]).mean() for line in drawn]
    return np.percentile(values, [50 - 50 * level, 50 + 50 * level])


def resampled_by_weights(found, patients, level=0.95, seed=3, times=5000):
    """NumPy: how often each patient was drawn."""
    sums = found.groupby(patients).agg(["sum", "size"]).to_numpy()
    weights = np.random.default_rng(seed).multinomial(
        len(sums), np.full(len(sums), 1 / len(sums)), times
    )
    top, bottom = (weights @ sums).T
    return np.quantile(top / bottom, [(1 - level) / 2, (1 + level) / 2])


def by_the_package(found, patients, level=0.95):
    """The package: one row per image, its patient as group."""
    said = pd.Categorical(np.where(found, "covid", "normal"), ["normal", "covid"])
    table = pd.DataFrame(
        {"image_id": [f"{k}" for k in range(len(found))], "label": "covid", "predicted": said}
    )
    table = table.assign(
        group=patients.to_numpy(), p_covid=found.to_numpy(), p_normal=1 - found.to_numpy()
    )
    found = evaluate.metric(table, "sensitivity", positive="covid", level=level)
    return found.low, found.high


def by_scipy(found, patients, level=0.95):
    """SciPy: percentiles of the share over patients, drawn in pairs of hits and images."""
    pairs = found.groupby(patients).agg(["sum", "size"]).to_numpy().T

    def share(hits, images, axis=-1):
        return hits.sum(axis) / images.sum(axis)

    return stats.bootstrap(
        pairs,
        share,
        paired=True,
        n_resamples=2000,
        confidence_level=level,
        method="percentile",
        random_state=1,
    ).confidence_interval


def wilson(found, patients):
    return evaluate.wilson(int(found.sum()), len(found))


def report_with_new_thresholds(validation, internal, external):
    return {
        "internal": sensitivities(validation, internal, external, resampled_by_weights)["internal"],
        "external": sensitivities(external, internal, external, resampled_by_weights)["external"],
    }


def report_by(interval, **settings):
    return partial(sensitivities, interval=partial(interval, **settings))


# --- gate -----------------------------------------------------------------------------------------


def gate_by_covariance(train, held_out, wrong, new):
    """NumPy: eigenvectors of the covariance, a rank as the limit."""
    middle = np.mean(train, axis=0)
    patterns = np.linalg.eigh(np.cov(train.T))[1][:, -20:]

    def score(rows):
        return np.square((rows - middle) - (rows - middle) @ patterns @ patterns.T).sum(axis=1)

    return score(new) > sorted(score(held_out))[int(0.95 * len(held_out)) - 1]


def gate_by_loop(train, held_out, wrong, new):
    """One image at a time, fewer patterns, a list."""
    usual = PCA(15, random_state=1).fit(train)

    def score(row):
        return float(np.mean((row - usual.inverse_transform(usual.transform([row]))[0]) ** 2))

    limit = np.percentile([score(row) for row in held_out], 95)
    return [score(row) > limit for row in new]


def gate_by_neighbours(train, held_out, wrong, new):
    """Another score: the distance to the third nearest training image."""
    near = NearestNeighbors(n_neighbors=3).fit(train)
    scores = [pd.Series(near.kneighbors(rows)[0][:, 2]) for rows in (held_out, new)]
    return scores[1].gt(scores[0].quantile(0.95, interpolation="higher"))


def gate_by_forest(train, held_out, wrong, new):
    """Another score: an isolation forest, the rank of conformal prediction."""
    forest = IsolationForest(random_state=0).fit(train)
    clean = np.sort(-forest.score_samples(held_out))
    return -forest.score_samples(new) >= clean[int(np.ceil(0.95 * (len(clean) + 1))) - 1]


def gate_learned_from(*, learn=(0,), limit=1, share=0.95):
    def answer(*sets):
        usual = PCA(20, random_state=0).fit(np.vstack([sets[k] for k in learn]))
        scores = [
            ((rows - usual.inverse_transform(usual.transform(rows))) ** 2).mean(axis=1)
            for rows in sets
        ]
        return scores[3] > np.quantile(scores[limit], share)

    return answer


def gate_of_deviations(times):
    """A limit by mean and standard deviation, as for a normal distribution."""

    def answer(train, held_out, wrong, new):
        usual = PCA(20, random_state=0).fit(train)
        clean, given = (
            np.square(rows - usual.inverse_transform(usual.transform(rows))).mean(axis=1)
            for rows in (held_out, new)
        )
        return given > clean.mean() + times * clean.std()

    return answer


def gate_as_classifier(train, held_out, wrong, new):
    rows = np.vstack([train, wrong])
    labels = np.arange(len(rows)) >= len(train)
    return LogisticRegression(max_iter=1000).fit(rows, labels).predict(new)


def gate_by_contamination(train, held_out, wrong, new):
    """The library's own limit, from the images that it learned from."""
    return IsolationForest(contamination=0.05, random_state=0).fit(train).predict(new) == -1


# --- happened -------------------------------------------------------------------------------------


def happened_by_sklearn(internal, external, threshold):
    """scikit-learn: recalls of both classes, and the area."""

    def figures(table):
        said = table["score"] >= threshold
        rates = recall_score(table["ill"], said, average=None)
        return np.array([roc_auc_score(table["ill"], table["score"]), *rates, table["ill"].mean()])

    area, fewer_alarms, found, share = figures(external) - figures(internal)
    if area < -0.6:
        return "classes swapped"
    if area < -0.15:
        return "ranking lost"
    if abs(fewer_alarms) > 0.08 or abs(found) > 0.08:
        return "scores moved"
    return "other share of ill" if abs(share) > 0.08 else "nothing"


def happened_by_medians(internal, external, threshold):
    """pandas: medians of the logit scores of both groups."""

    def middles(table):
        logit = np.log(table["score"] / (1 - table["score"]))
        return logit.groupby(table["ill"]).median()

    home, away = middles(internal), middles(external)
    if away[True] < away[False]:
        return "classes swapped"
    if away[True] - away[False] < 0.5 * (home[True] - home[False]):
        return "ranking lost"
    if abs((away - home).mean()) > 0.6:
        return "scores moved"
    shares = internal["ill"].mean(), external["ill"].mean()
    return "nothing" if abs(shares[0] - shares[1]) < 0.1 else "other share of ill"


def happened_by_directions(internal, external, threshold):
    """NumPy: in which direction sensitivity and specificity went."""

    def rates(table):
        ill, called = table["ill"].to_numpy(), table["score"].to_numpy() >= threshold
        return np.array([called[ill].mean(), (~called[~ill]).mean()])

    found, spared = rates(external) - rates(internal)
    if rates(external).max() < 0.4:
        return "classes swapped"
    if found < -0.12 and spared < -0.12:
        return "ranking lost"
    if max(abs(found), abs(spared)) > 0.12:
        return "scores moved"
    return "nothing" if len(external) * 0.3 < external["ill"].sum() < 220 else "other share of ill"


def happened_by_accuracy(internal, external, threshold):
    right = [((t["score"] >= threshold) == t["ill"]).mean() for t in (internal, external)]
    if right[1] < 0.4:
        return "classes swapped"
    return "ranking lost" if right[1] < right[0] - 0.1 else "nothing"


def happened_by_area(internal, external, threshold):
    areas = [roc_auc_score(t["ill"], t["score"]) for t in (internal, external)]
    if areas[1] < areas[0] - 0.1:
        return "ranking lost" if areas[1] > 0.4 else "classes swapped"
    shares = [t["ill"].mean() for t in (internal, external)]
    return "other share of ill" if abs(shares[1] - shares[0]) > 0.1 else "nothing"


def happened_by_ppv(internal, external, threshold):
    ppv = [t.loc[t["score"] >= threshold, "ill"].mean() for t in (internal, external)]
    return "scores moved" if abs(ppv[1] - ppv[0]) > 0.1 else "nothing"


def happened_by_the_mean(internal, external, threshold):
    """The mean score of all: it falls where fewer are ill, too."""
    if abs(internal["score"].mean() - external["score"].mean()) > 0.1:
        return "scores moved"
    return happened_by_sklearn(internal, external, threshold)


PROOFS = [
    Proof(
        "external_rows",
        right={
            "pandas: known rows dropped": external_by_index,
            "sets": external_by_sets,
            "two left joins": external_by_merge,
        },
        wrong={
            "bytes and patient": external_by_hash_and_person,
            "radiograph and patient as one key": external_by_both_at_once,
            "rows without a name dropped": external_of_the_named,
        },
    ),
    Proof(
        "report",
        right={
            "pandas: 1,000 resamples, joined": report_by(resampled_by_concat),
            "NumPy: 5,000 resamples by weights": report_by(resampled_by_weights),
            "the package": report_by(by_the_package),
            "SciPy's bootstrap": report_by(by_scipy),
        },
        wrong={
            "90 %, resampled": report_by(resampled_by_concat, level=0.9),
            "90 % of the package": report_by(by_the_package, level=0.9),
            "99 %": report_by(resampled_by_weights, level=0.99),
            "Wilson over images": report_by(wilson),
            "another threshold for each hospital": report_with_new_thresholds,
        },
        chance="1,000 resamples move the ends of an interval",
    ),
    Proof(
        "gate",
        right={
            "NumPy: eigenvectors": gate_by_covariance,
            "one image at a time": gate_by_loop,
            "nearest neighbours": gate_by_neighbours,
            "an isolation forest": gate_by_forest,
        },
        wrong={
            "a classifier of clean and unsuitable": gate_as_classifier,
            "patterns of the unsuitable as well": gate_learned_from(learn=(0, 2)),
            "the limit of the unsuitable": gate_learned_from(limit=2, share=0.05),
            "the highest held-out score": gate_learned_from(share=1),
            "the limit of train": gate_learned_from(limit=0),
            "patterns of what comes in": gate_learned_from(learn=(3,)),
            "patterns of the held-out as well": gate_learned_from(learn=(0, 1)),
            "patterns of the held-out": gate_learned_from(learn=(1,)),
            "two deviations above the mean": gate_of_deviations(2),
            "as of a normal distribution": gate_of_deviations(1.645),
            "contamination": gate_by_contamination,
        },
    ),
    Proof(
        "happened",
        right={
            "scikit-learn": happened_by_sklearn,
            "pandas: medians": happened_by_medians,
            "NumPy: directions": happened_by_directions,
        },
        wrong={
            "by accuracy": happened_by_accuracy,
            "by AUC": happened_by_area,
            "by PPV": happened_by_ppv,
            "by the mean score": happened_by_the_mean,
        },
    ),
]
