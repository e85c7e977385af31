"""Which cards are here, and who can use them."""

import mlpxp

__all__ = ["ORDER", "gpus", "here", "short"]

ORDER = ("cupy", "torch", "jax")  # what is to be learnt first


def gpus(status):
    """Return the GPUs that a backend can use."""
    return [device for device in status.devices if device.name.partition(":")[0] in {"cuda", "rocm"}]


def here(only=()):
    """Return the status of each backend that has a GPU, those that were asked for, in :data:`ORDER`."""
    found = [status for status in mlpxp.backends() if gpus(status) and status.name in (only or ORDER)]
    return sorted(found, key=lambda status: ORDER.index(status.name))


def short(found):
    """Return the first card's name as a part of a file's name: ``nvidia-h200``."""
    return "-".join(gpus(found[0])[0].description.lower().split())
