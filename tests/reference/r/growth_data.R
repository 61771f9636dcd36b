# A made-up cohort of 240 persons at 0, 1 and 3 years: three scores and four items of one of them, with visits and answers
# missing at random. Run in this folder: Rscript growth_data.R
set.seed(20081)
n <- 240
z <- function() rnorm(n)
ability <- z(); e0 <- ability
fall <- 0.6 + 0.35 * ability + 0.5 * z()
later <- 0.05 + 0.3 * z()
true <- cbind(e0, e0 - fall, e0 - fall - later)
shared <- z()
cope0 <- 0.4 * e0 + 0.8 * z(); cope1 <- cope0 - 0.3 - 0.3 * fall + 0.5 * z(); cope3 <- cope1 + 0.5 * z()
js0 <- 0.5 * e0 + 0.3 * cope0 + 0.7 * z(); js1 <- js0 - 0.35 * fall + 0.3 * (cope1 - cope0) + 0.5 * z(); js3 <- js1 - 0.05 + 0.5 * z()
noisy <- function(x, center, sd) round(center + sd * (x + 0.4 * z()), 2)
scores <- list(
  exhaustion = sapply(1:3, function(t) noisy(true[, t], 3.0, 0.8)),
  job_stress = noisy(cbind(js0, js1, js3), 2.4, 0.6),
  coping = noisy(cbind(cope0, cope1, cope3), 2.9, 0.7)
)
loading <- c(0.8, 0.7, 0.9, 0.6); intercept <- c(3.0, 2.8, 3.2, 2.5)
for (j in 1:4) {
  specific <- 0.35 * z()
  scores[[paste0("item", j)]] <- sapply(1:3, function(t) {
    round(intercept[j] + (j == 4) * 0.1 * (t == 3) + loading[j] * true[, t] + specific + 0.45 * z(), 2)
  })
}
gone <- cbind(runif(n) < 0.03, runif(n) < 0.15, runif(n) < plogis(-1.2 + 0.5 * e0))
long <- do.call(rbind, lapply(1:3, function(t) {
  d <- data.frame(id = 1:n, visit = c("baseline", "1 year", "3 years")[t], sapply(scores, function(x) x[, t]))
  d[gone[, t], -(1:2)] <- NA
  d
}))
for (v in c("job_stress", "coping", paste0("item", 1:4))) long[[v]][runif(nrow(long)) < 0.03] <- NA
write.csv(long[order(long$id), ], "data/growth_models.csv", row.names = FALSE, na = "", quote = FALSE)
