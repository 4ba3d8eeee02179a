"""Answers to the questions of lesson 10, explanation."""

import numpy as np
import pandas as pd

from . import Proof
from .lesson06 import Later, keras

tf = Later("tensorflow")

# --- heat_map -------------------------------------------------------------------------------------


def maps_of(network, image):
    """The maps of the last convolution."""
    part = network.get_layer("last_conv").output
    return keras.Model(network.inputs[0], part)(np.float32(image)[None, :, :, None]).numpy()[0]


def heat_layer_by_layer(network, image, label):
    """The layers are called one after the other; the maps are watched."""
    x = tf.constant(image[None, :, :, None], tf.float32)
    for k, layer in enumerate(network.layers[1:-1], 2):
        x = layer(x)
        if layer.name == "last_conv":
            maps, rest = x, network.layers[k:-1]
            break
    with tf.GradientTape() as tape:
        tape.watch(maps)
        x = maps
        for layer in rest:
            x = layer(x)
        score = tf.reduce_sum(x * tf.one_hot([label], 3))
    slope = tape.gradient(score, maps).numpy()[0]
    return np.clip(maps.numpy()[0] @ slope.mean(axis=(0, 1)), 0, None)


def heat_as_in_the_tutorial(network, image, label):
    """Keras' own example: the weighted sum as a matrix product, on a scale from 0 to 1."""
    parts = [network.get_layer("last_conv").output, network.layers[-2].output]
    model = keras.models.Model(network.inputs[0], parts)
    with tf.GradientTape() as tape:
        maps, logits = model(tf.cast(image[np.newaxis, ..., np.newaxis], tf.float32))
        channel = logits[:, label]
    pooled = tf.reduce_mean(tape.gradient(channel, maps), axis=(0, 1, 2))
    heat = tf.squeeze(maps[0] @ pooled[..., tf.newaxis])
    return tf.maximum(heat, 0) / tf.math.reduce_max(heat)


def heat_by_differences(network, image, label):
    """Without a gradient of TensorFlow's: a map is raised a little everywhere, one by one."""
    maps = maps_of(network, image)
    last = network.get_layer("last_conv")
    behind = network.layers[network.layers.index(last) + 1 : -1]

    def logit(x):
        for layer in behind:
            x = layer(x)
        return np.asarray(x)[:, label]

    step = 1e-2
    raised = maps + step * np.eye(maps.shape[-1])[:, None, None, :]
    weight = (logit(np.float32(raised)) - logit(np.float32(maps[None]))[0]) / step
    return np.maximum((maps * weight).sum(axis=-1), 0)


def heat_of_probability(network, image, label):
    with tf.GradientTape() as tape:
        parts = [network.get_layer("last_conv").output, network.output]
        maps, p = keras.Model(network.inputs[0], parts)(np.float32(image)[None, :, :, None])
        said = p[0, label]
    weight = tf.reduce_mean(tape.gradient(said, maps), axis=(1, 2))
    return np.maximum((maps[0] * weight[0]).numpy().sum(axis=-1), 0)


def heat_of_image(network, image, label):
    """The gradient with respect to the pixels: a saliency map."""
    x = tf.Variable(np.float32(image)[None, :, :, None])
    with tf.GradientTape() as tape:
        said = network(x)[0, label]
    return np.abs(tape.gradient(said, x).numpy())[0, :, :, 0]


def heat_of_maps(network, image, label):
    """No gradient at all: the mean of the maps."""
    return maps_of(network, image).mean(axis=-1)


def heat_of_the_first_class(network, image, label):
    return heat_layer_by_layer(network, image, 0)


# --- gain -----------------------------------------------------------------------------------------


def gain_by_pandas(heats, masks):
    rows = pd.DataFrame({"heat": heats, "mask": masks})
    rows = rows[rows["mask"].map(np.any)]
    inside = rows.apply(lambda row: row["heat"][row["mask"]].sum() / row["heat"].sum(), axis=1)
    return (inside - rows["mask"].map(np.mean)).mean()


def gain_by_stack(heats, masks):
    names = [name for name, mask in masks.items() if mask.sum() > 0]
    heat, mask = np.stack([heats[n] for n in names]), np.stack([masks[n] for n in names])
    uniform = np.ones(heat.shape[1:])

    def share(h):
        return (h * mask).sum(axis=(1, 2)) / np.broadcast_to(h, mask.shape).sum(axis=(1, 2))

    return (share(heat) - share(uniform)).mean()


def gain_by_average(heats, masks):
    """NumPy: the mask, averaged with the heat as weight."""
    kept = sorted(name for name in heats if masks[name].any())
    values = [np.average(masks[n], weights=heats[n]) - np.average(masks[n]) for n in kept]
    return round(sum(values) / len(values), 3)


def each_gain(heats, masks):
    return [
        (h * masks[n]).sum() / h.sum() - masks[n].mean() for n, h in heats.items() if masks[n].any()
    ]


def gain_median(heats, masks):
    return np.median(each_gain(heats, masks))


def gain_of_the_first(heats, masks):
    return each_gain(heats, masks)[0]


def gain_by_order(heats, masks):
    names = sorted(heats)
    return np.mean(
        [
            (heats[a] * m).sum() / heats[a].sum() - m.mean()
            for a, m in zip(names, masks.values())
            if m.any()
        ]
    )


# --- believe --------------------------------------------------------------------------------------


def covered(films, heat, fill, share=0.1):
    """The images without their hottest places, which get one value each."""
    result = films.copy()
    for film, one in zip(result, heat):
        film[one >= np.quantile(one, 1 - share)] = fill(film)
    return result


def fall(answer, films, heat, fill=np.mean, share=0.1):
    return answer(films) - answer(covered(films, heat, fill, share))


def believe_by_table(answer, films, heats, lesions):
    return pd.DataFrame({k: fall(answer, films, h) for k, h in heats.items()}).mean().idxmax()


def believe_black(answer, films, heats, lesions):
    means = [fall(answer, films, h, fill=np.min, share=0.08).mean() for h in heats.values()]
    return list(heats)[int(np.argmax(means))]


def believe_by_curve(answer, films, heats, lesions):
    """The area over the deletion curve."""

    def area(h):
        return sum(fall(answer, films, h, np.median, s).mean() for s in (0.05, 0.1, 0.15))

    return max(heats, key=lambda k: area(heats[k]))


def believe_one(n):
    def believe(answer, films, heats, lesions):
        return max(heats, key=lambda k: fall(answer, films[n : n + 1], heats[k][n : n + 1])[0])

    return believe


def believe_on_the_lesion(answer, films, heats, lesions):
    return max(
        heats, key=lambda k: np.mean([np.average(m, weights=h) for m, h in zip(lesions, heats[k])])
    )


def believe_largest(answer, films, heats, lesions):
    return max(heats, key=lambda k: heats[k].mean())


# --- supported ------------------------------------------------------------------------------------

HEAT, FALL = "share of the heat on it", "fall of the probability without it"


def supported_by_query(sentences):
    fair = sentences[sentences["images"].eq("all 40") & sentences["compared with"].ne("nothing")]
    fits = {"more": HEAT, "the": FALL}
    return next(
        k
        for k, r in fair.iterrows()
        if fits[r["says"].split()[0]] == r["measured"] and "right" not in r["says"]
    )


def supported_by_points(sentences):
    """NumPy: a point for each condition that holds."""
    says, measured = (sentences[name].to_numpy(str) for name in ("says", "measured"))
    about_heat = np.char.find(says, "heat") >= 0
    points = np.where(
        np.char.find(measured, "heat") >= 0, about_heat, np.char.find(says, "depends") >= 0
    ).astype(int)
    points += (sentences["compared with"] != "nothing") & ~sentences["images"].str.contains(
        "figure"
    )
    points -= np.char.find(says, "right") >= 0
    return sentences.index[points.argmax()]


def supported_by_loop(sentences):
    for letter in sentences.index:
        says, measured, compared, images = sentences.loc[letter]
        if images == "all 40" and compared in ("random maps", "a random region removed"):
            if (says[:4], measured) in (("more", HEAT), ("the ", FALL)) and not says.startswith(
                "the map"
            ):
                return letter


def supported_anyhow(sentences):
    """What is compared counts, and how many images; not what was measured for which sentence."""
    fair = (sentences["compared with"] != "nothing") & (sentences["images"] == "all 40")
    return sentences.index[fair & ~sentences["says"].str.contains("right")][0]


def supported_of_all_images(sentences):
    """What was measured counts, and on how many images; what it was compared with does not."""
    says, heat = sentences["says"], sentences["measured"].eq(HEAT)
    fits = says.str.startswith("more") & heat | says.str.startswith("the answer") & ~heat
    return sentences.index[fits & (sentences["images"] == "all 40")][0]


PROOFS = [
    Proof(
        "heat_map",
        right={
            "layer by layer, NumPy": heat_layer_by_layer,
            "Keras' own example": heat_as_in_the_tutorial,
            "differences in place of gradients": heat_by_differences,
        },
        wrong={
            "gradient of the probability": heat_of_probability,
            "gradient at the pixels": heat_of_image,
            "mean of the maps": heat_of_maps,
            "always class 0": heat_of_the_first_class,
        },
    ),
    Proof(
        "gain",
        right={
            "pandas": gain_by_pandas,
            "NumPy: stacks": gain_by_stack,
            "weighted averages, rounded": gain_by_average,
        },
        wrong={
            "the median": gain_median,
            "the first image": gain_of_the_first,
            "paired by place": gain_by_order,
        },
    ),
    Proof(
        "believe",
        right={
            "pandas: means of the falls": believe_by_table,
            "hottest places black": believe_black,
            "a deletion curve": believe_by_curve,
        },
        wrong={
            "the first image only": believe_one(0),
            "the last image only": believe_one(7),
            "the lesion": believe_on_the_lesion,
            "the largest numbers": believe_largest,
        },
    ),
    Proof(
        "supported",
        right={
            "pandas: fair ones first": supported_by_query,
            "NumPy: points": supported_by_points,
            "a loop": supported_by_loop,
        },
        wrong={
            "a letter": "C",
            "always the third": lambda sentences: "C",
            "whatever was measured": supported_anyhow,
            "whatever it was compared with": supported_of_all_images,
        },
    ),
]
