"""Recorded predictions: what is read and refused, counts, and outlives crashes and machines."""

import json
import multiprocessing
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from cxr_helpers import cli, guess, plots
from cxr_helpers.guess import _code, _store, asked

ESTIMATE = SimpleNamespace(value=0.83, low=0.78, high=0.87)


@pytest.fixture(autouse=True)
def progress(tmp_path, monkeypatch):
    """A reader's own folder, and no memory of other tests."""
    monkeypatch.delenv(_store.SWITCH, raising=False)
    monkeypatch.setenv("CXR_PROGRESS_DIR", str(tmp_path / "progress"))
    monkeypatch.setattr(_store, "_KEPT", [])
    return tmp_path / "progress"


def auc(mine=None, key="04.auc-by-image", **options):
    return guess.number(key, mine, between=(0, 1), example=0.5, **options)


BELIEFS = [(0.45, 0.55, "You trusted the split."), (0.95, 1, "You expected perfection.")]


# --- kinds ----------------------------------------------------------------------------------------


def test_a_number_meets_its_result_on_one_line_and_its_belief_is_answered():
    met = auc(0.5, what="AUC, split by image").meets(ESTIMATE, BELIEFS)
    assert "Your prediction: 0.5. The result: 0.83 (0.78 to 0.87)." in met.text
    assert "0.33 too low. You trusted the split." in met.text
    assert isinstance(met.picture, plots.Picture)
    said = (
        "AUC, split by image, on a line from 0 to 1: your prediction 0.5, the result 0.83 "
        "(0.78 to 0.87)."
    )
    assert met.picture.alt == said
    assert not met.hit


@pytest.mark.parametrize(
    ("mine", "result", "hit"),
    [
        (0.79, ESTIMATE, True),  # inside the interval
        (0.77, (0.83, 0.78, 0.87), False),
        (0.79, 0.83, True),  # within a twentieth of the range
        (0.77, 0.83, False),
        (0.77, (0.83, float("nan"), float("nan")), False),
        (np.float32(0.83), np.float64(0.83), True),
        (0, 0, True),
    ],
)
def test_a_number_hits_inside_the_interval_or_near_the_value(mine, result, hit):
    assert auc(mine).meets(result).hit is hit


def test_a_hit_shows_no_belief_and_a_number_without_a_belief_none():
    assert "trusted" not in auc(0.5).meets(0.52, BELIEFS).text
    assert auc(0.2, key="04.other").meets(0.52, BELIEFS).text.endswith("0.32 too low.")


def test_an_interval_hits_where_it_holds_the_result():
    two = {"between": (0, 1), "example": (0.4, 0.5)}
    assert guess.interval("04.a", (0.8, 0.9), **two).meets(ESTIMATE).hit
    missed = guess.interval("04.b", [0.4, 0.6], **two).meets(ESTIMATE, BELIEFS)
    assert "All of it too low. You trusted the split." in missed.text
    assert "your prediction 0.4 to 0.6" in missed.picture.alt


def test_a_choice_is_one_of_the_options_and_how_sure():
    options = {"options": ["identical", "crop"], "example": "identical"}
    chosen = guess.choice("04.kind", " Crop", sure=0.7, **options)
    assert repr(chosen) == "Recorded: crop (70 % sure)."
    met = chosen.meets("identical", {"crop": "A crop moves every place."})
    assert met.text.endswith("Not so. A crop moves every place.")
    assert met.picture is None


def test_an_order_counts_pairs_and_its_belief_is_two_items_that_stand_so():
    ranked = guess.order("07.five", ["b", "a", "c"], items="abc", example=["a", "b", "c"])
    met = ranked.meets(["c", "b", "a"], [("a", "c", "You put a before c.")])
    assert "1 of 3 pairs are in the right order. You put a before c." in met.text
    right = guess.order("07.six", ["b", "a"], items="ab", example=["a", "b"])
    assert right.meets(np.array(["b", "a"])).hit


def test_a_sketch_lies_under_the_curve_and_shows_the_belief_it_is_nearest_to():
    drawn = guess.sketch(
        "05.rate", [0.7, 0.5, 0.1], at=(1, 10, 100), between=(0, 1), example=[1, 1, 1]
    )
    x = np.linspace(1, 100, 50)
    met = drawn.meets((x, 1 / x), [([0.7, 0.6, 0.2], "Slow decay."), ([1, 1, 1], "None.")])
    assert met.text.endswith("Slow decay.")
    assert "0.7 at 1 where the result is 1" in met.picture.alt
    assert (
        guess.sketch("05.b", [1, 0.2, 0], at=(1, 10, 100), between=(0, 1), example=[1, 1, 1])
        .meets([1, 0.1, 0])
        .hit
    )


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        ("0.5", "write 0.5 without quotes"),
        ("half", "must be a number, not 'half'"),
        (83, "lies from 0 to 1, and 83 does not; for 83 % write 0.83"),
        (-0.1, "lies from 0 to 1"),
        (True, "not True"),
        (float("nan"), "not nan"),
        ((0.4, 0.6), "must be a number"),
        ({"auc": 1}, "must be a number"),
    ],
)
def test_a_wrong_number_is_refused_in_words_and_not_kept(mine, says, progress):
    with pytest.raises(guess.GuessError, match=r"^04\.auc-by-image: ") as caught:
        auc(mine)
    assert says in str(caught.value)
    assert caught.value._render_traceback_() == [str(caught.value)], (
        "a notebook shows the sentence alone"
    )
    assert not (progress / _store.FILE).exists()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: guess.interval("04.i", 0.5, between=(0, 1), example=(0, 1)),
            r"two numbers, such as \(0.4, 0.7\)",
        ),
        (
            lambda: guess.interval("04.i", (0.6, 0.4), between=(0, 1), example=(0, 1)),
            "smaller number comes first",
        ),
        (
            lambda: guess.choice("04.c", "crob", options=["crop", "jpeg"], example="jpeg"),
            '"crop" or "jpeg"',
        ),
        (
            lambda: guess.choice("04.c", 1, options=["crop", "jpeg"], example="jpeg"),
            "in quotes, not 1",
        ),
        (
            lambda: guess.choice("04.c", "crop", options=["crop", "jpeg"], example="jpeg", sure=80),
            "such as 0.8, not 80",
        ),
        (lambda: guess.order("07.o", ["a", "a"], items=["a", "b"], example=["a", "b"]), "each of"),
        (lambda: guess.order("07.o", "ab", items=["a", "b"], example=["a", "b"]), "a list of"),
        (
            lambda: guess.sketch("05.s", [1], at=[1, 2, 3], between=(0, 1), example=[1, 1, 1]),
            "3 numbers in a list",
        ),
        (
            lambda: guess.sketch("05.s", [1, 1], at=[1, 2], between=(0, 1), example=[1, 1]),
            "three to five places",
        ),
        (lambda: guess.number("auc", 1, between=(0, 1), example=0.5), "no key of a prediction"),
        (lambda: guess.number("04.n", 1, between=(1, 0), example=0.5), "between must be"),
        (lambda: guess.number("04.n", 1, between=(0, 1), example=2), "lies from 0 to 1"),
        (
            lambda: guess.choice("04.c", None, options=["crop"], example="crop"),
            "two or more different words",
        ),
    ],
)
def test_other_wrong_entries_are_refused_in_words(call, says):
    with pytest.raises(guess.GuessError, match=says):
        call()


@pytest.mark.parametrize(
    "beliefs", [[(0.5, 1.5, "x")], [(0.6, 0.5, "x")], [(0.1, 0.2, " ")], [(0.1, 0.2)], ["x"]]
)
def test_a_belief_that_nobody_can_hold_is_refused(beliefs):
    with pytest.raises(guess.GuessError, match=r"belief"):
        auc(0.5).meets(0.8, beliefs)
    with pytest.raises(guess.GuessError, match="nobody can hold"):
        guess.choice("04.c", None, options=["a", "b"], example="a").meets("a", {"c": "x"})
    with pytest.raises(guess.GuessError, match="nobody can hold"):
        guess.order("04.o", None, items=["a", "b"], example=["a", "b"]).meets(
            ["a", "b"], [("a", "a", "x")]
        )


@pytest.mark.parametrize("result", ["0.8", None, (0.8, 0.9), float("nan"), {"value": 1}])
def test_a_result_that_cannot_be_read_is_refused_and_not_recorded(result, progress):
    with pytest.raises(guess.GuessError):
        auc(0.5).meets(result)
    assert "result" not in (progress / _store.FILE).read_text()


# --- what counts ----------------------------------------------------------------------------------


def test_nothing_entered_an_example_is_shown_as_one_and_never_counted():
    asked = auc()
    assert "Nothing entered yet" in repr(asked)
    met = asked.meets(ESTIMATE, BELIEFS)
    assert met.text.startswith("**The example: 0.5.")
    assert "does not count" in met.text
    assert "You trusted the split." in met.text
    assert "the example 0.5" in met.picture.alt
    assert guess.summary().table["yours"].tolist() == ["example: 0.5"]
    assert "examples do not count" in guess.summary().text


def test_the_first_own_answer_counts():
    auc()
    assert auc(0.4).answer == 0.4
    later = auc(0.9)
    assert (later.answer, later.own) == (0.4, True)
    assert "The first one counts, not 0.9" in repr(later)
    assert "Your first prediction counts, not 0.9" in later.meets(0.8).text


def test_an_answer_given_after_the_result_was_seen_is_shown_and_not_counted():
    auc().meets(0.8)
    late = auc(0.8)
    assert not late.own
    assert "the result has been seen" in repr(late)
    assert "You entered 0.8 when the result had been seen" in late.meets(0.8).text
    assert guess.summary().table["yours"].tolist() == ["example: 0.5"]


def test_the_first_result_is_kept():
    auc(0.5).meets(0.8)
    auc(0.5).meets(0.5)
    assert guess.summary().table["result"].tolist() == ["0.8"]
    assert guess.summary().table["met"].tolist() == ["miss"]


def test_summary_counts_hits_intervals_and_how_sure():
    auc(0.8).meets(0.8)
    auc(0.1, key="07.other").meets(0.8)
    guess.interval("04.i", (0.1, 0.2), between=(0, 1), example=(0, 1)).meets(0.8)
    guess.choice("04.c", "a", options="ab", example="a", sure=0.9).meets("b")
    guess.choice("04.d", "a", options="ab", example="a", sure=0.9).meets("a")
    guess.choice("04.e", "a", options="ab", example="a", sure=0.9)  # not met yet
    lesson = guess.summary("04")
    assert len(lesson.table) == 5
    assert "Hits: 2 of 4 (95 % interval 0.15-0.85)." in lesson.text
    assert "Your 80 % intervals held the result in 0 of 1" in lesson.text
    assert "Brier score 0.41 over 2" in lesson.text  # (0.81 + 0.01) / 2
    assert "Hits: 2 of 5" in guess.summary().text
    assert "| a, 90 % sure | b | miss |" in lesson._repr_markdown_()
    assert "not met yet" in repr(lesson)


def test_reliability_is_the_readers_own_once_there_are_five_and_an_example_before():
    with pytest.raises(ValueError, match="no example was given"):
        guess.reliability()
    assert (
        "An invented reader's 2 predictions" in guess.reliability([(0.9, True), (0.9, False)]).alt
    )
    for k in range(4):
        guess.choice(f"04.c{k}", "a", options="ab", example="a", sure=0.9).meets("ab"[k % 2])
    guess.interval("04.i", (0.1, 0.2), between=(0, 1), example=(0, 1)).meets(0.15)
    picture = guess.reliability([(0.5, True)])
    assert picture.alt.startswith(
        "Your 5 predictions: said 0.80, 1.00 of 1 are right and said 0.90, 0.50 of 4"
    )


# --- what is kept ---------------------------------------------------------------------------------


def restart(monkeypatch):
    """What a kernel forgets."""
    monkeypatch.setattr(_store, "_KEPT", [])


def test_a_restart_in_the_middle_loses_nothing_even_where_the_entry_is_gone(monkeypatch):
    auc(0.7)
    restart(monkeypatch)
    again = auc(None)
    assert (again.answer, again.own) == (0.7, True)
    assert again.meets(0.72).hit
    restart(monkeypatch)
    assert "Hits: 1 of 1" in guess.summary().text


def test_running_again_adds_no_line(progress):
    for _ in range(3):
        auc(0.7).meets(0.8)
    lines = (progress / _store.FILE).read_text().splitlines()
    assert len(lines) == 2


def test_a_torn_last_line_is_passed_over_and_the_next_line_is_whole(progress):
    auc(0.7)
    file = progress / _store.FILE
    with file.open("ab") as stream:
        stream.write(b'{"key": "04.torn", "ki')
    auc(0.2, key="04.next")
    assert [entry.key for entry in _store.entries(_store.records()).values()] == [
        "04.auc-by-image",
        "04.next",
    ]
    file.write_bytes(
        file.read_bytes() + b"\xff\xfe\x00\n[1, 2]\nnull\n" + b'{"key": 5, "answer": 1}\n'
    )
    assert len(guess.summary().table) == 2
    assert auc(0.7).own


def test_the_file_only_grows(progress):
    file = progress / _store.FILE
    auc(0.7)
    before = file.read_bytes()
    auc(0.9).meets(0.8)
    guess.code()
    assert file.read_bytes().startswith(before)


def test_an_answer_of_another_version_that_does_not_fit_gives_way_to_the_example():
    guess.number("04.auc-by-image", 50, between=(0, 100), example=50)
    assert auc().answer == 0.5


def _one_of_two(folder, number):
    import os

    os.environ["CXR_PROGRESS_DIR"] = folder
    for k in range(25):
        guess.number(f"04.p{number}-{k}", 0.5, between=(0, 1), example=0.1)
        guess.number("04.both", number / 10, between=(0, 1), example=0.9)


def test_two_kernels_at_once_lose_nothing_and_agree_on_what_came_first(progress):
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_one_of_two, args=(str(progress), number)) for number in (1, 2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    lines = (progress / _store.FILE).read_text().splitlines()
    records = [json.loads(line) for line in lines]
    keys = [record["key"] for record in records if record["key"] != "04.both"]
    assert sorted(keys) == sorted(f"04.p{n}-{k}" for n in (1, 2) for k in range(25))
    first = next(record["answer"] for record in records if record["key"] == "04.both")
    assert guess.number("04.both", None, between=(0, 1), example=0.9).answer == first


def test_a_folder_that_cannot_be_written_is_said_and_the_kernel_remembers(progress):
    progress.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="cannot be kept in"):
        auc(0.7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert auc(0.7).meets(0.7).hit
    assert len(guess.summary().table) == 1


def test_nobody_there_the_example_is_used_whatever_is_entered_or_stored(progress, monkeypatch):
    auc(0.7)
    before = (progress / _store.FILE).read_bytes()
    monkeypatch.setenv(_store.SWITCH, "example")
    asked = auc(0.7)
    assert (asked.answer, asked.own) == (0.5, False)
    asked.meets(0.8)
    assert guess.summary().table["yours"].tolist() == ["example: 0.5"]
    assert guess.take(guess.code()).text == "0 predictions are taken back."
    assert _code.unpack(guess.code()) == (_store.NOBODY, []), "the same in every run"
    assert (progress / _store.FILE).read_bytes() == before


# --- codes ----------------------------------------------------------------------------------------


def some():
    auc(0.7512345678).meets(0.8)
    guess.interval("04.i", (0.1, 0.2), between=(0, 1), example=(0, 1)).meets(0.8)
    guess.choice("04.c", "ä b", options=["ä b", "c"], example="c", sure=0.9).meets("c")
    guess.order("07.o", ["b", "a"], items="ab", example=["a", "b"]).meets(["b", "a"])
    guess.sketch("05.s", [1, 1, 0], at=(1, 2, 3), between=(0, 1), example=[1, 1, 1]).meets(
        [1, 0.5, 0]
    )
    auc(key="04.example")
    guess.choice("09.open", "a", options="ab", example="b")
    return guess.code()


def test_a_code_is_taken_back_on_another_machine(progress, monkeypatch, tmp_path):
    code = some()
    table = guess.summary().table
    assert len(code) < 500
    monkeypatch.setenv("CXR_PROGRESS_DIR", str(tmp_path / "other machine"))
    taken = guess.take(f"  '{code[:40]}\n{code[40:]}' ")
    assert taken.text == "6 predictions are taken back."
    own = table[table["yours"] != "example: 0.5"]
    again = guess.summary().table
    assert again["result"].tolist() == own["result"].tolist()
    assert again["met"].tolist() == own["met"].tolist()
    assert auc().answer == 0.7512
    assert guess.take(code).text == "0 predictions are taken back. 6 more were here already."
    assert guess.code() == code, "the reader is the same, and nothing was lost"


def test_a_prediction_made_on_another_machine_counts_though_the_result_was_seen_here(
    monkeypatch, tmp_path
):
    code = some()
    monkeypatch.setenv("CXR_PROGRESS_DIR", str(tmp_path / "other machine"))
    auc().meets(0.9)
    guess.take(code)
    entry = _store.entries(_store.records())["04.auc-by-image"]
    assert (entry.answer, entry.own, entry.result, entry.hit) == (0.7512, True, 0.8, True)


def test_no_code_takes_nothing():
    assert "nothing is taken back" in guess.take(None).text
    assert "nothing is taken back" in guess.take("  ").text


def packed(content) -> str:
    import base64
    import zlib

    return "cxr1:" + base64.urlsafe_b64encode(
        zlib.compress(json.dumps(content).encode())
    ).decode().rstrip("=")


GOOD = ["04.a", "number", 0.5, None, 0.8, False]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("hello", "no code of predictions"),
        (7, "no code of predictions"),
        ("cxr2:abc", "no code of predictions"),
        ("cxr1:abcdef", "damaged"),
        ("cxr1:a", "damaged"),
        (packed({"r": "00000000", "p": [GOOD]})[:-3], "damaged"),
        (packed({"r": "00000000", "p": ["x" * 900_000]}), "damaged"),
        (packed([1, 2]), "no prediction"),
        (packed({"r": "Ann", "p": []}), "no prediction"),
        (packed({"r": "00000000", "p": [["x", *GOOD[1:]]]}), "the key 'x'"),
        (packed({"r": "00000000", "p": [[5, *GOOD[1:]]]}), "no prediction"),
        (packed({"r": "00000000", "p": [["04.a", "poem", *GOOD[2:]]]}), "the answer of 04.a"),
        (
            packed({"r": "00000000", "p": [["04.a", "number", "half", *GOOD[3:]]]}),
            "the answer of 04.a",
        ),
        (
            packed({"r": "00000000", "p": [["04.a", "number", float("nan"), *GOOD[3:]]]}),
            "the answer of 04.a",
        ),
        (
            packed({"r": "00000000", "p": [["04.a", "interval", [1], None, None, None]]}),
            "the answer of 04.a",
        ),
        (
            packed({"r": "00000000", "p": [["04.a", "choice", "<" * 200, None, None, None]]}),
            "the answer of 04.a",
        ),
        (packed({"r": "00000000", "p": [["04.a", "number", 0.5, 7, None, None]]}), "how sure"),
        (
            packed({"r": "00000000", "p": [["04.a", "number", 0.5, None, "x", True]]}),
            "the result of 04.a",
        ),
        (
            packed({"r": "00000000", "p": [["04.a", "number", 0.5, None, 1, None]]}),
            "the result of 04.a",
        ),
        (packed({"r": "00000000", "p": [GOOD[:3]]}), "no prediction"),
    ],
)
def test_a_foreign_code_is_refused_in_words_and_nothing_is_kept(code, says, progress):
    with pytest.raises(guess.GuessError, match=says):
        guess.take(code)
    assert not (progress / _store.FILE).exists()
    assert (
        guess.take(packed({"r": "00000000", "p": [GOOD]})).text == "1 predictions are taken back."
    )


def test_a_code_holds_no_name_but_a_random_number(progress):
    name, entries = _code.unpack(some())
    assert _code.READER.fullmatch(name)
    assert {entry.key for entry in entries} == {
        "04.auc-by-image",
        "04.i",
        "04.c",
        "07.o",
        "05.s",
        "09.open",
    }


# --- a class --------------------------------------------------------------------------------------


@pytest.fixture
def codes(tmp_path, monkeypatch):
    """A chat with the codes of three readers, one of whom sent two, and a code that was cut off."""
    lines = []
    for number, value in enumerate((0.5, 0.52, 0.81)):
        monkeypatch.setenv("CXR_PROGRESS_DIR", str(tmp_path / f"reader {number}"))
        auc(value).meets(0.83)
        if number == 1:
            lines.append(f"Bob: mine is {guess.code()}, early")
        guess.choice("04.c", "a", options="ab", example="b").meets("b")
        lines.append(f"Ann <{guess.code()}>")
    lines.append(f"Eve: {guess.code()[:60]}")
    path = tmp_path / "codes.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


SOURCE = """# %%
MY_AUC = None
auc = guess.number(
    "04.auc-by-image", MY_AUC, what="AUC, split by image", between=(0, 1), example=0.5
)
# %%
auc.meets(result, [(0.45, 0.55, "You trusted the <b>split</b>.")])
"""


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "notebooks"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "04_splitting.py").write_text(SOURCE, encoding="utf-8")
    (folder / "src" / "05_broken.py").write_text("x = = 1", encoding="utf-8")
    return folder


def test_a_class_is_collected_without_names_each_reader_once(codes):
    with pytest.warns(UserWarning, match="line 5: left out, the code is damaged"):
        table = guess.collect(codes)
    assert table["reader"].nunique() == 3
    assert sorted(table.loc[table["key"] == "04.auc-by-image", "answer"]) == [0.5, 0.52, 0.81]
    assert (
        not table.astype(str)
        .apply(lambda column: column.str.contains("Ann|Bob|Eve"))
        .to_numpy()
        .any()
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig", "cp1252"])
def test_codes_that_an_editor_of_windows_has_saved(encoding, codes):
    text = codes.read_text(encoding="utf-8").replace("Ann", "Zoë")
    codes.write_text(text, encoding=encoding)
    with pytest.warns(UserWarning, match="line 5: left out"):
        assert guess.collect(codes)["reader"].nunique() == 3


def test_files_of_readers_are_collected_as_codes_are(tmp_path, codes):
    folder = tmp_path / "sent in"
    folder.mkdir()
    for number in range(3):
        text = (tmp_path / f"reader {number}" / _store.FILE).read_text()
        (folder / f"{number}.jsonl").write_text(text)
    (folder / "notes.md").write_text("not read")
    assert len(guess.collect(folder)) == 6
    assert guess.collect(folder)["reader"].nunique() == 3


def test_the_page_of_a_class_has_picture_commonest_belief_and_result(codes, sources):
    with pytest.warns(UserWarning, match="left out"):
        table = guess.collect(codes)
    page = guess.class_page(table, sources)
    assert "3 readers" in page
    assert "The commonest belief, 2 of 3: You trusted the &lt;b&gt;split&lt;/b&gt;." in page
    assert "1 of 3 hit it (95 % interval" in page
    assert 'alt="AUC, split by image: 3 predictions, median 0.52' in page
    assert "the result is 0.83" in page
    assert "a 3; the result is b." in page
    without = guess.class_page(table, sources / "nowhere")
    assert "auc by image" in without.lower()
    assert "commonest" not in without


def test_every_kind_has_its_picture_of_a_class(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_text(some())
    page = guess.class_page(guess.collect(path), tmp_path / "nowhere")
    assert page.count("<img alt=") == 6


@pytest.mark.parametrize("content", ["", "no codes here", None])
def test_a_class_that_is_not_there_is_said(tmp_path, content):
    path = tmp_path / "codes.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=r"codes\.txt"):
        guess.collect(path)
    run = CliRunner().invoke(cli.app, ["class", str(path)])
    assert run.exit_code == 2
    assert "codes.txt" in run.output


def test_the_command_writes_the_page(codes, tmp_path):
    out = tmp_path / "out" / "class.html"
    run = CliRunner().invoke(cli.app, ["class", str(codes), "--out", str(out)])
    assert run.exit_code == 0, run.output
    assert "2 predictions of 3 readers, without names" in run.output
    assert "line 5: left out" in run.output
    assert out.read_text("utf-8").startswith("<!doctype html>")


# --- read from code -------------------------------------------------------------------------------


def test_what_a_notebook_asks_is_read_from_its_code():
    (one,) = asked.asked(SOURCE.split("# %%\n")[1:])
    assert (one.kind, one.key, one.variable, one.entry) == (
        "number",
        "04.auc-by-image",
        "auc",
        "MY_AUC",
    )
    assert (one.place, one.met) == (0, 1)
    assert one.beliefs == [(0.45, 0.55, "You trusted the <b>split</b>.")]
    assert one.spec().between == (0, 1)


def test_what_is_not_written_out_is_told_apart():
    code = (
        'a = guess.number(KEY, X, between=RANGE, example=1)\nguess.choice("04.c", X, '
        'options=["a"])\nother.number()'
    )
    first, second = asked.asked([code, "a.meets(1, BELIEFS)"])
    assert (first.key, first.beliefs, first.values["between"]) == (None, None, None)
    assert (second.variable, second.met) == (None, None)
    with pytest.raises(guess.GuessError, match="write between out"):
        asked.asked(['a = guess.number("04.a", X, between=RANGE, example=1)'])[0].spec()
    with pytest.raises(guess.GuessError, match="write the key"):
        asked.asked(["guess.number(KEY, X, between=(0, 1), example=1)"])[0].spec()


def test_progress_is_kept_on_the_drive_if_wanted(monkeypatch, tmp_path):
    import os

    from cxr_helpers import datasets

    monkeypatch.setattr(datasets, "mount_google_drive", lambda place: tmp_path / "MyDrive")
    datasets.keep_on_drive(False)
    assert datasets.progress_dir() == tmp_path / "progress"
    datasets.keep_on_drive()
    auc(0.7)
    assert (tmp_path / "MyDrive" / "cxr-course" / _store.FILE).is_file()
    monkeypatch.setenv("CXR_PROGRESS_DIR", os.environ.pop("CXR_PROGRESS_DIR"))
