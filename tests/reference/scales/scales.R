# Means and odds ratios of a logistic mixed model by emmeans, and averages over subjects by R's own integrate().
# Rscript scales.R leave.csv scales.json session.txt
suppressMessages({library(lme4); library(emmeans); library(jsonlite)})
files <- commandArgs(trailingOnly = TRUE)
d <- read.csv(files[1])
d$visit <- factor(d$visit, levels = c("baseline", "1 year", "3 years"))
d$sex <- factor(d$sex)
m <- glmer(y ~ visit * sex + (1 | subject), d, family = binomial, nAGQ = 15,
           control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-3, rhoend = 1e-9, maxfun = 1e5)))
e <- emmeans(m, ~ visit | sex)
response <- as.data.frame(summary(e, type = "response"))
odds <- as.data.frame(summary(contrast(e, "trt.vs.ctrl", adjust = "none"), type = "response", infer = TRUE))
s <- sqrt(unlist(VarCorr(m)))
average <- function(eta) integrate(function(z) plogis(eta + s * z) * dnorm(z), -Inf, Inf, rel.tol = 1e-12)$value
found <- list(
  probability = response$prob, probability_se = response$SE,
  odds_ratio = odds$odds.ratio, odds_ratio_se = odds$SE, p_value = odds$p.value,
  marginal = sapply(e@linfct %*% fixef(m), average)
)
write(toJSON(found, digits = 12, pretty = TRUE), files[2])
writeLines(capture.output(sessionInfo()), files[3])
