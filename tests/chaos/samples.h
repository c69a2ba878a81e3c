/*
 * What is agreed between the edge program and the verdict, and nothing more: which metrics there are, and which value
 * and timestamp number n of a metric has. So a value tells which sample it is, of which metric, and when it was taken,
 * also when it arrives under a wrong alias.
 */
#ifndef CHAOS_SAMPLES_H
#define CHAOS_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#define CHAOS_GROUP "Chaos"
#define CHAOS_NODE "Edge"
#define CHAOS_HOST "Host"
/* A metric of the node that is only in births: which run of the edge program this is. */
#define CHAOS_LIFE "Life"
/* 2020-01-01 UTC, see spb/store.h: an earlier wall clock has not been set. */
#define CHAOS_EARLIEST_MS UINT64_C(1577836800000)

/* Metrics are numbered over the node (holder 0) and its devices (holders 1, 2, …). */
typedef enum chaos_form {
    CHAOS_INTEGER, /* Int64, with a timestamp of its own */
    CHAOS_REAL,    /* Double, the same */
    CHAOS_CLOCKED  /* String, with the library's timestamp; the text says what the clocks showed just before */
} chaos_form;

typedef struct chaos_sample {
    unsigned metric;
    uint64_t number;  /* from 0 */
    uint64_t own_ms;  /* its own timestamp: of INTEGER the lowest 32 bits, of REAL the lowest 24 */
    uint64_t seen_ms; /* CLOCKED: the wall clock as the process saw it, */
    uint64_t true_ms; /* and as it was */
} chaos_sample;

chaos_form chaos_form_of(unsigned metric);
/* Room for "Integer/12" and the text of a CLOCKED value. */
#define CHAOS_TEXT 96
void chaos_metric_name(unsigned metric, char name[CHAOS_TEXT]);
void chaos_device_name(unsigned holder, char name[CHAOS_TEXT]);
/* The metric of that name; -1: it is none of these. */
int chaos_metric_of(const char *name);

/* All of a sample in one number: of all 64 bits for INTEGER, of 53 for REAL, which a double holds exactly. */
uint64_t chaos_encode(const chaos_sample *sample);
void chaos_decode(chaos_form form, uint64_t code, chaos_sample *out);
void chaos_write_text(const chaos_sample *sample, char text[CHAOS_TEXT]);
bool chaos_read_text(const char *text, chaos_sample *out);
/* Whether this is the timestamp of its own, as far as the value tells. */
bool chaos_is_own_time(const chaos_sample *sample, uint64_t timestamp_ms);

#endif
