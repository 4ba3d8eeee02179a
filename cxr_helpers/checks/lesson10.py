"""Questions of lesson 10, explanation: the heat map, its score, which map to believe, what may be
said.
"""

from collections.abc import Callable

import numpy as np

from . import expect, fresh
from ._question import Question
from ._running import Wrong

# how far a heat map may be off, as a share of its hottest place: 256 levels are enough
CLOSE = 0.005
NEAR = 0.001  # how far a score may be off
APART = 0.03  # between the right answer and each known wrong one
CLASSES, CHANNELS, PLACES = 3, 5, 6

# --- q1: the heat map -----------------------------------------------------------------------------


def _layer(rng: np.random.Generator, block: int = 4) -> dict:
    """Last maps of an image, two gradients at each position, and the side of the image; all faults
    show.

    Some position has no heat, so that a scale from lowest to highest changes nothing after the cut
    at zero.
    """
    while True:
        maps = np.maximum(rng.normal(0.3, 1.0, (PLACES, PLACES, CHANNELS)), 0)
        weights = rng.normal(0, 1, (CHANNELS, CLASSES))
        slopes = weights.T[:, None, None, :] * rng.uniform(
            0.2, 1.8, (CLASSES, PLACES, PLACES, CHANNELS)
        )
        logits = (maps * slopes).mean(axis=(1, 2)).sum(axis=-1)
        p = np.exp(logits - logits.max())
        p /= p.sum()
        of_p = p[0] * (slopes[0] - np.tensordot(p, slopes, 1))
        case = {
            "maps": maps,
            "gradients": {"logit": slopes[0], "probability": of_p},
            "side": PLACES * block,
        }
        right, wrong = _heat(**case), [mistake.answer(**case) for mistake in q1.mistakes.values()]
        pairs = [(right, w) for w in wrong] + [
            (a, b) for i, a in enumerate(wrong) for b in wrong[:i]
        ]
        shows = all(heat.max() > 0 for heat in (right, *wrong)) and right.min() == 0
        if shows and all(np.abs(_unit(a) - _unit(b)).max() > 0.2 for a, b in pairs):
            return case


def _unit(heat: np.ndarray) -> np.ndarray:
    """A map on its own scale."""
    return heat / (np.abs(heat).max() or 1.0)


q1 = Question(
    "heat_map",
    title="The heat map",
    points=3,
    wants=(
        "heat_map(maps, gradients, side) returns an array (side, side), with the image's top "
        "row first"
    ),
    hints=(
        "Four steps: a weight for each map, the weighted sum, a cut at zero, the size of the "
        "image. Which gradient?",
        "The weight of a map is one number: the mean of its gradient over all positions. What "
        "happens to negative values of the sum?",
        "np.kron(small, np.ones((k, k))) makes a block of each number and keeps rows and columns.",
    ),
    data=_layer,
)


@q1.rule
def _(heat_map, rng):
    cases = [_layer(rng, int(block)) for block in rng.permutation([2, 3, 5])]
    given = []
    for case in cases:
        heat = expect.array(heat_map(*case.values()), (case["side"],) * 2, "heat_map(...)")
        if not heat.any():
            raise Wrong(
                "The map is zero everywhere, but there is evidence for the class at some positions."
            )
        given.append(_unit(heat))
    if _alike(given, [_heat(**case) for case in cases]):
        return
    for name, mistake in q1.mistakes.items():
        if _alike(given, [mistake.answer(**case) for case in cases]):
            raise q1.caught(name)
    wrong = next(k for k, case in enumerate(cases) if not _alike([given[k]], [_heat(**case)]))
    found, right = _top(given[wrong]), _top(_heat(**cases[wrong]))
    raise Wrong(
        f"The hottest position is at row {found[0]}, column {found[1]}; it should be the block "
        f"that begins at row {right[0]}, column {right[1]}."
        if found != right
        else "The hottest position is right; other positions are too hot or too cold."
    )


def _alike(given: list, wanted: list) -> bool:
    return all(np.abs(g - _unit(w)).max() <= CLOSE for g, w in zip(given, wanted, strict=True))


def _top(heat: np.ndarray) -> tuple[int, int]:
    block = len(heat) // PLACES
    row, column = np.unravel_index(np.argmax(heat), heat.shape)
    return int(row // block * block), int(column // block * block)


def _heat(
    maps, gradients, side, *, of="logit", mean=True, cut=lambda x: np.maximum(x, 0), turn=np.asarray
):
    """The map, with one of its steps done otherwise."""
    weight = gradients[of].mean(axis=(0, 1)) if mean else gradients[of]
    return np.kron(turn(cut((weight * maps).sum(axis=-1))), np.ones((side // len(maps),) * 2))


@q1.mistake(
    "This is the gradient of the probability, after the softmax. It is nearly zero where the "
    "network is sure, and it mixes in the other classes, so evidence against them appears as heat. "
    "Use the gradient of the logit."
)
def softmax_gradient(maps, gradients, side):
    return _heat(maps, gradients, side, of="probability")


@q1.mistake(
    "The cut at zero is missing: positions with evidence against the class are still there as "
    "negative numbers. After rescaling for a plot, half of the image looks warm. Keep only "
    "positive values."
)
def no_relu(maps, gradients, side):
    return _heat(maps, gradients, side, cut=np.asarray)


@q1.mistake(
    "The map was rescaled from lowest to highest instead of cut at zero: zero, which is neutral, "
    "now looks lukewarm, and only the strongest evidence against the class looks cold. Set "
    "negative values to zero."
)
def rescaled(maps, gradients, side):
    return _heat(maps, gradients, side, cut=lambda x: x - x.min())


@q1.mistake(
    "Each position of a map got its own weight. Grad-CAM gives a whole map one weight, the mean of "
    "its gradient over all positions. (The product position by position is a different method.)"
)
def place_by_place(maps, gradients, side):
    return _heat(maps, gradients, side, mean=False)


@q1.mistake(
    "Rows and columns are swapped: a spot at the upper right of the image would appear at the "
    "lower left. The first axis is the row, from top to bottom. Test with an asymmetric example."
)
def transposed(maps, gradients, side):
    return _heat(maps, gradients, side, turn=np.transpose)


@q1.mistake(
    "The map is upside down: row 0 is the top of an image, but here it is the bottom of the map."
)
def upside_down(maps, gradients, side):
    return _heat(maps, gradients, side, turn=np.flipud)


@q1.edges
def _(right):
    yield "on a scale from 0 to 1", lambda *c: right(*c) / right(*c).max(), True
    yield "a list of lists", lambda *c: right(*c).tolist(), True
    yield "one position a little too hot", lambda *c: right(*c) + 0.01 * right(*c).max(), False
    yield "256 levels", lambda *c: np.uint8(255 * right(*c) / right(*c).max()), True
    yield "half precision", lambda *c: np.float16(right(*c)), True
    yield "not enlarged", lambda *c: right(*c)[::2, ::2], False
    yield "nothing at all", lambda *c: 0 * right(*c), False


# --- q2: its score --------------------------------------------------------------------------------


def _films(rng: np.random.Generator) -> dict:
    """Heat maps and lesion masks of some images by name, in different orders; some images show no
    lesion.
    """
    while True:
        names, side = fresh.names(rng, 14, "film-"), 16
        masks, heats = {}, {}
        for k, name in enumerate(names):
            mask = np.zeros((side, side), bool)
            y, x = (int(place) for place in rng.integers(0, 9, 2))
            mask[y : y + rng.integers(4, 8), x : x + rng.integers(4, 8)] = k < 10
            heat = rng.random((side, side)) ** 3 + mask * rng.uniform(0, 1.5)
            masks[name], heats[name] = mask, heat * 10 ** rng.uniform(-1, 1)
        shuffled = lambda d: {k: d[k] for k in map(str, rng.permutation(names))}  # noqa: B023, E731
        case = {"heats": shuffled(heats), "masks": shuffled(masks)}
        values = [_gain(**case), *(mistake.answer(**case) for mistake in q2.mistakes.values())]
        if min(np.diff(np.sort(values))) > APART:
            return case


def _each(heats: dict, masks: dict) -> tuple[np.ndarray, np.ndarray]:
    """Energy inside and the mask's share of the image, for each image that has a lesion."""
    pairs = [(heats[name], masks[name]) for name in heats if masks[name].any()]
    return np.array([(h * m).sum() / h.sum() for h, m in pairs]), np.array(
        [m.mean() for _, m in pairs]
    )


def _gain(heats: dict, masks: dict, *, base=1, of=np.mean) -> float:
    energy, share = _each(heats, masks)
    return float(of(energy - base * share))


q2 = Question(
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
)


@q2.rule
def _(gain, rng):
    cases = [_films(rng) for _ in range(3)]
    given = [expect.number(gain(*case.values()), "gain(heats, masks)") for case in cases]
    right = [_gain(**case) for case in cases]
    if np.abs(np.subtract(given, right)).max() <= NEAR:
        return
    for name, mistake in q2.mistakes.items():
        if np.abs(np.subtract(given, [mistake.answer(**case) for case in cases])).max() <= NEAR:
            raise q2.caught(name)
    k = int(np.abs(np.subtract(given, right)).argmax())
    raise Wrong(f"For one set of images the gain is {given[k]:.3f}; it should be {right[k]:.3f}.")


@q2.mistake(
    "The maps were scored with the masks of other images: the two dictionaries are in different "
    "orders and were paired by position. Pair them by name; a wrong pairing makes every method "
    "look like chance."
)
def other_films_mask(heats, masks):
    pairs = zip(heats.values(), masks.values(), strict=True)
    return float(np.mean([(h * m).sum() / h.sum() - m.mean() for h, m in pairs if m.any()]))


@q2.mistake(
    "This is the energy inside without a comparison. A uniform map scores the mask's share of the "
    "image, so a large lesion makes any map look good. Subtract what is expected by chance."
)
def no_baseline(heats, masks):
    return _gain(heats, masks, base=0)


@q2.mistake(
    "This is the best image. The best example of any method looks convincing, even of random maps: "
    "use all images."
)
def nicest(heats, masks):
    return _gain(heats, masks, of=np.max)


@q2.mistake(
    "The heat of all images was added up, so images with large numbers dominate, although each map "
    "has its own scale. Compute a share for each image first, then the mean."
)
def pooled(heats, masks):
    ill = [name for name in heats if masks[name].any()]
    total = sum(heats[name].sum() for name in ill)
    return float(
        sum((heats[k] * masks[k]).sum() for k in ill) / total
        - np.mean([masks[k].mean() for k in ill])
    )


@q2.mistake(
    "Images without a lesion were counted as zeros. There is nothing to find in them, so they say "
    "nothing about finding lesions: leave them out, and report how many are left."
)
def healthy_as_zero(heats, masks):
    energy, share = _each(heats, masks)
    return float((energy - share).sum() / len(heats))


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


def _falls(answer, films, heats) -> dict[str, np.ndarray]:
    """For each map, how far the probability of each image falls."""
    return {name: answer(films) - answer(_removed(films, heat)) for name, heat in heats.items()}


def _best(scores: dict) -> str:
    return max(scores, key=scores.__getitem__)


def _cases(rng: np.random.Generator) -> tuple[list[dict], list[str]]:
    """Six worlds in which every misconception goes wrong, no two alike, and every single image goes
    wrong, too.
    """
    while True:
        worlds = [_world(rng, reads) for reads in rng.permutation(["lesion", "letters"] * 3)]
        cases, right = [case for case, _ in worlds], [name for _, name in worlds]
        falls = [_falls(c["answer"], c["films"], c["heats"]) for c in cases]
        means = [{k: v.mean() for k, v in f.items()} for f in falls]
        clear = all(
            f[r] > 0.15 + max(v for k, v in f.items() if k != r)
            for f, r in zip(means, right, strict=True)
        )
        single = [[_best({k: v[n] for k, v in f.items()}) for f in falls] for n in range(FILMS)]
        said = [tuple(m.answer(**case) for case in cases) for m in q3.mistakes.values()]
        if clear and right not in single and len({tuple(right), *said}) == 1 + len(said):
            return cases, right


q3 = Question(
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
)


@q3.rule
def _(believe, rng):
    cases, right = _cases(rng)
    given = [
        expect.choice(believe(*case.values()), case["heats"], "believe(...)") for case in cases
    ]
    if given == right:
        return
    for name, mistake in q3.mistakes.items():
        if given == [mistake.answer(**case) for case in cases]:
            raise q3.caught(name)
    k = next(k for k, (g, r) in enumerate(zip(given, right, strict=True)) if g != r)
    falls = _falls(cases[k]["answer"], cases[k]["films"], cases[k]["heats"])
    raise Wrong(
        f"In one of the cases you chose {given[k]}. Without its hottest tenth the probability "
        f"falls by {falls[given[k]].mean():.2f} on average, without that of {right[k]} by "
        f"{falls[right[k]].mean():.2f}."
    )


@q3.mistake(
    "You chose the map that lies on the lesion, as a radiologist would draw it. Some of these "
    "networks read the letters in the corner, so a map on the lesion is plausible but wrong about "
    "the network. Test each map on the network."
)
def on_the_lesion(answer, films, heats, lesions):
    return _best(
        {name: ((h * lesions).sum((1, 2)) / h.sum((1, 2))).mean() for name, h in heats.items()}
    )


@q3.mistake(
    "You chose the map with the best single image. A map that is wrong on most images may be right "
    "on one by chance. Take the mean over all images."
)
def nicest_film(answer, films, heats, lesions):
    return _best({name: fall.max() for name, fall in _falls(answer, films, heats).items()})


@q3.mistake(
    "You chose the map with the largest numbers. Each map has its own scale: only the order of "
    "positions counts."
)
def largest_numbers(answer, films, heats, lesions):
    return _best({name: h.max() for name, h in heats.items()})


@q3.mistake(
    "You chose the most detailed map. It shows the edges in the image, whatever the network has "
    "learned: it would look the same for a network with random weights. Test each map on the "
    "network."
)
def most_detailed(answer, films, heats, lesions):
    edges = np.abs(np.diff(films, axis=2))[:, :, 1:].ravel()
    alike = lambda h: np.corrcoef(edges, h[:, :, 1:-1].ravel())[0, 1]  # noqa: E731
    return _best({name: alike(h) for name, h in heats.items()})


@q3.mistake(
    "You chose the map whose removal changes the answer least. It is the opposite: removing the "
    "region that the answer comes from makes the probability fall most."
)
def smallest_fall(answer, films, heats, lesions):
    return _best({name: -fall.mean() for name, fall in _falls(answer, films, heats).items()})


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

q4 = Question(
    "supported",
    title="What may be said",
    points=1,
    wants="one of the letters A to E, in quotes",
    kind="value",
    hints=(
        "For each sentence ask: which row of the table supports it? And is that row about the map "
        "or about the network?",
        "One mistakes a location for a reason, one a control for a proof; one lacks a comparison; "
        "one rests on chosen images.",
    ),
)


@q4.rule
def _(supported, rng):
    letter = expect.choice(supported, "ABCDE", "supported")
    q4.recognise(letter)


WHY_NOT = {
    "A": "a map shows a location, not a reason. More heat lies on the lesion than by chance, but "
    "removing the letters lowers the probability more than removing the lesion.",
    "B": "the randomisation test shows that the map depends on the network's weights. A network "
    "that reads letters passes it too.",
    "D": (
        "0.24 is given without its comparison, and a share of the heat is not a share of the "
        "decision."
    ),
    "E": "three images chosen from 40 can show anything. The table uses all of them.",
}
for _letter, _why in WHY_NOT.items():
    q4.wrong_value(_letter, _letter, f"{_letter}: {_why}")


@q4.edges
def _(right):
    yield "small letter", right.lower(), True
    yield "a letter that is not there", "F", False
