"""Questions of lesson 13, deployment: one model to ship, five servers, what to report, the card."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from .. import evaluate
from . import _networks, expect, fresh
from ._bootstrap import NARROW, TABLES, WIDE, bootstrap, breadth, level_words
from ._kinds import Choice
from ._panels import Panels
from ._question import Mistake, Question
from ._running import Wrong

SIDE = _networks.SIDE
# of an interval's ends (other draws of the bootstrap), and of a file's size in kB
ENDS, SIZE = 0.03, 0.6

# --- q1: one model that takes files' grey levels --------------------------------------------------


def _trained(rng: np.random.Generator) -> tuple:
    """A small network from grey levels 0-1 to logits of three classes, and a temperature."""
    keras = _networks.keras()
    keras.utils.set_random_seed(int(rng.integers(1, 10_000)))
    wide = keras.initializers.RandomNormal(stddev=0.5)
    network = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            keras.layers.RandomTranslation(0.2, 0.2),
            keras.layers.Conv2D(6, 5, strides=3, activation="relu", kernel_initializer=wide),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, kernel_initializer=wide),
        ],
        name="network",
    )
    return network, round(float(rng.uniform(1.6, 2.6)), 2)


def _behind_softmax(network, temperature):
    keras = _networks.keras()
    return _chain(network, 1 / 255, 1.0, _to_shares(), keras.layers.Rescaling(1 / temperature))


def _still_training(network, temperature):
    chain = _chain(network, 1 / 255, 1 / temperature, _to_shares())
    return _networks.always_training(chain)


def _lambda_layer(network, temperature):
    keras = _networks.keras()
    divided = keras.layers.Lambda(lambda logits: logits / temperature)
    return _chain(network, 1 / 255, 1.0, divided, _to_shares())


q1 = Question(
    "serving_model",
    title="One model to ship",
    points=4,
    wants="serving_model(network, temperature) returns one Keras model",
    hints=(
        "Four things in a row: what makes of 0-255 what the network was trained on? What adds the "
        "channel? What turns its logits into probabilities, and where does the temperature stand?",
        "keras.Sequential([keras.Input((24, 24)), Rescaling, Reshape, network, Rescaling, "
        "Softmax]) "
        "does it; what are the two scales?",
        "Rescaling(1 / 255) before, Rescaling(1 / temperature) behind the network, then Softmax(). "
        "Do not use Lambda, which Keras refuses to load.",
    ),
    data=_trained,
    mistakes={
        "never_scaled": Mistake(
            lambda network, temperature: _chain(network, 1.0, 1 / temperature, _to_shares()),
            "The network got grey levels of 0-255; it was trained on 0-1. No error is raised, and "
            "the answers look as good as others. Scale in the model that you ship.",
        ),
        "scaled_twice": Mistake(
            lambda network, temperature: _chain(network, 1 / 255**2, 1 / temperature, _to_shares()),
            "The image was divided by 255 twice, so the network sees black, and gives nearly the "
            "same answer to everything. Divide once.",
        ),
        "no_temperature": Mistake(
            lambda network, temperature: _chain(network, 1 / 255, 1.0, _to_shares()),
            "The temperature is missing. The classes are right, and the probabilities as "
            "overconfident as before lesson 11. Divide the logits by it.",
        ),
        "multiplied": Mistake(
            lambda network, temperature: _chain(network, 1 / 255, temperature, _to_shares()),
            "The logits were multiplied by the temperature: the network became surer of itself. "
            "Divide.",
        ),
        "behind_softmax": Mistake(
            _behind_softmax,
            "The temperature was applied to the probabilities, behind softmax, so they no longer "
            "sum to 1. It belongs to the logits, before softmax.",
        ),
        "logits_shipped": Mistake(
            lambda network, temperature: _chain(network, 1 / 255, 1 / temperature),
            "These are logits. Who gets the model expects probabilities: the last layer is "
            "softmax.",
        ),
        "still_training": Mistake(
            _still_training,
            "The same images get other answers when they are asked again: augmentation or dropout "
            "is on. Keras turns both off in prediction, unless a class of your own calls the "
            "network with training=True. Leave the argument out.",
        ),
        "lambda_layer": Mistake(
            _lambda_layer,
            "Keras refuses to load the file: a Lambda layer holds code, and code of a stranger's "
            "file is not run. Say the same with a layer that Keras has: Rescaling(1 / "
            "temperature).",
        ),
    },
)


@q1.rule
def _(serving_model, rng):
    for _ in range(2):
        case = _trained(rng)
        images = _networks.sketches(rng, np.arange(40) % 3)
        model = _networks.asked(serving_model, *case, misfit=lambda shape: None)
        given = _networks.outputs(model, images)
        if given.shape != (40, 3):
            raise Wrong(
                f"40 images should give 40 × 3 numbers, not {' × '.join(map(str, given.shape))}."
            )
        if np.abs(_networks.outputs(model, images) - given).max() > 1e-6:
            raise q1.caught("still_training")
        _judge_served(given, case, images)
        _judge_file(model, images, given)


def _judge_served(given: np.ndarray, case: tuple, images: np.ndarray) -> None:
    """Raise `Wrong` unless these are the probabilities of the images at the temperature."""
    network, temperature = case
    logits = _networks.outputs(network, images[..., None] / 255)
    if np.abs(given - _shares(logits / temperature)).max() <= 1e-4:
        return
    for name, mistake in q1.mistakes.items():
        if name not in ("still_training", "lambda_layer"):
            wrong = _networks.outputs(mistake.answer(*case), images)
            if np.abs(given - wrong).max() <= 1e-4:
                raise q1.caught(name)
    off = np.abs(given - _shares(logits / temperature)).max()
    raise Wrong(
        f"A probability is off by up to {off:.2f}. Follow one image: 0-255, 0-1, logits, logits / "
        "temperature, probabilities."
    )


def _judge_file(model, images: np.ndarray, given: np.ndarray) -> None:
    """Raise `Wrong` unless the model can be saved, and answers alike when it is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "model.keras"))
        try:
            model.save(path)
            again = _networks.keras().models.load_model(path)
        except Exception as error:
            if "lambda" in str(error).lower():
                raise q1.caught("lambda_layer") from error
            raise Wrong(
                f"The model cannot be saved and loaded again: {error!s:.200} Use Keras' own layers."
            ) from error
        if np.abs(_networks.outputs(again, images) - given).max() > 1e-5:
            raise Wrong("Saved and loaded, the model gives other answers.")


def _shares(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _chain(network, before: float = 1 / 255, behind: float = 1.0, *last):
    """Scaling, channel, network, scaling of its logits, and what comes last."""
    keras = _networks.keras()
    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE)),
            keras.layers.Rescaling(before),
            keras.layers.Reshape((SIDE, SIDE, 1)),
            network,
            keras.layers.Rescaling(behind),
            *last,
        ]
    )


def _to_shares():
    return _networks.keras().layers.Softmax()


@q1.edges
def _(right):
    yield "as the text says", right, True
    yield "a function", lambda network, temperature: lambda images: images, False


# --- q2: what the server does differently ---------------------------------------------------------

SAME, INVERTED, TWICE = "as trained", "inverted", "scaled twice"
ORDER, ROUNDED = "other order of classes", "rounded weights"


def _served(rng: np.random.Generator, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 3) of a network and of a server that runs it, for the same new images."""
    y = rng.permutation(np.arange(90) % 3)
    new = _pixels(rng, rng.integers(0, 3, int(rng.integers(60, 90))))
    shown = {INVERTED: 1 - new, TWICE: new / 255}.get(what, new)

    def drawn() -> tuple[np.ndarray, np.ndarray]:
        hidden, top = _fitted(rng, _pixels(rng, y), y)
        ours = _shares(_seen(new, hidden) @ top)
        if what == ROUNDED:
            hidden, top = _on_a_grid(hidden), _on_a_grid(top)
        served = _shares(_seen(shown, hidden) @ top) * rng.normal(1, 1e-7, ours.shape)  # 32 bits
        if what == ORDER:
            swapped = rng.permutation(3)[1:]
            served[:, swapped] = served[:, swapped[::-1]]
        return ours, served

    return fresh.until(drawn, lambda found: _typical(what, *found))


def _typical(what: str, ours: np.ndarray, served: np.ndarray) -> bool:
    """Whether a network is worth serving, and a panel shows what happened to it."""
    off = np.abs(ours - served)
    clear = {
        INVERTED: served.std(axis=0).max() > 0.15 and off.max() > 0.8,
        TWICE: served.std(axis=0).max() < 0.01,
        ORDER: off.max(axis=0).min() < 1e-4 and np.sort(off.max(axis=0))[1] > 0.8,
        ROUNDED: 0.05 < off.max() < 0.25 and (ours.argmax(1) == served.argmax(1)).all(),
    }
    return bool(ours.std(axis=0).min() > 0.2 and clear.get(what, True))


def _pixels(rng: np.random.Generator, hazes: np.ndarray) -> np.ndarray:
    """Grey levels 0-1 of sketches, a row for each, in blocks of 3 × 3."""
    blocks = SIDE // 3
    images = _networks.sketches(rng, hazes).reshape(-1, blocks, 3, blocks, 3).mean(axis=(2, 4))
    return images.reshape(len(images), -1) / 255


def _fitted(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> tuple:
    """Weights of a hidden layer, at random, and of a last layer fitted to labels; biases last."""
    hidden = rng.normal(0, 1 / 8, (x.shape[1] + 1, 40))
    seen = _seen(x, hidden)
    ridge = 0.05 * np.eye(seen.shape[1])
    return hidden, 4 * np.linalg.solve(seen.T @ seen + ridge, seen.T @ (np.eye(3)[y] - 1 / 3))


def _seen(x: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """What the hidden layer makes of rows of pixels, of length 1, with a 1 for the next bias."""
    one = np.ones((len(x), 1))
    seen = np.maximum(np.hstack([2 * x - 1, one]) @ hidden, 0)
    return np.hstack([seen / np.linalg.norm(seen, axis=1, keepdims=True), one])


def _on_a_grid(weights: np.ndarray) -> np.ndarray:
    """Weights rounded to 31 steps of either sign, as six bits hold them."""
    step = np.abs(weights).max() / 31
    return step * np.round(weights / step)


def _told(trained: np.ndarray, served: np.ndarray) -> str:
    off = np.abs(served - trained).max(axis=0)
    if off.max() < 1e-3:
        return SAME
    if served.std(axis=0).max() < 0.02:
        return TWICE
    return ORDER if off.min() < 1e-3 else ROUNDED if off.max() < 0.3 else INVERTED


q2 = Panels(
    "diagnose",
    title="Five servers, one network",
    points=3,
    wants="diagnose(trained, served) returns one of the five names",
    hints=(
        "First by eye: in which panel are all points on the diagonal, in which one class alone? "
        "Where are they near it, where nowhere near?",
        "Two panels have nothing to do with the diagonal. In one of them the server says nearly "
        "the same to every image: what does it see?",
        "np.abs(served - trained).max(axis=0) is the largest difference of each class, and "
        "served.std(axis=0) how much an answer changes from image to image. Ask for the surest "
        "sign first.",
    ),
    panel=_served,
    signs={
        SAME: "Not one probability of any image has moved, but for the last digits.",
        INVERTED: "The server's answers change from image to image, and have nothing to do with "
        "the network's: another picture came in.",
        TWICE: "The server says nearly the same to every image: it sees black.",
        ORDER: "One class is as trained, to the last digits; the other two have changed places.",
        ROUNDED: "Each class has moved a little, and none is right to the last digits.",
    },
    mistakes={
        "class_is_enough": Mistake(
            lambda trained, served: (
                SAME if (trained.argmax(1) == served.argmax(1)).all() else _told(trained, served)
            ),
            "Where no image changed its most probable class, the server was said to be as trained. "
            "In some of these panels a probability has moved by more than 0.05: where a threshold "
            "decides, the answer may change. Compare the probabilities.",
        ),
        "order_unseen": Mistake(
            lambda trained, served: (
                INVERTED if _told(trained, served) == ORDER else _told(trained, served)
            ),
            "Panels in which two classes changed places were called inverted. An inverted image "
            "moves all three classes; here one of them is exactly as trained.",
        ),
        "flat_unseen": Mistake(
            lambda trained, served: (
                INVERTED if _told(trained, served) == TWICE else _told(trained, served)
            ),
            "Panels in which the server says the same to every image were called inverted. An "
            "inverted image is still an image, and answers differ. What if all inputs are black?",
        ),
        "by_size_alone": Mistake(
            lambda trained, served: (
                INVERTED if np.abs(served - trained).max() > 0.3 else _told(trained, served)
            ),
            "Every large difference was called inverted. How large it is says that something is "
            "wrong, and not what: look at each class, and at how the server's answers vary.",
        ),
    },
)


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
    correct = predictions["label"].astype(str) == predictions["predicted"].astype(str)
    test = predictions[predictions["split"] == "test"]
    right = evaluate.metric(test, "accuracy")
    if abs(value - right.value) > 1e-3:
        of_training = correct[predictions["split"] == "train"].mean()
        if min(abs(value - of_training), abs(value - correct.mean())) <= 1e-3:
            raise q4.caught("accuracy_of_training", value=value, right=right.value)
        raise Wrong(f'"accuracy" is {value:.3f}; on the evaluation images it is {right.value:.3f}.')
    ways = [(right.low, right.high), bootstrap(correct[test.index], test["group"])]
    if all(max(abs(low - a), abs(high - b)) > ENDS for a, b in ways):
        single = evaluate.metric(test.drop(columns="group"), "accuracy")
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
