"""Loss and gradients of the 2-3-1 network of article 000, from network.toml.

2 inputs; layer 1: 3 units, activation sigmoid, no bias; layer 2: 1 unit, activation identity, no
bias.
Loss: mean squared error (1/(N K) sum_n sum_k (a - y)^2: the mean over all entries; equal to
torch.nn.MSELoss()); reduction: mean.

Made by symbackprop 0.1.0; needs NumPy and nothing else.
"""

import numpy as np

__all__ = ("PARAMETERS", "loss_and_gradients", "loss", "predict")

# The shape of each parameter; a name stands for any size that is the same throughout.
PARAMETERS = {
    "W1": (2, 3),
    "W2": (3, 1),
}
DATA = {
    "x": ("N", 2),
    "y": ("N", 1),
}
INTEGERS = ()


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


def sigmoid(z):
    """sigmoid(z) = 1/(1 + exp(-z)), entry by entry."""
    return np.exp(np.minimum(z, 0))/(1 + np.exp(-np.absolute(z)))


def loss_and_gradients(parameters, x, y):
    """Return the loss, and its derivative by each parameter as a dict of arrays."""
    shapes = {**PARAMETERS, **DATA}
    given = {**parameters, "x": x, "y": y}
    W1, W2, x, y = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    N = x.shape[0]
    # z1[n,j] = Sum(W1[i,j]*x[n,i], i)
    z1 = x @ W1
    # a1[n,j] = sigmoid(z1[n,j])
    a1 = sigmoid(z1)
    # z2[n,j] = Sum(W2[i,j]*a1[n,i], i)
    z2 = a1 @ W2
    # L = Sum((z2[n,k] - y[n,k])**2, n, k)/N
    L = np.sum((z2 - y)**2)/N
    # z2_bar[n,j] = 2*(z2[n,j] - y[n,j])/N
    z2_bar = 2*(z2 - y)/N
    # W2_bar[i,j] = Sum(z2_bar[n,j]*a1[n,i], n)
    W2_bar = a1.T @ z2_bar
    # a1_bar[n,j] = Sum(z2_bar[n,k]*W2[j,k], k)
    a1_bar = z2_bar @ W2.T
    # z1_bar[n,j] = a1_bar[n,j]*a1[n,j]*(1 - a1[n,j])
    z1_bar = a1_bar*a1*(1 - a1)
    # W1_bar[i,j] = Sum(z1_bar[n,j]*x[n,i], n)
    W1_bar = x.T @ z1_bar
    gradients = {
        "W1": W1_bar,
        "W2": W2_bar,
    }
    return L, gradients


def loss(parameters, x, y):
    """Return the loss."""
    shapes = {**PARAMETERS, **DATA}
    given = {**parameters, "x": x, "y": y}
    W1, W2, x, y = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    N = x.shape[0]
    # z1[n,j] = Sum(W1[i,j]*x[n,i], i)
    z1 = x @ W1
    # a1[n,j] = sigmoid(z1[n,j])
    a1 = sigmoid(z1)
    # z2[n,j] = Sum(W2[i,j]*a1[n,i], i)
    z2 = a1 @ W2
    # L = Sum((z2[n,k] - y[n,k])**2, n, k)/N
    L = np.sum((z2 - y)**2)/N
    return L


def predict(parameters, x):
    """Return the network's output."""
    shapes = {**PARAMETERS, "x": DATA["x"]}
    given = {**parameters, "x": x}
    W1, W2, x = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    # z1[n,j] = Sum(W1[i,j]*x[n,i], i)
    z1 = x @ W1
    # a1[n,j] = sigmoid(z1[n,j])
    a1 = sigmoid(z1)
    # z2[n,j] = Sum(W2[i,j]*a1[n,i], i)
    z2 = a1 @ W2
    return z2
