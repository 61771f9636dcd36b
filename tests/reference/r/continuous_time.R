# Continuous-time panels as discrete-time ones in lavaan. The waves 0, 1 and 3 are waves of a panel with steps of one
# year whose wave at 2 years nobody saw (phantom variables, loading 0), so one year's autoregression and
# residual covariance, equal in all steps, give those of the 2-year gap: exact, without a matrix exponential. The equal
# steps 0, 1, 2 need no phantom. Data: simulated from a continuous-time panel with random intercepts; x and y stand for
# coping and exhaustion. Run in tests/reference/r: Rscript continuous_time.R
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})

wide <- read.csv("data/continuous_time.csv")

latent <- function(p, waves, traits, process) {
  seen <- setdiff(waves, if (process == "gap") 2 else integer(0))
  lines <- character(0)
  for (v in p) {
    for (t in waves) {
      shown <- if (process == "steps" && t == 2) paste0(v, 3) else paste0(v, t)
      if (t %in% seen) lines <- c(lines, sprintf("L%s%d =~ 1*%s", v, t, shown), sprintf("%s ~~ 0*%s", shown, shown))
      else lines <- c(lines, sprintf("L%s%d =~ 0*%s0", v, t, v))
    }
    if (traits) lines <- c(lines, paste0("T", v, " =~ ", paste0("1*", v, c(0, 1, 3), collapse = " + ")))
  }
  first <- waves[1]
  for (i in seq_along(p)) for (j in seq_len(i)) {
    begin <- if (i == j) 0.3 else 0.1
    both <- function(left, label, right) sprintf("%s ~~ %s%s%s*%s + start(%g)*%s", left, label, p[i], p[j], right, begin, right)
    lines <- c(lines, both(paste0("L", p[i], first), "p0", paste0("L", p[j], first)))
    if (traits) lines <- c(lines, both(paste0("T", p[i]), "b", paste0("T", p[j])))
    for (t in waves[-1]) lines <- c(lines, both(paste0("L", p[i], t), "psi", paste0("L", p[j], t)))
  }
  for (k in seq_along(waves)[-1]) for (v in p)
{
    from <- paste0("L", p, waves[k - 1])
    arrows <- paste0("phi", v, p, "*", from, " + start(", ifelse(p == v, 0.5, 0.1), ")*", from, collapse = " + ")
    lines <- c(lines, sprintf("L%s%d ~ %s", v, waves[k], arrows))
  }
  if (traits) for (v in p) for (w in p) lines <- c(lines, sprintf("T%s ~~ 0*L%s%d", v, w, first))
  for (v in p) for (t in c(0, 1, 3)) lines <- c(lines, sprintf("%s%d ~ 1", v, t))
  unique(lines)
}

fitted_to <- function(p, waves, traits, process, data, shift = FALSE) {
  model <- latent(p, waves, traits, process)
  if (shift) for (v in p) model <- sub(sprintf("^%s(1|3) ~ 1$", v), sprintf("%s\\1 ~ after%s*1", v, v), model)
  fit <- lavaan(model, data = data, missing = "fiml", meanstructure = TRUE, information = "observed",
                observed.information = "hessian")
  stopifnot(lavInspect(fit, "converged"))
  table <- parameterEstimates(fit)
  table <- table[table$label != "" & !duplicated(table$label), ]
  measures <- fitMeasures(fit, c("logl", "unrestricted.logl", "chisq", "df", "cfi", "tli", "rmsea", "rmsea.ci.lower",
                                 "rmsea.ci.upper", "srmr", "npar", "ntotal"))
  list(label = table$label, est = table$est, se = table$se, measures = as.list(measures))
}

complete <- wide[complete.cases(wide), ]
both <- c("x", "y")
out <- list(
  gap_traits = fitted_to(both, 0:3, TRUE, "gap", wide),
  gap_traits_complete = fitted_to(both, 0:3, TRUE, "gap", complete),
  gap_traits_shift = fitted_to(both, 0:3, TRUE, "gap", wide, shift = TRUE),
  gap = fitted_to(both, 0:3, FALSE, "gap", wide),
  steps = fitted_to(both, 0:2, FALSE, "steps", wide),
  steps_traits = fitted_to(both, 0:2, TRUE, "steps", wide),
  one_traits = fitted_to("y", 0:3, TRUE, "gap", wide),
  one = fitted_to("y", 0:3, FALSE, "gap", wide)
)
write_json(out, "continuous_time.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
writeLines(capture.output(sessionInfo()), "continuous_time_session.txt")
