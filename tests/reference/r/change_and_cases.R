# Paired t, signed ranks, McNemar, paired proportions, repeated-measures ANOVA. Run: Rscript change_and_cases.R > change_and_cases.json
# (from this folder; burnout_200.csv and potthoff_roy.csv are in ../oracles). Session: change_and_cases_session.txt.
# Tango's and Newcombe's intervals are written here from the papers' equations and solved with uniroot, because no package
# of this R has them; PropCIs::scoreci.mp and contingencytables use the same equations.
suppressPackageStartupMessages({library(jsonlite); library(car); library(afex)})
out <- list()

# ---- signed ranks
change <- list(
  few = c(-1.2, 0.4, -2.0, -0.9, -0.1, -1.5, 0.3, -0.7),
  ties = c(-1, -1, 0.5, 0, -2, -1.5, 0.5, 1, 0, -0.5, -2, -3, 1, -1.5, -0.5),
  many = round(sin(1:80) * 3 - 0.4 + (1:80) / 997, 6)
)
for (name in names(change)) {
  x <- change[[name]]
  asked <- suppressWarnings(wilcox.test(x, conf.int = TRUE))
  plain <- suppressWarnings(wilcox.test(x, exact = FALSE, correct = FALSE))
  out$signed_rank[[name]] <- list(x = x, V = unname(asked$statistic), p = asked$p.value, p_plain = plain$p.value,
                                  estimate = unname(asked$estimate), conf = as.numeric(asked$conf.int))
}

# ---- fourfold tables of pairs
tables <- list(bentur = c(1, 1, 7, 12), cavo = c(59, 6, 16, 80), ezra = c(7, 25, 2, 68), newcombe = c(36, 12, 2, 0),
               equal = c(20, 6, 6, 30), sana = c(8, 55, 2, 117))
tango <- function(f, g, n, z) {
  T0 <- function(delta) {
    A <- 2 * n; B <- -f - g + (2 * n - f + g) * delta; C <- -g * delta * (1 - delta)
    q <- (sqrt(B^2 - 4 * A * C) - B) / (2 * A)
    (f - g - n * delta) / sqrt(n * (2 * q + delta * (1 - delta)))
  }
  c(uniroot(function(d) T0(d) - z, c(-1 + 1e-9, 1 - 1e-9), tol = 1e-13)$root,
    uniroot(function(d) T0(d) + z, c(-1 + 1e-9, 1 - 1e-9), tol = 1e-13)$root)
}
newcombe <- function(t, level) {
  n <- sum(t); e <- t[1]; f <- t[2]; g <- t[3]; h <- t[4]
  w <- function(x) as.numeric(prop.test(x, n, correct = FALSE, conf.level = level)$conf.int)
  p1 <- (e + f) / n; p2 <- (e + g) / n; c1 <- w(e + f); c2 <- w(e + g)
  a <- e * h - f * g
  a <- if (a > n / 2) a - n / 2 else if (a >= 0) 0 else a
  below <- (e + f) * (g + h) * (e + g) * (f + h)
  phi <- if (below == 0) 0 else a / sqrt(below)
  c(p1 - p2 - sqrt((p1 - c1[1])^2 - 2 * phi * (p1 - c1[1]) * (c2[2] - p2) + (c2[2] - p2)^2),
    p1 - p2 + sqrt((c1[2] - p1)^2 - 2 * phi * (c1[2] - p1) * (p2 - c2[1]) + (p2 - c2[1])^2))
}
for (name in names(tables)) {
  t <- tables[[name]]; f <- t[2]; g <- t[3]; n <- sum(t)
  plain <- mcnemar.test(matrix(t, 2), correct = FALSE); cc <- mcnemar.test(matrix(t, 2))
  exact <- min(1, 2 * pbinom(min(f, g), f + g, 0.5))
  mid <- if (f == g) 1 - dbinom(f, f + g, 0.5) / 2 else exact - dbinom(f, f + g, 0.5)
  out$pairs[[name]] <- list(table = t, chi_square = unname(plain$statistic), p = plain$p.value, p_cc = cc$p.value,
                            p_exact = exact, p_exact_binom = binom.test(f, f + g)$p.value, p_mid = mid,
                            tango = tango(f, g, n, qnorm(0.975)), newcombe = newcombe(t, 0.95))
}

# ---- one proportion
counts <- list(c(81, 263), c(15, 148), c(0, 20), c(1, 29), c(20, 20), c(63, 182), c(10, 182))
out$proportions <- lapply(counts, function(c) list(count = c[1], n = c[2],
  wilson = as.numeric(prop.test(c[1], c[2], correct = FALSE)$conf.int),
  wilson_cc = as.numeric(suppressWarnings(prop.test(c[1], c[2], correct = TRUE))$conf.int),
  exact = as.numeric(binom.test(c[1], c[2])$conf.int)))

# ---- repeated-measures ANOVA
wide <- function(frame, id, visit, y, by) {
  w <- reshape(frame[, c(id, visit, y, by)], idvar = c(id, by), timevar = visit, direction = "wide")
  w[complete.cases(w), ]
}
analyse <- function(w, columns, by, type = 3) {
  Y <- as.matrix(w[, columns]); k <- ncol(Y)
  time <- factor(columns, levels = columns)
  options(contrasts = c("contr.sum", "contr.poly"))
  group <- if (is.null(by)) NULL else factor(w[[by]])
  fit <- if (is.null(by)) lm(Y ~ 1) else lm(Y ~ group)
  s <- summary(Anova(fit, idata = data.frame(time), idesign = ~time, type = type), multivariate = FALSE)
  u <- s$univariate.tests
  mauchly <- mauchly.test(fit, X = ~1, idata = data.frame(time))
  list(n = nrow(Y), terms = rownames(u), ss = as.numeric(u[, 1]), df = as.numeric(u[, 2]), ss_error = as.numeric(u[, 3]),
       df_error = as.numeric(u[, 4]), F = as.numeric(u[, 5]), p = as.numeric(u[, 6]),
       gg = as.numeric(s$pval.adjustments[1, "GG eps"]), p_gg = as.numeric(s$pval.adjustments[1, "Pr(>F[GG])"]),
       hf = as.numeric(s$pval.adjustments[1, "HF eps"]), p_hf = as.numeric(s$pval.adjustments[1, "Pr(>F[HF])"]),
       W = as.numeric(s$sphericity.tests[1, 1]), p_W = as.numeric(s$sphericity.tests[1, 2]),
       mauchly_W = unname(mauchly$statistic), mauchly_p = mauchly$p.value)
}
ges <- function(frame, id, visit, y, by, complete) {
  frame <- frame[frame[[id]] %in% complete, ]
  frame[[visit]] <- factor(frame[[visit]]); frame[[id]] <- factor(frame[[id]])
  a <- suppressMessages(suppressWarnings(aov_ez(id, y, frame, within = visit, between = by, observed = by,
                                                anova_table = list(es = c("ges", "pes"), correction = "GG"))))
  list(terms = rownames(a$anova_table), ges = a$anova_table$ges, pes = a$anova_table$pes)
}
b <- read.csv("../oracles/burnout_200.csv")
p <- read.csv("../oracles/potthoff_roy.csv")
visits <- paste0("EE.", c("v0", "v1", "v3")); ages <- paste0("distance.", c(8, 10, 12, 14))
w <- wide(b, "id", "visit", "EE", NULL)
out$anova$burnout <- c(analyse(w, visits, NULL), ges(b, "id", "visit", "EE", NULL, w$id))
w <- wide(b, "id", "visit", "EE", "group")
out$anova$burnout_group <- c(analyse(w, visits, "group"), ges(b, "id", "visit", "EE", "group", w$id))
w <- wide(p, "Subject", "age", "distance", NULL)
out$anova$teeth <- c(analyse(w, ages, NULL), ges(p, "Subject", "age", "distance", NULL, w$Subject))
w <- wide(p, "Subject", "age", "distance", "Sex")
out$anova$teeth_sex <- c(analyse(w, ages, "Sex"), ges(p, "Subject", "age", "distance", "Sex", w$Subject))

# ---- change and level: Pitman-Morgan is the test of the correlation of sum and difference
w <- wide(b, "id", "visit", "EE", NULL)
y0 <- w$EE.v0; y1 <- w$EE.v1
r <- cor.test(y1 - y0, (y0 + y1) / 2)
out$oldham <- list(r = unname(r$estimate), t = unname(r$statistic), df = unname(r$parameter), p = r$p.value,
                   conf = as.numeric(r$conf.int), sd0 = sd(y0), sd1 = sd(y1), r01 = cor(y0, y1), n = length(y0))
t <- t.test(y1, y0, paired = TRUE)
out$paired_t <- list(estimate = unname(t$estimate), t = unname(t$statistic), df = unname(t$parameter), p = t$p.value,
                     conf = as.numeric(t$conf.int))

out$versions <- list(R = as.character(getRversion()), car = as.character(packageVersion("car")),
                     afex = as.character(packageVersion("afex")))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE), "\n")
