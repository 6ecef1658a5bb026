#include "CIsothermICU.h"
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uregex.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>
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

// Break iterators

struct isotherm_breaks { UBreakIterator *iterator; UText text; };

isotherm_breaks *isotherm_breaks_open(isotherm_break_kind kind, const char *locale) {
    UErrorCode status = U_ZERO_ERROR;
    isotherm_breaks *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    UText empty = UTEXT_INITIALIZER;
    b->text = empty;
    b->iterator = ubrk_open(kind == ISOTHERM_BREAK_WORD ? UBRK_WORD : UBRK_SENTENCE, locale, NULL, 0, &status);
    if (U_FAILURE(status)) { free(b); return NULL; }
    return b;
}

void isotherm_breaks_close(isotherm_breaks *b) {
    if (!b) return;
    ubrk_close(b->iterator);
    utext_close(&b->text);
    free(b);
}

int isotherm_breaks_set_text(isotherm_breaks *b, const uint8_t *utf8, size_t length) {
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&b->text, (const char *)utf8, (int64_t)length, &status);
    ubrk_setUText(b->iterator, &b->text, &status);
    if (U_FAILURE(status)) return 0;
    ubrk_first(b->iterator);
    return 1;
}

int32_t isotherm_breaks_next(isotherm_breaks *b) {
    int32_t at = ubrk_next(b->iterator);
    return at == UBRK_DONE ? -1 : at;
}

int32_t isotherm_breaks_status(isotherm_breaks *b) { return ubrk_getRuleStatus(b->iterator); }

// Regular expressions

struct isotherm_regex { URegularExpression *regex; UText text; };

static isotherm_regex *bounded(URegularExpression *regex) {
    UErrorCode status = U_ZERO_ERROR;
    isotherm_regex *r = calloc(1, sizeof *r);
    if (!r) { uregex_close(regex); return NULL; }
    UText empty = UTEXT_INITIALIZER;
    r->text = empty;
    r->regex = regex;
    uregex_setTimeLimit(regex, 2000, &status); // steps of about a millisecond
    uregex_setStackLimit(regex, 4 << 20, &status);
    return r;
}

isotherm_regex *isotherm_regex_open(const uint8_t *pattern, size_t length, uint32_t flags, char error[64]) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    UText text = UTEXT_INITIALIZER;
    utext_openUTF8(&text, (const char *)pattern, (int64_t)length, &status);
    uint32_t f = 0;
    if (flags & ISOTHERM_REGEX_CASE) f |= UREGEX_CASE_INSENSITIVE;
    if (flags & ISOTHERM_REGEX_COMMENTS) f |= UREGEX_COMMENTS;
    if (flags & ISOTHERM_REGEX_MULTILINE) f |= UREGEX_MULTILINE;
    if (flags & ISOTHERM_REGEX_DOTALL) f |= UREGEX_DOTALL;
    if (flags & ISOTHERM_REGEX_LITERAL) f |= UREGEX_LITERAL;
    URegularExpression *regex = uregex_openUText(&text, f, &where, &status);
    utext_close(&text);
    if (U_FAILURE(status)) {
        strncpy(error, u_errorName(status), 63);
        error[63] = 0;
        return NULL;
    }
    return bounded(regex);
}

isotherm_regex *isotherm_regex_clone(const isotherm_regex *r) {
    UErrorCode status = U_ZERO_ERROR;
    URegularExpression *copy = uregex_clone(r->regex, &status);
    return U_FAILURE(status) ? NULL : bounded(copy);
}

void isotherm_regex_close(isotherm_regex *r) {
    if (!r) return;
    uregex_close(r->regex);
    utext_close(&r->text);
    free(r);
}

int isotherm_regex_set_text(isotherm_regex *r, const uint8_t *utf8, size_t length) {
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&r->text, (const char *)utf8, (int64_t)length, &status);
    uregex_setUText(r->regex, &r->text, &status);
    return U_SUCCESS(status);
}

int isotherm_regex_next(isotherm_regex *r) {
    UErrorCode status = U_ZERO_ERROR;
    UBool found = uregex_findNext(r->regex, &status);
    return U_FAILURE(status) ? -1 : found ? 1 : 0;
}

int32_t isotherm_regex_group_count(isotherm_regex *r) {
    UErrorCode status = U_ZERO_ERROR;
    return uregex_groupCount(r->regex, &status);
}

int64_t isotherm_regex_start(isotherm_regex *r, int32_t group) {
    UErrorCode status = U_ZERO_ERROR;
    int64_t at = uregex_start64(r->regex, group, &status);
    return U_FAILURE(status) ? -1 : at;
}

int64_t isotherm_regex_end(isotherm_regex *r, int32_t group) {
    UErrorCode status = U_ZERO_ERROR;
    int64_t at = uregex_end64(r->regex, group, &status);
    return U_FAILURE(status) ? -1 : at;
}

int32_t isotherm_regex_group(isotherm_regex *r, const char *name) {
    UErrorCode status = U_ZERO_ERROR;
    int32_t n = uregex_groupNumberFromCName(r->regex, name, -1, &status);
    return U_FAILURE(status) ? -1 : n;
}

// Normalization

int64_t isotherm_normalize(isotherm_form form, const uint8_t *utf8, size_t length, uint8_t *out, size_t capacity) {
    UErrorCode status = U_ZERO_ERROR;
    const UNormalizer2 *n = NULL;
    switch (form) {
    case ISOTHERM_NFC: n = unorm2_getNFCInstance(&status); break;
    case ISOTHERM_NFD: n = unorm2_getNFDInstance(&status); break;
    case ISOTHERM_NFKC: n = unorm2_getNFKCInstance(&status); break;
    case ISOTHERM_NFKD: n = unorm2_getNFKDInstance(&status); break;
    case ISOTHERM_NFKC_CF: n = unorm2_getNFKCCasefoldInstance(&status); break;
    }
    if (U_FAILURE(status) || length > (1u << 28)) return -1;
    UChar small[256], *source = small, *result = NULL;
    int32_t units = 0, made = 0;
    if (length > 256 && !(source = malloc(length * sizeof *source))) return -1;
    u_strFromUTF8WithSub(source, length > 256 ? (int32_t)length : 256, &units, (const char *)utf8, (int32_t)length, 0xFFFD, NULL, &status);
    int32_t room = units * 4 + 64; // grows at need: some ligatures become 18 units
    while (U_SUCCESS(status)) {
        UChar *more = realloc(result, (size_t)room * sizeof *more);
        if (!more) { status = U_MEMORY_ALLOCATION_ERROR; break; }
        result = more;
        made = unorm2_normalize(n, source, units, result, room, &status);
        if (status != U_BUFFER_OVERFLOW_ERROR) break;
        status = U_ZERO_ERROR;
        room = made + 1;
    }
    int32_t bytes = -1;
    if (U_SUCCESS(status)) {
        u_strToUTF8WithSub((char *)out, (int32_t)(capacity > INT32_MAX ? INT32_MAX : capacity), &bytes, result, made, 0xFFFD, NULL, &status);
        if (status == U_BUFFER_OVERFLOW_ERROR || status == U_STRING_NOT_TERMINATED_WARNING) status = U_ZERO_ERROR;
    }
    free(result);
    if (source != small) free(source);
    return U_FAILURE(status) ? -1 : bytes;
}

int isotherm_is_mark(uint32_t scalar) { return u_charType((UChar32)scalar) == U_NON_SPACING_MARK; }
