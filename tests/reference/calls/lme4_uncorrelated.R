# exhaustion ~ visit + sex + (1 + years || subject); random-effects (1 + years || subject) covariance, ML
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
  years = c(0, 1, 3)[match(raw[["visit"]], c("baseline", "1 year", "3 years"))]
)
d <- d[complete.cases(d), ]
d$visit_n <- as.integer(d$visit)
d <- d[order(d$subject, d$visit_n), ]
fit <- lmer(exhaustion ~ visit + sex + (1 + years || subject), data = d, REML = FALSE)
print(summary(fit, ddf = "Satterthwaite"))
w <- 1 / ave(seq_len(nrow(d)), d$subject, FUN = length)  # every subject counts once
means <- emmeans(fit, "visit", weights = c(prop.table(xtabs(w ~ sex, data = d))), lmer.df = "satterthwaite")
changes <- contrast(means, list(
  "1 year - baseline" = c(-1, 1, 0),
  "3 years - baseline" = c(-1, 0, 1)
))
print(means)
print(summary(changes, infer = TRUE, level = 0.95))
