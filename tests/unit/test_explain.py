import warnings

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import explain, models

SIZE = 32


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE), dtype=np.uint8)


@pytest.fixture(scope="module")
def table():
    return pd.DataFrame({"image_id": list("abcde"), "group": ["p", "p", "q", "r", "s"]})


def network(units=3, activation="softmax", seed=0, nested=False):
    """Two convolutions; with `nested`, they form a model inside the model."""
    import keras

    keras.utils.set_random_seed(seed)
    grey = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Rescaling(1 / 255)(grey)
    x = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="first")(x)
    x = keras.layers.Conv2D(6, 3, padding="same", name="second")(x)
    body = keras.Model(grey, keras.layers.ReLU(name="last")(x))
    start = keras.Input((SIZE, SIZE, 1)) if nested else grey
    x = keras.layers.GlobalAveragePooling2D()(body(start) if nested else body.output)
    x = keras.layers.Dense(units, activation=activation, bias_initializer="random_normal")(x)
    return keras.Model(start, x)


def by_hand(model, images, target, layer="last"):
    """Grad-CAM of a network that is not nested, on its images one by one."""
    import keras
    import tensorflow as tf

    head = model.layers[-1]
    both = keras.Model(model.inputs[0], [model.get_layer(layer).output, head.input])
    found = []
    for image in images:
        with tf.GradientTape() as tape:
            maps, features = both(image[None, ..., None].astype(np.float32))
            logit = (features @ head.kernel + head.bias)[:, target]
        weight = tf.reduce_mean(tape.gradient(logit, maps), axis=(1, 2), keepdims=True)
        small = tf.nn.relu(tf.reduce_sum(weight * maps, axis=-1, keepdims=True))
        found.append(tf.image.resize(small, image.shape)[0, ..., 0])
    return np.stack(found)


# --- Grad-CAM -------------------------------------------------------------------------------------


@pytest.mark.tensorflow
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_grad_cam_is_what_the_ten_lines_of_the_lesson_give(images, nested):
    model = network(nested=nested)
    flat = network()
    flat.set_weights(model.get_weights())
    heat = explain.grad_cam(model, images, 2, batch_size=2)
    assert heat.shape == images.shape
    assert heat.dtype == np.float32
    assert heat.min() >= 0
    np.testing.assert_allclose(heat, by_hand(flat, images, 2), rtol=1e-4, atol=1e-6)
    first = explain.grad_cam(model, images, 2, layer="first")
    np.testing.assert_allclose(first, by_hand(flat, images, 2, "first"), rtol=1e-4, atol=1e-6)


@pytest.mark.tensorflow
def test_the_weights_of_grad_cam_are_numerical_gradients_of_the_logit(images):
    """Lift a whole channel a little.

    The logit changes by the step times the sum of the gradient over the places.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    layers = keras.layers
    body = [layers.Rescaling(1 / 255), layers.Conv2D(5, 3, strides=4, activation="relu")]
    tail = [
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(7, "tanh"),
        layers.Dense(3, "softmax"),
    ]
    model, target, step = keras.Sequential([keras.Input((SIZE, SIZE, 1)), *body, *tail]), 2, 1e-2
    maps = body[1](body[0](images[..., None].astype(np.float32))).numpy()

    def logit(changed):
        hidden = tail[2](tail[1](tail[0](changed)))
        return (hidden @ tail[3].kernel + tail[3].bias).numpy()[:, target].astype(float)

    weight = np.zeros((len(images), 1, 1, maps.shape[-1]))
    for channel in range(maps.shape[-1]):
        lift = step * (np.arange(maps.shape[-1]) == channel).astype(np.float32)
        weight[:, 0, 0, channel] = (
            (logit(maps + lift) - logit(maps - lift)) / (2 * step) / maps[0, ..., 0].size
        )
    coarse = np.clip((weight * maps).sum(-1, keepdims=True), 0, None)
    heat = explain.grad_cam(model, images, target)
    assert heat.max() > 0
    np.testing.assert_allclose(
        heat, tf.image.resize(coarse, (SIZE, SIZE))[..., 0], atol=2e-3 * heat.max()
    )


@pytest.mark.tensorflow
def test_saturated_answers_do_not_silence_the_map(images):
    model = network(1, "sigmoid")
    head = model.layers[-1]
    head.set_weights([abs(head.get_weights()[0]), np.array([200.0], np.float32)])
    # the sigmoid's gradient is zero here
    assert np.all(model(images[..., None].astype(np.float32)).numpy() == 1)
    assert (explain.grad_cam(model, images, 1).max(axis=(1, 2)) > 0).all()


@pytest.mark.tensorflow
def test_one_unit_has_two_targets_and_each_image_may_have_its_own(images):
    model = network(1, "sigmoid", seed=3)
    ill, normal = (explain.grad_cam(model, images, target) for target in (1, 0))
    mirrored = network(1, "sigmoid", seed=3)
    mirrored.layers[-1].set_weights([-w for w in model.layers[-1].get_weights()])
    np.testing.assert_allclose(normal, explain.grad_cam(mirrored, images, 1), atol=1e-7)
    assert np.abs(ill - normal).max() > 1e-6
    own = np.array([1, 0, 0, 1, 1])
    np.testing.assert_allclose(
        explain.grad_cam(model, images, own), np.where(own[:, None, None] == 1, ill, normal)
    )


@pytest.mark.tensorflow
def test_the_last_activation_may_be_a_layer_of_its_own(images):
    import keras

    model, wanted = network(3), explain.grad_cam(network(3), images, 2)
    linear = network(3, activation=None)
    linear.set_weights(model.get_weights())
    for last in (keras.layers.Softmax(), keras.layers.Activation("softmax")):
        apart = keras.Model(linear.inputs[0], last(linear.output))
        np.testing.assert_allclose(explain.grad_cam(apart, images, 2), wanted, atol=1e-6)


@pytest.mark.tensorflow
def test_the_model_is_left_as_it_was(images):
    model = network(nested=True)

    def answer():
        return model(images[..., None].astype(np.float32)).numpy()

    before, weights = answer(), model.get_weights()
    explain.grad_cam(model, images, 0)
    explain.occlusion(model, images, 0, patch=16, stride=16)
    np.testing.assert_array_equal(answer(), before)
    np.testing.assert_allclose(before.sum(axis=1), 1, atol=1e-6)  # softmax is back
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    assert "call" not in vars(model.layers[-1])


@pytest.mark.tensorflow
def test_the_model_is_left_as_it_was_after_an_error(images):
    model = network()

    def fails(*_, **__):
        raise RuntimeError("out of memory")

    model.get_layer("last").call = fails
    with pytest.raises(RuntimeError, match="out of memory"):
        explain.grad_cam(model, images, 0)
    del model.get_layer("last").call
    np.testing.assert_allclose(
        model(images[..., None].astype(np.float32)).numpy().sum(axis=1), 1, atol=1e-6
    )


@pytest.mark.tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 3])
def test_it_works_on_the_networks_of_the_course(classes):
    import keras

    keras.utils.set_random_seed(classes)
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    recipe = models.fine_tuning("efficientnet_lite0", weights=None)
    for model in (
        models.compact(classes, 64),
        models.case_e(classes, 64),
        recipe.build(classes, 64),
    ):
        heat = sum(explain.grad_cam(model, images, target) for target in range(classes))
        assert heat.shape == images.shape
        assert np.isfinite(heat).all()
        assert heat.max() > 0, model.name


@pytest.mark.tensorflow
def test_what_cannot_be_explained_is_refused(images):
    import keras

    grey = keras.Input((SIZE, SIZE, 1))
    flat = keras.Model(
        grey, keras.layers.Dense(2, "softmax")(keras.layers.Flatten()(grey)), name="linear"
    )
    with pytest.raises(ValueError, match=r"linear has no convolution.*occlusion"):
        explain.grad_cam(flat, images, 0)
    with pytest.raises(ValueError, match=r"no layer 'third'.*first, second, last"):
        explain.grad_cam(network(), images, 0, layer="third")
    for target in (3, -1, 0.5, [0, 1]):
        with pytest.raises(ValueError, match="target is the number of a class"):
            explain.grad_cam(network(), images, target)
    with pytest.raises(ValueError, match="target is the number of a class, 0 to 1"):
        explain.grad_cam(network(1, "sigmoid"), images, 2)
    for wrong in (images[0], images[:, :16, :16], images[..., None]):
        with pytest.raises(ValueError, match="takes images"):
            explain.grad_cam(network(), wrong, 0)
    for settings in (
        {"patch": 64, "stride": 4},
        {"patch": 4, "stride": 8},
        {"patch": 0, "stride": 0},
    ):
        with pytest.raises(ValueError, match="patch must lie"):
            explain.occlusion(network(), images, 0, **settings)


# --- which layer, and which answer ----------------------------------------------------------------


def built(make, shape=(SIZE, SIZE, 1)):
    import keras

    keras.utils.set_random_seed(0)
    grey = keras.Input(shape)
    x = keras.layers.Conv2D(6, 5, strides=2, activation="relu", name="seen")(
        keras.layers.Rescaling(1 / 255)(grey)
    )
    return keras.Model(grey, make(x, keras.layers), name="net")


def dense(x, layers, activation="softmax"):
    return layers.Dense(3, activation=activation, bias_initializer="random_normal")(x)


def mean(x, layers, keep=False):
    return layers.GlobalAveragePooling2D(keepdims=keep)(x)


def excited(x, layers):
    squeezed = layers.Conv2D(6, 1, activation="sigmoid", name="gate")(
        layers.Conv2D(2, 1, activation="relu")(mean(x, layers, True))
    )
    return dense(mean(layers.Multiply()([x, squeezed]), layers), layers)


def own_dense(x, layers):
    """Dense behind a pooling, as a 1x1 convolution of its own."""
    return layers.Softmax()(
        layers.Flatten()(layers.Conv2D(3, 1)(layers.Conv2D(8, 1)(mean(x, layers, True))))
    )


LAST_MAPS = {  # the layer whose maps must be weighed is called "seen"
    "dense": lambda x, layers: dense(mean(x, layers), layers),
    "convolution as classifier": lambda x, layers: layers.Softmax()(
        layers.Flatten()(layers.Conv2D(3, 1)(mean(x, layers, True)))
    ),
    "two convolutions behind the pooling": own_dense,
    "squeeze and excitation last": excited,
    "convolution down to one place": lambda x, layers: dense(
        layers.Flatten()(layers.Conv2D(4, 14)(x)), layers
    ),
    "upsampled behind a pooling": lambda x, layers: dense(
        layers.Flatten()(layers.UpSampling2D(2)(layers.Conv2D(3, 1)(mean(x, layers, True)))), layers
    ),
    "depthwise down to one place": lambda x, layers: dense(
        layers.Flatten()(layers.DepthwiseConv2D(14)(x)), layers
    ),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", LAST_MAPS)
def test_the_map_that_is_weighed_can_show_where(name, images):
    model = built(LAST_MAPS[name])
    heat = np.stack([explain.grad_cam(model, images, target) for target in range(3)])
    by_name = np.stack(
        [explain.grad_cam(model, images, target, layer="seen") for target in range(3)]
    )
    np.testing.assert_array_equal(heat, by_name)
    shown = heat.max(axis=(2, 3)) > 0
    assert shown.any()
    assert (np.ptp(heat, axis=(2, 3))[shown] > 0.01 * heat.max(axis=(2, 3))[shown]).all()


ENDS = {  # the same answer, put together otherwise: the same map
    "softmax layer": lambda x, layers: layers.Softmax()(dense(x, layers, None)),
    "activation layer": lambda x, layers: layers.Activation("softmax")(dense(x, layers, None)),
    "linear behind it": lambda x, layers: layers.Activation("linear")(dense(x, layers)),
    "reshaped behind it": lambda x, layers: layers.Reshape((3,))(dense(x, layers)),
    "dropout behind it": lambda x, layers: layers.Dropout(0.5)(dense(x, layers)),
    "two behind it": lambda x, layers: layers.Activation("linear", dtype="float32")(
        layers.Flatten()(layers.Softmax()(dense(x, layers, None)))
    ),
    "keras.activations": lambda x, layers: softmax_of_keras(dense(x, layers, None)),
    "logits": lambda x, layers: dense(x, layers, None),
}


def softmax_of_keras(x):
    import keras

    return keras.activations.softmax(x)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ENDS)
def test_the_gradient_is_that_of_the_logit_however_the_model_ends(name, images):
    plain = built(LAST_MAPS["dense"])
    other = built(lambda x, layers: ENDS[name](mean(x, layers), layers))
    other.set_weights(plain.get_weights())
    before = other(images[..., None].astype(np.float32)).numpy()
    for target in range(3):
        wanted = explain.grad_cam(plain, images, target)
        np.testing.assert_allclose(explain.grad_cam(other, images, target), wanted, atol=1e-6)
    fall = [explain.occlusion(model, images, 1, patch=16, stride=16) for model in (plain, other)]
    np.testing.assert_allclose(*fall, atol=1e-5)
    np.testing.assert_array_equal(other(images[..., None].astype(np.float32)).numpy(), before)


def subclassed():
    import keras

    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.seen, self.dense = (
                keras.layers.Conv2D(4, 3),
                keras.layers.Dense(3, activation="softmax"),
            )

        def call(self, grey, training=None):
            return self.dense(keras.ops.mean(self.seen(grey), axis=(1, 2)))

    model = Own()
    model(np.zeros((1, SIZE, SIZE, 1), np.float32))
    return model


def unbuilt():
    import keras

    return keras.Sequential(
        [keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )


def used_twice():
    import keras

    grey = keras.Input((SIZE, SIZE, 1))
    layer = keras.layers.Conv2D(4, 3, name="seen")
    both = keras.layers.Add()([layer(grey), layer(keras.layers.ReLU()(grey))])
    return keras.Model(grey, dense(mean(both, keras.layers), keras.layers))


def with_nan():
    model = built(LAST_MAPS["dense"])
    model.set_weights([w * np.nan for w in model.get_weights()])
    return model


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("make", "layer", "message"),
    [
        (subclassed, None, "subclass"),
        (unbuilt, None, "not built"),
        (lambda: built(LAST_MAPS["dense"], (SIZE, SIZE, 3)), None, "takes.*grey images"),
        (
            lambda: built(lambda x, y: [dense(mean(x, y), y), dense(mean(x, y), y)]),
            None,
            "one output",
        ),
        (lambda: built(lambda x, y: y.Conv2D(3, 1, activation="softmax")(x)), None, "one output"),
        (lambda: built(lambda x, y: dense(mean(x, y), y, "log_softmax")), None, "with log_softmax"),
        (lambda: built(lambda x, y: dense(mean(x, y), y, "relu")), None, "with relu"),
        (lambda: built(LAST_MAPS["squeeze and excitation last"]), "gate", "one place"),
        (used_twice, "seen", "used twice"),
        (with_nan, None, "not finite"),
        (lambda: built(lambda x, y: {"p": dense(mean(x, y), y)}), None, "by name"),
        (lambda: built(lambda x, y: dense(mean(x, y), y, "softplus")), None, "with softplus"),
        (
            lambda: built(lambda x, y: dense(y.Flatten()(x), y), (SIZE, SIZE // 2, 1)),
            None,
            "takes images",
        ),
    ],
)
def test_a_model_whose_maps_would_mislead_is_refused(make, layer, message, images):
    with pytest.raises(ValueError, match=message):
        explain.grad_cam(make(), images, 0, layer=layer)


@pytest.mark.tensorflow
def test_a_model_of_maps_of_one_place_only_is_refused(images):
    import keras

    grey = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Conv2D(3, 1)(keras.layers.GlobalAveragePooling2D(keepdims=True)(grey))
    model = keras.Model(grey, keras.layers.Softmax()(keras.layers.Flatten()(x)))
    with pytest.raises(ValueError, match=r"more than one place.*occlusion"):
        explain.grad_cam(model, images, 0)


@pytest.mark.tensorflow
@pytest.mark.parametrize("bias", [-1e6, 0.0])
def test_a_layer_that_shows_the_same_everywhere_is_said(images, bias):
    import keras

    model = built(LAST_MAPS["dense"])
    seen = model.get_layer("seen")
    seen.set_weights(
        [0 * seen.get_weights()[0], np.full(seen.get_weights()[1].shape, bias, np.float32)]
    )
    with pytest.warns(
        UserWarning, match="'seen' are the same everywhere in all .* images: the layer is dead"
    ):
        explain.grad_cam(model, images, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # the images are at fault
        explain.grad_cam(built(LAST_MAPS["dense"]), np.full_like(images, 9), 0)
    assert isinstance(model, keras.Model)


# --- occlusion ------------------------------------------------------------------------------------


def corner_model():
    """A network whose logit is the mean of the upper left quarter, times 10."""
    import keras

    quarter = np.zeros((SIZE, SIZE), np.float32)
    quarter[:16, :16] = 10 / 256 / 255
    grey = keras.Input((SIZE, SIZE, 1))
    model = keras.Model(grey, keras.layers.Dense(1, "sigmoid")(keras.layers.Flatten()(grey)))
    model.set_weights([quarter.reshape(-1, 1), np.zeros(1, np.float32)])
    return model


@pytest.mark.tensorflow
def test_occlusion_finds_what_the_answer_rests_on_and_by_how_much():
    bright = np.full((2, SIZE, SIZE), 255, np.uint8)
    fall = explain.occlusion(corner_model(), bright, 1, patch=16, stride=16, fill=0)
    wanted = np.zeros((SIZE, SIZE))
    wanted[:16, :16] = 10
    np.testing.assert_allclose(fall, np.stack([wanted] * 2), atol=1e-4)
    np.testing.assert_allclose(
        explain.occlusion(corner_model(), bright, 0, patch=16, stride=16, fill=0), -fall, atol=1e-4
    )
    np.testing.assert_allclose(
        explain.occlusion(corner_model(), bright, 1, patch=8, stride=8), 0, atol=1e-5
    )


@pytest.mark.tensorflow
def test_every_pixel_is_covered_whatever_the_stride():
    bright = np.full((3, SIZE, SIZE), 255, np.uint8)
    for patch, stride in ((7, 5), (5, 5), (32, 1), (10, 7)):
        fall = explain.occlusion(
            corner_model(), bright, 1, patch=patch, stride=stride, fill=0, batch_size=2
        )
        assert np.isfinite(fall).all()
        assert fall[:, 0, 0].min() > 0


# --- scores ---------------------------------------------------------------------------------------


def test_intervals_draw_patients_and_not_images():
    values = np.repeat([0.0, 1.0], 50)  # two patients with fifty images each
    rows = pd.DataFrame(
        {"image_id": [str(k) for k in range(100)], "group": np.repeat(["p", "q"], 50)}
    )
    by_patient = explain.average(values, rows)
    by_image = explain.average(values, rows.assign(group=rows["image_id"]))
    assert by_patient.groups == 2
    assert by_patient.method.startswith("no interval")
    three = explain.average(
        np.repeat([0.0, 1.0, 1.0], 34)[:100], rows.assign(group=np.arange(100) // 34)
    )
    assert three.high - three.low > 0.8
    assert by_image.high - by_image.low < 0.25
    assert by_image.groups == 100
    assert str(by_image).startswith("0.500 (0.4")


def test_an_average_refuses_what_does_not_fit(table):
    with pytest.raises(ValueError, match="one number per row"):
        explain.average([1, 2], table)
    with pytest.raises(ValueError, match="no value"):
        explain.average([np.nan] * 5, table)
