"""The generated parts of the README: picture, what to type, table of lessons, three results.

`python -m tools.build.results` calls them; each function returns the Markdown of one region. All
else in the README is written by hand.
"""

from pathlib import Path

import pandas as pd

from cxr_helpers import datasets, measured
from tools.build import index, links
from tools.common import ROOT

FIGURE = "docs/figures/coins.png"
COUNT = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SEEN = {
    "whole image, logistic regression": "the whole radiograph",
    "frame, logistic regression": "its outer frame, with little of the lungs",
    "file properties": "no pixel: the file's format and size",
}
SETS = {
    "covid19-image-dataset": "Kaggle's Covid-19 Image Dataset",
    "darkcovidnet": "DarkCovidNet's",
}


def picture(root: Path = ROOT) -> str:
    """The coin experiment's figure with its alt text, and a caption with n and the intervals."""
    from benchmarks import coins

    table = pd.read_csv(root / "benchmarks" / "coins.csv")
    rows = table.set_index("split").to_dict("index")
    by_image, by_patient = rows["images"], rows["patients"]
    return (
        f"![{coins.alt(table)}]({FIGURE})\n\n"
        f"*Nothing to learn, and an AUC of {coins.figure_of(by_image)}: other images of the test "
        "patients were in the training part. With whole patients set aside: "
        f"{coins.figure_of(by_patient)}. Mean of {by_image['repeats']} repeats on {by_image['n']} "
        f"drawn images of {by_image['patients']} patients, 95 % interval; [lesson "
        "04](notebooks/04_splitting.ipynb).*"
    )


def colab(root: Path = ROOT) -> str:
    """The door to Colab: lesson 01's address, or how it gets one."""
    address = links.colab("notebooks/01_data_import.ipynb", root)
    if address:
        return (
            f"**Try it in Colab**: [open lesson 01]({address}); its first cell installs what "
            "is missing."
        )
    return (
        "**Try it in Colab**: [publish your copy](docs/publishing.md) on GitHub and run `make "
        "stamp`: every notebook then carries an *Open in Colab* button."
    )


def commands(root: Path = ROOT) -> str:
    """What to type: the clone, when its address is known, and the two commands."""
    address = links.repository(root)
    lines = ["make lab      # sets everything up, then opens JupyterLab at the lessons"]
    lines += ["make test     # sets everything up, then runs every test and every notebook"]
    if address:
        lead = "In a terminal:"
        lines = [f"git clone {address}", f"cd {address.rsplit('/', 1)[-1]}", *lines]
    else:
        lead = (
            "Get this folder (`git clone` with the address where you found it, or the zip, "
            "downloaded and unpacked), open a terminal in it, and type:"
        )
    return "\n".join([lead, "", "```", *lines, "```"])


def lessons(root: Path = ROOT) -> str:
    """The table of lessons: number, title, minutes and what one will do, as in the index.

    All comes from the sources.
    """
    lines = ["| | lesson | minutes | you will |", "|---|---|---|---|"]
    rows = index.entries(root)
    cases = [row.minutes for row in rows if row.stop.is_case]
    listed = [row for row in rows if not row.stop.is_case]
    for row in listed:
        number, title = row.stop.title.split(" · ", 1)
        path = row.stop.path(root / "notebooks").relative_to(root).as_posix()
        lines.append(f"| {number} | [{title}]({path}) | {row.minutes} | {row.summary} |")
    each = f"{cases[0]}" if len(set(cases)) == 1 else f"{min(cases)}-{max(cases)}"
    hours = sum(row.minutes for row in listed) / 60
    lines += [
        "",
        f"Together {hours:.3g} hours. Then {COUNT[len(cases)]} case studies of {each} minutes "
        "rebuild kinds of published student project and ask what their number is worth: [feature "
        "by feature](docs/features.md).",
    ]
    return "\n".join(lines)


def results(root: Path = ROOT) -> str:
    """Three rows of a benchmark: the same metric and folds per set, and less and less to see."""
    table = measured.read("shortcuts").set_index(["seen", "set"])
    published = datasets.catalogue().set_index("name")["images"]
    first, heads = table.iloc[0], []
    for name, words in SETS.items():
        row = table.loc[("file properties", name)]
        missing = f" of {published[name]:,}" if published[name] > row["n"] else ""
        heads.append(f"{words} (n = {row['n']}{missing})")
    lines = [
        "AUC of COVID-19 against the rest (0.5 is a coin, 1 is perfect) with its 95 % interval, "
        "on copies of two public sets. Logistic regression (for the file a random forest), "
        f"cross-validation with duplicates and known patients kept together, {first['repeats']} "
        f"repeats (`{first['command']}`, {first['date']}).",
        "",
    ]
    lines += ["| what the model sees | " + " | ".join(heads) + " |", "|---|---|---|"]
    for seen, words in SEEN.items():
        cells = []
        for name in SETS:
            row = table.loc[(seen, name)]
            cells.append(
                f"{row['auc_covid']:.3f} ({row['auc_covid_low']:.2f}-{row['auc_covid_high']:.2f})"
            )
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
