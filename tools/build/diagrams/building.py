"""Diagrams of lessons 01-08: how a classifier is built; schematic, but for what is computed."""

import numpy as np

from cxr_helpers import measured
from tools.build.diagrams.canvas import (
    AMBER,
    BLUE,
    FAINT,
    FILM,
    GREEN,
    GREY,
    INK,
    LEFT,
    ORANGE,
    PAPER,
    PINK,
    SLATE,
    SMALL,
    STAGES,
    TEXT,
    TITLE,
    WHITE,
    WIDTH,
    Sheet,
    tint,
)


def d01_workflow() -> Sheet:
    """The eight stages of a project, in two rows, each with a small picture."""
    sheet = Sheet("A project is a chain: each link can break the number")
    for number, stage in enumerate(STAGES):
        x, y = 14 + number % 4 * 158, 54 + number // 4 * 126
        sheet.box(x, y, 138, 96, fill=PAPER, edge=SLATE)
        cx, cy = x + 69, y + 36
        sheet.text(cx, y + 76, stage, size=TEXT, bold=True)
        if number % 4 < 3:
            sheet.arrow((x + 139, y + 48), (x + 157, y + 48))
        if stage == "folder":
            sheet.box(cx - 22, cy - 15, 20, 10, fill=SLATE, radius=3)
            sheet.box(cx - 22, cy - 10, 44, 27, fill=SLATE, radius=3)
        if stage == "manifest":
            for row in range(4):
                sheet.box(
                    cx - 24,
                    cy - 16 + row * 9,
                    48,
                    7,
                    fill=SLATE if not row else "#B5B5B5",
                    radius=1,
                )
        if stage == "split":
            for place in range(6):
                side = place > 3
                sheet.box(
                    cx - 36 + place * 11 + 8 * side,
                    cy - 12,
                    9,
                    26,
                    fill=ORANGE if side else BLUE,
                    radius=2,
                )
        if stage == "cache":
            for step in (8, 0, -8):
                sheet.box(
                    cx - 14 + step,
                    cy - 14 - step / 2,
                    30,
                    28,
                    fill="#8C8C8C",
                    edge=WHITE,
                    radius=2,
                    width=1,
                )
        if stage == "batches":
            for place in range(12):
                sheet.box(
                    cx - 36 + place % 6 * 12,
                    cy - 12 + place // 6 * 14,
                    10,
                    12,
                    fill=[SLATE, "#B5B5B5"][place % 6 > 2],
                    radius=2,
                )
        if stage == "model":
            for j in range(3):
                for i in range(2):
                    sheet.line(
                        [(cx - 22, cy - 14 + j * 14), (cx + 4, cy - 7 + i * 14)],
                        colour=GREY,
                        width=1,
                    )
                    sheet.line([(cx + 4, cy - 7 + i * 14), (cx + 26, cy)], colour=GREY, width=1)
            for px, py in [(-22, -14), (-22, 0), (-22, 14), (4, -7), (4, 7), (26, 0)]:
                sheet.circle(cx + px, cy + py, 5, fill=SLATE)
        if stage == "predictions":
            for row, share in enumerate((0.9, 0.35, 0.65)):
                sheet.box(cx - 26, cy - 15 + row * 12, 52, 8, fill="#C9C9C9", radius=1)
                sheet.box(cx - 26, cy - 15 + row * 12, 52 * share, 8, fill=SLATE, radius=1, z=4)
        if stage == "report":
            sheet.line([(cx - 28, cy), (cx + 28, cy)], width=2.4)
            sheet.line([(cx - 28, cy - 7), (cx - 28, cy + 7)])
            sheet.line([(cx + 28, cy - 7), (cx + 28, cy + 7)])
            sheet.circle(cx + 4, cy, 6, fill=SLATE)
    sheet.line([(557, 151), (557, 163), (83, 163)])
    sheet.arrow((83, 163), (83, 179))
    return sheet


def d02_two_ways() -> Sheet:
    """Source and disease both lead to the pixels and to the label."""
    sheet = Sheet("Two ways lead from the pixels to the label", "manifest")
    y = sheet.top + 12
    sheet.label(16, y, 176, 64, "disease", bold=True, fill=tint(BLUE), edge=BLUE)
    sheet.label(
        16, y + 150, 176, 64, "source: hospital,\nmachine, file", fill=tint(ORANGE), edge=ORANGE
    )
    sheet.label(270, y + 68, 130, 80, "pixels", bold=True, fill=FILM, edge=FILM, colour=WHITE)
    sheet.label(500, y + 68, 120, 80, "label", bold=True, fill=PAPER, edge=SLATE)
    sheet.arrow((192, y + 36), (268, y + 88), colour=BLUE, width=3)
    sheet.arrow((192, y + 178), (268, y + 128), colour=ORANGE, width=3, dashed=True)
    sheet.arrow((192, y + 20), (556, y + 66), colour=BLUE, width=3, bend=-0.22)
    sheet.arrow((192, y + 196), (556, y + 150), colour=ORANGE, width=3, bend=0.22, dashed=True)
    sheet.arrow((402, y + 108), (498, y + 108), colour=INK, width=2.4)
    sheet.text(450, y + 93, "learned", ha="center")
    sheet.text(356, y + 42, "what we want", bold=True, colour=BLUE)
    sheet.text(372, y + 176, "what is often easier", bold=True, colour=ORANGE)
    return sheet


def d02_label_errors() -> Sheet:
    """Wrong labels of four kinds, and how many of them were found; read from the measured table."""
    sheet = Sheet("Thirty wrong labels: which are found?", "folder", "report")
    table = measured.read("label_errors").set_index("world").drop(index="no label is wrong")
    words = ("at random,\nboth classes", "at random, COVID\u201119\ncalled normal")
    words += (
        "the faintest COVID\u201119\ncalled normal",
        "one hospital calls its\nCOVID\u201119 normal",
    )
    y = sheet.top + 8
    sheet.text(LEFT, y + 4, "labels are wrong …", ha="left", colour=GREY)
    sheet.text(566, y + 4, "found, of 30", colour=GREY)
    for number, (name, row) in enumerate(zip(words, table.to_dict("records"), strict=True)):
        at = y + 48 + number * 62
        colour = BLUE if number < 2 else ORANGE
        sheet.text(LEFT, at, name, ha="left")
        for place in range(int(row["wrong"])):
            x, found = 236 + place % 15 * 18, place < round(row["found"])
            high = at - 9 + place // 15 * 18
            sheet.circle(x, high, 7, fill=colour if found else WHITE, edge=colour)
        sheet.text(566, at - 8, f"{row['found']:.1f}", size=TITLE, bold=True, colour=colour)
        sheet.text(566, at + 15, f"({row['found_low']:.1f} to {row['found_high']:.1f})")
    return sheet


def d03_square() -> Sheet:
    """A wide image with a round heart: squashed, padded, cropped."""
    sheet = Sheet("Three ways to a square; one keeps all of the shape", "cache")
    y = sheet.top + 14

    def chest(x, y, w, h, left=0.0, right=1.0, high=None):
        """A wide chest in a frame, of which the part from `left` to `right` is seen."""
        high = high or h
        sheet.box(x, y, w, h, fill="#0A0A0A", radius=2)
        top, full = y + (h - high) / 2, w / (right - left)
        clip = sheet.box(x, top, w, high, fill=FILM, radius=1)
        for place, width, height, fill in (
            (0.2, 0.14, 0.4, "#8C8C8C"),
            (0.8, 0.14, 0.4, "#8C8C8C"),
            (0.52, 0.18, 0.27, WHITE),
        ):
            shape = sheet.circle(
                x + (place - left) * full,
                top + high * 0.54,
                width * full,
                height=height * high,
                fill=fill,
            )
            shape.set_clip_path(clip)
        return x + w / 2

    centre = chest(14, y + 3, 168, 112)
    sheet.text(centre, y + 144, "the file", size=TEXT, bold=True)
    sheet.text(centre, y + 180, "wide; the heart\nis round")
    sheet.arrow((190, y + 59), (222, y + 59))
    shown = (
        ("squash", "the heart\ngets narrow", {}),
        ("pad", "shape kept,\nbars added", {"high": 118 / 1.5}),
        ("crop", "the sides\nare lost", {"left": 1 / 6, "right": 5 / 6}),
    )
    for number, (name, words, how) in enumerate(shown):
        centre = chest(234 + number * 138, y, 118, 118, **how)
        sheet.text(
            centre, y + 144, name, size=TEXT, bold=True, colour=BLUE if name == "pad" else INK
        )
        sheet.text(centre, y + 180, words)
    return sheet


def d03_fit_on_train() -> Sheet:
    """Constants come from the training images only and go to all."""
    sheet = Sheet("Constants come from train, and are used for all", "cache", "batches")
    y = sheet.top + 76
    for number, (name, colour) in enumerate(
        (("train", BLUE), ("validation", SLATE), ("test", ORANGE))
    ):
        at = y + number * 64
        sheet.label(16, at, 130, 50, name, bold=True, fill=tint(colour), edge=colour)
        sheet.label(494, at, 130, 50, "scaled", fill=PAPER, edge=colour)
        sheet.arrow((148, at + 25), (492, at + 25), colour=colour)
    sheet.line([(80, y), (80, y - 46), (200, y - 46)], colour=BLUE, width=2.4)
    sheet.arrow((200, y - 46), (214, y - 46), colour=BLUE, width=2.4)
    sheet.label(
        216, y - 76, 208, 58, "computed once:\nmean and deviation", fill=BLUE, colour=WHITE, z=6
    )
    sheet.arrow((320, y - 17), (320, y - 5), colour=BLUE, width=2.4)
    sheet.box(216, y - 4, 208, 186, fill=WHITE, edge=BLUE, z=6)
    sheet.text(320, y + 66, "image − mean", size=TEXT)
    sheet.line([(258, y + 83), (382, y + 83)], z=8)
    sheet.text(320, y + 100, "deviation", size=TEXT)
    return sheet


def d04_cut() -> Sheet:
    """Twelve images of five patients, cut by image and by patient."""
    sheet = Sheet("Cut between images, or between patients?", "split")
    colours = {"A": BLUE, "B": AMBER, "C": GREEN, "D": PINK, "E": SLATE}
    patients = "AAABBBCCCDDE"
    by_image = [0, 1, 3, 4, 6, 8, 9, 11], [2, 5, 7, 10]
    by_patient = [0, 1, 2, 3, 4, 5, 9, 10], [6, 7, 8, 11]
    y = sheet.top - 2
    for name, (fit, held), verdict in (
        ("by image", by_image, "A, B, C and D stand on both sides."),
        ("by patient", by_patient, "Each patient stands on one side."),
    ):
        sheet.text(LEFT, y + 12, name, size=TEXT, bold=True, ha="left")
        sheet.text(126, y + 12, verdict, ha="left")
        y += 30
        sheet.box(LEFT - 2, y, 402, 106, fill=PAPER, radius=10)
        sheet.box(424, y, 206, 106, fill=WHITE, edge=INK, radius=10, dashed=True)
        sheet.text(22, y + 18, "train", bold=True, ha="left", colour=GREY)
        sheet.text(434, y + 18, "test", bold=True, ha="left", colour=GREY)
        for x, part in ((18, fit), (431, held)):
            for place, image in enumerate(part):
                letter = patients[image]
                sheet.film(x + place * 48.5, y + 37, 45, edge=colours[letter], tag=letter)
        known = sum(patients[image] in {patients[other] for other in fit} for image in held)
        words = f"{known} of {len(held)} seen before"
        sheet.text(527, y + 96, words, bold=True, colour=ORANGE if known else BLUE)
        y += 120
    return sheet


def d05_neuron() -> Sheet:
    """One neuron: products, sum, sigmoid; the figures are computed."""
    pixels, weights, bias = np.array([0.2, 0.9, 0.5]), np.array([-1.0, 2.0, 0.4]), -0.5
    products = pixels * weights
    score = products.sum() + bias
    probability = 1 / (1 + np.exp(-score))
    sheet = Sheet("A neuron multiplies, adds, and squeezes", "model")
    y = sheet.top + 4
    for number in range(3):
        at = y + 22 + number * 68
        sheet.box(28, at - 22, 64, 44, fill=str(0.4 + pixels[number] * 0.6), edge=INK, radius=3)
        sheet.text(60, at, f"{pixels[number]:.1f}", size=TEXT, colour=INK)
        sheet.line([(94, at), (208, at)], colour=GREY)
        sheet.circle(150, at, 26, fill=tint(BLUE), edge=BLUE)
        sheet.text(150, at, f"× {weights[number]:g}")
        sheet.arrow((208, at), (276, y + 90 + (number - 1) * 16), colour=GREY)
        sheet.text(202, at + (14 if number == 2 else -13), f"{products[number]:+.1f}")
    sheet.circle(312, y + 90, 36, fill=tint(BLUE), edge=BLUE)
    sheet.text(312, y + 90, "Σ", size=20)
    sheet.text(312, y + 36, f"bias {bias:g}")
    sheet.arrow((349, y + 90), (424, y + 90))
    sheet.text(386, y + 76, f"{score:.2f}")
    sheet.box(428, y + 46, 104, 88, fill=WHITE, edge=BLUE)
    z = np.linspace(-5, 5, 60)
    curve = zip(480 + z * 9, y + 120 - 60 / (1 + np.exp(-z)), strict=True)
    sheet.line(list(curve), colour=BLUE, width=2.6, z=6)
    sheet.circle(480 + score * 9, y + 120 - 60 * probability, 5, fill=ORANGE, z=8)
    sheet.arrow((534, y + 90), (560, y + 90))
    sheet.text(598, y + 90, f"{probability:.2f}", size=TITLE, bold=True)
    for x, words in (
        (60, "pixels"),
        (150, "weights"),
        (312, "score"),
        (460, "sigmoid"),
        (576, "probability"),
    ):
        sheet.text(x, y + 208, words, bold=True, colour=BLUE if words == "weights" else INK)
    sheet.text(398, y + 178, "learned: the weights and the bias", colour=BLUE)
    return sheet


def d05_three_parts() -> Sheet:
    """What train, validation and test may decide."""
    sheet = Sheet("Each part of the images may decide one thing", "split", "model")
    y = sheet.top
    parts = (
        ("train", "the weights", "in each step", BLUE, 260),
        ("validation", "when to stop,\nwhich settings", "in each epoch", SLATE, 150),
        ("test", "nothing:\nit only measures", "once, at the end", ORANGE, 150),
    )
    x = 16
    for name, what, when, colour, width in parts:
        sheet.label(x, y, width, 40, name, bold=True, fill=colour, colour=WHITE)
        sheet.box(x, y + 30, width, 66, fill=tint(colour), z=2)
        number = 6 if width > 200 else 3
        for place in range(number):
            sheet.film(x + (width - number * 42) / 2 + place * 42 + 2, y + 49, 38)
        sheet.text(x + width / 2, y + 132, what, size=TEXT, bold=True)
        sheet.text(x + width / 2, y + 176, when, colour=GREY)
        x += width + 24
    return sheet


def d06_kernel() -> Sheet:
    """A kernel on an edge, and the map of its answers; all numbers are computed."""
    image = np.array([[2] * 7] * 3 + [[8] * 7] * 3)
    kernel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    answers = np.array(
        [[(image[r : r + 3, c : c + 3] * kernel).sum() for c in range(5)] for r in range(4)]
    )
    sheet = Sheet("Nine weights slide over the image", "model")
    top, cell, row, column = sheet.top + 36, 34, 1, 2
    shades = {0: WHITE, 2: "#8A8A8A", 8: "#F0F0F0"}
    for r in range(6):
        for c in range(7):
            sheet.box(
                14 + c * cell,
                top + r * cell,
                cell - 2,
                cell - 2,
                fill=shades[image[r, c]],
                radius=1,
            )
            inside = row <= r < row + 3 and column <= c < column + 3
            sheet.text(30 + c * cell, top + r * cell + 16, image[r, c], bold=inside)
    sheet.box(
        12 + column * cell,
        top - 2 + row * cell,
        3 * cell + 2,
        3 * cell + 2,
        fill="none",
        edge=ORANGE,
        radius=3,
        width=3.5,
        z=8,
    )
    for r in range(3):
        for c in range(3):
            weight = kernel[r, c]
            fill = tint(ORANGE, 0.25) if weight > 0 else tint(BLUE, 0.25) if weight < 0 else WHITE
            sheet.box(
                294 + c * 36, top + 48 + r * 36, 34, 34, fill=fill, edge=ORANGE, radius=2, width=1.2
            )
            sheet.text(
                311 + c * 36, top + 65 + r * 36, f"{weight:+d}" if weight else "0", bold=True
            )
    sheet.text(268, top + 102, "×", size=20)
    sheet.arrow((408, top + 102), (446, top + 102))
    for r in range(4):
        for c in range(5):
            value = answers[r, c]
            here = (r, c) == (row, column)
            fill = ORANGE if here else tint(ORANGE, 0.35) if value else PAPER
            sheet.box(454 + c * 35, top + 34 + r * cell, 33, cell - 2, fill=fill, radius=1)
            sheet.text(
                470 + c * 35,
                top + 50 + r * cell,
                value,
                bold=bool(here),
                colour=WHITE if here else INK,
            )
    sheet.text(132, top - 18, "image: dark over bright")
    sheet.text(348, top - 18, "kernel")
    sheet.text(540, top - 18, "feature map")
    products = (image[row : row + 3, column : column + 3] * kernel).sum(axis=1)
    sheet.text(
        WIDTH / 2,
        top + 232,
        f"here, row by row: {products[0]} + {products[1]} + {products[2]} = {answers[row, column]}",
        size=TEXT,
    )
    return sheet


def d06_layers() -> Sheet:
    """The layers of the lesson's small network, with shapes and parameters computed from its
    description.
    """
    side, channels = 64, 1
    layers = [("image", (side, side, channels), 0)]
    for name, filters in (("convolution", 8), ("convolution", 16)):
        count = (9 * channels + 1) * filters
        side, channels = side - 2, filters
        layers.append((name, (side, side, channels), count))
        side //= 2
        layers.append(("pooling", (side, side, channels), 0))
    flat = side * side * channels
    layers += [
        ("flatten", (flat,), 0),
        ("dense", (16,), (flat + 1) * 16),
        ("softmax", (3,), 17 * 3),
    ]
    sheet = Sheet("Maps get smaller and more numerous; then a row", "model")
    middle, x = sheet.top + 96, 16
    for number, (name, shape, _) in enumerate(layers):
        if len(shape) == 3:
            edge, depth = shape[0] * 1.2, min(shape[2], 16)
            for sheet_number in range(min(depth, 6)):
                shift = (min(depth, 6) - 1 - sheet_number) * 4
                fill = FILM if number == 0 else tint(BLUE, 0.55 if name == "convolution" else 0.25)
                sheet.box(
                    x + shift,
                    middle - edge / 2 - shift,
                    edge,
                    edge,
                    fill=fill,
                    edge=WHITE,
                    radius=1,
                    width=0.8,
                    z=4,
                )
            width = edge + min(depth, 6) * 4
        else:
            width, height = 14, {"flatten": 176, "dense": 70, "softmax": 30}[name]
            fill = {"flatten": SLATE, "dense": ORANGE, "softmax": SLATE}[name]
            sheet.box(x + 4, middle - height / 2, width, height, fill=fill, radius=2)
            width += 8
        x = x if len(shape) == 3 else x + 10
        cx = x + width / 2
        down = number % 2
        said = "×".join(f"{n:,}" for n in shape)
        level = sheet.top + 212 + down * 52
        sheet.line(
            [(cx, middle + (52 if len(shape) == 3 else 92)), (cx, level - 12)],
            colour=FAINT,
            width=1.2,
        )
        sheet.text(cx, level, name, bold=True)
        sheet.text(cx, level + 22, said, colour=GREY)
        x += width + (16 if len(shape) == 3 and name != layers[-4][0] else 27)
    total = sum(count for *_, count in layers)
    dense = dict((name, count) for name, _, count in layers)["dense"]
    sheet.text(
        LEFT,
        sheet.top + 308,
        f"{dense:,} of the {total:,} parameters are in the dense layer",
        ha="left",
        bold=True,
        colour=ORANGE,
    )
    return sheet


def d07_matrix() -> Sheet:
    """Four numbers, and which of them each measure divides."""
    sheet = Sheet("Rows ask about the truth, columns the answer", "predictions", "report")
    x, y, w, h = 140, sheet.top + 44, 132, 74
    sheet.text(x + w, y - 36, "the model answers", bold=True)
    sheet.text(x + w / 2, y - 14, "positive")
    sheet.text(x + w * 1.5, y - 14, "negative")
    for r, (name, who) in enumerate((("has it", "tp fn"), ("has it not", "fp tn"))):
        sheet.text(x - 12, y + h * r + h / 2, name, size=TEXT, ha="right", bold=True)
        for c, short in enumerate(who.split()):
            right = short in ("tp", "tn")
            long = {"tp": "found", "fn": "missed", "fp": "false alarm", "tn": "cleared"}[short]
            sheet.box(
                x + w * c + 3,
                y + h * r + 3,
                w - 6,
                h - 6,
                fill=tint(BLUE, 0.3) if right else WHITE,
                edge=BLUE if right else ORANGE,
                radius=4,
                dashed=not right,
            )
            sheet.text(x + w * c + w / 2, y + h * r + 25, short, size=TITLE, bold=True)
            sheet.text(x + w * c + w / 2, y + h * r + 50, long)
    edge = x + 2 * w
    for r, (name, formula) in enumerate(
        (("sensitivity", "tp / (tp + fn)"), ("specificity", "tn / (tn + fp)"))
    ):
        at = y + h * r + h / 2
        sheet.arrow((edge + 6, at), (edge + 46, at), colour=SLATE, width=2.6)
        sheet.text(edge + 54, at - 12, name, size=TEXT, bold=True, ha="left")
        sheet.text(edge + 54, at + 12, formula, ha="left")
    foot = y + 2 * h
    for c, (name, formula) in enumerate((("PPV", "tp / (tp + fp)"), ("NPV", "tn / (tn + fn)"))):
        at = x + w * c + w / 2
        sheet.arrow((at, foot + 6), (at, foot + 38), colour=SLATE, width=2.6)
        sheet.text(at, foot + 54, name, size=TEXT, bold=True)
        sheet.text(at, foot + 78, formula)
    sheet.text(edge + 54, foot + 54, "both change with\nthe prevalence", ha="left", colour=GREY)
    return sheet


def d07_bootstrap() -> Sheet:
    """Whole patients are drawn with replacement; right and wrong are made up, draws and accuracies
    computed.
    """
    right = {"A": (1, 1, 1), "B": (0,), "C": (1, 0), "D": (1, 1)}
    colours = dict(zip(right, (BLUE, AMBER, GREEN, PINK), strict=True))
    rng = np.random.default_rng(7)
    sheet = Sheet("Bootstrap: draw whole patients, many times", "report")
    y = sheet.top + 24

    def row(at, patients, words, bold=False):
        """Some patients with all their images; a cross where the answer is wrong. Returns the
        accuracy.
        """
        sheet.text(LEFT, at + 22, words, ha="left", bold=bold)
        x = 96
        for letter in patients:
            sheet.box(
                x,
                at - 3,
                len(right[letter]) * 40 + 6,
                50,
                fill=tint(colours[letter], 0.3),
                radius=6,
            )
            for place, hit in enumerate(right[letter]):
                at_x = x + 4 + place * 40
                sheet.film(at_x, at + 3, 38, edge=colours[letter], tag=letter)
                if not hit:
                    sheet.line(
                        [(at_x + 6, at + 9), (at_x + 24, at + 27)], colour=WHITE, width=3.5, z=9
                    )
                    sheet.line(
                        [(at_x + 24, at + 9), (at_x + 6, at + 27)], colour=WHITE, width=3.5, z=9
                    )
            x += len(right[letter]) * 40 + 14
        answers = [hit for letter in patients for hit in right[letter]]
        sheet.text(592, at + 22, f"{np.mean(answers):.2f}", size=TEXT, bold=True)

    sheet.text(592, y - 20, "accuracy", colour=GREY)
    row(y, "ABCD", "test set", True)
    sheet.line([(LEFT, y + 58), (WIDTH - LEFT, y + 58)], colour=FAINT)
    for number in range(3):
        row(y + 72 + number * 58, rng.choice(list(right), 4), f"draw {number + 1}")
    sheet.text(LEFT, y + 256, "… thousands of draws, as many accuracies:", ha="left")
    sheet.text(LEFT, y + 280, "their middle 95 % is the interval", ha="left", bold=True)
    sheet.text(494, y + 280, "× wrong answer", ha="left", colour=GREY)
    return sheet


def d08_freeze() -> Sheet:
    """Which blocks learn in the two phases of fine-tuning."""
    sheet = Sheet("Freeze first, then let only the end learn", "model")
    y = sheet.top + 4
    blocks = ("block1", "block2", "block3", "block4", "block5", "last")
    for number, (name, words, free) in enumerate(
        (
            ("phase 1", "only the new last layer learns", 5),
            ("phase 2", "the end learns too, at a small rate", 4),
        )
    ):
        at = y + number * 122
        sheet.text(LEFT, at + 10, name, size=TEXT, bold=True, ha="left")
        sheet.text(98, at + 10, words, ha="left")
        sheet.film(12, at + 32, 52)
        for place, block in enumerate(blocks):
            x, learns = 86 + place * 92, place >= free
            new = block == "last"
            sheet.label(
                x,
                at + 32,
                80,
                52,
                block,
                size=SMALL,
                bold=learns,
                fill=ORANGE if learns and new else tint(ORANGE, 0.4) if learns else "#E4E4E4",
                edge=ORANGE if learns else GREY,
                colour=WHITE if learns and new else INK,
            )
            if place:
                sheet.arrow((x - 12, at + 58), (x - 1, at + 58), width=1.4)
            sheet.text(
                x + 40,
                at + 95,
                "learns" if learns else "frozen",
                colour=ORANGE if learns else GREY,
                bold=learns,
            )
        sheet.arrow((66, at + 58), (85, at + 58), width=1.4)
    return sheet


def d08_nested() -> Sheet:
    """A search inside each training part; the outer fold is opened once."""
    sheet = Sheet("Nested folds: search inside, measure outside", "split", "model")
    y = sheet.top + 6
    sheet.text(LEFT, y + 4, "outer folds: each is the test once", ha="left", bold=True)
    for fold in range(4):
        for part in range(4):
            held = part == fold
            x, at = 14 + part * 64, y + 24 + fold * 40
            sheet.box(x, at, 58, 32, fill=ORANGE if held else tint(BLUE, 0.3), radius=4)
            sheet.text(
                x + 29,
                at + 16,
                "test" if held else "train",
                colour=WHITE if held else INK,
                bold=held,
            )
    sheet.text(348, y + 4, "inside train: the search", ha="left", bold=True)
    for fold in range(3):
        for part in range(3):
            held = part == fold
            x, at = 372 + part * 86, y + 36 + fold * 44
            sheet.box(
                x,
                at,
                80,
                34,
                fill=WHITE if held else tint(BLUE, 0.3),
                edge=SLATE if held else None,
                radius=4,
            )
            sheet.text(x + 40, at + 17, "validate" if held else "fit")
    sheet.box(358, y + 24, 272, 152, fill="none", edge=BLUE, width=2)
    sheet.arrow((274, y + 40), (356, y + 80), colour=BLUE, bend=-0.2)
    sheet.arrow((494, y + 178), (494, y + 214), colour=BLUE)
    sheet.label(
        358,
        y + 216,
        272,
        52,
        "best setting,\nfitted on all of train",
        size=SMALL,
        fill=BLUE,
        colour=WHITE,
    )
    sheet.arrow((356, y + 242), (278, y + 242), colour=ORANGE)
    sheet.label(14, y + 216, 262, 52, "one score on test", bold=True, fill=WHITE, edge=ORANGE)
    return sheet
