"""What is said of a device, and of one whose memory is too small."""

import pickle

import pytest

from mlpxp import BackendError, Device, MlpxpError, OutOfMemoryError
from mlpxp.arrays.devices import host, memory_watched, no_such_device, number_of, size

GPU = Device("cuda:1", "A Card", memory=80 * 2**30, free=3 * 2**30)


def test_the_host_is_a_device():
    device = host()
    assert str(device) == device.name == "cpu"
    assert device.description
    assert device.float64


@pytest.mark.parametrize(
    ("device", "number"),
    [("cuda", 0), ("cuda:0", 0), ("cuda:12", 12), ("cpu", None), ("cuda:", None), ("cuda:-1", None), ("", None), ("CUDA", None)],
)
def test_the_number_of_a_gpu(device, number):
    assert number_of(device, ("cuda",)) == number


def test_a_device_that_is_not_there_is_answered_by_those_that_are():
    said = "device must be one that backend 'torch' has here, 'cpu', 'cuda:1', got 'cuda:7'; see mlpxp backends"
    assert str(no_such_device("torch", "cuda:7", [host(), GPU])) == said


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (3 * 2**29, "1.5 GiB"), (2**60, "1024.0 PiB")]
)
def test_sizes_are_readable(n_bytes, text):
    assert size(n_bytes) == text


@pytest.mark.parametrize(
    ("says", "asked"),
    [
        ("Out of memory allocating 1,048,576 bytes (allocated so far: 0 bytes).", 2**20),  # CuPy
        (
            "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 79.11 GiB of which 10.00 GiB is free.",
            20 * 2**30,
        ),
        ("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes.", 4096),
        ("RESOURCE_EXHAUSTED: Out of memory allocating 17592186044416 bytes.", 2**44),  # JAX
        ("Unable to allocate 32.0 TiB for an array with shape (4194304, 1048576) and data type float64", 2**45),  # NumPy
    ],
)
def test_what_each_library_says_of_a_lack_of_memory_becomes_one_error(says, asked):
    with pytest.raises(OutOfMemoryError) as caught, memory_watched(lambda: GPU, RuntimeError):
        raise RuntimeError(says)
    assert str(caught.value) == f"cuda:1 has too little memory: {size(asked)} asked for, 3.0 GiB free"
    assert (caught.value.asked, caught.value.free) == (asked, 3 * 2**30)
    for kind in (MlpxpError, BackendError, MemoryError):
        assert isinstance(caught.value, kind)


def test_where_nothing_is_known_nothing_is_said():
    with pytest.raises(OutOfMemoryError, match=r"^tpu:0 has too little memory$"), memory_watched(lambda: Device("tpu:0", "?"), MemoryError):
        raise MemoryError("out of memory")


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("can't allocate 3 bytes")])
def test_other_errors_pass(error):
    with pytest.raises(type(error), match=str(error)) as caught, memory_watched(lambda: GPU, RuntimeError):
        raise error
    assert caught.value is error


def test_the_error_survives_a_pickle():
    error = pickle.loads(pickle.dumps(OutOfMemoryError("cuda:1 has too little memory", 5, 3)))
    assert (str(error), error.asked, error.free) == ("cuda:1 has too little memory", 5, 3)
