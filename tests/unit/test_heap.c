/* What the codec asks of the heap and of the stack: every failing allocation is survived, and there are few of them. */
#define _DEFAULT_SOURCE /* mincore */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <spb/protobuf.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "codec/encode.h"
#include "codec/schema.h"
#include "support/failing_heap.h"
#include "support/random_payload.h"
#include "support/suite.h"

/* Instead of ck_assert where the heap is watched: Check takes memory of its own. */
static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "test_heap: %s\n", what);
        abort();
    }
}

/* Something that is done again and again, each time with another allocation failing. It cleans up behind itself. */
typedef spb_status deed(void *context, spb_error *err);

/* Ends when nothing fails any more. A deed may also succeed at its second try. */
static void fail_at_each_allocation(deed *done, void *context, const char *what) {
    bool is_over = false;
    for (size_t n = 1; !is_over; n++) {
        spb_error err = {0};
        failing_heap_fail_at(n);
        const spb_status status = done(context, &err);
        const long held = failing_heap_held();
        is_over = failing_heap_count() < n;
        failing_heap_fail_at(0);
        ck_assert_msg(held == 0, "%s: allocation %zu failed: %ld blocks leaked", what, n, held);
        ck_assert_msg(status == SPB_OK || (status == SPB_ERR_NO_MEMORY && err.status == status && !is_over),
                      "%s: allocation %zu failed: %s", what, n, spb_status_name(status));
        ck_assert_msg(n < 100000, "%s: no end", what);
    }
}

static spb_status encode_it(void *context, spb_error *err) {
    uint8_t *bytes = (uint8_t *)1;
    size_t len;
    spb_status status = spb_payload_encode(context, NULL, &bytes, &len, err);
    demand((bytes != NULL) == (status == SPB_OK), "status and bytes disagree");
    spb_free(bytes);
    return status;
}

static spb_status decode_it(void *context, spb_error *err) {
    spb_payload *payload;
    spb_status status = spb_payload_decode(&payload, *(spb_bytes *)context, NULL, err);
    demand((payload != NULL) == (status == SPB_OK), "status and payload disagree");
    spb_payload_free(payload);
    return status;
}

/* The library's own free would not be seen here. */
static void free_seen(void *context, void *memory) {
    (void)context;
    free(memory);
}

static spb_status convert_it(void *context, spb_error *err) {
    ProtobufCMessage *theirs;
    const spb_payload *payload = context;
    spb_status status = spb_protobuf_from_payload(&theirs, &spb__pb__payload__descriptor, payload, NULL, err);
    demand((theirs != NULL) == (status == SPB_OK), "status and message disagree");
    if (status == SPB_OK) {
        spb_payload *back;
        status = spb_protobuf_to_payload(&back, theirs, NULL, err);
        demand((back != NULL) == (status == SPB_OK), "status and payload disagree");
        spb_payload_free(back);
        protobuf_c_message_free_unpacked(theirs, &(ProtobufCAllocator){.free = free_seen});
    }
    return status == SPB_ERR_MALFORMED ? SPB_OK : status; /* a NUL in a text */
}

static spb_status build_it(void *context, spb_error *err) {
    const spb_payload *model = context;
    spb_payload *payload;
    spb_status status = spb_payload_new(&payload, err);
    demand((payload != NULL) == (status == SPB_OK), "status and payload disagree");
    for (size_t i = 0; status == SPB_OK && i < model->metric_count; i++) {
        status = spb_payload_add_metric(payload, &model->metrics[i], err);
        demand(payload->metric_count == (status == SPB_OK ? i + 1 : i), "a metric was half-added");
    }
    spb_payload_free(payload);
    return status;
}

static spb_status copy_them(void *context, spb_error *err) {
    const spb_payload *model = context;
    spb_status status = SPB_OK;
    for (size_t i = 0; status == SPB_OK && i < model->metric_count; i++) {
        spb_value copy;
        status = spb_value_copy(&copy, &model->metrics[i].value, err);
        if (status == SPB_OK) {
            spb_value_clear(&copy);
        }
    }
    return status;
}

static spb_status build_dataset(void *context, spb_error *err) {
    (void)context;
    spb_dataset_builder *builder;
    spb_status status = spb_dataset_builder_new(&builder, err);
    if (status == SPB_OK) {
        status = spb_dataset_builder_add_column(builder, "a", SPB_INT32, err);
    }
    if (status == SPB_OK) {
        status = spb_dataset_builder_add_column(builder, "b", SPB_STRING, err);
    }
    for (int i = 0; status == SPB_OK && i < 100; i++) {
        const spb_value cells[] = {spb_int32(i), spb_string("a text that is copied")};
        status = spb_dataset_builder_add_row(builder, cells, 2, err);
        demand(spb_dataset_builder_get(builder)->row_count == (size_t)(status == SPB_OK ? i + 1 : i),
               "a row was half-added");
    }
    spb_dataset_builder_free(builder);
    return status;
}

static spb_status build_template(void *context, spb_error *err) {
    (void)context;
    spb_template_builder *builder;
    spb_status status = spb_template_builder_new(&builder, "Types/Motor", "1.0", err);
    for (int i = 0; status == SPB_OK && i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        const spb_payload_metric member = {.name = spb_str_from(name), .value = spb_int32(i)};
        status = spb_template_builder_add_metric(builder, &member, err);
        if (status == SPB_OK) {
            status = spb_template_builder_add_parameter(builder, name, &member.value, err);
        }
    }
    spb_template_builder_free(builder);
    return status;
}

START_TEST(every_failing_allocation_is_survived) {
    for (uint64_t seed = 0; seed < 60; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        spb_payload payload = random_payload(arena, seed);
        uint8_t *bytes;
        size_t len;
        ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
        spb_bytes wire = {bytes, len};
        fail_at_each_allocation(decode_it, &wire, "decode");
        fail_at_each_allocation(encode_it, &payload, "encode");
        fail_at_each_allocation(convert_it, &payload, "convert");
        fail_at_each_allocation(build_it, &payload, "build");
        fail_at_each_allocation(copy_them, &payload, "copy");
        spb_free(bytes);
        payload.compression = SPB_COMPRESSION_GZIP;
        fail_at_each_allocation(encode_it, &payload, "compress");
        ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
        wire = (spb_bytes){bytes, len};
        fail_at_each_allocation(decode_it, &wire, "inflate");
        spb_free(bytes);
        spb_arena__free(arena);
    }
    fail_at_each_allocation(build_dataset, NULL, "dataset");
    fail_at_each_allocation(build_template, NULL, "template");
}
END_TEST

START_TEST(scalars_take_no_allocation_each) {
    enum { METRICS = 1000 };
    static spb_payload_metric metrics[METRICS];
    for (size_t i = 0; i < METRICS; i++) {
        metrics[i] = (spb_payload_metric){.has_alias = true,
                                          .alias = i,
                                          .has_timestamp = true,
                                          .timestamp_ms = 1700000000000,
                                          .omit_datatype = true,
                                          .value = spb_double(1.5)};
    }
    const spb_payload payload = {.metrics = metrics, .metric_count = METRICS};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    spb_payload *decoded;
    failing_heap_fail_at(0);
    spb_status status = spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL);
    size_t taken = failing_heap_count();
    ck_assert_int_eq(status, SPB_OK);
    ck_assert_uint_eq(taken, 2); /* the arena, and one block for everything */
    spb_payload_free(decoded);
    spb_free(bytes);

    spb_buffer out;
    spb_buffer__init(&out);
    ck_assert(spb_buffer__reserve(&out, 256));
    failing_heap_fail_at(0);
    for (size_t i = 0; i < METRICS && status == SPB_OK; i++) {
        out.len = 0;
        status = spb_encode__metric(&out, &metrics[i], NULL);
    }
    taken = failing_heap_count();
    ck_assert_int_eq(status, SPB_OK);
    ck_assert_uint_eq(taken, 0);
    spb_buffer__clear(&out);
}
END_TEST

/* Templates in one another, from the inside out: 34,550 bytes of them. */
static spb_bytes nested_templates(void) {
    static uint8_t memory[40000];
    uint8_t *end = memory + sizeof memory, *p = end;
    while (end - p < 34550) {
        size_t content = (size_t)(end - p);
        /* metrics { alias: 1, template_value { … } }, with lengths in three bytes */
        uint8_t head[] = {0x12, 0, 0, 0, 0x10, 1, 0x92, 0x01, 0, 0, 0};
        size_t lengths[] = {content + sizeof head - 4, content};
        uint8_t *at[] = {head + 1, head + 8};
        for (size_t i = 0; i < 2; i++) {
            at[i][0] = (uint8_t)(lengths[i] | 0x80);
            at[i][1] = (uint8_t)(lengths[i] >> 7 | 0x80);
            at[i][2] = (uint8_t)(lengths[i] >> 14);
        }
        p -= sizeof head;
        memcpy(p, head, sizeof head);
    }
    return (spb_bytes){p, (size_t)(end - p)};
}

/* As deep as it may be: templates within templates, */
#define DEPTH 16
static void use_the_deepest_template(void) {
    spb_template tmpls[DEPTH];
    spb_payload_metric metrics[DEPTH];
    for (size_t i = 0; i < DEPTH; i++) {
        tmpls[i] = (spb_template){.has_is_definition = true,
                                  .template_ref = spb_str_from("T"),
                                  .metrics = i ? &metrics[i - 1] : NULL,
                                  .metric_count = i ? 1 : 0};
        metrics[i] = (spb_payload_metric){.name = spb_str_from("m"), .value = spb_template_value(&tmpls[i])};
    }
    spb_payload payload = {.metrics = &metrics[DEPTH - 1], .metric_count = 1}, *decoded, *copy;
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL), SPB_OK);
    ck_assert_int_eq(spb_payload_new(&copy, NULL), SPB_OK);
    ck_assert_int_eq(spb_payload_add_metric(copy, decoded->metrics, NULL), SPB_OK);
    ck_assert(spb_value_equal(&copy->metrics[0].value, &metrics[DEPTH - 1].value));
    spb_payload_free(copy);
    spb_payload_free(decoded);
    spb_free(bytes);
}

/* and lists of property sets within one another, which are three messages a level. */
static void use_the_deepest_properties(void) {
    spb_property properties[DEPTH];
    spb_property_set sets[DEPTH];
    spb_property_sets lists[DEPTH];
    for (size_t i = 0; i < DEPTH; i++) {
        properties[i] = (spb_property){.key = spb_str_from("k"),
                                       .value = i ? spb_property_sets_value(&lists[i - 1]) : spb_int32(1)};
        sets[i] = (spb_property_set){&properties[i], 1};
        lists[i] = (spb_property_sets){&sets[i], 1};
    }
    const spb_payload_metric metric = {
        .name = spb_str_from("m"), .value = spb_int32(1), .properties = &sets[DEPTH - 1]};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    spb_payload *decoded;
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL), SPB_OK);
    const spb_value theirs = spb_property_set_value(decoded->metrics[0].properties);
    const spb_value ours = spb_property_set_value(&sets[DEPTH - 1]);
    ck_assert(spb_value_equal(&theirs, &ours));
    spb_payload_free(decoded);
    spb_free(bytes);
}

static void *on_a_small_stack(void *context) {
    (void)context;
    spb_payload *payload;
    spb_error err;
    const size_t len = 2 * 1024 * 1024;
    uint8_t *empty_metrics = malloc(len);
    ck_assert_ptr_nonnull(empty_metrics);
    for (size_t i = 0; i < len; i += 2) {
        empty_metrics[i] = 0x12;
        empty_metrics[i + 1] = 0;
    }
    ck_assert_int_eq(spb_payload_decode(&payload, (spb_bytes){empty_metrics, len}, NULL, &err), SPB_ERR_MALFORMED);
    ck_assert_int_eq(spb_payload_decode(&payload, nested_templates(), NULL, &err), SPB_ERR_LIMIT);
    ck_assert_msg(strstr(err.text, "nested deeper than the limit max_depth") != NULL, "%s", err.text);
    free(empty_metrics);
    use_the_deepest_template();
    use_the_deepest_properties();
    return NULL;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (1024 * 1024) /* sanitizers make frames larger */
#else
#define STACK_BYTES (64 * 1024)
#endif

/* Of a thread that may take more, since not every machine has threads of 64 KiB: the kernel knows which pages it took.
 */
START_TEST(a_stack_of_64_kib_is_enough) {
    enum { SIZE = 4 * STACK_BYTES };
    static unsigned char is_taken[SIZE / 4096];
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(stack != MAP_FAILED);
    madvise(stack, SIZE, MADV_NOHUGEPAGE);
    pthread_attr_t attributes;
    pthread_t thread;
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstack(&attributes, stack, SIZE), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, on_a_small_stack, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    ck_assert_int_eq(mincore(stack, SIZE, is_taken), 0);
    size_t lowest = 0;
    while (lowest < SIZE && !(is_taken[lowest / page] & 1)) {
        lowest += page;
    }
    ck_assert_uint_le(SIZE - lowest, STACK_BYTES);
    ck_assert_uint_gt(SIZE - lowest, 0);
    munmap(stack, SIZE);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("heap");
    TCase *cases = tcase_create("heap");
    tcase_add_test(cases, every_failing_allocation_is_survived);
    tcase_add_test(cases, scalars_take_no_allocation_each);
    tcase_add_test(cases, a_stack_of_64_kib_is_enough);
    tcase_set_timeout(cases, 110);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
