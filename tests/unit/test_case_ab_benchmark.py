"""The choice of what cases A and B leave open: the rules, and the notebooks' code on tiny sets."""

import pytest

from benchmarks import case_ab


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(case_ab, "STORE", tmp_path / "store")
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))


def asked_with(monkeypatch, name: str, figure: str, values: dict) -> list:
    """Replace runs by given figures, {setting or recipe: one per seed}; return those asked for."""
    asked, names = (
        [],
        {id(value): key for key, value in {**case_ab.SETTINGS_A, **case_ab.RECIPES_B}.items()},
    )

    def figures(setting, seed):
        asked.append((names[id(setting)], seed))
        return {figure: values[names[id(setting)]][seed - 100]}

    monkeypatch.setattr(case_ab, name, figures)
    return asked


def test_a_takes_the_first_setting_with_room_and_leaves_one_at_its_first_seed_without(monkeypatch):
    first, second, third = case_ab.SETTINGS_A
    rooms = {first: [0.2, 0.01], second: [0.02], third: [0.2, 0.1, 0.05, 0.03, 0.4]}
    asked = asked_with(monkeypatch, "rooms_a", "smallest_room", rooms)
    assert case_ab.choose("a") == third
    assert asked == [
        (first, 100),
        (first, 101),
        (second, 100),
        *((third, seed) for seed in range(100, 105)),
    ]
    assert case_ab.choose("a") == third
    assert len(asked) == 8, "a run that is kept is not run again"


def test_a_takes_the_most_room_if_none_has_enough(monkeypatch):
    names = list(case_ab.SETTINGS_A)
    asked_with(
        monkeypatch, "rooms_a", "smallest_room", {name: [k / 1000] for k, name in enumerate(names)}
    )
    assert case_ab.choose("a") == names[-1]


def test_b_takes_the_plainest_recipe_near_the_best_and_leaves_one_that_cannot_come_near(
    monkeypatch,
):
    names = list(case_ab.RECIPES_B)
    scores = dict(zip(names, ([0.5], [0.935, 0.945, 0.955], [0.96] * 3, [0.95] * 3), strict=True))
    asked_with(monkeypatch, "scores_b", "score", scores)
    assert case_ab.choose("b") == names[1]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_notebooks_code_is_run_with_the_given_settings():
    row = case_ab.rooms_a({"strength": 1.0, "BATCH": 64, "N": 120}, 7)
    assert row["n"] == 24
    # fully tied: the clerk is always right
    assert row["clerk_above_network"] == pytest.approx(1 - row["accuracy"])
    assert row["smallest_room"] == min(
        value for name, value in row.items() if name not in ("n", "accuracy")
    )
    recipe = case_ab.RECIPES_B["three convolutions, 10 epochs"] | {"epochs": 1}
    row = case_ab.scores_b(recipe, 7, N=128)
    assert row["score"] == pytest.approx((row["val_described"] + row["val_repaired"]) / 2)
    # 20 images of Val
    assert row["val_described"] * 20 == pytest.approx(round(row["val_described"] * 20))
