/* Decides whether an input can be read twice, and which births are kept. */
#include "cli/later.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void later_init(later *l, int fd, const feed_options *options, const filter *wanted) {
    struct stat file;
    bool is_file = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
    *l = (later){
        .fd = is_file ? fd : -1, .start = is_file ? lseek(fd, 0, SEEK_CUR) : 0, .options = options, .wanted = wanted};
}

typedef struct search {
    births *all;
    const filter *wanted;
} search;

static void learn(void *user, const feed_record *record) {
    search *s = user;
    spb_topic topic;
    spb_error err;
    if (!record->topic.data || spb_topic_parse(&topic, record->topic, &err) != SPB_OK ||
        (topic.kind != SPB_KIND_NBIRTH && topic.kind != SPB_KIND_DBIRTH) || !filter_takes_node(s->wanted, &topic)) {
        return;
    }
    birth_scope *scope = births_scope(s->all, &topic);
    spb_payload *birth = NULL;
    if (scope && !births_has_later(scope) && spb_payload_decode(&birth, record->payload, NULL, &err) == SPB_OK) {
        (void)births_learn_later(scope, birth); /* without memory, the data stays without names, as it was */
    }
}

/* A descriptor of its own: the place in the file is not shared. −1: not to be had. */
static int open_again(const later *l) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", l->fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && lseek(fd, l->start, SEEK_SET) != l->start) {
        close(fd);
        return -1;
    }
    return fd;
}

void later_find(later *l, births *all) {
    int fd = l->fd >= 0 ? open_again(l) : -1;
    l->fd = -1;
    report *silent = fd >= 0 ? calloc(1, sizeof *silent) : NULL;
    if (silent) {
        feed f;
        search s = {all, l->wanted};
        silent->is_quiet = true;
        feed_init(&f, fd, l->options, silent, NULL, NULL);
        while (feed_next(&f, learn, &s) == FEED_MORE) {
        }
        feed_clear(&f);
        free(silent);
    }
    if (fd >= 0) {
        close(fd);
    }
}
