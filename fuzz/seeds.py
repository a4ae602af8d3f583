#!/usr/bin/env python3
"""Writes the seeds of all targets to fuzz/corpora: python3 fuzz/seeds.py. Python's own library is enough; findings beside the seeds stay."""

import gzip
import io
import json
import pathlib
import struct
import tarfile
import zipfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
FIXTURES = ROOT / "crates/data/tests/fixtures"


def put(target, name, content):
    folder = HERE / "corpora" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content)


def copy(target, *paths):
    for path in paths:
        put(target, path.name, path.read_bytes())


def npy(descr, shape, body, fortran=False, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + body


def npz(arrays, packing=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content, packing)
    return out.getvalue()


def doubles(*values):
    return struct.pack(f"<{len(values)}d", *values)


def arrays():
    put("npy", "doubles", npy("<f8", "(2, 3)", doubles(1, 2, 3, 4, 5, 6)))
    put("npy", "fortran", npy("<i4", "(2, 3)", struct.pack("<6i", 1, 4, 2, 5, 3, 6), True, 2))
    put("npy", "cube", npy("|u1", "(2, 2, 2)", bytes(range(8)), True))
    put("npy", "text", npy("<U2", "(2,)", "ab\0\0".encode("utf-32-le")))
    put("npy", "empty", npy("<f4", "(0, 3)", b"", True))
    put("npy", "halves", npy("<f2", "(2,)", b"\x00\x3c\x00\xc0"))
    put("npy", "long-doubles", npy("<f16", "(1,)", bytes(7) + b"\x80\xff\x3f" + bytes(6)))
    put("npy", "hollow", npy("<f8", "(0, 4611686018427387904)", b"", True))
    problem = {"x": npy("<f8", "(2, 3)", doubles(2, 1, 0, 1, 0, 1)), "y": npy("<f8", "(2,)", doubles(1, -1))}
    put("npz", "problem", npz({**problem, "sigma": npy("<f8", "(3,)", doubles(4, 1, 1))}))
    masks = {"trainset_mask": npy("|b1", "(2, 2)", b"\1\0\0\1"), "trainset_correctness": npy("|u1", "(2, 2)", b"\1\1\0\1")}
    put("npz", "right", npz(masks, zipfile.ZIP_STORED))
    put("npz", "bomb", npz({"x": npy("|u1", "(1099511627776,)", bytes(4096))}))
    copy("npz", *(FIXTURES / "sources" / name for name in ["c.npz", "medmnist.npz", "keras.npz", "hot.npz"]))
    put("problem", "diagonal", npz({**problem, "sigma": npy("<f8", "(3,)", doubles(4, 1, 1))}, zipfile.ZIP_STORED))
    full = npy("<f8", "(3, 3)", doubles(4, 0, 0, 0, 1, 0, 0, 0, 1))
    put("problem", "full", npz({**problem, "sigma": full}, zipfile.ZIP_STORED))


def tensors(header, body):
    text = json.dumps(header, separators=(",", ":")).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(text)) + text + body


def safetensors():
    of = lambda kind, shape, start, end: {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    both = {"__metadata__": {"format": "pt"}, "a": of("F32", [2], 0, 8), "x": of("BF16", [1, 2], 8, 12)}
    put("safetensors", "two", tensors(both, struct.pack("<2f", 1.5, 2.5) + b"\x80\x3f\x20\xc1"))
    put("safetensors", "integers", tensors({"x": of("I64", [2, 1], 0, 16)}, struct.pack("<2q", 1, -1)))
    put("safetensors", "beyond", tensors({"x": of("F32", [1 << 40], 0, 1 << 42)}, b""))
    put("safetensors", "nested", tensors(b"[" * 500, b""))


def tables():
    names = ["lists.parquet", "plain.parquet", "snappy.parquet", "hadoop_lz4_compressed.parquet"]
    copy("parquet", *(FIXTURES / name for name in names), *sorted((FIXTURES / "kept").glob("*.parquet")))
    copy("parquet", FIXTURES / "sources/diabetes.parquet", FIXTURES / "sources/text.parquet")
    copy("arrow", *(FIXTURES / name for name in ["lists.arrows", "lists.feather", "lists_zstd.feather"]))
    copy("hub", *(FIXTURES / "sources" / name for name in ["hub.parquet", "jpeg.parquet", "paths.parquet"]))
    copy("csv", *(FIXTURES / "sources" / name for name in ["index.csv", "week.csv", "text.csv"]))
    put("csv", "quotes", b'model;example;loss;member\n"a;b";1;"0,25";1\n"c""d";2;0,5;0\n')
    put("csv", "lists", b'model,logits\n1,"[0.1, 0.2]"\n2,"array([0.1, 0.2], dtype=float32)"\n')
    put("csv", "gzip", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0))
    put("csv", "gzip-bomb", gzip.compress(b"a,b\n" + b"1" * 100_000, mtime=0))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, rows):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pictures():
    put("pictures", "grey.png", png(2, 2, 8, 0, b"\0\1\2\0\3\4"))
    put("pictures", "colour.png", png(1, 1, 16, 2, b"\0" + bytes(6)))
    put("pictures", "huge.png", png(16384, 4096, 8, 6, b"\0"))
    copy("pictures", FIXTURES / "colour.jpg", FIXTURES / "progressive.jpg")
    images = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4])
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9])
    put("idx", "images", images)
    put("idx", "labels", labels)
    put("idx", "packed", gzip.compress(images, mtime=0))
    put("cifar", "ten", bytes([3]) + bytes(3072))
    put("cifar", "hundred", bytes([3, 9]) + bytes(3072))


def archives():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in [("set/a.csv", b"x,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n"), ("../up.csv", b"x,y\n1,0\n")]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("set/link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("set/" + "long/" * 40 + "a.csv"))
    put("import", "csv.tar", out.getvalue())


def first_alone(value):
    """The same document with the first entry of every list: as deep, and much shorter."""
    if isinstance(value, list):
        return [first_alone(entry) for entry in value[:1]]
    return {key: first_alone(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def documents():
    for path in sorted((ROOT / "studies").glob("*.toml")):
        put("study", path.name, path.read_bytes())
    put("study", "empty", b"")
    put("study", "sweep", b'data = ["digits"]\n[[recipe]]\nname = "a"\noptimizer = "sgd"\nepochs = [1, 2]\nlearning_rate = [0.1, 0.2]\n')
    put("study", "nested", b"a = " + b"[" * 500)
    put("results", "nested", b"[" * 500)
    put("results", "none", b'{"schema_version": 2}')
    for path in sorted((ROOT / "crates/cli/tests/kept").glob("schema-*/*/results.json")):
        content = json.dumps(first_alone(json.loads(path.read_text())), separators=(",", ":"))
        put("results", f"{path.parent.parent.name}-{path.parent.name}", content.encode())


if __name__ == "__main__":
    for old in (HERE / "corpora").glob("*/seed-*"):
        old.unlink()
    for write in [arrays, safetensors, tables, pictures, archives, documents]:
        write()
