import numpy as np
import pytest

from cxr_helpers import models, pipeline

pytestmark = pytest.mark.tensorflow
BUILDERS = [models.case_a, models.case_c, models.case_e, models.compact]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_output_belongs_to_the_number_of_classes(build, n_classes):
    model = build(n_classes, 64)
    grey = np.random.default_rng(0).uniform(0, 255, (5, 64, 64, 1)).astype(np.float32)
    output = np.asarray(model(grey))
    assert output.shape == (5, 1 if n_classes == 2 else n_classes)
    assert ((output >= 0) & (output <= 1)).all()
    if n_classes > 2:
        np.testing.assert_allclose(output.sum(1), 1, atol=1e-5)


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_case_a_standardises_each_image():
    model = models.case_a(2, 64)
    assert kinds(model)[:4] == ["Rescaling", "LayerNormalization", "Conv2D", "MaxPooling2D"]
    grey = np.random.default_rng(0).uniform(50, 100, (2, 64, 64, 1)).astype(np.float32)
    np.testing.assert_allclose(model(grey), model(2 * grey + 20), atol=1e-3)
    assert [layer.filters for layer in model.layers if hasattr(layer, "filters")] == [16, 32]
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [64, 1]
    recipe = models.RECIPES["case_a"]
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (10, 16, 1e-3)


def test_case_c_is_built_as_described():
    model = models.case_c(2, 64)
    assert kinds(model) == [
        "Rescaling",
        *["Conv2D", "MaxPooling2D", "Dropout"] * 2,
        "Flatten",
        "Dense",
        "Dropout",
        "Dense",
    ]
    assert model.layers[0].scale == pytest.approx(1 / 255)
    convolutions = [model.layers[k] for k in (1, 4)]
    assert [layer.filters for layer in convolutions] == [32, 64]
    assert {(layer.kernel_size, layer.padding) for layer in convolutions} == {((5, 5), "same")}
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.2, 0.2, 0.2]
    assert model.layers[-3].units == 256
    recipe = models.RECIPES["case_c"]
    assert (recipe.epochs, recipe.learning_rate, recipe.augment.flip) == (5, 1e-3, True)


def test_case_e_is_built_as_described():
    model = models.case_e(3, 224)
    assert kinds(model)[1:7] == ["Conv2D", "MaxPooling2D"] * 3
    assert kinds(model)[7:] == ["Dropout", "Flatten", "Dense", "Dropout", "Dense"]
    assert 2.5e6 < model.count_params() < 3.1e6
    recipe = models.RECIPES["case_e"]
    assert (recipe.epochs, recipe.batch_size, recipe.learning_rate) == (20, 16, 1e-3)
    assert recipe.augment == pipeline.Augmentation(
        zoom=0.2, shift=0, rotation=0, contrast=0, flip=True
    )


def test_compact_is_compact_and_blind_to_exposure():
    model = models.compact(3, 224)
    assert model.count_params() <= 150_000
    assert [models.compact(3, size).layers[0].output.shape[1] for size in (64, 96, 224, 320)] == [
        32,
        48,
        56,
        53,
    ]
    grey = np.random.default_rng(0).uniform(50, 100, (2, 224, 224, 1)).astype(np.float32)
    np.testing.assert_allclose(model(grey), model(2 * grey + 20), atol=1e-3)


@pytest.mark.parametrize("build", BUILDERS)
def test_saved_and_loaded_in_safe_mode(build, tmp_path):
    import keras

    model = build(3, 64)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    grey = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)
    np.testing.assert_allclose(loaded(grey), model(grey), atol=1e-6)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes"):
        models.compact(1)
