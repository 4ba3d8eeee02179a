"""Diagrams of lessons 12-14: can it be used? Schematic, but for what is read or computed."""

from tools.build.diagrams.canvas import (
    BLUE,
    GREY,
    LEFT,
    ORANGE,
    PAPER,
    SLATE,
    SMALL,
    TEXT,
    TITLE,
    WHITE,
    Sheet,
    tint,
)


def d12_designs() -> Sheet:
    """Internal validation: other patients of the same hospital. External: another hospital, all
    frozen.
    """
    sheet = Sheet("Other patients, or another hospital?", "predictions", "report")
    y = sheet.top
    sheet.box(LEFT, y + 48, 156, 152, fill=tint(BLUE, 0.15), edge=BLUE)
    sheet.text(90, y + 70, "hospital 1", bold=True, colour=BLUE)
    for place in range(4):
        sheet.film(44 + place % 2 * 48, y + 88 + place // 2 * 46, 42)
    sheet.text(90, y + 218, "train, choose", bold=True)
    sheet.arrow((170, y + 124), (206, y + 124))
    sheet.label(208, y + 90, 122, 68, "model,\nfrozen", bold=True, fill=SLATE, colour=WHITE)
    for at, name, kind, colour, fill, words in (
        (y, "hospital 1", "internal", BLUE, "#3A3A3A", "new patients,\nsame machines"),
        (y + 126, "hospital 2", "external", ORANGE, "#828282", "new patients,\nother machines"),
    ):
        sheet.box(380, at, 248, 112, fill=tint(colour, 0.15), edge=colour, dashed=colour == ORANGE)
        sheet.text(394, at + 22, name, bold=True, colour=colour, ha="left")
        sheet.text(614, at + 22, kind, bold=True, ha="right")
        for place in range(2):
            sheet.film(394 + place * 46, at + 50, 42, fill=fill)
        sheet.text(554, at + 72, words)
        sheet.arrow((332, y + 124), (377, at + 56), colour=colour)
    return sheet


def d13_two_paths() -> Sheet:
    """Training and serving go through one preparation and end in one model."""
    sheet = Sheet("Two paths, one preparation", "cache", "model", "report")
    y = sheet.top + 4
    sheet.text(LEFT, y + 6, "training", bold=True, ha="left", size=TEXT)
    sheet.text(LEFT, y + 132, "serving", bold=True, ha="left", size=TEXT)
    for place in range(4):
        sheet.film(16 + place * 34, y + 26, 44)
    sheet.film(68, y + 152, 44)
    sheet.box(216, y + 8, 146, 206, fill=BLUE)
    sheet.text(289, y + 66, "prepare", size=TITLE, bold=True, colour=WHITE)
    sheet.text(289, y + 118, "square, grey,\nbone is white,\none scale", colour=WHITE)
    sheet.text(289, y + 182, "written once", bold=True, colour=WHITE)
    for at in (48, 174):
        sheet.arrow((168 if at < 100 else 116, y + at), (214, y + at))
        sheet.arrow((364, y + at), (416, y + at))
    sheet.label(418, y + 20, 90, 56, "learn", bold=True, fill=PAPER, edge=SLATE)
    sheet.label(418, y + 146, 90, 56, "model", bold=True, fill=SLATE, colour=WHITE)
    sheet.arrow((463, y + 78), (463, y + 144))
    sheet.text(474, y + 111, "saved with\nits settings", ha="left", colour=GREY)
    sheet.arrow((510, y + 174), (548, y + 174))
    sheet.text(592, y + 174, "answer", size=TEXT, bold=True)
    sheet.text(
        LEFT,
        y + 240,
        "Written twice, the two drift apart: no error, only other answers.",
        ha="left",
    )
    return sheet


def d14_ten_faults() -> Sheet:
    """Where on the way from files to figures the ten faults stand."""
    sheet = Sheet("Ten faults, at every station of the way")
    y = sheet.top + 2
    stations = (
        ("list of files", ((3, "one line per box"), (10, "a missing comma"))),
        ("split", ((2, "files moved twice"), (4, "val and test swapped"))),
        ("preparation", ((6, "test is augmented"), (9, "val scaled differently"))),
        ("training", ((8, "val: 25 of one class"), (7, "best run picked on test"))),
        ("report", ((1, "matrix of train images"), (5, "second model is the first"))),
    )
    for row, (name, marks) in enumerate(stations):
        at = y + row * 62
        sheet.label(14, at, 128, 44, name, bold=True, fill=PAPER, edge=SLATE, size=SMALL)
        if row:
            sheet.arrow((78, at - 17), (78, at - 1))
        for column, (number, words) in enumerate(marks):
            x = 172 + column * 232
            sheet.circle(x, at + 22, 14, fill=ORANGE)
            sheet.text(x, at + 22, number, bold=True, colour=WHITE)
            sheet.text(x + 20, at + 22, words, ha="left")
    return sheet
