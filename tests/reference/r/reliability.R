# Reliability by psych, factanal and lavaan. Run: Rscript reliability.R > reliability.json
# Items are made here and stored with the answers; the second table is that of Shrout & Fleiss 1979 (6 targets, 4 judges).
suppressPackageStartupMessages({library(psych); library(lavaan); library(jsonlite)})
set.seed(20)
n <- 150
f <- rnorm(n)
load <- c(0.9, 0.7, 0.8, 0.5, 1.1, 0.6)
items <- sapply(load, function(l) pmin(4, pmax(0, round(2 + l * f + rnorm(n, sd = 0.8)))))
colnames(items) <- paste0("i", 1:6)
S <- cov(items)
invisible(capture.output(a <- psych::alpha(items)))
invisible(capture.output(feldt <- psych::alpha.ci(a$total$raw_alpha, n.obs = n, n.var = 6, p.val = .05, digits = 12)))
total_omega <- function(load, own) sum(load)^2 / (sum(load)^2 + sum(own))
p <- psych::fa(S, nfactors = 1, n.obs = n, fm = "ml", covar = TRUE)
fl <- factanal(covmat = list(cov = S, n.obs = n), factors = 1, control = list(opt = list(factr = 10), lower = 0.005))
sd <- sqrt(diag(S))
model <- "f =~ NA*i1 + l1*i1 + l2*i2 + l3*i3 + l4*i4 + l5*i5 + l6*i6
  f ~~ 1*f
  i1 ~~ e1*i1; i2 ~~ e2*i2; i3 ~~ e3*i3; i4 ~~ e4*i4; i5 ~~ e5*i5; i6 ~~ e6*i6
  omega := (l1+l2+l3+l4+l5+l6)^2 / ((l1+l2+l3+l4+l5+l6)^2 + e1+e2+e3+e4+e5+e6)"
fit <- cfa(model, data = as.data.frame(items), likelihood = "wishart", control = list(rel.tol = 1e-11))
pe <- parameterEstimates(fit)
om <- pe[pe$lhs == "omega", ]
judges <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)
forms <- function(Y) {
  r <- ICC(Y, lmer = FALSE)$results
  list(icc = r$ICC, lower = r[["lower bound"]], upper = r[["upper bound"]])
}
pair <- items[, c(1, 5)]
ct <- cor.test(pair[, 1], pair[, 2])
out <- list(items = items, judges = judges, alpha = a$total$raw_alpha, item_rest = as.numeric(a$item.stats$r.drop),
  feldt = c(feldt$lower.ci, feldt$upper.ci), omega_psych = total_omega(p$loadings[, 1], diag(S) - p$loadings[, 1]^2),
  omega_factanal = total_omega(fl$loadings[, 1] * sd, fl$uniquenesses * sd^2),
  lavaan = list(omega = om$est, se = om$se, loadings = pe$est[pe$op == "=~"], uniquenesses = pe$est[pe$op == "~~" & pe$lhs != "f"],
                chisq = unname(fitMeasures(fit, "chisq"))),
  icc_items = forms(items), icc_judges = forms(judges), icc_pair = forms(pair),
  r = list(estimate = unname(ct$estimate), lower = ct$conf.int[1], upper = ct$conf.int[2]),
  versions = list(R = as.character(getRversion()), psych = as.character(packageVersion("psych")),
                  lavaan = as.character(packageVersion("lavaan"))))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE), "\n")
writeLines(capture.output(sessionInfo()), "reliability_session.txt")
