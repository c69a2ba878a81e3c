/* What is in the files of the options for TLS. */
#ifndef SPB_TRANSPORT_TLS_FILES_H
#define SPB_TRANSPORT_TLS_FILES_H

#include <openssl/x509.h>

/* All lists of revoked certificates in the file, to be freed with their stack; NULL: there is none, or one of them
 * cannot be read: it might be the one that counts. */
STACK_OF(X509_CRL) * spb_tls_files__revoked(const char *path);

#endif
