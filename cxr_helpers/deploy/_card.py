"""A model card, written from the evidence or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

NOTE = "Educational, not for diagnosis."
DETAILS = ("name", "version", "date", "architecture", "parameters", "input", "licence", "contact")
INTENDED = ("use", "users", "out of scope")
DECISION = ("positive", "threshold", "chosen on", "why")
FIGURES = ("value", "low", "high", "n")
SIDES = ("image_id", "group", "label", "source", "licence")


class CardError(ValueError):
    """The card cannot be written: the message lists what is missing or contradicts itself."""


def model_card(
    *,
    details: Mapping | None = None,
    intended: Mapping | None = None,
    factors: str | None = None,
    decision: Mapping | None = None,
    training: pd.DataFrame | None = None,
    evaluation: pd.DataFrame | None = None,
    results: pd.DataFrame | None = None,
    subgroups: Mapping[str, pd.DataFrame] | None = None,
    calibration: pd.DataFrame | None = None,
    gate: pd.DataFrame | None = None,
    ethics: str | None = None,
    caveats: Sequence[str] | None = None,
) -> str:
    """A model card in Markdown, its nine sections in the order of Mitchell et al. 2019.

    Source: doi 10.1145/3287560.3287596. All parts are needed, and no figure goes without interval
    and n.

    Parameters
    ----------
    details : mapping
        Name, version, date, architecture, parameters, input, licence, contact.
    intended : mapping
        Use, users, out of scope.
    factors : str
        What may change the answers, and what of it was not examined.
    decision : mapping
        Positive (class), threshold, chosen on (never test), why.
    training, evaluation : DataFrame
        Rows of the manifest; they share no group.
    results : DataFrame
        A column of names first, then value, low, high, n (as `evaluate.metrics` gives; others are
        kept).
    subgroups : mapping of str to DataFrame
        {column: table of `evaluate.subgroups`}.
    calibration, gate : DataFrame
        As `results`.
    ethics : str
        A text.
    caveats : sequence of str
        One sentence each, at least one.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    CardError
        Names everything that is missing or contradicts itself.
    """
    given: dict[str, Any] = dict(locals())
    if faults := _faults(given):
        raise CardError(
            "The card cannot be written:\n" + "\n".join(f"- {fault}" for fault in faults)
        )
    return _written(**given)  # nothing is missing: no value is None


def _written(
    *,
    details: Mapping,
    intended: Mapping,
    factors: str,
    decision: Mapping,
    training: pd.DataFrame,
    evaluation: pd.DataFrame,
    results: pd.DataFrame,
    subgroups: Mapping[str, pd.DataFrame],
    calibration: pd.DataFrame,
    gate: pd.DataFrame,
    ethics: str,
    caveats: Sequence[str],
) -> str:
    parts = {
        "Model details": _listing(details, DETAILS),
        "Intended use": _listing(intended, INTENDED) + f"\n\n**{NOTE}**",
        "Factors": factors,
        "Metrics": _metrics(results, decision, [results, *subgroups.values(), calibration, gate]),
        "Evaluation data": _data(evaluation),
        "Training data": _data(training),
        "Quantitative analyses": _analyses(results, subgroups, calibration, gate),
        "Ethical considerations": ethics,
        "Caveats and recommendations": "\n".join(f"- {line}" for line in caveats),
    }
    title = f"# Model card: {_line(details['name'])}\n\n> **{NOTE}**\n"
    return "\n".join(
        [title, *(f"## {name}\n\n{str(text).strip()}\n" for name, text in parts.items())]
    )


def _faults(given: Mapping) -> list[str]:
    """Everything that keeps the card from being written, in words."""
    faults = [
        f"{name} is missing" for name, value in given.items() if value is None or not len(value)
    ]
    there = {name: value for name, value in given.items() if f"{name} is missing" not in faults}
    for name, keys in (("details", DETAILS), ("intended", INTENDED), ("decision", DECISION)):
        lacking = [
            key for key in keys if name in there and not str(there[name].get(key, "")).strip()
        ]
        faults += [f"{name} lacks {', '.join(lacking)}"] if lacking else []
    for name in ("results", "calibration", "gate"):
        faults += _figure_faults(name, there[name]) if name in there else []
    for name, table in there.get("subgroups", {}).items():
        faults += _figure_faults(f"subgroups by {name}", table)
    for name in ("training", "evaluation"):
        lacking = [c for c in SIDES if name in there and c not in there[name].columns]
        faults += (
            [f"{name} has no column {', '.join(lacking)}: pass rows of the manifest"]
            if lacking
            else []
        )
    if str(there.get("decision", {}).get("chosen on", "")).strip().lower() == "test":
        faults.append(
            "decision: the threshold was chosen on test, on the images that it is reported for"
        )
    return faults + ([] if faults else _shared(given["training"], given["evaluation"]))


def _figure_faults(name: str, table: pd.DataFrame) -> list[str]:
    """A figure needs an interval and n; one that is undefined may stand without interval."""
    lacking = [column for column in FIGURES if column not in table.columns]
    if lacking:
        return [
            f"{name} has no column {', '.join(lacking)}: a figure without interval and n is not "
            "reported"
        ]
    bare = table["value"].notna() & (table[["low", "high", "n"]].isna().any(axis=1))
    where = table.columns[0]
    return (
        [f"{name}: {table.loc[bare, where].iloc[0]!s} has a value without interval or n"]
        if bare.any()
        else []
    )


def _shared(training: pd.DataFrame, evaluation: pd.DataFrame) -> list[str]:
    """Groups on both sides: then the evaluation data are partly training data."""
    for column in ("image_id", "group"):
        both = set(training[column].dropna()) & set(evaluation[column].dropna())
        if both:
            return [
                f"training and evaluation share {len(both)} {column}(s), such as "
                f"{min(map(str, both))}"
            ]
    return []


def _line(value) -> str:
    """One line of text that cannot open a heading, a table or a tag."""
    text = " ".join(str(value).split())
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|")):
        text = text.replace(sign, safe)
    return text


def _listing(values: Mapping, keys: Sequence[str]) -> str:
    order = [*keys, *(key for key in values if key not in keys)]
    return "\n".join(f"- **{_line(key).capitalize()}**: {_line(values[key])}" for key in order)


def _metrics(results: pd.DataFrame, decision: Mapping, tables: Sequence[pd.DataFrame]) -> str:
    names = ", ".join(dict.fromkeys(results[results.columns[0]].astype(str)))
    methods = [
        str(how) for table in tables if "method" in table for how in table["method"].dropna()
    ]
    how = ", ".join(dict.fromkeys(methods)) or "see the tables"
    call = (
        f"{decision['positive']} if its probability is at least {float(decision['threshold']):.3f}"
    )
    return (
        f"- **Measures**: {_line(names)}\n- **Decision**: {_line(call)}; the threshold was chosen "
        f"on {_line(decision['chosen on'])}: {_line(decision['why'])}\n- **Intervals**: 95 %, "
        f"{_line(how)}"
    )


def _data(table: pd.DataFrame) -> str:
    counts = table["label"].value_counts()
    classes = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
    patients = table["patient"].dropna().nunique() if "patient" in table else 0
    known = f", {patients} known patients" if patients else ", patients not known"
    lines = [
        f"- **Images**: {len(table)} in {table['group'].nunique()} groups{known}",
        f"- **Classes**: {classes}",
    ]
    for name, column in (("Sources", "source"), ("Licence", "licence")):
        values = table[column].astype(object).where(table[column].notna(), "unknown").value_counts()
        lines.append(
            f"- **{name}**: " + ", ".join(f"{_line(value)} ({n})" for value, n in values.items())
        )
    return "\n".join(lines)


def _analyses(results, subgroups, calibration, gate) -> str:
    tables = {"All evaluation images": results}
    tables |= {f"By {name}": table for name, table in subgroups.items()}
    tables |= {"Calibration": calibration, "Input gate": gate}
    return "\n\n".join(f"### {_line(name)}\n\n{_rows(table)}" for name, table in tables.items())


def _rows(table: pd.DataFrame) -> str:
    """A Markdown table: what the figures are of, value, interval, n."""
    names = [c for c in table.columns if c not in (*FIGURES, "groups", "method")]
    head = [*names, "value", "95 % interval", "n", *(["groups"] if "groups" in table else [])]
    lines = [head, ["---"] * len(head)]
    for row in table.to_dict("records"):
        to = " to " if row["low"] < 0 else "-"  # no dash before a minus
        span = f"{row['low']:.3f}{to}{row['high']:.3f}" if np.isfinite(row["low"]) else "none"
        value = f"{row['value']:.3f}" if np.isfinite(row["value"]) else "undefined"
        counts = [f"{row[c]:,.0f}" for c in ("n", "groups") if c in row]
        lines.append([*(_line(row[c]) for c in names), value, span, *counts])
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
