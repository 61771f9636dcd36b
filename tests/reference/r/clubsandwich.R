# Robust covariances and their tests from clubSandwich, on nlme::gls at a known covariance of the visits.
# Run in this folder: Rscript clubsandwich.R    (writes clubsandwich.json and clubsandwich_session.txt)
#
# gls stops at about 1e-4 of its optimum, so it is not left to look for one: correlations and the ratios of standard
# deviations are held at mmrm's optimum (../oracles/*.json, "us_REML_Satterthwaite"), and gls only computes sigma, for
# which it has a formula. Then clubSandwich sees exactly the covariance that we must see, with the dropout of burnout_200.
suppressPackageStartupMessages({library(nlme); library(clubSandwich); library(jsonlite)})

at_optimum <- function(formula, data, id, sigma) {
  data$index <- as.integer(data$visit)
  data$subject <- factor(data[[id]])
  data <- data[order(data$subject, data$index), ]
  data <- data[complete.cases(data[all.vars(formula)]), ]
  sd <- sqrt(diag(sigma)); R <- cov2cor(sigma)
  ratio <- setNames(as.list(sd[-1] / sd[1]), levels(data$visit)[-1])
  # clubSandwich looks for the data by the name in the call, so they get one
  assign("current", data, envir = globalenv())
  do.call(gls, list(formula, data = as.name("current"), method = "REML",
                    correlation = corSymm(R[lower.tri(R)], form = ~ index | subject, fixed = TRUE),
                    weights = varIdent(fixed = unlist(ratio), form = ~ 1 | visit)))
}

results <- function(fit, joint, cluster = NULL) {
  terms <- names(coef(fit))
  out <- list(term = terms, estimate = unname(coef(fit)), sigma = fit$sigma, log_lik = as.numeric(logLik(fit)))
  for (type in c("CR0", "CR1", "CR2", "CR3")) {
    V <- if (is.null(cluster)) vcovCR(fit, type = type) else vcovCR(fit, cluster = cluster, type = type)
    tests <- coef_test(fit, vcov = V, test = "Satterthwaite")
    joint_tests <- lapply(joint, function(pattern) {
      rows <- diag(length(terms))[grepl(pattern, terms), , drop = FALSE]
      w <- Wald_test(fit, constraints = rows, vcov = V, test = c("HTZ"))
      list(pattern = pattern, Fstat = w$Fstat, df_num = w$df_num, df_denom = w$df_denom, p_val = w$p_val)
    })
    out[[type]] <- list(vcov = unname(as.matrix(V)), SE = tests$SE, df = tests$df_Satt, p = tests$p_Satt,
                        joint = joint_tests)
  }
  out
}

sigma_of <- function(name) {
  v <- fromJSON(sprintf("../oracles/%s.json", name))$mmrm$us_REML_Satterthwaite$varcor$matrix
  as.matrix(v)
}

burnout <- read.csv("../oracles/burnout_200.csv", stringsAsFactors = TRUE)
burnout$visit <- factor(burnout$visit, levels = c("v0", "v1", "v3"))
dental <- read.csv("../oracles/potthoff_roy.csv", stringsAsFactors = TRUE)
dental$visit <- factor(dental$age)
dental$Sex <- factor(dental$Sex, levels = c("Male", "Female"))

# Clusters above the subject, made from the ids: 23 clinics with 8 or 9 subjects.
of_burnout <- at_optimum(EE ~ visit * group + sex + age, burnout, "id", sigma_of("burnout_200"))
joint_tests <- c("^visit.*:group", "^visitv[13]$", "visit|group")
clinic <- factor(as.integer(gsub("[^0-9]", "", current$subject)) %% 23)

clinics <- results(of_burnout, joint_tests, cluster = clinic)
out <- list(
  burnout_200 = results(of_burnout, joint_tests),
  burnout_200_clinics = clinics,
  potthoff_roy = results(at_optimum(distance ~ Sex * visit, dental, "Subject", sigma_of("potthoff_roy")),
                         c(":visit", "visit"))
)
write_json(out, "clubsandwich.json", digits = I(15), auto_unbox = TRUE)
writeLines(capture.output(sessionInfo()), "clubsandwich_session.txt")
