# exhaustion ~ visit + sex; unstructured covariance, ML
# Data: one row for each subject and visit, as they were analyzed (missing codes emptied, scores made).
# Note: nlme has no Satterthwaite or Kenward-Roger df: compare estimates, and SEs without adjustment.
# Note: under ML gls multiplies SEs by sqrt(N / (N - p)), N scores and p coefficients.
library(nlme)
library(emmeans)
raw <- read.csv("villa_sana.csv", check.names = FALSE, colClasses = "character",
  na.strings = c("", "NA"))
d <- data.frame(
  subject = factor(raw[["id"]]),
  visit = factor(raw[["visit"]], levels = c("baseline", "1 year", "3 years")),
  exhaustion = as.numeric(raw[["exhaustion"]]),
  sex = factor(raw[["sex"]], levels = c("F", "M"))
)
d <- d[complete.cases(d), ]
d$visit_n <- as.integer(d$visit)
d <- d[order(d$subject, d$visit_n), ]
fit <- gls(
  exhaustion ~ visit + sex,
  data = d,
  correlation = corSymm(form = ~ visit_n | subject),
  weights = varIdent(form = ~ 1 | visit),
  method = "ML",
  control = glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-9, msTol = 1e-10)
)
print(summary(fit))
w <- 1 / ave(seq_len(nrow(d)), d$subject, FUN = length)  # every subject counts once
means <- emmeans(fit, "visit", weights = c(prop.table(xtabs(w ~ sex, data = d))), mode = "asymptotic")
changes <- contrast(means, list(
  "1 year - baseline" = c(-1, 1, 0),
  "3 years - baseline" = c(-1, 0, 1)
))
print(means)
print(summary(changes, infer = TRUE, level = 0.95))
