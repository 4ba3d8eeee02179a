"""Augmented batches from the cache against `ImageDataGenerator` on the same files, in one run.

    python -m benchmarks.pipeline --data-dir FOLDER

Both give batches of 32 grey images of 224×224 from case E's training folder: the generator with
shear, zoom and flip (it decodes each file each time), the pipeline with zoom, shift, rotation and
contrast. The two take turns, since the load of a machine changes; what counts is the ratio.
"""

import argparse
import datetime
import os
import time
from pathlib import Path

import pandas as pd

from cxr_helpers import datasets, pipeline, preprocess, quiet

HERE = Path(__file__).parent
SIZE, BATCH = 224, 32


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default=None)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    table = datasets.load("covid19-image-dataset", options.data_dir)
    started = time.perf_counter()
    images = preprocess.cache(table, SIZE)
    cache_seconds = time.perf_counter() - started
    with quiet():
        import tensorflow as tf
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rescale=1 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True
    )
    folder = Path(table.loc[table["split"] == "train", "path"].iloc[0]).parents[1]
    files = generator.flow_from_directory(
        folder, target_size=(SIZE, SIZE), batch_size=BATCH, color_mode="grayscale"
    )
    batches = pipeline.batches(
        table, images, "train", batch_size=BATCH, augment=pipeline.Augmentation()
    )
    speed(batches, 2)  # compiled on first use
    rows = []
    for number in range(options.rounds):
        generated = speed((next(files) for _ in range(len(files))), 1)
        cached = speed(batches, 10)
        rows.append({"round": number, "generator_per_s": generated, "pipeline_per_s": cached})
        print(
            f"{generated:.0f} and {cached:.0f} images/s, ratio {cached / generated:.1f}", flush=True
        )
    result = pd.DataFrame(rows).assign(ratio=lambda t: t["pipeline_per_s"] / t["generator_per_s"])
    result = result.assign(n=files.n, cache_seconds=cache_seconds, cores=os.cpu_count())
    result = result.assign(
        date=datetime.date.today().isoformat(), command="python -m benchmarks.pipeline"
    ).round(2)
    result.to_csv(HERE / "pipeline.csv", index=False)
    print(
        f"median ratio {result['ratio'].median():.1f} over {options.rounds} rounds; cache made in "
        f"{cache_seconds:.1f} s"
    )


def speed(batches, times: int) -> float:
    """Images per second over `times` passes."""
    started, count = time.perf_counter(), 0
    for _ in range(times):
        for grey, _ in batches:
            count += len(grey)
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
