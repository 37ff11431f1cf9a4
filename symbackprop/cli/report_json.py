"""A verification report as one JSON object. Indices count from 0 there, as in the API."""

from __future__ import annotations

import json

from symbackprop.verification.report import Report

__all__ = ["report_json"]


def report_json(report: Report) -> str:
    """The JSON text of ``report``; a number that is not finite is null."""
    return json.dumps(report.as_dict(), indent=2, allow_nan=False)
