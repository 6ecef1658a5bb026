// See CIsothermCurl.h. Written against libcurl 7.85 and later; no redirect is followed (a signature holds for one host), no proxy is set here
// (libcurl's own environment variables are honoured), only HTTP/1.1 over http and https.
#include "CIsothermCurl.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES_MAX (64 * 1024)

typedef struct {
    uint8_t *bytes;
    size_t count, capacity, max;
} buffer;

struct isotherm_http {
    CURL *curl;
    buffer headers, body;
    char message[CURL_ERROR_SIZE];
    int too_large;
};

struct isotherm_http_cancel { atomic_int raised; };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int is_ready = 0;
static void start(void) { is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK; }

const char *isotherm_http_version(void) { return curl_version(); }

isotherm_http *isotherm_http_new(void) {
    pthread_once(&once, start);
    if (!is_ready) return NULL;
    isotherm_http *http = calloc(1, sizeof *http);
    if (http == NULL) return NULL;
    http->curl = curl_easy_init();
    if (http->curl == NULL) {
        free(http);
        return NULL;
    }
    return http;
}

void isotherm_http_free(isotherm_http *http) {
    if (http == NULL) return;
    curl_easy_cleanup(http->curl);
    free(http->headers.bytes);
    free(http->body.bytes);
    free(http);
}

isotherm_http_cancel *isotherm_http_cancel_new(void) { return calloc(1, sizeof(isotherm_http_cancel)); }
void isotherm_http_cancel_raise(isotherm_http_cancel *cancel) {
    if (cancel != NULL) atomic_store(&cancel->raised, 1);
}
void isotherm_http_cancel_free(isotherm_http_cancel *cancel) { free(cancel); }

// 1 when there is room for `more` bytes.
static int make_room(buffer *b, size_t more) {
    if (more > b->max - b->count) return 0;
    size_t need = b->count + more;
    if (need <= b->capacity) return 1;
    size_t capacity = b->capacity < 4096 ? 4096 : b->capacity;
    while (capacity < need) capacity = capacity > b->max / 2 ? b->max : capacity * 2;
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (bytes == NULL) return 0;
    b->bytes = bytes;
    b->capacity = capacity;
    return 1;
}

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    isotherm_http *http = context;
    size_t bytes = size * count;
    // A status line begins an answer: what came before it (100 Continue, trailers of nothing) is dropped.
    if (bytes >= 5 && memcmp(data, "HTTP/", 5) == 0) http->headers.count = 0;
    if (!make_room(&http->headers, bytes)) {
        http->too_large = 1;
        return 0;
    }
    memcpy(http->headers.bytes + http->headers.count, data, bytes);
    http->headers.count += bytes;
    return bytes;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    isotherm_http *http = context;
    size_t bytes = size * count;
    if (http->body.count == 0) {
        // One allocation where the length was announced.
        curl_off_t length = -1;
        curl_easy_getinfo(http->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (length > 0 && (uint64_t)length <= http->body.max) (void)make_room(&http->body, (size_t)length);
    }
    if (!make_room(&http->body, bytes)) {
        http->too_large = 1;
        return 0;
    }
    memcpy(http->body.bytes + http->body.count, data, bytes);
    http->body.count += bytes;
    return bytes;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a; (void)b; (void)c; (void)d;
    isotherm_http_cancel *cancel = context;
    return cancel != NULL && atomic_load(&cancel->raised) != 0;
}

static int outcome_of(CURLcode code, isotherm_http *http) {
    switch (code) {
    case CURLE_OK: return ISOTHERM_HTTP_ANSWERED;
    case CURLE_ABORTED_BY_CALLBACK: return ISOTHERM_HTTP_CANCELLED;
    case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_COULDNT_CONNECT:
    // Also a connection that was reset in the midst of a handshake; what is wrong with a certificate is told by the others.
    case CURLE_SSL_CONNECT_ERROR:
        return ISOTHERM_HTTP_NOT_SENT;
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_ISSUER_ERROR: case CURLE_SSL_INVALIDCERTSTATUS:
        return ISOTHERM_HTTP_TLS;
    case CURLE_OPERATION_TIMEDOUT: {
        // Before a connection stood nothing was sent.
        curl_off_t connected = 0;
        curl_easy_getinfo(http->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
        return connected == 0 ? ISOTHERM_HTTP_NOT_SENT : ISOTHERM_HTTP_TIMED_OUT;
    }
    case CURLE_WRITE_ERROR: return http->too_large ? ISOTHERM_HTTP_TOO_LARGE : ISOTHERM_HTTP_BROKEN;
    case CURLE_URL_MALFORMAT: case CURLE_OUT_OF_MEMORY: case CURLE_FAILED_INIT:
    case CURLE_UNKNOWN_OPTION: case CURLE_BAD_FUNCTION_ARGUMENT:
        return ISOTHERM_HTTP_REFUSED;
    default: return ISOTHERM_HTTP_BROKEN;
    }
}

isotherm_http_answer isotherm_http_perform(isotherm_http *http, const isotherm_http_request *request, isotherm_http_cancel *cancel) {
    CURL *curl = http->curl;
    isotherm_http_answer answer = {0};
    http->message[0] = 0;
    http->too_large = 0;
    http->headers.count = http->body.count = 0;
    http->headers.max = HEADER_BYTES_MAX;
    http->body.max = request->answer_bytes_max;
    if (http->body.capacity > (1 << 20)) {
        // A large answer's memory is not kept for the small ones after it.
        free(http->body.bytes);
        http->body.bytes = NULL;
        http->body.capacity = 0;
    }

    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(headers, request->headers[i]);
        if (longer == NULL) {
            curl_slist_free_all(headers);
            answer.outcome = ISOTHERM_HTTP_REFUSED;
            answer.message = "out of memory";
            return answer;
        }
        headers = longer;
    }

    curl_easy_reset(curl); // keeps connections and TLS sessions
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->message);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L * 1024L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024L);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->total_milliseconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, request->stall_seconds);
    if (request->ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, cancel);

    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0) {
        // Not copied by libcurl, and sent again from the start if it must.
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_count);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body_count > 0 ? (const char *)request->body : "");
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }

    CURLcode code = curl_easy_perform(curl);
    answer.outcome = outcome_of(code, http);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.headers = (const char *)http->headers.bytes;
    answer.header_bytes = http->headers.count;
    answer.body = http->body.bytes;
    answer.body_count = http->body.count;
    answer.message = http->message[0] != 0 ? http->message : curl_easy_strerror(code);
    // Nothing of the caller's may be pointed at after this call.
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, NULL);
    curl_slist_free_all(headers);
    return answer;
}
