"""Classic collaborative filters behind one small contract, and predictors of explicit ratings behind another."""

from graphprofile.collaborative.contract import Fitted, Method
from graphprofile.collaborative.methods import METHODS, method_named

__all__ = ["METHODS", "Fitted", "Method", "method_named"]
