import doctest
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import split, train
from cxr_helpers.models import Recipe

pytestmark = pytest.mark.tensorflow


def tiny(n_classes, size):
    from keras import Sequential, layers

    body = [layers.Rescaling(1 / 255), layers.GlobalAveragePooling2D()]
    end = (1, "sigmoid") if n_classes == 2 else (n_classes, "softmax")
    return Sequential([layers.Input((size, size, 1)), *body, layers.Dense(*end)], name="tiny")


RECIPE = Recipe("tiny", tiny, epochs=12, batch_size=8, learning_rate=0.3)


@pytest.mark.slow
def data(classes=("normal", "covid", "viral"), per_class=20, seed=0):
    """Images whose mean grey level is their class, two of each patient."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(classes, per_class)
    level = np.repeat(np.linspace(60, 200, len(classes)), per_class)
    images = np.clip(rng.normal(level[:, None, None], 20, (len(labels), 32, 32)), 0, 255).astype(
        np.uint8
    )
    table = pd.DataFrame({"image_id": [f"i{n:03d}" for n in range(len(labels))]})
    table["label"] = pd.Categorical(labels, categories=classes)
    table["group"] = table["patient"] = [f"p{n // 2:03d}" for n in range(len(labels))]
    table = table.assign(source="here", sha256=table["image_id"], fold=pd.NA, split=pd.NA)
    return split.holdout(table, 0.2, 0.2), images


def test_the_examples_in_the_docstrings_run():
    found = doctest.testmod(train)
    assert (found.failed, found.attempted >= 30) == (0, True)


@pytest.mark.parametrize("classes", [("normal", "covid"), ("normal", "covid", "viral")])
def test_fit_then_predict_learns_and_fills_the_predictions_table(classes):
    table, images = data(classes)
    fitted = train.fit(RECIPE, table, images, progress=False)
    predictions = train.predict(fitted.model, table, images, split="test", seed=7)
    test = table[table["split"] == "test"]
    assert predictions["image_id"].tolist() == test["image_id"].tolist()
    assert list(predictions.columns) == [
        "image_id",
        "group",
        "patient",
        "source",
        "label",
        "split",
        "fold",
        "model",
        "seed",
        *[f"p_{c}" for c in classes],
        "predicted",
    ]
    np.testing.assert_allclose(predictions[[f"p_{c}" for c in classes]].sum(axis=1), 1, atol=1e-5)
    assert (predictions["predicted"] == predictions["label"]).mean() > 0.8
    assert set(predictions["seed"]) == {7}
    assert list(fitted.history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert len(fitted.history) == 12


@pytest.mark.slow
def test_early_stopping_keeps_the_best_weights_and_starts_fresh_each_time():
    table, images = data()
    # nothing to learn, so validation soon gets worse
    images = np.random.default_rng(1).permutation(images)
    recipe = replace(RECIPE, patience=2, epochs=60, learning_rate=3.0)
    first, second = (train.fit(recipe, table, images, progress=False) for _ in range(2))
    assert len(first.history) < 60
    assert abs(len(first.history) - len(second.history)) <= 3
    best = first.history["val_loss"].min()
    loss = first.model.evaluate(
        *[np.stack(a) for a in zip(*_pairs(table, images, "val"), strict=True)],
        verbose=0,
        batch_size=64,
    )[0]
    assert loss == pytest.approx(best, rel=1e-3)


def _pairs(table, images, part):
    rows = np.flatnonzero(table["split"] == part)
    codes = table["label"].cat.codes.to_numpy()
    return [(images[r][..., None].astype(np.float32), np.eye(3)[codes[r]]) for r in rows]


def test_patience_without_validation_is_said():
    table, images = data()
    with pytest.raises(ValueError, match="val"):
        train.fit(replace(RECIPE, patience=2), table.assign(split="train"), images)


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.slow
def test_cross_validation_scores_every_image_once_by_a_network_that_never_saw_its_group(
    patience, monkeypatch
):
    table, images = data()
    table = split.folds(table.assign(split=pd.NA), 3)
    seen, fit = [], train.fit

    def spy(recipe, parts, images, **options):
        seen.append(parts)
        return fit(recipe, parts, images, **options)

    monkeypatch.setattr(train, "fit", spy)
    predictions = train.cross_validate(
        replace(RECIPE, epochs=2, patience=patience), table, images, progress=False
    )
    assert predictions["image_id"].tolist() == table["image_id"].tolist()
    assert (predictions["seconds"] > 0).all()
    for fold, parts in enumerate(seen):
        split.assert_disjoint(parts)
        assert set(parts.loc[parts["split"] == "test", "image_id"]) == set(
            table.loc[table["fold"] == fold, "image_id"]
        )
        assert (parts["split"] == "val").any() == (patience is not None)


def test_cross_validation_needs_disjoint_folds():
    table, images = data()
    with pytest.raises(ValueError, match=r"split\.folds"):
        train.cross_validate(RECIPE, table, images)
    leaky = table.assign(fold=pd.array(np.arange(len(table)) % 3, dtype="Int64"))
    with pytest.raises(split.LeakError):
        train.cross_validate(RECIPE, leaky, images)


def test_predictions_table_checks_its_shape():
    table, _ = data()
    with pytest.raises(ValueError, match="one row per image"):
        train.predictions_table(table, np.ones((3, 3)), model="m")


def test_the_learning_rate_falls_to_zero_along_a_cosine():
    import keras

    recipe = replace(RECIPE, cosine=True, weight_decay=0.01)
    rates = train._rates(recipe, steps=100)
    assert max(rates) == pytest.approx(0.3, rel=0.01)
    assert np.argmax(rates) < 10
    assert rates[-1] == pytest.approx(0, abs=1e-3)
    schedule = keras.optimizers.schedules.CosineDecay(0.03, 95, warmup_target=0.3, warmup_steps=5)
    np.testing.assert_allclose(rates, [float(schedule(step)) for step in range(100)], atol=1e-6)
    table, images = data()
    fitted = train.fit(recipe, table, images, epochs=2, progress=False)
    steps = 2 * int(np.ceil((table["split"] == "train").sum() / recipe.batch_size))
    assert float(fitted.model.optimizer.learning_rate) == pytest.approx(
        train._rates(recipe, steps)[-1]
    )
