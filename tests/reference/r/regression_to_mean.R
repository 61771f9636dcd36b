# Mee and Chua's change at the mean of a norm by lm, over a range of means by root finding, and the change expected of
# those beyond a cut-off by numerical integration.
# The scores of eight pupils are those of McClave & Dietrich 1988, which Mee & Chua 1991 and Ostermann et al. 2008 use,
# with mu = 75. The other two sets have the printed or made-up means, SDs and correlation exactly (mvrnorm, empirical).
# Run in this folder: Rscript regression_to_mean.R
suppressMessages({library(MASS); library(jsonlite)})
set.seed(1)

exact <- function(n, means, sds, r) {
  S <- outer(sds, sds) * matrix(c(1, r, r, 1), 2)
  found <- mvrnorm(n, means, S, empirical = TRUE)
  data.frame(before = found[, 1], after = found[, 2])
}
sets <- list(
  pupils = data.frame(before = c(45, 52, 63, 68, 57, 55, 60, 59), after = c(49, 50, 70, 71, 53, 61, 62, 67)),
  villa_sana = exact(185, c(3.00, 2.53), c(0.94, 0.76), 0.3968),
  between = exact(20, c(60, 57), c(8, 8.5), 0.85)
)
mu <- c(pupils = 75, villa_sana = 2.52, between = 62)

at <- function(d, m) {
  found <- summary(lm(I(after - m) ~ I(before - m), d))$coefficients
  list(change = found[1, 1], std_error = found[1, 2], t = found[1, 3], p = found[1, 4],
       slope = found[2, 1], slope_error = found[2, 2])
}
over <- function(d, wide) {
  t_of <- function(m) at(d, m)$t
  quantile <- qt(0.975, nrow(d) - 2)
  edge <- function(m) abs(t_of(m)) - quantile
  grid <- seq(wide[1], wide[2], length.out = 4001)
  signs <- sign(vapply(grid, edge, 0))
  turns <- which(diff(signs) != 0)
  roots <- vapply(turns, function(k) uniroot(edge, grid[k + 0:1], tol = 1e-12)$root, 0)
  zero <- uniroot(function(m) at(d, m)$change, wide, tol = 1e-13)$root
  i <- which.max(abs(vapply(grid, t_of, 0)))
  best <- optimize(function(m) abs(t_of(m)), grid[c(max(i - 2, 1), min(i + 2, length(grid)))], maximum = TRUE,
                   tol = 1e-9)
  list(zero = zero, roots = roots, best = best$maximum, largest = best$objective)
}
wide <- list(pupils = c(-500, 500), villa_sana = c(0, 8), between = c(0, 200))

# expected change of those beyond a cut-off: integrals of the conditional mean over the truncated density
beyond <- function(c, mu, sd, share) {
  f <- function(y) (share - 1) * (y - mu) * dnorm(y, mu, sd)
  integrate(f, c, Inf, rel.tol = 1e-12)$value / pnorm(c, mu, sd, lower.tail = FALSE)
}
below <- function(c, mu, sd, share) {
  f <- function(y) (share - 1) * (y - mu) * dnorm(y, mu, sd)
  integrate(f, -Inf, c, rel.tol = 1e-12)$value / pnorm(c, mu, sd)
}
of_mean <- function(c, mu, sd, r, m) {
  tau <- sqrt(r * sd^2 + (1 - r) * sd^2 / m)
  beyond(c, mu, tau, r * sd^2 / tau^2)
}

answer <- list(
  at = Map(at, sets, mu),
  over = Map(over, sets, wide),
  moments = lapply(sets, function(d) list(n = nrow(d), means = colMeans(d), sds = sapply(d, sd), r = cor(d)[1, 2])),
  james_above = beyond(3.5, 2.52, 0.92, 0.62),
  james_below = below(40, 60, 15, 0.5),
  gardner_heady = vapply(1:3, function(m) of_mean(3.5, 2.52, 0.92, 0.62, m), 0)
)
write(toJSON(answer, digits = NA, auto_unbox = TRUE, pretty = TRUE), "regression_to_mean.json")
writeLines(capture.output(sessionInfo()), "regression_to_mean_session.txt")
