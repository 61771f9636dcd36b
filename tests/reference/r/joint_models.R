# Joint covariance of several marginal models, and tests adjusted over all of them, by R's multcomp (`mmm`): three linear
# models of the scores at three visits, with subjects missing from some. Run in this folder: Rscript joint_models.R
suppressPackageStartupMessages({
  library(multcomp)
  library(sandwich)
  library(jsonlite)
})
long <- read.csv("../oracles/burnout_200.csv", stringsAsFactors = TRUE)
subjects <- unique(long[, c("id", "group", "sex")])
wide <- subjects
for (v in c("v0", "v1", "v3")) {
  here <- long[long$visit == v, c("id", "EE")]
  wide[[v]] <- here$EE[match(wide$id, here$id)]
}
models <- lapply(c("v0", "v1", "v3"), function(v) {
  lm(as.formula(paste(v, "~ group + sex")), data = wide, na.action = na.exclude)
})
joint <- mmm(v0 = models[[1]], v1 = models[[2]], v3 = models[[3]])
K <- matrix(0, 6, 9)
K[cbind(1:6, c(2, 3, 5, 6, 8, 9))] <- 1
rownames(K) <- paste(rep(c("v0", "v1", "v3"), each = 2), c("group", "sex"))
asked <- glht(joint, linfct = K)
set.seed(1)
single <- summary(asked, test = adjusted("single-step", abseps = 1e-6, maxpts = 2e6))
ci <- confint(asked, level = 0.95)
out <- list(
  estimate = unname(coef(asked)),
  vcov = unname(as.matrix(vcov(asked))),
  n = sapply(models, nobs),
  z = unname(single$test$tstat),
  p_single = as.numeric(single$test$pvalues),
  critical = as.numeric(attr(ci$confint, "calpha"))
)
write_json(out, "joint_models.json", digits = NA, auto_unbox = TRUE)
session <- c(R.version.string, paste("Platform:", R.version$platform),
  sapply(c("multcomp", "mvtnorm", "sandwich"), function(p) paste(p, packageVersion(p))))
writeLines(session, "joint_models_session.txt")
