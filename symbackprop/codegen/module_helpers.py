"""Functions whose text stand-alone modules carry with them. They use NumPy and nothing else."""

# Generated modules carry no annotations.
# mypy: disable-error-code="no-untyped-def, var-annotated"

import numpy as np

__all__ = ["arrays_of", "log_softmax", "logsumexp", "softmax"]


def arrays_of(shapes, given, parameters, integers):
    """The arrays called in ``shapes``, in one floating type: that of the parameters."""
    sizes, arrays = {}, {}
    for name in given:
        if name not in shapes and name not in parameters:
            raise ValueError(f"there is no parameter {name!r}; known are {', '.join(parameters)}")
    for name, shape in shapes.items():
        if given.get(name) is None:
            raise ValueError(f"{name} is missing; give an array of shape {shape}")
        array = np.asarray(given[name])
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} is an array of {array.dtype}; give real numbers")
        if array.ndim != len(shape):
            raise ValueError(f"{name} has shape {array.shape}; {shape} was expected")
        if array.size == 0:
            raise ValueError(f"{name} has shape {array.shape}; give at least one entry")
        if not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{name}{place} is {array[tuple(place)]}; give finite numbers")
        for size, extent in zip(shape, array.shape, strict=True):
            if isinstance(size, int) and size != extent:
                raise ValueError(f"{name} has shape {array.shape}; {shape} was expected")
            if sizes.setdefault(size, extent) != extent:
                raise ValueError(f"{name} has shape {array.shape}; {shape} was expected, where {size} is {sizes[size]}")
        arrays[name] = array
    real = [array for name, array in arrays.items() if name in parameters]
    dtype = np.float32 if real and all(array.dtype == np.float32 for array in real) else np.float64
    return [array.astype(np.int64 if name in integers else dtype, copy=False) for name, array in arrays.items()]


def softmax(z, axis):
    """exp(z) / sum exp(z), without overflow."""
    raised = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return raised / np.sum(raised, axis=axis, keepdims=True)


def log_softmax(z, axis):
    """z - log sum exp(z), without overflow or cancellation."""
    below = z - np.max(z, axis=axis, keepdims=True)
    return below - np.log(np.sum(np.exp(below), axis=axis, keepdims=True))


def logsumexp(z, axis=None):
    """log sum exp(z), without overflow."""
    top = np.max(z, axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.sum(np.exp(z - top), axis=axis))
