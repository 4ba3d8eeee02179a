"""What is called a probability is one: other models are refused wherever answers are used."""

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import deploy, models, train
from cxr_helpers.models.answers import answer_layer, as_probabilities, check_model

SIZE = 16
pytestmark = pytest.mark.tensorflow


def network(end):
    """A small network; `end` makes the answer from its last features."""
    import keras

    keras.utils.set_random_seed(0)
    grey = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(grey))
    return keras.Model(
        grey, end(keras.layers.GlobalAveragePooling2D()(x), keras.layers), name="net"
    )


def nested(x, layers):
    import keras

    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Softmax()])
    return inner(x)


def after(operation):
    def end(x, layers):
        import keras

        return getattr(keras.ops, operation)(layers.Dense(3)(x))

    return end


RIGHT = {
    "softmax": lambda x, layers: layers.Dense(3, activation="softmax")(x),
    "one sigmoid": lambda x, layers: layers.Dense(1, activation="sigmoid")(x),
    "activation of its own": lambda x, layers: layers.Activation("softmax", dtype="float32")(
        layers.Dense(3)(x)
    ),
    "softmax layer": lambda x, layers: layers.Softmax()(layers.Dense(3)(x)),
    "softmax of keras.ops": after("softmax"),
    "linear behind it": lambda x, layers: layers.Activation("linear")(
        layers.Dense(3, activation="softmax")(x)
    ),
    "flattened behind it": lambda x, layers: layers.Flatten()(
        layers.Dense(3, activation="softmax")(x)
    ),
    "dropout behind it": lambda x, layers: layers.Dropout(0.5)(
        layers.Dense(3, activation="softmax")(x)
    ),
    "model in the model": nested,
}


def softmax(values):
    """No softmax, but called so."""
    return values * 1.0


WRONG = {
    "logits": (lambda x, layers: layers.Dense(3)(x), "raw numbers"),
    "one logit": (lambda x, layers: layers.Dense(1)(x), "raw numbers"),
    "log-softmax": (lambda x, layers: layers.Dense(3, activation="log_softmax")(x), "log_softmax"),
    "ReLU": (lambda x, layers: layers.Dense(3, activation="relu")(x), "relu"),
    "ReLU layer": (lambda x, layers: layers.ReLU()(layers.Dense(3)(x)), "ReLU"),
    "tanh": (lambda x, layers: layers.Dense(1, activation="tanh")(x), "tanh"),
    "independent sigmoids": (
        lambda x, layers: layers.Dense(3, activation="sigmoid")(x),
        "independent sigmoids",
    ),
    "two sigmoids": (
        lambda x, layers: layers.Dense(2, activation="sigmoid")(x),
        "independent sigmoids",
    ),
    "softmax of one unit": (
        lambda x, layers: layers.Dense(1, activation="softmax")(x),
        "'dense.*' with softmax",
    ),
    "softmax over images": (
        lambda x, layers: layers.Softmax(axis=0)(layers.Dense(3)(x)),
        "over axis 0",
    ),
    "scaled behind": (
        lambda x, layers: layers.Rescaling(2.0)(layers.Dense(3, activation="softmax")(x)),
        "Rescaling",
    ),
    "dense behind": (
        lambda x, layers: layers.Dense(3)(layers.Dense(3, activation="softmax")(x)),
        "raw numbers",
    ),
    "one column left out": (
        lambda x, layers: layers.Dense(4, activation="softmax")(x)[:, :3],
        "GetItem",
    ),
    "dropout behind logits": (
        lambda x, layers: layers.Dropout(0.5)(layers.Dense(3)(x)),
        "raw numbers",
    ),
    "exponentials": (after("exp"), "Exp"),
    "two outputs": (
        lambda x, layers: [layers.Dense(3, activation="softmax")(x), layers.Dense(2)(x)],
        "one output",
    ),
    "a dict of one": (lambda x, layers: {"p": layers.Dense(3, activation="softmax")(x)}, "by name"),
    "function called softmax": (
        lambda x, layers: layers.Dense(3, activation=softmax)(x),
        "softmax of its own",
    ),
    "hard sigmoid": (
        lambda x, layers: layers.Dense(1, activation="hard_sigmoid")(x),
        "hard_sigmoid",
    ),
    "softplus": (lambda x, layers: layers.Dense(3, activation="softplus")(x), "softplus"),
    "normalised behind": (
        lambda x, layers: layers.BatchNormalization()(layers.Dense(3, activation="softmax")(x)),
        "BatchNormalization",
    ),
    "the other probability": (
        lambda x, layers: 1 - layers.Dense(1, activation="sigmoid")(x),
        "Subtract",
    ),
    "maps": (
        lambda x, layers: layers.Reshape((1, 3))(layers.Dense(3, activation="softmax")(x)),
        "one output",
    ),
}


@pytest.mark.parametrize("end", RIGHT)
def test_probabilities_are_taken(end):
    check_model(network(RIGHT[end]))


@pytest.mark.parametrize("end", WRONG)
def test_what_is_no_probability_is_refused_with_the_reason(end, tmp_path):
    make, message = WRONG[end]
    model = network(make)
    with pytest.raises(ValueError, match=message):
        check_model(model)
    with pytest.raises(ValueError, match=message):
        deploy.save_bundle(
            tmp_path / "b",
            model,
            classes=("a", "b", "c") if model.outputs[0].shape[-1] == 3 else ("a", "b"),
            preprocessing={"size": SIZE, "fit": "pad", "contrast": None},
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "end", ["logits", "one logit", "log-softmax", "ReLU", "independent sigmoids"]
)
def test_predictions_and_exports_ask_too(end):
    model = network(WRONG[end][0])
    images = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE), dtype=np.uint8)
    names = ["a", "b", "c"][: max(2, model.outputs[0].shape[-1])]
    table = pd.DataFrame({"image_id": list("wxyz"), "label": pd.Categorical(["a"] * 4, names)})
    with pytest.raises(ValueError, match="no prob"):
        train.predict(train.name_classes(model, names), table, images)
    head = model.layers[-1]
    # far from what a probability can be by chance
    head.set_weights([w + 7 for w in head.get_weights()])
    with pytest.raises(ValueError, match="are they"):
        deploy.keras_runner(model)(images)


def subclassed():
    import keras

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3, activation="softmax")

        def call(self, grey, training=None):
            return self.dense(grey[:, 0, :, 0])

    model = Own()
    model(np.zeros((1, SIZE, SIZE, 1), np.float32))
    return model


def unbuilt():
    import keras

    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")])


def with_input(shape):
    import keras

    layers = [
        keras.Input(shape),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    return keras.Sequential(layers)


def with_weight(value):
    model = network(RIGHT["softmax"])
    weights = model.get_weights()
    weights[0][0, 0, 0, 0] = value
    model.set_weights(weights)
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (subclassed, "subclass"),
        (unbuilt, "not built"),
        (lambda: with_input((SIZE, SIZE, 3)), "takes"),
        (lambda: with_input((SIZE, 8, 1)), "takes"),
        (lambda: with_input((None, None, 1)), "takes"),
        (lambda: with_weight(np.nan), "conv2d.*kernel.* is not finite"),
        (lambda: with_weight(np.inf), "is not finite"),
    ],
)
def test_other_models_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        check_model(make())


@pytest.mark.parametrize("build", [models.case_a, models.case_c, models.case_e, models.compact])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_networks_of_the_course_give_probabilities(build, classes):
    check_model(build(classes, 64))


def test_the_answer_layer_is_found_inside_a_model():
    assert type(answer_layer(network(RIGHT["model in the model"]))).__name__ == "Softmax"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ([[0.2, 0.9]], "sum to 1.1"),
        ([[0.2, 0.3]], "sum to 0.5"),
        ([[0.5, np.nan]], "NaN"),
        ([[np.inf, 0.0]], "infinite"),
        ([[1.2, -0.2]], "-0.2 to 1.2"),
        ([[-1.0, -3.0, -2.0]], "logits"),
        ([[1.5]], "logits"),
        ([0.5, 0.5], "array"),
    ],
)
def test_numbers_that_are_no_probabilities(output, message):
    with pytest.raises(ValueError, match=message):
        as_probabilities(np.array(output))


def test_one_unit_becomes_two_columns_and_rounding_passes():
    np.testing.assert_allclose(as_probabilities(np.array([[0.25], [1.0]])), [[0.75, 0.25], [0, 1]])
    assert as_probabilities(np.array([[0.3335, 0.333, 0.333]], np.float16)).dtype == np.float16
    assert as_probabilities(np.zeros((0, 3))).shape == (0, 3)
