# The soft penalty of Sterzinger & Kosmidis (2023), maximized by optim on lme4's own deviance (nAGQ = 15). Run here:
#   Rscript soft_penalty.R
# The data are data.csv with no event at all in men at the last visit.
suppressMessages({ library(lme4); library(numDeriv); library(jsonlite) })
d <- read.csv("data.csv")
d$y <- ifelse(d$sex == "M" & d$visit == "v3", 0, d$hi)
d$id <- factor(d$id)
m <- suppressWarnings(suppressMessages(glmer(y ~ visit * sex + (1 | id), d, family = binomial, nAGQ = 15,
       control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12))))
f <- update(m, devFunOnly = TRUE)
X <- getME(m, "X"); p <- ncol(X); n <- nrow(X); k <- 2 * sqrt(p / n)
huber <- function(x) ifelse(abs(x) > 1, 0.5 - abs(x), -x^2 / 2)
loglik <- function(x) tryCatch(-f(c(exp(x[p + 1]), x[1:p])) / 2, error = function(e) -1e6)
total <- function(x) { pi <- plogis(drop(X %*% x[1:p]))
  loglik(x) + k * (determinant(crossprod(X * sqrt(pi * (1 - pi))))$modulus / 2 + huber(x[p + 1])) }
x <- c(pmax(pmin(fixef(m), 3), -3), log(getME(m, "theta")))
for (i in 1:6) x <- optim(x, function(v) -total(v), method = "BFGS", control = list(maxit = 2000, reltol = 1e-15))$par
for (i in 1:4) x <- x - drop(solve(hessian(total, x), grad(total, x)))
v <- solve(-hessian(loglik, x))
write_json(list(term = colnames(X), estimate = x[1:p], sd = exp(x[p + 1]), se = sqrt(diag(v))[1:p], loglik = loglik(x),
  gradient = max(abs(grad(total, x)))), "soft_penalty.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
