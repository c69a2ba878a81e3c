#!/bin/sh
# Makes the certificates of the TLS tests in the directory $1: two authorities, and what they issue.
#
#   ca.pem          the authority that the tests trust
#   server.*        for localhost and 127.0.0.1
#   other-host.*    for other.example
#   expired.*       for 127.0.0.1, until yesterday
#   short-key.*     for localhost and 127.0.0.1, with RSA of 1024 bits
#   common-name.*   whose common name is localhost, with no other name
#   name-is-ip.*    for the DNS name 127.0.0.1
#   revoked.*       for localhost and 127.0.0.1, on the list crl.pem of ca; crl-old.pem is out of date, crl-both.pem
#                   has both, crl-cut.pem is its beginning
#   foreign-ca.pem  an authority that nobody trusts
#   foreign.*       for 127.0.0.1, by that one
#   client.*        of a client; client-locked.key is its key under the password "secret", client-both.pem has both
#   stranger.*      of a client, by the foreign authority
set -eu
cd "$1"

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"
}

# issue NAME AUTHORITY DAYS NAMES [COMMON_NAME [RSA_BITS]]
issue() {
    if [ $# -gt 5 ]; then key="rsa:$6"; else key="ec -pkeyopt ec_paramgen_curve:P-256"; fi
    # shellcheck disable=SC2086
    openssl req -newkey $key -nodes -subj "/CN=${5:-$1}" -keyout "$1.key" -out "$1.csr"
    if [ -n "$4" ]; then echo "subjectAltName=$4" >"$1.ext"; else echo "basicConstraints=CA:FALSE" >"$1.ext"; fi
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" -extfile "$1.ext" -out "$1.pem"
}

# revoke NAME AUTHORITY
revoke() {
    : >index
    echo 01 >crlnumber
    printf '[ca]\ndefault_ca=this\n[this]\ndatabase=index\ncrlnumber=crlnumber\ndefault_md=sha256\n' >revoke.cnf
    openssl ca -config revoke.cnf -cert "$2.pem" -keyfile "$2.key" -revoke "$1.pem"
    openssl ca -config revoke.cnf -cert "$2.pem" -keyfile "$2.key" -gencrl -crldays 2 -out crl.pem
    openssl ca -config revoke.cnf -cert "$2.pem" -keyfile "$2.key" -gencrl -crl_lastupdate 20200101000000Z \
        -crl_nextupdate 20200102000000Z -out crl-old.pem
    cat crl-old.pem crl.pem >crl-both.pem
    head -c $(($(wc -c <crl-both.pem) - 60)) crl-both.pem >crl-cut.pem
}

{
    authority ca
    authority foreign-ca
    issue server ca 2 DNS:localhost,IP:127.0.0.1
    issue other-host ca 2 DNS:other.example
    issue expired ca -1 DNS:localhost,IP:127.0.0.1
    issue short-key ca 2 DNS:localhost,IP:127.0.0.1 short-key 1024
    issue common-name ca 2 "" localhost
    issue name-is-ip ca 2 DNS:127.0.0.1 127.0.0.1
    issue revoked ca 2 DNS:localhost,IP:127.0.0.1
    revoke revoked ca
    issue foreign foreign-ca 2 DNS:localhost,IP:127.0.0.1
    issue client ca 2 DNS:edge
    issue stranger foreign-ca 2 DNS:edge
    openssl ec -in client.key -aes256 -passout pass:secret -out client-locked.key
    cat client.pem client.key >client-both.pem
} >openssl.log 2>&1 </dev/null
