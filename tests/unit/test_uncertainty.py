import numpy as np
import pandas as pd
import pytest

from cxr_helpers import evaluate, train, uncertainty

CLASSES = ("normal", "covid", "viral")


def predictions(n, seed=0, per_group=1, skill=2.0, classes=CLASSES):
    """Answers of a made-up model to n images, `per_group` of each patient alike."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) // per_group
    truth = rng.integers(0, len(classes), group.max() + 1)[group]
    person = rng.normal(size=(group.max() + 1, len(classes)))[group]
    logits = skill * np.eye(len(classes))[truth] + person + 0.3 * rng.normal(size=(n, len(classes)))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {"image_id": [f"i{k}" for k in range(n)], "group": [f"g{g}" for g in group], "split": "val"}
    )
    table["label"] = pd.Categorical.from_codes(truth, categories=classes)
    for k, name in enumerate(classes):
        table[f"p_{name}"] = p[:, k]
    return table.assign(
        predicted=pd.Categorical.from_codes(p.argmax(1), categories=classes), model="m", seed=0
    )


# --- the gate -------------------------------------------------------------------------------------


def chests(n, seed):
    """Bright bodies with two dark lungs, of varying place, size and exposure.

    Dark above, bright below.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:48, 0:48] / 48
    images = []
    for _ in range(n):
        shift, wide, dose = rng.normal(0, 0.03), rng.uniform(0.9, 1.1), rng.uniform(0.6, 1.0)
        body = 0.3 + 0.6 * y
        for side in (-1, 1):
            middle = 0.5 + shift + side * 0.2 * wide
            body = body - 0.5 * np.exp(
                -(((x - middle) / (0.1 * wide)) ** 2) - ((y - 0.42) / (0.24 + side * 0.03)) ** 2
            )
        images.append(np.clip(dose * body + 0.02 * rng.normal(size=x.shape), 0, 1))
    return (255 * np.array(images)).astype(np.uint8)


@pytest.fixture(scope="module")
def gate():
    return uncertainty.fit_gate(chests(120, 1), chests(80, 2), share=0.05)


def test_the_gate_rejects_what_it_never_saw_and_names_the_turn(gate):
    new, rng = chests(60, 3), np.random.default_rng(0)
    wrong = {
        "inverted": 255 - new,
        "turned by 90 degrees": np.rot90(new, axes=(1, 2)),
        "upside down": new[:, ::-1],
        "unlike the training images": rng.integers(0, 256, new.shape, np.uint8),
        "blank": np.full_like(new, 90),
    }
    for reason, images in wrong.items():
        scores = uncertainty.gate_scores(gate, images)
        assert not scores["accepted"].any(), reason
        assert scores["reason"].value_counts().index[0] == reason
    assert np.isinf(scores["score"]).all()


def test_the_gate_accepts_clean_images_of_any_exposure_size_and_number(gate):
    new = chests(200, 4)
    scores = uncertainty.gate_scores(gate, new)
    assert list(scores.columns) == ["score", "accepted", "reason"]
    assert scores["accepted"].mean() > 0.85
    assert (scores["reason"] == "").equals(scores["accepted"])
    large = new.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(
        uncertainty.gate_scores(gate, large)["score"], scores["score"], atol=1e-6
    )
    # another exposure and contrast: the ranks stay
    darker = (200 * (new / 255.0) ** 1.4).astype(np.uint8)
    assert (uncertainty.gate_scores(gate, darker)["accepted"] == scores["accepted"]).mean() > 0.95
    one = uncertainty.gate_scores(gate, new[7:8])
    assert one["score"][0] == pytest.approx(scores["score"][7])


def test_the_gates_limit_is_a_score_of_the_held_out_images_and_follows_the_share():
    training, held = chests(100, 1), chests(99, 2)
    limits = [uncertainty.fit_gate(training, held, share).limit for share in (0.02, 0.05, 0.2)]
    assert limits[0] > limits[1] > limits[2]
    for share in (0.05, 0.2):
        gate = uncertainty.fit_gate(training, held, share)
        assert (~uncertainty.gate_scores(gate, held)["accepted"]).sum() == round(100 * share) - 1


def test_a_gate_survives_a_file_without_pickle(gate, tmp_path):
    np.savez(tmp_path / "gate.npz", **uncertainty.gate_to_dict(gate))
    with np.load(tmp_path / "gate.npz", allow_pickle=False) as arrays:
        again = uncertainty.gate_from_dict(arrays)
    new = np.concatenate([chests(5, 6), 255 - chests(5, 6)])
    pd.testing.assert_frame_equal(
        uncertainty.gate_scores(again, new), uncertainty.gate_scores(gate, new)
    )
    assert isinstance(again.limit, float)
    assert again.n_training == 120
    with pytest.raises(ValueError, match="limit"):
        uncertainty.gate_from_dict({"mean": np.zeros(3)})


def test_the_gate_refuses_what_is_no_stack_of_grey_levels(gate):
    good = chests(30, 1)
    for bad in (good / 255.0, good[0], good[:0], good[:, :10, :10]):
        with pytest.raises(ValueError, match="uint8"):
            uncertainty.gate_scores(gate, bad)
    with pytest.raises(ValueError, match="at least 20"):
        uncertainty.fit_gate(good[:10], good)
    with pytest.raises(ValueError, match="too few"):
        uncertainty.fit_gate(good, good[:10])
    with pytest.raises(ValueError, match="blank"):
        uncertainty.fit_gate(good, np.zeros_like(good))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("same", [1, 40])
def test_the_gate_says_that_clean_images_which_do_not_differ_measure_nothing(same):
    held = np.concatenate([chests(1, 2).repeat(same, axis=0), chests(1 + same // 3, 3)[1:]])
    with pytest.raises(
        ValueError,
        match=rf"^{len(held)} held-out images are too few, or most of them are the same: ",
    ):
        uncertainty.fit_gate(chests(100, 1), held)


# --- conformal sets -------------------------------------------------------------------------------


def test_the_limit_is_the_rank_that_the_formula_names():
    table = predictions(99)
    own = table.apply(lambda row: row[f"p_{row['label']}"], axis=1)
    # ceil(100 * 0.9) = 90th
    assert uncertainty.conformal_limit(table, 0.9) == pytest.approx(np.sort(1 - own)[89])
    # ceil(9 * 0.9) = 9 of 8: every class
    assert uncertainty.conformal_limit(table.head(8), 0.9) == 1


def test_patients_weigh_the_same_however_many_films_they_have():
    table = predictions(60)
    often = pd.concat(
        [
            table,
            *(
                table.head(3).assign(image_id=lambda t, k=k: t["image_id"] + f"_{k}")
                for k in range(9)
            ),
        ]
    )
    assert uncertainty.conformal_limit(often, 0.9) == uncertainty.conformal_limit(table, 0.9)
    as_images = often.assign(group=often["image_id"])
    assert uncertainty.conformal_limit(as_images, 0.9) != uncertainty.conformal_limit(table, 0.9)
    unknown = table.assign(group=None)  # a missing group is a group of its own
    assert uncertainty.conformal_limit(unknown, 0.9) == uncertainty.conformal_limit(table, 0.9)


def test_coverage_on_fresh_draws_is_the_one_asked_for():
    held = []
    for seed in range(60):
        calibration, new = (
            predictions(150, 2 * seed, per_group=3),
            predictions(150, 2 * seed + 1, per_group=3),
        )
        sets = uncertainty.prediction_sets(new, uncertainty.conformal_limit(calibration, 0.9))
        held.append(sets["covered"].mean())
    # between 0.9 and 0.9 + 1 / 51, within the luck of 60 draws
    assert 0.885 < np.mean(held) < 0.935
    calibration = predictions(300, 1)
    away = uncertainty.prediction_sets(
        predictions(300, 2, skill=-1), uncertainty.conformal_limit(calibration, 0.9)
    )
    assert uncertainty.share(away, "covered").high < 0.8  # not exchangeable: no promise


def test_sets_hold_what_lies_within_the_limit():
    table = predictions(40)
    sets = uncertainty.prediction_sets(table, 0.6)
    assert list(sets.columns) == [
        "image_id",
        "group",
        "split",
        "label",
        *(f"set_{c}" for c in CLASSES),
        "size",
        "covered",
    ]
    within = table[[f"p_{c}" for c in CLASSES]].to_numpy() >= 0.4
    assert (sets[[f"set_{c}" for c in CLASSES]].to_numpy() == within).all()
    assert (sets["size"] == within.sum(axis=1)).all()
    assert (
        sets["covered"] == table.apply(lambda row: row[f"p_{row['label']}"] >= 0.4, axis=1)
    ).all()
    everything = uncertainty.prediction_sets(table, 1.0)
    assert (everything["size"] == 3).all()
    assert everything["covered"].all()


def test_conformal_refuses_wrong_input():
    table = predictions(30)
    for coverage in (0, 1, 90):
        with pytest.raises(ValueError, match="between 0 and 1"):
            uncertainty.conformal_limit(table, coverage)
    with pytest.raises(ValueError, match="conformal_limit"):
        uncertainty.prediction_sets(table, 1.5)
    with pytest.raises(evaluate.PredictionsError, match="needs one run"):
        uncertainty.conformal_limit(pd.concat([table, table.assign(seed=1)]))
    with pytest.raises(evaluate.PredictionsError, match="logits"):
        uncertainty.prediction_sets(table.assign(p_covid=3.0), 0.5)


@pytest.mark.slow
def test_limit_and_sets_agree_with_mapie():
    classification = pytest.importorskip("mapie.classification")
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 900)
    x = rng.normal(size=(900, 2)) + 1.5 * np.array([[0, 0], [1, 0], [0, 1]])[truth]
    model = LogisticRegression().fit(x[:300], truth[:300])
    theirs = classification.SplitConformalClassifier(
        model, confidence_level=0.9, conformity_score="lac", prefit=True, random_state=0
    ).conformalize(x[300:600], truth[300:600])
    _, their_sets = theirs.predict_set(x[600:])

    manifest = pd.DataFrame(
        {"image_id": np.arange(900).astype(str), "label": pd.Categorical.from_codes(truth, CLASSES)}
    )
    manifest = manifest.assign(
        group=manifest["image_id"], patient=None, source=None, split=None, fold=None
    )
    ours = train.predictions_table(manifest, model.predict_proba(x), model="linear")
    sets = uncertainty.prediction_sets(ours[600:], uncertainty.conformal_limit(ours[300:600], 0.9))
    np.testing.assert_array_equal(
        sets[[f"set_{c}" for c in CLASSES]].to_numpy(), their_sets[:, :, 0]
    )


# --- ensembles, dropout, abstention ---------------------------------------------------------------


def test_an_ensemble_is_the_mean_and_its_spread():
    first = predictions(30)
    second = predictions(30).assign(model="n", p_normal=0.2, p_covid=0.5, p_viral=0.3)
    mean = uncertainty.ensemble([first, second.sample(frac=1, random_state=0)])
    p = [f"p_{c}" for c in CLASSES]
    np.testing.assert_allclose(mean[p], (first[p].to_numpy() + np.array([0.2, 0.5, 0.3])) / 2)
    assert (mean["image_id"] == first["image_id"]).all()
    best = mean[p].to_numpy().argmax(axis=1)
    assert (mean["predicted"].cat.codes == best).all()
    apart = np.abs(first[p].to_numpy() - [0.2, 0.5, 0.3])[np.arange(30), best] / 2
    np.testing.assert_allclose(mean["spread"], apart)
    assert evaluate.metric(mean, "accuracy").n == 30


def test_an_ensemble_needs_the_same_images_and_classes():
    table = predictions(30)
    with pytest.raises(ValueError, match="at least two"):
        uncertainty.ensemble([table])
    with pytest.raises(evaluate.PredictionsError, match="same images"):
        uncertainty.ensemble([table, table.head(20)])
    with pytest.raises(evaluate.PredictionsError, match="labels differ"):
        uncertainty.ensemble([table, table.assign(label=table["label"].iloc[::-1].to_numpy())])


def test_a_share_has_an_interval_by_group():
    table = pd.DataFrame({"out": [True] * 10 + [False] * 30, "kind": ["a"] * 20 + ["b"] * 20})
    one = uncertainty.share(table, "out")
    assert (one.value, one.n, one.groups) == (0.25, 40, 40)
    assert (one.low, one.high) == pytest.approx(evaluate.wilson(10, 40))
    grouped = uncertainty.share(table.assign(group=np.arange(40) // 10), "out")
    assert grouped.groups == 4
    assert grouped.high - grouped.low > 1.5 * (one.high - one.low)
    with pytest.raises(ValueError, match="no column"):
        uncertainty.share(table, "in")
    with pytest.raises(ValueError, match="no rows"):
        uncertainty.share(table[:0], "out")
