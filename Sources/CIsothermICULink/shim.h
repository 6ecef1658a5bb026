// Nothing is declared here: this module only links ICU (see CIsothermICU).
