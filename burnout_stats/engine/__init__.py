"""How numbers are computed. The engine knows only arrays: no data frames, no formulas, no names.

Read in this order: `basis` and `moments` (what is kept of the data), `covariance` (Σ and its derivatives), `likelihood`
(the criterion and its derivatives), `scoring` (the optimum), `satterthwaite` and `kenward_roger` (degrees of freedom).
Every function broadcasts over leading axes: a stack of data sets is one array with a replicate axis.
"""
