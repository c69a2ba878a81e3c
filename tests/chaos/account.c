/* Decides how the account lies in its file. What is owed, the edge program writes and the verdict reads. */
#include "chaos/account.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

chaos_account *chaos_account_open(const char *path) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return NULL;
    }
    void *memory = MAP_FAILED;
    if (ftruncate(file, sizeof(chaos_account)) == 0) {
        memory = mmap(NULL, sizeof(chaos_account), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    close(file);
    return memory == MAP_FAILED ? NULL : memory;
}

void chaos_account_close(chaos_account *account) {
    if (account) {
        munmap(account, sizeof *account);
    }
}

chaos_life *chaos_account_begin(chaos_account *account) {
    if (account->lives == CHAOS_MAX_LIVES) {
        return NULL;
    }
    chaos_life *life = &account->life[account->lives];
    for (uint32_t metric = 0; account->lives > 0 && metric < account->metrics; metric++) {
        uint64_t next = life[-1].slots[metric].attempted;
        life->slots[metric].first = next;
        life->slots[metric].attempted = next;
        life->slots[metric].accepted = next;
        life->slots[metric].flushed = next;
    }
    account->lives++;
    return life;
}

uint64_t chaos_counts_dropped(const chaos_counts *counts) {
    return counts->dropped_offline + counts->dropped_overflow + counts->dropped_lost + counts->dropped_choice +
           counts->dropped_gone + counts->dropped_disk + counts->dropped_by_store;
}
