# Dates of assessment as exact years since a subject's own baseline date, by lme4, lmerTest and pbkrtest: R subtracts the dates and divides by 365.25.
# The dates are made here from oracles/burnout_200.csv (up to 90 days around the nominal day). Run in this folder: Rscript exact_years.R
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(jsonlite)})
ctl <- lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-12,
  xtol_rel = 1e-12, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 1e5))
frame <- function(x) { x <- as.data.frame(x); c(list(term = rownames(x)), as.list(x)) }
d <- read.csv("../oracles/burnout_200.csv")
set.seed(20260202)
start <- as.Date("2003-08-01") + sample(0:700, max(d$id), replace = TRUE)
off <- ifelse(d$years > 0, sample(-90:90, nrow(d), replace = TRUE), 0)
d$assessed <- start[d$id] + round(d$years * 365.25) + off
write.csv(d[c("id", "visit", "group", "sex", "assessed", "EE")], "data/burnout_200_dates.csv", row.names = FALSE,
  quote = FALSE)
first <- setNames(d$assessed[d$visit == "v0"], d$id[d$visit == "v0"])
d$exact <- as.numeric(d$assessed - first[as.character(d$id)]) / 365.25
one <- function(formula, reml = TRUE) {
  f <- lmerTest::lmer(formula, data = d, REML = reml, control = ctl)
  o <- list(logLik = as.numeric(logLik(f)), sigma = sigma(f), n = nobs(f),
    varcorr = lapply(VarCorr(f), function(m) { attributes(m) <- attributes(m)["dim"]; m }),
    satterthwaite = frame(coef(summary(f))))
  if (reml) o$kr <- frame(coef(summary(f, ddf = "Kenward-Roger")))
  o
}
seen <- d[!is.na(d$EE), ]
follow <- lapply(split(seen$exact, seen$visit), function(x)
  list(n = length(x), mean = mean(x), sd = sd(x), quartiles = unname(quantile(x, c(.25, .5, .75)))))
last <- tapply(seen$exact, seen$id, max)
last <- last[tapply(seen$years, seen$id, max) > 0]
follow$last <- list(n = length(last), mean = mean(last), sd = sd(last), quartiles = unname(quantile(last, c(.25, .5, .75))))
out <- list(
  slopes_REML = one(EE ~ exact * group + sex + (1 + exact | id)),
  slopes_ML = one(EE ~ exact * group + sex + (1 + exact | id), FALSE),
  fixed_REML = one(EE ~ visit + exact + group + (1 | id)),
  follow_up = follow)
writeLines(toJSON(out, auto_unbox = TRUE, digits = NA, pretty = TRUE), "exact_years.json")
writeLines(capture.output(sessionInfo())[c(1, 2)], "exact_years_session.txt")
cat(paste(c("lme4", "lmerTest", "pbkrtest"), sapply(c("lme4", "lmerTest", "pbkrtest"), function(p) as.character(packageVersion(p)))),
  sep = "\n", file = "exact_years_session.txt", append = TRUE)
