# Panel models by full-information maximum likelihood in lavaan, on data that are complete and on data with visits missing.
# Run from this folder: Rscript panel.R; it writes data/panel_complete.csv, data/panel_missing.csv, panel.json and panel_session.txt.

suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})

set.seed(20100615)
n <- 240
level <- matrix(c(0.45, 0.22, 0.22, 0.40), 2)
L <- t(chol(level))
trait <- t(L %*% matrix(rnorm(2 * n), 2))
age <- round(46 + 9 * rnorm(n))
within <- array(0, c(n, 3, 2))
draw <- function() cbind(rnorm(n, 0, 0.6), rnorm(n, 0, 0.55)) %*% chol(matrix(c(1, 0.3, 0.3, 1), 2))
within[, 1, ] <- draw()
lags <- list(matrix(c(0.35, 0.10, 0.20, 0.30), 2), matrix(c(0.25, 0.05, 0.12, 0.20), 2))
for (k in 1:2) within[, k + 1, ] <- within[, k, ] %*% lags[[k]] + draw()
frame <- data.frame(age = age)
for (k in 1:3) {
  frame[[paste0("x", k - 1)]] <- round(3.0 - 0.25 * (k > 1) + 0.01 * (age - 46) + trait[, 1] + within[, k, 1], 3)
  frame[[paste0("y", k - 1)]] <- round(2.6 - 0.20 * (k > 1) + trait[, 2] + within[, k, 2] * exp(0.2 * trait[, 2]), 3)
}
missing <- frame
gone1 <- runif(n) < plogis(-1.8 + 0.5 * (frame$x0 - 3))
gone2 <- runif(n) < plogis(-1.4 + 0.5 * (frame$y0 - 2.6)) | (gone1 & runif(n) < 0.5)
missing[gone1, c("x1", "y1")] <- NA
missing[gone2, c("x2", "y2")] <- NA
missing$y1[sample(n, 8)] <- NA
missing$x0[sample(n, 6)] <- NA
write.csv(frame, "data/panel_complete.csv", row.names = FALSE)
write.csv(missing, "data/panel_missing.csv", row.names = FALSE)

start <- "
  x0 ~~ x0 + y0
  y0 ~~ y0
"
models <- list(
  cross_lagged_2 = paste(start, "
  x1 ~ x0 + y0
  y1 ~ x0 + y0
  x1 ~~ x1 + y1
  y1 ~~ y1
  x0 + y0 + x1 + y1 ~ 1"),
  cross_lagged_2_age = paste(start, "
  age ~~ age + x0 + y0
  x1 ~ x0 + y0 + age
  y1 ~ x0 + y0 + age
  x1 ~~ x1 + y1
  y1 ~~ y1
  age + x0 + y0 + x1 + y1 ~ 1"),
  synchronous = paste(start, "
  x1 ~ x0 + y1
  y1 ~ y0 + x1
  x1 ~~ x1 + y1
  y1 ~~ y1
  x0 + y0 + x1 + y1 ~ 1"),
  synchronous_x_to_y = paste(start, "
  x1 ~ x0
  y1 ~ y0 + x1
  x1 ~~ x1 + y1
  y1 ~~ y1
  x0 + y0 + x1 + y1 ~ 1"),
  cross_lagged_3 = paste(start, "
  x1 ~ x0 + y0
  y1 ~ x0 + y0
  x2 ~ x1 + y1
  y2 ~ x1 + y1
  x1 ~~ x1 + y1
  y1 ~~ y1
  x2 ~~ x2 + y2
  y2 ~~ y2
  x0 + y0 + x1 + y1 + x2 + y2 ~ 1"),
  random_intercept = "
  rx =~ 1 * x0 + 1 * x1 + 1 * x2
  ry =~ 1 * y0 + 1 * y1 + 1 * y2
  wx0 =~ 1 * x0
  wx1 =~ 1 * x1
  wx2 =~ 1 * x2
  wy0 =~ 1 * y0
  wy1 =~ 1 * y1
  wy2 =~ 1 * y2
  wx1 ~ wx0 + wy0
  wy1 ~ wx0 + wy0
  wx2 ~ wx1 + wy1
  wy2 ~ wx1 + wy1
  wx0 ~~ wx0 + wy0
  wy0 ~~ wy0
  wx1 ~~ wx1 + wy1
  wy1 ~~ wy1
  wx2 ~~ wx2 + wy2
  wy2 ~~ wy2
  rx ~~ rx + ry
  ry ~~ ry
  rx ~~ 0 * wx0 + 0 * wy0
  ry ~~ 0 * wx0 + 0 * wy0
  x0 ~~ 0 * x0
  x1 ~~ 0 * x1
  x2 ~~ 0 * x2
  y0 ~~ 0 * y0
  y1 ~~ 0 * y1
  y2 ~~ 0 * y2
  x0 + y0 + x1 + y1 + x2 + y2 ~ 1
  rx + ry + wx0 + wy0 + wx1 + wy1 + wx2 + wy2 ~ 0"
)

ask <- function(model, data) {
  one <- function(estimator) {
    lavaan(model, data = data, missing = "fiml", estimator = estimator, information = "observed",
           fixed.x = FALSE, meanstructure = TRUE)
  }
  fit <- one("ML")
  robust <- one("MLR")
  table <- parameterEstimates(fit)
  free <- parTable(fit)$free > 0
  standardized <- standardizedSolution(fit)
  indices <- fitMeasures(fit, c("logl", "unrestricted.logl", "chisq", "df", "pvalue", "baseline.chisq", "baseline.df",
                                "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr"))
  list(
    lhs = table$lhs[free], op = table$op[free], rhs = table$rhs[free],
    estimate = table$est[free], se = table$se[free],
    robust_se = parameterEstimates(robust)$se[free],
    standardized = standardized$est.std[free], standardized_se = standardized$se[free],
    indices = as.list(unclass(indices)), converged = lavInspect(fit, "converged")
  )
}

out <- list()
for (name in names(models)) {
  out[[name]] <- list(complete = ask(models[[name]], frame), missing = ask(models[[name]], missing))
}
write(toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE, na = "null"), "panel.json")
sink("panel_session.txt")
print(sessionInfo())
sink()
