"""Writes the model and samples of the speed figures: `python3 mobilenet-v2.py DIR`, with TensorFlow installed.

MobileNetV2 at 224 x 224 with random weights, whose batch norms hold the statistics of the samples, and 100 pictures of
smooth noise in -1...1: `mobilenet_v2.h5` and `images.npy`.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

SIDE = 224
folder = sys.argv[1]
rng = np.random.default_rng(1)
keras.utils.set_random_seed(1)


def enlarged(grid: np.ndarray) -> np.ndarray:
    """A coarse grid of colours, interpolated along both axes."""
    at = np.linspace(0, len(grid) - 1, SIDE)
    low = at.astype(int)
    high = np.minimum(low + 1, len(grid) - 1)
    part = at - low
    rows = grid[low] * (1 - part)[:, None, None] + grid[high] * part[:, None, None]
    return rows[:, low] * (1 - part)[None, :, None] + rows[:, high] * part[None, :, None]


def picture() -> np.ndarray:
    """Noise of several scales, the coarser the stronger."""
    noise = sum(enlarged(rng.normal(size=(k, k, 3))) / k**0.7 for k in (2, 4, 7, 14, 28, 56))
    scaled = noise / np.abs(noise).max() * rng.uniform(0.6, 1) + rng.uniform(-0.2, 0.2)
    return np.clip(scaled, -1, 1).astype("float32")


model = keras.applications.MobileNetV2(weights=None)
images = np.stack([picture() for _ in range(100)])
norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
for norm in norms:
    count = norm.gamma.shape[0]
    gamma, beta = rng.uniform(0.7, 1.3, count), rng.normal(0, 0.3, count)
    norm.set_weights([gamma, beta, np.zeros(count), np.ones(count)])
    # One training step then takes over the statistics of its batch.
    norm.momentum = 0.0
model(images[:32], training=True)
for norm in norms:
    norm.momentum = 0.99
np.save(os.path.join(folder, "images.npy"), images)
model.save(os.path.join(folder, "mobilenet_v2.h5"))
