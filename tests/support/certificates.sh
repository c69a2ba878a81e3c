#!/bin/sh
# Makes the certificates of the TLS tests in the directory $1: two authorities, and what they issue.
#
#   ca.pem          the authority that the tests trust
#   server.*        for localhost and 127.0.0.1
#   other-host.*    for other.example
#   expired.*       for 127.0.0.1, until yesterday
#   foreign-ca.pem  an authority that nobody trusts
#   foreign.*       for 127.0.0.1, by that one
#   client.*        of a client; client-locked.key is its key under the password "secret", client-both.pem has both
#   stranger.*      of a client, by the foreign authority
set -eu
cd "$1"

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"
}

# issue NAME AUTHORITY DAYS NAMES
issue() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
    echo "subjectAltName=$4" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" -extfile "$1.ext" -out "$1.pem"
}

{
    authority ca
    authority foreign-ca
    issue server ca 2 DNS:localhost,IP:127.0.0.1
    issue other-host ca 2 DNS:other.example
    issue expired ca -1 DNS:localhost,IP:127.0.0.1
    issue foreign foreign-ca 2 DNS:localhost,IP:127.0.0.1
    issue client ca 2 DNS:edge
    issue stranger foreign-ca 2 DNS:edge
    openssl ec -in client.key -aes256 -passout pass:secret -out client-locked.key
    cat client.pem client.key >client-both.pem
} >openssl.log 2>&1 </dev/null
