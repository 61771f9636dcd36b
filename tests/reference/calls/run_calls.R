# Runs every script of this folder on data/synthetic/villa_sana.csv and keeps coefficients, means and changes with their
# standard errors. Run in this folder: Rscript run_calls.R
suppressPackageStartupMessages({library(nlme); library(lme4); library(lmerTest); library(emmeans); library(jsonlite)})
here <- getwd()
scripts <- sort(setdiff(list.files(here, pattern = "\\.R$"), "run_calls.R"))
table_of <- function(x) { x <- as.data.frame(summary(x)); x[vapply(x, is.factor, TRUE)] <- lapply(x[vapply(x, is.factor, TRUE)], as.character); as.list(x) }
one <- function(name) {
  place <- globalenv()
  setwd(file.path(here, "..", "..", "..", "data", "synthetic")); on.exit(setwd(here))
  on.exit(rm(list = c("raw", "d", "fit", "w", "means", "changes"), envir = place), add = TRUE)
  capture.output(sys.source(file.path(here, name), envir = place))
  with(place, {
    is_lmer <- inherits(fit, "merMod")
    V <- if (is_lmer) as.matrix(vcov(fit)) else vcov(fit)
    b <- if (is_lmer) fixef(fit) else coef(fit)
    list(terms = names(b), estimate = unname(b), std_error = unname(sqrt(diag(V))), loglik = as.numeric(logLik(fit)),
      n = nrow(d), means = table_of(means), changes = table_of(changes))
  })
}
out <- lapply(scripts, one)
names(out) <- sub("\\.R$", "", scripts)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE), "results.json")
writeLines(c(capture.output(sessionInfo())[1:3], vapply(c("base", "nlme", "lme4", "lmerTest", "pbkrtest", "emmeans"),
  function(p) paste(p, packageVersion(p)), "")), "session.txt")
