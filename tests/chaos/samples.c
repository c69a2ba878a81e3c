/* Decides which values the edge program sends. What becomes of them is the verdict's matter. */
#include "chaos/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BITS 32

static const char *const form_names[] = {"Integer", "Real", "Clocked"};

chaos_form chaos_form_of(unsigned metric) {
    return (chaos_form)(metric % 3);
}

void chaos_metric_name(unsigned metric, char name[CHAOS_TEXT]) {
    snprintf(name, CHAOS_TEXT, "%s/%u", form_names[chaos_form_of(metric)], metric);
}

void chaos_device_name(unsigned holder, char name[CHAOS_TEXT]) {
    snprintf(name, CHAOS_TEXT, "Device%u", holder);
}

int chaos_metric_of(const char *name) {
    const char *slash = strchr(name, '/');
    unsigned metric;
    char expected[CHAOS_TEXT];
    if (!slash || sscanf(slash + 1, "%u", &metric) != 1) {
        return -1;
    }
    chaos_metric_name(metric, expected);
    return strcmp(expected, name) == 0 ? (int)metric : -1;
}

uint64_t chaos_code(unsigned metric, uint64_t number) {
    return (uint64_t)metric << NUMBER_BITS | number;
}

void chaos_decode(uint64_t code, chaos_sample *out) {
    *out = (chaos_sample){.metric = (unsigned)(code >> NUMBER_BITS), .number = code & UINT32_MAX};
}

void chaos_write_text(const chaos_sample *sample, char text[CHAOS_TEXT]) {
    snprintf(text, CHAOS_TEXT, "%u %" PRIu64 " %" PRIu64 " %" PRIu64, sample->metric, sample->number, sample->seen_ms,
             sample->true_ms);
}

bool chaos_read_text(const char *text, chaos_sample *out) {
    int end = 0;
    return sscanf(text, "%u %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", &out->metric, &out->number, &out->seen_ms,
                  &out->true_ms, &end) == 4 &&
           text[end] == '\0';
}

uint64_t chaos_time_of(uint64_t start_ms, uint64_t number) {
    return start_ms + number;
}
