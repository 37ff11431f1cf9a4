"""Loss and gradients of a classifier with three classes, from network.toml.

2 inputs; layer 1: 3 units, activation relu; layer 2: 3 units, activation softmax.
Loss: categorical cross entropy (-1/N sum_n sum_k y log a, a a probability: the mean over the
examples; on top of softmax equal to torch.nn.CrossEntropyLoss()(z, y) of the logits z); reduction:
mean. Penalties on the weights: l2 = 0.01.

Made by symbackprop 0.1.0; needs NumPy and nothing else.
"""

import numpy as np

__all__ = ("PARAMETERS", "loss_and_gradients", "loss", "predict")

# The shape of each parameter; a name stands for any size that is the same throughout.
PARAMETERS = {
    "W1": (3, 2),
    "b1": (3,),
    "W2": (3, 3),
    "b2": (3,),
}
DATA = {
    "x": ("N", 2),
    "y": ("N", 3),
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


def log_softmax(z, axis):
    """z - log sum exp(z), without overflow or cancellation."""
    below = z - np.max(z, axis=axis, keepdims=True)
    return below - np.log(np.sum(np.exp(below), axis=axis, keepdims=True))


def softmax(z, axis):
    """exp(z) / sum exp(z), without overflow."""
    raised = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return raised / np.sum(raised, axis=axis, keepdims=True)


def relu(z):
    """relu(z) = Piecewise((z, z > 0), (0, True)), entry by entry."""
    return np.maximum(z, 0)


def loss_and_gradients(parameters, x, y):
    """Return the loss, and its derivative by each parameter as a dict of arrays."""
    shapes = {**PARAMETERS, **DATA}
    given = {**parameters, "x": x, "y": y}
    W1, b1, W2, b2, x, y = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    N = x.shape[0]
    # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
    z1 = x @ W1.T + b1
    # a1[n,j] = relu(z1[n,j])
    a1 = relu(z1)
    # z2[n,j] = Sum(W2[j,i]*a1[n,i], i) + b2[j]
    z2 = a1 @ W2.T + b2
    # a2[n,j] = exp(z2[n,j])/Sum(exp(z2[n,k]), k)
    a2 = softmax(z2, axis=1)
    # logp[n,j] = z2[n,j] - log(Sum(exp(z2[n,k]), k))
    logp = log_softmax(z2, axis=1)
    # E = -Sum(logp[n,k]*y[n,k], n, k)/N
    E = -np.sum(logp*y)/N
    # R1 = Sum(W1[j,i]**2, j, i)/200
    R1 = np.sum(W1**2)/200
    # R2 = Sum(W2[j,i]**2, j, i)/200
    R2 = np.sum(W2**2)/200
    # L = E + R1 + R2
    L = E + R1 + R2
    # z2_bar[n,j] = (a2[n,j]*Sum(y[n,k], k) - y[n,j])/N
    z2_bar = (a2*np.sum(y, axis=1)[:, None] - y)/N
    # W2_bar[j,i] = Sum(z2_bar[n,j]*a1[n,i], n) + W2[j,i]/100
    W2_bar = z2_bar.T @ a1 + W2/100
    # b2_bar[j] = Sum(z2_bar[n,j], n)
    b2_bar = np.sum(z2_bar, axis=0)
    # a1_bar[n,j] = Sum(z2_bar[n,k]*W2[k,j], k)
    a1_bar = z2_bar @ W2
    # z1_bar[n,j] = a1_bar[n,j]*[z1[n,j] > 0]
    z1_bar = a1_bar*(z1 > 0)
    # W1_bar[j,i] = Sum(z1_bar[n,j]*x[n,i], n) + W1[j,i]/100
    W1_bar = z1_bar.T @ x + W1/100
    # b1_bar[j] = Sum(z1_bar[n,j], n)
    b1_bar = np.sum(z1_bar, axis=0)
    gradients = {
        "W1": W1_bar,
        "b1": b1_bar,
        "W2": W2_bar,
        "b2": b2_bar,
    }
    return L, gradients


def loss(parameters, x, y):
    """Return the loss."""
    shapes = {**PARAMETERS, **DATA}
    given = {**parameters, "x": x, "y": y}
    W1, b1, W2, b2, x, y = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    N = x.shape[0]
    # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
    z1 = x @ W1.T + b1
    # a1[n,j] = relu(z1[n,j])
    a1 = relu(z1)
    # z2[n,j] = Sum(W2[j,i]*a1[n,i], i) + b2[j]
    z2 = a1 @ W2.T + b2
    # logp[n,j] = z2[n,j] - log(Sum(exp(z2[n,k]), k))
    logp = log_softmax(z2, axis=1)
    # E = -Sum(logp[n,k]*y[n,k], n, k)/N
    E = -np.sum(logp*y)/N
    # R1 = Sum(W1[j,i]**2, j, i)/200
    R1 = np.sum(W1**2)/200
    # R2 = Sum(W2[j,i]**2, j, i)/200
    R2 = np.sum(W2**2)/200
    # L = E + R1 + R2
    L = E + R1 + R2
    return L


def predict(parameters, x):
    """Return the network's output."""
    shapes = {**PARAMETERS, "x": DATA["x"]}
    given = {**parameters, "x": x}
    W1, b1, W2, b2, x = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
    z1 = x @ W1.T + b1
    # a1[n,j] = relu(z1[n,j])
    a1 = relu(z1)
    # z2[n,j] = Sum(W2[j,i]*a1[n,i], i) + b2[j]
    z2 = a1 @ W2.T + b2
    # a2[n,j] = exp(z2[n,j])/Sum(exp(z2[n,k]), k)
    a2 = softmax(z2, axis=1)
    return a2
