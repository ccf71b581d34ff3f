"""What is linked into every program beside its crates: Rust's standard library, the GNU C library, and GCC's unwinder.

`parts(target)` gives each with its version, licence and texts. The versions are those of the toolchain that builds: `rustc`, and the
package (or else the version) of the C library for the target. A text that is not there is an error: nothing ships without it.
"""

import html.parser
import pathlib
import re
import shutil
import subprocess
import sys

KEPT = pathlib.Path(__file__).parent / "licences"
SOURCE = "https://github.com/arki/arki"
OFFER = """\
The program is linked statically with the GNU C library {version}, which is under the GNU Lesser General Public License, version 2.1 or
later (its text is below). The library was not changed. You may change it and link the program with your own: all of the program's
source, and the commands that build it, are at {source} (install the development files of your C library, then
`cargo build --release --locked` with RUSTFLAGS="-C target-feature=+crt-static", as packaging/build.sh does), and you may reverse engineer
the program to debug such changes. The source of the library itself is at https://snapshot.debian.org/package/glibc/ (Debian's package of
this version) and at https://ftp.gnu.org/gnu/glibc/. For three years from the day on which you got the program, whoever writes to the
maintainers at {source} gets that source from them on a medium, at no more than the cost of copying it."""


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Plain(html.parser.HTMLParser):
    """The text of a page, every block of it once: the notices of Rust repeat the Apache License for each crate."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.lines, self.texts, self.inside = [], {}, False

    def handle_starttag(self, tag, _):
        self.inside = self.inside or tag == "pre"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data):
        if not self.inside:
            words = " ".join(data.split())
            self.lines += [words] if words else []
            return
        number = self.texts.setdefault(data.strip(), len(self.texts) + 1)
        self.lines.append(f"(text {number} below)")

    def whole(self):
        texts = [f"Text {number}:\n\n{text}" for text, number in self.texts.items()]
        return "\n\n".join(["\n".join(self.lines), *texts])


def glibc_version(target, native):
    foreign = {"aarch64": "libc6-dev-arm64-cross", "x86_64": "libc6-dev-amd64-cross"}
    package = "libc6-dev" if native else foreign.get(target.split("-")[0], "libc6-dev")
    if shutil.which("dpkg-query"):
        found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], stdout=subprocess.PIPE, text=True)
        if found.returncode == 0:
            return found.stdout
    if not native:
        sys.exit(f"the version of the C library for {target} is not known: install {package}")
    return output("getconf", "GNU_LIBC_VERSION").split()[1]


def parts(target):
    rust = re.search(r"release: (\S+)", output("rustc", "-vV"))[1]
    shipped = pathlib.Path(output("rustc", "--print", "sysroot"), "share/doc/rust")
    notices = shipped / "COPYRIGHT-library.html"
    exception, gpl = (shipped / "licenses" / name for name in ("GCC-exception-3.1.txt", "GPL-3.0-or-later.txt"))
    for file in (notices, exception, gpl):
        if not file.is_file():
            sys.exit(f"{file} is missing: the licences of Rust's standard library come with rustup's toolchains")
    page = Plain()
    page.feed(notices.read_text())
    native = output("rustc", "-vV").split("host: ")[1].split()[0] == target
    gcc = output("gcc" if native else f"{target.split('-')[0]}-linux-gnu-gcc", "-dumpfullversion")
    glibc = glibc_version(target, native)
    return [
        {
            "name": "glibc",
            "version": glibc,
            "license": "LGPL-2.1-or-later",
            "texts": [
                OFFER.format(version=glibc, source=SOURCE),
                *((KEPT / name).read_text().strip() for name in ("glibc.txt", "LGPL-2.1.txt")),
            ],
        },
        {
            "name": "libgcc",
            "version": gcc,
            "license": "GPL-3.0-or-later WITH GCC-exception-3.1",
            "texts": [exception.read_text().strip(), gpl.read_text().strip()],
        },
        {"name": "rust-std", "version": rust, "license": "MIT OR Apache-2.0", "texts": [page.whole()]},
    ]
