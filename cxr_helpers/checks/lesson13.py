"""Questions of lesson 13, deployment: the same input, parity, what to report, and the card."""

import numpy as np
import pandas as pd

from .. import evaluate, preprocess
from . import expect, fresh
from ._bootstrap import NARROW, TABLES, WIDE, bootstrap, breadth, level_words
from ._kinds import Case, Choice, Compare, asked
from ._question import Mistake, Question
from ._running import Wrong

LEVELS, CLOSE = 1.0, 1e-5  # grey levels that an input may differ by; a difference in probability
# of an interval's ends (other draws of the bootstrap), and of a file's size in kB
ENDS, SIZE = 0.03, 0.6

# --- q1: the input when serving -------------------------------------------------------------------


def _picture(rng: np.random.Generator) -> np.ndarray:
    """Grey levels in [0, 1], not square, neither symmetric nor evenly spread."""
    height, width = (int(side) for side in rng.permutation([60, 96]) + rng.integers(0, 9, 2))
    y, x = np.mgrid[0:height, 0:width]
    waves = np.sin(x / rng.uniform(5, 9)) * np.cos(y / rng.uniform(5, 9))
    return np.clip((x / width) ** 2 * 0.8 + 0.1 * waves + 0.1, 0, 1).astype(np.float32)


def _served(rng: np.random.Generator) -> list[tuple]:
    """Images and settings of every kind, as (picture, settings)."""
    kinds = [("pad", None), ("crop", None), ("pad", "equalize"), ("squash", "equalize")]
    sizes = map(int, rng.integers(40, 64, len(kinds)))
    return [
        (_picture(rng), {"size": s, "fit": f, "contrast": c})
        for s, (f, c) in zip(sizes, kinds, strict=True)
    ]


def _shuffled(rng: np.random.Generator) -> list[tuple]:
    served = _served(rng)
    return [served[k] for k in rng.permutation(len(served))]


def _trained(picture: np.ndarray, settings: dict) -> np.ndarray:
    return preprocess.prepare(picture, **settings).astype(float)


def _why_not_served(grey: np.ndarray, case: Case) -> str:
    if grey.min() >= 0 and grey.max() <= 1.01:
        raise q1.caught("scaled_twice", top=grey.max())
    if grey.min() < -0.01:
        raise q1.caught("standardised")
    off = np.abs(grey - case.right).max()
    return f"The input differs from that of training by up to {off:.0f} grey levels of 255."


q1 = Compare(
    "to_input",
    title="The same input as in training",
    points=2,
    wants=(
        "to_input(picture, settings) returns the network's input: an array (1, size, size, 1), "
        "as in training"
    ),
    hints=(
        "Which function of lesson 03 prepared the training images? If the same code is used, the "
        "input cannot differ.",
        "It takes all the settings by name. What remains is the shape: one image, one channel.",
        "preprocess.prepare(picture, **settings) gives (size, size); [None, ..., None] adds both "
        "axes. Scale nothing.",
    ),
    data=lambda rng: _served(rng)[2],
    mistakes={
        "scaled_twice": Mistake(
            lambda picture, settings: _batch(picture, settings) / 255,
            "The largest value is {top:.2f}: the grey levels were scaled to 0-1 here, and the "
            "network scales them again in its first layer. No error is raised, but it gets a "
            "nearly black image. It was trained on 0-255, so pass 0-255.",
        ),
        "standardised": Mistake(
            lambda picture, settings: (
                ((grey := _batch(picture, settings)) - grey.mean()) / grey.std()
            ),
            "There are negative values, as where an image is standardised on the way. In "
            "training, grey levels 0-255 went in and all scaling was left to the network's first "
            "layers. Do the same here.",
        ),
        "inverted": Mistake(
            lambda picture, settings: 255 - _batch(picture, settings),
            "Black and white are swapped. images.read has already settled the polarity: do not "
            "change it.",
        ),
        "squashed": Mistake(
            lambda picture, settings: _batch(picture, settings | {"fit": "squash"}),
            "The image was squashed to a square, whatever settings['fit'] says. With square files "
            "this would not show; these are not square. Training padded or cropped: pass the "
            "setting on.",
        ),
        "size_only": Mistake(
            lambda picture, settings: _batch(picture, {"size": settings["size"]}),
            "Only the size was passed on; fit and contrast are the function's defaults, which "
            "differ from some of the training settings. Pass all settings: prepare(picture, "
            "**settings).",
        ),
    },
    cases=lambda rng: asked(_trained, _shuffled(rng)),
    read=lambda value, case: expect.array(
        value, (1, *case.right.shape, 1), "to_input(picture, settings)"
    )[0, ..., 0],
    same=expect.near(LEVELS),
    places=lambda greys, cases: {"top": max(grey.max() for grey in greys)},
    explain=_why_not_served,
)


def _batch(picture, settings) -> np.ndarray:
    return preprocess.prepare(picture, **settings).astype(float)[None, ..., None]


@q1.edges
def _(right):
    yield "32-bit floats", lambda p, s: np.float32(right(p, s)), True
    yield "half a grey level brighter", lambda p, s: np.asarray(right(p, s), float) + 0.5, True
    yield "five grey levels brighter", lambda p, s: np.asarray(right(p, s), float) + 5, False
    yield "no axis for the channel", lambda p, s: np.asarray(right(p, s))[..., 0], False


# --- q2: parity -----------------------------------------------------------------------------------


def _copies(rng: np.random.Generator, rises: bool = True) -> tuple:
    """An original, a copy that differs on a few images, never on the first, and the images.

    On these, the least probable class rises or the most probable one falls: that is the largest
    difference, and no probability moves nearly as far in the other direction.
    """
    images = rng.integers(0, 200, (int(rng.integers(40, 60)), 8, 8)).astype(np.uint8)
    images[1 + rng.permutation(len(images) - 1)[: int(rng.integers(2, 7))], 0, 0] = 255
    weights = rng.normal(0, 0.5, (64, 3)) / 8

    def logits(x):
        return (np.asarray(x, float).reshape(len(x), -1) / 255 - 0.4) @ weights

    def original(x):
        return _softmax(logits(x))

    def copy(x):
        corner, own = np.asarray(x)[:, 0, 0], logits(x)
        moved = 9 * np.eye(3)[own.argmin(1)] if rises else -9 * np.eye(3)[own.argmax(1)]
        return _softmax(
            own + 0.002 * np.sin(corner)[:, None] * [1, 0, -1] + moved * (corner > 250)[:, None]
        )

    return original, copy, images


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _mean_difference(original, copy, images):
    return _truth(original, copy, images) | {
        "largest": np.abs(original(images) - copy(images)).mean()
    }


def _one_direction(original, copy, images):
    return _truth(original, copy, images) | {"largest": (copy(images) - original(images)).max()}


def _truth(original, copy, images) -> dict[str, float]:
    a, b = original(images), copy(images)
    flips = (a.argmax(1) != b.argmax(1)).sum()
    return {"largest": float(np.abs(a - b).max()), "flipped": float(flips), "n": float(len(images))}


def _three(value) -> dict[str, float]:
    """The three numbers of an answer, which may hold more."""
    keys = ("largest", "flipped", "n")
    given = {key: value[key] for key in value if key in keys} if isinstance(value, dict) else value
    return expect.numbers(given, keys, "compare_copy(...)")


def _in_words(found: list[dict], cases: list[Case]) -> dict:
    right = cases[0].right
    return {"n": len(cases[0].given[2]), "largest": right["largest"], "other": right["flipped"]}


q2 = Compare(
    "compare_copy",
    title="Is the copy faithful?",
    points=3,
    wants="compare_copy(original, copy, images) returns a dict with largest, flipped and n",
    hints=(
        "What tells you about the next image: one image, or all that you have?",
        "What is the largest difference among all probabilities, in either direction? In how many "
        "rows is another class the most probable?",
        "np.abs(copy(images) - original(images)).max() is the first; argmax(axis=1) helps with "
        "the second.",
    ),
    data=_copies,
    mistakes={
        "one_image": Mistake(
            lambda original, copy, images: _truth(original, copy, images[:1]),
            "Only one image was compared. On it the two agree; among all {n} the largest "
            "difference is {largest:.2f} and {other} answers change. Compare the whole set.",
        ),
        "mean_difference": Mistake(
            _mean_difference,
            "The mean difference was used. It is small when most images agree; the largest is "
            "{largest:.2f}. Judge a copy by its worst image.",
        ),
        "one_direction": Mistake(
            _one_direction,
            "A difference has two directions: {largest:.2f} is the largest, but you took only one "
            "of them into account. Take the absolute value before the maximum.",
        ),
        "share_flipped": Mistake(
            lambda original, copy, images: (
                (found := _truth(original, copy, images))
                | {"flipped": found["flipped"] / found["n"]}
            ),
            '"flipped" should be the number of images whose class changes; a share hides how many '
            "images it is based on.",
        ),
    },
    cases=lambda rng: asked(
        _truth, [_copies(rng, bool(rises)) for rises in rng.permutation([True, False])]
    ),
    read=lambda value, case: _three(value),
    same=expect.near(CLOSE),
    places=_in_words,
    explain=lambda found, case: (
        f"On one set of images the answer is {found}, but should be {case.right}."
    ),
)


@q2.edges
def _(right):
    yield "NumPy's numbers", lambda *c: {k: np.float64(v) for k, v in right(*c).items()}, True
    yield "one more key", lambda *c: right(*c) | {"mean": 0.1}, True
    yield "one flip too many", lambda *c: right(*c) | {"flipped": right(*c)["flipped"] + 1}, False
    yield "the last image left out", lambda o, c, x: right(o, c, x[:-1]), False


# --- q3: which report to believe ------------------------------------------------------------------


SHIPPED, MEDIAN = "int8.tflite", "median of 500, after 20 to warm up"
FIRST, FASTEST = "the first call", "the fastest of 500"


def _description(rng: np.random.Generator) -> dict:
    """What somebody reports of the exported network."""
    file, time = (
        str(rng.choice([SHIPPED, "model.keras"])),
        str(rng.choice([MEDIAN, FIRST, FASTEST])),
    )
    weights = str(rng.choice(["trained", "random"]))
    ms = {MEDIAN: (0.6, 0.9), FIRST: (700, 900), FASTEST: (0.3, 0.5)}[time]
    return {
        "file": file,
        "kB": round(float(rng.uniform(80, 100) * (1 if file == SHIPPED else 11))),
        "time": time,
        "ms": round(float(rng.uniform(*ms)), 1),
        "weights, when compared with Keras": weights,
        "largest difference": round(
            float(rng.uniform(0.01, 0.05) / (1 if weights == "trained" else 70)), 4
        ),
    }


q3 = Choice(
    "believable",
    title="Which report of size and speed?",
    points=1,
    wants="believable(reports) returns the letter of one report",
    hints=(
        "For each report ask: which file is it about, how often was it timed, and was the network "
        "trained?",
        "Three conditions, one for each of these; the small numbers are none of them.",
        "reports.index[condition][0] is a letter; & joins conditions, each in brackets.",
    ),
    row=_description,
    why_not={
        "first_call": (
            lambda report: report["time"] == FIRST,
            "This is one call, and the first. It prepares what later calls reuse, so it says "
            "little about the next image. Warm up, repeat, take the median.",
        ),
        "other_file": (
            lambda report: report["file"] != SHIPPED,
            "This is the size of the Keras file, which contains data that only training needs. "
            "The int8 file is shipped: report its size.",
        ),
        "untrained": (
            lambda report: report["weights, when compared with Keras"] == "random",
            "An untrained network answers nearly the same to every image, so rounding hardly "
            "matters. Check the agreement on the network that is shipped.",
        ),
        "fastest": (
            lambda report: report["time"] == FASTEST,
            "The fastest of 500 calls is the best case. It may be given beside the median, not "
            "instead of it.",
        ),
    },
)


# --- q4: the card ---------------------------------------------------------------------------------

FIELDS = ("intended use", "training images", "evaluation images", "accuracy", "low", "high", "kB")


def _evidence(rng: np.random.Generator) -> dict:
    """What a project leaves behind: predictions for every part, several images per patient, and
    files.
    """
    rows, names = [], iter(fresh.names(rng, 119, "P-"))
    for part, patients, chance in (("train", 60, 0.99), ("val", 25, 0.92), ("test", 34, 0.72)):
        for good, patient in zip(
            rng.permutation(np.arange(patients) < round(chance * patients)), names, strict=False
        ):
            label = ["normal", "covid"][int(rng.integers(2))]
            said = label if good else {"normal": "covid", "covid": "normal"}[label]
            films = int(rng.integers(5, 8))
            rows += [
                {"group": patient, "label": label, "predicted": said, "split": part}
                for _ in range(films)
            ]
    table = pd.DataFrame(rows).iloc[rng.permutation(len(rows))].reset_index(drop=True)
    table.insert(0, "image_id", fresh.names(rng, len(table)))
    p = np.where(table["predicted"] == "covid", 0.8, 0.2)
    table = table.assign(p_normal=1 - p, p_covid=p, model="compact")
    small = float(rng.integers(80, 200))
    sizes = {"model.keras": 11.0 * small, "float32.tflite": 3.6 * small, "int8.tflite": small}
    return {
        "predictions": table,
        "files": pd.DataFrame(sizes.items(), columns=["name", "kB"]),
        "shipped": "int8.tflite",
    }


def _val_as_training(evidence):
    parts = evidence["predictions"]["split"].value_counts()
    return _card(evidence, **{"training images": int(parts["train"] + parts["val"])})


def _accuracy_of_training(evidence):
    table = evidence["predictions"]
    rows = table[table["split"] == "train"]
    return _card(evidence, accuracy=(rows["label"] == rows["predicted"]).mean())


q4 = Question(
    "fill_card",
    title="Complete the card from the evidence",
    points=4,
    wants=f"fill_card(evidence) returns a dict with the keys {', '.join(FIELDS)}",
    hints=(
        "For each entry ask: which rows, or which file, is this about? And who could be harmed if "
        "readers believed the sentence?",
        "The model was trained on one part and evaluated on another; val was used for choices. "
        "Several images belong to one patient.",
        'evaluate.metric(rows, "accuracy") has value, low, high and n, and reads the column group.',
    ),
    data=_evidence,
    mistakes={
        "says_diagnosis": Mistake(
            lambda evidence: _card(evidence, use="A"),
            "A: diagnosis was never evaluated, and the course's models are for education. An "
            "intended use may claim no more than the evidence: this model was not compared with a "
            "physician on patients not yet diagnosed.",
        ),
        "says_triage": Mistake(
            lambda evidence: _card(evidence, use="B"),
            "B: supporting a physician is also a use on patients. It was not evaluated: no "
            "physician took part, and the class shares in this set are not those of an emergency "
            "department.",
        ),
        "test_as_training": Mistake(
            lambda evidence: _card(evidence, train="test"),
            "The {n} test images are given as training data. A reader must know which images the "
            "model has *not* been trained on.",
        ),
        "val_as_training": Mistake(
            _val_as_training,
            "Training images: {n} includes val. Val was used to choose settings; the weights were "
            "fitted to train only.",
        ),
        "accuracy_of_training": Mistake(
            _accuracy_of_training,
            "An accuracy of {value:.3f} includes images that the model was trained on. On the "
            "test images it is {right:.3f}.",
        ),
        "no_interval": Mistake(
            lambda evidence: _card(evidence, low=None, high=None),
            "The accuracy has no interval, so a reader cannot tell whether it is based on 20 "
            "images or on 2000. Give low and high.",
        ),
        "films_as_units": Mistake(
            lambda evidence: _card(evidence, by_group=False),
            "The interval {low:.2f}-{high:.2f} is as narrow as if every image were an independent "
            "answer. Several belong to one patient: by group it is "
            "{right_low:.2f}-{right_high:.2f}. Keep the column group.",
        ),
        "other_file": Mistake(
            lambda evidence: _card(evidence, kB=evidence["files"]["kB"].max()),
            "{got:.0f} kB is the size of another file. The shipped file is {shipped}, with "
            "{right:.0f} kB; the Keras file also contains data that only training needs.",
        ),
    },
)


@q4.rule
def _(fill_card, rng):
    given, ways = [], ([], [])
    for evidence in (q4.data(rng) for _ in range(TABLES)):
        card = fill_card(evidence)
        if not isinstance(card, dict):
            raise Wrong(f"fill_card(evidence) should be a dict, not {expect.kind(card)}.")
        if missing := [key for key in FIELDS if key not in card]:
            raise Wrong(f"The dict of fill_card(evidence) lacks {', '.join(missing)}.")
        use = expect.choice(card["intended use"], "ABC", '"intended use"')
        if use != "C":
            raise q4.caught({"A": "says_diagnosis", "B": "says_triage"}[use])
        _judge_counts(card, evidence["predictions"]["split"].value_counts())
        for way, ends in zip(ways, _judge_accuracy(card, evidence["predictions"]), strict=True):
            way.append(ends)
        given.append((card["low"], card["high"]))
        _judge_size(card, evidence)
    if not NARROW <= (share := breadth(given, *ways)) <= WIDE:
        raise Wrong(f"All but the interval is right. {level_words(share)}")


def _judge_counts(card: dict, parts: pd.Series) -> None:
    both = {"training images": "train", "evaluation images": "test"}
    given = [expect.number(card[key], f'"{key}"') for key in both]
    if given[0] == parts["test"]:
        raise q4.caught("test_as_training", n=parts["test"])
    if given[0] == parts["train"] + parts["val"]:
        raise q4.caught("val_as_training", n=int(given[0]))
    for (key, part), value in zip(both.items(), given, strict=True):
        if value != parts[part]:
            raise Wrong(f'"{key}" is {value:g}, but should be {parts[part]}.')


def _judge_accuracy(card: dict, predictions: pd.DataFrame) -> list[tuple[float, float]]:
    """Raise `Wrong` unless accuracy and ends may be right; return the ends by each way that is
    accepted.
    """
    ends = [card["low"], card["high"]]
    if (
        any(end is None or (isinstance(end, float) and np.isnan(end)) for end in ends)
        or ends[0] == ends[1]
    ):
        raise q4.caught("no_interval")
    value, low, high = (expect.number(card[key], f'"{key}"') for key in ("accuracy", "low", "high"))
    rows = {part: predictions[predictions["split"] == part] for part in ("train", "val", "test")}
    rows["all"] = predictions
    found = {part: evaluate.metric(table, "accuracy") for part, table in rows.items()}
    right = found["test"]
    if abs(value - right.value) > 1e-3:
        if any(abs(value - found[part].value) <= 1e-3 for part in ("train", "all")):
            raise q4.caught("accuracy_of_training", value=value, right=right.value)
        raise Wrong(f'"accuracy" is {value:.3f}; on the evaluation images it is {right.value:.3f}.')
    correct = rows["test"]["label"].astype(str) == rows["test"]["predicted"].astype(str)
    ways = [(right.low, right.high), bootstrap(correct, rows["test"]["group"])]
    if all(max(abs(low - a), abs(high - b)) > ENDS for a, b in ways):
        single = evaluate.metric(rows["test"].drop(columns="group"), "accuracy")
        if max(abs(low - single.low), abs(high - single.high)) <= ENDS:
            raise q4.caught(
                "films_as_units", low=low, high=high, right_low=right.low, right_high=right.high
            )
        raise Wrong(
            f"The interval {low:.2f}-{high:.2f} is not the 95 % interval of the evaluation images, "
            "by group."
        )
    return ways


def _judge_size(card: dict, evidence: dict) -> None:
    sizes = evidence["files"].set_index("name")["kB"]
    size, right = expect.number(card["kB"], '"kB"'), sizes[evidence["shipped"]]
    if abs(size - right) <= SIZE:
        return
    if abs(size - sizes["model.keras"]) <= SIZE or abs(size - sizes["float32.tflite"]) <= SIZE:
        raise q4.caught("other_file", got=size, right=right, shipped=evidence["shipped"])
    raise Wrong(f'"kB" is {size:g}; the file that is shipped has {right:g} kB.')


def _card(evidence: dict, train="train", test="test", by_group=True, use="C", **changes) -> dict:
    table = evidence["predictions"]
    rows = table[table["split"] == test]
    found = evaluate.metric(rows if by_group else rows.drop(columns="group"), "accuracy")
    sizes = evidence["files"].set_index("name")["kB"]
    card = {"intended use": use, "training images": int((table["split"] == train).sum())}
    card |= {
        "evaluation images": found.n,
        "accuracy": found.value,
        "low": found.low,
        "high": found.high,
    }
    return card | {"kB": sizes[evidence["shipped"]]} | changes


@q4.edges
def _(right):
    yield "an end moved by a hundredth", lambda e: right(e) | {"low": right(e)["low"] - 0.01}, True
    yield (
        "an end moved by five hundredths",
        lambda e: right(e) | {"low": right(e)["low"] - 0.05},
        False,
    )
    yield "a small letter", lambda e: right(e) | {"intended use": "c"}, True
    yield "a size rounded to whole kB", lambda e: right(e) | {"kB": round(right(e)["kB"])}, True
    yield (
        "accuracy in per cent",
        lambda e: right(e) | {"accuracy": 100 * right(e)["accuracy"]},
        False,
    )
    yield "one field missing", lambda e: {k: v for k, v in right(e).items() if k != "kB"}, False
