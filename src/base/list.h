/*
 * Doubly linked lists through the things themselves: every step is O(1) and allocates nothing. A thing has one link for
 * each list that it can be in at the same time.
 */
#ifndef SPB_BASE_LIST_H
#define SPB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct spb_list spb_list;

/* Zeroed: in no list. */
typedef struct spb_list_link {
    struct spb_list_link *previous, *next;
    spb_list *list; /* that it is in, or NULL */
} spb_list_link;

/* Zeroed: empty. */
struct spb_list {
    spb_list_link *first, *last;
};

/* The thing of that type whose `member` the link is; NULL for NULL. */
#define SPB_LINKED(link, type, member) ((type *)spb_list__item((link), offsetof(type, member)))

static inline void *spb_list__item(spb_list_link *link, size_t offset) {
    return link ? (char *)link - offset : NULL;
}

/* Adds it at the end, at the front, or behind another one of the list (NULL: at the front). No effect when the link is
 * in a list already. */
void spb_list__push(spb_list *list, spb_list_link *link);
void spb_list__push_front(spb_list *list, spb_list_link *link);
void spb_list__push_behind(spb_list *list, spb_list_link *ahead, spb_list_link *link);
/* Takes it out; no effect when it is in none. */
void spb_list__remove(spb_list_link *link);
/* Pushes it, or removes it. */
void spb_list__set(spb_list *list, spb_list_link *link, bool is_in);

#endif
