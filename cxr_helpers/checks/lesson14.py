"""Questions of lesson 14, reviewing a study: leaks, the source of a matrix, the honest figure,
damage.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import evaluate, files
from . import expect, fresh
from ._bootstrap import NARROW, TABLES, WIDE, bootstrap, breadth, level_words
from ._kinds import Case, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

MODELS, PARTS = ("A", "B"), ("train", "val", "test")
LEAKS = ("one line per box", "files moved twice", "patient on both sides", "best of many on test")
FAULTS = (*LEAKS, "other scaling in test")
# so far apart that ten runs show the order
EFFECTS, LOWERS, NOISE = (0.27, 0.225, 0.075, 0.0), 0.15, 0.03
CASES = 3  # tables that one check makes: nothing is right by luck in all of them
SLACK = 0.03  # of an end of an interval: what resampling with another seed may change
SAME = 0.0006  # an accuracy that is the same but for rounding to three digits
RUNS = 60  # runs over which a misconception averages
FEW = 8  # runs of a fault alone, with different seeds, that are too few or just enough

# --- q1: the leak ---------------------------------------------------------------------------------


def _both_sides(table):
    seen = table[table["image_id"].isin(_seen(table))]
    known = table["split"] != "test"
    twins = table["sha256"].isin(seen["sha256"]) | table["patient"].isin(seen["patient"].dropna())
    return sorted(set(seen["image_id"]) | set(table.loc[known & twins, "image_id"]))


def film_lines(
    rng: np.random.Generator, patients: list[str], split: str, films=(1, 4)
) -> list[dict]:
    """Lines of the images of some patients: one line for a normal image, two to four (a box each)
    for a covid image.
    """
    rows = []
    for patient in patients:
        label = ("normal", "covid")[_digest(patient)[0] % 2]
        for name in fresh.names(rng, int(rng.integers(*films))):
            film = {"image_id": f"{name}.png", "patient": patient, "label": label, "split": split}
            film["sha256"] = _digest(patient + name).hex()
            rows += [film] * (1 if label == "normal" else int(rng.integers(2, 5)))
    return rows


def _digest(text: str) -> bytes:
    return bytes.fromhex(files.sha256(text.encode()))


def leaking_table(rng: np.random.Generator) -> pd.DataFrame:
    """One line per box, with a leak of each kind from train and from val into test; some patients
    are not named.
    """
    names = fresh.names(rng, 80, "P-")
    own = {"train": names[:40], "val": names[40:58], "test": names[58:]}
    table = pd.DataFrame(
        [line for part, patients in own.items() for line in film_lines(rng, patients, part)]
    )
    pieces = []
    for part in ("train", "val"):
        # another image of the same patient
        pieces += film_lines(rng, own[part][:3], "test", films=(1, 2))
        inside = table[table["split"] == part]
        parted = inside[inside["image_id"].duplicated()].drop_duplicates("patient").index[:2]
        table.loc[parted, "split"] = "test"  # one line of an image that has several
        # the same bytes, under nobody's name
        copies = inside.drop(parted).drop_duplicates("patient").tail(3)
        renamed = [f"{name}.png" for name in fresh.names(rng, len(copies))]
        pieces += copies.assign(image_id=renamed, patient=None, split="test").to_dict("records")
    for part in own:
        strangers = film_lines(rng, fresh.names(rng, 3, "P-"), part)
        pieces += [line | {"patient": None} for line in strangers]
    table = pd.concat([table, pd.DataFrame(pieces)], ignore_index=True)
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def _seen(
    table: pd.DataFrame, columns=("sha256", "patient"), parts=("train", "val"), drop=True
) -> set[str]:
    """Names of the test images that share a value of a column with one of the parts."""
    test, known = table[table["split"] == "test"], table[table["split"].isin(parts)]
    hit = np.zeros(len(test), bool)
    for column in columns:
        values = known[column].dropna() if drop else known[column]
        hit |= test[column].isin(values).to_numpy()
    return set(test.loc[hit, "image_id"])


def _too_many(named: list[set], cases: list[Case]) -> dict:
    extra = sum(len(names - case.right) for names, case in zip(named, cases, strict=True))
    missing = sum(len(case.right - names) for names, case in zip(named, cases, strict=True))
    return {"extra": extra, "missing": missing}


def _why_not_these(names: set, case: Case) -> str:
    table = case.given[0]
    if strangers := names - set(table.loc[table["split"] == "test", "image_id"]):
        return f"{len(strangers)} of the images named are not in the test part."
    return (
        f"{len(case.right - names)} images that leak are missing from your list, and "
        f"{len(names - case.right)} that do not leak are in it."
    )


q1 = Compare(
    "unfit",
    title="Find the leak",
    points=3,
    wants=(
        "unfit(table) returns the names (image_id) of the test images that must not be there, "
        "as a list"
    ),
    hints=(
        "What about a test image gives the model an unfair advantage: its name, its bytes, its "
        "patient? And from which parts of the split could the model know it?",
        "The model knows everything in train *or* val. Two columns matter: one for the file, one "
        "for the patient.",
        'known = table[table["split"] != "test"]; then .isin(known[column]) for two columns, '
        "joined by |. But .isin "
        "treats a missing patient as a known one.",
    ),
    data=leaking_table,
    mistakes={
        "no_line_twice": Mistake(
            lambda table: [],
            "No line of the table is in two parts, but that proves nothing: a radiograph has "
            "several lines here, and a patient several radiographs. {missing} test images are not "
            "new. Disjoint by row is not disjoint by patient.",
        ),
        "names_only": Mistake(
            lambda table: sorted(_seen(table, ["image_id"])),
            "This finds the images whose lines are in several parts, but copies under another "
            "name and other images of the same patient were missed: {missing} images.",
        ),
        "bytes_only": Mistake(
            lambda table: sorted(_seen(table, ["sha256"])),
            "Bytes were compared, but not patients: {missing} test images show a patient of whom "
            "the model knows another image. The bytes differ, but the patient is the same.",
        ),
        "people_only": Mistake(
            lambda table: sorted(_seen(table, ["patient"])),
            "Patients were compared, but not bytes: {missing} test images are exact copies of "
            "images outside test and name no patient. The SHA-256 finds them.",
        ),
        "unknown_is_one": Mistake(
            lambda table: sorted(_seen(table, drop=False)),
            "Images of unknown patients were treated as images of one patient: {extra} were named "
            "wrongly. pandas' isin finds a missing value among missing values; drop those before "
            "comparing.",
        ),
        "val_ignored": Mistake(
            lambda table: sorted(_seen(table, parts=("train",))),
            "Test was compared with train only. The epoch and the threshold were chosen on val, "
            "so the model depends on val too: {missing} test images share a file or a patient "
            "with it.",
        ),
        "both_sides": Mistake(
            _both_sides,
            "Both images of each pair were named, {extra} too many. The question asks for the "
            "images of the *test* part. (The model is already trained, so the test side has to "
            "go.)",
        ),
    },
    cases=lambda rng: asked(_seen, [(leaking_table(rng),) for _ in range(CASES)]),
    read=lambda value, case: set(expect.names(value, case.given[0]["image_id"], "unfit(table)")),
    same=set.__eq__,
    places=_too_many,
    explain=_why_not_these,
)


@q1.edges
def _(right):
    yield "a set", lambda table: set(right(table)), True
    yield (
        "a column, each line named",
        lambda t: t.loc[t["image_id"].isin(right(t)), "image_id"],
        True,
    )
    yield "the first one left out", lambda table: sorted(right(table))[1:], False
    yield (
        "all test images",
        lambda table: table.loc[table["split"] == "test", "image_id"].unique(),
        False,
    )


# --- q2: which table the matrix comes from --------------------------------------------------------

CAPTION = "B, test"


def matrix_case(
    rng: np.random.Generator, margins: bool = False, first: bool = True
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], str]:
    """A matrix, six tables of answers (two models, three parts), and the key of the table that the
    matrix is of.

    Four of the tables have as many rows as the matrix; one of them gives it transposed. The other
    model on its part has as many right answers or, with `margins`, the same sums of rows and
    columns; `first`: that model's table is later.
    """
    a, d = (int(n) for n in rng.integers(50, 90, size=2))
    b, c = (int(n) for n in rng.permutation([rng.integers(5, 10), rng.integers(14, 25)]))
    own = np.array([[a, b], [c, d]])
    shift = int(rng.integers(2, 5))
    moved = shift * np.array([[1, -1], [-1, 1] if margins else [1, -1]])
    part, twin, other = rng.permutation(PARTS)
    own_model, second = rng.permutation(MODELS)
    larger = own + rng.integers(20, 40, size=(2, 2))
    matrices = {f"{own_model}, {part}": own, f"{second}, {part}": own + moved}
    matrices |= {f"{own_model}, {twin}": own.T + moved, f"{second}, {twin}": own.T}
    matrices |= {f"{own_model}, {other}": larger, f"{second}, {other}": larger + moved}
    order = rng.permutation(list(matrices)).tolist()
    places = sorted(
        map(order.index, pair := [f"{own_model}, {part}", f"{second}, {part}"]), reverse=not first
    )
    order[places[0]], order[places[1]] = pair
    tables = {str(key): _answered(rng, matrices[key]) for key in order}
    names = ["covid", "normal"]
    matrix = pd.DataFrame(
        own, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted")
    )
    return matrix, tables, pair[0]


def _answered(rng: np.random.Generator, matrix: np.ndarray) -> pd.DataFrame:
    """A table of answers with this confusion matrix, in random order."""
    cells = [(t, p) for t in range(2) for p in range(2) for _ in range(matrix[t, p])]
    label, predicted = np.array(["covid", "normal"])[np.array(cells)].T
    table = pd.DataFrame({"label": label, "predicted": predicted}).iloc[rng.permutation(len(cells))]
    table.insert(0, "image_id", [f"{name}.png" for name in fresh.names(rng, len(cells))])
    return table.reset_index(drop=True)


def _accuracy_only(matrix, tables):
    right = {key: (table["label"] == table["predicted"]).mean() for key, table in tables.items()}
    aim = np.trace(matrix) / matrix.to_numpy().sum()
    return next(key for key in reversed(tables) if abs(right[key] - aim) < 1e-9)


def _matrices(rng: np.random.Generator) -> list[Case]:
    """Cases on which no two ways of answering agree throughout.

    The other model on the same part has the same accuracy or the same margins, and its table comes
    before or after.
    """
    kinds = [(margins, first) for margins in (False, True) for first in (False, True)]

    def drawn() -> list[Case]:
        found = [matrix_case(rng, *kinds[k]) for k in rng.permutation(len(kinds))]
        return [Case((matrix, tables), key) for matrix, tables, key in found]

    def tells(cases: list[Case]) -> bool:
        ways = [tuple(m.answer(*case.given) for case in cases) for m in q2.mistakes.values()]
        return len({*ways, tuple(case.right for case in cases)}) == 1 + len(ways)

    return fresh.until(drawn, tells)


q2 = Compare(
    "belongs_to",
    title="Whose matrix is it?",
    points=2,
    wants=(
        "belongs_to(matrix, tables) returns the key of the table that the matrix was made from, "
        "such as 'A, val'"
    ),
    hints=(
        "A caption can be wrong. What can you count in a table of predictions that must agree "
        "with the matrix?",
        "Several tables have the same number of images and of right answers. Compare all four "
        "cells.",
        'Make the matrix of each table again: pd.crosstab(table["label"], table["predicted"]), '
        "true classes in rows, "
        "and compare all of it.",
    ),
    data=lambda rng: matrix_case(rng)[:2],
    mistakes={
        "caption_believed": Mistake(
            lambda matrix, tables: CAPTION,
            f"You relied on the caption, {CAPTION!r}. Captions are typed by hand, and the "
            "predictions of that model on that part give another matrix. Recompute it.",
        ),
        "sum_only": Mistake(
            lambda matrix, tables: next(
                key for key, table in tables.items() if len(table) == matrix.to_numpy().sum()
            ),
            "A table with the same number of images was chosen. The sum of a matrix is a good "
            "first check, but here two parts have the same number of images, each with two "
            "models. Compare every cell.",
        ),
        "accuracy_only": Mistake(
            _accuracy_only,
            "A table with the same accuracy was chosen. Several have as many right answers, but "
            "different errors. Compare every cell.",
        ),
        "transposed": Mistake(
            lambda matrix, tables: next(
                key
                for key, table in tables.items()
                if (matrix.to_numpy() == _counted(table).T).all()
            ),
            "You found the transposed matrix: the predicted classes are in your rows, so misses "
            "and false alarms are swapped. Rows are the true classes, as the index says.",
        ),
    },
    cases=_matrices,
    read=lambda value, case: expect.choice(value, case.given[1], "belongs_to(matrix, tables)"),
    explain=lambda key, case: (
        f"The answers of {key!r} do not give this matrix: compare the four cells."
    ),
)


def _counted(table: pd.DataFrame) -> np.ndarray:
    return pd.crosstab(table["label"], table["predicted"]).to_numpy()


@q2.edges
def _(right):
    yield "small letters", lambda *args: right(*args).lower(), True
    yield "NumPy's text", lambda *args: np.str_(right(*args)), True
    yield "only the model", lambda *args: right(*args)[0], False
    yield "the last table", lambda matrix, tables: list(tables)[-1], False


# --- q3: the honest figure ------------------------------------------------------------------------


def overlapping(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training lines, and a model's answers about the test lines: it knows what it was trained
    on.
    """
    names = fresh.names(rng, 80, "P-")
    train = pd.DataFrame(film_lines(rng, names[:50], "train"))
    again = film_lines(rng, names[:20], "test", films=(1, 3))  # other images of patients in train
    fresh_ones = film_lines(rng, names[50:], "test", films=(1, 6))
    copied = train[train["patient"].isin(names[10:50])].assign(split="test")
    test = pd.concat([pd.DataFrame(again), pd.DataFrame(fresh_ones), copied], ignore_index=True)
    kind = np.select(
        [test["sha256"].isin(train["sha256"]), test["patient"].isin(train["patient"])], [0, 1], 2
    )
    # of a new patient, all images are alike
    easy = dict(zip(names, rng.beta(0.7, 0.6, len(names)), strict=True))
    chance = np.choose(
        kind, [1.0, 0.9, test["patient"].map(easy) + 0.15 * (test["label"] == "covid")]
    )
    right = (
        test["sha256"].map(dict(zip(test["sha256"], rng.random(len(test)), strict=True))) < chance
    )
    other = np.where(test["label"] == "covid", "normal", "covid")
    test["predicted"] = np.where(right, test["label"], other)
    test["p_covid"] = np.where(test["predicted"] == "covid", 0.8, 0.2)
    test["p_normal"] = 1 - test["p_covid"]
    order = rng.permutation(len(test))
    return train.drop(columns="split"), test.drop(columns="split").iloc[order].reset_index(
        drop=True
    )


def _study(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training lines, and the answers about the test lines; no two ways of counting agree."""
    return fresh.until(lambda: overlapping(rng), _ways_apart)


def _ways_apart(tables: tuple[pd.DataFrame, pd.DataFrame]) -> bool:
    ways = [_figure(_new(*tables).drop_duplicates("sha256"))]
    ways += [mistake.answer(*tables) for mistake in q3.mistakes.values()]
    return all(_apart(a, b) > 1.5 * SLACK for i, a in enumerate(ways) for b in ways[:i])


def _new(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Test lines whose bytes and whose patient are not in train."""
    return test[~test["sha256"].isin(train["sha256"]) & ~test["patient"].isin(train["patient"])]


def _figure(rows: pd.DataFrame, unit: str | None = "patient") -> dict[str, float]:
    """Accuracy with its interval (by unit; None: every row counts for itself) and n."""
    named = rows.assign(image_id=[f"{n}" for n in range(len(rows))])
    named = named.assign(group=named["image_id"] if unit is None else named[unit])
    found = evaluate.metric(named, "accuracy")
    return {"accuracy": found.value, "low": found.low, "high": found.high, "n": len(rows)}


def _resampled(rows: pd.DataFrame) -> dict[str, float]:
    """The same by resampling patients with replacement."""
    right = rows["label"] == rows["predicted"]
    low, high = bootstrap(right, rows["patient"])
    return {"accuracy": right.mean(), "low": low, "high": high, "n": len(rows)}


def _apart(a: dict, b: dict) -> float:
    """The largest difference between two figures' values and ends; where n differs, they are apart
    by one at least.
    """
    return max(abs(a[key] - b[key]) for key in ("accuracy", "low", "high")) + (a["n"] != b["n"])


def _files_only(train, test):
    kept = test[~test["sha256"].isin(train["sha256"])]
    return _figure(kept.drop_duplicates("sha256"))


q3 = Question(
    "honest",
    title="The honest figure",
    points=3,
    wants=(
        'honest(train, test) returns a dict of numbers: {"accuracy": ..., "low": ..., "high": '
        '..., "n": ...}'
    ),
    hints=(
        "Three decisions: which lines to remove because the model knows them, how many lines a "
        "radiograph may have, and which unit the interval resamples.",
        "The model is already trained; deleting rows from train does not undo that. So remove the "
        "known lines from *test*: by bytes, and by patient.",
        'Then drop_duplicates("sha256"), give the table a column group, and '
        'evaluate.metric(table, "accuracy") gives '
        "value, low, high and n.",
    ),
    data=_study,
    mistakes={
        "as_reported": Mistake(
            lambda train, test: _figure(test, None),
            "{accuracy:.3f} on {n:.0f} lines is the reported figure. It counts lines instead of "
            "images, and includes images and patients that the model was trained on. Check the "
            "data behind a high figure first.",
        ),
        "lines_as_images": Mistake(
            lambda train, test: _figure(_new(train, test), None),
            "The known images are removed, but {n:.0f} lines were counted as images: a radiograph "
            "with three boxes counts three times, a normal one once. Keep one row per radiograph.",
        ),
        "duplicates_within_test": Mistake(
            lambda train, test: _figure(test.drop_duplicates("sha256")),
            "Each radiograph is counted once, but those that the model was trained on are still "
            "among the {n:.0f}. Removing duplicates *within* test leaves those *between* test and "
            "train, and deleting rows from train does not change a trained model.",
        ),
        "files_only": Mistake(
            _files_only,
            "The copies are removed, but not other images of patients in train: of the {n:.0f}, "
            "some show patients whom the model knows. Disjoint by file is not disjoint by patient.",
        ),
        "films_as_units": Mistake(
            lambda train, test: _figure(_new(train, test).drop_duplicates("sha256"), None),
            "The images are right, but the interval is not: {low:.2f}-{high:.2f} is as narrow as "
            "if {n:.0f} images were independent answers. Images of one patient get similar "
            "answers: resample patients.",
        ),
    },
)


@q3.rule
def _(honest, rng):
    given, ways = [], ([], [])
    for train, test in (q3.data(rng) for _ in range(TABLES)):
        found = _read(honest(train, test))
        counted = _new(train, test).drop_duplicates("sha256")
        both = _figure(counted), _resampled(counted)
        _judge_figure(found, both, train, test)
        for ends, figure in zip((given, *ways), (found, *both), strict=True):
            ends.append((figure["low"], figure["high"]))
    if not NARROW <= (share := breadth(given, *ways)) <= WIDE:
        raise Wrong(f"Accuracy and n are right. {level_words(share)}")


def _read(result) -> dict[str, float]:
    return expect.numbers(result, ("accuracy", "low", "high", "n"), "The answer")


def _judge_figure(given: dict, ways: tuple, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Raise `Wrong` unless the figure may be right on these tables."""
    right = ways[0]
    apart = {
        name: _apart(given, mistake.answer(train, test)) for name, mistake in q3.mistakes.items()
    }
    nearest = min(apart, key=lambda name: apart[name])
    if (
        min(_apart(given, way) for way in ways) <= SLACK
        and abs(given["accuracy"] - right["accuracy"]) <= SAME
    ):
        return
    places = given | {
        "lines": len(test),
        "films": test["sha256"].nunique(),
        "patients": test["patient"].nunique(),
    }
    if apart[nearest] <= SLACK:
        raise q3.caught(nearest, **places)
    if given["n"] != right["n"]:
        raise Wrong(
            f"n is {given['n']:g}, but that is not the number of radiographs that are new to the "
            "model, each counted once."
        )
    what = "accuracy" if abs(given["accuracy"] - right["accuracy"]) > SAME else "interval"
    raise Wrong(f"n is right, but the {what} is not.")


@q3.edges
def _(right):
    def changed(**by):
        return lambda *tables: {
            key: value + by.get(key, 0) for key, value in right(*tables).items()
        }

    yield "rounded to three digits", lambda *t: {k: round(v, 3) for k, v in right(*t).items()}, True
    yield "NumPy's numbers", lambda *t: {k: np.float64(v) for k, v in right(*t).items()}, True
    yield (
        "patients resampled by hand",
        lambda a, b: _resampled(_new(a, b).drop_duplicates("sha256")),
        True,
    )
    yield "accuracy off by 0.01", changed(accuracy=0.01), False
    yield "one image too many", changed(n=1), False
    yield "an interval moved by 0.05", changed(low=0.05, high=0.05), False


# --- q4: which fault does most damage -------------------------------------------------------------


def experiment(rng: np.random.Generator) -> tuple[Callable, list[str]]:
    """A study to be run with any faults planted: study(planted, seed) → accuracy. Leaks cover for
    each other.
    """
    truth, key = float(rng.uniform(0.6, 0.68)), int(rng.integers(2**31))
    effect = dict(zip(rng.permutation(LEAKS).tolist(), EFFECTS, strict=True))

    def study(planted=(), seed=0):
        """Accuracy of one run of the study with these faults planted (any of FAULTS, as a list or
        set).
        """
        names = {planted} if isinstance(planted, str) else set(planted)
        if strange := names - set(FAULTS):
            raise ValueError(f"no such fault: {sorted(map(str, strange))}")
        luck = np.random.default_rng(
            [key, int(seed), *(FAULTS.index(n) for n in sorted(names))]
        ).normal(0, NOISE)
        raised = max((effect.get(name, 0) for name in names), default=0)
        return float(np.clip(truth + raised - LOWERS * (FAULTS[-1] in names) + luck, 0, 1))

    order = sorted(FAULTS, key=lambda name: -effect.get(name, LOWERS))
    return study, order


def _telling_study(rng: np.random.Generator) -> tuple[Callable, list[str]]:
    """A study on which no misconception but that of too few runs gives the right order, and no two
    give the same.
    """
    return fresh.until(lambda: experiment(rng), lambda drawn: _orders_differ(*drawn))


def _orders_differ(study: Callable, order: list[str]) -> bool:
    wrong = [mistake.answer for name, mistake in q4.mistakes.items() if name != "few_runs"]
    ways = [tuple(answer(study, FAULTS)) for answer in wrong]
    return len({*ways, tuple(order)}) == 1 + len(ways)


def _counting(study) -> tuple:
    """The study, and the different seeds with which each set of faults was run so far."""
    seeds: dict[frozenset[str], set[int]] = {frozenset([fault]): set() for fault in FAULTS}

    def counted(planted=(), seed=0):
        found = study(planted, seed)
        seeds.setdefault(frozenset([planted] if isinstance(planted, str) else planted), set()).add(
            int(seed)
        )
        return found

    return counted, seeds


def _repaired_one_by_one(study, faults):
    whole = _mean(study, faults)
    return sorted(faults, key=lambda f: -abs(whole - _mean(study, [g for g in faults if g != f])))


def _upside_down(study, faults):
    sound = _mean(study, [])
    return sorted(faults, key=lambda f: abs(_mean(study, [f]) - sound))


q4 = Question(
    "rank",
    title="Which fault does most damage?",
    points=2,
    wants="rank(study, faults) returns the names of all faults as a list, the most damaging first",
    hints=(
        "Damage has two directions: a figure can be too high or too low.",
        "With all faults present, one can hide another. What does the study report with a single "
        "fault? And with none?",
        "For each fault the mean of study([fault], seed) over many seeds, minus the mean of "
        "study([], seed); then sort by the absolute value.",
    ),
    data=lambda rng: (_telling_study(rng)[0], FAULTS),
    mistakes={
        "repaired_one_by_one": Mistake(
            _repaired_one_by_one,
            "You repaired one fault at a time and measured how far the figure fell. Leaks can "
            "replace each other: when one is repaired, another keeps the figure high, so the "
            "worst may look harmless. Plant each fault *alone*.",
        ),
        "highest_figure": Mistake(
            lambda study, faults: sorted(faults, key=lambda f: -_mean(study, [f])),
            "You sorted by how high the figure is. One fault makes it too *low*, which is damage "
            "as well: a good method may be rejected because of it. Use the distance from the "
            "study without faults, in either direction.",
        ),
        "few_runs": Mistake(
            lambda study, faults: sorted(
                faults, key=lambda f: -abs(_mean(study, [f], 3) - _mean(study, [], 3))
            ),
            f"For some fault alone the study was run with {{runs}} different seeds only. The "
            "accuracy varies from run to run by several hundredths, so that the order may be "
            f"chance. Average at least {FEW} seeds, better 30.",
        ),
        "upside_down": Mistake(
            _upside_down,
            "The list is reversed: the most damaging fault comes first.",
        ),
    },
)


@q4.rule
def _(rank, rng):
    cases = [_telling_study(rng) for _ in range(2)]
    given, runs = [], []
    for study, _ in cases:
        counted, seeds = _counting(study)
        named = rank(counted, FAULTS)
        if isinstance(named, (list, tuple, np.ndarray, pd.Series, pd.Index)) and len(named) != len(
            FAULTS
        ):
            raise Wrong(f"rank(study, faults) should name {len(FAULTS)} faults, not {len(named)}.")
        given.append(expect.names(named, FAULTS, "rank(study, faults)"))
        runs.append(min(len(seeds[frozenset([fault])]) for fault in FAULTS))
    if any(set(order) != set(FAULTS) for order in given):
        raise Wrong("Every fault should be in the list once.")
    for name, mistake in q4.mistakes.items():
        if name != "few_runs" and given == [
            list(mistake.answer(study, FAULTS)) for study, _ in cases
        ]:
            raise q4.caught(name)
    if 0 < min(runs) < FEW:
        raise q4.caught("few_runs", runs=min(runs))
    if given == [order for _, order in cases]:
        return
    order, right = next((a, b) for a, (_, b) in zip(given, cases, strict=True) if a != b)
    place = next(i for i in range(len(right)) if order[i] != right[i])
    alone = f"{min(runs)} runs" if min(runs) else "no run"
    raise Wrong(
        f"Place {place + 1} is not right in one of two studies. For some fault you made {alone} "
        "with it alone. Compare the mean of each fault alone with that of the study without "
        "faults, in either direction."
    )


def _mean(study, planted, runs: int = RUNS) -> float:
    return float(np.mean([study(planted, seed) for seed in range(runs)]))


@q4.edges
def _(right):
    yield "a tuple", lambda *args: tuple(right(*args)), True
    yield "an array", lambda *args: np.array(right(*args)), True
    yield "twenty runs of each", lambda study, faults: _ordered(study, range(20)), True
    yield "five runs of each", lambda study, faults: _ordered(study, range(5)), False
    yield "the same run twenty times", lambda study, faults: _ordered(study, [7] * 20), False
    yield "the first fault only", lambda *args: right(*args)[:1], False
    yield (
        "first and second swapped",
        lambda *args: [right(*args)[i] for i in (1, 0, 2, 3, 4)],
        False,
    )
    yield "as they came", lambda study, faults: list(faults), False


def _ordered(study, seeds) -> list[str]:
    mean = lambda planted: np.mean([study(planted, seed) for seed in seeds])  # noqa: E731
    sound = mean([])
    return sorted(FAULTS, key=lambda fault: -abs(mean([fault]) - sound))
