# ICC and R2 by performance on the oracle data. Run: Rscript variance_shares.R DIR_OF_burnout_200.csv > variance_shares.json
suppressPackageStartupMessages({library(lme4); library(performance); library(jsonlite)})
dir <- commandArgs(TRUE)[1]
d <- read.csv(file.path(dir, "burnout_200.csv"), stringsAsFactors = TRUE)
d$visit <- factor(d$visit, levels = c("v0", "v1", "v3")); d <- d[!is.na(d$EE), ]
ctl <- lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-12, xtol_rel = 1e-12, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 1e5))
shares <- function(formula) {
  f <- lmer(formula, d, REML = TRUE, control = ctl); i <- icc(f); r <- r2_nakagawa(f)
  list(formula = paste(deparse(formula), collapse = ""), icc_adjusted = i$ICC_adjusted, icc_conditional = i[[2]],
       marginal = as.numeric(r$R2_marginal), conditional = as.numeric(r$R2_conditional))
}
out <- list(ri = shares(EE ~ visit * group + sex + age + (1 | id)), ris = shares(EE ~ years * group + (1 + years | id)),
            versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")), performance = as.character(packageVersion("performance"))))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE), "\n")
