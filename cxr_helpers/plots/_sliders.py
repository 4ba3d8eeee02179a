"""The sliders of the lessons: what a threshold, a rate, a place, a marker or a prevalence changes.

Each function takes what its lesson has computed, changes none of it and draws no random numbers.
"""

import numpy as np

from ._slider import Slider
from .look import CLASS_COLOURS, FAINT, GREY, INK, Picture, count, grid_lines, new_figure, style

WIDTH = 4.8  # inches: 480 pixels, of which a phone shows three quarters
BLUE, ORANGE = CLASS_COLOURS["normal"], CLASS_COLOURS["covid"]
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9)
RATES = (0.01, 0.1, 0.3, 1, 2, 4, 6, 10, 30)
BEGIN = (-3.0, -0.5)  # weights before the first step: off the middle, so that there is a way to go
SHARES = (0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1)
PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)


def slide_threshold(is_positive, scores, *, name: str = "positive") -> Slider:
    """Scores of two groups cut at a threshold: the matrix, the point on the ROC curve, PPV.

    Parameters
    ----------
    is_positive : array_like
        (n,) truth.
    scores : array_like
        (n,) in [0, 1], called positive from the threshold on.
    name : str
        Of the positive class.

    Returns
    -------
    Slider
        To be shown.

    Raises
    ------
    ValueError
        Where lengths differ or one group is empty.
    """
    truth, scores = np.asarray(is_positive, bool), np.asarray(scores, float)
    if truth.shape != scores.shape or not 0 < truth.sum() < truth.size:
        raise ValueError("slide_threshold needs a score per image, and images of both groups.")
    frames = {f"{cut:g}": _cut(truth, scores, cut, name) for cut in THRESHOLDS}
    alt = f"Scores for {name} of {truth.size} images, cut at {len(frames)} thresholds. "
    return Slider("threshold", frames, ("0.1", "0.3", "0.5", "0.9"), "0.5", alt + _ends(frames))


def _cut(truth, scores, cut: float, name: str) -> Picture:
    called = scores >= cut
    tp, fn = int((called & truth).sum()), int((~called & truth).sum())
    fp, tn = int((called & ~truth).sum()), int((~called & ~truth).sum())
    ppv = f"{tp / (tp + fp):.2f}" if tp + fp else "undefined"
    with style():
        figure = new_figure(4.4, WIDTH)
        grid = figure.add_gridspec(2, 2, height_ratios=[1, 1.25])
        top, left, right = (
            figure.add_subplot(place) for place in (grid[0, :], grid[1, 0], grid[1, 1])
        )
        edges = np.linspace(0, 1, 26)
        top.axvspan(cut, 1, color=FAINT, alpha=0.6, linewidth=0)
        top.hist(scores[~truth], edges, color=BLUE, alpha=0.75, label="the others")
        top.hist(scores[truth], edges, histtype="step", color=ORANGE, linewidth=2, label=name)
        top.axvline(cut, color=INK)
        top.set_xlim(0, 1)
        top.margins(y=0.3)  # room for the legend
        top.set(
            title=f"Called positive from {cut:g} on", xlabel=f"score for {name}", ylabel="images"
        )
        top.legend(loc="upper right", ncols=2, borderaxespad=0.1)
        _two_by_two(left, ((tp, fn), (fp, tn)), name)
        cuts = np.concatenate([[np.inf], np.sort(np.unique(scores))[::-1]])
        found = [(scores[truth] >= each).mean() for each in cuts]
        alarms = [(scores[~truth] >= each).mean() for each in cuts]
        right.plot(alarms, found, color=GREY)
        right.plot(fp / (fp + tn), tp / (tp + fn), "o", color=INK, markersize=10)
        right.set(xlim=(-0.03, 1), ylim=(0, 1.05), xlabel="1 - specificity", ylabel="sensitivity")
        right.set_title(f"PPV {ppv}")
        right.grid(color=FAINT)
    alt = f"{tp} of {tp + fn} found, {fp} false alarms among {fp + tn}: "
    alt += f"sensitivity {tp / (tp + fn):.2f}, specificity {tn / (fp + tn):.2f}, PPV {ppv}."
    return Picture(figure, alt)


def _two_by_two(axes, counts, name: str) -> None:
    """The counts of a 2×2 table, right answers on darker ground."""
    for row, (line, truth) in enumerate(zip(counts, (name, "others"), strict=True)):
        for column, n in enumerate(line):
            right = row == column
            axes.add_patch(_square(column, row, "#CFE3F1" if right else "#F6DCCB"))
            axes.text(
                column + 0.5,
                row + 0.36,
                f"{n}",
                ha="center",
                va="center",
                fontsize=16,
                weight="bold",
            )
            what = (("found", "missed"), ("false\nalarms", "left\nalone"))[row][column]
            axes.text(column + 0.5, row + 0.74, what, ha="center", va="center", fontsize=10)
        axes.text(-0.06, row + 0.5, truth, ha="right", va="center", rotation=90, fontsize=10)
    axes.set(xlim=(0, 2), ylim=(2, 0), xticks=[0.5, 1.5], yticks=[])
    axes.set_xticklabels(["called\npositive", "called\nnegative"])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _square(x, y, colour: str):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white", linewidth=3)


def slide_rate(x, y, *, steps: int = 30) -> Slider:
    """Gradient descent of a neuron with two weights, by rate: its path, and the loss at each step.

    The neuron sees two numbers of an image, the mean of its upper and of its lower half,
    standardised.

    Parameters
    ----------
    x : array_like
        (n, pixels) grey levels, row by row from the top of the image.
    y : array_like
        (n,) labels, 0 or 1.
    steps : int
        Of the descent.

    Returns
    -------
    Slider
        To be shown.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    middle = x.shape[1] // 2
    halves = np.stack([x[:, :middle].mean(axis=1), x[:, middle:].mean(axis=1)], axis=1)
    halves = (halves - halves.mean(axis=0)) / halves.std(axis=0)
    walks = {f"{rate:g}": _walk(halves, y, rate, steps) for rate in RATES}
    frames = {name: _bowl(halves, y, walk, name) for name, walk in walks.items()}
    alt = f"A neuron with two weights, {steps} steps, {len(frames)} learning rates. "
    return Slider("learning rate", frames, ("0.1", "1", "10", "30"), "1", alt + _ends(frames))


def _loss(x, y, weights):
    """Mean cross-entropy of neurons without bias, one per column of `weights`."""
    score = x @ weights
    return np.mean(np.logaddexp(0, score) - y[:, None] * score, axis=0)


def _walk(x, y, rate: float, steps: int):
    """Weights before the first step and after each one: (steps + 1, 2)."""
    places = [np.array(BEGIN)]
    for _ in range(steps):
        error = 0.5 * (1 + np.tanh(x @ places[-1] / 2)) - y
        places.append(places[-1] - rate * (x.T @ error) / len(y))
    return np.array(places)


def _bowl(x, y, walk, name: str) -> Picture:
    losses = _loss(x, y, walk.T)
    side = np.linspace(-4, 4, 61)
    grid = np.stack(np.meshgrid(side, side)).reshape(2, -1)
    height = _loss(x, y, grid).reshape(len(side), -1)
    with style():
        figure = new_figure(2.9, WIDTH)
        left, right = figure.subplots(1, 2)
        left.contour(
            side,
            side,
            height,
            levels=np.geomspace(height.min() * 1.003, height.max(), 8),
            colors=FAINT,
            linewidths=1,
        )
        left.plot(*walk.T, "o-", color=BLUE, linewidth=1.2, markersize=3.5)
        left.plot(*walk[0], "o", color=INK, markersize=8)
        left.plot(*walk[-1], "X", color=ORANGE, markersize=10, zorder=5)
        left.set(
            xlim=(-4, 4), ylim=(-4, 4), xlabel="weight, upper half", ylabel="weight, lower half"
        )
        left.set_title(f"rate {name}")
        right.plot(losses, color=BLUE)
        right.set(xlabel="step", yscale="log", ylim=(0.5, 30), ylabel="loss")
        right.set_title(f"loss {losses[-1]:.2f}")
        grid_lines(right, "y")
    return Picture(
        figure,
        f"The loss goes from {losses[0]:.3f} to {losses[-1]:.3f}, at most {losses.max():.3f}.",
    )


def slide_leak(studies) -> Slider:
    """AUCs of studies in which there is nothing to learn, by how many images a patient has at most.

    Parameters
    ----------
    studies : mapping of int to array_like
        {images per patient: AUCs of the repeats}.

    Returns
    -------
    Slider
        To be shown.
    """
    frames = {
        str(most): _studies(np.asarray(studies[most], float), most) for most in sorted(studies)
    }
    alt = "AUC on random labels of many studies split by image; the truth is 0.5. "
    return Slider(
        "images of each patient, at most",
        frames,
        tuple(frames),
        next(iter(frames)),
        alt + _ends(frames),
    )


def _studies(aucs, most: int) -> Picture:
    mean = aucs.mean()
    with style():
        figure = new_figure(3.0, WIDTH)
        top, below = figure.subplots(2, 1, height_ratios=[1, 3])
        for image in range(most):
            top.add_patch(_square(image * 1.15, 0, BLUE))
        top.set(xlim=(0, 9.3), ylim=(0, 1.1))
        top.set_axis_off()
        top.set_title(f"{count(most, 'image')} of each patient: mean AUC {mean:.2f}")
        below.hist(aucs, np.linspace(0, 1, 41), color="#56B4E9", edgecolor="white")
        below.axvline(0.5, color=INK, linestyle="--", linewidth=1.4)
        below.axvline(mean, color=ORANGE)
        height = below.get_ylim()[1]
        below.set_ylim(0, height * 1.5)
        below.text(0.49, height * 1.42, "truth", va="top", ha="right", color=INK)
        said = f"mean\n{mean - 0.5:+.2f}"
        below.text(max(mean, 0.5) + 0.01, height * 1.42, said, va="top", color="#A84000")
        below.set(xlim=(0, 1), xlabel="AUC of single studies, split by image", ylabel="studies")
        below.locator_params(axis="y", integer=True, nbins=5)
    alt = f"Mean AUC {mean:.3f} over {count(len(aucs), 'study', 'studies')}, "
    return Picture(figure, f"{alt}from {aucs.min():.2f} to {aucs.max():.2f}.")


def slide_kernel(patch, kernel) -> Slider:
    """A kernel on each place of a patch: the products, their sum, the feature map that fills.

    Parameters
    ----------
    patch : array_like
        (h, w) grey levels in [0, 1].
    kernel : array_like
        (k, k).

    Returns
    -------
    Slider
        To be shown.

    Raises
    ------
    ValueError
        Where the patch is smaller than the kernel.
    """
    patch, kernel = np.asarray(patch, float), np.asarray(kernel, float)
    k = len(kernel)
    places = [(r, c) for r in range(patch.shape[0] - k + 1) for c in range(patch.shape[1] - k + 1)]
    if not places:
        raise ValueError(f"The patch {patch.shape} is smaller than the kernel {kernel.shape}.")
    sums = np.array([(patch[r : r + k, c : c + k] * kernel).sum() for r, c in places])
    answers = sums.reshape(patch.shape[0] - k + 1, -1)
    frames = {
        f"row {r + 1}, column {c + 1}": _place(patch, kernel, answers, r, c) for r, c in places
    }
    names = list(frames)
    still = tuple(names[i] for i in np.linspace(0, len(names) - 1, 4).round().astype(int))
    high, wide = patch.shape
    alt = f"A kernel on {len(frames)} places of a patch of {high} by {wide} pixels. "
    return Slider("kernel at", frames, still, names[0], alt + _ends(frames))


def _place(patch, kernel, answers, r: int, c: int) -> Picture:
    k, width = len(kernel), answers.shape[1]
    seen = np.where(
        np.arange(answers.size).reshape(answers.shape) <= r * width + c, answers, np.nan
    )
    bound = np.abs(answers).max() or 1
    with style():
        figure = new_figure(2.9, WIDTH)
        left, right = figure.subplots(1, 2, width_ratios=[patch.shape[1], width * 1.2])
        left.imshow(patch, vmin=0, vmax=1)
        for y, x in np.ndindex(patch.shape):
            inside = r <= y < r + k and c <= x < c + k
            words = f"{patch[y, x]:.2f}".lstrip("0")
            if inside:
                words += f"\n×{kernel[y - r, x - c]:g}".replace("-", "−")
            colour = "white" if patch[y, x] < 0.4 else "black"
            left.text(x, y, words, ha="center", va="center", fontsize=8.5, color=colour)
        left.add_patch(_frame(c - 0.5, r - 0.5, k))
        left.set_title("image × kernel")
        right.imshow(seen, cmap="PuOr_r", vmin=-bound, vmax=bound)
        for y, x in np.ndindex(answers.shape):
            if np.isfinite(seen[y, x]):
                words = f"{seen[y, x]:.1f}".replace("-", "−")
                colour = "white" if abs(seen[y, x]) > 0.7 * bound else "black"
                right.text(x, y, words, ha="center", va="center", fontsize=9, color=colour)
        right.add_patch(_frame(c - 0.5, r - 0.5, 1))
        right.set_title(f"sum {answers[r, c]:+.2f}".replace("-", "−"))
        for axes in (left, right):
            axes.set(xticks=[], yticks=[])
    return Picture(figure, f"The nine products sum to {answers[r, c]:+.2f}.")


def _frame(x: float, y: float, side: int):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), side, side, fill=False, edgecolor=ORANGE, linewidth=3)


def slide_share(is_positive, as_taken, removed, reverse, *, name: str = "COVID-19") -> Slider:
    """One network asked about the same images; a share of one class wears the marker.

    In between, the first images of a class wear it, in their order.

    Parameters
    ----------
    is_positive : array_like
        (n,) truth.
    as_taken : array_like
        (n,) scores of the test set where the positive wear the marker.
    removed : array_like
        (n,) scores where nobody does.
    reverse : array_like
        (n,) scores where the others do.
    name : str
        Of the disease.

    Returns
    -------
    Slider
        To be shown.
    """
    truth = np.asarray(is_positive, bool)
    worn, bare = np.where(truth, as_taken, reverse), np.asarray(removed, float)
    frames = {f"{share:.0%}": _worn(truth, worn, bare, share, name) for share in SHARES}
    alt = f"Scores of one network for {truth.size} images; a share of one class wears the word. "
    return Slider(
        "share that wears the word",
        frames,
        ("0%", "20%", "50%", "100%"),
        "100%",
        alt + _ends(frames),
    )


def _worn(truth, worn, bare, share: float, name: str) -> Picture:
    sides = {f"{name} patients wear it": truth, "the others wear it": ~truth}
    parts = []
    with style():
        figure = new_figure(4.2, WIDTH)
        rows = figure.subplots(2, 1, sharex=True)
        for axes, (worn_by, who) in zip(rows, sides.items(), strict=True):
            wears = np.zeros(truth.size, bool)
            wears[np.flatnonzero(who)[: round(share * who.sum())]] = True
            score = np.where(wears, worn, bare)
            auc = _auc(truth, score)
            for height, group in ((1, truth), (0, ~truth)):
                for marked, shape in ((False, "o"), (True, "s")):
                    here = np.flatnonzero(group & (wears == marked))
                    shift = (here * 0.618) % 1 * 0.6 - 0.3  # spreads the points
                    colour = ORANGE if height else BLUE
                    fill = colour if marked else "none"
                    place = (score[here], height + shift)
                    axes.plot(*place, shape, color=fill, mec=colour, markersize=5)
            axes.set(ylim=(-0.5, 1.5), yticks=[0, 1])
            axes.set_yticklabels(["others", name])
            axes.set_title(f"{worn_by[0].upper()}{worn_by[1:]}: AUC {auc:.2f}")
            axes.tick_params(axis="y", length=0)
            parts.append(f"{worn_by}: AUC {auc:.3f}")
        rows[1].set(xlim=(-0.03, 1.03), xlabel=f"score for {name}; filled squares wear the word")
    return Picture(figure, f"{'; '.join(parts)}.")


def _auc(truth, scores) -> float:
    """Share of pairs in the right order; ties count half."""
    above = scores[truth][:, None] - scores[~truth][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def slide_prevalence(sensitivity: float, specificity: float) -> Slider:
    """What an answer is worth, from a rare to a common disease: 1,000 people, PPV and NPV.

    By Bayes' rule.

    Parameters
    ----------
    sensitivity, specificity : float
        In (0, 1).

    Returns
    -------
    Slider
        To be shown.
    """
    frames = {
        f"{share:.1%}".replace(".0%", "%"): _people(sensitivity, specificity, share)
        for share in PREVALENCES
    }
    rates = f"sensitivity {sensitivity:.2f} and specificity {specificity:.2f}"
    alt = f"A test with {rates}, 1,000 people. "
    return Slider("prevalence", frames, ("1%", "10%", "30%", "50%"), "10%", alt + _ends(frames))


def _values(sensitivity, specificity, prevalence):
    """PPV and NPV."""
    found, missed = sensitivity * prevalence, (1 - sensitivity) * prevalence
    alarms, alone = (1 - specificity) * (1 - prevalence), specificity * (1 - prevalence)
    return found / (found + alarms), alone / (alone + missed)


def _people(sensitivity: float, specificity: float, prevalence: float) -> Picture:
    ppv, npv = _values(sensitivity, specificity, prevalence)
    ill = 1000 * prevalence
    found, alarms = sensitivity * ill, (1 - specificity) * (1000 - ill)
    kinds = np.zeros(1000, int)
    kinds[: round(ill)], kinds[: round(found)] = 1, 2
    kinds[round(ill) : round(ill) + round(alarms)] = 3
    with style():
        from matplotlib.colors import ListedColormap

        figure = new_figure(3.5, WIDTH)
        left, right = figure.subplots(1, 2)
        colours = ListedColormap(["#E4E4E4", "#56B4E9", ORANGE, INK])
        left.pcolormesh(
            kinds.reshape(40, 25), cmap=colours, vmin=0, vmax=3, edgecolors="white", linewidth=1
        )
        left.set(ylim=(40, 0), xticks=[], yticks=[])
        left.spines[:].set_visible(False)
        left.set_title(f"{ill:.0f} of 1,000 have it")
        parts = [
            ("orange", found, "found"),
            ("blue", ill - found, "missed"),
            ("black", alarms, "false alarms"),
        ]
        words = "\n".join(f"{colour}: {n:.1f} {what}" for colour, n, what in parts)
        words = words.replace(".0 ", " ")
        left.text(0, 41, words, va="top", fontsize=10)
        line = np.geomspace(0.001, 0.7, 100)
        curves = _values(sensitivity, specificity, line)
        for name, curve, value in zip(("PPV", "NPV"), curves, (ppv, npv), strict=True):
            colour, stroke = (ORANGE, "-") if name == "PPV" else (BLUE, "--")
            right.plot(line, curve, stroke, color=colour, label=name)
            right.plot(prevalence, value, "o", color=colour, markersize=9)
        right.set(xscale="log", ylim=(0, 1.05), xlabel="prevalence", xticks=[0.001, 0.01, 0.1, 0.5])
        right.set_xticklabels(["0.1%", "1%", "10%", "50%"])
        right.minorticks_off()
        right.legend(loc="center left", bbox_to_anchor=(0, 0.62))
        right.set_title(f"PPV {ppv:.2f}, NPV {npv:.2f}")
        grid_lines(right, "y")
    alt = f"Of {ill:.0f} with the disease {found:.1f} are found, with {alarms:.1f} false alarms: "
    return Picture(figure, f"{alt}PPV {ppv:.3f}, NPV {npv:.3f}.")


def _ends(frames: dict[str, Picture]) -> str:
    """What the first and the last frame say."""
    first, last = next(iter(frames)), list(frames)[-1]
    return f"At {first}: {frames[first].alt} At {last}: {frames[last].alt}"
