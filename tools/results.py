"""Write the measured results into the README, from the CSV files in benchmarks/ and cxr_helpers/measured/.

With --check only compare.

python -m tools.results [--check]
"""

import argparse
import re
import sys
from pathlib import Path

import pandas as pd

from cxr_helpers import measured
from tools.common import ROOT

START = "<!-- results: written by `python -m tools.results` from CSV files in benchmarks/ and cxr_helpers/measured/ -->"
END = "<!-- end of results -->"
NAMES = {"case_e": "case E's recipe", "compact": "compact network"}


def case_e(folder: Path) -> str:
    """Models on case E's set, side by side."""
    table, differences = measured.read("case_e"), measured.read("case_e_differences")
    first = table.iloc[0]
    lines = [
        f"**Networks and baselines on case E's set**: {first['n']} radiographs in {first['groups']} groups, "
        f"{first['folds']}-fold cross-validation with whole groups, intervals by group (`{first['command']}`, "
        f"{first['date']}).",
        "",
        "| model | accuracy | macro-F1 | parameters | seconds per training |",
        "|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        network = row["parameters"] == row["parameters"]
        cells = [NAMES.get(row["model"], row["model"]), *(interval(row, m) for m in ("accuracy", "f1_macro"))]
        cells += [f"{row['parameters']:,.0f}", f"{row['seconds_per_training']:.0f}"] if network else ["", ""]
        lines.append("| " + " | ".join(cells) + " |")
    gap = differences.query("`compact minus` == 'case_e' and metric == 'f1_macro'").iloc[0]
    seconds = table.set_index("model")["seconds_per_training"]
    lines += [
        "",
        f"The compact network minus case E's recipe, paired by group: macro-F1 {gap['difference']:+.3f} "
        f"({gap['low']:+.3f} to {gap['high']:+.3f}), in {seconds['compact'] / seconds['case_e']:.0%} of its training "
        "time (the two took turns on one machine of two cores).",
    ]
    return "\n".join(lines)


def case_e_review(folder: Path) -> str:
    """Case E's project as described, repaired, and beside other ways."""
    table = measured.read("case_e_review")
    lines = [
        '**Case E\'s project, as described and repaired**: the description says "augmentation" and no more, so the '
        "recipe is filled in two ways (the milder one was tried when the other had done badly on the given test part); "
        "the row *case E's recipe* of the first table is the one also shifted and turned. On the given split copies of "
        "test images are in train, "
        f"and n is small (`{table['command'].iloc[0]}`, {table['date'].iloc[0]}).",
        "",
        "| row | accuracy | macro-F1 | AUC | n | seeds | CPU seconds | parameters | kB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [row["row"], *(interval(row, m) for m in ("accuracy", "f1_macro", "roc_auc_macro"))]
        cells += [f"{row['n']}", f"{row['seeds']}"]
        numbers = (row["cpu_seconds"], row["parameters"], row["kB"])
        cells += ["" if pd.isna(number) else f"{number:,.0f}" for number in numbers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def interval(row: dict, metric: str) -> str:
    """A figure with its interval."""
    return f"{row[metric]:.3f} ({row[metric + '_low']:.2f}-{row[metric + '_high']:.2f})"


def pipeline(folder: Path) -> str:
    """Speed of augmented batches."""
    table = pd.read_csv(folder / "pipeline.csv")
    return (
        f"**Augmented batches from the cache** come {table['ratio'].median():.0f} times as fast as from "
        f"`ImageDataGenerator` on the same {table['n'].iloc[0]} files at 224×224 (median of {len(table)} rounds in one "
        f"run, {table['ratio'].min():.0f} to {table['ratio'].max():.0f}; {table['cores'].iloc[0]} cores)."
    )


def duplicates(folder: Path) -> str:
    """Precision and recall of the detector."""
    table = pd.read_csv(folder / "duplicates.csv").query("threshold_of_package")
    value, n = table.set_index("what")["value"], table.set_index("what")["n"]
    false = "false alarms: pairs of two patients"
    found = {what.removeprefix("recall: "): share for what, share in value.items() if what.startswith("recall: ")}
    good = [f"{what} {share:.2f}" for what, share in found.items() if share >= 0.9]
    bad = [f"{what} {share:.2f}" for what, share in found.items() if share < 0.9]
    count = n[[what for what in n.index if what.startswith("recall")]].iloc[0]
    return (
        f"**The near-duplicate detector** on DarkCovidNet's images, at its threshold of {table['threshold'].iloc[0]}: "
        f"{value[false]:.0f} false alarms among {n[false]:,} pairs of two patients. Share of {count} changed copies "
        f"found: {'; '.join(good)}. It does not find every copy: {'; '.join(bad)}."
    )


def lessons(folder: Path) -> str:
    """Seconds and memory of the headless run."""
    table = pd.read_csv(folder / "lessons.csv").set_index("notebook")
    whole, each = table.loc["all"], table.drop(index="all")
    rows = [f"{name} {seconds:.0f} s" for name, seconds in each["seconds"].items()]
    return (
        "**The headless run** on the phantom, class mode, two notebooks at a time on two cores, phantoms drawn before "
        f"(`{whole['command']}`, {whole['date']}): all {len(each)} notebooks in {whole['seconds'] / 60:.1f} minutes, "
        f"with at most {whole['peak_mb'] / 1000:.1f} GB a kernel. {'; '.join(rows)}."
    )


def phantom_pretraining(folder: Path) -> str:
    """Fine-tuned on real images with and without phantoms before; nothing where it has not been measured."""
    if "phantom_pretraining" not in measured.names():
        return ""
    table = measured.read("phantom_pretraining").query("metric == 'f1_macro'")
    first = table.iloc[0]
    parts = [f"{row.n_test:.0f} test images of `{row.set}`" for row in table.drop_duplicates("set").itertuples()]
    lines = [
        "**Phantoms before real images**: macro-F1 of the compact network fine-tuned on n real radiographs, from "
        f"random weights and from those learnt on phantoms. Mean of {first['seeds']} seeds, each with its own "
        f"{' and '.join(parts)}, in whole groups (`{first['command']}`, {first['date']}; every training is a dot in "
        "[the figure](benchmarks/phantom_pretraining.png)). The first interval draws the test groups, the second the "
        "seeds as well; one that holds 0 shows no difference.",
        "",
        "| set | n | from scratch | pretrained | difference | interval | with seeds | gain in |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [row["set"], row["n"], f"{row['scratch']:.3f}", f"{row['pretrained']:.3f}", f"{row['difference']:+.3f}"]
        cells += [f"{row['low' + s]:+.3f} to {row['high' + s]:+.3f}" for s in ("", "_seeds")]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['seeds_better']} of {row['seeds']} seeds"])) + " |")
    return "\n".join(lines)


def transfer(name: str, title: str, wanted: dict[str, str], note: str) -> str:
    """Rows of a table of models; `wanted`: names of the rows, and what they are called here; `note` stands below."""
    if name not in measured.names():
        return ""
    table = measured.read(name)
    first = table.dropna(subset=["groups"]).iloc[0]
    lines = [
        f"**{title}**: 5-fold cross-validation, whole groups (`grouped`) or single images (`images`), intervals by "
        f"group; penalties, and what a row calls chosen inside, were chosen inside the training parts "
        f"(`{first['command']}`, {first['date']}; the whole table is "
        f"[`{name}.csv`](cxr_helpers/measured/{name}.csv)).",
        "",
        "| task | split | model | accuracy | macro-F1 | n | fold seeds | seconds per fold |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table[table["model"].isin(wanted)].to_dict("records"):
        known = row["groups"] == row["groups"]
        figures = [interval(row, m) if known else f"{row[m]:.3f}" for m in ("accuracy", "f1_macro") if row[m] == row[m]]
        cells = [row["task"], row["protocol"], wanted[row["model"]], *figures, *[""] * (2 - len(figures)), row["n"]]
        cells += [f"{row['fold_seeds']:.0f}", f"{row['seconds_per_fold']:.0f}"] if known else ["", ""]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, "", note])


FROZEN = {
    "pixels + logistic regression": "pixels + logistic regression",
    "frozen block4, 224 px": "ImageNet features, cut at block 4",
    "frozen head, 224 px": "ImageNet features, the end",
    "frozen, chosen inside: short list": "ImageNet features, blocks chosen inside",
    "frozen, chosen inside: kernel": "ImageNet features, blocks chosen inside, with a kernel",
    "frozen, chosen inside": "ImageNet features, blocks chosen inside",
    "frozen, chosen inside, kernel": "ImageNet features, blocks chosen inside, with a kernel",
    "frozen, five best averaged: kernel": "five with a kernel, averaged",
    "frozen, five best averaged": "five choices averaged",
    "frozen network of phantoms": "features of a network of phantoms",
    "frozen, ImageNet and phantoms joined": "both kinds of features",
    "compact network": "compact network from scratch",
    "compact network, phantoms before": "compact network, phantoms before",
    "DarkCovidNet rebuilt, 20 epochs": "DarkCovidNet, rebuilt, 20 of its 100 epochs",
    "fine-tuned": "EfficientNet-Lite0, fine-tuned",
    "fine-tuned and five best, averaged": "fine-tuned and the five with a kernel, averaged",
    "DarkCovidNet as published": "DarkCovidNet as published (other subset, test set = validation set)",
}


AT_HAND = (
    "925 of the 1,125 images (patients chosen by hash), grey, longest side 384 px; a COVID-19 film does not name "
    "its patient, so that there only near-duplicates are kept together."
)
BEST_OF_NINE = "Block 4 is the best of nine cuts on these very folds, so a little lucky."


def darkcovidnet(folder: Path) -> str:
    """A published table under patients kept together."""
    return transfer("darkcovidnet", "DarkCovidNet's images, known patients kept together", FROZEN, AT_HAND)


def case_e_transfer(folder: Path) -> str:
    """What pretraining brings on case E's set."""
    return transfer("case_e_transfer", "Pretraining on case E's set", FROZEN, BEST_OF_NINE)


def shortcuts(folder: Path) -> str:
    """What the frame alone tells."""
    table = measured.read("shortcuts").set_index(["set", "seen"])

    def auc(name: str, seen: str) -> str:
        row = table.loc[(name, seen)]
        return f"{row['auc_covid']:.3f} ({row['auc_covid_low']:.2f}-{row['auc_covid_high']:.2f}, n = {row['n']})"

    e, d = "covid19-image-dataset", "darkcovidnet"
    whole, frame = "whole image, logistic regression", "frame, logistic regression"
    first = table.iloc[0]
    return (
        f"**Without a lung**: AUC of COVID against the rest from the outer frame of the image alone, and from the "
        f"whole image, both by logistic regression: case E's set {auc(e, frame)} and {auc(e, whole)}; DarkCovidNet's "
        f"{auc(d, frame)} and {auc(d, whole)}, where the name of the collection alone has {auc(d, 'source alone')} "
        f"(`{first['command']}`, {first['date']})."
    )


def export(folder: Path) -> str:
    """Size, speed and parity of exported models."""
    table = measured.read("export").set_index("name")
    small, first = table.loc["int8"], table.iloc[0]
    speed = f"{small['median_ms']:.1f} ms an image on one thread (median of {small['repeats']})"
    return (
        f"**Exported**: the compact network at {first['size']} px as LiteRT with int8 weights has {small['kB']:.0f} kB "
        f"and takes {speed}; its probabilities differ from Keras' by {small['largest']:.3f} at most over {small['n']} "
        f"images, {small['flipped']} answers flip (`{first['command']}`, {first['date']})."
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true")
    options = arguments.parse_args()
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    blocks = (case_e, case_e_transfer, case_e_review, darkcovidnet, phantom_pretraining, shortcuts, export)
    blocks += (pipeline, duplicates, lessons)
    parts = "\n\n".join(filter(None, (block(ROOT / "benchmarks") for block in blocks)))
    wanted = re.sub(
        re.escape(START) + ".*?" + re.escape(END), lambda _: f"{START}\n\n{parts}\n\n{END}", text, flags=re.S
    )
    if wanted == text:
        return 0
    if options.check:
        print("README.md does not show what benchmarks/*.csv hold; run: python -m tools.results", file=sys.stderr)
        return 1
    readme.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
