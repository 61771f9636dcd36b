# Two outcomes at three visits in one model, scores missing one by one (data/two_outcomes.csv: 90 subjects of the
# synthetic Villa Sana cohort). Unstructured: nlme::gls with a correlation and a variance for every outcome and visit.
# Outcomes times visits: the restricted likelihood of Sigma = kronecker(G, R) written out and given to optim; nlme has no
# such structure. Run in this folder: Rscript multivariate.R
suppressPackageStartupMessages({
  library(nlme)
  library(jsonlite)
})
wide <- read.csv("data/two_outcomes.csv", stringsAsFactors = FALSE)
visits <- c("baseline", "1 year", "3 years")
outcomes <- c("exhaustion", "depression")
long <- do.call(rbind, lapply(seq_along(outcomes), function(k) {
  data.frame(id = wide$id, outcome = outcomes[k], visit = wide$visit, sex = wide$sex, value = wide[[outcomes[k]]],
    position = 3 * (k - 1) + match(wide$visit, visits))
}))
long <- long[!is.na(long$value), ]
long <- long[order(long$id, long$position), ]
long$outcome <- factor(long$outcome, outcomes)
long$visit <- factor(long$visit, visits)
long$sex <- factor(long$sex, c("F", "M"))
long$place <- factor(long$position)
# columns: for each outcome Intercept, visits, sex, visits by sex (as visit * sex)
X <- do.call(cbind, lapply(outcomes, function(o) model.matrix(~ visit * sex, long) * (long$outcome == o)))
colnames(X) <- paste0("b", seq_len(ncol(X)))
frame <- cbind(long, X)

us <- gls(as.formula(paste("value ~ 0 +", paste(colnames(X), collapse = " + "))), data = frame,
  correlation = corSymm(form = ~ position | id), weights = varIdent(form = ~ 1 | place), method = "REML",
  control = glsControl(tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 500, opt = "optim"))
sd <- us$sigma * c(1, coef(us$modelStruct$varStruct, unconstrained = FALSE))[as.character(1:6)]
sd[1] <- us$sigma
R <- diag(6)
R[lower.tri(R)] <- coef(us$modelStruct$corStruct, unconstrained = FALSE)
R[upper.tri(R)] <- t(R)[upper.tri(R)]
Sigma <- outer(sd, sd) * R

rows <- split(seq_len(nrow(long)), long$id)
criterion <- function(Sigma, reml) {
  p <- ncol(X)
  XVX <- matrix(0, p, p); XVy <- numeric(p); yVy <- 0; logdet <- 0
  for (at in rows) {
    V <- Sigma[long$position[at], long$position[at], drop = FALSE]
    A <- solve(V)
    x <- X[at, , drop = FALSE]; y <- long$value[at]
    XVX <- XVX + t(x) %*% A %*% x
    XVy <- XVy + t(x) %*% A %*% y
    yVy <- yVy + drop(t(y) %*% A %*% y)
    logdet <- logdet + as.numeric(determinant(V)$modulus)
  }
  beta <- solve(XVX, XVy)
  rss <- yVy - drop(t(XVy) %*% beta)
  n <- nrow(X)
  ll <- -0.5 * (logdet + rss + (n - reml * p) * log(2 * pi))
  if (reml) ll <- ll - 0.5 * as.numeric(determinant(XVX)$modulus)
  list(loglik = ll, beta = drop(beta), vcov = solve(XVX))
}
pieces <- function(par, kind) {
  L <- matrix(c(exp(par[1]), par[2], 0, exp(par[3])), 2)
  G <- L %*% t(L)
  R <- switch(kind,
    ar1 = tanh(par[4])^abs(outer(1:3, 1:3, "-")),
    us = { M <- matrix(0, 3, 3); M[1, 1] <- 1; M[2, 2] <- exp(par[4]); M[3, 3] <- exp(par[5])
           M[2, 1] <- par[6]; M[3, 1] <- par[7]; M[3, 2] <- par[8]; M %*% t(M) })
  kronecker(G, R)
}
product <- function(kind, reml) {
  start <- c(log(0.8), 1, log(3), if (kind == "ar1") 0.5 else c(-0.2, -0.2, 0.4, 0.3, 0.3))
  f <- function(par) tryCatch(-criterion(pieces(par, kind), reml)$loglik, error = function(e) 1e10)
  fit <- optim(start, f, method = "BFGS", control = list(maxit = 1000, reltol = 1e-15))
  for (k in 1:3) fit <- optim(fit$par, f, method = "BFGS", control = list(maxit = 1000, reltol = 1e-15))
  Sigma <- pieces(fit$par, kind)
  at <- criterion(Sigma, reml)
  list(loglik = at$loglik, beta = unname(at$beta), vcov = unname(at$vcov), Sigma = Sigma)
}
out <- list(
  us = list(loglik = as.numeric(logLik(us)), again = criterion(Sigma, TRUE)$loglik, beta = unname(coef(us)),
    vcov = unname(vcov(us)), Sigma = unname(Sigma)),
  kronecker_us = product("us", TRUE),
  kronecker_ar1 = product("ar1", TRUE),
  kronecker_ar1_ml = product("ar1", FALSE)
)
write_json(out, "multivariate.json", digits = NA, auto_unbox = TRUE)
session <- c(R.version.string, paste("Platform:", R.version$platform), paste("nlme", packageVersion("nlme")))
writeLines(session, "multivariate_session.txt")
