# Profile-likelihood intervals by lme4 on the oracle data. Run: Rscript profile.R DIR_OF_burnout_200.csv > profile.json
# lme4 interpolates the profile by a spline; a fine grid (delta) brings the interpolation near its limit.
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
dir <- commandArgs(TRUE)[1]
d <- read.csv(file.path(dir, "burnout_200.csv"), stringsAsFactors = TRUE)
d$visit <- factor(d$visit, levels = c("v0", "v1", "v3")); d <- d[!is.na(d$EE), ]
ctl <- lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-12, xtol_rel = 1e-12, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 1e5))
limits <- function(formula) {
  f <- lmer(formula, d, REML = FALSE, control = ctl)
  p <- profile(f, delta = 0.2, delta.cutoff = 1 / 16, maxpts = 200)
  ci <- confint(p, level = 0.95)
  list(formula = paste(deparse(formula), collapse = ""), term = rownames(ci), low = unname(ci[, 1]), high = unname(ci[, 2]), loglik = as.numeric(logLik(f)))
}
out <- list(ri = limits(EE ~ visit * group + sex + age + (1 | id)),
            ris = limits(EE ~ years * group + (1 + years | id)),
            versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4"))))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE), "\n")
