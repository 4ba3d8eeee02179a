"""Diagrams of lessons 09-11: what a number can be trusted for; schematic, if not computed here."""

import numpy as np

from tools.build.diagrams.canvas import (
    BLUE,
    FAINT,
    GREY,
    INK,
    LEFT,
    ORANGE,
    PAPER,
    SLATE,
    TEXT,
    TITLE,
    WHITE,
    WIDTH,
    Sheet,
    tint,
)


def d09_graph() -> Sheet:
    """Two things in the image go with the label; the network takes the easier one."""
    sheet = Sheet("A network takes the easier of two ways", "predictions", "report")
    y = sheet.top
    sheet.film(20, y + 8, 190, marker="R", spot=True)
    sheet.circle(36, y + 21, 22, height=20, fill="none", edge=ORANGE, width=3, z=9)
    sheet.circle(77, y + 122, 28, height=32, fill="none", edge=BLUE, width=3, z=9)
    sheet.label(278, y, 154, 58, "a mark of how\nit was taken", fill=tint(ORANGE), edge=ORANGE)
    sheet.label(278, y + 146, 154, 58, "the disease\nin the lung", fill=tint(BLUE), edge=BLUE)
    sheet.arrow((60, y + 21), (276, y + 28), colour=ORANGE, width=2.4, dashed=True)
    sheet.arrow((106, y + 126), (276, y + 172), colour=BLUE, width=2.4)
    sheet.label(520, y + 64, 106, 76, "answer", size=TITLE, bold=True, fill=PAPER, edge=SLATE)
    sheet.arrow((434, y + 30), (528, y + 62), colour=ORANGE, width=3.6, dashed=True)
    sheet.arrow((434, y + 174), (528, y + 142), colour=BLUE, width=1.6)
    sheet.text(540, y + 28, "easy", bold=True, colour=ORANGE)
    sheet.text(540, y + 178, "hard", bold=True, colour=BLUE)
    sheet.arrow((355, y + 144), (355, y + 60), colour=GREY)
    sheet.arrow((355, y + 60), (355, y + 144), colour=GREY)
    sheet.text(366, y + 102, "go together\nin this set", colour=GREY, ha="left")
    return sheet


def d09_four_tests() -> Sheet:
    """Who wears the word in the four test sets."""
    sheet = Sheet("The same chests, and four ways to wear the word", "predictions", "report")
    y = sheet.top + 36
    sheet.text(LEFT, y + 38, "with\nCOVID-19", ha="left", bold=True)
    sheet.text(LEFT, y + 132, "without", ha="left", bold=True)
    tests = (
        ("as taken", "11", "00"),
        ("removed", "00", "00"),
        ("reversed", "00", "11"),
        ("random", "10", "01"),
    )
    for number, (name, ill, well) in enumerate(tests):
        x = 112 + number * 132
        sheet.box(x - 4, y - 10, 126, 196, fill=PAPER, edge=ORANGE if number == 0 else FAINT)
        sheet.text(x + 59, y - 28, name, size=TEXT, bold=True)
        for row, who in enumerate((ill, well)):
            for place, wears in enumerate(who):
                left, top = x + 1 + place * 60, y + row * 94 + 10
                sheet.film(left, top, 56, spot=not row)
                if wears == "1":
                    sheet.box(
                        left - 3, top - 5, 25, 23, fill=ORANGE, edge=WHITE, radius=3, width=1, z=8
                    )
                    sheet.text(left + 9.5, top + 6.5, "R", bold=True, colour=WHITE)
    sheet.text(112, y + 208, "as in training", ha="left", colour=ORANGE, bold=True)
    sheet.text(256, y + 208, "nothing else has changed", ha="left")
    return sheet


def d10_grad_cam() -> Sheet:
    """Feature maps times their weights, added, cut off at zero, enlarged; made-up maps, computed
    heat.
    """
    from matplotlib.colors import to_rgb

    maps = np.random.default_rng(2).uniform(0, 0.25, (3, 4, 4))
    maps[0, 1:4, :2] = [[0.2, 0.5], [0.7, 1.0], [0.1, 0.4]]
    maps[1, 0] = 0.8
    maps[2, :2, 2:] = 0.9
    weights = np.array([1.5, 0.2, -0.8])
    heat = np.maximum((weights[:, None, None] * maps).sum(axis=0), 0)
    heat /= heat.max()
    sheet = Sheet("Grad-CAM: which maps speak for the answer?", "model", "report")
    y = sheet.top
    sheet.film(14, y + 66, 104, spot=True)
    sheet.arrow((122, y + 118), (156, y + 118))

    def grid(x, y, values, colour, cell):
        for r in range(4):
            for c in range(4):
                fill = tint(colour, float(values[r, c])) if values[r, c] > 0.02 else WHITE
                sheet.box(
                    x + c * cell,
                    y + r * cell,
                    cell,
                    cell,
                    fill=fill,
                    edge=FAINT,
                    radius=0.1,
                    width=0.6,
                )

    for number in range(3):
        at = y + number * 82
        grid(162, at, maps[number], SLATE, 18)
        sheet.text(258, at + 36, "×")
        sheet.circle(
            302,
            at + 36,
            28,
            fill=tint(ORANGE if weights[number] > 0 else BLUE, 0.25),
            edge=ORANGE if weights[number] > 0 else BLUE,
        )
        sheet.text(302, at + 36, f"{weights[number]:+.1f}", bold=True)
        sheet.arrow((332, at + 36), (374, y + 118 + (number - 1) * 12), colour=GREY)
    sheet.circle(398, y + 118, 22, fill=PAPER, edge=SLATE)
    sheet.text(398, y + 118, "+", size=TITLE, bold=True)
    sheet.arrow((421, y + 118), (446, y + 118))
    grid(450, y + 92, heat, ORANGE, 13)
    sheet.arrow((505, y + 118), (526, y + 118))
    sheet.film(530, y + 66, 104, spot=True)
    centres = (np.arange(104) + 0.5) / 26 - 0.5
    rows = np.array([np.interp(centres, range(4), column) for column in heat.T]).T
    large = np.array([np.interp(centres, range(4), row) for row in rows])
    sheet.colours = 128  # heat over grey makes many
    layers = np.ones((104, 104, 4)) * [*to_rgb(ORANGE), 1]
    layers[..., 3] = np.round(np.clip(large - 0.2, 0, 1) * 8) / 8
    sheet.axes.imshow(
        layers, extent=(530, 634, y + 170, y + 66), aspect="auto", zorder=8, interpolation="nearest"
    )
    for x, words in (
        (66, "image"),
        (198, "maps"),
        (302, "weights"),
        (440, "sum, cut at 0"),
        (582, "heat"),
    ):
        sheet.text(x, y + 264, words, bold=True, colour=ORANGE if words == "weights" else INK)
    sheet.text(
        302, y + 292, "weight: how far the answer rises with the map (the gradient)", colour=GREY
    )
    return sheet


def d11_thousand() -> Sheet:
    """1,000 people at three prevalences, a test with sensitivity and specificity 0.95; counts are
    computed.
    """
    sheet = Sheet("One test, 1,000 people: what is an alarm worth?", "predictions", "report")
    y = sheet.top
    for number, prevalence in enumerate((0.5, 0.1, 0.01)):
        ill = round(1000 * prevalence)
        found = 0.95 * ill
        alarms = 0.05 * (1000 - ill)
        true, false = round(found), round(alarms)  # of 9.5 people ten are drawn
        x = 14 + number * 212
        kinds = [2] * true + [1] * (ill - true) + [3] * false + [0] * (1000 - ill - false)
        for place, kind in enumerate(kinds):
            left, top = x + place % 25 * 7.6, y + 34 + place // 25 * 5.6
            fill = (FAINT, WHITE, ORANGE, INK)[kind]
            sheet.box(
                left,
                top,
                6.2,
                4.4,
                fill=fill,
                edge=SLATE if kind == 1 else None,
                radius=0.1,
                width=0.8,
                z=4,
            )
        sheet.text(x + 95, y + 10, f"{ill} in 1,000 have it", bold=True)
        foot = y + 34 + 40 * 5.6
        sheet.box(x, foot + 16, 12, 12, fill=ORANGE, radius=1)
        sheet.text(x + 18, foot + 22, f"{found:.1f} found".replace(".0", ""), ha="left")
        sheet.box(x, foot + 40, 12, 12, fill=INK, radius=1)
        sheet.text(x + 18, foot + 46, f"{alarms:.1f} false alarms".replace(".0", ""), ha="left")
        ppv = found / (found + alarms)
        sheet.text(x, foot + 80, f"PPV {ppv:.2f}", size=TITLE, bold=True, ha="left")
    sheet.box(14, foot + 102, 12, 12, fill=WHITE, edge=SLATE, radius=1)
    sheet.text(32, foot + 108, "missed", ha="left")
    sheet.box(112, foot + 102, 12, 12, fill=FAINT, radius=1)
    sheet.text(130, foot + 108, "rightly called negative", ha="left")
    sheet.text(WIDTH - LEFT, foot + 108, "sensitivity, specificity 0.95", ha="right", colour=GREY)
    return sheet
