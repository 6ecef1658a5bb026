// Judgments and metrics of ranked search: nDCG, MRR, MAP, precision, recall, intervals, the gate.
