"""A card that is pretended to be there, for a rehearsal: CuPy over NumPy, and PyTorch and JAX on the CPU under a GPU's name."""

from tests.on_gpu import pretended_cupy

MEMORY = pretended_cupy.MEMORY


def install():
    """Pretend, in this process; before any backend is imported."""
    pretended_cupy.install()
    for one in (_torch, _jax):
        try:
            one()
        except ModuleNotFoundError:  # the other libraries are rehearsed
            continue


def _torch():
    from mlpxp.arrays.devices import Device
    from mlpxp_backends import torch as module

    real = module.TorchBackend._device

    def device(self, name):
        return real(self, "cpu" if str(name) in ("cuda", "cuda:0") else name)

    module.TorchBackend._device = device
    module._cuda = lambda: [Device("cuda:0", pretended_cupy.CARDS[0], MEMORY, MEMORY // 2)]
    module._on_gpu = lambda _: True


def _jax():
    from mlpxp.arrays.devices import Device
    from mlpxp_backends import jax as module

    module._kind = lambda _: "cuda"
    module._described = lambda device: Device(f"cuda:{device.id}", pretended_cupy.CARDS[0], MEMORY, MEMORY // 2, module._has_float64())
