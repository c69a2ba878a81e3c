/*
 * Stories for the tests of the verdict: an account and messages, made in a few words, in which single things can be
 * made wrong. Sample number n of each metric is one story_data(n).
 */
#ifndef CHAOS_STORY_H
#define CHAOS_STORY_H

#include "chaos/samples.h"
#include "chaos/verdict_state.h"

#define STORY_PER_HOLDER 3u
#define STORY_METRICS 6u /* of the node, and of Device1 */
#define STORY_NOW_MS UINT64_C(1700000000000)
#define STORY_MAX_ITEMS 16

extern struct story {
    chaos_account *account;
    verdict *judge;
    uint64_t seq;
    uint32_t life;

    /* The message that is being made. */
    Spb__Pb__Payload payload;
    Spb__Pb__Payload__Metric items[STORY_MAX_ITEMS];
    Spb__Pb__Payload__Metric *pointers[STORY_MAX_ITEMS];
    char texts[STORY_MAX_ITEMS][CHAOS_TEXT], names[STORY_MAX_ITEMS][CHAOS_TEXT];
} story;

/* With 1000 bytes that may come again, and no other options. */
void story_open(void);
void story_close(void);
/* Anew, with these options. */
void story_reopen(const verdict_options *options);

/* The producer has handed over so many of each metric, in this life. */
void story_accept(uint64_t count);
void story_mark(const char *text);

/* Whole messages. `number` is that of all metrics in them; VERDICT_NONE: null. */
void story_nbirth(uint64_t bdseq, int64_t number);
void story_dbirth(int64_t number);
void story_births(uint64_t bdseq, int64_t number);
void story_ndeath(uint64_t bdseq);
void story_data_of(unsigned holder, uint64_t number, bool is_historical);
void story_data(uint64_t number, bool is_historical);

/* Messages that can be changed before they are heard, with the next seq. */
void story_begin(void);
void story_begin_birth(unsigned holder, int64_t number);
Spb__Pb__Payload__Metric *story_add_sample(unsigned metric, uint64_t number);
void story_hear(const char *kind, unsigned holder);

/* 0 … 2 live. */
void story_first_session(void);
/* Then an outage with 3 and 4 behind it, and 2, which was in flight, again; then 5 live. No rule is broken. */
void story_sound(void);

/* The end: exactly this rule is broken. */
void story_expect(verdict_rule rule);

#endif
