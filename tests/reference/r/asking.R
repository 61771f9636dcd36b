# Marginal means of populations, trends, polynomial contrasts, joint tests of an analysis of variance with an empty cell, and
# exact multivariate t probabilities: what the oracle files do not hold. Usage: Rscript asking.R burnout_200.csv asking.json
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(emmeans); library(car); library(mvtnorm); library(jsonlite)})
a <- commandArgs(TRUE)
d <- read.csv(a[1], stringsAsFactors = TRUE)
emm_options(lmerTest.limit = 1e5)
ctl <- lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-12, xtol_rel = 1e-12, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 1e5))
tab <- function(x) as.list(as.data.frame(x))
out <- list()

# a random intercept with positive variance is compound symmetry
f <- lmer(EE ~ visit * group * sex + age + (1 | id), d, control = ctl)
e <- emmeans(f, ~ visit * group, weights = c(0.7, 0.3), lmer.df = "satterthwaite")
out$population <- tab(summary(e, infer = c(TRUE, TRUE)))
p <- contrast(emmeans(f, ~ visit, lmer.df = "satterthwaite"), "pairwise")
out$pairs_tukey <- tab(summary(p, adjust = "tukey", infer = c(TRUE, TRUE)))

# trends of a numeric variable, through transforms
g <- lmer(EE ~ log(age) * group + years * group + I(years^2) + (1 | id), d, control = ctl)
out$trend_age <- tab(summary(emtrends(g, ~ group, var = "age", at = list(age = 50), delta.var = 1e-5, lmer.df = "satterthwaite"), infer = c(TRUE, TRUE)))
out$trend_years <- tab(summary(emtrends(g, ~ group, var = "years", at = list(years = 2), delta.var = 1e-5, lmer.df = "satterthwaite"), infer = c(TRUE, TRUE)))

# polynomials on the true times 0, 1, 3
h <- lmer(EE ~ visit * group + sex + age + (1 | id), d, control = ctl)
t <- c(0, 1, 3)
o <- contr.poly(3, scores = t)
ph <- contrast(emmeans(h, ~ visit | group, lmer.df = "satterthwaite"), list(linear = o[, 1], quadratic = o[, 2]))
out$polynomial <- tab(summary(ph, infer = c(TRUE, TRUE)))

# types 2 and 3 of a linear model with several factors, sum coded, unbalanced, and a covariate in an interaction
b <- d[d$visit == "v0", ]
options(contrasts = c("contr.sum", "contr.poly"))
l <- lm(EE ~ group * sex + specialty * sex + age * group, b)
out$type3 <- c(list(term = rownames(Anova(l, type = 3))), tab(Anova(l, type = 3)))
out$type2 <- c(list(term = rownames(Anova(l, type = 2))), tab(Anova(l, type = 2)))

# P(max |T| > c): Genz and Bretz's algorithm at high precision
set.seed(1)
cases <- list()
for (k in c(2, 3, 4, 6)) for (df in c(5, 40)) {
  A <- matrix(rnorm(k * (k + 2)), k); S <- cov2cor(A %*% t(A)); c0 <- 2.3
  v <- pmvt(rep(-c0, k), rep(c0, k), df = df, corr = S, algorithm = GenzBretz(maxpts = 2e7, abseps = 1e-6))
  q <- qmvt(0.95, tail = "both", df = df, corr = S, algorithm = GenzBretz(maxpts = 2e6, abseps = 1e-5))$quantile
  cases[[length(cases) + 1]] <- list(k = k, df = df, c = c0, corr = unname(S), p = 1 - as.numeric(v), error = attr(v, "error"), q95 = q)
}
out$mvt <- cases
out$session <- capture.output(sessionInfo())
write(toJSON(out, digits = I(15), auto_unbox = TRUE), a[2])
