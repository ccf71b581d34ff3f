//! Lets the C library look names up by itself: in `/etc/hosts`, and at the name servers of `/etc/resolv.conf`.
//!
//! `/etc/nsswitch.conf` may name plug-ins besides (`myhostname`, `resolve`, `mdns4_minimal`, `sss`), and glibc loads them, even into a
//! program that is linked statically. A plug-in brings the dynamic C library of the host along; where that is of another
//! version than the one that is linked in, the program dies in the middle of a lookup (seen: glibc 2.36 in here, 2.41 on the
//! host, SIGFPE, for every name that is not in `/etc/hosts`). What is built in is enough: systemd-resolved answers as a name server too.
//!
//! Invariant: called first in `main`, while there is one thread.

/// From here on `/etc/nsswitch.conf` is not asked for hosts, users and groups.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "a function of the C library, without a safe form"
)]
pub fn look_up_without_plugins() {
    use std::ffi::{CStr, c_char, c_int};

    unsafe extern "C" {
        /// GNU: what `database` is looked up with, in the words of `/etc/nsswitch.conf`; 0 where it is done.
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    const SERVICES: [(&CStr, &CStr); 3] = [
        (c"hosts", c"files dns"),
        (c"passwd", c"files"),
        (c"group", c"files"),
    ];
    for (database, services) in SERVICES {
        // SAFETY: both are strings that end in NUL and live for ever; the function copies what it keeps and no other
        // thread looks anything up yet.
        let _ = unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) };
    }
}

/// Other C libraries have no plug-ins.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn look_up_without_plugins() {}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs;

    #[test]
    fn a_name_of_the_hosts_file_is_found_and_an_unknown_one_is_an_error() {
        super::look_up_without_plugins();
        assert!(("localhost", 1).to_socket_addrs().is_ok());
        assert!(("no-such-name.invalid", 1).to_socket_addrs().is_err());
    }
}
