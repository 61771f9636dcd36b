# Residuals of nlme's gls at fixed parameters, on the oracle data. Run: Rscript residuals.R DIR_OF_burnout_200.csv > residuals.json
suppressPackageStartupMessages({library(nlme); library(jsonlite)})
dir <- commandArgs(TRUE)[1]
d <- read.csv(file.path(dir, "burnout_200.csv"), stringsAsFactors = TRUE)
d$visit <- factor(d$visit, levels = c("v0", "v1", "v3")); d <- d[!is.na(d$EE), ]; d <- d[order(d$id, d$visit), ]
d$k <- as.integer(d$visit)
f <- gls(EE ~ visit * group + sex + age, d, correlation = corSymm(form = ~ k | id), weights = varIdent(form = ~ 1 | visit),
         method = "REML", control = glsControl(msTol = 1e-14, tolerance = 1e-14, msMaxIter = 1000, opt = "optim", maxIter = 1000))
out <- list(id = as.character(d$id), visit = as.character(d$visit), n = nrow(d), loglik = as.numeric(logLik(f)),
            sigma = matrix(as.numeric(getVarCov(f, individual = names(which(table(d$id) == 3))[1])), 3))
for (type in c("response", "pearson", "normalized")) out[[type]] <- as.numeric(residuals(f, type = type))
out$versions <- list(R = as.character(getRversion()), nlme = as.character(packageVersion("nlme")))
cat(toJSON(out, digits = I(10), auto_unbox = TRUE), "\n")
