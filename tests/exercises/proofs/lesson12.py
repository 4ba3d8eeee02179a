"""Answers to the questions of lesson 12, uncertainty and external validation."""

from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

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


# --- gate_limit -----------------------------------------------------------------------------------


def gate_by_rank(clean, wrong):
    return sorted(clean)[len(clean) - len(clean) // 20 - 1]


def gate_by_pandas(clean, wrong):
    return pd.Series(clean).quantile(0.95, interpolation="higher")


def gate_by_search(clean, wrong):
    return min(limit for limit in clean if np.mean(clean > limit) <= 0.05)


def gate_two_deviations(clean, wrong):
    return np.mean(clean) + 2 * np.std(clean)


def gate_of_the_normal(clean, wrong):
    return stats.norm.ppf(0.95, np.mean(clean), np.std(clean))


def gate_between(clean, wrong):
    return (np.quantile(clean, 0.95) + np.quantile(wrong, 0.05)) / 2


# --- abstaining -----------------------------------------------------------------------------------


def abstaining_by_query(table, cut):
    ill = table.query("label == 'covid'")
    left = ill.query("confidence < @cut")
    found = ill.query("confidence >= @cut and predicted == 'covid'")
    return {"found": len(found) / len(ill), "left": len(left) / len(ill)}


def abstaining_by_crosstab(table, cut):
    said = table["predicted"].where(table["confidence"] >= cut, "left")
    row = pd.crosstab(table["label"], said, normalize="index").loc["covid"]
    return {"found": row["covid"], "left": row["left"]}


def abstaining_by_arrays(table, cut):
    label, said, sure = (
        table[column].to_numpy() for column in ("label", "predicted", "confidence")
    )
    ill = label == "covid"
    return {
        "found": np.sum((said == "covid") & (sure >= cut) & ill) / ill.sum(),
        "left": np.mean(sure[ill] < cut),
    }


def abstaining_of_answered(table, cut):
    kept = table[table["confidence"] >= cut]
    ill = table["label"] == "covid"
    recall = ((kept["label"] == "covid") & (kept["predicted"] == "covid")).sum() / (
        kept["label"] == "covid"
    ).sum()
    return {"found": recall, "left": (table.loc[ill, "confidence"] < cut).mean()}


def abstaining_as_missed(table, cut):
    ill = table[table["label"] == "covid"]
    return {"found": (ill["predicted"] == "covid").mean(), "left": (ill["confidence"] < cut).mean()}


def abstaining_of_called(table, cut):
    called = table[table["predicted"] == "covid"]
    return {
        "found": (called["confidence"] >= cut).mean(),
        "left": (called["confidence"] < cut).mean(),
    }


def abstaining_below_the_cut_shown(table, cut):
    return abstaining_by_query(table, 0.7)


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
        "gate_limit",
        right={"sorted": gate_by_rank, "pandas: a score": gate_by_pandas, "search": gate_by_search},
        wrong={
            "two deviations above the mean": gate_two_deviations,
            "SciPy: a normal distribution": gate_of_the_normal,
            "between the two": gate_between,
        },
    ),
    Proof(
        "abstaining",
        right={
            "pandas: queries": abstaining_by_query,
            "a cross-table": abstaining_by_crosstab,
            "NumPy: masks": abstaining_by_arrays,
        },
        wrong={
            "recall of the answered": abstaining_of_answered,
            "predicted below the cut counted": abstaining_as_missed,
            "of those called ill": abstaining_of_called,
            "the cut of the sample": abstaining_below_the_cut_shown,
        },
    ),
]
