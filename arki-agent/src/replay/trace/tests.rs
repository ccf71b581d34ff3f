use super::*;

fn read(text: &[u8]) -> Result<Vec<Row>, Flaw> {
    let mut trace = Trace::open(text)?;
    let mut rows = Vec::new();
    let mut row = Row::default();
    while trace.next_row(&mut row)? {
        rows.push(row.clone());
    }
    Ok(rows)
}

fn refused(text: &[u8]) -> String {
    let flaw = read(text).unwrap_err();
    format!("{}: {}", flaw.line, flaw.reason)
}

#[test]
fn rows_have_the_values_that_are_there() {
    let text = "\u{feff}timestamp,a,\"b{x,\"\"y\"\"}\"\r\n10,1.5,\r\n\r\n40.9,,\"-2e3\"\r\n";
    let trace = Trace::open(text.as_bytes()).unwrap();
    assert_eq!(trace.series(), ["a", "b{x,\"y\"}"]);
    let rows = read(text.as_bytes()).unwrap();
    assert_eq!(rows[0].values, [(0, 1.5)]);
    assert_eq!((rows[1].at, &rows[1].values[..]), (40, &[(1, -2000.0)][..]));
}

#[test]
fn a_header_that_is_none_is_refused() {
    for (text, told) in [
        (&b""[..], "0: is empty"),
        (b"\n\n", "0: is empty"),
        (b"1704067200,5\n", "1: no header"),
        (b"time,a\n", "1: no header"),
        (b"timestamp\n", "1: the header names no series"),
        (
            b"timestamp,a,b,a\n",
            "1: the series a is there twice, in columns 2 and 4",
        ),
        (b"timestamp,a,\n", "1: column 3: a series needs a name"),
        (
            b"timestamp,a\x00b\n",
            "1: column 2: a series name holds no control",
        ),
        (b"timestamp,\xff\xfe\n", "1: is no UTF-8"),
        (b"timestamp,\"a\n", "1: a quote is not closed"),
    ] {
        let found = refused(text);
        assert!(found.starts_with(told), "{found}");
    }
    let many = (0..=SERIES_MAX).fold("timestamp".to_owned(), |line, i| format!("{line},s{i}"));
    assert!(refused(many.as_bytes()).starts_with("1: 4097 series, and at most 4096"));
}

#[test]
fn a_row_that_is_none_is_refused_with_its_line() {
    for (rows, told) in [
        (
            "10,1,2\n40,x,2\n",
            "3: column a: \"x\" is not a finite number",
        ),
        ("10,nan,2\n", "2: column a: \"nan\""),
        ("10,1,inf\n", "2: column b: \"inf\""),
        ("10,1,2\0\n", "2: column b: \"2\\0\""),
        ("10,1,2\n\n10,1,2\n", "4: time goes back: 10 after 10"),
        ("10,1,2\n9,1,2\n", "3: time goes back: 9 after 10"),
        ("10,1\n", "2: 2 cells, but the header has 3 columns"),
        ("10\n", "2: 1 cells, but the header has 3 columns"),
        ("10,1,2,\n", "2: 4 cells, but the header has 3 columns"),
        ("10,1,2,3,4\n", "2: 5 cells"),
        (
            "1704067200000,1,2\n",
            "2: \"1704067200000\" is no time in Unix seconds: it looks",
        ),
        (",1,2\n", "2: \"\" is no time"),
        ("-5,1,2\n", "2: \"-5\" is no time"),
        (
            "2024-01-01T00:00:00Z,1,2\n",
            "2: \"2024-01-01T00:00:00Z\" is no time",
        ),
    ] {
        let found = refused(format!("timestamp,a,b\n{rows}").as_bytes());
        assert!(found.starts_with(told), "{found}");
    }
}
