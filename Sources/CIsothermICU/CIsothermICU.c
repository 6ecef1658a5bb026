#include "CIsothermICU.h"
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/uvernum.h>

const char *isotherm_icu_version(void) { return U_ICU_VERSION; }

static uint16_t classify(UChar32 c) {
    uint16_t r = 0;
    switch (u_getIntPropertyValue(c, UCHAR_WORD_BREAK)) {
    case U_WB_CR: r = ISOTHERM_WB_CR; break;
    case U_WB_LF: r = ISOTHERM_WB_LF; break;
    case U_WB_NEWLINE: r = ISOTHERM_WB_NEWLINE; break;
    case U_WB_EXTEND: case U_WB_FORMAT: r = ISOTHERM_WB_EXTEND; break;
    case U_WB_ZWJ: r = ISOTHERM_WB_ZWJ; break;
    case U_WB_REGIONAL_INDICATOR: r = ISOTHERM_WB_REGIONAL; break;
    case U_WB_KATAKANA: r = ISOTHERM_WB_KATAKANA; break;
    case U_WB_HEBREW_LETTER: r = ISOTHERM_WB_HEBREW; break;
    case U_WB_ALETTER: r = ISOTHERM_WB_LETTER; break;
    case U_WB_SINGLE_QUOTE: r = ISOTHERM_WB_SINGLE_QUOTE; break;
    case U_WB_DOUBLE_QUOTE: r = ISOTHERM_WB_DOUBLE_QUOTE; break;
    case U_WB_MIDNUMLET: r = ISOTHERM_WB_MID_NUM_LET; break;
    case U_WB_MIDLETTER: r = ISOTHERM_WB_MID_LETTER; break;
    case U_WB_MIDNUM: r = ISOTHERM_WB_MID_NUM; break;
    case U_WB_NUMERIC: r = ISOTHERM_WB_NUMERIC; break;
    case U_WB_EXTENDNUMLET: r = ISOTHERM_WB_EXTEND_NUM_LET; break;
    case U_WB_WSEGSPACE: r = ISOTHERM_WB_SPACE; break;
    default: break;
    }
    UErrorCode status = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(c, &status);
    if (script == USCRIPT_HAN) r |= ISOTHERM_IS_HAN;
    if (script == USCRIPT_HIRAGANA) r |= ISOTHERM_IS_HIRAGANA;
    if (script == USCRIPT_HANGUL) r |= ISOTHERM_IS_HANGUL;
    if (u_getIntPropertyValue(c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT) r |= ISOTHERM_IS_SOUTHEAST_ASIAN;
    if (u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) || u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER)) r |= ISOTHERM_IS_PICTOGRAPHIC;
    uint32_t category = U_GET_GC_MASK(c);
    if (category & U_GC_L_MASK) r |= ISOTHERM_IS_LETTER;
    if (category & U_GC_ND_MASK) r |= ISOTHERM_IS_DIGIT;
    if (category & U_GC_P_MASK) r |= ISOTHERM_IS_PUNCTUATION;
    if (category & U_GC_S_MASK) r |= ISOTHERM_IS_SYMBOL;
    if (category & (U_GC_LU_MASK | U_GC_LT_MASK)) r |= ISOTHERM_IS_UPPER;
    if (u_isWhitespace(c)) r |= ISOTHERM_IS_WHITESPACE; // ICU's is defined to be Java's
    return r;
}

// Pages of 256 scalars, filled when first touched. Two threads may fill the same page; one copy is kept.
static uint16_t *pages[0x110000 >> 8];

uint16_t isotherm_scalar_class(uint32_t scalar) {
    if (scalar >= 0x110000) return 0;
    uint16_t *page = __atomic_load_n(&pages[scalar >> 8], __ATOMIC_ACQUIRE);
    if (!page) {
        uint16_t *made = malloc(256 * sizeof *made);
        if (!made) return classify((UChar32)scalar);
        for (uint32_t i = 0; i < 256; i++) made[i] = classify((UChar32)((scalar & ~255u) | i));
        if (__atomic_compare_exchange_n(&pages[scalar >> 8], &page, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) page = made;
        else free(made);
    }
    return page[scalar & 255];
}

uint32_t isotherm_to_lower(uint32_t scalar) { return (uint32_t)u_tolower((UChar32)scalar); }
uint32_t isotherm_to_upper(uint32_t scalar) { return (uint32_t)u_toupper((UChar32)scalar); }
int32_t isotherm_digit_value(uint32_t scalar) { return u_charDigitValue((UChar32)scalar); }
