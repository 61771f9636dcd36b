# Completers against those who were lost in burnout_200 at v3, at baseline: t tests, chi-square, Fisher, standardized
# differences (by the formulas of Yang & Dalton 2012, written out), a logistic model of dropout with Wald and
# profile-likelihood limits (MASS). Run in tests/reference/r: Rscript attrition.R
suppressPackageStartupMessages({
  library(MASS)
  library(jsonlite)
})

long <- read.csv("../oracles/burnout_200.csv", stringsAsFactors = FALSE)
base <- long[long$visit == "v0", ]
seen <- long$id[long$visit == "v3" & !is.na(long$EE)]
base$lost <- as.integer(!(base$id %in% seen))
base$sex <- factor(base$sex, levels = c("F", "M"))
base$specialty <- factor(base$specialty)

numbers <- function(test) {
  list(t = unname(test$statistic), df = unname(test$parameter), p = test$p.value,
       difference = unname(diff(test$estimate)), low = -test$conf.int[2], high = -test$conf.int[1])
}
counts <- function(test) list(statistic = unname(test$statistic), df = unname(test$parameter), p = test$p.value)

distance <- function(x, g) {
  p <- prop.table(table(x, g), 2)[-1, , drop = FALSE]
  V <- function(p) diag(p, length(p)) - p %o% p
  d <- p[, 2] - p[, 1]
  sqrt(drop(t(d) %*% solve((V(p[, 1]) + V(p[, 2])) / 2, d)))
}
standardized <- function(x, g) {
  m <- tapply(x, g, mean)
  s <- tapply(x, g, sd)
  unname((m[2] - m[1]) / sqrt((s[1]^2 + s[2]^2) / 2))
}

model <- glm(lost ~ sex + EE + age, family = binomial, data = base, control = list(epsilon = 1e-14, maxit = 100))
profile <- suppressMessages(confint(model))
three <- glm(lost ~ specialty * sex, family = binomial, data = base, control = list(epsilon = 1e-14, maxit = 100))

result <- list(
  pooled = numbers(t.test(EE ~ lost, data = base, var.equal = TRUE)),
  welch = numbers(t.test(EE ~ lost, data = base)),
  sex = list(
    plain = counts(chisq.test(table(base$sex, base$lost), correct = FALSE)),
    yates = counts(chisq.test(table(base$sex, base$lost))),
    fisher = fisher.test(table(base$sex, base$lost))$p.value
  ),
  specialty = counts(suppressWarnings(chisq.test(table(base$specialty, base$lost), correct = FALSE))),
  printed = list(
    yates = counts(chisq.test(matrix(c(101, 83, 16, 27), 2))),
    fisher = fisher.test(matrix(c(101, 83, 16, 27), 2))$p.value
  ),
  standardized = list(EE = standardized(base$EE, base$lost), sex = distance(base$sex, base$lost),
                      specialty = distance(base$specialty, base$lost)),
  model = list(
    terms = names(coef(model)), beta = unname(coef(model)), se = unname(sqrt(diag(vcov(model)))),
    wald = unname(confint.default(model)), profile = unname(profile), loglik = as.numeric(logLik(model))
  ),
  interaction = list(terms = names(coef(three)), beta = unname(coef(three)), se = unname(sqrt(diag(vcov(three)))))
)
write_json(result, "attrition.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
writeLines(capture.output(sessionInfo()), "attrition_session.txt")
