"""Three minutes on a phone: a page on which a reader plays against a network that read a letter.

    python -m tools.build.phone

draws the radiographs, trains the network of lesson 01 once and asks it about the same images with
the letter in the corner switched; a second network learns where the letter tells nothing. Two
minutes on one core. What comes out stands in docs/site/phone/ and is committed; `make site` fills
docs/site/phone.html with it. The patients of the test part come first in the order of drawing, and
the twelve of the page are the first six of each class among them: none is picked.
"""

import argparse
import datetime
import hashlib
import html
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import phantom, stats
from tools.build import index, links
from tools.build.diagrams import program
from tools.common import ROOT, ToolError, relative, write_atomic

FOLDER, TEMPLATE, POSTER = "docs/site/phone", "docs/site/phone.html", "docs/site/lecture_hall.html"
COMMAND = "python -m tools.build.phone"
CLASSES = {"normal": "Normal", "covid": "COVID-19"}  # in the order of the network's outputs
LETTERS = {"normal": "L", "covid": "R"}  # which letter a patient's image carries at this hospital
DESIGN = {
    "classes": tuple(CLASSES),
    "per_patient": 1.0,
    "severity": (0.2, 0.7),
    "sites": ("A",),
    "views": ("PA",),
}
RECIPE = {
    "design": DESIGN,
    "n": 400,
    "seed": 0,
    "test": 100,
    "letters": LETTERS,
    "renderer": phantom.RENDERER_VERSION,
}
EACH = 6  # images of each class on the page
# pixels drawn and shown; the network gets the means of 5 × 5 of them, as large as in lesson 01
SIDE, SHRINK = 480, 5
QUALITY = 85  # of the WebP files
EXAMPLE = 0.6  # severity from which the labelled example shows its disease plainly
# grey levels of 255 by which haze lightens a part of a lung, from which it is called so
FAINT, PLAIN = 6, 16
LIMIT = 600_000  # bytes of the page with all of its images


# --- what is drawn and measured -------------------------------------------------------------------


def cohort() -> pd.DataFrame:
    """Return all patients, one image each, those of the test part first.

    The marker is the letter of their hospital.
    """
    table = phantom.design("clean", n=RECIPE["n"], seed=RECIPE["seed"], **DESIGN)
    return table.assign(marker=table["label"].map(LETTERS))


def switched(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same patients, each with the other letter."""
    return table.assign(marker=table["marker"].map({"L": "R", "R": "L"}))


def twelve(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the page: each class's first ones of the test part, as drawn."""
    return table.iloc[: RECIPE["test"]].groupby("label").head(EACH)


def examples(table: pd.DataFrame) -> pd.DataFrame:
    """Return a training row of each class: the first that shows plainly what it is."""
    seen = table.iloc[RECIPE["test"] :]
    plain = seen[(seen["label"] == "normal") | (seen["severity"] >= EXAMPLE)]
    first = plain.groupby("label").head(1).set_index("label", drop=False)
    return first.loc[list(CLASSES)]


def grey(row: pd.Series) -> np.ndarray:
    """Draw one radiograph: uint8 (SIDE, SIDE)."""
    return np.round(255 * phantom.render(row, SIDE, masks=False).image).astype(np.uint8)


def shrunk(images: np.ndarray) -> np.ndarray:
    """Return images (n, SIDE, SIDE) as the network gets them."""
    few = SIDE // SHRINK
    return images.reshape(-1, few, SHRINK, few, SHRINK).mean((2, 4)).round().astype(np.uint8)


def measured(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Train on the training part and return the probability of COVID-19 for the test part.

    {what is asked: (n,)}; "as_taken" and "switched": one network, the letters as they are and all
    switched. "at_random": another one, trained and asked with letters that a coin gave.
    """
    from benchmarks.story import asked, trained

    own, other = (
        shrunk(np.stack([grey(row) for _, row in rows.iterrows()]))
        for rows in (table, switched(table))
    )
    coin = np.random.default_rng(RECIPE["seed"]).random(len(table)) < 0.5
    mixed = np.where(coin[:, None, None], own, other)
    labels = table["label"].map(list(CLASSES).index).to_numpy()
    cut = RECIPE["test"]
    network, honest = (
        trained(images[cut:], labels[cut:], RECIPE["seed"]) for images in (own, mixed)
    )
    question = {
        "as_taken": (network, own),
        "switched": (network, other),
        "at_random": (honest, mixed),
    }
    return {
        name: asked(model, images[:cut])[:, 1].astype(float)
        for name, (model, images) in question.items()
    }


def digest() -> str:
    """Return a short name of what the network's numbers come from: settings, drawing, training."""
    from benchmarks import story

    made = [cohort, switched, twelve, grey, shrunk, measured, story.trained, story.asked]
    settings = [RECIPE, EACH, SIDE, SHRINK, story.SIDE, story.EPOCHS, story.BATCH]
    text = json.dumps([settings, *map(program, made)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def accuracy(right: np.ndarray) -> dict:
    """Return the share of right answers with its interval, one image per patient."""
    found = stats.proportion(right)
    shown = {"value": found.value, "low": round(found.low, 4), "high": round(found.high, 4)}
    return shown | {"right": int(right.sum()), "n": found.n, "method": found.method}


# --- descriptions ---------------------------------------------------------------------------------


def description(row: pd.Series) -> str:
    """Return in words what is to be seen, by one rule: haze where it is light enough, the letter.

    The rule is the same for every image.

    The rule looks at the grey levels with and without what is drawn for the disease, and never at
    the label.
    """
    whole = phantom.render(row, SIDE)
    haze = 255 * (whole.image - phantom.render(row, SIDE, masks=False, lesion=False).image)
    lung = whole.masks["lung"] & ~whole.masks["heart"]
    columns = np.flatnonzero(lung.any(0))
    middle = (columns[0] + columns[-1]) // 2
    left = np.arange(SIDE) < middle
    said = [
        f"lung at the {side} of the image: {_seen(haze, lung & half, side)}"
        for side, half in (("left", left), ("right", ~left))
    ]
    corner = "left" if row["marker"] == "R" else "right"
    text = f"{'; '.join(said)}. Letter {row['marker']} at the upper {corner}."
    return text[0].upper() + text[1:]


def _seen(haze: np.ndarray, lung: np.ndarray, side: str) -> str:
    """Say where one lung is lighter for its haze.

    Upper, middle and lower third, each with an inner and outer half.
    """
    rows = np.flatnonzero(lung.any(1))
    thirds = zip(("upper", "middle", "lower"), np.array_split(rows, 3), strict=True)
    found: dict[str, list[str]] = {"clear": [], "faint": []}
    for height, third in thirds:
        parts = {"inner": [], "outer": []}
        for y in third:
            across = np.flatnonzero(lung[y])
            half = (across[0] + across[-1]) / 2
            outer = across < half if side == "left" else across >= half
            parts["outer"].append(haze[y, across[outer]])
            parts["inner"].append(haze[y, across[~outer]])
        for place, values in parts.items():
            light = np.concatenate(values).mean()
            if light >= FAINT:
                found["clear" if light >= PLAIN else "faint"].append(f"{height} {place}")
    told = [f"{degree} haze in the {_listed(places)}" for degree, places in found.items() if places]
    return " and ".join(told) or "dark, no haze to be seen"


def _listed(words: list[str]) -> str:
    return (
        f"{words[0]} part" if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]} parts"
    )


# --- what is committed ----------------------------------------------------------------------------


def pictures(table: pd.DataFrame) -> list[dict]:
    """Return what is shown: file name, row to draw, description.

    Two examples, then twelve with both letters.
    """
    rows = [(f"example-{row['label']}", row) for _, row in examples(table).iterrows()]
    shown = twelve(table)
    for kind in (shown, switched(shown)):
        rows += [(f"{k:02d}-{row['marker']}", row) for k, (_, row) in enumerate(kind.iterrows(), 1)]
    return [
        {"file": f"{name}.webp", "row": row, "description": description(row)} for name, row in rows
    ]


def written(root: Path = ROOT) -> dict:
    """Draw, train, ask; write images and numbers into FOLDER. Return the numbers."""
    from PIL import Image

    table = cohort()
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    drawn = pictures(table)
    for picture in drawn:
        Image.fromarray(grey(picture["row"])).save(
            folder / picture["file"], quality=QUALITY, method=6
        )
    probability = measured(table)
    ill = (table["label"] == "covid").to_numpy()[: RECIPE["test"]]
    alt = {picture["file"]: picture["description"] for picture in drawn}
    shown = twelve(table)
    other = switched(shown)
    images = [
        {
            "label": row["label"],
            "letter": row["marker"],
            "covid": {
                row["marker"]: round(probability["as_taken"][at], 4),
                other.loc[at, "marker"]: round(probability["switched"][at], 4),
            },
            "alt": {letter: alt[f"{k:02d}-{letter}.webp"] for letter in "LR"},
        }
        for k, (at, row) in enumerate(shown.iterrows(), 1)
    ]
    found = {
        "command": COMMAND,
        "date": datetime.date.today().isoformat(),
        "recipe": digest(),
        "trained_on": RECIPE["n"] - RECIPE["test"],
        **{name: accuracy((covid > 0.5) == ill) for name, covid in probability.items()},
        "examples": {label: alt[f"example-{label}.webp"] for label in CLASSES},
        "images": images,
    }
    write_atomic(folder / "phone.json", json.dumps(found, indent=1) + "\n")
    return found


# --- the page -------------------------------------------------------------------------------------


def stored(root: Path = ROOT) -> dict:
    """Read what was measured; raise ToolError where it is missing."""
    path = root / FOLDER / "phone.json"
    if not path.is_file():
        raise ToolError(f"{relative(path, root)} is missing: {COMMAND}")
    return json.loads(path.read_text(encoding="utf-8"))


def figure(estimate: dict) -> str:
    """Return an accuracy as a reader meets it: "0.97 (0.92-0.99)"."""
    return f"{estimate['value']:.2f} ({estimate['low']:.2f}-{estimate['high']:.2f})"


def answer(letter: str, covid: float) -> str:
    """Return the network's answer to an image with this letter: "R: COVID-19, over 99 %"."""
    label, probability = ("covid", covid) if covid > 0.5 else ("normal", 1 - covid)
    percent = "over 99" if probability >= 0.995 else f"{100 * probability:.0f}"
    return f"{letter}: {CLASSES[label]}, {percent}\u00a0%"


def twin(found: dict) -> str:
    """Return the list that is shown where no script runs: image, what it shows, both answers."""
    lines = []
    for k, image in enumerate(found["images"], 1):
        own, label = image["letter"], image["label"]
        other = "L" if own == "R" else "R"
        alt = html.escape(image["alt"][own])
        lines += [
            f'<li><img class="film" src="{k:02d}-{own}.webp" width="480" height="480" '
            f'loading="lazy" alt="{alt}">',
            f'<span><strong class="{label}">{CLASSES[label]}</strong></span>',
            *(f"<span>{answer(letter, image['covid'][letter])}</span>" for letter in (own, other)),
            "</li>",
        ]
    return "\n".join(lines)


def code(address: str) -> str:
    """Return the QR code of an address as SVG, which scales and has no size of its own."""
    import segno

    stream = io.BytesIO()
    segno.make(address, error="m").save(
        stream, kind="svg", xmldecl=False, omitsize=True, border=4, light="#fff", dark="#000"
    )
    return (
        stream.getvalue()
        .decode()
        .replace("<svg ", f'<svg role="img" aria-label="QR code of {address}" ', 1)
    )


def filled(template: str, values: dict[str, str]) -> str:
    """Put values in the places {{NAME}} of a template; raise ToolError where one has no value."""
    for name, value in values.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    if "{{" in template:
        raise ToolError(
            f"nothing to put at {template[template.index('{{') :].partition('}}')[0]}}}}} in "
            f"{TEMPLATE}"
        )
    return template


def page(root: Path = ROOT) -> dict[str, str]:
    """Return the pages by name: the one to play, and one for the lecture hall.

    The second is made where the address is known.
    """
    found, address = stored(root), links.site(root)
    first = found["images"][0]
    address = f"{address}phone/" if address else ""
    lessons = [row for row in index.entries(root) if not row.stop.is_case]
    titles = {row.stop.name[:2]: row.stop for row in lessons}
    values = {
        "DATA": json.dumps({"classes": CLASSES} | found).replace("<", "\\u003c"),
        "NORMAL": html.escape(found["examples"]["normal"]),
        "COVID": html.escape(found["examples"]["covid"]),
        "FIRST": f"01-{first['letter']}.webp",
        "FIRST_ALT": html.escape(first["alt"][first["letter"]]),
        "TRAINED": str(found["trained_on"]),
        "TESTED": str(found["as_taken"]["n"]),
        "AS_TAKEN": figure(found["as_taken"]),
        "SWITCHED": figure(found["switched"]),
        "AT_RANDOM": figure(found["at_random"]),
        "TWIN": twin(found),
        "FAINT": str(FAINT),
        "DATE": found["date"],
        "LESSON_01": f"../notebooks/{titles['01'].name}.html",
        "LESSON_09": f"../notebooks/{titles['09'].name}.html",
    }
    template = (root / TEMPLATE).read_text(encoding="utf-8")
    if not address:
        return {"index.html": filled(template, values | {"CODE": ""})}
    qr = code(address)
    part = (
        f'<div class="code">{qr}<a href="lecture_hall.html">Show this code to a lecture '
        "hall</a></div>"
    )
    poster = (root / POSTER).read_text(encoding="utf-8")
    shown = {"CODE": qr, "ADDRESS": address, "SHOWN": address.removeprefix("https://")}
    return {
        "index.html": filled(template, values | {"CODE": part}),
        "lecture_hall.html": filled(poster, shown),
    }


def put(site: Path, root: Path = ROOT) -> list[Path]:
    """Write the pages and their images into the site's folder; return the files, pages first."""
    made = []
    for name, text in page(root).items():
        write_atomic(site / "phone" / name, text)
        made.append(site / "phone" / name)
    for picture in sorted((root / FOLDER).glob("*.webp")):
        made.append(site / "phone" / picture.name)
        made[-1].write_bytes(picture.read_bytes())
    return made


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Draw, train and write; return the exit code."""
    argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0]).parse_args(arguments)
    found = written(root)
    size = sum(path.stat().st_size for path in (root / FOLDER).iterdir())
    print(
        *(
            f"{name}: accuracy {figure(found[name])}"
            for name in ("as_taken", "switched", "at_random")
        ),
        sep="\n",
    )
    print(f"{FOLDER}: {size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
