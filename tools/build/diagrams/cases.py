"""Diagrams of the cases, with the shares and counts that the case states; all else is schematic."""

from tools.build.diagrams.canvas import (
    BLUE,
    FAINT,
    FILM,
    GREY,
    INK,
    LEFT,
    ORANGE,
    PAPER,
    SLATE,
    SMALL,
    TITLE,
    WHITE,
    Sheet,
    tint,
)


def case_a_clerk() -> Sheet:
    """A clerk answers by the letters alone."""
    sheet = Sheet("A clerk who sees no lung has an answer, too")
    y = sheet.top
    for number, (letters, answer, colour) in enumerate(
        (("R\nPORTABLE", "positive", ORANGE), ("", "negative", BLUE))
    ):
        x = 14 + number * 322
        sheet.box(x, y, 146, 146, fill=FILM)
        sheet.box(x + 10, y + 52, 126, 86, fill="#111111", radius=4)
        sheet.text(x + 73, y + 95, "lungs\ncovered", colour="#BFBFBF")
        if letters:
            sheet.box(x + 6, y + 5, 112, 42, fill="none", edge=colour, radius=3, width=2.4)
            sheet.text(x + 12, y + 26, letters, bold=True, colour=WHITE, ha="left")
        else:
            sheet.text(x + 73, y + 26, "no letters", colour="#BFBFBF")
        sheet.arrow((x + 152, y + 73), (x + 192, y + 73), colour=colour, width=3)
        sheet.label(
            x + 196, y + 46, 98, 54, answer, bold=True, fill=tint(colour, 0.25), edge=colour
        )
    sheet.text(
        LEFT, y + 172, "What the clerk reaches, a network can reach without medicine.", ha="left"
    )
    return sheet


def case_b_hospitals() -> Sheet:
    """19 of 20 patients with COVID-19 at one hospital, 19 of 20 of the others at the other."""
    sheet = Sheet("What is learned: the disease, or the hospital?")
    y = sheet.top
    for row, (name, hazy) in enumerate((("COVID-19", 19), ("normal", 1))):
        at = y + row * 96
        sheet.text(LEFT, at + 36, name, bold=True, ha="left")
        for place in range(20):
            x, top = 120 + place % 10 * 51, at + place // 10 * 40
            from_c = place < hazy
            sheet.box(
                x,
                top,
                48,
                36,
                fill="#B9B9B9" if from_c else FILM,
                edge=ORANGE if from_c else BLUE,
                radius=4,
                width=2.4,
            )
            sheet.text(
                x + 24, top + 18, "C" if from_c else "A", bold=True, colour=INK if from_c else WHITE
            )
    foot = y + 206
    sheet.box(120, foot, 22, 18, fill="#B9B9B9", edge=ORANGE, radius=3)
    sheet.text(150, foot + 9, "hospital C: hazier, other letter", ha="left")
    sheet.box(432, foot, 22, 18, fill=FILM, edge=BLUE, radius=3)
    sheet.text(462, foot + 9, "hospital A", ha="left")
    sheet.text(
        LEFT,
        foot + 40,
        "To tell them apart, each patient is drawn at the other hospital, too.",
        ha="left",
    )
    return sheet


def case_c_button() -> Sheet:
    """A gate in front of the model refuses what is no chest radiograph."""
    sheet = Sheet("A button that can refuse")
    y = sheet.top
    sheet.film(14, y, 66)
    sheet.box(14, y + 116, 66, 66, fill=tint(ORANGE, 0.4), radius=7)
    sheet.text(47, y + 149, "?", size=TITLE, bold=True)
    sheet.text(47, y + 82, "chest", bold=True)
    sheet.text(47, y + 198, "other", bold=True)
    sheet.box(168, y, 128, 184, fill=BLUE)
    sheet.text(232, y + 62, "gate", size=TITLE, bold=True, colour=WHITE)
    sheet.text(232, y + 112, "like the\ntraining\nimages?", colour=WHITE)
    sheet.arrow((84, y + 33), (166, y + 33))
    sheet.arrow((84, y + 149), (166, y + 149))
    sheet.text(328, y + 19, "yes", bold=True, colour=BLUE)
    sheet.text(328, y + 135, "no", bold=True, colour=ORANGE)
    sheet.arrow((298, y + 33), (358, y + 33), colour=BLUE)
    sheet.label(360, y + 4, 92, 58, "model", bold=True, fill=SLATE, colour=WHITE)
    sheet.arrow((454, y + 33), (490, y + 33))
    sheet.label(492, y + 4, 136, 58, "class and\nprobability", fill=PAPER, edge=SLATE)
    sheet.arrow((298, y + 149), (490, y + 149), colour=ORANGE)
    sheet.label(
        492,
        y + 120,
        136,
        58,
        "refused,\nwith a reason",
        bold=True,
        fill=WHITE,
        edge=ORANGE,
        size=SMALL,
    )
    return sheet


def case_d_ages() -> Sheet:
    """Nine in ten with COVID-19 are adults, nine in ten of the others children."""
    sheet = Sheet("The disease, or the age? In this set they go together")
    y = sheet.top

    def person(x, foot, tall, colour):
        sheet.circle(x, foot - tall * 0.84, tall * 0.16, fill=colour)
        sheet.box(
            x - tall * 0.19,
            foot - tall * 0.64,
            tall * 0.38,
            tall * 0.64,
            fill=colour,
            radius=tall * 0.15,
        )

    for row, (name, adults) in enumerate((("COVID-19", 9), ("others", 1))):
        foot = y + 72 + row * 100
        sheet.text(LEFT, foot - 26, name, bold=True, ha="left")
        sheet.line([(116, foot + 2), (500, foot + 2)], colour=FAINT)
        for place in range(10):
            adult = place < adults
            person(136 + place * 38, foot, 72 if adult else 40, ORANGE if adult else BLUE)
        sheet.text(
            516,
            foot - 38,
            f"{adults} adult{'s' * (adults > 1)}",
            ha="left",
            bold=adults > 1,
            colour=ORANGE,
        )
        sheet.text(
            516,
            foot - 14,
            f"{10 - adults} child{'ren' * (adults < 9)}",
            ha="left",
            bold=adults < 9,
            colour=BLUE,
        )
    sheet.text(
        LEFT, foot + 32, "A network that sees only age would be right in 9 of 10.", ha="left"
    )
    return sheet


def case_e_copies() -> Sheet:
    """251 training and 66 test images, of which nine have a copy on the other side."""
    sheet = Sheet("9 of 66 test images can be answered from memory")
    y = sheet.top

    def folder(x, many, across, name, copies):
        sheet.text(x, y + 6, f"{name}: {many} images", ha="left", bold=True)
        places = {}
        for place in range(many):
            left, top = x + place % across * 17, y + 26 + place // across * 17
            copy = place in copies
            sheet.box(
                left,
                top,
                14,
                14,
                fill=ORANGE if copy else "#C4C4C4",
                edge=INK if copy else None,
                radius=2,
                width=1.2,
            )
            if copy:
                places[copies.index(place)] = (left + 7, top + 7)
        return places

    there = folder(14, 251, 22, "train", [17, 41, 64, 85, 107, 131, 173, 195, 240])
    here = folder(466, 66, 9, "test", [0, 11, 18, 29, 36, 46, 49, 55, 64])
    for number, start in there.items():
        sheet.line([start, here[number]], colour=ORANGE, width=1.3, z=2)
    sheet.text(466, y + 190, "outlined: the same\nimage, both sides", ha="left", colour=GREY)
    return sheet
