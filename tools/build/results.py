"""Write the generated parts of README.md and other pages, from CSV files and lessons' sources.

A part stands between the marks `<!-- generated: NAME -->` and `<!-- end of NAME -->`; what stands
outside is written by hand and stays. The CSV files lie in benchmarks/ and cxr_helpers/measured/.
With --check only compare.

python -m tools.build.results [--check]
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from cxr_helpers import measured
from tools.build import front, functions, house
from tools.common import ROOT, ToolError, relative, write_atomic
from tools.rules import stability

NAMES = {"case_e": "case E's network, also shifted and turned", "compact": "compact network"}
COMPACT = {
    "compact before": "compact network of the commit compared with",
    "compact": "compact network",
    "frozen features, cut chosen inside": "frozen ImageNet features, block chosen inside",
    "case_e": "case E's recipe",
}


def case_a(folder: Path) -> str:
    """Case A: its fault, batch and number of images."""
    return left_open("a", "setting", ("smallest_room", "min", "smallest room"), folder)


def case_b(folder: Path) -> str:
    """Case B: its recipe."""
    return left_open("b", "recipe", ("score", "mean", "mean score"), folder)


def left_open(letter: str, what: str, judged: tuple[str, str, str], folder: Path) -> str:
    """What a case leaves open: what was tried on draws of its own, and what held on others."""
    table = pd.read_csv(folder / "case_ab.csv").query("case == @letter")
    figure, summary, words = judged
    seeds = table[table["use"] == "choose"].groupby("setting", sort=False)
    lines = [f"| {what}, in this order | seeds run | {words} |", "|---|---|---|"]
    for name, value in seeds[figure].agg(summary).items():
        lines.append(
            f"| {name} | {', '.join(map(str, seeds.get_group(name)['seed']))} | {value:.3f} |"
        )
    held = table[table["use"] == "confirm"]
    if len(held):
        good = (held["smallest_room"] > 0).sum()
        lines += [
            "",
            f"With the fresh seeds {', '.join(map(str, held['seed']))} all comparisons held in "
            f"{good} of ",
        ]
        lines[-1] += f"{len(held)} runs; smallest room {held['smallest_room'].min():+.3f}."
    return "\n".join(lines)


def case_e(folder: Path) -> str:
    """Models on case E's set, side by side."""
    table, differences = measured.read("case_e"), measured.read("case_e_differences")
    first = table.iloc[0]
    lines = [
        f"{first['n']} radiographs in {first['groups']} groups, {first['folds']}-fold "
        f"cross-validation with whole groups, intervals by group (`{first['command']}`, "
        f"{first['date']}).",
        "",
        "| model | accuracy | macro-F1 | parameters | seconds per training |",
        "|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        network = row["parameters"] == row["parameters"]
        cells = [
            NAMES.get(row["model"], row["model"]),
            *(interval(row, m) for m in ("accuracy", "f1_macro")),
        ]
        cells += (
            [f"{row['parameters']:,.0f}", f"{row['seconds_per_training']:.0f}"]
            if network
            else ["", ""]
        )
        lines.append("| " + " | ".join(cells) + " |")
    gap = differences.query("`compact minus` == 'case_e' and metric == 'f1_macro'").iloc[0]
    seconds = table.set_index("model")["seconds_per_training"]
    lines += [
        "",
        f"The compact network minus case E's, paired by group: macro-F1 {gap['difference']:+.3f} "
        f"({gap['low']:+.3f} to {gap['high']:+.3f}), in "
        f"{seconds['compact'] / seconds['case_e']:.0%} of its training time (the two took turns "
        "on one machine of two cores).",
    ]
    return "\n".join(lines)


def compact(folder: Path) -> str:
    """The compact network beside an earlier one, frozen features, and the time of case E's fit.

    The fit is by case E's recipe.
    """
    table = measured.read("compact")
    first = table.iloc[0]
    lines = [
        "5-fold cross-validation with whole groups, intervals by group, one core, models in turn "
        f"(`{first['command']}`, {first['date']}). CPU seconds of a training are medians over the "
        "folds; their share of the recipe's is taken fold by fold. The recipe was trained for its "
        "time alone.",
        "",
        "| set | model | accuracy | macro-F1 | compact minus it, macro-F1 | n | CPU seconds | "
        "share of the recipe's |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        known, paired, timed = (
            not pd.isna(row[name]) for name in ("f1_macro", "gap", "cpu_seconds_ratio")
        )
        cells = [f"`{row['set']}`", COMPACT[row["model"]]]
        cells += [interval(row, metric) if known else "" for metric in ("accuracy", "f1_macro")]
        cells += [
            f"{row['gap']:+.3f} ({row['gap_low']:+.3f} to {row['gap_high']:+.3f})"
            if paired
            else "",
            row["n"],
        ]
        cells += [f"{row['cpu_seconds']:.1f}"]
        cells += [
            f"{row['cpu_seconds_ratio']:.1%} ({_ends(row, 'cpu_seconds_ratio', '.1%')})"
            if timed
            else ""
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    once = table.dropna(subset=["features_cpu_seconds"]).drop_duplicates("set")
    spent = " and ".join(
        f"{row.features_cpu_seconds:.0f} s for `{row.set}`" for row in once.itertuples()
    )
    return "\n".join(
        [
            *lines,
            "",
            f"The features are made once for all folds, in {spent}, which is not in the table.",
        ]
    )


def audit_rows(folder: Path) -> str:
    """How often two rows of the audit speak, where there is something to find and where not."""
    table = pd.read_csv(folder / "audit_rows.csv")
    first = table.iloc[0]
    lines = [
        f"Worlds of {first['n']} phantoms at 224 pixels, {first['runs']} seeds each; *spoke*: the "
        f"verdict is `look` or `fault` (`{first['command']}`, {first['date']}).",
        "",
        "| row of the audit | world | there is something | spoke | figure, mean ± standard "
        "deviation |",
        "|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        figure = f"{row['mean']:.2f} ± {row['sd']:.2f}"
        there = "yes" if row["there"] else "no"
        lines.append(
            f"| {row['check']} | {row['world']} | {there} | {row['spoke']} of {row['runs']} | "
            f"{figure} |"
        )
    return "\n".join(lines)


def coverage(folder: Path) -> str:
    """How often the intervals hold the truth: a row per figure.

    A column per number of patients and accuracy.
    """
    table = pd.read_csv(folder / "coverage.csv")
    shown = table.pivot(index="figure", columns=["accuracy", "groups"], values="coverage")
    shown = shown.loc[list(dict.fromkeys(table["figure"])), sorted(shown.columns)]
    heads = [f"{accuracy}, {groups}" for accuracy, groups in shown.columns]
    lines = [f"| figure | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    lines += [
        f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |"
        for name, row in shown.iterrows()
    ]
    equal, given = table.dropna(subset=["false_alarms"]), table["refused"].max()
    first, again = table["simulations"].min(), table["simulations"].max()
    return "\n".join(
        [
            f"Each cell: {first:,} simulated studies (`python -m benchmarks.coverage`); a cell "
            f"below 0.94 was run again with {again:,} and shows that result. Columns: true "
            "accuracy, patients.",
            "",
            *lines,
            "",
            f"Two equal models have p below 0.05 in {equal['false_alarms'].min():.3f} to "
            f"{equal['false_alarms'].max():.3f} of the studies. With too few patients on one side "
            f"there is no interval (up to {given:.2f} of the studies with ten patients), and "
            "coverage is over the others. The whole table, with widths, is "
            "[`coverage.csv`](../benchmarks/coverage.csv); [picture](../benchmarks/coverage.png).",
        ]
    )


def scaling(folder: Path) -> str:
    """Seconds of intervals and comparisons on tables of three sizes."""
    table = pd.read_csv(folder / "scaling.csv")
    seconds = table.pivot(index="call", columns="rows", values="seconds").loc[
        list(dict.fromkeys(table["call"]))
    ]
    heads = [f"{rows:,} rows" for rows in seconds.columns]
    lines = [f"| call | {' | '.join(heads)} | exponent |", "|---|" + "---|" * (len(heads) + 1)]
    slopes = table.drop_duplicates("call").set_index("call")["exponent"]
    for name, row in seconds.iterrows():
        lines.append(
            f"| {name} | {' | '.join(f'{value:.2f} s' for value in row)} | {slopes[name]:.2f} |"
        )
    lines += ["", f"At most {table['MB'].max():,.0f} MB (`python -m benchmarks.scaling`)."]
    return "\n".join(lines)


def mutants(folder: Path) -> str:
    """Shares of seeded faults that the fast tests catch."""
    table = pd.read_csv(folder / "mutants.csv")
    parts = []
    for draw, rows in table.groupby("draw"):
        left = rows[rows["outcome"] != "equivalent"]
        caught, equivalent = (left["outcome"] == "caught").sum(), len(rows) - len(left)
        parts.append(
            f"draw {draw}: {caught} of {len(left)} caught ({caught / len(left):.0%}), {equivalent} "
            "equivalent"
        )
    first = table.iloc[0]
    return "; ".join(parts) + f" (`{first['command']}`, {first['date']})."


def phantom_speed(folder: Path) -> str:
    """Milliseconds of a phantom, and how many times quicker than an earlier renderer."""
    table = pd.read_csv(folder / "phantom_speed.csv", dtype={"against": str}).set_index("measure")
    first = table.iloc[0]
    cohort = next(name for name in table.index if name.endswith("on two processes"))
    quicker = {name: table.loc[f"{name}, times quicker"] for name in ("ms per image, CPU", cohort)}
    image, written = (
        f"{row['value']:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})"
        for row in quicker.values()
    )
    return (
        "At 224 pixels with all masks an image takes "
        f"{table.loc['ms per image, CPU', 'value']:.1f} ms of one core; "
        f"{cohort.removeprefix('seconds for ')} take {table.loc[cohort, 'value']:.1f} s. Beside "
        f"the renderer of {first['against']} in the same run it is {image} and {written} times as "
        f"quick: medians of {first['rounds']} rounds of {first['n']} images, lowest and highest "
        f"(`{first['command']}`, {first['date']})."
    )


def story(folder: Path) -> str:
    """One project's accuracy, as one illusion after another is taken away."""
    return _over_seeds(
        measured.read("story"), "Accuracy (where nothing else is said)", "what is changed"
    )


def no_disease(folder: Path) -> str:
    """What a recipe reports where there is no disease."""
    return _over_seeds(measured.read("no_disease"), "Accuracy", "test images")


def _over_seeds(table: pd.DataFrame, what: str, heading: str) -> str:
    """A table of means over seeds, below a line that says how they were measured."""
    first = table.iloc[0]
    lines = [
        f"{what} on {first['n']} test images, mean of {first['seeds']} seeds of drawing, split "
        f"and weights with its 95 % interval over the seeds (`{first['command']}`, "
        f"{first['date']}).",
        "",
        f"| {heading} | mean | lowest and highest seed |",
        "|---|---|---|",
    ]
    for row in table.to_dict("records"):
        mean = f"{row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        lines.append(f"| {row['row']} | {mean} | {row['lowest']:.2f}, {row['highest']:.2f} |")
    return "\n".join(lines)


def case_e_review(folder: Path) -> str:
    """Case E's project as described, repaired, and beside other ways."""
    table = measured.read("case_e_review")
    lines = [
        f"Intervals by group (`{table['command'].iloc[0]}`, {table['date'].iloc[0]}).",
        "",
        "| row | split | accuracy | macro-F1 | AUC | n | seeds | CPU seconds | parameters | kB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [row["row"], row["protocol"]]
        cells += [interval(row, m) for m in ("accuracy", "f1_macro", "roc_auc_macro")]
        cells += [f"{row['n']}", f"{row['seeds']}"]
        numbers = (row["cpu_seconds"], row["parameters"], row["kB"])
        cells += ["" if pd.isna(number) else f"{number:,.0f}" for number in numbers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def interval(row: dict, metric: str) -> str:
    """A figure with its interval."""
    return f"{row[metric]:.3f} ({row[metric + '_low']:.2f}-{row[metric + '_high']:.2f})"


def _ends(row: dict, name: str, form: str) -> str:
    """Lowest and highest of a figure."""
    return f"{row[name + '_low']:{form}} to {row[name + '_high']:{form}}"


def pipeline(folder: Path) -> str:
    """Speed of augmented batches."""
    table = pd.read_csv(folder / "pipeline.csv")
    return (
        f"Augmented batches from the cache come {table['ratio'].median():.0f} times as fast as "
        f"from `ImageDataGenerator` on the same {table['n'].iloc[0]} files at 224×224 (median of "
        f"{len(table)} rounds in one run, {table['ratio'].min():.0f} to "
        f"{table['ratio'].max():.0f}; {table['cores'].iloc[0]} cores; {origin(table)})."
    )


def duplicates(folder: Path) -> str:
    """Precision and recall of the detector."""
    table = pd.read_csv(folder / "duplicates.csv").query("threshold_of_package")
    value, n = table.set_index("what")["value"], table.set_index("what")["n"]
    false = "false alarms: pairs of two patients"
    found = {
        what.removeprefix("recall: "): share
        for what, share in value.items()
        if what.startswith("recall: ")
    }
    good = [f"{what} {share:.2f}" for what, share in found.items() if share >= 0.9]
    bad = [f"{what} {share:.2f}" for what, share in found.items() if share < 0.9]
    count = n[[what for what in n.index if what.startswith("recall")]].iloc[0]
    return (
        f"On DarkCovidNet's images, at the detector's threshold of {table['threshold'].iloc[0]}: "
        f"{value[false]:.0f} false alarms among {n[false]:,} pairs of two patients. Share of "
        f"{count} changed copies found: {'; '.join(good)}. It does not find every copy: "
        f"{'; '.join(bad)} ({origin(table)})."
    )


def origin(table: pd.DataFrame) -> str:
    """Return the command that measured a table, and the date."""
    return f"`{table['command'].iloc[0]}`, {table['date'].iloc[0]}"


def lessons(folder: Path) -> str:
    """Seconds and memory of the headless run."""
    table = pd.read_csv(folder / "lessons.csv").set_index("notebook")
    whole, each = table.loc["all"], table.drop(index="all")
    rows = [f"{name} {seconds:.0f} s" for name, seconds in each["seconds"].items()]
    return (
        "On the phantom, class mode, on two cores, phantoms drawn before (`"
        f"{whole['command']}`, {whole['date']}): all {len(each)} notebooks as the tests run them, "
        f"two at a time, in {whole['seconds'] / 60:.1f} minutes. Each by itself, from the start of "
        f"its kernel, with at most {whole['peak_mb'] / 1000:.1f} GB: {'; '.join(rows)}."
    )


def colab_versions(folder: Path) -> str:
    """Seconds of each copy and exercise in Google Colab's versions; nothing where not measured."""
    if not (folder / "colab.csv").is_file():
        return ""
    table = pd.read_csv(folder / "colab.csv", dtype=str)
    of_exercise = table["notebook"].str.startswith("exercises")
    versions = ", ".join(f"{name} {table[name].iloc[0]}" for name in table.columns[3:])
    parts = []
    for name, part in {"copies": table[~of_exercise], "exercises": table[of_exercise]}.items():
        each = [
            f"{Path(row.notebook).stem} {float(row.seconds):.0f} s" for row in part.itertuples()
        ]
        parts.append(f"{len(part)} {name}: {'; '.join(each)}.")
    return "\n\n".join(
        [
            "Students' copies, and exercises with their solutions, each whole in a kernel of its "
            f"own with {versions}, without an error or a line on standard error "
            f"(`make test-colab`, {table['date'].iloc[0]}).",
            *parts,
        ]
    )


def phantom_pretraining(folder: Path) -> str:
    """Fine-tuned on real images with and without phantoms before; nothing where not measured."""
    if "phantom_pretraining" not in measured.names():
        return ""
    table = measured.read("phantom_pretraining").query("metric == 'f1_macro'")
    first = table.iloc[0]
    parts = [
        f"{row.n_test:.0f} test images of `{row.set}`"
        for row in table.drop_duplicates("set").itertuples()
    ]
    lines = [
        f"Mean of {first['seeds']} seeds, each with its own {' and '.join(parts)}, in whole groups "
        f"(`{first['command']}`, {first['date']}).",
        "",
        "| set | n | from scratch | pretrained | difference | interval | with seeds | gain in |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [
            row["set"],
            row["n"],
            f"{row['scratch']:.3f}",
            f"{row['pretrained']:.3f}",
            f"{row['difference']:+.3f}",
        ]
        cells += [f"{row['low' + s]:+.3f} to {row['high' + s]:+.3f}" for s in ("", "_seeds")]
        lines.append(
            "| "
            + " | ".join(map(str, [*cells, f"{row['seeds_better']} of {row['seeds']} seeds"]))
            + " |"
        )
    return "\n".join(lines)


def transfer(name: str, wanted: dict[str, str]) -> str:
    """Rows of a table of models; `wanted`: names of the rows, and what they are called here."""
    if name not in measured.names():
        return ""
    table = measured.read(name)
    first = table.dropna(subset=["groups"]).iloc[0]
    lines = [
        f"5-fold cross-validation, intervals by group (`{first['command']}`, {first['date']}; the "
        f"whole table is [`{name}.csv`](../cxr_helpers/measured/{name}.csv)).",
        "",
        "| task | split | model | what it is | accuracy | macro-F1 | n | fold seeds "
        "| seconds per fold |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    best = table.dropna(subset=["groups"]).groupby(["task", "protocol"])["accuracy"].idxmax()
    table["kind"] = [_kind(row, row.name in set(best)) for _, row in table.iterrows()]
    for row in table[table["model"].isin(wanted)].to_dict("records"):
        known = row["groups"] == row["groups"]
        figures = [
            interval(row, m) if known else f"{row[m]:.3f}"
            for m in ("accuracy", "f1_macro")
            if row[m] == row[m]
        ]
        cells = [
            row["task"],
            row["protocol"],
            wanted[row["model"]],
            row["kind"],
            *figures,
            *[""] * (2 - len(figures)),
            row["n"],
        ]
        cells += (
            [f"{row['fold_seeds']:.0f}", f"{row['seconds_per_fold']:.0f}"] if known else ["", ""]
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _kind(row: pd.Series, best: bool) -> str:
    """How the row was chosen: inside the training parts, beforehand, or as the best of several."""
    name = row["model"]
    if name.endswith("as published"):
        return "as published"
    inside = name.startswith("pixels") or "chosen inside" in name or "average" in name
    kind = "chosen inside" if inside or "joined" in name else "set beforehand"
    return f"{kind}; best of {row['models_scored']:.0f}" if best else kind


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
    "DarkCovidNet as published": (
        "DarkCovidNet as published (other subset, test set = validation set)"
    ),
}


def darkcovidnet(folder: Path) -> str:
    """A published table under patients kept together, and further patients, as quoted."""
    lines = transfer("darkcovidnet", FROZEN).splitlines()
    quoted = []
    for row in measured.read("darkcovidnet_further").to_dict("records"):
        cells = [row["task"], "other patients", FROZEN[row["model"]], f"*quoted*, {row['date']}"]
        cells += [interval(row, "accuracy"), f"{row['f1_macro']:.3f}", f"{row['n']}", "", ""]
        quoted.append("| " + " | ".join(cells) + " |")
    place = next(n for n, line in enumerate(lines) if line.startswith("| three classes | images"))
    return "\n".join([*lines[:place], *quoted, *lines[place:]])


def case_e_transfer(folder: Path) -> str:
    """What pretraining brings on case E's set."""
    return transfer("case_e_transfer", FROZEN)


def shortcuts(folder: Path) -> str:
    """What the frame alone tells."""
    table = measured.read("shortcuts")
    first = table.iloc[0]
    lines = [
        f"Mean of {first['repeats']} repeats with other folds, intervals by group "
        f"(`{first['command']}`, {first['date']}).",
        "",
        "| set | what is seen | AUC of COVID-19 | n | groups |",
        "|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [
            f"`{row['set']}`",
            row["seen"],
            interval(row, "auc_covid"),
            row["n"],
            row["groups"],
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def coins(folder: Path) -> str:
    """AUC on labels that are coin tosses."""
    table = pd.read_csv(folder / "coins.csv")
    first = table.iloc[0]
    lines = [
        f"{first['n']} images of {first['patients']} patients; mean AUC of {first['repeats']} "
        "repeats with fresh coins and a fresh split, interval over the repeats "
        f"(`{first['command']}`, {first['date']}).",
        "",
        "| a quarter is set aside | AUC |",
        "|---|---|",
    ]
    lines += [
        f"| of the {row['split']}, at random | {interval(row, 'auc')} |"
        for row in table.to_dict("records")
    ]
    return "\n".join(lines)


def external(folder: Path) -> str:
    """The same model inside its set and at another hospital."""
    table = measured.read("external")
    lines = [
        f"Intervals by group (`{table['command'].iloc[0]}`, {table['date'].iloc[0]}).",
        "",
        "| where | accuracy | always the larger class | AUC | sensitivity | specificity | n | "
        "groups |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [
            row["where"],
            interval(row, "accuracy"),
            f"{row['always_largest']:.3f} ({row['largest_class']})",
        ]
        cells += [interval(row, metric) for metric in ("auc", "sensitivity", "specificity")]
        lines.append("| " + " | ".join(map(str, [*cells, row["n"], row["groups"]])) + " |")
    return "\n".join(lines)


def label_worth(folder: Path) -> str:
    """A second reading of radiographs beside their labels; what tells labels without an image."""
    table = measured.read("label_worth")
    lines = [
        f"Intervals by patient (`{table['command'].iloc[0]}`, {table['date'].iloc[0]}).",
        "",
        "| what | figure | value | radiographs | n | patients |",
        "|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        count = "" if pd.isna(row["count"]) else f"{row['count']:.0f}"
        value = f"{row['value']:.2f} ({row['low']:.2f}-{row['high']:.2f})"
        lines.append(
            f"| {row['what']} | {row['figure']} | {value} | {count} | {row['n']} | {row['groups']} "
            "|"
        )
    return "\n".join(lines)


def label_errors(folder: Path) -> str:
    """Which wrong labels confident learning finds."""
    table = measured.read("label_errors")
    first = table.iloc[0]
    heads = ["wrong labels", "how many", "found", "right labels suspected"]
    heads += ["among as many least probable", "AUC of the ranking"]
    heads += ["accuracy by the given labels", "by the true ones"]
    lines = [
        f"{first['n']} phantoms, one a patient; means of {first['seeds']} seeds with 95 % "
        f"intervals over the seeds (`{first['command']}`, {first['date']}).",
        "",
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
    ]
    for row in table.to_dict("records"):
        counts = [_mean(row, name, ".1f") for name in ("found", "false_alarms", "in_first")]
        shares = [_mean(row, name, ".2f") for name in ("auc", "accuracy_given", "accuracy_true")]
        lines.append("| " + " | ".join([row["world"], str(row["wrong"]), *counts, *shares]) + " |")
    return "\n".join(lines)


def _mean(row: dict, name: str, form: str) -> str:
    """A mean with its interval; nothing where there is none, or nothing to find."""
    if pd.isna(row[name]) or (name in ("found", "in_first") and not row["wrong"]):
        return ""
    return f"{row[name]:{form}} ({_ends(row, name, form)})"


def modes(folder: Path) -> str:
    """Accuracy minus chance of the notebooks' networks, in class mode and in full mode."""
    table = pd.read_csv(folder / "modes.csv")
    lines = [
        "| notebook | seeds | class mode: side, n | above chance (lowest, highest seed) "
        "| full mode: side, n | above chance (lowest, highest seed) | class / full |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        cells = [row["notebook"], row["seeds"]]
        for mode in ("class", "full"):
            above, lowest, highest = (
                row[f"{mode}_{name}"] for name in ("above", "lowest", "highest")
            )
            cells += [
                f"{row[f'{mode}_side']} px, {row[f'{mode}_n']}",
                f"{above:+.3f} ({lowest:+.3f}, {highest:+.3f})",
            ]
        cells.append(f"{row['ratio']:.2f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += ["", f"Means over the seeds (`{table['command'].iloc[0]}`, {table['date'].max()})."]
    return "\n".join(lines)


def export(folder: Path) -> str:
    """Size, speed and parity of exported models."""
    table = measured.read("export").set_index("name")
    small, first = table.loc["int8"], table.iloc[0]
    speed = f"{small['median_ms']:.1f} ms an image on one thread (median of {small['repeats']})"
    return (
        f"The compact network at {first['size']} px as LiteRT with int8 weights has "
        f"{small['kB']:.0f} kB and takes {speed}; its probabilities differ from Keras' by "
        f"{small['largest']:.3f} at most over {small['n']} images, {small['flipped']} answers flip "
        f"(`{first['command']}`, {first['date']})."
    )


BLOCKS = (
    shortcuts,
    coins,
    story,
    no_disease,
    case_a,
    case_b,
    case_e,
    compact,
    case_e_transfer,
    case_e_review,
)
BLOCKS += (
    darkcovidnet,
    external,
    label_worth,
    label_errors,
    phantom_pretraining,
    export,
    pipeline,
    duplicates,
    audit_rows,
)
BLOCKS += (phantom_speed, lessons, colab_versions, modes, coverage, scaling, mutants)


def kernels(folder: Path) -> str:
    """Memory and seconds of what runs on a server for a class: lessons' kernels, and marking."""
    table = pd.read_csv(folder / "lessons.csv").set_index("notebook")
    whole, each = table.loc["all"], table.drop(index="all")
    lessons = each[each.index.str[0].str.isdigit()]
    marking = pd.read_csv(folder / "grading.csv").iloc[-1]

    def largest(part: pd.DataFrame) -> str:
        return f"{part['peak_mb'].max() / 1000:.1f} GB ({part['peak_mb'].idxmax()})"

    def longest(part: pd.DataFrame) -> str:
        return (
            f"{part['seconds'].median():.0f} s, {part['seconds'].max():.0f} s "
            f"({part['seconds'].idxmax()})"
        )

    parts = {"lessons": lessons, "case studies": each.drop(index=lessons.index)}
    rows = [
        f"| {name} | {part['peak_mb'].median() / 1000:.1f} GB | {largest(part)} | {longest(part)} |"
        for name, part in parts.items()
    ]
    count, minutes = marking["submissions"], marking["total_seconds"] / 60
    return "\n".join(
        [
            "| one kernel | memory, median | memory, most | a whole run: median, longest |",
            "|---|--:|--:|--:|",
            *rows,
            "",
            "Measured with one notebook at a time on two cores, phantoms drawn before "
            f"(`{whole['command']}`, {whole['date']}; a notebook that was changed later may "
            f"differ: run the command again). Marking {count} submissions of exercise 04 took "
            f"{minutes:.1f} minutes, two at a time "
            f"(`{marking['command']}`, {marking['date']}).",
        ]
    )


def marking(folder: Path) -> str:
    """How long marking a class takes, and with how much memory."""
    row = pd.read_csv(folder / "grading.csv").iloc[-1]
    memory = f", and {row['gigabytes']:.1f} GB of memory" if "gigabytes" in row else ""
    return (
        f"Marking {row['submissions']} submissions of 04_splitting_exercise took "
        f"{row['total_seconds'] / 60:.1f} minutes on two cores, "
        f"{row['total_seconds'] / row['submissions']:.1f} s each{memory} (`{row['command']}`, "
        f"{row['date']}). Exercises in which a network is trained take longer."
    )


def readme(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated parts of the README: {name: Markdown}."""
    return {
        name: getattr(front, name)(root)
        for name in ("picture", "colab", "commands", "lessons", "results")
    }


def measurements(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated parts of docs/results.md: {name: Markdown}."""
    return {block.__name__: block(root / "benchmarks") for block in BLOCKS}


def server(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated part of the page on a JupyterHub: {name: Markdown}."""
    return {"kernels": kernels(root / "benchmarks")}


def for_instructors(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated part of the exercises' page: {name: Markdown}."""
    return {"marking": marking(root / "benchmarks")}


def uses(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated part of docs/functions.md: {name: Markdown}."""
    return {"functions": functions.table(root)}


def rooms(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated part of CONTRIBUTING.md: {name: Markdown}."""
    return {"house": house.picture(root)}


def verdicts(page: str, root: Path = ROOT) -> dict[str, str]:
    """The generated part of docs/stability.md: {name: Markdown}."""
    return {"verdicts": stability.page(root)}


PAGES: dict[str, Callable[..., dict[str, str]]] = {
    "README.md": readme,
    "CONTRIBUTING.md": rooms,
    "docs/functions.md": uses,
    "docs/results.md": measurements,
    "docs/stability.md": verdicts,
    "exercises/README.md": for_instructors,
    "exercises/instructors/jupyterhub.md": server,
}


def filled(page: str, parts: dict[str, str]) -> str:
    """The page with each part between its marks.

    Raises ToolError where a part has no place, or a place has no part.
    """
    places = re.findall(r"^<!-- generated: (\w+) -->$", page, flags=re.MULTILINE)
    if sorted(places) != sorted(parts):
        raise ToolError(
            f"has places for {', '.join(sorted(places))}, and there are {', '.join(sorted(parts))}"
        )
    for name, text in parts.items():
        start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"^{start}\n.*?^{end}$", flags=re.DOTALL | re.MULTILINE)
        page, found = pattern.subn(lambda _, new=f"{start}\n\n{text}\n\n{end}": new, page)
        if found != 1:
            raise ToolError(f"the place {name} does not end: write {end} below it")
    return page


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write or compare; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.results", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a page is out of date"
    )
    options = parser.parse_args(arguments)
    faults = []
    for name, parts in PAGES.items():
        path = root / name
        before = path.read_text("utf-8")
        try:
            after = filled(before, parts(before, root))
        except ToolError as error:
            faults.append(f"{relative(path, root)}: {error}")
            continue
        if after != before and options.check:
            faults.append(
                f"{relative(path, root)} is not what CSV files, lessons and code hold: python -m "
                "tools.build.results"
            )
        elif after != before:
            write_atomic(path, after)
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
