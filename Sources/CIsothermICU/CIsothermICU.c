#include "CIsothermICU.h"
#include <unicode/uvernum.h>
const char *isotherm_icu_version(void) { return U_ICU_VERSION; }
