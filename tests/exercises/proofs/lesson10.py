"""Answers to the questions of lesson 10, explanation."""

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

from . import Proof

# --- heat_map -------------------------------------------------------------------------------------


def heat(maps, gradients, of="logit"):
    return np.clip(np.einsum("ijk,k->ij", maps, gradients[of].mean(axis=(0, 1))), 0, None)


def heat_by_repeat(maps, gradients, side):
    small = heat(maps, gradients)
    small = (small - small.min()) / (small.max() - small.min() + 1e-8)
    return small.repeat(side // small.shape[0], axis=0).repeat(side // small.shape[1], axis=1)


def heat_as_bytes(maps, gradients, side):
    """Pillow: an 8-bit image, enlarged by the nearest neighbour."""
    small = heat(maps, gradients)
    grey = np.uint8(255 * small / small.max())
    return np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.NEAREST))


def heat_half_precision(maps, gradients, side):
    small = sum(w * maps[..., k] for k, w in enumerate(np.float16(gradients["logit"].mean((0, 1)))))
    return ndimage.zoom(
        np.maximum(small, 0).astype(np.float32),
        side / len(small),
        order=0,
        grid_mode=True,
        mode="nearest",
    )


def heat_by_loop(maps, gradients, side):
    weight, k = gradients["logit"].sum(axis=(0, 1)), side // len(maps)
    rows = [
        [max(0.0, float(maps[i // k, j // k] @ weight)) for j in range(side)] for i in range(side)
    ]
    return pd.DataFrame(rows)


def heat_in_blocks_of_four(maps, gradients, side):
    grown = np.kron(heat(maps, gradients), np.ones((4, 4)))
    return np.pad(grown, ((0, max(0, side - len(grown))),) * 2)[:side, :side]


def heat_of_probability(maps, gradients, side):
    small = heat(maps, gradients, "probability")
    return np.kron(small, np.ones((side // len(small),) * 2))


def heat_without_cut(maps, gradients, side):
    small = np.abs((maps * gradients["logit"].mean(axis=(0, 1))).sum(axis=-1))
    return np.kron(small, np.ones((side // len(small),) * 2))


def heat_smooth(maps, gradients, side):
    return ndimage.zoom(heat(maps, gradients), side / len(maps), order=1)


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
            "repeat, lowest to highest": heat_by_repeat,
            "Pillow: 8 bits": heat_as_bytes,
            "SciPy: zoom, half precision": heat_half_precision,
            "loops, a table": heat_by_loop,
        },
        wrong={
            "blocks of four always": heat_in_blocks_of_four,
            "gradient of the probability": heat_of_probability,
            "the absolute value": heat_without_cut,
            "enlarged smoothly": heat_smooth,
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
