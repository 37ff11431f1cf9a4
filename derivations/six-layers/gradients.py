"""Loss and gradients of a network of six layers, from network.toml.

2 inputs; layer 1: 3 units, activation tanh; layer 2: 2 units, activation sigmoid; layer 3: 2 units,
activation softplus; layer 4: 2 units, activation elu; layer 5: 2 units, activation sigmoid; layer
6: 1 unit, activation identity.
Loss: half squared error (1/N sum_n 1/2 sum_k (a - y)^2: the mean over the examples of half the
squared error; equal to torch.nn.MSELoss(reduction='sum')(a, y) / (2 N)); reduction: mean.

Made by symbackprop 0.1.0; needs NumPy and nothing else.
"""

import numpy as np

__all__ = ("PARAMETERS", "loss_and_gradients", "loss", "predict")

# The shape of each parameter; a name stands for any size that is the same throughout.
PARAMETERS = {
    "W1": (3, 2),
    "b1": (3,),
    "W2": (2, 3),
    "b2": (2,),
    "W3": (2, 2),
    "b3": (2,),
    "W4": (2, 2),
    "b4": (2,),
    "W5": (2, 2),
    "b5": (2,),
    "W6": (1, 2),
    "b6": (1,),
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


def elu(z):
    """elu(z) = Piecewise((z, z > 0), (exp(z) - 1, True)), entry by entry."""
    return np.expm1(np.minimum(z, 0)) + np.maximum(z, 0)


def sigmoid(z):
    """sigmoid(z) = 1/(1 + exp(-z)), entry by entry."""
    return np.exp(np.minimum(z, 0))/(1 + np.exp(-np.absolute(z)))


def softplus(z):
    """softplus(z) = log(exp(z) + 1), entry by entry."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.absolute(z)))


def loss_and_gradients(parameters, x, y):
    """Return the loss, and its derivative by each parameter as a dict of arrays."""
    shapes = {**PARAMETERS, **DATA}
    given = {**parameters, "x": x, "y": y}
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6, x, y = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    N = x.shape[0]
    dtype = W1.dtype
    # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
    z1 = x @ W1.T + b1
    # a1[n,j] = tanh(z1[n,j])
    a1 = np.tanh(z1)
    # z2[n,j] = Sum(W2[j,i]*a1[n,i], i) + b2[j]
    z2 = a1 @ W2.T + b2
    # a2[n,j] = sigmoid(z2[n,j])
    a2 = sigmoid(z2)
    # z3[n,j] = Sum(W3[j,i]*a2[n,i], i) + b3[j]
    z3 = a2 @ W3.T + b3
    # a3[n,j] = softplus(z3[n,j])
    a3 = softplus(z3)
    # z4[n,j] = Sum(W4[j,i]*a3[n,i], i) + b4[j]
    z4 = a3 @ W4.T + b4
    # a4[n,j] = elu(z4[n,j])
    a4 = elu(z4)
    # z5[n,j] = Sum(W5[j,i]*a4[n,i], i) + b5[j]
    z5 = a4 @ W5.T + b5
    # a5[n,j] = sigmoid(z5[n,j])
    a5 = sigmoid(z5)
    # z6[n,j] = Sum(W6[j,i]*a5[n,i], i) + b6[j]
    z6 = a5 @ W6.T + b6
    # L = Sum((z6[n,k] - y[n,k])**2, n, k)/(2*N)
    L = np.sum((z6 - y)**2)/(2*N)
    # z6_bar[n,j] = (z6[n,j] - y[n,j])/N
    z6_bar = (z6 - y)/N
    # W6_bar[j,i] = Sum(z6_bar[n,j]*a5[n,i], n)
    W6_bar = z6_bar.T @ a5
    # b6_bar[j] = Sum(z6_bar[n,j], n)
    b6_bar = np.sum(z6_bar, axis=0)
    # a5_bar[n,j] = Sum(z6_bar[n,k]*W6[k,j], k)
    a5_bar = z6_bar @ W6
    # z5_bar[n,j] = a5_bar[n,j]*a5[n,j]*(1 - a5[n,j])
    z5_bar = a5_bar*a5*(1 - a5)
    # W5_bar[j,i] = Sum(z5_bar[n,j]*a4[n,i], n)
    W5_bar = z5_bar.T @ a4
    # b5_bar[j] = Sum(z5_bar[n,j], n)
    b5_bar = np.sum(z5_bar, axis=0)
    # a4_bar[n,j] = Sum(z5_bar[n,k]*W5[k,j], k)
    a4_bar = z5_bar @ W5
    # z4_bar[n,j] = a4_bar[n,j]*((1 + a4[n,j])*[z4[n,j] <= 0] + [z4[n,j] > 0])
    z4_bar = a4_bar*((1 + a4)*(z4 <= 0) + (z4 > 0).astype(dtype))
    # W4_bar[j,i] = Sum(z4_bar[n,j]*a3[n,i], n)
    W4_bar = z4_bar.T @ a3
    # b4_bar[j] = Sum(z4_bar[n,j], n)
    b4_bar = np.sum(z4_bar, axis=0)
    # a3_bar[n,j] = Sum(z4_bar[n,k]*W4[k,j], k)
    a3_bar = z4_bar @ W4
    # z3_bar[n,j] = a3_bar[n,j]*sigmoid(z3[n,j])
    z3_bar = a3_bar*sigmoid(z3)
    # W3_bar[j,i] = Sum(z3_bar[n,j]*a2[n,i], n)
    W3_bar = z3_bar.T @ a2
    # b3_bar[j] = Sum(z3_bar[n,j], n)
    b3_bar = np.sum(z3_bar, axis=0)
    # a2_bar[n,j] = Sum(z3_bar[n,k]*W3[k,j], k)
    a2_bar = z3_bar @ W3
    # z2_bar[n,j] = a2_bar[n,j]*a2[n,j]*(1 - a2[n,j])
    z2_bar = a2_bar*a2*(1 - a2)
    # W2_bar[j,i] = Sum(z2_bar[n,j]*a1[n,i], n)
    W2_bar = z2_bar.T @ a1
    # b2_bar[j] = Sum(z2_bar[n,j], n)
    b2_bar = np.sum(z2_bar, axis=0)
    # a1_bar[n,j] = Sum(z2_bar[n,k]*W2[k,j], k)
    a1_bar = z2_bar @ W2
    # z1_bar[n,j] = a1_bar[n,j]*(1 - a1[n,j]**2)
    z1_bar = a1_bar*(1 - a1**2)
    # W1_bar[j,i] = Sum(z1_bar[n,j]*x[n,i], n)
    W1_bar = z1_bar.T @ x
    # b1_bar[j] = Sum(z1_bar[n,j], n)
    b1_bar = np.sum(z1_bar, axis=0)
    gradients = {
        "W1": W1_bar,
        "b1": b1_bar,
        "W2": W2_bar,
        "b2": b2_bar,
        "W3": W3_bar,
        "b3": b3_bar,
        "W4": W4_bar,
        "b4": b4_bar,
        "W5": W5_bar,
        "b5": b5_bar,
        "W6": W6_bar,
        "b6": b6_bar,
    }
    return L, gradients


def loss(parameters, x, y):
    """Return the loss."""
    shapes = {**PARAMETERS, **DATA}
    given = {**parameters, "x": x, "y": y}
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6, x, y = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    N = x.shape[0]
    # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
    z1 = x @ W1.T + b1
    # a1[n,j] = tanh(z1[n,j])
    a1 = np.tanh(z1)
    # z2[n,j] = Sum(W2[j,i]*a1[n,i], i) + b2[j]
    z2 = a1 @ W2.T + b2
    # a2[n,j] = sigmoid(z2[n,j])
    a2 = sigmoid(z2)
    # z3[n,j] = Sum(W3[j,i]*a2[n,i], i) + b3[j]
    z3 = a2 @ W3.T + b3
    # a3[n,j] = softplus(z3[n,j])
    a3 = softplus(z3)
    # z4[n,j] = Sum(W4[j,i]*a3[n,i], i) + b4[j]
    z4 = a3 @ W4.T + b4
    # a4[n,j] = elu(z4[n,j])
    a4 = elu(z4)
    # z5[n,j] = Sum(W5[j,i]*a4[n,i], i) + b5[j]
    z5 = a4 @ W5.T + b5
    # a5[n,j] = sigmoid(z5[n,j])
    a5 = sigmoid(z5)
    # z6[n,j] = Sum(W6[j,i]*a5[n,i], i) + b6[j]
    z6 = a5 @ W6.T + b6
    # L = Sum((z6[n,k] - y[n,k])**2, n, k)/(2*N)
    L = np.sum((z6 - y)**2)/(2*N)
    return L


def predict(parameters, x):
    """Return the network's output."""
    shapes = {**PARAMETERS, "x": DATA["x"]}
    given = {**parameters, "x": x}
    W1, b1, W2, b2, W3, b3, W4, b4, W5, b5, W6, b6, x = arrays_of(shapes, given, PARAMETERS, INTEGERS)
    # z1[n,j] = Sum(W1[j,i]*x[n,i], i) + b1[j]
    z1 = x @ W1.T + b1
    # a1[n,j] = tanh(z1[n,j])
    a1 = np.tanh(z1)
    # z2[n,j] = Sum(W2[j,i]*a1[n,i], i) + b2[j]
    z2 = a1 @ W2.T + b2
    # a2[n,j] = sigmoid(z2[n,j])
    a2 = sigmoid(z2)
    # z3[n,j] = Sum(W3[j,i]*a2[n,i], i) + b3[j]
    z3 = a2 @ W3.T + b3
    # a3[n,j] = softplus(z3[n,j])
    a3 = softplus(z3)
    # z4[n,j] = Sum(W4[j,i]*a3[n,i], i) + b4[j]
    z4 = a3 @ W4.T + b4
    # a4[n,j] = elu(z4[n,j])
    a4 = elu(z4)
    # z5[n,j] = Sum(W5[j,i]*a4[n,i], i) + b5[j]
    z5 = a4 @ W5.T + b5
    # a5[n,j] = sigmoid(z5[n,j])
    a5 = sigmoid(z5)
    # z6[n,j] = Sum(W6[j,i]*a5[n,i], i) + b6[j]
    z6 = a5 @ W6.T + b6
    return z6
