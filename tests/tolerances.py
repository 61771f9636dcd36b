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

LMER_OPTIMUM = 2e-6
"""Relative, variances and random effects against lme4: its optimizer asks the criterion only, no gradient, and the
criterion is flat at the optimum, so parameters agree to about the root of its rounding.
"""

TUKEY_LIMIT = 1e-4
"""In standard errors, limits of Tukey's intervals against R: `qtukey` promises four decimals, ours are exact."""

DUNNETT = 0.04
"""Absolute, exact p values after Dunnett against emmeans' "dunnettx", which is an approximation."""

LATTICE = 5e-5
"""Absolute, multivariate t probabilities in four dimensions and more, by 160,000 points of a lattice."""

UNPOLISHED = 1e-5
"""Absolute, in the units of the score, residuals against nlme: gls stops short of the optimum, so variances agree to
about 3e-7 (`oracles/README.md`, note 10).
"""

PROFILE_SPLINE = 1e-4
"""In standard errors, profile limits against lme4, which interpolates the profile by a spline."""

STREAM = 1e-9
"""Relative, a cohort read part by part against the same in memory: only the order of additions differs."""

SAME_OPTIMUM = 1e-8
"""Relative, −2 log-likelihood at optima reached from different starts or by different optimizers."""

REFIT = 1e-6
"""Relative, a replicate of the batch against the model fitted to the resampled rows: two optimizations in other
coordinates, each polished.
"""

CLOSED_FORM = 1e-10
"""Relative, formulas without iteration against R, statsmodels and scipy: only the order of operations differs."""

PROFILE_LOGISTIC = 2e-4
"""In standard errors, profile limits of logistic regression against R's MASS, which interpolates the profile by a
spline.
"""

LOGISTIC = 1e-7
"""Relative, coefficients and standard errors of logistic regression against R and statsmodels: their iterations stop
earlier than ours.
"""

ONE_FACTOR = 1e-7
"""Relative, loadings and omega against psych, factanal and lavaan, whose optimizers stop short of the optimum: lavaan's
loadings agree to about 2e-8, psych's omega to 5e-9.
"""

UNIROOT = 1e-9
"""Absolute, limits that R's uniroot finds with tol = 1e-13, where the function is steep."""

MAUCHLY_P = 2e-5
"""Absolute, Mauchly's p against R for four visits and more, where R's second-order term has a slip (see the test)."""

R_OPTIMIZE = 1e-5
"""Relative, where R's optimize finds a maximum: the criterion is flat there, so only half the digits are determined."""

GENZ = 1e-3
"""Absolute, p values adjusted by R's mvtnorm, whose randomized quadrature warns that it stopped short of 1e-6."""

WEIGHTED = 1e-6
"""Relative, weighted estimates reached in two ways: Newton of the model of being seen stops after a step that gains
less than 1e-10 of the log-likelihood, and the weights follow the coefficients.
"""

STACKED = 1e-5
"""Relative, a sandwich from derivatives in closed form against one from central differences of all equations."""

GLS_OPTIMUM = 1e-5
"""Relative, where R's gls or optim ends: at relative changes of the log-likelihood of 1e-12, which determine half as
many digits of the covariance.
"""

LAVAAN = 1e-4
"""Relative, structural models against lavaan, whose search ends at gradients of about 1e-6 in the scale of its data."""

LAVAAN_FIT = 1e-9
"""Relative, log-likelihoods of structural models against lavaan: flat at the optimum."""
