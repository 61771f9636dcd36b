# Rubin's rules by mice, and D1 by mice and mitml, on given inputs. Run: Rscript pooling.R > pooling.json
# The inputs are made here and stored with the answers. The last scalar has a lambda below 1e-4, which mice raises to it.
suppressPackageStartupMessages({library(mice); library(mitml); library(jsonlite)})
set.seed(40)
scalar <- function(m, dfcom, spread, exact = FALSE) {
  Q <- rnorm(m, -0.47, spread)
  U <- rep(0.004, m) + if (exact) 0 else runif(m, 0, 0.001)
  p <- pool.scalar(Q, U, n = dfcom + 1, k = 1)
  list(Q = Q, U = U, df_complete = if (is.infinite(dfcom)) NULL else dfcom, qbar = p$qbar, ubar = p$ubar, b = p$b,
       t = p$t, r = p$r, df = p$df, fmi = p$fmi, lambda = (1 + 1 / m) * p$b / p$t)
}
scalars <- list(scalar(5, 47, 0.05), scalar(2, 225, 0.03), scalar(20, 9, 0.08), scalar(100, 183, 0.02), scalar(7, Inf, 0.04),
                scalar(1000, 146.5, 0.03), scalar(10, 60, 2e-4))
several <- function(m, k, dfcom, spread) {
  Q <- matrix(rnorm(m * k, 0.2, spread), m, k)
  U <- lapply(seq_len(m), function(i) {A <- matrix(rnorm(4 * k * k), 4 * k); crossprod(A) / (100 * k)})
  colnames(Q) <- paste0("b", seq_len(k))
  U <- lapply(U, function(u) {dimnames(u) <- list(colnames(Q), colnames(Q)); u})
  uhat <- array(unlist(U), c(k, k, m), dimnames = list(colnames(Q), colnames(Q), NULL))
  found <- testConstraints(qhat = t(Q), uhat = uhat, constraints = colnames(Q), method = "D1",
                           df.com = if (is.infinite(dfcom)) NULL else dfcom)$test
  list(Q = Q, U = aperm(uhat, c(3, 1, 2)), df_complete = if (is.infinite(dfcom)) NULL else dfcom,
       F = found[1, "F.value"], num_df = found[1, "df1"], df = found[1, "df2"], r = found[1, "RIV"])
}
jointly <- list(several(5, 2, 47, 0.1), several(20, 3, 183, 0.08), several(2, 2, Inf, 0.05), several(10, 2, Inf, 0.1),
                several(50, 6, 120, 0.1), several(8, 1, 60, 0.1))
# from the fits of a real analysis, by mice's own D1
imp <- mice(nhanes2, m = 10, maxit = 5, seed = 7, printFlag = FALSE)
full <- with(imp, lm(chl ~ age + bmi + hyp))
less <- with(imp, lm(chl ~ bmi))
test <- D1(full, less, dfcom = 20)$result
age <- summary(pool(full, dfcom = 20))
coefs <- t(sapply(full$analyses, coef))
vcovs <- lapply(full$analyses, vcov)
out <- list(scalars = scalars, jointly = jointly,
  fits = list(Q = unname(coefs), U = aperm(array(unlist(vcovs), c(5, 5, 10)), c(3, 1, 2)), df_complete = 20,
              estimate = age$estimate, std_error = age$std.error, df = age$df,
              tested = c(2, 3, 5), F = test[1, "F.value"], num_df = test[1, "df1"], test_df = test[1, "df2"]),
  versions = list(R = as.character(getRversion()), mice = as.character(packageVersion("mice")),
                  mitml = as.character(packageVersion("mitml"))))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE, null = "null"), "\n")
