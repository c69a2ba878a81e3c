/* Decides which server follows which, and when a round is over. Why the present one is left is up to the session. */
#include "core/servers.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define SPACE " \t\r\n"

/* Cuts the text at its commas, and white space off both ends of each entry. */
static spb_status split(spb_servers *servers, spb_error *err) {
    for (char *at = servers->text, *next; at; at = next) {
        next = strchr(at, ',');
        if (next) {
            *next++ = '\0';
        }
        at += strspn(at, SPACE);
        size_t len = strlen(at);
        while (len > 0 && strchr(SPACE, at[len - 1])) {
            len--;
        }
        at[len] = '\0';
        if (len == 0) {
            return spb_error__set(err, SPB_ERR_ARGUMENT, "servers has an empty entry");
        }
        servers->items[servers->count++].uri = at;
    }
    return SPB_OK;
}

spb_status spb_servers__init(spb_servers *servers, const char *list, spb_error *err) {
    *servers = (spb_servers){.tried = 1};
    if (!list || !*list) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "servers is missing");
    }
    size_t count = 1;
    for (const char *at = list; *at; at++) {
        count += *at == ',';
    }
    servers->text = strdup(list);
    servers->items = calloc(count, sizeof *servers->items);
    spb_status status =
        servers->text && servers->items ? split(servers, err) : spb_error__no_memory(err, "the list of servers");
    if (status != SPB_OK) {
        spb_servers__clear(servers);
    }
    return status;
}

void spb_servers__clear(spb_servers *servers) {
    free(servers->items);
    free(servers->text);
    *servers = (spb_servers){0};
}

spb_server *spb_servers__current(const spb_servers *servers) {
    return &servers->items[servers->current];
}

bool spb_servers__walk(spb_servers *servers) {
    bool is_over = servers->tried >= servers->count;
    servers->current = (servers->current + 1) % servers->count;
    servers->tried = is_over ? 1 : servers->tried + 1;
    return is_over;
}

void spb_servers__begin_round(spb_servers *servers) {
    servers->tried = 1;
}
