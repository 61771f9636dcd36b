# The 5 x 7 table of a single item against the MBI's item "burned out", n = 5,404: accuracy with Wilson's intervals and
# likelihood ratios (epiR), the area under the curve with DeLong's interval (pROC), kappa plain and weighted (psych).
# Run in this folder: Rscript screening.R
suppressMessages({library(epiR); library(pROC); library(psych); library(jsonlite)})

counts <- matrix(c(748, 154, 34, 8, 4, 5, 2,
                   427, 805, 402, 412, 170, 137, 16,
                   9, 48, 76, 238, 207, 466, 189,
                   0, 4, 11, 37, 31, 194, 269,
                   2, 2, 0, 3, 1, 50, 243), nrow = 5, byrow = TRUE)
high <- 3:5
weekly <- 5:7
four <- matrix(c(sum(counts[high, weekly]), sum(counts[high, -weekly]),
                 sum(counts[-high, weekly]), sum(counts[-high, -weekly])), nrow = 2, byrow = TRUE)

accuracy <- epi.tests(as.table(four), method = "wilson", conf.level = 0.95)
detail <- as.data.frame(accuracy$detail)
keep <- c("se", "sp", "pv.pos", "pv.neg", "lr.pos", "lr.neg", "diag.ac", "tp")
rows <- detail[detail$statistic %in% keep, ]

test <- rep(row(counts), counts)
positive <- rep(col(counts) %in% weekly, counts)
curve <- roc(positive, test, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)

of_kappa <- function(table, weights) {
  found <- if (is.null(weights)) cohen.kappa(table) else cohen.kappa(table, w = weights)
  # var.weighted is left out: it changes with the scale of the weights, which kappa does not (psych 2.2.9)
  list(plain = found$kappa, plain_se = sqrt(found$var.kappa), weighted = found$weighted.kappa)
}
square <- counts[, 1:5]
linear <- abs(outer(1:5, 1:5, "-"))

write_json(list(
  accuracy = lapply(split(rows[, c("est", "lower", "upper")], rows$statistic), as.numeric),
  area = as.numeric(ci.auc(curve, method = "delong")),
  area_se = sqrt(var(curve, method = "delong")),
  kappa_at_cut = of_kappa(four, NULL),
  kappa_quadratic = of_kappa(square, NULL),
  kappa_linear = of_kappa(square, linear)
), "screening.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
writeLines(capture.output(sessionInfo()), "screening_session.txt")
