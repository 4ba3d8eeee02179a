"""What a teaching recipe reports on a set without any disease in it, where one class wears a word.

    python -m benchmarks.no_disease --seeds 5

700 drawn radiographs of healthy chests in two classes of one size; the first class wears a word in
the corner. The recipe is of a kind that courses on chest radiographs teach: images cut at random
into training, validation and test (15 % of all, then 15 % of the rest), 256 pixels a side, seven
convolutions, two dense layers and a dropout, Adam, ten epochs in batches of 16, the epoch with the
lowest validation loss. Its test images are then asked once more, with the word on the other class,
and with no word.

The size of the set was settled with hindsight: of 400 images, with seed 0, the network had learned
nothing after ten epochs, and that was seen on the test images too. 700 is the size that was tried
next, and no other.
"""

from pathlib import Path

import numpy as np

from benchmarks.story import drawn, run_seeds
from cxr_helpers import phantom, quiet

DESIGN = {"n": 700, "text": "R|PORTABLE", "severity": (0, 0)}
SIDE, TEST, EPOCHS, BATCH, RATE = 256, 0.15, 10, 16, 0.0005
REPORTED, SWAPPED, NOBODY = "as reported", "the other class wears the word", "nobody wears the word"


def network():
    """Seven convolutions of 8 to 50 filters with pooling between them, then 128 and 32 units."""
    import keras

    layers = keras.layers
    stack = [keras.Input((SIDE, SIDE, 1)), layers.Rescaling(1 / 255)]
    for filters, kernel in ((8, 3), (8, 3), (12, 3), (12, 3), (20, 5), (20, 5)):
        stack += [
            layers.Conv2D(filters, kernel, padding="same", activation="relu"),
            layers.MaxPooling2D(),
        ]
    stack += [
        layers.Conv2D(50, 5, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
    ]
    stack += [
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.6),
        layers.Dense(32, activation="relu"),
    ]
    model = keras.Sequential([*stack, layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy", metrics=["accuracy"])
    return model


def one_seed(seed: int, folder: Path) -> dict[str, float]:
    """Accuracy on the test images as reported, with the word on the other class, and without it."""
    from sklearn.model_selection import train_test_split

    with quiet():
        import keras
    plan = phantom.design("marker", seed=seed, **DESIGN)
    word = plan["marker"].fillna("")
    swapped = np.where(word == "", DESIGN["text"], "")
    markers = {REPORTED: word, SWAPPED: swapped, NOBODY: ""}
    worlds = {
        name: drawn(plan.assign(marker=marker), folder / name, SIDE)[..., None]
        for name, marker in markers.items()
    }
    labels = (plan["label"] == "covid").to_numpy(int)
    rest, test = train_test_split(np.arange(len(plan)), test_size=TEST, random_state=seed)
    fit, held = train_test_split(rest, test_size=TEST, random_state=seed)
    keras.utils.set_random_seed(seed)
    model, images, best = network(), worlds[REPORTED], folder / "best.weights.h5"
    keep = keras.callbacks.ModelCheckpoint(
        best, monitor="val_loss", save_best_only=True, save_weights_only=True
    )
    validation = (images[held], labels[held])
    options = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "validation_data": validation,
        "callbacks": [keep],
        "verbose": 0,
    }
    model.fit(images[fit], labels[fit], **options)
    model.load_weights(best)
    said = {
        name: model.predict(world[test], verbose=0)[:, 0] > 0.5 for name, world in worlds.items()
    }
    return {name: float((answers == labels[test]).mean()) for name, answers in said.items()}


if __name__ == "__main__":
    run_seeds("no_disease", one_seed, round(TEST * DESIGN["n"]))
