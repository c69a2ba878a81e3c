# One source for each command, src/cli/help/COMMAND.txt, three forms of it (-v form=…):
#   c     the texts of --help, as strings of C
#   man   a page for man(1); -v page=COMMAND, -v version=…
#   bash  completion for bash
# A file is the text of --help; behind a line %% come what only the man page has, and for completion
# `@values --option word …`, and `@mqtt` for the options of mqtt.txt, which several commands share. spb.txt is read
# first: it has the commands and what they do.

FNR == 1 {
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.txt$/, "", name)
    if (name != "mqtt") {
        names[++name_count] = name
    }
    is_more = 0
}
/^%%$/ { is_more = 1; next }
is_more && /^@values / { values[name, $2] = substr($0, length($1) + length($2) + 3); next }
is_more && /^@mqtt$/ { has_mqtt[name] = 1; next }
is_more { more[name] = more[name] $0 "\n"; next }
{
    lines[name, ++line_count[name]] = $0
    if (name == "spb" && /^  [a-z]/ && split_item($0, part)) {
        about[$1] = part[2]
        command_words = command_words " " $1
    }
}

# "  --user NAME     user name" → part[1] "--user NAME", part[2] "user name"; false: not of that form.
function split_item(line, part) {
    if (line !~ /^  [^ ]/) {
        return 0
    }
    line = substr(line, 3)
    part[1] = line
    part[2] = ""
    if (match(line, /  +/)) {
        part[1] = substr(line, 1, RSTART - 1)
        part[2] = substr(line, RSTART + RLENGTH)
    }
    return 1
}

function is_option(line) {
    return line ~ /^  -/
}

# ---- c ----

function c_text(line) {
    gsub(/\\/, "\\\\", line)
    gsub(/"/, "\\\"", line)
    return "    \"" line "\\n\""
}

function print_c_text(n, i, identifier) {
    identifier = n
    gsub(/-/, "_", identifier)
    printf "\nconst char help_%s[] =\n", identifier
    for (i = 1; i <= line_count[n]; i++) {
        print c_text(lines[n, i]) (i == line_count[n] ? ";" : "")
    }
}

function print_c(i) {
    print "/* Made of src/cli/help by cmake/help.awk. */"
    print "#include \"cli/help.h\""
    for (i = 1; i <= name_count; i++) {
        print_c_text(names[i])
    }
    print_c_text("mqtt")
}

# ---- man ----

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text ~ /^[.']/ ? "\\&" text : text
}

function section(title) {
    if (title != present_section) {
        print ".SH " title
    }
    present_section = title
    needs_paragraph = 0
}

# A line that begins an item of a list, or an example.
function print_item(line, part) {
    split_item(line, part)
    if (!is_option(line) && part[2] == "") {
        print ".PP\n.RS 4\n.EX\n" roff(part[1]) "\n.EE\n.RE"
        return
    }
    print ".TP\n.B " roff(part[1])
    if (part[2] != "") {
        print roff(part[2])
    }
}

function print_text(line) {
    if (line ~ /^Exit status: /) {
        section("EXIT STATUS")
        sub(/^Exit status: /, "", line)
    } else if (after_options && present_section == "OPTIONS") {
        section("NOTES")
    }
    if (needs_paragraph) {
        print ".PP"
    }
    needs_paragraph = 0
    print roff(line)
}

function print_man(title, i, line) {
    title = page == "spb" ? "spb" : "spb-" page
    print ".\\\" Made of src/cli/help by cmake/help.awk."
    print ".TH " toupper(title) " 1 \"\" \"libspb " version "\" \"User Commands\""
    section("NAME")
    print roff(title " - " (page == "spb" ? "read, write, check and show Sparkplug B" : about[page]))
    section("SYNOPSIS")
    for (i = 1; i <= line_count[page]; i++) {
        line = lines[page, i]
        if (i == 1) {
            sub(/^Usage: /, "", line)
            print ".B " roff(line)
            section("DESCRIPTION")
        } else if (line == "") {
            needs_paragraph = i > 2
            after_options = present_section == "OPTIONS"
        } else if (line ~ /^[A-Z][a-z]+:$/) {
            section(toupper(substr(line, 1, length(line) - 1)))
        } else if (line ~ /^  [^ ]/) {
            if (is_option(line)) {
                section("OPTIONS")
            }
            print_item(line)
            needs_paragraph = 0
        } else if (line ~ /^  /) {
            sub(/^ +/, "", line)
            print roff(line)
        } else {
            print_text(line)
        }
    }
    if (has_mqtt[page]) {
        print_mqtt()
    }
    print_more(more[page])
    print_see_also()
}

# The options that several commands share.
function print_mqtt(i, line) {
    section("CONNECTION")
    for (i = 1; i <= line_count["mqtt"]; i++) {
        line = lines["mqtt", i]
        if (is_option(line)) {
            print_item(line)
        } else if (line != "") {
            sub(/^ +/, "", line)
            print roff(line)
        }
    }
}

# Behind %%: lines in capitals are sections, indented lines stand as they are.
function print_more(text, i, count, line, rows, is_example) {
    count = split(text, rows, "\n")
    for (i = 1; i < count; i++) {
        line = rows[i]
        if (is_example != (line ~ /^  /)) {
            print is_example ? ".EE\n.RE" : ".PP\n.RS 4\n.EX"
            is_example = !is_example
        }
        if (line ~ /^[A-Z][A-Z ]+$/) {
            section(line)
        } else if (line == "") {
            print ".PP"
        } else {
            print roff(line)
        }
    }
    if (is_example) {
        print ".EE\n.RE"
    }
}

function print_see_also(i, separator) {
    section("SEE ALSO")
    for (i = 1; i <= name_count; i++) {
        if (names[i] != page) {
            printf "%s.BR %s (1)", separator, roff(names[i] == "spb" ? "spb" : "spb-" names[i])
            separator = ",\n"
        }
    }
    print ""
}

# ---- bash ----

# The words that begin with a dash in front of an item's text: "--verbose, -v".
function option_words(line, part, words, count, i, out) {
    split_item(line, part)
    count = split(part[1], words, /[ ,]+/)
    for (i = 1; i <= count; i++) {
        if (words[i] ~ /^-/) {
            out = out (out == "" ? "" : " ") words[i]
        }
    }
    return out
}

# "--group ID, --node ID" of command n: what each of them wants. `from`: the file that it stands in.
function print_arguments(n, from, line, part, specs, count, i, key, argument) {
    split_item(line, part)
    count = split(part[1], specs, ", ")
    for (i = 1; i <= count; i++) {
        key = argument = specs[i]
        sub(/ .*/, "", key)
        if (sub(/^[^ ]* /, "", argument)) {
            print "        " n ":" key ") echo \"" ((from, key) in values ? "=" values[from, key] : argument) "\" ;;"
        }
    }
}

function words_of(n, i, words) {
    for (i = 1; i <= line_count[n]; i++) {
        words = words (is_option(lines[n, i]) ? " " option_words(lines[n, i]) : "")
    }
    return words
}

function print_all_arguments(n, from, i) {
    for (i = 1; i <= line_count[from]; i++) {
        if (is_option(lines[from, i])) {
            print_arguments(n, from, lines[from, i])
        }
    }
}

function print_bash(i, n, words, line) {
    print "# Made of src/cli/help by cmake/help.awk."
    print "_spb_words() {\n    case $1 in"
    for (i = 1; i <= name_count; i++) {
        n = names[i]
        words = (n == "spb" ? command_words : "") words_of(n) (has_mqtt[n] ? words_of("mqtt") : "")
        print "        " n ") echo \"" substr(words, 2) "\" ;;"
    }
    print "    esac\n}"
    print "# What an option of a command wants: =words, FILE, or something that nobody can guess."
    print "_spb_argument() {\n    case $1:$2 in"
    for (i = 1; i <= name_count; i++) {
        n = names[i]
        print_all_arguments(n, n)
        if (has_mqtt[n]) {
            print_all_arguments(n, "mqtt")
        }
        print "        " n ":) echo \"" (lines[n, 1] ~ /FILE/ ? "FILE" : "") "\" ;;"
    }
    print "        help:) echo \"=$(_spb_words spb)\" ;;"
    print "    esac\n}"
    while ((getline line < frame) > 0) {
        print line
    }
}

END {
    if (form == "c") {
        print_c()
    } else if (form == "man") {
        print_man()
    } else {
        print_bash()
    }
}
