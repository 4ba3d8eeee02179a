"""Each case's recipe, from what its code compiles and fits, against `described/case_<letter>.toml`.

Keys of such a file: layers (one line each, as `recipe.line_of` writes them), optimizer,
learning_rate, loss, epochs, batch and, where there are any, validation (a share),
validation_augmented, class_weight, callbacks, a table `[generator]` with the settings of the
`ImageDataGenerator` (as given) or of the random layers (`RandomZoom = 0.2`), and `fit`: which call
of `fit` in Part one is meant, from 0. A second call has a file of its own: `case_d_scratch.toml`.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tools.common import ROOT

HERE = Path(__file__).parent
FILES = sorted((HERE / "described").glob("case_*.toml"))
REQUIRED = ("layers", "optimizer", "learning_rate", "loss", "epochs", "batch")
OPTIONAL = ("validation", "validation_augmented", "class_weight", "callbacks", "generator")
WHOLE_IMAGES = 0.005  # by how much a share of whole images, taken class by class, may differ
WORDS = dict(
    enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    )
)


def described(file: Path) -> dict:
    """The content of a file, with nothing missing or misspelt."""
    found = tomllib.loads(file.read_text("utf-8"))
    assert set(REQUIRED) <= set(found) <= {*REQUIRED, *OPTIONAL, "fit"}, (
        f"{file.name} has the keys {list(found)}"
    )
    return found


def source_of(file: Path) -> Path:
    """The source of the case that a file describes."""
    letter = file.stem.removeprefix("case_")[0]
    return next((ROOT / "notebooks" / "src" / "cases").glob(f"{letter}_*.py"))


def fits(number: int, result: Path, *sources: Path) -> list[list[dict]]:
    """Run sources in a process of their own; return what each of their first fits was given."""
    settings = {
        "CXR_MODE": "class",
        "CXR_DATASET": "phantom",
        "CXR_SEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    settings |= {"CXR_DATA_DIR": str(result.parent), "MPLBACKEND": "agg", "TQDM_DISABLE": "1"}
    shared = os.environ.get("CXR_WORK_DIR", str(ROOT / "build" / "phantom"))
    settings |= {
        "CXR_WORK_DIR": shared,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [
        sys.executable,
        str(HERE / "recipe.py"),
        str(number),
        str(result),
        *map(str, sources),
    ]
    done = subprocess.run(
        command, env=os.environ | settings, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(result.read_text("utf-8"))


def differences(wanted: dict, found: dict) -> list[str]:
    """One line for each setting that is not as described."""
    lines = []
    for name in (*REQUIRED, *OPTIONAL):
        # a generator that nobody described is a difference
        if name not in wanted and name != "generator":
            continue
        expected, real = wanted.get(name, {}), found[name]
        if name == "layers" and len(expected) == len(real):
            pairs = zip(expected, real, strict=True)
            lines += [f"layer {k}: {b}, described: {a}" for k, (a, b) in enumerate(pairs) if a != b]
        elif name == "generator":
            names = sorted(set(expected) | set(real))
            apart = [one for one in names if not same(expected.get(one), real.get(one))]
            lines += [
                f"generator, {one}: {real.get(one)}, described: {expected.get(one)}"
                for one in apart
            ]
        elif name == "validation" and real is not None and abs(real - expected) < WHOLE_IMAGES:
            continue
        elif not same(expected, real):
            lines.append(f"{name}: {real}, described: {expected}")
    return lines


def same(one, other) -> bool:
    """Equal; numbers up to the digits that a description gives."""
    if (
        isinstance(one, (int, float))
        and isinstance(other, (int, float))
        and not isinstance(one, bool)
    ):
        return other == pytest.approx(one, rel=1e-3)
    return one == other


def table_at_the_top(source: Path) -> str:
    """Two columns of the Markdown table `described | here | where` before the first step."""
    text = source.read_text("utf-8")
    top = re.split(r"^# ## Step 1\b", text, flags=re.MULTILINE)[0]
    rows = re.findall(r"^# *(\|.*\|) *$", top, re.MULTILINE)
    begin = [
        k
        for k, row in enumerate(rows)
        if re.match(r"\| *described *\| *here *\| *where *\|", row.lower())
    ]
    assert begin, f"{source.name} has no table | described | here | where | before Step 1"
    return "\n".join(row.rsplit("|", 2)[0] for row in rows[begin[0] :])


def numbers_missing(wanted: dict, table: str) -> list[str]:
    """The numbers of a description that its table does not name."""
    plain = table.lower().replace("×", "x").replace(" %", "%")
    plain = re.sub(r"(?<=\d)\s*x\s*(?=\d)", "x", plain)
    named = set(re.findall(r"\d[\d.,/x]*\d%?|\d%?|[a-z]+", plain))
    return [str(number) for number in numbers_of(wanted) if not forms(number) & named]


def numbers_of(wanted: dict) -> list:
    """All numbers of a description: layers (kernels and pools as text, "5x5"), fit, generator."""
    parts = [word for line in wanted["layers"] for word in line.split()[1:]]
    found = [
        word if "x" in word else float(word)
        for word in parts
        if re.fullmatch(r"[\d.]+(x\d+)?", word)
    ]
    found += [wanted[name] for name in ("epochs", "batch", "validation") if name in wanted]
    # or a schedule's name
    found += [wanted["learning_rate"]] if not isinstance(wanted["learning_rate"], str) else []
    for value in wanted.get("generator", {}).values():
        found += value if isinstance(value, list) else [value]
    return [
        value
        for value in found
        if isinstance(value, (int, float, str)) and not isinstance(value, bool)
    ]


def forms(number) -> set[str]:
    """How a text may write a number: 0.2 or 20%, 0.00392157 or 1/255, 2 or two."""
    if isinstance(number, str):
        return {number, *([number[1:]] if number.startswith("-") else [])}
    found = {f"{number:g}", f"{number:,g}", f"{100 * number:g}%"}
    if 0 < number < 0.01:
        found.add(f"1/{round(1 / number)}")
    if number == int(number):
        found |= {f"{int(number):,}", WORDS.get(int(number), f"{int(number)}")}
    return found


@cache
def fits_of(source: Path, folder: Path) -> list[dict]:
    """The fits of a case's Part one, run once for all that describes them."""
    number = 1 + max(described(file).get("fit", 0) for file in FILES if source_of(file) == source)
    return fits(number, folder / f"{source.stem}.json", source)[0]


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("described")


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_code_does_what_is_described(file, folder):
    wanted, source = described(file), source_of(file)
    calls = fits_of(source, folder)
    which = wanted.get("fit", 0)
    assert len(calls) > which, f"Part one of {source.name} calls fit {len(calls)} times"
    assert Path(calls[which]["caller"]).name == source.name, (
        "fit is called by a helper, not by the notebook's own code"
    )
    assert not differences(wanted, calls[which])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_number_stands_in_the_table_at_the_top(file):
    assert not numbers_missing(described(file), table_at_the_top(source_of(file)))


# A tiny case, and what a changed number in it must be told as.

CASE = """# %% [markdown]
# # Case X
#
# | described | here | where |
# |---|---|---|
# | two convolutions of 4 and 6 filters, 5×5, pooling 2×2, dropout 0.25 | the same | Step 1 |
# | dense 7, one sigmoid; 1/255; Adam 0.001, 5 epochs, batches of 3 | the same | Step 1 |
# | zoom of 20 %, validation 25% | the same | Step 1 |
#
# ## Step 1 · Train

# %%
import numpy as np
from keras import Input, Sequential, layers, optimizers
from tensorflow.keras.preprocessing.image import ImageDataGenerator

x, y = np.zeros((12, 20, 20, 1)), np.arange(12) % 2
generator = ImageDataGenerator(zoom_range=0.2, horizontal_flip=True, validation_split=0.25)
train = generator.flow(x, y, batch_size=3, subset="training")
val = generator.flow(x, y, batch_size=3, subset="validation")

# %%
model = Sequential([Input((20, 20, 1)), layers.Rescaling(1 / 255)])
for filters in (4, 6):
    model.add(layers.Conv2D(filters, 5, padding="same", activation="relu"))
    model.add(layers.MaxPooling2D(2))
    model.add(layers.Dropout(0.25))
model.add(layers.Flatten())
model.add(layers.Dense(7, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(optimizers.Adam(0.001), loss="binary_crossentropy", run_eagerly=True)

# %% tags=["author"]
raise ValueError("a note to authors is not run")

# %%
history = model.fit(train, epochs=5, validation_data=val)
assert len(history.history["val_loss"]) == 1, "fit was not cut short"

# %% [markdown]
# ## Part two · The review

# %%
raise ValueError("Part two is not run")
"""
TOML = """
layers = [
    "Rescaling 0.00392157",
    "Conv2D 4 5x5 same relu", "MaxPooling2D 2x2", "Dropout 0.25",
    "Conv2D 6 5x5 same relu", "MaxPooling2D 2x2", "Dropout 0.25",
    "Flatten", "Dense 7 relu", "Dense 1 sigmoid",
]
optimizer = "Adam"
learning_rate = 0.001
loss = "binary_crossentropy"
epochs = 5
batch = 3
validation = 0.25
validation_augmented = true
[generator]
zoom_range = 0.2
horizontal_flip = true
validation_split = 0.25
"""
ARRAYS = "model.fit(x, y, epochs=5, batch_size=3, validation_split=0.25)"
CHANGES = {  # (what the source says, what it says instead): how the difference begins
    ("(4, 6)", "(4, 9)"): "layer 4: Conv2D 9 5x5 same relu",
    ("filters, 5,", "filters, 3,"): "layer 1: Conv2D 4 3x3 same relu",
    ('padding="same"', 'padding="valid"'): "layer 1: Conv2D 4 5x5 valid relu",
    ("MaxPooling2D(2)", "AveragePooling2D(2)"): "layer 2: AveragePooling2D 2x2",
    ("Dropout(0.25)", "Dropout(0.5)"): "layer 3: Dropout 0.5",
    ("Dense(7,", "Dense(8,"): "layer 8: Dense 8 relu",
    ('activation="sigmoid"', "activation=None"): "layer 9: Dense 1,",
    ("1 / 255", "1 / 127.5"): "layer 0: Rescaling 0.00784314",
    (
        "model.add(layers.Flatten())",
        "model.add(layers.GlobalAveragePooling2D())",
    ): "layer 7: GlobalAveragePooling2D",
    ("Adam(0.001)", "Adam(0.003)"): "learning_rate: 0.003",
    ("optimizers.Adam", "optimizers.SGD"): "optimizer: SGD",
    ("binary_crossentropy", "mean_squared_error"): "loss: mean_squared_error",
    ("epochs=5", "epochs=6"): "epochs: 6",
    ("batch_size=3, subset", "batch_size=4, subset"): "batch: 4",
    ("zoom_range=0.2", "zoom_range=0.3"): "generator, zoom_range: 0.3",
    ("horizontal_flip=True", "horizontal_flip=False"): "generator, horizontal_flip: False",
    ("zoom_range=0.2,", "zoom_range=0.2, shear_range=0.1,"): "generator, shear_range: 0.1",
    ("validation_data=val", "validation_data=(x, y)"): "validation: 0.5714",
    ("model.fit(train, epochs=5, validation_data=val)", ARRAYS): "validation_augmented: False",
    (
        "layers.Rescaling(1 / 255)]",
        'layers.Rescaling(1 / 255), layers.RandomFlip("horizontal")]',
    ): "layers: ",
}


@pytest.fixture(scope="module")
def changed(folder) -> dict[str, list[str]]:
    """For each change of the tiny case, the differences found; the first is the case unchanged."""
    sources = {"": CASE} | {new: CASE.replace(old, new) for old, new in CHANGES}
    files = []
    for number, text in enumerate(sources.values()):
        files.append(folder / f"x{number}.py")
        files[-1].write_text(text, "utf-8")
    found = fits(2, folder / "x.json", *files)
    return {
        new: differences(tomllib.loads(TOML), calls[0])
        for new, calls in zip(sources, found, strict=True)
    }


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_case_as_described_has_no_difference(changed):
    assert changed[""] == []


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("change", "told"), CHANGES.items(), ids=[told for told in CHANGES.values()]
)
def test_a_changed_number_is_told(change, told, changed):
    assert changed[change[1]], f"{change[1]} went unnoticed"
    assert any(line.startswith(told) for line in changed[change[1]])


LEFT_OUT = {
    (" and 6 filters", " filters"): ["6.0"],
    (", 5×5", ""): ["5x5", "5x5"],
    (", pooling 2×2", ""): ["2x2", "2x2"],
    ("1/255; ", ""): ["0.00392157"],
    ("Adam 0.001", "Adam"): ["0.001"],
    (", batches of 3", ""): ["3"],
    ("zoom of 20 %", "zoom"): ["0.2"],
    ("one sigmoid", "sigmoid"): ["1.0"],
}


@pytest.mark.parametrize(("change", "told"), LEFT_OUT.items(), ids=[old for old, _ in LEFT_OUT])
def test_a_number_that_the_table_leaves_out_is_told(change, told, tmp_path):
    source = tmp_path / "x.py"
    source.write_text(CASE, "utf-8")
    assert numbers_missing(tomllib.loads(TOML), table_at_the_top(source)) == []
    source.write_text(CASE.replace(*change), "utf-8")
    assert numbers_missing(tomllib.loads(TOML), table_at_the_top(source)) == told
