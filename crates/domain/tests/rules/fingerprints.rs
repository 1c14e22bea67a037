//! Failure groups on error texts as public software words them: two occurrences of one error share a fingerprint, and
//! no two errors of the table do.

use std::collections::BTreeMap;

use domain::{Fingerprint, fold};

/// An error as it reads on two occasions.
const ERRORS: &[(&str, &str)] = &[
    // Connections and time-outs: Node.js, Java, Python, Go, curl, .NET.
    ("connect ETIMEDOUT 10.0.12.7:443", "connect ETIMEDOUT 10.0.99.12:8443"),
    ("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED 10.1.1.1:5433"),
    ("getaddrinfo ENOTFOUND erp.globex.example", "getaddrinfo  ENOTFOUND erp.globex.example"),
    (
        "java.net.SocketTimeoutException: Read timed out after 30000 ms",
        "java.net.SocketTimeoutException: Read timed out after 60000 ms",
    ),
    (
        "java.net.ConnectException: Connection refused (Connection refused): attempt 3",
        "java.net.ConnectException: Connection refused (Connection refused): attempt 17",
    ),
    (
        "HTTPSConnectionPool(host='api.acme.example', port=443): Read timed out. (read timeout=10)",
        "HTTPSConnectionPool(host='b2b.acme.example', port=8443): Read timed out. (read timeout=30)",
    ),
    ("dial tcp 192.0.2.10:22: i/o timeout", "dial tcp 198.51.100.3:2222: i/o timeout"),
    (
        "read tcp 10.0.0.5:51234->192.0.2.10:443: connection reset by peer",
        "read tcp 10.0.0.9:40022->192.0.2.11:443: connection reset by peer",
    ),
    (
        "curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received",
        "curl: (28) Operation timed out after 30000 milliseconds with 1742 bytes received",
    ),
    (
        "The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.",
        "The request was canceled due to the configured HttpClient.Timeout of 30 seconds elapsing.",
    ),
    // TLS: OpenSSL, Java, rustls.
    (
        "error:0A000086:SSL routines::certificate verify failed",
        "error:1416F086:SSL routines::certificate verify failed",
    ),
    ("error:0A00010B:SSL routines::wrong version number", "error:1408F10B:SSL routines::wrong version number"),
    (
        "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed, NotAfter: Fri Nov 20 14:00:00 UTC 2026",
        "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed, NotAfter: Fri Nov 13 09:12:44 UTC 2026",
    ),
    (
        "invalid peer certificate: certificate expired: verification time 1795183200 (UNIX), but certificate is not valid after 1795100000",
        "invalid peer certificate: certificate expired: verification time 1795999999 (UNIX), but certificate is not valid after 1795900000",
    ),
    // HTTP.
    ("Request failed with status code 503", "Request failed with status code 502"),
    ("429 Too Many Requests: retry after 37 s", "429 Too Many Requests: retry after 5 s"),
    (
        "POST https://erp.globex.example/orders/4711 returned 500 Internal Server Error",
        "POST https://erp.globex.example/orders/98 returned 500 Internal Server Error",
    ),
    (
        "upstream prematurely closed connection while reading response header from upstream, client: 10.0.0.4, request: \"POST /in/4711 HTTP/1.1\"",
        "upstream prematurely closed connection while reading response header from upstream, client: 10.0.0.77, request: \"POST /in/12 HTTP/1.1\"",
    ),
    (
        "401 Unauthorized: token 0190163d-8694-739b-aea5-966c26f8ad91 has expired",
        "401 Unauthorized: token 0190163d-1111-7222-b333-abcdefabcdef has expired",
    ),
    // SQL: PostgreSQL, MySQL, Oracle, SQL Server, SQLite.
    (
        "ERROR: duplicate key value violates unique constraint \"orders_pkey\" DETAIL: Key (id)=(4711) already exists.",
        "ERROR: duplicate key value violates unique constraint \"orders_pkey\" DETAIL: Key (id)=(815) already exists.",
    ),
    (
        "ERROR: deadlock detected DETAIL: Process 12014 waits for ShareLock on transaction 88123; blocked by process 12020.",
        "ERROR: deadlock detected DETAIL: Process 99 waits for ShareLock on transaction 100; blocked by process 101.",
    ),
    (
        "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "FATAL: remaining connection slots  are reserved for roles with the SUPERUSER attribute",
    ),
    (
        "Lock wait timeout exceeded; try restarting transaction",
        "Lock wait timeout exceeded; try restarting\ttransaction",
    ),
    ("Data too long for column 'street' at row 1", "Data too long for column 'city' at row 12"),
    ("ORA-00001: unique constraint (ERP.ORDERS_UK) violated", "ORA-00001: unique constraint (ERP.ORDERS_UK) violated "),
    ("ORA-12170: TNS:Connect timeout occurred after 60 s", "ORA-12170: TNS:Connect timeout occurred after 10 s"),
    (
        "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim.",
        "Transaction (Process ID 117) was deadlocked on lock resources with another process and has been chosen as the deadlock victim.",
    ),
    ("database is locked (5)", "database is locked (261)"),
    // SOAP.
    (
        "SOAP-ENV:Server: The article 'A-100' is not known to the system",
        "SOAP-ENV:Server: The article 'B-2' is not known to the system",
    ),
    (
        "com.sun.xml.ws.client.ClientTransportException: The server sent HTTP status code 404: Not Found",
        "com.sun.xml.ws.client.ClientTransportException: The server sent HTTP status code 405: Not Found",
    ),
    (
        "wsse:InvalidSecurity: The message has expired (timestamp 2026-11-20T13:00:00.000Z)",
        "wsse:InvalidSecurity: The message has expired (timestamp 2026-11-19T08:30:21.123Z)",
    ),
    // AS2.
    (
        "AS2 MDN not received within 300 seconds for message <20261120140000.4711@acme>",
        "AS2 MDN not received within 300 seconds for message <20261119083021.17@acme>",
    ),
    (
        "disposition: automatic-action/MDN-sent-automatically; processed/error: decryption-failed",
        "disposition: automatic-action/MDN-sent-automatically; processed/error:  decryption-failed",
    ),
    (
        "Signature verification failed: message digest 3f9a0c11be77aa42 does not match deadbeefdeadbeef",
        "Signature verification failed: message digest 00ff00ff00ff00ff does not match cafebabecafebabe",
    ),
    // SFTP.
    (
        "com.jcraft.jsch.JSchException: Auth fail for methods 'publickey,password'",
        "com.jcraft.jsch.JSchException: Auth fail for methods 'publickey'",
    ),
    ("Permission denied (publickey).", "Permission denied (publickey)."),
    (
        "SFTP error 4: Failure while writing /in/orders_20261120_140000.edi",
        "SFTP error 4: Failure while writing /in/orders_20261119_083021.edi",
    ),
    (
        "kex_exchange_identification: Connection closed by remote host, port 22",
        "kex_exchange_identification: Connection closed by remote host, port 2222",
    ),
    // JSON: V8, Jackson, serde_json, Python.
    ("Unexpected token } in JSON at position 118", "Unexpected token } in JSON at position 4"),
    (
        "com.fasterxml.jackson.databind.exc.MismatchedInputException: Cannot deserialize value of type `int` from String \"abc\": line: 3, column: 14",
        "com.fasterxml.jackson.databind.exc.MismatchedInputException: Cannot deserialize value of type `long` from String \"x\": line: 30, column: 2",
    ),
    ("missing field `orderId` at line 1 column 245", "missing field `orderId` at line 12 column 3"),
    (
        "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "Expecting property name enclosed in double quotes: line 7 column 12 (char 311)",
    ),
    // XML: Xerces, libxml2, .NET, XSLT.
    (
        "cvc-datatype-valid.1.2.1: '12,50' is not a valid value for 'decimal'.",
        "cvc-datatype-valid.1.2.1: '7,-' is not a valid value for 'decimal'.",
    ),
    (
        "org.xml.sax.SAXParseException; lineNumber: 12; columnNumber: 3; The element type \"Item\" must be terminated by the matching end-tag",
        "org.xml.sax.SAXParseException; lineNumber: 7; columnNumber: 31; The element type \"Order\" must be terminated by the matching end-tag",
    ),
    (
        "Entity: line 4: parser error : Opening and ending tag mismatch: b line 3 and a",
        "Entity: line 14: parser error : Opening and ending tag mismatch: b line 13 and a",
    ),
    ("Root element is missing.", "Root element is missing."),
    // Brokers and clouds.
    (
        "org.apache.kafka.common.errors.TimeoutException: Expiring 12 record(s) for orders-3:120004 ms has passed since batch creation",
        "org.apache.kafka.common.errors.TimeoutException: Expiring 1 record(s) for orders-11:120001 ms has passed since batch creation",
    ),
    (
        "AMQ219014: Timed out after waiting 30000 ms for response when sending packet 71",
        "AMQ219014: Timed out after waiting 5000 ms for response when sending packet 43",
    ),
    (
        "2026-11-20T14:00:01.123Z 0190163d-8694-739b-aea5-966c26f8ad91 Task timed out after 30.03 seconds",
        "2026-11-19T08:30:21.001Z 0190aaaa-8694-739b-aea5-966c26f8ad91 Task timed out after 3.00 seconds",
    ),
];

#[test]
fn two_occurrences_of_one_error_are_one_group_and_no_two_errors_are() {
    assert!(ERRORS.len() >= 40);
    let mut groups: BTreeMap<Fingerprint, &str> = BTreeMap::new();
    for (once, again) in ERRORS {
        let group = Fingerprint::of(None, Some(once));
        assert_eq!(group, Fingerprint::of(None, Some(again)), "\n{}\n{}", fold(once), fold(again));
        if let Some(other) = groups.insert(group, once) {
            panic!("one group for two errors:\n{once}\n{other}");
        }
    }
}
