// ICU behind opaque types. ICU renames its symbols by macro, which Swift does not see, and its types
// clash with Foundation's own copy: so its headers are included only in CIsothermICU.c.
#ifndef CISOTHERM_ICU_H
#define CISOTHERM_ICU_H
#include <stddef.h>
#include <stdint.h>

/// The linked ICU's version, as "72.1".
const char *isotherm_icu_version(void);

// What a scalar is to a tokenizer, in 16 bits. The low five bits are the Word_Break class (UAX #29):
enum {
    ISOTHERM_WB_OTHER = 0, ISOTHERM_WB_CR, ISOTHERM_WB_LF, ISOTHERM_WB_NEWLINE, ISOTHERM_WB_EXTEND /* and Format */,
    ISOTHERM_WB_ZWJ, ISOTHERM_WB_REGIONAL, ISOTHERM_WB_KATAKANA, ISOTHERM_WB_HEBREW, ISOTHERM_WB_LETTER,
    ISOTHERM_WB_SINGLE_QUOTE, ISOTHERM_WB_DOUBLE_QUOTE, ISOTHERM_WB_MID_NUM_LET, ISOTHERM_WB_MID_LETTER,
    ISOTHERM_WB_MID_NUM, ISOTHERM_WB_NUMERIC, ISOTHERM_WB_EXTEND_NUM_LET, ISOTHERM_WB_SPACE,
};
#define ISOTHERM_WB_MASK 31u
// then flags:
#define ISOTHERM_IS_HAN 0x20u
#define ISOTHERM_IS_HIRAGANA 0x40u
#define ISOTHERM_IS_HANGUL 0x80u
#define ISOTHERM_IS_SOUTHEAST_ASIAN 0x100u /* Line_Break=Complex_Context */
#define ISOTHERM_IS_PICTOGRAPHIC 0x200u    /* Extended_Pictographic, or Emoji_Modifier */
#define ISOTHERM_IS_LETTER 0x400u          /* General_Category L*: Java's Character.isLetter */
#define ISOTHERM_IS_DIGIT 0x800u           /* Nd: Java's Character.isDigit */
#define ISOTHERM_IS_WHITESPACE 0x1000u     /* Java's Character.isWhitespace */
#define ISOTHERM_IS_PUNCTUATION 0x2000u    /* P* as token_chars means it */
#define ISOTHERM_IS_SYMBOL 0x4000u         /* S* */
#define ISOTHERM_IS_UPPER 0x8000u          /* Lu or Lt */

/// Class and flags of a scalar; 0 past U+10FFFF. Safe from any thread.
uint16_t isotherm_scalar_class(uint32_t scalar);

/// Simple (one to one) case mappings, independent of language.
uint32_t isotherm_to_lower(uint32_t scalar);
uint32_t isotherm_to_upper(uint32_t scalar);
/// 0...9, or -1 when the scalar is no decimal digit.
int32_t isotherm_digit_value(uint32_t scalar);
#endif
