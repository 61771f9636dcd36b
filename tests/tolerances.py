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

GEEPACK = 1e-6
"""Relative to a standard error, generalized estimating equations against R's geepack, whose steps of coefficients and
of correlations alternate until neither moves by more than its tolerance.
"""

STACK_AND_SINGLE = 1e-6
"""Relative, a stack of cohorts against each one by itself: both end where the gradient of −2 log-likelihood is below
1e-6, from other starts, and a standard error follows θ to first order.
"""

NONCENTRAL_T = 1e-10
"""Absolute, tails of the noncentral t and normal powers against R: both sum the same series to about 1e-12."""

SUMMED = 1e-9
"""Sums over binomial counts against R's over all of them: counts with 1e-12 in each tail are left out."""

INTEGRATED = 1e-8
"""Gauss-Legendre with 96 points over a standard deviation against R's adaptive integral."""

ONE_TAIL = 2e-6
"""Absolute, two-sided power against longpower, which leaves out the tail on the other side and prints seven digits."""

PRINTED_POWER = 6e-7
"""Absolute, powers printed with six or seven decimals."""

GLMM_OPTIMUM = 1e-5
"""In standard errors, estimates of generalized mixed models against R: numerical gradients of lme4 and ordinal end near
1e-6. Relative, for the standard deviations of random effects.
"""

GLMM_SE = 2e-5
"""Relative, standard errors from Hessians by numerical differences on both sides."""

GLMM_LOGLIK = 1e-6
"""Absolute, log-likelihoods of generalized mixed models: the inner optimum of R is found to about 1e-7."""

LME4_LAPLACE = 1e-4
"""As above, lme4 with nAGQ = 1, and its probit: its penalized least squares stop early there (glmmTMB, which
differentiates exactly, agrees with us to 1e-11), and for a probit it has expected curvature where we have observed.
"""

LME4_LAPLACE_SE = 1e-3
"""Relative, standard errors by differences of such a function."""

PLANNED_POWER = 0.6
"""How far simulated power may lie below that of the formula, in units of arms × share lost / persons, beside the error
of the simulation: the formula lets numbers by pattern vary to first order only. Seen: 4 points at 12 persons in two
arms with 40% lost, none from 40 persons on.
"""

WITHOUT_GRADIENT = 5e-6
"""Relative, means and odds ratios of a logistic mixed model against lme4, whose optimizer asks the criterion only; rare
events make it flat.
"""

NUMERICAL_HESSIAN = 1e-4
"""Relative, their standard errors: lme4 takes the information by differences of the deviance."""
