"""The error function and its complement on NumPy arrays, which NumPy has not.

The rational Chebyshev approximations of W. J. Cody, "Rational Chebyshev approximations for the error function",
Mathematics of Computation 23 (1969), 631-637, with the coefficients of his CALERF: relative errors of a few units in
the last place of double precision, in the tail of ``erfc`` too.

This file needs NumPy only: generated modules carry its text with them.
"""

# NumPy declares what its ufuncs return as Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import numpy as np

__all__ = ["erf", "erfc"]

# Numerators and denominators of each of Cody's three intervals, highest power first.
_NEAR_ABOVE = (
    1.85777706184603153e-1,
    3.16112374387056560e00,
    1.13864154151050156e02,
    3.77485237685302021e02,
    3.20937758913846947e03,
)
_NEAR_BELOW = (
    1.0,
    2.36012909523441209e01,
    2.44024637934444173e02,
    1.28261652607737228e03,
    2.84423683343917062e03,
)
_MIDDLE_ABOVE = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e00,
    6.61191906371416295e01,
    2.98635138197400131e02,
    8.81952221241769090e02,
    1.71204761263407058e03,
    2.05107837782607147e03,
    1.23033935479799725e03,
)
_MIDDLE_BELOW = (
    1.0,
    1.57449261107098347e01,
    1.17693950891312499e02,
    5.37181101862009858e02,
    1.62138957456669019e03,
    3.29079923573345963e03,
    4.36261909014324716e03,
    3.43936767414372164e03,
    1.23033935480374942e03,
)
_FAR_ABOVE = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_BELOW = (
    1.0,
    2.56852019228982242e00,
    1.87295284992346725e00,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_ONE_OVER_ROOT_PI = 0.5641895835477563
_NEAR = 0.46875
_MIDDLE = 4.0
# Beyond, erfc is 0 in double precision, and nothing computed on the way to it overflows before.
_FARTHEST = 30.0


def erf(z: np.ndarray) -> np.ndarray:
    """The error function of every entry."""
    z = np.asarray(z)
    return np.piecewise(z, [np.abs(z) <= _NEAR], [_erf_near, _erf_beyond])


def erfc(z: np.ndarray) -> np.ndarray:
    """1 - erf of every entry, with all its digits where that is small."""
    z = np.asarray(z)
    tail = _erfc_of_positive(np.abs(z))
    # NumPy 1 makes double precision of a single number.
    return np.asarray(np.where(z < 0, 2 - tail, tail), dtype=z.dtype)


def _erf_beyond(z: np.ndarray) -> np.ndarray:
    return np.copysign(1 - _erfc_of_positive(np.abs(z)), z)


def _erfc_of_positive(y: np.ndarray) -> np.ndarray:
    return np.piecewise(y, [y <= _NEAR, (y > _NEAR) & (y <= _MIDDLE)], [_erfc_near, _erfc_middle, _erfc_far])


def _erf_near(z: np.ndarray) -> np.ndarray:
    square = z * z
    return z * (_polynomial(_NEAR_ABOVE, square) / _polynomial(_NEAR_BELOW, square))


def _erfc_near(y: np.ndarray) -> np.ndarray:
    return 1 - _erf_near(y)


def _erfc_middle(y: np.ndarray) -> np.ndarray:
    return _gauss(y) * (_polynomial(_MIDDLE_ABOVE, y) / _polynomial(_MIDDLE_BELOW, y))


def _erfc_far(y: np.ndarray) -> np.ndarray:
    y = np.minimum(y, _FARTHEST)
    inverse = 1 / (y * y)
    rest = inverse * _polynomial(_FAR_ABOVE, inverse) / _polynomial(_FAR_BELOW, inverse)
    return _gauss(y) * ((_ONE_OVER_ROOT_PI - rest) / y)


def _gauss(y: np.ndarray) -> np.ndarray:
    # exp(-y^2), with y^2 split into the square of a multiple of 1/16, which is exact, and a small rest.
    coarse = np.trunc(16 * y) / 16
    return np.exp(-coarse * coarse) * np.exp(-(y - coarse) * (y + coarse))


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result *= x
        result += coefficient
    return result
