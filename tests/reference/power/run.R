# Numbers for burnout_stats/power: R's own verbs where it has one, and independent loops and integrals where not.
# Rscript run.R   (base R; writes r_*.csv beside itself and session.txt)

options(digits = 17)
write <- function(x, name) write.csv(x, paste0("r_", name, ".csv"), row.names = FALSE, quote = TRUE)

# ---- the noncentral t -------------------------------------------------------------------------------------------
grid <- expand.grid(df = c(5, 7.5, 20, 100, 500), ncp = c(0, 0.5, 1, 2, 3, 4, 6), c = c(1, 1.96, 2.57, 4))
grid$above <- suppressWarnings(pt(grid$c, grid$df, grid$ncp, lower.tail = FALSE))
grid$below <- suppressWarnings(pt(-grid$c, grid$df, grid$ncp))
write(grid, "noncentral_t")

# ---- power.t.test -----------------------------------------------------------------------------------------------
grid <- expand.grid(type = c("paired", "two.sample"), n = c(5, 12, 40, 227), delta = c(0.1, 0.3, 0.47), sd = c(0.8, 0.95),
                    alternative = c("two.sided", "one.sided"), stringsAsFactors = FALSE)
grid$power <- mapply(function(type, n, delta, sd, alternative)
  power.t.test(n, delta, sd, type = type, alternative = alternative, strict = TRUE)$power,
  grid$type, grid$n, grid$delta, grid$sd, grid$alternative)
write(grid, "power_t_test")
sizes <- expand.grid(type = c("paired", "two.sample"), delta = c(0.2, 0.3, 0.47), power = c(0.8, 0.9), stringsAsFactors = FALSE)
sizes$n <- mapply(function(type, delta, power)
  power.t.test(delta = delta, sd = 0.9, power = power, type = type, strict = TRUE, tol = 1e-10)$n,
  sizes$type, sizes$delta, sizes$power)
write(sizes, "n_t_test")

# ---- power.prop.test --------------------------------------------------------------------------------------------
grid <- expand.grid(n = c(20, 50, 200), p1 = c(0.06, 0.20, 0.50), p2 = c(0.35, 0.53, 0.75),
                    alternative = c("two.sided", "one.sided"), stringsAsFactors = FALSE)
grid$power <- mapply(function(n, p1, p2, alternative)
  power.prop.test(n, p1, p2, alternative = alternative, strict = alternative == "two.sided")$power,
  grid$n, grid$p1, grid$p2, grid$alternative)
write(grid, "power_prop_test")

# ---- McNemar's test, by asking binom.test of every table -----------------------------------------------------------
reject <- function(m, alpha, mid) vapply(0:m, function(x) {
  if (!mid) return((if (m == 0) 1 else binom.test(x, m)$p.value) <= alpha)
  k <- min(x, m - x)
  2 * pbinom(k, m, 0.5) - dbinom(k, m, 0.5) <= alpha && 2 * k != m
}, logical(1))
mcnemar <- function(n, up, down, alpha, mid) {
  psi <- up + down
  sum(vapply(0:n, function(m) dbinom(m, n, psi) * sum(dbinom(0:m, m, up / psi)[reject(m, alpha, mid)]), 0))
}
grid <- expand.grid(n = c(20, 80, 144), up = c(0.01, 0.05, 0.25), down = c(0.20, 0.30, 0.45), alpha = c(0.05, 0.01))
grid$exact <- mapply(mcnemar, grid$n, grid$up, grid$down, grid$alpha, FALSE)
grid$mid_p <- mapply(mcnemar, grid$n, grid$up, grid$down, grid$alpha, TRUE)
write(grid, "mcnemar")

# ---- two one-sided tests, by R's integral over the variance ----------------------------------------------------------
tost <- function(n, delta, sd, low, high, alpha) {
  nu <- n - 1; s <- sd / sqrt(n); t <- qt(1 - alpha, nu)
  inside <- function(q) { u <- sqrt(q / nu); dchisq(q, nu) *
    pmax(pnorm((high - t * s * u - delta) / s) - pnorm((low + t * s * u - delta) / s), 0) }
  top <- nu * ((high - low) / (2 * t * s))^2
  middle <- qchisq(c(1e-13, 0.5, 1 - 1e-13), nu)
  if (top <= middle[1]) return(0)
  cuts <- c(middle[1], pmin(middle[2:3], top))
  sum(vapply(1:2, function(i) if (cuts[i + 1] > cuts[i])
    integrate(inside, cuts[i], cuts[i + 1], rel.tol = 1e-11, subdivisions = 2000)$value else 0, 0))
}
grid <- expand.grid(n = c(3, 6, 12, 40, 227), delta = c(0, 0.1, -0.2), sd = c(0.4, 0.9), margin = c(0.3, 0.5), alpha = c(0.05, 0.025))
grid$power <- mapply(tost, grid$n, grid$delta, grid$sd, -grid$margin, grid$margin, grid$alpha)
write(grid, "equivalence")

# ---- intervals ---------------------------------------------------------------------------------------------------
width <- function(n, sd) integrate(function(q) qt(0.975, n - 1) * sd * sqrt(q / (n - 1) / n) * dchisq(q, n - 1),
                                   qchisq(1e-13, n - 1), qchisq(1 - 1e-13, n - 1), rel.tol = 1e-11)$value
grid <- expand.grid(n = c(5, 12, 40, 227), sd = c(0.4, 0.9))
grid$half_width <- mapply(width, grid$n, grid$sd)
grid$chance <- pchisq((grid$n - 1) * grid$n * (0.25 / (qt(0.975, grid$n - 1) * grid$sd))^2, grid$n - 1)
write(grid, "half_width")
wilson <- function(n, p) sum(dbinom(0:n, n, p) * vapply(0:n, function(x)
  diff(prop.test(x, n, correct = FALSE)$conf.int[1:2]) / 2, 0))
grid <- expand.grid(n = c(20, 80, 227), p = c(0.05, 0.35, 0.53))
grid$half_width <- suppressWarnings(mapply(wilson, grid$n, grid$p))
write(grid, "wilson")

# ---- Lu, Luo & Chen 2008, formula 3, from the correlations of the first j visits ------------------------------------
phi <- function(R, kept) {
  J <- nrow(R); kept <- c(kept, 0); I <- matrix(0, J, J)
  for (j in seq_len(J)) { s <- seq_len(j); I[s, s] <- I[s, s] + (kept[j] - kept[j + 1]) * solve(R[s, s, drop = FALSE]) }
  solve(I)[J, J]
}
cs <- function(k, r) { R <- matrix(r, k, k); diag(R) <- 1; R }
ar1 <- function(k, r) r^abs(outer(1:k, 1:k, "-"))
cases <- list(list(cs(4, 0.25), c(1, 0.9, 0.8, 0.7)), list(cs(3, 0.5), 0.95^(1:3)), list(ar1(4, 0.6), 0.9^(1:4)),
              list(cs(5, 0.3), 0.92^(1:5)), list(ar1(3, 0.8), c(1, 0.85, 0.7)))
write(data.frame(case = seq_along(cases), phi = vapply(cases, function(x) phi(x[[1]], x[[2]]), 0)), "lu_luo_chen")

writeLines(capture.output(sessionInfo()), "session.txt")
