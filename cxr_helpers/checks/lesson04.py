"""Questions of lesson 04, splitting: the split, its proof, a leak in a figure, which number
to believe."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import split
from . import _networks, expect, fresh
from ._kinds import Case, Choice, Compare
from ._question import Mistake, Question
from ._running import Wrong

# of the test part: asked for, and how far off it may be
SHARE, SIZE_SLACK, CLASS_SLACK = 0.2, 0.05, 0.06
# splits that one check makes: classes that nobody looked at are even by luck in one split of four
SEEDS = 8

# --- q1: the split --------------------------------------------------------------------------------


def _shuffle_then_group(table, seed):
    table = table.assign(split=_cut(table, seed))
    return table.assign(group=table["group"] + "/" + table["split"])


def _move_files(table, seed):
    result = split.holdout(table, test=SHARE, val=0, seed=seed)
    paths = []
    for path, part in zip(table["path"], result["split"], strict=True):
        target = Path(path).parents[1] / part / Path(path).name
        target.parent.mkdir(exist_ok=True)
        shutil.move(path, target)
        paths.append(str(target))
    return result.assign(path=paths)


def _group_only(table, seed):
    from sklearn.model_selection import GroupShuffleSplit

    _, test = next(
        GroupShuffleSplit(1, test_size=SHARE, random_state=seed).split(table, groups=table["group"])
    )
    return table.assign(split=np.where(np.isin(np.arange(len(table)), test), "test", "train"))


q1 = Question(
    "make_split",
    title="Make the split",
    points=3,
    wants="make_split(table, seed) returns the table with its column split filled: train or test",
    hints=(
        "The column group says which images belong together. Which splitter of scikit-learn keeps "
        "groups together *and* balances classes (lesson 04, step 3)?",
        "Three requirements: groups stay together, each class is represented, the same seed gives "
        "the same split. No row may be lost and no file moved.",
        "StratifiedGroupKFold with shuffle=True and random_state=seed: how many folds make the "
        "first of them a fifth? next(folds.split(table, labels, groups)) gives two arrays of row "
        "numbers.",
    ),
    data=lambda rng: fresh.grouped(rng, 60, copies=8, labels=("normal", "covid", "viral")),
    mistakes={
        "shuffle_only": Mistake(
            lambda table, seed: table.assign(split=_cut(table, seed)),
            "{crossing} groups are in both train and test, as when single images are shuffled and "
            "cut. Assign whole groups to one part.",
        ),
        "shuffle_then_group": Mistake(
            _shuffle_then_group,
            "The column group was changed, so that nothing seems to cross. By the original "
            "groups, {crossing} are in both parts. Group first, split second, and leave the "
            "groups as they are.",
        ),
        "stratify_only": Mistake(
            lambda table, seed: table.assign(split=_cut(table, seed, table["label"])),
            "Each class has its share, but {crossing} groups are in both parts. Stratifying "
            "balances the classes; it does not keep groups together.",
        ),
        "deduplicate_after": Mistake(
            lambda table, seed: table.assign(split=_cut(table, seed)).drop_duplicates(
                ["split", "group"]
            ),
            "{lost} rows are gone, as when copies are removed within each part, and {crossing} "
            "groups are still in both parts, where they leak. Group first, split second, and drop "
            "nothing.",
        ),
        "move_files": Mistake(
            _move_files,
            "Files were moved, or their paths rewritten. A second run would then split what the "
            "first one left. A split is a column in the table: leave every file where it is.",
        ),
        "group_only": Mistake(
            _group_only,
            "Groups stay together, but the classes are uneven: with one of the seeds tried, "
            "{share:.0%} of the class {label} went to test. Keep groups together and stratify by "
            "class at the same time.",
        ),
        "no_seed": Mistake(
            lambda table, seed: split.holdout(
                table, test=SHARE, val=0, seed=int(np.random.default_rng().integers(10**6))
            ),
            "The same seed gave two different splits. Pass the seed on, so that others can "
            "reproduce your split.",
            random=True,
        ),
    },
)


@q1.rule
def _(make_split, rng):
    table, seeds = q1.data(rng), fresh.seeds(rng, SEEDS)
    with tempfile.TemporaryDirectory() as folder:
        table = fresh.with_files(table, folder)
        paths = table.set_index("image_id")["path"]
        first = expect.table(
            make_split(table, seeds[0]), ["image_id", "split"], "make_split(table, seed)"
        )
        now = first.set_index("image_id").get("path", paths)
        if not all(map(os.path.exists, paths)) or (now != paths.reindex(now.index)).any():
            raise q1.caught("move_files")
        others = [make_split(table, seed) for seed in seeds[1:]]
        _judge(table, [first, *others], seeds)
        if not _aligned(table, first).equals(_aligned(table, make_split(table, seeds[0]))):
            raise q1.caught("no_seed")
        different = len({tuple(_aligned(table, result)) for result in (first, *others)})
        if different == 1:
            raise Wrong("Every seed gave the same split: the argument seed is not used.")
        if different < len(seeds):
            raise Wrong(
                f"{len(seeds)} seeds gave only {different} splits: use the whole seed, as it is "
                "given."
            )


def _judge(table: pd.DataFrame, results: list[pd.DataFrame], seeds: list[int]) -> None:
    """Raise `Wrong` unless every split keeps rows and groups, and is of about the size asked for in
    each class, or is what scikit-learn's own splitter gives.
    """
    splits = [_aligned(table, result) for result in results]
    crossing = max(int((s.groupby(table["group"]).nunique() > 1).sum()) for s in splits)
    lost = len(table) - len(results[0])
    if lost:
        raise (
            q1.caught("deduplicate_after", lost=lost, crossing=crossing)
            if crossing
            else Wrong(f"{lost} rows are gone.")
        )
    shares = _shares(table, splits)
    if 0 < crossing < 5:
        raise Wrong(f"{crossing} of {table['group'].nunique()} groups are in both parts.")
    if crossing:
        groups = results[0].set_index("image_id").get("group", table["group"])
        renamed = set(groups) != set(table["group"])
        exact = shares.std().max() < 0.02
        name = "shuffle_then_group" if renamed else "stratify_only" if exact else "shuffle_only"
        raise q1.caught(name, crossing=crossing)
    size = np.mean([(s == "test").mean() for s in splits])
    if abs(size - SHARE) > SIZE_SLACK:
        raise Wrong(f"{size:.0%} of the images are in test; it should be about {SHARE:.0%}.")
    of_groups = _shares(table, splits, table.drop_duplicates("group").index)
    # even by images or by groups: either will do
    far = np.minimum((shares - SHARE).abs(), (of_groups - SHARE).abs())
    if far.max().max() > CLASS_SLACK:
        if all(_is_fold(table, part, seed) for part, seed in zip(splits, seeds, strict=True)):
            return
        label = far.max().idxmax()
        raise q1.caught("group_only", label=label, share=shares[label].iloc[far[label].argmax()])


def _is_fold(table: pd.DataFrame, part: pd.Series, seed: int) -> bool:
    """Whether a split is a fold of the installed scikit-learn, whose versions before 1.8 do not
    keep the classes even when they shuffle: who does as the lesson says is right there, too.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    cut = StratifiedGroupKFold(round(1 / SHARE), shuffle=True, random_state=seed)
    test = np.flatnonzero(part == "test")
    folds = cut.split(table, table["label"], groups=table["group"])
    return any(np.array_equal(test, held) for _, held in folds)


def _shares(
    table: pd.DataFrame, splits: list[pd.Series], rows: pd.Index | slice = slice(None)
) -> pd.DataFrame:
    """Share of test among the rows: a row per split, a column per class."""
    return pd.DataFrame(
        [(s.loc[rows] == "test").groupby(table["label"].astype(str)).mean() for s in splits]
    )


def _aligned(table: pd.DataFrame, result: pd.DataFrame) -> pd.Series:
    """The column split as text, in the table's order; <NA> for rows that are gone."""
    parts = result.set_index("image_id")["split"].astype(str)
    if odd := sorted(map(str, set(parts) - {"train", "test"})):
        raise Wrong(
            f"split should hold train or test and nothing else; it also holds {', '.join(odd[:3])}."
        )
    if parts.index.duplicated().any() or not set(parts.index) <= set(table["image_id"]):
        raise Wrong("The result has rows that the table does not have.")
    return table["image_id"].map(parts)


def _cut(table, seed, stratify=None):
    """What most tutorials do: shuffle the images and cut."""
    from sklearn.model_selection import train_test_split

    _, test = train_test_split(table.index, test_size=SHARE, random_state=seed, stratify=stratify)
    return np.where(table.index.isin(test), "test", "train")


@q1.edges
def _(right):
    def with_share(share):
        return lambda table, seed: split.holdout(table, test=share, val=0, seed=seed)

    yield "groups cut by hand, class by class", _by_hand, True
    yield "rows in another order", lambda t, s: right(t, s).sample(frac=1, random_state=0), True
    yield "text in place of a categorical", lambda t, s: right(t, s).astype({"split": str}), True
    yield "one row lost", lambda t, s: right(t, s).iloc[1:], False
    yield "a tenth for test", with_share(0.1), False
    yield "three tenths for test", with_share(0.3), False
    yield "val as well", lambda t, s: split.holdout(t, test=0.2, val=0.2, seed=s), False
    yield "one image across", lambda t, s: _swap_one(right(t, s)), False


def _by_hand(table, seed):
    from sklearn.model_selection import train_test_split

    groups = table.drop_duplicates("group")
    _, test = train_test_split(
        groups["group"], test_size=SHARE, stratify=groups["label"], random_state=seed
    )
    return table.assign(split=np.where(table["group"].isin(test), "test", "train"))


def _swap_one(table: pd.DataFrame) -> pd.DataFrame:
    """The table with one image of one group on the other side."""
    row = table.index[table["group"] == table["group"].mode()[0]][0]
    other = "train" if table.loc[row, "split"] == "test" else "test"
    return table.assign(split=table["split"].astype(object).where(table.index != row, other))


# --- q2: the proof --------------------------------------------------------------------------------


def _splits(rng: np.random.Generator) -> list[Case]:
    """Split tables without groups, in random order; the note is what is in two parts ("": nothing).

    A leak between any two parts, of a patient, of a file of known patients, and of one of unknown
    patients; and splits without leaks: unchanged, of known patients only, and with a file twice in
    one part.
    """
    table = fresh.cohort(rng, 30, unknown=0.3)
    named = table["patient"].notna()
    whole = table["patient"].astype(object).fillna(table["image_id"])
    side: dict[Any, Any] = {}
    for names in (whole[named].unique(), whole[~named].unique()):  # names in each part
        parts = rng.permutation(np.resize(["train", "val", "test"], len(names)))
        side |= zip(names, parts, strict=True)
    clean = table.assign(split=pd.Categorical(whole.map(side), ["train", "val", "test"]))
    cases = [(clean, ""), (clean[named].reset_index(drop=True), "")]

    def copied(column: str, a: str, b: str, rows: pd.Series) -> pd.DataFrame:
        """The clean table, a value of such a row of part a repeated in one of part b."""
        first = clean.index[(clean["split"] == a) & rows][0]
        second = clean.index[(clean["split"] == b) & rows][-1]
        values = clean[column].where(clean.index != second, clean.loc[first, column])
        return clean.assign(**{column: values})

    for a, b in (("train", "test"), ("val", "test"), ("train", "val")):
        cases += [(copied("patient", a, b, named), "patient")]
        cases += [(copied("sha256", a, b, named), "file")]
        cases += [(copied("sha256", a, b, ~named), "file of patients without a name"), (clean, "")]
        cases += [(copied("sha256", b, b, rows), "") for rows in (named, ~named)]
    shuffled = [cases[k] for k in rng.permutation(len(cases))]
    return [Case((table,), not leak, leak) for table, leak in shuffled]


def _why_not_disjoint(said: bool, case: Case) -> str:
    if case.right:
        return "A split without leaks was rejected."
    return f"A split in which one {case.note} is in two parts was accepted as disjoint."


def _val_ignored(table):
    return not any(_shared(table, column, ("train", "test")) for column in ("patient", "sha256"))


def _unknown_counts(table):
    named = table.assign(patient=table["patient"].fillna("unknown"))
    return not any(_shared(named, column) for column in ("patient", "sha256"))


q2 = Compare(
    "is_disjoint",
    title="Prove it disjoint",
    points=2,
    wants=(
        "is_disjoint(table) returns True where no patient and no file is in two parts, else False"
    ),
    hints=(
        "Which column identifies a file's content, and which one a person? File names do neither.",
        "Two parts means any two of train, val and test. And two images of unknown patients need "
        "not show the same person.",
        'For one column: table.dropna(subset=[column]).groupby(column)["split"].nunique() says in '
        "how many parts each "
        "value occurs. split.assert_disjoint does this for several columns.",
    ),
    data=lambda rng: next(
        case.given[0]
        for case in _splits(rng)
        if case.right and case.given[0]["patient"].isna().any()
    ),
    mistakes={
        "names_only": Mistake(
            lambda table: not _shared(table, "image_id"),
            "Your function accepted every split, including those that leak. File names differ "
            "even for identical files; and patient and file compared as a pair miss each single "
            "match. Compare the file's content and the patient separately.",
        ),
        "hashes_only": Mistake(
            lambda table: not _shared(table, "sha256"),
            "Files were compared but patients were not: a patient with images in two parts was "
            "missed.",
        ),
        "people_only": Mistake(
            lambda table: not _shared(table, "patient"),
            "Patients were compared but files were not: the same file under two patients' names "
            "was missed.",
        ),
        "val_ignored": Mistake(
            _val_ignored,
            "Train and test were compared, but val was not. Settings are chosen on val, so its "
            "images must be in neither train nor test. Compare all three parts.",
        ),
        "unknown_counts": Mistake(
            _unknown_counts,
            "A split without leaks was rejected, because images of unknown patients were treated "
            "as one person. A missing name does not identify anyone: leave it out of the "
            "comparison (and report how many there are).",
        ),
    },
    cases=_splits,
    read=lambda said, case: expect.truth(said, "is_disjoint(table)"),
    explain=_why_not_disjoint,
)


def _shared(
    table: pd.DataFrame, column: str, parts: tuple[str, ...] = ("train", "val", "test")
) -> bool:
    """Whether a known value of the column occurs in two of the parts."""
    used = table[table["split"].isin(parts)].dropna(subset=[column])
    return bool((used.groupby(column)["split"].nunique() > 1).any())


@q2.edges
def _(right):
    yield "NumPy's truth", lambda t: np.bool_(right(t)), True
    yield "1 and 0 in place of True and False", lambda t: int(right(t)), False
    yield "always True but for an empty table", lambda t: len(t) > 0, False
    yield "the wrong way round", lambda t: not right(t), False


# --- q3: what a study finds in random labels ------------------------------------------------------

COUNTS, RUNS = (1, 2, 4, 8), 10  # images of a patient; runs of a study, each with other labels
PATIENTS = 64
STUDIES = ("images", "copies", "itself", "few")  # what each of them does
TABLES = 6


def _curves(rng: np.random.Generator, copies_first: bool | None = None) -> Case:
    """Four studies with random labels: a row for each run, with panel, images of a patient, AUC.

    The looks of patients are drawn, and the nearest neighbours learn from them: these are the AUCs
    that such studies find. The note says what is done in which panel.
    """
    order = list(map(str, rng.permutation(STUDIES)))
    copies, cut = order.index("copies"), order.index("images")
    if copies_first is not None and (copies < cut) != copies_first:
        order[copies], order[cut] = order[cut], order[copies]
    behind = dict(zip("ABCD", order, strict=True))
    rows = []
    for panel, how in behind.items():
        found = fresh.until(lambda: _runs(rng, how), lambda aucs: _typical(how, aucs))  # noqa: B023
        for count, aucs in zip(COUNTS, found, strict=True):
            rows += [{"panel": panel, "images of a patient": count, "AUC": one} for one in aucs]
    right = next(panel for panel, how in behind.items() if how == "images")
    return Case((pd.DataFrame(rows),), right, behind)


def _runs(rng: np.random.Generator, how: str) -> np.ndarray:
    """AUCs of one study: (counts, runs)."""
    return np.array([[_run(rng, how, count) for _ in range(RUNS)] for count in COUNTS])


def _typical(how: str, aucs: np.ndarray) -> bool:
    """Whether the mean shows what is done, and does not by chance look like something else."""
    first, *_, last = aucs.mean(axis=1)
    if how == "images":
        return 0.42 < first < 0.56 and last > 0.7 and aucs[-1].min() > 0.57
    if how == "copies":
        return first > 0.63 and last - first < 0.13
    return how == "itself" or bool(np.abs(aucs.mean(axis=1) - 0.5).max() < 0.1)


def _run(rng: np.random.Generator, how: str, count: int) -> float:
    """The AUC of one run: each patient has a random label, and images that are alike."""
    who = np.repeat(np.arange(PATIENTS), count)
    labels = rng.permutation(np.arange(PATIENTS) % 2)[who]
    looks = rng.normal(0, 1, (PATIENTS, 12))[who] + rng.normal(0, 0.9, (len(who), 12))
    if how == "images":
        tested = rng.permutation(len(who)) < len(who) // 4
    else:  # whole patients, as many of each label
        order = np.argsort(rng.random((2, PATIENTS // 2)), axis=1)[:, : 3 if how == "few" else 8]
        first = np.flatnonzero(np.arange(len(who)) % count == 0)
        chosen = [first[labels[first] == label][order[label]] for label in (0, 1)]
        tested = np.isin(who, who[np.concatenate(chosen)])
    if how == "copies":  # a third of the test images are in train, too, under another name
        held = rng.permutation(np.flatnonzero(tested))[: tested.sum() // 3]
        kept = rng.permutation(np.flatnonzero(~tested))[: len(held)]
        looks[kept], labels[kept] = looks[held], labels[held]
    fitted = tested if how == "itself" else ~tested
    length = (looks**2).sum(axis=1)
    far = length[tested, None] + length[fitted] - 2 * looks[tested] @ looks[fitted].T
    near = np.argpartition(far, 2, axis=1)[:, :2]
    weight = 1 / (np.take_along_axis(far, near, axis=1) + 0.01)
    score = (weight * labels[fitted][near]).sum(axis=1) / weight.sum(axis=1)
    return round(_networks.auc(score, labels[tested]), 3)


def _why_not_this(panel: str, case: Case) -> str:
    raise q3.caught(case.note[panel])


def _means(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean AUC: a row per number of images, a column per panel."""
    return curves.pivot_table(index="images of a patient", columns="panel", values="AUC")


def _copied(curves: pd.DataFrame) -> str:
    first = _means(curves).loc[1]
    return str(first[first < 0.95].idxmax())


q3 = Compare(
    "by_image",
    title="Who cut single images?",
    points=1,
    wants="by_image(curves) returns the letter of one panel",
    hints=(
        "The labels are random: an honest study finds 0.5, up to chance. Look at the means, not "
        "at single runs. Which panels are above 0.5, and from how many images on?",
        "A patient with one image has no other image to be recognised by. So where must the curve "
        "of a cut by image begin, and where does it go?",
        'curves.pivot_table(index="images of a patient", columns="panel", values="AUC") has the '
        "means: compare the rows 1 and 8.",
    ),
    data=lambda rng: _curves(rng).given[0],
    mistakes={
        "itself": Mistake(
            lambda curves: str(_means(curves).mean().idxmax()),
            "You chose a panel at 1.0 throughout: random labels, every one of them right. That "
            "model was scored on the part that it was fitted on, and has them by heart. A cut by "
            "image begins at 0.5, where each patient has one image.",
        ),
        "copies": Mistake(
            _copied,
            "You chose a panel that is above 0.5 with *one* image of each patient, when nobody has "
            "another image to be recognised by. So it is not the patient that is known again: "
            "files are on both sides under two names.",
        ),
        "few": Mistake(
            lambda curves: str(_means(curves).mean().idxmin()),
            "You chose a panel whose means stay near 0.5. Its single runs reach far up and as far "
            "down: so few patients are tested that one run says nothing. It does not leak.",
        ),
    },
    # both orders in each check: the first of two that look alike is not right by chance
    cases=lambda rng: [_curves(rng, bool(k % 2)) for k in rng.permutation(TABLES)],
    read=lambda value, case: expect.choice(value, case.note, "by_image(curves)"),
    explain=_why_not_this,
)


@q3.edges
def _(right):
    yield "a small letter", lambda curves: right(curves).lower(), True
    yield "the largest rise", lambda c: (_means(c).loc[8] - _means(c).loc[1]).idxmax(), True
    yield "always A", lambda curves: "A", False
    yield "two letters", lambda curves: ["A", "B"], False


# --- q4: which number to believe ------------------------------------------------------------------


FAIR = ("five folds, each image scored once", "mean of twenty seeds", "one seed, set beforehand")
BEST = "the best of twenty seeds"


def _report(rng: np.random.Generator) -> dict:
    """How somebody split, and the accuracy, which tells nothing."""
    return {
        "set aside": str(rng.choice(["whole patients", "single images"])),
        "copies": str(rng.choice(["kept together", "removed within each part", "not looked for"])),
        "figure": str(rng.choice([*FAIR, BEST])),
        "accuracy": round(float(rng.uniform(0.8, 0.97)), 2),
    }


q4 = Choice(
    "believable",
    title="Which number would you report?",
    points=1,
    wants="believable(reports) returns the letter of one report",
    hints=(
        "For each report ask: what is in both train and test, and how was the split chosen?",
        "Three conditions, joined by &, one for each of the first three columns. The accuracy is "
        "none of them.",
        "reports.index[condition][0] is a letter; .isin([...]) or != says which figures will do.",
    ),
    row=_report,
    why_not={
        "images": (
            lambda report: report["set aside"] == "single images",
            "Single images were set aside. Patients are then in both train and test, however many "
            "seeds or folds there are: such a mean is precise but biased.",
        ),
        "copies_within": (
            lambda report: report["copies"] == "removed within each part",
            "Removing copies within train and within test leaves the copies between them. Group "
            "first, split second.",
        ),
        "unchecked": (
            lambda report: report["copies"] == "not looked for",
            "Nobody looked for copies. A file may be in train and in test under two names, as in "
            "the published set of case E. Check it first.",
        ),
        "best_seed": (
            lambda report: report["figure"] == BEST,
            "The split is sound, but the best of twenty seeds is too high by luck. Fix the seed "
            "before you see a result, or report the mean.",
        ),
    },
)
