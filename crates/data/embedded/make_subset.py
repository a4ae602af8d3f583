"""Draws the embedded data set: a class-balanced subset of Fashion-MNIST, as gzipped IDX files.

4,000 pool images come from the original training file (400 per class) and 2,000 test images from the
original test file (200 per class), in random order. The draw uses NumPy's legacy generator, whose stream
is frozen; the inflated contents are therefore the same everywhere. The gzip bytes also depend on the zlib
version in use.

    python3 make_subset.py --source /usr/share/datasets/fashion-mnist
"""

import argparse
import gzip
import hashlib
import pathlib
import struct

import numpy as np

SEED = 0
CLASSES = 10
# (name here, name in the source, images per class)
SPLITS = [("pool", "train", 400), ("test", "t10k", 200)]


def read_idx(path, axes):
    """The array in a gzipped IDX file of unsigned bytes with this many axes."""
    data = gzip.decompress(path.read_bytes())
    magic, *shape = struct.unpack_from(f">{1 + axes}I", data)
    if magic != 0x0800 | axes:
        raise SystemExit(f"{path}: not an IDX file of unsigned bytes with {axes} axes")
    return np.frombuffer(data, np.uint8, offset=4 * (1 + axes)).reshape(shape)


def write_idx(path, array):
    """Writes a gzipped IDX file without time or name in its header."""
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
    content = header + array.tobytes()
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(content)
    print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}")
    print(f"{hashlib.sha256(content).hexdigest()}  {path.stem} (inflated)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, required=True, metavar="DIR",
                        help="directory with the four original IDX gz files")
    source = parser.parse_args().source
    target = pathlib.Path(__file__).resolve().parent
    draw = np.random.RandomState(SEED)
    for here, there, per_class in SPLITS:
        images = read_idx(source / f"{there}-images-idx3-ubyte.gz", 3)
        labels = read_idx(source / f"{there}-labels-idx1-ubyte.gz", 1)
        if len(images) != len(labels):
            raise SystemExit(f"{there}: {len(images)} images, but {len(labels)} labels")
        chosen = np.concatenate([
            draw.permutation(np.flatnonzero(labels == c))[:per_class] for c in range(CLASSES)
        ])
        if len(chosen) != per_class * CLASSES:
            raise SystemExit(f"{there}: fewer than {per_class} images in some class")
        chosen = draw.permutation(chosen)
        write_idx(target / f"{here}-images-idx3-ubyte.gz", images[chosen])
        write_idx(target / f"{here}-labels-idx1-ubyte.gz", labels[chosen])


if __name__ == "__main__":
    main()
