"""A stand-in for CuPy without a GPU: NumPy's arrays behind CuPy's name, on two cards that are pretended to be there.

It is as strict as CuPy about what a GPU can't do: an array is never converted to NumPy's by itself, nothing mixes with NumPy's arrays,
a reduction is an array of no axes, and what is computed is computed on the current device, where its arrays have to be. It knows which
cards anything was opened on. It runs no kernels: :func:`install` has expressions evaluated by NumPy.
"""

import operator
import sys
import threading
from functools import wraps
from types import ModuleType, SimpleNamespace

import numpy as np

CARDS = ("A Pretended Card", "A Pretended Card")
MEMORY = 2**36
opened = set()  # the numbers of the cards that this process has a context on
_here = threading.local()


def _current():
    return getattr(_here, "devices", [0])[-1]


class Device:
    """A card, and the context in which it is the current one."""

    def __init__(self, number=None):
        self.id = _current() if number is None else int(number)

    def __enter__(self):
        _here.devices = [*getattr(_here, "devices", [0]), self.id]
        opened.add(self.id)
        return self

    def __exit__(self, *_):
        _here.devices = _here.devices[:-1]

    def __int__(self):
        return self.id

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self):
        return hash(self.id)

    def __repr__(self):
        return f"<CUDA Device {self.id}>"

    def synchronize(self):
        opened.add(self.id)

    @property
    def mem_info(self):
        opened.add(self.id)
        return MEMORY // 2, MEMORY

    @property
    def cublas_handle(self):
        return threading.get_ident(), self.id


class OutOfMemoryError(MemoryError):
    """CuPy's, which says bytes."""


class ndarray:  # noqa: N801 - CuPy's name
    """NumPy's array, on a card."""

    __module__ = "cupy"
    __array_ufunc__ = None
    __array_priority__ = 100

    def __init__(self, shape, dtype=float, *, values=None):
        self._values = np.empty(shape, dtype) if values is None else values
        self.device = Device()
        opened.add(self.device.id)

    shape = property(lambda self: self._values.shape)
    ndim = property(lambda self: self._values.ndim)
    dtype = property(lambda self: self._values.dtype)
    size = property(lambda self: self._values.size)
    nbytes = property(lambda self: self._values.nbytes)
    strides = property(lambda self: self._values.strides)
    flags = property(lambda self: self._values.flags)
    T = property(lambda self: self._view(self._values.T))
    mT = property(lambda self: self._view(self._values.mT))

    def _view(self, values):
        with self.device:
            return ndarray(None, values=values)

    def get(self):
        return self._values.copy()

    def item(self):
        return self._values.item()

    def tolist(self):
        return self._values.tolist()

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array explicitly.")

    def __dlpack__(self, **_):
        raise BufferError("a pretended array has no memory on a GPU")

    def __getitem__(self, key):
        return self._view(np.asarray(self._values[_plain(key, anywhere=True)]))

    def __setitem__(self, key, value):
        self._values[_plain(key)] = _plain(value)

    def __len__(self):
        return len(self._values)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self._values)

    def __float__(self):
        return float(self._values)

    def __int__(self):
        return int(self._values)

    def __index__(self):
        return operator.index(self._values.item() if self._values.ndim == 0 else self._values)

    __hash__ = None


def _plain(value, *, anywhere=False):
    """NumPy's arrays in the place of pretended ones, which have to be on the current device."""
    if isinstance(value, ndarray):
        if not anywhere and value.device.id != _current():
            raise ValueError(
                f"Array device must be same as the current device: array device = {value.device.id} while current = {_current()}"
            )
        return value._values
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, tuple | list):
        return type(value)(_plain(one, anywhere=anywhere) for one in value)
    return value


def _pretended(value):
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(None, values=np.asarray(value))
    return type(value)(_pretended(one) for one in value) if type(value) in (tuple, list) else value


def _on_cards(function, *, anywhere=False):
    """A function of NumPy's as one of pretended arrays."""

    @wraps(function)
    def run(*args, **kwargs):
        args, kwargs = _plain(args, anywhere=anywhere), {key: _plain(one, anywhere=anywhere) for key, one in kwargs.items()}
        try:
            with np.errstate(all="ignore"):  # a GPU says nothing
                return _pretended(function(*args, **kwargs))
        except MemoryError as error:
            raise OutOfMemoryError("Out of memory allocating 17,592,186,044,416 bytes (allocated so far: 0 bytes).") from error

    return run


def _operators():
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"):
        function = _on_cards(getattr(operator, f"__{name}__"))
        setattr(ndarray, f"__{name}__", lambda self, other, function=function: function(self, other))
        setattr(ndarray, f"__r{name}__", lambda self, other, function=function: function(other, self))
        inplace = getattr(operator, f"__i{name}__")
        setattr(ndarray, f"__i{name}__", lambda self, other, inplace=inplace: (inplace(_plain(self), _plain(other)), self)[1])
    for name in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"):
        setattr(ndarray, f"__{name}__", _on_cards(getattr(operator, f"__{name}__")))
    for name in ("all", "any", "argmax", "argmin", "astype", "clip", "copy", "cumsum", "fill", "flatten", "max", "mean", "min", "nonzero"):
        setattr(ndarray, name, _on_cards(getattr(np.ndarray, name)))
    for name in ("prod", "ravel", "repeat", "reshape", "round", "sort", "squeeze", "std", "sum", "swapaxes", "take", "transpose", "var"):
        setattr(ndarray, name, _on_cards(getattr(np.ndarray, name)))


_operators()


def _asarray(values, dtype=None, order=None, *, copy=None, **_):
    if isinstance(values, ndarray):
        if values.device.id == _current() and not copy:
            same = np.asarray(values._values, dtype=dtype, order=order)
            return values if same is values._values else _pretended(same)
        return _pretended(np.array(values._values, dtype=dtype, order=order or "K", copy=True))
    plain = values if isinstance(values, np.ndarray) else _plain(values)
    return _pretended(np.array(plain, dtype=dtype, order=order or "K", copy=True))


def _kernel(*_, **__):
    raise NotImplementedError("a pretended card runs no kernels")


def _runtime():
    runtime = ModuleType("cupy.cuda.runtime")
    runtime.CUDARuntimeError = type("CUDARuntimeError", (RuntimeError,), {})
    runtime.driverGetVersion = runtime.runtimeGetVersion = lambda: 13000
    runtime.getDeviceCount = lambda: len(CARDS)
    runtime.getDevice = _current
    runtime.getDeviceProperties = lambda number: {"name": CARDS[number].encode(), "totalGlobalMem": MEMORY}
    return runtime


def _cuda():
    cuda = ModuleType("cupy.cuda")
    cuda.Device, cuda.Stream, cuda.runtime, cuda.__path__ = Device, type("Stream", (), {}), _runtime(), []
    cuda.device, cuda.stream = ModuleType("cupy.cuda.device"), ModuleType("cupy.cuda.stream")
    cuda.device.Device, cuda.stream.Stream = cuda.Device, cuda.Stream
    cuda.memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    modes = {}
    cuda.cublas = SimpleNamespace(getMathMode=lambda handle: modes.get(handle, 0), setMathMode=modes.__setitem__, modes=modes)
    return cuda


def make():
    """Return the module ``cupy``."""
    cupy = ModuleType("cupy")
    for name in dir(np):
        one = getattr(np, name)
        if not name.startswith("_") and not isinstance(one, ModuleType):
            like = name.endswith("_like")  # CuPy makes these on the current device, wherever the array is
            setattr(cupy, name, _on_cards(one, anywhere=like) if callable(one) and not isinstance(one, type) else one)
    for part in ("linalg", "fft"):
        module = ModuleType(f"cupy.{part}")
        for name in getattr(np, part).__all__:
            one = getattr(getattr(np, part), name)
            setattr(module, name, one if isinstance(one, type) else _on_cards(one))
        setattr(cupy, part, module)
    cupy.__version__, cupy.__path__ = f"{np.__version__}, pretended", []
    pool = SimpleNamespace(used_bytes=lambda: 0, total_bytes=lambda: 0, free_all_blocks=lambda: None)
    cupy.ndarray, cupy.asarray, cupy.array, cupy.cuda = ndarray, _asarray, _asarray, _cuda()
    cupy.asnumpy = lambda array, **_: array.get() if isinstance(array, ndarray) else np.asarray(array)
    cupy.ElementwiseKernel, cupy.get_default_memory_pool = _kernel, lambda: pool
    return cupy


def install():
    """Put it in CuPy's place, in this process, before CuPy or its backend is imported; fused kernels are evaluated by NumPy."""
    cupy = make()
    for module in (cupy, cupy.linalg, cupy.fft, cupy.cuda, cupy.cuda.device, cupy.cuda.stream, cupy.cuda.runtime):
        sys.modules[module.__name__] = module
    from mlpxp_backends import cupy as backend
    from mlpxp_backends.expressions import step_by_step
    from mlpxp_backends.fusion import Fusion

    backend._fusion = Fusion(backend.xp, step_by_step(backend.xp))
    return cupy
