"""Every activation and loss as PyTorch has it. Only for tests that have made sure that PyTorch is there."""

from __future__ import annotations

import torch

__all__ = ["TORCH_ACTIVATIONS", "TORCH_LOSSES"]

F = torch.nn.functional

TORCH_ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": F.elu,
    "selu": F.selu,
    "softplus": F.softplus,
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "silu": F.silu,
    # F.hardsigmoid's own backward pass multiplies by 1/6 rounded to float32, off by 3e-8.
    "hard_sigmoid": lambda z: torch.clamp(z / 6 + 0.5, 0, 1),
    "softmax": lambda z: torch.softmax(z, -1),
}
# (output, target, reduction) -> loss, with the classes that the losses' docstrings name.
TORCH_LOSSES = {
    "half_squared_error": lambda a, y, r: torch.nn.MSELoss(reduction="sum")(a, y) / 2 / (len(a) if r == "mean" else 1),
    "mean_squared_error": lambda a, y, r: torch.nn.MSELoss(reduction=r)(a, y),
    "mean_absolute_error": lambda a, y, r: torch.nn.L1Loss(reduction=r)(a, y),
    "huber": lambda a, y, r: torch.nn.HuberLoss(delta=1.0, reduction=r)(a, y),
    "log_cosh": lambda a, y, r: getattr(torch.log(torch.cosh(a - y)), r)(),
    "hinge": lambda a, y, r: getattr(torch.relu(1 - y * a), r)(),
    "binary_cross_entropy": lambda a, y, r: torch.nn.BCELoss(reduction=r)(a, y),
    "binary_cross_entropy_with_logits": lambda a, y, r: torch.nn.BCEWithLogitsLoss(reduction=r)(a, y),
    "categorical_cross_entropy": lambda a, y, r: -(y * torch.log(a)).sum() / (len(a) if r == "mean" else 1),
    "categorical_cross_entropy_with_logits": lambda a, y, r: torch.nn.CrossEntropyLoss(reduction=r)(a, y),
    "upstream": lambda a, y, r: (y * a).sum(),
}
