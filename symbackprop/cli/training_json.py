"""A run of training as one JSON object."""

from __future__ import annotations

import json
import math
from typing import Any

from symbackprop.training.result import Training

__all__ = ["training_json"]


def training_json(run: Training, report: str | None, scale: float) -> str:
    """The JSON text of ``run``; a number that is not finite is null.

    ``losses`` and ``loss`` are as the network defines its loss; ``report`` and ``scale`` say how they are printed.
    """
    everything = {
        "network": run.network,
        "ok": run.stopped is None,
        "stopped": run.stopped,
        "epochs": run.epochs,
        "steps": run.steps,
        "settings": run.settings.as_dict(),
        "trained": list(run.trained),
        "report": report,
        "scale": scale,
        "loss": run.loss,
        "losses": run.losses.tolist(),
        "parameters": {name: array.tolist() for name, array in run.parameters.items()},
        "predictions": None if run.predictions is None else run.predictions.tolist(),
        "seconds": run.seconds,
    }
    return json.dumps(_finite(everything), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
