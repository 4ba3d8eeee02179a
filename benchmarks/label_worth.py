"""What the NIH labels in DarkCovidNet's set are worth: a second reading, and telling them unseen.

    python -m benchmarks.label_worth --data-dir FOLDER       a few seconds; no image is opened

FOLDER holds `nih` with two public tables: `Data_Entry_2017_v2020.csv`, NIH's own (label mined from
the report, view, age, number of the follow-up), rows of the 830 films at hand;
`google2019_nih-chest-xray-labels.csv`, what radiologists said when they read films again (Majkowska
et al. 2020, doi 10.1148/radiol.2019191293), rows of 36 of these. Three more of the full set's 1,000
NIH films were read again and are not at hand. The 36 were not drawn at random from the set.

`opacity seen`: share of the films with a label in which the radiologists saw an airspace opacity.
`AUC`: pneumonia against no finding by one number alone. Nothing is fitted; which end of the number
means pneumonia was read off these films. Intervals by patient. The tables' rows are not kept in the
repository, so the figures need the folder.
"""

import argparse
import datetime
from pathlib import Path

import pandas as pd

from cxr_helpers import datasets, evaluate, measured, uncertainty

ENTRIES, AGAIN = "Data_Entry_2017_v2020.csv", "google2019_nih-chest-xray-labels.csv"
NUMBERS = {  # the higher, the more pneumonia
    "view (PA)": lambda rows: (rows["View Position"] == "PA").astype(int),
    "age": lambda rows: rows["Patient Age"],
    "follow-up number": lambda rows: rows["Follow-up #"],
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    folder = datasets.data_dir(arguments.parse_args().data_dir) / "nih"
    result = table(read(folder / ENTRIES), read(folder / AGAIN))
    result = result.assign(
        date=datetime.date.today().isoformat(), command="python -m benchmarks.label_worth"
    )
    print(result.drop(columns=["date", "command"]).to_string(index=False))
    result.to_csv(measured.path("label_worth"), index=False)


def read(file: Path) -> pd.DataFrame:
    """A table of NIH films: `image_id`, `group` (the patient), `label` (pneumonia or normal)."""
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is not there: put NIH's table of that name into the folder"
        )
    rows = pd.read_csv(file, dtype={"Patient ID": str})
    found = rows["Finding Labels"].str.split("|")
    pneumonia = found.map(lambda names: "Pneumonia" in names)
    if strange := sorted(
        set(rows.loc[~pneumonia & (rows["Finding Labels"] != "No Finding"), "Finding Labels"])
    ):
        raise ValueError(
            f"{file}: neither pneumonia nor no finding: {', '.join(strange)}; take these rows out"
        )
    label = pneumonia.map({True: "pneumonia", False: "normal"})
    return rows.rename(columns={"Image Index": "image_id", "Patient ID": "group"}).assign(
        label=label
    )


def table(entries: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """All rows: the second reading for each label, then each number."""
    rows = [second_reading(again, label) for label in ("pneumonia", "normal")]
    rows += [alone(entries, name) for name in NUMBERS]
    return pd.DataFrame(rows).astype({"count": "Int64"}).round(4)


def second_reading(again: pd.DataFrame, label: str) -> dict:
    """In how many of the films with this label the radiologists saw an airspace opacity."""
    rows = again[again["label"] == label]
    rows = rows.assign(seen=rows["Airspace opacity"].map({"YES": True, "NO": False}))
    if rows["seen"].isna().any():
        raise ValueError(
            "a film is read as neither YES nor NO: leave it out of the table of second readings"
        )
    name = {"pneumonia": "labelled pneumonia", "normal": "labelled no finding"}[label]
    return line(name, "opacity seen", uncertainty.share(rows, "seen"), int(rows["seen"].sum()))


def alone(entries: pd.DataFrame, name: str) -> dict:
    """The AUC of pneumonia against no finding by one number."""
    number = NUMBERS[name](entries)
    p = number.rank(pct=True)  # an AUC asks for the order alone
    scored = entries[["image_id", "group", "label"]].assign(p_normal=1 - p, p_pneumonia=p, seed=0)
    scored["predicted"] = (p > 0.5).map({True: "pneumonia", False: "normal"})
    return line(name, "AUC", evaluate.metric(scored, "roc_auc", "pneumonia"))


def line(what: str, figure: str, estimate, count: int | None = None) -> dict:
    """A row of the table."""
    value = {"value": estimate.value, "low": estimate.low, "high": estimate.high, "count": count}
    return {"what": what, "figure": figure} | value | {"n": estimate.n, "groups": estimate.groups}


if __name__ == "__main__":
    main()
