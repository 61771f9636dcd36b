# Generalized linear mixed models in R: lme4, glmmTMB and ordinal, with emmeans. Run in this folder:
#   Rscript glmm.R
# Writes data.csv (simulated from seed 20240611 with the design of ../oracles/burnout_200.csv), glmm.json and
# session.txt. Every optimum is polished by Newton steps on the package's own objective, and standard errors are from
# its Hessian at that place, so that what is compared is the model and not where a search stopped.
suppressMessages({ library(lme4); library(glmmTMB); library(ordinal); library(emmeans); library(jsonlite); library(numDeriv) })

d <- read.csv("../oracles/burnout_200.csv")
set.seed(20240611)
ids <- unique(d$id)
u <- rnorm(length(ids), 0, 0.8)[match(d$id, ids)]
s <- rnorm(length(ids), 0, 0.8)[match(d$id, ids)]
g <- d$group == "intervention"
d$hi <- as.integer(d$EE >= 27)
d$level <- findInterval(d$EE, c(15, 25, 35))
d$visits_gp <- rpois(nrow(d), exp(0.4 + 0.15 * d$years - 0.2 * g * d$years + u))
d$sick_days <- rnbinom(nrow(d), size = 1.3, mu = exp(1.0 - 0.25 * g + u))
d$zero_days <- ifelse(runif(nrow(d)) < 0.3, 0, rpois(nrow(d), exp(1.2 - 0.2 * g + u)))
d$symptom <- rbinom(nrow(d), 1, plogis(-0.3 + 0.2 * d$years - 0.3 * g + 1.6 * u + 1.5 * s * d$years))
write.csv(d, "data.csv", row.names = FALSE)
d$id <- factor(d$id); d$visit <- factor(d$visit); d$group <- factor(d$group); d$sex <- factor(d$sex)

polish <- function(f, par, steps = 4) {          # minimum of f, and its Hessian there
  for (k in seq_len(steps)) {
    h <- hessian(f, par); step <- solve(h, grad(f, par))
    if (f(par - step) <= f(par) + 1e-9) par <- par - step
    if (max(abs(step)) < 1e-9) break
  }
  list(par = par, value = f(par), vcov = solve(hessian(f, par)), gradient = max(abs(grad(f, par))))
}
told <- function(names, estimate, se, loglik, sd, gradient, ...) list(term = names, estimate = unname(estimate),
  se = unname(se), loglik = loglik, sd = unname(sd), gradient = gradient, ...)

of_lme4 <- function(formula, family, n) {
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12, optCtrl = list(rhoend = 1e-9, maxfun = 1e5))
  m <- glmer(formula, d, family = family, nAGQ = n, control = control)
  f <- update(m, devFunOnly = TRUE)
  p <- polish(function(x) f(x) / 2, c(getME(m, "theta"), fixef(m)))
  b <- -1
  # with nAGQ > 1 the deviance lacks a constant, which is 0 for 0/1 scores
  told(names(fixef(m)), p$par[b], sqrt(diag(p$vcov))[b], -p$value, abs(p$par[1]), p$gradient)
}
of_tmb <- function(formula, family, zi = ~0, emm = NULL, REML = FALSE) {
  m <- glmmTMB(formula, d, family = family, ziformula = zi)
  o <- m$obj; par <- m$fit$par
  for (k in 1:5) par <- par - solve(optimHess(par, o$fn, o$gr), o$gr(par))
  h <- optimHess(par, o$fn, o$gr, control = list(ndeps = rep(1e-4, length(par))))
  v <- solve(h); i <- names(par) == "beta"; t <- par[names(par) == "theta"]
  more <- names(par) %in% c("betad", "betadisp", "betazi")
  out <- told(names(fixef(m)$cond), par[i], sqrt(diag(v))[i], -as.numeric(o$fn(par)), NA, max(abs(o$gr(par))),
              further = unname(par[more]), further_se = unname(sqrt(diag(v))[more]), further_name = names(par)[more])
  if (length(t) == 1) out$sd <- exp(unname(t))
  else { a <- unname(t[3]); out$sd <- exp(unname(t[1:2])); out$correlation <- a / sqrt(1 + a^2) }
  if (!is.null(emm)) { e <- as.data.frame(emmeans(m, emm)); out$emm <- list(estimate = e$emmean, se = e$SE) }
  out
}
of_clmm <- function(n) {
  d$level <- factor(d$level, ordered = TRUE)
  m <- clmm(level ~ visit * group + sex + (1 | id), data = d, nAGQ = n, control = clmm.control(method = "nlminb",
            grtol = 1e-9, control = list(rel.tol = 1e-14, x.tol = 1e-12, eval.max = 5000, iter.max = 5000), maxIter = 200, gradTol = 1e-10))
  rho <- clmm(level ~ visit * group + sex + (1 | id), data = d, nAGQ = n, doFit = FALSE)
  rho$ctrl$gradTol <- 1e-12; rho$ctrl$maxIter <- 200
  f <- function(x) { rho$u <- rho$uStart; if (n == 1) ordinal:::getNLA.ssr(rho, x) else ordinal:::getNAGQ.ssr(rho, x) }
  start <- m$optRes$par
  p <- try(polish(f, start), silent = TRUE)
  e <- as.data.frame(emmeans(m, ~ visit | group, mode = "latent"))
  if (inherits(p, "try-error")) stop(p)
  k <- seq_along(c(m$alpha, m$beta))
  f(p$par)
  told(names(c(m$alpha, m$beta)), p$par[k], sqrt(diag(p$vcov))[k], -p$value, rho$tau, p$gradient,
       own = list(estimate = unname(coef(m)), se = unname(sqrt(diag(vcov(m)))[k]), loglik = as.numeric(logLik(m))),
       emm = list(visit = as.character(e$visit), group = as.character(e$group), estimate = e$emmean, se = e$SE))
}
F1 <- hi ~ visit * group + sex + age + (1 | id)
safely <- function(x) tryCatch(x, error = function(e) { message(conditionMessage(e)); list(error = conditionMessage(e)) })
out <- list(
  lme4_1 = safely(of_lme4(F1, binomial, 1)), lme4_9 = safely(of_lme4(F1, binomial, 9)), lme4_25 = safely(of_lme4(F1, binomial, 25)),
  lme4_probit_9 = safely(of_lme4(F1, binomial("probit"), 9)),
  tmb_logit = safely(of_tmb(F1, binomial, emm = ~ visit | group)),
  tmb_probit = safely(of_tmb(F1, binomial("probit"))),
  tmb_slope = safely(of_tmb(symptom ~ years * group + (1 + years | id), binomial)),
  tmb_poisson = safely(of_tmb(visits_gp ~ visit * group + sex + (1 | id), poisson, emm = ~ visit | group)),
  tmb_nbinom2 = safely(of_tmb(sick_days ~ visit * group + sex + (1 | id), nbinom2)),
  tmb_zip = safely(of_tmb(zero_days ~ visit * group + sex + (1 | id), poisson, zi = ~1)),
  clmm_1 = safely(of_clmm(1)), clmm_9 = safely(of_clmm(9)), clmm_15 = safely(of_clmm(15)))
d <- d[d$sick_days > 0, ]
out$tmb_truncated_nbinom2 <- safely(of_tmb(sick_days ~ visit * group + sex + (1 | id), truncated_nbinom2))
write_json(out, "glmm.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
writeLines(capture.output(sessionInfo()), "session.txt")
