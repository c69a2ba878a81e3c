/* A streaming JSON writer: values come out as they are given; commas are its own business. */
#ifndef SPB_CLI_JSON_H
#define SPB_CLI_JSON_H

#include <stdbool.h>

#include <spb/value.h>

#include "cli/out.h"

typedef struct json {
    out *to;
    bool comma; /* a further value needs one in front */
} json;

void json_begin_object(json *j);
void json_end_object(json *j);
void json_begin_array(json *j);
void json_end_array(json *j);
/* Ends a top-level value with a line feed. */
void json_end_line(json *j);
/* The key of the next value: a literal that needs no escapes, or any text. */
void json_key(json *j, const char *key);
void json_key_str(json *j, spb_str key);
/* What is not UTF-8 becomes U+FFFD, one for each bad byte. */
void json_string(json *j, spb_str text);
void json_text(json *j, const char *text);
void json_u64(json *j, uint64_t number);
void json_i64(json *j, int64_t number);
/* JSON has no NaN and no infinities: these are the strings "NaN", "Infinity", "-Infinity". */
void json_float(json *j, float number);
void json_double(json *j, double number);
void json_bool(json *j, bool value);
void json_null(json *j);
/* A string in base64 (RFC 4648, with padding). */
void json_base64(json *j, spb_bytes bytes);

#endif
