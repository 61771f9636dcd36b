# Chained equations by mice, wide by visit. Run: Rscript chained.R > chained.json (some minutes)
# The data are the synthetic Villa Sana cohort with further gaps, made at random.
suppressPackageStartupMessages({library(mice); library(jsonlite)})
long <- read.csv("data/villa_sana_gaps.csv", na.strings = "")
long$visit <- c("baseline" = 0, "1 year" = 1, "3 years" = 3)[long$visit]
wide <- reshape(long, direction = "wide", idvar = c("subject", "sex", "age"), timevar = "visit", sep = "_")
wide$subject <- NULL
for (v in grep("^sick_leave|^sex", names(wide), value = TRUE)) wide[[v]] <- factor(wide[[v]])
m <- 100
pooled <- function(Q, U) {
  found <- lapply(seq_len(ncol(Q)), function(k) pool.scalar(Q[, k], U[, k], n = nrow(wide), k = 1))
  list(estimate = sapply(found, `[[`, "qbar"), within = sapply(found, `[[`, "ubar"), between = sapply(found, `[[`, "b"))
}
columns <- paste(rep(c("exhaustion", "job_stress", "coping"), each = 3), c(0, 1, 3), sep = "_")
run <- function(numbers) {
  method <- make.method(wide)
  method[columns[sapply(wide[columns], anyNA)]] <- numbers
  imp <- mice(wide, m = m, maxit = 10, method = method, seed = 11, printFlag = FALSE)
  done <- complete(imp, "all")
  means <- t(sapply(done, function(d) c(colMeans(d[columns]), sapply(d[paste0("sick_leave_", c(0, 1, 3))], function(x) mean(x == "yes")))))
  vars <- t(sapply(done, function(d) c(sapply(d[columns], var), sapply(d[paste0("sick_leave_", c(0, 1, 3))], function(x) var(x == "yes"))) / nrow(d)))
  fits <- lapply(done, function(d) lm(I(exhaustion_3 - exhaustion_0) ~ sex + I(age - 47) + coping_0 + I(sick_leave_0 == "yes"), data = d))
  cors <- t(sapply(done, function(d) c(cor(d$exhaustion_0, d$exhaustion_3), cor(d$exhaustion_1, d$exhaustion_3), cor(d$exhaustion_3, d$coping_3))))
  list(method = as.list(method), means = c(list(columns = colnames(means)), pooled(means, vars)),
       change = pooled(t(sapply(fits, coef)), t(sapply(fits, function(f) diag(vcov(f))))),
       correlations = list(estimate = colMeans(cors), between = apply(cors, 2, var)))
}
out <- list(m = m, cycles = 10, norm = run("norm"), pmm = run("pmm"),
  versions = list(R = as.character(getRversion()), mice = as.character(packageVersion("mice"))))
cat(toJSON(out, digits = I(12), auto_unbox = TRUE), "\n")
