//! Looks one name up as the programs do: `lookup NAME`. `packaging/tests/static.sh` runs it, linked statically, where a host
//! has plug-ins of another C library.

use std::net::ToSocketAddrs;

fn main() -> Result<(), std::io::Error> {
    arki_names::look_up_without_plugins();
    let name = std::env::args().nth(1).unwrap_or_default();
    for address in (name.as_str(), 443).to_socket_addrs()? {
        println!("{address}");
    }
    Ok(())
}
