"""Writes hdf5.h5: what h5py makes of every kind of data set that is read. Run in this folder."""

import h5py
import numpy as np

with h5py.File("hdf5.h5", "w") as f:
    g = f.create_group("numbers")
    for name in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 >f4 >i2".split():
        g.create_dataset(name.replace(">", "big_"), data=np.arange(6).reshape(2, 3).astype(name))
    g["scalar"] = 2.5
    g["bool"] = np.array([True, False])
    g["negative"] = np.array([-3, 4], "i2")
    g["empty"] = np.zeros((0, 3))
    g.create_dataset(
        "packed", data=np.arange(5000.0), compression="gzip", shuffle=True, chunks=(512,), maxshape=(None,)
    )
    g.create_dataset("plane", data=np.arange(60.0).reshape(6, 10), compression="gzip")
    t = f.create_group("texts")
    t.create_dataset("any", data="spike", dtype=h5py.string_dtype())
    t["fixed"] = np.array([b"one", b"three"])
    t["pairs"] = [("a", "b"), ("b", "c")]
    r = f.create_group("ragged")
    times = r.create_dataset("times", (3,), dtype=h5py.vlen_dtype(np.float16))
    units = r.create_dataset("units", (3,), dtype=h5py.vlen_dtype(np.uint16))
    for row, length in enumerate([2, 0, 1000]):
        times[row] = np.arange(length) / 1024
        units[row] = np.arange(length)
    f.attrs["magic"] = np.uint32(0x0A7A)
    f.attrs["name"] = "h5py"
    f.attrs["version"] = [0, 1]
    t.attrs["sorting"] = np.bytes_("by_time")
    g["scalar"].attrs["units"] = "milliseconds"

# What claims to be 10 GB, and is a few bytes.
with h5py.File("claims.h5", "w") as f:
    f.create_dataset("contiguous", (1_250_000_000,), "f8")
    f.create_dataset("chunked", (1_250_000_000,), "f8", chunks=(1000,))
    f.create_dataset("packed", (1_250_000_000,), "f8", chunks=(100_000_000,), compression="gzip")

# Chunks in forms that are not read.
with h5py.File("newer.h5", "w", libver="latest") as f:
    f.create_dataset("long", data=np.zeros(70_000), chunks=(65_536,), compression="gzip", maxshape=(None,))
    f.create_dataset("both", data=np.zeros((9, 9)), chunks=(3, 3), maxshape=(None, None))
