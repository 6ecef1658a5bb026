// HTTP requests by the system's libcurl (Debian: libcurl4-openssl-dev), behind opaque types: libcurl's variadic calls, which Swift does not see,
// stay in CIsothermCurl.c. A request is made and answered in one blocking call; bodies lie in memory and are bounded.
#ifndef CISOTHERM_CURL_H
#define CISOTHERM_CURL_H
#include <stddef.h>
#include <stdint.h>

/// One connection and what belongs to it, used by one thread at a time (not always the same).
typedef struct isotherm_http isotherm_http;
/// A flag that any thread may raise while a request is under way.
typedef struct isotherm_http_cancel isotherm_http_cancel;

enum {
    ISOTHERM_HTTP_ANSWERED = 0,
    ISOTHERM_HTTP_CANCELLED,
    /// No connection came about: nothing was sent.
    ISOTHERM_HTTP_NOT_SENT,
    /// The server's certificate was not accepted, or TLS failed.
    ISOTHERM_HTTP_TLS,
    /// It may have arrived or not.
    ISOTHERM_HTTP_TIMED_OUT,
    ISOTHERM_HTTP_BROKEN,
    /// The answer is longer than was allowed.
    ISOTHERM_HTTP_TOO_LARGE,
    /// The URL or an option is wrong, or memory ran out: trying again cannot help.
    ISOTHERM_HTTP_REFUSED,
};

typedef struct {
    const char *method;
    const char *url;
    /// "Name: value" each.
    const char *const *headers;
    size_t header_count;
    const uint8_t *body;
    size_t body_count;
    /// Certificates to trust in place of the system's, or null.
    const char *ca_file;
    long connect_milliseconds;
    /// Given up when not a byte passed for so long.
    long stall_seconds;
    long total_milliseconds;
    size_t answer_bytes_max;
} isotherm_http_request;

typedef struct {
    int outcome;
    long status;
    /// The header lines of the last answer, as they came.
    const char *headers;
    size_t header_bytes;
    const uint8_t *body;
    size_t body_count;
    /// What went wrong, in libcurl's words; never null.
    const char *message;
} isotherm_http_answer;

/// Null when libcurl cannot be had.
isotherm_http *isotherm_http_new(void);
void isotherm_http_free(isotherm_http *http);
/// The answer's memory is the connection's and good until its next request. `cancel` may be null.
isotherm_http_answer isotherm_http_perform(isotherm_http *http, const isotherm_http_request *request, isotherm_http_cancel *cancel);

isotherm_http_cancel *isotherm_http_cancel_new(void);
void isotherm_http_cancel_raise(isotherm_http_cancel *cancel);
void isotherm_http_cancel_free(isotherm_http_cancel *cancel);

/// The linked libcurl, as "libcurl/7.88.1 OpenSSL/3.0.17 ...".
const char *isotherm_http_version(void);
#endif
