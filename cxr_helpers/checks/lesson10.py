"""Questions of lesson 10, explanation: the heat map, its score, which map to believe, what may be
said.
"""

import functools
import itertools
from collections.abc import Callable

import numpy as np

from . import _networks, expect, fresh
from ._kinds import Case, Choice, Compare, asked
from ._question import Mistake

# how far a heat map may be off, as a share of its hottest place: 256 levels are enough
CLOSE = 0.005
NEAR = 0.001  # how far a score may be off
APART = 0.03  # between the right answer and each known wrong one
NETWORKS = 2  # that are trained, each once in a process, when it is first needed

# --- q1: the heat map -----------------------------------------------------------------------------

SHOWN = ("nothing", "haze", "device")  # the classes, and what speaks for each of them
LAST, LOGITS = "last_conv", "logits"  # names of layers


def _chests(rng: np.random.Generator, shown: np.ndarray) -> np.ndarray:
    """Sketches (n, 24, 24) of chests: 0 nothing, 1 haze in one lung, 2 a device, 3 both."""
    images = _networks.sketches(rng, shown % 2)
    mirrored = rng.random(len(images)) < 0.5
    images[mirrored] = images[mirrored, :, ::-1]
    for number in np.flatnonzero(shown >= 2):
        row, column = int(rng.integers(4, 8)), int(rng.choice([4, 5, 16, 17]))
        place = (number, slice(row, row + 3), slice(column, column + 3))
        images[place] = np.minimum(images[place], 125) + 130
    return images


@functools.cache
def _trained(seed: int):
    """A small network that tells the three classes apart, trained on 240 sketches in seconds."""
    keras, rng = _networks.keras(), np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    layers, conv = keras.layers, {"activation": "relu", "kernel_initializer": "he_normal"}
    maps = inputs = keras.Input((_networks.SIDE, _networks.SIDE, 1))
    for layer in (
        layers.Rescaling(1 / 50, offset=-2),
        layers.Conv2D(8, 3, **conv, name="first_conv"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, **conv, name=LAST),
        layers.MaxPooling2D(3),
        layers.GlobalAveragePooling2D(),
        layers.Dense(len(SHOWN), name=LOGITS),
        layers.Softmax(name="probabilities"),
    ):
        maps = layer(maps)
    # not Sequential: in a copy of one, a layer's output is not what the next layer was given
    network = keras.Model(inputs, maps, name="network")
    network.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    shown = np.arange(240) % len(SHOWN)
    network.fit(_chests(rng, shown)[..., None], shown, batch_size=80, epochs=30, verbose=0)
    return network


def _inside(network, images, labels, layer: str = LAST) -> dict[str, np.ndarray]:
    """Maps of a layer (n, rows, columns, maps), and gradients of some outputs with respect to them.

    One image does not touch another, so the gradient of a sum holds those of all images.
    """
    import tensorflow as tf

    names = [layer, LOGITS, "probabilities"]
    parts = [network.get_layer(name).output for name in names]
    with tf.GradientTape(persistent=True) as tape:
        opened = _networks.keras().Model(network.inputs[0], parts)
        maps, logits, p = opened(np.asarray(images, "float32")[..., None])
        of = {
            "logit": tf.gather(logits, labels, batch_dims=1),
            "probability": tf.gather(p, labels, batch_dims=1),
            "answer": tf.reduce_max(logits, axis=1),
            "all": tf.reduce_sum(logits, axis=1),
        }
    return {"maps": maps.numpy()} | {k: tape.gradient(of[k], maps).numpy() for k in of}


# what is done otherwise, by mistake
WAYS: dict[str, dict] = {
    "softmax_gradient": {"of": "probability"},
    "all_classes": {"of": "all"},
    "answer_explained": {"of": "answer"},
    "no_relu": {"cut": np.asarray},
    "rescaled": {"cut": lambda heat: heat - heat.min(axis=(1, 2), keepdims=True)},
    "absolute": {"cut": np.abs},
    "place_by_place": {"mean": False},
}


def _heats(found: dict, *, of: str = "logit", mean: bool = True, cut=None) -> np.ndarray:
    """The heat maps of what `_inside` found."""
    weight = found[of].mean(axis=(1, 2), keepdims=True) if mean else found[of]
    heat = (weight * found["maps"]).sum(axis=-1)
    return cut(heat) if cut else np.maximum(heat, 0)


def _heat(network, image, label, layer: str = LAST, **way) -> np.ndarray:
    return np.asarray(_heats(_inside(network, image[None], [label], layer), **way)[0])


def _by(name: str) -> Callable:
    """The heat map by a way that is wrong."""
    return lambda *case: _heat(*case, **WAYS[name])


def _to_explain(rng: np.random.Generator, n: int = 1) -> list[tuple]:
    """A network, a sketch with haze and a device, and the class to explain, n times.

    Some position has no heat, so a map that was rescaled is none that was cut. Where there are
    several cases, no two ways of making the map agree on all of them.
    """

    def drawn() -> list[tuple]:
        network = _trained(int(rng.integers(NETWORKS)))
        images, labels = _chests(rng, np.full(60, 3)), rng.integers(1, len(SHOWN), 60)
        found = _inside(network, images, labels)
        heats = np.stack([_heats(found, **way) for way in ({}, *WAYS.values())], axis=1)
        heats /= np.maximum(np.abs(heats).max(axis=(2, 3), keepdims=True), 1e-9)
        usable = (heats[:, 0].max(axis=(1, 2)) > 0) & (heats[:, 0].min(axis=(1, 2)) == 0)
        for _ in range(50):
            rows = rng.permutation(np.flatnonzero(usable))[:n]
            if len(rows) == n and (n == 1 or _apart(heats[rows])):
                return [(network, images[row], int(labels[row])) for row in rows]
        return []

    return fresh.until(drawn, bool, times=50)


def _apart(heats: np.ndarray) -> bool:
    """Whether any two ways (second axis) give different maps, of one image at least."""
    pairs = itertools.combinations(range(heats.shape[1]), 2)
    return all(np.abs(heats[:, a] - heats[:, b]).max() > 0.2 for a, b in pairs)


def _unit(heat: np.ndarray) -> np.ndarray:
    """A map on its own scale."""
    return heat / (np.abs(heat).max() or 1.0)


def _read_map(value, case: Case) -> np.ndarray:
    heat = np.asarray(value)
    if heat.shape == (1, *case.right.shape):
        heat = heat[0]
    network, image, label = case.given
    if heat.shape == _heat(network, image, label, "first_conv").shape:
        raise q1.caught("first_layer")
    return expect.array(heat, case.right.shape, "heat_map(...)")


def _hottest(heat: np.ndarray, case: Case) -> str:
    if not heat.any():
        return "The map is zero everywhere, but there is evidence for the class at some positions."
    found, right = (np.unravel_index(np.argmax(one), one.shape) for one in (heat, case.right))
    if found == right:
        return "The hottest position is right; other positions are too hot or too cold."
    return (
        f"The hottest position is at row {found[0]}, column {found[1]}; it should be at row "
        f"{right[0]}, column {right[1]}."
    )


q1 = Compare(
    "heat_map",
    title="The heat map",
    points=4,
    wants="heat_map(network, image, label) returns an array of 9 rows and 9 columns",
    hints=(
        "You need two things from inside the network: the maps of last_conv, and the logits. "
        "keras.Model(network.inputs[0], [...]) returns both at once; what are its outputs?",
        "Call it inside `with tf.GradientTape() as tape:`, with an image of shape (1, 24, 24, 1), "
        "and take logits[0, label]. Then tape.gradient(that logit, maps).",
        "The weight of a map is one number: the mean of its gradient over all positions. Then the "
        "weighted sum over the maps, and a cut at zero.",
    ),
    data=lambda rng: _to_explain(rng)[0],
    mistakes={
        "softmax_gradient": Mistake(
            _by("softmax_gradient"),
            "This is the gradient of the probability, after the softmax. It is nearly zero where "
            "the network is sure, and it mixes in the other classes, so evidence against them "
            "appears as heat. Use the gradient of the logit.",
        ),
        "all_classes": Mistake(
            _by("all_classes"),
            "This is the gradient of the sum of all logits: tape.gradient adds up what it is "
            "given. Choose one number first, logits[0, label].",
        ),
        "answer_explained": Mistake(
            _by("answer_explained"),
            "This map explains the class with the highest logit, not the class that was asked "
            "for. In an image with two findings these are different maps. Use label.",
        ),
        "no_relu": Mistake(
            _by("no_relu"),
            "The cut at zero is missing: positions with evidence against the class are still "
            "there as negative numbers. After rescaling for a plot, half of the image looks warm. "
            "Keep only positive values.",
        ),
        "rescaled": Mistake(
            _by("rescaled"),
            "The map was rescaled from lowest to highest instead of cut at zero: zero, which is "
            "neutral, now looks lukewarm, and only the strongest evidence against the class looks "
            "cold. Set negative values to zero.",
        ),
        "absolute": Mistake(
            _by("absolute"),
            "The absolute value was taken in place of the cut: evidence against the class is as "
            "hot as evidence for it. Set negative values to zero.",
        ),
        "place_by_place": Mistake(
            _by("place_by_place"),
            "Each position of a map got its own weight. Grad-CAM gives a whole map one weight, "
            "the mean of its gradient over all positions. (The product position by position is a "
            "different method.)",
        ),
        "first_layer": Mistake(
            lambda network, image, label: _heat(network, image, label, "first_conv"),
            "The map has the size of the first convolution's maps. They show edges, whatever the "
            "class; the last convolution has seen more of the image and still has positions. Take "
            "the layer last_conv.",
        ),
    },
    cases=lambda rng: asked(_heat, _to_explain(rng, 3)),
    read=_read_map,
    same=lambda heat, right: np.abs(_unit(heat) - _unit(right)).max() <= CLOSE,
    explain=_hottest,
)


@q1.edges
def _(right):
    yield "on a scale from 0 to 1", lambda *c: _unit(np.asarray(right(*c))), True
    yield "a list of lists", lambda *c: np.asarray(right(*c)).tolist(), True
    yield "with an axis for the image", lambda *c: np.asarray(right(*c))[None], True
    yield "256 levels", lambda *c: np.uint8(255 * _unit(np.asarray(right(*c)))), True
    yield "half precision", lambda *c: np.float16(right(*c)), True
    yield "transposed", lambda *c: np.transpose(right(*c)), False
    yield "a little heat everywhere", lambda *c: _unit(np.asarray(right(*c))) + 0.02, False
    yield "one row short", lambda *c: np.asarray(right(*c))[1:], False
    yield "nothing at all", lambda *c: 0 * np.asarray(right(*c)), False


# --- q2: its score --------------------------------------------------------------------------------


def _films(rng: np.random.Generator) -> dict:
    """Heat maps and lesion masks by name, in different orders; some images show no lesion."""
    return fresh.until(lambda: _drawn_films(rng), _far_apart)


def _drawn_films(rng: np.random.Generator) -> dict:
    names, side = fresh.names(rng, 14, "film-"), 16
    masks, heats = {}, {}
    for k, name in enumerate(names):
        mask = np.zeros((side, side), bool)
        y, x = (int(place) for place in rng.integers(0, 9, 2))
        mask[y : y + rng.integers(4, 8), x : x + rng.integers(4, 8)] = k < 10
        heat = rng.random((side, side)) ** 3 + mask * rng.uniform(0, 1.5)
        masks[name], heats[name] = mask, heat * 10 ** rng.uniform(-1, 1)
    shuffled = lambda d: {k: d[k] for k in map(str, rng.permutation(names))}  # noqa: E731
    return {"heats": shuffled(heats), "masks": shuffled(masks)}


def _far_apart(case: dict) -> bool:
    values = [_gain(**case), *(mistake.answer(*case.values()) for mistake in q2.mistakes.values())]
    return min(np.diff(np.sort(values))) > APART


def _each(heats: dict, masks: dict) -> tuple[np.ndarray, np.ndarray]:
    """Energy inside and the mask's share of the image, for each image that has a lesion."""
    pairs = [(heats[name], masks[name]) for name in heats if masks[name].any()]
    return np.array([(h * m).sum() / h.sum() for h, m in pairs]), np.array(
        [m.mean() for _, m in pairs]
    )


def _gain(heats: dict, masks: dict, *, base=1, of=np.mean) -> float:
    energy, share = _each(heats, masks)
    return float(of(energy - base * share))


def _other_films_mask(heats, masks):
    pairs = zip(heats.values(), masks.values(), strict=True)
    return float(np.mean([(h * m).sum() / h.sum() - m.mean() for h, m in pairs if m.any()]))


def _pooled(heats, masks):
    ill = [name for name in heats if masks[name].any()]
    total = sum(heats[name].sum() for name in ill)
    return float(
        sum((heats[k] * masks[k]).sum() for k in ill) / total
        - np.mean([masks[k].mean() for k in ill])
    )


def _healthy_as_zero(heats, masks):
    energy, share = _each(heats, masks)
    return float((energy - share).sum() / len(heats))


q2 = Compare(
    "gain",
    title="Scoring heat maps",
    points=3,
    wants="gain(heats, masks) returns one number",
    hints=(
        "Start with one image: which share of its heat lies inside its mask, and which share "
        "would it be by chance?",
        "Both are dictionaries by name, and their orders differ. Which images can be scored at "
        "all?",
        "One difference for each image with a lesion, then the mean of these differences: every "
        "image counts equally.",
    ),
    data=_films,
    mistakes={
        "other_films_mask": Mistake(
            _other_films_mask,
            "The maps were scored with the masks of other images: the two dictionaries are in "
            "different orders and were paired by position. Pair them by name; a wrong pairing "
            "makes every method look like chance.",
        ),
        "no_baseline": Mistake(
            lambda *case: _gain(*case, base=0),
            "This is the energy inside without a comparison. A uniform map scores the mask's "
            "share of the image, so a large lesion makes any map look good. Subtract what is "
            "expected by chance.",
        ),
        "nicest": Mistake(
            lambda *case: _gain(*case, of=np.max),
            "This is the best image. The best example of any method looks convincing, even of "
            "random maps: use all images.",
        ),
        "pooled": Mistake(
            _pooled,
            "The heat of all images was added up, so images with large numbers dominate, although "
            "each map has its own scale. Compute a share for each image first, then the mean.",
        ),
        "healthy_as_zero": Mistake(
            _healthy_as_zero,
            "Images without a lesion were counted as zeros. There is nothing to find in them, so "
            "they say nothing about finding lesions: leave them out, and report how many are left.",
        ),
    },
    cases=lambda rng: asked(_gain, [_films(rng) for _ in range(3)]),
    read=lambda value, case: expect.number(value, "gain(heats, masks)"),
    same=expect.near(NEAR),
    explain=lambda gain, case: (
        f"For one set of images the gain is {gain:.3f}; it should be {case.right:.3f}."
    ),
)


@q2.edges
def _(right):
    yield "a number of NumPy's", lambda *c: np.float32(right(*c)), True
    yield "in per cent", lambda *c: 100 * right(*c), False
    yield "a little too much", lambda *c: right(*c) + 2 * NEAR, False


# --- q3: which of three maps to believe -----------------------------------------------------------

SIDE, FILMS, LUCKY, CORNER = 24, 8, 3, (slice(1, 5), slice(1, 9))  # CORNER: where the letters are


def _world(rng: np.random.Generator, reads: str) -> tuple[dict, str]:
    """Images with a lesion and with letters, a network that reads one of the two, three maps; the
    right map's name.

    The maps: one on the lesion, one on the letters, one of the image's edges. Some images of a
    wrong map are hits.
    """
    films = rng.normal(90, 6, (FILMS, SIDE, SIDE))
    films[:, :, :3], films[:, :, -3:] = rng.normal(20, 4, (2, FILMS, SIDE, 3))
    edges = np.abs(np.gradient(films, axis=2)) + np.abs(np.gradient(films, axis=1))
    lesions = np.zeros(films.shape, bool)
    for mask in lesions:
        y, x = rng.integers(8, 15), rng.integers(5, 13)
        mask[y : y + 7, x : x + 7] = True
    letters = np.zeros(films.shape, bool)
    letters[(slice(None), *CORNER)] = True
    films = np.clip(films + 100 * lesions + 130 * letters, 0, 255)
    places = {"lesion": lesions, "letters": letters}
    dust = lambda: rng.random(films.shape)  # noqa: E731
    # a fifth is overlooked
    heats = {kind: 0.55 * dust() + (dust() < 0.8) * place for kind, place in places.items()}
    heats["edges"] = edges / edges.max()
    wrong = [kind for kind in heats if kind != reads]
    lucky = rng.permutation(FILMS)[:LUCKY]
    heats[wrong[int(rng.integers(2))]][lucky] = 2.0 * places[reads][lucky] + 0.1 * dust()[lucky]
    sizes = dict(
        zip(rng.permutation([reads, *wrong]), 10 ** rng.permutation([-1.0, 0.0, 1.0]), strict=True)
    )
    names = dict(zip(heats, fresh.names(rng, 3, "map-"), strict=True))
    order = rng.permutation(list(heats))
    shown = {names[kind]: heats[kind] * sizes[kind] for kind in order}
    return {"answer": _network(reads), "films": films, "heats": shown, "lesions": lesions}, names[
        reads
    ]


def _network(reads: str) -> Callable:
    """A function from images to probabilities that looks at the brightest square of the lungs, or
    at the corner.
    """

    def answer(films):
        films = np.asarray(films, float)
        if reads == "letters":
            grey = films[(slice(None), *CORNER)].mean(axis=(1, 2))
        else:
            windows = np.lib.stride_tricks.sliding_window_view(
                films[:, 8:22, 5:20], (7, 7), axis=(1, 2)
            )
            grey = windows.mean(axis=(3, 4)).max(axis=(1, 2))
        return 1 / (1 + np.exp(-(grey - 145) / 12))

    return answer


def _removed(films: np.ndarray, heats: np.ndarray, share: float = 0.1) -> np.ndarray:
    """The images with a share of their pixels, the hottest first, set to the image's mean."""
    flat, heat = films.reshape(len(films), -1).copy(), heats.reshape(len(films), -1)
    hottest = np.argsort(-heat, axis=1)[:, : round(share * flat.shape[1])]
    np.put_along_axis(flat, hottest, flat.mean(axis=1, keepdims=True), axis=1)
    return flat.reshape(films.shape)


def _falls(answer, films, heats, lesions=None) -> dict[str, np.ndarray]:
    """For each map, how far the probability of each image falls."""
    return {name: answer(films) - answer(_removed(films, heat)) for name, heat in heats.items()}


def _best(scores: dict) -> str:
    return max(scores, key=scores.__getitem__)


def _worlds(rng: np.random.Generator) -> list[Case]:
    """Six worlds in which every misconception goes wrong, no two alike, and each single image."""
    return fresh.until(lambda: _drawn_worlds(rng), _all_go_wrong)


def _drawn_worlds(rng: np.random.Generator) -> list[Case]:
    worlds = [_world(rng, reads) for reads in rng.permutation(["lesion", "letters"] * 3)]
    return [Case(tuple(case.values()), right, _falls(**case)) for case, right in worlds]


def _all_go_wrong(cases: list[Case]) -> bool:
    right = [case.right for case in cases]
    means = [{name: fall.mean() for name, fall in case.note.items()} for case in cases]
    clear = all(f.pop(r) > 0.15 + max(f.values()) for f, r in zip(means, right, strict=True))
    single = [
        [_best({k: v[n] for k, v in case.note.items()}) for case in cases] for n in range(FILMS)
    ]
    said = [tuple(m.answer(*case.given) for case in cases) for m in q3.mistakes.values()]
    return clear and right not in single and len({tuple(right), *said}) == 1 + len(said)


def _say_falls(name: str, case: Case) -> str:
    return (
        f"In one of the cases you chose {name}. Without its hottest tenth the probability falls by "
        f"{case.note[name].mean():.2f} on average, without that of {case.right} by "
        f"{case.note[case.right].mean():.2f}."
    )


def _most_detailed(answer, films, heats, lesions):
    edges = np.abs(np.diff(films, axis=2))[:, :, 1:].ravel()
    alike = lambda h: np.corrcoef(edges, h[:, :, 1:-1].ravel())[0, 1]  # noqa: E731
    return _best({name: alike(h) for name, h in heats.items()})


q3 = Compare(
    "believe",
    title="Which map to believe",
    points=4,
    wants="believe(answer, films, heats, lesions) returns the name of one of the maps",
    hints=(
        "A map should show where the network's answer comes from. Test this on the network itself.",
        "Remove the hottest pixels of a map, and look at the probability. For which map should it "
        "fall most?",
        "answer(films) - answer(remove(films, heat)) is one number for each image. How do you "
        "combine eight of them?",
    ),
    data=lambda rng: _world(rng, "letters")[0],
    mistakes={
        "on_the_lesion": Mistake(
            lambda answer, films, heats, lesions: _best(
                {
                    name: ((h * lesions).sum((1, 2)) / h.sum((1, 2))).mean()
                    for name, h in heats.items()
                }
            ),
            "You chose the map that lies on the lesion, as a radiologist would draw it. Some of "
            "these networks read the letters in the corner, so a map on the lesion is plausible "
            "but wrong about the network. Test each map on the network.",
        ),
        "nicest_film": Mistake(
            lambda answer, films, heats, lesions: _best(
                {name: fall.max() for name, fall in _falls(answer, films, heats).items()}
            ),
            "You chose the map with the best single image. A map that is wrong on most images may "
            "be right on one by chance. Take the mean over all images.",
        ),
        "largest_numbers": Mistake(
            lambda answer, films, heats, lesions: _best(
                {name: h.max() for name, h in heats.items()}
            ),
            "You chose the map with the largest numbers. Each map has its own scale: only the "
            "order of positions counts.",
        ),
        "most_detailed": Mistake(
            _most_detailed,
            "You chose the most detailed map. It shows the edges in the image, whatever the "
            "network has learned: it would look the same for a network with random weights. Test "
            "each map on the network.",
        ),
        "smallest_fall": Mistake(
            lambda answer, films, heats, lesions: _best(
                {name: -fall.mean() for name, fall in _falls(answer, films, heats).items()}
            ),
            "You chose the map whose removal changes the answer least. It is the opposite: "
            "removing the region that the answer comes from makes the probability fall most.",
        ),
    },
    cases=_worlds,
    read=lambda value, case: expect.choice(value, case.given[2], "believe(...)"),
    explain=_say_falls,
)


@q3.edges
def _(right):
    yield (
        "the median over images",
        lambda a, f, h, m: _best({k: np.median(v) for k, v in _falls(a, f, h).items()}),
        True,
    )
    yield "always the first map", lambda a, f, h, m: next(iter(h)), False
    yield "two maps", lambda a, f, h, m: list(h)[:2], False
    yield "a map that is not there", lambda a, f, h, m: "map-0", False


# --- q4: what may be said -------------------------------------------------------------------------


HEAT, FALL = "share of the heat on it", "fall of the probability without it"


def _sentence(rng: np.random.Generator) -> dict:
    """A sentence of a report, and what it rests on."""
    part = rng.choice(["the lesion", "the letters", "the left lung"])
    measured = str(rng.choice([HEAT, FALL]))
    claims = (
        f"more heat than by chance lies on {part}",
        f"the answer depends on {part}",
        f"the map is right about {part}",
    )
    return {
        "says": str(rng.choice(claims)),
        "measured": measured,
        "compared with": str(
            rng.choice(
                ["nothing", "random maps" if measured == HEAT else "a random region removed"]
            )
        ),
        "images": str(rng.choice(["all 40", "3, shown in a figure"])),
    }


q4 = Choice(
    "supported",
    title="What may be said",
    points=1,
    wants="supported(sentences) returns the letter of one sentence",
    hints=(
        "For each sentence ask: is it about the map or about the network? And what was measured "
        "for it?",
        "Heat on a region says where the map is hot. Which measurement says that the answer "
        "depends on a region?",
        "Three conditions, joined by &: the measurement fits the sentence (.str.startswith), "
        "something is compared, and all images count. sentences.index[condition][0] is a letter.",
    ),
    row=_sentence,
    why_not={
        "map_as_proof": (
            lambda s: s["says"].startswith("the map is right"),
            "No single measurement shows that a map is right: it says where the map is hot, or "
            "what the network needs. Say which of the two was measured.",
        ),
        "place_as_reason": (
            lambda s: s["says"].startswith("the answer") and s["measured"] == HEAT,
            "A map shows a location, not a reason. Much heat may lie on a region although "
            "removing it hardly changes the answer. Only removing the region shows that the "
            "answer depends on it.",
        ),
        "reason_as_place": (
            lambda s: s["says"].startswith("more heat") and s["measured"] == FALL,
            "A fall of the probability shows that the network needs a region, not that the map is "
            "hot there. What the map shows is measured on the map.",
        ),
        "no_comparison": (
            lambda s: s["compared with"] == "nothing",
            "Nothing is compared. A uniform map has heat on a region as well, and removing any "
            "region may change the answer: without what is expected by chance, a number says "
            "nothing.",
        ),
        "chosen_images": (
            lambda s: s["images"] != "all 40",
            "Three images chosen from 40 can show anything. Use all of them.",
        ),
    },
)
