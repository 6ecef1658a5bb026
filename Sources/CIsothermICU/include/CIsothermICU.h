// ICU behind opaque types. ICU renames its symbols by macro, which Swift does not see, and its types
// clash with Foundation's own copy: so its headers are included only in CIsothermICU.c.
#ifndef CISOTHERM_ICU_H
#define CISOTHERM_ICU_H
/// The linked ICU's version, as "72.1".
const char *isotherm_icu_version(void);
#endif
