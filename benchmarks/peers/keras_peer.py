"""The pipeline that the system before lentigo had: tf.data and tf.keras' own Xception.

    PYTHON keras_peer.py FOLDER SIZE EPOCHS BATCH

FOLDER holds train.csv and validation.csv (path, melanoma). It runs with a Python that has
TensorFlow, which lentigo does not need. Prints the validation AUC after each epoch.
"""

import csv
import sys
from pathlib import Path

import tensorflow as tf

FOLDER, SIZE, EPOCHS, BATCH = Path(sys.argv[1]), *map(int, sys.argv[2:5])


def squares(name: str, *, training: bool) -> tf.data.Dataset:
    with (FOLDER / f"{name}.csv").open() as rows:
        listed = [(row["path"], float(row["melanoma"])) for row in csv.DictReader(rows)]
    paths, labels = zip(*listed, strict=True)

    def decoded(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(image, (SIZE, SIZE)) / 127.5 - 1, label

    data = tf.data.Dataset.from_tensor_slices((list(paths), list(labels)))
    if training:
        data = data.shuffle(len(paths), seed=0)
    data = data.map(decoded, num_parallel_calls=tf.data.AUTOTUNE)
    if training:
        data = data.map(lambda x, y: (tf.image.random_flip_left_right(x), y))
    return data.batch(BATCH).prefetch(tf.data.AUTOTUNE)


class Told(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        print(f"epoch {epoch + 1}: validation AUC {logs['val_auc']:.4f}", flush=True)


tf.keras.utils.set_random_seed(0)
network = tf.keras.Sequential(
    [
        tf.keras.applications.Xception(
            include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg"
        ),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
network.compile(
    optimizer=tf.keras.optimizers.Adam(1e-3),
    loss="binary_crossentropy",
    metrics=[tf.keras.metrics.AUC(name="auc")],
)
print("begins", flush=True)
network.fit(
    squares("train", training=True),
    validation_data=squares("validation", training=False),
    epochs=EPOCHS, callbacks=[Told()], verbose=0,
)  # fmt: skip
