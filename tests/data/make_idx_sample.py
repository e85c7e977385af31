"""Make the IDX files in ``tests/data/idx`` from scikit-learn's handwritten digits: ``python tests/data/make_idx_sample.py``.

They have MNIST's format and naming: 1,437 training and 360 test images of 8 x 8 pixels, 0 to 255. The same files come out every time.
"""

import gzip
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

TYPE_UINT8 = 0x08


def idx_bytes(array):
    """The IDX file of an array of bytes."""
    header = bytes([0, 0, TYPE_UINT8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def make(folder):
    """Write the four files."""
    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
    train, test = train_test_split(np.arange(len(images)), test_size=360, random_state=0, stratify=bunch.target)
    folder.mkdir(parents=True, exist_ok=True)
    for part, rows in (("train", train), ("t10k", test)):
        for name, array in (("images-idx3", images[rows]), ("labels-idx1", bunch.target[rows])):
            packed = gzip.compress(idx_bytes(array), compresslevel=9, mtime=0)
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(packed)


if __name__ == "__main__":
    make(Path(__file__).parent / "idx")
