"""Floor 7, the public objects: thin views of what the lower floors compute."""

from symbackprop.api.claims import check_document
from symbackprop.api.derivation import Derivation
from symbackprop.api.gradient import Gradient
from symbackprop.api.gradient_checks import check_gradients
from symbackprop.api.models import Model, Network, Program

__all__ = ["Derivation", "Gradient", "Model", "Network", "Program", "check_document", "check_gradients"]
