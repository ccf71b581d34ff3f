use super::*;
use proptest::prelude::*;

#[test]
fn a_value_comes_back_and_a_second_agent_is_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    assert_eq!(state.load::<Vec<u32>>("numbers"), (None, None));
    state.save("numbers", &vec![1_u32, 2, 3]).unwrap();
    state.save("numbers", &vec![4_u32]).unwrap();
    assert_eq!(state.load("numbers"), (Some(vec![4_u32]), None));
    assert!(matches!(
        StateDir::open(dir.path()),
        Err(StateError::Locked { .. })
    ));
    drop(state);
    StateDir::open(dir.path()).unwrap();
}

#[test]
fn every_damage_is_set_aside_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    let path = dir.path().join("s");
    for (spoil, said) in [
        (
            (|bytes: &mut Vec<u8>| bytes[0] = b'X') as fn(&mut Vec<u8>),
            "is no state file of Arki",
        ),
        (
            |bytes| bytes[8] = 9,
            "newer version (layout 9, this one reads 1)",
        ),
        (|bytes| bytes.truncate(10), "too short"),
        (|bytes| bytes.truncate(24), "of another length"),
        (|bytes| bytes.push(0), "of another length"),
        (|bytes| *bytes.last_mut().unwrap() ^= 1, "wrong checksum"),
        (|bytes| bytes[10..18].fill(0xff), "larger than any state"),
    ] {
        state.save("s", &"some text").unwrap();
        let mut bytes = fs::read(&path).unwrap();
        spoil(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let (value, note) = state.load::<String>("s");
        let note = note.unwrap();
        assert!(
            value.is_none() && note.contains(said) && note.contains("set aside as s.damaged-"),
            "{note}"
        );
        assert!(!path.exists());
    }
    let kept = fs::read_dir(dir.path()).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .contains("damaged")
    });
    assert_eq!(kept.count(), DAMAGED_MAX as usize);
    state.save("s", &1_u8).unwrap();
    assert!(
        state
            .load::<String>("s")
            .1
            .unwrap()
            .contains("does not hold what it should")
    );
}

#[test]
fn a_write_that_fails_leaves_the_old_state() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    state.save("s", &1_u8).unwrap();
    // a directory stands where the new file would be written
    fs::create_dir(dir.path().join("s.partial")).unwrap();
    let said = state.save("s", &2_u8).unwrap_err().to_string();
    assert!(said.contains("/s: "), "{said}");
    assert_eq!(state.load("s"), (Some(1_u8), None));
}

proptest! {
    #[test]
    fn no_spoilt_file_is_ever_believed(at in 0_usize..40, bit in 0_u8..8) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        state.save("s", &"eighteen long chars").unwrap();
        let path = dir.path().join("s");
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        let (value, note) = state.load::<String>("s");
        // an older version number is the one change that does no harm
        prop_assert!(note.is_some() || ((8..10).contains(&at) && value.is_some()));
    }
}
