# Random effects by lme4, lmerTest, pbkrtest and clubSandwich: exact times (the row path), conditional variances of random effects,
# a fit at the edge, and sleepstudy as sums of products. Run in this folder: Rscript random_effects.R
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(jsonlite)})
ctl <- lmerControl(optimizer = "nloptwrap", optCtrl = list(algorithm = "NLOPT_LN_BOBYQA", xtol_abs = 1e-12,
  xtol_rel = 1e-12, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 1e5), check.nobs.vs.nRE = "ignore",
  check.nobs.vs.nlev = "ignore")
frame <- function(x) { x <- as.data.frame(x); c(list(term = rownames(x)), as.list(x)) }
one <- function(formula, data, reml = TRUE, kr = reml) {
  f <- lmerTest::lmer(formula, data = data, REML = reml, control = ctl)
  b <- ranef(f, condVar = TRUE)[[1]]
  v <- attr(b, "postVar")
  if (is.list(v)) v <- do.call(rbind, lapply(v, function(a) a[1, 1, ])) else v <- apply(v, 3, diag)
  v <- matrix(v, ncol = nrow(b))
  o <- list(formula = paste(deparse(formula), collapse = ""), reml = reml, logLik = as.numeric(logLik(f)),
    sigma = sigma(f), singular = isSingular(f),
    varcorr = lapply(VarCorr(f), function(m) { attributes(m) <- attributes(m)["dim"]; m }),
    satterthwaite = frame(coef(summary(f))),
    ranef = as.list(as.data.frame(b)[1:10, , drop = FALSE]), subjects = rownames(b)[1:10],
    condsd = unname(lapply(seq_len(nrow(v)), function(k) sqrt(v[k, 1:10]))),
    fitted = unname(fitted(f)[1:10]))
  o$cr2 <- unname(sqrt(diag(as.matrix(clubSandwich::vcovCR(f, type = "CR2")))))
  o$cr2_df <- clubSandwich::coef_test(f, vcov = "CR2")$df_Satt
  if (kr) { o$kr <- frame(coef(summary(f, ddf = "Kenward-Roger"))) }
  o
}
d <- read.csv("../oracles/burnout_200.csv")
set.seed(20260101)
d$exact <- round(d$years + ifelse(d$years > 0, runif(nrow(d), -0.25, 0.25), runif(nrow(d), 0, 0.1)), 4)
write.csv(d[c("id", "visit", "group", "sex", "age", "exact", "EE")], "data/burnout_200_exact.csv", row.names = FALSE,
  quote = FALSE)
f <- EE ~ exact * group + sex + age
out <- list(
  exact = list(
    ris_REML = one(update(f, . ~ . + (1 + exact | id)), d), ris_ML = one(update(f, . ~ . + (1 + exact | id)), d, FALSE),
    risu_REML = one(update(f, . ~ . + (1 + exact || id)), d),
    slope_REML = one(update(f, . ~ . + (0 + exact | id)), d),
    quadratic_REML = one(EE ~ exact + I(exact^2) + group + (1 + exact + I(exact^2) || id), d),
    age_REML = one(EE ~ visit * group + sex + age + (1 + age | id), d)),
  nominal = list(
    ri_REML = one(EE ~ visit * group + sex + age + (1 | id), d),
    ris_REML = one(EE ~ visit * group + sex + age + (1 + years | id), d)))
# a cohort with an added effect of 12 clinics (data/burnout_200_clinics.csv; the added effects are normal, SD 6)
clinics <- read.csv("data/burnout_200_clinics.csv")
clinics$years <- c(v0 = 0, v1 = 1, v3 = 3)[clinics$visit]
nested <- function(formula, reml = TRUE) {
  f <- lmerTest::lmer(formula, data = clinics, REML = reml, control = ctl)
  o <- list(formula = paste(deparse(formula), collapse = ""), logLik = as.numeric(logLik(f)), sigma = sigma(f),
    clinic = as.numeric(VarCorr(f)$clinic), id = unname(matrix(VarCorr(f)$id, nrow(VarCorr(f)$id))),
    satterthwaite = frame(coef(summary(f))))
  if (reml) o$kr <- frame(coef(summary(f, ddf = "Kenward-Roger")))
  o
}
out$clinics <- list(ri_REML = nested(EE ~ visit * group + sex + age + (1 | id) + (1 | clinic)),
  ri_ML = nested(EE ~ visit * group + sex + age + (1 | id) + (1 | clinic), FALSE),
  ris_REML = nested(EE ~ visit * group + sex + age + (1 + years | id) + (1 | clinic)))
data(sleepstudy)
wide <- do.call(rbind, lapply(split(sleepstudy, sleepstudy$Subject), function(s) s$Reaction[order(s$Days)]))
out$sleepstudy <- list(n = nrow(wide), days = 0:9, sums = unname(colSums(wide)), products = unname(crossprod(wide)))
out$session <- capture.output(sessionInfo())[1:3]
out$versions <- vapply(c("base", "lme4", "lmerTest", "pbkrtest", "clubSandwich"), function(p) as.character(packageVersion(p)), "")
write(toJSON(out, digits = I(15), auto_unbox = TRUE, matrix = "rowmajor", pretty = TRUE), "random_effects.json")
