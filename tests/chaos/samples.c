/* Decides which values the edge program sends. What becomes of them is the verdict's matter. */
#include "chaos/samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bits of the parts of a value: the number and the timestamp; the metric is above them. */
static const struct { unsigned number, time; } bits[] = {[CHAOS_INTEGER] = {25, 32}, [CHAOS_REAL] = {22, 24}};

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

static uint64_t lowest(uint64_t value, unsigned count) {
    return value & ((UINT64_C(1) << count) - 1);
}

uint64_t chaos_encode(const chaos_sample *sample) {
    chaos_form form = chaos_form_of(sample->metric);
    uint64_t upper = (uint64_t)sample->metric << bits[form].number | lowest(sample->number, bits[form].number);
    return upper << bits[form].time | lowest(sample->own_ms, bits[form].time);
}

void chaos_decode(chaos_form form, uint64_t code, chaos_sample *out) {
    uint64_t upper = code >> bits[form].time;
    *out = (chaos_sample){.metric = (unsigned)(upper >> bits[form].number),
                          .number = lowest(upper, bits[form].number),
                          .own_ms = lowest(code, bits[form].time)};
}

bool chaos_is_own_time(const chaos_sample *sample, uint64_t timestamp_ms) {
    return lowest(timestamp_ms, bits[chaos_form_of(sample->metric)].time) == sample->own_ms;
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
