# Latent change scores, growth curves, mediation through change and longitudinal invariance by R's lavaan, on complete cases
# and by full-information maximum likelihood, standard errors from the observed information.
# Run in this folder: Rscript growth_models.R
options(warn = 1)
suppressPackageStartupMessages({
  library(lavaan)
  library(jsonlite)
})
long <- read.csv("data/growth_models.csv")
visits <- c("baseline", "1 year", "3 years")
short <- c(exhaustion = "e", job_stress = "j", coping = "c", item1 = "a", item2 = "b", item3 = "f", item4 = "g")
wide <- data.frame(id = unique(long$id))
for (t in 1:3) for (v in names(short)) {
  here <- long[long$visit == visits[t], ]
  wide[[paste0(short[v], c(0, 1, 3)[t])]] <- here[[v]][match(wide$id, here$id)]
}
tight <- list(rel.tol = 1e-10, iter.max = 5000, eval.max = 10000)
run <- function(model, variables, std = FALSE) {
  answer <- list()
  for (how in c("complete", "fiml")) {
    data <- wide[, variables]
    if (how == "complete") data <- data[complete.cases(data), ]
    fit <- lavaan(model, data = data, estimator = "ML", missing = if (how == "fiml") "fiml" else "listwise",
      information = "observed", meanstructure = TRUE, fixed.x = FALSE, control = tight,
      em.h1.tol = 1e-11, em.h1.iter.max = 20000)
    if (!lavInspect(fit, "converged")) stop("not converged: ", model)
    p <- parameterEstimates(fit)
    p <- p[p$label != "" | p$op == ":=", ]
    p <- p[!duplicated(ifelse(p$op == ":=", p$lhs, p$label)), ]
    m <- fitMeasures(fit)
    answer[[how]] <- list(
      label = ifelse(p$op == ":=", p$lhs, p$label), est = p$est, se = p$se, n = unname(m["ntotal"]),
      fit = as.list(m[c("logl", "unrestricted.logl", "chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "cfi",
        "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "aic", "bic")])
    )
  }
  answer
}

two <- "
  E0 =~ 1*e0 + 1*e1 \n DE =~ 1*e1 \n E0 ~ mE*1 \n DE ~ mDE*1 \n e0 ~ 0*1 \n e1 ~ 0*1
  J0 =~ 1*j0 + 1*j1 \n DJ =~ 1*j1 \n J0 ~ mJ*1 \n DJ ~ mDJ*1 \n j0 ~ 0*1 \n j1 ~ 0*1
  E0 ~~ vE*E0 + cE_DE*DE + cE_J*J0 + cE_DJ*DJ \n DE ~~ vDE*DE + cDE_J*J0 + cDE_DJ*DJ \n J0 ~~ vJ*J0 + cJ_DJ*DJ \n DJ ~~ vDJ*DJ
  r_change := cDE_DJ / sqrt(vDE * vDJ) \n r_E := cE_DE / sqrt(vE * vDE)
"
noise <- "e0 ~~ 0.1*e0 \n e1 ~~ 0.1*e1 \n j0 ~~ 0.04*j0 \n j1 ~~ 0.04*j1"
three <- "
  E0 =~ 1*e0 + 1*e1 + 1*e3 \n D1 =~ 1*e1 + 1*e3 \n D2 =~ 1*e3 \n E0 ~ mE*1 \n D1 ~ m1*1 \n D2 ~ m2*1
  e0 ~ 0*1 \n e1 ~ 0*1 \n e3 ~ 0*1 \n e0 ~~ 0.1*e0 \n e1 ~~ 0.1*e1 \n e3 ~~ 0.1*e3
  E0 ~~ vE*E0 + cE_1*D1 + cE_2*D2 \n D1 ~~ v1*D1 + c12*D2 \n D2 ~~ v2*D2
  r12 := c12 / sqrt(v1 * v2)
"
v2 <- c("e0", "e1", "j0", "j1"); v3 <- c("e0", "e1", "e3")
grow <- function(slope, level = "", residual = "e0 ~~ s*e0 \n e1 ~~ s*e1 \n e3 ~~ s*e3") paste(
  "I =~ 1*e0 + 1*e1 + 1*e3 \n S =~ ", slope, "\n e0 ~ 0*1 \n e1 ~ 0*1 \n e3 ~ 0*1 \n I ~ mI*1 \n S ~ mS*1",
  "\n I ~~ vI*I + cIS*S \n S ~~ vS*S \n", residual, "\n", level)
piece <- paste("I =~ 1*e0 + 1*e1 + 1*e3 \n A =~ 0*e0 + 1*e1 + 1*e3 \n B =~ 0*e0 + 0*e1 + 2*e3",
  "\n e0 ~ 0*1 \n e1 ~ 0*1 \n e3 ~ 0*1 \n I ~ mI*1 \n A ~ mA*1 \n B ~ mB*1 \n I ~~ vI*I + cIA*A \n A ~~ vA*A \n B ~~ 0*B")
fixed <- "e0 ~~ 0.1*e0 \n e1 ~~ 0.1*e1 \n e3 ~~ 0.1*e3"
piece_fixed <- paste("I =~ 1*e0 + 1*e1 + 1*e3 \n A =~ 0*e0 + 1*e1 + 1*e3 \n B =~ 0*e0 + 0*e1 + 2*e3",
  "\n e0 ~ 0*1 \n e1 ~ 0*1 \n e3 ~ 0*1 \n I ~ mI*1 \n A ~ mA*1 \n B ~ mB*1 \n I ~~ vI*I + cIA*A + cIB*B",
  "\n A ~~ vA*A + cAB*B \n B ~~ vB*B \n", fixed)
mediate <- "
  X0 =~ 1*c0 + 1*c3 \n X =~ 1*c3 \n M0 =~ 1*j0 + 1*j3 \n M =~ 1*j3 \n Y0 =~ 1*e0 + 1*e3 \n Y =~ 1*e3
  c0 ~ 0*1 \n c3 ~ 0*1 \n j0 ~ 0*1 \n j3 ~ 0*1 \n e0 ~ 0*1 \n e3 ~ 0*1
  X0 ~ mX0*1 \n M0 ~ mM0*1 \n Y0 ~ mY0*1 \n X ~ iX*1 + x0*X0 + x1*M0 + x2*Y0
  M ~ iM*1 + a*X + m0*X0 + m1*M0 + m2*Y0 \n Y ~ iY*1 + b*M + c*X + y0*X0 + y1*M0 + y2*Y0
  X0 ~~ vX0*X0 + cXM*M0 + cXY*Y0 \n M0 ~~ vM0*M0 + cMY*Y0 \n Y0 ~~ vY0*Y0 \n X ~~ vX*X \n M ~~ vM*M \n Y ~~ vY*Y
  indirect := a * b \n total := c + a * b
"
items <- c("a", "b", "f", "g"); at <- c(0, 1, 3)
measured <- function(level) {
  lines <- c()
  for (t in at) {
    w <- if (level >= 1) "" else t
    loads <- paste0("l", items, w, "*", items, t); loads[1] <- paste0("1*a", t)
    lines <- c(lines, paste0("F", t, " =~ ", paste(loads, collapse = " + ")))
    k <- if (level >= 2) "" else t
    for (i in items) lines <- c(lines, if (i == "a") paste0("a", t, " ~ 0*1") else paste0(i, t, " ~ k", i, k, "*1"))
    r <- if (level >= 3) "" else t
    for (i in items) lines <- c(lines, paste0(i, t, " ~~ r", i, r, "*", i, t))
    lines <- c(lines, paste0("F", t, " ~ m", t, "*1"), paste0("F", t, " ~~ v", t, "*F", t))
  }
  for (i in items) lines <- c(lines, paste0(i, "0 ~~ q", i, "01*", i, "1"), paste0(i, "0 ~~ q", i, "03*", i, "3"), paste0(i, "1 ~~ q", i, "13*", i, "3"))
  paste(c(lines, "F0 ~~ c01*F1 + c03*F3 \n F1 ~~ c13*F3"), collapse = "\n")
}
vi <- as.vector(outer(items, at, paste0))
out <- list(
  change_observed = run(two, v2),
  change_latent = run(paste(two, noise, sep = "\n"), v2),
  change_three = run(three, v3),
  linear = run(grow("0*e0 + 1*e1 + 3*e3"), v3),
  step = run(grow("0*e0 + 1*e1 + 1*e3"), v3),
  basis = run(grow("0*e0 + l*e1 + 1*e3"), v3),
  piecewise = run(paste(piece, "e0 ~~ s*e0 \n e1 ~~ s*e1 \n e3 ~~ s*e3", sep = "\n"), v3),
  piecewise_fixed = run(piece_fixed, v3),
  mediation = run(mediate, c("c0", "j0", "e0", "c3", "j3", "e3")),
  configural = run(measured(0), vi),
  metric = run(measured(1), vi),
  scalar = run(measured(2), vi),
  strict = run(measured(3), vi)
)
write_json(out, "growth_models.json", digits = NA, auto_unbox = TRUE)
writeLines(capture.output(print(sessionInfo(), locale = FALSE)), "growth_models_session.txt")
