"""Study designs: one line gives the table of radiographs to draw, one row per image.

`disease` is what is drawn, `label` what the table claims; they differ only where a design says so.
Sites, views, letters and devices are independent of the disease unless the design ties them to it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from .patient import stream
from .sampling import cohort, counts

TWO = ("normal", "covid")
WRONG_INPUTS = (
    "invert",
    "rotate90",
    "upside_down",
    "crop_corner",
    "noise",
    "blank",
    "photograph",
    "lateral",
)
COPIES = ("identical", "contrast", "crop", "jpeg")


def design(name: str = "default", n: int | None = None, seed: int = 0, **options) -> pd.DataFrame:
    """Return the table of images of a study design.

    The same name, n, seed and options give the same table.

    Parameters
    ----------
    name : str
        One of default (600 images of about 400 patients, classes normal / covid / viral 1:1:1,
        sites A and B 1:1, severity 0.25-1), clean, patient_leak, duplicates, marker, site_label,
        children_adults, imbalance, label_noise, mild, second_site, paediatric, lateralised,
        not_a_chest, five_classes, case_a … case_e; `presets` lists them.
    n : int, optional
        Number of images; each design has its own if it is not given.
    seed : int
        Seed of all that is drawn.
    **options
        Those of the preset, or of the cohort: classes, weights, per_patient, sites, severity (low,
        high), views, age_groups, devices, letters, border.

    Returns
    -------
    pandas.DataFrame
        One row per image with the columns in COLUMNS.

    Raises
    ------
    ValueError
        For an unknown name, n below 1, or a strength outside 0-1.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> table = phantom.design("default", n=6, seed=1)
    >>> table["label"].value_counts().sort_index().to_dict()
    {'covid': 2, 'normal': 2, 'viral': 2}
    >>> table["severity"].between(0.25, 1)[table["label"] != "normal"].all().item()
    True
    """
    if name not in PRESETS:
        raise ValueError(f"design {name!r} is not one of {', '.join(PRESETS)}")
    if n is not None and n < 1:
        raise ValueError(f"n is {n}; a design needs at least one image")
    table = PRESETS[name](n, int(seed), **options)
    table.attrs["design"] = name
    return table


def presets() -> pd.DataFrame:
    """Return all study designs.

    Returns
    -------
    pandas.DataFrame
        Name and one-sentence description of each.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> phantom.presets().set_index("name").loc["mild", "description"]
    'Disease that is hard to see: severity 0.05-0.30.'
    """
    texts = {name: (draw.__doc__ or "").strip().splitlines()[0] for name, draw in PRESETS.items()}
    return pd.DataFrame({"name": list(texts), "description": list(texts.values())})


def _settings(asked: dict, **own) -> dict:
    """A design's own settings; what was asked for goes before them."""
    return own | asked


def _seeded(seed: int, name: str) -> np.random.Generator:
    return stream(seed, "preset", name)


def _default(n, seed, **options):
    """The cohort of every lesson by default: normal, COVID-19, viral pneumonia; two sites.

    Viral is viral pneumonia.
    """
    return cohort(n or 600, seed, **options)


def _clean(n, seed, **options):
    """No shortcut at all: the sites are names only, no letters, devices or borders."""
    return cohort(
        n or 600, seed, **_settings(options, letters=0.0, devices=0.0, border=False)
    ).assign(equipment="A")


def _patient_leak(n, seed, per_patient=5.0, **options):
    """No disease is drawn; the label is random but the same for all images of a patient."""
    table = _clean(
        n or 400, seed, **_settings(options, classes=TWO, per_patient=per_patient, views=("PA",))
    )
    return table.assign(disease="normal", severity=0.0)


def _duplicates(n, seed, share=0.15, **options):
    """Some images are copies of others: identical, contrast changed, cropped, recompressed."""
    n = n or 400
    copies = max(1, round(n * share))
    table = cohort(n - copies, seed, **options)
    rng = _seeded(seed, "duplicates")
    twins = table.iloc[rng.permutation(np.arange(copies) % len(table))].reset_index(drop=True)
    kinds = np.asarray(COPIES, object)[np.arange(copies) % len(COPIES)]
    twins = twins.assign(
        copy_of=twins["image_id"], transform=kinds, image_id=[f"copy {k}" for k in range(copies)]
    )
    both = (
        pd.concat([table, twins], ignore_index=True).iloc[rng.permutation(n)].reset_index(drop=True)
    )
    # Visits are numbered anew in random order: neither the name nor the number tells which of two
    # is the copy.
    both["visit"] = both.groupby("patient").cumcount()
    names = both["patient"] + "_" + both["visit"].astype(str)
    renamed = dict(zip(both["image_id"], names, strict=True))
    return both.assign(
        image_id=names, copy_of=both["copy_of"].map(lambda name: renamed.get(name, ""))
    )


def _marker(n, seed, strength=1.0, text="PORTABLE", reverse=False, **options):
    """A word burnt into the image follows the label, with a strength: 0 independent, 1 always."""
    table = cohort(n or 600, seed, **_settings(options, classes=TWO, letters=0.0))
    return table.assign(marker=np.where(_tied(table, seed, strength, reverse), text, ""))


def _site_label(n, seed, strength=1.0, reverse=False, **options):
    """Diseased patients' images come from site C with a given strength, the others from site A."""
    table = cohort(n or 600, seed, **_settings(options, classes=TWO))
    site = np.where(_tied(table, seed, strength, reverse), "C", "A")
    return table.assign(site=site, equipment=site)


def _children_adults(n, seed, strength=1.0, reverse=False, **options):
    """Normal radiographs are children's, diseased ones adults', with a given strength.

    Some public sets are like this.
    """
    table = cohort(n or 600, seed, **_settings(options, classes=TWO))
    return table.assign(age_group=np.where(_tied(table, seed, strength, reverse), "adult", "child"))


def _tied(table: pd.DataFrame, seed: int, strength: float, reverse: bool) -> np.ndarray:
    """Per patient: True with probability (1 ± strength) / 2 for disease and no disease."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; it lies between 0 and 1")
    names = table["patient"].unique()
    draw = dict(zip(names, _seeded(seed, "tie").random(len(names)), strict=True))
    ill = (table["label"] != "normal").to_numpy() ^ reverse
    return table["patient"].map(draw).to_numpy() < np.where(
        ill, (1 + strength) / 2, (1 - strength) / 2
    )


def _imbalance(n, seed, prevalence=0.1, **options):
    """Few diseased: prevalence 0.1 unless told."""
    return cohort(
        n or 600, seed, **_settings(options, classes=TWO, weights=(1 - prevalence, prevalence))
    )


def _label_noise(n, seed, rate=0.2, **options):
    """A share of the patients carries a wrong label; `disease` keeps the right one."""
    table = cohort(n or 600, seed, **options)
    rng = _seeded(seed, "noise")
    classes = list(dict.fromkeys(table["disease"]))
    if len(classes) == 1:  # no label is wrong
        return table
    steps = {}  # by patient: how many classes further the wrong label lies
    for patient in table["patient"].unique():
        if rng.random() < rate:
            steps[patient] = int(rng.integers(1, len(classes)))
    labels = []
    for patient, disease in zip(table["patient"], table["disease"], strict=True):
        place = classes.index(disease) + steps.get(patient, 0)
        labels.append(classes[place % len(classes)])
    return table.assign(label=labels)


def _mild(n, seed, **options):
    """Disease that is hard to see: severity 0.05-0.30."""
    return cohort(n or 300, seed, **_settings(options, severity=(0.05, 0.30)))


def _second_site(n, seed, **options):
    """Another hospital: hazy portable radiographs of site C, new patients."""
    return cohort(
        n or 300, seed + 7919, **_settings(options, sites=("C",), views=("AP",), devices=0.5)
    )


def _paediatric(n, seed, **options):
    """Children only."""
    return cohort(n or 300, seed + 104729, **_settings(options, age_groups=("child",)))


def _lateralised(n, seed, **options):
    """One-sided consolidation or effusion in everybody; predict `side` (right or left)."""
    table = cohort(n or 400, seed, **_settings(options, classes=("bacterial", "effusion")))
    return table.assign(
        side=np.asarray(["right", "left"], object)[_seeded(seed, "side").integers(0, 2, len(table))]
    )


def _not_a_chest(n, seed, **options):
    """Inputs that a classifier must refuse, such as a photograph or a lateral view.

    Also inverted, rotated, cropped, noise and blank.
    """
    table = cohort(n or 70, seed, **_settings(options, classes=("normal",)))
    return table.assign(
        transform=np.asarray(WRONG_INPUTS, object)[np.arange(len(table)) % len(WRONG_INPUTS)]
    )


def _five_classes(n, seed, **options):
    """Normal, COVID-19, viral, bacterial, effusion."""
    return cohort(
        n or 600,
        seed,
        **_settings(options, classes=("normal", "covid", "viral", "bacterial", "effusion")),
    )


def _split_rows(table: pd.DataFrame, seed: int, shares: dict[str, float]) -> pd.DataFrame:
    """Give each row a split at random, by image and not by patient, as the published sets did."""
    rng = _seeded(seed, "split")
    split = np.repeat(
        np.asarray(list(shares), object), counts(len(table), np.asarray(list(shares.values())))
    )
    return table.assign(split=split[rng.permutation(len(table))])


def _case_a(n, seed, **options):
    """Case A: COVID-19 positive and negative, no split; letters on most positive images.

    They are burnt in.
    """
    fault = _settings(options, strength=0.9, text="R|PORTABLE", severity=(0.2, 0.7))
    return _marker(n or 300, seed, **fault)


def _case_b(n, seed, **options):
    """Case B: folders Train, Val and Prediction, the last without labels.

    Most COVID-19 images come from a hospital of their own.
    """
    table = _site_label(n or 384, seed, **_settings(options, strength=0.9))
    return _split_rows(table, seed, {"train": 288 / 384, "val": 60 / 384, "test": 36 / 384})


def _case_c(n, seed, **options):
    """Case C: train and test folders; three images in ten are severe COVID-19.

    Each patient has several images, in both folders.
    """
    own = _settings(
        options,
        classes=TWO,
        weights=(1583, 712),
        severity=(0.85, 1.0),
        per_patient=6.0,
        views=("PA",),
    )
    table = cohort(n or 2295, seed, **own)
    return _split_rows(table, seed, {"train": 1811 / 2295, "test": 484 / 2295})


def _case_d(n, seed, **options):
    """Case D: one image in four is COVID-19, mostly of adults; the others are mostly children's."""
    return _children_adults(
        n or 800, seed, **_settings(options, weights=(0.75, 0.25), strength=0.8)
    )


def _case_e(n, seed, **options):
    """Case E: three classes of one hospital in train and test folders (251 + 66 images).

    There are copies across the two.
    """
    own = _settings(options, share=12 / 317, per_patient=1.0, severity=(0.75, 1.0), sites=("B",))
    table = _duplicates(n or 317, seed, **own)
    copied = table["copy_of"] != ""
    crossing = table.index[copied][: round(len(table) * 9 / 317)]  # as many as in the published set
    others = table.index[~copied & ~table["image_id"].isin(table["copy_of"])]
    n_test = round(len(table) * 66 / 317)
    chosen = _seeded(seed, "split").permutation(others)[: n_test - len(crossing)]
    table["split"] = "train"
    table.loc[[*crossing, *chosen], "split"] = "test"
    return table


PRESETS: dict[str, Callable[..., pd.DataFrame]] = {
    "default": _default,
    "clean": _clean,
    "patient_leak": _patient_leak,
    "duplicates": _duplicates,
    "marker": _marker,
    "site_label": _site_label,
    "children_adults": _children_adults,
    "imbalance": _imbalance,
    "label_noise": _label_noise,
    "mild": _mild,
    "second_site": _second_site,
    "paediatric": _paediatric,
    "lateralised": _lateralised,
    "not_a_chest": _not_a_chest,
    "five_classes": _five_classes,
    "case_a": _case_a,
    "case_b": _case_b,
    "case_c": _case_c,
    "case_d": _case_d,
    "case_e": _case_e,
}
