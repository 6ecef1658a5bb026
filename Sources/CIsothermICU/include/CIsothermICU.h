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

// Break iterators over UTF-8, positions in bytes. One thread at a time; the text must stay where it is
// until the next set_text.
typedef struct isotherm_breaks isotherm_breaks;
typedef enum { ISOTHERM_BREAK_WORD = 0, ISOTHERM_BREAK_SENTENCE = 1 } isotherm_break_kind;
/// Null when ICU has no data for it. Words are cut by dictionary for Thai, Lao, Khmer, Burmese, Chinese, Japanese.
isotherm_breaks *isotherm_breaks_open(isotherm_break_kind kind, const char *locale);
void isotherm_breaks_close(isotherm_breaks *breaks);
/// 0 on failure.
int isotherm_breaks_set_text(isotherm_breaks *breaks, const uint8_t *utf8, size_t length);
/// The next boundary, or -1 at the end.
int32_t isotherm_breaks_next(isotherm_breaks *breaks);
/// ICU's rule status of the segment that ended there: below 100 no word, 100 number, 200 letters, 300 kana, 400 ideographs.
int32_t isotherm_breaks_status(isotherm_breaks *breaks);

// Regular expressions over UTF-8, positions in bytes. A match stops after a bounded number of steps and of stack.
typedef struct isotherm_regex isotherm_regex;
enum { ISOTHERM_REGEX_CASE = 1, ISOTHERM_REGEX_COMMENTS = 2, ISOTHERM_REGEX_MULTILINE = 4, ISOTHERM_REGEX_DOTALL = 8, ISOTHERM_REGEX_LITERAL = 16 };
/// Null when the pattern is wrong: `error` then holds ICU's name for it.
isotherm_regex *isotherm_regex_open(const uint8_t *pattern, size_t length, uint32_t flags, char error[64]);
isotherm_regex *isotherm_regex_clone(const isotherm_regex *regex);
void isotherm_regex_close(isotherm_regex *regex);
int isotherm_regex_set_text(isotherm_regex *regex, const uint8_t *utf8, size_t length);
/// 1 found, 0 no more, -1 past the limits.
int isotherm_regex_next(isotherm_regex *regex);
int32_t isotherm_regex_group_count(isotherm_regex *regex);
/// Group 0 is the whole match; -1 for a group that took no part.
int64_t isotherm_regex_start(isotherm_regex *regex, int32_t group);
int64_t isotherm_regex_end(isotherm_regex *regex, int32_t group);
/// The number of a named group, or -1.
int32_t isotherm_regex_group(isotherm_regex *regex, const char *name);

// Normalization forms, from UTF-8 to UTF-8.
typedef enum { ISOTHERM_NFC, ISOTHERM_NFD, ISOTHERM_NFKC, ISOTHERM_NFKD, ISOTHERM_NFKC_CF } isotherm_form;
/// Writes at most `capacity` bytes; the length of the whole result, or -1 on failure.
int64_t isotherm_normalize(isotherm_form form, const uint8_t *utf8, size_t length, uint8_t *out, size_t capacity);
/// 1 when the scalar is a nonspacing mark.
int isotherm_is_mark(uint32_t scalar);
#endif
