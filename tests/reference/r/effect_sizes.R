# Standardized changes by metafor's escalc, on three sets of summaries. Run: Rscript effect_sizes.R > effect_sizes.json
# metafor 3.8 multiplies the variance of SMCRH by J(n - 1)^2; 4.0 and later do not, nor do we: the test divides it out.
suppressPackageStartupMessages({library(metafor); library(jsonlite)})
d <- data.frame(n = c(185, 20, 9), m1 = c(3.00, 30.6, 0.5), m2 = c(2.53, 38.5, 0.7), s1 = c(0.94, 15.0, 0.1),
                s2 = c(0.76, 11.6, 0.12), r = c(0.40, 0.47, 0.77))
out <- list(data = as.list(d))
for (measure in c("SMCC", "SMCR", "SMCRH")) {
  e <- escalc(measure = measure, m1i = m2, m2i = m1, sd1i = s1, sd2i = s2, ri = r, ni = n, data = d)
  out[[tolower(measure)]] <- list(yi = as.numeric(e$yi), vi = as.numeric(e$vi))
}
out$versions <- list(R = as.character(getRversion()), metafor = as.character(packageVersion("metafor")))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE), "\n")
