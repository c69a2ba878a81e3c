/* Files with secrets that are not kept like one, and certificates that others can change. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/suite.h"
#include "transport/secret.h"

static char directory[64], file[128], other[128];

static void setup(void) {
    snprintf(directory, sizeof directory, "/tmp/spb-secret-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/file", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void teardown(void) {
    unlink(other);
    unlink(file);
    rmdir(directory);
}

/* All that is told, with a newline after each. */
static const char *told(spb_mqtt_options settings) {
    static char all[2048];
    char text[512];
    all[0] = '\0';
    for (size_t i = 0; spb_secret__next(&settings, &i, text, sizeof text);) {
        strcat(strcat(all, text), "\n");
    }
    return all;
}

static const char *with_mode(mode_t mode) {
    ck_assert_int_eq(chmod(file, mode), 0);
    return told((spb_mqtt_options){.password_file = file});
}

START_TEST(a_file_of_its_owner_and_group_is_fine) {
    ck_assert_str_eq(with_mode(0600), "");
    ck_assert_str_eq(with_mode(0400), "");
    ck_assert_str_eq(with_mode(0640), "");
}
END_TEST

START_TEST(what_others_can_read_or_change_is_named) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "password_file %s: every user of this machine can read it (mode 0644)\n", file);
    ck_assert_str_eq(with_mode(0644), wanted);
    snprintf(wanted, sizeof wanted, "password_file %s: others can change it (mode 0660)\n", file);
    ck_assert_str_eq(with_mode(0660), wanted);
    snprintf(wanted, sizeof wanted, "password_file %s: others can change it (mode 0602)\n", file);
    ck_assert_str_eq(with_mode(0602), wanted);
}
END_TEST

START_TEST(a_symbolic_link_is_named) {
    char wanted[256];
    ck_assert_int_eq(symlink(file, other), 0);
    snprintf(wanted, sizeof wanted, "password_file %s: it is a symbolic link\n", other);
    ck_assert_str_eq(told((spb_mqtt_options){.password_file = other}), wanted);
    ck_assert_int_eq(chmod(file, 0604), 0);
    snprintf(wanted, sizeof wanted,
             "password_file %s: every user of this machine can read it (mode 0604), and it is a symbolic link\n",
             other);
    ck_assert_str_eq(told((spb_mqtt_options){.password_file = other}), wanted);
}
END_TEST

START_TEST(keys_are_secrets_too) {
    char wanted[512];
    ck_assert_int_eq(chmod(file, 0644), 0);
    snprintf(wanted, sizeof wanted,
             "password_file %s: every user of this machine can read it (mode 0644)\n"
             "key_file %s: every user of this machine can read it (mode 0644)\n",
             file, file);
    ck_assert_str_eq(told((spb_mqtt_options){.password_file = file, .cert_file = file, .key_file = file}), wanted);
    snprintf(wanted, sizeof wanted, "cert_file %s: every user of this machine can read it (mode 0644)\n", file);
    ck_assert_str_eq(told((spb_mqtt_options){.cert_file = file}), wanted); /* the key is in it */
    ck_assert_int_eq(chmod(file, 0600), 0);
    ck_assert_str_eq(told((spb_mqtt_options){.cert_file = file}), "");
}
END_TEST

/* Whoever can change it can choose which servers are trusted. */
START_TEST(certificates_are_for_all_to_read_and_for_nobody_to_change) {
    char wanted[1024];
    spb_mqtt_options all = {.ca_file = file, .crl_file = other, .cert_file = file, .key_file = "/no/such/file"};
    ck_assert_int_eq(symlink(file, other), 0);
    ck_assert_int_eq(chmod(file, 0644), 0);
    ck_assert_str_eq(told(all), "");
    ck_assert_int_eq(chmod(file, 0664), 0);
    snprintf(wanted, sizeof wanted,
             "cert_file %s: others can change it (mode 0664)\nca_file %s: others can change it (mode 0664)\n"
             "crl_file %s: others can change it (mode 0664)\n",
             file, file, other);
    ck_assert_str_eq(told(all), wanted);
}
END_TEST

START_TEST(what_is_no_file_is_no_business_of_ours) {
    ck_assert_str_eq(told((spb_mqtt_options){.user = "edge"}), "");
    ck_assert_str_eq(told((spb_mqtt_options){.password_file = "/no/such/file"}), "");
    ck_assert_str_eq(told((spb_mqtt_options){.password_file = "/dev/null"}), "");
}
END_TEST

int main(void) {
    TCase *all = tcase_create("secret");
    tcase_add_test(all, a_file_of_its_owner_and_group_is_fine);
    tcase_add_test(all, what_others_can_read_or_change_is_named);
    tcase_add_test(all, a_symbolic_link_is_named);
    tcase_add_test(all, keys_are_secrets_too);
    tcase_add_test(all, certificates_are_for_all_to_read_and_for_nobody_to_change);
    tcase_add_test(all, what_is_no_file_is_no_business_of_ours);
    tcase_add_checked_fixture(all, setup, teardown);
    Suite *suite = suite_create("secret");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
