# Inverse probability of being seen in burnout_200: a logistic model for each visit given baseline (glm), stabilized
# weights, independence estimating equations (geepack), and the augmented mean of each visit with the standard error of
# its influence function. The weights of the first analysis are not truncated; those of the second are cut at the
# quantiles .05 and .95 (type 1) of each visit. Run in tests/reference/r: Rscript weighting.R
suppressPackageStartupMessages({
  library(geepack)
  library(jsonlite)
})

long <- read.csv("../oracles/burnout_200.csv", stringsAsFactors = FALSE)
visits <- c("v0", "v1", "v3")
long$visit <- factor(long$visit, levels = visits)
long$group <- factor(long$group, levels = c("control", "intervention"))
long$sex <- factor(long$sex, levels = c("F", "M"))
base <- long[long$visit == "v0" & !is.na(long$EE), ]
long <- long[long$id %in% base$id & !is.na(long$EE), ]

cut_at <- function(w, q) if (is.null(q)) w else pmin(pmax(w, quantile(w, q[1], type = 1)), quantile(w, q[2], type = 1))
analyse <- function(q) {
  long$w <- 1
  models <- list()
  means <- numeric(0)
  influence <- NULL
  for (v in visits) {
    seen <- base$id %in% long$id[long$visit == v]
    y <- long$EE[long$visit == v][match(base$id, long$id[long$visit == v])]
    a <- rep(1, nrow(base))
    if (!all(seen)) {
      model <- glm(seen ~ EE + age + sex, family = binomial, data = base, control = list(epsilon = 1e-14, maxit = 100))
      w <- mean(seen) / fitted(model)
      w[seen] <- cut_at(w[seen], q)
      long$w[long$visit == v] <- w[match(long$id[long$visit == v], base$id)]
      a <- w / mean(seen)
      models[[v]] <- list(beta = unname(coef(model)), lowest = min(fitted(model)), highest = max(fitted(model)),
                          mean = mean(w[seen]), largest = max(w[seen]), ess = sum(w[seen])^2 / sum(w[seen]^2))
    }
    line <- lm(y ~ EE + age + sex, data = base)
    m <- predict(line, base)
    pseudo <- m + ifelse(seen, a * (y - m), 0)
    means <- c(means, mean(pseudo))
    influence <- cbind(influence, pseudo - mean(pseudo))
  }
  gee <- geeglm(EE ~ visit * group + age, id = id, data = long, weights = w, corstr = "independence")
  list(models = models, terms = names(coef(gee)), beta = unname(coef(gee)), vcov = unname(gee$geese$vbeta),
       means = unname(means), means_vcov = unname(crossprod(influence)) / nrow(base)^2)
}
long <- long[order(long$id, long$visit), ]
write_json(list(n = nrow(base), whole = analyse(NULL), cut = analyse(c(.05, .95))), "weighting.json", digits = 15,
           auto_unbox = TRUE, pretty = TRUE)
writeLines(capture.output(sessionInfo()), "weighting_session.txt")
