use super::*;

const ROOTS: [&str; 2] = ["/etc/nginx", "/etc/ssl/site.pem"];

fn fingerprints() -> Fingerprints {
    Fingerprints::new(&[1; 32])
}

fn encoded(change: &[u8]) -> Encoded {
    let prints = fingerprints();
    let mut encoder = Encoder::new("nginx", 1_760_000_000, &ROOTS, 5).unwrap();
    encoder.directory("/etc/nginx", 0o755).unwrap();
    encoder
        .left_out("/etc/nginx/geo.mmdb", prints.of_stamp(9, 7), "too large")
        .unwrap();
    encoder
        .link("/etc/nginx/link", "/etc/nginx/nginx.conf")
        .unwrap();
    let print = prints.of_bytes(change);
    encoder
        .file("/etc/nginx/nginx.conf", 0o644, print, (b"user nginx;", 2))
        .unwrap();
    let print = prints.of_bytes(b"pem");
    encoder
        .file("/etc/ssl/site.pem", 0o640, print, (b"pem", 0))
        .unwrap();
    encoder.finish().unwrap()
}

fn decode(compressed: &[u8]) -> Result<Snapshot, WireError> {
    Snapshot::decode(compressed, &mut Decompressor::new().unwrap())
}

#[test]
fn what_was_encoded_comes_back_with_the_same_hash() {
    let encoded = encoded(b"original");
    let snapshot = decode(&encoded.compressed).unwrap();
    assert_eq!(snapshot.configuration(), encoded.configuration);
    assert_eq!(
        (
            snapshot.service.as_str(),
            snapshot.entries.len(),
            encoded.bytes
        ),
        ("nginx", 5, 14)
    );
    assert_eq!(snapshot.roots, ROOTS);
    let file = &snapshot.entries[3];
    assert_eq!(
        file.what,
        What::File {
            mode: 0o644,
            fingerprint: fingerprints().of_bytes(b"original"),
            redactions: 2,
            bytes: b"user nginx;".to_vec()
        }
    );
}

#[test]
fn the_hash_tells_a_changed_secret_although_the_copy_is_the_same() {
    let (a, b) = (encoded(b"password=a"), encoded(b"password=b"));
    assert_ne!(a.configuration, b.configuration);
    assert_eq!(encoded(b"password=a"), a);
    let other = Fingerprints::new(&[2; 32]);
    assert_ne!(
        other.of_bytes(b"x"),
        fingerprints().of_bytes(b"x"),
        "another host cannot check a guess"
    );
    assert_ne!(fingerprints().of_stamp(1, 2), fingerprints().of_stamp(2, 1));
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    let file = |encoder: &mut Encoder, path: &str| encoder.file(path, 0o644, [0; 32], (b"x", 0));
    for paths in [
        &["/etc/passwd"][..],
        &["/etc/nginx/../passwd"],
        &["/etc/nginxes"],
        &["/etc/nginx//a"],
        &["etc/nginx/a"],
        &["/etc/nginx/a\nb"],
        &["/etc/nginx/b", "/etc/nginx/a"],
        &["/etc/nginx/a", "/etc/nginx/a"],
        &["/etc/nginx/a", "/etc/nginx/a/b"],
    ] {
        let mut encoder = Encoder::new("nginx", 0, &ROOTS, paths.len()).unwrap();
        for path in paths {
            file(&mut encoder, path).unwrap();
        }
        let said = decode(&encoder.finish().unwrap().compressed);
        assert!(
            matches!(said, Err(WireError::Value(_))),
            "{paths:?}: {said:?}"
        );
    }
    let mut encoder = Encoder::new("nginx", 0, &ROOTS, 1).unwrap();
    encoder.link("/etc/nginx/a", "/etc/shadow").unwrap();
    assert!(decode(&encoder.finish().unwrap().compressed).is_err());
    // Through a link into another tree.
    let mut encoder = Encoder::new("nginx", 0, &ROOTS, 2).unwrap();
    encoder.link("/etc/nginx/a", "/etc/nginx/b").unwrap();
    file(&mut encoder, "/etc/nginx/a/b").unwrap();
    assert!(decode(&encoder.finish().unwrap().compressed).is_err());
}

#[test]
fn limits_hold_on_both_sides() {
    assert!(matches!(
        Encoder::new("nginx", 0, &ROOTS, ENTRIES_MAX + 1),
        Err(Excess::Entries)
    ));
    let mut encoder = Encoder::new("nginx", 0, &ROOTS, 6).unwrap();
    let zeros = vec![0; FILE_BYTES_MAX];
    for n in 0..5 {
        let path = format!("/etc/nginx/{n}");
        encoder.file(&path, 0o644, [0; 32], (&zeros, 0)).unwrap();
    }
    let full = encoder.file("/etc/nginx/5", 0o644, [0; 32], (b"x", 0));
    assert!(matches!(full, Err(Excess::Bytes)));
    // What does not compress meets the limit of the body first.
    let mut encoder = Encoder::new("nginx", 0, &ROOTS, 5).unwrap();
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..FILE_BYTES_MAX)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let results: Vec<_> = (0..5)
        .map(|n| encoder.file(&format!("/etc/nginx/{n}"), 0o644, [0; 32], (&noise, 0)))
        .collect();
    assert!(
        results
            .iter()
            .any(|result| matches!(result, Err(Excess::Compressed)))
    );
    // A bomb is refused before it is unpacked.
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
    assert!(decode(&bomb).is_err());
}

#[test]
fn whatever_is_sent_is_read_or_refused() {
    let good = encoded(b"original").compressed;
    let raw = zstd::bulk::decompress(&good, 1 << 20).unwrap();
    let mut state = 7_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bad = raw.clone();
        for _ in 0..=random() % 3 {
            let at = random() % bad.len();
            bad[at] = random() as u8;
        }
        if let Ok(snapshot) = decode(&zstd::bulk::compress(&bad, 1).unwrap()) {
            read += 1;
            assert!(
                snapshot
                    .entries
                    .iter()
                    .all(|entry| is_plain(&entry.path) && is_below(&entry.path, &snapshot.roots))
            );
        }
    }
    assert!(read > 100, "the changes reach inside: {read}");
}
