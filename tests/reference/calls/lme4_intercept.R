# exhaustion ~ visit * sex + age + (1 | subject); random-effects (1 | subject) covariance, REML
# Data: one row for each subject and visit, as they were analyzed (missing codes emptied, scores made).
library(lme4)
library(lmerTest)
library(emmeans)
raw <- read.csv("villa_sana.csv", check.names = FALSE, colClasses = "character",
  na.strings = c("", "NA"))
d <- data.frame(
  subject = factor(raw[["id"]]),
  visit = factor(raw[["visit"]], levels = c("baseline", "1 year", "3 years")),
  exhaustion = as.numeric(raw[["exhaustion"]]),
  sex = factor(raw[["sex"]], levels = c("F", "M")),
  age = as.numeric(raw[["age"]])
)
d <- d[complete.cases(d), ]
d$visit_n <- as.integer(d$visit)
d <- d[order(d$subject, d$visit_n), ]
fit <- lmer(exhaustion ~ visit + sex + age + visit:sex + (1 | subject), data = d, REML = TRUE)
print(summary(fit, ddf = "Kenward-Roger"))
w <- 1 / ave(seq_len(nrow(d)), d$subject, FUN = length)  # every subject counts once
means <- emmeans(
  fit,
  "visit",
  at = list(age = weighted.mean(d$age, w)),
  weights = c(prop.table(xtabs(w ~ sex, data = d))),
  lmer.df = "kenward-roger"
)
changes <- contrast(means, list(
  "1 year - baseline" = c(-1, 1, 0),
  "3 years - baseline" = c(-1, 0, 1)
))
print(means)
print(summary(changes, infer = TRUE, level = 0.95))
