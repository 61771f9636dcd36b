# Generalized estimating equations by geepack, and robust covariances of independence fits by clubSandwich.
# Run in this folder: Rscript gee.R
suppressPackageStartupMessages({ library(geepack); library(clubSandwich); library(jsonlite) })
d <- read.csv("panel.csv")
d$visit <- factor(d$visit); d$group <- factor(d$group)
tight <- geese.control(epsilon = 1e-12, maxit = 200)
one <- function(f, family, corstr, data = d) {
  # geepack 1.3.9 crashes where `waves` and an unstructured correlation meet visits missed between others; the same model
  # runs as "userdefined", with a column for each pair of waves and no `waves`
  g <- if (corstr == "unstructured") {
    zcor <- genZcor(clusz = as.vector(table(data$id)), waves = data$wave, corstrv = 4)
    geeglm(f, id = id, data = data, family = family, corstr = "userdefined", zcor = zcor, control = tight)
  } else geeglm(f, id = id, waves = wave, data = data, family = family, corstr = corstr, control = tight)
  s <- g$geese
  list(terms = names(coef(g)), coef = unname(coef(g)), vcov = unname(s$vbeta), naive = unname(s$vbeta.naiv),
       alpha = unname(s$alpha), scale = unname(s$gamma))
}
formulas <- list(gaussian = score ~ visit * group + age, binomial = leave ~ visit * group + age,
                 poisson = days ~ visit * group + age)
families <- list(gaussian = gaussian(), binomial = binomial(), poisson = poisson())
out <- list()
for (name in names(formulas)) for (corstr in c("independence", "exchangeable", "ar1", "unstructured"))
  out[[paste(name, corstr, sep = "_")]] <- one(formulas[[name]], families[[name]], corstr)
out$probit_exchangeable <- one(leave ~ visit + group, binomial("probit"), "exchangeable")
out$risk_exchangeable <- one(leave ~ visit + group, binomial("identity"), "exchangeable")
g <- geeglm(formulas$binomial, id = id, waves = wave, data = d, family = binomial, weights = copies,
            corstr = "independence", control = tight)
out$weighted_independence <- list(terms = names(coef(g)), coef = unname(coef(g)), vcov = unname(g$geese$vbeta),
                                  scale = unname(g$geese$gamma))
# no pairs of visits out of order: complete subjects
whole <- d[d$id %in% names(which(table(d$id) == 5)), ]
out$complete_ar1 <- one(score ~ visit, gaussian(), "ar1", data = whole)

g <- glm(leave ~ visit * group + age, family = binomial, data = d, control = glm.control(epsilon = 1e-13, maxit = 100))
club <- list(coef = unname(coef(g)))
for (kind in c("CR0", "CR2", "CR3")) {
  V <- vcovCR(g, cluster = d$id, type = kind)
  test <- coef_test(g, vcov = V, cluster = d$id, test = "Satterthwaite")
  joint <- Wald_test(g, constraints = constrain_zero(2:5), vcov = V, test = "HTZ")
  club[[kind]] <- list(vcov = unname(as.matrix(V)), df = test$df_Satt, F = joint$Fstat, df_denom = joint$df_denom)
}
out$glm_clubsandwich <- club

# marginal standardization by hand: everybody in turn at each visit and in each group, covariates as observed
standardized <- function(f, family, corstr) {
  g <- geeglm(f, id = id, waves = wave, data = d, family = family, corstr = corstr, control = tight)
  share <- 1 / ave(rep(1, nrow(d)), d$id, FUN = sum); share <- share / sum(share)
  cells <- expand.grid(visit = levels(d$visit), group = levels(d$group))
  at <- function(beta) apply(cells, 1, function(cell) {
    new <- d; new$visit <- factor(cell[["visit"]], levels(d$visit)); new$group <- factor(cell[["group"]], levels(d$group))
    sum(share * family$linkinv(as.vector(model.matrix(f[-2], new) %*% beta)))
  })
  beta <- coef(g); m <- at(beta)
  J <- sapply(seq_along(beta), function(k) { h <- 1e-5; up <- beta; up[k] <- up[k] + h; down <- beta; down[k] <- down[k] - h
    (at(up) - at(down)) / (2 * h) })
  list(visit = as.character(cells$visit), group = as.character(cells$group), mean = m, vcov = unname(J %*% g$geese$vbeta %*% t(J)))
}
out$standardized_binomial <- standardized(formulas$binomial, binomial(), "exchangeable")
out$standardized_poisson <- standardized(formulas$poisson, poisson(), "exchangeable")
write(toJSON(out, digits = I(15), auto_unbox = TRUE, na = "null"), "gee.json")
writeLines(capture.output(sessionInfo()), "gee_session.txt")
