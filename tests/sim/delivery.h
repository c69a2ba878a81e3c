/*
 * Store-and-forward in the simulated world: what became of each sample that was accepted (the ledger), the store's
 * journal, and what is on its way to the broker. Part of sim.h.
 */
#ifndef SIM_DELIVERY_H
#define SIM_DELIVERY_H

#include <spb/session.h>

typedef struct sim sim;
typedef struct sim_event sim_event;
typedef struct sim_metric sim_metric;

/* ---- ledger.c ---- */

#define SIM_BUCKETS 4096
#define SIM_NO_RECORD UINT32_MAX

/* A sample that the application saw accepted. Metric, hash and timestamp tell it from all others. */
typedef struct sim_record {
    int metric;
    uint64_t hash;
    uint64_t timestamp_ms; /* as it was accepted */
    uint64_t boot;         /* the run of the machine whose monotonic clock that is; 0: it is of the wall clock */
    uint64_t accepted_ms;
    uint64_t sent_ms;      /* the last time */
    uint64_t confirmed_ms; /* when the session was told last, in the time of sim_way_born_ms */
    size_t block;          /* the index of the last one with it */
    uint32_t copies;       /* blocks with it that are not confirmed */
    uint32_t sent;         /* so many times by this process */
    bool was_stored;       /* in a journal; it may have been dropped since */
    bool is_delivered;     /* a broker has read it */
    bool is_confirmed;     /* and the session was told */
    bool is_doubtful;      /* a link ended while it was on its way */
    bool is_excused;       /* it was lost with its process, or counted before the end of that */
    uint32_t drops;        /* copies of it that the store has dropped */
    bool was_put_off;      /* when a flush began: so it is not for it */
    bool is_carried;       /* a birth had it, and the application wants no more */
    bool is_old;           /* of an earlier process, */
    bool was_kept;         /* which knew that it had arrived, and said so to the store */
    bool is_past;          /* it was given as one of the past, or came late */
    bool may_be_copied;    /* it went to the journal as the newest one: hosts get it as a live value as well */
    bool has_unseen;       /* messages of its time may have been too large for the server, which nobody sees */
    bool is_reopened;      /* stored after newer ones, as the primary host may have missed it */
    bool may_come_again;   /* likewise, perhaps */
    bool is_overtaken;  /* it was on its way when older ones were to come again, and counts when those have arrived */
    bool is_owed_again; /* the primary host may have missed it */
    uint32_t next;      /* of the same bucket */
} sim_record;

typedef struct sim_ledger {
    sim_record *records;
    uint32_t count, capacity;
    uint32_t buckets[SIM_BUCKETS];
    uint64_t noted_dropped;
} sim_ledger;

/* ---- journal.c ---- */

typedef struct sim_block {
    uint64_t id;
    unsigned holder;
    uint32_t *records;
    spb_block block; /* its metrics are a copy; device_id is that of the holder */
    bool is_committed;
    bool is_confirmed, is_confirm_committed;
    uint64_t kept_for, kept_for_committed;
    bool is_read;        /* by this process */
    uint64_t read;       /* the number of the READ that handed it out last, */
    uint64_t arrived_ms; /* and when the session was told last that a message of that has arrived, as confirmed_ms */
    bool is_gone;        /* dropped by the store, or never made durable */
} sim_block;

typedef struct sim_alias {
    unsigned holder;
    char name[32];
    spb_type type;
    uint32_t alias;
} sim_alias;

typedef struct sim_clock {
    uint64_t boot;
    int64_t offset_ms;
    bool is_committed;
} sim_clock;

#define SIM_MAX_ALIASES 200
#define SIM_MAX_CLOCKS 64

typedef struct sim_journal {
    sim_block *blocks;
    size_t count, capacity;
    sim_alias aliases[SIM_MAX_ALIASES];
    size_t alias_count;
    sim_clock clocks[SIM_MAX_CLOCKS];
    size_t clock_count;
    spb_store_info info;
    uint64_t max_bytes;
    bool drops_newest;
    bool is_broken;       /* until it comes back, nothing works */
    bool is_full;         /* the disk is */
    bool is_confirm_lost; /* one failed since the last commit */
    bool has_failed;      /* in this process */
    bool has_ever_failed; /* in this run */
    bool is_failing;      /* the session's last news of it is a failure, */
    bool is_read_failing; /* and of reading */
    bool is_apart;        /* in this run, the store is called by a thread of its own: no answer comes at once */
    spb_action given;     /* APPEND or SAVE_ALIASES without an answer: what it points to must stay as it is; */
    uint64_t given_hash;  /* 0: there is none */
    sim_event *answer;    /* of the journal, that is on its way; or NULL */
    unsigned answers_waiting;
    uint64_t answer_ms;        /* of the last of them */
    uint64_t samples_appended; /* by this process */
    uint32_t samples_asked;    /* of the APPEND that is not answered */
    uint64_t reads;
} sim_journal;

/* ---- rules_way.c ---- */

/* A data message on its way. */
typedef struct sim_sent {
    uint32_t *records; /* of its samples, as far as the ledger can tell which they are */
    uint32_t count;
    size_t samples; /* all that it has */
    size_t bytes;
    bool is_replay;
    uint64_t sent_ms;
    uint64_t fenced_ms; /* when the session was told that the broker has it */
} sim_sent;

#define SIM_MAX_FENCES 16
#define SIM_FENCE_ROOM (SIM_MAX_FENCES + SPB_FENCE_FORMS - 1)
#define SIM_FENCE_BYTES ((size_t)64 * 1024)
/* On a link that has not shown more, a part of the window: fences come in between, and so much at least is under way
 * before data waits. */
#define SIM_LEAST_PART 512
#define SIM_LEAST_WINDOW 1536
#define SIM_LEAST_BYTES 1024
#define SIM_LEAST_MS 2300
#define SIM_STALL_MS 10

/* What was published on the present link, and what the session was told of it. */
typedef struct sim_way {
    sim_sent *messages;
    size_t count, capacity;
    size_t confirmed;             /* so many of them, */
    size_t fenced;                /* and so many stand before a fence */
    size_t marks[SIM_FENCE_ROOM]; /* `count` at each fence that is not answered, */
    spb_fence_form forms[SIM_FENCE_ROOM];
    unsigned fences;
    size_t unfenced_bytes, unconfirmed_bytes;
    uint64_t unfenced_ms; /* since then; SPB_NEVER: there is none */
    bool has_unfenced_birth;
    bool has_forgotten; /* a fence of a form that was in vain: it may have been for anything */
    bool has_flushed;   /* by this process: at the level LIVE, only that calls for a fence besides the watch */
    bool is_born;
    uint64_t born_ms, born_since_ms;
    uint64_t replayed; /* samples, by this process */
    uint64_t resent, confirmed_samples;
    double samples_level, bytes_level; /* what may be replayed now */
    uint64_t level_ms;
    uint32_t *publishing; /* the samples of the message that was pulled last */
    uint32_t publishing_count, publishing_capacity;
    bool is_replaying; /* it is of the journal */
    bool has_parted;   /* the link ended in good order */
} sim_way;

/* ---- a flush ---- */

#define SIM_MAX_FLUSHES 8

typedef struct sim_flush {
    uint64_t ticket;
    uint32_t before; /* records with a lower number */
} sim_flush;

/* ---- journal.c ---- */

/* The next call of the journal is that action. */
void sim_journal_ask(sim *s, const spb_action *action);
/* An answer that is on its way comes now. */
void sim_journal_hurry(sim *s);
void sim_journal_append(sim *s, const spb_block *block);
void sim_journal_confirm(sim *s, uint64_t first_id, uint64_t last_id);
void sim_journal_keep(sim *s, const spb_action *action);
void sim_journal_commit(sim *s);
void sim_journal_expire(sim *s, uint64_t before_ms);
void sim_journal_read(sim *s, uint64_t from_id);
void sim_journal_save_aliases(sim *s, const spb_alias *items, size_t count);
void sim_journal_save_clock(sim *s, uint64_t boot, int64_t offset_ms);
void sim_journal_info(const sim *s, spb_store_info *out);
/* A message with samples of this block has arrived, in a replay. */
void sim_journal_arrived(sim *s, size_t block);
/* Its process ends; a new one opens it, for the options of its session, and hands out the aliases. */
void sim_journal_die(sim *s);
void sim_journal_open(sim *s);
void sim_journal_adopt(sim *s);
void sim_journal_mend(sim *s);
void sim_journal_clear(sim *s);

/* ---- ledger.c ---- */

/* SIM_NO_RECORD: there is none. */
uint32_t sim_ledger_find(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
/* The same by the timestamp that it has in a replay. */
uint32_t sim_ledger_find_shifted(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
/* There is one that looks the same, or will when the time is known. */
bool sim_ledger_has(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
uint32_t sim_ledger_add(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
/* Neither read by a broker, nor in the journal; and how many of the first `before` ones. */
bool sim_ledger_is_gone(const sim *s, uint32_t number);
/* What this process has counted as dropped. */
uint64_t sim_ledger_dropped(const sim *s);
/* NULL when each sample is where it should be, in a world at rest; else what is wrong. */
const char *sim_ledger_settled(sim *s, char *text, size_t capacity);
/* Writes it into the trace. */
void sim_ledger_note(sim *s);
void sim_ledger_watch(sim *s);
void sim_ledger_carry(sim *s, const sim_metric *metric);
void sim_ledger_bury(sim *s);
void sim_ledger_clear(sim *s);

/* ---- rules_store.c: what the session wants of the store ---- */

/* The records of its samples, to be freed, and whose they are; NULL: a rule was broken. */
uint32_t *sim_rules_append(sim *s, const spb_block *block, unsigned *holder);
void sim_rules_confirm(sim *s, uint64_t first_id, uint64_t last_id);
void sim_rules_keep(sim *s, uint64_t kept_for, uint64_t first_id, uint64_t last_id);
void sim_rules_kept(sim *s, const sim_block *block);
/* It is in the journal, but the session has counted it, or may have. */
bool sim_rules_counted(const sim *s, const sim_record *record);
void sim_rules_read(sim *s, size_t bytes);
/* True when it is a new one; *holder is whose. */
bool sim_rules_alias(sim *s, const spb_alias *alias, unsigned *holder);
/* 0: none was saved. */
uint64_t sim_rules_saved_alias(const sim *s, const sim_metric *metric);
void sim_rules_clock(sim *s, uint64_t boot, int64_t offset_ms);

/* ---- rules_way.c: what is on its way to the broker ---- */

void sim_way_begin(sim *s);
void sim_way_live(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
/* A record is in the message that was pulled. */
void sim_way_send(sim *s, uint32_t number);
void sim_way_published(sim *s, size_t samples, size_t payload_bytes);
void sim_way_carry(const sim *s, sim_event *event);
void sim_way_delivered(sim *s, const sim_event *event);
/* is_trial: of another form than those before. */
void sim_way_fence(sim *s, spb_fence_form form, bool is_trial);
bool sim_way_wants_fence(const sim *s, bool is_riding);
bool sim_way_fenced(sim *s, spb_fence_form form);
/* An NBIRTH was sent. */
void sim_way_born(sim *s);
void sim_way_ended(sim *s);
/* How long the node has been born in this process, all in all. */
uint64_t sim_way_born_ms(const sim *s);
void sim_way_reset(sim *s);
void sim_way_clear(sim *s);
void sim_way_drained(sim *s, spb_session_state state, uint64_t deadline_ms);

/* ---- rules_replay.c ---- */

void sim_replay_sample(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms);
void sim_replay_published(sim *s, size_t bytes);
/* The holder is born with all its metrics: nothing that the journal has of it waits for a birth. */
bool sim_replay_can_be_sent(const sim *s, unsigned holder);
/* A live sample is sent. */
void sim_replay_check_order(sim *s, uint32_t number);
/* It is offline: what it may have missed must come again. */
void sim_replay_host_lost(sim *s);
/* NULL: everything has arrived, or waits for a device that is offline. */
const char *sim_replay_settled(sim *s, char *text, size_t capacity);

/* ---- flush.c ---- */

void sim_flush_begin(sim *s, uint64_t ticket);
void sim_flush_check(sim *s);

#endif
