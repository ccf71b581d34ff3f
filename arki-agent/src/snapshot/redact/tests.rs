//! A corpus of what must go and what must stay, and properties over made-up files.

use super::*;

fn of(path: &str, text: &str) -> String {
    String::from_utf8(redact(path, text.as_bytes()).unwrap().bytes).unwrap()
}

/// In each line `«…»` is what must go and nothing else.
fn check(path: &str, marked: &str) {
    let text = marked.replace(['«', '»'], "");
    let mut expected = String::new();
    let mut inside = false;
    for c in marked.chars() {
        match c {
            '«' => inside = true,
            '»' => inside = false,
            c if inside && !c.is_whitespace() => expected.push_str(&"x".repeat(c.len_utf8())),
            c => expected.push(c),
        }
    }
    assert_eq!(of(path, &text), expected, "of {text:?}");
}

const GOES: &[&str] = &[
    // ini, shell, YAML, JSON, PHP, XML, properties
    "password = «hunter2»",
    "password=«hunter2»",
    "Password: «hunter2»",
    "  db_password   =   «two words»  ",
    "export DB_PASSWORD=«hunter2»",
    "DB_PASSWORD='«it is»'",
    "API_KEY=\"«abc def»\"",
    "\"password\": \"«hunter2»\", \"user\": \"eva\"",
    "{\"user\":\"eva\",\"apiKey\":\"«abc\\\"def»\"}",
    "'secret' => '«hunter2»',",
    "define('DB_PASSWORD', '«hunter2»');",
    "<password>«hunter2»</password>",
    "<token type=\"a\">«hunter2»</token>",
    "spring.datasource.password=«hunter2»",
    "clientSecret: «hunter2»",
    "requirepass «hunter2»",
    "masterauth «hunter2»",
    "auth_pass «1111»",
    "user admin insecure-password «hunter2»",
    "--password=«hunter2» --host=db",
    "mysql --password «hunter2» db",
    "Server=db;Uid=app;Pwd=«hunter2»;Database=shop",
    "password = «a;b»",
    "# password: «hunter2»",
    "wsrep_sst_auth=repl:«hunter2»",
    "curl -u admin:«hunter2» http://localhost/",
    "curl --user admin:«hunter2» http://localhost/",
    "?user=eva&token=«hunter2»&x=1",
    // nginx
    "fastcgi_param DB_PASSWORD «hunter2»;",
    "fastcgi_param DB_PASSWORD \"«hunter 2»\";",
    "proxy_set_header X-Api-Key «hunter2»;",
    "proxy_set_header Authorization \"Basic «YWRtaW46aHVudGVyMg==»\";",
    "proxy_set_header Authorization \"Bearer «hunter2hunter2»\";",
    "set $api_key \"«hunter2»\";",
    "if ($http_x_api_key != \"«hunter2»\") { return 403; }",
    "if ($cookie_secret = «hunter2») {",
    "env SECRET_KEY=«hunter2»;",
    "proxy_pass http://eva:«hunter2»@10.0.0.1:8080/;",
    "map $http_x_api_key $valid { default 0; \"«hunter2»\" 1; '«other»' 1; }",
    "map $host $api_key { default \"«hunter2»\"; }",
    // Apache
    "SetEnv DB_PASSWORD «hunter2»",
    "SetEnv DB_PASSWORD \"«hunter 2»\"",
    "RequestHeader set Authorization \"Bearer «hunter2hunter2»\"",
    "RewriteCond %{HTTP:X-Api-Key} «!^hunter2$»",
    "SetEnvIf X-Api-Key «^hunter2$» known",
    "AuthLDAPBindPassword \"«hunter2»\"",
    "DBDParams \"host=db user=eva password=«hunter2» dbname=x\"",
    // MariaDB
    "master-password=«hunter2»",
    "CREATE USER eva IDENTIFIED BY PASSWORD '«hunter2»';",
    "UPDATE user SET hash = PASSWORD('«hunter2»');",
    "bind-address=10.0.0.1 password=«hunter2»",
    // URLs
    "url = postgres://eva:«p@ss/word»@db:5432/shop",
    "amqp://eva:«hunter2»@mq",
    "dsn: eva:«hunter2»@tcp(db:3306)/shop",
    "https://«ghp0123456789abcdefghij»@git.example.org/a.git",
    // shapes
    "header: Bearer «abcdefgh12345678»",
    "eva:«$apr1$9RqZc1vw$GhrDx0cFZyZC3uNXa1lL0.»",
    "eva «$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy»",
    "eva {SSHA}«DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3»",
    "id «AKIAIOSFODNN7EXAMPLE»",
    "use «ghp_16C7e42F292c6912E7710c838347Ae178B4a»",
    "use «xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOHcbrzqgy»",
    "use «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJldmEifQ.dBjftJeZ4CVPmB92K27uhbUJU1p1r»",
    "add_header X-Sign «q7Rk2Zp9vLx4Tn8Wb3Yc6Md1»;",
    "add_header X-Sign «9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08»;",
];

const STAYS: &[&str] = &[
    // nginx
    "user www-data;",
    "proxy_pass http://backend;",
    "proxy_pass http://unix:/run/app.sock:/uri/;",
    "fastcgi_pass unix:/run/php/php8.2-fpm.sock;",
    "uwsgi_pass 127.0.0.1:3031;",
    "grpc_pass grpc://127.0.0.1:9000;",
    "proxy_pass_header X-Auth-Token;",
    "proxy_hide_header X-Secret;",
    "proxy_cache_bypass $http_pragma $cookie_nocache;",
    "server_tokens off;",
    "ssl_password_file /etc/keys/global.pass;",
    "ssl_certificate_key /etc/ssl/private/example.org.key;",
    "ssl_certificate /etc/ssl/certs/example.org.pem;",
    "ssl_session_ticket_key /etc/nginx/ticket.key;",
    "ssl_session_tickets off;",
    "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384;",
    "ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256;",
    "auth_basic \"Restricted area\";",
    "auth_basic_user_file /etc/nginx/.htpasswd;",
    "auth_request_set $token $upstream_http_x_token;",
    "proxy_set_header Authorization $http_authorization;",
    "proxy_set_header X-Token $http_x_token;",
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "limit_req_zone $http_x_token zone=perkey:10m rate=10r/s;",
    "log_format main '$remote_addr - $remote_user [$time_local] \"$request\" $http_x_auth_token $status';",
    "map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
    "location = /api/token { return 404; }",
    "location /secret/ { deny all; }",
    "root /srv/password/www;",
    "rewrite ^/(.*)/(.*)$ /$1$2?token=$arg_token last;",
    "server_name secret.example.org www.example.org;",
    "if ($request_method = POST) { set $skip 1; }",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document docx;",
    "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
    "include /etc/nginx/modules-enabled/*.conf;",
    "resolver 10.0.0.1 [2001:db8:85a3:8d3:1319:8a2e:370:7348] valid=300s;",
    "keepalive_timeout 65;",
    "proxy_set_header X-Real-IP $remote_addr;",
    // Apache
    "ServerTokens Prod",
    "ProxyPass /app http://127.0.0.1:8080/app",
    "ProxyPassReverse /app http://127.0.0.1:8080/app",
    "ProxyPassReverseCookiePath / /app/",
    "PassEnv PATH",
    "SSLPassPhraseDialog exec:/usr/share/apache2/ask-for-passphrase",
    "SSLCertificateKeyFile /etc/ssl/private/ssl-cert-snakeoil.key",
    "SSLCipherSuite HIGH:!aNULL",
    "AuthUserFile /etc/apache2/.htpasswd",
    "AuthType Basic",
    "AuthName \"Members only\"",
    "Require valid-user",
    "LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so",
    "<Directory /var/www/>",
    "RewriteRule ^/token/(.*)$ /index.php?t=$1 [L,QSA]",
    "ErrorLog ${APACHE_LOG_DIR}/error.log",
    "SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1",
    // MariaDB
    "old_passwords = 0",
    "default_password_lifetime = 360",
    "max_password_errors=3",
    "strict_password_validation=ON",
    "validate_password_policy=MEDIUM",
    "simple_password_check_digits=1",
    "default_authentication_plugin = mysql_native_password",
    "plugin-load-add = auth_ed25519;simple_password_check",
    "key_buffer_size = 16M",
    "innodb_buffer_pool_size = 128M",
    "ssl-key = /etc/mysql/server-key.pem",
    "socket = /run/mysqld/mysqld.sock",
    "!includedir /etc/mysql/conf.d/",
    "[mysqld]",
    // others
    "UUID=0a3407de-014b-458b-b5c1-848e92a327a3 / ext4 errors=remount-ro 0 1",
    "git clone ssh://git@example.org/a.git",
    "ServerAdmin webmaster@example.org",
    "http://localhost:8080/path@2x.png",
    "password_hash_method: bcrypt",
    "password: ${DB_PASSWORD}",
    "password: {{ vault.db_password }}",
    "token_ttl = 3600",
];

#[test]
fn secrets_go_and_nothing_else_of_the_line() {
    for line in GOES {
        check("/etc/app/app.conf", line);
        check("/etc/app/app.conf", &format!("a b;\n\t{line}\r\nc d;\n"));
    }
}

#[test]
fn what_only_sounds_like_a_secret_stays() {
    for line in STAYS {
        if line.starts_with("SetEnvIf") {
            continue;
        }
        check("/etc/app/app.conf", line);
        check("/etc/app/app.conf", &format!("a b;\n\t{line}\r\nc d;\n"));
    }
}

#[test]
fn values_on_other_lines_go_too() {
    check(
        "/etc/a.conf",
        "proxy_set_header X-Token\n    \"«hunter2»\";\nlisten 80;",
    );
    check("/etc/a.conf", "password =\n  «hunter2»\nuser = eva");
    check(
        "/etc/a.conf",
        "SetEnv DB_PASSWORD \\\n  «hunter2»\nListen 80",
    );
    check("/etc/a.conf", "secret = \"«first\nsecond»\"\nlisten = 80");
    check(
        "/etc/a.conf",
        "map $http_x_token $ok {\n  default 0;\n  \"«hunter2»\" 1;\n  «other» 1;\n}\nlisten 80;",
    );
    check(
        "/etc/a.conf",
        "# set the password\nserver {\n listen 80;\n}",
    );
    check("/etc/a.conf", "token:\n  name: eva\n");
}

#[test]
fn files_that_are_secrets_as_a_whole() {
    check(
        "/etc/nginx/.htpasswd",
        "eva:«rqXexS6ZhobKA»\nbob:«$apr1$a$b»:«x y»\n",
    );
    check("/etc/shadow", "root:«*»:«19000»:«0»:::\n");
    check("/etc/nginx/ssl_passwords.txt", "«one two»\n«three»\n");
    check("/etc/app/db.token", "«hunter2»");
    check("/etc/app/thing", "«hunter2hunter2»\n");
    check("/etc/app/empty", "\n");
    check("/etc/app/enabled", "yes\n");
    check("/etc/app/a.load", "hunter2hunter2\n");
}

#[test]
fn keys_become_the_pair_that_is_published() {
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
    ] {
        let text = format!(
            "# key\n-----BEGIN {label}-----\nMIIcanary\nabc=\n-----END {label}-----\nafter\n"
        );
        let redacted = of("/etc/ssl/a.key", &text);
        assert_eq!(redacted, format!("# key\n{}after\n", pem::KEY));
    }
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIfirst\n-----END CERTIFICATE-----\n";
    let chain = certificate.replace("first", "second");
    let redacted = of("/etc/ssl/a.pem", &format!("{certificate}{chain}"));
    assert!(
        redacted.starts_with("-----BEGIN CERTIFICATE-----\nMIIBwz"),
        "{redacted}"
    );
    assert!(redacted.ends_with(&chain) && !redacted.contains("MIIfirst"));
    let parameters = "-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n-----END DH PARAMETERS-----\n";
    assert_eq!(of("/etc/ssl/dh.pem", parameters), parameters);
}

#[test]
fn keys_of_other_forms_lose_their_content() {
    for text in [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlCanary\n-----END OPENSSH PRIVATE KEY-----\n",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQCanary\n-----END PGP PRIVATE KEY BLOCK-----\n",
        "key: \"-----BEGIN PRIVATE KEY-----\\nMIICanary\\n-----END PRIVATE KEY-----\\n\"\n",
        "-----BEGIN PRIVATE KEY-----\nMIICanary and no end",
    ] {
        let redacted = of("/etc/a.pem", text);
        assert!(!redacted.contains("anary"), "{redacted}");
        assert_eq!(redacted.len(), text.len());
    }
}

#[test]
fn binary_files_are_zeros_or_left_out() {
    let ticket = [&[0][..], b"canary", &[7; 41]].concat();
    let redacted = redact("/etc/nginx/ticket.key", &ticket).unwrap();
    assert_eq!((redacted.bytes, redacted.count), (vec![0; 48], 1));
    assert_eq!(
        redact("/etc/geo.mmdb", &vec![0; BINARY_BYTES_MAX + 1]),
        None
    );
}

#[test]
fn a_count_says_how_many_went() {
    assert_eq!(
        redact("/a.conf", b"password=a\ntoken=b\nlisten 80;")
            .unwrap()
            .count,
        2
    );
    assert_eq!(redact("/a.conf", b"listen 80;").unwrap().count, 0);
}

/// Numbers by chance, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn canary(&mut self) -> String {
        let letters = b"abcdefghijkmnpqrstuvwyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let length = 8 + self.below(24);
        (0..length)
            .map(|_| char::from(letters[self.below(letters.len())]))
            .collect()
    }
}

const PLACES: &[&str] = &[
    "password = @",
    "password=@",
    "\"api_key\": \"@\"",
    "api_key: '@'",
    "set $secret @;",
    "fastcgi_param APP_SECRET @;",
    "proxy_set_header Authorization \"Bearer @\";",
    "SetEnv TOKEN @",
    "postgres://u:@@host/db",
    "https://u:@@h:1/a@b",
    "<secret>@</secret>",
    "--token=@",
    "--token @",
    "requirepass @",
    "if ($http_x_token = \"@\") {",
    "client_secret=@;",
    "x?token=@&y=1",
    "password='@'",
    "{password: @}",
    "AuthLDAPBindPassword @",
    "wsrep_sst_auth=u:@",
    "export PGPASSWORD=@",
    "IDENTIFIED BY PASSWORD '@'",
    "map $http_x_token $ok { \"@\" 1; }",
    "'secret' => '@',",
    "$2y$10$@0123456789abcdefghij",
    "-----BEGIN EC PRIVATE KEY-----\n@\n-----END EC PRIVATE KEY-----",
    "ghp_0123456789012345@",
    "password = \"a \\\" @\"",
];
const AROUND: &[&str] = &[
    "server {",
    "}",
    "listen 80;",
    "# a comment",
    "it's",
    "\"",
    "'",
    "[mysqld]",
    "a = b",
    "location / {",
    "\\",
    "",
    "proxy_pass http://b;",
    "<Directory />",
    "key = {",
    "-----BEGIN CERTIFICATE-----",
    "=",
    "://",
    "@",
    "$",
    "\t;",
    "map a b {",
];

#[test]
fn no_canary_survives_wherever_it_stands() {
    let mut random = Random(1);
    for round in 0..4_000 {
        let canary = random.canary();
        let place = random.pick(PLACES).replacen('@', &canary, 1);
        let lines: Vec<&str> = (0..random.below(5)).map(|_| random.pick(AROUND)).collect();
        let text = format!("{}\n{place}\n{}\n", lines.join("\n"), random.pick(AROUND));
        let redacted = of("/etc/app/app.conf", &text);
        for start in 0..=canary.len() - 4 {
            let part = canary.get(start..start + 4).unwrap();
            assert!(
                !redacted.contains(part) || pem::KEY.contains(part),
                "round {round}: {part} of {canary} in {redacted:?} of {text:?}"
            );
        }
    }
}

#[test]
fn whatever_the_bytes_the_length_stays_and_twice_is_once() {
    let mut random = Random(2);
    let pieces: Vec<&str> = GOES
        .iter()
        .chain(STAYS)
        .chain(PLACES)
        .chain(AROUND)
        .copied()
        .collect();
    for round in 0..4_000 {
        let mut text = Vec::new();
        for _ in 0..random.below(6) {
            let piece = random.pick(&pieces).replace(['«', '»'], "");
            if piece.contains("-----") {
                continue;
            }
            let cut = random.below(piece.len() + 1);
            text.extend_from_slice(&piece.as_bytes()[if random.below(4) == 0 { cut } else { 0 }..]);
            text.push([b'\n', b' ', b'"', b'\'', b';', b'=', 0xc3, b'$'][random.below(8)]);
        }
        let once = redact("/etc/app/app.conf", &text).unwrap();
        assert_eq!(once.bytes.len(), text.len(), "round {round}");
        let twice = redact("/etc/app/app.conf", &once.bytes).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&twice.bytes),
            String::from_utf8_lossy(&once.bytes),
            "round {round} of {:?}",
            String::from_utf8_lossy(&text)
        );
        assert_eq!(twice.count, 0);
        let kept = text
            .iter()
            .zip(&once.bytes)
            .all(|(a, b)| a == b || (*b == b'x' && !a.is_ascii_whitespace()));
        assert!(
            kept || is_binary(&text),
            "only x takes the place of anything"
        );
    }
}

/// Session ticket keys as `openssl rand 80` makes them: three of four have no NUL.
#[test]
fn random_keys_leave_no_byte_and_letters_of_old_encodings_stay() {
    let mut state = 7_u64;
    for round in 0..500 {
        let mut bytes = [0_u8; 80];
        for byte in &mut bytes {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = ((state >> 33) as u8).max(1);
        }
        let clean = redact("/etc/nginx/ticket.bin", &bytes).unwrap();
        assert_eq!((clean.bytes, clean.count), (vec![0; 80], 1), "{round}");
    }
    let latin = b"# Zust\xe4ndig: M\xfcller\nworker_processes 4;\n";
    let clean = redact("/etc/nginx/nginx.conf", latin).unwrap();
    assert_eq!((clean.bytes.as_slice(), clean.count), (&latin[..], 0));
}

#[test]
fn a_key_without_pem_goes_whole() {
    let text = b"key \"rndc\" {\n  plain words\n};\n";
    let clean = redact("/etc/bind/rndc.key", text).unwrap();
    let left: Vec<u8> = clean
        .bytes
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    assert!(left.iter().all(|byte| *byte == b'x'), "{left:?}");
    assert_eq!(clean.bytes.len(), text.len());
    assert_eq!(
        redact("/etc/bind/rndc.key", &clean.bytes).unwrap().bytes,
        clean.bytes
    );
}

#[test]
fn what_a_program_quotes_is_redacted_and_its_words_stay() {
    let said = "nginx: [emerg] unknown directive \"proxy_pas\" in /etc/nginx/nginx.conf:7\n\
        password = hunter2hunter2\nok\n";
    let clean = redact_text(said);
    assert!(!clean.contains("hunter2"), "{clean}");
    assert!(
        clean.contains("unknown directive") && clean.ends_with("\nok\n"),
        "{clean}"
    );
    assert_eq!(clean.len(), said.len());
}
