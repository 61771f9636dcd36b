"""How far a number may be from its reference: one constant per quantity, with the reason."""

ESTIMATE = 1e-6
"""Relative, estimates, standard errors, t and covariance parameters against R: both optima are polished, so nearly all
digits agree.
"""

LOGLIK = 1e-8
"""Relative, log-likelihoods against R: flat at the optimum, so more digits agree than of the parameters."""

DF = 1e-4
"""Relative, degrees of freedom against R: mmrm and lmerTest take second derivatives numerically."""

IDENTITY = 1e-8
"""Relative, where theory says that two numbers are the same: only rounding and the optimizer's stop stand between
them.
"""

DERIVATIVE = 1e-6
"""Relative, analytic against central differences with step 1e-5: their own error is of the order of 1e-8 of the largest
element.
"""

P_VALUE = 1e-5
"""Absolute, p values against R: they follow the degrees of freedom."""
