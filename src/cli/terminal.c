/* Decides how a terminal is told, and what its keys are. What is shown is left to watch_screen.c. */
#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool is_entered;

bool terminal_enter(out *to) {
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) {
        return false;
    }
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_entered = tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) == 0;
    if (is_entered) {
        out_text(to, "\033[?1049h\033[?25l\033[?7l");
        out_flush(to);
    }
    return is_entered;
}

void terminal_leave(out *to) {
    if (is_entered) {
        out_text(to, "\033[0m\033[?7h\033[?25h\033[?1049l");
        out_flush(to);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        is_entered = false;
    }
}

void terminal_size(size_t *rows, size_t *columns) {
    struct winsize size = {.ws_row = 0};
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
    *rows = is_known ? size.ws_row : 24;
    *columns = is_known ? size.ws_col : 80;
}

void terminal_home(out *to) {
    out_text(to, "\033[H");
}

void terminal_end_line(out *to, bool is_last) {
    out_text(to, is_last ? "\033[0m\033[K\033[J" : "\033[0m\033[K\r\n");
}

static terminal_key special_key(char c) {
    switch (c) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'H':
    case '1':
    case '7': return KEY_HOME;
    case 'F':
    case '4':
    case '8': return KEY_END;
    case '5': return KEY_PAGE_UP;
    case '6': return KEY_PAGE_DOWN;
    default: return KEY_NONE;
    }
}

/* ESC [ parameters final, ESC O final. */
static terminal_key read_sequence(const char *bytes, size_t len, size_t *used) {
    size_t end = 2;
    while (end < len && bytes[end] >= 0x20 && bytes[end] < 0x40) {
        end++;
    }
    *used = end < len ? end + 1 : len;
    if (end >= len) {
        return KEY_NONE;
    }
    bool is_numbered = bytes[end] == '~' && end == 3;
    return end == 2 || is_numbered ? special_key(bytes[2]) : KEY_NONE;
}

terminal_key terminal_read_key(const char *bytes, size_t len, size_t *used) {
    *used = len > 0;
    if (len == 0) {
        return KEY_NONE;
    }
    switch (bytes[0]) {
    case 3: return KEY_INTERRUPT;
    case '\r':
    case '\n': return KEY_ENTER;
    case 8:
    case 0x7F: return KEY_BACKSPACE;
    case 0x1B:
        if (len > 1 && (bytes[1] == '[' || bytes[1] == 'O')) {
            return read_sequence(bytes, len, used);
        }
        return KEY_ESCAPE;
    default: return (unsigned char)bytes[0] >= 0x20 ? KEY_TEXT : KEY_NONE;
    }
}
